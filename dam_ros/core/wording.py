"""A sentence of a describer as a person says it: the thing first, without marks, units in words, quotes announced.

What anybody else wants said is text and stays as it was written. It knows no voice and no policy.
"""
from __future__ import annotations

import re

from dam_ros.core.catalogues import ENGLISH
from dam_ros.core.certainty import HIDDEN, without_certainty
from dam_ros.core.markup import without_markup
from dam_ros.core.quoting import announced, hidden
from dam_ros.core.units import spoken_numbers

_LEADS_AT_MOST = 4        # one after the other: "Sure, in this image we can see ..."
_LOOKED_AT = 200          # characters; no lead-in is longer

# Verbs of seeing, and what there is at the beginning of an answer before the thing itself. IGNORECASE holds for all.
_GAP = (r'(?:[,:]?\s+(?:for (?:example|instance)|among (?:other things|others)|e\.g\.|por ejemplo|entre otras cosas'
        r'|zum Beispiel|beispielsweise|unter anderem|z\. ?B\.|par exemple|entre autres(?: choses)?)[,:]?\s+|:?\s+)')
_EN_NOUN = ('(?:image|picture|photo|photograph|scene|frame|view|video|clip|screenshot|snapshot|shot)'
            '(?: (?:that )?(?:you (?:have )?(?:sent|provided|shared|uploaded)|provided|above))?')
_EN_KIND = ('(?:close-up |closeup |cropped |colou?r |detailed |zoomed[- ]in |black[- ]and[- ]white |clear )?'
            '(?:close-up|closeup|image|picture|photo|photograph|snapshot|screenshot|shot|scene|view|frame)')
_EN_OF = '(?:of|showing|depicting|featuring|that (?:shows|depicts|features))'
_EN_THE = '(?:the|this|that|your)(?: provided| given| attached| uploaded)?'
_EN_REGION = ('(?:highlighted|masked|selected|marked|specified|outlined|indicated) '
              '(?:region|area|object|part|section|item)')
_EN_SHOWS = ('(?:also )?(?:shows|depicts|displays|features|contains|captures|presents|illustrates|portrays|showcases'
             '|includes|reveals|focuses on|(?:appears|seems) to (?:show|depict|be of)|is of'
             '|is (?:showing|depicting|displaying))')
_EN_SEE = ('(?:(?:we|you|I|one) (?:can |could |may )?(?:also )?(?:see|observe|notice|make out|spot)'
           '|(?:we|you|I) (?:are|am) (?:looking at|seeing|viewing))')
_EN_THING = r'(?=(?:an?|the|one|two|three|four|some|several|many|what (?:appears|seems|looks))\s)'
_ES_NOUN = '(?:imagen|foto|fotografía|escena|vista|vídeo|video|captura)'
_ES_SHOWS = '(?:muestra|presenta|representa|contiene|enseña|capta|retrata|parece mostrar|es de)'
_ES_SEE = ('(?:se (?:puede |pueden )?(?:ve|ven|ver|observa|observan|observar|aprecia|aprecian|apreciar|muestran?)'
           '|(?:podemos |puedo |puedes )(?:ver|observar)|vemos|veo|observamos|aparecen?)')
_ES_THING = r'(?=(?:una?|unos|unas|el|la|los|las|dos|tres|varios|varias)\s)'
_DE_NOUN = '(?:Bild|Foto|Szene|Aufnahme|Ausschnitt|Video|Abbildung)'
_DE_ON = f'(?:auf|in) (?:dem|diesem|der|dieser) {_DE_NOUN}'
_DE_A = '(?=(?:ein|eine|einen|der|die|das|den|zwei|drei|mehrere) )'
_DE_SEE = '(?:sieht man|sehen wir|sehe ich|erkennt man|ist|sind|befindet sich|befinden sich|gibt es)'
_FR_NOUN = '(?:image|photo|photographie|scène|vue|vidéo)'
_FR_SHOWS = '(?:montre|représente|présente|contient|illustre|semble (?:montrer|représenter))'
_FR_SEE = ('(?:on (?:peut )?(?:voit|voir|observe|observer|aperçoit|apercevoir|distingue)'
           '|nous (?:pouvons )?(?:voyons|voir|observons|observer)|je vois|(?:se trouve|apparaît)(?:nt)?)')
_FR_THING = r'(?=(?:une?|des|le|la|les|deux|trois|plusieurs)\s)'
_ZH_ON = '(?:从|在)?(?:这张|这幅|该|此|本)?(?:图片|照片|图像|画面|图|影像|视频)'
_ZH_SEE = '(?:可以看到|能看到|可以看见|看到|看见)'
_ZH_SHOWS = f'(?:{_ZH_SEE}|显示了|显示|展示了|展示|描绘了|描绘|呈现了|呈现|有|是)'
_LEADS = (
    # English
    r'(?:sure|certainly|of course|okay|ok|absolutely)(?: thing)?[,!.:]\s+(?=\w+\s)',
    r'(?:description|caption|answer)\s?:\s+',
    r"here(?:['’]s| is) (?:a|the|my) (?:\w+ )?(?:description|caption)(?: of [^:.]{1,60})?\s?:\s+",
    rf'(?:in|within|on|from) {_EN_THE} {_EN_NOUN}(?:,? (?:there (?:is|are)|{_EN_SEE}){_GAP}|,\s+)',
    rf'(?:based on|judging (?:by|from)|looking at|as (?:seen|shown) in|according to) {_EN_THE} {_EN_NOUN},\s+',
    rf'{_EN_THE} {_EN_NOUN} {_EN_SHOWS}{_GAP}',
    rf'(?:(?:this|here|it|that)(?: is|[\'’]s)|{_EN_THE} {_EN_NOUN} is|(?:this|it) (?:appears|seems) to be)'
    rf' (?:an?|the) {_EN_KIND} {_EN_OF}{_GAP}',
    rf'{_EN_THE} {_EN_REGION}(?: (?:in|of) {_EN_THE} {_EN_NOUN})? (?:{_EN_SHOWS}|is){_GAP}{_EN_THING}',
    rf'{_EN_THE} (?:main |central )?(?:subject|focus|object|content) (?:in|of) {_EN_THE} {_EN_NOUN} is'
    rf'{_GAP}{_EN_THING}',
    rf'(?:depicted|shown|pictured|visible|seen)(?: here)?(?: (?:in|on) {_EN_THE} {_EN_NOUN})? (?:is|are)'
    rf'{_GAP}{_EN_THING}',
    rf'(?:it|this) (?:depicts|portrays|illustrates){_GAP}{_EN_THING}',
    rf'what (?:we|you|I) (?:can )?see(?: here)? (?:is|are){_GAP}{_EN_THING}',
    rf'here,? {_EN_SEE}{_GAP}|here we have{_GAP}{_EN_THING}', rf'{_EN_SEE}{_GAP}{_EN_THING}',
    # Spanish
    r'(?:claro|por supuesto)[,!.:]\s+(?=\w+\s)',
    rf'(?:en|sobre) (?:esta|la) {_ES_NOUN}(?:,? (?:hay|{_ES_SEE}){_GAP}|,\s+)',
    rf'(?:esta|la) {_ES_NOUN} {_ES_SHOWS}{_GAP}',
    rf'(?:(?:esta|esto) es|se trata de) una {_ES_NOUN} (?:de|que muestra){_GAP}',
    rf'aquí,? {_ES_SEE}{_GAP}', rf'{_ES_SEE}{_GAP}{_ES_THING}',
    # German
    r'(?:klar|natürlich|gerne)[,!.:]\s+(?=\w+\s)',
    rf'{_DE_ON} {_DE_SEE}{_GAP}{_DE_A}',
    rf'(?:das|dieses|die|diese|der|dieser) {_DE_NOUN} (?:zeigt|enthält){_GAP}',
    rf'(?:(?:das|dies|hier) ist|es handelt sich um) (?:ein|eine) {_DE_NOUN} (?:von|mit){_GAP}',
    rf'hier (?:sieht man|sehen wir|erkennt man|sehe ich){_GAP}{_DE_A}',
    rf'(?:zu sehen|abgebildet|dargestellt) (?:ist|sind){_GAP}{_DE_A}',
    rf'(?:man sieht|wir sehen|ich sehe|man erkennt){_GAP}{_DE_A}',
    # French
    r'(?:bien sûr|certainement|voici)[,!.:]\s+(?=\w+\s)',
    rf"(?:dans|sur) (?:cette |la |l['’]){_FR_NOUN}(?:,? (?:il y a|{_FR_SEE}){_GAP}|,\s+)",
    rf"(?:cette |la |l['’]){_FR_NOUN} {_FR_SHOWS}{_GAP}",
    rf"(?:ceci est|c['’]est|voici|il s['’]agit d['’])\s?une {_FR_NOUN} (?:de{_GAP}|d['’]|qui montre{_GAP})",
    rf'ici,? {_FR_SEE}{_GAP}', rf'{_FR_SEE}{_GAP}{_FR_THING}',
    # Chinese
    rf'{_ZH_ON}(?:中|里|上|里面)?[，,]?(?:我们)?{_ZH_SHOWS}(?:的是)?(?:例如|比如)?[，,：]?',
    rf'{_ZH_ON}(?:中|里)[，,]',
    rf'(?:这里|在这里)?[，,]?(?:我们|你)?{_ZH_SEE}(?:的是)?(?:例如|比如)?[，,]?')
_LEADING = re.compile('|'.join(_LEADS), re.IGNORECASE)
# What stands around the thing: "Auf dem Bild ist ... zu sehen."
_AROUND = (
    re.compile(rf'(?:{_DE_ON}|hier) (?:ist|sind|kann man) ([^.!?]{{1,300}}?) (?:zu )?(?:sehen|erkennen|abgebildet)'
               r'([.!]?)$', re.IGNORECASE),
    re.compile(rf'(?:das|dieses|die|diese) {_DE_NOUN} (?:stellt|scheint) ([^.!?]{{1,300}}?) (?:dar|zu zeigen)([.!]?)$',
               re.IGNORECASE),
    re.compile(r'这是一[张幅](.{1,200})的(?:图片|照片|图像|画面)([。.!！]?)$'),
)
_NOT_AFTER_LEAD = re.compile(r'(?:that|how|why|what(?! (?:appears|seems|looks))|que|cómo|dass|wie|comment)\b'
                             r'|(?:nothing|nobody)\b'
                             r"|qu['’]|[,;.:!?，。：]", re.IGNORECASE)


def as_spoken(text: str, language: str) -> str:
    """One sentence of a describer, as it is spoken; a plain one comes back as it is.

    '' where only marks and emoji were in it. Text that it quotes is announced, as models read badly; that it is certain
    is not said.

    Args:
        language: BCP 47 of the text, '' = English.
    """
    counted = spoken_numbers(without_lead(_doubtful(without_markup(text))), language)
    spoken = announced(counted, language or ENGLISH)
    return spoken if spoken == text else spoken.strip()


def without_lead(text: str) -> str:
    """The thing first, and not that it is a picture: "The image shows a dog." is "A dog."."""
    around = None
    if len(text) < 2 * _LOOKED_AT:
        around = next((match for pattern in _AROUND if (match := pattern.match(text.strip()))), None)
    if around:
        return _capital(around.group(1) + around.group(2))
    rest = text
    for _ in range(_LEADS_AT_MOST):
        match = _LEADING.match(rest.lstrip()[:_LOOKED_AT])
        left = rest.lstrip()[match.end():] if match else ''
        if not any(character.isalnum() for character in left[:_LOOKED_AT]) or _NOT_AFTER_LEAD.match(left):
            break
        rest = _capital(left)
    return rest


def _doubtful(text: str) -> str:
    """Without what it says of its certainty; what it quotes stays as it is."""
    if HIDDEN in text:
        return text
    own, quotations = hidden(text, HIDDEN)
    freed = without_certainty(own)
    if freed == own or freed.count(HIDDEN) != len(quotations):
        return text
    pieces = freed.split(HIDDEN)
    return ''.join(piece + quotation for piece, quotation in zip(pieces, [*quotations, ''], strict=True))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
