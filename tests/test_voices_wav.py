"""The track of the voice `wav`: what a microphone would have heard, sample by sample."""
from __future__ import annotations

import json
import os
import time

import numpy as np
import pytest

from dam_ros import voices
from dam_ros.voices.protocol import Failed, Started, Utterance, VoiceError
from dam_ros.voices.wav import WavFile

from voice_room import Ears, has_espeak, LONG, loudness, read, until, utterance

pytestmark = pytest.mark.skipif(not has_espeak(), reason='espeak-ng is not installed')
QUIET, SPEECH = 20.0, 500.0   # RMS of 16-bit samples


@pytest.fixture
def session(tmp_path):
    voice = voices.create('wav', {'wav_dir': str(tmp_path)})
    yield voice
    voice.close()


def events(folder, run: str = '001') -> list[dict]:
    return [json.loads(line) for line in (folder / f'{run}-events.jsonl').read_text().splitlines()]


def test_the_track_has_speech_at_its_time_and_silence_elsewhere(session, tmp_path):
    ears = Ears()
    zero = time.monotonic()
    time.sleep(0.5)   # silence, which the track has to show
    started, finished = ears.speak(session, 'A red mug on the left.', rate_wpm=175.0)
    session.close()
    samples, rate_hz = read(tmp_path / '001-track.wav')
    loud = loudness(samples, rate_hz)
    first, last = started.at - zero, finished.at - zero
    assert 0.5 <= first < 1.5 and 0.8 < last - first < 3.0
    assert loud[:int(first / 0.02)].max() < QUIET
    assert loud[int(first / 0.02):int(last / 0.02)].max() > SPEECH
    assert len(samples) / rate_hz == pytest.approx(last, abs=0.3)


def test_the_track_is_cut_where_the_stop_took_effect(session, tmp_path):
    ears = Ears()
    session.start(Utterance(LONG), ears.listen)
    started = ears.next(Started)
    track = tmp_path / '001-track.wav'
    until(lambda: track.stat().st_size > 44 + 2 * 22050, what='a second of speech')
    stopped_at = time.monotonic()
    session.stop()
    time.sleep(0.5)   # silence, which the track has to show
    session.note({'event': 'hush', 'at': stopped_at})
    session.close()
    hush = next(event for event in events(tmp_path) if event['event'] == 'hush')
    samples, rate_hz = read(track)
    loud = loudness(samples, rate_hz)
    cut = int(hush['t_s'] / 0.02)
    assert stopped_at - started.at > 0.5
    assert loud[cut - 30:cut].max() > SPEECH, 'it spoke until then'
    assert loud[cut + 5:].max() < QUIET, 'and was silent within 100 ms'
    assert len(loud) > cut + 20


def test_two_sentences_do_not_overlap_and_are_what_espeak_says(session, tmp_path):
    ears = Ears()
    times = [ears.speak(session, text, rate_wpm=175.0, group='g') for text in ('A red mug.', 'A blue ball.')]
    session.note({'event': 'end', 'id': 'g'})
    session.close()
    assert times[0][1].at <= times[1][0].at
    spoken, _ = read(tmp_path / '001-0001.wav')
    os.system(f'printf "A red mug." | espeak-ng --stdin -w {tmp_path}/expected.wav')
    expected, _ = read(tmp_path / 'expected.wav')
    part = spoken[:len(expected)]
    assert np.corrcoef(part, expected)[0, 1] > 0.99
    track, _ = read(tmp_path / '001-track.wav')
    matches = np.correlate(track, expected)
    assert matches.max() > 0.99 * (expected ** 2).sum(), 'the track holds it, too'
    assert events(tmp_path)[0]['file'] == '001-0001.wav'


def test_a_wav_file_is_whole_at_every_moment(tmp_path):
    file = WavFile(tmp_path / 'a.wav', 22050)
    assert len(read(tmp_path / 'a.wav')[0]) == 0
    file.write(100, np.full(50, 7, np.int16))
    samples, rate_hz = read(tmp_path / 'a.wav')
    assert rate_hz == 22050 and list(samples[98:102]) == [0, 0, 7, 7] and len(samples) == 150
    file.extend(10_000_000)
    file.close()
    assert len(read(tmp_path / 'a.wav')[0]) == 10_000_000
    assert (tmp_path / 'a.wav').stat().st_blocks * 512 < 100_000, 'silence takes no disk'


def test_each_run_has_its_own_files(tmp_path):
    for _ in range(2):
        voice = voices.create('wav', {'wav_dir': str(tmp_path), 'wav_mode': 'session'})
        Ears().speak(voice, 'One.')
        voice.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        '001-0001.wav', '001-events.jsonl', '001-track.wav', '002-0001.wav', '002-events.jsonl', '002-track.wav']


def test_files_mode_writes_one_file_per_text_without_waiting(tmp_path):
    voice = voices.create('wav', {'wav_dir': str(tmp_path), 'wav_mode': 'files'})
    begun = time.monotonic()
    for number in range(3):
        for sentence in ('A red mug on the left.', 'It stands there.'):
            Ears().speak(voice, sentence, group=f'text {number}', rate_wpm=175.0)
        voice.note({'event': 'end', 'id': f'text {number}'})
    assert time.monotonic() - begun < 6.0, 'it is 8 s of speech'
    voice.close()
    files = [event['file'] for event in events(tmp_path)]
    assert files == ['001-0001.wav', '001-0002.wav', '001-0003.wav']
    for name in files:
        samples, rate_hz = read(tmp_path / name)
        assert 1.5 < len(samples) / rate_hz < 5.0 and loudness(samples, rate_hz).max() > SPEECH


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write everywhere')
def test_a_folder_without_permission_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(VoiceError, match='wav_dir .* cannot be written: Permission denied'):
        voices.create('wav', {'wav_dir': str(tmp_path / 'x')})


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(VoiceError, match='wav_dir .*file.* cannot be written: '):
        voices.create('wav', {'wav_dir': str(tmp_path / 'file' / 'x')})


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='there is no /dev/full')
def test_a_full_disk_is_told_and_ends_nothing(session):
    full = os.open('/dev/full', os.O_RDWR)
    for file in (session._output._track._file, session._output._events):
        os.dup2(full, file.fileno())
    os.close(full)
    ears = Ears()
    session.start(utterance('One two three.'), ears.listen)
    ears.next(Started)
    assert 'cannot be written: ' in ears.next(Failed).reason
    with pytest.raises(VoiceError, match='cannot be written: '):
        session.note({'event': 'hush'})
    session.close()
