"""A describe_node in a process of its own, and a client of it over Fast DDS, for tests. It asserts nothing by itself.

    with serving(describer='rehearsal') as served:
        assert served.describe(image=picture()).error_code == 0

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

import psutil
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import GetParameters, SetParameters
import rclpy
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from ros_pictures import (NS, Camera, as_bytes, box, grey, number_in, picture, script, stamp_of,  # noqa: F401
                          stamped, unknown_floats)
from std_msgs.msg import Bool, String
from std_srvs.srv import Trigger

from dam_ros.action import Describe, DescribeScene
from dam_ros.msg import Description, Partial
from dam_ros.srv import Cancel, DescribeRegion
from dam_ros.srv import DescribeScene as DescribeSceneService

PATIENCE_S = 20.0
TESTS = Path(__file__).resolve().parent
# With the usual depth of 10 a client loses answers that come faster than it takes them.
_RELIABLE = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)
LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
_numbers = itertools.count()


class Goal:
    """One goal of an action: what came back so far."""
    def __init__(self, client: ActionClient, message: Any):
        self.feedback: list[Any] = []
        self.handle = self.result = self.status = None
        self._cancelled = False
        accepted = client.send_goal_async(message, lambda one: self.feedback.append(one.feedback))
        accepted.add_done_callback(self._accepted)

    def _accepted(self, future: Any) -> None:
        self.handle = future.result()
        self.handle.get_result_async().add_done_callback(self._ended)
        if self._cancelled:
            self.handle.cancel_goal_async()

    def _ended(self, future: Any) -> None:
        self.status, self.result = future.result().status, future.result().result

    def cancel(self) -> None:
        """At once, or as soon as the goal has been accepted."""
        self._cancelled = True
        if self.handle is not None:
            self.handle.cancel_goal_async()


class Served:
    """describe_node as a child process, and the client node that talks to it. Use `serving`.

    Attributes:
        descriptions, partials, texts, ready: what came on the topics, in order.
        status: the newest diagnostics, part of the node ('describer', 'image', ...) -> DiagnosticStatus.
    """

    def __init__(self, parameters: dict[str, Any], environment: dict[str, str], remaps: dict[str, str]):
        self.namespace = f'/t{os.getpid()}_{next(_numbers)}'
        self.name = f'{self.namespace}/describe_node'
        self._log = tempfile.NamedTemporaryFile(prefix='describe_node-', suffix='.log')
        given = [word for name, value in parameters.items() for word in ('-p', f'{name}:={json.dumps(value)}')]
        moved = [word for name, value in remaps.items() for word in ('-r', f'{name}:={value}')]
        self.child = subprocess.Popen(
            [sys.executable, '-m', 'dam_ros.nodes.describe_node', '--ros-args', '-r', f'__ns:={self.namespace}',
             *moved, *given], stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True,
            env={**os.environ, **environment}, cwd=tempfile.gettempdir())
        self.process = psutil.Process(self.child.pid)
        self.descriptions: list[Description] = []
        self.partials: list[Partial] = []
        self.texts: list[str] = []
        self.ready: list[bool] = []
        self.status: dict[str, Any] = {}
        self._clients: dict[str, Any] = {}
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node('client', namespace=self.namespace, context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.hear(Description, 'describe_node/description', self.descriptions.append)
        self.hear(Partial, 'describe_node/partial', self.partials.append)
        self.hear(String, 'describe_node/text', lambda one: self.texts.append(one.data))
        self.hear(Bool, 'describe_node/ready', lambda one: self.ready.append(one.data), LATCHED)
        self.hear(DiagnosticArray, '/diagnostics', self._diagnosed)

    def hear(self, kind: type, topic: str, take: Callable[[Any], None], qos: QoSProfile = _RELIABLE) -> Any:
        return self.node.create_subscription(kind, topic, take, qos)

    def _diagnosed(self, message: DiagnosticArray) -> None:
        for one in message.status:
            owner, _, part = one.name.partition(': ')
            if owner.strip('/') == self.name.strip('/'):
                self.status[part] = one

    def until(self, condition: Callable[[], Any], patience_s: float = PATIENCE_S,
              what: str | Callable[[], str] = '') -> Any:
        """Spins until the condition holds and returns its value; else fails with the node's last words."""
        end_s = time.monotonic() + patience_s
        while not (value := condition()):
            if time.monotonic() > end_s:
                missing = what() if callable(what) else what or condition
                raise AssertionError(f'not within {patience_s:g} s: {missing}\n{self.log()[-3000:]}')
            self.executor.spin_once(0.02)
        return value

    def spin(self, seconds: float) -> None:
        """Listens for a time, where nothing is to happen."""
        end_s = time.monotonic() + seconds
        while (rest_s := end_s - time.monotonic()) > 0:
            self.executor.spin_once(min(0.02, rest_s))

    def wait_ready(self) -> None:
        """Until the node serves, hears us, and has its describer loaded."""
        self.until(lambda: self.ready and self.ready[-1], what='ready')
        self.meet()

    def log(self) -> str:
        return Path(self._log.name).read_text(errors='replace')

    def meet(self) -> None:
        """Until the node knows of all our subscriptions so far: it hears of them in the order in which they were made,
        and does not answer a client before it knows of the reader for the answer."""
        client = self.node.create_client(Cancel, 'describe_node/cancel')
        self.until(client.service_is_ready)
        self.until(client.call_async(Cancel.Request(id='nobody')).done)
        self.node.destroy_client(client)

    # -- asking -----------------------------------------------------------------------------------------------

    def ask(self, kind: Any, name: str, request: Any) -> Any:
        """The future of a service call."""
        client = self._clients.get(name)
        if client is None:
            client = self._clients[name] = self.node.create_client(kind, name, qos_profile=_RELIABLE)
            self.until(client.service_is_ready, what=f'service {name}')
        return client.call_async(request)

    def call(self, kind: Any, name: str, request: Any, patience_s: float = PATIENCE_S) -> Any:
        future = self.ask(kind, name, request)
        self.until(future.done, patience_s, f'answer of {name}')
        return future.result()

    def begin(self, **fields: Any) -> Any:
        """The future of a describe_region call."""
        return self.ask(DescribeRegion, 'describe_node/describe_region', DescribeRegion.Request(**fields))

    def describe(self, patience_s: float = PATIENCE_S, **fields: Any) -> DescribeRegion.Response:
        future = self.begin(**fields)
        self.until(future.done, patience_s, 'answer of describe_region')
        return future.result()

    def describe_scene(self, **fields: Any) -> DescribeSceneService.Response:
        return self.call(DescribeSceneService, 'describe_node/describe_scene', DescribeSceneService.Request(**fields))

    def cancel(self, id: str) -> int:
        return self.call(Cancel, 'describe_node/cancel', Cancel.Request(id=id)).cancelled

    def wake(self) -> Trigger.Response:
        return self.call(Trigger, 'describe_node/wake', Trigger.Request())

    def goal(self, **fields: Any) -> Goal:
        """A goal of ~/describe."""
        return Goal(self._action(Describe, 'describe_node/describe'), Describe.Goal(**fields))

    def scene_goal(self, **fields: Any) -> Goal:
        return Goal(self._action(DescribeScene, 'describe_node/describe_scene'), DescribeScene.Goal(**fields))

    def _action(self, kind: Any, name: str) -> ActionClient:
        key = f'action {name}'
        if key not in self._clients:
            self._clients[key] = ActionClient(self.node, kind, name, goal_service_qos_profile=_RELIABLE,
                                              result_service_qos_profile=_RELIABLE)
            self.until(self._clients[key].server_is_ready, what=f'action {name}')
            self.meet()
        return self._clients[key]

    def ended(self, goal: Goal, patience_s: float = PATIENCE_S) -> Any:
        """The result of a goal."""
        return self.until(lambda: goal.result, patience_s, 'the result of a goal')

    # -- parameters and life ----------------------------------------------------------------------------------

    def parameter(self, name: str) -> Any:
        return self.call(GetParameters, 'describe_node/get_parameters', GetParameters.Request(names=[name])).values[0]

    def set_parameter(self, name: str, value: Any) -> Any:
        """The SetParametersResult."""
        changed = Parameter(name, value=value).to_parameter_msg()
        return self.call(SetParameters, 'describe_node/set_parameters',
                         SetParameters.Request(parameters=[changed])).results[0]

    def change_state(self, transition: int) -> bool:
        request = ChangeState.Request(transition=Transition(id=transition))
        return self.call(ChangeState, 'describe_node/change_state', request).success

    def state(self) -> str:
        return self.call(GetState, 'describe_node/get_state', GetState.Request()).current_state.label

    # -- the process ------------------------------------------------------------------------------------------

    def worker(self) -> psutil.Process | None:
        """The worker, None where there is none."""
        for one in self.process.children():
            try:
                if 'dam_ros.engine.worker' in ' '.join(one.cmdline()):
                    return one
            except psutil.NoSuchProcess:   # it ends at this very moment
                continue
        return None

    def footprint(self) -> tuple[int, int]:
        """(threads, file descriptors) of the node."""
        return self.process.num_threads(), self.process.num_fds()

    def memory_mb(self) -> float:
        """RssAnon of node and worker together."""
        return sum(_rss_anon(one.pid) for one in (self.process, self.worker()) if one is not None) / 1e6

    def group(self) -> list[psutil.Process]:
        """Every living process of the node's session: itself, its worker, and whatever they may have left."""
        return [one for one in psutil.process_iter() if _session(one.pid) == self.child.pid
                and one.status() != psutil.STATUS_ZOMBIE]

    def end(self, number: int = signal.SIGTERM, patience_s: float = 10.0) -> int:
        """Sends a signal to the node alone and returns its exit code."""
        if self.child.poll() is None:
            self.child.send_signal(number)
        return self.child.wait(patience_s)

    def close(self) -> None:
        try:
            self.end()
        except subprocess.TimeoutExpired:
            pass
        if self.group():
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait(5.0)
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)
        self._log.close()


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def _rss_anon(pid: int) -> int:
    for line in Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith('RssAnon:'):
            return int(line.split()[1]) * 1024
    return 0


@contextmanager
def serving(ready: bool = True, environment: dict[str, str] | None = None, remaps: dict[str, str] | None = None,
            **parameters: Any) -> Iterator[Served]:
    """A describe_node that serves, ended at the end.

    Args:
        ready: wait until it does; false returns at once.
        parameters: of the node; the describer is `rehearsal` where it is not named.
    """
    served = Served({'describer': 'rehearsal', **parameters}, environment or {}, remaps or {})
    try:
        if ready:
            served.wait_ready()
        yield served
    finally:
        served.close()
