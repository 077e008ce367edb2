"""Louder and softer, for all synthesizers alike. It knows samples only."""
from __future__ import annotations

import numpy as np

from dam_ros.voices.protocol import Sound

_LIMIT = 32767.0
_KNEE = 0.7      # above this share of full scale what was made louder is rounded off instead of cut


def at(volume: int, sound: Sound) -> Sound:
    """The sound at `volume` %; at 100 the very same samples."""
    if volume == 100:
        return sound
    samples = sound.samples * (volume / 100.0)
    if volume > 100:
        knee = _KNEE * _LIMIT
        over = np.abs(samples) > knee
        room = _LIMIT - knee
        samples[over] = np.sign(samples[over]) * (knee + room * np.tanh((np.abs(samples[over]) - knee) / room))
    return Sound(samples.astype(np.int16), sound.rate_hz)
