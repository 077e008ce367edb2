"""Child processes that can be killed at any moment. It does not know what they do. No shell, ever."""
from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
import os
import signal
import subprocess
from typing import Any, Generic, Protocol, TypeVar

from dam_ros.voices.protocol import Run, Stopped, VoiceError


class Child:
    """A process in a group of its own; `kill` ends the whole group at once and never blocks."""

    def __init__(self, command: Sequence[str], **options: Any):
        try:
            self.process = subprocess.Popen(list(command), start_new_session=True, **options)
        except OSError as error:
            raise VoiceError(f'{command[0]} does not start: {error.strerror or error}') from error

    def kill(self) -> None:
        if self.process.returncode is None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass

    def bury(self) -> None:
        """Kills it and gives its pipes and its process entry back; waits at most 1 s."""
        self.kill()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    pass   # unsent bytes for a reader that is gone
        try:
            self.process.wait(1.0)
        except subprocess.TimeoutExpired:
            pass           # stuck in the kernel: nothing in our power ends it


class Keepable(Protocol):
    """What `Kept` keeps: a child and what is known of it."""

    child: Child


_Kept = TypeVar('_Kept', bound=Keepable)


class Kept(Generic[_Kept]):
    """Children that wait for their next work, by what each was started for; of more than `most` the idlest dies.

    `name` is of the program, for errors.
    """

    def __init__(self, name: str, most: int):
        self._name, self._most = name, most
        self._kept: dict[Hashable, _Kept] = {}

    def get(self, purpose: Hashable) -> _Kept | None:
        """The living one of this purpose; it counts as the last used now."""
        found = self._kept.pop(purpose, None)
        if found is None:
            return None
        if found.child.process.poll() is not None:
            found.child.bury()
            return None
        self._kept[purpose] = found
        return found

    def put(self, purpose: Hashable, one: _Kept) -> None:
        self._kept[purpose] = one
        while len(self._kept) > self._most:
            self.bury(next(iter(self._kept)))

    @contextmanager
    def in_use(self, purpose: Hashable, run: Run) -> Iterator[None]:
        """Whatever ends the block but its end: the child is not used again, as nobody knows what it is doing.

        EOFError and BrokenPipeError become VoiceError, and everything becomes Stopped where the run was stopped.
        """
        try:
            yield
        except (BrokenPipeError, EOFError) as error:
            self.bury(purpose)
            if run.stopped.is_set():
                raise Stopped from error
            raise VoiceError(f'the process of {self._name} has died', again=True) from error
        except Exception:
            self.bury(purpose)
            if run.stopped.is_set():
                raise Stopped from None
            raise
        if run.stopped.is_set():
            self.bury(purpose)
            raise Stopped

    def bury(self, purpose: Hashable) -> None:
        found = self._kept.pop(purpose, None)
        if found is not None:
            found.child.bury()

    def bury_all(self) -> None:
        for purpose in list(self._kept):
            self.bury(purpose)


def talk_to(child: Child, run: Run, text: bytes, limit_s: float) -> tuple[int, bytes, bytes]:
    """Sends `text`, reads all output: (exit status, stdout, stderr).

    Raises:
        Stopped: the run was stopped.
        VoiceError: it took longer than `limit_s`, and was killed.
    """
    run.adopt(child.kill)
    try:
        out, err = child.process.communicate(text, limit_s)
    except subprocess.TimeoutExpired as error:
        raise VoiceError(f'{child.process.args[0]} hangs: no end after {limit_s:.1f} s') from error
    finally:
        run.release(child.kill)
        child.bury()
    if run.stopped.is_set():
        raise Stopped
    return child.process.returncode, out, err


@contextmanager
def ends_with(run: Run, child: Child) -> Iterator[None]:
    """Within the block a stop of the run kills the child."""
    run.adopt(child.kill)
    try:
        yield
    finally:
        run.release(child.kill)
