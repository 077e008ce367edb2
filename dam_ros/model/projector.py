"""The projector `mlp_downsample`: 2x2 patches become one token of the language model's width (dam-spec 7)."""
from __future__ import annotations

import torch
from torch import nn
import torch.nn.functional as F

from dam_ros.model.layers import Linear

_EPS = 1e-5   # not the tower's 1e-6


class Projector(nn.Module):
    """The tensors of mm_projector/, numbered as there: 1 norm, 2 linear, 3 exact GELU, 4 linear."""

    def __init__(self, grid: int, vision_hidden: int, hidden: int):
        super().__init__()
        self._grid = grid
        self.layers = nn.ModuleDict({
            '1': nn.LayerNorm(4 * vision_hidden, eps=_EPS),
            '2': Linear(4 * vision_hidden, hidden),
            '4': Linear(hidden, hidden),
        })

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(B, grid * grid, C) to (B, ceil(grid / 2) ** 2, D); tokens run down the columns."""
        x = features.unflatten(1, (self._grid, self._grid))              # (B, row, column, C)
        odd = self._grid % 2
        x = F.pad(x, (0, 0, 0, odd, 0, odd))                             # zeros at the right and the bottom
        x = x.unflatten(2, (-1, 2)).unflatten(1, (-1, 2))                # (B, row, y, column, x, C)
        x = x.permute(0, 3, 1, 2, 4, 5).flatten(3).flatten(1, 2)         # (B, column * row, y * x * C)
        return self.layers['4'](F.gelu(self.layers['2'](self.layers['1'](x))))
