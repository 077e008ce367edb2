"""Requests checked and planned, answers remembered: limits, contradictions, order, memory."""
from __future__ import annotations

from dataclasses import replace
import math
import time

import numpy as np
import pytest

from dam_ros.core import orders
from dam_ros.core.describe_settings import DescribeSettings
from dam_ros.core.detecting import Detection, Detections
from dam_ros.core.errors import (Cancelled, EmptyRegion, Failure, InvalidRequest, UnknownDescription, UnknownLabel,
                                 Unsupported)
from dam_ros.core.frames import NS
from dam_ros.core.masks import StoredMask
from dam_ros.core.orders import AS_GIVEN, LARGEST, NEAREST, SceneOrder
from dam_ros.core.planning import Cutting, LabelImage, plan_region, plan_scene
from dam_ros.core.records import Record, Records
from dam_ros.core.regions import Region

SETTINGS = DescribeSettings()
NAN, INF = math.nan, math.inf


# -- checks of a request

@pytest.mark.parametrize('value, expected', [
    (0.0, 7.0), (-0.0, 7.0), (0.05, 0.05), (float(np.float32(0.05)), float(np.float32(0.05))), (600.0, 600.0),
    (float(np.float32(0.01) * 5), float(np.float32(0.01) * 5))])
def test_numbers(value: float, expected: float):
    assert orders.number('timeout_s', value, 0.05, 600.0, 7.0) == expected


@pytest.mark.parametrize('value', [0.049, 600.1, -1.0, NAN, INF, -INF, 1e-9])
def test_numbers_out_of_range(value: float):
    with pytest.raises(InvalidRequest, match='timeout_s is .*; allowed: 0.05 to 600, or 0 for the default 7'):
        orders.number('timeout_s', value, 0.05, 600.0, 7.0)


@pytest.mark.parametrize('id', ['a', 'A.b_c-9', 'x' * 64])
def test_good_ids(id: str):
    assert orders.checked_id(id) == id


@pytest.mark.parametrize('id', ['x' * 65, 'a b', 'a/b', 'ä', 'a\n', ' ', '"'])
def test_bad_ids(id: str):
    with pytest.raises(InvalidRequest, match='^id is'):
        orders.checked_id(id)


def test_ids_that_are_made_never_repeat():
    made = {orders.checked_id('') for _ in range(1000)}
    assert len(made) == 1000 and all(orders.checked_id(one) == one for one in made)


def test_slot_camera_speak():
    assert orders.checked_slot('x' * 64) == 'x' * 64
    with pytest.raises(InvalidRequest):
        orders.checked_slot('x' * 65)
    assert orders.checked_camera('', ['front', 'rear']) == 'front'
    assert orders.checked_camera('rear', ['front', 'rear']) == 'rear'
    with pytest.raises(Unsupported, match="camera is 'left'; allowed: '' or 'front' or 'rear'"):
        orders.checked_camera('left', ['front', 'rear'])
    assert [orders.checked_speak(one) for one in (0, 1, 2)] == [0, 1, 2]
    with pytest.raises(InvalidRequest):
        orders.checked_speak(3)


def test_a_wish():
    wish = orders.wish(0, 0, 0.0, True, SETTINGS)
    assert (wish.max_age_s, wish.slop_ns, wish.needs_labels) == (2.0, 20_000_000, True)
    assert orders.wish(5, 0, 3.5, False, SETTINGS).stamp_ns == 5
    for arguments in ((1, 1, 0.0), (0, 0, NAN), (0, 0, -1.0), (0, 0, 3601.0), (0, 0, 0.001)):
        with pytest.raises(InvalidRequest):
            orders.wish(*arguments, False, SETTINGS)


def test_times():
    assert orders.nanoseconds('stamp', 3, 5) == 3 * NS + 5
    for sec, nanosec in ((-1, 0), (0, NS), (0, (1 << 32) - 1)):
        with pytest.raises(InvalidRequest, match='^stamp is'):
            orders.nanoseconds('stamp', sec, nanosec)


def test_a_query():
    query = orders.query('', 0, '', 0, SETTINGS)
    assert (query.max_tokens, query.language, query.temperature, query.top_p) == (128, 'en', 0.0, 1.0)
    query = orders.query('What?', 2, 'de-CH', 2048, SETTINGS, 0.7, 0.9, 5)
    assert (query.question, query.detail, query.language, query.max_tokens) == ('What?', 2, 'de-CH', 2048)
    assert (query.temperature, query.top_p, query.seed) == (0.7, 0.9, 5)
    reference = replace(SETTINGS, sampling='reference')
    query = orders.query('', 0, '', 0, reference)
    assert (query.temperature, query.top_p, query.top_k) == (0.2, 0.5, 50)
    assert orders.query('', 0, '', 0, reference, temperature=1.0).top_k == 0


@pytest.mark.parametrize('changes, field', [
    ({'question': 'x' * 2001}, 'query'), ({'detail': 4}, 'detail'), ({'detail': 3, 'question': 'Why?'}, 'query'),
    ({'language': 'e'}, 'language'),
    ({'language': 'en_US'}, 'language'), ({'language': 'en '}, 'language'), ({'max_tokens': 2049}, 'max_tokens'),
    ({'temperature': -0.1}, 'temperature'), ({'temperature': 2.1}, 'temperature'),
    ({'temperature': NAN}, 'temperature'),
    ({'top_p': 1.1}, 'top_p'), ({'top_p': NAN}, 'top_p'), ({'top_p': -INF}, 'top_p')])
def test_a_query_out_of_range(changes: dict, field: str):
    arguments = {'question': '', 'detail': 0, 'language': '', 'max_tokens': 0} | changes
    with pytest.raises(InvalidRequest, match=f'^{field} is'):
        orders.query(settings=SETTINGS, **arguments)


def test_a_clip():
    assert orders.checked_clip(0.0, False, SETTINGS) == 0
    assert orders.checked_clip(2.0, False, SETTINGS) == 2.0
    assert orders.checked_clip(0.0, True, SETTINGS) == 0
    assert orders.checked_clip(float(np.float32(1.1)), False, replace(SETTINGS, ring_s=1.1)) > 1.1
    assert orders.wish(0, 0, 0.0, True, SETTINGS, 1.5).clip_ns == 1_500_000_000


@pytest.mark.parametrize('clip_s, own, kind, words', [
    (NAN, False, InvalidRequest, '^clip_s is nan'), (31.0, False, InvalidRequest, '0.1 to 30'),
    (0.05, False, InvalidRequest, '0.1 to 30'), (-1.0, False, InvalidRequest, '0.1 to 30'),
    (1.0, True, InvalidRequest, '^clip_s is 1.0; allowed: 0 together with image'),
    (2.1, False, Unsupported, '^clip_s is 2.1; allowed: at most 2 s.*Raise the parameter ring_s')])
def test_what_is_no_clip(clip_s: float, own: bool, kind: type, words: str):
    with pytest.raises(kind, match=words):
        orders.checked_clip(clip_s, own, SETTINGS)


@pytest.mark.parametrize('region', [
    Region(box_xywh=(1, 1, 2, 2)), Region(mask=np.ones((2, 2))), Region(mask=np.ones((2, 2)), labels=(1,)),
    Region(points=[1., 1.]), Region(scribble=[1., 1., 2., 2.]), Region(polygon=[1., 1., 2., 2., 1., 2.])])
def test_a_region_of_one_picture_needs_somebody_who_follows_it(region: Region):
    clip, single = orders.wish(0, 0, 0.0, False, SETTINGS, 1.0), orders.wish(0, 0, 0.0, False, SETTINGS)
    orders.check_clip_segmenter(single, region, 'grabcut', False)
    orders.check_clip_segmenter(clip, region, 'sam', True)
    with pytest.raises(Unsupported, match=f'^{region.field} is .*allowed: region.labels.* grabcut does not follow'):
        orders.check_clip_segmenter(clip, region, 'grabcut', False)
    for other in (Region(), Region(labels=(1,))):
        orders.check_clip_segmenter(clip, other, 'grabcut', False)


def test_a_clip_needs_a_describer_for_it():
    clip, single = orders.wish(0, 0, 0.0, True, SETTINGS, 1.0), orders.wish(0, 0, 0.0, True, SETTINGS)
    orders.check_clip_describer(single, 'attributes', 1)
    orders.check_clip_describer(clip, 'dam', 8)
    with pytest.raises(Unsupported, match=r'^clip_s is 1.0; allowed: 0 \(one picture\) with the describer attributes'):
        orders.check_clip_describer(clip, 'attributes', 1)


def test_what_excludes_each_other():
    orders.check_about('', {'image': True})
    orders.check_about('x', {'image': False})
    with pytest.raises(InvalidRequest, match='^stamp is'):
        orders.check_about('x', {'image': False, 'stamp': True})
    orders.check_own_picture(0, 0, Region())
    orders.check_own_picture(0, 0, Region(mask=np.ones((2, 2)), labels=(1,)))
    for arguments, field in (((1, 0, Region()), 'stamp'), ((0, 1, Region()), 'not_before'),
                             ((0, 0, Region(labels=(1,))), 'region.labels')):
        with pytest.raises(InvalidRequest, match=f'^{field} is'):
            orders.check_own_picture(*arguments)


def test_limits_of_a_scene():
    assert orders.scene_limits(0, 0, 0.0, 0, SETTINGS) == 32
    assert orders.scene_limits(2, 256, 1.0, 256, SETTINGS) == 256
    for arguments, field in (((3, 0, 0.0, 0), 'order'), ((0, 257, 0.0, 0), 'max_regions'),
                             ((0, 0, -0.1, 0), 'min_area_fraction'), ((0, 0, NAN, 0), 'min_area_fraction'),
                             ((0, 0, 1.1, 0), 'min_area_fraction'), ((0, 0, 0.0, 257), 'regions')):
        with pytest.raises(InvalidRequest, match=f'^{field} is'):
            orders.scene_limits(*arguments, SETTINGS)


# -- planning

def scene(regions: tuple[Region, ...] = (), order: int = LARGEST, most: int = 32, least: float = 0.0) -> SceneOrder:
    return SceneOrder('s', '', '', orders.wish(0, 0, 0.0, True, SETTINGS), regions, order, most, least,
                      orders.query('', 0, '', 0, SETTINGS), 10.0)


LABELS = np.zeros((10, 10), np.uint8)
LABELS[0, :2] = 7       # 2 pixels
LABELS[2:6, :5] = 3     # 20
LABELS[8, :] = 200      # 10
PLAIN = Cutting(True, True)


def planned(order: SceneOrder, background: tuple[int, ...] = (0,), **more) -> tuple[list, int]:
    plan, left_out = plan_scene(order, (10, 10), LabelImage(LABELS, background), PLAIN, **more)
    return [(one.region.label, one.failure.code if one.failure else 0) for one in plan], left_out


def test_a_scene_of_all_labels():
    assert planned(scene()) == ([(3, 0), (200, 0), (7, 0)], 0)
    assert planned(scene(order=NEAREST)) == ([(3, 0), (200, 0), (7, 0)], 0)
    assert planned(scene(order=AS_GIVEN)) == ([(3, 0), (7, 0), (200, 0)], 0)
    assert planned(scene(), background=(200,))[0][0] == (0, 0), 'what is background is for the parameter to say'
    with pytest.raises(EmptyRegion, match='background_labels'):
        planned(scene(), background=(0, 3, 7, 200))


def test_what_is_left_out_of_a_scene_is_counted():
    assert planned(scene(most=2)) == ([(3, 0), (200, 0)], 1)
    assert planned(scene(least=0.05)) == ([(3, 0), (200, 0)], 1)
    assert planned(scene(least=0.1)) == ([(3, 0), (200, 0)], 1)
    assert planned(scene(least=0.1, most=1)) == ([(3, 0)], 2)
    assert planned(scene(least=1.0)) == ([], 3)


def test_regions_of_a_scene_that_cannot_be():
    regions = (Region(labels=(9,)), Region(labels=(7,)), Region(box_xywh=(50., 0., 1., 1.)),
               Region(mask=np.ones((3, 3), np.uint8)), Region(labels=(3,)))
    wrong = [(9, UnknownLabel.code), (-1, EmptyRegion.code), (-1, InvalidRequest.code)]
    assert planned(scene(regions)) == ([(3, 0), (7, 0), *wrong], 0)
    assert planned(scene(regions, least=0.1))[0] == [(3, 0), *wrong], 'their size is not known'
    assert planned(scene(regions, AS_GIVEN))[0] == [wrong[0], (7, 0), *wrong[1:], (3, 0)]


def test_the_nearest_come_first_and_what_is_not_known_last():
    metres = {2: 1.5, 20: math.nan, 10: 0.7}   # area in px -> m
    assert planned(scene(order=NEAREST), distance_of=lambda mask: metres[int(mask.sum())]) == (
        [(200, 0), (7, 0), (3, 0)], 0)
    assert planned(scene(order=NEAREST, most=1), distance_of=lambda mask: metres[int(mask.sum())]) == ([(200, 0)], 2)


def test_of_classes_each_connected_part_is_a_thing():
    pixels = np.zeros((10, 12), np.int32)
    pixels[1:3, 1:4] = pixels[6:9, 1:6] = -5      # 6 and 15
    pixels[1, 8] = pixels[2, 9] = 900             # corners that touch are one
    pixels[7:, 10:] = 0
    plan, left_out = plan_scene(scene(), (10, 12), LabelImage(pixels, (0,), classes=True), PLAIN)
    assert [(one.region.label, one.mask.area_px, one.mask.box) for one in plan] == [
        (-5, 15, (1, 6, 5, 3)), (-5, 6, (1, 1, 3, 2)), (900, 2, (8, 1, 2, 2))]
    assert left_out == 0
    plan, left_out = plan_scene(scene(order=AS_GIVEN, most=2), (10, 12), LabelImage(pixels, (0,), True), PLAIN)
    assert ([one.region.label for one in plan], left_out) == ([-5, -5], 1)
    both = plan_region(Region(labels=(-5,)), (10, 12), LabelImage(pixels, (0,), True), PLAIN)
    assert both.mask.area_px == 21, 'who names a label means all of it'


def test_of_thousands_of_parts_only_the_largest_are_taken():
    pixels = np.zeros((200, 200), np.uint8)
    pixels[::2, ::2] = 4                          # 10,000 of one pixel
    pixels[100:110, 100:110] = 0
    pixels[102:106, 102:106] = 4
    plan, left_out = plan_scene(scene(most=3), (200, 200), LabelImage(pixels, (0,), True), PLAIN)
    assert [one.mask.area_px for one in plan] == [16, 1, 1]
    assert left_out == 10_000 - 25 + 1 - 3


def test_thousands_of_classes_take_no_time_for_each():
    pixels = np.arange(1, 120 * 160 + 1, dtype=np.int32).reshape(120, 160)   # each a class of its own
    began = time.process_time()
    plan, left_out = plan_scene(scene(most=2), (120, 160), LabelImage(pixels, (0,), True), PLAIN)
    assert (len(plan), left_out) == (2, 19_198)
    assert time.process_time() - began < 3.0   # 0.4 s, where each looks at all of the picture 5 s


def test_what_nobody_waits_for_is_not_planned_to_its_end():
    def go_on() -> None:
        seen.append(1)
        if len(seen) > 3:
            raise Cancelled('enough')

    pixels = np.arange(1, 101, dtype=np.uint8).reshape(10, 10)
    for image in (LabelImage(pixels), LabelImage(pixels, classes=True)):
        seen: list[int] = []
        with pytest.raises(Cancelled):
            plan_scene(scene(), (10, 10), image, PLAIN, go_on=go_on)
        assert len(seen) == 4


def test_a_detection_without_a_number_gets_the_next_that_is_free():
    def found(*ids: str) -> list[int]:
        return list(Detections([Detection(one, '', (5., 5.), (2., 2.)) for one in ids]).present())

    assert found('', '', '') == [1, 2, 3]
    assert found('2', '', 'x') == [2, 3, 4], 'in the order of the values; 2 is the place and an id'
    assert found('7', '7', '1') == [1, 2, 3], 'an id that is there twice is none'
    assert found('0', '', '9' * 10) == [0, 2, 3]
    began = time.process_time()
    assert len(found(*[''] * 60_000)) == 60_000
    assert time.process_time() - began < 5.0   # 1 s; it was minutes


def test_what_is_pointed_at_goes_to_the_segmenter():
    box, points = Region(box_xywh=(2., 3., 4., 5.)), Region(points=[1., 2., 3., 4.], point_labels=(1, 0))
    scribble = Region(scribble=[1., 2., 3., 4.])
    assert plan_region(box, (10, 10), None, Cutting(True, False)).prompt.box == (2, 3, 6, 8)
    assert plan_region(points, (10, 10), None, Cutting(True, False)).prompt.inside == ((1., 2.),)
    assert plan_region(scribble, (10, 10), None, Cutting(True, False)).prompt.stroke.any()
    for region in (replace(box, box_is_region=True), Region(polygon=[1., 2., 3., 4., 1., 4.]), Region()):
        assert plan_region(region, (10, 10), None, Cutting(True, False)).prompt is None


def test_without_a_segmenter():
    region = Region(box_xywh=(2., 3., 4., 5.))
    plan = plan_region(region, (10, 10), None, Cutting(False, True))
    assert (plan.prompt, plan.mask.box) == (None, (2, 3, 4, 5))
    for box_fallback, one, words in ((False, region, 'region.box_is_region'),
                                     (True, Region(points=[1., 2.]), 'region.points'),
                                     (True, Region(scribble=[1., 2., 3., 4.]), 'region.scribble')):
        with pytest.raises(Unsupported, match=f'^{words} is .*there is no segmenter'):
            plan_region(one, (10, 10), None, Cutting(False, box_fallback))


# -- records

def record(id: str, picture: object = None, size: int = 100) -> Record:
    return Record(id, picture or object(), size, StoredMask(np.ones((4, 4), bool)), 'look')


def kept(records: Records, *ids: str) -> list[bool]:
    found = []
    for id in ids:
        try:
            found.append(records.find(id).id == id)
        except UnknownDescription:
            found.append(False)
    return found


def test_the_oldest_record_leaves_first():
    records = Records(3, 128.0)
    for id in 'abcd':
        records.add(record(id))
    assert kept(records, *'abcd') == [False, True, True, True]
    assert (len(records), records.newest.id) == (3, 'd')
    with pytest.raises(UnknownDescription, match="about is 'a'; allowed: the id of one of the last 3"):
        records.find('a')


def test_memory_bounds_records_but_for_the_newest():
    records = Records(100, 1.0)
    for index in range(50):
        records.add(record(str(index), size=100_000))
        assert records.nbytes <= 1e6
    assert len(records) == 9
    records.add(record('huge', size=10_000_000))
    assert kept(records, 'huge', '49') == [True, False]


def test_a_picture_that_is_shared_counts_once():
    records, picture = Records(100, 1.0), object()
    for index in range(50):
        records.add(record(str(index), picture, 900_000))
    assert len(records) == 50 and records.nbytes < 1e6


class Clock:
    """Virtual, in s."""

    def __init__(self):
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_what_was_spoken_may_be_referred_to_for_a_while():
    clock = Clock()
    records = Records(2, 100.0, refer_for_s=60.0, now_s=clock)
    records.add(replace(record('said'), spoken=True))
    for index in range(50):
        clock.now_s += 1.0
        records.add(record(str(index)))
        assert kept(records, 'said', str(index)) == [True, True]
        assert len(records) == 1 + min(2, index + 1), 'those that nobody heard are kept as if it were not there'
    clock.now_s += 10.0
    records.add(record('late'))
    assert kept(records, 'said', '48', '49', 'late') == [False, False, True, True]


def test_more_than_the_number_are_kept_where_all_were_spoken():
    clock = Clock()
    records = Records(2, 100.0, refer_for_s=60.0, now_s=clock)
    for index in range(10):
        clock.now_s += 1.0
        records.add(replace(record(str(index)), spoken=True))
    assert len(records) == 10
    clock.now_s += 57.0   # the first seven are older than 60 s now
    records.add(record('next'))
    assert kept(records, *'0123456789', 'next') == [False] * 6 + [True] * 5, 'the newest of the old is one of the two'
    clock.now_s += 60.0
    records.add(record('last'))
    assert kept(records, 'next', 'last') == [True, True] and len(records) == 2


def test_memory_is_the_bound_of_what_was_spoken_too():
    """What nobody heard goes first, then the oldest that somebody did."""
    records = Records(100, 1.0, refer_for_s=60.0, now_s=Clock())
    records.add(replace(record('a', size=300_000), spoken=True))
    records.add(record('b', size=300_000))
    records.add(replace(record('c', size=300_000), spoken=True))
    records.add(replace(record('d', size=300_000), spoken=True))
    assert kept(records, 'a', 'b', 'c', 'd') == [True, False, True, True]
    records.add(replace(record('e', size=300_000), spoken=True))
    assert kept(records, 'a', 'c', 'd', 'e') == [False, True, True, True]
    records.add(record('quiet', size=300_000))
    assert kept(records, 'c', 'd', 'e', 'quiet') == [False, True, True, True], 'the newest always stays'
    assert records.nbytes <= 1e6


def test_the_same_id_again_replaces():
    records = Records(2, 1.0)
    for id in ('a', 'b', 'a'):
        records.add(record(id))
    assert (len(records), records.newest.id) == (2, 'a')
    records.add(record('c'))
    assert kept(records, 'a', 'b', 'c') == [True, False, True]
    records.clear()
    assert (len(records), records.nbytes, records.newest) == (0, 0, None)


def test_every_refusal_says_something_to_the_caller():
    random = np.random.default_rng(12)
    odd = [0.0, 1.0, -1.0, NAN, INF, 1e30, 2.5]
    for _ in range(300):
        try:
            orders.wish(int(random.integers(2)), int(random.integers(2)), float(random.choice(odd)), False, SETTINGS)
            orders.query('', int(random.integers(5)), str(random.choice(['', 'en', '!'])), int(random.integers(3000)),
                         SETTINGS, float(random.choice(odd)), float(random.choice(odd)))
            orders.scene_limits(int(random.integers(5)), int(random.integers(400)), float(random.choice(odd)),
                                int(random.integers(400)), SETTINGS)
        except Failure as failure:
            assert failure.code == 10100 and 'allowed: ' in str(failure)
