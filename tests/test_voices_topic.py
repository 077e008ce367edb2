"""Sound for another machine: all of it, in small pieces, at the pace of speech, and an end where it was stopped."""
from __future__ import annotations

import time

import numpy as np
import pytest

from dam_ros import voices
from dam_ros.voices import earcons
from dam_ros.voices.espeak import Espeak
from dam_ros.voices.mouth import makers_of
from dam_ros.voices.protocol import Finished, Run, Started, Utterance

from lips import Lips
from voice_room import Ears, has_espeak, LONG, no_sound_card, sound_card, until, utterance

pytestmark = pytest.mark.skipif(not has_espeak(), reason='espeak-ng is not installed')


class Listener:
    """The other machine."""

    def __init__(self):
        self.pieces: list[tuple[np.ndarray, int, float, bool, float]] = []

    def publish(self, samples: np.ndarray, rate_hz: int, at_s: float, stop: bool) -> None:
        self.pieces.append((samples.copy(), rate_hz, at_s, stop, time.monotonic()))

    def samples(self) -> np.ndarray:
        return np.concatenate([one[0] for one in self.pieces]) if self.pieces else np.zeros(0, np.int16)


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def make(listener):
    made = []

    def make(sound_to: str):
        made.append(voices.create('espeak', {'sound_to': sound_to, 'publish': listener.publish}))
        return made[-1]
    yield make
    for one in made:
        one.close()


def test_all_of_it_comes_in_small_pieces_at_its_time(make, listener, tmp_path, monkeypatch):
    no_sound_card(tmp_path, monkeypatch)
    voice = make('topic')
    assert voice.check() == '', 'it needs no sound card'
    started, finished = Ears().speak(voice, 'A red mug on the left.')
    assert np.array_equal(listener.samples(), Espeak().make(utterance('A red mug on the left.'), Run()).samples)
    assert max(len(samples) / rate_hz for samples, rate_hz, *_ in listener.pieces) <= 0.1
    for number, (samples, rate_hz, at_s, stop, came) in enumerate(listener.pieces):
        before = sum(len(one[0]) for one in listener.pieces[:number]) / rate_hz
        assert samples.dtype == np.int16 and not stop
        assert at_s == pytest.approx(started.at + before, abs=1e-3)
        assert -0.1 < came - at_s < 0.05, 'neither all at once nor late'
    assert finished.at - started.at == pytest.approx(len(listener.samples()) / 22050, abs=0.05)


@pytest.mark.alone
@pytest.mark.parametrize('sound_to', ('topic', 'both'))
def test_a_stop_is_told_at_once_and_nothing_comes_after_it(make, listener, sound_to, tmp_path, monkeypatch):
    sound_card(tmp_path, monkeypatch)
    voice, ears = make(sound_to), Ears()
    voice.start(utterance(LONG), ears.listen)
    ears.next(Started)
    until(lambda: len(listener.pieces) > 5)
    stopped = time.monotonic()
    voice.stop()
    until(lambda: listener.pieces[-1][3], what='telling the stop')
    count = len(listener.pieces)
    samples, _, _, _, came = listener.pieces[-1]
    assert len(samples) == 0 and came - stopped < 0.1
    ears.nothing(0.2)
    assert len(listener.pieces) == count


def test_earcons_and_volume_go_there_too(make, listener):
    voice, ears = make('topic'), Ears()
    voice.start(Utterance(earcon='unsure', volume=50), ears.listen)
    ears.next(Started)
    ears.next(Finished)
    assert np.allclose(listener.samples(), earcons.sound_of('unsure').samples / 2, atol=1)


def test_both_are_heard(make, listener, tmp_path, monkeypatch):
    record = sound_card(tmp_path, monkeypatch)
    voice = make('both')
    assert voice.check() == ''
    record.write_bytes(b'')
    Ears().speak(voice, 'A red mug.')
    assert np.array_equal(listener.samples(), np.frombuffer(record.read_bytes(), '<i2'))


def test_of_both_the_topic_goes_on_without_a_sound_card_and_that_is_told(listener, tmp_path, monkeypatch):
    no_sound_card(tmp_path, monkeypatch)
    options = {'sound_to': 'both', 'publish': listener.publish, 'voices': ['espeak']}
    one = Lips(*makers_of('auto', options))
    one.mouth.check()
    one.say()
    assert one.wait() == 'heard' and one.mouth.name == 'espeak' and len(listener.samples()) > 0
    assert 'no sound device works' in one.mouth.reasons()['espeak']
    one.mouth.close()
