"""How one answer is made of tellings, and what is known of it while it grows. It knows neither ROS nor a describer."""
from __future__ import annotations

from dataclasses import dataclass, field, replace
import math

from dam_ros.core.describing import BRIEF, NORMAL, Piece, Query
from dam_ros.core.text import brief_of, whole_sentences

BRIEF_PART, TEXT_PART = 'brief', 'text'


def tellings_for(query: Query, spoken: bool) -> list[tuple[str, Query]]:
    """The tellings of one answer in their order, each as (part, query).

    Detail BRIEF is one telling of the brief query; what is to be spoken gets a brief telling first, so that the
    first words come soon. A question has one telling, and its brief is the first sentence.
    """
    if query.question or query.raw:
        return [(TEXT_PART, query)]
    if query.detail == BRIEF:
        return [(BRIEF_PART, query)]
    if spoken and query.detail == NORMAL:
        return [(BRIEF_PART, replace(query, detail=BRIEF)), (TEXT_PART, query)]
    return [(TEXT_PART, query)]


@dataclass
class Answer:
    """The growing answer to one request; `add` takes its pieces in order.

    Attributes:
        text, token_ids: of the text telling, or of the brief one where that is all there is.
        confidence: 0..1 geometric mean of the probabilities of the text's tokens, NaN where there are none.
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
    _log_sum: float = 0.0
    _counted: int = 0

    def add(self, part: str, piece: Piece) -> None:
        if part == TEXT_PART and part not in self.parts:
            self._log_sum, self._counted, self.token_ids = 0.0, 0, []   # those of the brief do not count any more
        self.parts[part] = self.parts.get(part, '') + piece.text
        self.token_ids.extend(piece.token_ids)
        self.tokens += len(piece.token_ids)
        if not math.isnan(piece.probability):
            self._log_sum += math.log(max(piece.probability, 1e-30))
            self._counted += 1
        if piece.last:
            self.truncated, self.abstained = piece.truncated, piece.abstained
            self.language = piece.language or self.language
            self.facts = piece.facts or self.facts

    def cut(self) -> None:
        """The deadline passed: keep whole sentences only."""
        self.parts = {part: whole_sentences(text) for part, text in self.parts.items()}
        self.truncated = True

    @property
    def text(self) -> str:
        return (self.parts.get(TEXT_PART) or self.parts.get(BRIEF_PART, '')).strip()

    @property
    def brief(self) -> str:
        """One sentence of at most 12 words: the brief telling's, else the first sentence of the text."""
        return brief_of(self.parts.get(BRIEF_PART, '').strip() or self.text)

    @property
    def confidence(self) -> float:
        return math.exp(self._log_sum / self._counted) if self._counted else float('nan')
