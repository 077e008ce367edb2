"""What is described of its own accord, and when: new things, near before far, and never more than is worth it.

It asks nobody and speaks nothing: whoever owns it asks the describer for what `next` names. Time is a number.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import math

from dam_ros.core.present_labels import PresentLabels, Labelled
from dam_ros.core.recent import Recent
from dam_ros.core.speech_settings import SpeechSettings

_REMEMBERED = 256    # labels of each camera
_FORGOTTEN_S = 30.0  # a label that was away for so long is new again
_RETRY_S = 10.0      # so long after what was described and came too late; then twice as long, and so on, ...
_DOUBLINGS = 5       # ... so often


@dataclass(frozen=True)
class Choice:
    """What is to be described now: the first of these labels that is there."""

    camera: str
    labels: tuple[int, ...]


@dataclass
class _Known:
    """A label that was described.

    Attributes:
        appearance: as it was then.
        seen: s, when it was present last.
        told: the person has heard of it.
        tries: descriptions since it was told last.
        again: s, from when on another try is worth it, where it was not told.
    """

    appearance: int | None
    seen: float
    told: bool = False
    tries: int = 0
    again: float = -math.inf


class Narrating:
    """`settings`: as they count now.

    Attributes:
        low_battery: there is less to spare.
        untold: how many things in a row were described and came too late to be told.
    """

    def __init__(self, settings: Callable[[], SpeechSettings], present: PresentLabels):
        self._settings, self._present = settings, present
        self.low_battery = False
        self.untold = 0
        self._known: dict[str, Recent[_Known]] = {}
        self._not_before = -math.inf
        self._last_camera = ''
        self._under_way: Choice | None = None

    @property
    def mode(self) -> str:
        """'off', 'new' or 'all'; on a low battery one less."""
        mode = self._settings().narrate
        return {'off': 'off', 'new': 'off', 'all': 'new'}[mode] if self.low_battery else mode

    def saw(self, now: float, camera: str) -> None:
        """A new list of labels of this camera has come."""
        known = self._known.setdefault(camera, Recent(_REMEMBERED))
        for thing in self._present.things(camera):
            one = known.get(str(thing.label))
            if one is not None and now - one.seen > _FORGOTTEN_S:
                known.pop(str(thing.label))
            elif one is not None:
                one.seen = now

    def next(self, now: float, may_volunteer: bool) -> Choice | None:
        """What to describe now, None nothing. To be asked a few times a second."""
        if self.mode == 'off' or not may_volunteer or self._under_way is not None or now < self._not_before:
            return None
        cameras = sorted(self._present.cameras(), key=lambda name: name == self._last_camera)   # they take turns
        for camera in cameras:
            labels = tuple(thing.label for thing in self._present.things(camera) if self._is_worth(now, camera, thing))
            if labels:
                self._under_way, self._last_camera = Choice(camera, labels), camera
                return self._under_way
        return None

    def ended(self, now: float, label: int | None, engine_s: float) -> None:
        """What `next` named was described, or was not.

        Args:
            label: the one that was described, None = none.
            engine_s: s, how long the describer worked for it.
        """
        choice, self._under_way = self._under_way, None
        settings = self._settings()
        rest_s = engine_s * (1.0 / settings.narrate_share - 1.0)
        self._not_before = max(self._not_before, now + max(rest_s, settings.narrate_every_s - engine_s))
        if choice is None or label is None:
            return
        self.untold += 1
        known = self._known.setdefault(choice.camera, Recent(_REMEMBERED))
        before = known.get(str(label))
        tries = 0 if before is None else before.tries
        again = now + _RETRY_S * 2.0 ** min(tries, _DOUBLINGS)
        known.put(str(label), _Known(self._appearance(choice.camera, label), now, tries=tries + 1, again=again))

    def told(self, now: float, camera: str, label: int) -> None:
        """The person has heard of this label, whoever asked, or has heard the same of it just before."""
        self.untold = 0
        known = self._known.setdefault(camera, Recent(_REMEMBERED))
        one = known.get(str(label))
        appearance = self._appearance(camera, label) if one is None else one.appearance
        known.put(str(label), _Known(appearance, now, told=True))

    def _appearance(self, camera: str, label: int) -> int | None:
        return next((thing.appearance for thing in self._present.things(camera) if thing.label == label), None)

    def _is_worth(self, now: float, camera: str, thing: Labelled) -> bool:
        known = self._known.get(camera, Recent(1))
        one = known.get(str(thing.label))
        if one is None:
            return not self._is_renamed(camera, thing, known)
        if not one.told:
            return now >= one.again
        return self.mode == 'all' and self._differs(one.appearance, thing.appearance)

    def _is_renamed(self, camera: str, thing: Labelled, known: Recent[_Known]) -> bool:
        """It looks like something that was narrated and whose label is gone: trackers rename what they lose."""
        there = {str(other.label) for other in self._present.things(camera)}
        gone = [known.get(label) for label in known if label not in there]
        return any(one.told and one.appearance is not None and thing.appearance is not None
                   and not self._differs(one.appearance, thing.appearance) for one in gone)

    def _differs(self, before: int | None, after: int | None) -> bool:
        if before is None or after is None:
            return False
        return (before ^ after).bit_count() >= self._settings().narrate_changed_bits


def things_of(labels: Sequence[int], areas: Sequence[float], distances: Sequence[float],
              appearances: Sequence[int]) -> list[Labelled]:
    """The lists of Present.msg as things; what is not known of all is known of none."""
    def column(values: Sequence, unknown: object) -> list:
        return list(values) if len(values) == len(labels) else [unknown] * len(labels)

    rows = zip(labels, column(areas, math.nan), column(distances, math.nan), column(appearances, None), strict=True)
    return [Labelled(int(label), float(area), float(distance), None if look is None else int(look))
            for label, area, distance, look in rows]
