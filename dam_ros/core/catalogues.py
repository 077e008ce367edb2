"""What the system says, in the language of whoever listens: messages are looked up in catalogues of gettext.

The English text is the key. Catalogues lie in `dam_ros/data/locale` and are written by `scripts/write_catalogues`; none
but English was reviewed by a native speaker. It does not know which messages there are.
"""
from __future__ import annotations

from functools import lru_cache
import gettext
from pathlib import Path
from typing import NamedTuple

DOMAIN = 'dam_ros'
FOLDER = Path(__file__).resolve().parent.parent / 'data' / 'locale'
ENGLISH = 'en'
LANGUAGES = (ENGLISH, 'es', 'de', 'fr', 'zh')
_COMMA = ('es', 'de', 'fr')   # 0,2 and not 0.2


class Worded(NamedTuple):
    """Words and the language they are in (one of LANGUAGES), which need not be the one that was asked for."""

    text: str
    language: str


def known(language: str) -> str:
    """The one of LANGUAGES that a BCP 47 tag means (de-AT: de), '' where it means none of them."""
    first = language.replace('_', '-').split('-')[0].casefold()
    return first if first in LANGUAGES else ''


def translate(message: str, language: str) -> Worded:
    """A message in this language (BCP 47); in English where there is no catalogue, or none with this message."""
    one = known(language)
    if one in ('', ENGLISH):
        return Worded(message, ENGLISH)
    text = _catalogue(one).gettext(message)
    return Worded(text, one) if text else Worded(message, ENGLISH)


def phrase(message: str, language: str, **values: object) -> Worded:
    """A message in this language with its values filled in; decimals are written as people there write them.

    Args:
        message: English, one of `phrases.every_phrase()`.
        values: what stands in braces in the message: text, whole numbers, or decimals (said with one digit).
    """
    text, spoken = translate(message, language)
    shown = {name: number(one, spoken) if isinstance(one, float) else one for name, one in values.items()}
    return Worded(text.format(**shown) if values else text, spoken)


def number(value: float, language: str) -> str:
    """With one digit after the point, or the comma where people use that."""
    text = f'{value:.1f}'
    return text.replace('.', ',') if known(language) in _COMMA else text


def joined(parts: list[Worded]) -> Worded:
    """Several sentences of one language as one text; of several languages: the tag of the first."""
    language = parts[0].language if parts else ENGLISH
    return Worded(('' if language == 'zh' else ' ').join(one.text for one in parts), language)


class _Untranslated(gettext.NullTranslations):
    """Says '' of what a catalogue does not have: some translations equal their message."""

    def gettext(self, message: str) -> str:
        return ''


@lru_cache(maxsize=len(LANGUAGES))
def _catalogue(language: str) -> gettext.NullTranslations:
    try:
        found = gettext.translation(DOMAIN, FOLDER, [language])
    except OSError:   # there is none, or it cannot be read: English words are better than none
        return _Untranslated()
    found.add_fallback(_Untranslated())
    return found
