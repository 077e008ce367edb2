"""Several ways to the same result, timed one after the other and again; every result is compared. It knows no model."""
from __future__ import annotations

from collections.abc import Callable, Mapping
import time
from typing import Any

import numpy as np

from report import Row, Times

Outcome = tuple[Any, Mapping[str, list[float]]]   # a result, and s of each thing that was timed on the way


def timed(what: str, work: Callable[[], Any], finish: Callable[[], object] = lambda: None) -> Callable[[], Outcome]:
    """`work` as a side of a Duel. `finish`: waits for a device that works on its own."""
    def side() -> Outcome:
        begun = time.perf_counter()
        result = work()
        finish()
        return result, {what: [time.perf_counter() - begun]}
    return side


class Duel:
    """Runs each side in turn, forwards and backwards, so that what else the machine does meets all of them.

    Args:
        sides: by name.
        check: is given the results by name, after each round; it raises `report.Unequal`.
        rounds: at least and at most.
        seconds: after which there is no further round.
    """

    def __init__(self, sides: Mapping[str, Callable[[], Outcome]], check: Callable[[Mapping[str, Any]], object],
                 rounds: tuple[int, int], seconds: float = 20.0):
        self._times: dict[str, list[Mapping[str, list[float]]]] = {name: [] for name in sides}
        least, most = rounds
        begun = time.perf_counter()
        for number in range(most):
            results = {}
            for name in list(sides) if number % 2 == 0 else list(sides)[::-1]:
                results[name], times = sides[name]()
                self._times[name].append(times)
            check(results)
            if number + 1 >= least and time.perf_counter() - begun > seconds:
                break

    def times(self, side: str, what: str) -> list[float]:
        """All s of one thing, of all rounds."""
        return [one for times in self._times[side] for one in times[what]]

    def ratio(self, what: str, side: str, other: str, other_what: str = '') -> float:
        """Median over the rounds: how many times as fast `side` was as `other`."""
        return float(np.median([np.median(theirs[other_what or what]) / np.median(mine[what])
                                for mine, theirs in zip(self._times[side], self._times[other])]))

    def row(self, what: str, side: str = 'ours', other: str = 'the usual way', goal: float | None = None,
            other_what: str = '') -> Row:
        """In ms. `other_what`: where the other side's thing is called otherwise."""
        return Row(what, Times.of(self.times(side, what)), Times.of(self.times(other, other_what or what)), other,
                   self.ratio(what, side, other, other_what), goal)
