"""The process that runs pyttsx3: a request (one JSON object a line) on stdin, a reply and samples on stdout.

Its arguments are the language (BCP 47) and the rate (words per minute).

It exists to be killed: pyttsx3 can hang for ever after a stop, crash on odd text, and must not be used from threads.
It plays nothing: on Linux pyttsx3 reports success where there is no sound card. It knows no policy.
"""
from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any, BinaryIO

from dam_ros.voices.espeak import best_language


_TRIES = 3    # the stop that ends a run of pyttsx3 may hit the next sentence, which then is empty or cut
_HEADER = 44


class Engine:
    """pyttsx3 with one voice at one rate: a change of either after the first sentence is lost at random."""

    def __init__(self, language: str, rate_wpm: int):
        import pyttsx3
        self._pyttsx3 = pyttsx3.init()
        voices = {}
        for voice in self._pyttsx3.getProperty('voices'):
            for name in voice.languages:
                text = name.decode(errors='replace') if isinstance(name, bytes) else str(name)
                voices.setdefault(text.strip('\x05').lower().replace('_', '-'), voice.id)
        self.voices = len(voices)
        self._completed = False
        self._finished = threading.Event()
        self._pyttsx3.connect('finished-utterance', self._on_finished)
        self._try('a')   # what is set before the first run counts or is lost
        found = best_language(language, tuple(voices))
        if found:
            self._set('voice', voices[found])
        self._set('rate', rate_wpm)

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


def serve(engine: Engine, requests: BinaryIO, replies: BinaryIO) -> None:
    """Answers requests until there are no more: {"ready": n}, then {"bytes": n} and n bytes, or {"failed": why}."""
    _reply(replies, {'ready': engine.voices})
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
        serve(Engine(sys.argv[1], int(sys.argv[2])), sys.stdin.buffer, replies)
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
