"""One call per error code through the real node, each followed by a good call on the same node."""
from __future__ import annotations

import math
import time

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from builtin_interfaces.msg import Time  # noqa: E402
from engine_rig import alive  # noqa: E402
from lifecycle_msgs.msg import Transition  # noqa: E402
from ros_graph import (NS, Camera, Served, box, grey, number_in, picture, script, serving, stamped,  # noqa: E402
                       unknown_floats)

from dam_ros.core.errors import leaves  # noqa: E402
from dam_ros.msg import ErrorCode, Region  # noqa: E402

pytestmark = pytest.mark.ros


@pytest.fixture(scope='module')
def served():
    with serving(queue=2, stop_grace_s=0.3, frame_wait_s=0.2, ring_s=0.5, box_fallback=False,
                 image_reliability='reliable') as node:
        yield node


@pytest.fixture(scope='module')
def camera(served: Served):
    camera = Camera(served)
    camera.connect()
    return camera


def slow(**changes) -> dict:
    """A request that takes a minute."""
    return {'image': picture(), 'query': script(words_per_s=0.3), **changes}


def good(served: Served) -> None:
    answer = served.describe(image=picture(), timeout_s=20.0)
    assert (answer.error_code, answer.error_msg) == (0, '')
    assert answer.description.text.startswith('This is a rehearsal.')


# -- one function per code: provokes it and returns (response, words that error_msg has) ---------------------------

def invalid_request(served, camera):
    return served.describe(image=picture(), timeout_s=0.01), ['timeout_s is 0.0', '0.05 to 600']


def empty_region(served, camera):
    return served.describe(image=picture(), region=box(64, 0, 5, 5)), ['region.box_xywh', '[64.0, 0.0', '64x48']


def no_frame(served, camera):
    later = time.time_ns() + 60 * NS
    answer = served.describe(not_before=Time(sec=later // NS), timeout_s=0.3)
    return answer, ['not_before', str(later // NS), 'The newest is']


def stale_frame(served, camera):
    camera.label(camera.show(time.time_ns() - 5 * NS))
    time_ns = camera.show(time.time_ns() - 3 * NS)
    served.until(lambda: (answer := served.describe(max_age_s=2.9)).error_code == 10103 and answer,
                 what='the old picture came')
    return served.describe(max_age_s=2.9), ['age of the newest picture', 'at most 2.9 s', 'max_age_s'], time_ns


def unknown_label(served, camera):
    mask = grey(np.repeat(np.array([[3], [7]], np.uint8), 24, axis=0).repeat(64, axis=1))
    return (served.describe(image=picture(), region=Region(labels=[9], mask=mask)),
            ['region.labels is [9]', '3, 7'])


def unknown_description(served, camera):
    return served.describe(about='nobody-said-this'), ['about', 'nobody-said-this', 'remember']


def no_label_image(served, camera):
    stamp_ns = camera.show(time.time_ns() + NS)
    camera.label(stamp_ns + 200_000_000)
    answer = served.describe(region=Region(labels=[1]), stamp=Time(sec=stamp_ns // NS, nanosec=stamp_ns % NS))
    return answer, ['+200 ms', 'sync_slop_s 0.02', 'box or a mask']


def unsupported(served, camera):
    return served.describe(camera='rear'), ["camera is 'rear'", "''"]


def busy(served, camera):
    running = [served.begin(id='busy-0', **slow())]
    served.until(lambda: any(one.id == 'busy-0' and one.piece for one in served.partials), what='it runs')
    running += [served.begin(id=f'busy-{index}', **slow()) for index in (1, 2)]
    served.until(lambda: number_in(served.status.get('describer'), 'waiting') == 2, what='a full queue')
    answer = served.describe(**slow())
    assert answer.retry_after_s > 0
    assert served.cancel('') == 3
    served.until(lambda: all(one.done() for one in running))
    return answer, ['queue', 'full with 2', 'Try again in']


def deadline_exceeded(served, camera):
    return served.describe(**slow(timeout_s=0.2)), ['timeout_s is 0.2', 'Allow more']


def cancelled(served, camera):
    future = served.begin(id='to-cancel', **slow())
    served.until(lambda: served.partials and served.partials[-1].id == 'to-cancel')
    assert served.cancel('to-cancel') == 1
    served.until(future.done)
    return future.result(), ['cancelled']


def superseded(served, camera):
    future = served.begin(slot='front', **slow())
    assert served.describe(slot='front', image=picture()).error_code == 0
    served.until(future.done)
    return future.result(), ['slot', 'front', 'newer']


def not_active(served, camera):
    assert served.change_state(Transition.TRANSITION_DEACTIVATE)
    answer = served.describe(image=picture())
    assert served.change_state(Transition.TRANSITION_ACTIVATE)
    return answer, ['inactive', 'ros2 lifecycle set', served.name]


def loading(served, camera):
    with serving(ready=False, describer_options=script(load_s=6.0)) as other:
        other.until(lambda: other.ready, what='the node is there')
        answer = other.describe(image=picture(), timeout_s=0.2)
        assert answer.retry_after_s > 0
        good(other)
    return answer, ['not loaded yet']


def describer_failed(served, camera):
    return served.describe(image=picture(), query=script(fail='raise')), ['RuntimeError', 'told to raise']


def out_of_memory(served, camera):
    return served.describe(image=picture(), query=script(fail='out_of_memory')), ['memory', 'smaller']


def remote_unavailable(served, camera):
    return served.describe(image=picture(), query=script(fail='remote_unavailable')), ['server does not answer']


def worker_died(served, camera):
    return served.describe(image=picture(), query=script(fail='exit')), ['exit status 3', 'started again']


def segmenter_failed(served, camera):
    return (served.describe(image=picture(), region=box(20, 20, 5, 5, box_is_region=False)),
            ['region.box_xywh', 'box_is_region'])


PROVOKE = [invalid_request, empty_region, no_frame, stale_frame, unknown_label, unknown_description, no_label_image,
           unsupported, busy, deadline_exceeded, cancelled, superseded, not_active, loading, describer_failed,
           out_of_memory, remote_unavailable, worker_died, segmenter_failed]
KEPT_WORDS = [deadline_exceeded, cancelled, superseded]   # something was said before


def code_named(name: str) -> int:
    return getattr(ErrorCode, name.upper())


def test_every_code_of_the_caller_the_clock_and_the_operator_is_provoked():
    wanted = {leaf.code for leaf in leaves() if 10100 <= leaf.code < 10400}
    assert {code_named(one.__name__) for one in PROVOKE} == wanted


@pytest.mark.parametrize('provoke', PROVOKE, ids=lambda one: one.__name__)
def test_a_failure_is_one_answer_with_its_code_and_the_next_call_is_good(served, camera, provoke):
    before = len(served.descriptions)
    answer, words, *_ = provoke(served, camera)
    assert answer.error_code == answer.description.error_code == code_named(provoke.__name__)
    assert answer.error_msg == answer.description.error_msg
    assert [one for one in words if one not in answer.error_msg] == [], answer.error_msg
    assert all(math.isnan(value) for value in unknown_floats(answer.description).values())
    assert math.isnan(answer.description.confidence) or provoke in KEPT_WORDS
    if provoke is not loading:
        id = answer.description.id
        published = served.until(lambda: [one for one in served.descriptions[before:] if one.id == id])
        assert [repr(one) for one in published] == [repr(answer.description)]   # NaN is not equal to itself
    good(served)
    served.until(lambda: served.descriptions[-1].error_code == 0)
    ids = [one.id for one in served.descriptions]
    assert len(ids) == len(set(ids))


def test_an_id_in_use_is_refused_and_the_answer_has_another(served):
    first = served.begin(id='mine', **slow())
    served.until(lambda: any(one.id == 'mine' for one in served.partials))
    again = served.describe(id='mine', image=picture())
    assert again.error_code == ErrorCode.INVALID_REQUEST
    assert "id is 'mine'" in again.error_msg
    assert again.description.id not in ('mine', '')
    assert served.cancel('mine') == 1
    served.until(first.done)
    assert first.result().description.id == 'mine'


def test_a_caller_is_recognised_in_a_refusal(served):
    answer = served.describe(id='known', image=picture(), region=Region(tag='cup'), query='what?', speak=1,
                             timeout_s=-1.0)
    one = answer.description
    assert (one.id, one.tag, one.query, one.speak) == ('known', 'cup', 'what?', 1)


def test_a_header_of_the_own_picture_comes_back_unchanged_in_a_failure(served):
    image = stamped(picture(), 123 * NS + 5)
    answer = served.describe(image=image, region=box(900, 900, 5, 5))
    assert answer.error_code == ErrorCode.EMPTY_REGION
    assert answer.description.header == image.header


def test_a_describer_that_does_not_stop_is_killed_and_replaced(served):
    worker = served.worker()
    answer = served.describe(image=picture(), query=script(fail='hang'), timeout_s=0.3)
    assert answer.error_code == ErrorCode.DEADLINE_EXCEEDED
    served.until(lambda: not alive(worker.pid), what='the hanging worker is killed')
    good(served)


@pytest.mark.parametrize('fail', ['garbage', 'kill'])
def test_other_ways_to_fail(served, fail):
    answer = served.describe(image=picture(), query=script(fail=fail, fail_after_words=3))
    expected = {'garbage': ErrorCode.DESCRIBER_FAILED, 'kill': ErrorCode.WORKER_DIED}
    assert answer.error_code == expected[fail], answer.error_msg
    good(served)
