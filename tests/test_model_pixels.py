"""The channels against Pillow, whatever the sizes: compiled and not, alone and after other regions of the picture."""
from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='the model needs torch')
from PIL import Image   # noqa: E402

from dam_ros.core.focal import focal_box   # noqa: E402
from dam_ros.model import pixels, resampling   # noqa: E402
from dam_ros.model.config import Pictures   # noqa: E402
from dam_ros.model.pixels import Squares   # noqa: E402

BICUBIC, BILINEAR = 3, 2
needs_numba = pytest.mark.skipif(resampling.numba is None, reason='numba is not installed')
EDGES = {   # height, width, then top, left, bottom, right of the region
    'one pixel': (1, 1, 0, 0, 1, 1),
    'two by three': (2, 3, 1, 2, 2, 3),
    'a row': (1, 3000, 0, 2990, 1, 3000),
    'a column': (3000, 1, 5, 0, 6, 1),
    'the size of the square': (384, 384, 10, 20, 30, 40),
    'columns first': (1000, 300, 400, 100, 500, 120),
    'columns first, rows of another length': (1100, 400, 0, 0, 3, 400),
    'nearly columns first': (854, 619, 3, 3, 300, 200),
    'just columns first': (855, 619, 3, 3, 300, 200),
    'top left': (427, 640, 0, 0, 30, 40),
    'bottom right': (427, 640, 397, 600, 427, 640),
    'everything': (427, 640, 0, 0, 427, 640),
    'a corner pixel of many': (2100, 3100, 2099, 3099, 2100, 3100),
}


def config(side: int = 384, **other) -> Pictures:
    return Pictures(**{'side_px': side, 'mean': (0.5,) * 3, 'std': (0.5,) * 3, 'rescale': 1 / 255, 'resample': BICUBIC,
                       'padded': False, **other})


def picture(height: int, width: int, top: int, left: int, bottom: int, right: int, seed: int = 0):
    """Noise, and a region with holes that reaches all four sides of its box."""
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, (height, width, 3), np.uint8)
    image[:height // 2] = image[:height // 2] // 128 * 255   # black and white runs over more often than noise
    mask = np.zeros((height, width), bool)
    mask[top:bottom, left:right] = random.random((bottom - top, right - left)) < 0.8
    mask[[top, bottom - 1], left] = mask[top, [left, right - 1]] = True
    return image, mask


def by_pillow(image: np.ndarray, mask: np.ndarray, side: int) -> np.ndarray:
    """In the order of directions that Pillow 13 has by itself."""
    left, top, right, bottom = focal_box(mask)
    planes = []
    for one in (image, mask.astype(np.uint8) * 255):
        for part in (one, one[top:bottom, left:right]):
            square = Image.fromarray(np.ascontiguousarray(part))
            downwards = square.height > side and 2 * (square.width - side) < square.height - side
            between = (square.width, side) if downwards else (side, square.height)
            square = np.asarray(square.resize(between, BICUBIC).resize((side, side), BICUBIC))
            planes.append(square.reshape(side, side, -1).transpose(2, 0, 1))
    full, crop, full_mask, crop_mask = planes
    return np.concatenate([full, full_mask, crop, crop_mask])


@pytest.fixture(params=[pytest.param(True, marks=needs_numba, id='compiled'), pytest.param(False, id='pillow')])
def compiled(request, monkeypatch) -> bool:
    if not request.param:
        monkeypatch.setattr(resampling, 'numba', None)
    assert resampling.available() == request.param
    return request.param


@pytest.mark.parametrize('name', EDGES)
def test_edges(name: str, compiled: bool):
    image, mask = picture(*EDGES[name])
    np.testing.assert_array_equal(Squares(config())(image, mask), by_pillow(image, mask, 384))


@needs_numba
def test_sizes_nobody_thought_of(monkeypatch):
    random = np.random.default_rng(4)
    for seed in range(60):
        height, width = (int(10 ** random.uniform(0, 3)) for _ in range(2))
        top, left = int(random.integers(height)), int(random.integers(width))
        image, mask = picture(height, width, top, left, int(random.integers(top, height)) + 1,
                              int(random.integers(left, width)) + 1, seed)
        side = int(random.choice([1, 2, 15, 16, 63, 65, 210, 384, 450]))
        monkeypatch.setattr(torch, 'get_num_threads', partial(int, seed % 5 + 1))
        np.testing.assert_array_equal(Squares(config(side))(image, mask), by_pillow(image, mask, side),
                                      err_msg=f'{seed}: {width}x{height} to {side}, {focal_box(mask)}')


@needs_numba
def test_twenty_megapixels():
    image, mask = picture(3648, 5472, 1200, 1800, 2400, 3600)
    np.testing.assert_array_equal(Squares(config())(image, mask), by_pillow(image, mask, 384))


@pytest.mark.parametrize('other', [{'resample': BILINEAR}, {'padded': True}])
def test_what_is_not_compiled_is_left_to_pillow(other: dict, monkeypatch):
    image, mask = picture(100, 150, 20, 30, 50, 60)
    given = Squares(config(**other))(image, mask)
    monkeypatch.setattr(resampling, 'numba', None)
    np.testing.assert_array_equal(given, Squares(config(**other))(image, mask))
    assert (given != by_pillow(image, mask, 384)).any()


def test_regions_of_a_picture_share_its_resized_rgb(compiled: bool, monkeypatch):
    """A scene of eight resizes it once; what was written into the same memory since is another picture."""
    made = []
    if compiled:
        resize = resampling.resize
        monkeypatch.setattr(resampling, 'resize', lambda pixels, window, box, *more: (
            made.append((pixels.shape, box)), resize(pixels, window, box, *more)))
    else:
        square = pixels._square
        monkeypatch.setattr(pixels, '_square', lambda given, box, own: (
            made.append((given.shape, box or (0, 0, 640, 427))), square(given, box, own))[1])
    squares, scene = Squares(config()), []
    for index in range(8):
        image, mask = picture(427, 640, 40 * index, 50 * index, 40 * index + 90, 50 * index + 60)
        np.testing.assert_array_equal(squares(image, mask), by_pillow(image, mask, 384))
        scene.append((image, mask))
    whole = ((427, 640, 3), (0, 0, 640, 427))
    threads = min(torch.get_num_threads(), 8) if compiled else 1
    assert made.count(whole) == threads
    image, mask = scene[0]
    squares(image, mask)
    image[-1, -1, -1] ^= 128
    image[-3, -1, -1] ^= 128
    np.testing.assert_array_equal(squares(image, mask), by_pillow(image, mask, 384))
    turned = image.reshape(640, 427, 3)
    np.testing.assert_array_equal(squares(turned, mask.reshape(640, 427)),
                                  by_pillow(turned, mask.reshape(640, 427), 384))


def test_pictures_as_they_come(compiled: bool):
    """Read-only, odd in memory, not contiguous; a mask whose bytes are not 0 and 1 (`view(bool)` of a picture)."""
    image, mask = picture(90, 120, 20, 30, 50, 60)
    expected = by_pillow(image, mask, 384)
    odd = np.frombuffer(b'x' + image.tobytes(), np.uint8, offset=1).reshape(image.shape)
    bgr = np.ascontiguousarray(image[..., ::-1])
    for given in (odd, bgr[..., ::-1], np.asfortranarray(image)):
        for region in (mask, np.asfortranarray(mask), (mask * np.uint8(254)).view(bool)):
            np.testing.assert_array_equal(Squares(config())(given, region), expected)


def test_a_compiler_that_fails_leaves_it_to_pillow(monkeypatch, caplog):
    def fail(*_):
        raise OSError('no space left on device')
    monkeypatch.setattr(resampling, 'numba', object())
    monkeypatch.setattr(resampling, 'resize', fail)
    resampling._works.cache_clear()
    try:
        image, mask = picture(90, 120, 20, 30, 50, 60)
        np.testing.assert_array_equal(Squares(config())(image, mask), by_pillow(image, mask, 384))
    finally:
        resampling._works.cache_clear()
    assert 'OSError: no space left on device' in caplog.text


def test_a_side_of_another_checkpoint(compiled: bool):
    image, mask = picture(50, 70, 20, 30, 50, 60)
    for side in (1, 14, 448):
        np.testing.assert_array_equal(Squares(replace(config(), side_px=side))(image, mask),
                                      by_pillow(image, mask, side))


@needs_numba
@pytest.mark.parametrize('change', ['one byte', 'the same byte of two words', 'order', 'last byte'])
def test_fingerprints_differ(change: str):
    image, _ = picture(61, 47, 0, 0, 1, 1)
    before, flat = resampling.fingerprint(image), image.reshape(-1)
    if change == 'one byte':
        flat[5] ^= 1
    elif change == 'the same byte of two words':
        flat[[3, 259]] ^= 128
    elif change == 'order':
        flat[:512] = np.roll(flat[:512], 256)
    else:
        flat[-1] ^= 128
    assert resampling.fingerprint(image) != before
