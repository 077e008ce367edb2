"""Detections in place of label images, and names: messages of other processes, with the packages and without."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from diagnostic_msgs.msg import DiagnosticStatus  # noqa: E402
from foreign import Other, environment, needs, only_without  # noqa: E402
from ros_graph import Camera, Served, box, number_in, picture, serving, stamp_of  # noqa: E402

from dam_ros.msg import ErrorCode, Present, Region  # noqa: E402
from dam_ros.srv import DescribeScene  # noqa: E402

pytestmark = pytest.mark.ros
VISION, YOLO = 'vision_msgs/msg/Detection2DArray', 'yolo_msgs/msg/DetectionArray'
LABEL_INFO = 'vision_msgs/msg/LabelInfo'
AS_GIVEN = DescribeScene.Request.AS_GIVEN
with_both = needs('vision_msgs', 'yolo_msgs')


def header(stamp_ns: int) -> dict[str, Any]:
    return {'stamp': {'sec': stamp_ns // 10 ** 9, 'nanosec': stamp_ns % 10 ** 9}, 'frame_id': 'camera_optical_frame'}


def vision(id: str = '', class_id: str = '', x: float = 16.0, y: float = 12.0, width: float = 8.0, height: float = 6.0,
           theta: float = 0.0) -> dict[str, Any]:
    results = [{'hypothesis': {'class_id': class_id, 'score': 0.9}}, {'hypothesis': {'class_id': 'dog', 'score': 0.1}}]
    return {'id': id, 'results': results if class_id else [], 'bbox': {
        'center': {'position': {'x': x, 'y': y}, 'theta': theta}, 'size_x': width, 'size_y': height}}


def yolo(id: str = '', name: str = '', class_id: int = 0, corners: tuple = (), mask_size: tuple[int, int] = (64, 48),
         **where: float) -> dict[str, Any]:
    box_of = {'x': 16.0, 'y': 12.0, 'width': 8.0, 'height': 6.0, 'theta': 0.0, **where}
    return {'id': id, 'class_id': class_id, 'class_name': name, 'score': 0.8,
            'bbox': {'center': {'position': {'x': box_of['x'], 'y': box_of['y']}, 'theta': box_of['theta']},
                     'size': {'x': box_of['width'], 'y': box_of['height']}},
            'mask': {'width': mask_size[0], 'height': mask_size[1],
                     'data': [{'x': float(x), 'y': float(y)} for x, y in corners]}}


class Detecting:
    """A camera, and a detector in another process that sends what it finds with the picture's stamp."""

    def __init__(self, served: Served, other: Other, kind: str, topic: str = 'detections'):
        self.served, self.other, self.camera = served, other, Camera(served)
        self.kind, self.topic = kind, topic

    def see(self, *found: dict[str, Any]) -> int:
        """A picture and what was detected in it, until the node has it; returns the stamp in ns."""
        stamp_ns = self.camera.show()
        self.other.send(self.kind, self.topic, {'header': header(stamp_ns), 'detections': list(found)})

        def came() -> bool:   # both, and the newest
            answer = self.served.describe(stamp=picture(stamp_ns=stamp_ns).header.stamp, timeout_s=1.0,
                                          region=Region(labels=[2 ** 31 - 1]))
            return answer.error_code in (ErrorCode.UNKNOWN_LABEL, 0)

        self.served.until(came, what='the detections have come')
        return stamp_ns

    def connect(self) -> None:
        """Until the node hears both: diagnostics count what has come."""
        before = number_in(self.served.status.get('detections'), 'frames')

        def heard() -> bool:
            stamp_ns = self.camera.show()
            self.other.send(self.kind, self.topic, {'header': header(stamp_ns), 'detections': []})
            self.served.spin(0.2)
            images, messages = (number_in(self.served.status.get(one), 'frames') for one in ('image', 'detections'))
            return images > 0 and messages > (before if before > 0 else 0)

        self.served.until(heard, what=lambda: f'the node hears the detector: {self.served.status.get("detections")}')


def detecting(kind: str, **parameters: Any) -> Iterator[Detecting]:
    with serving(environment=environment('vision_msgs', 'yolo_msgs'), **{
            'image_reliability': 'reliable', 'max_frame_age_s': 3600.0, 'detection_boxes_are_regions': True,
            **parameters}) as served, Other(served.namespace) as other:
        found = Detecting(served, other, kind)
        found.connect()
        yield found


@pytest.fixture(scope='module')
def by_vision():
    yield from detecting(VISION)


@pytest.fixture(scope='module')
def by_yolo():
    yield from detecting(YOLO)


def described(detector: Detecting, *labels: int) -> Any:
    answer = detector.served.describe(region=Region(labels=labels))
    assert (answer.error_code, answer.error_msg) == (0, '')
    return answer.description


def box_in(description: Any) -> tuple[int, ...]:
    one = description.box
    return one.x_offset, one.y_offset, one.width, one.height


@with_both
def test_boxes_of_vision_msgs(by_vision):
    stamp_ns = by_vision.see(vision('5', 'cup'), vision('', 'table', x=48.0, y=36.0, width=20.0, height=10.0))
    cup, table = described(by_vision, 5), described(by_vision, 2)
    assert (box_in(cup), cup.label, cup.label_name, stamp_of(cup)) == ((12, 9, 8, 6), 5, 'cup', stamp_ns)
    assert (box_in(table), table.label, table.label_name) == ((38, 31, 20, 10), 2, 'table')
    both = described(by_vision, 5, 2)
    assert (both.label, both.label_name, both.area_fraction) == (-1, '', pytest.approx(248 / 3072))


@with_both
def test_a_turned_box_is_the_polygon_it_encloses(by_vision):
    by_vision.see(vision('1', x=32.0, y=24.0, width=20.0, height=4.0, theta=0.5), vision('2', theta=1.5707963267948966))
    turned = described(by_vision, 1)
    assert turned.area_fraction * 3072 == pytest.approx(80, abs=8)
    assert box_in(turned)[2:] == pytest.approx((19.5, 13.1), abs=1.5)
    assert box_in(described(by_vision, 2)) == (13, 8, 6, 8)


@with_both
def test_every_detection_is_a_region_of_a_scene(by_vision):
    by_vision.see(vision('9', 'cup'), vision('x', 'cup', x=40.0), vision('9', 'table', y=40.0), vision('4', '17'),
                  vision('7', x=float('nan')), vision('8', width=-1.0), vision('6', 'moon', x=500.0))
    answer = by_vision.served.describe_scene(order=AS_GIVEN)
    assert [(one.label, one.label_name, one.error_code) for one in answer.descriptions] == [
        (1, 'cup', 0), (2, 'cup', 0), (3, 'table', 0), (4, '', 0), (6, '', ErrorCode.EMPTY_REGION)]
    assert 'detection 6' in answer.descriptions[-1].error_msg
    by_vision.served.until(lambda: number_in(by_vision.served.status['detections'], 'skipped_as_nonsense') >= 2)


@with_both
def test_what_is_not_there_is_named(by_vision):
    by_vision.see(vision('5', 'cup'), vision('8'))
    answer = by_vision.served.describe(region=Region(labels=[6]))
    assert answer.error_code == ErrorCode.UNKNOWN_LABEL
    assert 'detections of the picture: 5 (cup), 8' in answer.error_msg
    by_vision.see()
    answer = by_vision.served.describe_scene()
    assert answer.error_code == ErrorCode.EMPTY_REGION and 'detections of the picture are none' in answer.error_msg


@with_both
def test_a_picture_without_its_detections(by_vision):
    stamp_ns = by_vision.see(vision('5'))
    by_vision.served.spin(0.05)   # more than sync_slop_s
    lost = by_vision.camera.show()
    by_vision.served.spin(0.05)
    by_vision.see(vision('5'))
    answer = by_vision.served.describe(region=Region(labels=[5]), stamp=picture(stamp_ns=lost).header.stamp)
    assert answer.error_code == ErrorCode.NO_LABEL_IMAGE and 'nearest detections' in answer.error_msg
    answer = by_vision.served.describe(region=Region(labels=[5]), stamp=picture(stamp_ns=stamp_ns).header.stamp)
    assert stamp_of(answer.description) == stamp_ns


@with_both
def test_a_request_waits_for_detections(by_vision):
    by_vision.see(vision('5'))
    stamp_ns = by_vision.camera.show()
    future = by_vision.served.begin(region=Region(labels=[3]), stamp=picture(stamp_ns=stamp_ns).header.stamp)
    by_vision.served.spin(0.2)
    assert not future.done()
    by_vision.other.send(VISION, 'detections', {'header': header(stamp_ns), 'detections': [vision('3')]})
    by_vision.served.until(future.done)
    assert (future.result().error_code, future.result().description.label) == (0, 3)


@with_both
def test_the_label_image_comes_first_where_a_picture_has_one(by_vision):
    stamp_ns = by_vision.see(vision('1', 'cup'))
    assert described(by_vision, 1).label_name == 'cup'
    by_vision.camera.label(stamp_ns)   # 1 in the left half
    by_vision.served.until(lambda: described(by_vision, 1).box.width == 32)
    by_vision.served.set_parameter('regions_from', 'detections')
    assert box_in(described(by_vision, 1)) == (12, 9, 8, 6)
    by_vision.see(vision('1'))
    by_vision.served.set_parameter('regions_from', 'labels')
    assert described(by_vision, 1).box.width == 32, 'the newest with a label image'
    by_vision.served.set_parameter('regions_from', 'auto')
    assert described(by_vision, 1).box.width == 8, 'the newest of both'


@with_both
def test_present_tells_detections(by_vision):
    heard: list[Present] = []
    subscription = by_vision.served.hear(Present, 'describe_node/present', heard.append)
    by_vision.served.meet()
    by_vision.served.set_parameter('regions_from', 'detections')   # of another test's label image nothing
    stamp_ns = by_vision.see(vision('12'), vision('4'))
    by_vision.served.until(lambda: [one for one in heard if stamp_of(one) == stamp_ns])
    by_vision.served.set_parameter('regions_from', 'auto')
    assert list(heard[-1].labels) == [4, 12]
    by_vision.served.node.destroy_subscription(subscription)


@with_both
def test_the_names_of_label_info_count_for_numbers_of_classes(by_vision):
    """It is latched, and was published before anybody listened to this publisher."""
    by_vision.other.send(LABEL_INFO, 'label_info', {'class_map': [
        {'class_id': 17, 'class_name': 'a horse'}, {'class_id': 2, 'class_name': 'sky'}]}, latched=True)
    by_vision.see(vision('4', '17'), vision('5', '18'), vision('6', 'cup'))
    by_vision.served.until(lambda: described(by_vision, 4).label_name == 'a horse')
    assert [described(by_vision, one).label_name for one in (5, 6)] == ['', 'cup']
    by_vision.camera.label(by_vision.camera.show())
    by_vision.served.until(lambda: described(by_vision, 2).label_name == 'sky')
    assert described(by_vision, 1).label_name == ''


@with_both
def test_a_box_is_cut_out_unless_it_is_said_to_be_the_region(by_vision):
    by_vision.see(vision('1', 'cup'))
    by_vision.served.set_parameter('detection_boxes_are_regions', False)
    answer = by_vision.served.describe(region=Region(labels=[1]))
    by_vision.served.set_parameter('detection_boxes_are_regions', True)
    assert answer.error_code == ErrorCode.SEGMENTER_FAILED   # the picture is grey all over
    assert by_vision.served.describe(region=Region(labels=[1])).error_code == 0


@with_both
def test_boxes_and_masks_of_yolo_ros(by_yolo):
    square = ((10, 10), (20, 10), (20, 30), (10, 30))
    by_yolo.see(yolo('3', 'cup'), yolo('', 'dog', corners=square), yolo('', 'cat', corners=square, mask_size=(128, 96)),
                yolo('8', '', class_id=5, corners=((1, 1), (2, 2))))
    assert [(box_in(one), one.label_name) for one in (described(by_yolo, label) for label in (3, 2, 8))] == [
        ((12, 9, 8, 6), 'cup'), ((10, 10, 10, 20), 'dog'), ((12, 9, 8, 6), '')]
    assert box_in(described(by_yolo, 4)) == (5, 5, 5, 10), 'place 3 is taken by an id'


@with_both
def test_the_type_that_is_published_is_taken_and_taken_again_when_it_changes(by_yolo):
    by_yolo.see(yolo('3', 'cup'))
    by_yolo.other.stop('detections')
    changed = Detecting(by_yolo.served, by_yolo.other, VISION)
    changed.connect()
    changed.see(vision('41', 'boat'))
    assert described(changed, 41).label_name == 'boat'


@with_both
def test_names_of_a_file_and_label_info_before_the_node(tmp_path: Path):
    names = tmp_path / 'names.yaml'
    names.write_text('1: cup\n2: "table"\n7: horse\n')
    with serving(ready=False, environment=environment('vision_msgs'), image_reliability='reliable',
                 label_names_file=str(names)) as served, Other(served.namespace) as other:
        other.send(LABEL_INFO, 'label_info', {'class_map': [{'class_id': 2, 'class_name': 'desk'}]}, latched=True)
        served.wait_ready()
        camera = Camera(served)
        camera.connect()

        def named(label: int) -> str:
            camera.label(camera.show())
            return served.describe(region=Region(labels=[label])).description.label_name

        assert named(1) == 'cup'
        served.until(lambda: named(2) == 'desk')
        scene = served.describe_scene(order=AS_GIVEN)
        assert [(one.label, one.label_name) for one in scene.descriptions] == [(1, 'cup'), (2, 'desk')]
        again = served.describe(about=scene.descriptions[0].id, query='And now?').description
        assert (again.label, again.label_name) == (1, 'cup')
        assert served.describe(image=picture(), region=box(0, 0, 9, 9)).description.label_name == ''


@pytest.mark.parametrize(('text', 'words'), [
    (None, 'No such file'), ('1: [cup]', 'name of 1 in label_names_file'), ('cup: 1', "is 'cup'; allowed: a whole"),
    ('just words', 'It has str'), ('1: {', 'allowed: a YAML or JSON file')])
def test_a_file_of_names_with_an_error_is_told(tmp_path: Path, text: str | None, words: str):
    names = tmp_path / 'names.yaml'
    if text is not None:
        names.write_text(text)
    with serving(ready=False, label_names_file=str(names)) as served:
        served.until(lambda: served.status.get('lifecycle') and words in served.status['lifecycle'].message,
                     what=lambda: str(served.status.get('lifecycle')))
        assert 'label_names_file' in served.status['lifecycle'].message


@with_both
@only_without('vision_msgs', 'yolo_msgs')
def test_without_the_packages_it_runs_and_says_what_is_off():
    with serving(image_reliability='reliable') as served:
        served.until(lambda: served.status.get('detections') and served.status.get('label_info'))
        assert (served.status['detections'].level, served.status['detections'].message) == (
            DiagnosticStatus.OK, 'off, neither vision_msgs nor yolo_msgs is installed')
        assert served.status['label_info'].message == 'off, vision_msgs is not installed'
        with Other(served.namespace) as other:
            other.send(YOLO, 'detections', {'detections': [yolo('3')]})
            served.until(lambda: served.status['detections'].level == DiagnosticStatus.WARN)
            assert f'published as {YOLO}: install its package' in served.status['detections'].message
            camera = Camera(served)
            camera.connect()
            camera.label(camera.show())
            assert served.describe(region=Region(labels=[1])).error_code == 0
