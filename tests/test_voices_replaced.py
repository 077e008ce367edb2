"""Voices that are killed, stopped or starved of their device: who speaks instead, how soon, and what is told of it."""
from __future__ import annotations

import os
import signal
import time

import psutil
import pytest

from dam_ros.voices import device, espeak, mouth as mouth_module, piper as piper_module, pyttsx3_voice, speechd, ssip

from lips import Lips, maker
from voice_room import descendants, LONG, no_sound_card, sound_card, Stage, until

SOON_S = 5.0   # "a few seconds"
KINDS = ('espeak', 'pyttsx3', 'piper', 'speechd')
AGAIN = 'the next sentence tries it again'
ANSWER = {'asked': True, 'rate_wpm': 175.0}


@pytest.fixture
def stage(tmp_path, monkeypatch):
    made = Stage(tmp_path, monkeypatch)
    yield made
    made.close()


@pytest.fixture
def talk(stage):
    """(kind): a mouth with a voice of this kind and, after it, one that always works; it says answers."""
    made = []

    def talk(kind: str) -> Lips:
        made.append(Lips(stage.maker(kind), maker('spare', 'ok')))
        made[-1].mouth.check()
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
    one.say(LONG, **ANSWER)
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


@pytest.fixture
def impatient(monkeypatch):
    """Those limits that a test would have to wait for are a second together."""
    for module, limits in ((device, {'_STALL_S': 1.0}), (piper_module, {'_LIMIT_S': 1.0, '_LIMIT_PER_CHAR_S': 0.0}),
                           (ssip, {'LIMIT_S': 0.8}), (speechd, {'_ASK_S': 0.2})):
        for name, limit in limits.items():
            monkeypatch.setattr(module, name, limit)


@pytest.mark.parametrize('kind', KINDS)
def test_stopped_in_the_middle_the_next_one_says_the_sentence(impatient, talk, stage, kind):
    one = talk(kind)
    one.say(LONG, **ANSWER)
    one.until('started')
    time.sleep(0.2)   # into the sentence
    send(stage, kind, signal.SIGSTOP)
    one.until('heard', SOON_S)
    assert one.mouth.name == 'spare' and 'hangs' in one.mouth.reasons()[kind]
    send(stage, 'all', signal.SIGCONT)


@pytest.mark.parametrize('kind', ('pyttsx3', 'piper', 'speechd'))
def test_stopped_between_sentences_the_next_one_speaks(impatient, talk, stage, kind):
    one = talk(kind)
    one.say('One.', **ANSWER)
    one.until('heard')
    send(stage, kind, signal.SIGSTOP)
    one.say('Two.', **ANSWER)
    one.until('heard', SOON_S)
    assert one.mouth.name == 'spare' and 'hangs' in one.mouth.reasons()[kind]


def test_no_voice_waits_longer_than_3_s_for_what_hangs():
    """piper, which computes for long, has the time of its sentence beside that."""
    limits = (espeak._LIMIT_S, pyttsx3_voice._LIMIT_S, device._STALL_S, ssip.LIMIT_S + speechd._ASK_S,
              piper_module._LIMIT_S)
    assert max(limits) <= 2.5, 'and what lies in the pipe'


@pytest.mark.alone
def test_a_player_that_is_stopped_is_noticed_within_3_s(stage):
    """The old bug: three seconds, and what lay in the pipe."""
    one = Lips(stage.maker('espeak'))
    one.mouth.check()
    one.say(LONG, **ANSWER)
    one.until('started')
    time.sleep(0.2)   # into the sentence
    send(stage, 'espeak', signal.SIGSTOP)
    one.go_on_until(lambda: one.mouth.name == 'silent', 'silent', 3.0)
    assert 'plays nothing any more' in one.mouth.reasons()['espeak']
    one.mouth.close()


@pytest.mark.parametrize('kind', ('espeak', 'pyttsx3', 'piper'))
def test_starved_of_its_device_it_gives_way_and_takes_over_again(talk, stage, kind, monkeypatch):
    monkeypatch.setattr(mouth_module, 'RETRY_S', 1.0)
    one = talk(kind)
    one.say(LONG, **ANSWER)
    one.until('started')
    no_sound_card(stage.folder, monkeypatch)
    one.told.clear()
    for pid in descendants():
        if 'aplay' in ' '.join(psutil.Process(pid).cmdline()):
            os.kill(pid, signal.SIGKILL)
    one.until('heard', SOON_S)
    assert one.mouth.name == 'spare' and 'no sound device works' in one.mouth.reasons()[kind]
    sound_card(stage.folder, monkeypatch)
    until(lambda: AGAIN in one.mouth.reasons()[kind])
    one.say('Two.', **ANSWER)
    one.until('heard')
    assert one.mouth.name == kind and one.mouth.reasons() == {}


def test_a_speech_dispatcher_that_comes_back_is_used_again(talk, stage, monkeypatch):
    monkeypatch.setattr(mouth_module, 'RETRY_S', 0.5)
    one = talk('speechd')
    stage.server.signal(signal.SIGKILL)
    stage.server.process.wait(5.0)
    one.say('One.', **ANSWER)
    one.until('heard')
    assert one.mouth.name == 'spare'
    stage.server.start()
    until(lambda: AGAIN in one.mouth.reasons()['speechd'])
    one.say(earcon='heard')
    one.until('heard')
    assert one.mouth.name == 'spare', 'earcons are not its own'
    one.say('Two.', **ANSWER)
    one.until('heard')
    assert one.mouth.name == 'speechd' and one.mouth.reasons() == {}


def test_narration_that_the_screen_reader_swallowed_was_not_heard_and_nobody_is_blamed(talk, stage):
    one = talk('speechd')
    other = ssip.Ssip()
    other.adjust('PRIORITY', 'message')
    other.speak('a long text of the screen reader')
    until(lambda: stage.server.noted('BEGIN'))
    one.say('Narration.')
    one.until('unheard')
    assert one.told == ['unheard'] and one.mouth.name == 'speechd' and one.mouth.reasons() == {}
    other.close()
