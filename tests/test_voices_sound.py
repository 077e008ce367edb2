"""Speech through a real sound server, recorded at its output: PulseAudio with a null sink of our own."""
from __future__ import annotations

import shutil
import time

import numpy as np
import pytest

from dam_ros import voices
from dam_ros.voices.device import Device
from dam_ros.voices.espeak import Espeak
from dam_ros.voices.protocol import Run, Started, Utterance
from dam_ros.voices.synthesized import Synthesized

from sound_room import loud_room, MISSING
from voice_room import Ears, has_espeak, LONG, piper, until

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"no recording of real sound: {', '.join(MISSING)} not installed"),
    pytest.mark.skipif(not has_espeak(), reason='espeak-ng is not installed')]
HUSH_S = 0.2   # the promise
QUIET, SPEECH = 20.0, 500.0


@pytest.fixture(scope='module')
def room():
    with loud_room() as made:
        yield made


@pytest.fixture(params=('espeak by aplay', 'espeak by paplay', 'pyttsx3', 'piper'))
def voice(request, room, tmp_path, monkeypatch):
    (tmp_path / 'asound.conf').write_text('</usr/share/alsa/alsa.conf>\npcm.!default { type pulse }\n')
    monkeypatch.setenv('ALSA_CONFIG_PATH', str(tmp_path / 'asound.conf'))
    monkeypatch.setenv('PULSE_SERVER', room.server)
    name, _, player = request.param.partition(' by ')
    if name == 'pyttsx3':
        pytest.importorskip('pyttsx3')
        made = voices.create('pyttsx3')
    elif name == 'piper':
        made = voices.create('piper', {'piper_model': str(piper(tmp_path, monkeypatch))})
    else:
        if shutil.which(player) is None:
            pytest.skip(f'{player} is not installed')
        made = Synthesized('espeak', Espeak(), Device((player,)))
    why = made.check()
    if why:   # ALSA's plugin for PulseAudio may be missing
        made.close()
        pytest.skip(f'no recording of real sound: {why}')
    yield made
    made.close()


def test_speech_is_heard_at_the_device(voice, room):
    begun = len(room.loudness())
    _, finished = Ears().speak(voice, 'A red mug on the left.', rate_wpm=175.0)
    length_s = Espeak().make(Utterance('A red mug on the left.'), Run()).duration_s
    heard = room.loudness()[begun:]
    assert heard.max() > SPEECH
    assert len(heard) * 0.02 > 0.9 * length_s, 'finished only when it was over'


@pytest.mark.alone
def test_stop_is_silence_at_the_device_within_200_ms(voice, room):
    ears = Ears()
    voice.start(Utterance(LONG), ears.listen)
    ears.next(Started)
    begun = len(room.loudness())
    until(lambda: (room.loudness()[begun:] > SPEECH).sum() > 25, what='half a second of speech')
    voice.stop()
    stopped = len(room.loudness())
    until(lambda: len(room.loudness()) > stopped + 50, what='a second of recording')
    heard = room.loudness()
    after = heard[stopped + round(HUSH_S / 0.02):]
    assert heard[stopped - 15:stopped].max() > QUIET, 'it spoke until then'
    assert after.max() < QUIET, f'still {after.max():.0f} loud'


@pytest.mark.alone
def test_the_first_sound_comes_soon(voice, room):
    Ears().speak(voice, 'One.', rate_wpm=175.0)
    time.sleep(0.3)   # the tail of it
    begun = len(room.loudness())
    voice.start(Utterance('A red mug.'), lambda event: None)
    until(lambda: (room.loudness()[begun:] > QUIET).any(), what='sound')
    soon = int(np.argmax(room.loudness()[begun:] > QUIET)) * 0.02
    voice.stop()
    assert soon < 1.0, f'{soon:.2f} s'
