"""A question is confirmed, nothing is volunteered until it is answered, and it always ends in speech."""
from __future__ import annotations

import pytest

from dam_ros.core import errors, phrases
from dam_ros.core.speech_acts import ASKED, TOLD, URGENT

from speech_stage import Room

YES = phrases.HEARD_WORD


@pytest.fixture
def room():
    return Room(earcons=True)


def test_a_question_sounds_heard_at_once(room):
    room.partial('a', 0)
    assert room.text == '<heard>'


def test_where_earcons_are_off_a_word_says_it_and_the_cue_is_named_all_the_same():
    room = Room(earcons=False)
    room.partial('a', 0)
    assert room.text == YES and room.cues == ['heard']


def test_a_question_is_confirmed_once_though_it_was_known_before_its_first_partial(room):
    room.asked('a')
    room.listen()
    room.partial('a', 0)
    assert room.listen() == ['<heard>']


def test_what_nobody_asked_is_not_confirmed(room):
    room.partial('a', 0, speak=1)
    room.partial('b', 0, speak=0)
    assert room.heard == []


def test_a_question_ends_narration_at_once(room):
    told = room.say('A long story. With two sentences.')
    room.partial('a', 0)
    assert room.text == '<heard>' and room.results[told] == errors.Superseded.code


def test_a_question_ends_the_answer_to_an_older_one(room):
    room.stream('a', ['An old answer.', 'With a second sentence.'])
    room.sentence_ends()
    room.now += 1.0
    room.partial('b', 0)
    assert room.text == '<heard>'


def test_a_question_does_not_end_what_is_urgent(room):
    room.say('Stairs ahead.', URGENT)
    room.partial('a', 0)
    assert room.text == 'Stairs ahead.'
    assert room.listen() == ['Stairs ahead.', '<heard>']


def test_the_sound_heard_is_not_cut_by_a_quick_answer(room):
    room.partial('a', 0)
    room.partial('a', 1, 'A mug. ', 0, end=True)
    assert room.text == '<heard>'
    assert room.listen() == ['<heard>', 'A mug.']


def test_a_new_question_is_confirmed_though_an_earcon_of_the_last_one_sounds(room):
    room.partial('a', 0)
    room.listen()
    room.description('a', code=errors.NoFrame.code)
    room.wait(0.4)
    assert room.text == '<error>'
    room.partial('b', 0)
    assert room.text == '<heard>'
    room.partial('c', 0)
    assert room.text == '<heard>' and room.heard.count('<heard>') == 3


def test_until_the_answer_comes_nothing_is_volunteered(room):
    room.partial('a', 0)
    room.listen()
    room.narrate('b', 'A chair.')
    room.wait(1.0)
    assert room.text == ''
    room.partial('a', 1, 'A mug. ', 0, end=True, done=True)
    room.description('a', 'A mug.', 'A mug.')
    assert room.listen() == ['<heard>', 'A mug.', 'A chair.']


def test_while_somebody_waits_long_working_sounds_again_and_again():
    room = Room(earcons=True, progress_after_s=2.0, working_every_s=3.0)
    room.partial('a', 0)
    room.listen()
    room.wait(1.9)
    assert room.heard == ['<heard>']
    room.wait(0.2)
    assert room.text == '<working>'
    room.listen()
    room.wait(3.1)
    assert room.listen() == ['<heard>', '<working>', '<working>']


def test_working_is_a_word_where_earcons_are_off():
    room = Room(earcons=False)
    room.partial('a', 0)
    room.listen()
    room.wait(2.1)
    assert room.text == phrases.WORKING and room.cues == ['heard', 'working']


def test_once_it_is_answered_nothing_works_any_more(room):
    room.stream('a', ['A mug.'])
    room.description('a', 'A mug.', 'A mug.')
    room.listen()
    room.wait(10.0)
    assert room.listen() == ['<heard>', 'A mug.']


@pytest.mark.parametrize('in_pieces', [True, False])
def test_where_answers_took_long_it_is_said_how_long(room, in_pieces):
    for name in ('a', 'b', 'c'):
        room.partial(name, 0)
        room.listen()
        room.wait(5.0)
        room.partial(name, 1, 'A mug. ' if in_pieces else '', 0, end=in_pieces, done=True)
        room.description(name, 'A mug.', 'A mug.')
        room.listen()
    room.heard.clear()
    room.partial('d', 0)
    assert room.listen() == ['<heard>', 'About 5 seconds.']


def test_where_answers_were_quick_nothing_is_said_of_it(room):
    room.stream('a', ['A mug.'])
    room.description('a', 'A mug.', 'A mug.')
    room.listen()
    room.partial('b', 0)
    assert room.listen()[-1] == '<heard>'


def test_a_failure_ends_the_question_in_plain_words(room):
    room.partial('a', 0)
    room.listen()
    room.description('a', code=errors.DeadlineExceeded.code)
    room.wait(0.4)   # its last Partial may come yet
    assert room.listen()[:2] == ['<heard>', '<error>']
    assert ' '.join(room.heard[2:]) == phrases.of_failure(errors.DeadlineExceeded.code)
    room.wait(10.0)
    assert '<working>' not in room.heard


def test_a_question_that_nobody_answers_ends_in_speech_too():
    room = Room(earcons=True, asked_stale_after_s=60.0)
    room.partial('a', 0)
    room.listen()
    for _ in range(62):
        room.wait(1.0)
        room.listen()
    assert ' '.join(room.heard).endswith(phrases.of_failure(errors.DeadlineExceeded.code))
    room.heard.clear()
    room.wait(10.0)
    assert room.listen() == []


def test_an_answer_without_a_word_is_a_failure_to_who_asked(room):
    room.partial('a', 0)
    room.listen()
    room.description('a', '', '')
    room.wait(0.4)
    assert ' '.join(room.listen()[2:]) == phrases.of_failure(errors.DescriberFailed.code)


def test_a_describer_that_dies_leaves_no_question_without_an_end(room):
    room.partial('a', 0)
    room.listen()
    room.partial('b', 0)
    room.listen()
    room.take(room.policy.describer_is_gone(room.now))
    assert ' '.join(room.listen()).endswith(phrases.DESCRIBER_GONE)
    room.heard.clear()
    room.wait(10.0)
    assert room.listen() == []


@pytest.mark.parametrize('code', (errors.Cancelled.code, errors.Superseded.code))
def test_a_question_that_was_taken_back_waits_no_longer(room, code):
    room.partial('a', 0)
    room.listen()
    room.partial('a', 1, done=True, code=code)
    room.narrate('b', 'A chair.')
    assert room.listen() == ['<heard>', 'A chair.']


def test_hush_ends_the_waiting(room):
    room.partial('a', 0)
    room.hush(*room.policy.overheard.growing())
    room.wait(15.0)
    assert room.heard == ['<heard>'] and room.text == ''
    room.narrate('b', 'A chair.')
    assert room.text == 'A chair.'


def test_hush_is_felt_and_not_heard(room):
    room.say('Sounding.')
    room.hush()
    assert room.text == '' and room.cues == ['off'] and room.heard == ['Sounding.']


def test_hush_ends_an_earcon(room):
    room.partial('a', 0)
    room.hush()
    assert room.text == ''


def test_muted_earcons_are_named_only(room):
    room.mute()
    room.partial('a', 0)
    assert room.cues == ['heard'] and '<heard>' not in room.heard


def test_a_say_that_answers_nothing_is_not_confirmed(room):
    room.say('The door is open now.', ASKED)
    room.say('And closed again.', TOLD)
    assert room.listen() == ['The door is open now.', 'And closed again.']


def test_an_older_answer_never_takes_the_place_of_a_newer_one_that_waits(room):
    room.say('Stairs ahead.', URGENT)
    room.now += 1.0
    new = room.say('The newest answer.', ASKED, began=room.now)
    old = room.say('The oldest answer.', ASKED, began=room.now - 5.0)
    assert room.listen() == ['Stairs ahead.', 'The newest answer.']
    assert (room.results[new], room.results[old]) == (0, errors.Superseded.code)


def test_an_answer_that_something_urgent_interrupts_is_not_lost_to_an_older_one(room):
    room.now += 10.0
    new = room.say('The newest answer.', ASKED, began=room.now)
    old = room.say('The oldest answer.', ASKED, began=room.now - 5.0)
    room.say('Stairs ahead.', URGENT)
    assert room.listen() == ['The newest answer.', 'Stairs ahead.', 'The newest answer.']
    assert (room.results[new], room.results[old]) == (0, errors.Superseded.code)


def test_a_describer_that_dies_in_the_middle_of_an_answer_is_said_at_once():
    """The old bug: the answer that would never end kept the floor for ten seconds."""
    room = Room(deaf_to_earcons=True, announce_sight=True, describer_gone_s=2.5)
    room.sight()
    room.partial('a', 0)
    room.partial('a', 1, 'A mug. ', 0, end=True)
    room.listen()
    room.wait(3.0)
    room.take(room.policy.describer_is_gone(room.now))
    room.wait(0.3)
    assert ' '.join(room.listen()) == 'A mug. ' + phrases.DESCRIBER_GONE
    room.wait(5.0)
    assert ' '.join(room.listen()).count(phrases.DESCRIBER_GONE) == 1


def test_a_slow_answer_that_nobody_competes_with_is_told_to_its_end():
    room = Room(deaf_to_earcons=True, hold_s=10.0)
    room.partial('a', 0)
    room.partial('a', 1, 'A mug. ', 0, end=True)
    room.listen()
    room.wait(15.0)
    room.partial('a', 2, 'It is red. ', 7, end=True, done=True)
    assert room.listen() == ['A mug.', 'It is red.']
