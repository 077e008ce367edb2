"""Texts as OpenCV's letters, which are ASCII: what can be written, how it breaks into lines, and writing it.

A letter's size is the height of its capitals in px. It does not know what is written.
"""
from __future__ import annotations

import unicodedata

import cv2
import numpy as np

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_PX = 22.0      # height of a capital letter at scale 1, thickness 1, measured with getTextSize
_BELOW = 0.5         # how far a 'g' goes below the line, in capitals
_FINE_PX = 40.0      # smooth letters are drawn at least this high, and then made smaller
_NEAREST = str.maketrans({'\u2018': "'", '\u2019': "'", '\u201c': '"', '\u201d': '"', '\u2013': '-', '\u2014': '-',
                          '\u00df': 'ss', '\u00e6': 'ae', '\u00f8': 'o', '\u0142': 'l', '\u2026': '...',
                          '\u00b0': ' deg'})


def to_ascii(text: str) -> str:
    """What can be drawn of a text: nearest ASCII letters, '?' for the rest, one line."""
    plain = unicodedata.normalize('NFKD', text.translate(_NEAREST))
    plain = ''.join(one for one in plain if not unicodedata.combining(one))
    return ' '.join(''.join(one if ' ' <= one <= '~' else ' ' if one.isspace() else '?' for one in plain).split())


def wrap(text: str, width_px: float, letter_px: float) -> list[str]:
    """Lines of a text that are at most `width_px` wide; a word that is longer is broken."""
    lines, line = [], ''
    for word in to_ascii(text).split():
        while True:
            longer = f'{line} {word}' if line else word
            if width_of(longer, letter_px) <= width_px:
                line = longer
                break
            if line:
                lines.append(line)
                line = ''
                continue
            keep = next((n for n in range(len(word) - 1, 0, -1) if width_of(word[:n], letter_px) <= width_px), 1)
            if keep >= len(word):
                line = word
                break
            lines.append(word[:keep])
            word = word[keep:]
    return lines + ([line] if line else [])


def shortened(lines: list[str], most: int, width_px: float, letter_px: float) -> list[str]:
    """At most so many of the lines, the last of them ending in '...' where something is left out."""
    if len(lines) <= most:
        return lines
    kept, last = lines[:max(0, most - 1)], lines[max(0, most - 1)] if most else ''
    while last and width_of(last + '...', letter_px) > width_px:
        last = last.rpartition(' ')[0] or last[:-1]   # by words, of a single word by letters
    return kept + ([last.rstrip(' ,;:.') + '...'] if most else [])


def width_of(text: str, letter_px: float) -> float:
    """px, with the letters bold."""
    return cv2.getTextSize(text, _FONT, letter_px / _FONT_PX, max(1, round(letter_px / 7)))[0][0]


def write(canvas: np.ndarray, text: str, x: float, y: float, letter_px: float, colour: tuple,
          bold: bool = False) -> None:
    """Writes onto RGB uint8 (H, W, 3), the first letter's lower left corner at (x, y) px."""
    thickness = max(1, round(letter_px / (7 if bold else 11)))
    cv2.putText(canvas, text, (round(x), round(y)), _FONT, letter_px / _FONT_PX, colour, thickness, cv2.LINE_AA)


def smooth(text: str, letter_px: float, bold: bool = False) -> np.ndarray:
    """How far each pixel belongs to a letter, uint8 (1.5 letters and some, W): legible where `write` is not.

    OpenCV's lines are whole pixels thick, too fat for letters of 8 px. The line that the letters stand on is
    `baseline_of(letter_px)` px from the top.
    """
    fine = max(1, int(np.ceil(_FINE_PX / letter_px)))
    size, thickness = letter_px * fine, max(1, round(letter_px * fine / (6.2 if bold else 8.2)))
    width = int(np.ceil(width_of(text, letter_px))) + 2
    height = baseline_of(letter_px) + int(np.ceil(_BELOW * letter_px)) + 1
    drawn = np.zeros((height * fine, width * fine), np.uint8)
    cv2.putText(drawn, text, (fine, baseline_of(letter_px) * fine), _FONT, size / _FONT_PX, 255, thickness, cv2.LINE_AA)
    return drawn if fine == 1 else cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA)


def baseline_of(letter_px: float) -> int:
    """px from the top of what `smooth` gives to the line that the letters stand on."""
    return int(np.ceil(1.2 * letter_px)) + 1
