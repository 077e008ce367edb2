"""The right frame: late and early label images, gaps, jumps and bounds, without a clock of its own."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dam_ros.core.errors import Failure, NoFrame, NoLabelImage, StaleFrame
from dam_ros.core.frames import NS, Found, Frame, Pending, Ring, Wish

T0 = 1_700_000_000 * NS
SLOP = 20_000_000
PERIOD = 33_333_333


def at(seconds: float) -> int:
    return T0 + round(seconds * NS)


def frame(stamp_ns: int, size: int = 10) -> Frame:
    return Frame(stamp_ns, 'camera', bytes(size))


def ring_of(*seconds: float, labels: tuple[float, ...] = (), size: int = 10, span_s: float = 2.0,
            megabytes: float = 256.0) -> Ring:
    ring = Ring(span_s, megabytes)
    for one in seconds:
        ring.add_picture(frame(at(one), size), SLOP)
    for one in labels:
        ring.add_labels(frame(at(one), size), SLOP)
    return ring


def chosen(ring: Ring, now_s: float = 0.0, **wish) -> Found:
    found = ring.choose(Wish(**wish), at(now_s))
    assert isinstance(found, Found), found
    return found


def pending(ring: Ring, now_s: float = 0.0, **wish) -> Pending:
    waits = ring.choose(Wish(**wish), at(now_s))
    assert isinstance(waits, Pending), waits
    return waits


def stamps(found: Found) -> tuple[int, int | None]:
    return found.picture.stamp_ns, found.labels.stamp_ns if found.labels else None


# -- the newest

def test_the_newest_picture():
    assert stamps(chosen(ring_of(0.0, 0.1, 0.2), 0.2)) == (at(0.2), None)


def test_out_of_order_arrival():
    ring = ring_of(0.0, 0.2, 0.1, 0.3, 0.25, labels=(0.2, 0.1))
    assert chosen(ring, 0.3).picture.stamp_ns == at(0.3)
    assert stamps(chosen(ring, 0.3, needs_labels=True)) == (at(0.2), at(0.2)), 'the newest pair, not the last to come'
    for one in (0.0, 0.1, 0.2, 0.25, 0.3):
        assert chosen(ring, 0.3, stamp_ns=at(one)).picture.stamp_ns == at(one)


def test_before_the_first_picture():
    waits = pending(Ring(2.0, 256.0, '/robot/image'))
    assert (type(waits.failure), waits.to_deadline) == (NoFrame, False)
    assert '/robot/image' in str(waits.failure)
    assert pending(Ring(2.0, 256.0), stamp_ns=at(0)).to_deadline
    assert pending(Ring(2.0, 256.0), not_before_ns=at(0)).to_deadline


def test_only_label_images_have_come():
    assert type(pending(ring_of(labels=(0.0, 0.1)), needs_labels=True).failure) is NoFrame


@pytest.mark.parametrize('needs_labels', [False, True])
def test_too_old(needs_labels: bool):
    ring = ring_of(0.0, labels=(0.0,))
    chosen(ring, 2.0, needs_labels=needs_labels)
    with pytest.raises(StaleFrame, match=r"'2\.01 s'; allowed: at most 2 s"):
        ring.choose(Wish(needs_labels=needs_labels), at(2.01))
    assert chosen(ring, 2.01, max_age_s=5.0, needs_labels=needs_labels)


def test_a_stamp_of_the_future_is_not_old():
    assert chosen(ring_of(5.0), 0.0).picture.stamp_ns == at(5.0)


def test_a_driver_that_leaves_the_stamp_at_0_is_named():
    ring = Ring(2.0, 256.0)
    ring.add_picture(frame(0), SLOP)
    with pytest.raises(StaleFrame, match='driver leaves the stamp at 0'):
        ring.choose(Wish(), at(0))


# -- label images

def test_a_late_label_image_finds_its_own_picture():
    """30 Hz, label images 800 ms late: neither an error nor another frame's label, at any time."""
    ring, came = Ring(2.0, 256.0), 0
    for index in range(150):
        now = T0 + index * PERIOD
        ring.add_picture(frame(now), SLOP)
        if index >= 24:
            ring.add_labels(frame(now - 24 * PERIOD), SLOP)
            found = ring.choose(Wish(needs_labels=True), now)
            assert stamps(found) == (now - 24 * PERIOD, now - 24 * PERIOD)
            came += 1
        assert ring.choose(Wish(), now).picture.stamp_ns == now
    assert (came, ring.labels.unmatched, ring.jumps) == (126, 0, 0)


def test_a_label_image_may_come_before_its_picture():
    ring = Ring(2.0, 256.0)
    ring.add_labels(frame(at(0.5)), SLOP)
    ring.add_picture(frame(at(0.4)), SLOP)
    assert type(pending(ring, 0.5, needs_labels=True).failure) is NoLabelImage
    ring.add_picture(frame(at(0.5)), SLOP)
    assert stamps(chosen(ring, 0.5, needs_labels=True)) == (at(0.5), at(0.5))


@pytest.mark.parametrize('off_ms, pairs', [(0, True), (20, True), (-20, True), (20.001, False), (-20.001, False)])
def test_slop(off_ms: float, pairs: bool):
    ring = ring_of(0.0, labels=(off_ms / 1e3,))
    assert isinstance(ring.choose(Wish(needs_labels=True), at(0)), Found) is pairs
    assert (ring.pair() is not None) is pairs
    if not pairs:
        failure = pending(ring, needs_labels=True).failure
        assert type(failure) is NoLabelImage and f'{off_ms:+.0f} ms' in str(failure)


def test_the_nearest_of_several_within_the_slop():
    ring = ring_of(0.0, 0.015, 0.03, labels=(0.017,))
    assert stamps(chosen(ring, needs_labels=True)) == (at(0.015), at(0.017))


def test_no_label_image_at_all():
    waits = pending(ring_of(0.0), needs_labels=True)
    assert (type(waits.failure), waits.to_deadline) == (NoLabelImage, False)
    assert 'none has come on segmentation' in str(waits.failure)


@pytest.mark.parametrize('behind', [0, 1, 5])
def test_at_60_hz_the_slop_reaches_the_next_frame_but_its_label_image_is_not_taken(behind: int):
    """Picture k + 1 came before its own label image and was paired with that of k, 16.7 ms off."""
    ring, period = Ring(2.0, 256.0), 16_666_667
    for index in range(60):
        now = T0 + index * period
        ring.add_picture(frame(now), SLOP)
        if index > behind:
            assert stamps(chosen(ring, 1.0, needs_labels=True)) == (now - (behind + 1) * period,) * 2
            waits = pending(ring, 1.0, stamp_ns=now, needs_labels=True)
            assert type(waits.failure) is NoLabelImage
        if index >= behind:
            ring.add_labels(frame(now - behind * period), SLOP)


def test_the_same_stamp_twice():
    ring = ring_of(0.0, 0.0, labels=(0.0, 0.0))
    assert stamps(chosen(ring, needs_labels=True)) == (at(0.0), at(0.0))


def test_label_images_that_come_too_late_are_counted():
    ring = ring_of(*np.arange(0, 5, 0.1))
    ring.add_labels(frame(at(1.0)), SLOP)
    assert (ring.labels.unmatched, ring.pair()) == (1, None)


def test_a_label_topic_of_another_time_does_not_touch_the_pictures():
    """A segmentation more than 10 s late, or with stamp 0, counted as a jump of time: each label image of it threw
    away every picture."""
    for stamp_ns in (0, at(-15.0)):
        ring = ring_of(0.0, 0.5, 1.0)
        ring.add_labels(frame(stamp_ns), SLOP)
        ring.add_labels(frame(stamp_ns + PERIOD), SLOP)
        assert ring.jumps == 0
        assert chosen(ring, 1.0, stamp_ns=at(0.5)).picture.stamp_ns == at(0.5)
        assert type(pending(ring, 1.0, needs_labels=True).failure) is NoLabelImage


# -- the pinned pair

def test_the_newest_pair_stays_until_there_is_a_newer_one():
    ring = ring_of(0.0, labels=(0.0,))
    for one in np.arange(0.1, 5.0, 0.1):
        ring.add_picture(frame(at(one)), SLOP)
    assert stamps(chosen(ring, 5.0, needs_labels=True, max_age_s=10.0)) == (at(0.0), at(0.0))
    assert stamps(chosen(ring, 5.0, needs_labels=True, stamp_ns=at(0.0))) == (at(0.0), at(0.0))
    assert chosen(ring, 5.0, stamp_ns=at(0.0)).picture.stamp_ns == at(0.0)
    ring.add_labels(frame(at(4.9)), SLOP)
    assert stamps(chosen(ring, 5.0, needs_labels=True)) == (at(4.9), at(4.9))
    with pytest.raises(StaleFrame):
        ring.choose(Wish(stamp_ns=at(0.0)), at(5.0))


def test_the_pinned_picture_itself_is_given_for_its_stamp():
    """A wide slop found a neighbour that was still in the ring, though the very picture was kept."""
    ring = Ring(1.0, 256.0)
    slop = 500_000_000
    ring.add_picture(frame(at(0.0)), slop)
    ring.add_labels(frame(at(0.0)), slop)
    for one in (0.3, 1.2):
        ring.add_picture(frame(at(one)), slop)
    found = chosen(ring, 1.2, stamp_ns=at(0.0), needs_labels=True, slop_ns=slop)
    assert found.picture.stamp_ns == at(0.0)


# -- depth and camera info

def place(found: Found) -> tuple[int | None, int | None]:
    """Stamps of depth and camera info."""
    return found.depth and found.depth.stamp_ns, found.info and found.info.stamp_ns


def test_nothing_waits_for_depth_or_camera_info():
    ring = ring_of(0.0, labels=(0.0,))
    for needs_labels in (False, True):
        assert place(chosen(ring, needs_labels=needs_labels)) == (None, None)


@pytest.mark.parametrize('order', ['dip', 'dpi', 'idp', 'ipd', 'pdi', 'pid'])
def test_depth_info_and_picture_in_any_order(order: str):
    ring = Ring(2.0, 256.0)
    for one in order:
        if one == 'p':
            ring.add_picture(frame(at(0.1)), SLOP)
        elif one == 'd':
            ring.add_depth(frame(at(0.11)), SLOP)
        else:
            ring.add_info(frame(at(0.1)))
    assert place(chosen(ring)) == place(chosen(ring, stamp_ns=at(0.1))) == (at(0.11), at(0.1))
    assert ring.depth_fits


def test_depth_is_the_nearest_within_the_slop():
    ring = ring_of(0.0, 0.1, 0.2)
    for one in (0.005, 0.1, 0.115, 0.23):
        ring.add_depth(frame(at(one)), SLOP)
    assert [place(chosen(ring, stamp_ns=at(one)))[0] for one in (0.0, 0.1, 0.2)] == [at(0.005), at(0.1), None]


def test_depth_at_half_the_rate_serves_the_pictures_between():
    """Centimetres off at most; a label image would be another thing's."""
    ring, period = Ring(2.0, 256.0), 16_666_667
    for index in range(10):
        ring.add_picture(frame(T0 + index * period), SLOP)
        if index % 2 == 0:
            ring.add_depth(frame(T0 + index * period), SLOP)
    for index in range(10):
        assert chosen(ring, stamp_ns=T0 + index * period).depth is not None


def test_a_stamp_of_the_future_costs_only_what_came_before_it():
    """It counted as the newest, and every frame until then was dropped at once."""
    ring = ring_of(0.0, 0.1, 9.0)
    for index in range(2, 20):
        ring.add_picture(frame(at(index / 10)), SLOP)
        ring.add_depth(frame(at(index / 10)), SLOP)
    assert chosen(ring).picture.stamp_ns == at(1.9) and ring.jumps == 1
    assert place(chosen(ring, stamp_ns=at(1.0)))[0] == at(1.0)


def test_the_camera_info_of_a_picture_is_kept_when_it_has_left_the_ring():
    ring = ring_of(0.0)
    ring.add_info(frame(at(0.0)))
    found = chosen(ring)
    for index in range(1, 40):
        ring.add_info(frame(at(index / 10)))
    assert ring.completed(found, SLOP).info.stamp_ns == at(0.0)


def test_label_images_that_miss_the_slop_did_not_come_too_late():
    ring = ring_of(0.0, 0.1, 0.2)
    for index in range(2):
        ring.add_labels(frame(at(index / 10 + 0.05)), SLOP)
    assert (ring.labels.seen, ring.labels.unmatched) == (2, 0)


def test_depth_that_never_fits_is_known():
    ring = ring_of(0.0)
    ring.add_depth(frame(at(0.5)), SLOP)
    assert (place(chosen(ring)), ring.depth_fits) == ((None, None), False)
    ring.add_picture(frame(at(0.51)), SLOP)
    assert ring.depth_fits


def test_depth_that_comes_after_the_choice():
    ring = ring_of(0.0)
    found = chosen(ring)
    ring.add_depth(frame(at(0.0)), SLOP)
    ring.add_info(frame(at(0.0)))
    assert place(ring.completed(found, SLOP)) == (at(0.0), at(0.0))


def test_the_camera_info_of_the_stamp_else_the_last():
    ring = ring_of(0.0, 0.1, 0.2)
    for one in (0.0, 0.1):
        ring.add_info(frame(at(one)))
    assert [place(chosen(ring, stamp_ns=at(one)))[1] for one in (0.0, 0.1, 0.2)] == [at(0.0), at(0.1), at(0.1)]
    ring.add_info(frame(0))   # a driver without stamps
    assert place(chosen(ring, stamp_ns=at(0.2)))[1] == 0


def test_a_camera_info_that_came_only_once_stays():
    """Latched ones are sent when we subscribe, and never again."""
    ring = ring_of(0.0)
    ring.add_info(frame(at(-100.0)))
    for index in range(100):
        ring.add_picture(frame(at(0.1 * index)), SLOP)
    ring.clear()
    ring.add_picture(frame(at(-1000.0)), SLOP)
    assert place(chosen(ring, stamp_ns=at(-1000.0))) == (None, at(-100.0))


def test_the_depth_of_the_newest_pair_stays_with_it():
    ring = ring_of(0.0, labels=(0.0,))
    for one in np.arange(0.0, 5.0, 0.1):
        ring.add_picture(frame(at(one)), SLOP)
        ring.add_depth(frame(at(one)), SLOP)
    assert place(chosen(ring, 5.0, needs_labels=True, max_age_s=10.0))[0] == at(0.0)
    assert place(chosen(ring, 5.0))[0] == at(4.9)


def test_depth_and_info_of_another_past_are_forgotten():
    ring = ring_of(100.0)
    for one in (100.0, 0.0):
        ring.add_depth(frame(at(one)), SLOP)
        ring.add_info(frame(at(one)))
    assert place(chosen(ring, 100.0)) == (None, at(0.0))
    ring.add_picture(frame(at(0.0)), SLOP)
    assert ring.jumps == 1
    ring.add_depth(frame(at(0.0)), SLOP)
    assert place(chosen(ring, 0.0)) == (at(0.0), at(0.0))


def test_a_clip_has_the_depth_of_its_last_picture():
    ring = ring_of(0.0, 0.1, 0.2, labels=(0.0, 0.1, 0.2))
    ring.add_depth(frame(at(0.2)), SLOP)
    for needs_labels in (False, True):
        found = chosen(ring, 0.2, clip_ns=NS // 5, needs_labels=needs_labels)
        assert (len(found.earlier), place(found)[0]) == (2, at(0.2))


# -- stamp

def test_this_very_picture_or_the_nearest_within_the_slop():
    ring = ring_of(0.0, 0.1, 0.2)
    assert chosen(ring, stamp_ns=at(0.1)).picture.stamp_ns == at(0.1)
    assert chosen(ring, stamp_ns=at(0.115)).picture.stamp_ns == at(0.1)
    assert chosen(ring, stamp_ns=at(0.085)).picture.stamp_ns == at(0.1)
    with pytest.raises(NoFrame, match='The nearest is 1700000000.100000000'):
        ring.choose(Wish(stamp_ns=at(0.14)), at(0.2))


def test_a_stamp_ignores_age():
    assert chosen(ring_of(0.0), 1000.0, stamp_ns=at(0.0)).picture.stamp_ns == at(0.0)


def test_a_stamp_that_has_left_or_is_still_to_come():
    ring = ring_of(*np.arange(0, 5, 0.1))
    with pytest.raises(StaleFrame, match='raise ring_s and ring_mb'):
        ring.choose(Wish(stamp_ns=at(1.0)), at(5.0))
    waits = pending(ring, 5.0, stamp_ns=at(5.2))
    assert (type(waits.failure), waits.to_deadline) == (NoFrame, True)
    ring.add_picture(frame(at(5.2)), SLOP)
    assert chosen(ring, 5.2, stamp_ns=at(5.2))


def test_the_label_image_of_a_stamp():
    ring = ring_of(0.0, 0.1, 0.2, labels=(0.0,))
    assert stamps(chosen(ring, stamp_ns=at(0.0), needs_labels=True)) == (at(0.0), at(0.0))
    assert pending(ring, stamp_ns=at(0.1), needs_labels=True).to_deadline, 'it may still come'
    ring.add_labels(frame(at(0.2)), SLOP)
    with pytest.raises(NoLabelImage, match='within sync_slop_s 0.02'):
        ring.choose(Wish(stamp_ns=at(0.1), needs_labels=True), at(0.2))   # the later one is there: its own was lost
    assert stamps(chosen(ring, stamp_ns=at(0.2), needs_labels=True)) == (at(0.2), at(0.2))


# -- not_before

@pytest.mark.parametrize('needs_labels', [False, True])
def test_not_before(needs_labels: bool):
    ring = ring_of(0.0, labels=(0.0,))
    wish = {'not_before_ns': at(0.05), 'needs_labels': needs_labels}
    waits = pending(ring, 0.05, **wish)
    assert (type(waits.failure), waits.to_deadline) == (NoFrame, True)
    ring.add_picture(frame(at(0.1)), SLOP)
    if needs_labels:
        assert pending(ring, 0.1, **wish).to_deadline
        ring.add_labels(frame(at(0.1)), SLOP)
    assert chosen(ring, 0.1, **wish).picture.stamp_ns == at(0.1)
    assert chosen(ring, 0.1, **{**wish, 'not_before_ns': at(0.1)}), 'at or after'


# -- bounds

def test_bounded_by_seconds():
    ring = ring_of(*np.arange(0, 10, 0.1))
    for one, kept in ((9.9, True), (8.0, True), (7.9, True), (7.8, False), (0.0, False)):
        wish = Wish(stamp_ns=at(one))
        if kept:
            assert isinstance(ring.choose(wish, at(10)), Found), one
        else:
            with pytest.raises(StaleFrame):
                ring.choose(wish, at(10))


@pytest.mark.parametrize('size, kept', [(100_000, 10), (250_000, 4), (300_000, 3), (5_000_000, 1)])
def test_bounded_by_megabytes(size: int, kept: int):
    ring = ring_of(*np.arange(0, 2, 0.05), labels=tuple(np.arange(0, 2, 0.05)), size=size, megabytes=1.0)
    inside = 0
    for one in np.arange(0, 2, 0.05):
        try:
            inside += isinstance(ring.choose(Wish(stamp_ns=at(one)), at(2)), Found)
        except StaleFrame:
            pass
    assert inside == kept
    assert ring.newest.stamp_ns == ring.newest_labels().stamp_ns == at(1.95)


def test_a_zero_span_keeps_the_newest():
    ring = ring_of(0.0, 0.1, 0.2, span_s=0.0)
    assert chosen(ring, 0.2).picture.stamp_ns == at(0.2)


def test_ten_thousand_frames_leave_no_more_than_the_span():
    ring = Ring(0.5, 256.0)
    for index in range(10_000):
        ring.add_picture(frame(T0 + index * PERIOD), SLOP)
        ring.add_labels(frame(T0 + index * PERIOD), SLOP)
        ring.add_depth(frame(T0 + index * PERIOD), SLOP)
        ring.add_info(frame(T0 + index * PERIOD))
    lines = (ring._pictures, ring.labels.line, ring._depths, ring._infos)
    assert [len(one.frames) for one in lines] == [16] * 4
    assert [one.bytes for one in lines] == [160] * 4
    assert (ring.pictures_seen, ring.labels.seen) == (10_000, 10_000)


# -- time that goes back

def test_a_jump_back_forgets_what_is_of_another_past():
    ring = ring_of(100.0, 100.1, labels=(100.0,))
    ring.add_picture(frame(at(0.0)), SLOP)
    assert (ring.jumps, ring.pair()) == (1, None)
    assert chosen(ring, 0.0).picture.stamp_ns == at(0.0)
    ring.add_labels(frame(at(0.0)), SLOP)
    assert stamps(chosen(ring, 0.0, needs_labels=True)) == (at(0.0), at(0.0))
    assert ring.jumps == 1


def test_a_jump_back_that_the_label_images_see_first():
    ring = ring_of(100.0, 100.1, labels=(100.0, 100.1))
    ring.add_labels(frame(at(0.0)), SLOP)
    for one in (0.0, 0.1):
        ring.add_picture(frame(at(one)), SLOP)
    ring.add_labels(frame(at(0.1)), SLOP)
    assert stamps(chosen(ring, 0.1, needs_labels=True)) == (at(0.1), at(0.1))


def test_a_small_step_back_is_no_jump():
    ring = ring_of(10.0, 9.5, 9.0)
    assert (ring.jumps, chosen(ring, 10.0).picture.stamp_ns) == (0, at(10.0))


def test_one_frame_from_far_in_the_future_does_not_blind_the_ring():
    ring = ring_of(0.0, 1e6, 0.1, 0.2)
    assert chosen(ring, 0.2).picture.stamp_ns == at(0.2)


def test_clear():
    ring = ring_of(0.0, labels=(0.0,))
    ring.clear()
    assert (ring.newest, ring.newest_labels(), ring.pair()) == (None, None, None)
    ring.add_picture(frame(at(-1000.0)), SLOP)
    assert ring.jumps == 0, 'nothing was kept that it could be before'


def test_random_traffic_never_gives_what_was_not_asked_for():
    """Whatever comes in whatever order: a pair is within the slop, a stamp too, and no failure is ours."""
    random = np.random.default_rng(8)
    for _ in range(30):
        ring = Ring(float(random.choice([0.3, 2.0])), float(random.choice([1e-4, 1.0])))
        for _ in range(200):
            stamp = at(float(random.choice([0, 0, 0, 50])) + round(random.uniform(0, 3), 2))
            (ring.add_picture if random.random() < 0.5 else ring.add_labels)(frame(stamp), SLOP)
            wish = Wish(needs_labels=bool(random.random() < 0.5), max_age_s=float(random.choice([0.5, 100.0])))
            if random.random() < 0.3:
                wish = replace(wish, stamp_ns=at(round(random.uniform(0, 3), 2)))
            elif random.random() < 0.3:
                wish = replace(wish, not_before_ns=at(random.uniform(0, 3)))
            now = at(random.uniform(0, 4))
            try:
                found = ring.choose(wish, now)
            except Failure as failure:
                assert failure.code in (10102, 10103, 10106)
                continue
            if isinstance(found, Pending):
                assert found.failure.code in (10102, 10106)
                continue
            if wish.needs_labels:
                assert abs(found.labels.stamp_ns - found.picture.stamp_ns) <= SLOP
            if wish.stamp_ns:
                assert abs(found.picture.stamp_ns - wish.stamp_ns) <= SLOP
            else:
                assert found.picture.stamp_ns >= wish.not_before_ns
                assert now - found.picture.stamp_ns <= wish.max_age_s * NS
