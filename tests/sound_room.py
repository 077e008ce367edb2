"""A room to listen in: PulseAudio with a null sink of our own, and what is recorded at its output."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import shutil
import signal
import subprocess
import tempfile
import threading

import numpy as np

from voice_room import loudness, until

TOOLS = ('pulseaudio', 'pactl', 'parec', 'aplay')
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
RATE_HZ = 22050


class Room:
    """A loudspeaker (the null sink) and a microphone (`samples`, as they come). `environment` is for its guests."""

    def __init__(self, folder: Path):
        socket, log = folder / 'socket', open(folder / 'log', 'wb')
        self.folder, self.server = folder, f'unix:{socket}'
        self.environment = {**os.environ, 'HOME': str(folder), 'XDG_RUNTIME_DIR': str(folder),
                            'PULSE_RUNTIME_PATH': str(folder / 'runtime'), 'PULSE_SERVER': self.server}
        self.daemon = subprocess.Popen(
            ['pulseaudio', '-n', '--daemonize=no', '--exit-idle-time=-1',
             '-L', f'module-null-sink sink_name=room rate={RATE_HZ} channels=1',
             '-L', f'module-native-protocol-unix socket={socket} auth-anonymous=1'],
            env=self.environment, stdout=log, stderr=log, start_new_session=True)
        log.close()
        until(lambda: subprocess.run(['pactl', 'info'], env=self.environment, capture_output=True).returncode == 0,
              10.0, 'the start of pulseaudio')
        self.microphone = subprocess.Popen(
            ['parec', '-d', 'room.monitor', '--format=s16le', f'--rate={RATE_HZ}', '--channels=1', '--latency-msec=10',
             '--raw'], env=self.environment, stdout=subprocess.PIPE, start_new_session=True)
        self.samples = bytearray()
        threading.Thread(target=self._record, daemon=True).start()
        until(lambda: len(self.samples) > 0, what='the first sample')

    def _record(self) -> None:
        while data := os.read(self.microphone.stdout.fileno(), 4096):
            self.samples += data

    def heard(self) -> np.ndarray:
        """Samples float (N,) since the beginning."""
        return np.frombuffer(bytes(self.samples[:len(self.samples) // 2 * 2]), '<i2').astype(float)

    def loudness(self) -> np.ndarray:
        """Per 20 ms since the beginning."""
        return loudness(self.heard(), RATE_HZ)

    def close(self) -> None:
        for process in (self.microphone, self.daemon):
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(5.0)
        self.microphone.stdout.close()


@contextmanager
def loud_room() -> Iterator[Room]:
    # Not in pytest's folder: the path of a socket has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix='room-', ignore_cleanup_errors=True) as folder:
        room = Room(Path(folder))
        try:
            yield room
        finally:
            room.close()
