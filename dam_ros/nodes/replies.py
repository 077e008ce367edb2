"""Services that are answered later and from any thread. It does not know what they are asked."""
from __future__ import annotations

from collections.abc import Callable
import threading
import traceback
from typing import Any

from rclpy.exceptions import InvalidHandle
from rclpy.node import Node


def serve(node: Node, kind: type, name: str, callback: Callable[[Any, Any, Callable[[Any], None]], None],
          **more: Any) -> None:
    """A service of `node`.

    rclpy's own way to answer later, a coroutine that awaits a Future, takes the executor another turn of its wait set
    for the answer, in a thread that must first get the interpreter: 0.6 to 1 ms of a call.

    Args:
        callback: (request, an empty response, send), in the executor's thread; it or a thread of its own calls `send`
            once with the response. It must not raise.
        more: as for `create_service`.
    """
    def begin(request: Any, response: Any) -> _Reply:
        reply = _Reply()
        callback(request, response, reply.ready)
        return reply

    service = node.create_service(kind, name, begin, **more)
    send = service.send_response   # every executor hands it what the callback returned

    def sent(response: Any, header: Any) -> None:
        try:
            send(response, header)
        except InvalidHandle:   # the node was destroyed
            pass
        except Exception:   # noqa: B902  whoever called this has others to answer
            node.get_logger().error(f'an answer of {name} could not be sent:\n' + traceback.format_exc())

    service.send_response = lambda reply, header: reply.addressed(lambda response: sent(response, header))


class _Reply:
    """Leaves as soon as it is made and its address is known, whichever comes last."""

    def __init__(self):
        self._lock = threading.Lock()
        self._response: Any = None
        self._send: Callable[[Any], None] | None = None

    def ready(self, response: Any) -> None:
        with self._lock:
            self._response, send = response, self._send
        if send is not None:
            send(response)

    def addressed(self, send: Callable[[Any], None]) -> None:
        with self._lock:
            self._send, response = send, self._response
        if response is not None:
            send(response)
