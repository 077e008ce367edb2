"""play_audio.py in front of a real speech_node: what its player plays, and when no more."""
from __future__ import annotations

from pathlib import Path
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from rclpy.qos import QoSProfile   # noqa: E402

from dam_ros.msg import Audio   # noqa: E402
from documents import ROOT   # noqa: E402
from speech_graph import talking   # noqa: E402
from voice_room import has_espeak, write_program   # noqa: E402

pytestmark = [pytest.mark.ros, pytest.mark.skipif(not has_espeak(), reason='espeak-ng is not installed')]
# A player that takes raw samples at the pace of a sound card, and notes when each piece was heard.
PLAYER = """#!{python} -S
import os, sys, time
out = os.open(sys.argv[1] + '.%d' % time.time_ns(), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
begun, sent = time.monotonic(), 0
while data := os.read(0, 882):
    os.write(out, data)
    sent += len(data) // 2
    time.sleep(max(begun + sent / 22050 - time.monotonic(), 0))
"""


class Listening:
    """play_audio.py as a process with such a player."""

    def __init__(self, folder: Path, speech: str):
        self._record, player = folder / 'played', write_program(folder / 'player', PLAYER)
        self.process = subprocess.Popen(
            [sys.executable, ROOT / 'examples' / 'play_audio.py', '--speech', speech, '--player',
             f'{player} {self._record}'], stderr=subprocess.PIPE, text=True)

    def files(self) -> list[Path]:
        """What each player has played, in the order in which they began."""
        return sorted(self._record.parent.glob('played.*'))

    def played(self) -> np.ndarray:
        return np.frombuffer(b''.join(one.read_bytes() for one in self.files()), '<i2')

    def players(self) -> list[psutil.Process]:
        """Zombies included."""
        return psutil.Process(self.process.pid).children()


@pytest.fixture(scope='module')
def speaking():
    """speech_node and what it publishes."""
    with talking(voice='espeak', sound_to='topic', rate_wpm=175.0, hush_quiet_s=0.0) as person:
        published: list[Audio] = []
        person.node.create_subscription(Audio, 'speech_node/audio', published.append, QoSProfile(depth=1000))
        yield person, published


@pytest.fixture(scope='module')
def playing(speaking, tmp_path_factory):
    """One for many tests, as its start takes a second."""
    person, _ = speaking
    one = Listening(tmp_path_factory.mktemp('played'), f'{person.namespace}/speech_node')
    while not one.files():   # until the node has heard of play_audio.py
        person.said('A')
    yield one
    one.process.terminate()
    said = one.process.communicate(timeout=5.0)[1]
    assert one.process.returncode == 0 and 'Traceback' not in said, said


@pytest.fixture
def listening(speaking, playing):
    """(talking, Listening, what was published), in silence."""
    person, published = speaking
    person.press('hush')
    person.until(lambda: not playing.players(), 5.0, 'the player ends where nothing comes any more')
    for file in playing.files():
        file.unlink()
    published.clear()
    yield person, playing, published


def published_samples(published: list[Audio]) -> np.ndarray:
    return np.concatenate([np.asarray(one.samples, np.int16) for one in published])


def is_there(listening: Listening) -> bool:
    return len(listening.played()) > 0


def test_the_sound_arrives_whole_and_in_order_and_then_the_player_ends(listening):
    person, one, published = listening
    assert person.said('A red mug stands on the left. It is half full of coffee.').error_code == 0
    person.until(lambda: not one.players(), 5.0, 'the player ends where nothing comes any more')
    assert np.array_equal(one.played(), published_samples(published)) and len(one.played()) > 22050


@pytest.mark.alone
def test_a_hush_kills_what_was_not_played_yet(listening):
    person, one, published = listening
    person.say('One two three four five six seven eight nine ten eleven twelve thirteen.')
    person.until(lambda: is_there(one))
    person.spin(1.0)
    hushed = time.monotonic()
    person.hush_by_topic()
    person.until(lambda: not one.players(), 1.0, 'silence')
    assert time.monotonic() - hushed < 0.2
    silent = len(one.played())
    person.spin(0.7)
    assert len(one.played()) == silent < len(published_samples(published)) + 22050
    assert person.said('A red mug.').error_code == 0
    assert len(one.files()) == 2, 'the next sound starts another'


@pytest.mark.parametrize('number', (signal.SIGKILL, signal.SIGSTOP), ids=('it dies', 'it hangs'))
def test_a_player_that_fails_is_replaced(listening, number):
    person, one, published = listening
    person.say('One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen.')
    person.until(lambda: is_there(one))
    person.spin(1.2)
    (player,) = one.players()
    player.send_signal(number)
    person.until(lambda: len(one.files()) == 2, 5.0, 'another player')
    person.spin(0.3)
    assert len(one.players()) == 1, 'no zombie, and nobody who hangs'
    newer = np.frombuffer(one.files()[1].read_bytes(), np.int16)
    at = published_samples(published).tobytes().find(newer.tobytes()[:4410 * 2])
    assert len(newer) > 4410 and at > 0 and at % 2 == 0, 'it goes on where the sound is, at a whole sample'


def test_its_end_is_the_players_too(speaking, tmp_path):
    person, _ = speaking
    one = Listening(tmp_path, f'{person.namespace}/speech_node')
    while not one.files():
        person.said('A')
    person.until(lambda: not one.players(), 5.0, 'the player ends where nothing comes any more')
    person.say('One two three four five six seven eight nine ten eleven twelve thirteen.')
    person.until(one.players)
    (player,) = one.players()
    one.process.send_signal(signal.SIGINT)
    said = one.process.communicate(timeout=5.0)[1]
    assert one.process.returncode == 0 and 'Traceback' not in said, said
    assert not player.is_running()


@pytest.mark.parametrize('player, says', (
    ('no-such-player -r {rate}', "no program 'no-such-player'; another player is named with --player"),
    ('aplay {hz}', "--player 'aplay {hz}' is no command line"),
    ('', "--player '' is no command line")))
def test_a_player_that_is_not_there_is_refused(player, says):
    run = subprocess.run([sys.executable, ROOT / 'examples' / 'play_audio.py', '--player', player],
                         capture_output=True, text=True, timeout=30)
    assert run.returncode == 2 and says in run.stderr
