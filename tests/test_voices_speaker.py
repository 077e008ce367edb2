"""The policy with a mouth and a speech-dispatcher: what a person does with the screen reader's own key."""
from __future__ import annotations

import queue
import time

import pytest

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
    """A Speaker that speaks through speech-dispatcher. `ended`: id of the answer to ErrorCode."""

    def __init__(self):
        self._calls: queue.Queue = queue.Queue()
        mouth = Mouth(makers_of('speechd', {}), lambda call, *arguments: self._calls.put((call, arguments)))
        self.ended: dict[str, int] = {}
        listeners = Listeners(lambda request, sentence: None, lambda text: None, lambda name: None,
                              lambda done: self.ended.update({done.request.about: done.code}))
        self.speaker = Speaker(lambda: SpeechSettings(earcons=False), mouth, listeners)

    def say(self, about: str, priority: int) -> None:
        self.speaker.request(Request(f'{about} {time.monotonic()}', priority, cut(TEXT), time.monotonic(), about=about))

    def until(self, condition) -> None:
        def holds():
            while not self._calls.empty():
                call, arguments = self._calls.get()
                call(*arguments)
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
