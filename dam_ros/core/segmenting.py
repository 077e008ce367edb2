"""The protocol of segmenters: something pointed at becomes a mask. It knows no segmenter."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, eq=False)
class Prompt:
    """What was pointed at: a box, points or a stroke, one of the three.

    Attributes:
        box: left, top, right, bottom in px, half open, inside the picture, at least one pixel.
        inside, outside: points (x, y) in px inside the picture; the centre of the upper left pixel is (0, 0). Where
            there is neither box nor stroke, at least one inside.
        stroke: bool (H, W), pixels that were drawn over; at least one.
    """

    box: tuple[int, int, int, int] | None = None
    inside: tuple[tuple[float, float], ...] = ()
    outside: tuple[tuple[float, float], ...] = ()
    stroke: np.ndarray | None = None

    @classmethod
    def from_json(cls, values: dict, mask: np.ndarray) -> Prompt:
        """What `as_json` was made of; a stroke is the region's mask."""
        inside, outside = (tuple((x, y) for x, y in values[one]) for one in ('inside', 'outside'))
        return cls(tuple(values['box']) if values['box'] else None, inside, outside, mask if values['stroke'] else None)

    def as_json(self) -> dict:
        """All but the stroke's pixels."""
        return {'box': self.box, 'inside': self.inside, 'outside': self.outside, 'stroke': self.stroke is not None}

    @property
    def field(self) -> str:
        """The field of Region.msg it came from, for errors."""
        if self.box is not None:
            return 'region.box_xywh'
        return 'region.scribble' if self.stroke is not None else 'region.points'


class Segmenter(Protocol):
    """Not thread-safe: one thread calls everything.

    Attributes:
        name: 'grabcut', 'sam', ...
        follows: it can carry a region through a clip.
    """

    name: str
    follows: bool

    def cut_out(self, image: np.ndarray, prompt: Prompt) -> np.ndarray:
        """The thing that was pointed at, as bool (H, W) with at least one pixel.

        Args:
            image: RGB uint8 (H, W, 3), shared with others: not to be changed.

        Raises:
            SegmenterFailed: nothing was found.
        """
        ...

    def follow(self, images: Sequence[np.ndarray], mask: np.ndarray) -> list[np.ndarray]:
        """Where the thing is in each picture of a clip; only where `follows`.

        Args:
            images: RGB uint8 (H, W, 3), oldest first, all of one size.
            mask: bool (H, W), the thing in the last one.

        Returns:
            One bool (H, W) per picture, the last as given; all False where the thing is not seen.
        """
        ...
