"""Who waits to be spoken, by priority. It decides neither who may wait nor when anyone's turn is."""
from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from dam_ros.core.speech_acts import ASKED, PROGRESS, Request, TOLD, URGENT


class WaitingLine:
    """Attributes:
    asked: the one answer that waits behind something urgent, or None.
    progress: the one progress that waits, or None.
    """

    def __init__(self):
        self._urgent: deque[Request] = deque()
        self._told: deque[Request] = deque()
        self.asked: Request | None = None
        self.progress: Request | None = None

    def add(self, request: Request) -> None:
        """At the end of its priority; of asked and progress there is one, which has to be removed before."""
        if request.priority == ASKED:
            self.asked = request
        elif request.priority == PROGRESS:
            self.progress = request
        else:
            line = self._urgent if request.priority == URGENT else self._told
            line.appendleft(request) if request.first else line.append(request)

    def next(self, priority: int) -> Request | None:
        """Who is first among those of this priority."""
        line = {URGENT: self._urgent, TOLD: self._told}.get(priority)
        if line is None:
            return self.asked if priority == ASKED else self.progress
        return line[0] if line else None

    def count(self, priority: int) -> int:
        return sum(request.priority == priority for request in self)

    def remove(self, request: Request) -> None:
        """Raises ValueError where it does not wait."""
        if request is self.asked:
            self.asked = None
        elif request is self.progress:
            self.progress = None
        else:
            (self._urgent if request.priority == URGENT else self._told).remove(request)

    def __bool__(self) -> bool:
        return any(True for _ in self)

    def __iter__(self) -> Iterator[Request]:
        waiting = [*self._urgent, self.asked, *self._told, self.progress]
        return iter([request for request in waiting if request is not None])
