"""How one answer is made of tellings, and what is known of it while it grows. It knows neither ROS nor a describer."""
from __future__ import annotations

from dataclasses import dataclass, field, replace
import math

from dam_ros.core.confidence import Confidence
from dam_ros.core.describing import BRIEF, NORMAL, READ, Piece, Query
from dam_ros.core.markup import without_markup
from dam_ros.core.speakable import pronounceable
from dam_ros.core.text import BRIEF_WORDS, brief_of, complete_length, ends_within, sentences
from dam_ros.core.wording import without_lead

BRIEF_PART, TEXT_PART, READ_PART = 'brief', 'text', 'read'


def tellings_for(query: Query, spoken: bool) -> list[tuple[str, Query]]:
    """The tellings of one answer in their order, each as (part, query).

    Detail BRIEF is one telling of the brief query; what is to be spoken gets a brief telling first, so that the
    first words come soon. A question has one telling, and its brief is the first sentence. What is read is one, too.
    """
    if query.detail == READ:
        return [(READ_PART, query)]
    if query.question or query.raw:
        return [(TEXT_PART, query)]
    if query.detail == BRIEF:
        return [(BRIEF_PART, query)]
    if spoken and query.detail == NORMAL:
        return [(BRIEF_PART, replace(query, detail=BRIEF)), (TEXT_PART, query)]
    return [(TEXT_PART, query)]


def first_of(told: str) -> str:
    """What `Description.brief` says of a telling: its first sentence in short, without marks and lead-in.

    A sentence of marks alone is none.
    """
    plain = (_plain(one) for one in sentences(told))
    return brief_of(next((one for one in plain if pronounceable(one)), ''))


def _plain(sentence: str) -> str:
    return without_lead(without_markup(sentence)).strip()


def _end_of_first(told: str) -> int:
    """Where the sentence ends that `first_of` is made of, in characters."""
    ends = [*ends_within(told, final=True), len(told)]
    return next((end for start, end in zip([0, *ends], ends) if pronounceable(_plain(told[start:end]))), len(told))


@dataclass
class Answer:
    """The growing answer to one request; `add` takes its pieces in order.

    Attributes:
        text, token_ids: of the text telling, or of the brief one where that is all there is.
        tokens: tokens written, all tellings together.
    """

    question: str = ''
    parts: dict[str, str] = field(default_factory=dict)
    token_ids: list[int] = field(default_factory=list)
    truncated: bool = False
    abstained: bool = False
    language: str = ''
    facts: dict = field(default_factory=dict)
    tokens: int = 0
    _confidence: dict[str, Confidence] = field(default_factory=dict)   # by part

    def add(self, part: str, piece: Piece) -> None:
        if part == TEXT_PART and part not in self.parts:
            self.token_ids = []   # those of the brief do not count any more
        before = self.parts.get(part, '')
        self.parts[part] = before + piece.text
        self._confidence.setdefault(part, Confidence()).add(len(before), piece.text, piece.probability)
        self.token_ids.extend(piece.token_ids)
        self.tokens += len(piece.token_ids)
        if piece.last:
            self.truncated, self.abstained = piece.truncated, piece.abstained
            self.language = piece.language or self.language
            self.facts = piece.facts or self.facts

    def cut(self) -> None:
        """The deadline passed: keep whole sentences only."""
        self.parts = {part: text[:complete_length(text, final=True)] for part, text in self.parts.items()}
        for part, confidence in self._confidence.items():
            confidence.cut(len(self.parts[part]))
        self.truncated = True

    @property
    def text(self) -> str:
        return self.parts.get(self._text_part, '').strip()

    @property
    def brief(self) -> str:
        """One sentence: that of the brief telling, else the text's first; of what is read the first 12 words."""
        if READ_PART in self.parts:
            return ' '.join(self.text.split()[:BRIEF_WORDS])
        return first_of(self.parts.get(self._brief_part, ''))

    @property
    def confidence(self) -> float:
        """0..1, geometric mean of the probabilities of the text's tokens, NaN where there are none."""
        return self._confidence_of(self._text_part, math.inf)   # also of those without letters behind the last one

    @property
    def brief_confidence(self) -> float:
        """The same of the sentence that `brief` is, or is the beginning of."""
        text = self.parts.get(self._brief_part, '')
        return self._confidence_of(self._brief_part, _end_of_first(text))

    def _confidence_of(self, part: str, end: float) -> float:
        return self._confidence[part].of(0, end) if part in self._confidence else math.nan

    @property
    def _text_part(self) -> str:
        if READ_PART in self.parts:
            return READ_PART
        return TEXT_PART if self.parts.get(TEXT_PART, '').strip() else BRIEF_PART

    @property
    def _brief_part(self) -> str:
        if READ_PART in self.parts:
            return READ_PART
        return BRIEF_PART if self.parts.get(BRIEF_PART, '').strip() else TEXT_PART
