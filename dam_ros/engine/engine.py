"""The engine: takes requests from any thread, runs them in the worker process, answers each exactly once.

One thread with one event loop holds all state; `schedule` says who is next, `care` keeps the worker alive, `wire` is
its language. Admit, step, deliver happens in the worker; here is what surrounds it: deadline, cancel, slot, urgency.
It does not know ROS.
"""
from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, replace
import threading
import time
import traceback
from typing import Any

import numpy as np

from dam_ros.core.describing import Piece
from dam_ros.core.encoded import Encoded
from dam_ros.core.errors import (Cancelled, DeadlineExceeded, Failure, Internal, Loading, OutOfMemory, Superseded,
                                 WorkerDied, complaint, of_code)
from dam_ros.engine.care import Care
from dam_ros.engine.schedule import PREEMPTIBLE, Outcome, Request, Schedule, State, Unit, Work
from dam_ros.engine.status import Options, Status

_LET_GO = Internal('a region that was answered already')


class Engine:
    """Thread-safe from outside; `start` and `close` belong to one owner.

    Args:
        report: called with a line of text for the log: ('info' | 'warning' | 'error', text), in the engine's thread.
        changed: called when the state of `status` has changed, in the engine's thread.
    """

    def __init__(self, options: Options, report: Callable[[str, str], None],
                 changed: Callable[[], None] = lambda: None):
        self._options, self._report, self._changed = options, report, changed
        self._schedule = Schedule(options.queue)
        self._status = Status()
        self._care: Care | None = None                   # made in the loop's thread
        self._running: dict[int, Unit] = {}              # by job number
        self._stopping: dict[int, asyncio.TimerHandle] = {}   # jobs told to stop; they still take a place
        self._deadlines: dict[Request, asyncio.TimerHandle] = {}
        self._idle: asyncio.TimerHandle | None = None   # until it is unloaded
        self._next_job = 1
        self._loop: asyncio.AbstractEventLoop | None = None   # from start on

    # -- for everybody ------------------------------------------------------------------------------------------

    @property
    def status(self) -> Status:
        return self._status

    def start(self) -> None:
        """Starts thread and worker; loading happens in the worker's own time."""
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._on_bug)
        self._thread = threading.Thread(target=self._run, name='engine', daemon=True)
        self._thread.start()
        self._soon(self._begin)

    def close(self) -> None:
        """Ends everything: open requests are the owner's to `refuse` before. Returns when the worker is gone.

        One that was never started may be closed, and refused, too.
        """
        if self._loop is None:
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(timeout=5.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5.0)
        self._loop.close()

    def submit(self, request: Request) -> None:
        """`admitted` follows, or `finished` with the reason why not."""
        self._soon(self._submit, request)

    def provide(self, request: Request, units: list[Unit]) -> None:
        """What an admitted request is about. Ignored where it has ended meanwhile."""
        self._soon(self._provide, request, units)

    def fail(self, request: Request, failure: Failure) -> None:
        """Ends an open request; ignored where it has ended meanwhile."""
        self._soon(self._end, request, failure)

    def cancel(self, id: str, done: Callable[[int], None]) -> None:
        """Ends the request or scene of this id, or all for ''. `done` gets how many, in the engine's thread."""
        self._soon(self._cancel, id, done)

    def refuse(self, failure: Failure, done: Callable[[], None] = lambda: None) -> None:
        """Ends all open requests with this failure."""
        self._soon(self._refuse, failure, done)

    def wake(self, done: Callable[[bool, str], None]) -> None:
        """Loads now, again where it failed before. `done` gets (loaded, text) when that is known."""
        self._soon(lambda: (self._care.wake(done), self._rest()))

    def soon(self, call: Callable, *arguments: Any) -> None:
        """`call` in the engine's thread, in the order of asking, when it has finished what it is at."""
        if threading.get_ident() == self._thread.ident:
            self._loop.call_soon(call, *arguments)
        else:
            self._soon(call, *arguments)

    def begin_early(self, request: Request, picture: Encoded) -> None:
        """Lets the worker decode its picture already now, if the request may begin at once. In the engine's thread
        only."""
        idle = not self._running and self._schedule.next_unit() is None
        if request.open and idle and self._status.state == 'ready':
            self._send_picture(request, picture, early=True)

    def later(self, delay_s: float, call: Callable, *arguments: Any) -> asyncio.TimerHandle:
        """In the engine's thread only, as is the call."""
        return self._loop.call_later(delay_s, call, *arguments)

    def ahead(self, request: Request) -> int:
        """How many come before it. A reading from another thread, right at some moment of the call."""
        return self._schedule.ahead(request)

    # -- the loop's thread --------------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _begin(self) -> None:
        self._care = Care(self._options, self, self._note, self._report)
        self._care.spawn()

    def _soon(self, call: Callable, *arguments: Any) -> None:
        if self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:   # the loop is closed: nobody waits for this any more
            pass

    def _on_bug(self, _loop, context: dict) -> None:
        error = context.get('exception')
        shown = ''.join(traceback.format_exception(error)) if error else context['message']
        self._report('error', 'bug in the engine, please report:\n' + shown)

    def _note(self, **changes: Any) -> None:
        waiting, running = self._schedule.counts()
        before = self._status.state
        self._status = replace(self._status, **changes, waiting=waiting, running=running)
        if self._status.state != before:
            self._changed()

    def _submit(self, request: Request) -> None:
        if self._care.failure is not None:
            self._dismiss(request, self._care.failure)
            return
        waiting, running = self._schedule.counts()
        retry_after_s = max(0.1, self._status.typical_s * (waiting + running) / max(1, self._status.capacity))
        try:
            superseded = self._schedule.admit(request, retry_after_s)
        except Failure as failure:
            self._dismiss(request, failure)
            return
        for old in superseded:
            self._end(old, Superseded(complaint('slot', request.slot, 'one request at a time',
                                                f'{request.id} is newer')))
        delay_s = request.deadline_s - time.monotonic()
        self._deadlines[request] = self.later(delay_s, self._expire, request)
        self._rest()
        self._care.rouse()
        request.listener.admitted(request)
        self._note()

    def _provide(self, request: Request, units: list[Unit]) -> None:
        if not request.open:
            return
        request.give(units)
        if not units:
            self._end(request, None)
            return
        phase = 'queued' if self._status.state == 'ready' else 'loading'
        request.listener.changed(request, None, phase)
        self._pump()

    def _pump(self) -> None:
        """Starts what may run; makes room for what is urgent."""
        while self._status.state == 'ready':
            if len(self._running) + len(self._stopping) >= self._status.capacity:
                unit = self._schedule.to_preempt()
                if unit is not None and not self._stopping:
                    self._stop_job(unit)
                    unit.state, unit.answer = State.WAITING, type(unit.answer)(unit.answer.question)
                break
            unit = self._schedule.next_unit()
            if unit is None:
                break
            self._start_unit(unit)
        self._note()

    def _start_unit(self, unit: Unit) -> None:
        self._schedule.start(unit)
        unit.job, unit.taken = self._next_job, False
        self._next_job += 1
        unit.started_s = time.monotonic()
        self._running[unit.job] = unit
        unit.request.listener.changed(unit.request, unit, 'looking')
        try:
            self._send_unit(unit, unit.work)
        except Failure as failure:
            self._loop.call_soon(self._fail_unit, unit, unit.job, failure)   # `_pump` is in the middle of it
        except MemoryError:
            self._loop.call_soon(self._fail_unit, unit, unit.job, OutOfMemory('no memory to send the picture'))

    def _send_unit(self, unit: Unit, work: Work | Failure) -> None:
        if isinstance(work, Failure):
            raise work
        pictures = [self._send_picture(unit.request, picture) for picture, _ in work.pictures]
        parts = [(part, asdict(query)) for part, query in unit.parts]
        self._care.send({'op': 'describe', 'job': unit.job, 'look': unit.look, 'request': unit.request.id,
                         'pictures': pictures, 'prompt': work.prompt and work.prompt.as_json(), 'parts': parts,
                         'urgent': unit.request.urgency < PREEMPTIBLE},
                        [mask.packed if mask is not None else b'' for _, mask in work.pictures])

    def _send_picture(self, request: Request, picture: Encoded, early: bool = False) -> int:
        """Its number in the worker, which keeps it until the request ends.

        Args:
            early: its region is still being made: decode it meanwhile.
        """
        number = next((index for index, one in enumerate(request.sent) if one is picture), len(request.sent))
        if number == len(request.sent):
            self._care.send({'op': 'picture', 'request': request.id, 'early': early, **picture.as_json()},
                            [picture.data])
            request.sent.append(picture)
        return number

    def _fail_unit(self, unit: Unit, job: int, failure: Failure) -> None:
        """It never came to the worker."""
        if self._running.get(job) is unit:
            self._finish_unit(unit, failure)

    def _stop_job(self, unit: Unit) -> None:
        """Tells the worker to stop it; its place is free when the worker says so, or is killed for not saying so."""
        del self._running[unit.job]
        self._stopping[unit.job] = self.later(self._options.stop_grace_s, self._hangs, unit.job)
        self._care.send({'op': 'stop', 'job': unit.job})

    def _hangs(self, job: int) -> None:
        if job in self._stopping:
            self._report('warning', f'the worker did not stop within {self._options.stop_grace_s:g} s: killed')
            self._care.kill()

    # -- what the worker says (`care.Ward`) ---------------------------------------------------------------------

    def ready(self) -> None:
        self._rest()
        self._pump()

    def unloadable(self, failure: Failure) -> None:
        self._refuse(failure, lambda: None)

    def lost(self, trouble: str) -> None:
        """What ran is answered; what waits goes on in the next worker.

        So does, once, what the worker never took: it was sent while a worker full of weights was still ending.
        """
        for request in self._schedule:
            request.sent.clear()
        for timer in self._stopping.values():
            timer.cancel()
        self._stopping.clear()
        for unit in list(self._running.values()):
            if unit.taken or unit.again:
                self._finish_unit(unit, WorkerDied(trouble))
            else:
                del self._running[unit.job]
                unit.state, unit.again = State.WAITING, True

    def heard(self, op: str, message: dict, blobs: list) -> None:
        job = message['job']
        if op == 'stopped' or job in self._stopping:
            self._on_stopped(job, op)
        elif job in self._running:
            self._on_progress(op, self._running[job], message, blobs)

    def _on_stopped(self, job: int, op: str) -> None:
        if op in ('stopped', 'done', 'failed') and job in self._stopping:
            self._stopping.pop(job).cancel()
            self._pump()

    def _on_progress(self, op: str, unit: Unit, message: dict, blobs: list) -> None:
        request = unit.request
        if op == 'taken':
            unit.taken = True
        elif op == 'looked':
            unit.look_s = message['look_s']
            if message['refined']:   # not where its old look is used after a preemption: the mask stays as it is
                unit.refined = np.frombuffer(blobs[0], np.uint8)   # packed bits
            if 'by' in message:
                unit.by = tuple(message['by'])
            request.listener.changed(request, unit, 'writing')
        elif op == 'piece':
            self._grow(unit, message['part'], message['piece'])
        elif op == 'failed':
            self._finish_unit(unit, of_code(message['code'], message['message'], message['retry_after_s']))
        elif op == 'done':
            self._finish_unit(unit, None)

    def _grow(self, unit: Unit, part: str, values: dict) -> None:
        probability = float('nan') if values['probability'] is None else values['probability']
        piece = Piece(**{**values, 'probability': probability, 'token_ids': tuple(values['token_ids'])})
        if np.isnan(unit.first_s) and piece.text:
            unit.first_s = time.monotonic() - unit.request.arrival_s
        unit.answer.add(part, piece)
        unit.request.listener.grown(unit.request, unit, part, unit.answer.parts[part], piece)

    # -- ends ---------------------------------------------------------------------------------------------------

    def _finish_unit(self, unit: Unit, failure: Failure | None) -> None:
        """It has run to its end in the worker, good or bad."""
        self._running.pop(unit.job, None)
        self._answer_unit(unit, failure)
        request = unit.request
        if request.open and all(one.state is State.DONE for one in request.units):
            self._end(request, None)
        self._pump()

    def _answer_unit(self, unit: Unit, failure: Failure | None) -> None:
        unit.state, unit.work = State.DONE, _LET_GO   # it holds the picture
        now, arrival_s = time.monotonic(), unit.request.arrival_s
        if failure is not None:
            unit.answer.cut()
        elif not np.isnan(unit.started_s):
            self._note(typical_s=0.7 * self._status.typical_s + 0.3 * (now - unit.started_s))
        good = failure is None
        self._note(answered=self._status.answered + good, failed=self._status.failed + (not good))
        by = unit.by or (self._status.describer, self._status.model)
        outcome = Outcome(failure, unit.answer, unit.refined, *by, unit.started_s - arrival_s, unit.look_s,
                          unit.first_s, now - arrival_s)
        unit.request.listener.unit_finished(unit.request, unit, outcome)

    def _end(self, request: Request, failure: Failure | None) -> None:
        """The one answer to a request; whatever of it still runs is stopped."""
        if not request.open:
            return
        self._schedule.remove(request)
        self._deadlines.pop(request).cancel()
        for unit in request.units:
            if unit.state is State.RUNNING:
                self._stop_job(unit)
            if unit.state is not State.DONE:
                self._answer_unit(unit, failure or Internal('a request ended before its regions'))
        self._dismiss(request, failure)
        self._pump()

    def _dismiss(self, request: Request, failure: Failure | None) -> None:
        request.open = False
        self._rest()
        listener, request.listener = request.listener, None   # a cycle would keep its pictures for long
        listener.finished(request, failure)
        if request.sent:
            request.sent.clear()
            self._loop.call_soon(self._forget, request.id)   # first the answer

    def _forget(self, id: str) -> None:
        """Of an ended request the worker need not keep the pictures."""
        if self._status.state == 'ready':
            self._care.send({'op': 'forget', 'request': id})

    def _rest(self) -> None:
        """Something has happened: from now on it takes idle_unload_s until the describer is unloaded."""
        if self._idle is not None:
            self._idle.cancel()
        if self._options.idle_unload_s > 0:
            self._idle = self.later(self._options.idle_unload_s, self._unload)

    def _unload(self) -> None:
        if any(self._schedule) or self._stopping:
            self._rest()
        elif self._status.state == 'ready':
            self._care.sleep()

    def _expire(self, request: Request) -> None:
        timeout_s = request.deadline_s - request.arrival_s
        if not request.units:
            failure = request.waiting_for or DeadlineExceeded(complaint(
                'timeout_s', round(timeout_s, 3), 'more time than it takes to find the region', 'Allow more'))
        elif self._status.state != 'ready' and not request.started:
            retry_after_s = max(1.0, self._status.typical_s)
            failure = Loading(f'the describer is not loaded yet ({self._status.trouble or self._status.state})',
                              retry_after_s)
        else:
            failure = DeadlineExceeded(complaint('timeout_s', round(timeout_s, 3), 'more time than it takes (recently '
                                       f'{self._status.typical_s:.2f} s)', 'Allow more, or ask for less'))
        self._end(request, failure)

    def _cancel(self, id: str, done: Callable[[int], None]) -> None:
        found = self._schedule.find(id)
        for request in found:
            self._end(request, Cancelled('the caller cancelled it'))
        done(len(found))

    def _refuse(self, failure: Failure, done: Callable[[], None]) -> None:
        for request in self._schedule:
            self._end(request, failure)
        done()

    async def _close(self) -> None:
        for timer in [*self._deadlines.values(), *self._stopping.values(), self._idle]:
            if timer is not None:
                timer.cancel()
        await self._care.close()
