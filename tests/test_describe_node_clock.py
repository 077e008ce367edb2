"""describe_node with use_sim_time: /clock stands still, goes on, and jumps back."""
from __future__ import annotations

import math
import time

from builtin_interfaces.msg import Time
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from ros_graph import NS, Camera, picture, script, serving, stamp_of  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402

from dam_ros.msg import ErrorCode, Region  # noqa: E402

pytestmark = pytest.mark.ros


class Simulation:
    """Publishes /clock and pictures with its stamps."""

    def __init__(self, served):
        self.served, self.now_ns, self.start_ns = served, 0, 1000 * NS
        self._clock = served.node.create_publisher(Clock, '/clock', 10)
        self.camera = Camera(served)

    def set(self, now_ns: int) -> None:
        self.now_ns = now_ns
        self._clock.publish(Clock(clock=Time(sec=now_ns // NS, nanosec=now_ns % NS)))

    def start(self) -> None:
        """Until the node hears clock and camera: an answer has the age of the picture, 0.25 s; later than before."""
        self.start_ns += 1000 * NS

        def heard():
            self.set(self.start_ns)
            self.camera.label(self.camera.show(self.start_ns - NS // 4))
            return self.served.describe().description.age_s == pytest.approx(0.25)
        self.served.until(heard)


@pytest.fixture(scope='module')
def simulated():
    with serving(use_sim_time=True, image_reliability='reliable', frame_wait_s=0.3) as served:
        yield Simulation(served)


@pytest.fixture
def simulation(simulated):
    simulated.start()
    return simulated


def test_while_the_clock_stands_still_pictures_do_not_age_and_deadlines_pass(simulation):
    served = simulation.served
    served.spin(0.5)
    answer = served.describe(max_age_s=0.3)
    assert (answer.error_code, answer.description.age_s) == (0, pytest.approx(0.25))
    begun = time.monotonic()
    late = served.describe(query=script(words_per_s=0.5), timeout_s=0.4)
    assert late.error_code == ErrorCode.DEADLINE_EXCEEDED
    assert 0.3 < time.monotonic() - begun < 1.5
    report = served.status.get('describer')
    served.until(lambda: served.status['describer'] is not report, 3.0, 'diagnostics go on')


def test_pictures_age_in_ros_time(simulation):
    served = simulation.served
    simulation.set(simulation.start_ns + 10 * NS)
    served.until(lambda: served.describe().error_code == ErrorCode.STALE_FRAME, 5.0)
    assert '10.25 s' in served.describe().error_msg
    simulation.camera.show(simulation.now_ns)
    served.until(lambda: served.describe().error_code == 0)


def test_a_jump_back_empties_the_ring_and_is_logged_once(simulation):
    served = simulation.served
    jumps = served.log().count('jumped back')
    assert served.describe(region=Region(labels=[1])).error_code == 0
    simulation.set(simulation.start_ns - 500 * NS)
    served.until(lambda: served.describe(max_age_s=3600.0).error_code == ErrorCode.NO_FRAME, 5.0)
    assert served.describe(region=Region(labels=[1]), max_age_s=3600.0).error_code == ErrorCode.NO_FRAME
    simulation.set(simulation.now_ns + NS)
    stamp_ns = simulation.camera.show(simulation.now_ns)
    served.until(lambda: (answer := served.describe()).error_code == 0
                 and stamp_of(answer.description) == stamp_ns)
    assert served.log().count('jumped back') == jumps + 1


def test_a_request_that_runs_while_time_jumps_back_is_answered(simulation):
    served = simulation.served
    future = served.begin(id='running', query=script(words_per_s=10.0))
    served.until(lambda: any(one.piece for one in served.partials if one.id == 'running'))
    simulation.set(simulation.start_ns - 500 * NS)
    served.until(future.done)
    assert future.result().error_code == 0
    assert math.isnan(future.result().description.age_s)   # the picture lies in the future now: the clocks disagree
    assert served.describe(about=future.result().description.id).error_code == 0


def test_a_bag_that_begins_again_without_a_jump_of_the_clock_is_followed(simulation):
    """Stamps far before what is kept."""
    served = simulation.served
    again = simulation.camera.show(simulation.start_ns - 100 * NS)
    served.until(lambda: stamp_of(served.describe(max_age_s=3600.0).description) == again)


def test_before_the_first_clock_message_the_age_is_unknown():
    with serving(use_sim_time=True) as served:
        answer = served.describe(image=picture(stamp_ns=1000 * NS))
        assert answer.error_code == 0
        assert math.isnan(answer.description.age_s)
