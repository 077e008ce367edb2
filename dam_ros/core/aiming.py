"""In which direction a region is, and how far, in the camera's own axes. It knows nothing of frames and words.

The direction is that of the middle of the thing: with depth of the surface it shows, else of its pixels. Where the
middle of its pixels is not on the region, as in a frame or between two things, the direction is that of the region's
pixel nearest to it: whoever goes there shall meet it.
"""
from __future__ import annotations

from dataclasses import dataclass
import math

import cv2
import numpy as np

from dam_ros.core.distance import depths_at, median, one_surface, without_edge
from dam_ros.core.errors import complaint
from dam_ros.core.lens import Lens, Unplaceable

_SAMPLES = 1024       # pixels of a region whose directions are worked out
_GOLDEN = (math.sqrt(5) - 1) / 2
_ENOUGH = 0.50        # share of these that need a direction; else the lens shows nothing where the region lies
_NEARLY_ALL = 0.95    # share that needs a depth that means a distance; the rest alone would have another middle
_AROUND = 25          # as many pixels next to the one that is pointed at say how far it is
_LEAST_COSINE = math.cos(math.radians(80))   # beyond, depth along the axis says next to nothing about a distance


@dataclass(frozen=True)
class Aim:
    """Where a region is seen.

    Attributes:
        ray: (3,) of length 1, in the axes of `Lens.rays`.
        distance_m: straight line, NaN unknown.
        why: why it is unknown although there is a depth, else ''.
    """

    ray: np.ndarray
    distance_m: float = math.nan
    why: str = ''


def aim_at(mask: np.ndarray, lens: Lens, depth: np.ndarray | None = None) -> Aim:
    """The direction and distance of a region; the arguments are those of `core.placing.place`.

    Raises:
        Unplaceable: the picture has another size than the camera info, or the lens shows nothing there.
    """
    if (lens.height, lens.width) != mask.shape:
        raise Unplaceable(complaint('camera_info: the size', f'{lens.width}x{lens.height} px',
                                    f'{mask.shape[1]}x{mask.shape[0]} px as the picture'))
    why = ''
    if depth is not None:
        try:
            return _surface(mask, lens, depth)
        except Unplaceable as unknown:
            why = str(unknown)
    middle = middle_of(mask)
    return Aim(_middle_ray(_some(mask) if _meets(mask, middle) else _nearest(mask, middle), lens), why=why)


def middle_of(mask: np.ndarray) -> np.ndarray:
    """(x, y) px of the middle of a region, bool (H, W) with at least one pixel; (0, 0) is that of the first pixel."""
    pixels = np.ascontiguousarray(mask).view(np.uint8)   # cv2.moments takes ten times as long
    counts = [cv2.reduce(pixels, axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel() for axis in (0, 1)]
    return np.array([one @ np.arange(len(one)) for one in counts]) / counts[0].sum()


def _some(mask: np.ndarray) -> np.ndarray:
    """At most _SAMPLES pixels of a mask, (N, 2), evenly spread; every n-th of a row would make a pattern."""
    chosen = np.flatnonzero(mask)
    if len(chosen) > _SAMPLES:
        chosen = chosen[(np.arange(_SAMPLES) * _GOLDEN % 1 * len(chosen)).astype(int)]
    return np.stack([chosen % mask.shape[1], chosen // mask.shape[1]], axis=1)


def _nearest(mask: np.ndarray, point: np.ndarray) -> np.ndarray:
    """The pixel of a mask that is nearest to a point, (1, 2)."""
    pixels = np.argwhere(mask)[:, ::-1]
    return pixels[[np.argmin(((pixels - point) ** 2).sum(axis=1))]]


def _meets(mask: np.ndarray, point: np.ndarray) -> bool:
    """A pixel of the mask is at the point or next to it."""
    x, y = np.rint(point).astype(int)
    return bool(mask[max(0, y - 1):y + 2, max(0, x - 1):x + 2].any())


def _middle_ray(pixels: np.ndarray, lens: Lens) -> np.ndarray:
    """The direction of the middle of pixels (N, 2) whose distance is not known.

    A picture stretches what is beside its axis, so the middle of the pixels is not that of the thing. For a ball each
    pixel would count by the area it covers of all directions, for a plate before the camera by that it covers of the
    plate, which is larger by cosine^-4. Half way, either is off by half of r^2 tan(angle to the axis) at most, r being
    the thing's angular radius.
    """
    rays, areas = lens.rays_and_areas(pixels)
    usable = _usable(areas)
    rays, areas = rays[usable], areas[usable]
    total = (areas / np.maximum(rays[:, 2], 0.5) ** 2) @ rays   # beyond 60 degrees nobody sees a plate
    return _unit(total)


def _usable(areas: np.ndarray) -> np.ndarray:
    """Which pixels have a direction, bool (N,)."""
    usable = np.isfinite(areas)
    if np.count_nonzero(usable) < _ENOUGH * len(areas):
        raise Unplaceable('camera_info: by its distortion the lens shows nothing where the region is; calibrate it up '
                          'to the borders of the picture')
    return usable


def _surface(mask: np.ndarray, lens: Lens, depth: np.ndarray) -> Aim:
    """The middle of the surface that a region shows, from the pixels that are not at its edge.

    Every point counts by the area it stands for. That is as area of direction * distance^3 for anything flat, however
    it is turned, and even all around for a ball. What a gap parts from the median is something else: background that
    the mask took in, or a thing in front. Holes are taken to be as far as the median, so that a dark half does not
    move the middle.

    Raises:
        Unplaceable: as in `core.distance`.
    """
    pixels = _some(without_edge(mask))
    depths = depths_at(pixels, mask.shape, depth)
    rays, areas = lens.rays_and_areas(pixels)
    seen = _usable(areas)
    usable = seen & (rays[:, 2] > _LEAST_COSINE)
    if np.count_nonzero(usable) < _NEARLY_ALL * np.count_nonzero(seen):
        raise Unplaceable('depth: the region reaches 80 degrees beside the optical axis, where a depth along it is no '
                          'distance')
    rays, areas, depths = rays[usable], areas[usable], depths[usable]
    # Depth as a camera would see it that looks at the thing. That along the axis varies all over what lies beside it.
    aside = rays @ _unit(rays.sum(axis=0))
    depths = depths / rays[:, 2] * aside
    typical = median(depths)
    depths = np.where(np.isfinite(depths), depths, typical)
    same = one_surface(depths, typical)
    rays, areas, reach = rays[same], areas[same], (depths / aside)[same]
    weights = areas * (reach / typical) ** 3
    ray = _unit((weights * reach / typical) @ rays)
    if not _meets(mask, pixels[usable][same].mean(axis=0)):
        chosen = np.argsort(-(rays @ ray))[:_AROUND]
        ray, rays, reach, weights = rays[chosen[0]], rays[chosen], reach[chosen], weights[chosen]
    return Aim(ray, _weighted_median(reach * (rays @ ray), weights))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(below, below[-1] / 2)])
