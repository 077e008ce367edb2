"""Which things and living beings a description names, so that one that came along is news. It knows no grammar: what
an article or a number introduces is a thing, and the names of people, animals and vehicles are a list."""
from __future__ import annotations

from collections.abc import Callable, Collection
import re

from dam_ros.core.likeness_words import BEINGS, EMPTY, INTRODUCES, PARTS

_TOKEN = re.compile(r'[^\W_]+|[.;:!?()]')   # no comma: a large, wide, black box
_HAN = '\u3400'
_WORDS_AT_MOST = 4   # of a thing's name: a very small brown dog
_INTRODUCES = {language: frozenset(words.split()) for language, words in INTRODUCES.items()}
_EMPTY = {language: frozenset(words.split()) for language, words in EMPTY.items()}
_FAMILIES = {language: tuple(frozenset(family.split()) for family in families) for language, families in BEINGS.items()}


def things(text: str, language: str, stem: Callable[[str], str]) -> list[frozenset[str]]:
    """Each thing that a text introduces, as the stems of its words; living beings and vehicles with other names for
    them.

    Args:
        text: in small letters.
        language: one of the catalogues'.
    """
    found = [frozenset(map(stem, words)) for words in _introduced(text, language)]
    parts = {stem(part) for part in PARTS.get(language, '').split()}
    words = set(text) if language == 'zh' else set(_TOKEN.findall(text))
    families = [frozenset(map(stem, family)) for family in _FAMILIES[language] if family & words]
    return [thing for thing in found if not thing & parts] + families


def brings(new: Collection[frozenset[str]], known: Collection[str]) -> bool:
    """Whether one of these things has no word among those that are known; of Chinese words, each character counts."""
    known = {*known, *''.join(word for word in known if word > _HAN)}
    return any(thing.isdisjoint(known) for thing in new)


def _introduced(text: str, language: str) -> list[list[str]]:
    """The words after each article or number, up to the next word that carries nothing."""
    found: list[list[str]] = []
    name: list[str] | None = None
    for token in _TOKEN.findall(text):
        if token in _INTRODUCES[language]:
            name = []
        elif name is not None and token in _EMPTY[language] and not name:
            continue
        elif name is not None and (token in _EMPTY[language] or not token[0].isalnum()):
            name = None
        elif name is not None and len(name) < _WORDS_AT_MOST:
            if not name:
                found.append(name)
            name.append(token)
    return found
