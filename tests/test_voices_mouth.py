"""Voices that die, hang or have no device: what is heard instead, and what is told about it."""
from __future__ import annotations

import threading
import time

import pytest

from dam_ros.voices import mouth as mouth_module
from dam_ros.voices.mouth import makers_of
from dam_ros.voices.protocol import Finished, VoiceError
from dam_ros.voices.silent import Metronome, Nowhere
from dam_ros.voices.synthesized import Synthesized

from lips import Fake, Lips, maker
from voice_room import has_espeak, no_sound_card, until

needs_espeak = pytest.mark.skipif(not has_espeak(), reason='espeak-ng is not installed')


@pytest.fixture
def lips():
    made = []

    def make(*makers):
        made.append(Lips(*makers))
        return made[-1]
    yield make
    for one in made:
        one.mouth.close()


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
    until(lambda: 'the next sentence tries it again' in one.mouth.reasons()['a'])
    one.say()
    assert one.wait() == 'heard' and one.mouth.name == 'a' and one.mouth.reasons() == {}


def test_the_voice_that_is_named_is_the_one_that_was_heard(lips, monkeypatch):
    """The old bug: when its rest was over, the voice that had failed was named before it had said a word."""
    monkeypatch.setattr(mouth_module, 'RETRY_S', 0.2)
    one = lips(maker('a', 'gone', 'ok'), maker('b', 'ok'))
    one.say()
    assert one.wait() == 'heard'
    until(lambda: 'the next sentence tries it again' in one.mouth.reasons()['a'])
    assert one.mouth.name == 'b'
    one.say()
    assert one.wait() == 'heard' and one.mouth.name == 'a' and one.mouth.reasons() == {}


def stuck(name, tried):
    """A voice that lets everybody wait for 0.6 s and then fails."""
    class Stuck(Metronome):
        def make(self, utterance, run):
            tried.append(time.monotonic())
            time.sleep(0.6)
            raise VoiceError('it hangs')
    return name, lambda: Synthesized(name, Stuck(), Nowhere())


def test_a_voice_that_lets_people_wait_rests_longer_each_time(lips, monkeypatch):
    """The old bug: every answer that came ten seconds after the last was late, as long as the voice was dead."""
    monkeypatch.setattr(mouth_module, 'RETRY_S', 0.2)
    tried = []
    one = lips(stuck('a', tried), maker('b', 'ok'))
    begun = time.monotonic()
    while time.monotonic() - begun < 6.0:
        one.say(asked=True)
        assert one.wait() == 'heard' and one.mouth.name == 'b'
        time.sleep(0.05)
    pauses = [after - before - 0.6 for before, after in zip(tried, tried[1:])]
    assert len(pauses) >= 2 and all(after > 1.5 * before for before, after in zip(pauses, pauses[1:]))


def test_what_nobody_waits_for_tries_it_first(lips, monkeypatch):
    monkeypatch.setattr(mouth_module, 'RETRY_S', 0.5)
    tried = []
    one = lips(stuck('a', tried), maker('b', 'ok'))
    one.say(asked=True)
    one.wait()
    until(lambda: 'the next sentence tries it again' in one.mouth.reasons()['a'])
    one.say(asked=True)
    assert one.wait() == 'heard' and len(tried) == 1
    one.say()
    assert one.wait() == 'heard' and len(tried) == 2


def test_where_no_other_voice_works_a_long_rest_is_over_sooner(lips, monkeypatch):
    monkeypatch.setattr(mouth_module, 'RETRY_S', 0.2)
    tried = []
    one = lips(stuck('a', tried))
    for _ in range(4):
        time.sleep(0.25)
        one.say('Yes.', asked=True)
        assert one.wait() == 'unheard'
    assert len(tried) == 4


def test_narration_that_a_voice_that_failed_drops_is_said_by_the_next(lips, monkeypatch):
    monkeypatch.setattr(mouth_module, 'RETRY_S', 0.2)
    output = Fake('gone', 'ok')

    class Dropping(Synthesized):
        def speak(self, utterance, run, began):
            if output.script == ['ok']:
                return Finished(time.monotonic(), audible=False)
            return super().speak(utterance, run, began)
    one = lips(('a', lambda: Dropping('a', Metronome(), output)), maker('b', 'ok'))
    one.say()
    assert one.wait() == 'heard'
    until(lambda: 'the next sentence tries it again' in one.mouth.reasons()['a'])
    one.say()
    assert one.wait() == 'heard' and one.mouth.name == 'b'


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
    monkeypatch.setattr('dam_ros.voices.pyttsx3_voice.importlib.util.find_spec', lambda name: None)
    one = lips(*makers_of('auto', {}))
    one.mouth.check()
    assert one.mouth.name == 'silent'
    assert 'pip install pyttsx3' in one.mouth.reasons()['pyttsx3']
    assert 'apt-get install espeak-ng' in one.mouth.reasons()['espeak']
    assert 'apt-get install speech-dispatcher' in one.mouth.reasons()['speechd']
