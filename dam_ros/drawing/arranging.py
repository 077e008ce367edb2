"""Numbers and captions find their places beside the regions of one picture. It paints nothing."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from dam_ros.drawing.captions import Caption, Form, forms, SHARE_OVER, short_forms
from dam_ros.drawing.free_places import Box, Grid
from dam_ros.drawing.marks import Mark

_MARGIN = 0.35         # letters that are kept free around a caption and a number
# What speaks against a place, in letters of distance from the region that would be as bad:
_NEVER = 1e7           # lying on another caption or number
_COVERING = 1e3        # lying on the region
_MORE = 1e5            # lying on all of the region
_SHORT = 100.0         # leaving out something of the text
_ON_ANOTHER = 5.0      # lying with all of it on another region
_HIDING = 100.0        # hiding all of another region
_WITHIN = 6.0          # lying with all of it within the region's box: in a hole, between parts
_BELOW = 1.0           # below the region rather than above
_OFF_CENTRE = 0.08     # per letter between the middles of caption and region; one that covers it keeps away
_TOO_SMALL = 12.0      # a number that hides all of its region


@dataclass(frozen=True, eq=False)
class _Ground:
    """What one caption looks at.

    Attributes:
        middle: (x, y) in px, of the region's box.
        away: map, px to the region.
        own, hiding: totals: how much of the region, and how bad, a cell covers.
        bad: total, in the mean of the cells that a caption covers.
        taken: total, cells that are taken.
    """

    middle: tuple[float, float]
    away: np.ndarray
    own: np.ndarray
    hiding: np.ndarray
    bad: np.ndarray
    taken: np.ndarray


class Places:
    """The places on one picture that are still free. Whoever asks first is served first."""

    def __init__(self, height: int, width: int, letter_px: float, masks: list[np.ndarray], boxes: list[Box]):
        self._grid = Grid(height, width, max(1, round(letter_px / 2)))
        self._letter_px, self._margin = letter_px, _MARGIN * letter_px
        self._masks, self._boxes = masks, boxes
        self._regions = [self._grid.cells(mask, box) for mask, box in zip(masks, boxes)]
        self._taken = np.zeros(self._grid.shape, bool)
        shares = [one / one.sum() for one in self._regions]   # of its region: small ones must not be hidden
        self._others = [sum(shares[:at] + shares[at + 1:], np.zeros(self._grid.shape)) for at in range(len(masks))]

    def badge(self, at: int, radius_px: float) -> tuple[float, float] | None:
        """(x, y) of the centre of a disc on the region's edge, or beside a region that it would hide.

        None where the picture is too small for it.
        """
        side, grid = 2 * (radius_px + self._margin), self._grid
        if 0 in grid.places(side, side):
            return None
        y, x = grid.centres(side, side)
        edge = grid.distance(self._regions[at]) + grid.distance(~self._regions[at])
        own, others = self._regions[at], self._others[at]
        hidden = grid.covered(grid.total(own), side, side) / own.sum()
        left, top, width, height = self._boxes[at]
        cost = (grid.at(edge, y, x) / self._letter_px + _TOO_SMALL * hidden + np.maximum(y - top, 0) / (height + side)
                + 0.2 * np.abs(x - left - width / 2) / (width + side)
                + grid.covered(grid.total(others), side, side) * _HIDING
                + (grid.covered(grid.total(self._taken), side, side) > 0) * _NEVER)
        row, column = np.unravel_index(cost.argmin(), cost.shape)
        grid.take(self._taken, x[0, column] - side / 2, y[row, 0] - side / 2, side, side)
        return float(x[0, column]), float(y[row, 0])

    def caption(self, at: int, mark: Mark, captions: int) -> Caption | None:
        """The best form of a caption at its best place; None for a mark without words, or where no place is left.

        Shortened where that is what it takes not to cover the region; small where it must cover it.

        Args:
            captions: how many share the picture.
        """
        margin, grid = self._margin, self._grid
        fitting = grid.width - 2 * margin, grid.height - 2 * margin, captions
        ground = self._ground(at)
        caption, cost = self._best(ground, forms(mark, self._letter_px, *fitting))
        if cost >= _COVERING:
            other, other_cost = self._best(ground, short_forms(mark, self._letter_px, *fitting[:2]))
            if other_cost >= _COVERING:
                other, _ = self._best(ground, forms(mark, self._letter_px, *fitting, share=SHARE_OVER))
            caption = other or caption
        if caption is None:
            return None
        left, top, width, height = caption.box
        grid.take(self._taken, left - margin, top - margin, width + 2 * margin, height + 2 * margin)
        return replace(caption, covers=any(caption.lies_on(mask) for mask in self._masks))

    def _best(self, ground: _Ground, candidates: Iterable[Form]) -> tuple[Caption | None, float]:
        """(caption, what speaks against it)."""
        best, least, margin = None, _NEVER, self._margin
        for rank, form in enumerate(candidates):
            cost = self._cost(ground, form.height + 2 * margin, form.width + 2 * margin)
            row, column = np.unravel_index(cost.argmin(), cost.shape)
            worth = float(cost[row, column]) + rank + (0 if form.complete else _SHORT)   # the first reads best
            if worth < least:
                left, top = (one * self._grid.cell_px + margin for one in (int(column), int(row)))
                best, least = Caption(form, left, top), worth
        return best, least

    def _ground(self, at: int) -> _Ground:
        grid, others = self._grid, self._others[at]
        left, top, width, height = self._boxes[at]
        within = np.zeros(grid.shape, bool)
        grid.take(within, left, top, width, height)
        return _Ground((left + width / 2, top + height / 2), grid.distance(self._regions[at]),
                       grid.total(self._regions[at] / self._regions[at].sum()), grid.total(others * _HIDING),
                       grid.total((others > 0) * _ON_ANOTHER + within * _WITHIN), grid.total(self._taken))

    def _cost(self, ground: _Ground, height_px: float, width_px: float) -> np.ndarray:
        """Map of places: what speaks against something of this size there, see the numbers above."""
        def covered(total: np.ndarray) -> np.ndarray:
            return self._grid.covered(total, height_px, width_px)

        (rows, columns), (y, x) = self._grid.size(height_px, width_px), self._grid.centres(height_px, width_px)
        own = covered(ground.own)
        own[own < 1e-9] = 0   # what rounding leaves
        off_centre = np.hypot(y - ground.middle[1], x - ground.middle[0]) * np.where(own, -_OFF_CENTRE, _OFF_CENTRE)
        away = self._grid.nearest(ground.away, height_px, width_px)
        return ((away + off_centre) / self._letter_px + (y > ground.middle[1]) * _BELOW
                + (own > 0) * _COVERING + own * _MORE + covered(ground.hiding) + covered(ground.bad) / (rows * columns)
                + (covered(ground.taken) > 0) * _NEVER)
