"""Cuts a growing text into the pieces of `~/partial`: whole words, at most 20 a second, sentence ends marked.

The end of a sentence leaves as soon as it is known, as a voice waits for it; the words within one wait for each other.
"""
from __future__ import annotations

from collections import deque
from dataclasses import dataclass
import math

from dam_ros.core.answering import first_of
from dam_ros.core.confidence import Confidence
from dam_ros.core.describing import Piece
from dam_ros.core.text import ends_within

MOST, WINDOW_S = 20, 1.0   # Partial.msg: at most 20 a second per request
INTERVAL_S = 0.055   # between pieces of words: leaves room for two ends of sentences in a second
_CLOSING = ('.', '!', '?', '"', "'", ')', ']', '\u201d', '\u2019')   # what sentences may end with


@dataclass(frozen=True)
class Part:
    """As the fields of Partial.msg; confidence NaN where it is not estimated."""

    seq: int
    offset: int
    piece: str = ''
    sentence_end: bool = False
    confidence: float = math.nan
    done: bool = False
    error_code: int = 0


class PartialStream:
    """One request's pieces. Times are s on any steady clock."""

    def __init__(self):
        self._text = ''
        self._whole_words = self._final = False   # as in `ends_within`, of the text so far
        self._confidence = Confidence()
        self._sent = self._begun = 0   # characters that went out; where the sentence begins that is going out
        self._seq = 0
        self._next_s = 0.0             # when words within a sentence may go out again
        self._times: deque[float] = deque(maxlen=MOST - 1)   # of the last pieces; the very last one may always go

    def start(self, now_s: float) -> Part:
        """The first one, empty: the request was heard."""
        return self._make(0, False, now_s)

    def grow(self, text: str, piece: Piece, now_s: float) -> list[Part]:
        """The whole text so far, which ends with `piece`; what is new of it if it is time.

        A text that is shorter than before was started again (its telling was stopped for something urgent): nothing
        goes out until it has caught up.
        """
        text = text.lstrip()
        if not text.startswith(self._text):
            self._text, self._confidence = '', Confidence()
        self._confidence.add(len(self._text), text[len(self._text):], piece.probability)
        self._text, self._whole_words, self._final = text, piece.ends_word or piece.last, piece.last
        return self.flush(now_s)

    def flush(self, now_s: float) -> list[Part]:
        """What is new since the last piece: sentences at once, each as a piece of its own, words if it is time."""
        parts = []
        for end in self._ends(self._final):
            if not self._may_send(now_s):
                return parts
            parts.append(self._make(end, True, now_s))
        end = self._whole_words_end()
        if self._text[self._sent:end].strip() and now_s >= self._next_s and self._may_send(now_s):
            parts.append(self._make(end, False, now_s))
        return parts

    @property
    def behind(self) -> bool:
        """There may be something to flush."""
        return len(self._text) > self._sent

    def finish(self, text: str, now_s: float, error_code: int = 0) -> list[Part]:
        """The last ones, with all that was not sent yet; after a failure nothing more is said."""
        parts = []
        text = text.strip()
        self._text = text if text.startswith(self._text[:self._sent]) else self._text[:self._sent]
        if error_code == 0:
            for end in self._ends(final=True):
                if end < len(text) and self._may_send(now_s):
                    parts.append(self._make(end, True, now_s))
        end = len(self._text) if error_code == 0 else self._sent
        return [*parts, self._make(end, end > self._sent, now_s, done=True, error_code=error_code)]

    def _ends(self, final: bool) -> list[int]:
        """Of the sentences that did not go out yet."""
        ends = ends_within(self._text, self._begun, self._whole_words, final)
        return [one for one in ends if one > self._sent]

    def _whole_words_end(self) -> int:
        """Up to where words are whole; one that may end a sentence waits until that is known."""
        if self._whole_words and not self._text.endswith(_CLOSING):
            return len(self._text)
        return max(self._text.rfind(' '), self._text.rfind('\n')) + 1

    def _may_send(self, now_s: float) -> bool:
        return len(self._times) < self._times.maxlen or now_s - self._times[0] >= WINDOW_S

    def _make(self, end: int, sentence_end: bool, now_s: float, done: bool = False, error_code: int = 0) -> Part:
        confidence = self._sure_of(self._begun, end) if sentence_end else math.nan
        part = Part(self._seq, self._sent, self._text[self._sent:end], sentence_end, confidence, done, error_code)
        self._seq += 1
        self._sent = max(self._sent, end)
        if sentence_end:
            self._begun = end
        self._next_s = max(now_s, self._next_s) + (INTERVAL_S if part.piece else 0.0)
        self._times.append(now_s)
        return part

    def _sure_of(self, start: int, end: int) -> float:
        return self._confidence.of(start, end)


class BriefStream(PartialStream):
    """The pieces of an answer that is one short sentence: it goes out as a whole, as it is shortened only then."""

    def __init__(self):
        super().__init__()
        self._told = ''    # as the describer writes it
        self._length = 0   # characters of `_told` that the brief was made of, 0 = it is not complete

    def grow(self, text: str, piece: Piece, now_s: float) -> list[Part]:
        """As in PartialStream; what is told after the first sentence is no part of the brief."""
        if self._length:
            return self.flush(now_s)
        text = text.lstrip()
        if not text.startswith(self._told):   # it was started again
            self._told, self._confidence = '', Confidence()
        self._confidence.add(len(self._told), text[len(self._told):], piece.probability)
        self._told = text
        ends = ends_within(text, 0, piece.ends_word or piece.last, piece.last)
        if piece.last and not piece.truncated:
            ends.append(len(text))   # models leave the full stop out
        for end in ends:
            brief = first_of(text[:end])
            if brief:   # the first of them may be marks alone
                self._text, self._length, self._final = brief, end, True
                break
        return self.flush(now_s)

    def _ends(self, final: bool) -> list[int]:
        return [len(self._text)] if len(self._text) > self._sent else []

    def _sure_of(self, start: int, end: int) -> float:
        return self._confidence.of(0, self._length or len(self._told))
