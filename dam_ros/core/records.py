"""What was described, kept for further questions: bounded by number, time and memory. It knows no ROS types."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
import time
from typing import Any

from dam_ros.core.errors import UnknownDescription, complaint
from dam_ros.core.masks import StoredMask
from dam_ros.core.placing import Place
from dam_ros.core.planning import Earlier


@dataclass(frozen=True, eq=False)
class Record:
    """One answer that can be asked about again.

    Attributes:
        picture: what brings the pixels again (`encoded()`, `pixels()`); several records may share one.
        picture_bytes: how much it takes.
        look: names the look in the worker.
        where_frame, place: where it was, and in which frame.
        caption: what was said, for the overlay.
        earlier: of a clip the pictures before this one, with their masks.
        spoken: a person was to hear it, and may refer to it for a while.
    """

    id: str
    picture: Any
    picture_bytes: int
    mask: StoredMask
    look: str
    camera: str = ''
    tag: str = ''
    label: int = -1
    label_name: str = ''
    caption: str = ''
    where_frame: str = ''
    place: Place | None = None
    earlier: tuple[Earlier, ...] = ()
    spoken: bool = False


class Records:
    """Newest kept, oldest forgotten. A picture that several records share counts once.

    Args:
        most: how many are kept, besides those that were spoken within the last `refer_for_s`.
        megabytes: the bound for all of them. Within it the spoken ones that a person may still refer to go last.
        now_s: a steady clock.
    """

    def __init__(self, most: int, megabytes: float, refer_for_s: float = 0.0,
                 now_s: Callable[[], float] = time.monotonic):
        self._most, self._most_bytes = most, int(megabytes * 1e6)
        self._refer_for_s, self._now_s = refer_for_s, now_s
        self._kept: OrderedDict[str, Record] = OrderedDict()
        self._since: dict[str, float] = {}   # s, when each was added

    def add(self, record: Record) -> None:
        self._let_go(record.id)
        self._kept[record.id], self._since[record.id] = record, self._now_s()
        for id in self._free()[:-self._most]:
            self._let_go(id)
        while len(self._kept) > 1 and self.nbytes > self._most_bytes:
            free = [id for id in self._free() if id != record.id]
            self._let_go(free[0] if free else next(iter(self._kept)))

    def _free(self) -> list[str]:
        """Those that nobody may refer to, oldest first."""
        until = self._now_s() - self._refer_for_s
        return [id for id, one in self._kept.items() if not one.spoken or self._since[id] <= until]

    def _let_go(self, id: str) -> None:
        self._kept.pop(id, None)
        self._since.pop(id, None)

    def find(self, id: str) -> Record:
        """Raises UnknownDescription."""
        if id not in self._kept:
            raise UnknownDescription(complaint('about', id, f'the id of one of the last {len(self._kept)} descriptions '
                                               'that are still kept', 'Describe the region anew, or raise '
                                               'remember, remember_mb and refer_for_s'))
        return self._kept[id]

    @property
    def newest(self) -> Record | None:
        return next(reversed(self._kept.values())) if self._kept else None

    @property
    def nbytes(self) -> int:
        earlier = [one for record in self._kept.values() for one in record.earlier]
        pictures = {id(one.picture): one.picture_bytes for one in self._kept.values()}
        pictures.update({id(one.picture): one.picture.nbytes for one in earlier})
        masks = [one.mask for one in [*self._kept.values(), *earlier] if one.mask is not None]
        return sum(pictures.values()) + sum(one.nbytes for one in masks)

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        self._kept.clear()
        self._since.clear()
