"""What a server gets to see: transparency or an outline, nothing lost, and large pictures too."""
from __future__ import annotations

import base64

import cv2
import numpy as np
import pytest

from dam_ros.core.describing import Query, Subject
from dam_ros.describers.remote_pictures import Encoded, with_outline, with_transparency
from dam_ros.describers.remote_words import harmless
from dam_ros.drawing.pages import outlined
from remote_asking import spots, told
from remote_server import events, pictures_of, response, serving_model

SHAPES = [(1, 1), (1, 90), (90, 1), (48, 64), (601, 402), (1200, 900)]


def decoded(picture: Encoded) -> np.ndarray:
    """RGB or RGBA."""
    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(picture.base64), np.uint8), cv2.IMREAD_UNCHANGED)
    return pixels[..., [2, 1, 0, 3][:pixels.shape[2]]]


def subject(height: int, width: int, mask: np.ndarray | None = None) -> Subject:
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    if mask is None:
        mask = np.zeros((height, width), bool)
        mask[height // 2, width // 2] = True
    return Subject(((image, mask),))


@pytest.mark.parametrize('shape', SHAPES)
def test_transparency_keeps_every_colour(shape):
    """The model looks at the whole picture, so the colours outside of the region count as well."""
    seen = subject(*shape)
    picture, = with_transparency(seen)
    assert picture.kind == 'image/png'
    assert np.array_equal(decoded(picture)[..., :3], seen.image)
    assert np.array_equal(decoded(picture)[..., 3], seen.mask * np.uint8(255))


def test_views_that_are_not_contiguous_are_taken():
    image, mask = spots(1, 96, 128).pictures[0]
    picture, = with_transparency(Subject(((image[::2, ::-2], mask[::2, ::-2]),)))
    assert np.array_equal(decoded(picture)[..., :3], image[::2, ::-2])
    assert len(with_outline(Subject(((image[::2, ::-2], mask[::2, ::-2]),)))) == 2


@pytest.mark.parametrize(('side_px', 'shape', 'wanted'), [
    (100, (50, 200), (25, 100)), (100, (200, 50), (100, 25)), (300, (50, 200), (50, 200)), (10, (1, 5000), (1, 10)),
    (0, (50, 200), (50, 200))])
def test_large_pictures_are_made_smaller_where_wanted(side_px, shape, wanted):
    picture, = with_transparency(subject(*shape), side_px)
    assert decoded(picture).shape == (*wanted, 4)
    assert decoded(picture)[..., 3].any(), 'a region of one pixel is still there'


def test_a_smaller_region_stays_where_it_was():
    mask = np.zeros((400, 400), bool)
    mask[100:200, 40:240] = True
    small = decoded(with_transparency(subject(400, 400, mask), 100)[0])[..., 3] > 0
    assert np.array_equal(small, mask[::4, ::4])


@pytest.mark.parametrize('shape', SHAPES)
def test_the_outline_hides_nothing_of_the_region(shape):
    seen = subject(*shape)
    drawn = outlined(seen.image, seen.mask)
    changed = (drawn != seen.image).any(axis=2)
    assert not (changed & seen.mask).any()
    if min(shape) > 20:
        assert (drawn == (255, 0, 0)).all(axis=2).sum() > 8
        far = cv2.distanceTransform((~seen.mask).astype(np.uint8), cv2.DIST_L2, 5) > 20
        assert not (changed & far).any()


def test_a_region_of_the_whole_picture_is_outlined_at_the_border():
    seen = subject(400, 300, np.ones((400, 300), bool))
    changed = (outlined(seen.image, seen.mask) != seen.image).any(axis=2)
    assert changed[1:-1, 1].all() and changed[-2, 1:-1].all()
    assert not changed[6:-6, 6:-6].any()


def test_a_plain_model_gets_the_whole_and_a_close_up_without_a_line():
    image = np.full((1000, 2000, 3), (10, 120, 60), np.uint8)
    mask = np.zeros((1000, 2000), bool)
    mask[300:400, 1500:1700] = True
    image[mask] = (30, 60, 200)
    whole, close = (decoded(one) for one in with_outline(Subject(((image, mask),))))
    assert max(whole.shape) == 1568
    assert _red(whole) > 100
    assert close.shape == (300, 600, 3)   # dam-spec 4: the box and as much again on each side
    assert _red(close) == 0
    assert np.abs(close[150, 300].astype(int) - (30, 60, 200)).max() < 8


def _red(picture: np.ndarray) -> int:
    return int(((picture[..., 0] > 180) & (picture[..., 1:] < 90).all(axis=2)).sum())


def test_a_small_close_up_is_enlarged():
    _, close = with_outline(subject(480, 640))
    assert max(decoded(close).shape) == 448
    _, close = with_outline(subject(480, 640), 300)
    assert max(decoded(close).shape) == 300


def test_a_clip_is_eight_pictures_or_as_many_as_there_are():
    assert len(with_transparency(spots(3))) == len(with_transparency(spots(8))) == 8
    assert [len(with_outline(spots(count))) for count in (1, 2, 8)] == [2, 3, 9]


@pytest.mark.parametrize('dialect', ['dam', 'standard'])
def test_twenty_megapixels(dialect):
    height, width = 3840, 5208
    image = cv2.resize(np.random.default_rng(1).integers(0, 256, (60, 81, 3), np.uint8), (width, height))
    mask = np.zeros((height, width), bool)
    mask[1000:2000, 3000:4000] = True
    with serving_model(dialect) as server:
        server.script = [response(events({'choices': [{'delta': {'content': 'A dune.'}, 'finish_reason': 'stop'}]}))]
        assert told(server.describer(), Query(), Subject(((image, mask),)))[0] == 'A dune.'
        pictures = pictures_of(server.requests[0][1])
    if dialect == 'dam':
        assert np.array_equal(pictures[0][..., 2::-1], image)
    else:
        assert max(pictures[0].shape) == 1568


@pytest.mark.parametrize(('question', 'sent'), [
    ('<image>', '< image>'), (' <s></s><unk> ', '< s>< /s>< unk>'), ('<|im_start|>system', '< |im_start|>system'),
    ('<\uff5cUser\uff5c>', '< \uff5cUser\uff5c>'), ('<start_of_turn>', '< start_of_turn>'),
    ('is 1 < 2 > 0?', 'is 1 < 2 > 0?'), ('a <b c> d', 'a <b c> d'), ('<', '<'), ('<>', '<>'),
    ('\u4f60\u597d', '\u4f60\u597d'),
])
def test_tokens_in_a_question_are_plain_characters(question, sent):
    assert harmless(question) == sent
    assert harmless(sent) == sent


def test_no_question_whatever_brings_the_placeholder():
    letters = list('<<<image>>> /|\t')
    random = np.random.default_rng(0)
    for _ in range(2000):
        question = ''.join(random.choice(letters + ['<image>', 'image>', '</s>'], 12))
        assert '<image>' not in harmless(question) and '</s>' not in harmless(question), question
