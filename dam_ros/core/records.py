"""What was described, kept for further questions: bounded by number and memory. It knows no ROS types."""
from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
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


class Records:
    """Newest kept, oldest forgotten. A picture that several records share counts once."""

    def __init__(self, most: int, megabytes: float):
        self._most, self._most_bytes = most, int(megabytes * 1e6)
        self._kept: OrderedDict[str, Record] = OrderedDict()

    def add(self, record: Record) -> None:
        self._kept.pop(record.id, None)
        self._kept[record.id] = record
        while len(self._kept) > self._most or (len(self._kept) > 1 and self.nbytes > self._most_bytes):
            self._kept.popitem(last=False)

    def find(self, id: str) -> Record:
        """Raises UnknownDescription."""
        if id not in self._kept:
            raise UnknownDescription(complaint('about', id, f'the id of one of the last {len(self._kept)} descriptions '
                                               'that are still kept', 'Describe the region anew, or raise remember '
                                               'and remember_mb'))
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
