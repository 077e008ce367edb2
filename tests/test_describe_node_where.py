"""Where a region is, through the running node: camera info and depth beside the picture, and another frame by tf2."""
from __future__ import annotations

import json
import math
import os
from pathlib import Path
import time

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from ros_graph import Camera, Served, serving  # noqa: E402
from ros_pictures import as_bytes, box, picture, stamped  # noqa: E402
from sensor_msgs.msg import CameraInfo, Image  # noqa: E402

from dam_ros.msg import Description, Region  # noqa: E402
from dam_ros.srv import DescribeScene  # noqa: E402

pytestmark = pytest.mark.ros
WIDTH, HEIGHT, FOCAL = 64, 48, 40.0
RIGHT = box(44, 20, 8, 8)          # its middle is 16 px right of the optical axis, which is at 31.5, 23.5
BEARING = -math.atan2(16, FOCAL)
DOUBLES = str(Path(__file__).parent / 'doubles')


class Lidar:
    """The client as the other sensors of a camera: its info and its depth."""

    def __init__(self, served: Served, prefix: str = ''):
        self._served, self._prefix = served, prefix
        self._info = served.node.create_publisher(CameraInfo, prefix + 'camera_info', 10)
        self._depth = served.node.create_publisher(Image, prefix + 'depth', 10)

    def info(self, stamp_ns: int, frame_id: str = 'camera_optical_frame', **changes) -> None:
        fields = {'width': WIDTH, 'height': HEIGHT, 'distortion_model': 'plumb_bob', 'd': [0.0] * 5,
                  'k': [FOCAL, 0.0, 31.5, 0.0, FOCAL, 23.5, 0.0, 0.0, 1.0],
                  'r': [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
                  'p': [FOCAL, 0.0, 31.5, 0.0, 0.0, FOCAL, 23.5, 0.0, 0.0, 0.0, 1.0, 0.0], **changes}
        message = stamped(CameraInfo(**fields), stamp_ns)
        message.header.frame_id = frame_id
        self._info.publish(message)

    def depth(self, stamp_ns: int, z_m: float = 2.0, frame_id: str = 'camera_optical_frame', **changes) -> None:
        """A wall right ahead."""
        wall = np.full((HEIGHT, WIDTH), round(z_m * 1000), np.uint16)
        message = stamped(Image(width=WIDTH, height=HEIGHT, encoding='16UC1', step=2 * WIDTH, data=as_bytes(wall)),
                          stamp_ns)
        message.header.frame_id = frame_id
        for name, value in changes.items():
            setattr(message, name, value)
        self._depth.publish(message)


def ready(served: Served, prefix: str = '') -> tuple[Camera, Lidar]:
    camera, lidar = Camera(served, prefix), Lidar(served, prefix)
    camera.connect()
    served.until(lambda: lidar._info.get_subscription_count() and lidar._depth.get_subscription_count())
    return camera, lidar


@pytest.fixture(scope='module')
def served():
    with serving(image_reliability='reliable', max_frame_age_s=60.0) as node:
        yield node


@pytest.fixture(scope='module')
def sensors(served: Served):
    return ready(served)


def described(served: Served, stamp_ns: int, region=RIGHT, **more) -> Description:
    answer = served.describe(stamp=ros_time(stamp_ns), region=region, timeout_s=10.0, **more)
    assert (answer.error_code, answer.error_msg) == (0, '')
    return answer.description


def ros_time(stamp_ns: int):
    return stamped(Image(), stamp_ns).header.stamp


def until(served: Served, stamp_ns: int, true, region=RIGHT, **more) -> Description:
    """Described again and again until it is so: the topics of a picture come in any order."""
    found: list[Description] = []

    def so() -> bool:
        found.append(described(served, stamp_ns, region, **more))
        return true(found[-1])

    served.until(so, what='what is expected')
    return found[-1]


def why(served: Served) -> str:
    return served.status['where'].message if 'where' in served.status else ''


def test_without_camera_info_the_place_in_the_picture_is_said():
    with serving() as node:
        one = node.describe(image=picture(), region=RIGHT).description
        assert one.where == 'on the right of the picture'
        assert (one.clock_hour, one.where_frame) == (0, 'camera_optical_frame')
        unknown = one.bearing_rad, one.elevation_rad, one.distance_m, one.position.x, one.position.y, one.position.z
        assert all(math.isnan(number) for number in unknown)


def test_direction_distance_and_position(served: Served, sensors):
    camera, lidar = sensors
    stamp_ns = camera.show()
    lidar.info(stamp_ns), lidar.depth(stamp_ns)
    one = until(served, stamp_ns, lambda one: not math.isnan(one.distance_m))
    assert one.bearing_rad == pytest.approx(BEARING, abs=math.radians(0.5))
    assert one.elevation_rad == pytest.approx(0, abs=math.radians(0.5))
    assert one.distance_m == pytest.approx(2 / math.cos(BEARING), rel=0.02)
    assert [one.position.x, one.position.y, one.position.z] == pytest.approx([0.8, 0, 2], abs=0.02)
    assert (one.clock_hour, one.where, one.where_frame) == (1, "1 o'clock, two metres", 'camera_optical_frame')
    served.until(lambda: why(served) == 'what is sent is used')


def test_what_was_cut_out_is_placed_as_well(served: Served, sensors):
    camera, lidar = sensors
    pixels = np.random.default_rng(1).integers(90, 110, (HEIGHT, WIDTH, 3), np.uint8)
    pixels[16:32, 40:56] = (20, 20, 220)
    stamp_ns = camera.show(data=as_bytes(pixels))
    lidar.info(stamp_ns), lidar.depth(stamp_ns)
    one = until(served, stamp_ns, lambda one: not math.isnan(one.distance_m), Region(points=[48.0, 24.0]))
    assert one.bearing_rad == pytest.approx(BEARING, abs=math.radians(3))
    assert one.position.z == pytest.approx(2, abs=0.02)


def test_the_nearest_of_a_scene_comes_first(served: Served, sensors):
    camera, lidar = sensors
    stamp_ns = camera.show()
    wall = np.full((HEIGHT, WIDTH), 3000, np.uint16)
    wall[:, 32:] = 1000
    lidar.info(stamp_ns), lidar.depth(stamp_ns, data=as_bytes(wall))
    regions = [box(4, 4, 20, 20, tag='far'), box(40, 4, 20, 20, tag='near')]

    def order() -> list[str]:
        return [one.tag for one in served.describe_scene(stamp=ros_time(stamp_ns), regions=regions).descriptions]

    served.until(lambda: order() == ['near', 'far'])


def test_depth_that_comes_after_the_request_is_used(served: Served, sensors):
    """It usually does: a registered depth picture is made of the colour one."""
    camera, lidar = sensors
    stamp_ns = camera.show()
    lidar.info(stamp_ns)
    until(served, stamp_ns, lambda one: not math.isnan(one.bearing_rad))
    future = served.begin(stamp=ros_time(stamp_ns), region=RIGHT, timeout_s=10.0,
                          query=json.dumps({'first_word_s': 1.0, 'words_per_s': 20.0}))
    served.spin(0.3)
    lidar.depth(stamp_ns)
    served.until(future.done)
    assert future.result().description.distance_m == pytest.approx(2 / math.cos(BEARING), rel=0.02)


def test_depth_that_comes_late_is_used_for_every_region_of_a_scene(served: Served, sensors):
    camera, lidar = sensors
    stamp_ns = camera.show()
    lidar.info(stamp_ns)
    until(served, stamp_ns, lambda one: not math.isnan(one.bearing_rad))
    goal = DescribeScene.Request(stamp=ros_time(stamp_ns), regions=[RIGHT, box(4, 4, 20, 20), RIGHT], timeout_s=10.0,
                                 query=json.dumps({'first_word_s': 0.5, 'words_per_s': 20.0}))
    future = served.ask(DescribeScene, 'describe_node/describe_scene', goal)
    served.spin(0.3)
    assert not future.done()
    lidar.depth(stamp_ns)
    served.until(future.done)
    assert [one.position.z for one in future.result().descriptions] == pytest.approx([2, 2, 2], abs=0.02)


def test_it_is_where_it_was_when_it_is_asked_about_again(served: Served, sensors):
    camera, lidar = sensors
    stamp_ns = camera.show()
    lidar.info(stamp_ns), lidar.depth(stamp_ns, 3.0)
    until(served, stamp_ns, lambda one: abs(one.position.z - 3) < 0.1)
    told = described(served, stamp_ns, id='told')
    lidar.depth(camera.show(), 1.0)
    again = served.describe(about='told', query='And?').description
    assert (again.distance_m, again.where, again.where_frame) == (told.distance_m, told.where, told.where_frame)


@pytest.mark.parametrize('depth, words', [
    ({'frame_id': 'depth_optical_frame'}, "depth.header.frame_id is 'depth_optical_frame'"),
    ({'encoding': 'mono8', 'step': WIDTH, 'data': as_bytes(np.ones((HEIGHT, WIDTH), np.uint8))}, 'mono8'),
    ({'height': HEIGHT // 2, 'data': as_bytes(np.full((HEIGHT // 2, WIDTH), 2000, np.uint16))}, '64x24 px'),
    ({'data': as_bytes(np.zeros((HEIGHT, WIDTH), np.uint16))}, '0 of'),
    ({'encoding': '32FC1', 'step': 4 * WIDTH, 'data': as_bytes(np.full((HEIGHT, WIDTH), 2000, np.float32))},
     'depth of the region is 2'),
    ({'step': 3}, 'step')], ids=['frame', 'unit', 'shape', 'holes', 'millimetres as metres', 'step'])
def test_a_depth_that_cannot_be_used_is_a_stated_unknown(served: Served, sensors, depth: dict, words: str):
    camera, lidar = sensors
    stamp_ns = camera.show()
    lidar.info(stamp_ns), lidar.depth(stamp_ns, **depth)

    def told() -> bool:
        one = described(served, stamp_ns)
        served.spin(0.2)
        return math.isnan(one.distance_m) and one.clock_hour == 1 and words in why(served)

    served.until(told, what=f'{words} in diagnostics')
    assert described(served, stamp_ns).where == "1 o'clock"


@pytest.mark.parametrize('info, words', [
    ({'width': 128, 'height': 96}, '128x96 px'), ({'k': [0.0] * 9, 'p': [0.0] * 12}, 'camera_info'),
    ({'distortion_model': 'mystery'}, "'mystery'"), ({'k': [math.nan] * 9}, 'k is [nan, nan'),
    ({'frame_id': 'right_optical_frame'}, "camera_info: header.frame_id is 'right_optical_frame'")],
    ids=['size', 'not calibrated', 'model', 'nan', 'of another camera'])
def test_a_camera_info_that_cannot_be_used_is_a_stated_unknown(served: Served, sensors, info: dict, words: str):
    camera, lidar = sensors
    stamp_ns = camera.show()
    lidar.depth(stamp_ns), lidar.info(stamp_ns, **info)

    def told() -> bool:
        one = described(served, stamp_ns)
        served.spin(0.2)
        return math.isnan(one.bearing_rad) and words in why(served)

    served.until(told, what=f'{words} in diagnostics')
    one = described(served, stamp_ns)
    assert one.where == 'on the right of the picture' and math.isnan(one.distance_m)


def test_a_camera_mounted_sideways_tells_directions_about_what_is_up():
    """Its left edge is up: what is right in the picture is below."""
    with serving(image_reliability='reliable', max_frame_age_s=60.0, camera_up=['left']) as node:
        camera, lidar = ready(node)
        stamp_ns = camera.show()
        lidar.info(stamp_ns), lidar.depth(stamp_ns)
        one = until(node, stamp_ns, lambda one: not math.isnan(one.distance_m))
        assert one.bearing_rad == pytest.approx(0, abs=math.radians(1))
        assert one.elevation_rad == pytest.approx(BEARING, abs=math.radians(1))
        assert (one.clock_hour, one.where) == (12, "12 o'clock, two metres")
        assert one.position.x == pytest.approx(0.8, abs=0.02), 'the position keeps the axes of its frame'


# The camera 1 m above the ground and 0.5 m ahead of base_link, looking ahead.
FORWARD = [0.5, -0.5, 0.5, -0.5]   # x y z w: optical axes in those of a body (REP-103)


def base_link(from_s: float, to_s: float) -> str:
    return json.dumps([{'target': 'base_link', 'source': 'camera_optical_frame', 'from_s': from_s, 'to_s': to_s,
                        'translation': [0.5, 0.0, 1.0], 'rotation': FORWARD}])


def transforming(transforms: str):
    path = os.pathsep.join([DOUBLES, os.environ.get('PYTHONPATH', '')])
    return serving(environment={'PYTHONPATH': path, 'TEST_TRANSFORMS': transforms}, image_reliability='reliable',
                   max_frame_age_s=600.0, reference_frame='base_link')


def test_another_frame_at_the_stamp_of_the_picture():
    now_s = time.time()
    with transforming(base_link(now_s - 10, now_s + 100)) as node:
        camera, lidar = ready(node)
        stamp_ns = camera.show()
        lidar.depth(stamp_ns)
        told = 'depth comes, but no camera_info'
        until(node, stamp_ns, lambda one: one.clock_hour == 0 and told in why(node))
        stamp_ns = camera.show()
        lidar.info(stamp_ns)
        told = 'without a distance the direction from base_link is unknown'
        until(node, stamp_ns, lambda one: one.clock_hour == 0 and told in why(node))
        lidar.depth(stamp_ns)
        one = until(node, stamp_ns, lambda one: not math.isnan(one.distance_m))
        assert one.where_frame == 'base_link' and one.header.frame_id == 'camera_optical_frame'
        assert [one.position.x, one.position.y, one.position.z] == pytest.approx([2.5, -0.8, 1.0], abs=0.02)
        assert one.bearing_rad == pytest.approx(math.atan2(-0.8, 2.5), abs=math.radians(0.5))
        assert one.distance_m == pytest.approx(math.sqrt(2.5 ** 2 + 0.8 ** 2 + 1), rel=0.02)
        assert one.where == "1 o'clock, two and a half metres"


def test_never_the_latest_transform():
    """The one that is known is older than the picture, or the picture has no stamp, which tf2 takes for the latest."""
    now_s = time.time()
    with transforming(base_link(now_s - 100, now_s - 50)) as node:
        camera, lidar = ready(node)
        stamp_ns = camera.show()
        lidar.info(stamp_ns), lidar.depth(stamp_ns)
        node.spin(0.5)
        one = described(node, stamp_ns)
        assert (one.where_frame, one.clock_hour, one.where) == ('base_link', 0, 'on the right of the picture')
        assert all(math.isnan(number) for number in (one.bearing_rad, one.distance_m, one.position.x))
        node.until(lambda: 'no transform from camera_optical_frame to base_link' in why(node))
        own = node.describe(image=picture(), region=RIGHT).description
        assert (own.where_frame, own.clock_hour) == ('base_link', 0)
        node.spin(1.2)
        assert 'no transform from camera_optical_frame to base_link' in why(node), 'not of a camera'


def test_without_tf2_the_frame_is_named_and_everything_else_works():
    with serving(reference_frame='base_link') as node:
        one = node.describe(image=picture(), region=RIGHT).description
        assert (one.where_frame, one.where) == ('base_link', 'on the right of the picture')
        assert 'tf2_ros cannot be imported' in node.log()
        node.until(lambda: 'tf2_ros' in why(node), what='diagnostics say what is missing')
