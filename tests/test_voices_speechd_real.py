"""A real speech-dispatcher, where one is installed, with its sound recorded. test_voices_speechd.py has the rules."""
from __future__ import annotations

import os
import shutil
import signal
import subprocess

import pytest

from dam_ros.voices.protocol import Finished, Utterance
from dam_ros.voices.speechd import Speechd

from sound_room import loud_room, MISSING, Room
from voice_room import Ears, LONG, Reader, until

REAL = [*MISSING, *(tool for tool in ('speech-dispatcher',) if shutil.which(tool) is None)]
needs_real = pytest.mark.skipif(bool(REAL), reason=f"no real speech-dispatcher to hear: {', '.join(REAL)} missing")


@pytest.fixture(scope='module')
def room():
    with loud_room() as made:
        yield made


@pytest.fixture
def real(room: Room, monkeypatch):
    """Its voice, with its sound going to the room."""
    folder = room.folder / 'spd'
    folder.mkdir(exist_ok=True)
    place = folder / 'socket'
    place.unlink(missing_ok=True)
    daemon = subprocess.Popen(['speech-dispatcher', '-s', '-t', '0', '-c', 'unix_socket', '-S', str(place), '-L',
                               str(folder), '-P', str(folder / 'pid'), '-l', '1'], env=room.environment,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    monkeypatch.setenv('SPEECHD_ADDRESS', f'unix_socket:{place}')
    voice = Speechd()
    until(lambda: voice.check() == '', 10.0, 'the start of speech-dispatcher')
    yield voice
    voice.close()
    os.killpg(daemon.pid, signal.SIGTERM)
    daemon.wait(5.0)


@needs_real
def test_a_real_one_speaks_sentence_after_sentence(real, room):
    ears, begun = Ears(), len(room.loudness())
    for number in range(3):
        _, finished = ears.speak(real, f'Narration {number}.')
        assert finished.audible, 'no sentence pushes the one after it away'
    ears.speak(real, 'Uno dos tres.', language='es', asked=True, pitch=80, voice_name='+f3')
    assert (room.loudness()[begun:] > 500.0).sum() > 50


@needs_real
@pytest.mark.alone
def test_stop_silences_a_real_one_within_200_ms(real, room):
    ears, begun = Ears(), len(room.loudness())
    real.start(Utterance(LONG, asked=True), ears.listen)
    until(lambda: (room.loudness()[begun:] > 500.0).sum() > 25, what='half a second of speech')
    stopped = len(room.loudness())
    real.stop()
    until(lambda: len(room.loudness()) > stopped + 50, what='a second of recording')
    heard = room.loudness()
    assert heard[stopped - 15:stopped].max() > 20.0, 'it spoke until then'
    assert heard[stopped + 10:].max() < 20.0


@needs_real
def test_a_real_one_drops_narration_while_another_client_speaks(real):
    reader, ears = Reader(), Ears()
    reader.say('this is the text of a screen reader that goes on')
    real.start(Utterance('Narration.'), ears.listen)
    assert ears.next(Finished).audible is False
    assert reader.ended() == 'END'
    reader.close()
