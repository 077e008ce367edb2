"""Where on a picture something may lie: every place on a coarse grid is tried at once. It does not know what is drawn.

The grid rounds to the safe side: a place that is free on the grid is free in every pixel.
"""
from __future__ import annotations

from functools import reduce

import cv2
import numpy as np

Box = tuple[int, int, int, int]   # left, top, width, height in px
_FAR = 1e9
_BEYOND = 2   # cells: what begins in the picture's last place may reach so far over the grid's edge


class Grid:
    """Cells of `cell_px` px over a picture. Maps over it are float32 (rows, columns) or bool.

    A place is the upper left cell of something that is `rows` x `columns` cells large; maps of places have one value
    for each place from which it does not leave the picture.
    """

    def __init__(self, height: int, width: int, cell_px: int):
        self.height, self.width, self.cell_px = height, width, cell_px
        self.shape = -(-height // cell_px), -(-width // cell_px)

    def cells(self, mask: np.ndarray, box: Box) -> np.ndarray:
        """bool map: the cells in which any pixel of a bool (H, W) mask is set.

        Args:
            box: all set pixels are in it.
        """
        found, cell = np.zeros(self.shape, bool), self.cell_px
        column, row = box[0] // cell, box[1] // cell
        part = coarse(mask[row * cell:box[1] + box[3], column * cell:box[0] + box[2]], cell)
        found[row:row + part.shape[0], column:column + part.shape[1]] = part
        return found

    def size(self, height_px: float, width_px: float) -> tuple[int, int]:
        """(rows, columns) that something takes; to be moved by whole cells."""
        return int(np.ceil(height_px / self.cell_px)), int(np.ceil(width_px / self.cell_px))

    def places(self, height_px: float, width_px: float) -> tuple[int, int]:
        """How many places there are, (down, across); 0 where it does not fit."""
        return (max(0, int((self.height - height_px) // self.cell_px) + 1),
                max(0, int((self.width - width_px) // self.cell_px) + 1))

    def total(self, weights: np.ndarray) -> np.ndarray:
        """Of a map, what `covered` takes: sums from the upper left corner on."""
        around = cv2.copyMakeBorder(weights.astype(np.float32), 0, _BEYOND, 0, _BEYOND, cv2.BORDER_CONSTANT, value=0)
        return cv2.integral(around)

    def covered(self, total: np.ndarray, height_px: float, width_px: float) -> np.ndarray:
        """Map of places: the sum of a map below something of this size."""
        (rows, columns), (down, across) = self.size(height_px, width_px), self.places(height_px, width_px)
        return (total[rows:rows + down, columns:columns + across] - total[:down, columns:columns + across]
                - total[rows:rows + down, :across] + total[:down, :across])

    def nearest(self, distance: np.ndarray, height_px: float, width_px: float) -> np.ndarray:
        """Map of places: the least of a float32 map below something of this size."""
        down, across = self.places(height_px, width_px)
        return cv2.erode(distance, np.ones(self.size(height_px, width_px), np.uint8), anchor=(0, 0))[:down, :across]

    def distance(self, cells: np.ndarray) -> np.ndarray:
        """float32 map: how far, in px, each cell is from the next one that is set; from none, far."""
        if not cells.any():
            return np.full(self.shape, _FAR, np.float32)
        return cv2.distanceTransform((~cells).astype(np.uint8), cv2.DIST_L2, 5) * self.cell_px

    def centres(self, height_px: float, width_px: float) -> tuple[np.ndarray, np.ndarray]:
        """(y, x) in px of the middle of something of this size at each place, as (down, 1) and (1, across)."""
        down, across = self.places(height_px, width_px)
        return ((np.arange(down) * self.cell_px + height_px / 2)[:, None],
                (np.arange(across) * self.cell_px + width_px / 2)[None])

    def at(self, values: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Map of places: what a map says where `centres` are."""
        return values[(y[:, 0] // self.cell_px).astype(int)][:, (x[0] // self.cell_px).astype(int)]

    def take(self, cells: np.ndarray, left: float, top: float, width: float, height: float) -> None:
        """Sets the cells of a bool map that a rectangle in px reaches into."""
        cell = self.cell_px
        cells[max(0, int(top // cell)):int(np.ceil((top + height) / cell)),
              max(0, int(left // cell)):int(np.ceil((left + width) / cell))] = True


def coarse(mask: np.ndarray, cell_px: int) -> np.ndarray:
    """bool (rows, columns): the cells of cell_px x cell_px px in which any pixel of a bool (H, W) mask is set."""
    height, width = mask.shape
    rows, columns = -(-height // cell_px), -(-width // cell_px)
    whole = cv2.copyMakeBorder(mask.view(np.uint8), 0, rows * cell_px - height, 0, columns * cell_px - width,
                               cv2.BORDER_CONSTANT, value=0)
    stripes = reduce(np.bitwise_or, (whole[at::cell_px] for at in range(cell_px)))   # 20 x as fast as cell by cell
    return reduce(np.bitwise_or, (stripes[:, at::cell_px] for at in range(cell_px))).view(bool)
