"""Short sounds that say what a word would take too long for. They are computed: there is no file to miss.

Each is told from the others by what survives a small loudspeaker and a noisy street: how many beats it has, whether
its pitch rises, falls or stays, and whether it is high or low. It knows no device and no rule of when they sound.
"""
from __future__ import annotations

from functools import lru_cache

import numpy as np

from dam_ros.voices.protocol import Sound, VoiceError

RATE_HZ = 22050
_LEVEL = 0.2 * 32767   # of the loudest sample: not above the speech that follows
_RAMP_S = 0.006        # at both ends of a beat, as a sudden edge is a click
_OVERTONES = (1.0, 0.4, 0.15)   # so that a loudspeaker of a telephone, weak below 500 Hz, brings the low ones, too
# Beats: pitch at the beginning and at the end in Hz (both 0: silence), duration in s.
_BEATS = {
    'heard': ((988.0, 988.0, 0.06),),
    'working': ((440.0, 440.0, 0.035), (0.0, 0.0, 0.045), (440.0, 440.0, 0.035)),
    'unsure': ((440.0, 880.0, 0.15),),
    'error': ((392.0, 196.0, 0.15),),
    'off': ((880.0, 880.0, 0.045), (0.0, 0.0, 0.02), (587.0, 587.0, 0.07)),
}
EARCONS = tuple(_BEATS)


@lru_cache(maxsize=len(EARCONS))
def sound_of(name: str) -> Sound:
    """At most 0.15 s. Raises VoiceError: there is no such earcon."""
    if name not in _BEATS:
        raise VoiceError(f"earcon is {name!r}; allowed: {', '.join(EARCONS)}")
    samples = np.concatenate([_beat(*one) for one in _BEATS[name]])
    return Sound((samples * (_LEVEL / np.abs(samples).max())).astype(np.int16), RATE_HZ)


def _beat(from_hz: float, to_hz: float, duration_s: float) -> np.ndarray:
    """Samples float (N,)."""
    length = round(duration_s * RATE_HZ)
    if not from_hz:
        return np.zeros(length)
    pitch_hz = np.geomspace(from_hz, to_hz, length)   # even to the ear
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    tone = sum(share * np.sin((number + 1) * phase) for number, share in enumerate(_OVERTONES))
    ramp = round(_RAMP_S * RATE_HZ)
    edge = 0.5 - 0.5 * np.cos(np.pi * np.arange(ramp) / ramp)
    tone[:ramp] *= edge
    tone[-ramp:] *= edge[::-1]
    return tone
