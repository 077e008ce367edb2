"""What is volunteered: only what is there, new, and seen by a camera that is still; and each change of sight once."""
from __future__ import annotations

from dataclasses import replace

import pytest

from dam_ros.core import errors, phrases
from dam_ros.core.seeing import BLURRED, COVERED, DARK, FROZEN, GONE, GOOD, News, NO_PICTURE, Seeing, UNKNOWN
from dam_ros.core.speech_settings import SpeechSettings

from speech_stage import DEGREE, Room

MUG = {'bearing_rad': 0.1, 'clock_hour': 12, 'distance_m': 2.0}


@pytest.fixture
def room():
    return Room(say_where=False)


# -- there


def test_a_thing_that_is_no_longer_present_is_not_told_of(room):
    room.present(1, 2)
    room.say('Something long.')
    room.narrate('a', 'A mug.', label=2)
    room.narrate('b', 'A chair.', label=1)
    room.present(1)
    assert room.listen() == ['Something long.', 'A chair.']


def test_a_list_older_than_the_picture_says_nothing_of_it(room):
    room.present(1, stamp_s=10.0)
    room.narrate('a', 'A mug.', label=2, stamp_s=10.4)
    assert room.heard == ['A mug.']


def test_what_was_asked_is_answered_whether_it_is_there_or_not(room):
    room.present(1)
    room.description('a', 'A mug.', 'A mug.', label=2)
    assert room.listen() == ['A mug.']


def test_what_was_described_and_dropped_counts_as_untold_until_it_is_heard(room):
    room.settings = replace(room.settings, narrate='new')
    for id, age_s in (('a', 9.0), ('b', 9.0), ('c', 0.1)):
        room.present(1)
        assert room.policy.narrating.next(room.now, True).labels == (1,)
        room.policy.narrating.ended(room.now, 1, 9.0)
        untold = room.policy.narrating.untold
        room.narrate(id, 'A mug.', label=1, age_s=age_s)
        room.wait(60.0, step=1.0)
    assert room.listen() == ['A mug.']
    assert untold == 3 and room.policy.narrating.untold == 0
    assert room.policy.narrating.next(room.now, True) is None


def test_a_thing_without_a_label_is_told_of(room):
    room.present(1)
    room.narrate('a', 'A street.')
    assert room.listen() == ['A street.']


# -- not the same again


def test_the_same_thing_is_not_told_again_within_30_s():
    room = Room(say_where=False, repeat_after_s=30.0)
    room.narrate('a', 'A red mug on a table.', label=1)
    room.listen()
    room.wait(29.0, step=1.0)
    room.narrate('b', 'A red mug on the table.', label=1)
    assert room.listen() == ['A red mug on a table.']
    room.wait(2.0)
    room.narrate('c', 'A red mug on the table.', label=1)
    assert room.listen()[1:] == ['A red mug on the table.']


@pytest.mark.parametrize(('after', 'is_told'), [
    ({}, False),
    ({'bearing_rad': 0.1 + 14 * DEGREE}, False),
    ({'bearing_rad': 0.1 + 16 * DEGREE}, True),
    ({'distance_m': 2.5}, False),
    ({'distance_m': 2.7}, True),
    ({'distance_m': 1.3}, True),
])
def test_unless_it_moved_by_more_than_15_degrees_or_30_percent_of_its_distance(room, after, is_told):
    where = {**MUG, 'where': "12 o'clock"}
    room.narrate('a', 'A red mug.', label=1, **where)
    room.listen()
    room.wait(5.0)
    room.narrate('b', 'A red mug.', label=1, **{**where, **after})
    assert (len(room.listen()) == 2) == is_told


def test_unless_what_is_said_of_it_changed(room):
    room.narrate('a', 'A red mug on a table.', label=1)
    room.listen()
    room.narrate('b', 'A woman holding a black umbrella.', label=1)
    assert len(room.listen()) == 2


def test_the_cameras_own_turning_is_no_change_of_the_thing(room):
    where = {**MUG, 'where': "12 o'clock"}
    room.sight(stamp_s=10.0, heading_deg=0.0, turning_deg_s=0.0)
    room.narrate('a', 'A red mug.', label=1, stamp_s=10.0, **where)
    room.listen()
    # The camera turns 40 degrees to the left, so the mug goes 40 degrees to the right.
    room.sight(stamp_s=12.0, heading_deg=40.0, turning_deg_s=0.0)
    room.narrate('b', 'A red mug.', label=1, stamp_s=12.0, **{**where, 'bearing_rad': 0.1 - 40 * DEGREE})
    assert room.listen() == ['A red mug.']
    # Now the mug has moved.
    room.narrate('c', 'A red mug.', label=1, stamp_s=12.0, **where)
    assert len(room.listen()) == 2


def test_two_alike_that_are_both_there_are_two_things(room):
    room.present(1, 2)
    room.narrate('a', 'A red mug.', label=1)
    room.narrate('b', 'A red mug.', label=2)
    assert room.listen() == ['A red mug.', 'A red mug.']


def test_what_was_dropped_or_never_begun_does_not_count_as_told():
    room = Room(say_where=False, stale_after_s=5.0)
    room.say('Something long.')
    room.narrate('a', 'A red mug.', label=1)
    room.wait(6.0)
    room.sentence_ends()
    room.narrate('b', 'A red mug.', label=1)
    assert room.listen() == ['Something long.', 'A red mug.']


def test_who_asks_gets_the_same_answer_as_often_as_they_ask(room):
    room.narrate('a', 'A red mug.', label=1)
    room.listen()
    room.description('b', 'A red mug.', 'A red mug.', label=1)
    assert room.listen() == ['A red mug.', 'A red mug.']


def test_what_was_just_answered_is_not_volunteered(room):
    room.description('a', 'A red mug.', 'A red mug.', label=1)
    room.listen()
    room.narrate('b', 'A red mug.', label=1)
    assert room.listen() == ['A red mug.']


# -- still


def test_while_the_camera_turns_nothing_is_volunteered_and_what_waits_goes_stale():
    room = Room(say_where=False, turning_deg_s=20.0, stale_after_s=5.0)
    room.sight(turning_deg_s=60.0, heading_deg=0.0)
    room.wait(0.1)
    room.narrate('a', 'A mug.')
    assert room.heard == []
    for _ in range(4):
        room.sight(turning_deg_s=60.0, heading_deg=0.0)
        room.wait(1.0)
    room.narrate('b', 'A chair.')
    room.sight(turning_deg_s=60.0, heading_deg=0.0)
    room.wait(1.2)
    room.sight(turning_deg_s=0.0, heading_deg=0.0)
    room.wait(0.2)
    assert room.listen() == ['A chair.']


def test_an_answer_does_not_wait_for_the_camera(room):
    room.sight(turning_deg_s=60.0, heading_deg=0.0)
    room.wait(0.1)
    room.description('a', 'A mug.', 'A mug.')
    assert room.text == 'A mug.'


def test_a_turning_that_nobody_confirms_is_over(room):
    room.sight(turning_deg_s=60.0, heading_deg=0.0)
    room.wait(2.0)
    room.narrate('a', 'A mug.')
    assert room.text == 'A mug.'


# -- can it see?


@pytest.fixture
def watch():
    return Watch(say_where=False, announce_sight=True)


class Watch(Room):
    """A room with a heartbeat: `for_s` seconds of it, during which all that is said is heard."""

    def see(self, state: int = GOOD, for_s: float = 2.0, **fields) -> list[str]:
        """What was said meanwhile."""
        count = len(self.heard)
        for _ in range(round(for_s / 0.2)):
            self.sight(state, **fields)
            self.wait(0.2)
            self.listen()
        return self.heard[count:]

    def silence(self, for_s: float) -> list[str]:
        count = len(self.heard)
        for _ in range(round(for_s / 0.2)):
            self.wait(0.2)
            self.listen()
        return self.heard[count:]


def said(state: int, camera: str = '') -> str:
    return phrases.of_sight(state, 'en', camera).text


def test_a_camera_that_sees_is_nothing_to_tell(watch):
    assert watch.see(for_s=10.0) == []


@pytest.mark.parametrize('state', (NO_PICTURE, FROZEN, DARK, COVERED, BLURRED))
def test_each_change_is_said_once_and_that_it_sees_again(watch, state):
    watch.see()
    assert ' '.join(watch.see(state, 10.0)) == said(state)
    assert watch.see(GOOD, 10.0) == [said(GOOD)]


def test_from_one_trouble_to_another_each_is_said(watch):
    watch.see()
    assert watch.see(DARK) == [said(DARK)]
    assert watch.see(COVERED) == [said(COVERED)]
    assert watch.see(GOOD) == [said(GOOD)]


def test_of_several_cameras_the_one_is_named(watch):
    watch.sight(camera='front')
    watch.sight(camera='rear')
    watch.sight(COVERED, camera='rear')
    watch.wait(0.2)
    assert watch.listen() == [said(COVERED, 'rear')]


def test_what_is_over_before_it_could_be_said_is_not_said(watch):
    watch.see()
    watch.say('Something long.')
    watch.sight(DARK)
    watch.wait(0.2)
    watch.sight(GOOD)
    watch.wait(0.2)
    assert watch.listen() == ['Something long.']


def test_what_a_question_cut_short_is_said_again(watch):
    watch.see()
    watch.sight(DARK)
    watch.wait(0.2)
    assert watch.text == said(DARK)
    watch.description('a', 'A mug.', 'A mug.')
    watch.listen()
    assert watch.see(DARK) == [said(DARK)]


def test_what_a_hush_ended_is_not_said_again(watch):
    watch.see()
    watch.sight(DARK)
    watch.wait(0.2)
    watch.hush()
    assert watch.see(DARK, 15.0) == []


def test_a_change_within_the_quiet_after_a_hush_is_said_afterwards():
    watch = Watch(announce_sight=True, hush_quiet_s=10.0)
    watch.see()
    watch.hush()
    assert watch.see(DARK, 9.0) == []
    assert watch.see(DARK, 2.0) == [said(DARK)]


def test_a_describer_that_falls_silent_is_noticed_within_3_s_and_said_once(watch):
    watch.see()
    assert ' '.join(watch.silence(3.0)) == phrases.DESCRIBER_GONE
    assert watch.silence(30.0) == []
    assert watch.see() == [phrases.of_sight(GOOD, 'en').text]


def test_a_describer_that_comes_back_blind_says_what_is_wrong_and_then_that_it_sees(watch):
    watch.see()
    watch.silence(5.0)
    assert ' '.join(watch.see(NO_PICTURE)) == said(NO_PICTURE)
    assert watch.see(GOOD) == [said(GOOD)]


def test_what_mute_ends_before_its_first_word_is_said_later(watch):
    watch.see()
    watch.say('Something long.')
    watch.sight(DARK)
    watch.wait(0.1)
    watch.mute()
    watch.mute(False)
    assert watch.see(DARK) == [said(DARK)]


def test_who_asks_a_describer_that_is_gone_is_told_so_and_it_is_not_announced_as_well(watch):
    watch.see()
    watch.listen()
    watch.now += 3.5
    watch.asked('a')
    watch.take(watch.policy.no_describer(watch.now, 'a'))
    watch.heard.clear()
    assert ' '.join(watch.listen() + watch.silence(30.0)).count('The describer') <= 1


def test_who_is_told_that_there_is_no_picture_does_not_hear_it_announced_as_well(watch):
    watch.see()
    watch.sight(NO_PICTURE)
    watch.description('a', code=errors.NoFrame.code)
    assert watch.listen() != []
    assert watch.see(NO_PICTURE, 10.0) == []
    assert watch.see(GOOD) == [said(GOOD)]


def test_a_describer_that_was_never_there_is_not_running(watch):
    assert ' '.join(watch.silence(5.0)) == phrases.NO_DESCRIBER
    assert watch.silence(60.0) == []


def test_a_describer_has_time_to_start():
    seeing = Seeing(SpeechSettings, 100.0)
    assert seeing.describer(119.0) == UNKNOWN and seeing.news(119.0) == []
    assert seeing.describer(121.0) == GONE and seeing.news(121.0) == [News(None, is_new=True)]


def test_one_without_a_heartbeat_is_never_gone(watch):
    for _ in range(50):
        watch.policy.seeing.sign_of_life(watch.now)
        assert watch.silence(1.0) == []


def test_one_without_a_heartbeat_that_comes_back_and_dies_again_is_said_again(watch):
    for _ in range(2):
        watch.policy.seeing.sign_of_life(watch.now)
        assert ' '.join(watch.silence(3.0)) == phrases.DESCRIBER_GONE
        assert watch.silence(5.0) == []


def test_it_can_be_switched_off():
    watch = Watch(announce_sight=False)
    watch.see()
    assert watch.see(DARK) == [] and watch.silence(10.0) == []


def test_it_is_said_before_narration_that_waits(watch):
    watch.see()
    watch.say('Something long.')
    watch.narrate('a', 'A mug.')
    watch.sight(DARK)
    watch.wait(0.2)
    assert watch.listen() == ['Something long.', said(DARK), 'A mug.']


def test_off_is_heard_with_a_loss_and_not_with_a_return():
    watch = Watch(announce_sight=True, earcons=True)
    watch.see()
    assert watch.see(DARK) == ['<off>', said(DARK)]
    assert watch.see(GOOD) == [said(GOOD)]


def test_the_systems_own_news_are_no_things_to_repeat(watch):
    watch.description('a', 'A mug.', 'A mug.')
    watch.listen()
    watch.see(DARK)
    watch.press('repeat')
    assert watch.text == 'A mug.'


def test_narration_that_a_hush_ended_has_its_code(room):
    key = room.say('A mug.')
    room.hush()
    assert room.results[key] == errors.Hushed.code


def test_what_a_hush_ended_before_its_first_word_is_said_after_the_quiet():
    watch = Watch(announce_sight=True, hush_quiet_s=10.0)
    watch.see()
    watch.say('Something long.')
    watch.sight(DARK)
    watch.wait(0.2)
    watch.hush()
    assert watch.see(DARK, 12.0) == [said(DARK)]
