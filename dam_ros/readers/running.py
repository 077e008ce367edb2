"""A program that is given bytes and gives bytes, and can be killed at any moment. It does not know what it does.

No shell, and no file: what a camera saw is not written to disk.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
import os
import signal
import subprocess
import threading
import time
from typing import BinaryIO

from dam_ros.core.errors import Cancelled, DescriberFailed

_MOST_BYTES = 8 << 20    # of output; a page full of words has 100 kB
_SHOWN_BYTES = 4000      # of complaints


class Run:
    """One reading's programs, one after the other, with a time limit for all of them. `stop` works in any thread."""

    def __init__(self, limit_s: float):
        self._limit_s, self._end_s = limit_s, time.monotonic() + limit_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._stopped = self._late = False

    def begin(self) -> None:
        """The time limit counts from now: until here it waited for its turn."""
        self._end_s = time.monotonic() + self._limit_s

    def stop(self) -> None:
        """Kills what runs; nothing more is started."""
        with self._lock:
            self._stopped = True
            self._kill()

    def output_of(self, command: Sequence[str], given: bytes = b'') -> bytes:
        """What the program writes to stdout. It gets `given` on stdin.

        Raises:
            Cancelled: it was stopped.
            DescriberFailed: it does not start, hangs, dies, fails or writes without end.
        """
        name = os.path.basename(command[0])
        with _in_memory(given) as stdin, _in_memory() as stderr:
            process = self._start(command, stdin, stderr)
            timer = threading.Timer(max(0.0, self._end_s - time.monotonic()), self._run_out)
            timer.start()
            try:
                written = process.stdout.read(_MOST_BYTES + 1)
                if len(written) > _MOST_BYTES:
                    self._kill_now()
                status = process.wait()
            finally:
                timer.cancel()
                process.stdout.close()
                with self._lock:
                    self._process = None
            complaint = os.pread(stderr.fileno(), _SHOWN_BYTES, 0).decode(errors='replace').strip()
        self._check(name, status, written, complaint)
        return written

    def _start(self, command: Sequence[str], stdin: BinaryIO, stderr: BinaryIO) -> subprocess.Popen:
        with self._lock:
            if self._stopped:
                raise Cancelled('the reading was stopped')
            try:
                # timeout (coreutils) ends it even where this process is killed and cannot.
                self._process = subprocess.Popen(
                    ['timeout', '-s', 'KILL', f'{self._limit_s:g}', *command], stdin=stdin, stdout=subprocess.PIPE,
                    stderr=stderr, start_new_session=True, env={**os.environ, 'OMP_THREAD_LIMIT': '1', 'LC_ALL': 'C'})
            except OSError as error:
                raise DescriberFailed(f'{command[0]} does not start: {error.strerror or error}') from error
            return self._process

    def _check(self, name: str, status: int, written: bytes, complaint: str) -> None:
        if self._stopped:
            raise Cancelled('the reading was stopped')
        if self._late:
            raise DescriberFailed(f'{name} hangs: no end after {self._limit_s:g} s; it was killed')
        if len(written) > _MOST_BYTES:
            raise DescriberFailed(f'{name} writes without end: more than {_MOST_BYTES >> 20} MB; it was killed')
        if status < 0:
            raise DescriberFailed(f'{name} died of signal {-status}')
        if status:
            first = complaint.splitlines()[0] if complaint else 'it does not say why'
            raise DescriberFailed(f'{name} failed with exit status {status}: {first}')

    def _run_out(self) -> None:
        with self._lock:
            self._late = True
            self._kill()

    def _kill_now(self) -> None:
        with self._lock:
            self._kill()

    def _kill(self) -> None:
        """With the lock held: the whole group."""
        if self._process is not None and self._process.returncode is None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass


@contextmanager
def _in_memory(data: bytes = b'') -> Iterator[BinaryIO]:
    """A file that is on no disk, to be read from its beginning."""
    with os.fdopen(os.memfd_create('reading'), 'w+b', buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view):]
        file.seek(0)
        yield file
