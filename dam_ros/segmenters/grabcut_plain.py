"""Things that need no guessing: those of one colour, and those on a ground of one colour.

How far each pixel is from that colour is one number, and the thing is what lies on one side of a threshold. Where
little changes between some threshold and its double, the border is a step all around and the thing is found; else this
module finds nothing. (The idea is that of maximally stable regions, Matas et al. 2002; here one knows where to look.)
"""
from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np

from dam_ros.segmenters.grabcut_choice import iou, Palette
from dam_ros.segmenters.grabcut_view import View

Box = tuple[int, int, int, int]
Marked = Callable[[View], tuple[np.ndarray, np.ndarray]]
_LEVELS = 2.0 * 1.19 ** np.arange(20)   # thresholds, in units of CIELAB: 2..54
_RUN = 4                                # steps of them; as many are a doubling
_LOW, _PLAIN, _LONG = 5, 0.65, 12        # what is plain shows at this step already, or does for long
_CHANGE, _EDGE = 0.03, 0.25             # from one to the next this share of a thing may change, and this of its border
_OVERLAP = 0.04                         # of the colours in it and right outside of it; 1 = the same
_FEWEST, _MOST = 6, 0.55                # px of the view, share of the view
_GROUND = 0.85                          # of the frame has the ground's colour, or there is no ground of one colour
_NOISE, _ROUGH = 2.0, 3.0               # CIELAB: so much any ground may differ from its colour, no plain one more
_WINDOW_PX, _GROWTH, _SIDE_PX = 64, 3, 160   # around a point: the first window, the next ones, what is seen of each
_SEEN = 0.01                            # of a window: what is smaller the window before showed better
_SAME = 2.0                             # times as large it is another thing, and not the same seen from farther off
_COLOURS = 16                           # of a stroke
_PASSES, _NEAR_PX = 4, 11               # of `with_border`
_SQUARE = np.ones((3, 3), np.uint8)


def in_box(view: View, box: Box, marked: Marked) -> np.ndarray | None:
    """What lies in a box on a ground of one colour, as bool (h, w) of the view; None where there is no such thing.

    Args:
        box: in the view.
        marked: tells pixels of a view that surely belong to the thing, and those that surely do not, as bool (h, w).
    """
    inside, outside = marked(view)
    within = np.zeros(inside.shape, bool)
    within[box[1]:box[3], box[0]:box[2]] = True
    ground = ~within if np.count_nonzero(~within) > 0.2 * within.size else _frame(within.shape)
    away = _away(_colours(view), ground)
    if away is None:
        return None
    steps = ((away >= level) & within for level in _LEVELS)
    return _sure(view, [one if _fits(one, inside, outside) else None for one in steps])


def around_points(image: np.ndarray, box: Box, marked: Marked) -> list[tuple[View, np.ndarray]]:
    """Things that hold what was pointed at, each as bool (h, w) of the view it was seen in; from near to far.

    Args:
        box: of all that was pointed at: left, top, right, bottom in px, half open.
        marked: as of `in_box`.
    """
    found = []
    height, width = image.shape[:2]
    for number, part in enumerate(_windows(box, width, height)):
        view = View(image, part, _SIDE_PX)
        inside, outside = marked(view)
        if not inside.any():
            continue
        colours, frame = _colours(view), _frame(inside.shape)
        off, away = _off(colours, inside), _away(colours, frame)
        nearer = list(found)
        ways = [([off < level for level in _LEVELS], _cut_off(inside.shape, part, width, height))]
        if away is not None:
            ways.append(([away >= level for level in _LEVELS], frame))
        for steps, border in ways:
            held = (_holding(one, inside) for one in steps)
            one = _sure(view, [one if _fits(one, inside, outside | border) else None for one in held])
            if one is None or any(view.share(one) < _SAME * seen.share(other) for seen, other in nearer):
                continue
            if number == 0 or one.mean() >= _SEEN:
                found.append((view, one))
    return found


def with_border(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The mask with each pixel along its border on the side whose colour nearby is more like its own.

    Args:
        rgb: uint8 (h, w, 3).
        mask: bool (h, w).
    """
    rgb = rgb.astype(np.float32)
    for _ in range(_PASSES):
        pixels = mask.view(np.uint8)
        inner, outer = cv2.erode(pixels, _SQUARE), cv2.dilate(pixels, _SQUARE)
        ours, theirs = _nearby(rgb, inner, pixels), _nearby(rgb, 1 - cv2.dilate(outer, _SQUARE), 1 - outer)
        step = ours - theirs
        share = ((rgb - theirs) * step).sum(2) / np.maximum((step * step).sum(2), 1e-6)
        band = cv2.dilate(outer, _SQUARE) > cv2.erode(inner, _SQUARE)
        mask = np.where(band, share > 0.5, mask)
    return mask


def _nearby(rgb: np.ndarray, pixels: np.ndarray, else_of: np.ndarray) -> np.ndarray:
    """float32 (h, w, 3): the mean colour of these pixels around each, or of those where none of these is near."""
    weights = pixels + np.float32(1e-3) * else_of
    size = (_NEAR_PX, _NEAR_PX)
    total = cv2.boxFilter(weights, -1, size, normalize=False)
    return cv2.boxFilter(rgb * weights[..., None], -1, size, normalize=False) / np.maximum(total, 1e-6)[..., None]


# -- how far from a colour --------------------------------------------------------------------------------------------

def _colours(view: View) -> np.ndarray:
    """float32 (h, w, 3): CIELAB with lightness 0..100 and with less noise."""
    smooth = cv2.GaussianBlur(view.lab.astype(np.float32), (3, 3), 0)
    smooth[:, :, 0] *= 100 / 255   # in 8 bit OpenCV stretches it
    return smooth


def _off(colours: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """float32 (h, w): how far each colour is from the nearest of those that were pointed at."""
    rows, columns = np.nonzero(inside)
    some = slice(None, None, max(1, len(rows) // _COLOURS))
    return np.min([np.linalg.norm(colours - one, axis=2) for one in colours[rows[some], columns[some]]], 0)


def _away(colours: np.ndarray, where: np.ndarray) -> np.ndarray | None:
    """float32 (h, w): how far each colour is from the ground's, which may change evenly; None where it has none.

    Args:
        where: bool (h, w), pixels that should show the ground, and mostly do.
    """
    rows, columns = np.nonzero(where)
    some = slice(None, None, max(1, len(rows) // 2000))
    rows, columns = rows[some], columns[some]
    seen = colours[rows, columns]
    terms = np.stack([np.ones(len(rows)), rows, columns], 1)
    off = np.linalg.norm(seen - np.median(seen, 0), axis=1)
    for _ in range(3):   # what lies on the ground there, too, should not count
        kept = off <= max(_NOISE, 3 * float(np.median(off)))
        plane, *_ = np.linalg.lstsq(terms[kept], seen[kept], rcond=None)
        off = np.linalg.norm(seen - terms @ plane, axis=1)
    spread = float(np.median(off))
    if spread > _ROUGH or np.mean(off <= max(_NOISE, 3 * spread)) < _GROUND:
        return None
    row, column = np.ogrid[:colours.shape[0], :colours.shape[1]]
    ground = plane[0] + row[..., None] * plane[1] + column[..., None] * plane[2]
    return np.linalg.norm(colours - ground, axis=2)


# -- thresholds -------------------------------------------------------------------------------------------------------

def _fits(mask: np.ndarray, inside: np.ndarray, outside: np.ndarray) -> bool:
    pixels = np.count_nonzero(mask)
    return (_FEWEST <= pixels <= _MOST * mask.size and not (mask & outside).any()
            and (not inside.any() or mask[inside].mean() > 0.6))


def _sure(view: View, steps: list[np.ndarray | None]) -> np.ndarray | None:
    """The mask in the middle of the longest run of thresholds that change little; None where there is none."""
    best, begun = range(0), 0
    for number, one in enumerate(steps):
        if one is None or (number > begun and not _alike(steps[number - 1], one)):
            begun = number if one is not None else number + 1
        best = max(best, range(begun, number + 1), key=len)
    if len(best) <= _RUN:
        return None
    mask, low = steps[best[len(best) // 2]], steps[_LOW]
    if len(best) <= _LONG and (low is None or iou(low, mask) < _PLAIN):
        return None
    return mask if Palette(view.lab).overlap(mask, but_border=True) <= _OVERLAP else None


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    edge = np.count_nonzero(one & (cv2.erode(one.view(np.uint8), _SQUARE) == 0))
    return np.count_nonzero(one ^ other) <= _CHANGE * np.count_nonzero(one) + _EDGE * edge


def _holding(mask: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """The connected parts that hold a seed."""
    _, parts = cv2.connectedComponents(mask.view(np.uint8), connectivity=4)
    kept = np.zeros(parts.max() + 1, bool)
    kept[parts[seeds]] = True
    kept[0] = False
    return kept[parts]


# -- where to look ----------------------------------------------------------------------------------------------------

def _windows(box: Box, width: int, height: int) -> Iterator[Box]:
    """Parts of the picture around a box, from small to the whole."""
    side = max(_WINDOW_PX, 2 * max(box[2] - box[0], box[3] - box[1]))
    x, y = (box[0] + box[2]) // 2, (box[1] + box[3]) // 2
    while side < max(width, height):
        half = side // 2
        yield max(0, x - half), max(0, y - half), min(width, x + half), min(height, y + half)
        side *= _GROWTH
    yield 0, 0, width, height


def _frame(shape: tuple[int, int]) -> np.ndarray:
    """bool (h, w): what lies along the sides."""
    wide = max(1, round(0.04 * min(shape)))
    frame = np.ones(shape, bool)
    frame[wide:-wide, wide:-wide] = False
    return frame


def _cut_off(shape: tuple[int, int], part: Box, width: int, height: int) -> np.ndarray:
    """bool (h, w): pixels along the sides at which the picture goes on."""
    cut = np.zeros(shape, bool)
    cut[0], cut[-1] = part[1] > 0, part[3] < height
    cut[:, 0] |= part[0] > 0
    cut[:, -1] |= part[2] < width
    return cut
