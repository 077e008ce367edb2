"""Where a region is: direction, distance and position, in the camera's optical frame or moved into another.

Nothing is invented. What cannot be known is NaN, and `Place.why` says why. It does not know ROS: a transform comes as
numbers, and whether it is the one of the picture's stamp is the caller's business.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
import math

import numpy as np

from dam_ros.core import place_words
from dam_ros.core.aiming import aim_at, middle_of
from dam_ros.core.errors import complaint
from dam_ros.core.lens import Lens, Unplaceable
from dam_ros.core.shape import place_of

_OPTICAL = ('_optical_frame', '_optical')   # REP-103: suffix of frames with z forward, x right, y down
_COARSE_PX = 128         # rows or columns that are enough to say 'upper left'
_SAME_POINT_M = 0.001   # nearer origins are one
_UNKNOWN = (math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Place:
    """Where a region is, as the fields of msg/Description.msg say it.

    Attributes:
        bearing_rad: -pi..pi, left positive, NaN unknown.
        elevation_rad: -pi/2..pi/2, up positive, NaN unknown.
        distance_m: >= 0 m, straight line to the near surface, NaN unknown.
        position: (x, y, z) m, NaN unknown.
        in_picture: where in the picture its middle is, one of `core.shape.PLACES`; '' unknown.
        why: one line for each thing that could not be known although there was something to know it by.
    """

    bearing_rad: float = math.nan
    elevation_rad: float = math.nan
    distance_m: float = math.nan
    position: tuple[float, float, float] = _UNKNOWN
    in_picture: str = ''
    why: tuple[str, ...] = ()

    @property
    def clock_hour(self) -> int:
        """1..12, 12 = ahead, 3 = right; 0 unknown."""
        return clock_hour(self.bearing_rad)

    @property
    def words(self) -> str:
        """The same for a person: "2 o'clock, one and a half metres"; '' unknown."""
        return place_words.where(self.clock_hour, self.distance_m, self.in_picture)


def place(mask: np.ndarray, lens: Lens | None = None, depth: np.ndarray | None = None) -> Place:
    """Where a region is in the camera's optical frame (the picture's header.frame_id).

    `core.aiming` says what the direction and the distance of a region are.

    Args:
        mask: bool (H, W), at least one pixel set.
        lens: of this picture; None: no camera info, so only the place in the picture is known. A depth alone is not
            the straight line.
        depth: m along the optical axis, see `core.distance.metres`; None: there is none.
    """
    found = Place(in_picture=in_picture(mask))
    if lens is None:
        return found
    try:
        aim = aim_at(mask, lens, depth)
    except Unplaceable as unknown:
        return replace(found, why=(str(unknown),))
    direction = lens.in_frame(aim.ray)
    bearing, elevation = _angles(direction, optical=True)
    return replace(found, bearing_rad=bearing, elevation_rad=elevation, distance_m=aim.distance_m,
                   position=_triple(direction * aim.distance_m), why=(aim.why,) if aim.why else ())


def moved(here: Place, rotation: np.ndarray, translation: np.ndarray, optical: bool) -> Place:
    """A place of the camera's optical frame, said from the origin and in the axes of another frame.

    Without a distance only what holds for every distance stays known: from a point beside, above or below the camera
    a near thing lies elsewhere than a far one. So a camera right above the origin keeps the bearing, and any other
    offset nothing.

    Args:
        rotation, translation: (3, 3) and (3,) m, p in the other frame = rotation p + translation.
        optical: the other frame is an optical one too, see `is_optical`.
    """
    offset = np.asarray(translation, np.float64)
    if not math.isnan(here.distance_m):
        position = np.asarray(rotation) @ here.position + offset
        bearing, elevation = _angles(position, optical)
        return replace(here, bearing_rad=bearing, elevation_rad=elevation, position=_triple(position),
                       distance_m=float(np.linalg.norm(position)))
    bearing, elevation = _angles(np.asarray(rotation) @ _optical_ray(here), optical)
    forward, left, up = _body(offset, optical)
    if math.hypot(forward, left) > _SAME_POINT_M:
        bearing = math.nan
    if math.hypot(forward, left, up) > _SAME_POINT_M:
        elevation = math.nan
    return replace(here, bearing_rad=bearing, elevation_rad=elevation)


def in_picture(mask: np.ndarray) -> str:
    """Where in the picture the middle of a region is, one of `core.shape.PLACES`; bool (H, W), at least one pixel."""
    step = max(1, min(mask.shape) // _COARSE_PX)   # of every request, so it shall cost next to nothing
    coarse = mask[::step, ::step]
    mask = coarse if coarse.any() else mask
    x, y = (middle_of(mask) + 0.5) / mask.shape[::-1]
    return place_of(x, y)


def rotation_of(x: float, y: float, z: float, w: float) -> np.ndarray:
    """The rotation (3, 3) of a quaternion as transforms have it; it need not be of length 1.

    Raises:
        Unplaceable: it is none, all zero or not finite.
    """
    length = math.sqrt(x * x + y * y + z * z + w * w)
    if not 0 < length < math.inf:
        raise Unplaceable(complaint('transform.rotation', [x, y, z, w], 'a quaternion of length 1'))
    x, y, z, w = x / length, y / length, z / length, w / length
    return np.array([[1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                     [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                     [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]])


def is_optical(frame_id: str) -> bool:
    """Whether a frame has the axes of a camera (z forward), which its name says by REP-103."""
    return frame_id.endswith(_OPTICAL)


def clock_hour(bearing_rad: float) -> int:
    """The nearest hour, 1..12: 12 is ahead, 3 right; 0 for NaN."""
    if math.isnan(bearing_rad):
        return 0
    return math.floor(0.5 - bearing_rad / math.radians(30)) % 12 or 12


def _angles(vector: np.ndarray, optical: bool) -> tuple[float, float]:
    """(bearing, elevation) in rad of a vector (3,); NaN of NaN."""
    forward, left, up = _body(vector, optical)
    return math.atan2(left, forward), math.atan2(up, math.hypot(forward, left))


def _body(vector: np.ndarray, optical: bool) -> tuple[float, float, float]:
    """Forward, left, up (REP-103)."""
    x, y, z = _triple(vector)
    return (z, -x, -y) if optical else (x, y, z)


def _optical_ray(here: Place) -> np.ndarray:
    level = math.cos(here.elevation_rad)
    return np.array([-math.sin(here.bearing_rad) * level, -math.sin(here.elevation_rad),
                     math.cos(here.bearing_rad) * level])


def _triple(vector: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(one) for one in vector)
    return x, y, z
