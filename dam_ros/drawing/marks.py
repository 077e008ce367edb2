"""What is to be shown on a picture: regions with a title and a text. It draws nothing."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Mark:
    """One region to draw.

    Attributes:
        where: bool (H, W), or a box (left, top, width, height) in px.
        title: a name, '' = none.
        text: what was said of it, '' = no caption.
    """

    where: np.ndarray | tuple[float, float, float, float]
    title: str = ''
    text: str = ''


def as_mask(where: np.ndarray | tuple, shape: tuple, zoom: int = 1) -> np.ndarray:
    """`Mark.where` as bool (H * zoom, W * zoom) of a picture of that shape."""
    if isinstance(where, np.ndarray) and where.ndim == 2:
        mask = where
    else:
        left, top, width, height = where
        mask = np.zeros(shape[:2], bool)
        mask[max(0, round(top)):max(0, round(top + height)), max(0, round(left)):max(0, round(left + width))] = True
    return mask.repeat(zoom, 0).repeat(zoom, 1) if zoom > 1 else mask
