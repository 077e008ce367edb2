"""Earcons: short, told from each other by ear, without a click, and soon."""
from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from dam_ros import voices
from dam_ros.core import phrases
from dam_ros.core.seeing import COVERED
from dam_ros.core.speakable import cut
from dam_ros.voices import earcons, loudness
from dam_ros.voices.protocol import Failed, Finished, Sound, Started, Utterance

from speech_stage import Room
from voice_room import Ears, has_espeak, read, sound_card, until

HEARD, UNCLEAR = 0.1, 1.2   # share of the loudest; ratio of pitches that nobody confuses (a third)


def beats(sound: Sound) -> list[tuple[float, float]]:
    """Of each stretch of sound: its pitch in Hz at the beginning and at the end, from the samples alone."""
    loud = np.abs(sound.samples.astype(float))
    envelope = np.convolve(loud, np.ones(110) / 110, 'same') > HEARD * loud.max()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], envelope.astype(int), [0]])))
    found = []
    for begin, end in zip(edges[::2], edges[1::2]):
        part = sound.samples[begin:end].astype(float)
        third = len(part) // 3
        found.append((pitch_hz(part[:third], sound.rate_hz), pitch_hz(part[-third:], sound.rate_hz)))
    return found


def pitch_hz(samples: np.ndarray, rate_hz: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 16384))
    return float(np.argmax(spectrum)) * rate_hz / 16384


def contour(name: str) -> tuple[int, int, float]:
    """Number of beats; -1, 0, 1 = it falls, stays, rises; middle pitch in Hz."""
    found = beats(earcons.sound_of(name))
    ratio = found[-1][1] / found[0][0]
    return len(found), int(ratio > UNCLEAR) - int(ratio < 1 / UNCLEAR), float(np.mean(found))


@pytest.mark.parametrize(('one', 'other'), tuple(itertools.combinations(earcons.EARCONS, 2)))
def test_no_two_can_be_confused(one, other):
    mine, theirs = contour(one), contour(other)
    octaves = abs(np.log2(mine[2] / theirs[2]))
    differences = (mine[0] != theirs[0]) + (mine[1] != theirs[1]) + (octaves > 0.6)
    assert differences >= 2, f'{one} {mine} and {other} {theirs} differ in {differences} of beats, direction, height'


def test_what_belongs_together_is_told_by_direction():
    """A question rises, an end and a failure fall."""
    assert [contour(name)[1] for name in ('unsure', 'error', 'off', 'heard', 'working')] == [1, -1, -1, 0, 0]


@pytest.mark.parametrize('name', earcons.EARCONS)
def test_it_is_short_moderate_and_has_no_click(name):
    sound = earcons.sound_of(name)
    samples = sound.samples.astype(float) / 32767
    assert 0.05 <= sound.duration_s <= 0.151
    assert 0.1 < np.abs(samples).max() < 0.3
    assert np.abs(samples[[0, -1]]).max() < 0.002
    steepest = np.abs(np.diff(samples)).max()
    edges = np.abs(np.diff(np.concatenate([[0.0], samples, [0.0]])))[[0, 1, -2, -1]]
    assert edges.max() < 0.1 * steepest


def test_an_earcon_that_does_not_exist_is_a_failure_with_the_list():
    voice = voices.create('silent')
    ears = Ears()
    voice.start(Utterance(earcon='fanfare'), ears.listen)
    assert ears.next(Failed).reason == "earcon is 'fanfare'; allowed: heard, working, unsure, error, off"
    voice.close()


def test_it_sounds_within_60_ms_and_is_played_as_it_is(tmp_path, monkeypatch):
    record = sound_card(tmp_path, monkeypatch)
    voice = voices.create('espeak')   # no synthesizer is asked
    assert voice._output.check() == ''
    record.write_bytes(b'')
    ears = Ears()
    begun = time.monotonic()
    voice.start(Utterance('ignored', earcon='heard'), ears.listen)
    assert ears.next(Started).at - begun < 0.06
    ears.next(Finished)
    assert np.array_equal(np.frombuffer(record.read_bytes(), '<i2'), earcons.sound_of('heard').samples)
    voice.close()


@pytest.mark.skipif(not has_espeak(), reason='espeak-ng is not installed')
def test_the_track_of_wav_has_it_and_no_file_of_a_text(tmp_path):
    voice = voices.create('wav', {'wav_dir': str(tmp_path)})
    ears = Ears()
    for one in (Utterance('One.', group='a'), Utterance(earcon='off'), Utterance('Two.', group='a')):
        voice.start(one, ears.listen)
        ears.next(Started)
        ears.next(Finished)
    voice.note({'event': 'end', 'id': 'a'})
    voice.close()
    track, _ = read(tmp_path / '001-track.wav')
    expected = earcons.sound_of('off').samples.astype(float)
    assert np.correlate(track, expected).max() > 0.999 * (expected ** 2).sum()
    assert sorted(path.name for path in tmp_path.glob('*.wav')) == ['001-0001.wav', '001-track.wav']


# -- louder and softer


def test_a_volume_of_100_leaves_the_samples_alone():
    sound = earcons.sound_of('error')
    assert loudness.at(100, sound) is sound


@pytest.mark.parametrize('volume', (0, 20, 50, 150, 200))
def test_volume_is_a_factor(volume):
    sound = Sound(np.array([0, 100, -100, 5000, -5000], np.int16), 22050)
    assert np.allclose(loudness.at(volume, sound).samples, sound.samples * (volume / 100), atol=1)


def test_what_gets_too_loud_is_rounded_off_and_stays_in_order():
    sound = Sound(np.arange(-32768, 32768, 64).astype(np.int16), 22050)
    louder = loudness.at(200, sound).samples.astype(int)
    assert (np.diff(louder) >= 0).all() and louder.max() <= 32767 and louder.min() >= -32768
    assert louder[np.searchsorted(sound.samples, 16000)] > 25000


def test_a_started_earcon_can_be_stopped(tmp_path, monkeypatch):
    record = sound_card(tmp_path, monkeypatch)
    voice = voices.create('espeak')
    assert voice._output.check() == ''
    record.write_bytes(b'')
    voice.start(Utterance(earcon='unsure'), Ears().listen)
    until(lambda: record.stat().st_size > 0)
    voice.stop()
    time.sleep(0.3)   # what is not played in this time is not played
    assert record.stat().st_size < 2 * len(earcons.sound_of('unsure').samples)
    voice.close()


def test_earcons_do_not_pile_up():
    """Hushed again and again while a camera is blind: `off` is heard once, when the quiet is over."""
    room = Room(announce_sight=True, earcons=True, hush_quiet_s=5.0)
    room.sight()
    room.wait(1.0)
    for _ in range(5):
        room.hush()
        room.sight(COVERED)
        room.wait(0.2)
    assert room.heard == [] and room.cues == ['off'] * 5, 'each hush is felt, none is heard'
    for _ in range(8):
        room.wait(1.0)
        room.sight(COVERED)
    assert room.listen() == ['<off>', *(part.text for part in cut(phrases.of_sight(COVERED, 'en').text))]
