"""Not the same thing again: what counts as the same, what as changed, and how well that works on recorded sequences."""
from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
import math
from pathlib import Path
import sys
import time

import pytest

from dam_ros.core.likeness import alike, content_words, Repetition, Thing

NAN = math.nan
SCRIPT = Path(__file__).resolve().parent.parent / 'scripts' / 'measure_likeness'


@dataclass
class Settings:
    repeat_after_s: float = 30.0
    repeat_alike: float = 0.5
    repeat_deg: float = 15.0
    repeat_distance: float = 0.3


MUG = Thing(label=7, text='A red mug on a wooden table.', language='en', bearing_rad=0.0, distance_m=2.0,
            present=frozenset({7}))
BARE = replace(MUG, label=-1, present=None)


def degrees(angle: float) -> float:
    return math.radians(angle)


def after(first: Thing, then: Thing, wait_s: float = 5.0) -> bool:
    """Whether `then` would be the same again where `first` was told before."""
    memory = Repetition(Settings)
    memory.told(100.0, first)
    return memory.again(100.0 + wait_s, then)


# -- words

@pytest.mark.parametrize(('text', 'language', 'words'), (
    ('A red mug on the tables.', 'en', {'red', 'mug', 'tabl'}),
    ("The dogs' bowl, the dog's bowl", 'en', {'dog', 'bowl'}),
    ('The image shows something in the upper left of the picture.', 'en', {'someth'}), ('', 'en', set()),
    ('the of', '', set()),
    ('Eine rote Tasse', 'de-AT', {'rot', 'tas'}), ("L'homme porte des lunettes", 'fr', {'homm', 'port', 'lunett'}),
    ('Unas tazas rojas', 'es', {'taz', 'roj'}), ('红色的杯子', 'zh', {'红色', '色杯', '杯子', '红'})))
def test_content_words(text, language, words):
    assert content_words(text, language) == words


def test_likeness_is_a_share():
    mug, table = frozenset({'mug'}), frozenset({'mug', 'tabl'})
    assert alike(mug, mug) == 1.0 and alike(mug, frozenset({'dog'})) == 0.0
    assert alike(mug, table) == alike(table, mug) == pytest.approx(2 / 3)
    assert alike(frozenset(), frozenset()) == 1.0 and alike(frozenset(), mug) == 0.0


def test_another_colour_is_news_however_alike_the_rest_is():
    def how(one: str, other: str) -> float:
        return alike(content_words(one), content_words(other))
    assert how('A traffic light showing red.', 'A traffic light showing green.') < 0.5
    assert how('A reddish brown dog.', 'A brown dog.') > 0.5


# -- what is the same again

def test_the_same_is_not_told_again_for_a_while():
    assert after(MUG, MUG)
    assert after(MUG, replace(MUG, text='A red ceramic mug stands on a wooden table.'))
    assert not after(MUG, MUG, wait_s=30.1)


def test_what_was_never_told_is_new():
    assert not Repetition(Settings).again(0.0, MUG)


@pytest.mark.parametrize('change', (
    {'text': 'A laptop.'}, {'text': 'A blue mug on a wooden table.'}, {'bearing_rad': degrees(16)},
    {'bearing_rad': degrees(-16)}, {'distance_m': 2.7}, {'distance_m': 1.3}))
def test_what_changed_materially_is_told(change):
    assert not after(MUG, replace(MUG, **change))


@pytest.mark.parametrize(('language', 'before', 'now'), (
    ('en', 'A leather armchair by the window.', 'A leather armchair by the window with a dog on it.'),
    ('en', 'A leather armchair by the window.', 'A leather armchair by the window with a child asleep in it.'),
    ('en', 'A leather armchair by the window.', 'A leather armchair by the window with children playing.'),
    ('en', 'A white plate with pasta and sauce.', 'A white plate with pasta and sauce and a sharp knife.'),
    ('en', 'A man on a bench under a tree.', 'A man on a bench under a tree, and two women.'),
    ('es', 'Un sillón de cuero junto a la ventana.', 'Un sillón de cuero junto a la ventana con un perro.'),
    ('de', 'Ein Ledersessel am großen Fenster.', 'Ein Ledersessel am großen Fenster mit einem Hund.'),
    ('fr', 'Un fauteuil en cuir près de la fenêtre.', 'Un fauteuil en cuir près de la fenêtre avec un chien.'),
    ('zh', '窗边放着一把棕色的皮扶手椅。', '窗边放着一把棕色的皮扶手椅，上面有一只狗。')))
def test_a_thing_or_person_that_came_along_is_told(language, before, now):
    """The old bug: most of the words were the same."""
    then = replace(MUG, text=before, language=language)
    assert not after(then, replace(then, text=now))
    assert not after(replace(then, label=-1), replace(then, label=-1, text=now))
    assert after(replace(then, text=now), replace(then, text=now))


def test_what_was_named_lately_is_no_news_again():
    """A describer that names now this, now that, is not told each time."""
    memory = Repetition(Settings)
    texts = ('A red mug on a table beside a spoon.', 'A red mug on a table beside a napkin.')
    told = []
    for now in range(20):
        thing = replace(MUG, text=texts[now % 2])
        if not memory.again(float(now), thing):
            memory.told(float(now), thing)
            told.append(now)
    assert told == [0, 1]
    assert not memory.again(40.0, replace(MUG, text=texts[0]))


def test_what_a_thing_has_is_no_other_thing():
    assert after(MUG, replace(MUG, text='A red mug with a handle on a wooden table.'))
    assert after(replace(MUG, text='A wide, black area.'), replace(MUG, text='A large, wide, black area.'))
    assert after(replace(MUG, text='A potted plant.'), replace(MUG, text='A plant in a pot.'))


@pytest.mark.parametrize('change', (
    {'bearing_rad': degrees(14)}, {'bearing_rad': NAN}, {'distance_m': 2.5}, {'distance_m': 1.5}, {'distance_m': NAN}))
def test_a_little_is_no_change_and_what_is_unknown_neither(change):
    assert after(MUG, replace(MUG, **change))


def test_the_cameras_own_turning_is_no_change():
    before = replace(MUG, bearing_rad=degrees(20), heading_rad=degrees(0), heading_epoch=3)
    assert after(before, replace(before, bearing_rad=degrees(-20), heading_rad=degrees(40)))
    assert not after(before, replace(before, heading_rad=degrees(40))), 'it went along with the camera'
    assert after(replace(before, heading_rad=degrees(170)),
                 replace(before, heading_rad=degrees(-170), bearing_rad=degrees(0))), 'past half a turn'
    other = replace(before, heading_rad=degrees(40), heading_epoch=4)
    assert after(before, other), 'headings of two epochs are not compared; the bare bearings are'
    assert not after(before, replace(other, bearing_rad=degrees(-20)))
    assert after(before, replace(before, heading_rad=NAN))


def test_two_red_mugs_with_labels_of_their_own_are_two_things():
    assert not after(MUG, replace(MUG, label=8, present=frozenset({7, 8})))
    assert not after(MUG, replace(MUG, label=8, present=None)), 'nobody knows whether the first is gone'


def test_a_thing_that_got_a_new_number_is_the_same():
    renamed = replace(MUG, label=8, present=frozenset({8}))
    assert after(MUG, renamed)
    assert not after(MUG, replace(renamed, bearing_rad=degrees(30)))
    assert not after(MUG, replace(renamed, text='A laptop.'))
    assert not after(MUG, replace(renamed, distance_m=4.0))


def test_without_labels_words_and_direction_decide():
    assert after(BARE, BARE) and after(MUG, BARE)
    assert not after(BARE, replace(BARE, bearing_rad=degrees(30))), 'another mug'
    assert not after(BARE, replace(BARE, text='A dog.'))


def test_another_camera_sees_another_thing():
    assert not after(MUG, replace(MUG, camera='rear'))


def test_what_changes_back_is_told_too():
    memory, red = Repetition(Settings), replace(MUG, text='A traffic light showing red.')
    green = replace(MUG, text='A traffic light showing green.')
    for now, thing in enumerate((red, green, red, green)):
        assert not memory.again(now, thing)
        memory.told(now, thing)
        assert memory.again(now, thing)


def test_what_creeps_is_compared_with_what_was_told():
    memory = Repetition(Settings)
    memory.told(0.0, MUG)
    said = [angle for angle in range(0, 30, 2)
            if not memory.again(angle * 0.1, replace(MUG, bearing_rad=degrees(angle)))]
    assert said[0] == 16


def test_much_told_is_neither_kept_nor_slow():
    memory, begun = Repetition(Settings), time.perf_counter()
    for number in range(400):
        memory.told(number * 0.01, replace(MUG, label=number, text=f'thing{number} ' * 5,
                                           present=frozenset(range(400))))
    assert len(memory._told) == 256
    content_words('word ' * 20_000), content_words('停' * 100_000, 'zh'), content_words('s' * 100_000)
    assert time.perf_counter() - begun < 1.0


# -- measured

def test_on_recorded_sequences_it_works_as_well_as_documented(monkeypatch):
    loader = SourceFileLoader('measure_likeness', str(SCRIPT))
    script = module_from_spec(spec_from_loader(loader.name, loader))
    monkeypatch.setitem(sys.modules, loader.name, script)
    loader.exec_module(script)
    told = {name: again / of for name, (again, of) in {**script.sequences(step=4), **script.pairs()}.items()}
    assert told['unchanged'] < 0.05 and told['other words'] < 0.1
    assert told['swapped for another thing'] > 0.75 and told['other words for what changed'] > 0.9
    assert told['something or somebody came along'] > 0.75 and told['more words for the same'] < 0.4
    assert told['recoloured, and described so'] > 0.8
    assert told['moved aside by 20 degrees'] == told['gone from 2 m to 3 m'] == 1.0
