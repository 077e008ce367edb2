"""What is wrong with a field is refused with its name, its value and what is allowed, through the real node."""
from __future__ import annotations

import math

from builtin_interfaces.msg import Time
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from ros_graph import box, grey, picture, script, serving  # noqa: E402

from dam_ros.msg import ErrorCode, Region  # noqa: E402

pytestmark = pytest.mark.ros


@pytest.fixture(scope='module')
def served():
    with serving() as node:
        yield node


def good(served) -> None:
    answer = served.describe(image=picture(), timeout_s=20.0)
    assert (answer.error_code, answer.error_msg) == (0, '')


REFUSED = [
    ({'id': 'a b'}, ['id is', '1 to 64 characters']),
    ({'slot': 'x' * 65}, ['slot is', '64']),
    ({'image': picture(), 'stamp': Time(sec=1)}, ['stamp', 'together with image']),
    ({'image': picture(), 'not_before': Time(sec=1)}, ['not_before', 'together with image']),
    ({'stamp': Time(sec=1), 'not_before': Time(sec=1)}, ['not_before', 'together with stamp']),
    ({'stamp': Time(sec=-1)}, ['stamp is', 'sec >= 0']),
    ({'not_before': Time(nanosec=2 * 10 ** 9)}, ['not_before', 'nanosec < 1000000000']),
    ({'max_age_s': 3601.0}, ['max_age_s is 3601', '0.01 to 3600']),
    ({'max_age_s': -1.0}, ['max_age_s is -1', '0.01 to 3600']),
    ({'clip_s': 31.0}, ['clip_s is 31', '0.1 to 30']),
    ({'clip_s': 1.0, 'image': picture()}, ['clip_s is 1', '0 together with image']),
    ({'about': 'x', 'clip_s': 1.0}, ['clip_s', 'together with about']),
    ({'about': 'x', 'image': picture()}, ['image', 'together with about']),
    ({'about': 'x', 'region': box(0, 0, 1, 1)}, ['region', 'together with about']),
    ({'query': 'x' * 2001}, ['query is', '2000', '2001']),
    ({'query': '{"fail": "?"}', 'image': picture()}, ["query.fail is '?'", "'raise'"]),
    ({'detail': 4}, ['detail is 4', 'READ 3']),
    ({'detail': 3, 'query': 'Why?'}, ["query is 'Why?'", "''", 'READ']),
    ({'detail': 3, 'clip_s': 1.0}, ['clip_s is 1.0', '0 together', 'READ']),
    ({'language': 'Klingon!'}, ['language is', 'BCP 47']),
    ({'timeout_s': 601.0}, ['timeout_s is 601', '0.05 to 600']),
    ({'timeout_s': -0.5}, ['timeout_s is -0.5']),
    ({'max_tokens': 2049}, ['max_tokens is 2049', '1 to 2048']),
    ({'temperature': 2.5}, ['temperature is 2.5', '0 to 2']),
    ({'top_p': 1.5}, ['top_p is 1.5', '0 to 1']),
    ({'speak': 3}, ['speak is 3', 'SPEAK_ASKED 2']),
    ({'image': picture(), 'region': Region(labels=[1])}, ['region.labels', 'region.mask']),
    ({'image': picture(), 'region': Region(box_xywh=[1.0, 2.0, 3.0])}, ['region.box_xywh', 'or 4']),
    ({'image': picture(), 'region': box(1, 2, 0, 3)}, ['region.box_xywh', 'above 0']),
    ({'image': picture(), 'region': box(1, 2, 3, 4, labels=[1])}, ['region is', 'box_xywh and labels', 'one form']),
    ({'image': picture(), 'region': box(1, 2, 3, 4, points=[1.0, 1.0])}, ['box_xywh and points']),
    ({'image': picture(), 'region': box(1, 2, 3, 4, ref_width=640)}, ['ref_width', '(640, 0)', 'both']),
    ({'image': picture(), 'region': Region(tag='x' * 65)}, ['region.tag', '64']),
    ({'image': picture(), 'region': Region(point_labels=[1])}, ['region.point_labels', 'empty without points']),
    ({'image': picture(), 'region': Region(points=[1.0, 2.0], point_labels=[0])}, ['region.point_labels', 'one 1']),
    ({'image': picture(), 'region': Region(points=[1.0] * 2050)}, ['region.points', '1025 points', '1 to 1024']),
    ({'image': picture(), 'region': Region(points=[1.0, math.nan])}, ['region.points[1] is nan', 'finite']),
    ({'image': picture(), 'region': Region(scribble=[1.0, 2.0, 3.0])}, ['region.scribble', '3 numbers', 'pairs']),
    ({'image': picture(), 'region': Region(scribble=[1.0, 2.0, 3.0, 4.0], scribble_width_px=300.0)},
     ['region.scribble_width_px is 300', '1 to 200 px']),
    ({'image': picture(), 'region': Region(polygon=[1.0, 2.0, 3.0, 4.0])}, ['region.polygon', '2 corners', '100000']),
    ({'image': picture(), 'region': Region(polygon=[0.0] * 2_000_000)}, ['region.polygon', '1000000 corners']),
    ({'image': picture(), 'region': Region(polygon=[1.0, 2.0, math.inf, 4.0, 5.0, 9.0])}, ['region.polygon[2] is inf']),
    ({'image': picture(), 'region': Region(mask=grey(np.ones((5, 6), np.uint8)))},
     ['region.mask', '6x5', '64x48']),
    ({'image': picture(), 'region': Region(mask=grey(np.ones((48, 64), np.uint16), 'mono16'))},
     ['region.mask.encoding', 'mono16', 'mono8 or 8UC1']),
]
UNSUPPORTED = [
    ({'camera': 'rear'}, ["camera is 'rear'", "''"]),
    ({'clip_s': 2.5}, ['clip_s is 2.5', 'at most 2 s', 'ring_s']),
    ({'clip_s': 1.0, 'region': box(0, 0, 5, 5)}, ['region.box_xywh', 'together with clip_s', 'region.labels']),
    ({'clip_s': 1.0, 'region': Region(mask=grey(np.ones((48, 64), np.uint8)))}, ['region.mask', 'region.labels']),
    ({'image': picture(), 'language': 'de'}, ["language is 'de'", 'en']),
    ({'clip_s': 1.0, 'region': Region(points=[1.0, 2.0])}, ['region.points', 'does not follow', 'SAM 2']),
    ({'image': picture(encoding='jpeg')}, ['image.encoding', 'jpeg', 'bgr8']),
    ({'image': picture(), 'query': script(fail='unsupported')}, ['query', 'another question']),
]


@pytest.mark.parametrize(('code', 'fields', 'words'), [
    *((ErrorCode.INVALID_REQUEST, *one) for one in REFUSED), *((ErrorCode.UNSUPPORTED, *one) for one in UNSUPPORTED),
], ids=lambda one: '+'.join(one) if isinstance(one, dict) else '')
def test_what_is_wrong_with_a_field_is_said_with_its_name_its_value_and_what_is_allowed(served, code, fields, words):
    answer = served.describe(timeout_s=fields.pop('timeout_s', 5.0), **fields)
    assert (answer.error_code, [one for one in words if one not in answer.error_msg]) == (code, []), answer.error_msg
    good(served)


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize('field', ['max_age_s', 'clip_s', 'timeout_s', 'temperature', 'top_p'])
def test_numbers_that_are_none_are_refused_by_name(served, field, value):
    answer = served.describe(image=picture(), **{field: value})
    assert answer.error_code == ErrorCode.INVALID_REQUEST
    assert answer.error_msg.startswith(f'{field} is {value}')


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf])
def test_numbers_of_a_box_that_are_none_are_refused_by_name(served, value):
    for at in range(4):
        numbers = [1.0, 2.0, 3.0, 4.0]
        numbers[at] = value
        answer = served.describe(image=picture(), region=Region(box_xywh=numbers))
        assert answer.error_code == ErrorCode.INVALID_REQUEST
        assert 'region.box_xywh' in answer.error_msg
    good(served)
