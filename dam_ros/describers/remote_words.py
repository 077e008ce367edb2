"""What a server is asked, in words. It knows neither pictures nor the network."""
from __future__ import annotations

import re

from dam_ros.core import queries
from dam_ros.core.describing import BRIEF, FULL, NORMAL, Query

# '<image>', '</s>', '<|im_end|>': a server takes these for tokens of its own, wherever they stand.
_TOKEN = re.compile(r'<(?=[/|\uff5c]?\w[^<>\s]{0,40}>)')
_ONE = ('The first picture shows a scene in which one region is outlined in red. The second picture is a close-up of '
        'that region and of what is around it, without the outline.')
_CLIP = ('The first {count} pictures are moments of one scene in their order; in each the same thing is outlined in '
         'red. The last picture is a close-up of it and of what is around it, without the outline.')
_TASKS = {
    NORMAL: 'Describe what is inside the outline in one to three sentences: what it is, its colours, material, parts '
            'and condition.',
    BRIEF: 'Say what is inside the outline in one sentence of at most 12 words.',
    FULL: 'Describe what is inside the outline in every detail: what it is, its colours, material, parts, pattern, '
          'writing, position and condition.',
}
_MOVES = ' Say also how it moves and what it does.'
_MANNER = ('Write plain text. Mention neither the outline nor the pictures, and of the surroundings only what helps to '
           'understand what the thing is. Do not guess what cannot be seen.')
_QUESTION = 'Answer this question about what is inside the outline; if the pictures do not tell, say so: {question}'


def harmless(question: str) -> str:
    """The question with a space after the '<' of everything that looks like a token: plain characters."""
    return _TOKEN.sub('< ', question.strip())


def for_dam(query: Query, pictures: int, joint: bool) -> str:
    """What the server of the Describe Anything Model is asked; it puts its picture placeholders before it itself."""
    if query.raw:
        return query.question
    return queries.query_for(harmless(query.question), query.detail, joint or pictures > 1, pictures)


def for_plain_model(query: Query, pictures: int, language: str) -> str:
    """What a model without any notion of regions is asked about `pictures` outlined pictures and one close-up.

    Args:
        language: BCP 47, that it shall write.
    """
    if query.raw:
        return query.question
    words = [_CLIP.format(count=pictures) if pictures > 1 else _ONE]
    if query.question.strip():
        words.append(_QUESTION.format(question=harmless(query.question)))
    else:
        words.append(_TASKS[query.detail] + (_MOVES if pictures > 1 and query.detail != BRIEF else ''))
    words.append(_MANNER)
    if language.lower().split('-')[0] != 'en':
        words.append(f'Answer in the language whose BCP 47 tag is {language}.')
    return '\n'.join(words)
