"""Sentences about measured attributes, and answers to the few questions they can answer.

Everything that decides a word is in `words_of`, so two regions get the same text only where all of these agree. No
sentence names a thing: a region is an area, a patch, a speck or a strip.
"""
from __future__ import annotations

from collections.abc import Sequence
import re

from dam_ros.core.attributes import WHOLE, Attributes
from dam_ros.core.shape import BORDERS
from dam_ros.core.text import BRIEF_WORDS

_PLACES = {
    'upper left': 'in the upper left', 'top': 'at the top', 'upper right': 'in the upper right',
    'left': 'on the left', 'middle': 'in the middle', 'right': 'on the right',
    'lower left': 'in the lower left', 'bottom': 'at the bottom', 'lower right': 'in the lower right',
}
_TEXTURES = {'plain': 'plain', 'shaded': 'smoothly shaded', 'finely textured': 'finely textured',
             'patterned': 'rich in contrast', '': ''}
_SHARPNESS = {'sharp': 'sharp', 'soft': 'blurry', '': ''}
_LEANS = {'rising': 'from the lower left to the upper right', 'falling': 'from the upper left to the lower right',
          'level': 'from side to side', 'vertical': 'from top to bottom'}
_FORMS = ('round', 'oval', 'rectangular')
LIMITS = 'I can only tell colours, place, size and shape, not things.'


def words_of(found: Attributes) -> dict:
    """The attributes as the words and rounded numbers that the text is made of; JSON types only."""
    shape, surface = found.shape, found.surface
    words = {
        'colours': [str(one) for one in found.colours], 'place': shape.place, 'size': found.size,
        'percent': _percent(found.area_fraction), 'proportion': shape.proportion, 'ratio': _ratio(shape.aspect),
        'form': shape.form, 'elongated': shape.elongated, 'lean': shape.lean, 'parts': shape.pieces,
        'touches': list(shape.touches), 'texture': surface.texture, 'sharpness': surface.sharpness,
        'brightness': surface.brightness, 'dark_picture': found.light.dark, 'tinted_picture': found.light.cast,
    }
    if found.size == WHOLE:   # then these say something about the missing crumbs only
        words.update(place='middle', percent='all', form='', elongated=False, lean='', parts=1, touches=list(BORDERS))
    return words


def brief(words: dict) -> str:
    """One sentence of at most 12 words."""
    return _opening(words)[0]


def normal(words: dict) -> str:
    """Two or three sentences; the first is the brief one."""
    opening, left_out = _opening(words)
    return ' '.join(one for one in (opening, _extent(words, opening, left_out), _look(words)) if one)


def _opening(words: dict) -> tuple[str, list[str]]:
    """The brief sentence, and what had to be left out of it."""
    if words['size'] == WHOLE:
        return f"The whole picture is {listed(words['colours'])}.", []
    place, noun = _PLACES[words['place']], _noun(words)
    adjectives = [word for word in (_size_word(words), _form_word(words)) if word]
    colours, left_out = list(words['colours']), []
    while True:
        described = ', '.join((*adjectives, listed(colours)))
        sentence = f'{_article(described)} {described} {noun} {place}.'
        if len(sentence.split()) <= BRIEF_WORDS:
            return sentence, left_out
        if adjectives:   # the form goes before the size
            left_out.insert(0, adjectives.pop())
        else:
            left_out.append(f'partly {colours.pop()}')


def full(words: dict, found: Attributes) -> str:
    """All that can be said."""
    said = [normal(words)]
    if len(found.colours) > 1:
        shares = listed([f'{_round(one.share)} percent {one}' for one in found.colours])
        said.append(f'By area it is about {shares}.')
    x, y = (_round(one) for one in found.shape.centroid)
    said.append(f'Its centre lies {x} percent from the left and {y} percent from the top of the picture.')
    said.append(f'It fits into a box of {found.box[2]} by {found.box[3]} pixels.')
    level = _round(found.surface.lightness)
    said.append(f'Its mean lightness is {level} percent, that of the picture about {_round(found.light.lightness)}.')
    return ' '.join(said)


def answer(question: str, words: dict) -> tuple[str, bool]:
    """(text, abstained) for a question: what can be measured is answered, for the rest it says that it cannot."""
    topics = [topic for topic, pattern in _TOPICS if pattern.search(question.lower())]
    if not topics:
        return f'{LIMITS} {normal(words)}', True
    return ' '.join(_ANSWERS[topic](words) for topic in topics), False


_COLOUR_NAMES = 'black|white|gr[ea]y|brown|red|orange|yellow|green|blue|purple|pink'
_ASKS = r'^\s*(?:is|are|does|do)\b.*\b(?:{})\b'
_TOPICS = [(topic, re.compile(pattern)) for topic, pattern in (
    ('colour', r'\bcolou?r' + '|' + _ASKS.format(_COLOUR_NAMES)),
    ('place', r'\bwhere\b|\bposition\b|\blocat(?:ed|ion)'),
    ('size', r'\bsize\b|\bhow (?:big|large|small|wide|high|tall)\b|' + _ASKS.format('big|large|small|tiny|huge')),
    ('shape', r'\bshaped?\b|\boutline\b|' + _ASKS.format('round|oval|rectangular|square|long|elongated|upright|wide')),
    ('brightness', r'\bbrightness\b|\bhow (?:bright|dark|light)\b|' + _ASKS.format('bright|dark')),
    ('surface', r'\btextur|\bpattern|\bblurr|\bsharp|\bin focus\b|\bout of focus\b|' + _ASKS.format('plain|smooth')),
)]
_ANSWERS = {
    'colour': lambda words: f"The region is {listed(words['colours'])}." + _caution(words, ' '),
    'place': lambda words: f"The region lies {_PLACES[words['place']]} of the picture.",
    'size': lambda words: f"The region covers {words['percent']} of the picture and is {words['ratio']}.",
    'shape': lambda words: _shape_sentence(words),
    'brightness': lambda words: f"The region is {words['brightness'] or 'neither bright nor dark'}.",
    'surface': lambda words: _surface_sentence(words),
}


def listed(items: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return items[0] if len(items) == 1 else ', '.join(items[:-1]) + ' and ' + items[-1]


def _size_word(words: dict) -> str:
    return '' if words['size'] == 'medium-sized' else words['size']


def _form_word(words: dict) -> str:
    if words['lean'] in ('rising', 'falling'):
        return 'slanting'
    if words['elongated'] and _noun(words) == 'strip':
        return 'upright' if words['proportion'] == 'upright' else 'long'
    if words['form'] in _FORMS:
        return words['form']
    return {'wide': 'wide', 'upright': 'upright', 'even': ''}[words['proportion']]


def _noun(words: dict) -> str:
    if words['size'] == 'tiny':
        return 'speck'
    if words['elongated'] and 'large' not in words['size']:
        return 'strip'
    return 'patch' if words['size'] == 'small' else 'area'


def _article(text: str) -> str:
    return 'An' if text[0] in 'aeiou' else 'A'


def _extent(words: dict, opening: str, left_out: Sequence[str]) -> str:
    """Its share of the picture, its proportions and the borders it reaches."""
    if words['size'] == WHOLE:
        return f"It is {words['ratio']}."
    said = [f'is {listed(left_out)}'] if left_out else []
    said += [f"covers {words['percent']} of the picture", f"is {words['ratio']}"]
    if words['elongated']:
        said.append(f"stretches {_LEANS[words['lean']]}")
    if words['form'] and words['form'] not in (opening + ' '.join(left_out)):
        said.append(f"has {_article(words['form']).lower()} {words['form']} outline")
    if words['parts'] > 1:
        said.append(f"is in {words['parts']} parts")
    said.append(_border_words(words['touches']))
    return f'It {listed(said)}.'


def _border_words(touches: Sequence[str]) -> str:
    if not touches:
        return 'touches no border'
    if len(touches) == 4:
        return 'touches all borders'
    return f"touches the {listed(list(touches))} border{'s' if len(touches) > 1 else ''}"


def _look(words: dict) -> str:
    """Brightness, texture, sharpness, and what makes the colours doubtful."""
    traits = _traits(words, words['brightness'])
    caution = _caution(words, '')
    if not traits:
        return caution
    return f'It looks {listed(traits)}.' if not caution else f'It looks {listed(traits)}; {_lower(caution)}'


def _traits(words: dict, *others: str) -> list[str]:
    return [one for one in (*others, _TEXTURES[words['texture']], _SHARPNESS[words['sharpness']]) if one]


def _surface_sentence(words: dict) -> str:
    traits = _traits(words)
    return f'The region looks {listed(traits)}.' if traits else 'The region is too small to tell its texture.'


def _caution(words: dict, before: str) -> str:
    tint, dark = words['tinted_picture'], words['dark_picture']
    if tint and dark:
        return f'{before}The whole picture is dark and tinted {tint}, so the colours are uncertain.'
    if tint:
        return f'{before}Nearly the whole picture is tinted {tint}, perhaps by its light.'
    return f'{before}The whole picture is dark, so the colours are uncertain.' if dark else ''


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _shape_sentence(words: dict) -> str:
    form = 'elongated' if words['elongated'] else words['form'] or 'of no simple shape'
    return f"The region is {form} and {words['ratio']}."


def _round(fraction: float) -> int:
    return int(fraction * 100 + 0.5)


def _percent(fraction: float) -> str:
    if fraction < 0.001:
        return 'far less than 1 percent'
    if fraction < 0.01:
        return 'less than 1 percent'
    return 'about half' if 0.485 <= fraction <= 0.515 else f'about {_round(fraction)} percent'


def _ratio(aspect: float) -> str:
    """How the box is proportioned: 'about twice as wide as high'."""
    one, other = ('wide', 'high') if aspect >= 1 else ('high', 'wide')
    times = max(aspect, 1 / aspect)
    if times < 1.2:
        return 'about as wide as high'
    if times > 10:
        return f'more than ten times as {one} as {other}'
    if times < 1.75:
        return f'a little more {one} than {other}' if times < 1.35 else f'one and a half times as {one} as {other}'
    names = {2: 'twice', 3: 'three times', 4: 'four times', 5: 'five times', 6: 'six times', 7: 'seven times',
             8: 'eight times', 9: 'nine times', 10: 'ten times'}
    return f'about {names[min(10, int(times + 0.5))]} as {one} as {other}'
