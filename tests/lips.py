"""A mouth for tests: what its voices post is handled while the test waits, and what became of each sentence is told."""
from __future__ import annotations

from collections.abc import Callable
import queue
import time

from dam_ros.voices.mouth import Mouth
from dam_ros.voices.protocol import Finished, Voice, VoiceError
from dam_ros.voices.silent import Metronome
from dam_ros.voices.synthesized import Synthesized

from voice_room import utterance

ENDS = {'heard', 'unheard', 'silenced'}


class Lips:
    """`told`: of the sentence said last 'started' and one of ENDS, in order."""

    def __init__(self, *makers: tuple[str, Callable[[], Voice]]):
        self._calls: queue.Queue = queue.Queue()
        self.mouth = Mouth(makers, lambda call, *arguments: self._calls.put((call, arguments)))
        self.told: list[str] = []

    def say(self, text: str = 'A red mug.', aloud: bool = True, **fields) -> None:
        self.told.clear()
        self.mouth.say(utterance(text, **fields), aloud, lambda at: self.told.append('started'), self._ended)

    def _ended(self, finished: Finished) -> None:
        self.told.append('silenced' if finished.silenced else 'heard' if finished.audible else 'unheard')

    def until(self, what: str, within_s: float = 15.0) -> None:
        """'started' or one of ENDS."""
        self.go_on_until(lambda: what in self.told, what, within_s)

    def wait(self, within_s: float = 15.0) -> str:
        """For the end, which is returned."""
        self.go_on_until(lambda: ENDS & {*self.told}, 'ended', within_s)
        return self.told[-1]

    def go_on_until(self, condition: Callable[[], object], what: str, within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline, f'not {what} within {within_s} s, but {self.told}'
            try:
                call, arguments = self._calls.get(timeout=0.02)
            except queue.Empty:
                self.mouth.tick()
            else:
                call(*arguments)


class Fake:
    """An output that is a list of what to do, the last of it for ever: 'ok', 'die' (worth another try) or 'gone'."""

    audible = True

    def __init__(self, *script: str):
        self.script = list(script)

    def check(self) -> str:
        return 'gone. Plug it in' if self.script[:1] == ['gone'] else ''

    def play(self, sound, utterance, run, began) -> float:
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if step != 'ok':
            raise VoiceError(f'it is {step}. Plug it in', again=step == 'die')
        began(time.monotonic())
        return time.monotonic()

    def note(self, event) -> None:
        pass

    def close(self) -> None:
        pass


def maker(name: str, *script: str) -> tuple[str, Callable[[], Voice]]:
    """What Mouth takes, of a voice that makes no sound and has such an output."""
    output = Fake(*script)
    return name, lambda: Synthesized(name, Metronome(), output)
