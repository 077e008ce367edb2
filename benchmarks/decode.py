"""One text, token after token: ours against `GenerationMixin.generate`, both from the same embeddings."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
import time

from bandwidth import READ, reading, roofline
from case import agreeing, Case, check_ids, options, parse, write_ours, write_usual, Written
import numpy as np
from report import Fact, Result, tell
from timing import Duel

_GOALS = {'tiny': 3.0, 'mid': 1.5}   # times the usual way


def measure(case: Case) -> Result:
    """See the module's text; for weights of whole numbers also against our own bfloat16.

    Raises:
        Unequal: tokens differ.
    """
    quick, clock = case.asked.quick, time.perf_counter
    most = 8 if quick else 64
    inputs = case.inputs()
    models = {'ours': case.dam}
    if case.dtype.startswith('int'):
        models['our bfloat16'] = case.load('bfloat16')

    def side(dam):
        given = case.given(inputs, dam)

        def run():
            written = write_ours(dam, [given], most, clock)[0]
            return written, written.times()
        return run

    def usual():
        written = write_usual(case.plain, inputs, most, clock)
        return written, written.times()
    sides = {name: side(dam) for name, dam in models.items()}
    for run in sides.values():
        run()   # compiles what is compiled
    held: dict[str, Written] = {}

    def check(results: Mapping[str, Written]) -> None:
        if case.exact:
            check_ids('decode', results['ours'].ids, results['the usual way'].ids)
        elif held:
            check_ids('decode, once more', results['ours'].ids, held['ours'].ids)
        else:
            case.check_own('decode', case.given(inputs), results['ours'].ids)
        held.update(results)
    sides.update({READ: reading(case.device, quick), 'the usual way': usual})
    duel = Duel(sides, check, (1, 2) if quick else (3, 12), 30)
    return case.result('decode', _equal(case, held, most), _rows(case, duel),
                       _facts(case, duel, len(inputs), most))


def _equal(case: Case, held: Mapping[str, Written], most: int) -> list[str]:
    same = agreeing(held['ours'].ids, held['the usual way'].ids)
    if case.exact:
        return [f'{same} of {most} greedy tokens, in every run']
    return [f'each of ours is the likeliest where the same text is read in one go; {same} of {most} greedy tokens '
            f'until the first that differs from {case.usual_name}']


def _rows(case: Case, duel: Duel) -> list:
    whole = case.dtype.startswith('int')
    goal = case.goal(3.0) if case.dtype == 'int8' else None if whole else case.goal(
        _GOALS.get(case.asked.size, 0), *_GOALS)
    rows = [duel.row('token', goal=goal)]
    if whole:
        rows.append(duel.row('token', other='our bfloat16', goal=case.goal(1.5) if case.dtype == 'int8' else None))
    return [*rows, duel.row('first')]


def _facts(case: Case, duel: Duel, given: int, most: int) -> Sequence[Fact]:
    token_s = float(np.median(duel.times('ours', 'token')))
    per_byte = duel.ratio('token', 'ours', READ, READ)
    return [Fact('tokens per second', 1 / token_s), *roofline(case, given + most // 2, token_s, per_byte)]


def main(argv: Sequence[str] | None = None) -> int:
    """0, or raises Unequal."""
    asked = parse(options('decode', __doc__), argv)
    tell(measure(Case(asked)), asked.out)
    return 0
