"""What the annotated picture of a page shows: each region rimmed, nothing else touched, captions that fit."""
import cv2
import numpy as np
import pytest

from dam_ros.drawing.lettering import to_ascii, wrap
from dam_ros.drawing.marks import Mark
from dam_ros.drawing.pages import annotate


def disc(height=200, width=400, centre=(100, 100), radius=60):
    rows, columns = np.mgrid[:height, :width]
    return (columns - centre[0]) ** 2 + (rows - centre[1]) ** 2 < radius ** 2


@pytest.mark.parametrize('grey', [0, 40, 128, 220, 255])
def test_the_rim_is_seen_on_any_ground(grey):
    image = np.full((200, 400, 3), grey, np.uint8)
    mask = disc()
    marked = annotate(image, [Mark(mask)])
    rim = mask & ~cv2.erode(mask.astype(np.uint8), np.ones((3, 3))).astype(bool)
    assert np.abs(marked[:200][rim].astype(int) - grey).max(axis=1).mean() > 60


def test_pixels_away_from_the_region_keep_their_colour_and_the_picture_is_not_changed():
    image = np.random.default_rng(1).integers(0, 255, (200, 400, 3), np.uint8)
    before = image.copy()
    marked = annotate(image, [Mark(disc(), 'a title', 'and words')])
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(marked[:200, 200:], image[:, 200:])
    assert marked.shape[0] > 200
    assert (marked[100, 100] != image[100, 100]).any()


def test_a_small_region_is_not_hidden_by_its_number():
    image = np.full((400, 800, 3), 128, np.uint8)
    mask = disc(400, 800, (400, 200), 9)
    marked = annotate(image, [Mark(mask)])
    inside = cv2.erode(mask.astype(np.uint8), np.ones((9, 9))).astype(bool)
    assert inside.any()
    assert np.abs(marked[inside].astype(int) - 128).max() < 60   # a tint, no disc and no number
    assert (marked[200 - 25:200 - 9, 400 - 25:400 - 9] != 128).mean() > 0.5   # which are beside it


def test_a_box_and_its_mask_are_drawn_alike():
    image = np.full((200, 400, 3), 90, np.uint8)
    mask = np.zeros((200, 400), bool)
    mask[50:90, 20:120] = True
    np.testing.assert_array_equal(annotate(image, [Mark(mask)]), annotate(image, [Mark((20.0, 50.0, 100.0, 40.0))]))


@pytest.mark.parametrize('shape', [(1, 1), (1, 900), (900, 1), (5, 7), (3000, 40)])
def test_any_size_and_a_region_of_one_pixel(shape):
    mask = np.zeros(shape, bool)
    mask[-1, -1] = True
    marked = annotate(np.zeros((*shape, 3), np.uint8), [Mark(mask, 'title', 'words')])
    assert marked.dtype == np.uint8
    assert marked.shape[1] >= shape[1]


def test_an_empty_mask_and_no_marks_are_no_error():
    image = np.full((50, 400, 3), 7, np.uint8)
    np.testing.assert_array_equal(annotate(image, []), image)
    np.testing.assert_array_equal(annotate(image, [Mark(np.zeros((50, 400), bool))]), image)


def test_no_line_is_wider_than_the_strip():
    text = 'Somewhat long words and a Donaudampfschifffahrtsgesellschaftskapitaensmuetze ' + 'x' * 300
    lines = wrap(text, 200, 10.0)
    assert all(cv2.getTextSize(line, cv2.FONT_HERSHEY_SIMPLEX, 10 / 22, 1)[0][0] <= 200 for line in lines)
    assert ''.join(lines).replace(' ', '') == text.replace(' ', '')


def test_letters_that_cannot_be_drawn_become_their_nearest():
    assert to_ascii('Gr\u00f6\u00dfe \u201ca\u201d\u2014b\n\t20\u00b0 \u72ac') == 'Grosse "a"-b 20 deg ?'
