"""From a picture and a mask to the first token, stage by stage, against the usual way."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
import time

from case import Case, check_ids, options, parse, write_ours, write_usual
import numpy as np
from report import Result, Row, tell, Unequal
from timing import Duel, timed
import torch

from dam_ros.core.describing import Query, Subject, tell as told
from dam_ros.describers.dam import DamDescriber


class _Stages:
    """Each stage from what the stage before gave on its own side."""

    def __init__(self, case: Case):
        self.case = case
        dam, usual = case.dam, case.plain
        self.squares = dam.channels(case.image, case.mask)
        self.batch = self.squares[None]
        self.channels = self.squares.numpy()
        self.context = dam.context_features(self.batch)
        self.fused = dam.focused_features(self.batch, self.context)
        self.halves = usual.halves(self.channels)
        self.usual_context = usual.features(self.halves[0], None, None)
        self.usual_fused = usual.focused(*self.halves, self.usual_context)
        self.inputs = case.inputs()
        self.given = case.given(self.inputs)
        self.opening = case.prompt.before[0]   # the words before the picture: a describer reads them once for all
        self.cache = dam.cache(len(self.opening))
        dam.read([dam.embed(self.opening)], [self.cache])

    def sides(self) -> dict[str, tuple[Callable, Callable, Callable]]:
        """By stage: ours, the usual way, and what compares both."""
        case, dam, usual, clock = self.case, self.case.dam, self.case.plain, time.perf_counter

        def features(name: str):
            return lambda ours, theirs: case.check_features(name, ours[0], theirs)
        return {
            'preprocessing': (lambda: dam.channels(case.image, case.mask),
                              lambda: usual.channels(case.image, case.mask), _same_bytes),
            'full picture': (lambda: dam.context_features(self.batch),
                             lambda: usual.features(usual.halves(self.channels)[0], None, None),
                             features('full picture')),
            'crop with cross-attention': (lambda: dam.focused_features(self.batch, self.context),
                                          lambda: usual.focused(*self.halves, self.usual_context),
                                          features('crop with cross-attention')),
            'projector': (lambda: dam.image_tokens(self.fused), lambda: usual.project(self.usual_fused),
                          features('projector')),
            'look (all of the vision side)': (self._look, lambda: usual.image_tokens(self.channels), features('look')),
            'prefill': (lambda: write_ours(dam, [self.given[len(self.opening):]], 1, clock, self.cache)[0].ids,
                        lambda: write_usual(usual, self.inputs, 1, clock).ids, self._same_ids),
        }

    def _look(self) -> torch.Tensor:
        dam = self.case.dam
        return dam.image_tokens(dam.focused_features(self.batch, dam.context_features(self.batch)))

    def _same_ids(self, ours: Sequence[int], usual: Sequence[int]) -> None:
        if self.case.exact:
            check_ids('prefill', ours, usual)
        else:
            self.case.check_own('prefill', self.given, ours)


def _same_bytes(ours: torch.Tensor, usual: np.ndarray) -> None:
    if not np.array_equal(ours.numpy(), usual):
        raise Unequal(f'preprocessing: {int((ours.numpy() != usual).sum())} of {usual.size} bytes differ '
                      '(before version 13 Pillow itself has other bytes)')


def measure(case: Case) -> Result:
    """Raises Unequal: bytes, features or tokens differ."""
    rounds = (1, 2) if case.asked.quick else (4, 20)
    rows = [_row(case, what, *sides, rounds) for what, sides in _Stages(case).sides().items()]
    equal = ['channels to the byte', 'features within rounding, first token' if case.exact else
             'features within rounding; the first token is the likeliest where the text is read in one go']
    return case.result('look', equal, [_first_token(case, rounds), *rows])


def _row(case: Case, what: str, ours: Callable, usual: Callable, check: Callable, rounds: tuple[int, int]) -> Row:
    goals = {'preprocessing': 3.0, 'look (all of the vision side)': 1 / 0.7, 'prefill': 1 / 0.7}
    ours(), usual()   # compiles what is compiled
    duel = Duel({'ours': timed(what, ours, case.finish), 'the usual way': timed(what, usual, case.finish)},
                lambda results: check(results['ours'], results['the usual way']), rounds, 6)
    return duel.row(what, goal=case.goal(goals[what]) if what in goals else None)


def _first_token(case: Case, rounds: tuple[int, int]) -> Row:
    """All of it as a caller has it: ours through the describer, with its short steps."""
    describer = DamDescriber(case.dam, case.folder.name)
    subject = Subject(((case.image, case.mask),))

    def ours() -> list[int]:
        look = describer.look([subject])[0]
        try:
            return list(next(told(describer, look, Query())).token_ids)
        finally:
            look.close()

    def usual() -> list[int]:
        return case.plain.generate(case.usual_inputs(case.mask), 1, -1)

    def check(results: Mapping[str, list[int]]) -> None:
        if case.exact:
            check_ids('first token', results['ours'], results['the usual way'])
    what = 'first token, from picture and mask'
    duel = Duel({'ours': timed(what, ours, case.finish), 'the usual way': timed(what, usual, case.finish)}, check,
                rounds, 10)
    return duel.row(what)


def main(argv: Sequence[str] | None = None) -> int:
    """0, or raises Unequal."""
    asked = parse(options('look', __doc__), argv)
    tell(measure(Case(asked)), asked.out)
    return 0
