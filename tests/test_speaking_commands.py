"""What a person can press: again, before, after, more, wait, quiet, ask, read, spell, status, help."""
from __future__ import annotations

import pytest

from dam_ros.core import errors, phrases
from dam_ros.core.describing import FULL, READ
from dam_ros.core.seeing import BLURRED, COVERED, DARK, FROZEN, NO_PICTURE
from dam_ros.core.speech_acts import ASKED, Earcon, HEARD, TOLD, URGENT

from speech_stage import Room

TWO = 'The first sentence. The second sentence.'


@pytest.fixture
def room():
    return Room()


def told(room, *briefs: str) -> None:
    """These were heard, one after the other."""
    for number, brief in enumerate(briefs):
        room.description(f'd{number}', brief, brief)
        room.listen()
    room.heard.clear()


# -- pause


def test_pause_is_silence_and_once_more_goes_on_at_the_beginning_of_the_sentence(room):
    room.say(TWO)
    room.sentence_ends()
    assert room.text == 'The second sentence.'
    assert room.press('pause') and room.text == ''
    room.wait(60.0)
    assert room.text == ''
    assert room.press('pause') and room.text == 'The second sentence.'
    assert room.listen() == ['The first sentence.', 'The second sentence.', 'The second sentence.']


def test_where_nothing_is_said_there_is_nothing_to_pause_and_that_is_said(room):
    assert not room.press('pause') and not room.speaking.paused
    assert room.text == phrases.NOTHING_TO_PAUSE


def test_a_question_ends_the_pause(room):
    room.say(TWO)
    room.press('pause')
    room.say('The answer.', ASKED)
    assert room.text == 'The answer.' and not room.speaking.paused


def test_while_paused_nothing_is_volunteered(room):
    room.say(TWO)
    room.press('pause')
    room.say('A chair.')
    room.wait(1.0)
    assert room.text == ''


def test_what_is_urgent_is_spoken_all_the_same_and_the_answer_still_waits(room):
    room.say(TWO, ASKED)
    room.press('pause')
    room.say('Stairs ahead.', URGENT)
    assert room.text == 'Stairs ahead.'
    room.sentence_ends()
    assert room.text == ''
    room.press('pause')
    assert room.text == 'The first sentence.'


@pytest.mark.parametrize('priority', [TOLD, ASKED])
def test_neither_something_urgent_nor_the_systems_own_words_end_what_is_paused(room, priority):
    room.say(TWO, priority)
    room.sentence_ends()
    room.press('pause')
    room.say('Stairs ahead.', URGENT)
    room.listen()
    assert room.status().endswith('Paused.') and room.text == room.message
    room.listen()
    room.press('help')
    room.press('pause')
    assert room.text == 'The second sentence.', 'help is over: one thing at a time'
    assert room.listen()[-1] == 'The second sentence.'
    room.say('A chair.')
    assert room.text == 'A chair.'


def test_the_systems_own_sentences_can_be_paused(room):
    room.press('help')
    room.sentence_ends()
    second = room.text
    assert room.press('pause') and room.text == ''
    assert room.press('pause') and room.text == second


def test_a_sound_cannot_be_paused():
    room = Room(earcons=True)
    room.stream('one', [], done=False)
    assert room.sounding.item == Earcon(HEARD)
    assert not room.press('pause') and not room.speaking.paused


def test_pause_while_something_urgent_is_said_pauses_the_answer_behind_it(room):
    room.say(TWO, ASKED)
    room.say('Stairs ahead.', URGENT)
    assert room.press('pause') and room.text == 'Stairs ahead.'
    room.sentence_ends()
    assert room.text == ''
    room.press('pause')
    assert room.text == 'The first sentence.'


def test_what_is_paused_is_gone_on_with_behind_what_is_urgent(room):
    room.say(TWO)
    room.press('pause')
    room.say('Stairs ahead.', URGENT)
    room.press('pause')
    assert room.text == 'Stairs ahead.' and not room.speaking.paused
    room.sentence_ends()
    assert room.text == 'The first sentence.'


def test_an_answer_that_grows_while_it_is_paused_loses_nothing(room):
    room.stream('one', ['The first sentence.'], done=False)
    assert room.text == 'The first sentence.'
    room.press('pause')
    room.description('one', TWO, '')
    room.wait(1.0)
    assert room.text == ''
    room.press('pause')
    assert room.listen()[-3:] == ['The first sentence.', 'The first sentence.', 'The second sentence.']


def test_what_was_paused_is_never_stale(room):
    room.narrate('a', 'A mug.', age_s=1.0)
    room.press('pause')
    room.say('Stairs ahead.', URGENT)
    room.press('pause')
    room.wait(60.0)
    room.sentence_ends()
    assert room.text == 'A mug.'


def test_hush_ends_the_pause_and_what_was_paused(room):
    key = room.say(TWO)
    room.press('pause')
    room.hush()
    assert not room.speaking.paused and room.results[key] == errors.Hushed.code
    assert not room.press('pause')


# -- quiet


def test_quiet_leaves_only_what_is_asked_and_what_is_urgent(room):
    room.press('quiet')
    room.listen()
    room.heard.clear()
    key = room.say('A chair.', TOLD)
    assert room.heard == [] and room.results[key] == errors.Hushed.code
    room.description('a', 'A mug.', 'A mug.')
    assert room.listen() == ['A mug.']
    room.say('Stairs ahead.', URGENT)
    assert room.listen() == ['A mug.', 'Stairs ahead.']


def test_quiet_ends_the_narration_that_sounds_and_says_so(room):
    room.say('A long story.')
    room.press('quiet')
    assert room.text == phrases.QUIET_ON


def test_quiet_once_more_ends_it(room):
    room.press('quiet')
    room.press('quiet')
    room.listen()
    room.say('A chair.')
    assert room.text == 'A chair.'


# -- repeat, back, next


def test_repeat_in_the_middle_begins_again(room):
    room.say(TWO)
    room.sentence_ends()
    room.press('repeat')
    assert room.text == 'The first sentence.'


def test_repeat_after_more_says_what_more_said(room):
    room.description('a', 'A mug. It is red. It is full.', 'A mug.')
    room.listen()
    room.press('more')
    room.listen()
    room.heard.clear()
    room.press('repeat')
    assert room.listen() == ['It is red.', 'It is full.']
    room.press('more')
    assert room.question.about == 'a', 'and it is still about that thing'


def test_what_was_computed_but_not_heard_is_not_the_last_thing(room):
    told(room, 'A mug.')
    room.description('late', 'A lamp.', 'A lamp.', speak=0)
    room.press('repeat')
    assert room.text == 'A mug.'


def test_back_and_next_go_through_what_was_heard(room):
    told(room, 'A mug.', 'A chair.', 'A lamp.')
    for name, text in (('back', 'A chair.'), ('back', 'A mug.'), ('next', 'A chair.'), ('repeat', 'A chair.'),
                       ('next', 'A lamp.')):
        assert room.press(name)
        room.listen()
        assert room.heard[-1] == text, name


def test_at_the_ends_it_is_said_that_there_is_no_more(room):
    told(room, 'A mug.')
    assert not room.press('back')
    assert room.listen() == [phrases.NOTHING_BEFORE]
    assert not room.press('next')
    assert room.listen() == [phrases.NOTHING_BEFORE, phrases.NOTHING_AFTER]


def test_something_new_is_behind_the_newest_wherever_one_was(room):
    told(room, 'A mug.', 'A chair.')
    room.press('back')
    room.listen()
    room.description('new', 'A lamp.', 'A lamp.')
    room.listen()
    room.press('back')
    room.listen()
    assert room.heard[-1] == 'A chair.'


def test_next_behind_the_newest_asks_for_what_comes_next_in_the_picture(room):
    room.present(1, 2, 3, distances=(3.0, 1.0, 2.0))
    room.description('a', 'A mug.', 'A mug.', label=2)
    room.listen()
    assert room.press('next') and room.question.label == 3, 'the next nearest'


# -- more, ask, read


def test_more_is_about_what_the_person_went_back_to(room):
    room.description('a', 'A mug. It is red.', 'A mug.')
    room.listen()
    room.description('b', 'A chair. It is blue.', 'A chair.')
    room.listen()
    room.press('back')
    room.listen()
    room.press('more')
    assert room.listen()[-1] == 'It is red.'


def test_more_after_all_is_said_asks_for_all_the_describer_can_say(room):
    told(room, 'A mug.')
    assert room.press('more') and (room.question.about, room.question.detail) == ('d0', FULL)


def test_a_question_is_about_the_last_thing(room):
    told(room, 'A mug.', 'A chair.')
    assert room.ask('What colour is it?')
    assert (room.question.about, room.question.query) == ('d1', 'What colour is it?')


def test_a_question_long_after_is_about_the_newest_picture():
    room = Room(refer_for_s=60.0)
    told(room, 'A mug.')
    room.wait(59.0, step=1.0)
    room.ask('What is it?')
    assert room.question.about == 'd0'
    room.wait(2.0)
    room.ask('What is it?')
    assert room.question.about == ''


def test_an_empty_question_is_not_asked(room):
    assert not room.ask(' ... ') and room.question is None
    assert room.text == '', 'a cough is no question'


def test_read_is_about_the_last_thing(room):
    told(room, 'A sign.')
    room.press('read')
    assert (room.question.about, room.question.detail) == ('d0', READ)


def test_what_was_read_is_announced_as_doubtful(room):
    room.policy.overheard.known.reads('r')
    room.stream('r', ['EXIT 4'])
    room.description('r', 'EXIT 4', 'EXIT 4', confidence=0.1)
    assert room.listen() == [phrases.HEARD_WORD, 'Text, perhaps:', 'EXIT 4']


def test_without_a_reader_it_is_said_that_it_cannot_read(room):
    room.policy.overheard.known.reads('r')
    room.asked('r')
    room.description('r', code=errors.Unsupported.code)
    assert ' '.join(room.listen()) == f'{phrases.HEARD_WORD} {phrases.CANNOT_READ}'


def test_where_there_are_no_letters_it_is_said(room):
    room.policy.overheard.known.reads('r')
    room.description('r', 'Nothing legible.', 'Nothing legible.', abstained=True)
    assert room.listen() == [phrases.NO_LETTERS]


# -- spell, status, help


def test_spell_says_the_last_word_letter_by_letter(room):
    told(room, 'A red mug.')
    assert room.press('spell')
    assert room.message.casefold().replace(',', '').replace('.', '').split()[:3] == ['m', 'u', 'g']
    assert room.text == room.message


def test_spelt_twice_it_is_the_same_word(room):
    told(room, 'A red mug.')
    room.press('spell')
    first = room.message
    room.listen()
    room.press('spell')
    assert room.message == first


def test_before_anything_was_said_there_is_nothing_to_spell(room):
    assert not room.press('spell') and room.text == phrases.NO_WORD_TO_SPELL


def test_status_is_one_sentence(room):
    room.sight(0, age_s=0.2)
    assert room.status() == 'Ready. Picture 0.2 seconds old. Narration off.'
    assert room.listen() == [room.message]


def test_status_tells_of_battery_mute_quiet_and_pause(room):
    room.sight(0, age_s=0.2)
    room.press('quiet')
    room.mute()
    status = room.status('new', charge=0.42)
    assert status == ('Ready. Picture 0.2 seconds old. Narration on for new things. Quiet. Muted. '
                      'Battery 42 percent.')


def test_status_without_a_describer_and_without_a_picture(room):
    assert room.status().startswith(phrases.NO_DESCRIBER)
    room.sight(1, age_s=float('nan'))
    assert room.status() == 'I get no picture. Narration off.'


@pytest.mark.parametrize('state', [NO_PICTURE, FROZEN, DARK, COVERED, BLURRED])
def test_status_is_not_ready_where_a_camera_does_not_see(room, state):
    room.sight(0, camera='rear')
    room.sight(state, age_s=8.6)
    assert room.status() == f"{phrases.of_sight(state, 'en').text} Picture 0.1 seconds old. Narration off."


def test_the_age_of_the_picture_goes_on(room):
    room.sight(0, age_s=0.2)
    room.now += 1.0
    assert room.status().startswith('Ready. Picture 1.2 seconds old.')


def test_help_lists_the_commands(room):
    room.press('help')
    heard = ' '.join(room.listen()).casefold()
    for word in 'stop more repeat back next pause faster slower quiet status read spell'.split():
        assert word in heard, word


def test_status_speaks_the_language_of_the_listener():
    room = Room(language='de')
    room.sight(0, age_s=0.2)
    assert '0,2' in room.status()
    assert room.sounding.item.language == 'de'


# -- between the first word of an answer and its last


def growing(room) -> None:
    room.stream('one', ['A red mug.'], done=False, camera='front', label=2)
    assert room.text == 'A red mug.'


def test_more_while_the_answer_is_being_written_tells_all_of_it_as_it_comes(room):
    growing(room)
    assert room.press('more') and room.question is None and room.text == 'A red mug.'
    room.partial('one', 2, '', 11, done=True)
    room.description('one', 'A red mug. It stands there. It is full.', 'A red mug.')
    assert room.listen()[-3:] == ['A red mug.', 'It stands there.', 'It is full.']
    assert room.press('more') and room.question is not None, 'the describer may know more yet'


def test_more_tells_all_of_it_though_its_beginning_ended_long_ago(room):
    growing(room)
    room.listen()
    room.wait(1.0)
    room.press('more')
    room.narrate('n', 'A chair.')   # somebody else wants the floor: it is not held for ever
    room.wait(20.0)
    room.description('one', 'A red mug. It stands there.', 'A red mug.')
    room.wait(1.0)
    assert room.listen()[-1] == 'It stands there.'


def test_a_question_while_the_answer_is_being_written_is_about_that(room):
    growing(room)
    assert room.ask('What is in it?') and room.question.about == 'one'
    assert room.press('read') and room.question.about == 'one'


def test_next_while_the_answer_is_being_written_goes_on_from_its_thing(room):
    room.present(1, 2, 3, camera='front')
    growing(room)
    assert room.press('next') and (room.question.camera, room.question.label) == ('front', 3)


def test_more_does_not_cut_the_sentence_that_is_being_said_and_adds_the_rest_once(room):
    room.description('one', 'A red mug. It stands there.', 'A red mug.')
    assert room.press('more') and room.press('more')
    assert room.listen() == ['A red mug.', 'It stands there.']


def test_a_describer_that_was_gone_is_asked_about_what_is_there_now(room):
    told(room, 'A red mug.')
    room.take(room.policy.describer_is_gone(room.now))
    room.listen()
    assert room.ask('What is that?') and room.question.about == ''
    assert room.press('read') and room.question.about == ''
    room.press('more')
    assert room.text == phrases.ALL_SAID


def test_what_the_describer_has_forgotten_it_is_not_asked_about_again(room):
    told(room, 'A red mug.')
    assert room.ask('What is that?') and room.question.about == 'd0'
    room.policy.overheard.known.forgotten('d0')
    assert room.ask('What is that?') and room.question.about == ''
