"""How a camera has rotated, from where things were and are in its pictures. No ROS, no pixels' brightness, no lens.

Points are told on the plane at distance 1 before the camera, x right and y down in the world.
"""
from __future__ import annotations

from dataclasses import dataclass
import math

import cv2
import numpy as np

_TOLERANCE_PX, _TOLERANCE = 0.7, 0.15    # by which points may part from what the others say, and as a share of the way
_ROUNDS = 4        # until the points that agree are found
_LEAST_POINTS = 4  # give eight numbers for the four that are looked for
_AHEAD = 0.1       # of a ray's length: beyond 84 degrees to the side there is no such plane


class Aim:
    """Where the pixels of small pictures look.

    Args:
        rays: (h, w, 3) in the picture's own axes: x right, y down, z forward; NaN where nothing is seen.
        up: which edge of the pictures is up in the world, see `turning`.

    Attributes:
        px: how long the pixel in the middle is on the plane at distance 1.
    """

    def __init__(self, rays: np.ndarray, up: str = 'top'):
        right, down, forward = np.moveaxis(np.asarray(rays, np.float64), -1, 0)
        x, y = {'top': (right, down), 'right': (down, -right), 'bottom': (-right, -down), 'left': (-down, right)}[up]
        ahead = np.where(forward > _AHEAD, forward, np.nan)
        self._plane = np.float32(x / ahead), np.float32(y / ahead)
        height, width = forward.shape
        row = self._plane[0][height // 2] if up in ('top', 'bottom') else self._plane[1][height // 2]
        self.px = float(abs(row[width // 2] - row[max(0, width // 2 - 1)])) or 1.0 / width

    def plane(self, points: np.ndarray) -> np.ndarray:
        """(N, 2) on the plane, of points (N, 2) in px; NaN unknown."""
        at = points[:, 0].copy(), points[:, 1].copy()
        return np.column_stack([cv2.remap(one, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).ravel()
                                for one in self._plane]).astype(np.float64)


def assumed_rays(height: int, width: int, fov_rad: float) -> np.ndarray:
    """(h, w, 3) of a lens without distortion whose pictures are so wide."""
    focal = width / 2 / math.tan(fov_rad / 2)
    y, x = np.mgrid[0:height, 0:width]
    return np.dstack([(x - (width - 1) / 2) / focal, (y - (height - 1) / 2) / focal, np.ones((height, width))])


@dataclass(frozen=True, eq=False)
class Motion:
    """How the camera moved, and which points say so, bool (N,)."""

    left_rad: float
    agree: np.ndarray


def agreeing(known: np.ndarray, now: np.ndarray, moved: np.ndarray, px: float) -> Motion:
    """The rotation, and the change of size, that most points agree on which moved by about as much.

    Args:
        known, now: (N, 2) where points were and are.
        moved: (2,) on that plane.
        px: of that plane, how long one is in the middle.
    """
    turn, grown = np.array([-moved[1], moved[0], 0.0]), 0.0
    gate = (px * _TOLERANCE_PX + _TOLERANCE * np.linalg.norm(now - known, axis=1)) ** 2
    agree = np.zeros(len(known), bool)
    for _ in range(_ROUNDS):
        predicted = _seen(known, turn, grown)
        left, before = now - predicted, agree
        agree = (left ** 2).sum(axis=1) < gate
        if agree.sum() < _LEAST_POINTS or np.array_equal(agree, before):
            break
        flow = _flow(predicted[agree]).reshape(-1, 4)
        step = np.linalg.lstsq(flow.T @ flow, flow.T @ left[agree].ravel(), rcond=None)[0]
        turn, grown = turn + step[:3], grown + step[3]
    return Motion(float(turn[1]), agree)


def _seen(points: np.ndarray, turn: np.ndarray, grown: float) -> np.ndarray:
    """Points (N, 2), once what is seen has been rotated by that vector and has grown."""
    x, y, z = cv2.Rodrigues(turn)[0] @ np.vstack([points.T, np.ones(len(points))])
    return np.column_stack([x / z, y / z]) * (1 + grown)


def _flow(points: np.ndarray) -> np.ndarray:
    """(N, 2, 4): how points move per rad around x, y and z, and per growth (Longuet-Higgins and Prazdny, 1980)."""
    x, y = points.T
    return np.stack([np.column_stack([-x * y, 1 + x * x, -y, x]), np.column_stack([-1 - y * y, x * y, x, y])], 1)
