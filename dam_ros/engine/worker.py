"""The process that owns describer and segmenter: takes tellings in, steps, sends pieces out.

    python -m dam_ros.engine.worker FD

FD is one end of a socket pair; `wire` is the framing. Messages in: `load` (once); per request `picture`..., `forget`;
per telling `describe`, `stop`. Messages out: `ready` or `unloadable`; per telling `taken`, `looked`, `piece`..., and
one of `done`, `failed`, `stopped`; where what is kept has changed, `looks`. What is to be read goes to the reader and
not to the describer; it looks the same from outside.
It never imports rclpy and ends when the node does.
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

import numpy as np

from dam_ros import describers
from dam_ros.core.describing import READ, Describer, Look, Piece, Query, Subject, Telling
from dam_ros.core.errors import OutOfMemory, Unsupported, complaint
from dam_ros.core.memory import keep_room
from dam_ros.engine import wire
from dam_ros.engine.cutting import Cutter
from dam_ros.engine.looks import Looks
from dam_ros.engine.pictures import Pictures
from dam_ros.engine.reading import Readings, Sought
from dam_ros.engine.sayable import as_failure, as_json, checked, traits
from dam_ros.readers.words import Reading

_EXIT_LOST_NODE, _EXIT_BROKEN = 0, 3
_LOOKS_S = 0.3   # from a change of the looks to the message about it


@dataclass
class Job:
    """One region being told about, part after part (`core.answering.tellings_for`)."""

    number: int
    name: str   # of the look
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
        self._readings: Readings | None = None
        self._told, self._tell_s = (0, 0), math.inf   # of the looks, and when to tell again

    def run(self) -> None:
        """Until the node has gone."""
        threading.Thread(target=self._listen, daemon=True).start()
        order, _ = self._inbox.get()
        if not self._load(order):
            threading.Event().wait()   # nothing more to do; the node ends us
        self._looks = Looks(order['looks'], order['looks_mb'] * 1e6)
        keep_room()
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
        if self._readings is not None:
            self._readings.stop_all()
        os._exit(_EXIT_LOST_NODE)

    def _load(self, order: dict) -> bool:
        begun = time.monotonic()
        try:
            self._cutter = Cutter(**order['cutter'])
            self._pictures = Pictures(self._cutter)
            self._readings = Readings(**order['reader'], post=lambda job, found: self._inbox.put(
                ({'op': 'read', 'job': job}, [found])))
            self._describer = describers.create(order['describer'], order['options'])
            said = traits(self._describer)
        except BaseException as error:   # noqa: B902  a user's factory may raise anything, SystemExit too
            self._send('unloadable', **as_failure(error))
            return False
        self._send('ready', **said, load_s=time.monotonic() - begun, segmenter=self._cutter.name,
                   segmenter_trouble=self._cutter.trouble, follows=self._cutter.follows,
                   reader_trouble=self._readings.trouble)
        return True

    def _admit(self) -> None:
        """Takes what has come; waits for it only where nothing runs.

        Stops go before what is still to be looked at, and what is urgent before what is not.
        """
        waiting: list[tuple[dict, list]] = []
        block = not self._jobs
        while True:
            while (received := self._next_order(block)) is not None:
                block = False
                order, blobs = received
                if order['op'] == 'describe':
                    waiting.append(received)
                elif order['op'] == 'picture':
                    self._pictures.take(order, blobs[0], order['early'] and not self._jobs and not waiting)
                elif order['op'] == 'forget':
                    self._pictures.forget(order['request'])
                elif order['op'] == 'read':
                    self._tell_read(order['job'], *blobs)
                elif order['op'] == 'stop':
                    waiting = [one for one in waiting if one[0]['job'] != order['job']]
                    self._stop(order['job'])
            if not waiting:
                return
            urgent = next((index for index, (order, _) in enumerate(waiting) if order['urgent']), 0)
            self._describe(*waiting.pop(urgent))

    def _next_order(self, block: bool) -> tuple[dict, list] | None:
        """None where there is none and `block` is false."""
        while True:
            pause_s = self._tell_looks()
            try:
                return self._inbox.get(block, pause_s)
            except queue.Empty:
                if not block:
                    return None

    def _tell_looks(self) -> float | None:
        """Says how many looks there are, a while after that has changed; s until then, None where it is known."""
        size, now = self._looks.size, time.monotonic()
        if size != self._told:   # what was just looked at is told about first
            self._tell_s = min(self._tell_s, now + _LOOKS_S)
        if now < self._tell_s:
            return self._tell_s - now if math.isfinite(self._tell_s) else None
        self._told, self._tell_s = size, math.inf
        self._send('looks', job=0, count=size[0], bytes=size[1])
        return None

    def _describe(self, order: dict, blobs: list) -> None:
        number = order['job']
        self._send('taken', job=number)
        try:
            if order['parts'][0][1]['detail'] == READ:
                self._begin_reading(order, blobs)
                return
            parts = deque((part, Query(**{**query, 'urgent': order['urgent']})) for part, query in order['parts'])
            job = Job(number, order['look'], *self._look(order, blobs), parts)
            self._jobs[number] = job
            self._tell_looked(job)
            self._looks.bound(one.look for one in self._jobs.values())
            self._begin_next(job)
        except BaseException as error:   # noqa: B902
            self._jobs.pop(number, None)
            self._fail([number], error)

    def _look(self, order: dict, blobs: list) -> tuple[Look, np.ndarray | None, float]:
        """(the look, the mask the segmenter made if it made one, seconds; 0 = an old look was used)."""
        kept = self._looks.take(order['look'])
        if kept is not None:
            return kept, None, 0.0
        shown = self._pictures.of(order)
        begun = time.monotonic()
        pictures, refined = self._pictures.clip(shown, order, blobs)
        if len(pictures) > self._describer.max_pictures:
            raise Unsupported(complaint('clip_s', f'{len(pictures)} pictures', 'at most '
                                        f'{self._describer.max_pictures} for {self._describer.name}'))
        look = self._describer.look([Subject(tuple(pictures))])[0]
        self._looks.keep(order['look'], look)
        return look, refined, time.monotonic() - begun

    def _begin_reading(self, order: dict, blobs: list) -> None:
        """Raises what is wrong with it."""
        begun, (part, query) = time.monotonic(), order['parts'][0]
        (image, mask), refined = self._pictures.last(self._pictures.of(order), order, blobs)
        sought = Sought(image, mask, refined, time.monotonic() - begun, part, query['language'], query['max_tokens'])
        self._readings.begin(order['job'], sought)

    def _tell_read(self, number: int, found: Reading | BaseException) -> None:
        try:
            for op, blobs, values in self._readings.answer(number, found):
                self._send(op, blobs, job=number, **values)
        except BaseException as error:   # noqa: B902
            self._fail([number], error)

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
            pieces = checked(self._describer.step())
            for job in self._jobs.values():
                self._looks.weigh(job.name)
                self._tell_looked(job)
            for telling, piece in pieces:
                job = owners.get(id(telling))
                if job is not None and job.number in self._jobs:
                    self._send_piece(job, piece)
            self._looks.bound(job.look for job in self._jobs.values())
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
        self._send('piece', job=job.number, part=job.part, piece=as_json(piece))
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
        self._readings.stop(number)
        self._send('stopped', job=number)

    def _fail(self, numbers: list[int], error: BaseException) -> None:
        answer = as_failure(error)
        if answer['code'] == OutOfMemory.code:
            self._looks.drop([job.look for job in self._jobs.values()])
        for number in numbers:
            self._send('failed', job=number, **answer)
        if type(error).__name__ == 'AcceleratorError' or str(error).startswith('CUDA error'):
            os._exit(_EXIT_BROKEN)   # nothing works in this process any more; the node starts another

    def _send(self, op: str, blobs=(), **values) -> None:
        wire.send(self._connection, {'op': op, **values}, blobs)


def main() -> None:
    os.dup2(2, 1)   # what libraries print belongs to the log
    for number in (signal.SIGINT, signal.SIGTERM):   # often sent to the whole group; they are for the node: it ends us
        signal.signal(number, signal.SIG_IGN)
    Worker(socket.socket(fileno=int(sys.argv[1]))).run()


if __name__ == '__main__':
    main()
