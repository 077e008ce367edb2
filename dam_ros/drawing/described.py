"""Which regions of one picture were described, for an overlay that grows with them. It draws nothing."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dam_ros.core.masks import StoredMask
from dam_ros.core.records import Record
from dam_ros.drawing.marks import Mark

MOST = 12   # regions on one picture: more captions than this find no room


@dataclass(frozen=True, eq=False)
class Described:
    """A picture and the newest regions of it that were described, oldest first.

    Attributes:
        regions: (mask, title, text).
        first: number of the first of them; with every one that is pushed out it grows.
    """

    picture: Any
    camera: str
    regions: tuple[tuple[StoredMask, str, str], ...]
    first: int = 1

    def marks(self) -> list[Mark]:
        return [Mark(mask.array(), title, text) for mask, title, text in self.regions]


def described(before: Described | None, record: Record) -> Described:
    """With one region more: beside those before where it is the same picture, else by itself.

    A region that was asked about again keeps its number and gets its new text.
    """
    new = record.mask, record.tag or record.label_name, record.caption
    if before is None or not _is_same_picture(before, record):
        return Described(record.picture, record.camera, (new,))
    masks = [mask.packed for mask, _, _ in before.regions]
    if record.mask.packed in masks:
        at = masks.index(record.mask.packed)
        return Described(before.picture, before.camera, before.regions[:at] + (new,) + before.regions[at + 1:],
                         before.first)
    regions = before.regions + (new,)
    return Described(before.picture, before.camera, regions[-MOST:], before.first + max(0, len(regions) - MOST))


def _is_same_picture(before: Described, record: Record) -> bool:
    """Pictures in requests may all have the stamp 0."""
    one, other = before.picture, record.picture
    return one is other or (one.stamp_ns != 0 and (one.stamp_ns, one.frame_id, before.camera) == (
        other.stamp_ns, other.frame_id, record.camera) and before.regions[0][0].shape == record.mask.shape)
