"""Rotary position embedding, "rotate half" (dam-spec 9), with the scalings that depend on the position only."""
from __future__ import annotations

import math

import torch

from dam_ros.model.config import Language, Rope


def frequencies(rope: Rope, head_dim: int) -> torch.Tensor:
    """float32 (head_dim / 2,), radians per position."""
    plain = 1.0 / (rope.theta ** (torch.arange(0, head_dim, 2, dtype=torch.int64).float() / head_dim))
    numbers = dict(rope.scaling)
    kind = numbers.pop('rope_type')
    return {'default': _plain, 'linear': _linear, 'llama3': _llama3}[kind](plain, **numbers)


def _plain(plain: torch.Tensor) -> torch.Tensor:
    return plain


def _linear(plain: torch.Tensor, factor: float) -> torch.Tensor:
    return plain / factor


def _llama3(plain: torch.Tensor, factor: float, low_freq_factor: float, high_freq_factor: float,
            original_max_position_embeddings: int) -> torch.Tensor:
    """Slow turns are slowed down by the factor, quick ones kept, those between blended (Llama 3.1)."""
    turns = original_max_position_embeddings * plain / (2 * math.pi)   # within the context it was trained for
    blend = ((turns - low_freq_factor) / (high_freq_factor - low_freq_factor)).clamp(0, 1)
    return (1 - blend) * plain / factor + blend * plain


class Rotation:
    """Turns queries and keys by their positions.

    Attributes:
        tables: cosines and sines, each (positions, D); other ones once a longer text is seen.
    """

    def __init__(self, config: Language, device: torch.device, dtype: torch.dtype):
        self._frequencies = frequencies(config.rope, config.head_dim).to(device)
        self._dtype = dtype
        self._grow(min(config.context, 4096))

    def _grow(self, positions: int) -> None:
        places = torch.arange(positions, device=self._frequencies.device, dtype=torch.float32)
        angles = torch.outer(places, self._frequencies)   # (positions, D / 2)
        angles = torch.cat((angles, angles), dim=-1)
        self.tables = angles.cos().to(self._dtype), angles.sin().to(self._dtype)

    def at(self, positions: torch.Tensor, furthest: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(cosines, sines), each (T, 1, D), of positions (T,) below `furthest`."""
        if furthest > len(self.tables[0]):
            self._grow(2 * furthest)
        cos, sin = self.tables
        return cos[positions].unsqueeze(1), sin[positions].unsqueeze(1)


def rotate(x: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """x (T, heads, D)."""
    cos, sin = turn
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin
