"""One more token for each of several texts: which way is the fastest on a device.

A step of decoding reads every weight once for a few rows of numbers, so what surrounds the reading decides how long
it takes: on a GPU the launches (`graphs`), on a CPU torch's products of a matrix with one vector (`compiled`). Each
way gives the numbers of `LanguageModel.forward`.
"""
from __future__ import annotations

from collections.abc import Sequence
import sys
from typing import Protocol

import torch

from dam_ros.model.config import Language
from dam_ros.model.language import Cache, LanguageModel
from dam_ros.model.rope import Rotation


class Writer(Protocol):
    """What all ways have in common."""

    def step(self, ids: Sequence[int], caches: Sequence[Cache]) -> torch.Tensor:
        """float32 (texts, vocabulary): what may follow the given token of each text, which its cache then holds."""


class Plain:
    """By the decoder as it is; what is left where neither numba nor a GPU is there."""

    def __init__(self, language: LanguageModel, rotation: Rotation):
        self._language, self._rotation = language, rotation

    def step(self, ids: Sequence[int], caches: Sequence[Cache]) -> torch.Tensor:
        inputs = list(self._language.embed(ids).split(1))
        return self._language.logits(self._language(inputs, caches, self._rotation))


def writer(language: LanguageModel, config: Language, rotation: Rotation, device: torch.device) -> Writer:
    """Of a model whose weights are filled in."""
    if device.type == 'cuda':
        from dam_ros.model.graphs import Graphs
        return Graphs(language, config, rotation)
    if device.type == 'cpu':
        try:
            from dam_ros.model.compiled import Compiled   # takes half a second, and numba may be missing
        except ImportError as error:
            print(f'dam: slower without numba ({error}); pip install numba', file=sys.stderr, flush=True)
        else:
            return Compiled(language, config, rotation)
    return Plain(language, rotation)
