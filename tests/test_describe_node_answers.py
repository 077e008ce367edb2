"""What describe_node answers to good requests: every field of a Description, the topics, further questions."""
from __future__ import annotations

import math
import os
import time

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from diagnostic_msgs.msg import DiagnosticStatus  # noqa: E402
from ros_graph import LATCHED, NS, TESTS, Camera, box, grey, picture, script, serving, stamp_of, stamped  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
from std_msgs.msg import Bool  # noqa: E402

from dam_ros.core.images import decode_raw  # noqa: E402
from dam_ros.msg import Description, ErrorCode, Present, Region  # noqa: E402
from dam_ros.srv import DescribeRegion  # noqa: E402

pytestmark = pytest.mark.ros
TEXT = 'This is a rehearsal. The picture has 64x48 pixels and the region {} of them. Nothing was seen.'
BRIEF = 'A rehearsal: 3072 pixels, nothing seen.'


@pytest.fixture(scope='module')
def served():
    with serving(image_reliability='reliable', remember=2, looks=2) as node:
        yield node


@pytest.fixture(scope='module')
def camera(served):
    camera = Camera(served)
    camera.connect()
    return camera


def red_square() -> Image:
    """A red square, 16 px wide at 20, 10, on white."""
    pixels = np.full((48, 64, 3), 255, np.uint8)
    pixels[10:26, 20:36] = (0, 0, 200)   # BGR
    return picture(data=pixels.tobytes())


def test_an_empty_request_describes_the_newest_picture(served, camera):
    stamp_ns = camera.show()
    served.until(lambda: stamp_of((answer := served.describe()).description) == stamp_ns and answer)
    answer = served.describe()
    assert (answer.error_code, answer.error_msg, answer.retry_after_s) == (0, '', 0.0)
    assert answer.description.text == TEXT.format(64 * 48)
    assert answer.mask.width == 0


def test_every_field_of_a_description(served):
    image = stamped(picture(), time.time_ns() - NS // 2)
    answer = served.describe(id='all', image=image, region=box(10, 20, 8, 4, tag='cup'), speak=1)
    one = answer.description
    assert (one.header, one.id, one.error_code, one.error_msg) == (image.header, 'all', 0, '')
    assert (one.camera, one.tag, one.query, one.speak) == ('', 'cup', '', 1)
    assert one.text == TEXT.format(32)
    assert one.brief == 'A rehearsal: 32 pixels, nothing seen.'
    assert (one.language, one.truncated, one.abstained) == ('en', False, False)
    assert (one.box.x_offset, one.box.y_offset, one.box.width, one.box.height) == (10, 20, 8, 4)
    assert not one.box.do_rectify
    assert one.area_fraction == pytest.approx(32 / (64 * 48))
    assert (one.label, one.label_name, one.clock_hour) == (-1, '', 0)
    assert one.where == 'on the left of the picture', 'without camera info'
    assert one.where_frame == image.header.frame_id
    assert one.confidence == pytest.approx(0.9)
    assert (one.describer, one.model) == ('rehearsal', '')
    assert one.tokens == len(one.text.split()) + len(one.brief.split())
    assert 0.5 <= one.age_s < 5
    assert 0 <= one.queue_s <= one.first_s <= one.total_s < 5
    assert 0 <= one.look_s < 1
    served.until(lambda: served.texts[-1] == one.text)
    assert repr(served.until(lambda: [two for two in served.descriptions if two.id == 'all'])) == repr([one])


@pytest.mark.parametrize(('detail', 'text', 'brief'), [
    (DescribeRegion.Request.NORMAL, TEXT.format(3072), 'This is a rehearsal.'),
    (DescribeRegion.Request.BRIEF, BRIEF, BRIEF),
    (DescribeRegion.Request.FULL, TEXT.format(3072), 'This is a rehearsal.'),
])
def test_detail(served, detail, text, brief):
    one = served.describe(image=picture(), detail=detail).description
    assert (one.text, one.brief) == (text, brief)


def test_a_brief_has_at_most_twelve_words_and_is_the_first_sentence(served):
    long = 'The cup on the table by the window is white and has a thin blue rim, and it stands. Nothing else.'
    one = served.describe(image=picture(), query=script(text=long)).description
    assert one.text == long
    assert len(one.brief.split()) <= 12
    assert one.brief.startswith('The cup on the table by the window')


def test_max_tokens_cut_and_say_so(served):
    one = served.describe(image=picture(), max_tokens=3).description
    assert (one.text, one.tokens, one.truncated) == ('This is a', 3, True)


def test_a_describer_that_cannot_tell_says_so(served):
    said = script(text='I cannot tell.', abstain=True, confidence=-1.0)
    one = served.describe(image=picture(), query=said).description
    assert (one.error_code, one.abstained) == (0, True)
    assert math.isnan(one.confidence)


def test_forms_of_a_region_and_their_mask(served):
    labels = np.zeros((48, 64), np.uint8)
    labels[5:10, 7:9], labels[20:22, 30:40] = 3, 9
    for region, pixels, label in [
            (Region(), 64 * 48, -1),
            (Region(mask=grey(labels)), 30, -1),
            (Region(mask=grey(labels), labels=[3]), 10, 3),
            (Region(mask=grey(labels), labels=[9, 3]), 30, -1),
            (Region(mask=grey(labels.astype('<u2') * 300, 'mono16'), labels=[2700]), 20, 2700),
            (Region(mask=grey(labels.astype('<i4') * -5, '32SC1'), labels=[-15]), 10, -15),
            (box(60, 40, 100, 100), 4 * 8, -1),
            (box(30, 20, 10, 10, ref_width=640, ref_height=480), 1, -1)]:
        answer = served.describe(image=picture(stamp_ns=7), region=region, return_mask=True)
        one = answer.description
        assert (one.error_msg, one.label) == ('', label)
        assert f'the region {pixels} of' in one.text
        mask = answer.mask
        assert (mask.encoding, mask.width, mask.height, mask.step, mask.header) == ('mono8', 64, 48, 64, one.header)
        found = np.frombuffer(mask.data, np.uint8)
        assert set(found) <= {0, 255}
        assert np.count_nonzero(found) == pixels


def test_a_box_is_cut_out_unless_it_is_the_region(served):
    around = {'image': red_square(), 'return_mask': True}
    whole = served.describe(region=box(14, 4, 28, 28), **around)
    cut = served.describe(region=box(14, 4, 28, 28, box_is_region=False), **around)
    assert whole.description.area_fraction == pytest.approx(28 * 28 / (64 * 48))
    assert f'the region {np.count_nonzero(np.frombuffer(cut.mask.data, np.uint8))} of' in cut.description.text
    square = np.zeros((48, 64), bool)
    square[10:26, 20:36] = True
    found = np.frombuffer(cut.mask.data, np.uint8).reshape(48, 64) > 0
    assert (square & found).sum() / (square | found).sum() > 0.9
    assert abs(cut.description.box.x_offset - 20) <= 1


def test_a_further_question_uses_the_same_look_with_box_header_and_tag(served):
    first = served.describe(image=picture(stamp_ns=5), region=box(1, 2, 3, 4, tag='mug')).description
    one = served.describe(about=first.id, query='What colour?').description
    assert one.error_msg == ''
    assert one.id != first.id
    assert (one.header, one.box, one.tag, one.query) == (first.header, first.box, 'mug', 'What colour?')
    assert (first.look_s > 0, one.look_s) == (True, 0.0)
    assert one.area_fraction == first.area_fraction


def test_only_the_last_answers_are_kept_for_questions(served):
    ids = [served.describe(image=picture(), region=box(index, 0, 1, 1)).description.id for index in range(3)]
    assert served.describe(about=ids[0]).error_code == ErrorCode.UNKNOWN_DESCRIPTION
    assert served.describe(about=ids[1]).description.box.x_offset == 1   # which is now remembered itself
    assert served.describe(about=ids[1]).error_code == ErrorCode.UNKNOWN_DESCRIPTION
    assert served.describe(about=ids[2]).error_code == ErrorCode.NONE


def test_a_question_after_the_worker_died_is_looked_at_again(served, camera):
    camera.show()
    first = served.describe(region=box(3, 4, 5, 6), timeout_s=5.0).description
    assert first.error_msg == ''
    assert served.describe(image=picture(), query=script(fail='kill')).error_code == ErrorCode.WORKER_DIED
    one = served.describe(about=first.id).description
    assert one.error_msg == ''
    assert (one.box, one.header, one.text) == (first.box, first.header, first.text)
    assert one.look_s > 0


def test_a_question_about_what_was_cut_out_of_a_box_is_about_the_same_pixels(served):
    region = box(14, 4, 28, 28, box_is_region=False)
    first = served.describe(image=red_square(), region=region, return_mask=True)
    served.describe(image=picture(), query=script(fail='kill'))   # the look is gone, the record is not
    again = served.describe(about=first.description.id, return_mask=True)
    assert again.description.text == first.description.text
    assert again.mask == first.mask


def test_present_says_which_labels_the_newest_picture_has_at_most_twice_a_second(served, camera):
    heard, times = [], []
    subscription = served.hear(Present, 'describe_node/present',
                               lambda one: (heard.append(one), times.append(time.monotonic())))
    pixels = np.zeros((48, 64), np.uint8)
    pixels[3, 4], pixels[30:, 30:] = 200, 5

    def three() -> bool:
        camera.label(camera.show(), pixels)
        served.spin(0.05)
        return len(heard) >= 3 and list(heard[-1].labels) == [5, 200]

    served.until(three)
    assert heard[-1].header.frame_id == 'camera_optical_frame'
    assert times[-1] - times[0] > 0.4 * (len(times) - 1), 'a busy machine may deliver one late'
    served.node.destroy_subscription(subscription)


def test_the_overlay_shows_the_region_that_was_described(served):
    heard = []
    subscription = served.hear(Image, 'describe_node/overlay', heard.append)
    image = stamped(picture(160, 120), 99)

    def drawn():
        served.describe(image=image, region=box(40, 30, 60, 50))
        served.spin(0.1)
        return heard

    served.until(drawn)
    one = heard[-1]
    assert (one.header, one.width, one.height) == (image.header, 160, 120)
    pixels = decode_raw(one.encoding, one.width, one.height, one.step, bool(one.is_bigendian), one.data)
    changed = np.argwhere((pixels != 128).any(axis=2))
    assert changed.min(axis=0)[0] <= 32
    assert len(changed) > 100
    served.node.destroy_subscription(subscription)


def test_ready_is_told_to_who_comes_late(served):
    late = []
    subscription = served.hear(Bool, 'describe_node/ready', lambda one: late.append(one.data), LATCHED)
    served.until(lambda: late)
    assert late == [True]
    served.node.destroy_subscription(subscription)


def test_descriptions_are_not_told_to_who_comes_late(served):
    served.describe(image=picture())
    late = []
    subscription = served.hear(Description, 'describe_node/description', late.append, LATCHED)
    volatile = []
    other = served.hear(Description, 'describe_node/description', volatile.append)
    new = served.describe(image=picture()).description.id
    served.until(lambda: volatile)
    assert [one.id for one in volatile] == [new]
    assert late == []   # what is volatile does not even match who wants the past
    for one in (subscription, other):
        served.node.destroy_subscription(one)


def test_wake_says_what_is_loaded(served):
    answer = served.wake()
    assert answer.success
    assert 'rehearsal is loaded' in answer.message


def test_live_parameters_count_at_once(served):
    try:
        assert served.set_parameter('max_tokens', 2).successful
        assert served.describe(image=picture()).description.text == 'This is'
    finally:
        assert served.set_parameter('max_tokens', 128).successful
    refused = served.set_parameter('default_timeout_s', 0.0)
    assert not refused.successful
    assert [one for one in ('default_timeout_s', '0.05', '600', '0.0') if one not in refused.reason] == []
    assert not served.set_parameter('max_tokens', 'many').successful
    assert served.describe(image=picture()).description.text == TEXT.format(3072)


def test_a_describer_of_the_users_own():
    with serving(describer='watching_describer:create', describer_options='{"greeting": "Look"}',
                 environment={'PYTHONPATH': str(TESTS) + ':' + os.environ['PYTHONPATH']}) as own:
        answer = own.describe(image=red_square(), region=box(20, 10, 16, 16))
        assert answer.error_msg == ''
        assert (answer.description.describer, answer.description.model) == ('watching', 'eyes@1')
        assert answer.description.text == 'Look: the picture is red at 20, the region begins at 20.'
        own.until(lambda: 'describer' in own.status and own.status['describer'].level == DiagnosticStatus.OK)
        assert own.status['describer'].message == 'watching eyes@1 is ready'


def test_two_nodes_in_two_namespaces_share_nothing(served):
    with serving() as other:
        here, there = served.begin(image=picture(), id='same'), other.begin(image=picture(), id='same')
        served.until(here.done)
        other.until(there.done)
        assert (here.result().error_code, there.result().error_code) == (0, 0)
        assert served.worker().pid != other.worker().pid
        assert served.describe(about='same').error_code == 0
        other.until(lambda: {'describer', 'image'} <= set(other.status))
        assert other.namespace in other.status['image'].message
