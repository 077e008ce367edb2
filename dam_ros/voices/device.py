"""The sound device, through the player of ALSA or PulseAudio: a child process per sentence, samples by its stdin.

A player of our own can be killed within milliseconds, and unlike the synthesizers' own output it tells by its exit
status that there is no sound card. It knows no text.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
import fcntl
import os
import select
import shutil
import subprocess
from typing import Any

import numpy as np

from dam_ros.voices.children import Child
from dam_ros.voices.protocol import Run, Sound, Stopped, Utterance, VoiceError
from dam_ros.voices.synthesized import now

_GRACE_S = 3.0        # how much longer than its sound a player may take
_STALL_S = 2.5        # how long it may take no more samples: a Bluetooth headset wakes within 2 s
_PIPE = 16384         # bytes between us and it, 0.4 s: so that a player that hangs is noticed early
_PROBE_S = 2.0
_OPENING_S = 0.03     # a player that finds no device has ended by then
REMEDY = ('Plug in a sound card, give the container one (--device /dev/snd, or PULSE_SERVER and its socket), or set '
          'the parameter voice to silent')


class Device:
    """`players`: names or paths of programs to try, in this order."""

    audible = True

    def __init__(self, players: tuple[str, ...] = ('aplay', 'paplay')):
        self._players = players
        self._chosen = ''

    def check(self) -> str:
        """Plays 10 ms of silence with each player until one can."""
        silence, complaints = Sound(np.zeros(220, np.int16), 22050), []
        for player in self._players:
            program = shutil.which(player)
            if program is None:
                continue
            try:
                _play(Child(_command(program, silence), **_PIPES), silence, Run(), lambda at: None, _PROBE_S)
            except VoiceError as error:
                complaints.append(str(error))
                continue
            self._chosen = program
            return ''
        self._chosen = ''
        if not complaints:
            return 'there is no program to play sound. sudo apt-get install alsa-utils'
        return f"no sound device works: {'; '.join(complaints)}. {REMEDY}"

    def play(self, sound: Sound, utterance: Utterance, run: Run, began: Callable[[float], None]) -> float:
        if not self._chosen:
            reason = self.check()   # it may have been plugged in meanwhile
            if reason:
                raise VoiceError(reason)
        if run.stopped.is_set():
            raise Stopped
        if len(sound.samples):
            child = Child(_command(self._chosen, sound), **_PIPES)
            try:
                _play(child, sound, run, began, sound.duration_s + _GRACE_S)
            except VoiceError:
                self._chosen = ''   # look again, next time
                raise
        else:
            began(now())
        return now()

    def note(self, event: Mapping[str, Any]) -> None:
        pass

    def close(self) -> None:
        pass


_PIPES = {'stdin': subprocess.PIPE, 'stdout': subprocess.DEVNULL, 'stderr': subprocess.PIPE}


def _command(program: str, sound: Sound) -> list[str]:
    if program.endswith('paplay'):
        return [program, '--raw', '--format=s16le', f'--rate={sound.rate_hz}', '--channels=1', '--latency-msec=100']
    # The buffer is what may still sound after the player was killed.
    return [program, '-q', '-t', 'raw', '-f', 'S16_LE', '-r', str(sound.rate_hz), '-c', '1', '--buffer-time=100000']


def _play(child: Child, sound: Sound, run: Run, began: Callable[[float], None], limit_s: float) -> None:
    started, samples = now(), sound.samples.astype('<i2', copy=False).tobytes()
    try:
        run.adopt(child.kill)
        try:
            complaint = _feed(child, samples, started + limit_s, started + _OPENING_S, lambda: began(started))
        finally:
            run.release(child.kill)
    finally:
        child.bury()
    if run.stopped.is_set():
        raise Stopped
    if child.process.returncode != 0:
        last = complaint.decode(errors='replace').strip().splitlines()
        raise VoiceError(f"{child.process.args[0]}: {last[-1] if last else f'exit {child.process.returncode}'}",
                         again=child.process.returncode < 0)


def _feed(child: Child, samples: bytes, deadline: float, opened_at: float, opened: Callable[[], None]) -> bytes:
    """Sends all samples and waits for the player's end; returns what it complained.

    `opened` is called once the player has lived so long that it must have found a device, or has ended well.
    (`communicate` forgets the rest of its input after a timeout.)
    """
    stdin, stderr = child.process.stdin, child.process.stderr
    os.set_blocking(stdin.fileno(), False)
    fcntl.fcntl(stdin.fileno(), fcntl.F_SETPIPE_SZ, _PIPE)
    view, complaint, waiting = memoryview(samples), b'', True
    stalls_at = min(deadline, now() + _STALL_S)
    while True:
        until = min(stalls_at, opened_at) if waiting else stalls_at
        readable, writable, _ = select.select([stderr], [] if stdin.closed else [stdin], [], max(until - now(), 0.0))
        if writable:
            view = view[_write(stdin.fileno(), view):]
            stalls_at = min(deadline, now() + _STALL_S)
            if not view:
                stdin.close()
        if readable:
            data = os.read(stderr.fileno(), 4096)
            complaint += data
            if not data:
                break
        if waiting and now() >= opened_at:
            waiting = False
            opened()
        if now() >= stalls_at:
            raise VoiceError(f'the sound device hangs: {child.process.args[0]} plays nothing any more. {REMEDY}')
    child.process.wait(1.0)
    if waiting and child.process.returncode == 0:
        opened()
    return complaint[-2000:]


def _write(pipe: int, view: memoryview) -> int:
    try:
        return os.write(pipe, view)
    except BlockingIOError:
        return 0
    except BrokenPipeError:
        return len(view)   # it has ended; its exit status says how
