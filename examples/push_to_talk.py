#!/usr/bin/env python3
"""Every command on a key of a plain terminal, for use with a screen reader: plain lines, no cursor tricks.

    space    what is in front            enter   more of it
    left     the thing before            right   the next thing
    p        pause, and go on            escape  silence, at once
    r repeat   t read the letters   l spell the last word   s status   n narration on or off
    + faster   - slower   q only answers   ? help, spoken   h these keys   x end
    / a question of your own: type it, then enter; escape drops it

Speech comes from speech_node, not from here. With --captions what is said is printed too, for a braille display.
"""
from __future__ import annotations

import argparse
from collections.abc import Callable
import signal
import sys
import time

from asking import Asking, State
from keyboard import Keys
from rcl_interfaces.srv import GetParameters, SetParameters
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import Empty, String
from std_srvs.srv import Trigger

from dam_ros.action import Describe
from dam_ros.msg import Description, Region

DESCRIBE_S, ANSWER_S, MEET_S = 30.0, 3.0, 3.0
TURN_S = 0.02
KEYS = {'\n': 'more', '\r': 'more', 'left': 'back', 'up': 'back', 'right': 'next', 'down': 'next', 'p': 'pause',
        'r': 'repeat', 't': 'read', 'l': 'spell', 's': 'status', '+': 'faster', '=': 'faster', '-': 'slower',
        'q': 'quiet', '?': 'help'}
# The middle of a picture whose size is not known here: of 4x4 squares the inner ones. Nothing needs to be cut out.
IN_FRONT = Region(box_xywh=[1.0, 1.0, 2.0, 2.0], ref_width=4, ref_height=4, box_is_region=True, tag='in front')


class PushToTalk(Node):
    """Sends what keys mean. Nothing here waits."""

    def __init__(self, speech: str, describer: str, captions: bool, say: Callable[[str], None]):
        super().__init__('push_to_talk')
        self._say, self._speech, self._describer = say, speech, describer
        self._asking = Asking(self, describer)
        self._hush = self.create_publisher(Empty, f'{speech}/hush', 10)
        self._ask = self.create_publisher(String, f'{speech}/ask', 10)
        self._commands = {name: self.create_client(Trigger, f'{speech}/{name}') for name in set(KEYS.values())}
        self._get = self.create_client(GetParameters, f'{speech}/get_parameters')
        self._set = self.create_client(SetParameters, f'{speech}/set_parameters')
        self._calls = {}   # Future -> what was asked, of whom, and until when an answer is waited for
        if captions:
            self.create_subscription(String, f'{speech}/caption', lambda one: say(f'said: {one.data}'), 10)

    def missing(self) -> list[str]:
        """Which of the two nodes are not there, or not known in whole yet."""
        speech = (self._hush.get_subscription_count() and self._ask.get_subscription_count()
                  and all(one.service_is_ready() for one in (*self._commands.values(), self._get, self._set)))
        describer = self.count_publishers(f'{self._describer}/description')
        return [name for name, there in ((self._speech, speech), (self._describer, describer)) if not there]

    def press(self, key: str, keys: Keys) -> bool:
        """False: that was the end."""
        if key == 'escape':
            self.hush()
        elif key == ' ':
            self.in_front()
        elif key == '/':
            self._say('your question, then enter:')
            keys.begin_line('/')
        elif key.startswith('/'):
            self.question(key[1:].strip())
        elif key == 'n':
            self._call('narration', self._get, GetParameters.Request(names=['narrate']), self._switch_narration)
        elif key == 'h':
            self._say(__doc__.split('\n\n')[1])
        elif key in KEYS:
            self._say(KEYS[key])
            self._call(KEYS[key], self._commands[KEYS[key]], Trigger.Request(), self._answered)
        return key != 'x'

    def hush(self) -> None:
        self._hush.publish(Empty())   # a topic: it needs no answer
        self._asking.cancel()
        self._say('silence' if self._hush.get_subscription_count() else f'silence: {self._speech} is not running')

    def in_front(self) -> None:
        """Asks what is in the middle of the picture."""
        for node in self.missing():
            self._say(f'{node} is not running')
        if self._describer not in self.missing():
            self._say('what is in front')
            self._asking.start(Describe.Goal(region=IN_FRONT, detail=Describe.Goal.BRIEF, slot='push_to_talk',
                                             speak=Description.SPEAK_ASKED), DESCRIBE_S)

    def question(self, text: str) -> None:
        if not text or self._speech in self.missing():
            self._say(f'{self._speech} is not running' if text else 'nothing asked')
            return
        self._ask.publish(String(data=text))
        self._say(f'asked: {text}')

    def poll(self) -> None:
        """What became of all that was asked."""
        if self._asking.state == State.RUNNING and self._asking.poll() == State.FAILURE:
            self._say(f'failed: {self._asking.error_msg}')
        for future, (name, client, until) in list(self._calls.items()):
            if future.done() or time.monotonic() > until:
                del self._calls[future]
                if not future.done():
                    client.remove_pending_request(future)
                    self._say(f'{name}: {self._speech} does not answer')

    def leave(self, spin_once: Callable[[float], None]) -> None:
        """What was asked is cancelled."""
        self._asking.leave(spin_once)

    def _call(self, name: str, client, request, take: Callable[[str, object], None]) -> None:
        if not client.service_is_ready():
            self._say(f'{name}: {self._speech} is not running')
            return
        future = client.call_async(request)
        future.add_done_callback(lambda done: take(name, done.result()))
        self._calls[future] = name, client, time.monotonic() + ANSWER_S

    def _answered(self, name: str, answer: Trigger.Response) -> None:
        if not answer.success or name == 'status':
            self._say(f'{name}: {answer.message}')

    def _switch_narration(self, name: str, answer: GetParameters.Response) -> None:
        mode = 'new' if answer.values[0].string_value == 'off' else 'off'
        request = SetParameters.Request(parameters=[Parameter('narrate', value=mode).to_parameter_msg()])
        self._call(name, self._set, request, lambda name, answer: self._say(
            f'{name}: {mode if answer.results[0].successful else answer.results[0].reason}'))


def talk(node: PushToTalk, say: Callable[[str], None], ended: Callable[[], bool]) -> None:
    """Until `ended`, or the last key."""
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        with Keys() as keys:
            _turns(node, executor, keys, say, ended)
    finally:
        node.leave(executor.spin_once)   # when the terminal is as it was


def _turns(node: PushToTalk, executor: SingleThreadedExecutor, keys: Keys, say: Callable[[str], None],
           ended: Callable[[], bool]) -> None:
    until = time.monotonic() + MEET_S
    while node.missing() and time.monotonic() < until and not ended():
        executor.spin_once(TURN_S)
    say('\n'.join(['ready. h lists the keys', *(f'{one} is not running' for one in node.missing())]))
    going = True
    while going and not ended():
        executor.spin_once(TURN_S)
        node.poll()
        while going and (key := keys.read()):
            going = node.press(key, keys)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--speech', default='/speech_node', metavar='NODE', help='full name of speech_node')
    parser.add_argument('--node', default='/describe_node', help='full name of describe_node')
    parser.add_argument('--captions', action='store_true', help='print what is said')
    arguments = parser.parse_args()
    if not sys.stdin.isatty():
        parser.error('stdin is no terminal: keys are read from it')
    signals = []   # noted, for between two turns: raised within rclpy's C++ they would come out as some other error
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: signals.append(number))
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    sys.stdout.reconfigure(errors='replace')   # what a terminal cannot show ends nothing
    say = lambda line: print(line, flush=True)   # noqa: E731
    node = PushToTalk(arguments.speech, arguments.node, arguments.captions, say)
    try:
        talk(node, say, lambda: bool(signals))
    except EOFError:
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
