"""Which pictures make a clip, which of them are looked at, and what is remembered of them."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from dam_ros.core.clips import PICTURES, at_most, spread
from dam_ros.core.errors import InvalidRequest, NoLabelImage, StaleFrame
from dam_ros.core.frames import NS, Found, Frame, Pending, Ring, Wish
from dam_ros.core.masks import StoredMask
from dam_ros.core.planning import Earlier, LabelImage, plan_earlier
from dam_ros.core.records import Record, Records
from dam_ros.core.regions import Region

T0 = 1_700_000_000 * NS
SLOP = 20_000_000


# -- the numbers of the reference model


@pytest.mark.parametrize('count, expected', [
    (1, [0] * 8), (2, [0, 0, 0, 0, 0, 0, 0, 1]), (3, [0, 0, 0, 0, 1, 1, 1, 2]), (5, [0, 0, 1, 1, 2, 2, 3, 4]),
    (8, [0, 1, 2, 3, 4, 5, 6, 7]), (12, [0, 1, 3, 4, 6, 7, 9, 11]), (30, [0, 4, 8, 12, 16, 20, 24, 29])])
def test_eight_pictures_from_the_first_to_the_last(count: int, expected: list[int]):
    assert PICTURES == 8
    assert spread(count) == expected
    assert all(type(one) is int for one in spread(count))


def test_at_most_repeats_nothing():
    assert at_most(3, 8) == [0, 1, 2]
    assert at_most(8, 8) == list(range(8))
    assert at_most(12, 8) == spread(12)
    assert at_most(12, 3) == [0, 5, 11]
    assert at_most(100, 8)[-1] == 99   # the last is the one that is asked about


def test_choosing_again_changes_nothing():
    for count in range(1, 60):
        kept = at_most(count, 8)
        assert [kept[index] for index in spread(len(kept))] == spread(count)


# -- what the ring brings

def at(seconds: float) -> int:
    return T0 + round(seconds * NS)


def tenths(first: int, last: int) -> list[float]:
    return [one / 10 for one in range(first, last + 1)]


def ring_of(pictures: list[float], labels: list[float], span_s: float = 5.0, megabytes: float = 256.0) -> Ring:
    ring = Ring(span_s, megabytes)
    for one in sorted({*pictures, *labels}):
        if one in pictures:
            ring.add_picture(Frame(at(one), '', bytes(1000)), SLOP)
        if one in labels:
            ring.add_labels(Frame(at(one), '', bytes(10)), SLOP)
    return ring


def chosen(ring: Ring, clip_s: float, now_s: float, **wish):
    return ring.choose(Wish(clip_ns=round(clip_s * NS), needs_labels=wish.pop('needs_labels', True), **wish), at(now_s))


def times(found: Found) -> list[float]:
    """Of all pictures, checked against those of their label images."""
    whole = [*found.earlier, found]
    assert all(one.labels is None or one.labels.stamp_ns == one.picture.stamp_ns for one in whole)
    return [round((one.picture.stamp_ns - T0) / NS, 3) for one in whole]


def test_a_clip_is_every_picture_of_that_time_up_to_the_newest_complete_one():
    ring = ring_of(tenths(0, 30), tenths(0, 29))
    assert times(chosen(ring, 1.0, 3.0)) == tenths(19, 29)   # the label image of the newest is still to come
    assert times(chosen(ring, 0.25, 3.0)) == tenths(27, 29)
    assert times(chosen(ring, 0.1, 3.0, stamp_ns=at(2.0))) == [1.9, 2.0]
    assert times(chosen(ring, 0.0, 3.0)) == [2.9]
    assert all(one.labels is not None for one in chosen(ring, 1.0, 3.0).earlier)


def test_a_clip_of_whole_pictures_needs_no_label_image():
    found = chosen(ring_of(tenths(0, 30), []), 0.5, 3.0, needs_labels=False)
    assert times(found) == tenths(25, 30)
    assert not any(one.labels for one in found.earlier)


def test_a_clip_waits_for_the_label_image_of_its_last_picture():
    ring = ring_of(tenths(0, 30), tenths(0, 29))
    assert isinstance(chosen(ring, 1.0, 3.0, stamp_ns=at(3.0)), Pending)
    ring.add_labels(Frame(at(3.0), '', b''), SLOP)
    assert times(chosen(ring, 1.0, 3.0, stamp_ns=at(3.0))) == tenths(20, 30)


def test_a_label_image_that_is_missing_before_is_said_with_its_number():
    ring = ring_of(tenths(0, 20), [one for one in tenths(0, 20) if one not in (1.3, 1.7)])
    with pytest.raises(NoLabelImage, match=r'clip_s is 1.0; allowed: .*\. 2 of 11 have none within sync_slop_s 0.02'):
        chosen(ring, 1.0, 2.0)
    assert times(chosen(ring, 0.2, 2.0)) == [1.8, 1.9, 2.0]


def test_a_camera_that_has_only_begun_gives_what_there_is():
    assert times(chosen(ring_of(tenths(0, 3), tenths(0, 3)), 2.0, 0.3)) == tenths(0, 3)
    assert times(chosen(ring_of([0.0], [0.0]), 2.0, 0.0)) == [0.0]


def test_pictures_that_were_dropped_are_no_clip():
    """It would be a shorter one than was asked for, without a word."""
    short = ring_of(tenths(0, 40), tenths(0, 40), span_s=2.0)
    assert times(chosen(short, 2.0, 4.0)) == tenths(20, 40)
    with pytest.raises(StaleFrame, match='clip_s is 2.1; allowed: at most 2.00 here.*Raise ring_s and ring_mb'):
        chosen(short, 2.1, 4.0)
    small = ring_of(tenths(0, 40), tenths(0, 40), megabytes=0.0105)
    assert times(chosen(small, 0.9, 4.0)) == tenths(31, 40)
    with pytest.raises(StaleFrame, match='clip_s is 1.0; allowed: at most 0.90 here'):
        chosen(small, 1.0, 4.0)
    small.clear()
    small.add_picture(Frame(at(9.0), '', b''), SLOP)
    assert times(chosen(small, 1.0, 9.0, needs_labels=False)) == [9.0]


# -- what is looked at of it

@dataclass(eq=False)
class Picture:
    number: int
    height: int = 4
    nbytes: int = 1000

    def size(self) -> tuple[int, int]:
        return self.height, 6


def label_images(count: int, without: tuple[int, ...] = ()) -> list[np.ndarray]:
    """Label 3 in as many columns as its number says, modulo 5, plus one."""
    images = [np.ones((4, 6), np.uint8) for _ in range(count)]
    for number, image in enumerate(images):
        image[1:3, :number % 5 + 1] = 1 if number in without else 3
    return images


def planned(count: int, without: tuple[int, ...] = (), most: int = 8, labels: tuple[int, ...] = (3,)) -> list[int]:
    images, pictures = label_images(count, without), [Picture(number) for number in range(count)]
    plan = plan_earlier(Region(labels=labels), pictures, lambda index: LabelImage(images[index]), most)
    for one in plan:
        assert one.mask.array().tolist() == np.isin(images[one.picture.number], labels).tolist()
    return [one.picture.number for one in plan]


def test_of_many_pictures_as_many_are_planned_as_are_looked_at():
    assert planned(0) == []
    assert planned(7) == [0, 1, 2, 3, 4, 5, 6]                    # and the last, which is planned like any picture
    assert planned(10) == [0, 1, 2, 4, 5, 7, 8]                   # spread(11) without its last, 10
    assert planned(29) == [0, 4, 8, 12, 16, 20, 24]
    assert planned(29, most=3) == [0, 14]


def test_pictures_without_the_label_are_left_out_before_they_are_counted():
    assert planned(10, without=tuple(range(2, 10))) == [0, 1]
    assert planned(14, without=(0, 5, 13)) == [1, 2, 4, 6, 8, 9, 11]   # the 0th, 1st, 3rd, 4th, ... of 12
    assert planned(5, without=(0, 1, 2, 3, 4)) == []
    assert planned(5, without=(1,), labels=(3, 9)) == [0, 2, 3, 4]


def test_whole_pictures_have_no_label_image():
    plan = plan_earlier(Region(), [Picture(0), Picture(1, height=9)], lambda index: None, 8)
    assert [one.mask.shape for one in plan] == [(4, 6), (9, 6)]
    assert all(one.mask.area_fraction == 1 for one in plan)


def test_a_label_image_of_another_size_is_refused():
    with pytest.raises(InvalidRequest, match='label image is .6x4 px.; allowed: the size of the picture, 6x9 px'):
        plan_earlier(Region(labels=(3,)), [Picture(0, height=9)], lambda index: LabelImage(label_images(1)[0]), 8)


# -- what is remembered

def test_the_pictures_of_a_clip_count_in_the_memory_of_records():
    mask = StoredMask(np.ones((4, 4), bool))
    records = Records(10, 0.0095)
    for id in 'abc':
        clip = tuple(Earlier(Picture(number), mask) for number in range(3))
        records.add(Record(id, Picture(3), 1000, mask, 'look', earlier=clip))
    assert records.nbytes == 2 * 4 * (1000 + mask.nbytes)
    assert (len(records), len(records.find('b').earlier)) == (2, 3)   # 'a' had to go
