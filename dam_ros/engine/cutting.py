"""The worker's segmenter: what was pointed at becomes a mask, and is followed through a clip. It knows no job."""
from __future__ import annotations

from collections.abc import Callable, Sequence
import traceback

import numpy as np

from dam_ros.core.errors import Failure, OutOfMemory, SegmenterFailed, Unsupported, complaint
from dam_ros.core.masks import unpacked
from dam_ros.core.segmenting import Prompt, Segmenter
from dam_ros.segmenters import create


class Cutter:
    """A segmenter that cannot be made costs only those who need one.

    Args:
        box_fallback: where nothing is found in a box, the box is the region.

    Attributes:
        trouble: why there is none, '' = there is one, or none is wanted.
    """

    def __init__(self, name: str, model: str, device: str, box_fallback: bool):
        self._box_fallback = box_fallback
        self._segmenter: Segmenter | None = None
        self.name, self.trouble = name, ''
        try:
            self._segmenter = create(name, model, device)
        except Failure as failure:
            self.trouble = str(failure)
        except Exception as error:   # noqa: B902  libraries
            traceback.print_exception(error)
            self.trouble = f'segmenter {name}: {type(error).__name__}: {error}'

    @property
    def follows(self) -> bool:
        return self._segmenter is not None and self._segmenter.follows

    def cut_out(self, image: np.ndarray, prompt: Prompt) -> np.ndarray:
        """bool (H, W). Raises SegmenterFailed, OutOfMemory."""
        try:
            return self._run(lambda segmenter: segmenter.cut_out(image, prompt))
        except SegmenterFailed:
            if prompt.box is None or not self._box_fallback:
                raise
        left, top, right, bottom = prompt.box
        mask = np.zeros(image.shape[:2], bool)
        mask[top:bottom, left:right] = True
        return mask

    def through_clip(self, images: Sequence[np.ndarray], packed: Sequence, mask: np.ndarray) -> list[np.ndarray]:
        """The region in each picture of a clip, bool (H, W), the last as given; all False where it is not seen.

        Args:
            packed: the masks of all but the last, empty where the region is to be followed.
            mask: bool (H, W), of the last.

        Raises:
            Unsupported: the segmenter does not follow.
            SegmenterFailed, OutOfMemory.
        """
        if all(len(one) for one in packed):
            return [*(unpacked(one, image.shape[:2]) for one, image in zip(packed, images)), mask]
        return self.follow(images, mask)

    def follow(self, images: Sequence[np.ndarray], mask: np.ndarray) -> list[np.ndarray]:
        """One bool (H, W) per picture, the last as given. Raises as `through_clip`."""
        if self._segmenter is not None and not self._segmenter.follows:
            raise Unsupported(complaint('clip_s', 'set together with a region of one picture', 'region.labels, or no '
                                        'region', f'The segmenter {self.name} does not follow it'))
        if len({image.shape for image in images}) > 1:
            raise SegmenterFailed('the pictures of the clip differ in size: nothing can be followed through them; ask '
                                  'about one picture (clip_s 0)')
        return self._run(lambda segmenter: segmenter.follow(images, mask))

    def _run(self, work: Callable[[Segmenter], object]):
        if self._segmenter is None:
            raise SegmenterFailed(self.trouble or 'there is no segmenter (parameter segmenter)')
        try:
            return work(self._segmenter)
        except (Failure, MemoryError):
            raise
        except Exception as error:   # noqa: B902  libraries
            if type(error).__name__ == 'OutOfMemoryError':   # torch's, without torch
                raise OutOfMemory(f'the segmenter ran out of memory ({error})') from error
            traceback.print_exception(error)
            raise SegmenterFailed(f'segmenter {self.name}: {type(error).__name__}: {error}') from error
