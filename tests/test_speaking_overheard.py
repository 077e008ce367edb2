"""Which sentences of the answers that go by are spoken, and what `more` and `repeat` refer to."""
from __future__ import annotations

import time

import pytest

from dam_ros.core import errors
from dam_ros.core.phrases import ALL_SAID, NOTHING_SAID_YET, of_failure

from speech_stage import Room

NO, TOLD, ASKED = 0, 1, 2
NAN = float('nan')


@pytest.fixture
def room():
    return Room(deaf_to_earcons=True)


def test_what_is_not_to_be_spoken_is_not(room):
    room.stream('a', ['A mug.'], speak=NO)
    room.description('a', 'A mug.', speak=NO)
    assert room.heard == []


def test_of_a_description_the_brief_is_spoken(room):
    room.description('a', 'A red mug. It stands on a table.', 'A red mug.')
    assert room.listen() == ['A red mug.']


def test_a_brief_of_a_describer_that_does_not_know_how_short_it_has_to_be_is_shortened(room):
    long = 'A large brown dog lying on a green carpet next to a table in a room of a house.'
    room.description('a', long, long, speak=TOLD)
    assert room.listen() == ['A large brown dog lying on a green carpet.']


def test_sentences_are_spoken_as_they_complete(room):
    room.partial('a', 0)
    room.partial('a', 1, 'A red ')
    assert room.heard == []
    room.partial('a', 2, 'mug. ', 6, end=True)
    assert room.heard == ['A red mug.']
    room.partial('a', 3, 'It stands ', 11)
    assert room.listen() == ['A red mug.']
    room.partial('a', 4, 'there. ', 21, end=True)
    assert room.listen() == ['A red mug.', 'It stands there.']


def test_a_description_equal_to_what_was_spoken_already_adds_nothing(room):
    room.stream('a', ['A red mug.', 'It stands there.'])
    room.description('a', 'A red mug. It stands there.', 'A red mug.')
    assert room.listen() == ['A red mug.', 'It stands there.']
    assert set(room.results.values()) == {0}


def test_where_a_piece_was_lost_the_description_adds_what_is_missing(room):
    room.partial('a', 0)
    room.partial('a', 1, 'A red mug. ', 0, end=True)
    room.partial('a', 3, 'It is full. ', 24, end=True)
    assert room.heard == ['A red mug.']
    room.description('a', 'A red mug. It stands there. It is full.', 'A red mug.')
    assert room.listen() == ['A red mug.', 'It stands there.', 'It is full.']


def test_a_description_that_overtakes_the_last_piece_waits_for_it(room):
    room.partial('a', 0)
    room.partial('a', 1, 'A red mug. It stands ', 0, end=True)
    room.description('a', 'A red mug. It stands there.', 'A red mug.')
    room.partial('a', 2, 'there.', 21, end=True, done=True)
    assert room.listen() == ['A red mug.', 'It stands there.']


def test_a_description_whose_last_piece_never_comes_counts_alone(room):
    room.partial('a', 0)
    room.description('a', 'A red mug. It stands there.', 'A red mug.')
    assert room.heard == []
    room.wait(0.5)
    assert room.listen() == ['A red mug.']


def test_a_brief_whose_last_piece_is_late_is_all_that_is_told(room):
    room.stream('a', ['A brown dog.'], done=False)
    room.description('a', 'A brown dog. It sleeps. It is old.', 'A brown dog.')
    room.wait(1.0)
    assert room.listen() == ['A brown dog.']


@pytest.mark.parametrize('in_pieces', [True, False])
@pytest.mark.parametrize('text', ['\U0001f415', '...', 'I am certain.'])
def test_an_answer_of_which_nothing_can_be_said_is_a_failure_to_who_asked(room, text, in_pieces):
    room.asked('a')
    if in_pieces:
        room.stream('a', [text])
    room.description('a', text, text)
    assert ' '.join(room.listen()) == of_failure(errors.DescriberFailed.code)


def test_a_long_answer_stops_nobody_from_saying_stop(room):
    """Wording takes a millisecond per sentence, so it is done when the turn of a sentence comes."""
    text = ' '.join(f'The red mug number {number} stands on a table.' for number in range(2000))
    begun = time.perf_counter()
    room.description('a', text, '')
    assert time.perf_counter() - begun < 0.2
    for _ in range(20):
        room.sentence_ends()
    assert room.text == 'The red mug number 20 stands on a table.'


def test_whoever_joins_in_the_middle_waits_for_the_description(room):
    room.partial('a', 5, 'on a table. ', 20, end=True)
    assert room.heard == []
    room.description('a', 'A red mug on a table.', 'A red mug on a table.')
    assert room.listen() == ['A red mug on a table.']


def test_a_last_sentence_without_its_end_is_spoken_too(room):
    room.partial('a', 0)
    room.partial('a', 1, 'A red mug. ', 0, end=True)
    room.partial('a', 2, 'It stands on', 11, end=False, done=True)
    room.description('a', 'A red mug. It stands on', 'A red mug.')
    assert room.listen() == ['A red mug.', 'It stands on']


def test_the_text_after_the_brief_does_not_say_the_brief_again(room):
    room.partial('a', 0)
    room.partial('a', 1, 'A red mug. ', 0, end=True)
    room.partial('a', 2, 'A red mug. ', 0, end=True)
    room.partial('a', 3, 'It stands there. ', 11, end=True)
    assert room.listen() == ['A red mug.', 'It stands there.']


def test_the_same_description_twice_is_spoken_once(room):
    room.description('a', 'A mug.', 'A mug.')
    room.listen()
    room.description('a', 'A mug.', 'A mug.')
    assert room.listen() == ['A mug.']


def test_narration_of_an_old_picture_is_not_spoken():
    room = Room(stale_after_s=5.0)
    room.description('a', 'Old.', 'Old.', speak=TOLD, age_s=6.0)
    room.description('b', 'New.', 'New.', speak=TOLD, age_s=1.0)
    assert room.listen() == ['New.']


def test_narration_whose_age_nobody_knows_counts_from_its_arrival(room):
    room.description('a', 'Who knows.', 'Who knows.', speak=TOLD, age_s=NAN, total_s=NAN)
    assert room.listen() == ['Who knows.']


def test_an_answer_about_an_old_picture_is_spoken_and_says_how_old_that_is():
    room = Room(old_picture_s=10.0)
    room.description('a', 'As asked.', 'As asked.', age_s=300.0)
    assert room.listen() == ['Picture 300 seconds old.', 'As asked.']
    room.heard.clear()
    room.description('b', 'Just now.', 'Just now.', age_s=9.0)
    assert room.listen() == ['Just now.']
    room.wait(5.0)
    room.heard.clear()
    room.press('repeat')
    assert room.listen() == ['Picture 14 seconds old.', 'Just now.']


def test_narration_that_streams_counts_from_its_picture_and_not_from_its_first_piece():
    room = Room(stale_after_s=5.0)
    room.stream('a', ['Old.'], speak=TOLD, age_s=6.0)
    room.stream('b', ['New.'], speak=TOLD, age_s=1.0)
    room.stream('c', ['Who knows.'], speak=TOLD)
    room.listen()
    room.wait(2.5)
    assert room.listen() == ['New.', 'Who knows.']


def test_an_answer_to_a_request_from_before_the_start_is_not_spoken(room):
    room.description('a', 'The past.', 'The past.', total_s=150.0)
    assert room.heard == []


# -- failures


def test_a_person_who_asked_hears_of_the_failure_in_plain_words(room):
    room.description('a', speak=ASKED, code=errors.NoFrame.code)
    assert room.listen()[:1] == ['I get no picture.']


@pytest.mark.parametrize('speak', (NO, TOLD))
def test_nobody_else_hears_of_it(room, speak):
    room.description('a', speak=speak, code=errors.NoFrame.code)
    assert room.heard == []


@pytest.mark.parametrize('code', (errors.Cancelled.code, errors.Superseded.code))
def test_what_was_taken_back_is_silent_at_once(room, code):
    room.stream('a', ['A red mug.', 'It stands there.'], done=False)
    room.partial('a', 3, '', done=True, code=code)
    assert room.text == ''
    room.description('a', code=code)
    assert room.listen() == ['A red mug.']


def test_a_failure_in_the_middle_comes_after_what_was_said(room):
    room.stream('a', ['A red mug.'], done=False)
    room.partial('a', 2, '', 11, done=True, code=errors.DeadlineExceeded.code)
    room.now += 0.1
    room.description('a', code=errors.DeadlineExceeded.code)
    assert ' '.join(room.listen()) == 'A red mug. ' + of_failure(errors.DeadlineExceeded.code)


@pytest.mark.parametrize('code', [0, errors.DescriberFailed.code])
def test_an_answer_whose_description_never_comes_ends_in_speech_too(room, code):
    room.stream('a', [], code=code)
    room.wait(1.0)
    assert room.heard == []
    room.wait(2.0)
    failure = of_failure(errors.DescriberFailed.code)
    assert ' '.join(room.listen()) == failure
    room.description('a', code=errors.DescriberFailed.code)
    assert ' '.join(room.listen()) == failure, 'it came late, and was told'


def test_what_was_told_of_an_answer_without_a_description_is_all_of_it(room):
    room.stream('a', ['A red mug.'], speak=TOLD)
    room.narrate('b', 'A chair.')
    room.sentence_ends()
    assert room.text == '', 'more may come'
    room.wait(2.5)
    assert room.text == 'A chair.'


def test_a_failure_is_told_once_whoever_tells_of_it(room):
    room.asked('a')
    code = errors.DeadlineExceeded.code
    room.take(room.policy.overheard.failed(room.now, 'a', code))
    room.description('a', code=code)
    room.take(room.policy.overheard.failed(room.now, 'a', code))
    assert ' '.join(room.listen()) == of_failure(code)


def test_an_answer_that_comes_after_its_failure_was_told_is_not_about_now(room):
    room.asked('a')
    room.take(room.policy.overheard.failed(room.now, 'a', errors.DeadlineExceeded.code))
    room.listen()
    room.heard.clear()
    room.description('a', 'A red mug.', 'A red mug.')
    assert room.listen() == []


# -- hush


def test_an_answer_hushed_while_it_grows_stays_silent(room):
    room.stream('a', ['A red mug.'], done=False)
    room.hush(*room.policy.overheard.growing())
    room.partial('a', 2, 'It stands there. ', 11, end=True)
    room.description('a', 'A red mug. It stands there.', 'A red mug.')
    assert room.heard == ['A red mug.'] and room.text == ''


def test_a_question_heard_of_but_not_answered_at_the_hush_stays_silent(room):
    room.partial('a', 0)
    room.hush(*room.policy.overheard.growing())
    room.wait(30.0)
    room.description('a', 'A red mug.', 'A red mug.')
    room.wait(1.0)
    assert room.heard == []


def test_its_failure_stays_silent_too(room):
    room.partial('a', 0)
    room.hush(*room.policy.overheard.growing())
    room.description('a', code=errors.NoFrame.code)
    room.wait(1.0)
    assert room.heard == []


def test_a_request_that_began_before_the_hush_stays_silent_though_never_heard_of(room):
    room.wait(10.0)
    room.hush()
    room.wait(3.0)
    room.description('a', 'Late.', 'Late.', total_s=5.0)
    room.description('b', 'In time.', 'In time.', total_s=1.0)
    assert room.listen() == ['In time.']


# -- repeat and more


def test_before_anything_was_said_repeat_and_more_say_so(room):
    assert not room.press('repeat') and not room.press('more')
    assert room.listen() == [NOTHING_SAID_YET, NOTHING_SAID_YET]


def test_repeat_says_the_last_thing_again(room):
    room.description('a', 'A mug.', 'A mug.')
    room.listen()
    assert room.press('repeat') and room.listen() == ['A mug.', 'A mug.']


def test_repeat_refers_to_what_the_person_heard_the_beginning_of(room):
    room.say('First thing. It has two sentences.')
    room.say('Second thing.')
    assert room.press('repeat') and room.text == 'First thing.'
    room.sentence_ends()
    assert room.text == 'Second thing.', 'the second sentence of the first thing had not begun'


def test_repeat_after_a_hush_speaks(room):
    room.description('a', 'A mug.', 'A mug.')
    room.hush()
    assert room.press('repeat') and room.text == 'A mug.'


def test_more_gives_the_rest_of_the_text(room):
    room.description('a', 'A mug. It is red. It stands there.', 'A mug.')
    room.listen()
    assert room.press('more') and room.question is None
    assert room.listen() == ['A mug.', 'It is red.', 'It stands there.']


def test_more_asks_the_describer_where_nothing_is_left(room):
    room.description('a', 'A mug.', 'A mug.')
    room.listen()
    assert room.press('more') and room.question.about == 'a' and room.question.continues


def test_more_works_for_what_a_client_said_about_a_description(room):
    room.description('a', 'A mug. It is red.', 'A mug.', speak=NO)
    room.say('There is a mug.', about='a')
    room.listen()
    assert room.press('more') and room.question is None and room.listen() == ['There is a mug.', 'A mug.', 'It is red.']


def test_the_full_answer_leaves_out_what_was_heard_and_then_that_is_all(room):
    room.description('a', 'A mug.', 'A mug.')
    room.listen()
    room.policy.overheard.ask_in_full('b', 'a')
    room.description('b', 'A mug. It is red. It has a handle.', 'A mug.')
    assert room.listen() == ['A mug.', 'It is red.', 'It has a handle.']
    assert room.press('more') and room.question is None and room.listen()[-1] == ALL_SAID


def test_a_full_answer_with_nothing_new_says_so(room):
    room.description('a', 'A mug.', 'A mug.')
    room.listen()
    room.policy.overheard.ask_in_full('b', 'a')
    room.description('b', 'A mug.', 'A mug.')
    assert room.listen() == ['A mug.', ALL_SAID]


def test_the_systems_own_phrases_are_not_repeated(room):
    room.description('a', 'A mug.', 'A mug.')
    room.description('b', code=errors.NoFrame.code)
    room.listen()
    room.press('repeat')
    assert room.listen()[-1] == 'A mug.'


def test_a_flood_of_answers_is_forgotten_in_time():
    room = Room(remember=4, waiting=1)
    for number in range(2000):
        room.partial(f'{number}', 0, speak=TOLD)
        room.description(f'x{number}', 'A mug.', 'A mug.', speak=TOLD)
    assert len(room.policy.overheard.growing()) < 100
