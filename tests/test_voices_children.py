"""The processes behind the voices: what happens when they are killed, hang or write nonsense."""
from __future__ import annotations

import os
import signal
import time

import pytest

from dam_ros import voices
from dam_ros.voices.espeak import Espeak
from dam_ros.voices.espeak_voices import best_language
from dam_ros.voices.mouth import makers_of
from dam_ros.voices.protocol import Failed, Finished, Run, Sound, Started, Stopped, VoiceError
from dam_ros.voices.pyttsx3_voice import Pyttsx3

from lips import Lips
from voice_room import Ears, has_espeak, LONG, sound_card, until, utterance, write_program

needs_espeak = pytest.mark.skipif(not has_espeak(), reason='espeak-ng is not installed')


@needs_espeak
def test_killing_the_child_of_pyttsx3_between_sentences_costs_nothing(tmp_path, monkeypatch):
    pytest.importorskip('pyttsx3')
    sound_card(tmp_path, monkeypatch)
    one = Lips(*makers_of('pyttsx3', {'rate_wpm': 400.0}))
    one.mouth.check()
    one.say()
    assert one.wait() == 'heard'
    child = usual_child(one.mouth._candidates[0].voice._synthesizer)
    os.kill(child.pid, signal.SIGKILL)
    one.say()
    assert one.wait() == 'heard' and one.mouth.name == 'pyttsx3'
    one.mouth.close()


@needs_espeak
def test_killing_the_player_in_the_middle_repeats_the_sentence(tmp_path, monkeypatch):
    record = sound_card(tmp_path, monkeypatch)
    one = Lips(*makers_of('espeak', {}))
    one.mouth.check()
    record.write_bytes(b'')
    one.say(LONG)
    until(lambda: record.stat().st_size > 22050, what='half a second of sound')
    for pid in _players(tmp_path):
        os.kill(pid, signal.SIGKILL)
    assert one.wait() == 'heard'
    whole = Espeak().make(utterance(LONG), Run())
    assert record.stat().st_size > 2 * len(whole.samples) + 22050, 'half of it and then all of it'
    one.mouth.close()


def usual_child(synthesizer: Pyttsx3):
    """The process that `check` has started."""
    return synthesizer._lines.get(synthesizer._usual).child.process


def _players(folder) -> list[int]:
    found = []
    for entry in os.listdir('/proc'):
        try:
            with open(f'/proc/{int(entry)}/cmdline', 'rb') as file:
                if str(folder / 'aplay').encode() in file.read():
                    found.append(int(entry))
        except (ValueError, OSError):
            continue
    return found


def test_an_espeak_that_hangs_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr('dam_ros.voices.espeak._LIMIT_S', 0.3)
    monkeypatch.setattr('dam_ros.voices.espeak_voices._LIMIT_S', 0.3)   # for its list of languages
    program = write_program(tmp_path / 'espeak-ng', '#!/bin/sh\nexec sleep 60\n')
    voice = Espeak(str(program))
    begun = time.monotonic()
    with pytest.raises(VoiceError, match='hangs'):
        voice.make(utterance('One.'), Run())
    assert time.monotonic() - begun < 2.0


def test_an_espeak_that_fails_says_how(tmp_path):
    program = write_program(tmp_path / 'espeak-ng', '#!/bin/sh\necho "no data at /x" >&2\nexit 0\n')
    with pytest.raises(VoiceError, match='no data at /x'):
        Espeak(str(program)).make(utterance('One.'), Run())


def test_an_espeak_that_writes_garbage_is_a_failure(tmp_path):
    program = write_program(tmp_path / 'espeak-ng', '#!/bin/sh\nhead -c 5000 /dev/zero\n')
    with pytest.raises(VoiceError, match='no 16-bit mono WAV'):
        Espeak(str(program)).make(utterance('One.'), Run())


@pytest.mark.parametrize(('script', 'said'), (
    ('exit 3', 'does not start'), ('echo garbage; sleep 60', 'garbage'), ('echo "{\\"ready\\": 0}"', 'has no voices'),
    ('echo "{\\"failed\\": \\"no libespeak\\"}"', 'no libespeak')))
def test_a_pyttsx3_that_does_not_start_says_why(tmp_path, script, said):
    program = write_program(tmp_path / 'child', f'#!/bin/sh\n{script}\n')
    voice = Pyttsx3([str(program)])
    assert said in voice.check()
    voice.close()


def test_a_pyttsx3_that_hangs_is_killed(tmp_path):
    program = write_program(tmp_path / 'child', '#!/bin/sh\necho "{\\"ready\\": 1}"\nexec sleep 60\n')
    voice = Pyttsx3([str(program)], limit_s=0.3, rate_wpm=400.0)
    assert voice.check() == ''
    child = usual_child(voice)
    with pytest.raises(VoiceError, match='hangs'):
        voice.make(utterance('One.'), Run())
    assert child.poll() == -signal.SIGKILL


@needs_espeak
def test_every_fresh_child_of_pyttsx3_speaks_each_sentence_at_its_rate():
    """The old bug: about one child in fifteen lost the rate or made no sound of its second sentence."""
    pytest.importorskip('pyttsx3')
    lengths = []
    for _ in range(8):
        voice = Pyttsx3(rate_wpm=300.0)
        lengths += [len(voice.make(utterance('A red mug.', rate_wpm=300.0), Run()).samples) for _ in range(2)]
        voice.close()
    assert 0.3 * 22050 < min(lengths) and max(lengths) < 1.03 * min(lengths), lengths


def test_the_child_of_pyttsx3_ends_with_its_parent():
    pytest.importorskip('pyttsx3')
    voice = Pyttsx3()
    if voice.check():
        pytest.skip(voice.check())
    child = usual_child(voice)
    child.stdin.close()   # what the kernel does when the parent dies
    assert child.wait(2.0) == 0
    voice.close()


@needs_espeak
def test_text_reaches_no_command_line(tmp_path, monkeypatch):
    script = f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\ncat > {tmp_path}/in\n'
    program = write_program(tmp_path / 'espeak-ng', script)
    Espeak(str(program)).make(utterance('--help; secret $(x)'), Run())
    assert 'secret' not in (tmp_path / 'arguments').read_text()
    assert (tmp_path / 'in').read_text() == '--help; secret $(x)'


@pytest.mark.parametrize(('wanted', 'known', 'best'), (
    ('en', ('en-gb', 'en'), 'en'), ('en-US', ('en', 'en-us'), 'en-us'), ('de_AT', ('de', 'en'), 'de'),
    ('zh', ('cmn', 'zh'), 'zh'), ('pt', ('pt-br',), 'pt-br'), ('xx', ('en',), ''), ('', ('en',), '')))
def test_the_nearest_voice_for_a_language(wanted, known, best):
    assert best_language(wanted, known) == best


def test_a_run_that_was_stopped_kills_what_it_adopts_later():
    run, killed = Run(), []
    run.stop()
    with pytest.raises(Stopped):
        run.adopt(lambda: killed.append(1))
    assert killed == [1]


def test_events_of_a_stopped_utterance_never_arrive_late():
    """The window between `stop` and the thread noticing it."""
    for _ in range(200):
        voice = voices.create('silent')
        ears = Ears()
        voice.start(utterance(''), ears.listen)   # over at once
        voice.stop()
        count = ears.events.qsize()
        voice.close()
        assert ears.events.qsize() == count
        while not ears.events.empty():
            assert isinstance(ears.events.get(), (Started, Finished)), Failed


def test_sound_knows_its_length():
    import numpy as np
    assert Sound(np.zeros(22050, np.int16), 22050).duration_s == 1.0
