"""Shortens a sentence to what can be said in one breath, where what is left is whole and still true.

It cuts where a clause or a phrase ends, in five languages at once. It knows no describer and no voice.
"""
from __future__ import annotations

import re

from dam_ros.core.caution import claims_safety

_LEAST = 3       # words; less names nothing
_LONGEST = 60    # words; what goes on longer is no sentence, and is cut wherever that is
_HAN = re.compile('[\u3400-\u9fff]')
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
    |seems?|appears?|looks?|consists?|can|could|may|also|there|it|made|placed|located|seen|held|set|attached
    |el|la|los|las|una?|de|del|y|o|con|en|que|es|está|están|hay|su|muy|se
    |der|die|das|den|dem|des|eine?[nmrs]?|und|oder|mit|ist|sind|hat|haben|wird|sehr|zu|als|wie|von|vom|im|am|auf
    |le|les|des|du|une|et|ou|avec|est|sont|qui|à|au|aux|sur|dans|très|ce|cette|son|sa)|[\u7684\u548c\u4e0e\u662f])$""",
                       re.IGNORECASE | re.VERBOSE)
# What a cut would make untrue: "no dog | on the sofa", "all are white | except one".
_DENIES = re.compile(r"\b(?:no|not|never|none|nobody|nothing|without|neither|nor|hardly|barely|only|nunca|nadie|sin|ni"
                     r"|ningun[oa]?|ningún|solo|kein\w*|nicht|nie|niemand|ohne|weder|nur|pas|aucune?|jamais|sans"
                     r"|seule?|seulement)\b|n['\u2019]t\b|[\u6ca1\u4e0d\u65e0\u672a]|\u53ea\u6709", re.IGNORECASE)
_LIMITS = re.compile(r'\b(?:except|unless|until|if|apart from|other than|instead|excepto|salvo|sino|si|außer|sondern'
                     r'|wenn|falls|bis auf|sauf|sinon|hormis)\b|[\u9664]|\u5982\u679c', re.IGNORECASE)
# In German the verb stands at the end of such a clause.
_OPEN_CLAUSE = re.compile(r',\s(?:der|die|das|den|dem|deren|dessen|welche\w?|während|wobei|wo|weil|dass|wenn)\s[^,]*$',
                          re.IGNORECASE)
_FIRST_PLACE = re.compile(rf'\W*(?:{_PLACE})\s', re.IGNORECASE)
_SAYS = re.compile(r'\s(?:is|are|stands?|sits?|lies?|hangs?|has|have|we|hay|está|están|se|ist|sind|steht|liegt|hängt'
                   r'|il y a|est|sont|se trouve)\s+\S+\s+\S', re.IGNORECASE)
_ENDS = ('.', '!', '?', '\u3002', '\uff01', '\uff1f')


def shortened(sentence: str, most: int) -> str:
    """The sentence, of at most `most` words (two Chinese characters count as one).

    A longer one is cut at the last place within where that leaves something whole that is as true as before; where
    there is none, behind its last word that needs nothing after it. A denial that cannot be cut stays long.
    """
    if length(sentence) <= most:
        return sentence
    head = ''
    for match in _BOUNDARY.finditer(sentence):
        if length(sentence[:match.start()]) > most:
            break
        if _holds(sentence[:match.start()], sentence[match.start():]):
            head = sentence[:match.start()]
    return _ended(head or _anywhere(sentence, most))


def length(text: str) -> float:
    """In words."""
    words = text.split()
    han = len(_HAN.findall(text))
    return len([one for one in words if not _HAN.search(one)]) + han / _HAN_A_WORD


def _holds(head: str, rest: str) -> bool:
    """Whether the head is whole, and says nothing that the sentence does not say."""
    if length(head) < _LEAST or _DANGLING.search(head) or _OPEN_CLAUSE.search(head):
        return False
    if _FIRST_PLACE.match(head) and not _SAYS.search(head):
        return False
    return not (_DENIES.search(head) or _LIMITS.search(rest) or claims_safety(head))


def _anywhere(sentence: str, most: int) -> str:
    words = sentence.split()
    if len(words) <= _LONGEST and length(sentence) <= _LONGEST and (
            _DENIES.search(' '.join(words[:most])) or claims_safety(sentence) or _LIMITS.search(sentence)):
        return sentence
    head = sentence
    if len(words) > most:
        head = ' '.join(words[:most])
    if length(head) > most:
        last = [match.end() for match in _HAN.finditer(head)][most * _HAN_A_WORD - 1]
        head = head[:last]
    while length(head) > _LEAST and _DANGLING.search(head) and ' ' in head:
        head = head[:head.rindex(' ')]
    return head


def _ended(head: str) -> str:
    head = head.rstrip(' \t\n,;:-\u2013\u2014\uff0c\uff1b\uff1a\u3001')
    if head.endswith(_ENDS):
        return head
    return head + ('\u3002' if _HAN.search(head[-1:]) else '.')
