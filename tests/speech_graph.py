"""A speech_node in a process of its own, and around it, over Fast DDS, all it talks to: a describer and a person.

    with talking(tmp_path) as node:
        assert node.said('A mug.').error_code == 0

Every node gets a namespace of its own, as peers go on seeing a killed one for 20 s. Everything waits with a limit.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import itertools
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
import psutil
from rcl_interfaces.srv import GetParameters, SetParameters
import rclpy
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, qos_profile_sensor_data, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import BatteryState
from std_msgs.msg import Empty, String
from std_srvs.srv import SetBool, Trigger

from dam_ros.action import Say
from dam_ros.core.speakable import cut
from dam_ros.msg import Description, Partial, Present, Sight

PATIENCE_S = 20.0
NAN = float('nan')
_EVENTS = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
_LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
# Of more than 10 answers that come before a client looks, its usual queue loses the first.
_MANY = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)
_numbers = itertools.count()


class Saying:
    """One goal of `say`: what came back so far."""

    def __init__(self, client: ActionClient, goal: Say.Goal):
        self.feedback: list[Any] = []
        self.handle = self.result = self.status = None
        client.send_goal_async(goal, lambda message: self.feedback.append(message.feedback)) \
            .add_done_callback(self._accepted)

    def _accepted(self, future: Any) -> None:
        self.handle = future.result()
        self.handle.get_result_async().add_done_callback(self._ended)

    def _ended(self, future: Any) -> None:
        self.status, self.result = future.result().status, future.result().result


class Talking:
    """speech_node as a child process, and the client node around it. Use `talking`.

    Attributes:
        captions, cues: what came on ~/caption and ~/cue, in order.
        cued: when each of the latter came, s of time.monotonic.
        status, of_describer: the newest DiagnosticStatus of the node's voice, and of the describer it hears.
    """

    def __init__(self, parameters: dict[str, Any], environment: dict[str, str], namespace: str):
        self.namespace = namespace or f'/s{os.getpid()}_{next(_numbers)}'
        self._log = tempfile.NamedTemporaryFile(prefix='speech_node-', suffix='.log')
        self._parameters, self._environment = parameters, environment
        self.captions: list[str] = []
        self.cues: list[str] = []
        self.cued: list[float] = []
        self.status: Any = None
        self.of_describer: Any = None
        self._clients: dict[str, Any] = {}
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node('client', namespace=self.namespace, context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.hear_captions(self.captions)
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._diagnosed, 10)
        self._description = self.node.create_publisher(Description, 'describe_node/description', _EVENTS)
        self._partial = self.node.create_publisher(Partial, 'describe_node/partial', _EVENTS)
        self.node.create_subscription(String, 'speech_node/cue', self._on_cue, 10)
        self._present = self.node.create_publisher(Present, 'describe_node/present', 10)
        self._sight = self.node.create_publisher(Sight, 'describe_node/sight', 10)
        self._battery = self.node.create_publisher(BatteryState, 'battery', qos_profile_sensor_data)   # as drivers do
        self._hush = self.node.create_publisher(Empty, 'speech_node/hush', 10)
        self._ask = self.node.create_publisher(String, 'speech_node/ask', 10)
        self.start()

    def start(self) -> None:
        """The process. Again after `end`."""
        given = [word for name, value in self._parameters.items() for word in ('-p', f'{name}:={json.dumps(value)}')]
        self.child = subprocess.Popen(
            [sys.executable, '-m', 'dam_ros.nodes.speech_node', '--ros-args', '-r', f'__ns:={self.namespace}', *given],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True,
            env={**os.environ, **self._environment}, cwd=tempfile.gettempdir())
        self.process = psutil.Process(self.child.pid)

    def hear_captions(self, into: list[str]) -> None:
        self.node.create_subscription(String, 'speech_node/caption', lambda one: into.append(one.data), _LATCHED)

    def _diagnosed(self, message: DiagnosticArray) -> None:
        for one in message.status:
            if one.name == f'{self.namespace}/speech_node: voice':
                self.status = one
            elif one.name == f'{self.namespace}/speech_node: describer':
                self.of_describer = one

    def _on_cue(self, message: String) -> None:
        self.cues.append(message.data)
        self.cued.append(time.monotonic())

    # -- waiting

    def until(self, condition: Callable[[], Any], patience_s: float = PATIENCE_S, what: str = '') -> Any:
        """Spins until the condition holds and returns its value; else fails with the node's last words."""
        end_s = time.monotonic() + patience_s
        while not (value := condition()):
            if time.monotonic() > end_s:
                raise AssertionError(f'not within {patience_s:g} s: {what or condition}\n{self.log()[-3000:]}')
            self.executor.spin_once(0.02)
        return value

    def spin(self, seconds: float) -> None:
        """Listens for a time, where nothing is to happen."""
        end_s = time.monotonic() + seconds
        while (rest_s := end_s - time.monotonic()) > 0:
            self.executor.spin_once(min(0.02, rest_s))

    def wait_ready(self) -> None:
        """Until the node serves and hears us, and we hear it; fails at once where it has ended."""
        def serves() -> bool:
            assert self.child.poll() is None, f'it has ended: {self.log()[-3000:]}'
            return self._action.server_is_ready()

        self.until(serves, what='the action say')
        for publisher in (self._description, self._partial, self._present, self._sight, self._hush, self._ask):
            self.until(lambda publisher=publisher: publisher.get_subscription_count() >= 1, what='a subscription')
        self._meet()
        self.spin(0.1)   # what was asked before it was born it does not speak, and ours were asked 0.1 s ago

    def _meet(self) -> None:
        """Until the node knows of all our subscriptions so far: see `ros_graph.Served.meet`."""
        client = self.node.create_client(GetParameters, 'speech_node/get_parameters')
        self.until(client.service_is_ready, what='the parameter service')
        calls, again = [], 0.0

        def answered() -> bool:
            nonlocal again
            if time.monotonic() > again:   # of a client that the node does not know yet, an answer is lost
                calls.append(client.call_async(GetParameters.Request(names=['voice'])))
                again = time.monotonic() + 1.0
            return any(call.done() for call in calls)
        self.until(answered, what='an answer')
        self.node.destroy_client(client)

    def log(self) -> str:
        return Path(self._log.name).read_text(errors='replace')

    # -- a describer

    def describe(self, id_: str, text: str = '', brief: str = '', speak: int = Description.SPEAK_TOLD,
                 **fields: Any) -> None:
        message = Description(id=id_, text=text or brief, brief=brief or text, speak=speak, age_s=0.1, total_s=0.1)
        for name, value in fields.items():
            setattr(message, name, value)
        self._description.publish(message)

    def part(self, id_: str, seq: int, piece: str = '', offset: int = 0, end: bool = False, done: bool = False,
             speak: int = Description.SPEAK_ASKED, error_code: int = 0) -> None:
        self._partial.publish(Partial(id=id_, seq=seq, piece=piece, offset=offset, sentence_end=end, done=done,
                                      speak=speak, error_code=error_code, confidence=NAN))

    def present(self, *labels: int, camera: str = '') -> None:
        self._present.publish(Present(labels=labels, camera=camera))

    def sight(self, state: int = Sight.GOOD, age_s: float = 0.1, **fields: Any) -> None:
        self._sight.publish(Sight(state=state, age_s=age_s, **{'heading_rad': NAN, 'turning_rad_s': NAN, **fields}))

    def see(self, for_s: float, state: int = Sight.GOOD, **fields: Any) -> None:
        """A heartbeat for this long."""
        end_s = time.monotonic() + for_s
        while time.monotonic() < end_s:
            self.sight(state, **fields)
            self.spin(0.2)

    def battery(self, percentage: float) -> None:
        self._battery.publish(BatteryState(percentage=percentage))

    def lose_describer(self) -> None:
        """One that has no ~/sight ends: its topics are gone from the graph."""
        for publisher in (self._description, self._partial, self._present, self._sight):
            self.node.destroy_publisher(publisher)

    # -- a person or a planner

    def ask(self, text: str) -> None:
        self._ask.publish(String(data=text))

    @property
    def _action(self) -> ActionClient:
        if 'say' not in self._clients:
            self._clients['say'] = ActionClient(self.node, Say, 'say', goal_service_qos_profile=_MANY,
                                                result_service_qos_profile=_MANY)
        return self._clients['say']

    def say(self, text: str, **fields: Any) -> Saying:
        return Saying(self._action, Say.Goal(text=text, **fields))

    def ended(self, saying: Saying, patience_s: float = PATIENCE_S) -> Say.Result:
        return self.until(lambda: saying.result, patience_s, 'the result of say')

    def said(self, text: str, **fields: Any) -> Say.Result:
        return self.ended(self.say(text, **fields))

    def cancel(self, saying: Saying) -> None:
        self.until(lambda: saying.handle, what='the goal was accepted')
        saying.handle.cancel_goal_async()

    def press(self, name: str, data: bool | None = None, patience_s: float = PATIENCE_S) -> Any:
        """The answer of ~/hush, ~/repeat, ~/more (Trigger) or ~/mute (SetBool, with data)."""
        client = self._clients.get(name)
        if client is None:
            kind = Trigger if data is None else SetBool
            client = self._clients[name] = self.node.create_client(kind, f'speech_node/{name}')
            self.until(client.service_is_ready, what=f'service {name}')
        future = client.call_async(Trigger.Request() if data is None else SetBool.Request(data=data))
        self.until(future.done, patience_s, f'answer of {name}')
        return future.result()

    def set_parameter(self, name: str, value: Any) -> Any:
        """The SetParametersResult."""
        client = self.node.create_client(SetParameters, 'speech_node/set_parameters')
        self.until(client.service_is_ready, what='the parameter service')
        future = client.call_async(SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()]))
        self.until(future.done, what=f'answer to setting {name}')
        return future.result().results[0]

    def hush_by_topic(self) -> None:
        self._hush.publish(Empty())

    def captioned(self, text: str, patience_s: float = PATIENCE_S) -> None:
        """Waits until this was said, as one caption or sentence by sentence."""
        wanted = {one.text for one in cut(text)}
        self.until(lambda: text in self.captions or wanted <= set(self.captions), patience_s,
                   f'{text!r} in the captions {self.captions}')

    def quiet(self, seconds: float) -> None:
        """Fails where anything is said within this time."""
        count = len(self.captions)
        self.spin(seconds)
        assert self.captions[count:] == []

    # -- the process

    def end(self, number: int = signal.SIGTERM, patience_s: float = 10.0) -> int:
        """Sends a signal to the node alone and returns its exit code."""
        if self.child.poll() is None:
            self.child.send_signal(number)
        return self.child.wait(patience_s)

    def close(self) -> None:
        try:
            self.end()
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait(5.0)
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)
        self._log.close()


@contextmanager
def talking(environment: dict[str, str] | None = None, namespace: str = '', **parameters: Any) -> Iterator[Talking]:
    """A speech_node that is ready, ended at the end. Unless the parameters say otherwise it is silent and fast, says
    nothing of its own accord, and remembers nothing."""
    with tempfile.TemporaryDirectory(prefix='speech-state-') as state:
        usual = {'voice': 'silent', 'rate_wpm': 400.0, 'caption_wpm': 10000.0, 'state_dir': state, 'greeting': 'never',
                 'announce_sight': False}
        node = Talking({**usual, **parameters}, environment or {}, namespace)
        try:
            node.wait_ready()
            yield node
        finally:
            node.close()
