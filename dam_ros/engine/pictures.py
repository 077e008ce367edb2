"""The worker's pictures: what requests sent, decoded once, with the regions in them. It knows no describer."""
from __future__ import annotations

import traceback

import numpy as np

from dam_ros.core.encoded import Encoded
from dam_ros.core.errors import Failure, Internal
from dam_ros.core.masks import unpacked
from dam_ros.core.segmenting import Prompt
from dam_ros.core.turning import upright
from dam_ros.engine.cutting import Cutter
from dam_ros.engine.shown import Shown

Seen = tuple[np.ndarray, np.ndarray]   # RGB uint8 (H, W, 3) and mask bool (H, W), both upright


class Pictures:
    """Those of open requests. An `order` is the message `describe`."""

    def __init__(self, cutter: Cutter):
        self._cutter = cutter
        self._kept: dict[str, list[Shown]] = {}   # by request

    def take(self, order: dict, data: np.ndarray, at_once: bool) -> None:
        """One has come; with `at_once` it is decoded already now."""
        shown = Shown(Encoded.from_json(order, data))
        self._kept.setdefault(order['request'], []).append(shown)
        if at_once:
            try:
                shown.pixels()
            except Exception:   # noqa: B902  raised again, and told, where it is described
                pass

    def forget(self, request: str) -> None:
        """It has ended."""
        self._kept.pop(request, None)

    def of(self, order: dict) -> list[Shown]:
        """Those of a region, decoded; raises what is wrong with them."""
        shown = [self._kept[order['request']][number] for number in order['pictures']]
        try:
            for one in shown:
                one.pixels()
        except (Failure, MemoryError):
            raise
        except Exception as error:   # noqa: B902  not the describer's
            raise Internal('bug while decoding, please report: ' + traceback.format_exc(limit=-2)) from error
        return shown

    def clip(self, shown: list[Shown], order: dict, blobs: list) -> tuple[list[Seen], np.ndarray | None]:
        """(each in which something of the region is, the mask of the last if the segmenter made it)."""
        images = [one.pixels() for one in shown]
        mask, refined = self._region(order, blobs, images[-1])
        masks = self._cutter.through_clip(images, blobs[:-1], mask)
        return [(one.upright(), upright(mask, one.up)) for one, mask in zip(shown, masks) if mask.any()], refined

    def last(self, shown: list[Shown], order: dict, blobs: list) -> tuple[Seen, np.ndarray | None]:
        """The same of the last picture alone."""
        mask, refined = self._region(order, blobs, shown[-1].pixels())
        return (shown[-1].upright(), upright(mask, shown[-1].up)), refined

    def _region(self, order: dict, blobs: list, image: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """(bool (H, W) of the last picture, the same if the segmenter made it), as the camera sees it."""
        mask = unpacked(blobs[-1], image.shape[:2])
        if not order['prompt']:
            return mask, None
        mask = self._cutter.cut_out(image, Prompt.from_json(order['prompt'], mask))
        return mask, mask
