"""The worker's segmenter: what is found, what is not, and who pays for what is missing."""
from __future__ import annotations

import numpy as np
import pytest

from dam_ros.core.errors import OutOfMemory, SegmenterFailed, Unsupported
from dam_ros.core.masks import StoredMask
from dam_ros.core.segmenting import Prompt
from dam_ros.engine import cutting
from dam_ros.engine.cutting import Cutter

IMAGE = np.zeros((6, 8, 3), np.uint8)
BOX = Prompt(box=(2, 1, 5, 4))
POINT = Prompt(inside=((3., 2.),))


class Follower:
    """Follows a thing by moving it one pixel to the left with every picture into the past."""

    name, follows = 'sam', True

    def __init__(self, error: BaseException | None = None):
        self._error = error

    def cut_out(self, image: np.ndarray, prompt: Prompt) -> np.ndarray:
        if self._error is not None:
            raise self._error
        mask = np.zeros(image.shape[:2], bool)
        mask[2, 3] = True
        return mask

    def follow(self, images, mask: np.ndarray) -> list[np.ndarray]:
        if self._error is not None:
            raise self._error
        masks = [mask]
        for _ in images[:-1]:
            moved = np.zeros_like(mask)
            moved[:, :-1] = masks[0][:, 1:]
            masks.insert(0, moved)
        return masks


@pytest.fixture
def cutter(monkeypatch: pytest.MonkeyPatch):
    """(error, **options) -> a Cutter with a Follower that raises it."""
    def make(error: BaseException | None = None, box_fallback: bool = False) -> Cutter:
        monkeypatch.setattr(cutting, 'create', lambda name, model, device: Follower(error))
        return Cutter('sam', '', 'auto', box_fallback)
    return make


def test_what_is_found(cutter):
    assert np.argwhere(cutter().cut_out(IMAGE, BOX)).tolist() == [[2, 3]]
    assert cutter().follows and cutter().trouble == ''


def test_the_box_stands_for_the_thing_only_where_a_parameter_says_so(cutter):
    nothing = SegmenterFailed('nothing there')
    with pytest.raises(SegmenterFailed, match='^nothing there$'):
        cutter(nothing).cut_out(IMAGE, BOX)
    assert StoredMask(cutter(nothing, box_fallback=True).cut_out(IMAGE, BOX)).box == (2, 1, 3, 3)
    with pytest.raises(SegmenterFailed, match='^nothing there$'):
        cutter(nothing, box_fallback=True).cut_out(IMAGE, POINT)


def test_whatever_a_library_raises_is_the_segmenters_failure(cutter):
    with pytest.raises(SegmenterFailed, match='^segmenter sam: ZeroDivisionError: x$'):
        cutter(ZeroDivisionError('x')).cut_out(IMAGE, POINT)
    with pytest.raises(MemoryError):
        cutter(MemoryError()).cut_out(IMAGE, POINT)
    with pytest.raises(OutOfMemory):
        cutter(type('OutOfMemoryError', (RuntimeError,), {})('CUDA')).cut_out(IMAGE, POINT)


@pytest.mark.parametrize('error', [SegmenterFailed('no weights; ./dev weights x'), OSError('disk')])
def test_a_segmenter_that_cannot_be_made_costs_only_who_needs_it(monkeypatch: pytest.MonkeyPatch, error: Exception):
    def fail(*arguments):
        raise error

    monkeypatch.setattr(cutting, 'create', fail)
    cutter = Cutter('sam', 'x', 'auto', False)
    assert str(error) in cutter.trouble and not cutter.follows
    with pytest.raises(SegmenterFailed, match=str(error)):
        cutter.cut_out(IMAGE, BOX)
    assert cutter.through_clip([IMAGE], [], np.ones((6, 8), bool))[0].all()
    assert StoredMask(Cutter('sam', 'x', 'auto', True).cut_out(IMAGE, BOX)).box == (2, 1, 3, 3)


def test_there_may_be_none():
    cutter = Cutter('none', '', 'auto', False)
    assert (cutter.trouble, cutter.follows) == ('', False)
    with pytest.raises(SegmenterFailed, match='parameter segmenter'):
        cutter.cut_out(IMAGE, BOX)


def test_a_region_is_followed(cutter):
    mask = np.zeros((6, 8), bool)
    mask[2, 1] = True
    seen = cutter().through_clip([IMAGE] * 4, [b'', b'', b''], mask)
    assert [np.argwhere(one).tolist() for one in seen] == [[], [], [[2, 0]], [[2, 1]]]


def test_masks_that_are_known_are_not_followed(cutter):
    masks = [np.eye(6, 8, dtype=bool), np.eye(6, 8, k=1, dtype=bool)]
    seen = cutter(RuntimeError('not asked')).through_clip([IMAGE] * 2, [StoredMask(masks[0]).packed], masks[1])
    assert np.array_equal(seen, masks)


def test_pictures_of_several_sizes_cannot_be_followed(cutter):
    mask = np.ones((6, 8), bool)
    with pytest.raises(SegmenterFailed, match='differ in size'):
        cutter().through_clip([np.zeros((5, 8, 3), np.uint8), IMAGE], [b''], mask)


def test_not_every_segmenter_follows():
    mask = np.ones((6, 8), bool)
    with pytest.raises(Unsupported, match='clip_s is .* grabcut does not follow it'):
        Cutter('grabcut', '', 'auto', False).through_clip([IMAGE, IMAGE], [b''], mask)
