"""What a region is in the pixels of a picture: its mask, or what a segmenter makes it from. It knows no segmenter."""
from __future__ import annotations

from collections.abc import Sequence
import math

import numpy as np

from dam_ros.core.errors import EmptyRegion, UnknownLabel, complaint, invalid
from dam_ros.core.outlines import TooTangled, fill, stroke
from dam_ros.core.regions import MOST_STROKE_PX, STROKE_PX, Region
from dam_ros.core.segmenting import Prompt


def mask_of(region: Region, height: int, width: int, label_image: np.ndarray | None = None) -> np.ndarray:
    """The region as bool (H, W).

    For what a segmenter will cut out it is what was pointed at: the box, the pixels of the points inside, the stroke.

    Args:
        label_image: int (H, W), needed where `region.needs_label_image`.

    Raises:
        InvalidRequest: a mask or label image of another size than the picture.
        UnknownLabel: no pixel has one of the labels.
        EmptyRegion: not one pixel inside the picture.
    """
    if region.form == 'picture':
        return np.ones((height, width), bool)
    if region.form in ('labels', 'mask', 'mask labels'):
        return _given_mask(region, height, width, label_image)
    mask = np.zeros((height, width), bool)
    if region.form == 'box':
        left, top, right, bottom = pixel_box(region, height, width)
        mask[top:bottom, left:right] = True
    elif region.form == 'points':
        columns, rows = np.array(_seen_points(region, height, width)[0]).T.round().astype(int)
        mask[rows, columns] = True
    else:
        mask = _drawn(region, height, width)
    return mask


def prompt_of(region: Region, height: int, width: int, mask: np.ndarray) -> Prompt:
    """What a segmenter gets, where `region.needs_segmenter`.

    Args:
        mask: of `mask_of`.
    """
    if region.form == 'box':
        return Prompt(box=pixel_box(region, height, width))
    if region.form == 'scribble':
        return Prompt(stroke=mask)
    inside, outside = _seen_points(region, height, width)
    return Prompt(inside=inside, outside=outside)


def pixel_box(region: Region, height: int, width: int) -> tuple[int, int, int, int]:
    """The box in whole pixels (left, top, right, bottom), half open, clipped to the picture.

    Edges are rounded to the nearest; a box thinner than a pixel keeps the pixel it lies in.

    Raises:
        EmptyRegion: it lies outside the picture.
    """
    scale_x, scale_y = _scale(region, height, width)
    left, top, box_width, box_height = region.box_xywh
    x0, x1 = _edges(left * scale_x, (left + box_width) * scale_x, width)
    y0, y1 = _edges(top * scale_y, (top + box_height) * scale_y, height)
    if x0 >= x1 or y0 >= y1:
        raise _outside(region, list(region.box_xywh), 'a box that meets', height, width)
    return x0, y0, x1, y1


def labels_present(label_image: np.ndarray, background: tuple[int, ...]) -> dict[int, int]:
    """Label value -> number of pixels, in the order of the values, background left out."""
    if label_image.dtype.itemsize <= 2:   # ten times as fast as sorting all pixels
        counts = np.bincount(label_image.ravel())
        values = np.flatnonzero(counts)
        counts = counts[values]
    else:
        values, counts = np.unique(label_image, return_counts=True)
    return {int(value): int(count) for value, count in zip(values, counts) if int(value) not in background}


def occurs(label_image: np.ndarray, labels: Sequence[int]) -> bool:
    """A pixel of the label image (H, W) has one of the labels."""
    return bool(_with_labels(label_image, labels).any())


def _given_mask(region: Region, height: int, width: int, label_image: np.ndarray | None) -> np.ndarray:
    source = label_image if region.form == 'labels' else region.mask
    if source.shape != (height, width):
        field = 'label image' if region.form == 'labels' else 'region.mask'
        raise invalid(field, f'{source.shape[1]}x{source.shape[0]} px', f'the size of the picture, {width}x{height} px')
    if region.form != 'mask':
        return _label_mask(source, region.labels)
    mask = source != 0
    if not mask.any():
        raise EmptyRegion(complaint('region.mask', 'all zero', 'at least one pixel that is not 0'))
    return mask


def _drawn(region: Region, height: int, width: int) -> np.ndarray:
    """A polygon or a scribble."""
    if region.form == 'polygon':
        try:
            mask = fill(_in_pixels(region, region.polygon, height, width), height, width)
        except TooTangled as error:
            raise invalid(region.field, f'{len(region.polygon)} corners', 'an outline with fewer: in the picture of '
                          f'{width}x{height} px {error}') from error
    else:
        scale_x, scale_y = _scale(region, height, width)
        width_px = (region.scribble_width_px or STROKE_PX) * math.sqrt(scale_x * scale_y)
        most_px = max(MOST_STROKE_PX, max(height, width) / 3)   # by ref_size it may be as wide as a house
        if width_px > most_px:
            raise invalid('region.scribble_width_px', region.scribble_width_px, f'at most {most_px:.0f} px in the '
                          f'picture of {width}x{height} px, where it is {width_px:.0f}')
        mask = stroke(_in_pixels(region, region.scribble, height, width), width_px, height, width)
    if not mask.any():
        corners = getattr(region, region.form)
        spread = f'x {corners[:, 0].min():g} to {corners[:, 0].max():g}, y {corners[:, 1].min():g} to ' \
                 f'{corners[:, 1].max():g}'
        raise _outside(region, spread, 'a line or area that meets', height, width)
    return mask


def _seen_points(region: Region, height: int, width: int) -> tuple[tuple, tuple]:
    """(inside, outside), each of (x, y) that lie in the picture. Raises EmptyRegion where none is inside."""
    points = _in_pixels(region, region.points, height, width)
    labels = np.array(region.point_labels if len(region.point_labels) else [1] * len(points))
    seen = ((points > -0.5) & (points < (width - 0.5, height - 0.5))).all(axis=1)
    near = np.clip(points, 0, (width - 1, height - 1))
    inside, outside = (tuple((float(x), float(y)) for x, y in near[seen & (labels == one)]) for one in (1, 0))
    if not inside:
        raise _outside(region, region.points[labels == 1].tolist(), 'at least one point inside of the thing that lies '
                       'in', height, width)
    return inside, outside


def _in_pixels(region: Region, points: np.ndarray, height: int, width: int) -> np.ndarray:
    """Points are at the centres of pixels: a picture twice as wide has its first centre at half a pixel."""
    scale = np.array(_scale(region, height, width))
    return (points + 0.5) * scale - 0.5


def _scale(region: Region, height: int, width: int) -> tuple[float, float]:
    if region.ref_size == (0, 0):
        return 1.0, 1.0
    return width / region.ref_size[0], height / region.ref_size[1]


def _outside(region: Region, value: object, allowed: str, height: int, width: int) -> EmptyRegion:
    return EmptyRegion(complaint(region.field, value, f'{allowed} the picture of {width}x{height} px'))


def _edges(low: float, high: float, size: int) -> tuple[int, int]:
    first, last = math.floor(low + 0.5), math.floor(high + 0.5)
    if first == last:
        first, last = math.floor(low), math.floor(low) + 1
    return min(max(first, 0), size), min(max(last, 0), size)


def _label_mask(label_image: np.ndarray, labels: tuple[int, ...]) -> np.ndarray:
    mask = _with_labels(label_image, labels)
    if not mask.any():
        present = np.unique(label_image)
        shown = ', '.join(str(int(one)) for one in present[:20]) + (', ...' if len(present) > 20 else '')
        raise UnknownLabel(complaint('region.labels', list(labels), f'values of the label image: {shown}'))
    return mask


def _with_labels(label_image: np.ndarray, labels: Sequence[int]) -> np.ndarray:
    return label_image == labels[0] if len(labels) == 1 else np.isin(label_image, labels)
