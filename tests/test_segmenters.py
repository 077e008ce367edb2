"""What every segmenter promises: a mask that keeps to what was pointed at, or one clear failure."""
from __future__ import annotations

import importlib.util
import json
from pathlib import Path
import subprocess
import sys

import cv2
import numpy as np
import pytest
import tiny_sam

from dam_ros import segmenters
from dam_ros.core.errors import SegmenterFailed
from dam_ros.core.segmenting import Prompt, Segmenter

HAS_SAM = all(importlib.util.find_spec(one) for one in ('torch', 'transformers'))
WITHOUT_WEIGHTS = ('grabcut',)
BOX = (48, 28, 112, 92)


@pytest.fixture(scope='session', params=[*WITHOUT_WEIGHTS, *tiny_sam.KINDS])
def segmenter(request: pytest.FixtureRequest, tmp_path_factory) -> Segmenter:
    """Each of them; those of SAM with tiny random weights, which find something, but nothing that means anything."""
    if request.param in WITHOUT_WEIGHTS:
        return segmenters.create(request.param)
    if not HAS_SAM:
        pytest.skip('torch and transformers are not installed')
    return segmenters.create('sam', str(tiny_sam.write(tmp_path_factory.mktemp('sam'), request.param)), 'cpu')


def disc(height: int = 120, width: int = 160, middle: tuple[int, int] = (80, 60), radius: int = 25):
    """(a textured picture with a red disc, the disc's mask)"""
    image = np.random.default_rng(1).integers(60, 110, (height, width, 3), np.uint8)
    shape = np.zeros((height, width), np.uint8)
    cv2.circle(shape, middle, radius, 1, -1)
    image[shape > 0] = np.random.default_rng(2).integers(0, 30, (int(shape.sum()), 3), np.uint8) + (200, 20, 20)
    return image, shape > 0


def stroke(height: int = 120, width: int = 160) -> np.ndarray:
    drawn = np.zeros((height, width), np.uint8)
    cv2.line(drawn, (66, 50), (92, 70), 1, 3)
    return drawn > 0


PROMPTS = {'box': Prompt(box=BOX), 'point': Prompt(inside=((80, 60),)), 'stroke': Prompt(stroke=stroke()),
           'points': Prompt(inside=((70, 52), (92.4, 70)), outside=((20, 20), (130, 100.5)))}


def keeps_to(found: np.ndarray, prompt: Prompt) -> bool:
    """It has every pixel that was pointed at, none that was pointed out, none outside of the box."""
    rest = found.copy()
    if prompt.box is not None:
        left, top, right, bottom = prompt.box
        rest[top:bottom, left:right] = False
        if rest.any():
            return False
    at = [found[int(y + 0.5), int(x + 0.5)] for x, y in prompt.inside]
    no = [found[int(y + 0.5), int(x + 0.5)] for x, y in prompt.outside]
    return all(at) and not any(no) and (prompt.stroke is None or bool(found[prompt.stroke].all()))


def test_names():
    assert segmenters.create('none') is None
    for name in ('', 'GrabCut', 'sam3', 'no_such'):
        with pytest.raises(SegmenterFailed, match='^segmenter is .*auto, grabcut, sam, none'):
            segmenters.create(name)


def test_traits(segmenter: Segmenter):
    assert segmenter.name in segmenters.NAMES and isinstance(segmenter.follows, bool)


@pytest.mark.parametrize('name', PROMPTS)
def test_a_mask_that_keeps_to_what_was_pointed_at(segmenter: Segmenter, name: str):
    image, _ = disc()
    before = image.copy()
    found = segmenter.cut_out(image, PROMPTS[name])
    assert (found.dtype, found.shape) == (bool, image.shape[:2])
    assert found.any() and keeps_to(found, PROMPTS[name])
    assert np.array_equal(image, before)


@pytest.mark.parametrize('name', PROMPTS)
def test_the_same_twice(segmenter: Segmenter, name: str):
    image, _ = disc()
    first = segmenter.cut_out(image, PROMPTS[name])
    cv2.setRNGSeed(12345)
    segmenter.cut_out(image[::-1], PROMPTS[name])
    assert np.array_equal(segmenter.cut_out(image, PROMPTS[name]), first)


@pytest.mark.parametrize('name', PROMPTS)
def test_however_the_picture_lies_in_memory(segmenter: Segmenter, name: str):
    image, _ = disc()
    usual = segmenter.cut_out(image, PROMPTS[name])
    locked = image.copy()
    locked.flags.writeable = False   # as the worker hands it in
    assert np.array_equal(segmenter.cut_out(locked, PROMPTS[name]), usual)
    turned = np.ascontiguousarray(image[:, :, ::-1])[:, :, ::-1]   # negative strides, as of BGR
    assert np.array_equal(segmenter.cut_out(turned, PROMPTS[name]), usual)


def test_its_mask_is_the_callers_own(segmenter: Segmenter):
    image, _ = disc()
    drawn = stroke()
    first = segmenter.cut_out(image, Prompt(stroke=drawn))
    again = first.copy()
    first[:] = False
    assert np.array_equal(drawn, stroke())
    assert np.array_equal(segmenter.cut_out(image, Prompt(stroke=drawn)), again)


@pytest.mark.parametrize('shape', [(1, 1), (1, 40), (40, 1), (2, 3), (5, 5), (4, 3000), (3000, 1), (64, 64)])
def test_any_picture_and_anything_pointed_at_in_it(segmenter: Segmenter, shape: tuple[int, int]):
    """A box of few pixels, or one that is scaled down to less than one, came out as an error of OpenCV."""
    random = np.random.default_rng(3)
    height, width = shape
    for index in range(12):
        image = random.integers(0, 256, (*shape, 3), np.uint8) // int(random.choice([1, 255]))
        columns, rows = (random.integers(0, size, 3) for size in (width, height))
        points = tuple((float(x), float(y)) for x, y in zip(columns, rows))
        if index % 3 == 0:
            left, top = int(columns[:2].min()), int(rows[:2].min())
            prompt = Prompt(box=(left, top, int(columns[:2].max()) + 1, int(rows[:2].max()) + 1))
        elif index % 3 == 1:
            prompt = Prompt(inside=points[:1], outside=tuple(one for one in points[1:] if one != points[0]))
        else:
            prompt = Prompt(stroke=np.zeros(shape, bool))
            prompt.stroke[rows, columns] = True
        try:
            found = segmenter.cut_out(image, prompt)
        except SegmenterFailed as failure:
            assert prompt.field in str(failure)
            continue
        assert found.shape == shape and found.any() and keeps_to(found, prompt)


def test_points_on_corners_and_borders(segmenter: Segmenter):
    image, _ = disc()
    for corner in ((0, 0), (159, 0), (0, 119), (159, 119), (159.4, 60.4), (80, 0)):
        prompt = Prompt(inside=(corner,))
        assert keeps_to(segmenter.cut_out(image, prompt), prompt)


def test_a_pixel_that_is_pointed_at_and_pointed_out_belongs_to_it(segmenter: Segmenter):
    image, _ = disc()
    assert segmenter.cut_out(image, Prompt(inside=((80, 60),), outside=((80, 60),)))[60, 80]


# -- auto, and what each needs ----------------------------------------------------------------------------------------

def test_auto_is_sam_where_its_weights_are_and_grabcut_elsewhere(tmp_path: Path, monkeypatch):
    monkeypatch.setenv('HF_HUB_CACHE', str(tmp_path))
    name, why = segmenters.resolve('auto')
    assert name == 'grabcut' and why.startswith('auto: grabcut, for ')
    assert segmenters.create('auto').name == 'grabcut'
    monkeypatch.setattr(segmenters, '_missing', lambda: '')
    snapshot = tmp_path / 'models--facebook--sam2.1-hiera-tiny' / 'snapshots' / ('a' * 40)
    fake_checkpoint(snapshot)
    (snapshot.parent.parent / 'refs').mkdir()
    (snapshot.parent.parent / 'refs' / 'main').write_text('a' * 40)
    assert segmenters.resolve('auto') == ('sam', 'auto: sam, for the weights facebook/sam2.1-hiera-tiny are on disk')
    monkeypatch.setattr(segmenters, '_missing', lambda: 'no torch')
    assert segmenters.resolve('auto') == ('grabcut', 'auto: grabcut, for no torch')


@pytest.mark.parametrize('name', ['grabcut', 'sam', 'none'])
def test_a_name_means_itself(name: str):
    assert segmenters.resolve(name) == (name, f'segmenter: {name}')


def fake_checkpoint(folder: Path) -> Path:
    """Files in the right layout that hold no tensors."""
    folder.mkdir(parents=True)
    (folder / 'config.json').write_text(json.dumps({'model_type': 'sam2_video'}))
    (folder / 'model.safetensors').write_bytes((2).to_bytes(8, 'little') + b'{}')
    return folder


def test_deciding_imports_no_torch(tmp_path: Path):
    look = ('import sys; from dam_ros import segmenters; segmenters.resolve("auto", sys.argv[1]); '
            'print({"torch", "transformers", "huggingface_hub"} & set(sys.modules))')
    run = subprocess.run([sys.executable, '-c', look, str(fake_checkpoint(tmp_path / 'sam'))], capture_output=True,
                         text=True, cwd=Path(__file__).resolve().parent.parent, timeout=60)
    assert (run.stdout.strip(), run.returncode) == ('set()', 0), run.stderr


def test_without_its_packages_sam_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None if name == 'transformers' else object())
    with pytest.raises(SegmenterFailed, match=r"no transformers\): pip install 'dam_ros\[sam\]'"):
        segmenters.create('sam')


@pytest.mark.skipif(not HAS_SAM, reason='torch and transformers are not installed')
def test_auto_with_weights_that_somebody_named_is_sam(tmp_path: Path):
    with pytest.raises(SegmenterFailed, match=r'the weights me/mine are not in'):
        segmenters.create('auto', 'me/mine')
