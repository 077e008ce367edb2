"""~/sight: five times a second whether each camera can see, and how it has turned. Only while somebody subscribes.

Pictures are looked at in a thread of their own, so that neither requests nor slow decoding hold up what is published:
it is the node's heartbeat, too.
"""
from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
import math
import secrets
import time
import traceback

import numpy as np
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from dam_ros.core.camera_motion import Aim, assumed_rays
from dam_ros.core.describe_settings import DescribeSettings
from dam_ros.core.errors import Failure
from dam_ros.core.frames import NS, Found, Frame
from dam_ros.core.glance import grey
from dam_ros.core.lens import Unplaceable
from dam_ros.core.sighting import FROZEN, OFF, WIDTH_PX, Limits, Sighting, measured
from dam_ros.core.told_heading import ToldHeading
from dam_ros.core.visual_heading import LONGEST_GAP_S, VisualHeading, size_of
from dam_ros.msg import Sight
from dam_ros.nodes.cameras import Camera
from dam_ros.nodes.pictures import CameraPicture
from dam_ros.nodes.whereabouts import Transforms, lens_of

_TICK_S = 0.1        # so often pictures are looked at
_TICKS = 2           # after so many ~/sight goes out
_JUDGE_S = 0.45      # so often whether it is dark, covered or blurred
_AFTER_STAMP = 12    # bytes of a serialized header: encapsulation and stamp
_REST = 30           # times as long as a look took rests the camera: at most 3 % of a core, whatever it sends


@dataclass(frozen=True)
class Known:
    """Of one camera.

    Attributes:
        state: one of Sight.msg's.
        untold: why tf does not tell how it turns, '' = it does, or need not.
    """

    state: int
    untold: str


class Sights:
    """Made once with the node, as ~/sight is published in every state of its life.

    Args:
        settings: gives the settings as they count now.
        names: of the cameras, where there are none yet.
    """

    def __init__(self, node: Node, settings: Callable[[], DescribeSettings], names: Callable[[], list[str]]):
        self._node, self._settings, self._names = node, settings, names
        self._publisher = node.create_publisher(Sight, '~/sight', 10)
        self._watches: list[Watch] = []
        self._ticks = 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix='sight')
        self._timer = node.create_timer(_TICK_S, self._tick, ReentrantCallbackGroup(),
                                        Clock(clock_type=ClockType.STEADY_TIME))   # goes on while /clock is paused
        self._timer.cancel()

    def begin(self, cameras: list[Camera], transforms: Transforms) -> None:
        """The node is active."""
        told = transforms if self._settings().fixed_frame else None
        self._watches = [Watch(one, self._settings, told, self._trouble) for one in cameras]

    def end(self) -> None:
        """It is so no more. What is looked at just now is forgotten when it is done."""
        self._watches = []

    def known(self) -> dict[str, Known]:
        """By camera; none while nobody subscribes, as then nobody looks."""
        if self._timer.is_canceled():
            return {}
        now_s = time.monotonic()
        return {one.name: one.known(now_s) for one in self._watches}

    def close(self) -> None:
        self._timer.cancel()
        self._pool.shutdown(cancel_futures=True)

    def in_background(self, work: Callable[[], None]) -> None:
        """In the thread for looks, after those that wait."""
        self._pool.submit(work)

    def follow_subscribers(self) -> None:
        """Called each second: a timer that nobody needs costs half a percent of a core."""
        wanted = self._publisher.get_subscription_count() > 0
        if wanted and self._timer.is_canceled():
            self._ticks = 0
            for one in self._watches:
                one.begin_anew(time.monotonic())
            self._timer.reset()
        elif not wanted:
            self._timer.cancel()

    def _tick(self) -> None:
        now_s = time.monotonic()
        for one in self._watches:
            one.glance(now_s, self._pool)
        if self._ticks % _TICKS == 0:
            told = [one.message(now_s) for one in self._watches] or [_off(name) for name in self._names()]
            for message in told:
                self._publisher.publish(message)
        self._ticks += 1

    def _trouble(self, text: str) -> None:
        self._node.get_logger().error(text)


class Watch:
    """What is known of one camera that is open.

    Args:
        transforms: that tell how the camera turns, None = the pictures do.
        trouble: gets a bug, in the thread for looks.
    """

    def __init__(self, camera: Camera, settings: Callable[[], DescribeSettings], transforms: Transforms | None,
                 trouble: Callable[[str], None]):
        self._camera, self._settings, self._transforms, self._trouble = camera, settings, transforms, trouble
        epoch = secrets.randbits(32)   # another than before a restart
        self._told, self._visual, self._aiming = ToldHeading(epoch), VisualHeading(epoch), _Aiming(camera)
        self._untold = ''   # why tf does not tell how it turned
        self._turned = epoch, math.nan, math.nan   # epoch, rad, rad/s
        self._turned_s = -math.inf                 # when that was so
        self._sighting = Sighting(camera.open_s)
        self._looked: Frame | None = None    # the last that was looked at, or is just now
        self._shown: tuple[np.ndarray, object] | None = None   # its small picture, and its bytes
        self._busy, self._due_s, self._judge_s = False, 0.0, 0.0

    def begin_anew(self, now_s: float) -> None:
        """Nobody has looked for a while: what was seen before says nothing, and the next picture is waited for."""
        self._sighting, self._shown = Sighting(now_s), None

    def glance(self, now_s: float, pool: ThreadPoolExecutor) -> None:
        """Has the newest picture looked at, where that is due. In the executor's thread."""
        newest = self._camera.ring.newest
        if self._transforms is not None and newest is not None:
            facing = self._transforms.facing(newest.frame_id)
            self._told.tell(now_s, facing.yaw_rad, facing.stamp_ns)
            self._untold = facing.why
            self._tell(self._told, now_s)
        if newest is None or newest is self._looked or self._busy or now_s < self._due_s:
            return
        self._looked, self._busy = newest, True
        pool.submit(self._look, newest, self._camera.picture_s, now_s)

    @property
    def name(self) -> str:
        return self._camera.name

    def known(self, now_s: float) -> Known:
        """For diagnostics."""
        return Known(self._sighting.state(now_s, self._limits()), self._untold)

    def message(self, now_s: float) -> Sight:
        newest, came_s = self._camera.ring.newest, self._camera.picture_s
        message = _off(self._camera.name)
        message.state = self._sighting.state(now_s, self._limits())
        message.age_s = now_s - came_s
        if newest is not None:
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(newest.stamp_ns, NS)
            message.header.frame_id = newest.frame_id
        message.heading_epoch, heading_rad, turning_rad_s = self._turned
        blind = message.state == FROZEN and self._transforms is None
        if now_s - self._turned_s <= LONGEST_GAP_S and not blind:
            message.heading_rad, message.turning_rad_s = heading_rad, turning_rad_s
        return message

    def _tell(self, heading: ToldHeading | VisualHeading, at_s: float) -> None:
        self._turned, self._turned_s = (heading.epoch, heading.heading_rad, heading.rate_rad_s), at_s

    def _limits(self) -> Limits:
        settings = self._settings()
        return Limits(**{one.name: getattr(settings, f'sight_{one.name}') for one in fields(Limits)})

    def _look(self, frame: Frame, came_s: float, now_s: float) -> None:
        begun_s = time.thread_time()
        try:
            self._see(frame, came_s)
        except Failure:   # of a picture that cannot be read; diagnostics tell whoever asks about it
            pass
        except Exception:   # noqa: B902  the next would not be looked at
            self._trouble('bug, please report:\n' + traceback.format_exc())
        self._due_s = now_s + _REST * (time.thread_time() - begun_s)
        self._busy = False

    def _see(self, frame: Frame, came_s: float) -> None:
        """Raises NoFrame."""
        encoded = CameraPicture(frame).encoded()
        small = grey(encoded, WIDTH_PX)
        shown, self._shown = self._shown, (small, encoded.data)
        self._sighting.came(came_s, shown is not None and _same(*shown, *self._shown))
        if self._transforms is None:
            self._turn(frame, came_s, small)
        if came_s - self._judge_s >= _JUDGE_S:
            self._judge_s = came_s
            self._sighting.looks(came_s, measured(small), self._limits())

    def _turn(self, frame: Frame, came_s: float, small: np.ndarray) -> None:
        if self._sighting.frozen(came_s, self._limits()):   # the camera may turn, and nothing shows it
            self._visual.lose()
        else:
            aim = self._aiming.aim(frame, size_of(small), self._settings())
            self._visual.saw(frame.stamp_ns / NS if frame.stamp_ns else came_s, small, aim)
        self._tell(self._visual, came_s)


class _Aiming:
    """Where the pixels of a camera's pictures look, made anew only where its camera info says something new."""

    def __init__(self, camera: Camera):
        self._camera, self._known, self._aim = camera, None, None

    def aim(self, frame: Frame, size: tuple[int, int], settings: DescribeSettings) -> Aim:
        """Of its pictures, scaled to this size (h, w)."""
        info = self._camera.completed(Found(frame)).info
        said = info and info.data[_AFTER_STAMP:]
        known = size, said, settings.assumed_fov_deg
        if known != self._known:
            self._known, self._aim = known, Aim(self._rays(frame, info, size, settings), self._camera.up)
        return self._aim

    def _rays(self, frame: Frame, info: Frame | None, size: tuple[int, int], settings: DescribeSettings) -> np.ndarray:
        height, width = size
        if info is not None:
            try:
                lens = lens_of(self._camera, info, frame, settings.image_is_rectified)
            except (Unplaceable, Failure):   # diagnostics tell whoever asks where something is
                pass
            else:
                y, x = np.mgrid[0.5:height, 0.5:width]
                pixels = np.column_stack([x.ravel() * lens.width / width, y.ravel() * lens.height / height]) - 0.5
                return lens.rays(pixels).reshape(height, width, 3)
        return assumed_rays(height, width, math.radians(settings.assumed_fov_deg))


def _same(small: np.ndarray, data: object, other: np.ndarray, others: object) -> bool:
    """Whether two pictures are the very same; the small ones say mostly that they are not."""
    return np.array_equal(small, other) and np.array_equal(*(np.frombuffer(one, np.uint8) for one in (data, others)))


def _off(name: str) -> Sight:
    return Sight(camera=name, state=OFF, age_s=math.nan, heading_rad=math.nan, turning_rad_s=math.nan)
