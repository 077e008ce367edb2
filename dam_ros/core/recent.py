"""A mapping that keeps the newest entries only. It does not know what they are."""
from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

Value = TypeVar('Value')


class Recent(Generic[Value]):
    """Text to value; where more than `capacity` (>= 1) were put in, those least recently put or touched are gone."""

    def __init__(self, capacity: int):
        self._capacity = capacity
        self._entries: OrderedDict[str, Value] = OrderedDict()

    def put(self, key: str, value: Value) -> Value:
        self._entries[key] = value
        self._entries.move_to_end(key)
        while len(self._entries) > self._capacity:
            self._entries.popitem(last=False)
        return value

    def get(self, key: str) -> Value | None:
        return self._entries.get(key)

    def pop(self, key: str) -> Value | None:
        return self._entries.pop(key, None)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __iter__(self):
        return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)
