"""The worker's reader: regions are read in threads of their own, and tellings go on meanwhile. No socket."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
import threading

import numpy as np

from dam_ros.core.describing import Piece
from dam_ros.engine.sayable import as_json
from dam_ros.readers import create, missing
from dam_ros.readers.running import Run
from dam_ros.readers.tesseract import Tesseract
from dam_ros.readers.words import Reading

NOTHING = 'I see no letters that I can read.'
_AT_ONCE = 2        # each takes a core
LIMIT_S = 15.0     # a busy picture takes 5 s with all its tries; what still runs then hangs


@dataclass(frozen=True)
class Sought:
    """A region that is to be read.

    Attributes:
        image: RGB uint8 (H, W, 3), upright; mask: bool (H, W), as upright.
        refined: bool, the mask as the camera sees it, if the segmenter made it.
        look_s: s, until it was found.
        part: of the answer; language, most_words: of the query.
    """

    image: np.ndarray
    mask: np.ndarray
    refined: np.ndarray | None
    look_s: float
    part: str
    language: str
    most_words: int


class Readings:
    """All that are under way, by job. The worker's thread calls everything but `stop_all`.

    Args:
        name, languages: the parameters reader and reader_languages.
        post: called in another thread when one has ended, with (job, what was read or what `read` raised).
    """

    def __init__(self, name: str, languages: str, post: Callable[[int, Reading | BaseException], None]):
        self._name, self._languages, self._post = name, languages, post
        self._under_way: dict[int, tuple[Sought, Run]] = {}
        self._reader: Tesseract | None = None   # from the first reading on: it may be installed at any time
        self._free = threading.Semaphore(_AT_ONCE)

    @property
    def trouble(self) -> str:
        """Why nothing can be read just now, '' = it can."""
        return missing(self._name)

    def begin(self, job: int, sought: Sought) -> None:
        """Raises Unsupported: there is no reader."""
        reader = self._reader = self._reader or create(self._name, self._languages)
        run = Run(LIMIT_S)
        self._under_way[job] = sought, run

        def work() -> None:
            with self._free:
                run.begin()
                try:
                    found = reader.read(sought.image, sought.mask, sought.language, run)
                except BaseException as error:   # noqa: B902  everything must become an answer
                    found = error
            self._post(job, found)

        threading.Thread(target=work, name='read', daemon=True).start()

    def answer(self, job: int, found: Reading | BaseException) -> Iterator[tuple[str, list, dict]]:
        """What the node is told, as (op, blobs, values); nothing where it was stopped. Raises what `read` raised."""
        if job not in self._under_way:
            return
        sought, _ = self._under_way.pop(job)
        if isinstance(found, BaseException):
            raise found
        refined = sought.refined is not None
        yield 'looked', [np.packbits(sought.refined)] if refined else [], {
            'look_s': sought.look_s, 'refined': refined, 'by': ('tesseract', found.model)}
        yield 'piece', [], {'part': sought.part, 'piece': as_json(piece_of(found, sought.most_words))}
        yield 'done', [], {}

    def stop(self, job: int) -> None:
        if job in self._under_way:
            self._under_way.pop(job)[1].stop()

    def stop_all(self) -> None:
        """In any thread: this process ends."""
        for _, run in list(self._under_way.values()):
            run.stop()


def piece_of(reading: Reading, most_words: int) -> Piece:
    """What was read as the one piece of a telling."""
    if not reading.text:
        return Piece(NOTHING, last=True, abstained=True, language='en')
    words = reading.text.split(' ')
    return Piece(' '.join(words[:most_words]), probability=reading.confidence, last=True,
                 truncated=len(words) > most_words, language=reading.language)
