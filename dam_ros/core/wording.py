"""A sentence of a describer as a person says it: the thing first, without marks, units in words, quotes announced.

What anybody else wants said is text and stays as it was written. It knows no voice and no policy.
"""
from __future__ import annotations

import re

from dam_ros.core.catalogues import ENGLISH, known
from dam_ros.core.markup import without_markup
from dam_ros.core.quoting import announced
from dam_ros.core.speakable import speakable
from dam_ros.core.units import spoken_numbers

_LEADS_AT_MOST = 4        # one after the other: "Sure, in this image we can see ..."
_LOOKED_AT = 200          # characters; no lead-in is longer

# Verbs of seeing, and what there is at the beginning of an answer before the thing itself. IGNORECASE holds for all.
_EN_NOUN = '(?:image|picture|photo|photograph|scene|frame|view|video|clip|screenshot|snapshot)'
_EN_THE = '(?:the|this)(?: provided| given)?'
_EN_REGION = ('(?:highlighted|masked|selected|marked|specified|outlined|indicated) '
              '(?:region|area|object|part|section|item)')
_EN_SHOWS = ('(?:shows|depicts|displays|features|contains|captures|presents|illustrates|portrays'
             '|is showing|is depicting)')
_EN_SEE = '(?:we|you|I|one) (?:can |could )?(?:also )?(?:clearly )?(?:see|observe|notice)'
_ES_NOUN = '(?:imagen|foto|fotografía|escena|vista|vídeo|video)'
_ES_SHOWS = '(?:muestra|presenta|representa|contiene|enseña)'
_ES_SEE = ('(?:se (?:puede |pueden )?(?:ve|ven|ver|observa|observan|observar|aprecia|aprecian|apreciar|muestran?)'
           '|(?:podemos |puedo |puedes )(?:ver|observar)|vemos|veo|aparecen?)')
_DE_NOUN = '(?:Bild|Foto|Szene|Aufnahme|Ausschnitt|Video)'
_DE_ON = f'(?:auf|in) (?:dem|diesem|der|dieser) {_DE_NOUN}'
_DE_A = '(?=(?:ein|eine|einen|der|die|das|den|zwei|drei|mehrere) )'
_FR_NOUN = '(?:image|photo|photographie|scène|vue|vidéo)'
_FR_SHOWS = '(?:montre|représente|présente|contient|illustre)'
_FR_SEE = ('(?:on (?:peut )?(?:voit|voir|observe|observer|aperçoit|apercevoir|distingue)'
           '|nous (?:pouvons )?(?:voyons|voir|observons|observer)|je vois)')
_ZH_ON = '在?(?:这张|这幅|该|此|本)?(?:图片|照片|图像|画面|图|影像|视频)'
_ZH_SHOWS = '(?:可以看到|能看到|可以看见|显示了|显示|展示了|展示|描绘了|呈现了|有)'
_LEADS = {
    'en': (r'(?:sure|certainly|of course|okay|ok|absolutely)[,!.:]\s+(?=\w+\s)',
           r'(?:description|caption|answer)\s?:\s+',
           rf'(?:in|within|on) {_EN_THE} {_EN_NOUN}(?:,? (?:there (?:is|are)|{_EN_SEE})\s+|,\s+)',
           rf'{_EN_THE} {_EN_NOUN} {_EN_SHOWS}\s+',
           rf'(?:this|here) is an? (?:close-up |closeup |cropped )?{_EN_NOUN} (?:of|showing|depicting|that shows)\s+',
           rf'{_EN_THE} {_EN_REGION}(?: (?:in|of) {_EN_THE} {_EN_NOUN})? (?:{_EN_SHOWS}|is)\s+'
           r'(?=(?:an?|the|one|two|some)\s)',
           rf'{_EN_SEE}\s+(?=(?:an?|the|one|two|three|four|some|several|many)\s)'),
    'es': (r'(?:claro|por supuesto)[,!.:]\s+(?=\w+\s)',
           rf'(?:en|sobre) (?:esta|la) {_ES_NOUN}(?:,? (?:hay|{_ES_SEE})\s+|,\s+)',
           rf'(?:esta|la) {_ES_NOUN} {_ES_SHOWS}\s+',
           rf'(?:esta|esto) es una {_ES_NOUN} (?:de|que muestra)\s+',
           rf'{_ES_SEE}\s+(?=(?:una?|unos|unas|el|la|los|las|dos|tres|varios|varias)\s)'),
    'de': (r'(?:klar|natürlich|gerne)[,!.:]\s+(?=\w+\s)',
           rf'{_DE_ON} (?:sieht man|sehen wir|ist|sind|befindet sich|befinden sich)\s+{_DE_A}',
           rf'(?:das|dieses|die|diese|der|dieser) {_DE_NOUN} (?:zeigt|enthält)\s+',
           rf'(?:das|dies|hier) ist ein {_DE_NOUN} von\s+',
           rf'(?:man sieht|wir sehen|ich sehe)\s+{_DE_A}'),
    'fr': (r'(?:bien sûr|certainement|voici)[,!.:]\s+(?=\w+\s)',
           rf"(?:dans|sur) (?:cette |la |l['’]){_FR_NOUN}(?:,? (?:il y a|{_FR_SEE})\s+|,\s+)",
           rf"(?:cette |la |l['’]){_FR_NOUN} {_FR_SHOWS}\s+",
           rf"(?:ceci est|c['’]est|voici) une {_FR_NOUN} (?:de\s+|d['’]|qui montre\s+)",
           rf'{_FR_SEE}\s+(?=(?:une?|des|le|la|les|deux|trois|plusieurs)\s)'),
    'zh': (rf'{_ZH_ON}(?:中|里|上|里面)?[，,]?(?:我们)?{_ZH_SHOWS}(?:的是)?[，,：]?',
           rf'{_ZH_ON}(?:中|里)[，,]',
           r'(?:我们|你)?(?:可以看到|能看到|可以看见)[，,]?'),
}
_LEADING = {language: re.compile('|'.join(leads), re.IGNORECASE) for language, leads in _LEADS.items()}
# What stands around the thing: "Auf dem Bild ist ... zu sehen."
_AROUND = {
    'de': re.compile(rf'{_DE_ON} (?:ist|sind|kann man) ([^.!?]{{1,300}}?) (?:zu )?(?:sehen|erkennen)([.!]?)$',
                     re.IGNORECASE),
    'zh': re.compile(r'这是一[张幅](.{1,200})的(?:图片|照片|图像|画面)([。.!！]?)$'),
}
_NOT_AFTER_LEAD = re.compile(r'(?:that|how|why|what(?! (?:appears|seems|looks))|que|cómo|dass|wie|comment)\b'
                             r'|(?:nothing|nobody)\b'
                             r"|qu['’]|[,;.:!?，。：]", re.IGNORECASE)


def as_spoken(text: str, language: str) -> str:
    """One sentence of a describer, as it is spoken; a plain one comes back as it is.

    '' where only marks and emoji were in it. Text that it quotes is announced, as models read badly.

    Args:
        language: BCP 47 of the text, '' = English.
    """
    plain = without_markup(text)
    counted = spoken_numbers(_without_lead(plain, known(language or ENGLISH)), language)
    spoken = announced(counted, language or ENGLISH)
    return spoken if spoken == text else spoken.strip()


def as_said(text: str, language: str = '') -> str:
    """What somebody wants said, for a synthesizer: marks are text and are read."""
    return speakable(text)


def _without_lead(text: str, language: str) -> str:
    around = _AROUND[language].match(text.strip()) if language in _AROUND and len(text) < 2 * _LOOKED_AT else None
    if around:
        return _capital(around.group(1) + around.group(2))
    pattern, rest = _LEADING.get(language), text
    for _ in range(_LEADS_AT_MOST):
        match = pattern.match(rest.lstrip()[:_LOOKED_AT]) if pattern else None
        left = rest.lstrip()[match.end():] if match else ''
        if not any(character.isalnum() for character in left[:_LOOKED_AT]) or _NOT_AFTER_LEAD.match(left):
            break
        rest = _capital(left)
    return rest


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
