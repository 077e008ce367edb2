"""An answer that is being written: its pieces put together, and cut into sentences that may be spoken.

It knows neither what is spoken of them nor when.
"""
from __future__ import annotations

from dataclasses import dataclass, field
import math
from typing import Any

from dam_ros.core.heard import same
from dam_ros.core.speakable import cut, Sentence
from dam_ros.core.text import whole_sentences


@dataclass
class Growing:
    """What came of an answer, and what of that was handed on.

    Attributes:
        began: s, when its first Partial came.
        asked: a person waits for it.
        broken: a piece is missing; only the Description can help.
        done: the last piece was there.
        code: what that said, 0 = all went well.
        text: of the part that is being written (brief first, then the text; each begins at offset 0).
        handed: characters of `text` that were handed on.
        length: characters handed on, all parts together.
        said: the sentences handed on, as `same` gives them.
        withheld: it was not certain enough to be told.
        placed: where the thing is was known with the first sentence.
        wanted: all of it is to be spoken, whatever it was asked for.
        camera, label: of what it tells.
        outcome: the Description that has overtaken the last Partial.
        due: s, when it counts without what is still missing of it.
    """

    began: float
    asked: bool
    broken: bool = False
    done: bool = False
    code: int = 0
    next_seq: int = 0
    text: str = ''
    handed: int = 0
    length: int = 0
    said: set[str] = field(default_factory=set)
    withheld: bool = False
    placed: bool = False
    wanted: bool = False
    camera: str = ''
    label: int = -1
    outcome: Any = None
    due: float = math.inf

    def append(self, partial: Any) -> None:
        """One more piece; `partial` has the fields of Partial.msg."""
        if partial.seq != self.next_seq:
            self.broken = True
        self.next_seq = partial.seq + 1
        if partial.offset == 0 and self.text and partial.piece:
            self.text, self.handed = '', 0          # the brief is over, the text begins
        if partial.offset != len(self.text) and partial.piece:
            self.broken = True
        self.text += partial.piece
        self.done, self.code = partial.done, partial.error_code
        self.camera, self.label = partial.camera, partial.label

    def complete_sentences(self) -> list[Sentence]:
        """Those that were not handed out before; now they are."""
        waiting = self.text[self.handed:]
        if not self.done:   # the piece may hold the beginning of the next sentence as well
            whole = whole_sentences(waiting)
            waiting = waiting[:waiting.index(whole) + len(whole)] if whole else waiting
        new = cut(waiting, self.length)
        self.length += len(waiting)
        self.handed += len(waiting)
        return new

    def missed(self, text: str, brief: str) -> list[Sentence]:
        """What the Description's `text` adds to what was handed on: what was lost, or a last sentence without end.

        `brief`: where that was written, and it is there in whole, nothing is missed though the last piece is.
        """
        lost = self.broken and same(self.text) != same(brief)
        return unheard(cut(text if lost else self.text[self.handed:]), self.said)


def unheard(sentences: list[Sentence], known: set[str]) -> list[Sentence]:
    """Those that are not among the known ones (in the form of `same`)."""
    return [sentence for sentence in sentences if same(sentence.text) not in known]
