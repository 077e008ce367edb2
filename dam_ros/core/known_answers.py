"""What was described, as far as it is known here: for `more`, and for questions about it. It speaks nothing."""
from __future__ import annotations

from typing import Any

from dam_ros.core.recent import Recent

_MARKED = 256   # ids


class KnownAnswers:
    """Descriptions by their ids. `remember`: so many of them."""

    def __init__(self, remember: int):
        self._kept: Recent[Any] = Recent(remember)
        self._askable: Recent[None] = Recent(remember)
        self._in_full: Recent[None] = Recent(remember)
        self._doubted: Recent[None] = Recent(_MARKED)
        self._readings: Recent[None] = Recent(_MARKED)

    def add(self, description: Any) -> None:
        """One that is no failure, with the fields of Description.msg."""
        self._kept.put(description.id, description)
        self._askable.put(description.id, None)

    def get(self, id: str) -> Any | None:
        return self._kept.get(id)

    def is_askable(self, id: str) -> bool:
        """Whether the describer is likely to know it."""
        return id in self._askable

    def forgotten(self, id: str) -> None:
        """The describer has said that it does not know it (any more)."""
        self._askable.pop(id)

    def all_forgotten(self) -> None:
        """The describer is gone, and will know nothing of it when it is back."""
        for id in self._askable:
            self._askable.pop(id)

    def tells_all(self, id: str) -> None:
        """Under this id the describer tells all that it can."""
        self._in_full.put(id, None)

    def is_all(self, id: str) -> bool:
        return id in self._in_full

    def doubt(self, id: str) -> None:
        """It was not certain enough to be told."""
        self._doubted.put(id, None)

    def is_doubted(self, id: str) -> bool:
        return id in self._doubted

    def reads(self, id: str) -> None:
        """Under this id letters are read, not a description told."""
        self._readings.put(id, None)

    def is_reading(self, id: str) -> bool:
        return id in self._readings
