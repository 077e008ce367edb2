"""Text as a voice can take it: cut into sentences of bounded length, freed of what is no language.

It knows no voice and no policy. Nothing here interprets markup: tags, entities and dollar signs stay text.
"""
from __future__ import annotations

from dataclasses import dataclass
import re
import unicodedata

from dam_ros.core.text import sentences

LONGEST_SENTENCE = 300   # characters; espeak-ng writes that many within 50 ms, so that the first sound comes soon
# A word of 100,000 characters took espeak-ng 1 s and crashed pyttsx3's process.
_JOINERS = '\u200c\u200d'   # format characters that Indic, Persian and emoji spelling needs
_WORD = re.compile(r'\S{60}')
_PHONEMES = re.compile(r'\[(?=\[)')
_CLAUSE, _SPACE = re.compile(r'[,;:]\s+|[\u3001\uff0c\uff1b]'), re.compile(r'\s+')


@dataclass(frozen=True)
class Sentence:
    """What is spoken in one breath.

    Attributes:
        text: as it was written, 1..LONGEST_SENTENCE characters.
        start, end: its place in the whole text, in characters.
        language: BCP 47, '' = that of the whole text.
        caption: what is shown for it, None = its text, '' = no caption of its own.
        source: the sentence as the describer wrote it, where that is not what is spoken.
    """

    text: str
    start: int
    end: int
    language: str = ''
    caption: str | None = None
    source: str = ''


def cut(text: str, offset: int = 0) -> list[Sentence]:
    """The sentences of a text that have something to pronounce, the long ones in pieces.

    Args:
        offset: place of `text` in a longer one, added to `start` and `end`.
    """
    found, position = [], 0
    for sentence in sentences(text):
        start = text.index(sentence, position)
        position = start + len(sentence)
        found += _pieces(sentence, start + offset)
    return [one for one in found if pronounceable(one.text)]


def pronounceable(text: str) -> bool:
    """Whether a voice would say anything: a letter, a digit or a symbol is there."""
    return any(unicodedata.category(character)[0] in 'LNS' for character in text)


def speakable(text: str) -> str:
    """The text for a synthesizer: no control characters, no endless words, and `[[...]]` is no phoneme input."""
    shown = ''.join(_visible(character) for character in text)
    shown = _WORD.sub(lambda match: match.group() + ' ', shown)
    return ' '.join(_PHONEMES.sub('[ ', shown).split())


def visible(text: str) -> str:
    """The text for a display: without control characters, which a terminal would obey, on one line."""
    return ' '.join(''.join(_visible(character) for character in text).split())


def _visible(character: str) -> str:
    dropped = unicodedata.category(character)[0] == 'C' and character not in _JOINERS
    return ' ' if dropped else character


def _pieces(sentence: str, start: int) -> list[Sentence]:
    pieces = []
    while len(sentence) > LONGEST_SENTENCE:
        length = _last(_CLAUSE, sentence) or _last(_SPACE, sentence) or LONGEST_SENTENCE
        pieces.append(Sentence(sentence[:length], start, start + length))
        sentence, start = sentence[length:], start + length
    return pieces + [Sentence(sentence, start, start + len(sentence))]


def _last(pattern: re.Pattern, sentence: str) -> int:
    """Where the last match within the first LONGEST_SENTENCE characters ends, 0 = none that leaves enough."""
    found = pattern.finditer(sentence, LONGEST_SENTENCE // 2, LONGEST_SENTENCE)
    return max((match.end() for match in found), default=0)
