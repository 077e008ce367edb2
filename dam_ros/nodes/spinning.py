"""The main function of every node: start, spin, end in order. It knows no node in particular."""
from __future__ import annotations

from collections.abc import Callable
import signal
import sys
import time
import traceback

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from dam_ros.core.settings import SettingsError
from dam_ros.core.memory import keep_flat

_POLL_S = 0.5        # a bare spin() hung on SIGTERM in 8 of 64 runs; a loop that polls in none
_FAREWELL_S = 0.3    # time in which answers of ended requests still go out


def run(make_node: Callable[[], Node], arguments: list[str] | None = None) -> int:
    """Makes the node and spins it until SIGINT or SIGTERM. Returns the exit code: 0, or 2 for bad parameters.

    The node may have `end()`: called once when the end begins, while answers can still be sent, and
    `close()`: gives processes, threads and files back.
    """
    ending = _Ending()
    keep_flat()
    try:
        rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as error:   # of rcl: arguments that cannot be parsed
        print(f'arguments: {error}', file=sys.stderr)
        return 2
    executor = SingleThreadedExecutor()
    node = None
    try:
        node = make_node()
        executor.add_node(node)
        _spin(executor, node, lambda: not ending.asked)
        _call(node, 'end')
        until = time.monotonic() + _FAREWELL_S
        _spin(executor, node, lambda: time.monotonic() < until, poll_s=0.05)
        return 0
    except SettingsError as error:
        for line in str(error).splitlines():
            print(f'parameter: {line}', file=sys.stderr)
        return 2
    finally:
        if node is not None:
            _call(node, 'close')
            executor.remove_node(node)
            node.destroy_node()
        executor.shutdown(timeout_sec=0)
        rclpy.try_shutdown()


class _Ending:
    """SIGINT and SIGTERM ask for an orderly end; a second one ends at once."""

    def __init__(self):
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number, _frame):
        if self.asked:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.asked = True


def _spin(executor: SingleThreadedExecutor, node: Node, go_on: Callable[[], bool], poll_s: float = _POLL_S) -> None:
    while go_on() and rclpy.ok():
        try:
            executor.spin_once(poll_s)
        except ExternalShutdownException:
            return
        except Exception:   # noqa: B902  one callback's bug must not end the node
            node.get_logger().error('bug, please report:\n' + traceback.format_exc())


def _call(node: Node, name: str) -> None:
    try:
        getattr(node, name, lambda: None)()
    except Exception:   # noqa: B902  the rest must still be given back
        node.get_logger().error(f'{name}: ' + traceback.format_exc())
