"""Sentences and their lengths. It knows no describer and no voice."""
from __future__ import annotations

import re

from dam_ros.core.shortening import shortened

BRIEF_WORDS = 12   # what Description.brief promises
# Always within a sentence: what follows belongs to it. Those of one letter and a full stop each need no list.
_WITHIN = frozenset('approx aprox ca vs dr mr mrs ms prof fig bzw sr sra dra ud uds mme mlle hr evtl ggf vgl abb nr '
                    'núm pág env ej ex e.g i.e z.b d.h u.a s.o s.u o.ä p.ej p.ex c.-à-d cf'.split())
# Sometimes at its end: there it is one where a word follows that often begins a sentence.
_PERHAPS_LAST = frozenset('etc usw inc ltd corp jr st ste mt ave blvd rd a.m p.m u.s u.k u.s.a e.u uu ee'.split())
_BEGINNERS = frozenset("""the a an this that these those there it its he she they we you i in on at to from with his
    her their one two three some many several both if when while as and but no yes not next el la los las un una
    unos unas lo es está hay en se su sus al este esta y o tiene der die das ein eine es er sie im am auf ist sind
    hat daneben dahinter le les une des il elle ils elles c'est ce cette dans sur on""".split())
# am 3. Mai, im 2. Stock
_ORDINAL_AFTER = frozenset('am im der die das dem den des vom zum zur beim ab bis seit'.split())
_INITIAL, _DOTTED = re.compile(r'[a-zäöü]\.'), re.compile(r'(?:[^\W\d_]\.)+[^\W\d_]')
_NEXT_WORD = re.compile(r"\s*([^\W\d_]+(?:'[^\W\d_]+)?)([^\w']|$)")
# Often within a sentence, sometimes at its end: what follows decides.
_SHORTENED = frozenset('abs adj apr aug ave avg blvd cap cf cm co col corp dec dept dim dist ed est excl evtl feb ft '
                       'gal gen gov hrs in inc incl inkl jan jr jul jun kg km lat lb lbs ltd max mfg min mio misc mm '
                       'mon mrd mt nov oct orig oz pat pp qty rd rel resp rev sat sec sep sept sq sr str sun tel '
                       'temp thu tue univ vol wed wt yd yr'.split())
_ORDINARY = re.compile(r'[^\W\d_]{2,}')
_NEAR = 32   # characters; longer than any abbreviation
# Full stops and the like before white space (a run is looked at once), those of Asian scripts, the next line of a list.
_END = re.compile(r'(?<![.!?\u2026])[.!?\u2026\u061f\u06d4\u0964]+["\')\]\u201d\u2019\u00bb\u201c]*'
                  r'(?:[ \u00a0\u202f]\u00bb)?(?=\s|$)'
                  r'|[\u3002\uff01\uff1f\uff61]+["\'\u201d\u2019\u300d\u300f\uff09]*|(?<![!?])[!?]+(?=[\u3400-\u9fff])'
                  r'|\n(?=[ \t]{0,8}(?:[-*+\u2022]|\d{1,2}[.)])[ \t])|\n[ \t]{0,8}\n')
_ASIAN = '\u3002\uff01\uff1f\uff61\n'   # need nothing behind them


def sentences(text: str) -> list[str]:
    """The sentences of a text without the white space around them; an unfinished last one counts."""
    ends = ends_within(text, final=True)
    found = [text[start:end].strip() for start, end in zip([0, *ends], [*ends, len(text)])]
    return [one for one in found if one]


def ends_within(text: str, start: int = 0, whole_words: bool = False, final: bool = False) -> list[int]:
    """Where the sentences of a growing text end, as far as that is known, in characters.

    A full stop that nothing follows yet may be in the middle: "1." becomes "1.5", "example." "example.com", "max."
    goes on. It is an end where what follows is sure to begin a new word, and the word before it is no shortened one.

    Args:
        start: where a sentence begins; those before are not looked at.
        whole_words: the text does not end within a word.
        final: nothing more comes.
    """
    found = []
    for match in _END.finditer(text, start):
        followed = match.group()[0] in _ASIAN or _is_followed(text, match)
        sure = followed or final or (whole_words and _surely_ends(text, match))
        if sure and _ends_here(text, start, match, final):
            start = match.end()
            found.append(start)
    return found


def complete_length(text: str, final: bool = False) -> int:
    """How many leading characters of a growing text are whole sentences (0 where none is finished)."""
    return (ends_within(text, final=final) or [0])[-1]


def whole_sentences(text: str) -> str:
    """What is finished of a text that was cut off: its leading whole sentences, perhaps ''."""
    return text[:complete_length(text, final=True)].strip()


def brief_of(text: str) -> str:
    """The first sentence; where it is longer than BRIEF_WORDS words it is shortened."""
    return shortened(next(iter(sentences(text)), ''), BRIEF_WORDS)


def _ends_here(text: str, start: int, match: re.Match, final: bool) -> bool:
    # Only its surroundings are looked at: of a text full of abbreviations each full stop would copy everything.
    mark, rest = match.group(), text[match.end():match.end() + _NEAR]
    if mark[0] == '\n':
        return bool(text[max(start, match.start() - _NEAR):match.start()].strip())
    goes_on = rest.lstrip()[:1].islower()
    if mark[0] not in '.\u2026' or mark[1:2] == '.':
        return not (goes_on and mark[-1] not in '!?')   # wait... what; it reads "Stop!" and
    return not goes_on and _may_end(text[max(start, match.end() - _NEAR):match.start()].split(), rest, final,
                                    begins=match.end() - start < _NEAR)


def _may_end(words: list[str], rest: str, final: bool, begins: bool) -> bool:
    """Whether a full stop behind these words ends a sentence, and not only an abbreviation or a number.

    Args:
        words: those before it, as many as are near.
        rest: what follows, '' nothing.
        begins: the first of them is the first of the sentence.
    """
    last = words[-1].lower().lstrip('("\'[\u201c\u2018\u201e\u00ab') if words else ''
    before, following = words[-2] if len(words) > 1 else '', rest.strip()[:1]
    initial, counted = len(last) == 1 and last.isalpha(), before[:1].isdigit()
    if last in _WITHIN or initial and _INITIAL.fullmatch(before):
        return False                        # Mr., z. B.
    if last.isdigit() and len(words) == 1 and begins:
        return final and not following      # an item of a list
    if initial and counted:
        return True                         # a unit: 5 m.
    ordinal = last.isdigit() and len(last) <= 3 and before.lower() in _ORDINAL_AFTER
    if initial or ordinal or last in _PERHAPS_LAST or _DOTTED.fullmatch(last):
        return _begins_sentence(rest, final) if following else final
    if (last in _SHORTENED or last == 'no') and (following.isdigit() or not counted):
        return not following.isdigit() and bool(following or final)   # No. 5, Jan. 5; the answer is no.
    return True


def _begins_sentence(rest: str, final: bool) -> bool:
    """Whether the next word is one that often begins a sentence; one that may still grow is not."""
    word = _NEXT_WORD.match(rest)
    whole = word is not None and (word.group(2) != '' or final)
    return whole and word.group(2) != '.' and word.group(1)[0].isupper() and word.group(1).lower() in _BEGINNERS


def _is_followed(text: str, match: re.Match) -> bool:
    """By anything; of several full stops the next word has to be there, as only that tells whether they end it."""
    hesitates = match.group()[0] == '\u2026' or match.group()[1:2] == '.'
    rest = text[match.end():match.end() + _NEAR]
    return bool(rest.strip() if hesitates else rest)


def _surely_ends(text: str, match: re.Match) -> bool:
    """Whether it is an end although nothing follows yet: `!` and `?`, and a full stop after an ordinary word."""
    if not match.group().startswith('.'):
        return True
    word = text[max(0, match.start() - _NEAR):match.start()].split()
    last = word[-1].lower().lstrip('("\'[\u201c\u2018') if word else ''
    single = match.group()[1:2] != '.'   # "wait..." goes on
    return single and _ORDINARY.fullmatch(last) is not None and last not in _SHORTENED
