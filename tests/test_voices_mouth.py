"""Voices that die, hang or have no device: what is heard instead, and what is told about it."""
from __future__ import annotations

import os
import queue
import signal
import threading
import time

import pytest

from dam_ros import voices
from dam_ros.voices import mouth as mouth_module
from dam_ros.voices.espeak import Espeak
from dam_ros.voices.espeak_voices import best_language
from dam_ros.voices.mouth import makers_of, Mouth
from dam_ros.voices.protocol import Failed, Finished, Run, Sound, Started, Stopped, VoiceError
from dam_ros.voices.pyttsx3_voice import Pyttsx3
from dam_ros.voices.silent import Metronome, Nowhere
from dam_ros.voices.synthesized import Synthesized

from voice_room import (Ears, has_espeak, LONG, no_sound_card, no_speech_dispatcher, sound_card, until, utterance,
                        write_program)

needs_espeak = pytest.mark.skipif(not has_espeak(), reason='espeak-ng is not installed')


class Lips:
    """A mouth with its thread: what voices post is handled in `wait`."""

    def __init__(self, makers):
        self.calls: queue.Queue = queue.Queue()
        self.mouth = Mouth(makers, lambda call, *arguments: self.calls.put((call, arguments)))
        self.told: list = []

    def say(self, text: str = 'A red mug.', aloud: bool = True) -> None:
        self.told.clear()
        self.mouth.say(utterance(text), aloud, lambda at: self.told.append('started'),
                       lambda at, audible: self.told.append('heard' if audible else 'unheard'))

    def wait(self, within_s: float = 15.0) -> str:
        """'heard' or 'unheard'."""
        deadline = time.monotonic() + within_s
        while not self.told or self.told[-1] == 'started':
            assert time.monotonic() < deadline, 'it never ended'
            try:
                call, arguments = self.calls.get(timeout=0.05)
            except queue.Empty:
                self.mouth.tick()
            else:
                call(*arguments)
        return self.told[-1]


@pytest.fixture
def lips():
    made = []

    def make(*makers):
        made.append(Lips(list(makers)))
        return made[-1]
    yield make
    for one in made:
        one.mouth.close()


class Fake:
    """An output that is a list of what to do: 'ok', 'die' (worth another try) or 'gone'."""

    audible = True

    def __init__(self, *script: str):
        self.script = list(script)

    def check(self):
        return 'gone. Plug it in' if self.script[:1] == ['gone'] else ''

    def play(self, sound, utterance, run, began):
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if step != 'ok':
            raise VoiceError(f'it is {step}. Plug it in', again=step == 'die')
        began(time.monotonic())
        return time.monotonic()

    def note(self, event):
        pass

    def close(self):
        pass


def maker(name: str, *script: str):
    output = Fake(*script)
    return name, lambda: Synthesized(name, Metronome(), output)


def test_the_first_voice_that_works_speaks(lips):
    one = lips(maker('a', 'gone'), maker('b', 'ok'))
    one.mouth.check()
    assert one.mouth.name == 'b' and one.mouth.reasons() == {'a': 'gone. Plug it in'}
    one.say()
    assert one.wait() == 'heard'


def test_a_voice_that_died_is_replaced_and_says_the_sentence_again(lips):
    one = lips(maker('a', 'die', 'ok'))
    one.say()
    assert one.wait() == 'heard' and one.mouth.name == 'a' and one.mouth.reasons() == {}


def test_a_voice_that_dies_twice_gives_way_to_the_next(lips):
    one = lips(maker('a', 'die'), maker('b', 'ok'))
    one.say()
    assert one.wait() == 'heard' and one.mouth.name == 'b'


def test_where_no_voice_works_the_text_is_paced_and_that_is_told(lips):
    one = lips(maker('a', 'gone'), maker('b', 'gone'))
    one.say('A red mug on the left.')
    begun = time.monotonic()
    assert one.wait() == 'unheard'
    assert time.monotonic() - begun > 0.4, 'captions need their time'
    assert one.mouth.name == 'silent' and not one.mouth.audible and set(one.mouth.reasons()) == {'a', 'b'}


def test_a_device_that_comes_back_is_used_again(lips, monkeypatch):
    monkeypatch.setattr(mouth_module, 'RETRY_S', 0.2)
    one = lips(maker('a', 'gone', 'ok'))
    one.say()
    assert one.wait() == 'unheard'
    until(lambda: one.mouth.name == 'a')
    one.say()
    assert one.wait() == 'heard' and one.mouth.reasons() == {}


def test_muted_sentences_do_not_reach_the_voice(lips):
    one = lips(maker('a', 'ok'))
    one.say(aloud=False)
    assert one.wait() == 'unheard' and one.mouth.reasons() == {}


def test_a_voice_that_hangs_without_a_word_is_replaced(lips, monkeypatch):
    monkeypatch.setattr(mouth_module, '_START_LIMIT_S', 0.3)
    release = threading.Event()

    class Stuck(Metronome):
        def make(self, utterance, run):
            release.wait()
            return super().make(utterance, run)
    one = lips(('stuck', lambda: Synthesized('stuck', Stuck(), Fake('ok'))), maker('b', 'ok'))
    one.say()
    assert one.wait(5.0) == 'heard' and one.mouth.name == 'b'
    assert one.mouth.reasons() == {'stuck': 'the voice stuck hangs; it was replaced'}
    release.set()


def test_stop_returns_at_once_while_the_voice_hangs(lips):
    release = threading.Event()

    class Stuck(Metronome):
        def make(self, utterance, run):
            release.wait()
            return super().make(utterance, run)
    one = lips(('stuck', lambda: Synthesized('stuck', Stuck(), Nowhere())))
    one.say()
    begun = time.monotonic()
    one.mouth.stop()
    assert time.monotonic() - begun < 0.05
    release.set()


def test_a_bug_in_a_voice_is_a_failure_like_others(lips):
    class Buggy(Metronome):
        def make(self, utterance, run):
            raise KeyError('oops')
    one = lips(('buggy', lambda: Synthesized('buggy', Buggy(), Nowhere())))
    one.say()
    assert one.wait() == 'unheard' and 'KeyError' in one.mouth.reasons()['buggy']


@needs_espeak
@pytest.mark.parametrize('name', ('pyttsx3', 'espeak', 'auto'))
def test_without_a_sound_card_it_says_what_to_do(lips, name, tmp_path, monkeypatch):
    no_sound_card(tmp_path, monkeypatch)
    one = lips(*makers_of(name, {}))
    one.mouth.check()
    assert one.mouth.name == 'silent'
    said = ('--device /dev/snd', 'not installed', 'speech-dispatcher does not answer')
    assert all(any(words in why for words in said) for why in one.mouth.reasons().values())
    one.say()
    assert one.wait() == 'unheard'


def test_auto_without_anything_installed_is_silent_and_says_what_to_install(lips, tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path))
    no_speech_dispatcher(tmp_path, monkeypatch)
    monkeypatch.setattr('dam_ros.voices.pyttsx3_voice.importlib.util.find_spec', lambda name: None)
    one = lips(*makers_of('auto', {}))
    one.mouth.check()
    assert one.mouth.name == 'silent'
    assert 'pip install pyttsx3' in one.mouth.reasons()['pyttsx3']
    assert 'apt-get install espeak-ng' in one.mouth.reasons()['espeak']
    assert 'apt-get install speech-dispatcher' in one.mouth.reasons()['speechd']


# -- the processes behind the voices


@needs_espeak
def test_killing_the_child_of_pyttsx3_between_sentences_costs_nothing(lips, tmp_path, monkeypatch):
    pytest.importorskip('pyttsx3')
    sound_card(tmp_path, monkeypatch)
    one = lips(*makers_of('pyttsx3', {'rate_wpm': 400.0}))
    one.mouth.check()
    one.say()
    assert one.wait() == 'heard'
    child = usual_child(one.mouth._candidates[0].voice._synthesizer)
    os.kill(child.pid, signal.SIGKILL)
    one.say()
    assert one.wait() == 'heard' and one.mouth.name == 'pyttsx3'


@needs_espeak
def test_killing_the_player_in_the_middle_repeats_the_sentence(lips, tmp_path, monkeypatch):
    record = sound_card(tmp_path, monkeypatch)
    one = lips(*makers_of('espeak', {}))
    one.mouth.check()
    record.write_bytes(b'')
    one.say(LONG)
    until(lambda: record.stat().st_size > 22050, what='half a second of sound')
    for pid in _players(tmp_path):
        os.kill(pid, signal.SIGKILL)
    assert one.wait() == 'heard'
    whole = Espeak().make(utterance(LONG), Run())
    assert record.stat().st_size > 2 * len(whole.samples) + 22050, 'half of it and then all of it'


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
    program = write_program(tmp_path / 'espeak-ng', '#!/bin/sh\nexec sleep 60\n')
    voice = Espeak(str(program))
    begun = time.monotonic()
    with pytest.raises(VoiceError, match='hangs'):
        voice.make(utterance('One.'), Run())
    assert time.monotonic() - begun < 4.0   # its list of languages is waited for, too


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
