"""Where a clause has its verb, as far as lists of words tell: five languages at once, no grammar.

A word that may be a verb is taken for one: then a sentence stays longer than it had to.
"""
from __future__ import annotations

import re

# Finite ones that descriptions are made of; what else the same letters mean is left out by what stands beside it.
_VERB = r"""
    (?:is|are|was|were|isn't|aren't|wasn't|has|have|had|does|did|doesn't|didn't|will|would|could|should|might|must)
    (?:can(?! of)|cannot|can't|may|says?|reads|seems?|appears?|shows|wears|holds|contains|features|depicts|indicates)
    (?:stands|sits|lies|hangs|leans|rests|leads|faces|covers|carries|runs|walks|rides|plays|looks|watches|eats|drinks)
    (?:sleeps|points|displays|reaches|grows|flies|surrounds|extends|stretches|fills|connects|supports|takes|makes|gives)
    (?:keeps|stays|remains|turns|comes|goes|waits|works|uses|serves|hides|belongs|consists|represents|resembles|crosses)
    (?:smiles|talks|speaks|jumps|pulls|pushes|opens|closes|drives|cuts|reflects|blocks|warns|lacks|needs|means|became)
    (?:stood|sat|lay|hung|held|wore|fell|broke|turned out|begins|ends|falls|burns|shines|glows|barks|reveals|tells)
    (?<!\ba )(?<!the )(?<!to )(?:sit|stand|lie|hang|wear|hold|walk|ride|contain|seem|appear|look|say|wait|sleep)
    (?:es|está|están|tiene|tienen|lleva|llevan|muestra|dice|sostiene|parecen?|fue|era|puede|pueden|indica|cuelga|duerme)
    (?:hay (?=un|dos|tres|vari|much)|son (?=de |un|muy|roj|blanc|negr)|se (?=\w+[aen] )|lee|mira|corre|juega|descansa)
    (?:ist|sind|waren|haben|trägt|tragen|hält|halten|steht|stehen|sitzt|sitzen|liegt|hängt|hängen|zeigt|läuft|wird)
    (?:werden|wurden?|kann|können|scheint|sieht|fährt|fahren|spielt|geht|isst|liest|leuchtet|schläft)
    hat (?=d|ein|kein|s)
    (?:est|sont|ont|était|tient|montre|semble|peut|indique|affiche|lit|dit|fait|joue|regarde|dort|repose|se trouve)"""
# Behind these a clause of its own begins, whose verb is not the sentence's.
_OPENER = (r'\b(?:that|which|who|whose|whom|where|while|when|because|if|whether|what|how|although|though|que|cuyo|cuya'
           r'|donde|mientras|cuando|porque|quien|qui|dont|où|pendant|lorsque|während|wobei|weil|dass|wenn|ob)\b'
           r"|\bqu['\u2019]|, (?:der|die|das|den|dem|deren|dessen|denen) ")
_ANY_VERB = '|'.join(one.strip() for one in _VERB.split('\n') if one.strip())
_WORD = re.compile(rf'(?P<opens>{_OPENER})|(?P<joined>\b(?:and|or|y|und|oder|et|ou) (?:\w+ly )?)?\b'
                   rf'(?:{_ANY_VERB})(?!\w)', re.IGNORECASE)


def main_verbs(text: str) -> int:
    """How many verbs it has that belong to no subordinate clause; one that "and" joins to another counts with it."""
    return _read(text)[0]


def waits_for_verb(text: str) -> bool:
    """Whether it ends within a subordinate clause that has no verb yet."""
    return _read(text)[1] > 0


def _read(text: str) -> tuple[int, int]:
    """(verbs of the main clause, subordinate clauses still without one)."""
    verbs = waiting = 0
    for match in _WORD.finditer(text):
        if match.group('opens'):
            waiting += 1
        elif waiting:
            waiting -= 1
        elif not match.group('joined'):
            verbs += 1
    return verbs, waiting
