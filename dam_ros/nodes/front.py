"""The services and actions of describe_node: from message to desk and back. It decides nothing."""
from __future__ import annotations

from collections.abc import Callable
import math
import time
import traceback
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.qos import QoSProfile, QoSReliabilityPolicy
from rclpy.task import Future
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from dam_ros.action import Describe, DescribeScene
from dam_ros.core.errors import Failure, Internal, NotActive
from dam_ros.nodes import messages
from dam_ros.nodes.call import Call
from dam_ros.nodes.messages import Answered, refusal
from dam_ros.nodes.pace import Pace
from dam_ros.nodes.pictures import image_message
from dam_ros.nodes.replies import serve
from dam_ros.srv import Cancel, DescribeRegion
from dam_ros.srv import DescribeScene as DescribeSceneService

# rclpy's default keeps the last 10 calls that wait to be taken: of 200 at once 190 were never answered.
CALLS = QoSProfile(depth=1000, reliability=QoSReliabilityPolicy.RELIABLE)
RESULT_TIMEOUT_S = 10   # how long an action's result waits to be fetched; it may hold a mask
Send = Callable[[Callable[[], Any]], None]   # of a service's answer, made by what it gets
_PHASES = {'queued': Describe.Feedback.QUEUED, 'waiting': Describe.Feedback.WAITING,
           'loading': Describe.Feedback.LOADING, 'looking': Describe.Feedback.LOOKING,
           'writing': Describe.Feedback.WRITING}


_WAYS = {'inactive': 'activate', 'active': 'deactivate, then activate'}   # to active; else from the beginning


class Front:
    """Made once with the node, so that there is an answer in every state of its life."""

    def __init__(self, node: Any):
        self._node = node
        group = ReentrantCallbackGroup()   # a waiting call must not keep another from being heard
        self._goals: dict[bytes, Call] = {}
        self._pace = Pace(node, node.inbox)

        def service(kind, name, callback):
            serve(node, kind, name, self._answering(callback), callback_group=group, qos_profile=CALLS)

        def action(kind, name, execute):
            return ActionServer(node, kind, name, execute, callback_group=group, cancel_callback=self._cancel_goal,
                                goal_callback=self._accept, goal_service_qos_profile=CALLS,
                                result_service_qos_profile=CALLS, cancel_service_qos_profile=CALLS,
                                result_timeout=RESULT_TIMEOUT_S)

        service(DescribeRegion, '~/describe_region', self._describe_region)
        service(DescribeSceneService, '~/describe_scene', self._describe_scene)
        service(Cancel, '~/cancel', self._cancel)
        service(Trigger, '~/wake', self._wake)
        self._actions = [action(Describe, '~/describe', self._run_describe),
                         action(DescribeScene, '~/describe_scene', self._run_scene)]

    def not_active(self, why: str = '') -> NotActive:
        node = self._node
        return NotActive(f'the node is {node.state}: ' + (why or node.trouble or 'ros2 lifecycle set '
                         f'{node.get_fully_qualified_name()} ' + _WAYS.get(node.state, 'configure, then activate')))

    # -- services -----------------------------------------------------------------------------------------------

    def _describe_region(self, request, response, send: Send) -> None:
        self._answer(request, messages.order_of,
                     lambda answered: send(lambda: self._fill(response, answered, request.return_mask)))

    def _describe_scene(self, request, response, send: Send) -> None:
        self._answer(request, messages.scene_order_of,
                     lambda answered: send(lambda: self._fill_scene(response, answered)))

    def _cancel(self, request, response, send: Send) -> None:
        if self._node.engine is None:
            send(lambda: response)
        else:
            self._node.engine.cancel(request.id, lambda count: send(lambda: Cancel.Response(cancelled=count)))

    def _wake(self, request, response, send: Send) -> None:
        engine = self._node.engine
        if engine is None or not self._node.active:
            send(lambda: Trigger.Response(success=False, message=str(self.not_active())))
        else:
            engine.wake(lambda good, text: send(lambda: Trigger.Response(success=good, message=text)))

    # -- actions ------------------------------------------------------------------------------------------------

    async def _accept(self, goal) -> GoalResponse:
        """Always: a rejection carries no reason."""
        await self._pace.turn(self._deadline_s(goal))
        return GoalResponse.ACCEPT

    async def _run_describe(self, goal):
        answered = await self._run(goal, messages.order_of, self._describe_feedback)
        return self._fill(Describe.Result(), answered, goal.request.return_mask)

    async def _run_scene(self, goal):
        answered = await self._run(goal, messages.scene_order_of, self._scene_feedback)
        return self._fill_scene(DescribeScene.Result(), answered)

    def _deadline_s(self, request) -> float:
        """By which an answer to this message must have left, on the clock of time.monotonic."""
        timeout_s = getattr(request, 'timeout_s', 0.0)
        return time.monotonic() + (timeout_s if timeout_s > 0 else self._node.settings.default_timeout_s)

    async def _run(self, goal, translate: Callable, feedback: Callable) -> Answered:
        key, deadline_s = bytes(goal.goal_id.uuid), self._deadline_s(goal.request)
        ended = Future()
        try:
            self._answer(goal.request, translate, lambda answered: self._node.inbox.resolve(ended, answered),
                         lambda call: feedback(goal, call), lambda call: self._goals.__setitem__(key, call),
                         lambda: goal.is_cancel_requested)
            answered = await ended
        finally:
            self._goals.pop(key, None)
            _drop_pixels(goal.request)
        await self._pace.turn(deadline_s)
        cancelled = answered.failure is not None and answered.failure.code == 10202
        if answered.failure is None:
            goal.succeed()
        elif cancelled and goal.is_cancel_requested:
            goal.canceled()   # rclpy raises where no client has asked for it
        else:
            goal.abort()
        return answered

    def _cancel_goal(self, goal) -> CancelResponse:
        call = self._goals.get(bytes(goal.goal_id.uuid))
        if call is not None and self._node.engine is not None:
            self._node.engine.cancel(call.order.id, lambda count: None)
        return CancelResponse.ACCEPT

    def _describe_feedback(self, goal, call: Call) -> None:
        if not goal.is_active:
            return
        engine = self._node.engine
        ahead = engine.ahead(call.request) if engine else 0
        typical_s = engine.status.typical_s if engine and engine.status.answered else math.nan
        goal.publish_feedback(Describe.Feedback(
            id=call.order.id, phase=_PHASES[call.phase], ahead=ahead, text=call.text,
            elapsed_s=time.monotonic() - call.request.arrival_s, expected_s=typical_s * (ahead + 1)))

    def _scene_feedback(self, goal, call: Call) -> None:
        if goal.is_active and call.descriptions and len(call.descriptions) != call.shown:
            call.shown = len(call.descriptions)
            goal.publish_feedback(DescribeScene.Feedback(done=call.shown, total=len(call.request.units),
                                                         description=call.descriptions[-1]))

    # -- both ---------------------------------------------------------------------------------------------------

    def _answer(self, message: Any, translate: Callable, ended: Callable[[Answered], None],
                feedback: Callable | None = None, on_call: Callable = lambda call: None,
                cancelled: Callable = lambda: False) -> None:
        """Checks the message and lets the desk answer it. Never raises.

        Args:
            ended: called once with the answer, in this or the engine's thread.
        """
        arrival_s = time.monotonic()
        node = self._node
        try:
            if not node.active:
                raise self.not_active()
            order = translate(message, node.settings)

            def started(call: Call) -> None:
                on_call(call)
                if cancelled():   # its cancel came before it was begun
                    node.inbox.post(node.engine.cancel, order.id, lambda count: None)
            node.desk.begin(order, arrival_s, ended, feedback, started)
            return
        except Failure as failure:
            reason = failure
        except Exception:   # noqa: B902
            node.log('error', 'bug, please report:\n' + traceback.format_exc())
            reason = Internal('bug, please report: ' + traceback.format_exc(limit=-2))
        subject = messages.subject_of_refused(message, node.desk.uses if node.desk else lambda id: False)
        answered = refusal(reason, subject, node.now_ns(), arrival_s)
        node.outlets.description(answered.descriptions[0])
        ended(answered)

    def _answering(self, callback: Callable[[Any, Any, Send], None]) -> Callable:
        """A service callback that always answers: what it raises would end spin, and the caller would wait for ever."""
        def call(request, response, reply):
            deadline_s = self._deadline_s(request)

            def send(make: Callable[[], Any]) -> None:
                try:
                    made = make()
                except Exception:   # noqa: B902
                    made = self._bug(response)
                self._pace.leave(deadline_s, lambda: reply(made))

            try:
                callback(request, response, send)
            except Exception:   # noqa: B902
                send(lambda: self._bug(response))
        return call

    def _bug(self, response):
        """The exception that is being handled as an answer, and in the log."""
        text = 'bug, please report: ' + traceback.format_exc()
        self._node.log('error', text)
        if hasattr(response, 'error_code'):
            response.error_code, response.error_msg = Internal.code, text
        return response

    def _fill(self, response, answered: Answered, return_mask: bool):
        """A DescribeRegion response or Describe result."""
        _fill_failure(response, answered)
        response.description = answered.descriptions[0]
        if return_mask and answered.mask is not None:
            header = response.description.header
            response.mask = image_message(messages.mask_pixels(answered.mask), 'mono8', 0, header.frame_id)
            response.mask.header = header
        return response

    def _fill_scene(self, response, answered: Answered):
        """A DescribeScene response or result."""
        _fill_failure(response, answered)
        response.descriptions = [] if answered.refused else answered.descriptions
        response.left_out = answered.left_out
        return response


def _drop_pixels(request) -> None:
    """rclpy keeps an ended goal until its result has timed out; its pictures need not stay so long."""
    if isinstance(request, Describe.Goal):
        request.image, request.region.mask = Image(), Image()
    else:
        request.regions = []


def _fill_failure(response, answered: Answered) -> None:
    if answered.failure is not None:
        response.error_code, response.error_msg = answered.failure.code, answered.failure.message
        response.retry_after_s = float(answered.failure.retry_after_s)
