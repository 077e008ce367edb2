"""The keys of push_to_talk.py on a real terminal, in front of real nodes."""
from __future__ import annotations

from collections.abc import Callable
import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
import time

import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from dam_ros.msg import ErrorCode   # noqa: E402
from documents import ROOT   # noqa: E402
from ros_graph import Camera, script, serving   # noqa: E402
from speech_graph import talking   # noqa: E402

pytestmark = pytest.mark.ros
BRIEF, TEXT = 'A red mug.', 'A red mug. It is half full. A spoon stands in it.'
LEFT, RIGHT, UP, DOWN, ESCAPE = '\x1b[D', '\x1b[C', '\x1b[A', '\x1bOB', '\x1b'
CTRL_C, CTRL_D, CTRL_S = '\x03', '\x04', '\x13'
CTRL_RIGHT, DELETE, F1 = '\x1b[1;5C', '\x1b[3~', '\x1bOP'
NOBODY = ('--speech', '/nobody/speech_node', '--node', '/nobody/describe_node')
SLOW_S = 0.05


class Typist:
    """push_to_talk.py as a process, a pseudo-terminal around it: fingers and eyes.

    Attributes:
        whole: what it wrote, without the terminal's carriage returns; `text`: the part that was not looked for yet.
        before: the terminal's mode before it began.
    """

    def __init__(self, *arguments: str):
        self._hand, screen = pty.openpty()
        self._screen, self.before, self.text = screen, termios.tcgetattr(screen), ''
        self.whole = ''
        self.process = subprocess.Popen(
            [sys.executable, ROOT / 'examples' / 'push_to_talk.py', *arguments], stdin=screen, stdout=screen,
            stderr=screen, preexec_fn=self._own_terminal)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._going = True
        self._reader.start()

    @staticmethod
    def _own_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)   # so that Ctrl-C is a signal

    def _read(self) -> None:
        while self._going:
            if select.select([self._hand], [], [], 0.05)[0]:
                read = os.read(self._hand, 65536).decode(errors='replace').replace('\r', '')
                self.text, self.whole = self.text + read, self.whole + read

    def press(self, keys: str, each_s: float = 0.0) -> None:
        """`each_s`: between two bytes."""
        for one in keys if each_s else [keys]:
            os.write(self._hand, one.encode())
            time.sleep(each_s)

    def shows(self, words: str, within_s: float = 10.0) -> None:
        """Waits for a line that begins so, and takes all up to it as read."""
        until(lambda: f'\n{words}' in f'\n{self.text}', within_s,
              lambda: f'{words!r} in {self.text!r}; before it {self.whole[-1500:]!r}')
        self.text = f'\n{self.text}'.split(f'\n{words}', 1)[1]

    def shows_all(self, lines: list[str]) -> None:
        """In whatever order: what is said and what is answered come on ways of their own."""
        until(lambda: all(f'\n{line}' in f'\n{self.text}' for line in lines), 10.0, lambda: f'{lines} in {self.text!r}')

    def settle(self, for_s: float = 0.4) -> None:
        """Until nothing has come for some time; all that came is read."""
        while self.text:
            self.text = ''
            time.sleep(for_s)

    def ended(self, within_s: float = 5.0) -> int:
        return self.process.wait(within_s)

    def mode(self) -> list:
        return termios.tcgetattr(self._screen)

    def hang_up(self) -> None:
        self._going = False
        self._reader.join()
        os.close(self._screen)
        os.close(self._hand)

    def close(self) -> None:
        """Fails where it ever wrote what a screen reader stumbles over."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5.0)
        if self._going:
            self.hang_up()
        assert '\x1b' not in self.whole and 'Traceback' not in self.whole, self.whole


def until(condition: Callable[[], object], within_s: float, what: Callable[[], str]) -> None:
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f'not within {within_s:g} s: {what()}'
        time.sleep(0.005)


class Room:
    """A camera, describe_node (`served`) and speech_node (`person`), all going on in a thread meanwhile."""

    def __init__(self, served, person):
        self.served, self.person, self._going = served, person, True
        self._camera = Camera(served)
        self._camera.connect()
        self._thread = threading.Thread(target=self._go_on)
        self._thread.start()
        self.names = ('--speech', f'{served.namespace}/speech_node', '--node', served.name)

    def _go_on(self) -> None:
        while self._going:
            self._camera.label(self._camera.show())   # 1 in the left half, 2 in the right
            self.served.spin(0.05)
            self.person.spin(0.05)

    def close(self) -> None:
        self._going = False
        self._thread.join()


@pytest.fixture(scope='module')
def room():
    options = script(brief=BRIEF, text=TEXT, words_per_s=100.0)
    with serving(image_reliability='reliable', describer_options=options) as served, \
            talking(namespace=served.namespace, hush_quiet_s=0.1) as person:
        room = Room(served, person)
        yield room
        room.close()


@pytest.fixture
def sit():
    """Typists, each ended at the end."""
    typists: list[Typist] = []

    def sit(*arguments: str) -> Typist:
        typists.append(Typist(*arguments))
        return typists[-1]
    yield sit
    for one in typists:
        one.close()


@pytest.fixture
def fresh(room, sit):
    one = sit(*room.names)
    one.shows('ready. h lists the keys')
    return one


@pytest.fixture(scope='module')
def everyone(room):
    one = Typist(*room.names, '--captions')
    one.shows('ready. h lists the keys')
    yield one
    one.close()


@pytest.fixture
def typist(everyone):
    """One for many tests, as its start takes a second; nothing of the test before goes on."""
    everyone.press(ESCAPE)
    everyone.shows('silence')
    everyone.settle()
    return everyone


def test_every_key_does_what_the_help_says(typist):
    for keys, *lines in (
            (' ', 'what is in front', f'said: {BRIEF}', 'said: In the picture, middle.'),
            ('\n', 'more', 'said: It is half full.', 'said: A spoon stands in it.'),
            ('r', 'repeat', 'said: It is half full.', 'said: A spoon stands in it.'),
            ('l', 'spell', 'said: I, T.'),
            ('s', 'status', 'said: Ready. Picture ', 'status: Ready. Picture '),
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
        typist.settle()


def test_arrows_go_from_thing_to_thing_and_back(room, typist):
    typist.press(' ')
    typist.shows('said: In the picture, middle.')
    for key, name, where, label in ((RIGHT, 'next', 'left', 1), (DOWN, 'next', 'right', 2)):
        before = len(room.served.descriptions)
        typist.press(key)
        typist.shows(name)
        typist.shows(f'said: In the picture, {where}.')
        typist.settle()
        assert [one.label for one in room.served.descriptions[before:]] == [label]
    for key, name in ((LEFT, 'back'), (UP, 'back'), (RIGHT, 'next'), (RIGHT, 'next')):
        typist.press(key)
        typist.shows(name)
        typist.shows(f'said: {BRIEF}')
        typist.settle()
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


@pytest.mark.parametrize('how, typing', (
    ('x', False), (CTRL_C, False), (signal.SIGTERM, False), (CTRL_C, True), (CTRL_D, True), (signal.SIGTERM, True)),
    ids=repr)
def test_at_every_end_the_terminal_is_as_it_was(fresh, how, typing):
    assert fresh.mode() != fresh.before
    if typing:
        fresh.press('/')
        fresh.shows('your question')
        fresh.press('why ')
    if typing and how == CTRL_D:
        fresh.press(how * 2)   # of a line that has begun the first is no end, as everywhere
        fresh.shows('asked: why')
    if isinstance(how, str):
        fresh.press(how)
    else:
        fresh.process.send_signal(how)
    assert fresh.ended() == 0
    assert fresh.mode() == fresh.before


def test_a_terminal_that_goes_is_an_end(fresh):
    fresh.hang_up()
    fresh.ended()


def test_where_no_node_runs_it_says_so_and_goes_on(sit):
    typist = sit(*NOBODY)
    typist.shows('ready. h lists the keys')
    typist.shows('/nobody/speech_node is not running')
    typist.shows('/nobody/describe_node is not running')
    for key, name in (('s', 'status: '), ('n', 'narration: '), ('\n', 'more: '), ('/why?\n', ''),
                      (ESCAPE, 'silence: '), (' ', '')):
        typist.press(key)
        typist.shows(f'{name}/nobody/speech_node is not running')
    typist.shows('/nobody/describe_node is not running')
    typist.press('x')
    assert typist.ended() == 0


def test_a_node_that_does_not_answer_any_more_is_named(room, typist):
    room.person.child.send_signal(signal.SIGSTOP)
    try:
        typist.press('s')
        typist.shows(f'status: {room.person.namespace}/speech_node does not answer')
    finally:
        room.person.child.send_signal(signal.SIGCONT)


def test_without_a_terminal_it_says_what_it_needs():
    run = subprocess.run([sys.executable, ROOT / 'examples' / 'push_to_talk.py'], stdin=subprocess.DEVNULL,
                         capture_output=True, text=True, timeout=30)
    assert run.returncode == 2 and run.stderr.endswith('stdin is no terminal: keys are read from it\n')
