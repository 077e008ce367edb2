"""Scenes of known geometry for the tests of places: surfaces as clouds of points, seen by lenses of every model.

Points go forward through the lens's own equations into the picture, so nothing here inverts a lens as the code under
test does. The nearest point of a pixel is its depth.
"""
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

EYE9 = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Camera:
    """What a CameraInfo would say of a picture as it was captured."""

    model: str
    d: tuple[float, ...]
    focal_px: float
    width: int = 640
    height: int = 480

    @property
    def centre(self) -> tuple[float, float]:
        return self.width / 2 + 6.5, self.height / 2 - 4.25   # never in the middle

    @property
    def k(self) -> tuple[float, ...]:
        return self.focal_px, 0.0, self.centre[0], 0.0, self.focal_px * 1.01, self.centre[1], 0.0, 0.0, 1.0

    def info(self) -> dict:
        """Arguments of `Lens.from_info`; P is that of another focal length, so that a mix-up shows."""
        x, y = self.centre
        p = (0.9 * self.focal_px, 0.0, x + 3, 0.0, 0.0, 0.9 * self.focal_px, y - 2, 0.0, 0.0, 0.0, 1.0, 0.0)
        return {'width': self.width, 'height': self.height, 'distortion_model': self.model, 'd': self.d, 'k': self.k,
                'r': EYE9, 'p': p}

    def project(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 3) m in the optical frame to pixels (N, 2), by the equations of the model."""
        if self.model == 'equidistant':
            across = np.linalg.norm(points[:, :2], axis=1)
            angle = np.arctan2(across, points[:, 2])
            radius = angle * (1 + sum(one * angle ** (2 * power) for power, one in enumerate(self.d, 1)))
            plane = points[:, :2] * (radius / np.maximum(across, 1e-12))[:, None]
            return plane * (self.k[0], self.k[4]) + self.centre
        matrix = np.array(self.k).reshape(3, 3)
        return cv2.projectPoints(points, np.zeros(3), np.zeros(3), matrix, np.array(self.d))[0][:, 0]


CAMERAS = {
    'pinhole': Camera('plumb_bob', (0.0, 0.0, 0.0, 0.0, 0.0), 525.0),
    'plumb_bob': Camera('plumb_bob', (-0.30, 0.11, 0.0008, -0.0011, -0.015), 420.0),
    'rational': Camera('rational_polynomial', (0.45, -2.5, 0.0005, -0.0003, 1.5, 0.33, -2.3, 1.4), 607.0),
    'wide rational': Camera('rational_polynomial', (6.2, 3.1, 0.0002, -0.0001, 0.15, 6.6, 4.6, 0.8), 360.0),
    'thin prism': Camera('rational_polynomial',
                         (0.1, -0.2, 0.001, 0.001, 0.05, 0.02, 0.01, 0.0, 0.002, -0.001, 0.003, 0.001), 480.0),
    'fisheye': Camera('equidistant', (-0.02, 0.004, -0.003, 0.0005), 200.0),
}


def ball(centre: np.ndarray, radius_m: float) -> np.ndarray:
    """Its visible points, evenly spread over the cap that a camera at the origin sees."""
    away = np.asarray(centre, np.float64) / np.linalg.norm(centre)
    side, other = _across(away)
    count = np.arange(60_000)
    around = count * 2.399963   # golden angle
    toward = 1 - (count + 0.5) / len(count) * (1 - radius_m / np.linalg.norm(centre))
    out = np.sqrt(1 - toward ** 2)
    points = np.outer(np.cos(around) * out, side) + np.outer(np.sin(around) * out, other) - np.outer(toward, away)
    return centre + radius_m * points


def plate(centre: np.ndarray, width_m: float, height_m: float, turned: float = 0.0) -> np.ndarray:
    """A flat thing that faces the camera's plane, turned about its upright axis (rad)."""
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, 300) * width_m, np.linspace(-0.5, 0.5, 300) * height_m)
    return centre + np.stack([x * np.cos(turned), y, x * np.sin(turned)], axis=-1).reshape(-1, 3)


def pole(centre: np.ndarray, radius_m: float, height_m: float) -> np.ndarray:
    """The near half of an upright cylinder."""
    angle, y = np.meshgrid(np.linspace(-np.pi / 2, np.pi / 2, 100), np.linspace(-0.5, 0.5, 600) * height_m)
    facing = np.arctan2(centre[0], centre[2])
    x, z = -np.sin(facing + angle) * radius_m, -np.cos(facing + angle) * radius_m
    return centre + np.stack([x, y, z], axis=-1).reshape(-1, 3)


def seen(camera: Camera, points: np.ndarray, behind_m: float = 8.0) -> tuple[np.ndarray, np.ndarray]:
    """What the camera sees of a thing before a wall.

    Returns:
        The thing's mask, bool (H, W), and the depth along the optical axis, float32 (H, W) m.
    """
    pixels = np.rint(camera.project(points)).astype(int)
    inside = ((pixels >= 0) & (pixels < (camera.width, camera.height))).all(axis=1)
    (x, y), z = pixels[inside].T, points[inside, 2]
    depth = np.full((camera.height, camera.width), np.inf)
    np.minimum.at(depth, (y, x), z)
    mask = cv2.morphologyEx(np.isfinite(depth).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) != 0
    depth[mask & np.isinf(depth)] = np.nan   # between the points: a hole, as cameras have them
    depth[~mask] = behind_m
    return mask, depth.astype(np.float32)


def _across(direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    side = np.cross(direction, (0.0, 1.0, 0.0))
    side /= np.linalg.norm(side)
    return side, np.cross(direction, side)
