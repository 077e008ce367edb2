"""Words as a reader found them, and the text they make. It knows no program and no picture."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import unicodedata

_LONE = '&+%€$£@#§°'   # signs that stand alone on labels; other lone signs are edges and stains that look like some


@dataclass(frozen=True)
class Word:
    """One word of a picture.

    Attributes:
        line: (block, paragraph, line), in reading order.
        confidence: 0..1 as the reader gives it.
        height_px: of its box.
    """

    text: str
    line: tuple[int, int, int]
    confidence: float
    height_px: int = 0

    @property
    def letters(self) -> int:
        return sum(one.isalnum() for one in self.text)


@dataclass(frozen=True)
class Reading:
    """What was read.

    Attributes:
        text: '' where nothing is legible.
        confidence: 0..1, mean of the words'; NaN without any.
        language: BCP 47, '' = several.
        model: the program's version and its languages.
    """

    text: str
    confidence: float
    language: str
    model: str


def legible(words: Sequence[Word], least: float) -> list[Word]:
    """Those that count, without the bars that an edge beside a word becomes."""
    stripped = [Word(one.text.strip('|_~\\`\u00a6\u2014'), one.line, one.confidence, one.height_px) for one in words]
    return [one for one in stripped if one.confidence >= least and (one.letters or one.text and one.text in _LONE)]


def confidence_of(words: Sequence[Word]) -> float:
    return sum(one.confidence for one in words) / len(words) if words else float('nan')


def text_of(words: Sequence[Word]) -> str:
    """Plain text in reading order: lines of a paragraph are joined, paragraphs are lines."""
    paragraphs: dict[tuple[int, int], str] = {}
    previous: Word | None = None
    for word in words:
        so_far = paragraphs.get(word.line[:2], '')
        new_line = previous is not None and previous.line != word.line
        if new_line and _is_divided(so_far, word.text):
            paragraphs[word.line[:2]] = so_far[:-1] + word.text
        else:
            gap = '' if not so_far or _without_spaces(so_far[-1], word.text[0]) else ' '
            paragraphs[word.line[:2]] = so_far + gap + word.text
        previous = word
    return '\n'.join(paragraphs.values())


def _is_divided(line: str, following: str) -> bool:
    """A word that goes on in the next line."""
    return line[-1:] in '-\u00ad\u2010' and line[-2:-1].isalpha() and following[:1].islower()


def _without_spaces(before: str, after: str) -> bool:
    """Between Chinese and Japanese characters none is written."""
    return all(unicodedata.east_asian_width(one) in 'WF' and not '\uac00' <= one <= '\ud7a3' for one in (before, after))
