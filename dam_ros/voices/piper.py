"""piper, a neural synthesizer, as a child process that keeps its model loaded. It knows no sound device.

Its program comes with the package piper-tts, which is licensed GPL-3.0-or-later: it is not part of this package, is
installed only by whoever asks for it ([piper]), and runs as a program of its own. Its models have their own licences.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import fcntl
import json
import os
from pathlib import Path
import select
import shutil
import subprocess
import sys

import numpy as np

from dam_ros.core.errors import complaint
from dam_ros.core.speakable import pronounceable, speakable
from dam_ros.voices.children import Child, ends_with, Kept
from dam_ros.voices.espeak_voices import plain, primary
from dam_ros.voices.protocol import Run, Sound, Synthesizer, Utterance, VoiceError
from dam_ros.voices.synthesized import now

# What a model speaks at its own length_scale counts as this many words per minute; models differ by some ten percent.
USUAL_WPM = 175.0
INSTALL = 'pip install piper-tts (GPL-3.0-or-later)'
MODELS = 'python -m piper.download_voices lists and fetches some'
_START_S = 10.0                      # it loads its model
_LIMIT_S, _LIMIT_PER_CHAR_S = 2.0, 0.025   # of a sentence: slower than speech nobody can use it
_MOST = 2                            # children with a model of 60 MB each: one rate, and the one before


@dataclass(frozen=True)
class Model:
    """What the .onnx.json beside a model says of it. `usual`: its own length_scale."""

    rate_hz: int
    language: str
    usual: float = 1.0
    speakers: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str) -> Model:
        """Raises VoiceError: it is not there, or no voice of piper."""
        if not path:
            raise VoiceError(complaint('piper_model', path, 'the path of a voice of piper, NAME.onnx', MODELS))
        model, described = Path(path).expanduser(), Path(f'{path}.json').expanduser()
        for file in (model, described):
            if not file.is_file():
                allowed = f'an .onnx file with its .onnx.json; there is no {file}'
                raise VoiceError(complaint('piper_model', path, allowed, MODELS))
        try:
            held = json.loads(described.read_text(encoding='utf-8'))
            usual = float(held.get('inference', {}).get('length_scale', 1.0))
            return cls(int(held['audio']['sample_rate']), str(held['espeak']['voice']), usual,
                       dict(held.get('speaker_id_map') or {}))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise VoiceError(complaint('piper_model', path, f'a voice of piper; {described.name} is none '
                                       f'({type(error).__name__}: {error})', MODELS)) from error


class Piper:
    """`others` speaks what is in another language than the model's; where it cannot, piper does."""

    def __init__(self, model: str, rate_wpm: float = USUAL_WPM, voice_name: str = '',
                 others: Synthesizer | None = None, program: str = ''):
        self._path, self._others = model, others
        self._model: Model | None = None
        self._program = program or _found()
        self._usual = rate_wpm, voice_name
        self._lines: Kept[_Line] = Kept('piper', _MOST)

    def check(self) -> str:
        """Loads the model, so that the first sentence need not wait for it."""
        if not self._program:
            return f'piper is not installed. {INSTALL}'
        run = Run()
        try:
            purpose = self._purpose(*self._usual)
            with self._lines.in_use(purpose, run):
                self._line(purpose, run)
        except VoiceError as error:
            return str(error)
        return ''

    def names(self) -> Mapping[str, str]:
        """The speakers of the model, if it has several."""
        try:
            model = self._described()
        except VoiceError:
            return {}
        return dict.fromkeys(model.speakers, model.language)

    def make(self, utterance: Utterance, run: Run) -> Sound:
        if not self._program:
            raise VoiceError(f'piper is not installed. {INSTALL}')
        model, text = self._described(), speakable(utterance.text)
        if primary(utterance.language) != primary(model.language) and self._others and not self._others.check():
            return self._others.make(utterance, run)
        if not pronounceable(text):
            return Sound(np.zeros(0, np.int16), model.rate_hz)
        purpose = self._purpose(utterance.rate_wpm, utterance.voice_name)
        with self._lines.in_use(purpose, run):
            line = self._line(purpose, run)
            with ends_with(run, line.child):
                data = line.exchange(text, now() + _LIMIT_S + _LIMIT_PER_CHAR_S * len(text))
        return Sound(np.frombuffer(data[:len(data) // 2 * 2], '<i2'), model.rate_hz)

    def close(self) -> None:
        self._lines.bury_all()

    def _described(self) -> Model:
        if self._model is None:
            self._model = Model.read(self._path)
        return self._model

    def _purpose(self, rate_wpm: float, voice_name: str) -> tuple[str, ...]:
        """The arguments that are not the same for all sentences."""
        model = self._described()
        speaker = next((number for name, number in model.speakers.items() if plain(name) == plain(voice_name)), None)
        scale = f'{model.usual * USUAL_WPM / rate_wpm:.3f}'
        return ('--length_scale', scale, *(() if speaker is None else ('--speaker', str(speaker))))

    def _line(self, purpose: tuple[str, ...], run: Run) -> _Line:
        """To the child of this purpose, which is started where there is none."""
        line = self._lines.get(purpose)
        if line is not None:
            return line
        child = Child([self._program, '--model', str(Path(self._path).expanduser()), '--output_raw', *purpose],
                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = _Line(child)
        self._lines.put(purpose, line)
        with ends_with(run, child):
            line.greet(now() + _START_S)
        return line


def _found() -> str:
    """Beside this Python, where pip puts it, else on PATH."""
    beside = Path(sys.executable).with_name('piper')
    return str(beside) if os.access(beside, os.X_OK) else shutil.which('piper') or ''


class _Line:
    """What goes to a child and comes from it. EOFError and BrokenPipeError: it has ended.

    piper reads a line, writes its samples and reads the next; it does not say where the samples of a line end. So an
    empty line, of which it makes nothing, is sent after each sentence: that it has been taken from the pipe means that
    the sentence before is done. The pipe holds one page, so that "taken" and "writable" are the same.
    """

    def __init__(self, child: Child):
        self.child = child
        self._complaint = b''
        process = child.process
        fcntl.fcntl(process.stdin.fileno(), fcntl.F_SETPIPE_SZ, os.sysconf('SC_PAGE_SIZE'))
        for pipe in (process.stdin, process.stdout, process.stderr):
            os.set_blocking(pipe.fileno(), False)

    def greet(self, deadline: float) -> None:
        """Waits until the model is loaded. Raises VoiceError where it cannot be."""
        try:
            self._until_taken(b'\n', deadline)
        except (EOFError, BrokenPipeError) as error:
            last = self._complaint.decode(errors='replace').strip().splitlines()
            raise VoiceError(f"piper does not start: {last[-1] if last else 'it says nothing'}. {INSTALL}") from error

    def exchange(self, text: str, deadline: float) -> bytes:
        """The samples of one line of text, 16 bit."""
        samples = self._until_taken(text.encode(errors='replace') + b'\n', deadline)
        samples += self._until_taken(b'\n', deadline)
        while data := _read(self.child.process.stdout.fileno()):
            samples += data
        return samples

    def _until_taken(self, data: bytes, deadline: float) -> bytes:
        """Writes, waits until all of it has been read, and returns what was written meanwhile by the child."""
        stdin, stdout, stderr = (pipe.fileno() for pipe in
                                 (self.child.process.stdin, self.child.process.stdout, self.child.process.stderr))
        came = b''
        while True:
            readable, writable, _ = select.select([stdout, stderr], [stdin], [], max(deadline - now(), 0.0))
            if stderr in readable:
                self._complaint = (self._complaint + _read(stderr))[-2000:]
            if stdout in readable:
                came += _read(stdout)
            if writable and not data:
                return came
            if writable:
                data = data[os.write(stdin, data):]
            if not (readable or writable) or now() >= deadline:
                raise VoiceError('the process of piper hangs')


def _read(pipe: int) -> bytes:
    """What is there now, b'' = nothing. Raises EOFError."""
    try:
        data = os.read(pipe, 1 << 16)
    except BlockingIOError:
        return b''
    if not data:
        raise EOFError
    return data
