"""tesseract as a reader: a picture by stdin, words with confidences as tab-separated values by stdout. No ROS.

Tries are made from the likeliest to the least likely, until one is good. What each is worth is in docs/reading.md.
"""
from __future__ import annotations

from collections.abc import Iterator
import math

import cv2
import numpy as np

from dam_ros.core.errors import DescriberFailed, Unsupported, complaint
from dam_ros.readers.languages import name_of, package_of, tag_of
from dam_ros.readers.legible import sheet
from dam_ros.readers.running import Run
from dam_ros.readers.words import Reading, Word, confidence_of, legible, text_of

INSTALL = 'sudo apt-get install tesseract-ocr'
# Letters that are there are read with 0.9 and more; what leaves and stones are taken for has 0.6 to 0.86: see
# docs/reading.md.
LEAST = 0.6           # confidence of a word that counts
LEAST_MEAN = 0.85     # of all words together; below it nothing is legible
LEAST_SHORT = 0.93    # the same where no more than two letters were found
_LETTER_PX = 28   # height of letters that tesseract reads best
_BLOCK, _PAGE, _SPARSE = 6, 3, 11   # --psm: one block of text; look for columns; anything anywhere
_FIELDS = 12      # of a row
_WORD_ROW = '5'   # level


class Tesseract:
    """One program; each reading starts it a few times.

    Args:
        program: its path.
        languages: its own names such as 'deu+eng', '' = by the request.
    """

    name = 'tesseract'

    def __init__(self, program: str, languages: str = ''):
        self._program, self._languages = program, languages
        self._version, self._there = '', []   # asked once; again where data seem to be missing

    def read(self, image: np.ndarray, mask: np.ndarray, language: str, run: Run) -> Reading:
        """What is written in a region.

        Args:
            image: RGB uint8 (H, W, 3), upright.
            mask: bool (H, W), at least one pixel set.
            language: BCP 47.

        Raises:
            Unsupported: it has no data for the language; the message says how to get them.
            DescriberFailed: the program fails.
            Cancelled: the run was stopped.
        """
        names = self._checked(self._languages or name_of(language or 'en'), run)
        tag = tag_of(names) if self._languages else language or 'en'   # of several it is ''
        tries = (legible(self._words(picture, mode, names, run), LEAST) for picture, mode in _tries(image, mask))
        words = next((one for one in tries if _convincing(one)), [])
        return Reading(text_of(words), confidence_of(words), tag, f'{self._version} {names}'.strip())

    def _checked(self, names: str, run: Run) -> str:
        """The names of languages it will get. Raises Unsupported where data are missing."""
        if not self._version:
            first = run.output_of([self._program, '--version']).decode(errors='replace').split()
            self._version = first[1] if len(first) > 1 else ''
        missing = self._missing(names, run)
        if missing:
            field = 'reader_languages' if self._languages else 'language'
            known = ', '.join(self._there if self._languages else filter(None, map(tag_of, self._there)))
            value = names if self._languages else tag_of(missing[0]) or missing[0]
            raise Unsupported(complaint(field, value, f'what tesseract has here for reading: {known}',
                                        f'sudo apt-get install {package_of(missing[0])}'))
        return names

    def _missing(self, names: str, run: Run) -> list[str]:
        wanted = names.split('+')
        if not set(wanted) <= set(self._there):
            lines = run.output_of([self._program, '--list-langs']).decode(errors='replace').splitlines()
            self._there = [one for line in lines[1:] if (one := line.strip()) and one != 'osd']
        return [one for one in wanted if one not in self._there]

    def _words(self, grey: np.ndarray, mode: int, names: str, run: Run) -> list[Word]:
        _, png = cv2.imencode('.png', grey, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        command = [self._program, 'stdin', 'stdout', '-l', names, '--psm', str(mode), '--dpi', '300', 'tsv']
        return parsed(run.output_of(command, png.tobytes()))


def _convincing(words: list[Word]) -> bool:
    least = LEAST_SHORT if sum(one.letters for one in words) <= 2 else LEAST_MEAN
    return bool(words) and confidence_of(words) >= least


def _tries(image: np.ndarray, mask: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
    """(grey, page segmentation mode), made only when it is their turn."""
    made = sheet(image, mask)
    yield made.at(_LETTER_PX), _BLOCK
    yield made.at(_LETTER_PX), _SPARSE
    yield made.scaled(1.0 if made.letter_px > _LETTER_PX / 2 else 3.0), _PAGE


def parsed(written: bytes) -> list[Word]:
    """The words of its table. Raises DescriberFailed for anything else."""
    head, *rows = written.decode(errors='replace').splitlines() or ['']
    if head.split('\t')[:1] != ['level']:
        raise DescriberFailed(complaint('output of tesseract', head, 'its table of words (tsv)', 'Is it tesseract 4 or '
                                        f'newer? {INSTALL}'))
    words = []
    for row in rows:
        fields = row.split('\t')
        if len(fields) == _FIELDS and fields[0] == _WORD_ROW and fields[11].strip():
            words.append(_word(fields))
    return words


def _word(fields: list[str]) -> Word:
    try:
        block, paragraph, line = (int(one) for one in fields[2:5])
        height_px, confidence = int(fields[9]), float(fields[10]) / 100
    except ValueError as error:
        raise DescriberFailed(f'the table of words that tesseract wrote has no numbers: {error}') from error
    if not math.isfinite(confidence):
        raise DescriberFailed(f'the table of words that tesseract wrote has a confidence of {fields[10]}')
    return Word(fields[11].strip(), (block, paragraph, line), min(1.0, max(0.0, confidence)), height_px)
