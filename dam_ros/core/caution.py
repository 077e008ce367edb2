"""What must never be said, and what is asked that no picture can answer: safety, a free way, certainty, orders to move.

In doubt it is silent: a description that is not volunteered can still be asked for. It does not know who speaks, and
every list is tried whatever language a text says it is in.
"""
from __future__ import annotations

import re

from dam_ros.core import caution_words as words
from dam_ros.core.caution_questions import QUESTIONS

_LONGEST = 10_000   # characters that are looked at; no question and no sentence is longer
_NAME = re.compile(r'<([^<>=!]+)>')


def asks_about_safety(question: str) -> bool:
    """Whether a question is about crossing, traffic lights, safety, what may be eaten, or medicine."""
    return _ASKED.search(_plain(question)) is not None


def claims_safety(sentence: str) -> bool:
    """Whether a model's sentence says that something is safe or a way free, or tells somebody to move."""
    return _CLAIMED.search(_DENIED.sub(' ', _plain(sentence))) is not None


def banned_in(text: str, language: str) -> list[str]:
    """What the system must not say itself, of what is in a text of one of the languages of the catalogues."""
    return [match.group() for match in _BANNED[language].finditer(_plain(text))]


def _plain(text: str) -> str:
    return ' '.join(text[:_LONGEST].replace('\u2019', "'").split())


def _compiled(lines: str) -> re.Pattern:
    """One expression that finds what any of the lines finds."""
    return re.compile('|'.join(f'(?:{_NAME.sub(_group, one)})' for one in _lines(lines)), re.IGNORECASE)


def _group(match: re.Match) -> str:
    return '(?:' + '|'.join(_lines(words.GROUPS[match.group(1)])) + ')'


def _lines(text: str) -> list[str]:
    return [one.strip() for one in text.splitlines() if one.strip()]


def _whole_words(lines: str) -> str:
    return '\n'.join(rf'(?<!\w)(?:{one})(?!\w)' for one in _lines(lines))


_ASKED, _CLAIMED, _DENIED = _compiled(QUESTIONS), _compiled(words.CLAIMS), _compiled(words.DENIED)
_BANNED = {language: _compiled(lines if language == 'zh' else _whole_words(lines))
           for language, lines in words.BANNED.items()}
