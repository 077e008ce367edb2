"""The rules of speech, with a clock made of numbers and a voice made of a list."""
from __future__ import annotations


import pytest

from dam_ros.core import errors
from dam_ros.core.speakable import cut
from dam_ros.core.speech_acts import ASKED, PROGRESS, TOLD, URGENT

from speech_stage import Stage

EVERY = (TOLD, ASKED, URGENT, PROGRESS)
HUSHED, MUTED, NO_VOICE = errors.Hushed.code, errors.Muted.code, errors.NoVoice.code
SUPERSEDED, TOO_LATE, CANCELLED = errors.Superseded.code, errors.TooLate.code, errors.Cancelled.code


@pytest.fixture
def stage():
    return Stage()


def test_what_is_told_to_a_silent_room_is_spoken_at_once(stage):
    key = stage.say('A mug.')
    assert stage.text == 'A mug.'
    stage.sentence_ends()
    assert stage.results == {key: 0} and stage.spoken_chars[key] == 6


def test_a_text_is_spoken_sentence_by_sentence_in_its_order(stage):
    key = stage.say('One. Two. Three.')
    stage.sentence_ends()
    stage.sentence_ends()
    assert stage.heard == ['One.', 'Two.', 'Three.'] and key not in stage.results
    stage.sentence_ends()
    assert stage.results[key] == 0 and stage.spoken_chars[key] == len('One. Two. Three.')


def test_what_is_told_waits_its_turn(stage):
    stage.say('First.')
    stage.say('Second.')
    stage.say('Third.')
    assert stage.heard == ['First.']
    stage.sentence_ends()
    stage.sentence_ends()
    assert stage.heard == ['First.', 'Second.', 'Third.']


def test_asked_interrupts_told_which_does_not_come_back(stage):
    told = stage.say('A long story. With two sentences.')
    stage.say('The answer.', ASKED)
    assert stage.text == 'The answer.' and stage.results == {told: SUPERSEDED}
    stage.sentence_ends()
    assert stage.heard == ['A long story.', 'The answer.']


def test_told_that_waited_is_spoken_after_the_answer(stage):
    stage.say('Sounding.')
    stage.say('Waiting.')
    stage.say('The answer.', ASKED)
    stage.sentence_ends()
    assert stage.text == 'Waiting.'


def test_the_newest_question_replaces_the_older_one(stage):
    old = stage.say('Old answer.', ASKED)
    stage.now += 1
    stage.say('New answer.', ASKED)
    assert stage.text == 'New answer.' and stage.results == {old: SUPERSEDED}


def test_a_slow_answer_to_an_older_question_comes_after_the_newer_answer(stage):
    stage.now += 10
    stage.say('Newer.', ASKED)
    stage.say('Older.', ASKED, began=stage.now - 5)
    assert stage.text == 'Newer.'
    stage.sentence_ends()
    assert stage.text == 'Older.'


@pytest.mark.parametrize('other', EVERY)
def test_urgent_is_interrupted_by_nothing_that_is_said(stage, other):
    stage.say('Danger.', URGENT)
    stage.say('Something else.', other)
    assert stage.text == 'Danger.'


def test_urgent_interrupts_told(stage):
    told = stage.say('A story.')
    stage.say('Danger.', URGENT)
    assert stage.text == 'Danger.' and stage.results == {told: SUPERSEDED}


def test_an_answer_interrupted_by_something_urgent_goes_on_at_the_cut_sentence(stage):
    answer = stage.say('One. Two. Three.', ASKED)
    stage.sentence_ends()
    stage.say('Danger.', URGENT)
    assert stage.text == 'Danger.' and answer not in stage.results
    stage.sentence_ends()
    assert stage.text == 'Two.'


def test_urgent_waits_for_urgent(stage):
    stage.say('First danger.', URGENT)
    stage.say('Second danger.', URGENT)
    stage.sentence_ends()
    assert stage.text == 'Second danger.'


def test_progress_is_told_only_where_somebody_waits_long():
    stage = Stage(progress_after_s=2.0)
    stage.say('Ten percent.', PROGRESS)
    stage.wait(1.9)
    assert stage.heard == []
    stage.wait(0.2)
    assert stage.heard == ['Ten percent.']


def test_of_progress_only_the_last_is_spoken():
    stage = Stage(progress_after_s=0.0)
    stage.say('Ten percent.', PROGRESS)
    lost = stage.say('Twenty percent.', PROGRESS)
    stage.say('Thirty percent.', PROGRESS)
    stage.sentence_ends()
    assert stage.heard == ['Ten percent.', 'Thirty percent.'] and stage.results[lost] == SUPERSEDED


@pytest.mark.parametrize('other', (TOLD, ASKED, URGENT))
def test_progress_is_dropped_by_anything_else(other):
    stage = Stage(progress_after_s=0.0)
    sounding = stage.say('Ten percent.', PROGRESS)
    waiting = stage.say('Twenty percent.', PROGRESS)
    stage.say('Something else.', other)
    assert stage.text == 'Something else.'
    assert stage.results == {sounding: SUPERSEDED, waiting: SUPERSEDED}
    late = stage.say('Thirty percent.', PROGRESS)
    assert stage.results[late] == SUPERSEDED


def test_what_went_stale_while_it_waited_is_dropped(stage):
    stage.say('Sounding.')
    stale = stage.say('Stale by then.', valid_s=2.0)
    fresh = stage.say('Fresh still.', valid_s=20.0)
    stage.wait(3.0)
    assert stage.results == {stale: TOO_LATE}
    stage.sentence_ends()
    assert stage.text == 'Fresh still.' and fresh not in stage.results


def test_what_is_being_spoken_does_not_go_stale(stage):
    key = stage.say('One. Two.', valid_s=2.0)
    stage.wait(3.0)
    stage.sentence_ends()
    stage.sentence_ends()
    assert stage.results[key] == 0


def test_what_is_stale_on_arrival_is_not_spoken(stage):
    key = stage.say('Old.', valid_s=-1.0)
    assert stage.heard == [] and stage.results[key] == TOO_LATE


def test_what_began_before_the_start_is_not_spoken(stage):
    keys = [stage.say('The past.', priority, began=stage.now - 1) for priority in EVERY]
    assert stage.heard == [] and [stage.results[key] for key in keys] == [TOO_LATE] * 4


def test_narration_beyond_the_limit_drops_the_oldest():
    stage = Stage(waiting=2)
    stage.say('Sounding.')
    oldest = stage.say('Oldest.')
    stage.say('Middle.')
    stage.say('Newest.')
    assert stage.results == {oldest: TOO_LATE}


# -- hush


@pytest.mark.parametrize('priority', EVERY)
def test_hush_ends_everything(priority):
    stage = Stage(progress_after_s=0.0)
    sounding = stage.say('Sounding.', priority)
    waiting = stage.say('Waiting.', PROGRESS if priority == PROGRESS else TOLD)
    stage.hush()
    assert stage.text == '' and stage.results == {sounding: HUSHED, waiting: HUSHED}


@pytest.mark.parametrize(('priority', 'spoken'), ((TOLD, False), (PROGRESS, False), (ASKED, True), (URGENT, True)))
def test_after_a_hush_nothing_is_volunteered_for_a_while(priority, spoken):
    stage = Stage(hush_quiet_s=10.0)
    stage.hush()
    stage.wait(9.0)
    key = stage.say('So soon.', priority)
    assert (stage.heard == ['So soon.']) is spoken
    assert stage.results.get(key) == (None if spoken else HUSHED)


def test_after_the_quiet_time_narration_goes_on():
    stage = Stage(hush_quiet_s=10.0)
    stage.hush()
    stage.wait(10.5)
    stage.say('Hello again.')
    assert stage.text == 'Hello again.'


@pytest.mark.parametrize('priority', EVERY)
def test_the_hushed_id_stays_silent(stage, priority):
    stage.say('Of the mug.', about='mug')
    stage.hush()
    stage.wait(60.0)
    key = stage.say('The rest of the mug.', priority, about='mug')
    assert stage.heard == ['Of the mug.'] and stage.results[key] == HUSHED


def test_an_answer_that_was_still_growing_stays_silent(stage):
    stage.hush('growing')
    stage.wait(60.0)
    assert stage.results[stage.say('Ready.', ASKED, about='growing')] == HUSHED


def test_an_answer_to_a_question_from_before_the_hush_stays_silent(stage):
    asked_at = stage.now
    stage.wait(1.0)
    stage.hush()
    stage.wait(1.0)
    key = stage.say('Late answer.', ASKED, began=asked_at)
    assert stage.heard == [] and stage.results[key] == HUSHED


def test_a_question_asked_after_the_hush_is_answered_at_once(stage):
    stage.hush()
    stage.say('Here I am.', ASKED)
    assert stage.text == 'Here I am.'


def test_hush_of_a_silent_room_stops_nothing(stage):
    stage.hush()
    assert stage.results == {}


# -- mute


def test_mute_ends_everything(stage):
    keys = [stage.say('Sounding.'), stage.say('Waiting.'), stage.say('Danger.', URGENT)]
    stage.mute()
    assert stage.text == '' and stage.results[keys[1]] == MUTED and stage.results[keys[2]] == MUTED


def test_while_muted_texts_go_on_without_a_sound(stage):
    stage.mute()
    key = stage.say('One. Two.')
    stage.sentence_ends(heard=False)
    stage.sentence_ends(heard=False)
    assert stage.heard == ['One.', 'Two.'] and stage.aloud == [False, False]
    assert stage.results[key] == MUTED and stage.spoken_chars[key] == 0


def test_after_unmuting_the_next_sentence_is_heard(stage):
    stage.mute()
    stage.mute(False)
    stage.say('Hello.')
    assert stage.aloud == [True]


# -- the voice


def test_without_a_voice_the_result_says_so(stage):
    key = stage.say('One. Two.')
    stage.sentence_ends(heard=True)
    stage.sentence_ends(heard=False)
    assert stage.results[key] == NO_VOICE and stage.spoken_chars[key] == len('One.')


def test_an_end_of_a_sentence_that_was_stopped_changes_nothing(stage):
    stage.say('A story.')
    old = stage.sounding.number
    stage.say('The answer.', ASKED)
    stage.take(stage.speaking.ended(stage.now, old, heard=True))
    assert stage.text == 'The answer.'


# -- the caller


def test_cancel_ends_one_request_and_no_other(stage):
    first, second = stage.say('First.'), stage.say('Second.')
    stage.take(stage.speaking.cancel(stage.now, first))
    assert stage.text == 'Second.' and stage.results == {first: CANCELLED}
    stage.take(stage.speaking.cancel(stage.now, second))
    assert stage.text == '' and stage.results[second] == CANCELLED


def test_a_text_without_anything_to_pronounce_is_done_at_once(stage):
    keys = [stage.say(text, ASKED) for text in ('', '   ', '...', '\n\t', '\u200b')]
    assert stage.heard == [] and [stage.results[key] for key in keys] == [0] * 5


def test_everything_is_answered_when_speaking_ends(stage):
    keys = [stage.say('Sounding.'), stage.say('Waiting.')]
    stage.take(stage.speaking.end('the end'))
    assert stage.results == {keys[0]: NO_VOICE, keys[1]: NO_VOICE} and stage.text == ''


# -- growing answers


def test_a_growing_answer_keeps_the_floor_until_it_is_closed(stage):
    key = stage.say('One.', ASKED, open_=True)
    stage.say('Narration.')
    stage.sentence_ends()
    assert stage.text == ''
    stage.take(stage.speaking.extend(stage.now, key, cut('Two.'), closed=False))
    assert stage.text == 'Two.'
    stage.sentence_ends()
    stage.take(stage.speaking.extend(stage.now, key, [], closed=True))
    assert stage.text == 'Narration.' and stage.results == {key: 0}


def test_a_growing_answer_that_stalls_gives_the_floor_back():
    stage = Stage(hold_s=10.0)
    key = stage.say('One.', ASKED, open_=True)
    stage.say('Narration.')
    stage.sentence_ends()
    stage.wait(9.0)
    assert stage.text == ''
    stage.wait(2.0)
    assert stage.text == 'Narration.' and stage.results == {key: 0}


def test_sentences_of_an_answer_that_was_superseded_are_not_spoken(stage):
    old = stage.say('One.', ASKED, open_=True)
    stage.say('Newer.', ASKED)
    stage.take(stage.speaking.extend(stage.now, old, cut('Two.'), closed=True))
    stage.sentence_ends()
    assert stage.heard == ['One.', 'Newer.']


def test_whatever_happens_each_request_gets_exactly_one_answer():
    """A long random session: never two voices, never two answers (asserted by the stage), none forgotten."""
    import random
    chance = random.Random(7)
    stage = Stage(waiting=4)
    keys = []
    for _ in range(3000):
        step = chance.choice(('say', 'say', 'say', 'end', 'end', 'wait', 'hush', 'mute', 'unmute', 'cancel', 'extend'))
        if step == 'say':
            keys.append(stage.say('One. Two.', chance.choice(EVERY), valid_s=chance.choice((-1, 2, 30)),
                                  open_=chance.random() < 0.2, about=chance.choice(('', 'a', 'b'))))
        elif step == 'end' and stage.sounding:
            stage.sentence_ends(heard=chance.random() < 0.9)
        elif step == 'wait':
            stage.wait(chance.random() * 8)
        elif step == 'hush' and chance.random() < 0.1:
            stage.hush()
        elif step in ('mute', 'unmute') and chance.random() < 0.1:
            stage.mute(step == 'mute')
        elif step in ('cancel', 'extend') and keys:
            key = chance.choice(keys)
            stage.take(stage.speaking.cancel(stage.now, key) if step == 'cancel' else
                       stage.speaking.extend(stage.now, key, cut('More.'), closed=True))
    stage.take(stage.speaking.end('the end'))
    assert sorted(stage.results) == sorted(keys)
    assert set(stage.results.values()) >= {0, HUSHED, MUTED, NO_VOICE, SUPERSEDED, TOO_LATE, CANCELLED}
