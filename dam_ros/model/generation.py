"""Texts that are read in and written on, many side by side, one token each per step. It knows no look, no question."""
from __future__ import annotations

from collections.abc import Sequence

import torch

from dam_ros.model.dam import Dam
from dam_ros.model.language import Cache
from dam_ros.model.sampling import Chooser


class Text:
    """One text: first it reads what it was given, then it writes.

    Args:
        cache: may hold what was read before.
        given: (T, D), T >= 1, embeddings that are still to be read.
        chooser: None for a text that is only read, for others to go on from.
    """

    def __init__(self, cache: Cache, given: torch.Tensor, chooser: Chooser | None):
        self.cache = cache
        self.given = given
        self._chooser = chooser
        self._last: int | None = None

    @property
    def reading(self) -> bool:
        return len(self.given) > 0


def step(dam: Dam, texts: Sequence[Text], chunk: int) -> list[tuple[Text, int, float]]:
    """Each text that is being written gets its next token, each other one reads on by at most `chunk` tokens.

    Returns:
        (text, id, probability that the model gave to this id, 0..1 or NaN where its numbers ran over).

    Raises:
        RuntimeError: torch's; every text is as before then.
    """
    if not texts:
        return []
    lengths = [text.cache.length for text in texts]
    try:
        with torch.inference_mode():
            rests = [text.given[chunk:].clone() for text in texts]   # what was read is not held any longer
            written = _written(*_next(dam, [text for text in texts if not text.reading]))
            written += _written(*_read(dam, [text for text in texts if text.reading], chunk))
    except BaseException:
        for text, length in zip(texts, lengths):
            text.cache.length = length
        raise
    for text, rest in zip(texts, rests):
        text.given = rest
    for text, id, _ in written:
        text._last = id
    return written


def _next(dam: Dam, texts: list[Text]) -> tuple[list[Text], torch.Tensor | None]:
    """Texts that are being written, and the logits (texts, vocabulary) behind their last tokens."""
    return texts, dam.write([text._last for text in texts], [text.cache for text in texts]) if texts else None


def _read(dam: Dam, texts: list[Text], chunk: int) -> tuple[list[Text], torch.Tensor | None]:
    """Reads on; those that are through and go on to write, and the logits behind them."""
    if not texts:
        return [], None
    states = dam.read([text.given[:chunk] for text in texts], [text.cache for text in texts])
    rows = [row for row, text in enumerate(texts) if len(text.given) <= chunk and text._chooser is not None]
    return [texts[row] for row in rows], dam.logits(states[rows]) if rows else None


def _written(texts: list[Text], logits: torch.Tensor | None) -> list[tuple[Text, int, float]]:
    if not texts:
        return []
    if all(text._chooser.greedy for text in texts):
        ids = logits.argmax(-1)
    else:
        ids = torch.stack([text._chooser.choose(one) for text, one in zip(texts, logits)])
    likely = logits.log_softmax(-1).gather(1, ids[:, None])[:, 0].exp()
    numbers = torch.stack((ids.double(), likely.double())).tolist()   # the one wait for the device
    return [(text, int(id), probability) for text, id, probability in zip(texts, *numbers)]
