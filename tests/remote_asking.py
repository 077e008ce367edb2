"""Asking a describer from a test: one subject, one answer or one failure. It knows no server."""
from __future__ import annotations

from collections.abc import Callable
import time

import numpy as np
import pytest

from dam_ros.core.describing import Describer, Piece, Query, Subject, tell
from dam_ros.core.errors import Failure


def told(describer: Describer, query: Query | None = None, subject: Subject | None = None) -> tuple[str, Piece]:
    """(the whole text, the last piece) about a subject."""
    look, = describer.look([subject or spots()])
    pieces = list(tell(describer, look, query or Query()))
    return ''.join(one.text for one in pieces), pieces[-1]


def failure_of(describer: Describer, query: Query | None = None, most_s: float = 5.0) -> Failure:
    """The one failure of a telling; it comes in time and is the last of it."""
    look, = describer.look([spots()])
    begun = time.monotonic()
    with pytest.raises(Failure) as caught:
        list(tell(describer, look, query or Query()))
    assert time.monotonic() - begun < most_s
    assert describer.step() == []
    assert '\n' not in str(caught.value) and len(str(caught.value)) < 1000
    return caught.value


def spots(pictures: int = 1, height: int = 48, width: int = 64) -> Subject:
    """Noise with another region in each picture."""
    random = np.random.default_rng(pictures)
    pairs = []
    for number in range(pictures):
        mask = np.zeros((height, width), bool)
        mask[number:height // 2, width // 4:width // 2 + number] = True
        pairs.append((random.integers(0, 256, (height, width, 3), np.uint8), mask))
    return Subject(tuple(pairs))


def until(condition: Callable[[], object], what: str = '', patience_s: float = 10.0) -> None:
    end = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end, what or condition
        time.sleep(0.005)
