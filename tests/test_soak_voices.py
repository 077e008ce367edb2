"""A thousand utterances per voice, most of them stopped at some moment: nothing grows."""
from __future__ import annotations

import time

import psutil
import pytest

from dam_ros.voices.protocol import Finished, Started, Utterance

from voice_room import descendants, descriptors, Ears, Stage, until

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]
KINDS = ('silent', 'wav', 'espeak', 'pyttsx3', 'piper', 'speechd')
MOST = 3_000_000   # bytes


@pytest.mark.parametrize('kind', KINDS)
def test_a_thousand_utterances_leave_nothing_behind(tmp_path, monkeypatch, kind):
    stage = Stage(tmp_path, monkeypatch)
    voice, process = stage.maker(kind)[1](), psutil.Process()

    def held() -> tuple[int, int, int]:
        return process.num_threads(), descriptors(), len(descendants())
    _use(voice, 100)
    time.sleep(1.0)   # what was stopped last is being buried
    before, memory = held(), process.memory_info().rss
    _use(voice, 1000)
    until(lambda: held() == before, what=f'giving back all but {before} threads, files and children')
    assert process.memory_info().rss - memory < MOST
    voice.close()
    stage.close()


def _use(voice, times: int) -> None:
    """Every tenth is heard to its end, of the others the moment of the stop varies; some are earcons."""
    ears = Ears()
    for number in range(times):
        one = Utterance('One.', rate_wpm=500.0, asked=True, earcon='heard' if number % 7 == 3 else '')
        if number % 10 == 9:   # the last one, too: a stop may have killed a child that otherwise is kept
            voice.start(one, ears.listen)
            ears.next(Started)
            ears.next(Finished)
        else:
            voice.start(one, lambda event: None)
            time.sleep(number % 50 / 1000)   # the moment of the stop is what is varied
            voice.stop()
