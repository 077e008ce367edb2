"""Clips through the real node: which pictures are looked at, what is missing is said, and what `about` looks at."""
from __future__ import annotations

import time

from builtin_interfaces.msg import Time
from lifecycle_msgs.msg import Transition
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from ros_graph import NS, Camera, script, serving, stamp_of  # noqa: E402

from dam_ros.engine.status import Status  # noqa: E402
from dam_ros.msg import ErrorCode, Region  # noqa: E402
from dam_ros.nodes.planner import most_pictures  # noqa: E402

pytestmark = pytest.mark.ros
TENTH = NS // 10
THING = Region(labels=[3])
WORDS = 'Seen were {pictures} pictures, the last of {size} with {pixels} inside.'


@pytest.fixture(scope='module')
def served():
    options = script(text=WORDS)
    with serving(image_reliability='reliable', ring_s=2.0, frame_wait_s=0.3, max_frame_age_s=60.0,
                 describer_options=options) as node:
        yield node


@pytest.fixture(scope='module')
def connected(served):
    camera = Camera(served)
    camera.connect()
    return camera


@pytest.fixture
def camera(served, connected):
    """What earlier tests showed is forgotten."""
    assert served.change_state(Transition.TRANSITION_DEACTIVATE)
    assert served.change_state(Transition.TRANSITION_ACTIVATE)
    return connected


def labels(column: int, value: int = 3) -> np.ndarray:
    """The value in two rows from the left up to this column."""
    pixels = np.zeros((48, 64), np.uint8)
    pixels[10:12, :column + 1] = value
    return pixels


def film(served, camera, count: int, without: tuple[int, ...] = (), elsewhere: tuple[int, ...] = ()) -> int:
    """Pictures at 10 Hz up to now with their label images, that the node has; 3 covers 2 x (number + 1) pixels.

    Args:
        without: numbers of those without a label image.
        elsewhere: of those whose label image has 4 instead.

    Returns: the stamp of the last in ns.
    """
    newest = time.time_ns()
    for number in range(count):
        stamp = newest - TENTH * (count - 1 - number)
        camera.show(stamp)
        if number not in without:
            camera.label(stamp, labels(number, 4 if number in elsewhere else 3))
        if number % 4 == 3 or number == count - 1:   # of more at once the node's subscription keeps the last ten
            has(served, stamp, Region() if number in without else Region(labels=[3, 4]))
    return newest


def has(served, stamp_ns: int, region: Region) -> None:
    served.until(lambda: served.describe(stamp=ros_time(stamp_ns), region=region).error_code == 0)


def ros_time(stamp_ns: int) -> Time:
    return Time(sec=stamp_ns // NS, nanosec=stamp_ns % NS)


def said(answer) -> str:
    assert answer.error_code == 0, answer.error_msg
    return answer.description.text


def test_ten_pictures_a_second_are_looked_at_eight_at_a_time(served, camera):
    newest = film(served, camera, 15)
    answer = served.describe(clip_s=1.0, region=THING, return_mask=True)
    assert said(answer) == 'Seen were 8 pictures, the last of 64x48 with 30 inside.'
    assert stamp_of(answer.description) == newest
    assert (answer.description.box.width, answer.description.box.height, answer.description.label) == (15, 2, 3)
    assert np.count_nonzero(np.array(answer.mask.data)) == 30
    assert said(served.describe(clip_s=0.25, region=THING)).startswith('Seen were 3 pictures')
    assert said(served.describe(region=THING)).startswith('Seen were 1 pictures')
    assert said(served.describe(clip_s=0.5)) == 'Seen were 6 pictures, the last of 64x48 with 3072 inside.'


def test_a_clip_ends_at_the_picture_that_is_named(served, camera):
    newest = film(served, camera, 15)
    answer = served.describe(clip_s=0.2, region=THING, stamp=ros_time(newest - 5 * TENTH))
    assert said(answer) == 'Seen were 3 pictures, the last of 64x48 with 20 inside.'
    assert stamp_of(answer.description) == newest - 5 * TENTH


def test_the_label_image_of_the_last_picture_is_waited_for(served, camera):
    newest = film(served, camera, 10) + TENTH
    future = served.begin(clip_s=0.5, region=THING, stamp=ros_time(newest), timeout_s=10.0)
    camera.show(newest)
    served.spin(0.2)
    assert not future.done()
    camera.label(newest, labels(10))
    served.until(future.done, 5.0)
    assert said(future.result()) == 'Seen were 6 pictures, the last of 64x48 with 22 inside.'


def test_a_missing_label_image_is_said_with_the_remedy(served, camera):
    film(served, camera, 12, without=(8, 9))
    answer = served.describe(clip_s=1.0, region=THING)
    assert answer.error_code == ErrorCode.NO_LABEL_IMAGE
    assert '2 of 11 have none' in answer.error_msg and 'clip_s is 1.0' in answer.error_msg
    assert said(served.describe(clip_s=0.15, region=THING)).startswith('Seen were 2 pictures')
    assert said(served.describe(clip_s=1.0)).startswith('Seen were 8 pictures')   # whole pictures need none


def test_pictures_without_the_thing_are_left_out(served, camera):
    film(served, camera, 12, elsewhere=(2, 3, 4, 6, 7, 8, 9))
    assert said(served.describe(clip_s=1.0, region=THING)) == 'Seen were 4 pictures, the last of 64x48 with 24 inside.'
    film(served, camera, 12, elsewhere=(11,))
    answer = served.describe(clip_s=1.0, region=THING)
    assert answer.error_code == ErrorCode.UNKNOWN_LABEL


def test_about_looks_at_the_same_clip_again(served, camera):
    newest = film(served, camera, 12)
    told = served.describe(clip_s=0.5, region=THING, id='clip')
    assert said(told).startswith('Seen were 6 pictures')
    film(served, camera, 2)
    question = script(text='Again ' + WORDS)
    answer = served.describe(about='clip', query=question)
    assert said(answer) == 'Again Seen were 6 pictures, the last of 64x48 with 24 inside.'
    assert stamp_of(answer.description) == newest
    assert answer.description.look_s == 0
    served.worker().kill()
    served.until(lambda: not served.ready[-1])
    served.until(lambda: served.ready[-1])
    answer = served.describe(about='clip', query=question)   # what the worker kept is gone
    assert said(answer) == 'Again Seen were 6 pictures, the last of 64x48 with 24 inside.'
    assert answer.description.look_s > 0


def test_pictures_that_were_dropped_make_no_shorter_clip(served, camera):
    newest = film(served, camera, 25)   # 2.4 s of the 2 s that are kept
    answer = served.describe(clip_s=1.5, region=THING, stamp=ros_time(newest - 10 * TENTH))
    assert answer.error_code == ErrorCode.STALE_FRAME
    assert 'at most 1.00 here' in answer.error_msg and 'ring_s' in answer.error_msg
    assert said(served.describe(clip_s=2.0, region=THING)).startswith('Seen were 8 pictures')


def test_a_streamed_clip(served, camera):
    film(served, camera, 12)
    goal = served.goal(clip_s=1.0, region=THING)
    assert said(served.ended(goal)).startswith('Seen were 8 pictures')


def test_a_describer_of_single_pictures_is_not_given_a_clip():
    with serving(describer='attributes', image_reliability='reliable', max_frame_age_s=60.0) as served:
        camera = Camera(served)
        camera.connect()
        film(served, camera, 12)
        answer = served.describe(clip_s=1.0, region=THING)
        assert answer.error_code == ErrorCode.UNSUPPORTED
        assert answer.error_msg.startswith('clip_s is 1.0; allowed: 0 (one picture) with the describer attributes')
        assert served.describe(region=THING).error_code == 0


@pytest.mark.soak   # it waits for the loading
def test_a_clip_asked_for_while_loading_is_refused_when_the_describer_says_what_it_takes():
    options = script(load_s=10.0, max_pictures=1)
    with serving(ready=False, image_reliability='reliable', describer_options=options) as served:
        camera = Camera(served)
        camera.connect()
        newest = time.time_ns()
        for before in range(3, -1, -1):
            camera.show(newest - before * TENTH)
        assert not any(served.ready)
        answer = served.describe(clip_s=0.3, stamp=ros_time(newest), timeout_s=15.0)
        assert answer.error_code == ErrorCode.UNSUPPORTED
        assert "pictures'; allowed: at most 1 for rehearsal" in answer.error_msg


def test_a_clip_is_never_shortened_to_one_picture():
    assert most_pictures(Status(state='loading', max_pictures=1)) == 8
    assert [most_pictures(Status(state='ready', max_pictures=one)) for one in (1, 2, 5, 8, 99)] == [2, 2, 5, 8, 8]
