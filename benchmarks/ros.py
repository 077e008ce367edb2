"""What is around the model: from a service call to its answer, with a camera of 1280x720 at 30 Hz.

    ./dev bench ros [--calls 200] [--quick]

The describer is `rehearsal`, which takes no time; client, node, camera and worker are processes of their own. Every
answer is checked. `echo` is the same service in a bare rclpy node that answers at once: what ROS 2 itself takes.
"""
from __future__ import annotations

import argparse
from dataclasses import dataclass
import os
from pathlib import Path
import sys
import time

import graph
import report

from dam_ros.core import images

GOAL_MS = 10.0
_WARM_CALLS = 10
_REGIONS = {'whole picture': ([], graph.WIDTH * graph.HEIGHT),
            'label': ([graph.LABEL], graph.LABEL_BOX[2] * graph.LABEL_BOX[3])}


@dataclass(frozen=True)
class Call:
    """One call; s. What the node says of itself, and what is left of the client's time."""

    total_s: float
    choose_s: float    # in the node until its turn has come: picture chosen, mask made
    send_s: float      # decoded, sent to the worker, first word back, less the look
    look_s: float
    rest_s: float      # the other words, the description
    travel_s: float    # call and answer between client and node, and the executors of both


class Client:
    """Calls and waits; made like any client of rclpy."""

    def __init__(self, namespace: str):
        import rclpy
        from rclpy.executors import SingleThreadedExecutor

        from dam_ros.srv import DescribeRegion
        self._kind = DescribeRegion
        self._node = rclpy.create_node('asker', namespace=namespace, start_parameter_services=False)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)

    def connect(self, name: str):
        """A client of the service `name`."""
        client = self._node.create_client(self._kind, name)
        if not client.wait_for_service(30.0):
            raise RuntimeError(f'no service {name} within 30 s')
        return client

    def call(self, client, labels: list[int], timeout_s: float = 10.0) -> tuple[float, object]:
        """(s, response).

        Not by spin_until_future_complete: each of its turns leaves a callback that is one more turn of the next call,
        so that a client that calls again and again measures mostly itself (rclpy 7; 15 ms after some hundred calls).
        """
        from dam_ros.msg import Region
        begun = time.perf_counter()
        future = client.call_async(self._kind.Request(region=Region(labels=labels)))
        while not future.done() and time.perf_counter() - begun < timeout_s:
            self._executor.spin_once(timeout_s)
        took_s = time.perf_counter() - begun
        if not future.done():
            raise RuntimeError(f'no answer within {timeout_s:g} s')
        return took_s, future.result()

    def close(self) -> None:
        self._executor.shutdown()
        self._node.destroy_node()


def _echo(namespace: str) -> None:
    """The process that answers at once."""
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    from dam_ros.srv import DescribeRegion
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)   # a signal just ends it
    node = rclpy.create_node('echo', namespace=namespace, start_parameter_services=False)
    node.create_service(DescribeRegion, 'echo', lambda request, response: response)
    rclpy.spin(node)


def _checked(response, pixels: int) -> None:
    """Raises report.Unequal for an answer that is not the rehearsal's about this region."""
    said = response.description.text
    if response.error_code or f'{graph.WIDTH}x{graph.HEIGHT} pixels and the region {pixels} of' not in said:
        raise report.Unequal(f'expected an answer about {pixels} px, got code {response.error_code} '
                             f'{response.error_msg!r} {said!r}')


def _timed(client: Client, service, labels: list[int], pixels: int, rest_s: float) -> Call:
    time.sleep(rest_s)   # so that calls meet the camera at any time between two pictures
    total_s, response = client.call(service, labels)
    _checked(response, pixels)
    said = response.description
    send_s = said.first_s - said.queue_s - said.look_s
    return Call(total_s, said.queue_s, send_s, said.look_s, said.total_s - said.first_s, total_s - said.total_s)


def measure(compressed: bool, calls: int) -> tuple[dict[str, list[Call]], list[float]]:
    """(calls by region, echo in s), taken in turn."""
    kind = 'jpeg' if compressed else 'raw'
    namespace = f'/ros_{os.getpid()}_{kind}'
    client = Client(namespace)
    taken: dict[str, list[Call]] = {name: [] for name in _REGIONS}
    echoes: list[float] = []
    node = graph.describe_node(namespace, describer='rehearsal', image_transport='compressed' if compressed else 'raw')
    with graph.camera(namespace, compressed, labels=True) as camera, node, graph.child(
            os.path.abspath(__file__), '--echo', namespace):
        camera.stdout.readline()
        service, echo = client.connect('describe_node/describe_region'), client.connect('echo')
        _wait_for_labels(client, service)
        for number in range(-_WARM_CALLS, calls):
            for name, (labels, pixels) in _REGIONS.items():
                one = _timed(client, service, labels, pixels, 0.001 * (number * 7 % 34))
                echo_s, _ = client.call(echo, labels)
                if number >= 0:
                    taken[name].append(one)
                    echoes.append(echo_s)
    client.close()
    return taken, echoes


def _wait_for_labels(client: Client, service) -> None:
    end_s = time.monotonic() + 30.0
    while client.call(service, [graph.LABEL], 20.0)[1].error_code:
        if time.monotonic() > end_s:
            raise RuntimeError('describe_node has no picture with its label image after 30 s')


def result_of(measured: dict[str, tuple[dict[str, list[Call]], list[float]]], quick: bool) -> report.Result:
    """Of `measure` per transport."""
    rows = []
    for kind, (taken, echoes) in measured.items():
        echo = report.Times.of(echoes)
        for name, calls in taken.items():
            where = f'{kind}, {name}'
            rows.append(report.Row(f'{where}: call to answer', report.Times.of([one.total_s for one in calls]), echo,
                                   'a bare rclpy service that echoes'))
            rows += [report.Row(f'{where}: of it {words}', report.Times.of([getattr(one, field) for one in calls]))
                     for field, words in _STAGES.items()]
    worst = max(report.Times.of([one.total_s - one.look_s for one in calls]).median
                for taken, _ in measured.values() for calls in taken.values())
    added = max(report.Times.of([one.total_s - one.look_s for one in calls]).median - report.Times.of(echoes).median
                for taken, echoes in measured.values() for calls in taken.values())
    facts = [report.Fact('call to answer less the look, worst of these medians', worst, 'ms', most=GOAL_MS),
             report.Fact('of it more than the service that echoes', added, 'ms'),
             report.Fact('decoding the JPEG, in a process that does nothing else', _decode_s(), 'ms')]
    count = sum(len(calls) for taken, _ in measured.values() for calls in taken.values())
    return report.Result('ros', size='1280x720', quick=quick, rows=rows, facts=facts,
                         equal=[f'all {count} answers were about the right region'])


def _decode_s(times: int = 50) -> float:
    """Median, s."""
    data = graph.jpeg()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        images.decode_compressed(data)
        taken.append(time.perf_counter() - begun)
    return report.Times.of(taken).median


_STAGES = {'travel_s': 'to the node and back', 'choose_s': 'choosing the picture, making the mask', 'send_s':
           'decoding, to the worker, first word back', 'look_s': 'the look', 'rest_s': 'other words, description'}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog='ros', description=__doc__.splitlines()[0])
    parser.add_argument('--calls', type=int, default=200, help='per region and transport')
    parser.add_argument('--only', choices=['raw', 'jpeg'])
    parser.add_argument('--quick', action='store_true', help='5 calls: only to see that it works')
    parser.add_argument('--out', type=Path, default=report.RESULTS, help='folder of the result')
    parser.add_argument('--echo', metavar='NAMESPACE', help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    if given.echo:
        _echo(given.echo)
        return 0
    import rclpy
    rclpy.init()
    try:
        measured = {name: measure(name == 'jpeg', 5 if given.quick else given.calls) for name in ('raw', 'jpeg')
                    if given.only in (None, name)}
        report.tell(result_of(measured, given.quick or given.only is not None), given.out)
    except (report.Unequal, RuntimeError) as error:
        print(f'ros: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
