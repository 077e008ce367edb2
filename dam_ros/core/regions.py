"""Which part of a picture: the forms of `msg/Region.msg`, their checks, and the mask that comes of them.

One place checks them all; an error names the field, the value and the size of the picture. It knows neither
ROS nor a segmenter: where a region must be cut out first, `prompt` says from what.
"""
from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np

from dam_ros.core.errors import EmptyRegion, UnknownLabel, Unsupported, complaint, invalid

MAX_TAG = 64
_LATER = ('points', 'point_labels', 'scribble', 'scribble_width_px', 'polygon')


@dataclass(frozen=True)
class Region:
    """As in Region.msg; numbers in px of the picture, or of `ref_size` where that is set.

    Attributes:
        box_xywh: (left, top, width, height) or None.
        labels: values in the label image of the picture, or in `mask`; () = none.
        mask: (H, W), any non-zero = inside; with `labels` a label image. None = none.
        ref_size: (width, height) the numbers refer to, (0, 0) = the picture.
        box_is_region: the box as it is, instead of the thing cut out of it.
        tag: the caller's own name for it.
        other: names of forms that were filled in and do not work yet.
    """

    box_xywh: tuple[float, ...] | None = None
    labels: tuple[int, ...] = ()
    mask: np.ndarray | None = None
    ref_size: tuple[int, int] = (0, 0)
    box_is_region: bool = False
    tag: str = ''
    other: tuple[str, ...] = ()

    def __post_init__(self):
        """Raises InvalidRequest or Unsupported for what can be known without the picture."""
        if len(self.tag) > MAX_TAG:
            raise invalid('region.tag', self.tag, f'at most {MAX_TAG} characters')
        forms = [*(('box_xywh',) if self.box_xywh is not None else ()), *self.other]
        if self.mask is not None or self.labels:
            forms.append('mask' if self.mask is not None else 'labels')
        mains = [one for one in forms if one not in ('point_labels', 'scribble_width_px')]
        if len(mains) > 1:
            raise invalid('region', ' and '.join(mains), 'one form, or none for the whole picture',
                          'Send one request for each')
        if self.other:
            raise Unsupported(complaint(f'region.{self.other[0]}', 'set', 'box_xywh, labels or mask in this version',
                                        'Leave it empty and send one of these'))
        if self.box_xywh is not None:
            self._check_box()
        if (self.ref_size[0] == 0) != (self.ref_size[1] == 0):
            raise invalid('region.ref_width, ref_height', self.ref_size, 'both 0 or both set')
        if self.ref_size != (0, 0) and self.mask is not None:
            raise invalid('region.ref_width, ref_height', self.ref_size, '0 with mask',
                          'A mask has the size of the picture')

    def _check_box(self):
        box = self.box_xywh
        if len(box) != 4:
            raise invalid('region.box_xywh', list(box), 'no numbers, or 4: left, top, width, height')
        if not all(math.isfinite(number) for number in box):
            raise invalid('region.box_xywh', list(box), 'finite numbers')
        if box[2] <= 0 or box[3] <= 0:
            raise invalid('region.box_xywh', list(box), 'width and height above 0')

    @property
    def form(self) -> str:
        """'picture', 'box', 'labels' (of the picture's label image), 'mask' or 'mask labels'."""
        if self.box_xywh is not None:
            return 'box'
        if self.mask is not None:
            return 'mask labels' if self.labels else 'mask'
        return 'labels' if self.labels else 'picture'

    @property
    def needs_label_image(self) -> bool:
        return self.form == 'labels'

    @property
    def needs_segmenter(self) -> bool:
        return self.form == 'box' and not self.box_is_region

    @property
    def label(self) -> int:
        """The one label value it means, -1 where there is none or several."""
        return self.labels[0] if len(self.labels) == 1 else -1


def mask_of(region: Region, height: int, width: int, label_image: np.ndarray | None = None) -> np.ndarray:
    """The region as bool (H, W). For a box that a segmenter will refine it is the box.

    Args:
        label_image: int (H, W), needed where `region.needs_label_image`.

    Raises:
        InvalidRequest: a mask or label image of another size than the picture.
        UnknownLabel: no pixel has one of the labels.
        EmptyRegion: not one pixel inside the picture.
    """
    if region.form == 'picture':
        return np.ones((height, width), bool)
    if region.form == 'box':
        return _box_mask(region, height, width)
    source = label_image if region.form == 'labels' else region.mask
    if source.shape != (height, width):
        field = 'label image' if region.form == 'labels' else 'region.mask'
        raise invalid(field, f'{source.shape[1]}x{source.shape[0]} px', f'the size of the picture, {width}x{height} px')
    if region.form == 'mask':
        mask = source != 0
    else:
        mask = _label_mask(source, region.labels)
    if not mask.any():
        raise EmptyRegion(complaint('region.mask', 'all zero', 'at least one pixel that is not 0'))
    return mask


def pixel_box(region: Region, height: int, width: int) -> tuple[int, int, int, int]:
    """The box in whole pixels (left, top, right, bottom), half open, clipped to the picture.

    Edges are rounded to the nearest; a box thinner than a pixel keeps the pixel it lies in.

    Raises:
        EmptyRegion: it lies outside the picture.
    """
    scale_x = width / region.ref_size[0] if region.ref_size[0] else 1.0
    scale_y = height / region.ref_size[1] if region.ref_size[1] else 1.0
    left, top, box_width, box_height = region.box_xywh
    x0, x1 = _edges(left * scale_x, (left + box_width) * scale_x, width)
    y0, y1 = _edges(top * scale_y, (top + box_height) * scale_y, height)
    if x0 >= x1 or y0 >= y1:
        raise EmptyRegion(complaint('region.box_xywh', list(region.box_xywh),
                                    f'a box that meets the picture of {width}x{height} px'))
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


def occurs(region: Region, label_image: np.ndarray | None) -> bool:
    """A pixel of the label image (H, W) has one of the region's labels; always true without a label image."""
    return label_image is None or bool(_with_labels(label_image, region.labels).any())


def bounding_box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """(left, top, width, height) in px of the smallest box around a mask with at least one pixel."""
    rows = np.flatnonzero(mask.any(axis=1))
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(mask[top:bottom].any(axis=0))
    left = int(columns[0])
    return left, top, int(columns[-1]) + 1 - left, bottom - top


def _edges(low: float, high: float, size: int) -> tuple[int, int]:
    first, last = math.floor(low + 0.5), math.floor(high + 0.5)
    if first == last:
        first, last = math.floor(low), math.floor(low) + 1
    return min(max(first, 0), size), min(max(last, 0), size)


def _box_mask(region: Region, height: int, width: int) -> np.ndarray:
    left, top, right, bottom = pixel_box(region, height, width)
    mask = np.zeros((height, width), bool)
    mask[top:bottom, left:right] = True
    return mask


def _label_mask(label_image: np.ndarray, labels: tuple[int, ...]) -> np.ndarray:
    mask = _with_labels(label_image, labels)
    if not mask.any():
        present = np.unique(label_image)
        shown = ', '.join(str(int(one)) for one in present[:20]) + (', ...' if len(present) > 20 else '')
        raise UnknownLabel(complaint('region.labels', list(labels), f'values of the label image: {shown}'))
    return mask


def _with_labels(label_image: np.ndarray, labels: tuple[int, ...]) -> np.ndarray:
    return label_image == labels[0] if len(labels) == 1 else np.isin(label_image, labels)
