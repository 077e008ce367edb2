"""The process that owns describer and segmenter: takes tellings in, steps, sends pieces out.

    python -m dam_ros.engine.worker FD

FD is one end of a socket pair; `wire` is the framing. Messages in: `load` (once), `describe`, `stop`. Messages out:
`ready` or `unloadable`; per telling `taken`, `looked`, `piece`..., and one of `done`, `failed`, `stopped`. It never
imports rclpy and ends when the node does.
"""
from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
import math
import os
import queue
import signal
import socket
import sys
import threading
import time
import traceback

import numpy as np

from dam_ros import describers, segmenters
from dam_ros.core.describing import Describer, Look, Piece, Query, Subject, Telling
from dam_ros.core.errors import DescriberFailed, Failure, OutOfMemory, SegmenterFailed, Unsupported, complaint
from dam_ros.engine import wire
from dam_ros.engine.looks import Looks

_EXIT_LOST_NODE, _EXIT_BROKEN = 0, 3


@dataclass
class Job:
    """One region being told about, part after part (`core.answering.tellings_for`)."""

    number: int
    look: Look
    refined: np.ndarray | None   # the mask the segmenter made, if it made one
    look_s: float                # until the describer gave the look; 0 = an old look is used
    parts: deque[tuple[str, Query]]
    part: str = ''
    telling: Telling | None = field(default=None)
    looked: bool = False         # the node knows that the look is done


class Worker:
    """The loop: admit, step, deliver."""

    def __init__(self, connection: socket.socket):
        self._connection = connection
        self._inbox: queue.Queue = queue.Queue()
        self._jobs: dict[int, Job] = {}
        self._describer: Describer | None = None

    def run(self) -> None:
        """Until the node has gone."""
        threading.Thread(target=self._listen, daemon=True).start()
        order, _ = self._inbox.get()
        self._box_fallback = order['box_fallback']
        if not self._load(order):
            threading.Event().wait()   # nothing more to do; the node ends us
        self._looks = Looks(order['looks'])
        while True:
            self._admit()
            self._deliver()

    def _listen(self) -> None:
        """In a thread of its own, so that `stop` and the end of the node are seen while a step runs."""
        try:
            while (received := wire.receive(self._connection)) is not None:
                self._inbox.put(received)
        except (OSError, wire.WireError):
            pass
        os._exit(_EXIT_LOST_NODE)

    def _load(self, order: dict) -> bool:
        begun = time.monotonic()
        try:
            self._segmenter = segmenters.create(order['segmenter'])
            self._describer = describers.create(order['describer'], order['options'])
            traits = _traits(self._describer)
        except BaseException as error:   # noqa: B902  a user's factory may raise anything, SystemExit too
            self._send('unloadable', **_as_failure(error))
            return False
        self._send('ready', **traits, load_s=time.monotonic() - begun)
        return True

    def _admit(self) -> None:
        """Takes what has come; waits for it only where nothing runs. Stops go before what is still to be looked at."""
        waiting: deque[tuple[dict, list]] = deque()
        block = not self._jobs
        while True:
            while block or not self._inbox.empty():
                order, blobs = self._inbox.get()
                block = False
                if order['op'] == 'describe':
                    waiting.append((order, blobs))
                elif order['op'] == 'stop':
                    waiting = deque(one for one in waiting if one[0]['job'] != order['job'])
                    self._stop(order['job'])
            if not waiting:
                return
            self._describe(*waiting.popleft())

    def _describe(self, order: dict, blobs: list) -> None:
        number = order['job']
        self._send('taken', job=number)
        try:
            parts = deque((part, Query(**query)) for part, query in order['parts'])
            job = Job(number, *self._look(order, blobs), parts)
            self._jobs[number] = job
            self._tell_looked(job)
            self._begin_next(job)
        except BaseException as error:   # noqa: B902
            self._jobs.pop(number, None)
            self._fail([number], error)

    def _look(self, order: dict, blobs: list) -> tuple[Look, np.ndarray | None, float]:
        """(the look, the mask the segmenter made if it made one, seconds; 0 = an old look was used)."""
        kept = self._looks.take(order['look'])
        if kept is not None:
            return kept, None, 0.0
        begun = time.monotonic()
        pictures = []
        for index, (height, width) in enumerate(order['sizes']):
            image = np.frombuffer(blobs[2 * index], np.uint8).reshape(height, width, 3)
            mask = np.frombuffer(blobs[2 * index + 1], np.uint8).reshape(height, width).astype(bool)
            pictures.append((image, mask))
        refined = None
        if order['box']:
            refined = self._cut_out(pictures[-1][0], tuple(order['box']))
            pictures[-1] = (pictures[-1][0], refined)
        if len(pictures) > self._describer.max_pictures:
            raise Unsupported(complaint('clip_s', f'{len(pictures)} pictures', 'at most '
                                        f'{self._describer.max_pictures} for {self._describer.name}'))
        look = self._describer.look([Subject(tuple(pictures))])[0]
        self._looks.keep(order['look'], look, [job.look for job in self._jobs.values()])
        return look, refined, time.monotonic() - begun

    def _cut_out(self, image: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
        try:
            return self._segmenter.cut_out(image, box)
        except MemoryError:
            raise
        except Exception as error:   # noqa: B902
            if self._box_fallback:
                mask = np.zeros(image.shape[:2], bool)
                mask[box[1]:box[3], box[0]:box[2]] = True
                return mask
            if isinstance(error, Failure):
                raise
            raise SegmenterFailed(f'segmenter {self._segmenter.name}: {type(error).__name__}: {error}') from error

    def _tell_looked(self, job: Job) -> None:
        """Once, as soon as the look is done."""
        if job.looked or not getattr(job.look, 'ready', True):
            return
        job.looked = True
        look_s = job.look_s + getattr(job.look, 'later_s', 0.0) if job.look_s else 0.0
        blobs = [np.packbits(job.refined)] if job.refined is not None else []
        self._send('looked', blobs=blobs, job=job.number, look_s=look_s, refined=job.refined is not None)

    def _begin_next(self, job: Job) -> None:
        """What is wrong with this telling ends this job alone."""
        job.part, query = job.parts.popleft()
        try:
            job.telling = self._describer.begin(job.look, query)
        except BaseException as error:   # noqa: B902
            del self._jobs[job.number]
            self._fail([job.number], error)

    def _deliver(self) -> None:
        """One step; what it raises ends everything that runs, as nobody knows what state is left."""
        if not self._jobs:
            return
        owners = {id(job.telling): job for job in self._jobs.values()}
        try:
            pieces = _checked(self._describer.step())
            for job in self._jobs.values():
                self._tell_looked(job)
            for telling, piece in pieces:
                job = owners.get(id(telling))
                if job is not None and job.number in self._jobs:
                    self._send_piece(job, piece)
        except BaseException as error:   # noqa: B902
            for job in self._jobs.values():
                job.telling.stop()
            numbers = list(self._jobs)
            self._jobs.clear()
            self._looks.drop([])
            self._fail(numbers, error)

    def _send_piece(self, job: Job, piece: Piece) -> None:
        if piece.failure is not None:
            del self._jobs[job.number]
            self._fail([job.number], piece.failure)
            return
        self._send('piece', job=job.number, part=job.part, piece=_as_json(piece))
        if not piece.last:
            return
        if job.parts:
            self._begin_next(job)
            return
        del self._jobs[job.number]
        self._send('done', job=job.number)

    def _stop(self, number: int) -> None:
        job = self._jobs.pop(number, None)
        if job is not None:
            job.telling.stop()
        self._send('stopped', job=number)

    def _fail(self, numbers: list[int], error: BaseException) -> None:
        answer = _as_failure(error)
        if answer['code'] == OutOfMemory.code:
            self._looks.drop([job.look for job in self._jobs.values()])
        for number in numbers:
            self._send('failed', job=number, **answer)
        if type(error).__name__ == 'AcceleratorError' or str(error).startswith('CUDA error'):
            os._exit(_EXIT_BROKEN)   # nothing works in this process any more; the node starts another

    def _send(self, op: str, blobs=(), **values) -> None:
        wire.send(self._connection, {'op': op, **values}, blobs)


def _traits(describer: Describer) -> dict:
    """What it says of itself. Raises DescriberFailed for what is no describer: they are also brought by users."""
    traits = {}
    for name, kind in (('name', str), ('model', str), ('languages', (tuple, list)), ('capacity', int),
                       ('max_pictures', int)):
        value = getattr(describer, name, None)
        if not isinstance(value, kind):
            raise DescriberFailed(complaint(f'{name} of {type(describer).__name__}', value, 'what core/describing.py '
                                            'says of a Describer', 'It is no describer'))
        traits[name] = _plain_text(value) if kind is str else value
    return {**traits, 'languages': [_plain_text(str(one)) for one in traits['languages']]}


def _checked(pieces) -> list[tuple[Telling, Piece]]:
    """Raises DescriberFailed for what is no list of pieces: describers are also brought by users."""
    for _, piece in pieces:
        if not isinstance(piece, Piece) or not isinstance(piece.text, str):
            raise DescriberFailed(f'the describer gave {type(piece).__name__} instead of a Piece of text')
    return pieces


def _as_json(piece: Piece) -> dict:
    return {'text': _plain_text(piece.text), 'token_ids': [int(one) for one in piece.token_ids],
            'probability': None if math.isnan(piece.probability) else float(piece.probability),
            'last': bool(piece.last), 'truncated': bool(piece.truncated), 'abstained': bool(piece.abstained),
            'language': _plain_text(str(piece.language or '')), 'facts': piece.facts}


def _plain_text(text: str) -> str:
    """ROS strings are UTF-8 without NUL."""
    return text.encode('utf-8', 'replace').decode().replace('\x00', '')


def _as_failure(error: BaseException) -> dict:
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


def main() -> None:
    os.dup2(2, 1)   # what libraries print belongs to the log
    for number in (signal.SIGINT, signal.SIGTERM):   # often sent to the whole group; they are for the node: it ends us
        signal.signal(number, signal.SIG_IGN)
    Worker(socket.socket(fileno=int(sys.argv[1]))).run()


if __name__ == '__main__':
    main()
