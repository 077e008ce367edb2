"""From a picture and its mask to the eight channels that the tower sees, to the byte as the reference makes them.

Pillow's antialiased filters decide the bytes, so it is Pillow that resizes. It knows no network.
"""
from __future__ import annotations

import numpy as np
from PIL import Image
import torch

from dam_ros.core.focal import focal_box
from dam_ros.model.config import Pictures

CHANNELS = 8   # R, G, B and mask of the full picture, then of the focal crop


def channels(image: np.ndarray, mask: np.ndarray, config: Pictures) -> np.ndarray:
    """The picture and its focal crop, each with its mask, as squares.

    Args:
        image: RGB uint8 (H, W, 3).
        mask: bool (H, W), at least one pixel set.

    Returns:
        uint8 (8, side, side).
    """
    grey = mask.astype(np.uint8) * 255
    left, top, right, bottom = focal_box(mask)
    squares = np.empty((CHANNELS, config.side_px, config.side_px), np.uint8)
    for first, box in ((0, None), (4, (left, top, right, bottom))):
        squares[first:first + 3] = _square(image, box, config).transpose(2, 0, 1)
        squares[first + 3] = _square(grey, box, config)
    return squares


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
        of_channel = [0, 1, 2, 0, 0, 1, 2, 0]   # a mask is scaled like red
        self._table = torch.from_numpy(table[of_channel].reshape(-1)).to(device, dtype)   # (8 * 256,)
        self._first = (torch.arange(CHANNELS, device=device, dtype=torch.int32) * 256).view(CHANNELS, 1, 1)

    def __call__(self, squares: torch.Tensor) -> torch.Tensor:
        """uint8 (B, 8, side, side) to the same in the network's dtype."""
        return self._table[(squares.to(torch.int32) + self._first)]
