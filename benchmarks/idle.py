"""What a camera that nobody asks about costs describe_node, beyond a bare rclpy node on the same topic.

    ./dev bench idle [--seconds 30] [--quick]

1280x720 at 30 Hz, raw and JPEG. Bare: one `raw=True` subscription with an empty callback, spun by rclpy. Both listen
to the same camera at the same time; both must have received what it sent before anything is printed.
"""
from __future__ import annotations

import argparse
import os
from pathlib import Path
import sys
import time

import graph
import psutil
import report

GOAL = 0.05          # of one core, beyond the bare node
_WARM_S = 4.0        # discovery, the ring fills
_WINDOWS = 6         # in which CPU time is counted
_FIRST_FRAMES = 30
_LEAST_FRAMES = 0.9  # of those sent that each must have received


class _Listener:
    """What /diagnostics says describe_node has received."""

    def __init__(self, namespace: str):
        from diagnostic_msgs.msg import DiagnosticArray
        import rclpy
        self._rclpy, self._owner = rclpy, f'{namespace.strip("/")}/describe_node: image'
        self.node = rclpy.create_node('idle_benchmark', namespace=namespace)
        self.frames = 0
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._heard, 10)

    def _heard(self, message) -> None:
        for status in message.status:
            if status.name == self._owner:
                self.frames = int({one.key: one.value for one in status.values}['frames'])

    def until(self, least: int, patience_s: float = 20.0) -> int:
        """Waits for that many frames; the number now."""
        end_s = time.monotonic() + patience_s
        while self.frames < least:
            if time.monotonic() > end_s:
                raise RuntimeError(f'describe_node received {self.frames} pictures, expected {least}')
            self._rclpy.spin_once(self.node, timeout_sec=0.2)
        return self.frames


def _bare(namespace: str, topic: str) -> None:
    """The process to compare with. Its callback is empty once it has seen that pictures come, which it says."""
    import rclpy
    from rclpy.executors import ExternalShutdownException
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from sensor_msgs.msg import CompressedImage, Image
    rclpy.init()
    node = rclpy.create_node('bare', namespace=namespace)
    came: list[int] = []

    def first(data: bytes) -> None:
        came.append(len(data))
        if len(came) == _FIRST_FRAMES:
            subscription.callback = lambda data: None
            print('they come', flush=True)

    kind = CompressedImage if topic.endswith('compressed') else Image
    subscription = node.create_subscription(kind, topic, first, QoSProfile(
        depth=10, reliability=ReliabilityPolicy.RELIABLE), raw=True)
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass


def _cpu_s(pid: int) -> float:
    """Of the process and its children, user and system."""
    top = psutil.Process(pid)
    return sum(sum(one.cpu_times()[:2]) for one in (top, *top.children(recursive=True)))


def measure(compressed: bool, seconds: float) -> dict[str, list[float]]:
    """CPU time of each in % of one core, of _WINDOWS windows. Raises RuntimeError where frames were lost."""
    namespace = f'/idle_{os.getpid()}_{"jpeg" if compressed else "raw"}'
    topic = f'{namespace}/image' + ('/compressed' if compressed else '')
    listener = _Listener(namespace)
    node = graph.describe_node(namespace, describer='rehearsal', image_transport='compressed' if compressed else 'raw')
    with graph.camera(namespace, compressed) as camera, node as ours, graph.child(
            os.path.abspath(__file__), '--bare', namespace, topic) as bare:
        camera.stdout.readline(), bare.stdout.readline()
        listener.until(int(_WARM_S * graph.RATE_HZ))
        first, begun_s, spent = listener.frames, time.monotonic(), {'ours': [], 'bare': []}
        for _ in range(_WINDOWS):
            for name, used in _window({'ours': ours.pid, 'bare': bare.pid}, seconds / _WINDOWS).items():
                spent[name].append(used)
        took_s = time.monotonic() - begun_s
        listener.until(first + int(_LEAST_FRAMES * graph.RATE_HZ * took_s), 3.0)
    listener.node.destroy_node()
    return spent


def _window(pids: dict[str, int], seconds: float) -> dict[str, float]:
    before, begun_s = {name: _cpu_s(pid) for name, pid in pids.items()}, time.monotonic()
    time.sleep(seconds)
    used_s = {name: _cpu_s(pid) - before[name] for name, pid in pids.items()}
    return {name: 100 * one / (time.monotonic() - begun_s) for name, one in used_s.items()}


def result_of(measured: dict[str, dict[str, list[float]]], seconds: float, quick: bool) -> report.Result:
    """Of `measure` per transport."""
    rows, facts = [], []
    for kind, spent in measured.items():
        rows.append(report.Row(f'{kind}: CPU time', report.Times.of(spent['ours'], 1.0),
                               report.Times.of(spent['bare'], 1.0), 'a bare rclpy node', unit='% of a core'))
        mean = {name: sum(used) / len(used) for name, used in spent.items()}
        facts += [report.Fact(f'{kind}: CPU time of {who} in {seconds:g} s', mean[name] / 100 * seconds, 's')
                  for name, who in (('ours', 'describe_node and its worker'), ('bare', 'the bare node'))]
        facts.append(report.Fact(f'{kind}: more than the bare node', mean['ours'] - mean['bare'], '% of a core',
                                 most=100 * GOAL))
    return report.Result('idle', size='1280x720', quick=quick, rows=rows, facts=facts,
                         equal=['both nodes received the pictures'])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog='idle', description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=float, default=30.0)
    parser.add_argument('--only', choices=['raw', 'jpeg'])
    parser.add_argument('--quick', action='store_true', help='3 s: only to see that it works')
    parser.add_argument('--out', type=Path, default=report.RESULTS, help='folder of the result')
    parser.add_argument('--bare', nargs=2, metavar=('NAMESPACE', 'TOPIC'), help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    if given.bare:
        _bare(*given.bare)
        return 0
    import rclpy
    rclpy.init()
    seconds = 3.0 if given.quick else given.seconds
    try:
        measured = {name: measure(name == 'jpeg', seconds) for name in ('raw', 'jpeg') if given.only in (None, name)}
        report.tell(result_of(measured, seconds, given.quick or given.only is not None), given.out)
    except RuntimeError as error:
        print(f'idle: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
