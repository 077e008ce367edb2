"""What the reference implementation of DAM did with tiny checkpoints, as values to compare with. It compares nothing.

The cases of `tests/data/dam` are always here; those made of other people's photos are not ours to publish, and lie
beside the checkout where they are needed.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
import json
from pathlib import Path

import numpy as np
from PIL import Image

from dam_ros.core.describing import Piece, Query, Subject, tell

ROOT = Path(__file__).resolve().parent
OURS = ROOT / 'data' / 'dam'
OTHERS = ROOT.parent.parent / 'shared' / 'dam-golden'


@dataclass(frozen=True)
class Case:
    """One recorded description. `said`: its JSON object; `pairs`: name -> JSON object of each of its pictures."""

    root: Path
    said: dict
    pairs: dict[str, dict]

    @property
    def folder(self) -> Path:
        return self.root / 'cases' / self.said['id']

    @property
    def checkpoint(self) -> Path:
        return self.root / 'checkpoints' / self.said['checkpoint']

    @property
    def query(self) -> Query:
        return Query(self.said['query'], raw=True, max_tokens=64)

    def picture(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        return picture(self.root, self.pairs[name])

    def subject(self) -> Subject:
        return Subject(tuple(map(self.picture, self.pairs)))

    def arrays(self) -> dict[str, np.ndarray]:
        """logits, margin, and where recorded projector_output (frames, tokens, D) of `frames`."""
        found: dict[str, np.ndarray] = {}
        for path in (self.folder / name for name in ('arrays.npz', 'text.npz', 'features.npz')):
            if path.exists():
                found.update(np.load(path))
        if 'projector_output' in found:
            found.setdefault('frames', np.arange(len(found['projector_output'])))
        return found

    def features(self) -> list[tuple[str, int, np.ndarray]]:
        """('context' or 'fused', picture, (patches, C)), where they are at hand: too large for the checkout."""
        path = OTHERS / 'cases' / self.said['id'] / 'features.npz'
        return [(name.split('_')[0], int(name.partition('frame')[2] or 0), held.reshape(held.shape[-2:]))
                for name, held in (np.load(path).items() if path.exists() else ())
                if name.startswith(('context_', 'fused_'))]


def picture(root: Path, pair: dict) -> tuple[np.ndarray, np.ndarray]:
    """(RGB uint8 (H, W, 3), bool (H, W)); everything above 0 in a mask's file is the region."""
    return (np.asarray(Image.open(root / pair['image']).convert('RGB')),
            np.asarray(Image.open(root / pair['mask'])) > 0)


def _read(path: Path) -> dict:
    return json.loads(path.read_text(encoding='utf-8'))


@cache
def cases() -> dict[str, Case]:
    """All that are here, by id."""
    held = _read(OURS / 'recorded.json')
    found = {one['id']: _case(OURS, one, held['pairs']) for one in held['cases']}
    if OTHERS.is_dir():
        held = _read(OTHERS / 'manifest.json')
        for id in (one['id'] for one in held['cases'] if one['id'] not in found):
            found[id] = _case(OTHERS, _read(OTHERS / 'cases' / id / 'case.json'), held['pairs'])
    return found


def _case(root: Path, said: dict, pairs: dict) -> Case:
    return Case(root, said, {name: pairs[name] for name in said['inputs']})


@dataclass(frozen=True)
class Run:
    """What dam_ros did with a case, on its usual way through look and tell.

    Attributes:
        context, fused: (pictures, patches, C) of the two passes.
        projected: (pictures, tokens, D).
        logits: (tokens, V): what each token was chosen from.
    """

    pieces: list[Piece]
    context: np.ndarray
    fused: np.ndarray
    projected: np.ndarray
    logits: np.ndarray

    @property
    def tokens(self) -> list[int]:
        return [token for piece in self.pieces for token in piece.token_ids]

    @property
    def text(self) -> str:
        return ''.join(piece.text for piece in self.pieces).strip()


class Runner:
    """One checkpoint in one precision, and the looks that its cases share: a second question is a second tell."""

    def __init__(self, checkpoint: Path, dtype: str):
        import torch   # here, so that others may read the cases without it

        from dam_ros.describers import dam
        torch.set_num_threads(1)   # the networks are tiny: two threads take ten times as long on a busy machine
        self.describer = dam.create({'model': str(checkpoint), 'device': 'cpu', 'dtype': dtype})
        names = (('context_pass',), ('focused_pass',), ('image_tokens',), ('logits', 'write'))
        self._seen = [_watch(self.describer._dam, *one) for one in names]
        self._looks: dict[tuple[str, ...], tuple] = {}

    def run(self, case: Case) -> Run:
        for seen in self._seen:
            seen.clear()
        known = self._looks.get(tuple(case.pairs))
        look = known[0] if known else self.describer.look([case.subject()])[0]
        pieces = list(tell(self.describer, look, case.query))
        context, fused, projected, logits = (
            np.concatenate([one.float().numpy() for one in seen]) if seen else None for seen in self._seen)
        if not known:
            known = self._looks[tuple(case.pairs)] = (look, context, fused, projected)
        return Run(pieces, *known[1:], logits)


def _watch(dam, *names: str) -> list:
    """What stages give from now on, in the order of their calls."""
    seen = []

    def watch(name: str) -> None:
        real = getattr(dam, name)

        def watched(*arguments):
            result = real(*arguments)
            if isinstance(result, Iterator):
                return _at_its_end(result, seen.append)
            seen.append(result)
            return result
        setattr(dam, name, watched)
    for name in names:
        watch(name)
    return seen


def _at_its_end(values: Iterator, then: Callable) -> Iterator:
    """The same values; the last one also goes to `then`."""
    for value in values:
        yield value
    then(value)


@cache
def runner(checkpoint: Path, dtype: str = 'float32') -> Runner:
    """Loaded once per process."""
    return Runner(checkpoint, dtype)
