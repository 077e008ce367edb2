"""Captions come at the moment something is spoken, and no faster than fingers read."""
from __future__ import annotations

from dataclasses import replace

from dam_ros.core.battery import Battery
from dam_ros.core.captions import Captions, words_in
from dam_ros.core.speech_settings import SpeechSettings


class Display:
    """Shows (time, text)."""

    def __init__(self, wpm: float = 100.0):
        self.settings = replace(SpeechSettings(), caption_wpm=wpm)
        self.now, self.shown = 0.0, []
        self.captions = Captions(lambda: self.settings, lambda text: self.shown.append((round(self.now, 1), text)))

    def add(self, text: str, key: str = 'a', at_once: bool = False) -> None:
        self.captions.add(self.now, key, text, at_once)

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.now += 0.1
            self.captions.tick(self.now)

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.shown]


def test_the_first_comes_at_once():
    display = Display()
    display.add('A red mug.')
    assert display.shown == [(0.0, 'A red mug.')]


def test_the_next_waits_until_the_one_before_was_read():
    display = Display(wpm=60.0)
    display.add('Five words are in here.')
    display.add('Then two.')
    display.add('Last.')
    display.wait(20.0)
    assert [text for _, text in display.shown] == ['Five words are in here.', 'Then two.', 'Last.']
    first, second, third = (when for when, _ in display.shown)
    assert 5.0 <= second - first < 5.3 and 2.0 <= third - second < 2.3


def test_in_an_hour_of_talk_no_more_words_than_can_be_read():
    display = Display(wpm=100.0)
    for _ in range(600):
        display.add('Eight words stand here in this short sentence.')
        display.wait(1.0)
    assert sum(words_in(text) for text in display.texts[:-1]) <= 100.0 * display.now / 60.0


def test_a_caption_obeys_no_control_character_and_is_one_line():
    display = Display()
    display.add('\x07b\x1b[31mc\x9bd\r\ng')
    assert display.texts == ['b [31mc d g']


def test_captions_that_nobody_reads_are_bounded():
    display = Display(wpm=0.0)
    for number in range(1000):
        display.add(f'Number {number}.')
    count = 0
    while display.captions.by_hand(display.now):
        count += 1
    assert count <= 32 and display.texts[-1] == 'Number 999.'


def test_by_hand_the_next_comes_now():
    display = Display()
    for text in ('One two three four five.', 'Second.', 'Third.'):
        display.add(text)
    assert display.captions.by_hand(display.now) and display.texts[-1] == 'Second.'
    assert display.captions.by_hand(display.now) and not display.captions.by_hand(display.now)


def test_at_zero_only_the_hand_shows_the_next():
    display = Display(wpm=0.0)
    display.add('One.')
    display.add('Two.')
    display.wait(100.0)
    assert display.texts == ['One.']
    display.captions.by_hand(display.now)
    assert display.texts == ['One.', 'Two.']


def test_an_answer_is_shown_at_once_and_what_it_interrupted_is_not():
    display = Display()
    display.add('One two three four five.')
    display.add('Second.')
    display.add('The answer.', key='b', at_once=True)
    display.wait(20.0)
    assert display.texts == ['One two three four five.', 'The answer.']


def test_what_was_spoken_to_its_end_is_shown_before_the_answer():
    """The old bug: sentences that were heard in full were never on the display, as it is slower than the voice."""
    display = Display(wpm=60.0)
    display.add('One two three four five.')
    display.add('Heard in full.')
    display.captions.spoken('a')
    display.add('Cut short.')
    display.captions.drop('a')
    display.add('The answer.', key='b', at_once=True)
    assert display.texts == ['One two three four five.', 'Heard in full.']
    display.wait(20.0)
    assert display.texts[2:] == ['The answer.']


def test_a_hush_empties_the_display():
    display = Display(wpm=60.0)
    for text in ('One two three four five.', 'Heard in full.'):
        display.add(text)
        display.captions.spoken('a')
    display.captions.clear()
    display.wait(20.0)
    assert display.texts == ['One two three four five.']


def test_what_was_silenced_is_not_shown_afterwards():
    display = Display()
    display.add('One two three four five.')
    display.add('Second.')
    display.captions.spoken('a')
    display.add('Of another.', key='b')
    display.captions.silence('a')
    display.wait(20.0)
    assert display.texts == ['One two three four five.', 'Of another.']


def test_characters_of_scripts_without_spaces_count_as_thirds_of_words():
    assert words_in('一个红色的杯子') == 1 + 7 / 3


# -- the battery


def test_low_is_told_once_and_over_once():
    battery = Battery()
    told = [battery.read(charge, False, 0.15) for charge in (0.5, 0.16, 0.149, 0.10, 0.16, 0.19, 0.21, 0.30)]
    assert told == [False, False, True, False, False, False, True, False]


def test_a_battery_that_is_charged_is_not_low_and_an_unknown_one_neither():
    battery = Battery()
    assert not battery.read(0.05, True, 0.15) and not battery.low
    assert battery.read(0.05, False, 0.15) and battery.low
    assert battery.read(0.05, True, 0.15) and not battery.low
    battery.read(0.05, False, 0.15)
    assert not battery.read(float('nan'), False, 0.15) and battery.low, 'a reading that fails is no charger'
