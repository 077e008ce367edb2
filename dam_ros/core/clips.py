"""Which pictures of a clip are looked at. It knows no pictures, only how many there are."""
from __future__ import annotations

import numpy as np

PICTURES = 8   # that the reference model sees of a clip, dam-spec 11


def spread(count: int, wanted: int = PICTURES) -> list[int]:
    """`wanted` indices from the first to the last of `count` >= 1, evenly, in order; fewer than wanted repeat.

    As the reference model chooses its pictures: equal steps, cut to whole numbers.
    """
    return np.linspace(0, count - 1, wanted).astype(int).tolist()


def at_most(count: int, most: int) -> list[int]:
    """All of `count` indices where there are no more than `most` >= 2, else `most` of them, spread."""
    return list(range(count)) if count <= most else spread(count, most)
