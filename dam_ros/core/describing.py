"""The one protocol: look at a subject once, tell about it often, one piece of text at a time.

Looking is dear (vision, image prefill), asking again is cheap, and many tellings share each decoding step.
So a describer is step-wise: `look` takes several subjects, `begin` starts a telling, and each `step`
brings one piece for every running telling. Streaming, blocking, deadline, cancel and joining a running
batch are all made from these. This module knows no describer, no ROS and no torch.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

NORMAL, BRIEF, FULL, READ = 0, 1, 2, 3   # DescribeRegion.NORMAL, BRIEF, FULL, READ
DETAIL_NAMES = {'normal': NORMAL, 'brief': BRIEF, 'full': FULL, 'read': READ}


@dataclass(frozen=True)
class Subject:
    """What is looked at: one picture, or several of a clip, each with its region.

    Attributes:
        pictures: 1 or more pairs (image, mask): RGB uint8 (H, W, 3) and bool (H, W), at least one pixel set. Regions of
            one request share an image: it is not to be changed.
    """

    pictures: tuple[tuple[np.ndarray, np.ndarray], ...]

    @property
    def image(self) -> np.ndarray:
        return self.pictures[-1][0]

    @property
    def mask(self) -> np.ndarray:
        return self.pictures[-1][1]


@dataclass(frozen=True)
class Query:
    """What is asked about a look, and the limits of the answer.

    Attributes:
        question: '' = describe.
        raw: `question` is the model's whole query, placeholders included (`--raw-query`).
        detail: NORMAL, BRIEF or FULL; how much is wanted where `question` is ''. READ goes to a reader, never to a
            describer.
        language: BCP 47, '' = the describer's own.
        max_tokens: 1..2048.
        temperature: 0..2, 0 = greedy (repeatable).
        top_p: 0..1, 1 = no cut; only with temperature > 0.
        top_k: 0 = the describer's own (DAM: 50, which the reference samples with); only with temperature > 0.
        seed: only with temperature > 0.
        urgent: somebody waits for this one; where there is much to do, it goes before what is not.
    """

    question: str = ''
    raw: bool = False
    detail: int = NORMAL
    language: str = ''
    max_tokens: int = 128
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int = 0
    urgent: bool = False


@dataclass(frozen=True)
class Piece:
    """What one step adds to a telling.

    Attributes:
        text: new characters, may be ''.
        token_ids: the tokens behind it, empty where the describer has none.
        probability: 0..1 of the chosen token, NaN where it is not estimated.
        ends_word: what follows is sure to begin with a new word, so that a full stop at the end of `text` is not the
            one of "3.5" or "example.com". A model that writes tokens does not know that, and leaves it False.
        last: nothing more comes.
        truncated: with last: cut by max_tokens.
        abstained: with last: the describer said that it cannot tell.
        language: with last: BCP 47 of the text, '' unknown.
        facts: with last: the same as data, for `--json`; JSON types only.
        failure: with last: this telling alone failed (a `core.errors.Failure`).
    """

    text: str = ''
    token_ids: tuple[int, ...] = ()
    probability: float = float('nan')
    ends_word: bool = False
    last: bool = False
    truncated: bool = False
    abstained: bool = False
    language: str = ''
    facts: dict = field(default_factory=dict)
    failure: Exception | None = None


@runtime_checkable
class Look(Protocol):
    """A subject that was looked at. Keeps what further questions need; `close` gives the memory back.

    A describer may leave the work to the steps that follow, so that it can be stopped in between. Such a look has the
    attributes `ready`, False until the looking is done, and `later_s`, the seconds those steps have spent on it;
    without them a look is ready from the start. What it takes in memory, and may grow to in any step, it says in
    `nbytes`; without it a look counts as nothing, and only the number of looks is bounded.
    """

    def close(self) -> None: ...


@runtime_checkable
class Telling(Protocol):
    """One running answer. After `stop`, `step` brings nothing more of it."""

    def stop(self) -> None: ...


@runtime_checkable
class Describer(Protocol):
    """See the module's text. Not thread-safe: one thread calls everything.

    Attributes:
        name: 'dam', 'remote', 'attributes', ...: Description.describer.
        model: weights with revision and precision, '' where there are none: Description.model.
        languages: BCP 47 tags it can answer in.
        capacity: how many tellings may run at once, >= 1.
        max_pictures: how many pictures a Subject may have (1: no clips).

    Raises (from any method): a `core.errors.Failure` for what is understood (Unsupported, OutOfMemory,
    RemoteUnavailable, ...); anything else is reported as DescriberFailed.
    """

    name: str
    model: str
    languages: tuple[str, ...]
    capacity: int
    max_pictures: int

    def look(self, subjects: Sequence[Subject]) -> list[Look]: ...

    def begin(self, look: Look, query: Query) -> Telling: ...

    def step(self) -> list[tuple[Telling, Piece]]: ...

    def close(self) -> None: ...


def tell(describer: Describer, look: Look, query: Query) -> Iterator[Piece]:
    """All pieces of one answer, the last with `last` true. Closing the iterator early stops the telling.

    Raises: the telling's failure, as the describer gave it.
    """
    telling = describer.begin(look, query)
    try:
        while True:
            for owner, piece in describer.step():
                if owner is not telling:
                    continue
                if piece.failure is not None:
                    raise piece.failure
                yield piece
                if piece.last:
                    return
    finally:
        telling.stop()
