#!/usr/bin/env python3
"""Plays on this machine what a speech_node on another one speaks: the topic ~/audio (parameter sound_to: topic).

Sound goes to `aplay` (or what --player says) by its stdin. A hush kills the player, and with it what it has not played
yet; the next sound starts another.
"""
from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, QoSReliabilityPolicy
from rclpy.signals import SignalHandlerOptions

from dam_ros.msg import Audio

PLAYER = 'aplay -q -t raw -f S16_LE -c 1 --buffer-time=150000 -r {rate}'
QUIET_S = 0.5   # a player without sound for so long is to end: it would complain of an empty buffer
AGAIN_S = 1.0   # one that does not work is not started more often
ENDING = 4      # of those that were to end; where more do not, the oldest hang
TURN_S = 0.1


class PlayAudio(Node):
    """`player`: its command line, {rate} in Hz; samples are 16-bit mono, little-endian. Nothing here waits for it."""

    def __init__(self, speech: str, player: str):
        super().__init__('play_audio')
        self._command, self._rate_hz = player, 0
        self._player: subprocess.Popen | None = None
        self._ending: list[subprocess.Popen] = []   # they play what they have
        self._quiet_at = self._again_at = self._not_before = 0.0   # s, monotonic
        qos = QoSProfile(depth=100, reliability=QoSReliabilityPolicy.RELIABLE)
        self.create_subscription(Audio, f'{speech}/audio', self._on_audio, qos)

    def _on_audio(self, audio: Audio) -> None:
        if audio.stop:
            self.stop()
        elif audio.samples and audio.rate_hz:
            self._play(audio.samples.tobytes(), audio.rate_hz)
            self._quiet_at = time.monotonic() + len(audio.samples) / audio.rate_hz + QUIET_S

    def _play(self, sound: bytes, rate_hz: int) -> None:
        if self._player is not None and rate_hz != self._rate_hz:
            self._let_end()
        if self._player is None and time.monotonic() >= self._not_before:
            self._again_at = time.monotonic() + AGAIN_S
            self._start(rate_hz)
        if self._player is None:
            return
        try:
            written = self._player.stdin.write(sound)   # None: its pipe is full
        except BrokenPipeError:
            written = None
        if written != len(sound):   # the rest of a sample would be noise, and all that follows late
            self.get_logger().warning('the player takes no sound; it is started again')
            self.stop()
            self._not_before = self._again_at

    def _start(self, rate_hz: int) -> None:
        try:
            self._player = subprocess.Popen(words_of(self._command, rate_hz), stdin=subprocess.PIPE, bufsize=0)
        except OSError as error:
            self.get_logger().error(f'cannot start the player: {error}')
            self._not_before = self._again_at
            return
        os.set_blocking(self._player.stdin.fileno(), False)
        self._rate_hz = rate_hz

    def stop(self) -> None:
        """Silence."""
        self._let_end()
        self._kill(self._ending)
        self._ending.clear()

    def tend(self) -> None:
        """Time has passed: where nothing comes any more the player ends, and who has ended is forgotten."""
        if self._player is not None and time.monotonic() > self._quiet_at:
            self._let_end()
        self._kill(self._ending[:-ENDING])
        self._ending = [one for one in self._ending if one.poll() is None]

    def _let_end(self) -> None:
        player, self._player = self._player, None
        if player is not None:
            player.stdin.close()
            self._ending.append(player)

    @staticmethod
    def _kill(players: list[subprocess.Popen]) -> None:
        for player in players:
            player.kill()
            player.wait()


def words_of(player: str, rate_hz: int) -> list[str]:
    """Of its command line. Raises ValueError, KeyError, IndexError: it is none."""
    return shlex.split(player.format(rate=rate_hz))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--speech', default='/speech_node', metavar='NODE', help='full name of speech_node')
    parser.add_argument('--player', default=PLAYER, metavar='COMMAND', help='default: %(default)s')
    arguments = parser.parse_args()
    try:
        program = words_of(arguments.player, 22050)[0]
    except (ValueError, LookupError):
        parser.error(f'--player {arguments.player!r} is no command line; in it {{rate}} stands for the rate in Hz')
    if shutil.which(program) is None:
        parser.error(f'no program {program!r}; another player is named with --player')
    signals = []   # noted, for between two turns: raised within rclpy's C++ they would come out as some other error
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: signals.append(number))
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node, executor = PlayAudio(arguments.speech, arguments.player), SingleThreadedExecutor()
    executor.add_node(node)
    try:
        while not signals:
            executor.spin_once(TURN_S)
            node.tend()
    finally:
        node.stop()
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
