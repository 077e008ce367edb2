"""dam-describe --detail read: the letters in a region, by the reader and not by a describer."""
from __future__ import annotations

import argparse
from types import SimpleNamespace

from dam_ros.core.answering import READ_PART, Answer
from dam_ros.core.describing import Query
from dam_ros.core.errors import invalid
from dam_ros.engine.reading import LIMIT_S, piece_of
from dam_ros.readers import create
from dam_ros.readers.running import Run


def read(asked: argparse.Namespace, pictures: list, query: Query) -> tuple[Answer, SimpleNamespace]:
    """(answer, `name` and `model` of the reader). Args: pictures: as of `cli_pictures`.

    Raises:
        InvalidRequest: more than one picture.
        Unsupported: there is no reader, or none for the language.
        DescriberFailed: its program fails.
    """
    if len(pictures) > 1:
        raise invalid('--detail', 'read', 'one IMAGE with it', 'A single picture is read')
    image, mask = pictures[0].pair()
    found = create('auto', asked.reader_languages).read(image, mask, query.language, Run(LIMIT_S))
    answer = Answer()
    answer.add(READ_PART, piece_of(found, query.max_tokens))
    return answer, SimpleNamespace(name='tesseract', model=found.model)
