"""In which direction something is and how far, as far as that is known and still true."""
from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np
import pytest

from dam_ros.core.catalogues import LANGUAGES
from dam_ros.core.caution import claims_safety
from dam_ros.core.directions import direction, Whereabouts
from dam_ros.core.place_words import distance_in, IN_PICTURE, where
from dam_ros.core.placing import clock_hour

NAN = math.nan


@dataclass
class Settings:
    clock_reference: str = 'person'
    direction_words: str = 'clock'


def at(degrees: float = NAN, distance_m: float = NAN, cell: str = '', in_camera_frame: bool = True) -> Whereabouts:
    """As describe_node would say it of a thing so many degrees to the left."""
    bearing = math.radians(degrees)
    hour = clock_hour(bearing)
    return Whereabouts(bearing, hour, distance_m, where(hour, distance_m, cell), in_camera_frame)


def said(place: Whereabouts, language: str = 'en', **settings: str) -> str | None:
    found = direction(place, Settings(**settings), language)
    return None if found is None else found.text


@pytest.mark.parametrize(('place', 'settings', 'text'), (
    (at(-60, 1.7), {}, "At 2 o'clock, one and a half metres."), (at(0, 0.3), {}, "At 12 o'clock, within reach."),
    (at(-30, NAN), {}, "At 1 o'clock."), (at(NAN, 2.0), {}, 'Two metres.'), (at(), {}, None),
    (at(-60, 1.0), {'direction_words': 'left_right'}, 'Right, one metre.'),
    (at(30, 1.0), {'direction_words': 'left_right'}, 'Slightly left, one metre.'),
    (at(-5), {'direction_words': 'left_right'}, 'Ahead.'), (at(170), {'direction_words': 'left_right'}, 'Behind.'),
    (at(-31, 3.2), {'direction_words': 'degrees'}, '30 degrees right, three metres.'),
    (at(118), {'direction_words': 'degrees'}, '120 degrees left.'), (at(4), {'direction_words': 'degrees'}, 'Ahead.'),
    (at(-60, 1.7), {'clock_reference': 'camera'}, 'In the picture, right, one and a half metres.'),
    (at(12), {'clock_reference': 'camera'}, 'In the picture, left.'),
    (at(-9), {'clock_reference': 'camera'}, 'In the picture, middle.'),
    (at(-22), {'clock_reference': 'camera', 'direction_words': 'degrees'},
     'In the picture, 20 degrees right of the middle.'),
    (at(cell='upper left'), {'clock_reference': 'camera'}, 'In the picture, upper left.'),
    (at(cell='upper left'), {}, 'In the picture, upper left.'),
    (at(-60, 1.7, in_camera_frame=False), {'clock_reference': 'camera'}, 'One and a half metres.'),
    (at(-60, in_camera_frame=False), {'clock_reference': 'camera'}, None)))
def test_a_direction_is_one_short_sentence(place, settings, text):
    assert said(place, **settings) == text


@pytest.mark.parametrize(('language', 'text'), (
    ('en-GB', "At 2 o'clock, one and a half metres."), ('es', 'A las 2, un metro y medio.'),
    ('de', 'Auf 2 Uhr, anderthalb Meter.'),
    ('fr', 'À 2 heures, un mètre et demi.'), ('zh', '2点钟方向，一米半。'),
    ('it', "At 2 o'clock, one and a half metres.")))
def test_it_is_said_in_the_language_of_the_listener(language, text):
    assert said(at(-60, 1.7), language) == text
    assert direction(at(-60), Settings(), language).language == (language[:2] if language != 'it' else 'en')


def test_the_clock_face_is_the_persons_and_never_the_cameras():
    for words in ('clock', 'left_right', 'degrees'):
        for degrees in range(-180, 181, 5):
            text = said(at(degrees), clock_reference='camera', direction_words=words)
            assert text.startswith('In the picture, ') and "o'clock" not in text


def test_a_direction_that_went_stale_is_left_out_with_its_distance():
    assert direction(at(-60, 1.7), Settings(), 'en', fresh=False) is None


@pytest.mark.parametrize('language', LANGUAGES)
def test_left_is_left_everywhere(language):
    left = {said(at(60), language, direction_words=words, clock_reference=reference)
            for words in ('left_right', 'degrees') for reference in ('person', 'camera')}
    right = {said(at(-60), language, direction_words=words, clock_reference=reference)
             for words in ('left_right', 'degrees') for reference in ('person', 'camera')}
    word = {'en': ('left', 'right'), 'es': ('izquierda', 'derecha'), 'de': ('links', 'rechts'), 'fr': ('gauche',
    'droite'),
            'zh': ('左', '右')}[language]
    assert all(word[0] in one.lower() and word[1] not in one for one in left)
    assert all(word[1] in one.lower() and word[0] not in one for one in right)


@pytest.mark.parametrize('language', LANGUAGES)
def test_distances_are_never_rounded_up_and_claim_nothing(language):
    texts = [distance_in(metre, language).text for metre in np.arange(0, 120, 0.05)]
    steps = list(dict.fromkeys(texts))
    assert len(steps) == len(set(texts)) == 35, 'each step is said once, in its order'
    assert texts[0] == texts[9] != texts[10], 'half a metre begins at half a metre'
    assert not any(claims_safety(one) for one in steps)


@pytest.mark.parametrize('metre', [1e9, math.inf, 0.0, 109.99995])
def test_odd_distances_have_words(metre):
    assert distance_in(metre, 'en').text in ('within reach', 'more than a hundred metres')


@pytest.mark.parametrize('language', LANGUAGES)
def test_every_place_in_the_picture_has_words_of_its_own(language):
    texts = {said(at(cell=cell), language) for cell in IN_PICTURE}
    assert len(texts) == 9 and all(one[-1] in '.。' and one[0] == one[0].upper() for one in texts)
