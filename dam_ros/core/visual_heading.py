"""How far a camera has turned to the left, seen from small grey pictures one after the other. No ROS, no lens.

Points all over the picture are followed (Lucas, Kanade 1981, in pyramids) from a key picture to the newest, there and
back. Of the camera's rotation and of how much everything has grown that is taken on which most points agree. Where
some points stay where they were, others moved: not the camera. Where those that moved lie side by side in a few strips
of the picture, they are one thing, and before a plain wall nothing else tells; so there, and where too few points can
be followed or agree, the track is lost: a new epoch begins, as nobody knows how far the camera turned meanwhile.

A key is kept as long as it is seen, so that a camera at rest does not drift. What it cannot know: how a camera that is
moved sideways past near things has turned (parallax), and turning from a thing that fills most of the picture.
"""
from __future__ import annotations

from dataclasses import dataclass
import math

import cv2
import numpy as np

from dam_ros.core.camera_motion import Aim, agreeing
from dam_ros.core.glance import resized

WIDTH_PX = 160
LONGEST_GAP_S = 1.0    # between two pictures; a person turns by half a circle in that time

_CELL_PX = 10          # each cell of the picture gives its best point, so that they lie everywhere
_LEAST_CORNER = 2e-4   # smaller eigenvalue of the gradients (cv2.cornerMinEigenVal) of a normalised picture
_LEAST_CELLS = 0.1     # as many of the cells need a point that can be followed,
_LEAST_POINTS = 8      # of tiny pictures, too
_LEAST_FOLLOWED = 0.3  # and of the points, else the picture is another one
_AGREE = 0.5           # of those that are followed must say the same
_STILL, _RIVAL = 0.3, 0.4    # of them, or of those that agree on a turn, staying where they were: then a thing moves
_UNMOVED_RAD = math.radians(0.3)
_STRIPS, _MOST_STRIPS = 8, 0.6   # of the picture, side by side: a turn is seen in most of them, a thing in a few
_LEAST_IN_STRIP = 2
_BACK_PX = 0.5         # as far from where it came may a point be when it is followed back
_KEY_REACH = 0.12      # of the width: farther from the key the next begins,
_KEY_SEEN = 0.6        # or where fewer of its points are seen
_CONTRAST, _MIDDLE = 40.0, 128.0   # to which pictures are normalised: exposure changes


@dataclass(frozen=True, eq=False)
class _Key:
    """A picture and its points.

    Attributes:
        pixels: normalised, uint8 (h, w).
        points: float32 (N, 1, 2).
        heading_rad: of the camera then.
    """

    pixels: np.ndarray
    points: np.ndarray
    heading_rad: float


class VisualHeading:
    """Of one camera.

    Args:
        epoch: the first; it should be another after a restart.

    Attributes:
        epoch: headings of one epoch can be compared.
        heading_rad: left positive, since the beginning of the epoch, also beyond a whole turn; NaN unknown.
        rate_rad_s: the same of how fast it turns.
    """

    def __init__(self, epoch: int):
        self.epoch, self.heading_rad, self.rate_rad_s = epoch, math.nan, math.nan
        self._key: _Key | None = None
        self._last: np.ndarray | None = None   # the newest picture, normalised
        self._last_s = math.nan
        self._moved = np.zeros(2, np.float32)  # px from the key to the newest picture
        self._speed = np.zeros(2, np.float32)  # px from the one before to the newest

    def saw(self, at_s: float, grey: np.ndarray, aim: Aim) -> None:
        """The next picture.

        Args:
            at_s: when it was taken, of any clock.
            grey: uint8 (H, W), a few hundred px wide at most.
            aim: for pictures of `size_of(grey)`.
        """
        pixels = _normalised(grey)
        gap_s = at_s - self._last_s
        goes_on = self._key is not None and 0 < gap_s <= LONGEST_GAP_S and pixels.shape == self._key.pixels.shape
        before = self.heading_rad if not math.isnan(self.heading_rad) else 0.0
        turned = self._follow(pixels, aim) if goes_on else None
        if turned is None:
            self.lose()
            self._begin(pixels, 0.0)
        else:
            self.heading_rad, self.rate_rad_s = turned, (turned - before) / gap_s
        self._last, self._last_s = pixels, at_s

    def lose(self) -> None:
        """What comes next cannot be compared with what was."""
        if not math.isnan(self.heading_rad):
            self.epoch = (self.epoch + 1) % 2 ** 32
        self.heading_rad = self.rate_rad_s = math.nan
        self._key = self._last = None
        self._moved, self._speed = np.zeros((2, 2), np.float32)

    def _begin(self, pixels: np.ndarray, heading_rad: float) -> None:
        self._key, self._moved = _Key(pixels, _points(pixels), heading_rad), np.zeros(2, np.float32)

    def _follow(self, pixels: np.ndarray, aim: Aim) -> float | None:
        """The heading, None = it cannot be told. From the key, and where that is not seen any more from the last."""
        found = _turn(self._key, pixels, self._moved + self._speed, aim)
        if found is None:
            if self._last is not self._key.pixels:
                known = self._key.heading_rad if math.isnan(self.heading_rad) else self.heading_rad
                self._begin(self._last, known)
            found = _turn(self._key, pixels, self._speed, aim)
            found = found or _turn(self._key, pixels, _shift(self._key.pixels, pixels), aim)
        if found is None:
            return None
        turned, moved, followed = found
        heading = self._key.heading_rad + turned
        self._speed, self._moved = moved - self._moved, moved
        if np.abs(moved).max() > _KEY_REACH * pixels.shape[1] or followed < _KEY_SEEN:
            self._begin(pixels, heading)
        return heading


def size_of(grey: np.ndarray) -> tuple[int, int]:
    """(h, w) in which a picture (H, W) is looked at."""
    width = min(WIDTH_PX, grey.shape[1])
    return max(1, round(grey.shape[0] * width / grey.shape[1])), width


def _normalised(grey: np.ndarray) -> np.ndarray:
    small = resized(grey, size_of(grey)[::-1])
    mean, spread = (float(one[0, 0]) for one in cv2.meanStdDev(small))
    scale = _CONTRAST / max(spread, 1.0)
    return cv2.convertScaleAbs(small, alpha=scale, beta=_MIDDLE - mean * scale)


def _points(pixels: np.ndarray) -> np.ndarray:
    """float32 (N, 1, 2): the best corner of each cell that has one."""
    height, width = (side // _CELL_PX * _CELL_PX for side in pixels.shape)
    corners = cv2.cornerMinEigenVal(pixels, 5)[:height, :width]
    cells = corners.reshape(height // _CELL_PX, _CELL_PX, width // _CELL_PX, _CELL_PX).swapaxes(1, 2)
    cells = cells.reshape(*cells.shape[:2], _CELL_PX ** 2)
    if not cells.size:   # hardly a picture
        return np.empty((0, 1, 2), np.float32)
    rows, columns = np.nonzero(cells.max(axis=2) > _LEAST_CORNER)
    y, x = divmod(cells[rows, columns].argmax(axis=1), _CELL_PX)
    return np.column_stack([columns * _CELL_PX + x, rows * _CELL_PX + y]).astype(np.float32)[:, None]


def _turn(key: _Key, pixels: np.ndarray, guess: np.ndarray, aim: Aim) -> tuple[float, np.ndarray, float] | None:
    """(rad to the left since the key, px that its points moved, share of them that were followed), None = unknown.

    Args:
        guess: px that they may have moved.
    """
    least = max(_LEAST_POINTS, _LEAST_CELLS * pixels.size / _CELL_PX ** 2)
    if len(key.points) < least:
        return None
    ends, good = _followed(key.pixels, pixels, key.points, guess)
    known, now = aim.plane(key.points[:, 0]), aim.plane(ends)
    good &= np.isfinite(known).all(axis=1) & np.isfinite(now).all(axis=1)
    if good.sum() < max(least, _LEAST_FOLLOWED * len(key.points)):
        return None
    starts, moves, known, now = key.points[good, 0], (ends - key.points[:, 0])[good], known[good], now[good]
    best, enough = agreeing(known, now, np.median(now - known, axis=0), aim.px), _AGREE
    if abs(best.left_rad) > _UNMOVED_RAD or best.agree.mean() < enough:
        still = agreeing(known, now, np.zeros(2), aim.px)
        if still.agree.mean() >= min(_STILL, _RIVAL * best.agree.mean()) and abs(still.left_rad) <= abs(best.left_rad):
            best, enough = still, 0.0   # a camera that turns leaves nothing where it was
    if not best.agree.any() or best.agree.mean() < enough:
        return None
    moved = np.median(moves[best.agree], axis=0).astype(np.float32)
    across, seen = starts[:, 0] / pixels.shape[1], 1 - min(1.0, abs(float(moved[0])) / pixels.shape[1])
    if abs(best.left_rad) > _UNMOVED_RAD and not _everywhere(across, best.agree, seen):
        return None
    return best.left_rad, moved, float(good.mean())


def _everywhere(across: np.ndarray, agree: np.ndarray, seen: float) -> bool:
    """Whether most strips of a picture say the same, and not only those in which one thing moves.

    Args:
        across: (N,) of the points, 0..1 from left to right.
        agree: bool (N,).
        seen: how much of the width both pictures show.
    """
    strips = (across * _STRIPS).astype(int)
    points, agreeing = (np.bincount(strips, weights, _STRIPS) for weights in (None, agree))
    return int(((agreeing >= _LEAST_IN_STRIP) & (2 * agreeing > points)).sum()) >= _MOST_STRIPS * _STRIPS * seen


def _followed(before: np.ndarray, after: np.ndarray, points: np.ndarray,
              guess: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(where the points are, which of them can be relied on)."""
    height, width = after.shape
    options = {'winSize': (13, 13), 'maxLevel': 3, 'flags': cv2.OPTFLOW_USE_INITIAL_FLOW}
    ends, found, _ = cv2.calcOpticalFlowPyrLK(before, after, points, points + guess, **options)
    back, returned, _ = cv2.calcOpticalFlowPyrLK(after, before, ends, ends - guess, **options)
    good = (found & returned).ravel().astype(bool) & (np.abs(back - points).max(axis=(1, 2)) < _BACK_PX)
    inside = (ends[:, 0] >= 0).all(axis=1) & (ends[:, 0] <= (width - 1, height - 1)).all(axis=1)
    return ends[:, 0], good & inside


def _shift(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """px by which most of a picture moved, however far: by phase correlation (Kuglin, Hines 1975)."""
    if min(before.shape) < 2:
        return np.zeros(2, np.float32)
    window = cv2.createHanningWindow(before.shape[::-1], cv2.CV_32F)
    shift, _ = cv2.phaseCorrelate(before.astype(np.float32), after.astype(np.float32), window)
    return np.array(shift, np.float32)
