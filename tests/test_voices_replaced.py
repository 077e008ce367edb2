"""Voices that are killed, stopped or starved of their device: who speaks instead, how soon, and what is told of it."""
from __future__ import annotations

import os
import queue
import signal
import time

import psutil
import pytest

from dam_ros.voices import device, espeak, mouth as mouth_module, piper as piper_module, pyttsx3_voice, ssip
from dam_ros.voices.mouth import Mouth
from dam_ros.voices.silent import Metronome
from dam_ros.voices.synthesized import Synthesized

from voice_room import descendants, LONG, no_sound_card, sound_card, Stage, until, utterance

SOON_S = 5.0   # "a few seconds"
KINDS = ('espeak', 'pyttsx3', 'piper', 'speechd')


@pytest.fixture
def stage(tmp_path, monkeypatch):
    made = Stage(tmp_path, monkeypatch)
    yield made
    made.close()


class _Heard:
    """An output that always works."""

    audible = True

    def check(self):
        return ''

    def play(self, sound, utterance, run, began):
        began(time.monotonic())
        return time.monotonic()

    def note(self, event):
        pass

    def close(self):
        pass


class Talk:
    """A mouth with a voice of this kind and, after it, one that always works."""

    def __init__(self, *makers):
        self._calls: queue.Queue = queue.Queue()
        spare = ('spare', lambda: Synthesized('spare', Metronome(), _Heard()))
        self.mouth = Mouth([*makers, spare], lambda call, *arguments: self._calls.put((call, arguments)))
        self.mouth.check()
        self.told: list[str] = []

    def say(self, text: str = LONG) -> None:
        self.told.clear()
        self.mouth.say(utterance(text, asked=True, rate_wpm=175.0), True, lambda at: self.told.append('started'),
                       lambda at, audible: self.told.append('heard' if audible else 'unheard'))

    def until(self, what: str, within_s: float = 15.0) -> None:
        """'started', 'heard' or 'unheard'."""
        deadline = time.monotonic() + within_s
        while what not in self.told:
            assert time.monotonic() < deadline, f'not {what} within {within_s} s, but {self.told}'
            try:
                call, arguments = self._calls.get(timeout=0.02)
                call(*arguments)
            except queue.Empty:
                self.mouth.tick()


@pytest.fixture
def talk(stage):
    made = []

    def talk(*kinds: str) -> Talk:
        made.append(Talk(*map(stage.maker, kinds)))
        return made[-1]
    yield talk
    for one in made:
        one.mouth.close()


def processes(stage: Stage, kind: str) -> list[int]:
    """Those that must not fail for the voice to speak."""
    found = descendants()
    server = stage.server.process
    return [server.pid] if kind == 'speechd' else [one for one in found if server is None or one != server.pid]


def send(stage: Stage, kind: str, number: int) -> None:
    for pid in processes(stage, kind):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass   # it has just ended


@pytest.mark.parametrize('kind', KINDS)
def test_killed_again_and_again_the_next_one_says_the_sentence(talk, stage, kind):
    one, kills = talk(kind), 0
    one.say()
    one.until('started')
    while one.mouth.name == kind:
        assert kills < 3, 'a voice gets one more chance with each sentence'
        time.sleep(0.2)   # into the sentence
        one.told.clear()
        send(stage, kind, signal.SIGKILL)
        kills += 1
        one.until('started', SOON_S)
    one.until('heard', SOON_S)
    assert one.mouth.name == 'spare' and list(one.mouth.reasons()) == [kind]


@pytest.mark.parametrize('kind', KINDS)
def test_stopped_in_the_middle_the_next_one_speaks_within_seconds(talk, stage, kind):
    one = talk(kind)
    one.say()
    one.until('started')
    time.sleep(0.2)   # into the sentence
    send(stage, kind, signal.SIGSTOP)
    begun = time.monotonic()
    one.until('heard', 2 * SOON_S)
    assert time.monotonic() - begun < SOON_S
    assert one.mouth.name == 'spare' and 'hangs' in one.mouth.reasons()[kind]
    send(stage, 'all', signal.SIGCONT)


@pytest.mark.parametrize('kind', ('pyttsx3', 'piper', 'speechd'))
def test_stopped_between_sentences_the_next_one_speaks_within_seconds(talk, stage, kind):
    one = talk(kind)
    one.say('One.')
    one.until('heard')
    send(stage, kind, signal.SIGSTOP)
    begun = time.monotonic()
    one.say('Two.')
    one.until('heard', 2 * SOON_S)
    assert time.monotonic() - begun < SOON_S
    assert one.mouth.name == 'spare' and 'hangs' in one.mouth.reasons()[kind]


def test_no_voice_waits_long_for_what_hangs():
    limits = (espeak._LIMIT_S, pyttsx3_voice._LIMIT_S, device._STALL_S, ssip.LIMIT_S, piper_module._LIMIT_S)
    assert max(limits) <= 3.0


@pytest.mark.parametrize('kind', ('espeak', 'pyttsx3', 'piper'))
def test_starved_of_its_device_it_gives_way_and_takes_over_again(talk, stage, kind, monkeypatch):
    monkeypatch.setattr(mouth_module, 'RETRY_S', 1.0)
    one = talk(kind)
    one.say()
    one.until('started')
    no_sound_card(stage.folder, monkeypatch)
    one.told.clear()
    for pid in descendants():
        if 'aplay' in ' '.join(psutil.Process(pid).cmdline()):
            os.kill(pid, signal.SIGKILL)
    one.until('heard', SOON_S)
    assert one.mouth.name == 'spare' and 'no sound device works' in one.mouth.reasons()[kind]
    sound_card(stage.folder, monkeypatch)
    until(lambda: one.mouth.name == kind, what='trying it again')
    one.say('Two.')
    one.until('heard')
    assert one.mouth.name == kind and one.mouth.reasons() == {}


def test_a_speech_dispatcher_that_comes_back_is_used_again(talk, stage, monkeypatch):
    monkeypatch.setattr(mouth_module, 'RETRY_S', 0.5)
    one = talk('speechd')
    stage.server.signal(signal.SIGKILL)
    stage.server.process.wait(5.0)
    one.say('One.')
    one.until('heard')
    assert one.mouth.name == 'spare'
    stage.server.start()
    until(lambda: one.mouth.name == 'speechd')
    one.say('Two.')
    one.until('heard')
    assert one.mouth.reasons() == {}


def test_narration_that_the_screen_reader_swallowed_was_not_heard_and_nobody_is_blamed(talk, stage):
    one = talk('speechd')
    other = ssip.Ssip()
    other.adjust('PRIORITY', 'message')
    other.speak('a long text of the screen reader')
    until(lambda: stage.server.noted('BEGIN'))
    one.told.clear()
    one.mouth.say(utterance('Narration.'), True, lambda at: one.told.append('started'),
                  lambda at, audible: one.told.append('heard' if audible else 'unheard'))
    one.until('unheard')
    assert one.told == ['unheard'] and one.mouth.name == 'speechd' and one.mouth.reasons() == {}
    other.close()
