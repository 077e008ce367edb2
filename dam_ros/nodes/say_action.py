"""The action `say`: turns goals into requests to speak and outcomes into results. It knows no voice."""
from __future__ import annotations

from collections.abc import Callable
import math
import re
import traceback
import uuid

from rclpy.action import ActionServer, CancelResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy
from rclpy.task import Future

from dam_ros.action import Say
from dam_ros.core.errors import Cancelled, Failure, Internal, invalid
from dam_ros.core.speakable import cut, Sentence
from dam_ros.core.speech_acts import Done, Request, TOLD, URGENT, ASKED
from dam_ros.core.speech_settings import SpeechSettings
from dam_ros.nodes.inbox import Inbox
from dam_ros.voices.speaker import Speaker
from dam_ros.voices.synthesized import now

MAX_TEXT = 100_000
_RESULT_TIMEOUT_S = 10   # how long a result is kept for whoever asks late
# The usual depth of 10 loses the eleventh goal that comes at once, and its caller waits for ever.
_MANY = QoSProfile(depth=1000, reliability=QoSReliabilityPolicy.RELIABLE, durability=QoSDurabilityPolicy.VOLATILE)
_LANGUAGE = re.compile(r'[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*')


class SayAction:
    """Serves `say`. Its owner calls `on_sentence` and `on_done` for every request, ours or not."""

    def __init__(self, node: Node, inbox: Inbox, settings: Callable[[], SpeechSettings]):
        self._node, self._inbox, self._settings = node, inbox, settings
        self._speaker: Speaker | None = None
        self._open: dict[str, tuple[ServerGoalHandle, Future]] = {}
        self._server: ActionServer | None = None

    def serve(self, speaker: Speaker) -> None:
        self._speaker = speaker
        self._server = ActionServer(self._node, Say, 'say', self._execute, cancel_callback=self._on_cancel,
                                    callback_group=ReentrantCallbackGroup(), result_timeout=_RESULT_TIMEOUT_S,
                                    goal_service_qos_profile=_MANY, result_service_qos_profile=_MANY,
                                    cancel_service_qos_profile=_MANY)

    def on_sentence(self, request: Request, sentence: Sentence) -> None:
        if request.key in self._open:
            handle, _ = self._open[request.key]
            handle.publish_feedback(Say.Feedback(offset=sentence.start, length=len(handle.request.text),
                                                 sentence=sentence.text))

    def on_done(self, done: Done) -> None:
        if done.request.key in self._open:
            self._inbox.resolve(self._open[done.request.key][1], done)

    async def _execute(self, handle: ServerGoalHandle) -> Say.Result:
        try:
            return await self._say(handle)
        except Failure as failure:
            handle.abort()
            return Say.Result(error_code=failure.code, error_msg=failure.message)
        except Exception as error:   # noqa: B902  would end `spin`, and the caller would wait for ever
            self._node.get_logger().error('bug, please report:\n' + traceback.format_exc())
            handle.abort()
            return Say.Result(error_code=Internal.code, error_msg=f'{type(error).__name__}: {error}')

    async def _say(self, handle: ServerGoalHandle) -> Say.Result:
        key, goal = _key(handle), handle.request
        request = to_request(key, goal, self._settings(), now())
        future = Future()
        self._open[key] = handle, future
        try:
            self._speaker.request(request)
            done: Done = await future
        finally:
            self._open.pop(key, None)
        result = Say.Result(error_code=done.code, error_msg=done.message, spoken_chars=request.heard_chars)
        if done.code == 0:
            result.spoken_chars = len(goal.text)   # with what is not pronounced at its end
            handle.succeed()
        elif done.code == Cancelled.code and handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
        return result

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        # Later, when the goal's state has become "canceling".
        self._inbox.post(self._speaker.cancel, _key(handle))
        return CancelResponse.ACCEPT


def to_request(key: str, goal: Say.Goal, settings: SpeechSettings, now_s: float) -> Request:
    """Raises InvalidRequest naming the field."""
    if len(goal.text) > MAX_TEXT:
        raise invalid('length of text', len(goal.text), f'at most {MAX_TEXT} characters', 'Send it in parts')
    if goal.priority > 4:
        raise invalid('priority', goal.priority, '1 TOLD, 2 ASKED, 3 URGENT, 4 PROGRESS (0 reads as TOLD)')
    if not (math.isfinite(goal.valid_s) and goal.valid_s >= 0.0):
        raise invalid('valid_s', goal.valid_s, 'at least 0 (s), 0 = the parameter')
    if goal.rate_wpm != 0.0 and not 80.0 <= goal.rate_wpm <= 500.0:
        raise invalid('rate_wpm', goal.rate_wpm, '80 to 500 (words per minute), 0 = the parameter')
    if goal.language and not _LANGUAGE.fullmatch(goal.language):
        raise invalid('language', goal.language, "a BCP 47 tag such as 'en' or 'de-AT', '' = the parameter")
    priority = goal.priority or TOLD
    usual_s = settings.asked_stale_after_s if priority in (ASKED, URGENT) else settings.stale_after_s
    return Request(key, priority, cut(goal.text), now_s, now_s + (goal.valid_s or usual_s), about=goal.about,
                   language=goal.language, rate_wpm=goal.rate_wpm)


def _key(handle: ServerGoalHandle) -> str:
    return f'say {uuid.UUID(bytes=bytes(handle.goal_id.uuid))}'
