"""push_to_talk.py at a pseudo-terminal, and a room of real nodes in front of it."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import fcntl
import os
import pty
import select
import subprocess
import sys
import termios
import threading
import time

from documents import ROOT
import numpy as np
from ros_graph import as_bytes, Camera, script, serving
from speech_graph import talking

from dam_ros.msg import Present

ESCAPE = '\x1b'
BRIEF, TEXT = 'A red mug.', 'A red mug. It is half full. A spoon stands in it.'


class Typist:
    """push_to_talk.py as a process, a pseudo-terminal around it: fingers and eyes.

    Attributes:
        whole: what it wrote, without the terminal's carriage returns; `text`: the part that was not looked for yet.
        before: the terminal's mode before it began.
    """

    def __init__(self, *arguments: str):
        self._hand, screen = pty.openpty()
        self._screen, self.before, self.text = screen, termios.tcgetattr(screen), ''
        self.whole = ''
        self.process = subprocess.Popen(
            [sys.executable, ROOT / 'examples' / 'push_to_talk.py', *arguments], stdin=screen, stdout=screen,
            stderr=screen, preexec_fn=self._own_terminal)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._going = True
        self._reader.start()

    @staticmethod
    def _own_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)   # so that Ctrl-C is a signal

    def _read(self) -> None:
        while self._going:
            if select.select([self._hand], [], [], 0.05)[0]:
                read = os.read(self._hand, 65536).decode(errors='replace').replace('\r', '')
                self.text, self.whole = self.text + read, self.whole + read

    def press(self, keys: str, each_s: float = 0.0) -> None:
        """`each_s`: between two bytes."""
        for one in keys if each_s else [keys]:
            os.write(self._hand, one.encode())
            time.sleep(each_s)

    def shows(self, words: str, within_s: float = 10.0) -> None:
        """Waits for a line that begins so, and takes all up to it as read."""
        until(lambda: f'\n{words}' in f'\n{self.text}', within_s,
              lambda: f'{words!r} in {self.text!r}; before it {self.whole[-1500:]!r}')
        self.text = f'\n{self.text}'.split(f'\n{words}', 1)[1]

    def shows_all(self, lines: list[str]) -> None:
        """In whatever order: what is said and what is answered come on ways of their own."""
        until(lambda: all(f'\n{line}' in f'\n{self.text}' for line in lines), 10.0, lambda: f'{lines} in {self.text!r}')

    def meet(self) -> None:
        """Until what is said is shown: captions are lost before speech_node knows that somebody wants them."""
        again = 0.0

        def met() -> bool:
            nonlocal again
            if time.monotonic() > again:
                self.press('s')
                again = time.monotonic() + 1.0
            return '\nsaid: ' in self.text
        until(met, 10.0, lambda: f'a caption in {self.text!r}')

    def hush(self) -> None:
        """What is being said ends, and all that came is read."""
        self.press(ESCAPE)
        self.shows('silence')
        self.settle(0.1)

    def settle(self, for_s: float = 0.4) -> None:
        """Until nothing has come for some time; all that came is read."""
        while self.text:
            self.text = ''
            time.sleep(for_s)

    def ended(self, within_s: float = 5.0) -> int:
        return self.process.wait(within_s)

    def mode(self) -> list:
        return termios.tcgetattr(self._screen)

    def hang_up(self) -> None:
        self._going = False
        self._reader.join()
        os.close(self._screen)
        os.close(self._hand)

    def close(self) -> None:
        """Fails where it ever wrote what a screen reader stumbles over."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5.0)
        if self._going:
            self.hang_up()
        assert '\x1b' not in self.whole and 'Traceback' not in self.whole, self.whole


def until(condition: Callable[[], object], within_s: float, what: Callable[[], str]) -> None:
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f'not within {within_s:g} s: {what()}'
        time.sleep(0.005)


class Room:
    """A camera, describe_node (`served`) and speech_node (`person`), all going on in a thread meanwhile."""

    def __init__(self, served, person):
        self.served, self.person, self._going = served, person, True
        self._camera = Camera(served)
        self._camera.connect()
        self._present: list[list[int]] = []
        served.hear(Present, 'describe_node/present', lambda one: self._present.append(one.labels))
        self._thread = threading.Thread(target=self._go_on)
        self._thread.start()
        self.names = ('--speech', f'{served.namespace}/speech_node', '--node', served.name)

    def _go_on(self) -> None:
        noise = np.random.default_rng(5)
        scene = noise.integers(50, 200, (12, 16, 3), np.uint8).repeat(4, 0).repeat(4, 1)
        while self._going:
            seen = scene + noise.integers(0, 5, scene.shape, np.uint8)   # as of a camera: no two are the same
            self._camera.label(self._camera.show(data=as_bytes(seen)))   # 1 in the left half, 2 in the right
            self.served.spin(0.05)
            self.person.spin(0.05)

    def wait_for_things(self) -> None:
        """Before speech_node has heard of them there is nothing next in the picture."""
        until(lambda: [one for one in self._present if sorted(one) == [1, 2]][1:], 20.0, lambda: str(self._present))

    def labels(self, since: int) -> list[int]:
        """Of what was described since then, once there is any."""
        until(lambda: self.served.descriptions[since:], 10.0, lambda: 'a description')
        return [one.label for one in self.served.descriptions[since:]]

    def close(self) -> None:
        self._going = False
        self._thread.join()


@contextmanager
def furnished() -> Iterator[Room]:
    """Where everything is described with TEXT."""
    options = script(brief=BRIEF, text=TEXT, words_per_s=100.0)
    with serving(image_reliability='reliable', describer_options=options) as served, \
            talking(namespace=served.namespace, hush_quiet_s=0.1) as person:
        room = Room(served, person)
        try:
            room.wait_for_things()
            yield room
        finally:
            room.close()
