"""What a recording of the voice `wav` holds: which texts were spoken when, and when there was silence.

A text counts as spoken where the track correlates with espeak-ng of that text above 0.9. It knows no node.
"""
from __future__ import annotations

from functools import lru_cache
import json
from pathlib import Path
import subprocess

import numpy as np
from voice_room import loudness, read

from dam_ros.voices.espeak import read_wav

SPOKEN = 0.9
WINDOW_S = 0.02
SILENT = 30.0   # RMS of 16-bit samples


@lru_cache(maxsize=64)
def synthesized(text: str, rate_wpm: int, language: str = 'en') -> np.ndarray:
    """What espeak-ng makes of a text, float (N,) at 22050 Hz, without the silence at its ends."""
    made = subprocess.run(['espeak-ng', '-v', language, '-s', str(rate_wpm), '--stdout', text], capture_output=True,
                          timeout=10.0, check=True).stdout
    samples = read_wav(made).samples.astype(float)
    loud = np.flatnonzero(np.abs(samples) > 50)
    return samples[loud[0]:loud[-1] + 1]


class Track:
    """The recording in a folder. `events` as they were written."""

    def __init__(self, folder: Path, rate_wpm: float = 175.0):
        self.samples, self.rate_hz = read(folder / '001-track.wav')
        self.events = [json.loads(line) for line in (folder / '001-events.jsonl').read_text().splitlines()]
        self._rate_wpm = round(rate_wpm)
        self.loud = loudness(self.samples, self.rate_hz, WINDOW_S)

    def spoken(self, text: str, language: str = 'en') -> list[tuple[float, float]]:
        """When this text was spoken: (begin, end) in s since the start of the run, in order."""
        wanted = synthesized(text, self._rate_wpm, language)
        match = self._correlation(wanted)
        found = []
        while len(match) and match.max() > SPOKEN:
            at = int(match.argmax())
            found.append((at / self.rate_hz, (at + len(wanted)) / self.rate_hz))
            match[max(at - len(wanted) // 2, 0):at + len(wanted) // 2] = 0.0
        return sorted(found)

    def once(self, text: str, language: str = 'en') -> tuple[float, float]:
        """The same of what was spoken exactly once."""
        found = self.spoken(text, language)
        assert len(found) == 1, f'{text!r} was spoken {len(found)} times: {found}; said: {self.said()}'
        return found[0]

    def is_silent(self, begin_s: float, end_s: float) -> bool:
        part = self.loud[round(begin_s / WINDOW_S):round(end_s / WINDOW_S)]
        return not len(part) or bool(part.max() < SILENT)

    def times(self, event: str) -> list[float]:
        return [one['t_s'] for one in self.events if one['event'] == event]

    def said(self) -> list[tuple[float, str]]:
        """(when, what) for the reader of a failure."""
        return [(one['t_s'], one.get('sentence') or f"<{one.get('earcon')}>") for one in self.events
                if one['event'] == 'first_sample']

    def _correlation(self, wanted: np.ndarray) -> np.ndarray:
        """Normalized, 0..1, for each place in the track."""
        length = len(self.samples) - len(wanted) + 1
        if length <= 0:
            return np.zeros(0)
        size = 1 << (len(self.samples) + len(wanted)).bit_length()
        spectrum = np.fft.rfft(self.samples, size) * np.conj(np.fft.rfft(wanted, size))
        products = np.fft.irfft(spectrum, size)[:length]
        squares = np.concatenate(([0.0], np.cumsum(self.samples ** 2)))
        energy = squares[len(wanted):] - squares[:-len(wanted)]
        return products / np.sqrt(np.maximum(energy, 1e6) * (wanted ** 2).sum())
