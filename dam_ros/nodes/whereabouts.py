"""What cameras and tf2 tell about where things are, and why not, for diagnostics. No pixel arithmetic."""
from __future__ import annotations

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


class Sight:
    """How the picture of a request was taken, as far as is known by now.

    Depth is often later than the picture it belongs to, so it is looked for once more when the answer is made.

    Args:
        rectified: the parameter image_is_rectified.
    """

    def __init__(self, camera: Camera, found: Found, rectified: str):
        self._camera, self._found, self._rectified = camera, found, rectified
        self._seen: tuple[Frame | None, Frame | None] | None = None   # info and depth of the view
        self._view = View()

    @property
    def grown(self) -> bool:
        """More is known than when `view` was last asked."""
        found = self._camera.placed(self._found)
        return self._seen != (found.info, found.depth)

    def view(self) -> View:
        """In any thread."""
        found = self._camera.placed(self._found)
        if self._seen != (found.info, found.depth):
            self._view, self._seen = self._look(found), (found.info, found.depth)
        return self._view

    def _look(self, found: Found) -> View:
        lens, depth, why = None, None, []
        if found.info is not None:
            try:
                rectified = is_rectified(self._rectified, self._camera.image.subscription.topic_name)
                lens = Lens.from_info(**read_info(found.info), rectified=rectified)
            except (Unplaceable, Failure) as unknown:
                why.append(str(unknown))
        if found.depth is not None and lens is not None:   # without a lens it would tell no straight line
            try:
                depth = _depth(found.depth, found.picture)
            except (Unplaceable, Failure) as unknown:
                why.append(str(unknown))
        return View(lens, depth, found.picture.up, tuple(why))


def _depth(depth: Frame, picture: Frame):
    if depth.frame_id != picture.frame_id:
        raise Unplaceable(complaint('depth.header.frame_id', depth.frame_id, f'{picture.frame_id!r} as the picture',
                                    'Let the driver register depth to the colour camera'))
    return metres(*read_depth(depth))


class Transforms:
    """Places in the frame that the parameter reference_frame names.

    Args:
        frame: '' = those of the cameras.

    Attributes:
        trouble: why nothing can be transformed, '' = it can, or need not.
    """

    def __init__(self, node: Node, frame: str):
        self._frame, self._buffer, self._listener, self.trouble = frame, None, None, ''
        if not frame:
            return
        try:
            import tf2_ros   # not everybody has it, and its listener reads every transform of the robot
        except ImportError as error:
            self.trouble = f'reference_frame is {frame!r}, but tf2_ros cannot be imported ({error}): install ' \
                           'ros-$ROS_DISTRO-tf2-ros-py, or leave reference_frame empty'
            return
        self._buffer = tf2_ros.Buffer()
        self._listener = tf2_ros.TransformListener(self._buffer, node)

    def close(self) -> None:
        if self._listener is not None:
            self._listener.unregister()

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

    def _moved(self, place: Place, frame_id: str, stamp_ns: int) -> Place:
        if self._buffer is None:
            raise Unplaceable(self.trouble)
        transform = self._transform(frame_id, stamp_ns)
        turn, offset = transform.rotation, transform.translation
        return moved(place, rotation_of(turn.x, turn.y, turn.z, turn.w), [offset.x, offset.y, offset.z],
                     is_optical(self._frame))

    def _transform(self, frame_id: str, stamp_ns: int) -> Any:
        """geometry_msgs/Transform. Raises Unplaceable."""
        if not stamp_ns:
            raise Unplaceable('the picture has no stamp, and tf2 would take the latest transform for it')
        try:
            return self._buffer.lookup_transform(self._frame, frame_id, Time(nanoseconds=stamp_ns)).transform
        except Exception as error:   # noqa: B902  tf2's own kinds, of a library that may be absent
            raise Unplaceable(f'no transform from {frame_id} to {self._frame} at {stamp_ns / NS:.3f}: '
                              f'{error}') from error
