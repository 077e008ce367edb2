"""Which labels the newest pictures have, from what ~/present says. It does not know what is made of it."""
from __future__ import annotations

from dataclasses import dataclass
import math


@dataclass(frozen=True)
class Labelled:
    """One label of a picture.

    Attributes:
        area_fraction: 0..1 of the picture, NaN unknown.
        distance_m: NaN unknown.
        appearance: 64-bit hash of it and its surroundings, None unknown.
    """

    label: int
    area_fraction: float = math.nan
    distance_m: float = math.nan
    appearance: int | None = None


class PresentLabels:
    """The newest list of every camera."""

    def __init__(self):
        self._newest: dict[str, tuple[int, dict[int, Labelled]]] = {}

    def saw(self, camera: str, stamp_ns: int, things: list[Labelled]) -> None:
        self._newest[camera] = stamp_ns, {thing.label: thing for thing in things}

    def forget(self) -> None:
        """Nobody tells any more what is there."""
        self._newest.clear()

    def gone(self, camera: str, label: int, stamp_ns: int) -> bool:
        """Whether this label, seen in the picture of that stamp, is no longer there. False where nobody knows."""
        if label < 0 or camera not in self._newest:
            return False
        newest_ns, things = self._newest[camera]
        return newest_ns >= stamp_ns and label not in things

    def things(self, camera: str) -> list[Labelled]:
        """Near before far, large before small."""
        _, things = self._newest.get(camera, (0, {}))
        return sorted(things.values(), key=_importance)

    def labels(self, camera: str) -> frozenset[int] | None:
        """None where nobody knows."""
        return frozenset(self._newest[camera][1]) if camera in self._newest else None

    def cameras(self) -> list[str]:
        return list(self._newest)


def _importance(thing: Labelled) -> tuple[float, float, int]:
    distance = thing.distance_m if math.isfinite(thing.distance_m) else math.inf
    area = thing.area_fraction if math.isfinite(thing.area_fraction) else 0.0
    return distance, -area, thing.label
