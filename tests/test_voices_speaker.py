"""The policy with a mouth and a speech-dispatcher: what a person does with the screen reader's own key."""
from __future__ import annotations

import queue
import time

import pytest

from dam_ros.core import phrases
from dam_ros.core.errors import Hushed
from dam_ros.core.speakable import cut
from dam_ros.core.speech_acts import ASKED, Request, TOLD
from dam_ros.core.speech_settings import SpeechSettings
from dam_ros.voices.mouth import makers_of, Mouth
from dam_ros.voices.speaker import Listeners, Speaker

from voice_room import Dispatcher, Reader, until

TEXT = 'A red mug stands on the table. It is half full.'


@pytest.fixture
def server(monkeypatch):
    made = Dispatcher(monkeypatch)
    yield made.start()
    made.close()


class Talker:
    """A Speaker with this voice. `ended`: id of the answer to ErrorCode. `said`: what was, or would be, spoken."""

    def __init__(self, voice: str = 'speechd', **settings):
        self._calls: queue.Queue = queue.Queue()
        mouth = Mouth(makers_of(voice, {}), lambda call, *arguments: self._calls.put((call, arguments)))
        self.ended: dict[str, int] = {}
        self.said: list[str] = []
        self.captions: list[str] = []
        listeners = Listeners(lambda request, sentence: self.said.append(sentence.text), self.captions.append,
                              lambda name: None, lambda done: self.ended.update({done.request.about: done.code}))
        self.speaker = Speaker(lambda: SpeechSettings(earcons=False, **settings), mouth, listeners)

    def say(self, about: str, priority: int, text: str = TEXT) -> None:
        self.speaker.request(Request(f'{about} {time.monotonic()}', priority, cut(text), time.monotonic(), about=about))

    def until(self, condition) -> None:
        def holds():
            while not self._calls.empty():
                call, arguments = self._calls.get()
                call(*arguments)
            self.speaker.tick()
            return condition()
        until(holds)


@pytest.mark.parametrize('priority', (ASKED, TOLD))
def test_silencing_us_with_the_screen_readers_key_is_a_hush_of_what_was_being_said(server, priority):
    """The old bug: its next sentence followed at once, and the caller heard that no voice works."""
    talker, reader = Talker(), Reader()
    talker.say('mug', priority)
    talker.until(lambda: server.noted('BEGIN'))
    reader.silence_all()
    talker.until(lambda: 'mug' in talker.ended)
    assert talker.ended == {'mug': Hushed.code}
    talker.say('mug', priority)
    assert list(talker.ended.values()) == [Hushed.code] and len(server.noted('queued')) == 1, 'it stays silent'
    talker.say('spoon', priority)
    talker.until(lambda: 'spoon' in talker.ended)
    assert talker.ended['spoon'] == 0, 'this one was not hushed'
    reader.close()
    talker.speaker.close()


@pytest.fixture
def silent():
    made = Talker('silent', rate_wpm=500.0, caption_wpm=60.0)
    yield made
    made.speaker.close()


def test_a_question_leaves_the_captions_of_what_was_spoken_to_its_end(silent):
    silent.say('fence', TOLD, 'In the picture, left. The fence is white. It is long and old and goes all around.')
    silent.until(lambda: 'It is' in silent.said[-1])
    silent.say('mug', ASKED, 'A red mug.')
    silent.until(lambda: 'A red mug.' in silent.captions)
    assert silent.captions == ['In the picture, left.', 'The fence is white.', 'A red mug.']


def test_a_hush_leaves_none(silent):
    silent.say('fence', TOLD, 'In the picture, left. The fence is white. It is long and old and goes all around.')
    silent.until(lambda: 'It is' in silent.said[-1])
    silent.speaker.hush()
    silent.say('mug', ASKED, 'A red mug.')
    silent.until(lambda: 'A red mug.' in silent.captions)
    assert silent.captions == ['In the picture, left.', 'A red mug.']


def test_an_announcement_that_was_waiting_when_mute_came_is_said_later(silent):
    """The old bug: it counted as told, though nobody had heard or read it."""
    silent.say('fence', ASKED)
    silent.speaker.volunteer(phrases.RECORDING)
    silent.speaker.mute(True)
    assert phrases.RECORDING not in silent.said
    silent.speaker.mute(False)
    silent.until(lambda: phrases.RECORDING in silent.said)


def test_while_muted_an_announcement_is_a_caption_once(silent):
    silent.speaker.mute(True)
    silent.speaker.volunteer(phrases.RECORDING)
    silent.until(lambda: not silent.speaker.policy.speaking.busy)
    silent.say('mug', ASKED, 'A red mug.')
    silent.until(lambda: 'A red mug.' in silent.captions)
    assert silent.said.count(phrases.RECORDING) == 1
