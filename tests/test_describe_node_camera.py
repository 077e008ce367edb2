"""A camera of 1280x720 at 30 Hz in a process of its own while descriptions run: nothing is lost, nothing waits."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from camera_process import BLOCK_PX, LABEL, place_at  # noqa: E402
from ros_graph import TESTS, Served, number_in, script, serving, stamp_of  # noqa: E402

from dam_ros.msg import Region  # noqa: E402

pytestmark = pytest.mark.ros
WIDTH, RATE_HZ = 1280, 30


class CameraProcess:
    """See `camera_process`; what it says is read in a thread."""

    def __init__(self, served: Served, **options: object):
        self._served = served
        words = [word for name, value in options.items() for word in (f'--{name}', str(value))]
        self.child = subprocess.Popen([sys.executable, str(TESTS / 'camera_process.py'), served.namespace, *words],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.said: list[str] = []
        threading.Thread(target=lambda: self.said.extend(iter(self.child.stdout.readline, '')), daemon=True).start()

    def begin(self, count: int) -> None:
        self.said.clear()
        self.child.stdin.write(f'send {count}\n')
        self.child.stdin.flush()

    def finish(self) -> tuple[int, int]:
        """Stamps in ns of the first and last picture of what was begun."""
        self._served.until(lambda: any(one.startswith('sent') for one in self.said), 30.0, 'the camera has sent it')
        return tuple(int(one) for one in self.said[-1].split()[2:])

    def connect(self) -> None:
        """Until all of a short series is heard by the node."""
        self._served.until(lambda: self.said, what='the camera is there')
        for _ in range(20):
            before = frames(self._served)
            self.begin(5)
            self.finish()
            if settled(self._served) == before + 5:
                return
        raise AssertionError('the node does not hear the camera')


def frames(served: Served) -> float:
    return number_in(served.status.get('image'), 'frames')


def settled(served: Served) -> float:
    """How many frames the node counts in a report that was made after now."""
    seen = served.status.get('image')
    served.until(lambda: served.status.get('image') is not seen)
    seen = served.status['image']
    served.until(lambda: served.status['image'] is not seen)
    return frames(served)


@contextmanager
def camera_of(served: Served, **options: object) -> Iterator[CameraProcess]:
    camera = CameraProcess(served, **options)
    try:
        camera.connect()
        yield camera
    finally:
        camera.child.kill()
        camera.child.wait(5.0)


@pytest.mark.alone
def test_while_a_description_takes_10_s_no_frame_is_lost_and_parameters_answer_in_50_ms():
    """Best effort, as camera drivers are. A parameter call is timed by its median, as other processes of the machine
    take turns with ours."""
    seconds = 10
    with serving() as served, camera_of(served, reliability='best_effort') as camera:
        before = frames(served)
        count = seconds * RATE_HZ
        camera.begin(count)
        goal = served.goal(query=script(text=' '.join(['word'] * 5 * seconds) + '.', words_per_s=5.0))
        served.parameter('describer')
        took_s = []
        while goal.result is None:
            begun = time.monotonic()
            assert served.parameter('max_tokens').integer_value == 128
            took_s.append(time.monotonic() - begun)
            served.spin(0.05)
        camera.finish()
        assert settled(served) - before == count
        assert goal.result.error_code == 0
        assert seconds * 0.8 < goal.result.description.total_s < seconds + 2
        assert len(took_s) > seconds * 5
        assert np.median(took_s) < 0.05, took_s
        assert np.percentile(took_s, 95) < 0.2, took_s
        texts = [one.text for one in goal.feedback]
        assert len(set(texts)) > seconds * 3
        assert len(goal.feedback) <= 20 * goal.result.description.total_s + 6


def asked(served: Served, results: list, future: list) -> None:
    """Keeps one request for the labelled block open, and the answers."""
    if future and future[0].done():
        results.append((time.time_ns(), future.pop().result()))
    if not future:
        future.append(served.begin(region=Region(labels=[LABEL]), timeout_s=5.0))


@pytest.mark.parametrize('delay_s', [pytest.param(0.0, marks=pytest.mark.soak), 0.8])
def test_a_label_image_that_comes_late_gives_neither_an_error_nor_the_label_of_another_frame(delay_s):
    """The describer says where the picture is red, the region is where the label image says: both move."""
    with serving(describer='watching_describer:create', environment=on_path(), max_frame_age_s=5.0) as served:
        with camera_of(served, label_delay=delay_s) as camera:
            camera.begin(3 * RATE_HZ)
            served.until(lambda: served.describe(region=Region(labels=[LABEL])).error_code == 0)
            results, future = [], []
            while not any(one.startswith('sent') for one in camera.said):
                asked(served, results, future)
                served.executor.spin_once(0.02)
    assert len(results) > 8   # some 25 on an idle machine of two cores
    places = set()
    for _, answer in results:
        one = answer.description
        assert answer.error_msg == ''
        left = place_at(stamp_of(one), WIDTH)
        assert (one.box.x_offset, one.box.width) == (left, BLOCK_PX)
        assert one.text == f'Seen: the picture is red at {left}, the region begins at {left}.'
        places.add(left)
    assert len(places) > 4
    newest = [(at_ns - stamp_of(answer.description)) / 1e9 for at_ns, answer in results]
    assert np.median(newest) < delay_s + 0.25   # the newest for which all has come, not just any


def on_path() -> dict[str, str]:
    return {'PYTHONPATH': f'{TESTS}:{os.environ["PYTHONPATH"]}'}
