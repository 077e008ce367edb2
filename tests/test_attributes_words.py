"""The attributes describer speaks: short where it must be, different where anything differs, never naming a thing."""
from __future__ import annotations

import json
from pathlib import Path
import random
import re

import cv2
import numpy as np
import pytest

from dam_ros.core.attributes import SIZES, Attributes, measure
from dam_ros.core.colours import NAMES, Colour
from dam_ros.core.describing import BRIEF, FULL, NORMAL, Describer, Look, Query, Subject, Telling, tell
from dam_ros.core.errors import Unsupported
from dam_ros.core.shape import BORDERS, PLACES, Shape
from dam_ros.core.surface import Light, Surface
from dam_ros.core.text import BRIEF_WORDS, brief_of, sentences
from dam_ros.describers import attributes_words as wording
from dam_ros.describers.attributes import create

PHOTOS = Path(__file__).parents[1] / 'examples' / 'photos'
TONED = [f'{tone} {name}'.strip() for name in NAMES for tone in ('', 'light', 'dark')]


def draw_attributes(rng: random.Random) -> Attributes:
    """Any attributes that can occur together."""
    fraction = rng.choice([0.0004, 0.003, 0.02, 0.048, 0.052, 0.1, 0.149, 0.151, 0.3, 0.495, 0.505, 0.7, 0.99, 1.0])
    elongated = rng.random() < 0.4
    toned = rng.sample(TONED, rng.randint(1, 3))
    colours = tuple(Colour(one.split()[-1], ' '.join(one.split()[:-1]), 0.3, (1, 2, 3)) for one in toned)
    aspect = rng.choice([0.02, 0.15, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.15, 1.3, 1.5, 2, 3, 4, 6, 8, 9.7, 30])
    shape = Shape(
        place=rng.choice(PLACES), centroid=(0.5, 0.5), aspect=aspect, elongated=elongated,
        proportion='wide' if aspect >= 1.2 else 'upright' if aspect <= 1 / 1.2 else 'even',
        form=rng.choice(['round', 'oval', 'rectangular', 'irregular', '']),
        lean=rng.choice(['level', 'vertical', 'rising', 'falling']) if elongated else '',
        pieces=rng.choice([1, 1, 2, 5]), touches=tuple(one for one in BORDERS if rng.random() < 0.4))
    surface = Surface(rng.choice(['plain', 'shaded', 'finely textured', 'patterned', '']),
                      rng.choice(['sharp', 'soft', '']), rng.choice(['dark', 'bright', '']), 0.5)
    light = Light(rng.random() < 0.3, rng.choice(['', '', 'orange', 'blue']), 0.5)
    size = next((word for limit, word in SIZES if fraction < limit), 'whole')
    return Attributes(colours, size, fraction, (0, 0, 10, 10), shape, surface, light)


@pytest.fixture(scope='module')
def many():
    rng = random.Random(7)
    return [draw_attributes(rng) for _ in range(20000)]


def test_brief_is_one_short_sentence_and_opens_the_text(many):
    for found in many:
        words = wording.words_of(found)
        brief = wording.brief(words)
        assert len(brief.split()) <= BRIEF_WORDS, brief
        assert sentences(brief) == [brief]
        assert brief_of(wording.normal(words)) == brief   # Description.brief, where no brief one was told
        assert not re.search(r'\b[Aa] [aeiou]|\bAn? [^aeiou ]*, ,|  ', brief), brief


def test_text_has_two_or_three_sentences(many):
    for found in many:
        text = wording.normal(wording.words_of(found))
        assert 2 <= len(sentences(text)) <= 3, text
        assert not re.search(r'\ba [aeiou]|  |\.\.|,\.|None', text), text


def test_same_text_only_if_all_attributes_agree(many):
    told: dict[str, dict] = {}
    for found in many:
        words = wording.words_of(found)
        assert told.setdefault(wording.normal(words), words) == words
    assert len(told) > 10000


def test_one_changed_attribute_changes_the_text():
    rng = random.Random(11)
    for _ in range(3000):
        one, other = (wording.words_of(draw_attributes(rng)) for _ in range(2))
        groups = [('colours',), ('place',), ('size', 'percent'), ('proportion', 'ratio'), ('form',), ('parts',),
                  ('elongated', 'lean'), ('touches',), ('texture',), ('sharpness',), ('brightness',), ('dark_picture',),
                  ('tinted_picture',)]
        if 'whole' in (one['size'], other['size']):
            continue
        for keys in groups:
            changed = {**one, **{key: other[key] for key in keys}}
            assert (wording.normal(changed) == wording.normal(one)) == (changed == one), (keys, wording.normal(one))


# Through the describer, on real photographs.

@pytest.fixture(scope='module')
def photographed():
    """[(name of the thing, image, mask)] of all regions of all photographs."""
    found = []
    for name, entry in json.loads((PHOTOS / 'photos.json').read_text()).items():
        image = cv2.cvtColor(cv2.imread(str(PHOTOS / f'{name}.jpg')), cv2.COLOR_BGR2RGB)
        labels = cv2.imread(str(PHOTOS / f'{name}.labels.png'), cv2.IMREAD_UNCHANGED)
        found += [(thing, image, labels == int(label)) for label, thing in entry['regions'].items()]
    return found


@pytest.fixture
def describer():
    return create({})


def look_at(describer, image=None, mask=None):
    image = np.full((60, 80, 3), (200, 30, 30), np.uint8) if image is None else image
    return describer.look([Subject(((image, np.ones(image.shape[:2], bool) if mask is None else mask),))])[0]


def said(describer, look, **query):
    return ''.join(piece.text for piece in tell(describer, look, Query(**query)))


def test_never_names_a_thing(describer, photographed):
    own = {'top', 'middle', 'bottom', 'left', 'right', 'upper', 'lower', 'lit', 'dark', 'in', 'the', 'of', 'to', 'on',
           'its', 'it', 'behind', 'front', 'edge', 'side', 'focus', 'at', 'shade', 'from'}
    things = {word for thing, _, _ in photographed for word in re.findall('[a-z]+', thing)} - own
    assert {'otter', 'sky', 'helmet', 'table'} <= things
    for _, image, mask in photographed:
        for detail in (NORMAL, BRIEF, FULL):
            text = said(describer, look_at(describer, image, mask), detail=detail, max_tokens=2048)
            assert not things & set(re.findall('[a-z]+', text.lower())), text


def test_regions_of_real_photographs_get_texts_of_their_own(describer, photographed):
    texts = {said(describer, look_at(describer, image, mask)) for _, image, mask in photographed}
    assert len(texts) == len(photographed)


def test_follows_the_protocol(describer):
    assert isinstance(describer, Describer)
    look = look_at(describer)
    telling = describer.begin(look, Query())
    assert isinstance(look, Look) and isinstance(telling, Telling)
    pieces = []
    while not pieces or not pieces[-1].last:
        (owner, piece), = describer.step()
        assert owner is telling
        pieces.append(piece)
    assert describer.step() == []
    text = ''.join(piece.text for piece in pieces)
    assert text.startswith('The whole picture is red. ') and '  ' not in text
    assert len(pieces) > 3 and not any(piece.last or piece.facts for piece in pieces[:-1])
    last = pieces[-1]
    assert (last.language, last.truncated, last.abstained, last.failure) == ('en', False, False, None)
    assert last.facts['colours'] == ['red'] and last.facts['measured']['area_fraction'] == 1.0
    json.dumps(last.facts, allow_nan=False)


def test_many_tellings_of_many_looks_run_together(describer):
    image = np.full((60, 80, 3), (200, 30, 30), np.uint8)
    image[:, 40:] = (20, 60, 220)
    left, right = np.zeros((60, 80), bool), np.zeros((60, 80), bool)
    left[:, :30], right[:, 50:] = True, True
    looks = describer.look([Subject(((image, left),)), Subject(((image, right),))])
    tellings = [describer.begin(looks[i % 2], Query(detail=i % 3)) for i in range(describer.capacity)]
    alone = [said(create(), look_at(create(), image, (left, right)[i % 2]), detail=i % 3)
             for i in range(describer.capacity)]
    stopped = describer.begin(looks[0], Query())
    stopped.stop()
    texts = dict.fromkeys(tellings, '')
    while pieces := describer.step():
        for telling, piece in pieces:
            texts[telling] += piece.text
    assert list(texts.values()) == alone


def test_max_tokens_counts_words(describer):
    look = look_at(describer)
    whole = said(describer, look)
    pieces = list(tell(describer, look, Query(max_tokens=5)))
    assert ''.join(piece.text for piece in pieces) == ' '.join(whole.split()[:5])
    assert pieces[-1].truncated
    assert not list(tell(describer, look, Query(max_tokens=len(whole.split()))))[-1].truncated


def test_detail(describer):
    look = look_at(describer)
    brief, normal, full = (said(describer, look, detail=detail) for detail in (BRIEF, NORMAL, FULL))
    assert normal.startswith(brief) and full.startswith(normal) and len(full) > len(normal) > len(brief)


@pytest.mark.parametrize(('question', 'wanted'), [
    ('What colour is it?', 'The region is red.'), ('what color is the car', 'The region is red.'),
    ('Is it blue?', 'The region is red.'), ('Where is it?', 'The region lies in the upper left of the picture.'),
    ('How big is this?', 'The region covers about 3 percent of the picture and is about as wide as high.'),
    ('What shape does it have?', 'The region is round and about as wide as high.'),
    ('How bright is it?', 'The region is neither bright nor dark.'), ('Is it blurred?', 'The region looks plain.'),
])
def test_answers_what_it_can(describer, question, wanted):
    image, mask = np.full((240, 320, 3), 128, np.uint8), np.zeros((240, 320), np.uint8)
    cv2.circle(mask, (60, 50), 28, 1, -1)
    image[mask != 0] = (210, 25, 25)
    pieces = list(tell(describer, look_at(describer, image, mask.astype(bool)), Query(question=question)))
    assert (''.join(piece.text for piece in pieces), pieces[-1].abstained) == (wanted, False)


@pytest.mark.parametrize('question', [
    'What is this?', 'Who is that on the right?', 'Can I eat it?', 'Is it a dog or a cat?', 'Read the sign', '?'])
def test_says_that_it_cannot(describer, question):
    pieces = list(tell(describer, look_at(describer), Query(question=question)))
    text = ''.join(piece.text for piece in pieces)
    assert pieces[-1].abstained and text.startswith('I can only tell') and 'is red' in text
    assert len(said(describer, look_at(describer), question=question, detail=BRIEF).split()) <= BRIEF_WORDS


def test_refuses_what_it_has_not(describer):
    look = look_at(describer)
    for language in ('de', 'zh-CN', 'nonsense'):
        with pytest.raises(Unsupported, match=f"language is '{language}'; allowed: 'en'"):
            describer.begin(look, Query(language=language))
    for language in ('en', 'en-GB', 'EN'):
        assert said(describer, look, language=language)
    with pytest.raises(Unsupported, match='raw_query'):
        describer.begin(look, Query(question='<image> what?', raw=True))
    picture = look_at(describer), np.ones((4, 4), bool)
    with pytest.raises(Unsupported, match='clip_s'):
        describer.look([Subject((picture, picture))])
    assert describer.step() == []


def test_close_forgets(describer):
    look = look_at(describer)
    describer.begin(look, Query())
    describer.close()
    assert describer.step() == []
    look.close()
    assert look.found is None


def test_doubt_is_said_where_the_light_is_bad():
    rng = np.random.default_rng(1)
    grey = np.repeat(rng.integers(30, 250, (90, 120, 1)), 3, axis=-1)
    for factors, words in (((0.3, 0.3, 0.3), 'is dark, so the colours are uncertain'),
                           ((1, 0.72, 0.4), 'tinted orange, perhaps by its light')):
        image = (grey * factors).astype(np.uint8)
        found = wording.words_of(measure(image, np.ones((90, 120), bool)))
        assert words in wording.normal(found)
        assert words in wording.answer('What colour is it?', found)[0]
