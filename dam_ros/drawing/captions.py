"""A caption with a number, a title and a text: the forms it can be given. It does not know where captions go."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import math

import numpy as np

from dam_ros.drawing.lettering import shortened, width_of, wrap
from dam_ros.drawing.marks import Mark

PITCH, EDGE, INDENT = 1.75, 0.7, 2.5   # in letters: line to line, ground beyond the letters, column of the number
_WIDTHS = (22.0, 34.0, 14.0)           # in letters: lines of these lengths are tried, the one that reads best first
_SHARE, SHARE_OVER = 0.45, 0.18        # of the picture that all captions together may take, beside and over regions
_NARROWEST = 4.0                       # in letters: no text is broken into narrower lines


@dataclass(frozen=True)
class Line:
    """One line: (x, y) in px from the caption's upper left corner to its own lower left, on which letters stand."""

    text: str
    x: float
    y: float
    is_title: bool = False


@dataclass(frozen=True)
class Form:
    """A caption without a place, in px.

    Attributes:
        width, height: of its ground.
        number: (x, y), centre of the disc with the number.
        complete: nothing of the text was left out.
    """

    width: float
    height: float
    number: tuple[float, float]
    lines: tuple[Line, ...]
    complete: bool = True


@dataclass(frozen=True)
class Caption:
    """A form and the upper left corner of its ground, (left, top) in px.

    Attributes:
        covers: it lies on a region, its own or another; its ground lets more through.
    """

    form: Form
    left: float
    top: float
    covers: bool = False

    @property
    def box(self) -> tuple[float, float, float, float]:
        """left, top, width, height."""
        return self.left, self.top, self.form.width, self.form.height

    def lies_on(self, mask: np.ndarray) -> bool:
        """On any pixel of a bool (H, W) mask."""
        rows = slice(math.floor(self.top), math.ceil(self.top + self.form.height))
        columns = slice(math.floor(self.left), math.ceil(self.left + self.form.width))
        return bool(mask[rows, columns].any())


def forms(mark: Mark, letter_px: float, width_px: float, height_px: float, captions: int,
          share: float = _SHARE) -> Iterator[Form]:
    """The forms that a caption can take, best first. None for a mark without words, or where no line fits.

    Args:
        width_px, height_px: what a caption must fit into.
        captions: how many share the picture. Texts that are too long for that are shortened.
        share: of the picture that all of them may take, 0..1.
    """
    share_px = share * width_px * height_px / max(1, captions)
    for letters in _WIDTHS:
        text_px = min(letters * letter_px, width_px - (2 * EDGE + INDENT) * letter_px)
        if text_px > _NARROWEST * letter_px:
            yield from _forms(mark, letter_px, text_px, height_px, max(1, int(share_px / text_px / letter_px / PITCH)))


def short_forms(mark: Mark, letter_px: float, width_px: float, height_px: float) -> Iterator[Form]:
    """The same with few lines."""
    for most in (3, 2, 1):
        for letters in _WIDTHS:
            text_px = min(letters * letter_px, width_px - (2 * EDGE + INDENT) * letter_px)
            if text_px > _NARROWEST * letter_px:
                yield from _forms(mark, letter_px, text_px, height_px, most)


def _forms(mark: Mark, letter_px: float, text_px: float, height_px: float, most: int) -> Iterator[Form]:
    """The one form of that width, if it fits."""
    lines = [(one, True) for one in wrap(mark.title, text_px, letter_px)]
    lines += [(one, False) for one in wrap(mark.text, text_px, letter_px)]
    most = min(most, math.floor((height_px / letter_px - 2 * EDGE - 1.2) / PITCH) + 1)
    if lines and most > 0:
        yield _form(lines, most, text_px, letter_px)


def _form(lines: list[tuple[str, bool]], most: int, text_px: float, letter_px: float) -> Form:
    texts = shortened([one for one, _ in lines], most, text_px, letter_px)
    left, first = (EDGE + INDENT) * letter_px, (EDGE + 1) * letter_px
    placed = tuple(Line(text, left, first + at * PITCH * letter_px, lines[at][1]) for at, text in enumerate(texts))
    return Form(width=left + max(width_of(one, letter_px) for one in texts) + EDGE * letter_px,
                height=first + ((len(texts) - 1) * PITCH + EDGE + 0.2) * letter_px,
                number=((EDGE + 0.85) * letter_px, (EDGE + 0.5) * letter_px), lines=placed,
                complete=len(lines) <= most)
