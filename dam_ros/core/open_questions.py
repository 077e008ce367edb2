"""What a person has asked and has no answer to yet, and when it is time to say that it is being worked on."""
from __future__ import annotations

import math


class OpenQuestions:
    """Its truth: is anything asked and not answered."""

    def __init__(self):
        self._since: dict[str, float] = {}   # id to s, when it was asked
        self._next_sign = math.inf

    def ask(self, now: float, id: str, patience_s: float) -> None:
        """`patience_s`: how long until the first sign that it is being worked on."""
        self._since[id] = now
        self._next_sign = now + patience_s

    def answer(self, id: str) -> None:
        """It needs to be nothing that was asked."""
        self._since.pop(id, None)

    def clear(self) -> None:
        self._since.clear()

    def sign_is_due(self, now: float, every_s: float) -> bool:
        """True once each time that a sign is due; the next one is after `every_s`."""
        if not self._since or now < self._next_sign:
            return False
        self._next_sign = now + every_s
        return True

    @property
    def since(self) -> dict[str, float]:
        """id to s, when it was asked."""
        return dict(self._since)

    def __bool__(self) -> bool:
        return bool(self._since)
