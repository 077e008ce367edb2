"""Cuts out what was pointed at with GrabCut (Rother et al. 2004, OpenCV); needs no weights.

What differs clearly from all that surrounds it needs no guess (`grabcut_plain`). Else GrabCut is asked twice: on a
small picture several guesses are cut and one is chosen (`grabcut_guesses`, `grabcut_choice`), then its border is cut
once more from nearby. All pictures are of bounded size, so twelve megapixels cost hardly more than one.
"""
from __future__ import annotations

import cv2
import numpy as np

from dam_ros.core.segmenting import Prompt
from dam_ros.segmenters import grabcut_choice as choice
from dam_ros.segmenters import grabcut_guesses as guesses
from dam_ros.segmenters import grabcut_plain as plain
from dam_ros.segmenters.grabcut_view import DOT, View
from dam_ros.segmenters.promises import kept, nothing_at

_GUESS_PX, _BORDER_PX = 128, 224   # longest sides of the two pictures; more costs time and finds no better things
_AROUND = 0.3                      # of a box's size is looked at around it: what the background looks like
_LEVELS = 6                        # of 255 that something must differ in, or there is no thing
_BAND = 0.08                       # of the guess's size is free on both sides of its border
_LARGE = 0.2                       # of the picture; few things are larger
_AGREE = 0.6                       # IoU with the guess; where it is less, the second cut has lost its way


def create() -> GrabCut:
    return GrabCut()


class GrabCut:
    """See `core.segmenting.Segmenter`."""

    name = 'grabcut'
    follows = False

    def cut_out(self, image: np.ndarray, prompt: Prompt) -> np.ndarray:
        height, width = image.shape[:2]
        clear = _clear(image, prompt)
        if clear is not None:
            return kept(clear, prompt)
        view = View(image, _around(prompt.box, _AROUND, width, height), _GUESS_PX)
        if not _differs(view.lab):
            raise nothing_at(prompt)
        guess = _guess(view, prompt)
        if not guess.any():
            raise nothing_at(prompt)
        left, top, right, bottom = view.in_picture(guess)
        near = View(image, _around((left, top, right, bottom), _AROUND, width, height), _BORDER_PX)
        mask = near.whole(_with_border(near, view.seen_by(near, guess), prompt))
        return kept(mask, prompt)


def _clear(image: np.ndarray, prompt: Prompt) -> np.ndarray | None:
    """bool (H, W): a thing that differs all around from its ground, so that no guess is needed; None = none."""
    height, width = image.shape[:2]
    if prompt.box is not None:
        view = View(image, _around(prompt.box, _AROUND, width, height), _BORDER_PX)
        one = plain.in_box(view, view.box(prompt.box), lambda view: _seeds(view, prompt, 0))
        found = [] if one is None else [(view, one)]
    else:
        points = np.array(prompt.inside) + 0.5 if prompt.stroke is None else np.argwhere(prompt.stroke)[:, ::-1]
        box = (*points.min(0).astype(int).tolist(), *(points.max(0).astype(int) + 1).tolist())
        found = plain.around_points(image, box, lambda view: _seeds(view, prompt, 0))
    if not found:
        return None
    # A label on a cup is a thing, and the cup is, too. The larger one is meant, unless it is a place.
    shares = [view.share(one) for view, one in found]
    view, one = found[max(range(len(found)), key=lambda at: shares[at] if shares[at] <= _LARGE else -shares[at])]
    near = View(image, _around(view.in_picture(one), _AROUND, width, height), _BORDER_PX)
    mask = plain.with_border(near.rgb, view.seen_by(near, one))
    whole = near.whole(guesses.without_crumbs(guesses.without_pinholes(mask), _seeds(near, prompt, 0)[0]))
    return whole if whole.any() else None


def _guess(view: View, prompt: Prompt) -> np.ndarray:
    """bool (h, w) of the view."""
    inside, outside = _seeds(view, prompt)
    palette = choice.Palette(view.lab)
    if prompt.box is None:
        return choice.vote(palette, guesses.around_seeds(view.lab, inside, outside), choice.likely_share(inside))
    box = view.box(prompt.box)
    return choice.best_in_box(palette, guesses.in_box(view.lab, box, inside, outside), box)


def _seeds(view: View, prompt: Prompt, dot: float = DOT) -> tuple[np.ndarray, np.ndarray]:
    """bool (h, w) of the view: pixels that surely belong to the thing, and pixels that surely do not.

    Args:
        dot: radius of a point, of the view's longest side.
    """
    inside, outside = view.marked(prompt.inside, dot), view.marked(prompt.outside, dot)
    if prompt.stroke is not None:
        inside |= view.drawn(prompt.stroke)
    return inside, outside & ~inside


def _with_border(near: View, guess: np.ndarray, prompt: Prompt) -> np.ndarray:
    """bool (h, w) of the view from nearby: the guess, but for a band along its border that is cut anew."""
    inside, outside = _seeds(near, prompt)
    band = max(2, round(_BAND * np.sqrt(np.count_nonzero(guess))))
    size = (2 * band + 1, 2 * band + 1)
    shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size)
    labels = np.where(guess, np.uint8(cv2.GC_PR_FGD), np.uint8(cv2.GC_PR_BGD))
    labels[cv2.erode(guess.view(np.uint8), shape) > 0] = cv2.GC_FGD
    labels[cv2.dilate(guess.view(np.uint8), shape) == 0] = cv2.GC_BGD
    labels[outside], labels[inside] = cv2.GC_BGD, cv2.GC_FGD
    found = guesses.cut(near.lab, labels, 2)
    if found is None or choice.iou(found, guess) < _AGREE:
        found = guess
    found = guesses.without_crumbs(guesses.without_pinholes(found), inside)
    return found | inside


def _differs(lab: np.ndarray) -> bool:
    smooth = cv2.blur(lab, (3, 3)).reshape(-1, 3)
    return bool((smooth.max(0).astype(int) - smooth.min(0)).max() >= _LEVELS)


def _around(box: tuple[int, int, int, int] | None, share: float, width: int, height: int) -> tuple[int, int, int, int]:
    """A box with some of what is around it; without a box the whole picture."""
    if box is None:
        return 0, 0, width, height
    more_x, more_y = max(8, int((box[2] - box[0]) * share)), max(8, int((box[3] - box[1]) * share))
    return max(0, box[0] - more_x), max(0, box[1] - more_y), min(width, box[2] + more_x), min(height, box[3] + more_y)
