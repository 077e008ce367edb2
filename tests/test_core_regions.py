"""Regions: every form, every edge, and the mask that comes of it."""
from __future__ import annotations

import numpy as np
import pytest

from dam_ros.core.errors import EmptyRegion, Failure, InvalidRequest, UnknownLabel
from dam_ros.core.masks import StoredMask, bounding_box
from dam_ros.core.region_masks import labels_present, mask_of, pixel_box, prompt_of
from dam_ros.core.regions import Region

SIZE = (480, 640)   # height, width
INF, NAN = float('inf'), float('nan')


def box(*numbers: float, **more) -> Region:
    return Region(box_xywh=numbers, box_is_region=True, **more)


# -- what can be known without the picture

@pytest.mark.parametrize('region, words', [
    (lambda: Region(box_xywh=()), 'box_xywh is []'), (lambda: Region(box_xywh=(1., 2., 3.)), '4: left'),
    (lambda: Region(box_xywh=(1., 2., 3., 4., 5.)), '4: left'),
    (lambda: box(0, 0, NAN, 1), 'finite'), (lambda: box(INF, 0, 1, 1), 'finite'),
    (lambda: box(0, -INF, 1, 1), 'finite'),
    (lambda: box(0, 0, 0, 5), 'width and height above 0'), (lambda: box(0, 0, 5, -1), 'width and height above 0'),
    (lambda: box(0, 0, 1, 1, ref_size=(640, 0)), 'both 0 or both set'),
    (lambda: Region(mask=np.ones((2, 2)), ref_size=(2, 2)), '0 with mask'),
    (lambda: box(0, 0, 1, 1, labels=(1,)), 'box_xywh and labels'),
    (lambda: box(0, 0, 1, 1, mask=np.ones((2, 2))), 'box_xywh and mask'),
    (lambda: Region(labels=(1,), points=[1., 2.]), 'points and labels'),
    (lambda: Region(points=[1., 2.], polygon=[0., 0., 1., 0., 1., 1.]), 'points and polygon'),
    (lambda: Region(scribble=[1., 2., 3., 4.], mask=np.ones((2, 2)), labels=(1,)), 'scribble and mask'),
    (lambda: Region(points=[1., 2., 3.]), "region.points is '3 numbers'; allowed: pairs x, y"),
    (lambda: Region(points=[1., 2.] * 1025), '1025 points'), (lambda: Region(points=[]), '0 points'),
    (lambda: Region(points=[1., 2., 3., NAN]), 'region.points[3] is nan'),
    (lambda: Region(points=[1., INF]), 'region.points[1] is inf'),
    (lambda: Region(point_labels=(1,)), 'empty without points'),
    (lambda: Region(points=[1., 2.], point_labels=(1, 0)), 'one for each of the 1 points'),
    (lambda: Region(points=[1., 2.], point_labels=(2,)), '1 inside, 0 outside'),
    (lambda: Region(points=[1., 2., 3., 4.], point_labels=(0, 0)), 'at least one 1'),
    (lambda: Region(scribble=[1., 2.]), "region.scribble is '1 points'; allowed: 2 to 100000 points"),
    (lambda: Region(scribble=[1., 2., -INF, 4.]), 'region.scribble[2] is -inf'),
    (lambda: Region(scribble=[1., 2., 3., 4.], scribble_width_px=0.5), 'scribble_width_px is 0.5'),
    (lambda: Region(scribble=[1., 2., 3., 4.], scribble_width_px=201.), '1 to 200 px, or 0 for 5'),
    (lambda: Region(scribble=[1., 2., 3., 4.], scribble_width_px=NAN), 'scribble_width_px is nan'),
    (lambda: Region(polygon=[1., 2., 3., 4.]), "region.polygon is '2 corners'; allowed: 3 to 100000 corners"),
    (lambda: Region(polygon=np.zeros(2_000_000, np.float32)), '1000000 corners'),
    (lambda: Region(polygon=[0., 0., 9., 0., 9., NAN]), 'region.polygon[5] is nan'),
    (lambda: Region(tag='x' * 65), 'region.tag')])
def test_what_contradicts_itself(region, words: str):
    with pytest.raises(InvalidRequest) as caught:
        region()
    assert words in str(caught.value)


def test_forms():
    mask = np.ones((2, 2), np.uint8)
    regions = [Region(), box(0, 0, 1, 1), Region(labels=(3,)), Region(mask=mask), Region(mask=mask, labels=(1, 2)),
               Region(points=[1., 2.]), Region(scribble=[1., 2., 3., 4.]), Region(polygon=[0., 0., 1., 0., 1., 1.])]
    assert [one.form for one in regions] == ['picture', 'box', 'labels', 'mask', 'mask labels', 'points', 'scribble',
                                             'polygon']
    assert [one.field for one in regions] == ['region', 'region.box_xywh', 'region.labels', 'region.mask',
                                              'region.mask', 'region.points', 'region.scribble', 'region.polygon']
    assert [one.form for one in regions if one.needs_label_image] == ['labels']
    assert [one.label for one in regions] == [-1, -1, 3, -1, -1, -1, -1, -1]
    assert [one.form for one in regions if one.needs_segmenter] == ['points', 'scribble']
    assert Region(box_xywh=(0, 0, 1, 1)).needs_segmenter
    assert Region(tag='x' * 64).tag == 'x' * 64


# -- boxes

@pytest.mark.parametrize('numbers, edges', [
    ((0, 0, 640, 480), (0, 0, 640, 480)), ((0, 0, 1, 1), (0, 0, 1, 1)), ((639, 479, 1, 1), (639, 479, 640, 480)),
    ((-10, -20, 30, 50), (0, 0, 20, 30)), ((630, 470, 100, 100), (630, 470, 640, 480)),
    ((-5, -5, 1e6, 1e6), (0, 0, 640, 480)), ((-3e38, -3e38, 3.4e38, 3.4e38), (0, 0, 640, 480)),
    ((10.4, 20.6, 5, 5), (10, 21, 15, 26)), ((10.5, 20.49, 5, 5), (11, 20, 16, 25)),
    ((5.2, 7.2, 0.1, 0.1), (5, 7, 6, 8)),                   # thinner than a pixel: the one it lies in
    ((5.9, 0, 0.2, 10), (5, 0, 6, 10)), ((639.9, 0, 0.05, 1), (639, 0, 640, 1)),
    ((0, 479.5, 3, 0.4), (0, 479, 3, 480))])
def test_box_to_pixels(numbers: tuple, edges: tuple):
    assert pixel_box(box(*numbers), *SIZE) == edges
    mask = mask_of(box(*numbers), *SIZE)
    left, top, right, bottom = edges
    assert (mask.dtype, mask.shape) == (bool, SIZE)
    assert mask.sum() == (right - left) * (bottom - top)
    assert bounding_box(mask) == (left, top, right - left, bottom - top)


@pytest.mark.parametrize('numbers', [
    (640, 0, 10, 10), (0, 480, 10, 10), (-10, 0, 10, 10), (0, -10, 10, 10), (-5.3, 3, 0.2, 1), (1e30, 1e30, 1, 1),
    (640.2, 0, 0.1, 5)])
def test_box_outside_the_picture(numbers: tuple):
    with pytest.raises(EmptyRegion, match='640x480 px'):
        mask_of(box(*numbers), *SIZE)


def test_random_boxes_agree_with_the_pixels_they_cover():
    """Independent: a pixel belongs to a box if its middle does, wherever the box is at least a pixel wide."""
    random = np.random.default_rng(5)
    columns, rows = np.arange(40) + 0.5, np.arange(30) + 0.5
    for _ in range(500):
        left, top = random.uniform(-20, 50, 2)
        width, height = random.uniform(1, 60, 2)
        expected = np.outer((rows > top) & (rows < top + height), (columns > left) & (columns < left + width))
        try:
            got = mask_of(box(left, top, width, height), 30, 40)
        except EmptyRegion:
            got = np.zeros((30, 40), bool)
        assert np.array_equal(got, expected), (left, top, width, height)


def test_a_box_in_the_pixels_of_a_detector():
    assert pixel_box(box(320, 160, 64, 96, ref_size=(640, 640)), 1080, 1920) == (960, 270, 1152, 432)
    assert pixel_box(box(0, 0, 640, 640, ref_size=(640, 640)), 1080, 1920) == (0, 0, 1920, 1080)
    assert pixel_box(box(0, 0, 1, 1, ref_size=(4000, 4000)), 30, 40) == (0, 0, 1, 1)
    with pytest.raises(EmptyRegion):
        pixel_box(box(640, 0, 5, 5, ref_size=(640, 640)), 1080, 1920)


# -- points and scribbles: what a segmenter gets

def prompt(region: Region, height: int = 30, width: int = 40):
    return prompt_of(region, height, width, mask_of(region, height, width))


def test_points_inside_and_outside():
    got = prompt(Region(points=[3., 4., 10.5, 20.25, 7., 8.], point_labels=(1, 0, 1)))
    assert (got.inside, got.outside) == (((3., 4.), (7., 8.)), ((10.5, 20.25),))
    assert (got.box, got.stroke, got.field) == (None, None, 'region.points')
    assert prompt(Region(points=[3., 4., 5., 6.])).inside == ((3., 4.), (5., 6.)), 'no labels: all inside'
    mask = mask_of(Region(points=[3., 4., 10., 20.], point_labels=(1, 0)), 30, 40)
    assert np.argwhere(mask).tolist() == [[4, 3]]


def test_the_middle_of_the_first_pixel_is_0_0():
    for x, y, column, row in ((-.49, -.49, 0, 0), (.49, .49, 0, 0), (.51, .51, 1, 1), (39.49, 29.49, 39, 29)):
        assert np.argwhere(mask_of(Region(points=[x, y]), 30, 40)).tolist() == [[row, column]]


def test_points_outside_of_the_picture_are_left_out():
    got = prompt(Region(points=[3., 4., -1., 5., 40., 5., 5., 1e38], point_labels=(1, 1, 0, 0)))
    assert (got.inside, got.outside) == (((3., 4.),), ())
    for x, y in ((-0.51, 3.), (3., -0.51), (39.51, 3.), (3., 29.51), (-3e38, 3e38)):
        with pytest.raises(EmptyRegion, match='region.points is .* lies in the picture of 40x30 px'):
            mask_of(Region(points=[x, y, 1., 1.], point_labels=(1, 0)), 30, 40)


def test_points_of_a_smaller_picture():
    """Its first pixel covers four of ours: its middle lies between them."""
    assert prompt(Region(points=[0., 0., 4., 7.], ref_size=(20, 15))).inside == ((.5, .5), (8.5, 14.5))


def test_a_scribble_is_as_wide_as_it_says():
    got = prompt(Region(scribble=[10., 15., 30., 15.], scribble_width_px=7.))
    rows, columns = np.nonzero(got.stroke)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (12, 18, 7, 33)
    assert (got.box, got.inside, got.field) == (None, (), 'region.scribble')
    assert np.flatnonzero(mask_of(Region(scribble=[10., 15., 30., 15.]), 30, 40)[:, 20]).tolist() == [13, 14, 15, 16,
                                                                                                      17]
    doubled = mask_of(Region(scribble=[5., 7., 15., 7.], scribble_width_px=3., ref_size=(20, 15)), 30, 40)
    assert doubled[:, 20].sum() in (6, 7)


def test_a_scribble_is_what_is_near_its_line():
    """Independent: the distance of each pixel's middle to each segment."""
    random = np.random.default_rng(8)
    rows, columns = np.mgrid[:30, :40]
    for number in range(200):
        points = random.uniform(-30, 70, (random.integers(2, 5), 2))
        width = float(random.choice([1, 2, 5, 11.5, 40]))
        away = np.full((30, 40), np.inf)
        for (x0, y0), (x1, y1) in zip(points[:-1], points[1:]):
            along = ((columns - x0) * (x1 - x0) + (rows - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2)
            along = np.clip(along, 0, 1)
            away = np.minimum(away, np.hypot(columns - x0 - along * (x1 - x0), rows - y0 - along * (y1 - y0)))
        try:
            got = mask_of(Region(scribble=points.ravel(), scribble_width_px=width), 30, 40)
        except EmptyRegion:
            got = np.zeros((30, 40), bool)
        wrong = (got & (away > max(width / 2, 0.5) + 1)) | (~got & (away < width / 2 - 1))
        assert not wrong.any(), (number, width)


@pytest.mark.parametrize('numbers', [[-3e38, -3e38, 3e38, 3e38], [-3e38, 15., 3e38, 15.], [5., 5., 5., 5.],
                                     [5., -1e9, 5., 1e9]])
def test_scribbles_that_go_far(numbers: list):
    mask = mask_of(Region(scribble=numbers, scribble_width_px=1.), 30, 40)
    assert 1 <= mask.sum() <= 60


@pytest.mark.parametrize('numbers', [[-5., -5., 45., -5.], [50., 0., 50., 30.], [1e38, 1e38, 2e38, 1e38]])
def test_a_scribble_outside(numbers: list):
    with pytest.raises(EmptyRegion, match='region.scribble is .* the picture of 40x30 px'):
        mask_of(Region(scribble=numbers, scribble_width_px=3.), 30, 40)


# -- polygons

def even_odd(corners: np.ndarray, height: int, width: int) -> np.ndarray:
    """Independent: how many edges lie to the left of a pixel's middle."""
    rows, columns = np.mgrid[:height, :width]
    inside = np.zeros((height, width), bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0)):
        if y0 != y1:
            inside ^= ((min(y0, y1) <= rows) & (rows < max(y0, y1))
                       & (columns >= x0 + (rows - y0) * (x1 - x0) / (y1 - y0)))
    return inside


def test_polygons_are_filled_by_the_even_odd_rule():
    random = np.random.default_rng(9)
    for number in range(300):
        count = random.integers(3, 12)   # most of them meet themselves
        corners = random.uniform(-20, 60, (count, 2)) if number % 2 else random.integers(-5, 40, (count, 2)) * 1.0
        expected = even_odd(corners, 30, 40)
        if expected.any():
            assert np.array_equal(mask_of(Region(polygon=corners.ravel()), 30, 40), expected), corners


def test_a_star_that_meets_itself_has_a_hole():
    turns = np.arange(5) * 2 * 2 * np.pi / 5
    star = np.stack([50 + 40 * np.sin(turns), 50 - 40 * np.cos(turns)], axis=1)
    mask = mask_of(Region(polygon=star.ravel()), 100, 100)
    assert not mask[50, 50] and mask[20, 50] and 900 < mask.sum() < 1300


def test_polygons_in_pixels():
    assert mask_of(Region(polygon=[-.5, -.5, 9.5, -.5, 9.5, 9.5, -.5, 9.5]), 20, 20).sum() == 100
    doubled = mask_of(Region(polygon=[-.5, -.5, 9.5, -.5, 9.5, 9.5, -.5, 9.5], ref_size=(20, 20)), 40, 60)
    assert np.argwhere(doubled).max(axis=0).tolist() == [19, 29] and doubled.sum() == 600
    assert mask_of(Region(polygon=[-1e38, -1e38, 3e38, -1e38, 3e38, 3e38, -1e38, 3e38]), 20, 20).all()
    assert mask_of(Region(polygon=[5.2, 5.2, 5.4, 5.2, 5.3, 5.4]), 20, 20).sum() >= 1, 'too thin: its outline'
    assert mask_of(Region(polygon=[5., 5., 5., 5., 5., 5.]), 20, 20).sum() == 1
    with pytest.raises(EmptyRegion, match='region.polygon is .* the picture of 20x20 px'):
        mask_of(Region(polygon=[25., 0., 30., 0., 30., 9.]), 20, 20)


def test_a_hundred_thousand_corners():
    corners = np.random.default_rng(10).uniform(0, 60, 200_000).astype(np.float32)
    assert mask_of(Region(polygon=corners), 60, 60).any()


def test_a_tangle_that_would_take_long_is_refused():
    """A hundred thousand edges that each cross half of a tall picture: others wait behind it."""
    corners = np.random.default_rng(10).uniform(0, 3000, 200_000).astype(np.float32)
    with pytest.raises(InvalidRequest, match="region.polygon is '100000 corners'; allowed: .*60x3000 px.*times"):
        mask_of(Region(polygon=corners), 3000, 60)


def test_a_stroke_that_a_small_reference_makes_wide_as_a_house_is_refused():
    def mask(width_px: float, ref: tuple[int, int]) -> np.ndarray:
        return mask_of(Region(scribble=[1., 1., 2., 2.], scribble_width_px=width_px, ref_size=ref), 1080, 1920)

    with pytest.raises(InvalidRequest, match='scribble_width_px is 200.0; allowed: at most 640 px .*where it is 36'):
        mask(200.0, (8, 8))
    assert mask(200.0, (640, 360)).any(), '600 px'


# -- masks and labels

def test_whole_picture():
    assert mask_of(Region(), 3, 4).all() and mask_of(Region(), 3, 4).shape == (3, 4)


def test_any_value_but_zero_is_inside():
    mask = np.array([[0, 1, 255], [7, 0, 128]], np.uint8)
    assert np.array_equal(mask_of(Region(mask=mask), 2, 3), mask > 0)


@pytest.mark.parametrize('kind', [np.uint8, np.uint16, np.int32])
@pytest.mark.parametrize('of', ['picture', 'request'])
def test_labels_are_united(kind: type, of: str):
    labels = np.array([[0, 1, 2], [3, 1, 0]], kind)

    def mask(*values: int) -> list:
        if of == 'picture':
            return mask_of(Region(labels=values), 2, 3, labels).astype(int).tolist()
        return mask_of(Region(labels=values, mask=labels), 2, 3).astype(int).tolist()
    assert mask(1) == [[0, 1, 0], [0, 1, 0]]
    assert mask(1, 3) == [[0, 1, 0], [1, 1, 0]]
    assert mask(3, 9, 3) == [[0, 0, 0], [1, 0, 0]], 'one of them is there, twice is once'
    assert mask(0) == [[1, 0, 0], [0, 0, 1]], 'the background, for who asks for it'
    for values in ((9,), (9, 10), (-1,), (300,), (1 << 20, -5), (257,), (1 + (1 << 16),)):
        with pytest.raises(UnknownLabel, match='values of the label image: 0, 1, 2, 3$'):
            mask(*values)


def test_large_and_negative_labels():
    labels = np.array([[-7, 1 << 30]], np.int32)
    assert mask_of(Region(labels=(-7,)), 1, 2, labels).tolist() == [[True, False]]
    assert mask_of(Region(labels=(1 << 30,)), 1, 2, labels).tolist() == [[False, True]]


def test_many_labels_are_not_all_listed():
    labels = np.arange(10000, dtype=np.int32).reshape(100, 100)
    with pytest.raises(UnknownLabel) as caught:
        mask_of(Region(labels=(-1,)), 100, 100, labels)
    assert len(str(caught.value)) < 200 and str(caught.value).endswith('19, ...')


@pytest.mark.parametrize('shape', [(2, 4), (3, 3), (3, 2), (1, 6), (6,)])
def test_another_size_than_the_picture(shape: tuple):
    other = np.ones(shape, np.uint8)
    for region, labels in ((Region(mask=np.atleast_2d(other)), None), (Region(labels=(1,)), np.atleast_2d(other)),
                           (Region(mask=np.atleast_2d(other), labels=(1,)), None)):
        with pytest.raises(InvalidRequest, match='the size of the picture, 3x2 px'):
            mask_of(region, 2, 3, labels)


def test_an_empty_mask():
    with pytest.raises(EmptyRegion):
        mask_of(Region(mask=np.zeros((2, 3), np.uint8)), 2, 3)


def test_every_failure_is_the_callers():
    random = np.random.default_rng(6)
    for _ in range(300):
        numbers = tuple(random.choice([0.0, -1.0, 5.0, 1e9, NAN, INF, -INF, 0.3], 4))
        try:
            mask_of(box(*numbers, ref_size=tuple(random.choice([0, 1, 640], 2))), 30, 40)
        except Failure as failure:
            assert 10100 <= failure.code < 10200


@pytest.mark.parametrize('kind', [np.uint8, np.uint16, np.int32])
def test_labels_that_are_there(kind: type):
    labels = np.array([[0, 5, 5], [9, 0, 200]], kind)
    assert labels_present(labels, (0,)) == {5: 2, 9: 1, 200: 1}
    assert list(labels_present(labels, (-1,))) == [0, 5, 9, 200]
    assert labels_present(labels, (0, 5, 9, 200)) == {}
    assert all(type(one) is int for pair in labels_present(labels, ()).items() for one in pair)
    assert labels_present(labels[:, ::2], (0,)) == {5: 1, 9: 1, 200: 1}


def test_random_masks_are_kept_as_they_are():
    random = np.random.default_rng(7)
    for shape in ((1, 1), (1, 9), (7, 1), (33, 47), (480, 640)):
        mask = random.random(shape) < 0.3
        mask[random.integers(shape[0]), random.integers(shape[1])] = True
        stored = StoredMask(mask)
        again = StoredMask.from_bits(np.packbits(mask), shape)
        rows, columns = np.nonzero(mask)
        box_of = (columns.min(), rows.min(), columns.max() + 1 - columns.min(), rows.max() + 1 - rows.min())
        for one in (stored, again):
            assert np.array_equal(one.array(), mask) and one.array().dtype == bool
            assert (one.shape, one.box) == (shape, box_of)
            assert one.area_fraction == pytest.approx(mask.mean())


def test_a_mask_of_one_block_is_small():
    mask = np.zeros((1080, 1920), bool)
    mask[200:800, 300:900] = True
    assert StoredMask(mask).nbytes < 5000
