"""Which part of a picture: the forms of `msg/Region.msg` and every check on them that needs no picture.

What they are in pixels is in `region_masks`. It knows neither ROS nor a segmenter.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dam_ros.core.errors import invalid

MAX_TAG = 64
MOST_POINTS, MOST_CORNERS = 1024, 100_000
STROKE_PX = 5.0   # where scribble_width_px is 0
MOST_STROKE_PX = 200.0


@dataclass(frozen=True, eq=False)
class Region:
    """As in Region.msg; numbers in px of the picture, or of `ref_size` where that is set.

    What is None or () is not filled in. Coordinates are taken flat as in the message and kept as float64 (N, 2).

    Attributes:
        box_xywh: left, top, width, height.
        points: x0, y0, x1, y1, ...
        point_labels: 1 = inside, 0 = outside; () = all inside.
        scribble, polygon: as points.
        scribble_width_px: in px of the picture or of `ref_size`, 0 = STROKE_PX.
        labels: values in the label image of the picture, or in `mask`.
        mask: (H, W), any non-zero = inside; with `labels` a label image.
        ref_size: (width, height) the numbers refer to, (0, 0) = the picture.
        box_is_region: the box as it is, instead of the thing cut out of it.
        tag: the caller's own name for it.
    """

    box_xywh: Sequence[float] | None = None
    points: Sequence[float] | np.ndarray | None = None
    point_labels: Sequence[int] = ()
    scribble: Sequence[float] | np.ndarray | None = None
    scribble_width_px: float = 0.0
    polygon: Sequence[float] | np.ndarray | None = None
    labels: tuple[int, ...] = ()
    mask: np.ndarray | None = None
    ref_size: tuple[int, int] = (0, 0)
    box_is_region: bool = False
    tag: str = ''

    def __post_init__(self):
        """Raises InvalidRequest for what can be known without the picture."""
        if len(self.tag) > MAX_TAG:
            raise invalid('region.tag', self.tag, f'at most {MAX_TAG} characters')
        self._check_forms()
        if self.box_xywh is not None:
            object.__setattr__(self, 'box_xywh', _checked_box(self.box_xywh))
        for name, least, most, what in (('points', 1, MOST_POINTS, 'points'), ('scribble', 2, MOST_CORNERS, 'points'),
                                        ('polygon', 3, MOST_CORNERS, 'corners')):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _pairs(f'region.{name}', getattr(self, name), least, most, what))
        self._check_point_labels()
        width_px = self.scribble_width_px
        if width_px and not 1 <= width_px <= MOST_STROKE_PX:
            raise invalid('region.scribble_width_px', width_px, f'1 to {MOST_STROKE_PX:g} px, or 0 for {STROKE_PX:g}')
        self._check_ref_size()

    def _check_forms(self) -> None:
        forms = [one for one in ('box_xywh', 'points', 'scribble', 'polygon') if getattr(self, one) is not None]
        if self.mask is not None or self.labels:
            forms.append('mask' if self.mask is not None else 'labels')
        if len(forms) > 1:
            raise invalid('region', ' and '.join(forms), 'one form, or none for the whole picture',
                          'Send one request for each')

    def _check_point_labels(self) -> None:
        labels = self.point_labels
        if not len(labels):
            return
        if self.points is None:
            raise invalid('region.point_labels', list(labels), 'empty without points')
        if len(labels) != len(self.points):
            raise invalid('region.point_labels', f'{len(labels)} numbers', f'one for each of the {len(self.points)} '
                          'points, or none where all are inside')
        if not set(labels) <= {0, 1}:
            raise invalid('region.point_labels', list(labels), '1 inside, 0 outside')
        if 1 not in labels:
            raise invalid('region.point_labels', list(labels), 'at least one 1, a point inside')

    def _check_ref_size(self) -> None:
        if (self.ref_size[0] == 0) != (self.ref_size[1] == 0):
            raise invalid('region.ref_width, ref_height', self.ref_size, 'both 0 or both set')
        if self.ref_size != (0, 0) and self.mask is not None:
            raise invalid('region.ref_width, ref_height', self.ref_size, '0 with mask',
                          'A mask has the size of the picture')

    @property
    def form(self) -> str:
        """'picture', 'box', 'points', 'scribble', 'polygon', 'labels' (of the picture's label image), 'mask' or
        'mask labels'."""
        if self.box_xywh is not None:
            return 'box'
        for name in ('points', 'scribble', 'polygon'):
            if getattr(self, name) is not None:
                return name
        if self.mask is not None:
            return 'mask labels' if self.labels else 'mask'
        return 'labels' if self.labels else 'picture'

    @property
    def field(self) -> str:
        """The field of the message that its form lies in, for errors."""
        name = {'box': 'box_xywh', 'mask labels': 'mask', 'picture': ''}.get(self.form, self.form)
        return f'region.{name}' if name else 'region'

    @property
    def needs_label_image(self) -> bool:
        return self.form == 'labels'

    @property
    def needs_segmenter(self) -> bool:
        return self.form in ('points', 'scribble') or (self.form == 'box' and not self.box_is_region)

    @property
    def label(self) -> int:
        """The one label value it means, -1 where there is none or several."""
        return self.labels[0] if len(self.labels) == 1 else -1


def _checked_box(numbers: Sequence[float]) -> tuple[float, ...]:
    box = tuple(float(one) for one in numbers)
    if len(box) != 4:
        raise invalid('region.box_xywh', list(box), 'no numbers, or 4: left, top, width, height')
    if not np.isfinite(box).all():
        raise invalid('region.box_xywh', list(box), 'finite numbers')
    if box[2] <= 0 or box[3] <= 0:
        raise invalid('region.box_xywh', list(box), 'width and height above 0')
    return box


def _pairs(field: str, numbers: Sequence[float], least: int, most: int, what: str) -> np.ndarray:
    """float64 (N, 2). Raises InvalidRequest."""
    flat = np.asarray(numbers, np.float64).reshape(-1)
    if len(flat) % 2:
        raise invalid(field, f'{len(flat)} numbers', 'pairs x, y')
    if not least <= len(flat) // 2 <= most:
        raise invalid(field, f'{len(flat) // 2} {what}', f'{least} to {most} {what}')
    wrong = np.flatnonzero(~np.isfinite(flat))
    if len(wrong):
        raise invalid(f'{field}[{wrong[0]}]', float(flat[wrong[0]]), 'finite numbers')
    return flat.reshape(-1, 2)
