"""/diagnostics says why nothing comes out, in words that say what to do."""
from __future__ import annotations

import itertools
import time
from types import SimpleNamespace

from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import Transition
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from rclpy.qos import QoSProfile, ReliabilityPolicy  # noqa: E402
from ros_graph import NS, Camera, grey, number_in, picture, script, serving  # noqa: E402
from sensor_msgs.msg import CompressedImage, Image  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from dam_ros.engine.sayable import traits  # noqa: E402
from dam_ros.msg import ErrorCode  # noqa: E402

pytestmark = pytest.mark.ros
SENSOR = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


@pytest.fixture(scope='module')
def served():
    """Its tests build on each other: first nobody publishes, at last a camera stops."""
    with serving(image_reliability='reliable') as node:
        yield node


@pytest.fixture(scope='module')
def camera(served):
    return Camera(served)


def says(served, part: str, level: bytes, *words: str) -> None:
    def found() -> bool:
        one = served.status.get(part)
        return one and one.level == level and all(word in one.message for word in words)

    served.until(found, what=f'{part} says {words} but {served.status.get(part)}')


def test_nobody_publishes(served):
    says(served, 'image', WARN, 'nobody publishes', f'{served.namespace}/image', 'remap image')
    says(served, 'segmentation', WARN, 'nobody publishes', f'{served.namespace}/segmentation')


def test_a_publisher_of_another_type(served):
    publisher = served.node.create_publisher(String, 'image', 10)
    says(served, 'image', ERROR, 'std_msgs/msg/String', 'sensor_msgs/msg/Image', 'image_transport')
    served.node.destroy_publisher(publisher)


def test_the_other_transport_and_other_topics_are_named(served):
    for kind, name, words in ((CompressedImage, 'image/compressed', 'image_transport compressed'),
                              (Image, 'usb_cam/image_raw', f'there are {served.namespace}/usb_cam/image_raw')):
        publisher = served.node.create_publisher(kind, name, 10)
        says(served, 'image', WARN, f'nobody publishes {served.namespace}/image', words)
        served.node.destroy_publisher(publisher)


def test_depth_and_camera_info_are_optional(served):
    for part, words in (('depth', 'without it distances'), ('camera_info', 'without it directions')):
        says(served, part, OK, f'nobody publishes {served.namespace}/{part}', words)
        publisher = served.node.create_publisher(String, part, 10)
        says(served, part, WARN, 'std_msgs/msg/String')
        served.node.destroy_publisher(publisher)


def test_a_publisher_that_offers_less_than_is_asked_for(served):
    publisher = served.node.create_publisher(Image, 'image', SENSOR)
    says(served, 'image', ERROR, f'{served.namespace}/client', 'incompatible QoS', 'best_effort',
         'image_reliability is reliable', 'auto')
    served.until(lambda: number_in(served.status['image'], 'refusals') == 1)
    assert 'offers less than image_reliability reliable' in served.log()
    served.node.destroy_publisher(publisher)


def test_a_publisher_without_frames(served, camera):
    says(served, 'image', WARN, '1 publisher(s)', f'{served.namespace}/client: reliable, volatile', 'no frame has come',
         'config/fastdds.xml', 'image_transport compressed')


def test_label_images_that_never_match(served, camera):
    numbers = itertools.count(time.time_ns(), NS // 10)

    def unmatched() -> bool:
        camera.label(camera.show(next(numbers)) - NS // 20)
        served.spin(0.05)
        one = served.status.get('segmentation')
        return one and one.level == WARN and 'copy the header' in one.message

    served.until(unmatched)
    assert 'sync_slop_s' in served.status['segmentation'].message
    assert number_in(served.status['segmentation'], 'behind_picture_s') == pytest.approx(0.05)


def test_a_good_life_is_reported_as_such_once_a_second(served, camera):
    camera.connect()
    camera.label(camera.show())
    says(served, 'lifecycle', OK, 'active')
    says(served, 'describer', OK, 'rehearsal is ready')
    says(served, 'image', OK)
    says(served, 'segmentation', OK)
    served.describe(image=picture())
    served.until(lambda: number_in(served.status['describer'], 'answered') == 1)
    served.until(lambda: number_in(served.status['describer'], 'looks_kept') == 1)
    assert number_in(served.status['describer'], 'looks_bytes') == number_in(
        served.status['describer'], 'weights_bytes') == 0   # a rehearsal has none
    assert number_in(served.status['describer'], 'worker_pid') == served.worker().pid
    times, last = [], None
    end_s = time.monotonic() + 3.5
    while time.monotonic() < end_s:
        served.executor.spin_once(0.02)
        if served.status['lifecycle'] is not last:
            last = served.status['lifecycle']
            times.append(time.monotonic())
    assert 3 <= len(times) <= 5


def test_depth_and_a_camera_that_stop(served, camera):
    publisher = served.node.create_publisher(Image, 'depth', 10)

    def depth(ahead_ns: int, words: str, level: bytes) -> None:
        def said() -> bool:
            publisher.publish(grey(np.ones((48, 64), np.uint16), '16UC1', camera.show() + ahead_ns))
            served.spin(0.05)
            one = served.status.get('depth')
            return one and one.level == level and words in one.message

        served.until(said, what=lambda: f'{words}, but {served.status.get("depth")}')

    depth(100 * NS, 'sync_slop_s', WARN)   # another clock
    assert number_in(served.status['depth'], 'behind_picture_s') == pytest.approx(-100.0)
    depth(0, 'frames come', OK)
    assert number_in(served.status['depth'], 'age_s') < 2.0
    says(served, 'image', OK)
    says(served, 'image', WARN, 'no frame for', 's: ', 'its driver sends nothing')
    says(served, 'depth', OK, 'no message for', 'it is optional')
    camera.show()
    says(served, 'image', OK, 'frames come')


@pytest.fixture(scope='module')
def managed():
    """Not configured yet."""
    with serving(ready=False, autostart=False) as node:
        node.until(lambda: node.ready, what='the node is there')
        yield node


def test_a_node_that_is_not_active(managed):
    says(managed, 'lifecycle', WARN, 'unconfigured', f'ros2 lifecycle set {managed.name} configure')


def test_a_describer_that_there_is_not_is_one_clear_error(managed):
    """The node stays, says why in three places, and can be put right."""
    served, words = managed, ['nobody', 'rehearsal', 'package.module:factory']
    assert served.set_parameter('describer', 'nobody').successful
    assert not served.change_state(Transition.TRANSITION_CONFIGURE)
    answer = served.describe(image=picture())
    assert answer.error_code == ErrorCode.NOT_ACTIVE
    for text in (answer.error_msg, served.log()):
        assert [one for one in words if one not in text] == [], text
    assert 'Traceback' not in served.log()
    says(served, 'lifecycle', ERROR, *words)
    assert served.state() == 'unconfigured'


@pytest.mark.parametrize(('describer', 'words'), [
    ('no_such_module:create', ['no_such_module', 'package.module:factory']),
    ('json:no_such_name', ['no_such_name', 'package.module:factory']), ('json:loads', ['json:loads'])])
def test_a_describer_of_the_users_own_that_cannot_be_made(managed, describer, words):
    served = managed
    assert served.set_parameter('describer', describer).successful
    assert served.change_state(Transition.TRANSITION_CONFIGURE)
    assert served.change_state(Transition.TRANSITION_ACTIVATE)
    answer = served.describe(image=picture())
    assert answer.error_code == ErrorCode.DESCRIBER_FAILED
    assert [one for one in words if one not in answer.error_msg] == [], answer.error_msg
    says(served, 'describer', ERROR, *words, '~/wake')
    assert served.change_state(Transition.TRANSITION_DEACTIVATE)
    assert served.change_state(Transition.TRANSITION_CLEANUP)


def test_a_describer_that_is_being_loaded():
    with serving(ready=False, describer_options=script(load_s=8.0)) as served:
        says(served, 'describer', WARN, 'being loaded')
        says(served, 'describer', OK, 'ready')


@pytest.mark.parametrize(('told', 'shown'), [({'weights_bytes': 5}, 5), ({}, 0), ({'weights_bytes': 'many'}, 0)])
def test_the_memory_of_weights_is_shown_where_a_describer_tells_it(told: dict, shown: int):
    one = SimpleNamespace(name='one', model='', languages=('en',), capacity=1, max_pictures=1, **told)
    assert traits(one)['weights_bytes'] == shown
