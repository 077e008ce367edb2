"""Pictures as a server takes them: with the region as transparency, or outlined for a model without regions.

Encoded once, at the look: every further question sends the same bytes. It does not know the network.
"""
from __future__ import annotations

import base64
from dataclasses import dataclass

import cv2
import numpy as np

from dam_ros.core.clips import PICTURES as CLIP, spread
from dam_ros.core.describing import Subject
from dam_ros.core.errors import DescriberFailed
from dam_ros.core.focal import focal_box
from dam_ros.drawing.pages import outlined

_PLAIN_SIDE_PX = 1568   # more is scaled down by the usual models themselves
_CLOSE_UP_PX = 448      # a smaller close-up is enlarged: small pictures get few tokens
_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 95)


@dataclass(frozen=True)
class Encoded:
    """One file, as the text of a data URL has it."""

    kind: str       # 'image/png' or 'image/jpeg'
    base64: bytes


def with_transparency(subject: Subject, max_side_px: int = 0) -> tuple[Encoded, ...]:
    """RGBA PNGs, opaque inside the region; a clip as exactly 8 of them, the colours as they are everywhere.

    Args:
        max_side_px: larger pictures are made smaller, 0 = none.
    """
    pairs = subject.pictures
    made = [_rgba(*_at_most(image, mask, max_side_px)) for image, mask in pairs]
    chosen = spread(len(made), CLIP) if len(made) > 1 else [0]
    return tuple(made[index] for index in chosen)


def with_outline(subject: Subject, max_side_px: int = 0) -> tuple[Encoded, ...]:
    """JPEGs: each picture with its region outlined, then a close-up of the last one without the line."""
    side = max_side_px or _PLAIN_SIDE_PX
    made = [_jpeg(outlined(*_at_most(image, mask, side))) for image, mask in subject.pictures]
    return (*made, _jpeg(_close_up(subject.image, subject.mask, side)))


def _at_most(image: np.ndarray, mask: np.ndarray, side_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Both no larger than `side_px` (0 = as they are); a region never vanishes."""
    height, width = mask.shape
    if not side_px or max(height, width) <= side_px:
        return image, mask
    size = tuple(max(1, round(one * side_px / max(height, width))) for one in (width, height))
    part = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)   # of each pixel, 0..1
    small = part >= 0.5
    if not small.any():   # thinner than half a pixel: where most of it lies
        small = part >= part.max()
    return cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_AREA), small


def _close_up(image: np.ndarray, mask: np.ndarray, side_px: int) -> np.ndarray:
    left, top, right, bottom = focal_box(mask)
    part = np.ascontiguousarray(image[top:bottom, left:right])
    longest = max(part.shape[:2])
    wanted = min(max(longest, _CLOSE_UP_PX), side_px)
    if wanted == longest:
        return part
    size = tuple(max(1, round(one * wanted / longest)) for one in (part.shape[1], part.shape[0]))
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA if wanted < longest else cv2.INTER_CUBIC)


def _rgba(image: np.ndarray, mask: np.ndarray) -> Encoded:
    four = np.empty((*mask.shape, 4), np.uint8)   # OpenCV's order: blue, green, red, alpha
    four[..., :3] = image[..., ::-1]
    four[..., 3] = mask.astype(np.uint8) * 255
    return _file('.png', four, 'image/png')


def _jpeg(image: np.ndarray) -> Encoded:
    return _file('.jpg', np.ascontiguousarray(image[..., ::-1]), 'image/jpeg', _JPEG)


def _file(ending: str, pixels: np.ndarray, kind: str, how: tuple[int, ...] = ()) -> Encoded:
    good, data = cv2.imencode(ending, pixels, list(how))
    if not good:
        raise DescriberFailed(f'a picture of {pixels.shape[1]}x{pixels.shape[0]} px could not be encoded as {kind}')
    return Encoded(kind, base64.b64encode(data))
