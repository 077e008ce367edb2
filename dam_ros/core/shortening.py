"""Shortens a sentence to what can be said in one breath, where what is left is whole and still true.

It cuts where a clause or a phrase ends, in five languages at once. It knows no describer and no voice.
"""
from __future__ import annotations

import itertools
import re

from dam_ros.core.caution import claims_safety
from dam_ros.core.clauses import main_verbs, waits_for_verb

_LEAST = 3       # words; less names nothing
_FAR = 1000      # characters that are looked at
_HAN = re.compile('[\u3400-\u9fff]')
_WORD = re.compile(r'\S+')
_HAN_A_WORD = 2  # characters

# Words that begin something that can be left out.
_RELATIVE = (r'with|which|that|who|whose|while|where|as if|as it|con|mientras|donde|que|cuyo|cuya|mit|während|wobei'
             r'|avec|qui|dont|où|tandis|pendant')
_PARTICIPLE = (r'(?:stand|sitt|ly|wear|hold|hang|runn|walk|rid|look|play|lean|rest|fac|featur|show|contain|cover|reach'
               r'|carry|surround|overlook|lead|extend|display)ing|(?:surround|cover|fill|mount|attach|locat|decorat|adorn'
               r'|park|plac|position|connect|support|dress|topp|lin)ed|made|set|held|seen')
_PLACE = (r'in|on|at|near|next to|beside|under|beneath|below|behind|above|over|against|between|among|along|across'
          r'|through|inside|outside|around|from|into|onto|by|to the (?:left|right)|en|sobre|junto|detrás|delante|debajo'
          r'|bajo|entre|cerca|al lado|contra|a la (?:izquierda|derecha)|auf|im|am|an|neben|unter|hinter|vor|über'
          r'|zwischen|bei|dans|sur|sous|devant|derrière|près|à côté|contre|au-dessus|au milieu|à (?:gauche|droite)')
_AND = (r'(?:and|y|und|et) (?=(?:an?|the|its?|is|are|has|have|one|two|some|there|he|she|they|una?|el|la|los|las'
        r'|tiene|está|hay|eine?n?|der|die|das|hat|ist|une?|les?|des|est|porte)\s)')
_AFTER_COMMA = (rf'(?:and|y|und|et|its|his|her|their|an?|the|one|two|some|of|all|each|both|su|una?|eine?|der|die|das'
                rf'|den|deren|dessen|une?|le|la|les|{_RELATIVE}|{_PARTICIPLE}|{_PLACE})\b')
_BOUNDARY = re.compile(rf'\s*[,](?=\s+{_AFTER_COMMA})|\s*[;:](?=\s)|\s[-\u2013\u2014](?=\s)|\s(?=\()'
                       rf'|\s(?=(?:{_RELATIVE}|{_PARTICIPLE}|{_PLACE})\s|{_AND})|[\uff0c\uff1b\uff1a]', re.IGNORECASE)
# A head does not end with these: they want something after them.
_DANGLING = re.compile(r"""(?:\b(?:an?|the|of|and|or|with|in|on|at|to|is|are|was|were|be|been|being|has|have|had|very
    |its|his|her|their|this|that|these|those|which|who|while|where|next|as|for|from|by|into|than|so|such|both|each
    |seems?|appears?|looks?|consists?|can|could|may|also|there|it|made|like|now|but|then|not|either|actually|really
    |holding|wearing|showing|carrying|containing|featuring|covering|displaying|holds|wears|shows|says|reads
    |contains|placed|located|seen|held|set|attached
    |el|la|los|las|una?|de|del|y|o|con|en|que|es|está|están|hay|su|muy|se
    |der|die|das|den|dem|des|eine?[nmrs]?|und|oder|mit|ist|sind|hat|haben|wird|sehr|zu|als|wie|von|vom|im|am|auf
    |le|les|des|du|une|et|ou|avec|est|sont|qui|à|au|aux|sur|dans|très|ce|cette|son|sa
    |printed|painted|filled|covered|lined|surrounded|mounted|topped|decorated|to\ \w+
    |lies?|hangs?|leans?|rests?|liegt|liegen|hängt|hängen)|[\u7684\u548c\u4e0e\u662f])$""",
                       re.IGNORECASE | re.VERBOSE)
# What a cut would make untrue: "no dog | on the sofa", "all are white | except one".
_DENIES = re.compile(r"\b(?:no|not|never|none|nobody|nothing|without|neither|nor|hardly|barely|only|all|every|everyone"
                     r'|nunca|nadie|sin|ni|ningun[oa]?|ningún|solo|tod[oa]s|kein\w*|nicht|nie|niemand|ohne|weder|nur|alle'
                     r'|pas|aucune?|jamais|sans|seule?|seulement|tous|toutes)\b'
                     r"|n['\u2019]t\b|[\u6ca1\u4e0d\u65e0\u672a]|\u53ea\u6709|\u6240\u6709", re.IGNORECASE)
# What follows takes something back of what was said before it.
_LIMITS = re.compile(
    r"\b(?:except|unless|until|if|apart from|other than|instead|rather than|but|though|although|however|or|not"
    r'|no longer|never|actually|really|in fact|in reality|in truth|turns? out|pretend\w*|supposed\w*|so-called|merely'
    r'|excepto|salvo|sino|si|pero|aunque|en realidad|en verdad|resulta ser|no|nunca|o'
    r'|außer|sondern|wenn|falls|bis auf|aber|obwohl|oder|nicht|kein\w*|in wirklichkeit|in wahrheit|tatsächlich'
    r'|eigentlich'
    r"|sauf|sinon|hormis|mais|bien que|ou|pas|en fait|en réalité|en vérité)\b|n['\u2019]t\b"
    r'|, (?:probably|possibly|perhaps|maybe|likely|apparently|presumably|quizás?|vielleicht|wohl|peut-être)\b'
    r'|(?:\b(?:is|are|was|be|just|only|of|es|ist|est|de|aus)|,) (?:an? |una? |eine? |une? )?(?:\w+ )?<imitation>\b'
    r'|\b(?:on|in) (?:an?|the) (?:\w+ )?(?:poster|mural|billboard|painting|photo|photograph|drawing|screen|dream)\b'
    r'|\b(?:painted|drawn|printed|carved|depicted|pictured|tattooed|embroidered|projected|reflected|aufgemalt|gemalt'
    r'|pintad[oa]s?|dibujad[oa]s?|peinte?s?|dessinée?s?|imprimée?s?|gedruckt)\b|^[\s,]*made (?:out )?(?:of|from)\b'
    r'|[\u9664]|\u5982\u679c|\u4f46|\u5176\u5b9e|\u4e0d\u662f|\u5b9e\u9645|\u73a9\u5177|\u5047|\u6216|\u4e0d\u8fc7'
    .replace('<imitation>', '(?:toys?|fake|dummy|replica|imitation|model|prop|statue|figure|cutout|cardboard|plastic'
             '|paper|chocolate|costume|juguete|imitación|cartón|spielzeug|attrappe|puppe|pappe|jouet|carton)'),
    re.IGNORECASE)
# "either a dog" wants "or a wolf".
_HALF = re.compile(r'\b(?:either|whether)\b(?!.*\bor\b)|\b(?:between|both)\b(?! (?:the |its |his |her )?(?:two|\w+s)\b)'
                   r'(?!.*\band\b)|\bentweder\b(?!.*\boder\b)|\b(?:zwischen|sowohl)\b(?!.*\b(?:und|als)\b)'
                   r'|\bentre\b(?!.*\b(?:y|et)\b)|\bnot only\b(?!.*\bbut\b)', re.IGNORECASE)
# No sentence, as far as it goes: its verb is still to come.
_NO_HEAD = re.compile(r'\W*(?:what|which|who|how|whether|if|although|though|when|while|unlike|since|because|lo que'
                      r'|aunque|cuando|si|mientras|was|welche\w*|obwohl|wenn|während|weil|ce (?:qui|que)|quand'
                      r'|bien que)\b',
                      re.IGNORECASE)
# Where another clause begins, with a subject of its own or perhaps with one.
_NEXT_CLAUSE = re.compile(r'[;:]|\s[-\u2013\u2014]\s|,|\b(?:and|y|und|et) (?:an?|the|one|two|some|there|una?|el|la|los'
                          r'|las|eine?|der|die|das|une?|les?|la|des)\b', re.IGNORECASE)
_NEXT_SENTENCE = re.compile(r'[;:]|\s[-\u2013\u2014]\s|(?:, ?| )(?:and|while|y|und|et|mientras|während|tandis que)'
                            r' (?:it|he|she|they|there|its|his|her|their|él|ella|es gibt|er|sie|il|elle)\b',
                            re.IGNORECASE)
# "Eine Frau hat einen Hund | an der Leine geführt"
_BRACKET = re.compile(r'\b(?:hat|haben|ist|sind|wird|werden|wurden?|kann|können|soll|muss|scheint)\b', re.IGNORECASE)
_BRACKET_END = re.compile(r'\b(?:\w{0,4}ge\w{2,}(?:t|en)|\w+iert|\w+ (?:zu )?\w+en)\s*[.!,]?\s*$|\bzu \w+en\b',
                          re.IGNORECASE)
# A text that was cut off ends so.
_CUT_OFF = re.compile(r'\b(?:an?|the|and|or|with|der|das|dem|ein|eine[nmrs]?|und|oder|el|la|los|las|una?|une|des|les?'
                      r'|et|de|con|mit|avec)$')
# In German the verb stands at the end of such a clause.
_OPEN_CLAUSE = re.compile(r',\s(?:der|die|das|den|dem|deren|dessen|welche\w?|während|wobei|wo|weil|dass|wenn)\s[^,]*$',
                          re.IGNORECASE)
_FIRST_PLACE = re.compile(rf'\W*(?:{_PLACE})\s', re.IGNORECASE)
_SAYS = re.compile(r'\s(?:is|are|stands?|sits?|lies?|hangs?|has|have|we|hay|está|están|se|ist|sind|steht|liegt|hängt'
                   r'|il y a|est|sont|se trouve)\s+\S+\s+\S', re.IGNORECASE)
_LOOSE = ' \t\n,;:-\u2013\u2014\uff0c\uff1b\uff1a\u3001'   # before an end
_ENDS = ('.', '!', '?', '\u3002', '\uff01', '\uff1f')


def shortened(sentence: str, most: int) -> str:
    """The sentence in at most `most` words; two Chinese characters count as one.

    A longer one is cut at the last place where what is left is whole and as true as before. Where there is none it
    breaks off, with an ellipsis: it is heard that more would come.
    """
    if length(sentence) <= most:
        return _without_loose_end(sentence)
    head = ''
    for match in _BOUNDARY.finditer(sentence, 0, _FAR):
        so_far = sentence[:match.start()]
        if length(so_far) > most:
            break
        if _holds(so_far, sentence[match.start():_FAR]):
            head = so_far
    return _ended(_without_loose_end(head)) if head else _broken_off(sentence, most)


def length(text: str) -> float:
    """In words."""
    words = text.split()
    han = len(_HAN.findall(text))
    return len([one for one in words if not _HAN.search(one)]) + han / _HAN_A_WORD


def _holds(head: str, rest: str) -> bool:
    """Whether the head is whole, and says nothing that the sentence does not say."""
    if length(head) < _LEAST or _NO_HEAD.match(head) or not _is_whole(head):
        return False
    if _LIMITS.search(rest) or _DENIES.search(head) or claims_safety(head):
        return False
    return _has_its_verb(head, rest)


def _is_whole(head: str) -> bool:
    if _DANGLING.search(head) or _OPEN_CLAUSE.search(head) or _HALF.search(head) or waits_for_verb(head):
        return False
    return not _FIRST_PLACE.match(head) or _SAYS.search(head) is not None


def _has_its_verb(head: str, rest: str) -> bool:
    """Whether no verb of the head's own clause comes behind it."""
    clause, sentence = (head + rest[:_begins(pattern, rest)] for pattern in (_NEXT_CLAUSE, _NEXT_SENTENCE))
    if _BRACKET.search(head) and _BRACKET_END.search(clause[len(head):]):
        return False
    verbs = main_verbs(head)
    return verbs == main_verbs(clause) and (verbs > 0 or main_verbs(sentence) == 0)


def _begins(pattern: re.Pattern, text: str) -> int:
    match = pattern.search(text)
    return match.start() if match else len(text)


def _broken_off(sentence: str, most: int) -> str:
    ends = [match.end() for match in itertools.islice(_WORD.finditer(sentence), most)]
    while len(ends) > 1 and length(sentence[:ends[-1]]) > most:
        ends.pop()
    head = sentence[:ends[-1]]
    if length(head) > most:
        head = head[:[match.end() for match in _HAN.finditer(head)][most * _HAN_A_WORD - 1]]
    return head.rstrip(_LOOSE) + '\u2026'


def _without_loose_end(sentence: str) -> str:
    """Without the article and the like that a text ends with which was cut off."""
    if not _CUT_OFF.search(sentence) or length(sentence) <= _LEAST:
        return sentence
    while length(sentence) > _LEAST and _DANGLING.search(sentence):
        sentence = sentence[:sentence.rindex(' ')]
    return _ended(sentence)


def _ended(head: str) -> str:
    head = head.rstrip(_LOOSE)
    if head.endswith(_ENDS):
        return head
    return head + ('\u3002' if _HAN.search(head[-1:]) else '.')
