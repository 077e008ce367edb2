"""Cuts a growing text into the pieces of `~/partial`: whole words, at most 20 a second, sentence ends marked."""
from __future__ import annotations

from dataclasses import dataclass
import math

from dam_ros.core.text import complete_length

INTERVAL_S = 0.05   # Partial.msg: at most 20 a second per request


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
        self._sent = 0
        self._seq = 0
        self._next_s = 0.0
        self._log_sum, self._tokens = 0.0, 0

    def start(self) -> Part:
        """The first one, empty: the request was heard."""
        return self._make('', False)

    def grow(self, text: str, probability: float, now_s: float) -> Part | None:
        """The whole text so far; what is new of it if it is time.

        A text that is shorter than before was started again (its telling was stopped for something urgent): nothing
        goes out until it has caught up.
        """
        self._text = text.lstrip()
        if not math.isnan(probability):
            self._log_sum += math.log(max(probability, 1e-30))
            self._tokens += 1
        return self.flush(now_s)

    def flush(self, now_s: float) -> Part | None:
        """What is new since the last piece, if it is time."""
        if now_s < self._next_s:
            return None
        complete = complete_length(self._text)
        if complete > self._sent:
            end, sentence_end = complete, True
        else:
            end, sentence_end = max(self._text.rfind(' '), self._text.rfind('\n')) + 1, False
        if not self._text[self._sent:end].strip():
            return None
        self._next_s = now_s + INTERVAL_S
        return self._make(self._text[self._sent:end], sentence_end)

    @property
    def behind(self) -> bool:
        """There may be something to flush."""
        return len(self._text) > self._sent

    def finish(self, text: str, error_code: int = 0) -> Part:
        """The last one, with all that was not sent yet; after a failure nothing more is said."""
        rest = text.strip()[self._sent:] if error_code == 0 else ''
        return self._make(rest, bool(rest), done=True, error_code=error_code)

    def _make(self, piece: str, sentence_end: bool, done: bool = False, error_code: int = 0) -> Part:
        confidence = math.nan
        if sentence_end and self._tokens:
            confidence = math.exp(self._log_sum / self._tokens)
        if sentence_end:
            self._log_sum, self._tokens = 0.0, 0
        part = Part(self._seq, self._sent, piece, sentence_end, confidence, done, error_code)
        self._seq += 1
        self._sent += len(piece)
        return part
