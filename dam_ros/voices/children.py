"""Child processes that can be killed at any moment. It does not know what they do. No shell, ever."""
from __future__ import annotations

from collections.abc import Sequence
import os
import signal
import subprocess
from typing import Any

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
