"""Sentences and their lengths. It knows no describer and no voice."""
from __future__ import annotations

import re

BRIEF_WORDS = 12   # what Description.brief promises
_ABBREVIATIONS = ('e.g.', 'i.e.', 'etc.', 'approx.', 'ca.', 'vs.', 'no.', 'nr.', 'dr.', 'mr.', 'mrs.', 'ms.', 'st.',
                  'prof.', 'fig.', 'z.b.', 'd.h.', 'bzw.', 'usw.')
_NEAR = 32   # characters; longer than any abbreviation
_END = re.compile(r'[.!?]+["\')\]\u201d\u2019]*(?=\s|$)|[\u3002\uff01\uff1f]')
_CLAUSE = re.compile(r'[,;:]\s|\s[-\u2013\u2014]\s|\s(?=(?:and|with|which|that|while|where|but)\s)')


def sentences(text: str) -> list[str]:
    """The sentences of a text without the white space around them; an unfinished last one counts."""
    found, start = [], 0
    for match in _END.finditer(text):
        if _ends_here(text, start, match):
            found.append(text[start:match.end()].strip())
            start = match.end()
    rest = text[start:].strip()
    return [one for one in (*found, rest) if one]


def complete_length(text: str) -> int:
    """How many leading characters of a growing text are whole sentences (0 where none is finished).

    The last sentence counts only once something follows its full stop, as "1." may become "1.5".
    """
    length = start = 0
    for match in _END.finditer(text):
        followed = match.end() < len(text) or match.group()[0] in '\u3002\uff01\uff1f'
        if followed and _ends_here(text, start, match):
            length = start = match.end()
    return length


def whole_sentences(text: str) -> str:
    """What is finished of a text that was cut off: its leading whole sentences, perhaps ''."""
    length = start = 0
    for match in _END.finditer(text):
        if _ends_here(text, start, match):
            length = start = match.end()
    return text[:length].strip()


def brief_of(text: str) -> str:
    """The first sentence; where it is longer than BRIEF_WORDS words it is cut at a clause boundary, else hard."""
    first = next(iter(sentences(text)), '')
    if len(first.split()) <= BRIEF_WORDS:
        return first
    cut = ''
    for match in _CLAUSE.finditer(first):
        head = first[:match.start()]
        if len(head.split()) > BRIEF_WORDS:
            break
        cut = head if len(head.split()) >= 3 else cut
    cut = cut or ' '.join(first.split()[:BRIEF_WORDS])
    cut = cut.rstrip(' \t\n,;:-\u2013\u2014')
    return cut if cut.endswith('.') else cut + '.'   # it may end with an abbreviation


def _ends_here(text: str, start: int, match: re.Match) -> bool:
    # Only its surroundings are looked at: of a text full of abbreviations each full stop would copy everything.
    word = text[max(start, match.end() - _NEAR):match.end()].split()
    last = word[-1].lower().lstrip('("\'[') if word else ''
    if last in _ABBREVIATIONS or re.fullmatch(r'[a-z]\.', last):
        return False
    rest = text[match.end():match.end() + _NEAR].lstrip()
    return not (match.group().startswith('.') and rest[:1].islower())
