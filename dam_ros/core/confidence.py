"""How sure the tokens of a growing text were, by their place in it. It knows no describer.

A number of a whole answer hides the one sentence that was guessed; so each sentence gets that of its own tokens.
"""
from __future__ import annotations

import math

_LEAST = 1e-30   # a probability of 0 has no logarithm


class Confidence:
    """Pieces of a text with the probability each was chosen with."""

    def __init__(self):
        self._pieces: list[tuple[int, int, float]] = []   # first and last character + 1, log of the probability

    def add(self, offset: int, piece: str, probability: float) -> None:
        """What was written at `offset`, in characters; a probability of NaN was not estimated.

        A piece lies where its letters lie: white space belongs to what follows it. One without letters (half a
        character of several bytes) belongs to the next character.
        """
        if math.isnan(probability):
            return
        start = offset + len(piece) - len(piece.lstrip())
        end = max(offset + len(piece.rstrip()), start + 1)
        self._pieces.append((start, end, math.log(max(probability, _LEAST))))

    def cut(self, end: int) -> None:
        """What was written from this character on does not count any more."""
        self._pieces = [piece for piece in self._pieces if piece[0] < end]

    def of(self, start: int, end: float) -> float:
        """0..1, geometric mean over the pieces with a letter within [start, end); NaN where none was estimated.

        A piece across the border of two sentences counts for both: nobody knows of which of them it was unsure.
        """
        logs = [log for first, last, log in self._pieces if first < end and start < last]
        return math.exp(sum(logs) / len(logs)) if logs else math.nan
