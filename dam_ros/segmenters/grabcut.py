"""Cuts the thing out of a box with GrabCut (Rother et al. 2004, OpenCV); needs no weights."""
from __future__ import annotations

import cv2
import numpy as np

from dam_ros.core.errors import SegmenterFailed, complaint

_SIDE_PX = 320      # longest side it works at: more costs time and finds no better border
_AROUND = 0.5       # how much of the box's size is looked at around it, as background
_ROUNDS = 5         # iterations, as OpenCV's own example
_LEAST = 0.02       # of the box: less is noise and no thing


def create() -> GrabCut:
    return GrabCut()


class GrabCut:
    """See `core.segmenting.Segmenter`."""

    name = 'grabcut'

    def cut_out(self, image: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
        height, width = image.shape[:2]
        left, top, right, bottom = _around(box, width, height)
        scale = min(1.0, _SIDE_PX / max(right - left, bottom - top))
        size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
        small = cv2.resize(image[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
        inner = [(box[0] - left) * scale, (box[1] - top) * scale, (box[2] - left) * scale, (box[3] - top) * scale]
        found = _cut(small, *(int(round(edge)) for edge in inner))
        mask = np.zeros((height, width), bool)
        mask[top:bottom, left:right] = cv2.resize(found, (right - left, bottom - top),
                                                  interpolation=cv2.INTER_LINEAR) > 127
        inside = mask[box[1]:box[3], box[0]:box[2]].copy()
        mask[:] = False
        mask[box[1]:box[3], box[0]:box[2]] = inside
        if inside.mean() < _LEAST:
            raise SegmenterFailed(complaint('region.box_xywh', list(box), 'a box around a thing that differs from what '
                                            'surrounds it', 'Set box_is_region to describe the box as it is'))
        return mask


def _around(box: tuple[int, int, int, int], width: int, height: int) -> tuple[int, int, int, int]:
    more_x = max(8, int((box[2] - box[0]) * _AROUND))
    more_y = max(8, int((box[3] - box[1]) * _AROUND))
    return max(0, box[0] - more_x), max(0, box[1] - more_y), min(width, box[2] + more_x), min(height, box[3] + more_y)


def _cut(small: np.ndarray, left: int, top: int, right: int, bottom: int) -> np.ndarray:
    """uint8 (h, w), 255 where the thing is."""
    height, width = small.shape[:2]
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    labels = np.full((height, width), cv2.GC_BGD, np.uint8)
    labels[top:bottom, left:right] = cv2.GC_PR_FGD
    if not (labels == cv2.GC_BGD).any():   # the box is the picture: nothing says what background looks like
        labels[0, :] = labels[-1, :] = labels[:, 0] = labels[:, -1] = cv2.GC_BGD
    if not (labels == cv2.GC_PR_FGD).any():
        return np.zeros((height, width), np.uint8)
    cv2.setRNGSeed(0)   # same picture, same mask
    models = np.zeros((1, 65)), np.zeros((1, 65))
    bgr = np.ascontiguousarray(small[:, :, ::-1])
    cv2.grabCut(bgr, labels, None, *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    return np.where((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD), np.uint8(255), np.uint8(0))
