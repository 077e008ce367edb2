"""The keys of push_to_talk.py on a real terminal, in front of real nodes. See also test_examples_talk_ends.py."""
from __future__ import annotations

import time

import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from dam_ros.msg import ErrorCode   # noqa: E402
from ros_graph import script   # noqa: E402
from typist import BRIEF, ESCAPE, furnished, Typist, until   # noqa: E402

pytestmark = pytest.mark.ros
LEFT, RIGHT, UP, DOWN = '\x1b[D', '\x1b[C', '\x1b[A', '\x1bOB'
CTRL_S = '\x13'
CTRL_RIGHT, DELETE, F1 = '\x1b[1;5C', '\x1b[3~', '\x1bOP'
SLOW_S = 0.05


@pytest.fixture(scope='module')
def room():
    with furnished() as made:
        yield made


@pytest.fixture(scope='module')
def everyone(room):
    one = Typist(*room.names, '--captions')
    one.shows('ready. h lists the keys')
    one.meet()
    yield one
    one.close()


@pytest.fixture
def typist(everyone):
    """One for many tests, as its start takes a second; nothing of the test before goes on."""
    everyone.hush()
    return everyone


def test_every_key_does_what_the_help_says(typist):
    for keys, *lines in (
            (' ', 'what is in front', f'said: {BRIEF}', 'said: In the picture, middle.'),
            ('\n', 'more', 'said: It is half full.', 'said: A spoon stands in it.'),
            ('r', 'repeat', 'said: It is half full.', 'said: A spoon stands in it.'),
            ('l', 'spell', 'said: I, T.'),
            ('s', 'status', 'said: Ready. Picture 0.', 'status: Ready. Picture 0.'),
            ('t', 'read', 'said: '),
            ('n', 'narration: new'), ('n', 'narration: off'),
            ('+', 'faster', 'said: 460 words'), ('-', 'slower', 'said: 400 words'),
            ('q', 'quiet', 'said: I speak only when asked.'), ('q', 'quiet', 'said: I speak of my own accord again.'),
            ('?', 'help', 'said: Stop or hush'), (ESCAPE, 'silence'),
            ('h', '    space    what is in front', '    / a question'),
            ('/what is in it?\n', 'your question, then enter:', 'asked: what is in it?', f'said: {BRIEF}'),
            ('/\n', 'your question, then enter:', 'nothing asked')):
        typist.press(keys)
        typist.shows_all(lines)
        typist.hush()   # faster, while something sounds, says that again instead of the rate


def test_arrows_go_from_thing_to_thing_and_back(room, typist):
    begun = len(room.served.descriptions)
    typist.press(' ')
    typist.shows('said: In the picture, middle.')
    room.labels(since=begun)
    for key, name, where, label in ((RIGHT, 'next', 'left', 1), (DOWN, 'next', 'right', 2)):
        begun = len(room.served.descriptions)
        typist.press(key)
        typist.shows(name)
        typist.shows(f'said: In the picture, {where}.')
        assert room.labels(since=begun) == [label]
    for key, name in ((LEFT, 'back'), (UP, 'back'), (RIGHT, 'next'), (RIGHT, 'next')):
        typist.press(key)
        typist.shows(name)
        typist.shows(f'said: {BRIEF}')
    typist.press(RIGHT)
    typist.shows('next: That was the last thing I said.')


def test_pause_and_once_more_goes_on_with_the_same_sentence(typist):
    typist.press('/' + script(text='A long red story begins here. It goes on and on and on. It ends.') + '\n')
    typist.shows('said: A long red story begins here.')
    typist.press('p')
    typist.shows('pause')
    typist.settle()
    time.sleep(1.0)
    assert typist.text == '', 'it waits'
    typist.press('p')
    typist.shows('pause')
    typist.shows('said: It ends.')


def test_escape_is_silence_at_once_and_ends_what_was_asked(room, typist):
    typist.press('/')
    typist.shows('your question')
    typist.press(script(text='word ' * 100, words_per_s=5.0) + '\n')
    typist.shows('asked: ')
    until(lambda: room.served.partials and room.served.partials[-1].piece, 5.0, lambda: 'an answer grows')
    cues, descriptions, pressed = len(room.person.cues), len(room.served.descriptions), time.monotonic()
    typist.press(ESCAPE)
    typist.shows('silence')
    until(lambda: 'off' in room.person.cues[cues:], 2.0, lambda: 'a hush')
    assert room.person.cued[-1] - pressed < 0.5, '0.1 s to know that it is no arrow, and what the test itself takes'
    until(lambda: room.served.descriptions[descriptions:], 2.0, lambda: 'an end of the question')
    assert room.served.descriptions[-1].error_code == ErrorCode.CANCELLED


@pytest.mark.parametrize('each_s', (0.0, SLOW_S), ids=('at once', 'slowly'))
def test_escape_and_arrows_are_told_from_each_other(typist, each_s):
    for keys, *lines in (
            (ESCAPE + ESCAPE, 'silence', 'silence'), (ESCAPE + 's', 'silence', 'status'),
            (ESCAPE + RIGHT, 'silence', 'next'), (RIGHT + RIGHT, 'next', 'next'),
            (CTRL_RIGHT, 'next'), (DELETE,), (F1,), (CTRL_S,), ('ä',)):
        begun = len(typist.whole)
        typist.press(keys, each_s)
        typist.press('h')   # when that is there, all before it has been dealt with
        typist.shows('    / a question')
        shown = typist.whole[begun:].split('    space')[0].splitlines()
        assert [line for line in shown if line in ('silence', 'status', 'next')] == lines, repr(keys)


def test_in_a_question_arrows_mean_nothing_and_escape_drops_it(typist):
    typist.press('/')
    typist.shows('your question')
    typist.press('a mug' + LEFT + ' or a cup?', SLOW_S)
    typist.press('\n')
    typist.shows('asked: a mug or a cup?')
    typist.press('/')
    typist.shows('your question')
    typist.press('a mug')
    typist.press(ESCAPE)
    typist.shows('silence')
    typist.press('s')
    typist.shows('status')
    typist.press('/was it red?\ns')   # faster than the terminal can follow
    typist.shows('asked: was it red?')
    typist.shows('status')
    assert 'asked: a mug\n' not in typist.whole
