"""A word letter by letter, for whoever did not catch a name or has to write it down. It knows no sentences."""
from __future__ import annotations

import re
import unicodedata

from dam_ros.core.catalogues import ENGLISH, known, phrase

CAPITAL, AND_MORE = 'capital {letter}', 'and {count} more'
ACCENTED = {'\u0301': '{letter} acute', '\u0300': '{letter} grave', '\u0302': '{letter} circumflex',
            '\u0308': '{letter} with two dots', '\u0303': '{letter} tilde', '\u0327': '{letter} cedilla',
            '\u030a': '{letter} with a ring'}
SIGNS = {"'": 'apostrophe', '-': 'hyphen', '.': 'dot', '/': 'slash', '@': 'at sign', '_': 'underscore',
         '&': 'ampersand', ':': 'colon', '+': 'plus', '#': 'number sign', 'ß': 'sharp S'}
MESSAGES = (CAPITAL, AND_MORE, *ACCENTED.values(), *SIGNS.values())

# Letters that a voice of the language knows the names of.
_NATIVE = {'es': 'áéíóúüñ', 'de': 'äöüß', 'fr': 'àâæçéèêëîïôœùûüÿ'}
_LONGEST = 32     # characters; nobody keeps more in mind
_ASIAN = re.compile('[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+$')
_LONGEST_ASIAN = 4   # there are no spaces that would say where the word begins
_LOOKED_AT = 4000    # characters at the end of a text
_SAME_SIGN = str.maketrans('\u2019\u2010\u2011\u2013', "'---")


def spelled(text: str, language: str) -> str:
    """The last word of a text letter by letter ("B, R, E, A, D."), digits one by one; '' where it has no word.

    Args:
        language: BCP 47 of the voice that says it: what it has no name for (accents, signs) is told in words.
    """
    word = _last_word(unicodedata.normalize('NFC', text[-_LOOKED_AT:]))
    if not word:
        return ''
    mixed = word != word.upper() and word[1:] != word[1:].lower()
    letters = [_letter(one, language, mixed) for one in word[:_LONGEST]]
    if len(word) > _LONGEST:
        letters.append(phrase(AND_MORE, language, count=len(word) - _LONGEST).text)
    return '，'.join(letters) + '。' if known(language) == 'zh' else ', '.join(letters) + '.'


def _last_word(text: str) -> str:
    for token in reversed(text.split()):
        first, last = 0, len(token)
        while last > first and not token[last - 1].isalnum():
            last -= 1
        while first < last and not token[first].isalnum():
            first += 1
        if first < last:
            word = token[first:last].translate(_SAME_SIGN)
            asian = _ASIAN.search(word)
            return asian.group()[-_LONGEST_ASIAN:] if asian else word
    return ''


def _letter(letter: str, language: str, mixed: bool) -> str:
    """What is said for one character. `mixed`: small and capital letters are told apart."""
    native = _NATIVE.get(known(language) or ENGLISH, '')
    if letter in SIGNS and letter not in native:
        return phrase(SIGNS[letter], language).text
    shown = letter if letter == 'ß' else letter.upper()
    base, *marks = unicodedata.normalize('NFD', shown)
    if letter.lower() not in native and marks and marks[0] in ACCENTED:
        shown = phrase(ACCENTED[marks[0]], language, letter=base).text
    return phrase(CAPITAL, language, letter=shown).text if mixed and letter.isupper() else shown
