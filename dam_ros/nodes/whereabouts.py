"""What cameras and tf2 tell about where things are, and why not, for diagnostics."""
from __future__ import annotations

from dataclasses import dataclass, replace
import math
from typing import Any

from rclpy.node import Node
from rclpy.time import Time

from dam_ros.core.distance import metres
from dam_ros.core.errors import Failure, complaint
from dam_ros.core.frames import NS, Found, Frame
from dam_ros.core.lens import Lens, Unplaceable, is_rectified
from dam_ros.core.placing import Place, is_optical, moved, rotation_of
from dam_ros.core.viewing import View, for_people
from dam_ros.nodes.cameras import Camera
from dam_ros.nodes.pictures import read_depth, read_info

_LEVEL = 0.17   # of a direction's length must be level, 10 degrees from straight up or down


class Sight:
    """How the picture of a request was taken, as far as is known by now.

    Depth is often later than the picture it belongs to, so it is looked for once more when the answer is made.

    Args:
        rectified: the parameter image_is_rectified.

    Attributes:
        first: the view that was had first, when regions were planned; None before.
    """

    def __init__(self, camera: Camera, found: Found, rectified: str):
        self._camera, self._found, self._rectified = camera, found, rectified
        self._seen: tuple[Frame | None, Frame | None] | None = None   # info and depth of the view
        self._view = View()
        self.first: View | None = None

    def tried(self, failure: Failure | None) -> None:
        """What came of the picture, for diagnostics."""
        self._camera.tried(self._found, failure)

    def view(self) -> View:
        """The same object as long as nothing more is known. In any thread."""
        found = self._camera.completed(self._found)
        if self._seen != (found.info, found.depth):
            self._view, self._seen = self._look(found), (found.info, found.depth)
        self.first = self.first or self._view
        return self._view

    def _look(self, found: Found) -> View:
        lens, depth, why = None, None, []
        if found.info is not None:
            try:
                lens = lens_of(self._camera, found.info, found.picture, self._rectified)
            except (Unplaceable, Failure) as unknown:
                why.append(str(unknown))
        elif found.depth is not None:
            why.append('depth comes, but no camera_info: without it a depth is no straight line')
        if found.depth is not None and lens is not None:
            try:
                depth = _depth(found.depth, found.picture)
            except (Unplaceable, Failure) as unknown:
                why.append(str(unknown))
        return View(lens, depth, found.picture.up, tuple(why))


def lens_of(camera: Camera, info: Frame, picture: Frame, rectified: str) -> Lens:
    """Raises Unplaceable, NoFrame where the camera info cannot be used. Args: rectified: as of `Sight`."""
    if info.frame_id and picture.frame_id and info.frame_id != picture.frame_id:   # of the other camera of a pair?
        raise Unplaceable(complaint('camera_info: header.frame_id', info.frame_id, f'{picture.frame_id!r} as the '
                                    'picture', 'Remap camera_info to the topic of the same camera'))
    return Lens.from_info(**read_info(info), rectified=is_rectified(rectified, camera.topic(camera.image)))


def _depth(depth: Frame, picture: Frame):
    if depth.frame_id != picture.frame_id:
        raise Unplaceable(complaint('depth.header.frame_id', depth.frame_id, f'{picture.frame_id!r} as the picture',
                                    'Let the driver register depth to the colour camera'))
    return metres(*read_depth(depth))


@dataclass(frozen=True)
class Facing:
    """Where a camera looks in the fixed frame.

    Attributes:
        yaw_rad: left positive, NaN unknown.
        stamp_ns: of the transform, 0 = it always holds.
        why: it is unknown, '' = it is known.
    """

    yaw_rad: float
    stamp_ns: int
    why: str = ''


class Transforms:
    """Places in the frame that the parameter reference_frame names, and where cameras look in the fixed frame.

    Args:
        frame: '' = those of the cameras.
        fixed_frame: the parameter; '' = none.

    Attributes:
        trouble: why nothing can be transformed, '' = it can, or need not.
    """

    def __init__(self, node: Node, frame: str, fixed_frame: str = ''):
        self._node, self._frame, self._fixed_frame, self._tf2, self.trouble = node, frame, fixed_frame, None, ''
        self._buffer = self._listener = None
        if not frame and not fixed_frame:
            return
        try:
            import tf2_ros   # not everybody has it, and its listener reads every transform of the robot
        except ImportError as error:
            name = 'reference_frame' if frame else 'fixed_frame'
            self.trouble = f'{name} is {frame or fixed_frame!r}, but tf2_ros cannot be imported ({error}): install ' \
                           f'ros-$ROS_DISTRO-tf2-ros-py, or leave {name} empty'
            return
        self._tf2 = tf2_ros
        self.begin_anew()

    def begin_anew(self) -> None:
        """ROS time went back: to tf2 all that comes from now on is older than what it has, and is dropped."""
        if self._tf2 is not None:
            self.close()
            self._buffer = self._tf2.Buffer()
            self._listener = self._tf2.TransformListener(self._buffer, self._node)

    def close(self) -> None:
        if self._listener is not None:
            self._listener.unregister()
            self._listener = None

    def tell(self, place: Place, frame_id: str, stamp_ns: int, up: str) -> tuple[str, Place]:
        """(frame, place) as a Description tells it: moved at the picture's stamp, or unknown.

        Args:
            place: in the picture's frame.
            up: which edge of the picture is up in the world, where there is no frame that says it.
        """
        if not self._frame:
            return frame_id, for_people(place, up)
        try:
            return self._frame, self._moved(place, frame_id, stamp_ns)
        except Unplaceable as unknown:
            return self._frame, Place(in_picture=place.in_picture, why=(*place.why, str(unknown)))

    def facing(self, frame_id: str) -> Facing:
        """Of a camera, as told last; one that looks straight up or down has no yaw."""
        if self._buffer is None or not frame_id:
            return Facing(math.nan, 0, self.trouble or "header.frame_id of the picture is ''")
        try:
            told = self._buffer.lookup_transform(self._fixed_frame, frame_id, Time())
            turn, stamp = told.transform.rotation, told.header.stamp
            rotation = rotation_of(turn.x, turn.y, turn.z, turn.w)
        except Exception as error:   # noqa: B902  tf2's own kinds, and numbers that are no rotation
            return Facing(math.nan, 0, f'no transform from {frame_id} to {self._fixed_frame}: {error}')
        x, y, _ = rotation[:, 2 if is_optical(frame_id) else 0]
        stamp_ns = stamp.sec * NS + stamp.nanosec
        if math.hypot(x, y) <= _LEVEL:
            return Facing(math.nan, stamp_ns, f'{frame_id} looks straight up or down')
        return Facing(math.atan2(y, x), stamp_ns)

    def _moved(self, place: Place, frame_id: str, stamp_ns: int) -> Place:
        if self._buffer is None:
            raise Unplaceable(self.trouble)
        transform = self._transform(frame_id, stamp_ns)
        turn, offset = transform.rotation, transform.translation
        there = moved(place, rotation_of(turn.x, turn.y, turn.z, turn.w), [offset.x, offset.y, offset.z],
                      is_optical(self._frame))
        if math.isnan(there.bearing_rad) and not math.isnan(place.bearing_rad):
            there = replace(there, why=(*there.why, f'without a distance the direction from {self._frame} is unknown, '
                                        'as the camera is not right above it: let depth come'))
        return there

    def _transform(self, frame_id: str, stamp_ns: int) -> Any:
        """geometry_msgs/Transform. Raises Unplaceable."""
        if not frame_id:
            raise Unplaceable("header.frame_id of the picture is '', so no transform can be looked for")
        if not stamp_ns:
            raise Unplaceable('the picture has no stamp, and tf2 would take the latest transform for it')
        try:
            return self._buffer.lookup_transform(self._frame, frame_id, Time(nanoseconds=stamp_ns)).transform
        except Exception as error:   # noqa: B902  tf2's own kinds, of a library that may be absent
            raise Unplaceable(f'no transform from {frame_id} to {self._frame} at {stamp_ns / NS:.3f}: '
                              f'{error}') from error
