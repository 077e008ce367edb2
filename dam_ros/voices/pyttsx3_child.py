"""The process that runs pyttsx3: a request (one JSON object a line) on stdin, a reply and samples on stdout.

Its arguments are the language (BCP 47), the rate (words per minute), the pitch (0..100) and the name of a voice, which
counts where it speaks that language.

It exists to be killed: pyttsx3 can hang for ever after a stop, crash on odd text, and must not be used from threads.
It plays nothing: on Linux pyttsx3 reports success where there is no sound card. It knows no policy.
"""
from __future__ import annotations

from collections.abc import Sequence
import json
import os
import sys
import threading
import time
from typing import Any, BinaryIO

from dam_ros.voices.espeak_voices import best_language, plain, primary


_TRIES = 3    # the stop that ends a run of pyttsx3 may hit the next sentence, which then is empty or cut
_HEADER = 44


class Engine:
    """pyttsx3 with one voice at one rate and pitch: a change after the first sentence is lost at random."""

    def __init__(self, language: str, rate_wpm: int, pitch: int = 50, voice_name: str = ''):
        import pyttsx3
        self._pyttsx3 = pyttsx3.init()
        listed = self._pyttsx3.getProperty('voices')
        self.names = {voice.name: ''.join(_languages(voice)[:1]) for voice in listed if not voice.id.startswith('mb/')}
        self._completed = False
        self._finished = threading.Event()
        self._pyttsx3.connect('finished-utterance', self._on_finished)
        self._try('a')   # what is set before the first run counts or is lost
        found = _named(voice_name, language, listed) or _nearest(language, listed)
        if found:
            self._set('voice', found)
        self._set('rate', rate_wpm)
        if pitch != 50:
            self._set('pitch', pitch)

    def _set(self, name: str, value: Any) -> None:
        """Until it is so: pyttsx3 hands it to a thread of espeak's, where the end of a run may throw it away."""
        for _ in range(50):
            self._pyttsx3.setProperty(name, value)
            time.sleep(0.01)
            if self._pyttsx3.getProperty(name) == value:
                return
        raise RuntimeError(f'{name} stays {self._pyttsx3.getProperty(name)!r} and does not become {value!r}')

    def make(self, text: str) -> bytes:
        """A WAV file's bytes."""
        wav = b''
        for _ in range(_TRIES):
            wav = self._try(text)
            if self._completed and len(wav) > _HEADER:
                break
        return wav

    def _on_finished(self, name: str | None, completed: bool) -> None:
        self._completed = completed
        self._finished.set()

    def _try(self, text: str) -> bytes:
        # What is said lies in no file that others could read, and nothing is left behind when this process is killed.
        memory = os.memfd_create('speech')
        try:
            path = f'/proc/self/fd/{memory}'
            self._finished.clear()
            self._pyttsx3.save_to_file(text, path)
            self._pyttsx3.runAndWait()   # returns before a long text is finished
            self._finished.wait()        # for ever, perhaps: our parent has a watch
            with open(path, 'rb') as file:
                return file.read()
        finally:
            os.close(memory)


def _languages(voice: Any) -> list[str]:
    """Its own, and what else -v of espeak-ng takes it for, which pyttsx3 does not tell: en of gmw/en, zh of sit/cmn."""
    names = [name.decode(errors='replace') if isinstance(name, bytes) else str(name) for name in voice.languages]
    own = [name.strip('\x05').lower().replace('_', '-') for name in names]
    return [*own, voice.id.rpartition('/')[2], *(['zh'] if 'cmn' in own else [])]


def _named(name: str, language: str, voices: Sequence[Any]) -> str:
    """The id of the voice of this name, if that speaks the language; else ''."""
    fitting = (voice for voice in voices if primary(language) in map(primary, _languages(voice)))
    return next((voice.id for voice in fitting
                 if plain(name) in (plain(voice.name), plain(voice.id), *_languages(voice)[:1])), '')


def _nearest(language: str, voices: Sequence[Any]) -> str:
    """The id of the voice that speaks it; ''. The short names first: 'en' is gmw/en, not the first of all varieties."""
    ids = {}
    for voice in sorted(voices, key=lambda one: len(one.id)):
        for name in _languages(voice):
            ids.setdefault(name, voice.id)
    return ids.get(best_language(language, tuple(ids)), '')


def serve(engine: Engine, requests: BinaryIO, replies: BinaryIO) -> None:
    """Answers requests until there are no more: {"bytes": n} and n bytes, or {"failed": why}.

    At first it says {"ready": number of voices, "names": {name: language}}.
    """
    _reply(replies, {'ready': len(engine.names), 'names': engine.names})
    for line in requests:
        try:
            wav = engine.make(json.loads(line)['text'])
        except Exception as error:   # noqa: B902  whatever pyttsx3 raises, the parent decides what to do
            _reply(replies, {'failed': f'{type(error).__name__}: {error}'})
        else:
            _reply(replies, {'bytes': len(wav)})
            replies.write(wav)
            replies.flush()


def _reply(replies: BinaryIO, reply: dict[str, Any]) -> None:
    replies.write(json.dumps(reply).encode() + b'\n')
    replies.flush()


def main() -> int:
    replies = os.fdopen(os.dup(1), 'wb')
    os.dup2(2, 1)   # pyttsx3 prints to stdout, which is our line
    try:
        language, rate_wpm, pitch, voice_name = sys.argv[1:]
        serve(Engine(language, int(rate_wpm), int(pitch), voice_name), sys.stdin.buffer, replies)
    except BrokenPipeError:
        pass        # the parent is gone
    except Exception as error:   # noqa: B902  pyttsx3 or espeak-ng's library is missing
        _reply(replies, {'failed': f'{type(error).__name__}: {error}'})
        return 1
    return 0


if __name__ == '__main__':
    code = main()
    sys.stderr.flush()
    os._exit(code)   # espeak's library aborts in its destructors
