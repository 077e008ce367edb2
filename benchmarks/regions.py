"""A scene: eight regions of one picture with 64 new tokens each, ours in one batch, the usual way one by one."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
import time

from case import Case, check_ids, grid_regions, options, parse
import numpy as np
from report import Fact, Result, tell, Unequal
from timing import Duel, Outcome

from dam_ros.core.describing import Query, Subject
from dam_ros.describers.dam import DamDescriber

_REGIONS = 8


class _Ours:
    """A scene through the describer, as a node's worker asks it."""

    def __init__(self, case: Case, masks: Sequence[np.ndarray], most: int):
        self._describer = DamDescriber(case.dam, case.folder.name)
        self._subjects = [Subject(((case.image, one),)) for one in masks]
        self._query = Query(max_tokens=most)

    def run(self) -> Outcome:
        begun = time.perf_counter()
        looks = self._describer.look(self._subjects)
        tellings = [self._describer.begin(one, self._query) for one in looks]
        ids: dict[int, list[int]] = {id(one): [] for one in tellings}
        running, ended = len(tellings), []
        while running:
            for telling, piece in self._describer.step():
                if piece.failure is not None:
                    raise Unequal(f'scene: a region failed: {piece.failure}')
                ids[id(telling)] += piece.token_ids
                if piece.last:
                    running -= 1
                    ended.append(time.perf_counter() - begun)
        for look in looks:
            look.close()
        return [ids[id(one)] for one in tellings], {'scene': [ended[-1]], 'first text': [ended[0]]}


def _usual(case: Case, masks: Sequence[np.ndarray], most: int) -> Outcome:
    begun, texts, ended = time.perf_counter(), [], []
    for mask in masks:
        texts.append(case.plain.generate(case.usual_inputs(mask), most, case.dam.tokenizer.end))
        ended.append(time.perf_counter() - begun)
    return texts, {'scene': [ended[-1]], 'first text': [ended[0]]}


def measure(case: Case) -> Result:
    """Raises Unequal: the tokens of a region differ."""
    quick = case.asked.quick
    masks, most = grid_regions(2 if quick else _REGIONS), 4 if quick else 64
    _Ours(case, masks, 2).run()   # compiles what is compiled
    ours = _Ours(case, masks, most)
    held: dict[str, list[list[int]]] = {}

    def check(results: Mapping[str, list[list[int]]]) -> None:
        for number, (mine, theirs) in enumerate(zip(results['ours'], results['the usual way'], strict=True), 1):
            if case.exact:
                check_ids(f'region {number}', mine, theirs)
            elif not held:
                case.check_own(f'region {number}', case.own_given(masks[number - 1]), mine)
        held.update(results)
    duel = Duel({'ours': ours.run, 'the usual way': lambda: _usual(case, masks, most)}, check,
                (1, 1) if quick else (2, 3), 60)
    rows = [duel.row('scene', goal=case.goal(3.0)), duel.row('first text')]
    tokens = sum(map(len, held['ours']))
    facts = [Fact('regions', len(masks)), Fact('tokens', tokens),
             Fact('tokens per second, looks included', tokens / float(np.median(duel.times('ours', 'scene'))))]
    equal = [f'{tokens} greedy tokens of {len(masks)} regions, in every run'] if case.exact else [
        f'of each of {len(masks)} regions tokens are the likeliest where the same text is read in one go']
    return case.result('scene', equal, rows, facts)


def main(argv: Sequence[str] | None = None) -> int:
    """0, or raises Unequal."""
    asked = parse(options('scene', __doc__), argv)
    tell(measure(Case(asked)), asked.out)
    return 0
