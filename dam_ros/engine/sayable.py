"""What a describer brings, checked, and as plain values that can be sent to the node. It knows no job and no socket."""
from __future__ import annotations

import math
import traceback

from dam_ros.core.describing import Describer, Piece, Telling
from dam_ros.core.errors import DescriberFailed, Failure, OutOfMemory, complaint


def traits(describer: Describer) -> dict:
    """What it says of itself. Raises DescriberFailed for what is no describer: they are also brought by users."""
    said = {}
    for name, kind in (('name', str), ('model', str), ('languages', (tuple, list)), ('capacity', int),
                       ('max_pictures', int)):
        value = getattr(describer, name, None)
        if not isinstance(value, kind):
            raise DescriberFailed(complaint(f'{name} of {type(describer).__name__}', value, 'what core/describing.py '
                                            'says of a Describer', 'It is no describer'))
        said[name] = _plain_text(value) if kind is str else value
    weights = getattr(describer, 'weights_bytes', 0)   # for diagnostics; not everybody says it
    said['weights_bytes'] = weights if isinstance(weights, int) else 0
    return {**said, 'languages': [_plain_text(str(one)) for one in said['languages']]}


def checked(pieces) -> list[tuple[Telling, Piece]]:
    """Raises DescriberFailed for what is no list of pieces: describers are also brought by users."""
    for _, piece in pieces:
        if not isinstance(piece, Piece) or not isinstance(piece.text, str):
            raise DescriberFailed(f'the describer gave {type(piece).__name__} instead of a Piece of text')
    return pieces


def as_json(piece: Piece) -> dict:
    return {'text': _plain_text(piece.text), 'token_ids': [int(one) for one in piece.token_ids],
            'probability': None if math.isnan(piece.probability) else float(piece.probability),
            'ends_word': bool(piece.ends_word), 'last': bool(piece.last), 'truncated': bool(piece.truncated),
            'abstained': bool(piece.abstained), 'language': _plain_text(str(piece.language or '')),
            'facts': piece.facts}


def _plain_text(text: str) -> str:
    """ROS strings are UTF-8 without NUL."""
    return text.encode('utf-8', 'replace').decode().replace('\x00', '')


def as_failure(error: BaseException) -> dict:
    """Code, message and retry_after_s of anything that was raised; the traceback of bugs goes to stderr."""
    if isinstance(error, Failure):
        failure = error
    elif isinstance(error, MemoryError) or type(error).__name__ == 'OutOfMemoryError':   # torch's, without torch
        failure = OutOfMemory(f'the describer ran out of memory ({error}); use smaller weights or fewer regions at '
                              'once')
    else:
        traceback.print_exception(error)
        failure = DescriberFailed(f'the describer failed: {type(error).__name__}: {error}')
    return {'code': failure.code, 'message': _plain_text(failure.message), 'retry_after_s': failure.retry_after_s}
