"""The worker's looks: a cache of what the node remembers. It does not know what a look is made of."""
from __future__ import annotations

from collections import OrderedDict

from dam_ros.core.describing import Look


class Looks:
    """The looks kept for further questions; the least recently used leaves, unless it is in use."""

    def __init__(self, most: int):
        self._most = most
        self._kept: OrderedDict[str, Look] = OrderedDict()

    def take(self, key: str) -> Look | None:
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, key: str, look: Look, in_use: list[Look]) -> None:
        self._kept[key] = look
        in_use = [look, *in_use]
        idle = [old for old, one in self._kept.items() if not any(one is used for used in in_use)]
        for old in idle[:max(0, len(self._kept) - self._most)]:
            self._kept.pop(old).close()

    def drop(self, in_use: list[Look]) -> None:
        """Memory ran out: everything goes that nobody is using."""
        for key in [key for key, one in self._kept.items() if not any(one is used for used in in_use)]:
            self._kept.pop(key).close()
