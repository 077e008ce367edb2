"""How far a camera has turned since a picture, from what ~/sight says: whether a direction is still true.

It does not know who measures the headings, nor any message type.
"""
from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
import math

from dam_ros.core.speech_settings import SpeechSettings

_KEPT_S = 120.0         # longer than anything is referred to
_NEAR_NS = 500_000_000  # two headings at 5 Hz are 0.2 s apart
_ALIVE_S = 1.5          # after so long without a word nobody knows


@dataclass(frozen=True)
class Heading:
    """`heading_rad`: left positive, NaN unknown. Only headings of one `epoch` can be compared."""

    stamp_ns: int
    heading_rad: float
    epoch: int


class Headings:
    """What is known of every camera's heading. `settings`: as they count now."""

    def __init__(self, settings: Callable[[], SpeechSettings]):
        self._settings = settings
        self._known: dict[str, deque[Heading]] = {}
        self._now: dict[str, Heading] = {}                   # what was said last, also where nothing is known
        self._turning: dict[str, tuple[float, float]] = {}   # camera: (when, rad/s)

    def saw(self, now: float, camera: str, heading: Heading, turning_rad_s: float) -> None:
        """What ~/sight said; `turning_rad_s` NaN unknown."""
        known = self._known.setdefault(camera, deque())
        if known and heading.stamp_ns < known[-1].stamp_ns:
            known.clear()   # time went back
        if not known or heading.stamp_ns > known[-1].stamp_ns:
            known.append(heading)
        while heading.stamp_ns - known[0].stamp_ns > _KEPT_S * 1e9:
            known.popleft()
        self._now[camera], self._turning[camera] = heading, (now, turning_rad_s)

    def at(self, camera: str, stamp_ns: int) -> Heading | None:
        """The heading when this picture was taken, None unknown."""
        known = self._known.get(camera)
        if not known:
            return None
        index = bisect_left(known, stamp_ns, key=lambda one: one.stamp_ns)
        near = min(list(known)[max(index - 1, 0):index + 1], key=lambda one: abs(one.stamp_ns - stamp_ns))
        return near if abs(near.stamp_ns - stamp_ns) <= _NEAR_NS and math.isfinite(near.heading_rad) else None

    def turned_rad(self, now: float, camera: str, stamp_ns: int) -> float:
        """How far the camera has turned since that picture, NaN unknown."""
        then = self.at(camera, stamp_ns)
        if then is None or self._now[camera].epoch != then.epoch or now - self._turning[camera][0] > _ALIVE_S:
            return math.nan
        return math.remainder(self._now[camera].heading_rad - then.heading_rad, math.tau)

    def still_holds(self, now: float, camera: str, stamp_ns: int, age_s: float) -> bool:
        """Whether a direction in that picture, `age_s` old, is still true. Unknown counts as turned, after a while."""
        turned = self.turned_rad(now, camera, stamp_ns)
        if math.isnan(turned):
            return age_s <= self._settings().turned_after_s
        return abs(turned) < math.radians(self._settings().turned_deg)

    def turns(self, now: float) -> bool:
        """Whether a camera turns just now."""
        fastest = math.radians(self._settings().turning_deg_s)
        return any(now - when < _ALIVE_S and abs(rate) > fastest for when, rate in self._turning.values())
