"""What a model quotes was read off a picture, and models read badly: it is announced as uncertain.

It knows quotation marks and the word for the announcement, nothing of what stands between them.
"""
from __future__ import annotations

from collections.abc import Iterator
import re

from dam_ros.core.catalogues import phrase
from dam_ros.core.phrases import TEXT_PERHAPS

# Opening mark: what may close it. A straight one and those that some languages use the other way round need care.
_CLOSING = {'"': '"\u201d\u201c', '\u201c': '\u201d"', '\u201d': '\u201d', '\u201e': '\u201c\u201d"',
            '\u00ab': '\u00bb', '\u00bb': '\u00ab', '\u2039': '\u203a', '\u203a': '\u2039', '\u300c': '\u300d',
            '\u300e': '\u300f', '\uff02': '\uff02', '\u2018': '\u2019', '\u201a': '\u2018\u2019', "'": "'"}
_SINGLE = "\u2018\u201a'"
_ASIAN = '\u300c\u300e\u201c\uff02'   # need no space before them
_OPENS = re.compile(r'([' + ''.join(_CLOSING) + r'])(?!\1)(?=\S)|[\u00ab\u2039](?=[ \u00a0\u202f]\S)')
_CLOSES = {mark: re.compile(rf'(?<=\S)[{ends}](?![^\W_])' if mark in _SINGLE else f'[{ends}]')
           for mark, ends in _CLOSING.items()}   # a single mark within a word is an apostrophe
_LONGEST_SINGLE = 200   # characters; further apart two single marks are apostrophes
_NOT_OPENING = re.compile(r"'(?:\d|n'|til\b|em\b|cause\b|tis\b)", re.IGNORECASE)
# What stands between two quotes of one list.
_LINKS = re.compile(r'(?:\s|[,;/&、和与及]|\b(?:and|or|y|o|e|und|oder|et|ou)\b){0,8}')
_NEAR = 40   # characters: longer than any announcement, and than what links quotes of a list


def hidden(text: str, mark: str) -> tuple[str, list[str]]:
    """The text with `mark` in place of each quotation, and these: ('It reads X.', ['"STOP"'])."""
    ranges = list(_quotations(text))
    starts = [0, *(end for _, end in ranges)]
    plain = [text[start:end] for start, end in zip(starts, [*(start for start, _ in ranges), len(text)], strict=True)]
    return mark.join(plain), [text[start:end] for start, end in ranges]


def announced(text: str, language: str) -> str:
    """The text with each quotation announced in this language; without quotations it comes back as it is."""
    words, pieces, done = phrase(TEXT_PERHAPS, language).text, [], 0
    for start, end in _quotations(text):
        listed = done and start - done < _NEAR and _LINKS.fullmatch(text, done, start)
        if listed or text[max(0, start - _NEAR):start].rstrip().casefold().endswith(words.casefold()):
            pieces.append(text[done:end])
        else:
            pieces += [_introduced(text[done:start], words), text[start:end]]
        done = end
    return ''.join([*pieces, text[done:]])


def _introduced(before: str, words: str) -> str:
    """What stands before a quotation, with the announcement behind it."""
    asian = words.endswith('\uff1a')
    head, space = before.rstrip(), '' if asian else ' '
    if not head:
        return words[:1].upper() + words[1:] + space
    if head[-1] in '(\uff08[':
        return head + words + space
    head = head.rstrip(',:\uff0c\uff1a \u00a0')
    comma = '' if head[-1:] in '.!?;\u3002' else '\uff0c' if asian else ','
    return head + comma + space + words + space


def _quotations(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each quotation with its marks; one that is not closed reaches to the end of the text."""
    position, closing = 0, {}
    while (match := _OPENS.search(text, position)) is not None:
        start, mark = match.start(), match.group()
        position = start + 1
        if not _may_open(text, start, mark):
            continue
        # The next closing mark is looked for once, not anew from every opening one before it.
        if closing.get(mark, 0) <= start + 1:
            found = _CLOSES[mark].search(text, start + 1)
            closing[mark] = found.end() if found else len(text) + 1
        end = closing[mark]
        if end == start + 2 or mark in _SINGLE and end > start + _LONGEST_SINGLE:
            continue                      # nothing is quoted; an apostrophe
        position = min(end, len(text))
        yield start, position


def _may_open(text: str, start: int, mark: str) -> bool:
    if mark == "'" and _NOT_OPENING.match(text, start):
        return False
    before = text[start - 1:start]
    return mark in _ASIAN or not before or before.isspace() or before in '([{-\u2013\u2014:/,\u3002\uff0c\uff1a'
