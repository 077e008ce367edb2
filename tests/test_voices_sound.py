"""Speech through a real sound server, recorded at its output: PulseAudio with a null sink of our own."""
from __future__ import annotations

import os
from pathlib import Path
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import numpy as np
import pytest

from dam_ros import voices
from dam_ros.voices.device import Device
from dam_ros.voices.espeak import Espeak
from dam_ros.voices.protocol import Run, Started, Utterance
from dam_ros.voices.synthesized import Synthesized

from voice_room import Ears, has_espeak, LONG, loudness, until

TOOLS = ('pulseaudio', 'pactl', 'parec', 'aplay')
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"no recording of real sound: {', '.join(MISSING)} not installed"),
    pytest.mark.skipif(not has_espeak(), reason='espeak-ng is not installed')]
RATE_HZ = 22050
HUSH_S = 0.2   # the promise
QUIET, SPEECH = 20.0, 500.0


class Room:
    """A room with a loudspeaker (the null sink) and a microphone (`samples`, as they come)."""

    def __init__(self, folder):
        socket, log = folder / 'socket', open(folder / 'log', 'wb')
        self.server = f'unix:{socket}'
        environment = {**os.environ, 'HOME': str(folder), 'XDG_RUNTIME_DIR': str(folder),
                       'PULSE_RUNTIME_PATH': str(folder / 'runtime'), 'PULSE_SERVER': self.server}
        self.daemon = subprocess.Popen(
            ['pulseaudio', '-n', '--daemonize=no', '--exit-idle-time=-1',
             '-L', f'module-null-sink sink_name=room rate={RATE_HZ} channels=1',
             '-L', f'module-native-protocol-unix socket={socket} auth-anonymous=1'],
            env=environment, stdout=log, stderr=log, start_new_session=True)
        log.close()
        until(lambda: subprocess.run(['pactl', 'info'], env=environment, capture_output=True).returncode == 0,
              10.0, 'the start of pulseaudio')
        self.microphone = subprocess.Popen(
            ['parec', '-d', 'room.monitor', '--format=s16le', f'--rate={RATE_HZ}', '--channels=1', '--latency-msec=10',
             '--raw'], env=environment, stdout=subprocess.PIPE, start_new_session=True)
        self.samples = bytearray()
        threading.Thread(target=self._record, daemon=True).start()
        until(lambda: len(self.samples) > 0, what='the first sample')

    def _record(self) -> None:
        while data := os.read(self.microphone.stdout.fileno(), 4096):
            self.samples += data

    def loudness(self) -> np.ndarray:
        """Per 20 ms since the beginning."""
        samples = np.frombuffer(bytes(self.samples[:len(self.samples) // 2 * 2]), '<i2').astype(float)
        return loudness(samples, RATE_HZ)

    def close(self) -> None:
        for process in (self.microphone, self.daemon):
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(5.0)
        self.microphone.stdout.close()


@pytest.fixture(scope='module')
def room():
    # Not in pytest's folder: the path of a socket has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix='room-') as folder:
        room = Room(Path(folder))
        yield room
        room.close()


@pytest.fixture(params=('espeak by aplay', 'espeak by paplay', 'pyttsx3'))
def voice(request, room, tmp_path, monkeypatch):
    (tmp_path / 'asound.conf').write_text('</usr/share/alsa/alsa.conf>\npcm.!default { type pulse }\n')
    monkeypatch.setenv('ALSA_CONFIG_PATH', str(tmp_path / 'asound.conf'))
    monkeypatch.setenv('PULSE_SERVER', room.server)
    name, _, player = request.param.partition(' by ')
    if name == 'pyttsx3':
        pytest.importorskip('pyttsx3')
        made = voices.create('pyttsx3')
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
