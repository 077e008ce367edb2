"""The worker as a child process with a socket; starts it, talks to it, notices its end. It knows no request."""
from __future__ import annotations

import asyncio
from collections.abc import Callable
import os
from pathlib import Path
import socket
import subprocess
import sys

import dam_ros
from dam_ros.engine import wire


_READ_BYTES = 1 << 20


class WorkerProcess:
    """One run of `dam_ros.engine.worker`; everything is called in the loop's thread.

    Args:
        on_message: (message, blobs), in the order they came.
        on_end: (exit status in words), once, whatever ended it.

    Raises:
        OSError: there is no such interpreter.
    """

    def __init__(self, python: str, on_message: Callable[[dict, list], None], on_end: Callable[[str], None]):
        self._on_message, self._on_end = on_message, on_end
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):   # a picture should go in few pieces
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        self._ours = ours
        try:
            with theirs:
                self._process = subprocess.Popen(
                    [python or sys.executable, '-m', 'dam_ros.engine.worker', str(theirs.fileno())],
                    pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, env=environment(bool(python)))
        except OSError:
            ours.close()
            raise
        self._writer: asyncio.StreamWriter | None = None
        self._unsent: list = []
        self._talk = asyncio.get_running_loop().create_task(self._listen())

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: dict, blobs=()) -> None:
        """Never waits: what does not go at once is kept."""
        buffers = wire.pack(message, blobs)
        if self._writer is None:
            self._unsent.extend(buffers)
        else:
            for buffer in buffers:   # writelines would join them, that is, copy the pictures once more
                self._writer.write(buffer)

    def kill(self) -> None:
        """SIGKILL; `on_end` follows."""
        if self._process.poll() is None:
            self._process.kill()

    async def close(self) -> None:
        """Kills it and waits until it is gone; nothing more is heard of it."""
        self._on_end, self._on_message = lambda status: None, lambda message, blobs: None
        self.kill()
        await self._talk

    async def _listen(self) -> None:
        reader, writer = await asyncio.open_unix_connection(sock=self._ours, limit=8 << 20)
        self._writer = writer
        writer.writelines(self._unsent)
        self._unsent.clear()
        try:
            incoming = wire.Incoming()
            while data := await reader.read(_READ_BYTES):   # many pieces at once, where they come fast
                for message, blobs in incoming.feed(data):
                    self._on_message(message, blobs)
        except ConnectionError:
            pass
        except Exception as error:   # noqa: B902  nonsense; who stops listening here would wait for ever
            self.kill()
            status = await self._ended(writer)
            self._on_end(f'{status}, after it sent what is no message of ours: {type(error).__name__}: {error}')
            return
        self.kill()   # it closed its end: whatever it still does is of no use
        self._on_end(await self._ended(writer))

    async def _ended(self, writer: asyncio.StreamWriter) -> str:
        writer.transport.abort()
        while (status := self._process.poll()) is None:
            await asyncio.sleep(0.005)
        return f'signal {-status}' if status < 0 else f'exit status {status}'


def environment(foreign: bool) -> dict[str, str]:
    """The worker's environment: it finds this very dam_ros first.

    Args:
        foreign: another interpreter than this one; the libraries of ROS wheels in this one's venv are not for it.
    """
    copy = dict(os.environ)
    here = str(Path(dam_ros.__file__).parent.parent)
    copy['PYTHONPATH'] = os.pathsep.join([here, *filter(None, [copy.get('PYTHONPATH')])])
    if foreign and '_ROS_WHEELS_BOOTSTRAP_COMPLETE' in copy:
        copy.pop('_ROS_WHEELS_BOOTSTRAP_COMPLETE')
        copy.pop('LD_LIBRARY_PATH', None)
    return copy
