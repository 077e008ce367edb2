"""Which picture describe_node takes, and which label image belongs to it: exact, within the slop, or refused."""
from __future__ import annotations

import time

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from builtin_interfaces.msg import Time  # noqa: E402
from lifecycle_msgs.msg import Transition  # noqa: E402
from ros_graph import NS, Camera, picture, serving, stamp_of  # noqa: E402
from rclpy.clock import Clock  # noqa: E402

from dam_ros.msg import ErrorCode, Region  # noqa: E402

pytestmark = pytest.mark.ros
MS = 1_000_000
LEFT = Region(labels=[1])


@pytest.fixture(scope='module')
def served():
    with serving(image_reliability='reliable', ring_s=2.0, frame_wait_s=0.3) as node:
        yield node


@pytest.fixture(scope='module')
def connected(served):
    camera = Camera(served)
    camera.connect()
    return camera


@pytest.fixture
def camera(served, connected):
    """What earlier tests showed is forgotten."""
    assert served.change_state(Transition.TRANSITION_DEACTIVATE)
    assert served.change_state(Transition.TRANSITION_ACTIVATE)
    return connected


def ros_time(stamp_ns: int) -> Time:
    return Time(sec=stamp_ns // NS, nanosec=stamp_ns % NS)


def shown(served, camera) -> list[int]:
    """Shows ten pictures 50 ms apart, without labels, that the node has. Returns their stamps, the newest last."""
    newest = time.time_ns()
    stamps = [camera.show(newest - 50 * MS * before) for before in range(9, -1, -1)]
    served.until(lambda: served.describe(stamp=ros_time(newest)).error_code == 0)
    return stamps


def at(served, stamp_ns: int, **fields):
    """(error code, distance in ns of the picture that was described)."""
    answer = served.describe(stamp=ros_time(stamp_ns), timeout_s=fields.pop('timeout_s', 2.0), **fields)
    return answer.error_code, stamp_of(answer.description) - stamp_ns if answer.error_code == 0 else answer.error_msg


def test_stamp_names_the_very_picture_or_the_nearest_within_the_slop(served, camera):
    stamps = shown(served, camera)
    assert at(served, stamps[4]) == (0, 0)
    assert at(served, stamps[4] + 1) == (0, -1)
    assert at(served, stamps[4] - 20 * MS) == (0, 20 * MS)
    assert at(served, stamps[4] + 20 * MS) == (0, -20 * MS)
    code, words = at(served, stamps[4] + 25 * MS)
    assert code == ErrorCode.NO_FRAME
    assert 'stamp is' in words and 'sync_slop_s 0.02' in words and 'The nearest is' in words


def test_a_stamp_that_has_left_the_ring_is_stale(served, camera):
    stamps = shown(served, camera)
    code, words = at(served, stamps[0] - 10 * NS)
    assert code == ErrorCode.STALE_FRAME
    assert 'ring_s' in words


def test_a_stamp_to_come_is_waited_for_until_the_deadline(served, camera):
    stamps = shown(served, camera)
    begun = time.monotonic()
    future = served.begin(stamp=ros_time(stamps[-1] + 80 * MS), timeout_s=10.0)
    served.spin(0.6)   # longer than frame_wait_s, which counts for the first picture only
    assert not future.done()
    camera.show(stamps[-1] + 80 * MS)
    served.until(future.done, 5.0)
    assert future.result().error_code == 0
    assert time.monotonic() - begun < 5
    assert at(served, stamps[-1] + 5 * NS, timeout_s=0.3)[0] == ErrorCode.NO_FRAME


def test_not_before_waits_for_the_first_picture_taken_then(served, camera):
    stamps = shown(served, camera)
    wanted = stamps[-1] + 100 * MS
    future = served.begin(not_before=ros_time(wanted), timeout_s=10.0)
    camera.show(wanted - 40 * MS)
    served.spin(0.3)
    assert not future.done()
    camera.show(wanted + 3 * MS)
    camera.show(wanted + 60 * MS)
    served.until(future.done, 5.0)
    assert stamp_of(future.result().description) == wanted + 3 * MS
    old = served.describe(not_before=ros_time(stamps[0]))
    assert stamp_of(old.description) == wanted + 60 * MS   # the newest is after it anyway


def test_max_age_s_refuses_an_old_picture_and_the_default_is_a_parameter(served, camera):
    shown(served, camera)
    camera.show(time.time_ns())
    assert served.describe(max_age_s=60.0).error_code == 0
    served.spin(0.3)
    assert served.describe(max_age_s=0.1).error_code == ErrorCode.STALE_FRAME
    try:
        assert served.set_parameter('max_frame_age_s', 0.05).successful
        answer = served.describe()
        assert answer.error_code == ErrorCode.STALE_FRAME
        assert 'at most 0.05 s' in answer.error_msg
    finally:
        served.set_parameter('max_frame_age_s', 2.0)


def test_the_newest_picture_with_a_label_image_is_taken_where_labels_are_asked_for(served, camera):
    stamps = shown(served, camera)
    camera.label(stamps[5])
    served.until(lambda: stamp_of(served.describe(region=LEFT).description) == stamps[5])
    assert stamp_of(served.describe().description) == stamps[-1]
    camera.show(stamps[-1] + 10 * MS)
    assert stamp_of(served.describe(region=LEFT).description) == stamps[5]


def test_a_label_image_within_the_slop_is_taken_and_one_beyond_is_not(served, camera):
    stamps = shown(served, camera)
    camera.label(stamps[3] + 20 * MS)
    served.until(lambda: at(served, stamps[3], region=LEFT)[0] == 0)
    assert at(served, stamps[3], region=LEFT) == (0, 0)
    late = camera.show(stamps[-1] + 500 * MS)
    camera.label(late + 21 * MS)
    code, words = at(served, late, region=LEFT)
    assert code == ErrorCode.NO_LABEL_IMAGE
    assert '+21 ms off' in words and 'sync_slop_s 0.02' in words


def test_a_label_image_that_is_asked_for_by_stamp_is_waited_for(served, camera):
    stamps = shown(served, camera)
    camera.label(stamps[2])
    served.until(lambda: at(served, stamps[2], region=LEFT)[0] == 0)
    future = served.begin(stamp=ros_time(stamps[-1]), region=LEFT, timeout_s=10.0)
    served.spin(0.8)
    assert not future.done()
    camera.label(stamps[-1])
    served.until(future.done, 5.0)
    assert (future.result().error_code, stamp_of(future.result().description)) == (0, stamps[-1])


def test_a_picture_and_its_labels_stay_until_there_is_a_newer_pair(served, camera):
    """Everything else has left the ring meanwhile."""
    old = camera.show(time.time_ns() - 6 * NS)
    stamps = [old]
    camera.label(old, np.full((48, 64), 77, np.uint8))
    served.until(lambda: at(served, old, region=Region(labels=[77]))[0] == 0)
    for index in range(1, 60):
        stamps.append(camera.show(old + index * 100 * MS))
    served.until(lambda: at(served, stamps[-1])[0] == 0)
    assert at(served, stamps[5])[0] == ErrorCode.STALE_FRAME
    answer = served.describe(region=Region(labels=[77]), max_age_s=60.0)
    assert stamp_of(answer.description) == old
    assert served.describe(region=Region(labels=[77])).error_code == ErrorCode.STALE_FRAME
    camera.label(stamps[-1])
    served.until(lambda: stamp_of(served.describe(region=LEFT).description) == stamps[-1])
    assert served.describe(region=Region(labels=[77]), max_age_s=60.0).error_code == ErrorCode.UNKNOWN_LABEL


def test_a_label_image_of_another_size_is_refused(served, camera):
    stamps = shown(served, camera)
    camera.label(stamps[-1], np.ones((24, 32), np.uint8))
    served.until(lambda: served.describe(region=LEFT).error_code == ErrorCode.NO_LABEL_IMAGE)
    words = served.describe(region=LEFT).error_msg
    assert '32x24' in words and '64x48' in words
    scene = served.describe_scene()
    assert (scene.error_code, len(scene.descriptions)) == (ErrorCode.NO_LABEL_IMAGE, 0)
    served.until(lambda: '32x24' in served.status['segmentation'].message)
    assert served.describe().error_code == 0
    camera.label(camera.show())
    served.until(lambda: served.describe(region=LEFT).error_code == 0)
    served.until(lambda: served.status['segmentation'].message == 'frames come')


def test_who_asks_before_the_camera_starts_gets_the_first_picture_or_hears_why_not():
    with serving(image_reliability='reliable', frame_wait_s=1.0) as served:
        begun = time.monotonic()
        answer = served.describe(timeout_s=10.0)
        assert answer.error_code == ErrorCode.NO_FRAME
        assert f'{served.namespace}/image' in answer.error_msg
        assert 0.9 < time.monotonic() - begun < 3.0
        camera = Camera(served)
        camera.connect()
        camera.show()
        assert served.describe().error_code == 0


def test_several_cameras_have_each_their_own_pictures_and_labels():
    with serving(image_reliability='reliable', cameras=['front', 'rear']) as served:
        front, rear = Camera(served, 'front/'), Camera(served, 'rear/')
        front.connect()
        rear.connect()
        stamps = {'front': front.show(width=80), 'rear': rear.show(width=96)}
        for name, width in (('front', 80), ('rear', 96), ('', 80)):
            wanted = stamps[name or 'front']
            one = served.until(lambda: (found := served.describe(camera=name).description)   # noqa: B023
                               and stamp_of(found) == wanted and found)   # noqa: B023
            assert one.box.width == width
            assert one.camera == (name or 'front')
        assert served.describe(camera='left').error_code == ErrorCode.UNSUPPORTED


def test_pictures_that_come_in_another_order_are_sorted_by_their_stamps(served, camera):
    stamps = shown(served, camera)
    newest = camera.show(stamps[-1] + 300 * MS)
    camera.show(newest - 120 * MS)
    served.until(lambda: at(served, newest - 120 * MS, timeout_s=0.3) == (0, 0))
    assert stamp_of(served.describe().description) == newest


def test_a_stamp_of_zero_is_named_as_what_it_is():
    with serving(image_reliability='reliable') as served:
        camera = Camera(served)

        def stale():
            camera._image.publish(picture())
            answer = served.describe(timeout_s=1.0)
            return answer.error_code == ErrorCode.STALE_FRAME and answer

        assert 'leaves the stamp at 0' in served.until(stale).error_msg


def test_the_clock_of_the_client_is_that_of_the_stamps():
    """The tests above compare time.time_ns() with ROS time."""
    assert abs(Clock().now().nanoseconds - time.time_ns()) < NS
