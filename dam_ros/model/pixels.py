"""From a picture and its mask to the eight channels that the tower sees, to the byte as the reference makes them.

Pillow's antialiased filters decide the bytes: `resampling` makes the same ones where numba is, else it is Pillow that
resizes. It knows no network.
"""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
import hashlib

import numpy as np
from PIL import Image
import torch

from dam_ros.core.focal import focal_box_around
from dam_ros.core.masks import bounding_box
from dam_ros.model import resampling
from dam_ros.model.config import Pictures

CHANNELS = 8        # R, G, B and mask of the full picture, then of the focal crop
_BICUBIC = 3        # of Pillow
_MOST_THREADS = 8   # each makes some rows of every square; with more, most rows of the picture would be prepared twice


class Squares:
    """Makes the channels of regions; regions of one picture share its RGB. Not for several threads at once.

    Where numba is, the first call loads what it compiled, or compiles.
    """

    def __init__(self, config: Pictures):
        self._config = config
        self._pool: ThreadPoolExecutor | None = None
        self._last = b''   # a fingerprint, as the picture may lie in memory that has been written anew since
        self._full = np.empty((3, config.side_px, config.side_px), np.uint8)   # RGB of the last picture

    @cached_property
    def _compiled(self) -> bool:
        return self._config.resample == _BICUBIC and not self._config.padded and resampling.available()

    def __call__(self, image: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """The picture and its focal crop, each with its mask, as squares.

        Args:
            image: RGB uint8 (H, W, 3).
            mask: bool (H, W), at least one pixel set.

        Returns:
            uint8 (8, side, side).
        """
        image = np.ascontiguousarray(image)
        this = self._fingerprint(image)
        squares = np.empty((CHANNELS, self._config.side_px, self._config.side_px), np.uint8)
        make = self._compiled_squares if self._compiled else self._pillow_squares
        make(image, mask, squares, this == self._last)
        if this == self._last:
            squares[:3] = self._full
        else:
            self._last, self._full = this, squares[:3].copy()
        return squares

    def _fingerprint(self, image: np.ndarray) -> bytes:
        size = b'%d %d ' % image.shape[:2]
        return size + (resampling.fingerprint(image) if self._compiled else hashlib.blake2b(image).digest())

    def _compiled_squares(self, image: np.ndarray, mask: np.ndarray, squares: np.ndarray, known: bool) -> None:
        """Without the full picture's RGB where that is known."""
        height, width = mask.shape
        left, top, wide, high = bounding_box(mask)
        inside = np.ascontiguousarray(mask[top:top + high, left:left + wide] != np.False_)   # bytes of 0 and 1
        inside = inside.view(np.uint8)[..., None]
        region, full, crop = ((left, top, left + wide, top + high), (0, 0, width, height),
                              focal_box_around((left, top, wide, high), height, width))
        jobs = [(inside, region, full, 255, squares[3:4]), (image, full, crop, 1, squares[4:7]),
                (inside, region, crop, 255, squares[7:])] + [(image, full, full, 1, squares[:3])] * (not known)
        side, threads = self._config.side_px, min(torch.get_num_threads(), _MOST_THREADS)
        self._pool = self._pool or ThreadPoolExecutor(_MOST_THREADS, 'squares')
        others = [self._pool.submit(_rows, jobs, side * one // threads, side * (one + 1) // threads)
                  for one in range(1, threads)]
        _rows(jobs, 0, side // threads)
        for one in others:
            one.result()

    def _pillow_squares(self, image: np.ndarray, mask: np.ndarray, squares: np.ndarray, known: bool) -> None:
        grey = mask.astype(np.uint8) * 255
        focal = focal_box_around(bounding_box(mask), *mask.shape)
        for first, box in ((0, None), (4, focal)):
            if first or not known:
                squares[first:first + 3] = _square(image, box, self._config).transpose(2, 0, 1)
            squares[first + 3] = _square(grey, box, self._config)


def _rows(jobs: list[tuple], first: int, last: int) -> None:
    for pixels, window, box, gain, square in jobs:
        resampling.resize(pixels, window, box, gain, first, last, square)


def _square(pixels: np.ndarray, box: tuple[int, int, int, int] | None, config: Pictures) -> np.ndarray:
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    if box is not None:
        picture = picture.crop(box)
    if config.padded:
        picture = _padded(picture, config.mean)
    return np.asarray(_resized(picture, config.side_px, config.resample))


def _resized(picture: Image.Image, side: int, resample: int) -> Image.Image:
    """One direction after the other, in the order of Pillow 13, which the recorded cases were made with.

    Each pass rounds to bytes, so the order shows. Pillow before 13 always went along the rows first.
    """
    width, height = picture.size
    columns_first = height > side and 2 * (width - side) < height - side
    between = (width, side) if columns_first else (side, height)
    return picture.resize(between, resample).resize((side, side), resample)


def _padded(picture: Image.Image, mean: tuple[float, ...]) -> Image.Image:
    """In the middle of a square of the mean colour; a mask gets the same grey, which the reference does, too."""
    side = max(picture.size)
    colour = tuple(int(one * 255) for one in mean) if picture.mode == 'RGB' else int(mean[0] * 255)
    square = Image.new(picture.mode, (side, side), colour)
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return square


class Scale:
    """Bytes to the numbers the tower was trained with: -1..1 for a mean and deviation of 0.5."""

    def __init__(self, config: Pictures, device: torch.device, dtype: torch.dtype):
        rescaled = (np.arange(256) * config.rescale).astype(np.float32)   # in float64 first, as the reference does
        mean, std = np.array(config.mean, np.float32), np.array(config.std, np.float32)
        table = (rescaled[None] - mean[:, None]) / std[:, None]
        of_channel = [0, 1, 2, 0]   # a mask is scaled like red
        self._table = torch.from_numpy(table[of_channel].reshape(-1)).to(device, dtype)   # (4 * 256,)
        self._first = (torch.arange(4, device=device, dtype=torch.int32) * 256).view(4, 1, 1)

    def __call__(self, squares: torch.Tensor) -> torch.Tensor:
        """uint8 (B, 4, side, side), R, G, B and mask, to the same in the network's dtype."""
        return self._table[(squares.to(torch.int32) + self._first)]
