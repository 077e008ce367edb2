"""Takes out of a model's sentence the words that say how certain it is: what models say of pictures is often wrong.

Words of doubt stay. It knows neither quotations nor who speaks, and tries every language, whatever the text is said
to be in.
"""
from __future__ import annotations

import re

# Words that stand between "is" and "certain", but those that make doubt of it: "rarely clear", "almost certain".
_VERY = (r'(?:(?!(?:not|less|hardly|barely|scarcely|never|rarely|seldom|sometimes|partly|almost|nearly|fairly|pretty'
         r'|half|reasonably|relatively|somewhat|moderately|only|nicht|weniger|nie|kaum|selten|fast|ziemlich|einigermaßen'
         r'|relativ|pas|peu|moins|presque|assez|plutôt|rarement|menos|poco|casi|bastante|nunca|raramente)\b)\w+ )?')
# What is said in front of a sentence and leaves a whole one behind; an expression a line, <very> stands for an adverb.
_OPENINGS = r"""
    I(?: am|['’]m) (?:100 ?(?:%|percent) |<very>)(?:certain|sure|confident|positive|convinced)(?: that|,)?
    I (?:know|can confirm|can guarantee|guarantee|have no doubt|can say with \w+ (?:certainty|confidence))(?: that)
    (?:it|that)(?: is|['’]s) <very>(?:certain|clear|obvious|evident|plain|undeniable|unmistakable|a fact) that
    there (?:is|can be) (?:absolutely )?no (?:doubt|question)(?: whatsoever)? that
    (?:no|without a|without any) doubt that
    estoy <very>(?:segur[oa]|convencid[oa]) de que
    (?:es|está) <very>(?:claro|evidente|obvio|seguro|indudable|innegable|cierto) que
    no (?:hay|cabe) (?:ninguna |la menor )?dudas? (?:alguna )?de que
    (?:puedo afirmar|se puede afirmar)(?: con \w+)? que
    je suis <very>(?:certaine?|sûre?|convaincue?) (?:que |qu['’](?=\w))
    (?:il est|c['’]est) <very>(?:clair|évident|certain|sûr|indéniable) (?:que |qu['’](?=\w))
    il (?:ne fait|n['’]y a) aucun doute (?:que |qu['’](?=\w))
    (?:我|我们)?(?:可以|能|敢|很|非常|完全|百分之百|100 ?%)*(?:肯定|确定|确信|保证)(?:的是)?(?:，|,|(?=[是这那它有一]))
    很?(?:明显|显然|清楚)的是(?:，|,)?"""
# German puts the verb last behind "dass": what follows needs something in front of it.
_GERMAN_OPENINGS = r"""
    ich bin (?:mir )?<very>(?:sicher|gewiss), dass
    es (?:ist|steht) <very>(?:klar|sicher|gewiss|offensichtlich|eindeutig|fest), dass
    es (?:besteht|gibt) (?:gar )?keinen? zweifel(?: daran)?, dass
    (?:ohne zweifel|kein zweifel), dass"""
_GERMAN_FIRST = (r'(?:zweifellos|definitiv|eindeutig|offensichtlich|sicherlich|gewiss|bestimmt|zweifelsohne|sicher'
                 r'|ganz sicher|ganz bestimmt|ohne (?:jeden )?zweifel|mit sicherheit|auf jeden fall)'
                 r'(?= (?:ist|sind|war|hat|haben|zeigt|steht|sitzt|liegt|läuft|handelt|gibt|befindet|trägt|hält)\b)')
# What stands in a sentence, and can be taken out of it.
_WITHIN = {
    'en': r"""(?:very |quite |most |so )?(?:definitely|certainly|clearly|obviously|undoubtedly|unquestionably|surely
        undeniably|unmistakably|indisputably|unambiguously|evidently|absolutely|doubtless|doubtlessly|assuredly)
        beyond (?:a |any |all )?(?:reasonable |shadow of a )?doubts?
        without (?:a |any )?(?:shadow of a )?(?:doubt|question)
        (?<!is )(?<!have )(?<!has )(?<!had )(?<!be )(?<!are )(?<!was )(?<!with )(?<!leaves )no doubt(?: about it)?
        for sure|for certain|of course
        with (?:absolute |complete |full |total |great |high )?(?:certainty|confidence)
        with (?:9[5-9][.\d]*|100) ?(?:%|percent) (?:certainty|confidence)
        (?:guaranteed|certain|sure|bound) to be(?= )|100 ?(?:%|percent)(?= (?:an?|the|sure|certain) )""",
    'es': r"""(?:definitivamente|ciertamente|claramente|obviamente|evidentemente|indudablemente|indiscutiblemente
        inequívocamente|absolutamente|innegablemente)
        sin (?:ninguna |la menor |lugar a )?dudas?(?: alguna)?
        con (?:total |toda |absoluta |plena )(?:certeza|seguridad)
        a ciencia cierta|desde luego|por supuesto|con certeza""",
    'de': r"""(?:definitiv|eindeutig|zweifellos|zweifelsohne|fraglos|sicherlich|gewiss|offensichtlich|unverkennbar
        garantiert|hundertprozentig|ganz sicher|ganz bestimmt|ganz klar|unbestreitbar|selbstverständlich)
        ohne (?:jeden |jeglichen )?zweifel|mit (?:\w+ )?(?:sicherheit|gewissheit|bestimmtheit)|auf jeden fall
        (?:sicher|bestimmt)(?= (?:ein|eine|einen|kein|keine|der|die|das) )|zu (?:100|hundert) ?(?:%|prozent)""",
    'fr': r"""(?:certainement|clairement|évidemment|assurément|manifestement|indubitablement|indéniablement
        incontestablement|définitivement|absolument)|sans (?:aucun |nul |le moindre |l['’]ombre d['’]un )doute
        à n['’]en pas douter|de toute évidence|bien sûr|bien entendu
        avec (?:une )?certitude|à coup sûr|hors de doute""",
    'zh': r"""毫无疑问(?:地)?|毋庸置疑|无疑(?:地)?|显而易见(?:地)?|很明显|显然(?:地)?|当然
        绝对|肯定|明显(?=是)|一定(?=是|有|在)|百分之百(?:地)?(?=是)|100 ?%(?=是)""",
}
# A sentence of nothing else answers a question.
_YES = {'en': 'Yes', 'es': 'Sí', 'de': 'Ja', 'fr': 'Oui', 'zh': '是'}
_NOT = {'not': 'No', 'no': 'No', 'nicht': 'Nein', 'pas': 'Non', '不是': '不是'}
_ALONE = re.compile(r"(?:I(?: am|['’]m) (?:\w+ )?(?:certain|sure|positive|confident)(?: of (?:it|that))?"
                    r"|there is no doubt(?: about it)?|estoy (?:\w+ )?segur[oa]|ich bin (?:mir )?(?:\w+ )?sicher"
                    r"|j['’]en suis (?:\w+ )?(?:sûre?|certaine?)|我(?:很|非常)?(?:确定|肯定))[.!。！]*$", re.IGNORECASE)
# Right before such a word they make doubt of it, or a comparison.
_DOUBTING = re.compile(r'(?:\b(?:more|as|how|too|almost|nearly|fairly|quite|so|not|no|mehr|fast|ziemlich|plus|presque'
                       r'|assez|más|casi|si|tan|tanto)(?: \w+)?\s*$'
                       r'|(?:不|没|未|无法|不能|难以|是否|几乎)(?:能|太|很|敢|够|可以)?$)', re.IGNORECASE)
# Anywhere before it in its clause: "nothing is clearly visible" does not say that nothing is visible.
_DENIED = re.compile(r"\b(?:not|no|none|nobody|nothing|nowhere|neither|nor|never|cannot|hardly|barely|scarcely|rarely"
                     r"|seldom|few|fewer|less|least|without|unless|only|unable|part(?:ial)?ly"
                     r"|(?:hard|difficult|impossible) to|if|whether|fails?|lacks?|too \w+ to"
                     r"|nicht|nichts|nie|niemand\w*|kein\w*|kaum|selten|wenige?|weniger|ohne|weder|nur|ob|schwer"
                     r"|no|nada|nadie|nunca|ningun\w*|ningún|sin|ni|apenas|tampoco|poc[oa]s?|menos|solo|sólo|difícil"
                     r"|ne|pas|rien|(?<!une )(?<!la )(?<!cette )personne|aucune?|jamais|sans|peu|moins|seule?s?"
                     r"|seulement|guère|difficile)\b|n['’](?:t\b|\w)|[不没未无难]|只有", re.IGNORECASE)
# Where another clause begins; "No," answers, and denies nothing of what follows.
_CLAUSE = re.compile(r"[;:.!?。！？；]|^\W*(?:no|nein|non|不|不是)[,，]|[,，]? ?\b(?:but|pero|sino|aber|mais|sondern)\b"
                     r"|但|而是|,(?: and| so| y| und| et)? (?:it|he|she|they|this|there|these|I|es|él|ella|er|sie|das"
                     r"|dies|il|elle|c['’]est|ce)\b|，(?=[这那它他她])", re.IGNORECASE)
_ARTICLE = re.compile(r'\b([Aa])n? $')
_NEAR = 40   # characters
_FAR = 200   # characters; no clause is much longer
HIDDEN = '\ue000'   # stands for words that are none of the sentence's own


def _lines(text: str) -> str:
    return '|'.join(one.strip() for one in text.splitlines() if one.strip())


def _word(expression: str) -> str:
    return rf'(?<!\w)(?:{expression})(?!\w)'


def _several(lines: str) -> str:
    """Of "definitely, certainly" all."""
    one = f'(?:{_lines(lines)})'
    return _word(f'{one}(?:,? (?:and |y |und |et )?{one}){{0,3}}')


_OPENED, _OPENED_GERMAN = (_lines(lines).replace('<very>', _VERY) for lines in (_OPENINGS, _GERMAN_OPENINGS))
_WORDS = re.compile('|'.join(rf'(?P<{language}>{_lines(lines) if language == "zh" else _several(lines)})'
                             for language, lines in _WITHIN.items()), re.IGNORECASE)
_BEGINNING = re.compile(rf'(\W*)(?:(?P<verb_last>{_word(_OPENED_GERMAN)})|(?P<verb_second>{_GERMAN_FIRST})'
                        rf'|(?:{_OPENED})(?:(?=[\s\u3400-\u9fff])|(?<=[\s\'’，：])(?=\w)))\s*', re.IGNORECASE)


def without_certainty(sentence: str) -> str:
    """The sentence without words of certainty; '' where nothing else was in it, one without them as it is."""
    if _ALONE.match(sentence.strip()):
        return ''
    return _within(_begun(sentence))


def _begun(sentence: str) -> str:
    match = _BEGINNING.match(sentence)
    if match is None:
        return sentence
    rest = sentence[match.end():]
    if match.group('verb_last'):
        return f'{match.group(1)}Es scheint, dass {rest}'
    if match.group('verb_second'):
        return f'{match.group(1)}Vermutlich {rest}'
    return match.group(1) + _capital(rest)


def _within(sentence: str) -> str:
    pieces, done, language, begins = [], 0, '', True
    for match in _WORDS.finditer(sentence):
        if _is_doubted(sentence[max(0, match.start() - _FAR):match.start()]):
            continue
        language = match.lastgroup
        pieces.append(sentence[done:match.start()])
        begins = begins and not any(character.isalnum() for character in pieces[-1])
        done = match.end() + _gap(pieces, sentence, match.end(), begins)
    return sentence if not pieces else _finished(''.join([*pieces, sentence[done:]]), language)


def _is_doubted(before: str) -> bool:
    """Whether what stands before a word of certainty turns it around, so that it has to stay."""
    ends = [match.end() for match in _CLAUSE.finditer(before)]
    return _DOUBTING.search(before) is not None or _DENIED.search(before, ends[-1] if ends else 0) is not None


def _gap(pieces: list[str], sentence: str, end: int, begins: bool) -> int:
    """Closes the gap behind the last piece; returns how many characters after `end` go as well.

    Args:
        begins: no word stands before the gap.
    """
    before, rest = pieces[-1], sentence[end:end + _NEAR]
    bare, after = before.rstrip(), rest.lstrip()
    skipped = len(rest) - len(after)
    comma_before, comma_after = bare.endswith((',', '，')), after.startswith((',', '，'))
    if comma_after and (begins or comma_before):
        skipped += 1 + len(after[1:]) - len(after[1:].lstrip())
    if comma_before and (comma_after or not after or after[0] in '.!?。！？;'):
        before = bare[:-1] + (' ' if after[:1].isalnum() or comma_after else '')
    elif not after or not (after[0].isalnum() or after[0] in '"\'“„«‘(' + HIDDEN):
        before = bare
    left = sentence[end + skipped:end + skipped + 1]
    pieces[-1] = _ARTICLE.sub(lambda match: match.group(1) + ('n ' if left.lower() in 'aeiou' else ' '), before)
    return skipped


def _finished(freed: str, language: str) -> str:
    """With a capital, and as an answer where nothing but certainty was in it."""
    words = freed.strip(' \t\n.!?,;:。！？，')
    if not words:
        return _YES[language] + ('。' if language == 'zh' else '.')
    if words.casefold() in _NOT:
        return _NOT[words.casefold()] + ('。' if language == 'zh' else '.')
    return _capital(freed.lstrip(' \t\n.!?,;:。！？，'))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
