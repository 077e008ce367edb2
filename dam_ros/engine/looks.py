"""The worker's looks: a cache of what the node remembers. It does not know what a look is made of."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from dam_ros.core.describing import Look


class Looks:
    """The looks kept for further questions; the least recently used leave, unless they are in use.

    Args:
        most: how many.
        most_bytes: how much memory they may take. A look says what it takes in `nbytes`; one that does not takes none.
    """

    def __init__(self, most: int, most_bytes: float):
        self._most, self._most_bytes = most, most_bytes
        self._kept: OrderedDict[str, Look] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._bytes = 0

    @property
    def size(self) -> tuple[int, int]:
        """(how many, bytes)."""
        return len(self._kept), self._bytes

    def take(self, key: str) -> Look | None:
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, key: str, look: Look) -> None:
        self._let_go(key)
        self._kept[key], self._sizes[key] = look, 0
        self.weigh(key)

    def weigh(self, key: str) -> None:
        """A look grows while it is told about."""
        if key in self._kept:
            size = getattr(self._kept[key], 'nbytes', 0)
            self._bytes += size - self._sizes[key]
            self._sizes[key] = size

    def bound(self, in_use: Iterable[Look]) -> None:
        """Lets go of what is too much."""
        if self._fits:
            return
        for key in self._idle(in_use):
            self._let_go(key)
            if self._fits:
                return

    def drop(self, in_use: Iterable[Look]) -> None:
        """Memory ran out: everything goes that nobody is using."""
        for key in self._idle(in_use):
            self._let_go(key)

    @property
    def _fits(self) -> bool:
        return len(self._kept) <= self._most and self._bytes <= self._most_bytes

    def _idle(self, in_use: Iterable[Look]) -> list[str]:
        """Least recently used first."""
        used = {id(look) for look in in_use}
        return [key for key, look in self._kept.items() if id(look) not in used]

    def _let_go(self, key: str) -> None:
        look = self._kept.pop(key, None)
        if look is not None:
            self._bytes -= self._sizes.pop(key)
            look.close()
