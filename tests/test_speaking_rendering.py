"""How an answer is told: doubt before its first word, caution, and a direction only while it is true."""
from __future__ import annotations

import math

import pytest

from dam_ros.core import phrases

from speech_stage import DEGREE, Room

PERHAPS, UNCERTAIN, NOT_SURE = phrases.PERHAPS, phrases.UNCERTAIN, phrases.NOT_SURE
TOLD, ASKED = 1, 2
RIGHT = {'bearing_rad': -60 * DEGREE, 'clock_hour': 2, 'distance_m': 1.7, 'where': "2 o'clock, one and a half metres"}


def answer(text: str, confidence: float = math.nan, speak: int = ASKED, **settings) -> Room:
    """What is heard of an answer that comes as a whole."""
    room = Room(doubt_below=0.5, abstain_below=0.25, **settings)
    room.description('a', text, text, speak=speak, confidence=confidence)
    room.listen()
    return room


@pytest.mark.parametrize('confidence', (0.5, 0.9, math.nan))
def test_what_is_likely_enough_or_not_estimated_is_said_as_it_is(confidence):
    assert answer('A mug.', confidence).heard == ['A mug.']


def test_below_doubt_perhaps_comes_before_the_first_word():
    assert answer('A mug.', 0.49).heard == [PERHAPS, 'A mug.']


def test_below_that_only_i_am_not_sure_is_said():
    assert answer('A mug.', 0.24).heard == [NOT_SURE]


def test_nothing_so_doubtful_is_volunteered():
    assert answer('A mug.', 0.24, speak=TOLD).heard == []
    assert answer('A mug.', 0.49, speak=TOLD).heard == [PERHAPS, 'A mug.']


@pytest.mark.parametrize(('text', 'query'), [('It is safe to cross.', ''), ('Yes.', 'Can I cross now?')])
def test_what_was_kept_back_begins_with_caution_where_it_touches_safety(text, query):
    room = Room(abstain_below=0.25)
    room.description('a', text, text, confidence=0.2, query=query)
    assert room.listen() == [*([phrases.CANNOT_TELL_SAFE] if query else []), NOT_SURE]
    room.heard.clear()
    room.press('more')
    assert room.listen() == [phrases.CANNOT_TELL_SAFE, PERHAPS, text]


@pytest.mark.parametrize('speak', [TOLD, ASKED])
def test_a_claim_far_behind_in_a_long_answer_is_seen_too(speak):
    room = Room()
    text = ' '.join(f'The mug number {number} stands on a table.' for number in range(20)) + ' It is safe to cross.'
    room.description('a', text, '', speak=speak)
    said = room.listen()
    if speak == ASKED:
        assert said[-2:] == [phrases.CANNOT_TELL_SAFE, 'It is safe to cross.']
    else:
        assert said[-1] == 'The mug number 19 stands on a table.'


def test_a_place_that_a_describer_tells_itself_is_said_to_be_old_where_the_camera_has_turned():
    room = Room(turned_deg=15.0, turned_after_s=2.0, old_picture_s=10.0)
    room.sight(stamp_s=10.0, heading_deg=0.0, turning_deg_s=0.0)
    room.sight(stamp_s=14.0, heading_deg=60.0, turning_deg_s=0.0)
    text = 'The region lies in the lower right of the picture.'
    room.description('a', text, text, stamp_s=10.0, age_s=4.0, describer='attributes', query='Where is it?', **RIGHT)
    assert room.listen() == ['Picture 4 seconds old.', text]


def test_more_tells_what_was_kept_back_and_that_it_is_doubtful():
    room = answer('A mug. It is red.', 0.2)
    room.press('more')
    assert room.listen() == [NOT_SURE, PERHAPS, 'A mug.', 'It is red.']


def test_doubt_is_decided_by_the_first_sentence_while_the_rest_is_being_written():
    room = Room(doubt_below=0.5, abstain_below=0.25)
    room.partial('a', 0)
    room.listen()
    room.partial('a', 1, 'A mug. ', 0, end=True, confidence=0.4)
    assert room.text == PERHAPS
    room.partial('a', 2, 'It is red. ', 7, end=True, confidence=0.9, done=True)
    assert room.listen()[1:] == [PERHAPS, 'A mug.', 'It is red.']


def test_a_later_sentence_that_falls_below_is_announced():
    room = Room(doubt_below=0.5, abstain_below=0.25)
    room.partial('a', 0)
    room.partial('a', 1, 'A mug. ', 0, end=True, confidence=0.9)
    room.partial('a', 2, 'It is red. ', 7, end=True, confidence=0.1, done=True)
    assert room.listen()[1:] == ['A mug.', UNCERTAIN, 'It is red.']


def test_nothing_more_is_told_of_an_answer_that_was_kept_back():
    room = Room(doubt_below=0.5, abstain_below=0.25)
    room.partial('a', 0)
    room.partial('a', 1, 'A mug. ', 0, end=True, confidence=0.1)
    room.partial('a', 2, 'It is red. ', 7, end=True, confidence=0.9, done=True)
    room.description('a', 'A mug. It is red.', 'A mug.', confidence=0.5)
    assert room.listen()[1:] == [NOT_SURE]


def test_the_doubt_is_shown_with_the_sentence_as_one_caption():
    room = Room(doubt_below=0.5)
    room.description('a', 'A mug.', 'A mug.', confidence=0.4)
    assert room.sounding.item.caption == 'Perhaps: A mug.'
    room.sentence_ends()
    assert room.sounding.item.caption == ''


def test_doubt_is_in_the_language_of_the_listener_and_the_sentence_in_its_own():
    room = Room(doubt_below=0.5, language='de')
    room.description('a', 'A mug.', 'A mug.', confidence=0.4, language='en')
    assert room.sounding.item.language == 'de' and room.text != PERHAPS
    room.sentence_ends()
    assert room.sounding.item.language == 'en' and room.text == 'A mug.'


@pytest.mark.parametrize('press', ('pause', 'rate'))
def test_a_doubted_sentence_that_begins_again_begins_with_its_doubt(press):
    room = Room(doubt_below=0.5)
    room.description('a', 'A mug.', 'A mug.', confidence=0.4)
    room.sentence_ends()
    assert room.text == 'A mug.'
    if press == 'pause':
        room.press('pause')
        room.press('pause')
    else:
        room.take(room.speaking.say_again(room.now))
    assert room.listen() == [PERHAPS, 'A mug.', PERHAPS, 'A mug.']


def test_of_a_sentence_of_nothing_but_marks_nothing_is_said():
    assert answer('\U0001F600\U0001F600. A mug.').heard == ['A mug.']


def test_more_does_not_tell_an_old_direction_again():
    room = Room(clock_reference='person')
    room.description('a', 'A mug.', 'A mug.', **RIGHT)
    room.listen()
    room.wait(50.0)
    room.policy.overheard.ask_in_full('b', 'a')
    room.stream('b', ['A mug.', 'It is red.'], **RIGHT)
    room.description('b', 'A mug. It is red.', 'A mug.', **RIGHT)
    assert room.listen()[2:] == [phrases.HEARD_WORD, 'It is red.']


def test_unsure_is_heard_before_doubt():
    assert answer('A mug.', 0.4, earcons=True).heard == ['<unsure>', PERHAPS, 'A mug.']


# -- caution


@pytest.mark.parametrize('query', ('Can I cross the street?', 'Is the light green?', 'Can I take this pill?'))
def test_a_question_of_safety_is_answered_after_a_warning(query):
    room = Room()
    room.stream('a', ['There is a street.'], query=query)
    assert room.listen()[1:] == [phrases.CANNOT_TELL_SAFE, 'There is a street.']


def test_a_claim_of_safety_is_not_volunteered():
    assert answer('The way is clear.', speak=TOLD).heard == []
    assert answer('A door. The way is clear.', speak=TOLD).heard == ['A door.']


def test_to_who_asked_it_comes_after_a_warning():
    assert answer('The way is clear.').heard == [phrases.CANNOT_TELL_SAFE, 'The way is clear.']


def test_text_that_a_model_quotes_is_announced():
    assert answer('A sign that reads "STOP".').heard == ['A sign that reads, text, perhaps: "STOP".']


def test_lead_ins_are_left_out_and_more_still_knows_what_was_heard():
    room = Room()
    text = 'The image shows a red mug. It stands on a table.'
    room.description('a', text, 'The image shows a red mug.')
    room.listen()
    room.press('more')
    assert room.listen() == ['A red mug.', 'It stands on a table.']


# -- where


def where(room: Room, speak: int = TOLD, **fields) -> list[str]:
    room.description('a', 'A mug. It is red.', 'A mug.', speak=speak, **{**RIGHT, **fields})
    return room.listen()


def test_the_side_in_the_picture_is_said_after_the_name():
    heard = where(Room(clock_reference='camera'))
    assert heard[0] == 'A mug.' and heard[1].startswith('In the picture, right')


def test_the_clock_is_used_where_the_camera_faces_as_the_person_does():
    assert where(Room(clock_reference='person'))[1] == "At 2 o'clock, one and a half metres."


def test_a_direction_is_not_said_once_the_camera_has_turned():
    room = Room(clock_reference='person', turned_deg=15.0)
    room.sight(stamp_s=10.0, heading_deg=0.0, turning_deg_s=0.0)
    room.description('a', 'A mug.', 'A mug.', stamp_s=10.0, **RIGHT)
    room.sight(stamp_s=10.2, heading_deg=16.0, turning_deg_s=0.0)
    assert room.listen() == ['A mug.']


def test_a_direction_holds_while_the_camera_is_known_to_be_still_however_old_it_is():
    room = Room(clock_reference='person', turned_deg=15.0, old_picture_s=60.0)
    room.sight(stamp_s=10.0, heading_deg=0.0, turning_deg_s=0.0)
    room.description('a', 'A mug.', 'A mug.', stamp_s=10.0, age_s=30.0, **RIGHT)
    room.sight(stamp_s=40.0, heading_deg=14.0, turning_deg_s=0.0)
    assert len(room.listen()) == 2


def test_where_nobody_knows_the_turning_a_direction_holds_for_two_seconds():
    room = Room(clock_reference='person', turned_after_s=2.0)
    assert len(where(room, age_s=1.9)) == 2
    room = Room(clock_reference='person', turned_after_s=2.0)
    assert where(room, age_s=2.1) == ['A mug.']


def test_headings_of_different_epochs_say_nothing():
    room = Room(clock_reference='person', turned_after_s=2.0)
    room.sight(stamp_s=10.0, heading_deg=0.0, epoch=1, turning_deg_s=0.0)
    room.description('a', 'A mug.', 'A mug.', stamp_s=10.0, age_s=3.0, **RIGHT)
    room.sight(stamp_s=13.0, heading_deg=0.0, epoch=2, turning_deg_s=0.0)
    assert room.listen() == ['A mug.']


def test_the_answer_to_a_question_is_not_followed_by_a_direction():
    room = Room(clock_reference='person')
    room.description('a', 'It is red.', 'It is red.', query='What colour is it?', **RIGHT)
    assert room.listen() == ['It is red.']


def test_a_message_that_was_never_filled_in_has_no_direction():
    assert where(Room(clock_reference='person'), bearing_rad=0.0, distance_m=0.0, clock_hour=0, where='') == ['A mug.']


def test_a_distance_that_was_never_filled_in_is_not_within_reach():
    assert where(Room(clock_reference='person'), distance_m=0.0)[1] == "At 2 o'clock."
    assert where(Room(clock_reference='person'), distance_m=0.1)[1] == "At 2 o'clock, within reach."


def test_attributes_says_the_place_in_the_picture_itself_so_it_is_not_said_twice():
    assert where(Room(clock_reference='camera'), describer='attributes')[1] == 'One and a half metres.'
    assert where(Room(clock_reference='camera'), describer='attributes', distance_m=math.nan) == ['A mug.']
    below = {'bearing_rad': math.nan, 'distance_m': math.nan, 'clock_hour': 0, 'where': 'at the bottom of the picture'}
    assert where(Room(clock_reference='person'), describer='attributes', **below) == ['A mug.']
    assert where(Room(clock_reference='person'), describer='dam', **below)[1] == 'In the picture, bottom.'
    assert where(Room(clock_reference='person'), describer='attributes')[1] == "At 2 o'clock, one and a half metres."


def test_of_a_thing_that_was_cut_out_first_the_place_comes_with_the_description():
    room = Room(clock_reference='person')
    room.stream('a', ['A mug.'])
    room.description('a', 'A mug.', 'A mug.', **RIGHT)
    assert room.listen()[1:] == ['A mug.', "At 2 o'clock, one and a half metres."]


def test_where_the_first_sentence_knew_its_place_it_is_said_once():
    room = Room(clock_reference='person')
    room.stream('a', ['A mug.', 'It is red.'], **RIGHT)
    room.description('a', 'A mug. It is red.', 'A mug.', **RIGHT)
    assert room.listen()[1:] == ['A mug.', "At 2 o'clock, one and a half metres.", 'It is red.']


def test_said_again_a_direction_is_looked_at_again():
    room = Room(clock_reference='person', turned_after_s=2.0)
    where(room)
    room.wait(5.0)
    room.press('repeat')
    assert room.listen()[2:] == ['A mug.']


def test_a_message_that_was_never_filled_in_has_no_confidence():
    assert answer('A mug.', 0.0).heard == ['A mug.']


def test_a_heading_that_is_lost_with_the_pictures_says_nothing_any_more():
    """The old bug: pictures stopped, the last heading stayed, and an old direction was told as true."""
    room = Room(clock_reference='person', turned_after_s=2.0)
    room.sight(stamp_s=10.0, heading_deg=0.0, turning_deg_s=0.0)
    room.sight(1, stamp_s=10.0)
    room.description('a', 'A mug.', 'A mug.', stamp_s=10.0, age_s=10.0, **RIGHT)
    assert room.listen() == ['A mug.']


def test_a_heading_that_goes_on_while_the_picture_stays_counts():
    room = Room(clock_reference='person')
    room.sight(stamp_s=10.0, heading_deg=0.0, turning_deg_s=0.0)
    room.sight(stamp_s=10.0, heading_deg=88.0, turning_deg_s=0.0)
    room.description('a', 'A mug.', 'A mug.', stamp_s=10.0, **RIGHT)
    assert room.listen() == ['A mug.']


def test_letters_that_another_client_had_read_are_announced_as_doubtful_too():
    room = Room()
    room.description('r', 'EXIT 5', 'EXIT 5', describer='tesseract')
    assert room.listen() == ['Text, perhaps:', 'EXIT 5']
