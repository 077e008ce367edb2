"""Every form of Region.msg through the running node: service, action and scene; and the mask that comes back."""
from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from ros_graph import Camera, Served, serving  # noqa: E402
from ros_pictures import as_bytes, box, grey, picture, stamp_of  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402

from dam_ros.msg import ErrorCode, Region  # noqa: E402
from dam_ros.srv import DescribeScene  # noqa: E402

pytestmark = pytest.mark.ros
THING = (slice(30, 70), slice(50, 110))   # rows, columns of a red thing on a grey ground
SIDE = (96, 160)                          # height, width


@pytest.fixture(scope='module')
def served():
    with serving() as node:
        yield node


def shown() -> Image:
    pixels = np.random.default_rng(1).integers(90, 110, (*SIDE, 3), np.uint8)
    pixels[THING] = np.random.default_rng(2).integers(0, 20, (40, 60, 3), np.uint8) + np.array([20, 20, 200], np.uint8)
    return picture(SIDE[1], SIDE[0], data=as_bytes(pixels))


def area(*slices: slice) -> np.ndarray:
    mask = np.zeros(SIDE, bool)
    mask[slices] = True
    return mask


def mask_in(message: Image) -> np.ndarray:
    assert (message.encoding, message.step) == ('mono8', message.width)
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width) > 0


LABELS = np.zeros(SIDE, np.uint8)
LABELS[:10], LABELS[-10:] = 3, 5
EXACT = {
    'the whole picture': (Region(), area()),
    'a box as it is': (box(10, 20, 30, 40), area(slice(20, 60), slice(10, 40))),
    'a polygon': (Region(polygon=[9.5, 19.5, 39.5, 19.5, 39.5, 59.5, 9.5, 59.5]), area(slice(20, 60), slice(10, 40))),
    'a mask': (Region(mask=grey((LABELS == 3).astype(np.uint8))), LABELS == 3),
    "a label image of the caller's own": (Region(mask=grey(LABELS), labels=[3, 5]), LABELS > 0),
    "in a detector's pixels": (box(160, 160, 320, 320, ref_width=640, ref_height=640),
                               area(slice(24, 72), slice(40, 120))),
}
CUT_OUT = {
    'a box around it': box(40, 22, 80, 56, box_is_region=False),
    'a point': Region(points=[80.0, 50.0]),
    'points inside and outside': Region(points=[60.0, 40.0, 100.0, 60.0, 20.0, 20.0], point_labels=[1, 1, 0]),
    'a scribble': Region(scribble=[58.0, 40.0, 100.0, 60.0], scribble_width_px=4.0),
    "a point in a detector's pixels": Region(points=[320.0, 330.0], ref_width=640, ref_height=640),
}


@pytest.mark.parametrize('form', EXACT)
def test_what_geometry_tells(served: Served, form: str):
    region, expected = EXACT[form]
    answer = served.describe(image=shown(), region=region, return_mask=True)
    assert (answer.error_code, answer.error_msg) == (0, '')
    assert np.array_equal(mask_in(answer.mask), expected)
    assert answer.description.area_fraction == pytest.approx(expected.mean())


@pytest.mark.parametrize('form', CUT_OUT)
def test_what_is_cut_out(served: Served, form: str):
    answer = served.describe(image=shown(), region=CUT_OUT[form], return_mask=True)
    assert (answer.error_code, answer.error_msg) == (0, '')
    found, thing = mask_in(answer.mask), area(*THING)
    assert (found & thing).sum() / (found | thing).sum() > 0.85
    assert f'{found.sum()} of them' in answer.description.text, 'what is told is what was described'


def test_the_action_takes_them_as_well(served: Served):
    goals = [served.goal(image=shown(), region=region, return_mask=True)
             for region in (EXACT['a polygon'][0], CUT_OUT['a point'])]
    for goal, expected in zip(goals, (EXACT['a polygon'][1], area(*THING))):
        found = mask_in(served.ended(goal).mask)
        assert (found & expected).sum() / (found | expected).sum() > 0.85


def test_a_scene_may_mix_them():
    with serving(image_reliability='reliable', max_frame_age_s=60.0) as node:
        camera = Camera(node)
        camera.connect()
        stamp_ns = camera.show(width=SIDE[1], height=SIDE[0], step=3 * SIDE[1], data=shown().data)
        node.until(lambda: stamp_of(node.describe().description) == stamp_ns)
        thin = Region(polygon=[1.0, 2.0, 3.0, 4.0, 1.0, 4.0], tag='thin')
        regions = [EXACT['a polygon'][0], CUT_OUT['a point'], thin,
                   box(500, 500, 5, 5), CUT_OUT['a scribble']]
        answer = node.describe_scene(regions=regions, order=DescribeScene.Request.AS_GIVEN)
        assert [one.error_code for one in answer.descriptions] == [0, 0, 0, ErrorCode.EMPTY_REGION, 0]
        fractions = [one.area_fraction for one in answer.descriptions]
        assert fractions[0] == pytest.approx(1200 / (96 * 160))
        assert fractions[1::3] == pytest.approx([2400 / (96 * 160)] * 2, rel=0.15)
        assert answer.descriptions[2].tag == 'thin'
        camera.show(width=SIDE[1], height=SIDE[0], step=3 * SIDE[1], data=shown().data)
        wrong = node.describe_scene(regions=[Region(), Region(points=[1.0, 2.0], polygon=[1.0] * 6)])
        assert wrong.error_code == ErrorCode.INVALID_REQUEST and 'regions[1]: region is' in wrong.error_msg


def test_nothing_to_cut_out_is_the_segmenters_failure(served: Served):
    plain = picture(SIDE[1], SIDE[0])
    for region in (box(40, 22, 80, 56, box_is_region=False), Region(points=[80.0, 50.0])):
        answer = served.describe(image=plain, region=region)
        assert answer.error_code == ErrorCode.SEGMENTER_FAILED
        assert answer.error_msg.startswith('region.'), answer.error_msg


def test_a_parameter_lets_the_box_stand_for_the_thing():
    with serving(box_fallback=True) as node:
        region = box(40, 22, 80, 56, box_is_region=False)
        answer = node.describe(image=picture(SIDE[1], SIDE[0]), region=region, return_mask=True)
        assert answer.error_code == 0 and mask_in(answer.mask).sum() == 80 * 56


def test_without_a_segmenter_it_is_said_what_works():
    with serving(segmenter='none') as node:
        for region in (box(40, 22, 80, 56, box_is_region=False), Region(points=[80.0, 50.0])):
            answer = node.describe(image=shown(), region=region)
            assert answer.error_code == ErrorCode.UNSUPPORTED and 'parameter segmenter' in answer.error_msg
        assert node.describe(image=shown(), region=EXACT['a polygon'][0]).error_code == 0


def test_a_question_about_what_was_cut_out_is_about_the_same_pixels(served: Served):
    told = served.describe(image=shown(), region=CUT_OUT['a point'], id='cut', return_mask=True)
    again = served.describe(about='cut', query='How large?', return_mask=True)
    assert np.array_equal(mask_in(again.mask), mask_in(told.mask))
