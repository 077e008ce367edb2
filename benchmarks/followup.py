"""A second question about the same region: its first token, beside that of a fresh look and of the usual way."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
import time

from case import Case, check_ids, options, parse
from report import Result, tell
from timing import Duel, Outcome

from dam_ros.core.describing import Query, Subject, tell as told
from dam_ros.describers.dam import DamDescriber
from dam_ros.model import prompts

_QUESTION = 'What colour is it?'
_COMPARED = 8   # tokens


class _Asked:
    """A question to our describer: the time to its first token, and some more for comparing."""

    def __init__(self, case: Case):
        self._describer = DamDescriber(case.dam, case.folder.name)
        self._subject = Subject(((case.image, case.mask),))
        self._kept = self._describer.look([self._subject])[0]
        self._answer(self._kept, Query(max_tokens=2))   # the first question, whose look is kept

    def _answer(self, look, query: Query) -> tuple[list[int], float]:
        pieces = told(self._describer, look, query)
        ids = list(next(pieces).token_ids)
        first = time.perf_counter()
        return ids + [token for piece in islice(pieces, _COMPARED - 1) for token in piece.token_ids], first

    def fresh(self) -> Outcome:
        begun = time.perf_counter()
        look = self._describer.look([self._subject])[0]
        ids, first = self._answer(look, Query(_QUESTION))
        look.close()
        return ids, {'first token': [first - begun]}

    def follow_up(self) -> Outcome:
        begun = time.perf_counter()
        ids, first = self._answer(self._kept, Query(_QUESTION))
        return ids, {'first token': [first - begun]}


def measure(case: Case) -> Result:
    """Raises Unequal: the answer from the kept look is another than from a fresh one."""
    asked = _Asked(case)
    prompt = prompts.build(Query(_QUESTION), case.dam.config.kind, 1, case.dam.tokenizer)

    def usual() -> Outcome:
        begun = time.perf_counter()
        ids = case.plain.generate(case.usual_inputs(case.mask, prompt), 1, -1)
        return ids, {'first token': [time.perf_counter() - begun]}

    def check(results: Mapping[str, list[int]]) -> None:
        check_ids('a kept look against a fresh one', results['our follow-up'], results['our fresh look'])
        if case.exact:
            check_ids('the usual way', results['our fresh look'][:1], results['the usual way'])
    duel = Duel({'our follow-up': asked.follow_up, 'our fresh look': asked.fresh, 'the usual way': usual}, check,
                (1, 2) if case.asked.quick else (4, 20), 20)
    rows = [duel.row('first token', 'our follow-up', 'our fresh look', case.goal(5.0)),
            duel.row('first token', 'our follow-up')]
    equal = [f'{_COMPARED} greedy tokens, kept look and fresh one']
    return case.result('followup', [*equal, *['the first token, ours and the usual way'] * case.exact], rows)


def main(argv: Sequence[str] | None = None) -> int:
    """0, or raises Unequal."""
    asked = parse(options('followup', __doc__), argv)
    tell(measure(Case(asked)), asked.out)
    return 0
