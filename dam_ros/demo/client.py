"""A client of the nodes: which photo is on, what a region is, and speech into a file. It knows interfaces only."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import json
from pathlib import Path
import time
import uuid

from builtin_interfaces.msg import Time
import numpy as np
import rclpy
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import String
from std_srvs.srv import Trigger
from unique_identifier_msgs.msg import UUID

from dam_ros.action import Say
from dam_ros.core.images import decode_labels
from dam_ros.demo.plan import Part, Photo
from dam_ros.msg import Description
from dam_ros.srv import DescribeRegion

_GRACE_S = 10.0   # beyond a deadline that the node itself keeps
_ASK_AGAIN_S = 10.0   # ~/wake may be called as often as one likes
_TELL_S = 5.0     # of waiting, after which a person wants to know what for


class Late(Exception):
    """Somebody did not answer in time; `str()` says who."""


@dataclass
class Answer:
    """What came back for one region.

    Attributes:
        error: '' = good.
        mask: bool (H, W) that was described, None where there was no answer.
        milliseconds: from the call to the answer, as the caller sees it.
    """

    description: Description | None
    error: str
    mask: np.ndarray | None
    milliseconds: float


class Client:
    """Made when the environment is that of the graph.

    Args:
        check: called all the time while something is awaited; may raise.
    """

    def __init__(self, namespace: str, check: Callable[[], None], timeout_s: float):
        self._check, self._timeout_s = check, timeout_s
        self._context = rclpy.Context()
        rclpy.init(context=self._context, signal_handler_options=rclpy.signals.SignalHandlerOptions.NO)
        self._node = rclpy.create_node('demo', namespace=namespace, context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._describe = self._node.create_client(DescribeRegion, 'describe_node/describe_region')
        self._wake = self._node.create_client(Trigger, 'describe_node/wake')
        self._next = self._node.create_client(Trigger, 'player_node/next')
        self._say = ActionClient(self._node, Say, 'say')
        self._on = {}
        latched = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE,
                             durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._node.create_subscription(String, 'player_node/playing', self._playing, latched)

    def close(self) -> None:
        self._executor.shutdown(timeout_sec=1.0)
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)

    def wait_for_nodes(self, patience_s: float = 60.0) -> None:
        """Until player and describer serve. Raises Late."""
        for client in (self._next, self._describe, self._wake):
            self._until(client.service_is_ready, patience_s, f'no service {client.srv_name}')

    def wait_for_speech(self, check: Callable[[], None], patience_s: float = 60.0) -> None:
        """Raises Late, or what `check` raises, which is called all the time."""
        def ready() -> bool:
            check()
            return self._say.server_is_ready()
        self._until(ready, patience_s, 'speech_node does not serve the action say')

    def load(self, patience_s: float = 600.0) -> str:
        """Has the describer loaded. Returns '', or why it cannot be."""
        until = time.monotonic() + patience_s
        while True:   # asked again now and then: on a busy machine the first answer may leave before it can reach us
            try:
                answer = self._call(self._wake, Trigger.Request(), _ASK_AGAIN_S)
                return '' if answer.success else answer.message
            except Late:
                if time.monotonic() > until:
                    raise

    def show(self, photo: Photo, patience_s: float = 30.0) -> Time:
        """Until the player shows this photo; goes on to the next where it shows another. Returns its first stamp."""
        self._until(lambda: self._on, patience_s, 'player_node shows nothing')
        if self._on['name'] != photo.path.name:
            self._call(self._next, Trigger.Request(), patience_s)
        self._until(lambda: self._on['name'] == photo.path.name, patience_s,
                    f'player_node shows {self._on["name"]}, not {photo.path.name}')
        return Time(**self._on['first_stamp'])

    def describe(self, photo: Photo, part: Part, since: Time) -> Answer:
        """One region through the service, of a picture at or after `since`."""
        request = DescribeRegion.Request(not_before=since, return_mask=True, timeout_s=self._timeout_s)
        request.region.tag = part.title[:64]
        if part.label is not None:
            request.region.labels = [part.label]
        elif part.box is not None:
            request.region.box_xywh = [float(number) for number in part.box]
            request.region.ref_width, request.region.ref_height = photo.size   # the player may send it smaller
        began = time.monotonic()
        try:
            response = self._call(self._describe, request, self._timeout_s + _GRACE_S)
        except Late as late:
            return Answer(None, str(late), None, (time.monotonic() - began) * 1e3)
        took_ms = (time.monotonic() - began) * 1e3
        if response.error_code:
            return Answer(response.description, f'{response.error_code}: {response.error_msg}', None, took_ms)
        return Answer(response.description, '', _mask_of(response.mask), took_ms)

    def say(self, text: str, about: str, patience_s: float = 120.0) -> tuple[str, int, str]:
        """Has a text spoken to the end. Returns (the request's id in the voice's list of events, code, message)."""
        goal_id = uuid.uuid4()
        goal = Say.Goal(text=text, priority=Say.Goal.TOLD, about=about, valid_s=patience_s)
        sent = self._say.send_goal_async(goal, goal_uuid=UUID(uuid=list(goal_id.bytes)))
        self._until(sent.done, patience_s, 'speech_node does not take the text')
        outcome = sent.result().get_result_async()
        self._until(outcome.done, patience_s, 'speech_node does not say the text')
        result = outcome.result().result
        return f'say {goal_id}', result.error_code, result.error_msg

    def _playing(self, message: String) -> None:
        self._on = json.loads(message.data)

    def _call(self, client, request, patience_s: float):
        future = client.call_async(request)
        try:
            self._until(future.done, patience_s, f'{client.srv_name} does not answer')
        except BaseException:
            client.remove_pending_request(future)
            raise
        return future.result()

    def _until(self, condition: Callable[[], object], patience_s: float, otherwise: str) -> None:
        began = told = time.monotonic()
        while not condition():
            self._check()
            now = time.monotonic()
            if now > began + patience_s:
                raise Late(f'{otherwise} within {patience_s:g} s')
            if now > told + _TELL_S:
                told = now
                print(f'    ... {now - began:.0f} s: {otherwise} yet', flush=True)
            self._executor.spin_once(0.05)


def spoken_file(folder: Path, request: str, patience_s: float = 5.0) -> Path | None:
    """The WAV of a request that has ended, by the voice's list of events; None where there is none."""
    until = time.monotonic() + patience_s
    while True:
        for events in sorted(folder.glob('*-events.jsonl')):
            for line in events.read_text(encoding='utf-8').splitlines():
                event = json.loads(line)
                if event.get('event') == 'end' and event.get('id') == request and event.get('file'):
                    return folder / event['file']
        if time.monotonic() > until:
            return None
        time.sleep(0.02)   # the result may overtake the list


def _mask_of(message: Image) -> np.ndarray:
    return decode_labels(message.encoding, message.width, message.height, message.step, bool(message.is_bigendian),
                         message.data, 'mask') != 0
