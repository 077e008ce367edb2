"""Tiny DAMs of many shapes, regions to ask them about, and a way to run several tellings. It compares nothing."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file
import torch

from dam_ros.core.describing import Piece, Query, Subject
from dam_ros.describers import dam as describer_dam
from dam_ros.describers.dam import DamDescriber, DamTelling
from tiny_dam import checkpoint

torch.set_num_threads(1)   # the networks are tiny: two threads take ten times as long on a busy machine
MOST_STEPS = 3000
SHAPES: dict[str, dict[str, Any]] = {
    'usual': {},
    'endless': {'end_gain': 0.0},
    'two keys for eight heads': {'hidden': 64, 'heads': 8, 'kv_heads': 2},
    'one key, tied, even grid': {'kv_heads': 1, 'tied': True, 'side_px': 112, 'layers': 3},
    'masked': {'context_flags': ('masked_cross_attn',)},
    'masked, always': {'context_flags': ('masked_cross_attn', 'treat_image_as_cimage')},
    'swapped': {'context_flags': ('context_image_as_queries',)},
    'bfloat16 on disk, shards': {'dtype': 'bfloat16', 'shards': 3},
    'other patches': {'side_px': 125, 'patch_px': 10, 'vision_layers': 5, 'vision_heads': 4, 'context_heads': 1},
    'joint': {'kind': 'joint'},
}
every_shape = pytest.mark.parametrize('shape', SHAPES)


def loaded(folder: Path, **options) -> DamDescriber:
    return describer_dam.create({'model': str(folder), 'device': 'cpu', 'dtype': 'float32', **options})


@cache
def describer(shape: str = 'usual') -> DamDescriber:
    """One per process and shape: nothing that a test does to it may stay."""
    return loaded(checkpoint(**SHAPES[shape]))


def region(seed: int, whole: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Noise of some size with a block in it that is the region."""
    random = np.random.default_rng(seed)
    height, width = (int(one) for one in random.integers(60, 260, 2))
    image = random.integers(0, 256, (height, width, 3)).astype(np.uint8)
    mask = np.ones((height, width), bool)
    if not whole:
        mask[:] = False
        top, left = int(random.integers(0, height // 2)), int(random.integers(0, width // 2))
        mask[top:top + height // 4, left:left + width // 4] = True
        image[mask] //= 3
    return image, mask


def subject(seed: int = 0, pictures: int = 1) -> Subject:
    return Subject(tuple(region(seed + 100 * index) for index in range(pictures)))


def look(ours: DamDescriber, seed: int = 0, pictures: int = 1):
    return ours.look([subject(seed, pictures)])[0]


def drive(ours: DamDescriber, tellings: Sequence[DamTelling],
          before: Mapping[int, Callable[[], Sequence[DamTelling] | None]] = MappingProxyType({})) -> list[list[Piece]]:
    """The pieces of each telling until all have ended.

    Args:
        before: step -> what happens before it; the tellings that it gives join.
    """
    tellings = list(tellings)
    pieces: dict[int, list[Piece]] = {id(one): [] for one in tellings}
    for step in range(MOST_STEPS):
        for one in (before[step]() if step in before else None) or ():
            tellings.append(one)
            pieces[id(one)] = []
        for owner, piece in ours.step():
            assert not any(one.last for one in pieces[id(owner)]), 'a piece behind the last'
            pieces[id(owner)].append(piece)
        if step >= max(before, default=0) and not any(one.running for one in tellings):
            return [pieces[id(one)] for one in tellings]
    raise AssertionError(f'no end after {MOST_STEPS} steps')


def told(ours: DamDescriber, look, query: Query) -> list[Piece]:
    """The pieces of one telling that runs alone."""
    return drive(ours, [ours.begin(look, query)])[0]


def ids(pieces: Sequence[Piece]) -> list[int]:
    return [token for piece in pieces for token in piece.token_ids]


def text(pieces: Sequence[Piece]) -> str:
    return ''.join(piece.text for piece in pieces)


def watch(monkeypatch: pytest.MonkeyPatch, dam, *names: str) -> list[tuple[tuple, Any]]:
    """(arguments, result) of each call of some stages from now on."""
    seen: list[tuple[tuple, Any]] = []

    def watched(real: Callable, *arguments):
        result = real(*arguments)
        if isinstance(result, Iterator):
            return at_its_end(result, lambda last: seen.append((arguments, last)))
        seen.append((arguments, result))
        return result
    for name in names:
        monkeypatch.setattr(dam, name, partial(watched, getattr(dam, name)), raising=False)
    return seen


def at_its_end(values: Iterator, then: Callable[[Any], object]) -> Iterator:
    """The same values; the last one also goes to `then`."""
    for value in values:
        yield value
    then(value)


# -- other checkpoints made from one --------------------------------------------------------------------------------

def change_json(path: Path, **values) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text(encoding='utf-8')), **values}), encoding='utf-8')


def change_tensors(part: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    """Rewrites the one safetensors file of a part after `change` was given its tensors by name."""
    path = part / 'model.safetensors'
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, {'format': 'pt'})
