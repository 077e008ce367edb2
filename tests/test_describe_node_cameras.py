"""Several cameras on one model, one of them mounted sideways; and two nodes side by side."""
from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from ros_graph import Camera, Served, serving  # noqa: E402
from ros_pictures import picture, script, stamp_of  # noqa: E402

from dam_ros.msg import ErrorCode, Region  # noqa: E402

pytestmark = pytest.mark.ros
WORDS = {'text': 'Seen was {size}, {pixels} inside.'}


@pytest.fixture(scope='module')
def served():
    with serving(image_reliability='reliable', cameras=['front', 'arm/left'], camera_up=['top', 'right'],
                 max_frame_age_s=60.0) as node:
        yield node


@pytest.fixture(scope='module')
def front(served: Served) -> Camera:
    camera = Camera(served, 'front/')
    camera.connect()
    return camera


@pytest.fixture(scope='module')
def left(served: Served) -> Camera:
    camera = Camera(served, 'arm/left/')
    camera.connect()
    return camera


def newest(served: Served, camera: str, stamp_ns: int) -> None:
    """Until the node has that picture."""
    served.until(lambda: stamp_of(served.describe(camera=camera).description) == stamp_ns, what=camera)


def test_each_camera_has_its_own_pictures_and_label_images(served: Served, front: Camera, left: Camera):
    stamps = {'front': front.show(), 'arm/left': left.show()}
    front.label(stamps['front'], np.full((48, 64), 5, np.uint8))
    left.label(stamps['arm/left'], np.full((48, 64), 7, np.uint8))
    for camera, stamp_ns in stamps.items():
        newest(served, camera, stamp_ns)
        described = served.describe(camera=camera).description
        assert (described.camera, described.header.frame_id) == (camera, 'camera_optical_frame')
    served.until(lambda: served.describe(camera='front', region=Region(labels=[5])).error_code == 0)
    answer = served.describe(camera='arm/left', region=Region(labels=[5]))
    assert (answer.error_code, '7' in answer.error_msg) == (ErrorCode.UNKNOWN_LABEL, True)


def test_no_name_is_the_first_camera(served: Served, front: Camera):
    stamp_ns = front.show()
    served.until(lambda: stamp_of(served.describe().description) == stamp_ns)
    assert served.describe().description.camera == 'front'


@pytest.mark.parametrize('ask', ['describe', 'describe_scene'])
def test_a_name_that_is_none_is_answered_with_those_there_are(served: Served, ask: str):
    answer = getattr(served, ask)(camera='rear')
    assert answer.error_code == ErrorCode.UNSUPPORTED
    assert all(word in answer.error_msg for word in ("camera is 'rear'", "'front'", "'arm/left'"))


def test_a_camera_mounted_sideways_is_seen_upright_and_answered_in_its_own_pixels(served: Served, left: Camera):
    """The right edge of its pictures is up: they are seen as 48 px wide, 64 px high."""
    stamp_ns = left.show()
    square = Region(box_xywh=[10.0, 20.0, 8.0, 4.0], box_is_region=True)
    served.until(lambda: stamp_of(served.describe(camera='arm/left').description) == stamp_ns)
    answer = served.describe(camera='arm/left', region=square, return_mask=True, query=script(**WORDS))
    assert answer.description.text == 'Seen was 48x64, 32 inside.'
    box = answer.description.box
    assert (box.x_offset, box.y_offset, box.width, box.height) == (10, 20, 8, 4)
    assert (answer.mask.width, answer.mask.height) == (64, 48)
    assert np.argwhere(np.frombuffer(answer.mask.data, np.uint8).reshape(48, 64)).min(axis=0).tolist() == [20, 10]
    own = served.describe(camera='arm/left', image=picture(6, 4), query=script(**WORDS))
    assert own.description.text == 'Seen was 6x4, 24 inside.', 'a picture that is sent is taken as it is'


def test_a_flood_of_one_camera_does_not_keep_the_other_waiting(served: Served, front: Camera, left: Camera):
    front.show(), left.show()
    served.until(lambda: served.describe(camera='front').error_code == 0)
    served.until(lambda: served.describe(camera='arm/left').error_code == 0)
    slow = script(words_per_s=40.0, text='one two three four five six seven eight')
    ended: list[str] = []
    asked = [('arm/left' if number == 5 else 'front', number) for number in range(6)]
    futures = [served.begin(camera=camera, query=slow, timeout_s=20.0) for camera, _ in asked]
    for (camera, number), future in zip(asked, futures):
        future.add_done_callback(lambda _, name=f'{camera} {number}': ended.append(name))
    served.until(lambda: len(ended) == len(asked), what='all answers')
    assert 'arm/left 5' in ended[:2], ended


def test_a_bad_list_of_cameras_is_told():
    with serving(ready=False, cameras=['front', 'left'], camera_up=['top', 'top', 'left']) as node:
        node.until(lambda: 'camera_up is' in node.log(), what='the reason')
        assert 'one for all, or 2 as there are cameras' in node.log()


def test_two_nodes_side_by_side(served: Served, front: Camera):
    """In another namespace: neither hears the other's pictures, and both answer."""
    with serving(image_reliability='reliable', frame_wait_s=0.3) as second:   # each in a namespace of its own
        front.show()
        served.until(lambda: served.describe().error_code == 0)
        answer = second.describe()
        assert answer.error_code == ErrorCode.NO_FRAME and f'{second.namespace}/image' in answer.error_msg
