"""Readers of letters by name. They answer requests with detail READ, as a model that describes invents letters."""
from __future__ import annotations

import shutil

from dam_ros.core.errors import DescriberFailed, Unsupported, complaint
from dam_ros.readers.tesseract import INSTALL, Tesseract

NAMES = ('auto', 'tesseract', 'none')


def create(name: str, languages: str = '') -> Tesseract:
    """A reader. Whether its program works shows when it reads.

    Args:
        languages: its own names of languages such as 'deu+eng', '' = by the request.

    Raises:
        Unsupported: there is none; the message says what to do.
        DescriberFailed: no name of a reader.
    """
    if name not in NAMES:
        raise DescriberFailed(complaint('reader', name, ', '.join(NAMES)))
    remedy = missing(name)
    if remedy:
        raise Unsupported(complaint('detail', 'READ', 'NORMAL, BRIEF or FULL, as there is no reader here', remedy))
    return Tesseract(shutil.which('tesseract'), languages)


def missing(name: str) -> str:
    """Why there is no reader of this name and what to do, '' = there is one."""
    if name == 'none':
        return 'The parameter reader is none; tesseract reads'
    return '' if shutil.which('tesseract') else f'Reading needs tesseract, which is not installed: {INSTALL}'
