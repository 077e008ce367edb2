"""Guesses at the thing that was pointed at, on a small picture: what a box or points alone leave open is tried.

A box says how large the thing is, but not how much of the box it fills. A point says neither, so it is tried as the
middle of things of several sizes, and as the start of a walk that avoids borders.
"""
from __future__ import annotations

import cv2
import numpy as np

Box = tuple[int, int, int, int]
_ROUNDS = 1                                                     # of GrabCut; a second one finds no better things
_SLACK = 0.06                                                   # of a box's size: how exactly a box is drawn
_CORES = ((2, 0.0), (2, 0.35), (2, 0.6), (2, 0.8), (4, 0.5), (4, 0.75))   # exponent and size of what is surely thing
_RADII = (0.03, 0.045, 0.067, 0.1, 0.15, 0.225)                 # of the longest side
_SHARES = (0.007, 0.02, 0.03, 0.045, 0.065, 0.1, 0.14, 0.2, 0.28, 0.38, 0.5)   # of the picture
_STEP = 0.3        # what a step costs where nothing changes, in units of CIELAB per pixel
_SWEEPS = 3        # down and up; more change nothing that matters
_CRUMB, _PINHOLE = 0.15, 0.01   # of the largest part, of the mask: smaller ones are noise
_FEWEST = 5        # pixels of each side: GrabCut sorts them into five colours


def in_box(lab: np.ndarray, box: Box, inside: np.ndarray, outside: np.ndarray) -> list[np.ndarray]:
    """Things in a box, as bool (h, w) with at least one pixel.

    Args:
        lab: CIELAB, uint8 (h, w, 3).
        inside, outside: bool (h, w), pixels that surely belong to the thing, or do not.
    """
    left, top, right, bottom = box
    within = np.zeros(lab.shape[:2], bool)
    within[top:bottom, left:right] = True
    slack = max(1, round(_SLACK * max(right - left, bottom - top)))
    # Right outside of a box that was drawn a little too small there is thing, too, so that is no surely background.
    around = cv2.dilate(within.view(np.uint8), np.ones((2 * slack + 1, 2 * slack + 1), np.uint8)) > 0
    found = []
    for exponent, size, near in (*((*core, cv2.GC_PR_BGD) for core in _CORES), (2, 0.6, cv2.GC_BGD)):
        labels = np.full(within.shape, cv2.GC_BGD, np.uint8)
        labels[around] = near
        labels[within] = cv2.GC_PR_FGD
        if around.all():   # the box is the picture: nothing says what background looks like
            labels[0, :] = labels[-1, :] = labels[:, 0] = labels[:, -1] = cv2.GC_BGD
        labels[_oval(within.shape, box, exponent, size) & within] = cv2.GC_FGD if size else cv2.GC_PR_FGD
        labels[outside], labels[inside] = cv2.GC_BGD, cv2.GC_FGD
        one = cut(lab, labels, _ROUNDS)
        if one is not None:
            found.append(without_crumbs(one & within, inside))
    found += [_oval(within.shape, box, exponent, 1.0) & within & ~outside for exponent in (2, 4)]
    return [one for one in found if one.any()]


def _oval(shape: tuple[int, int], box: Box, exponent: float, size: float) -> np.ndarray:
    """bool (h, w): the superellipse in the middle of a box; `size` 1 fills it."""
    rows, columns = np.ogrid[:shape[0], :shape[1]]
    x = (columns - (box[0] + box[2] - 1) / 2) / max(0.5, size * (box[2] - box[0]) / 2)
    y = (rows - (box[1] + box[3] - 1) / 2) / max(0.5, size * (box[3] - box[1]) / 2)
    return np.abs(x) ** exponent + np.abs(y) ** exponent <= 1


def around_seeds(lab: np.ndarray, inside: np.ndarray, outside: np.ndarray) -> list[np.ndarray]:
    """Things that hold all pixels of `inside` and none of `outside`, as bool (h, w); arguments as of `in_box`."""
    to_inside, to_outside = _distance(inside), _distance(outside)
    ours = to_inside < to_outside
    found = []
    for radius in _RADII:
        radius *= max(inside.shape)
        labels = np.full(inside.shape, cv2.GC_PR_BGD, np.uint8)
        labels[to_inside > 4 * radius] = cv2.GC_BGD
        labels[(to_inside <= radius) & ours] = cv2.GC_PR_FGD
        labels[(to_inside <= max(1, radius / 2)) & ours] = cv2.GC_FGD
        labels[(to_outside <= max(1, radius / 2)) & ~ours] = cv2.GC_BGD
        labels[outside], labels[inside] = cv2.GC_BGD, cv2.GC_FGD
        one = cut(lab, labels, _ROUNDS)
        if one is not None:
            found.append(_holding(one, inside))
    return found + _walks(lab, inside, outside)


def _distance(seeds: np.ndarray) -> np.ndarray:
    """float32 (h, w): px to the next of them; very far where there are none."""
    if not seeds.any():
        return np.full(seeds.shape, np.float32(1e6))
    return cv2.distanceTransform((~seeds).view(np.uint8), cv2.DIST_L2, 5)


def _walks(lab: np.ndarray, inside: np.ndarray, outside: np.ndarray) -> list[np.ndarray]:
    """What is nearest to the seeds for somebody who avoids borders, up to several shares of the picture."""
    cost = slope(lab) + np.float32(_STEP)
    way = _geodesic(cost, inside)
    ours = way < _geodesic(cost, outside)
    order = np.sort(way, axis=None)
    walks = [(way <= order[int(share * (order.size - 1))]) & ours | inside for share in _SHARES]
    return [_holding(one, inside) for one in walks]


def slope(lab: np.ndarray) -> np.ndarray:
    """float32 (h, w): by how much the colour changes, in units of CIELAB per pixel."""
    smooth = cv2.GaussianBlur(lab, (0, 0), 1.0)
    x, y = (cv2.Sobel(smooth, cv2.CV_32F, *one, scale=1 / 8) for one in ((1, 0), (0, 1)))
    x[:, :, 0] *= 100 / 255   # in 8 bit OpenCV stretches lightness from 0..100
    y[:, :, 0] *= 100 / 255
    return np.sqrt((x * x + y * y).sum(2))


def _geodesic(cost: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """float64 (h, w): the least sum of costs on a way from a seed, very much where there are none."""
    way = np.where(seeds, 0.0, 1e6)
    along = np.cumsum(cost, 1, dtype=np.float64)
    between = (cost[1:] + cost[:-1]) / 2
    last = len(way) - 1
    for _ in range(_SWEEPS):
        for row in range(last + 1):
            above = np.minimum(way[row], way[row - 1] + between[row - 1]) if row else way[row]
            way[row] = _along(above, along[row])
        for row in range(last - 1, -1, -1):
            way[row] = _along(np.minimum(way[row], way[row + 1] + between[row]), along[row])
    return way


def _along(way: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """One row in which one may go both ways; `cost` is summed up from the left."""
    rightwards = np.minimum.accumulate(way - cost) + cost
    leftwards = np.minimum.accumulate((way + cost)[::-1])[::-1] - cost
    return np.minimum(rightwards, leftwards)


def cut(lab: np.ndarray, labels: np.ndarray, rounds: int) -> np.ndarray | None:
    """bool (h, w) of GrabCut; None where one side has too few pixels to learn its colours from."""
    things = np.count_nonzero(labels & 1)
    if min(things, labels.size - things) < _FEWEST:
        return None
    cv2.setRNGSeed(0)   # same picture, same mask
    cv2.grabCut(lab, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), rounds, cv2.GC_INIT_WITH_MASK)
    return (labels & 1) > 0


def _holding(mask: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """The connected parts that hold a seed."""
    _, parts = cv2.connectedComponents(mask.view(np.uint8))
    kept = np.zeros(parts.max() + 1, bool)
    kept[parts[seeds]] = True
    kept[0] = False
    return kept[parts]


def without_crumbs(mask: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """The large connected parts, and all that hold a seed."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8))
    areas = stats[:, cv2.CC_STAT_AREA]
    kept = areas >= _CRUMB * max(areas[1:], default=0)
    kept[parts[seeds]] = True
    kept[0] = False
    return kept[parts]


def without_pinholes(mask: np.ndarray) -> np.ndarray:
    """Small holes filled; a ring keeps its hole."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats((~mask).view(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < _PINHOLE * np.count_nonzero(mask)
    small[0] = False
    return mask | small[parts]
