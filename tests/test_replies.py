"""Services that are answered later: by a real client over DDS, from any thread, in any order."""
from __future__ import annotations

from collections.abc import Iterator
import os
import threading
import time

import pytest

rclpy = pytest.importorskip('rclpy', reason='needs ROS 2')

from rclpy.context import Context   # noqa: E402
from rclpy.executors import SingleThreadedExecutor   # noqa: E402
from std_srvs.srv import SetBool   # noqa: E402

from dam_ros.nodes.replies import serve   # noqa: E402

pytestmark = pytest.mark.ros
PATIENCE_S = 20.0


class Served:
    """A service whose answers the test gives, and its client, in one executor."""

    def __init__(self):
        self.context = Context()
        self.context.init()
        self.node = rclpy.create_node('late', namespace=f'/replies{os.getpid()}', context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.asked: list = []   # (response, send)
        serve(self.node, SetBool, 'late', lambda request, response, send: self.on_call(request, response, send))
        self.client = self.node.create_client(SetBool, 'late')
        assert self.client.wait_for_service(PATIENCE_S)

    def on_call(self, request, response, send) -> None:
        self.asked.append((response, send))

    def spin(self, done) -> None:
        end = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < end, 'it did not come'
            self.executor.spin_once(0.05)


@pytest.fixture
def served() -> Iterator[Served]:
    one = Served()
    yield one
    one.executor.shutdown()
    one.node.destroy_node()
    one.context.shutdown()


def test_each_gets_its_own_answer_in_any_order_and_from_any_thread(served: Served):
    futures = [served.client.call_async(SetBool.Request(data=True)) for _ in range(5)]
    served.spin(lambda: len(served.asked) == 5)
    assert not any(one.done() for one in futures)

    def answer() -> None:
        for index in (3, 0, 4, 1, 2):
            response, send = served.asked[index]
            response.success, response.message = True, str(index)
            send(response)
    thread = threading.Thread(target=answer)
    thread.start()
    thread.join()
    served.spin(lambda: all(one.done() for one in futures))
    assert sorted(one.result().message for one in futures) == list('01234')


def test_an_answer_that_is_made_at_once(served: Served):
    def at_once(request, response, send) -> None:
        send(SetBool.Response(success=request.data, message='at once'))
    served.on_call = at_once
    future = served.client.call_async(SetBool.Request(data=True))
    served.spin(future.done)
    assert (future.result().success, future.result().message) == (True, 'at once')


def test_an_answer_that_cannot_be_sent_harms_nobody(served: Served, capfd: pytest.CaptureFixture):
    """It is sent by the thread that answers everybody."""
    futures = [served.client.call_async(SetBool.Request()) for _ in range(2)]
    served.spin(lambda: len(served.asked) == 2)
    served.asked[0][1]('no message at all')
    served.asked[1][1](SetBool.Response(message='good'))
    served.spin(lambda: any(one.done() for one in futures))
    assert [one.result().message for one in futures if one.done()] == ['good']
    assert 'an answer of late could not be sent' in capfd.readouterr().err


def test_an_answer_after_the_node_has_gone():
    one = Served()
    one.client.call_async(SetBool.Request())
    one.spin(lambda: one.asked)
    one.executor.shutdown()
    one.node.destroy_node()
    one.asked[0][1](SetBool.Response())   # nobody waits any more
    one.context.shutdown()
