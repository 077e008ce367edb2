"""Texts that are read in and written on, many side by side, one token each per step. It knows no look, no question."""
from __future__ import annotations

from collections.abc import Sequence

import torch

from dam_ros.model.dam import Dam
from dam_ros.model.language import Cache
from dam_ros.model.sampling import Chooser

CHUNK = 512   # tokens that one step reads of a new text, so that those being written wait for no more than that


class Text:
    """One text: first it reads what it was given, then it writes.

    Args:
        cache: may hold what was read before.
        given: (T, D), T >= 1, embeddings that are still to be read.
        chooser: None for a text that is only read, for others to go on from.
    """

    def __init__(self, cache: Cache, given: torch.Tensor, chooser: Chooser | None):
        self.cache = cache
        self._given = given
        self._chooser = chooser
        self._last: int | None = None

    @property
    def reading(self) -> bool:
        return len(self._given) > 0

    def _next(self, dam: Dam) -> torch.Tensor:
        """What it reads in this step; chunks always end at the same places, whatever else runs."""
        return self._given[:CHUNK] if self.reading else dam.embed([self._last])


def step(dam: Dam, texts: Sequence[Text]) -> list[tuple[Text, int, float]]:
    """Each text that is being written gets its next token; new ones read on, at most CHUNK tokens of them together.

    Returns:
        (text, id, probability that the model gave to this id, 0..1 or NaN where its numbers ran over).
    """
    chosen, room = [], CHUNK
    for text in texts:
        cost = min(len(text._given), CHUNK)
        if cost <= room:
            chosen.append(text)
            room -= cost
    if not chosen:
        return []
    with torch.inference_mode():
        inputs = [text._next(dam) for text in chosen]
        states = dam.read(inputs, [text.cache for text in chosen])
        for text, read in zip(chosen, inputs):
            if text.reading:
                text._given = text._given[len(read):].clone()   # the part that was read is not held any longer
        rows = [row for row, text in enumerate(chosen) if not text.reading and text._chooser is not None]
        return _written(dam, [chosen[row] for row in rows], states[rows])


def _written(dam: Dam, texts: list[Text], states: torch.Tensor) -> list[tuple[Text, int, float]]:
    if not texts:
        return []
    logits = dam.logits(states)
    ids = torch.stack([text._chooser.choose(one) for text, one in zip(texts, logits)])
    likely = logits.log_softmax(-1).gather(1, ids[:, None])[:, 0].exp()
    numbers = torch.stack((ids.double(), likely.double())).tolist()   # the one wait for the device
    written = []
    for text, id, probability in zip(texts, *numbers):
        text._last = int(id)
        written.append((text, int(id), probability))
    return written
