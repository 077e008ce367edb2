"""What every segmenter promises about its mask, whatever found it."""
from __future__ import annotations

import numpy as np

from dam_ros.core.errors import SegmenterFailed, complaint
from dam_ros.core.segmenting import Prompt


def kept(mask: np.ndarray, prompt: Prompt) -> np.ndarray:
    """The mask with nothing outside of the box and with every pixel that was pointed at; changes `mask`.

    Args:
        mask: bool (H, W).

    Raises:
        SegmenterFailed: nothing is left.
    """
    if prompt.box is not None:
        left, top, right, bottom = prompt.box
        mask[:top] = mask[bottom:] = mask[:, :left] = mask[:, right:] = False
    for points, value in ((prompt.outside, False), (prompt.inside, True)):
        for point in points:
            mask[pixel(point, mask.shape)] = value
    if prompt.stroke is not None:
        mask |= prompt.stroke
    if not mask.any():
        raise nothing_at(prompt)
    return mask


def pixel(point: tuple[float, float], shape: tuple[int, ...]) -> tuple[int, int]:
    """Row and column of the pixel in which a point lies."""
    x, y = point
    return min(max(int(y + 0.5), 0), shape[0] - 1), min(max(int(x + 0.5), 0), shape[1] - 1)


def nothing_at(prompt: Prompt) -> SegmenterFailed:
    """To be raised: nothing was found there."""
    if prompt.box is not None:
        return SegmenterFailed(complaint(prompt.field, list(prompt.box), 'a box around a thing that differs from what '
                                         'surrounds it', 'Set box_is_region to describe the box as it is'))
    where = f'{np.count_nonzero(prompt.stroke)} px' if prompt.stroke is not None else [*map(list, prompt.inside)]
    return SegmenterFailed(complaint(prompt.field, where, 'on a thing that differs from what surrounds it',
                                     'Send a polygon, or a box with box_is_region, to describe it as it is'))
