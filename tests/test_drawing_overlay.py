"""Where an overlay puts things, whatever is described, and whether they can be read on whatever the camera sees."""
from __future__ import annotations

import importlib.machinery
import importlib.util

import cv2
import numpy as np
import pytest

from documents import ROOT

from dam_ros.core.masks import StoredMask
from dam_ros.core.records import Record
from dam_ros.drawing.colours import COLOURS
from dam_ros.drawing.contours import contours_of, with_holes
from dam_ros.drawing.described import described, MOST
from dam_ros.drawing.lettering import baseline_of, smooth
from dam_ros.drawing.marks import Mark
from dam_ros.drawing.overlay import lay_out, Overlay, Shown
from dam_ros.drawing.paint import paint

SIZES = [(320, 240), (640, 480), (3840, 2160), (480, 640), (1000, 120)]   # (width, height)
TEXT = 'A small brown bird with a pale, streaked breast, standing on a mossy branch and looking to the left.'
Box = tuple[float, float, float, float]


def ellipse(width: int, height: int, x: float, y: float, across: float, down: float) -> np.ndarray:
    """bool (height, width); all in px."""
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, (round(x), round(y)), (max(1, round(across / 2)), max(1, round(down / 2))), 0, 0, 360, 1, -1)
    return mask.astype(bool)


def random_marks(size: tuple[int, int], number: int, seed: int) -> list[Mark]:
    width, height = size
    rng, found = np.random.default_rng(seed), []
    for at in range(number):
        x, y, across, down = rng.uniform((0, 0, 0.01, 0.01), (1, 1, 0.5, 0.5)) * (width, height, width, height)
        mask = ellipse(width, height, x, y, across, down)
        if rng.random() < 0.3:   # a ring
            mask &= ~ellipse(width, height, x, y, across * 0.6, down * 0.6)
        mask[min(int(y), height - 1), min(int(x), width - 1)] = True
        found.append(Mark(mask, ['wren', '', 'lamp post'][at % 3], TEXT[:int(rng.integers(1, len(TEXT) + 1))]))
    return found


def noise(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)


def grounds(size: tuple[int, int]) -> dict[str, np.ndarray]:
    width, height = size
    squares = (np.add.outer(np.arange(height) // 5, np.arange(width) // 5) % 2 * 255).astype(np.uint8)
    return {'white': np.full((height, width, 3), 255, np.uint8), 'black': np.zeros((height, width, 3), np.uint8),
            'grey': np.full((height, width, 3), 128, np.uint8), 'noise': noise(size),
            'squares': np.dstack([squares] * 3)}


def badge_box(one: Shown, overlay: Overlay) -> Box:
    radius = overlay.badge_px
    return one.badge[0] - radius, one.badge[1] - radius, 2 * radius, 2 * radius


def boxes_of(overlay: Overlay) -> list[Box]:
    return ([one.caption.box for one in overlay.shown if one.caption]
            + [badge_box(one, overlay) for one in overlay.shown if one.badge])


def overlap(one: Box, other: Box) -> bool:
    return all(one[at] < other[at] + other[at + 2] and other[at] < one[at] + one[at + 2] for at in (0, 1))


def cells(box: Box, grow: float = 0.0) -> tuple[slice, slice]:
    left, top, width, height = box
    return (slice(max(0, int(np.floor(top - grow))), int(np.ceil(top + height + grow))),
            slice(max(0, int(np.floor(left - grow))), int(np.ceil(left + width + grow))))


def free_place(taken: np.ndarray, width: float, height: float) -> bool:
    """Whether anything of that size fits anywhere without touching a taken pixel: every place is tried."""
    across, down = int(np.ceil(width)), int(np.ceil(height))
    if down > taken.shape[0] or across > taken.shape[1]:
        return False
    total = cv2.integral(taken.astype(np.uint8))
    under = total[down:, across:] - total[:-down, across:] - total[down:, :-across] + total[:-down, :-across]
    return bool((under == 0).any())


# -- places ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('number', [1, 3, 8, 12])
@pytest.mark.parametrize('size', SIZES)
def test_everything_lies_in_the_picture_and_nothing_on_another_thing(size, number):
    for seed in range(1 if size[0] > 2000 else 4):
        overlay = lay_out(noise(size), random_marks(size, number, seed))
        boxes = boxes_of(overlay)
        assert len(overlay.shown) == number and all(one.badge for one in overlay.shown)
        for left, top, width, height in boxes:
            assert left >= 0 and top >= 0 and left + width <= size[0] and top + height <= size[1]
        assert not [1 for at, one in enumerate(boxes) for other in boxes[:at] if overlap(one, other)]
        for one in overlay.shown:
            for line in one.caption.form.lines if one.caption else ():
                assert 0 <= line.x and line.y <= one.caption.form.height


@pytest.mark.parametrize('size', [(320, 240), (640, 480), (1280, 720)])
def test_a_caption_covers_its_region_only_where_nothing_else_is_free(size):
    covering = 0
    for seed in range(25):
        marks = random_marks(size, 1 + seed % 8, seed)
        overlay = lay_out(noise(size), marks)
        letter_px, taken = overlay.letter_px, np.zeros(size[::-1], bool)
        for one in overlay.shown:
            taken[cells(badge_box(one, overlay))] = True
        for one in overlay.shown:   # in the order in which they were placed
            if one.caption is None:
                continue
            if one.caption.lies_on(one.mask):
                covering += 1   # a generous single line would not have fitted: its margins and the grid's cells with it
                assert not free_place(taken | one.mask, 18 * letter_px, 4.5 * letter_px)
            taken[cells(one.caption.box)] = True
    assert covering < 12


def test_a_region_with_room_beside_it_is_never_covered():
    for size in SIZES[:3]:
        width, height = size
        for x in (0.2, 0.5, 0.8):
            mask = ellipse(width, height, x * width, height / 2, width / 3, height / 2)
            shown, = lay_out(noise(size), [Mark(mask, 'wren', TEXT)]).shown
            assert not shown.caption.covers and not shown.caption.lies_on(mask)
            assert shown.caption.form.complete or width == 320


@pytest.mark.parametrize('size', [(320, 240), (3840, 2160)])
def test_the_whole_picture_as_a_region_keeps_most_of_itself(size):
    mask = np.ones(size[::-1], bool)
    overlay = lay_out(noise(size), [Mark(mask, 'hall', TEXT * 5)])
    shown, = overlay.shown
    assert shown.caption.covers and not shown.leader
    assert shown.caption.form.width * shown.caption.form.height < 0.18 * mask.size
    middle_x, middle_y = size[0] / 2, size[1] / 2
    assert not overlap(shown.caption.box, (middle_x - 5, middle_y - 5, 10, 10))   # at an edge, not over the middle


def test_a_region_of_one_pixel_is_ringed_and_not_hidden():
    mask = np.zeros((240, 320), bool)
    mask[100, 150] = True
    image = np.full((240, 320, 3), 128, np.uint8)
    overlay = lay_out(image, [Mark(mask, 'screw', 'A screw.')])
    shown, = overlay.shown
    assert not any(overlap(box, (150, 100, 1, 1)) for box in boxes_of(overlay))
    assert (paint(image, overlay)[100, 150] != 128).any()
    assert np.hypot(shown.badge[0] - 150, shown.badge[1] - 100) < 4 * overlay.letter_px


@pytest.mark.parametrize('size', [(1, 1), (5, 7), (900, 1), (1, 900), (40, 30), (160, 12), (160, 18), (160, 24)])
def test_a_picture_too_small_for_words_keeps_its_contour(size):
    image = noise(size)
    mask = np.ones(size[::-1], bool)
    overlay = lay_out(image, [Mark(mask, 'wren', TEXT)])
    assert len(overlay.shown) == 1
    assert paint(image, overlay).shape == image.shape


def test_what_is_far_away_is_named_by_its_number_alone():
    """Lines across half of the picture would hide more than they say."""
    for seed in range(12):
        overlay = lay_out(noise((640, 480)), random_marks((640, 480), 12, seed))
        for one in overlay.shown:
            if one.leader and one.badge:
                (x, y), (to_x, to_y) = one.leader
                assert np.hypot(to_x - x, to_y - y) <= 10.001 * overlay.letter_px
                left, top, width, height = one.caption.box
                assert left <= x <= left + width and top <= y <= top + height   # begins at the caption
                assert np.abs(np.argwhere(one.mask) - (to_y, to_x)).sum(axis=1).min() <= 2 * overlay.line_px


def test_the_same_marks_give_the_same_picture_and_the_first_number_is_free():
    image, marks = noise((640, 480)), random_marks((640, 480), 4, 3)
    np.testing.assert_array_equal(paint(image, lay_out(image, marks)), paint(image, lay_out(image, marks)))
    assert [one.number for one in lay_out(image, marks, first=9).shown] == [9, 10, 11, 12]


def test_a_mark_without_a_pixel_is_left_out_and_the_others_keep_their_numbers():
    image, (one, other) = noise((320, 240)), random_marks((320, 240), 2, 1)
    empty = Mark(np.zeros((240, 320), bool), 'nothing', 'at all')
    assert [shown.number for shown in lay_out(image, [one, empty, other]).shown] == [1, 3]
    np.testing.assert_array_equal(paint(image, lay_out(image, [empty])), image)


# -- words ----------------------------------------------------------------------------------------------------------

def test_without_words_there_is_a_number_and_no_caption():
    shown, = lay_out(noise((320, 240)), [Mark(ellipse(320, 240, 160, 120, 60, 60))]).shown
    assert shown.badge and shown.caption is None and shown.leader is None


def test_a_long_text_is_shortened_and_says_so():
    mask = ellipse(320, 240, 160, 120, 60, 60)
    shown, = lay_out(noise((320, 240)), [Mark(mask, '', 'word ' * 4000)]).shown
    lines = shown.caption.form.lines
    assert not shown.caption.form.complete and lines[-1].text.endswith('...')
    assert shown.caption.form.width * shown.caption.form.height <= 0.6 * 320 * 240


def test_a_text_that_fits_is_shown_to_its_last_word():
    shown, = lay_out(noise((320, 240)), [Mark(ellipse(320, 240, 160, 60, 60, 60), 'wren', TEXT)]).shown
    assert shown.caption.form.complete
    assert ' '.join(one.text for one in shown.caption.form.lines) == f'wren {TEXT}'
    assert [one.is_title for one in shown.caption.form.lines][:2] == [True, False]


def test_letters_that_cannot_be_drawn_are_replaced_before_places_are_chosen():
    title, text = 'Gr\u00fcne T\u00fcr', '\u4e00\u53ea\u72d7 \u2014 \u201cdog\u201d\x00\x07\n\t'
    shown, = lay_out(noise((320, 240)), [Mark(ellipse(320, 240, 160, 120, 60, 60), title, text)]).shown
    texts = ' '.join(one.text for one in shown.caption.form.lines)
    assert texts.startswith('Grune Tur ??? - "dog"') and texts.isascii() and texts.isprintable()


# -- colours --------------------------------------------------------------------------------------------------------

def luminance(colours: np.ndarray) -> np.ndarray:
    """Relative luminance as in WCAG 2.1, of RGB 0..255 in the last axis."""
    part = np.asarray(colours, np.float64) / 255
    part = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return part @ (0.2126, 0.7152, 0.0722)


def contrasts(painted: np.ndarray, overlay: Overlay) -> list[float]:
    """Of each line of text: how much lighter its letters are than what is right beside them (WCAG 2.1)."""
    found = []
    for one in overlay.shown:
        for line in one.caption.form.lines:
            letters = smooth(line.text, overlay.letter_px, line.is_title)
            left = round(one.caption.left + line.x)
            top = round(one.caption.top + line.y) - baseline_of(overlay.letter_px)
            light = luminance(painted[top:top + letters.shape[0], left:left + letters.shape[1]])
            letters = letters[:light.shape[0], :light.shape[1]]
            beside = (cv2.dilate(letters, np.ones((3, 3), np.uint8)) > 100) & (letters < 20)
            beside |= cv2.dilate(letters, np.ones((5, 5), np.uint8)).astype(bool) & (letters < 8)
            found.append((light[letters > 230].mean() + 0.05) / (light[beside].mean() + 0.05))
    return found


@pytest.mark.parametrize('size', [(320, 240), (640, 480), (3840, 2160)])
def test_letters_can_be_read_on_any_ground(size):
    width, height = size
    marks = [Mark(ellipse(width, height, width / 3, height / 2, width / 5, height / 3), 'wren', TEXT),
             Mark(ellipse(width, height, width * 0.8, height / 3, width / 9, height / 5), 'lamp', 'Lit, and tall.')]
    everywhere = [Mark(np.ones((height, width), bool), 'hall', TEXT)]   # its caption lies on it and lets more through
    for name, image in grounds(size).items():
        for what in (marks, everywhere):
            overlay = lay_out(image, what)
            least = min(contrasts(paint(image, overlay), overlay))
            assert least >= 4.5, f'{name}, {len(what)} regions: {least:.2f}'   # WCAG 2.1, 1.4.3 (AA)


@pytest.mark.parametrize('size', [(320, 240), (3840, 2160)])
def test_a_contour_is_seen_on_any_ground(size):
    width, height = size
    mask = ellipse(width, height, width / 2, height / 2, width / 3, height / 3)
    for name, image in grounds(size).items():
        overlay = lay_out(image, [Mark(mask)])
        line, = overlay.shown[0].contours.lines
        x, y = line.T
        on = paint(image, overlay)[y, x].astype(int)
        near = np.abs(on - overlay.shown[0].colour).max(axis=1) <= 40   # the line itself; beside it the rim is black
        assert near.mean() > 0.9, name


def test_a_tint_is_seen_and_leaves_what_it_lies_on_recognizable():
    size = 640, 480
    mask = ellipse(*size, 320, 240, 300, 300)
    inside = cv2.erode(mask.astype(np.uint8), np.ones((41, 41))).astype(bool)
    for name, image in grounds(size).items():
        overlay = lay_out(image, [Mark(mask)])
        for box in boxes_of(overlay):
            inside[cells(box, 4)] = False
        before, after = image[inside].astype(float), paint(image, overlay)[inside].astype(float)
        assert 4 < np.abs(after - before).mean() < 40, name
        if before.std() > 1:
            assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.97, name


@pytest.mark.parametrize('colour', COLOURS)
def test_no_region_is_marked_in_its_own_colour(colour):
    image = np.full((240, 320, 3), colour, np.uint8)
    shown, = lay_out(image, [Mark(ellipse(320, 240, 160, 120, 90, 90))]).shown
    assert np.abs(np.subtract(shown.colour, colour)).max() > 60


def test_up_to_eight_regions_have_colours_of_their_own():
    for seed in range(5):
        overlay = lay_out(noise((640, 480)), random_marks((640, 480), 8, seed))
        assert len({one.colour for one in overlay.shown}) == 8


@pytest.mark.parametrize('size', [(320, 240), (3840, 2160)])
def test_what_is_not_marked_keeps_its_pixels(size):
    image = noise(size)
    before, overlay = image.copy(), lay_out(image, random_marks(size, 5, 2))
    painted = paint(image, overlay)
    np.testing.assert_array_equal(image, before)
    reach = overlay.line_px + 2 * overlay.rim_px + 3
    touched = np.zeros(size[::-1], np.uint8)
    for one in overlay.shown:
        touched |= one.mask.astype(np.uint8)
        if one.leader:
            cv2.line(touched, *(tuple(map(round, point)) for point in one.leader), 1, 2 * reach)
    touched = cv2.dilate(touched, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)).astype(bool)
    for box in boxes_of(overlay):
        touched[cells(box, reach)] = True
    assert touched.mean() < 0.95
    np.testing.assert_array_equal(painted[~touched], image[~touched])


# -- contours -------------------------------------------------------------------------------------------------------

def test_a_contour_follows_its_mask_and_leaves_holes_open():
    mask = ellipse(640, 480, 320, 240, 400, 300) & ~ellipse(640, 480, 320, 240, 100, 80)
    contours = contours_of(mask, (0, 0, 640, 480), 1.0)
    assert (len(contours.outer), len(contours.holes), contours.holes_of) == (1, 1, ((0,),))
    filled = np.zeros(mask.shape, np.uint8)
    cv2.fillPoly(filled, [with_holes(contours, 0)], 1)
    assert (filled.astype(bool) != mask).mean() < 0.01


def test_specks_do_not_make_a_contour_endless():
    mask = np.random.default_rng(0).random((480, 640)) < 0.3
    contours = contours_of(mask, (0, 0, 640, 480), 1.0)
    assert len(contours.lines) <= 48 and sum(map(len, contours.lines)) <= 400


# -- what grows -----------------------------------------------------------------------------------------------------

class Picture:
    """What a record keeps of a picture."""

    def __init__(self, stamp_ns: int, frame_id: str = 'camera'):
        self.stamp_ns, self.frame_id = stamp_ns, frame_id


def record(picture: Picture, at: int, caption: str = 'words', **names: str) -> Record:
    mask = np.zeros((20, 30), bool)
    mask[at // 30, at % 30] = True
    return Record(id=str(at), picture=picture, picture_bytes=1, look='', mask=StoredMask(mask), caption=caption,
                  **names)


def test_regions_of_one_picture_are_shown_together_and_another_picture_begins_anew():
    one = described(described(None, record(Picture(5), 1)), record(Picture(5), 2))   # equal stamps: the same picture
    assert len(one.marks()) == 2
    assert len(described(one, record(Picture(6), 3)).marks()) == 1
    assert len(described(one, record(Picture(5, 'other'), 3)).marks()) == 1
    unstamped = described(None, record(Picture(0), 1))
    assert len(described(unstamped, record(Picture(0), 2)).marks()) == 1
    assert len(described(unstamped, record(unstamped.picture, 2)).marks()) == 2


def test_a_region_that_is_asked_about_again_keeps_its_number_and_gets_its_new_text():
    picture = Picture(5)
    found = None
    for at, caption in ((1, 'a'), (2, 'b'), (1, 'c')):
        found = described(found, record(picture, at, caption))
    assert [mark.text for mark in found.marks()] == ['c', 'b'] and found.first == 1


def test_the_oldest_regions_leave_and_the_others_keep_their_numbers():
    picture, found = Picture(5), None
    for at in range(MOST + 3):
        found = described(found, record(picture, at, f'text {at}'))
    assert len(found.marks()) == MOST and found.first == 4 and found.marks()[0].text == 'text 3'


def test_a_title_is_the_tag_else_the_name_of_the_label():
    titles = [described(None, record(Picture(1), 0, **names)).marks()[0].title for names in (
        {'tag': 'cup', 'label_name': 'mug'}, {'label_name': 'mug'}, {})]
    assert titles == ['cup', 'mug', '']


# -- the documents --------------------------------------------------------------------------------------------------

def test_the_picture_in_the_documents_is_that_of_the_script():
    path = ROOT / 'scripts' / 'make_overlay_picture'
    loader = importlib.machinery.SourceFileLoader(path.name, str(path))
    make = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(make)
    kept, drawn = cv2.imread(str(make.PICTURE)), make.draw()[:, :, ::-1]
    assert make.PICTURE.stat().st_size < 150_000 and kept.shape == drawn.shape
    kept, drawn = (cv2.resize(one, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for one in (kept, drawn))
    apart = np.mean(np.abs(kept.astype(int) - drawn).max(axis=2) > 60)   # JPEG alone is within
    assert apart < 0.001, 'draw it anew with ./dev run python scripts/make_overlay_picture'
