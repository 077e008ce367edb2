"""Which picture of a camera a call gets, and who waits for one that has not come. It looks at no pixel."""
from __future__ import annotations

from collections.abc import Callable
import math
import time

from dam_ros.core.describe_settings import DescribeSettings
from dam_ros.core.errors import Failure
from dam_ros.core.frames import Found, Pending
from dam_ros.core.orders import Order, check_clip_describer, check_clip_segmenter
from dam_ros.engine.engine import Engine
from dam_ros.nodes.call import Call
from dam_ros.nodes.cameras import Camera
from dam_ros.nodes.pictures import CameraPicture


class Choosing:
    """Everything but `frame_came` is called in the engine's thread.

    Args:
        settings: gives the settings as they count now.
        now_ns: ROS time.
        chosen: gets each call that has its picture.
    """

    def __init__(self, settings: Callable[[], DescribeSettings], engine: Engine, now_ns: Callable[[], int],
                 chosen: Callable[[Call, CameraPicture, Found], None]):
        self._settings, self._engine, self._now_ns, self._tell = settings, engine, now_ns, chosen
        self._waiting: dict[Call, Camera] = {}

    def begin(self, call: Call, camera: Camera) -> None:
        """`chosen` follows, now or later, or the request fails."""
        self._waiting[call] = camera   # before it looks, so that a frame that comes meanwhile is not missed
        self._chosen(call, self._look_for(call, camera))

    def leave(self, call: Call) -> None:
        """Its request has ended."""
        self._waiting.pop(call, None)

    def frame_came(self, camera: Camera) -> None:
        """Somebody may have waited for it. In the executor's thread, and chosen there at once: who waits for the first
        picture after a time must not get the second, where that comes before the engine's thread has looked."""
        for call in [one for one, waits_for in list(self._waiting.items()) if waits_for is camera]:
            self._engine.soon(self._chosen, call, self._look_for(call, camera))

    def tick(self, now_s: float) -> None:
        """Ends what waited too long. Args: now_s: s of the steady clock."""
        for call in list(self._waiting):
            if now_s >= call.pending_until_s:
                del self._waiting[call]
                self._engine.fail(call.request, call.request.waiting_for)

    def _look_for(self, call: Call, camera: Camera) -> Found | Pending | Failure:
        """In any thread."""
        try:
            status = self._engine.status
            if status.state == 'ready':   # else the worker says so when it is
                check_clip_describer(call.order.wish, status.describer, status.max_pictures)
                if isinstance(call.order, Order):
                    check_clip_segmenter(call.order.wish, call.order.region, status.segmenter, status.follows)
            return camera.ring.choose(call.order.wish, self._now_ns())
        except Failure as failure:
            return failure

    def _chosen(self, call: Call, found: Found | Pending | Failure) -> None:
        if call not in self._waiting:   # it has its picture
            return
        if call.request.open and isinstance(found, Pending):
            self._wait(call, found)
            return
        del self._waiting[call]
        if isinstance(found, Failure):
            self._engine.fail(call.request, found)
        elif call.request.open:
            self._tell(call, CameraPicture(found.picture), found)

    def _wait(self, call: Call, pending: Pending) -> None:
        call.under_way.set()
        call.request.waiting_for = pending.failure
        if pending.to_deadline:
            call.pending_until_s = math.inf
        elif not math.isfinite(call.pending_until_s):
            call.pending_until_s = time.monotonic() + self._settings().frame_wait_s
        if call.phase != 'waiting':
            call.phase = 'waiting'
            call.show(at_once=True)
