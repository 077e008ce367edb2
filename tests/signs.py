"""Signs with real letters, plain, tilted, noisy and in photographs; how much of them was read. Needs Pillow.

    ./dev run python tests/signs.py        prints the tables of docs/reading.md (two minutes)
"""
from __future__ import annotations

from pathlib import Path
import sys
import time

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dam_ros.readers import create
from dam_ros.readers.running import Run

PHOTOS = Path(__file__).resolve().parent.parent / 'examples' / 'photos'
TEXTS = ('EXIT', 'Platform 7', 'Push to open', 'Coffee & tea\nfrom 8 to 18 h', 'Room 204\nDr. Miller\nPlease knock',
         'Wet floor', 'Gluten free oats\nBest before 12/2027')
BLACK, WHITE, BLUE, YELLOW, CREAM = (20, 20, 20), (250, 250, 250), (30, 60, 140), (220, 190, 40), (230, 230, 225)
_FINER = 3   # drawn so much larger first, then made small as a camera does


def sign(text: str, letter_px: float, ink: tuple = BLACK, paper: tuple = CREAM) -> np.ndarray:
    """RGB uint8 (H, W, 3). Args: letter_px: height of a capital letter."""
    font = ImageFont.load_default(round(letter_px * _FINER / 0.72))   # Aileron: capitals have 0.72 of its size
    space = round(letter_px * _FINER * 0.9)
    left, top, right, bottom = ImageDraw.Draw(Image.new('RGB', (8, 8))).multiline_textbbox(
        (0, 0), text, font=font, spacing=space / 2)
    size = round(right - left + 2 * space), round(bottom - top + 2 * space)
    drawn = Image.new('RGB', size, paper)
    ImageDraw.Draw(drawn).multiline_text((space - left, space - top), text, ink, font=font, spacing=space / 2)
    return cv2.resize(np.asarray(drawn), None, fx=1 / _FINER, fy=1 / _FINER, interpolation=cv2.INTER_AREA)


def photo(name: str, width: int = 1280, height: int = 960) -> np.ndarray:
    pixels = cv2.cvtColor(cv2.imread(str(PHOTOS / f'{name}.jpg')), cv2.COLOR_BGR2RGB)
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


def put(sign: np.ndarray, background: np.ndarray, degrees: float = 0.0, noise: float = 0.0, board: bool = True,
        at: tuple[float, float] = (0.5, 0.5)) -> tuple[np.ndarray, np.ndarray]:
    """(RGB uint8 (H, W, 3), bool (H, W)): a picture with the sign in it, and where it is.

    Args:
        noise: standard deviation, of 255.
        board: false leaves the letters only, as white ones straight on the background.
        at: its middle, as fractions of width and height.
    """
    height, width = background.shape[:2]
    turn = cv2.getRotationMatrix2D((sign.shape[1] / 2, sign.shape[0] / 2), degrees, 1.0)
    turn[:, 2] += at[0] * width - sign.shape[1] / 2, at[1] * height - sign.shape[0] / 2
    turned = cv2.warpAffine(sign, turn, (width, height), flags=cv2.INTER_AREA).astype(float)
    inside = cv2.warpAffine(np.full(sign.shape[:2], 255, np.uint8), turn, (width, height))[..., None] / 255
    over = inside if board else inside * (1 - turned.mean(axis=2, keepdims=True) / 255)
    picture = background * (1 - over) + (turned if board else 255.0) * over
    picture += np.random.default_rng(1).normal(0, noise, picture.shape) if noise else 0
    return np.clip(picture, 0, 255).astype(np.uint8), inside[..., 0] > 0.5


def accuracy(wanted: str, found: str) -> float:
    """0..1: the share of characters that are right, 1 - edits / length; white space counts as one blank."""
    wanted, found = ' '.join(wanted.split()), ' '.join(found.split())
    row = list(range(len(found) + 1))
    for index, one in enumerate(wanted, 1):
        last, row[0] = row[0], index
        for place, other in enumerate(found, 1):
            last, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, last + (one != other))
    return max(0.0, 1 - row[-1] / len(wanted))


PLAIN = np.full((960, 1280, 3), 200, np.uint8)
WAYS = {
    'plain': lambda text, px: put(sign(text, px), PLAIN),
    'tilted 5 degrees': lambda text, px: put(sign(text, px), PLAIN, 5.0),
    'tilted 12 degrees': lambda text, px: put(sign(text, px), PLAIN, -12.0),
    'noise 12': lambda text, px: put(sign(text, px), PLAIN, noise=12.0),
    'white on blue': lambda text, px: put(sign(text, px, WHITE, BLUE), photo('skyline'), 2.0),
    'on a photograph': lambda text, px: put(sign(text, px, BLACK, YELLOW), photo('coffee'), -3.0, 5.0),
    'no board': lambda text, px: put(sign(text, px, (0, 0, 0), (255, 255, 255)), photo('courtyard'), board=False),
}


def _read(image: np.ndarray, mask: np.ndarray) -> str:
    return create('auto').read(image, mask, 'en', Run(60.0)).text


def main() -> None:
    sizes, took = (6, 8, 10, 12, 16, 24, 48), []
    print('| capitals, px |', *(f'{one} |' for one in sizes))
    print('|---|' + '---|' * len(sizes))
    for name, way in WAYS.items():
        found = []
        for px in sizes:
            begun = time.monotonic()
            found.append(np.mean([accuracy(text, _read(*way(text, px))) for text in TEXTS]))
            took.append((time.monotonic() - begun) / len(TEXTS))
        print(f'| {name} |', *(f'{one:.2f} |' for one in found), flush=True)
    print(f'\n{np.median(took):.2f} s each, median')
    empty = [_read(photo(path.stem), np.ones((960, 1280), bool)) for path in sorted(PHOTOS.glob('*.jpg'))]
    print(f'{sum(map(bool, empty))} of {len(empty)} photographs without letters: {list(filter(None, empty))}')


if __name__ == '__main__':
    sys.exit(main())
