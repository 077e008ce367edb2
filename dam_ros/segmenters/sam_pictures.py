"""Pictures and prompts as SAM and SAM 2 take them, and their masks back at the picture's size.

Prepared as by transformers' processors, whose results it is compared with; those need torchvision, which a robot would
have for nothing else.
"""
from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from dam_ros.core.segmenting import Prompt

_POINTS = 16       # at most, of a stroke
_LOOKED_AT = 4096  # pixels of a stroke that are thought of


class Layout:
    """How a picture lies in the square that the network sees.

    SAM keeps its proportions and pads below or right of it; SAM 2 stretches it.

    Attributes:
        side_px: of the square.
        used: (height, width) of the picture in it, px.
    """

    def __init__(self, kind: str, side_px: int, height: int, width: int):
        self.side_px, self._size, self._stretched = side_px, (height, width), kind == 'SAM 2'
        scale = side_px / max(height, width)
        self.used = (side_px, side_px) if self._stretched else (
            max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5)))

    def pixels(self, image: np.ndarray, mean: Sequence[float], std: Sequence[float]) -> torch.Tensor:
        """float32 (1, 3, side, side) of RGB uint8 (H, W, 3)."""
        # torch warns about arrays that cannot be written to, and takes no negative strides.
        planes = torch.from_numpy(np.require(image, np.uint8, ['C', 'W'])).permute(2, 0, 1)[None]   # (1, C, H, W)
        small = F.interpolate(planes, self.used, mode='bilinear', align_corners=False, antialias=True)
        normal = (small.float() / 255 - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
        return F.pad(normal, (0, self.side_px - self.used[1], 0, self.side_px - self.used[0]))

    def prompt(self, prompt: Prompt) -> dict[str, torch.Tensor]:
        """`input_boxes` (1, 1, 4), `input_points` (1, 1, N, 2) with `input_labels` (1, 1, N), as far as there are."""
        scale = torch.tensor([self.used[1] / self._size[1], self.used[0] / self._size[0]])
        inside = [*prompt.inside, *(spread(prompt.stroke) if prompt.stroke is not None else ())]
        given = {}
        if prompt.box is not None:
            given['input_boxes'] = (torch.tensor(prompt.box, dtype=torch.float32).view(2, 2) * scale).view(1, 1, 4)
        if inside or prompt.outside:
            points = torch.tensor([*inside, *prompt.outside], dtype=torch.float32) * scale
            given['input_points'] = points[None, None]
            given['input_labels'] = torch.tensor([1] * len(inside) + [0] * len(prompt.outside))[None, None]
        return given

    def mask(self, logits: torch.Tensor) -> np.ndarray:
        """bool (H, W) of logits (h, w) of the square."""
        logits = logits[None, None].float()
        if not self._stretched:
            logits = F.interpolate(logits, (self.side_px, self.side_px), mode='bilinear', align_corners=False)
            logits = logits[..., :self.used[0], :self.used[1]]
        return (F.interpolate(logits, self._size, mode='bilinear', align_corners=False)[0, 0] > 0).cpu().numpy()


def spread(stroke: np.ndarray) -> list[tuple[float, float]]:
    """Points (x, y) all over a stroke: the one deepest in it, then again and again the one farthest from all others.

    Args:
        stroke: bool (H, W), at least one pixel.
    """
    depth = cv2.distanceTransform(np.pad(stroke, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    rows, columns = np.nonzero(stroke)
    every = -(-len(rows) // _LOOKED_AT)
    deepest = int(depth[rows, columns].argmax())
    width = depth[rows[deepest], columns[deepest]]
    places = np.stack([columns, rows], 1)
    chosen = [places[deepest]]
    places = places[::every].astype(np.float64)
    away = np.full(len(places), np.inf)
    while len(chosen) < _POINTS:
        away = np.minimum(away, np.hypot(*(places - chosen[-1]).T))
        # In the middle of the stroke rather than on its border: what is drawn by hand runs over.
        worth = away + depth[places[:, 1].astype(int), places[:, 0].astype(int)]
        best = int(worth.argmax())
        if away[best] <= 2 * width:
            break
        chosen.append(places[best])
    return [(float(x), float(y)) for x, y in chosen]
