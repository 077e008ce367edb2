"""Where a pixel looks: the numbers of a CameraInfo, and the directions of the pixels of its pictures.

Meaning and names are those of sensor_msgs/CameraInfo; binning and region of interest change them as in
image_geometry, which ROS's own tools use. It does not know ROS: it takes the fields of the message one by one.

Three decisions where the message leaves room:

* header.frame_id is the frame of the rectified picture. P is given in it, and image_geometry and depth_image_proc
  take it so. The direction of a pixel as it was captured (K, D) is therefore turned by R, which only stereo cameras
  have.
* The fourth column of P (Tx, Ty) says where the second camera of a pair stands beside the first. It is left out: the
  frame's origin is the optical centre of the camera itself, by the comment on the message's header.
* roi.do_rectify is not asked for: the rectified pictures of image_proc show the same window as the captured ones.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from dam_ros.core.errors import complaint

_RECTIFIED_WORDS = {'rect', 'rectified'}
_TRANSPORTS = {'compressed', 'compressedDepth', 'ffmpeg', 'raw', 'theora', 'zstd'}   # what image_transport appends

# sensor_msgs/distortion_models.hpp; 'fisheye' is what OpenCV calls the third. How many coefficients each can have:
# OpenCV's own lists, all in the same order (k1 k2 p1 p2 k3 k4 k5 k6 s1..s4 tx ty), so a longer one means the same.
_POLYNOMIAL = (0, 4, 5, 8, 12, 14)
_MODELS = {'plumb_bob': _POLYNOMIAL, 'rational_polynomial': _POLYNOMIAL, 'equidistant': (4,), 'fisheye': (4,),
           '': (0,), 'none': (0,)}
_FISHEYE = ('equidistant', 'fisheye')

_FOUND = 1e-4       # of the focal length, a twentieth of a pixel: as near has a point to be when distorted again
_ROUNDS = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 200, 1e-7)   # OpenCV's own 5 leave whole degrees
_TURN = 1e-2        # how far R may be from a rotation; calibrations are written with few digits
_STEPS = 2048       # of the table by which fisheye angles are found, before they are made exact
_WIDEST = 10.0      # radius on the plane z = 1, 84 degrees: polynomials are not fitted to more


class Unplaceable(Exception):
    """Something about a place that cannot be known, in words for the operator. No request fails of it."""


@dataclass(frozen=True)
class Lens:
    """How the pixels of one picture relate to directions.

    Attributes:
        width, height: px of the picture it is for, binned and cut out as the camera does it.
        focal: (fx, fy) px.
        centre: (cx, cy) px; (0, 0) is the middle of the first pixel.
        coefficients: of the distortion, () none.
        fisheye: they are those of the equidistant model.
        turn: rows of the rotation (3, 3) from the picture's own axes to those of the frame.
    """

    width: int
    height: int
    focal: tuple[float, float]
    centre: tuple[float, float]
    coefficients: tuple[float, ...] = ()
    fisheye: bool = False
    turn: tuple[tuple[float, ...], ...] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))

    @classmethod
    def from_info(cls, width: int, height: int, distortion_model: str, d: Sequence[float], k: Sequence[float],
                  r: Sequence[float], p: Sequence[float], binning: tuple[int, int] = (0, 0),
                  roi: tuple[int, int, int, int] = (0, 0, 0, 0), rectified: bool = False) -> Lens:
        """Out of the fields of `sensor_msgs/CameraInfo`.

        Args:
            binning: binning_x, binning_y; 0 is 1.
            roi: x_offset, y_offset, width, height, px of the full resolution; a width or height of 0 is all of it.
            rectified: the picture is rectified (P), not as it was captured (K and D); see `is_rectified`.

        Raises:
            Unplaceable: it is not calibrated, has numbers that no camera can have or a model that we do not know.
        """
        _check_info(width, height, d, k, r, p)
        bins = max(1, binning[0]), max(1, binning[1])
        size = (roi[2] or width) // bins[0], (roi[3] or height) // bins[1]
        matrix, row = (p, 4) if rectified else (k, 3)
        focal = matrix[0] / bins[0], matrix[row + 1] / bins[1]
        centre = (matrix[2] - roi[0]) / bins[0], (matrix[row + 2] - roi[1]) / bins[1]
        if min(focal) <= 0 or min(size) <= 0:
            raise _refused(f'the focal length of {"p" if rectified else "k"}', focal, 'above 0 px')
        if rectified:
            return cls(*size, focal, centre)
        coefficients = _coefficients(distortion_model, d)
        return cls(*size, focal, centre, coefficients, distortion_model in _FISHEYE, _rotation(r))

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """Where pixels look, in the picture's own axes: x right, y down, z forward.

        Args:
            pixels: (N, 2), x and y in px; they may lie between pixels.

        Returns:
            float64 (N, 3) of length 1; NaN where the model says that no light can arrive. z is <= 0 where a fisheye
            looks sideways or back.
        """
        plane = (np.asarray(pixels, np.float64) - self.centre) / self.focal
        if self.fisheye:
            return _fisheye_rays(plane, self.coefficients)
        if any(self.coefficients):
            plane = _undistorted(plane, np.array(self.coefficients))
        rays = np.column_stack([plane, np.ones(len(plane))])
        return rays / np.linalg.norm(rays, axis=1, keepdims=True)

    def rays_and_areas(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`rays`, and how much of the sphere of directions each pixel covers, float64 (N,) sr."""
        pixels = np.asarray(pixels, np.float64)
        rays, right, below = self.rays(np.concatenate([pixels, pixels + (1, 0), pixels + (0, 1)])).reshape(3, -1, 3)
        return rays, np.linalg.norm(np.cross(right - rays, below - rays), axis=1)

    def in_frame(self, vectors: np.ndarray) -> np.ndarray:
        """The same vectors (..., 3) in the axes of header.frame_id."""
        return np.asarray(vectors) @ np.array(self.turn).T


def is_rectified(setting: str, topic: str) -> bool:
    """Whether the pictures of a topic are rectified: what the setting says, with 'auto' what the topic's name says.

    By the convention of image_pipeline (and the first lines of CameraInfo.msg) these are image_rect, image_rect_color
    and the like, also as image_rect/compressed, and newer drivers write rect/image. The coefficients say nothing: a
    picture without distortion is the same by K and by P, and for the equidistant model all zeros is a real fisheye.

    Args:
        setting: image_is_rectified, one of describe_settings.RECTIFIED.
        topic: its name after remapping.
    """
    if setting != 'auto':
        return setting == 'yes'
    *folders, name = ['', *(part.lower() for part in topic.split('/') if part not in _TRANSPORTS)]
    words = {*name.split('_'), *folders[-1:]}
    return not words.isdisjoint(_RECTIFIED_WORDS)


def _check_info(width: int, height: int, d: Sequence[float], k: Sequence[float], r: Sequence[float],
                p: Sequence[float]) -> None:
    if width <= 0 or height <= 0:
        raise _refused('the size', f'{width}x{height} px', 'at least 1x1 px')
    for name, numbers, count in (('k', k, 9), ('r', r, 9), ('p', p, 12), ('d', d, len(d))):
        if len(numbers) != count or not np.isfinite(numbers).all():
            raise _refused(name, list(numbers), f'{count} finite numbers')
    if k[0] == 0:   # CameraInfo.msg: that means so
        raise _refused('k[0]', 0, 'a focal length above 0 px', 'The camera is not calibrated')


def _coefficients(model: str, d: Sequence[float]) -> tuple[float, ...]:
    counts = _MODELS.get(model)
    if counts is None:
        raise _refused('distortion_model', model, ', '.join(name for name in _MODELS if name))
    if len(d) not in counts and (counts != (0,) or any(d)):
        raise _refused(f'd of {model or "no model"}', list(d), ' or '.join(map(str, counts)) + ' numbers')
    return tuple(float(one) for one in d)


def _rotation(r: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    turn = np.array(r, np.float64).reshape(3, 3)
    if not turn.any():   # left out, as drivers of single cameras do
        return Lens.turn
    if np.abs(turn @ turn.T - np.eye(3)).max() > _TURN or np.linalg.det(turn) < 0:
        raise _refused('r', list(r), 'a rotation')
    return tuple(tuple(float(one) for one in row) for row in turn)


def _refused(field: str, value: object, allowed: str, remedy: str = '') -> Unplaceable:
    if isinstance(value, (list, tuple)):
        value = type(value)(float(one) for one in value)   # numpy's numbers would be shown with their type
    return Unplaceable(complaint(f'camera_info: {field}', value, allowed, remedy))


def _undistorted(plane: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """(N, 2) on the plane z = 1 without distortion; NaN where no point of that plane is seen there."""
    found = cv2.undistortPointsIter(plane[:, None], np.eye(3), coefficients, None, None, _ROUNDS)[:, 0]
    # Beyond its turning point a polynomial has no inverse, and what the search ends with is no answer.
    again = cv2.projectPoints(np.column_stack([found, np.ones(len(found))]), np.zeros(3), np.zeros(3), np.eye(3),
                              coefficients)[0][:, 0]
    wrong = ~(np.abs(again - plane).max(axis=1) < _FOUND)
    wrong |= np.linalg.norm(found, axis=1) > _turning_point(coefficients)   # a root of the branch beyond it
    return np.where(wrong[:, None], np.nan, found)


def _turning_point(coefficients: np.ndarray) -> float:
    """The radius on the plane z = 1 from which on the polynomial falls: there no light comes from. inf = nowhere."""
    k1, k2, _, _, k3, k4, k5, k6 = np.resize(np.r_[coefficients[:8], np.zeros(8)], 16)[:8]
    radius = np.linspace(0.0, _WIDEST, _STEPS)
    square = radius ** 2
    below = 1 + square * (k4 + square * (k5 + square * k6))
    reach = radius * (1 + square * (k1 + square * (k2 + square * k3))) / np.where(below > 0, below, np.nan)
    falling = np.flatnonzero(~(np.diff(reach) > 0))
    return float(radius[falling[0]]) + radius[1] if len(falling) else np.inf


def _fisheye_rays(plane: np.ndarray, coefficients: tuple[float, ...]) -> np.ndarray:
    """The equidistant model r = t (1 + k1 t^2 + k2 t^4 + k3 t^6 + k4 t^8), t the angle to the axis, up to 180 degrees.

    OpenCV's own inverse ends at 90 degrees, as it returns points of the plane z = 1.
    """
    powers = np.array([1.0, *coefficients])
    radius = np.linalg.norm(plane, axis=1)
    angle = _fisheye_angle(radius, powers)
    sideways = plane * (np.sin(angle) / np.where(radius > 0, radius, 1.0))[:, None]
    return np.column_stack([sideways, np.cos(angle)])


def _fisheye_angle(radius: np.ndarray, powers: np.ndarray) -> np.ndarray:
    """rad, NaN where the radius is larger than the model reaches: at its turning point, at most 180 degrees."""
    def reach(angle: np.ndarray) -> np.ndarray:
        return angle * np.polyval(powers[::-1], angle ** 2)

    angles = np.linspace(0.0, np.pi, _STEPS)
    falling = np.flatnonzero(np.diff(reach(angles)) <= 0)
    angles = angles[:falling[0] + 1 if len(falling) else _STEPS]
    angle = np.interp(radius, reach(angles), angles)
    step = 1e-6
    for _ in range(2):   # Newton; the table is within a thousandth already
        slope = (reach(angle + step) - reach(angle - step)) / (2 * step)
        angle = angle - np.where(slope > 1e-3, (reach(angle) - radius) / np.maximum(slope, 1e-3), 0.0)
    return np.where(radius <= reach(angles)[-1], angle, np.nan)
