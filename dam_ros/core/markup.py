"""Takes the marks of Markdown and HTML, and emoji, out of a model's text and keeps its words.

For what models write only: what a person sends to be said is text, marks and all. It knows no language.
"""
from __future__ import annotations

import html
import re

# Of HTML and SSML; those of others are known by their attributes or by their ends.
_NAMES = ('(?:a|abbr|b|big|blockquote|body|br|code|dd|div|dl|dt|em|font|h[1-6]|head|hr|html|i|img|ins|kbd|li|mark|ol|p'
          '|pre|s|small|span|strong|sub|sup|table|tbody|td|th|tr|tt|u|ul'
          '|audio|break|desc|emphasis|lang|lexicon|metadata|phoneme|prosody|say-as|speak|token|voice|w)')
_ATTRIBUTE = r'\s+[A-Za-z_][\w:.-]{0,40}\s{0,3}='
# Every alternative stops at the next "<", so that a text of tags without ends takes no longer than any other.
_QUOTED = '(?:"[^"<]{0,300}"|\'[^\'<]{0,300}\')'
_REST = rf'(?:(?:[^<>"\']{{0,100}}{_QUOTED}){{0,9}}[^<>"\']{{0,100}}|[^<>]{{0,300}})'
# Of a tag that was never closed its attributes are the rest of it: what follows them is text.
_ATTRIBUTES = rf'(?:{_ATTRIBUTE}\s{{0,3}}(?:{_QUOTED}|[^\s<>"\']{{1,300}}|["\'][^<>"\']{{0,300}}$)){{1,9}}\s{{0,3}}/?'
_TAG = re.compile(rf'<{_NAMES}\s{{0,3}}/?>|<[A-Za-z][\w:.-]{{0,40}}\s{{0,3}}/>|</[A-Za-z][\w:.-]{{0,40}}\s{{0,3}}>?'
                  rf'|<[A-Za-z][\w:.-]{{0,40}}(?={_ATTRIBUTE}){_REST}>|<[A-Za-z][\w:.-]{{0,40}}{_ATTRIBUTES}'
                  rf'|</?(?=\w\w){_NAMES}\s{{0,3}}/?$', re.IGNORECASE)
_DECLARED = re.compile(r'<!--[^<]{0,300}?-->|<\?[A-Za-z][^<>]{0,300}>|<!doctype\b[^<>]{0,300}>|<\|[^<>|]{1,40}\|>'
                       rf'|<\?[A-Za-z][\w-]{{0,40}}(?:{_ATTRIBUTES})?|<!--|--!?>|<!\[CDATA\[|\]\]>', re.IGNORECASE)
_BREAKS = re.compile(r'</?(?:p|li|div|t[dhr]|h[1-6r]|break)\b|<br\b', re.IGNORECASE)   # stand between words
_SPACES = re.compile('  +')
_ENTITY = re.compile(r'&(?:[a-zA-Z]{2,8}|#\d{1,6}|#x[0-9a-fA-F]{1,5});')
_LINE = re.compile(r'(?m)^[ \t]{0,8}(?:#{1,6}|[-*+\u2022\u25aa\u2013]|>)[ \t]+')
_FENCE = re.compile(r'(?<!`)`{3}[a-z]{0,12}(?=\s|$)|(?<!~)~~(?!~)')
_LINK = re.compile(r'!?\[([^\[\]\n]{1,300})\]\([^()\s]{1,300}(?:\s"[^"\n]{0,100}")?\)')
_STARS = re.compile(r'(?<!\*)\*+')
_UNDERSCORES = re.compile(r'(?<!\w)_+(?=[^\W_])|(?<=[^\W_])_+(?!\w)|(?<=[.!?,])_+(?!\w)')
_EMOJI = re.compile('[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff]'
                    '[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\ufe0f\u200d\u20e3\U000e0020-\U000e007f]*|[\ufe0f\u20e3]')
_CLOSING = '.,;:!?)]}"\u201d\u2019\u3002\uff0c\uff01\uff1f'


def without_markup(text: str) -> str:
    """The words of a sentence; one without marks comes back as it is. Takes time in proportion to its length."""
    if '<' in text or '>' in text:
        freed = _TAG.sub(_in_place_of_tag, _DECLARED.sub('', text))
        text = _SPACES.sub(' ', freed) if freed != text else text
    text = _FENCE.sub('', _LINE.sub('', text))
    if '](' in text:
        text = _LINK.sub(r'\1', text)
    text = _UNDERSCORES.sub('', _STARS.sub(_in_place_of_stars, text))
    text = text.replace('`', '')
    if '&' in text:
        text = _ENTITY.sub(lambda match: html.unescape(match.group()), text)
    return _without_emoji(text)


def _in_place_of_tag(match: re.Match) -> str:
    return ' ' if _BREAKS.match(match.group()) else ''


def _in_place_of_stars(match: re.Match) -> str:
    """3 * 4 and 3*4 are sums; elsewhere stars mark something."""
    before, after = match.string[match.start() - 1:match.start()], match.string[match.end():match.end() + 1]
    between = all(one and (one.isspace() or one.isdigit()) for one in (before, after))
    return match.group() if between and len(match.group()) == 1 else ''


def _without_emoji(text: str) -> str:
    first, *rest = _EMOJI.split(text)
    if not rest:
        return text
    joined = [first]
    for part in rest:
        before, after = joined[-1].rstrip(' '), part.lstrip(' ')
        apart = before != joined[-1] or after != part
        joined[-1] = before
        joined.append((' ' if before and apart and after[:1] not in _CLOSING else '') + after)
    return ''.join(joined)
