"""The engine: takes requests from any thread, runs them in the worker process, answers each exactly once.

One thread with one event loop holds all state; `schedule` says who is next, `process` is the worker, `wire` its
language. Admit, step, deliver happens in the worker; here is what surrounds it: deadline, cancel, slot, urgency,
restart. It does not know ROS.
"""
from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
import threading
import time
import traceback
from typing import Any

import numpy as np

from dam_ros.core.describing import Piece
from dam_ros.core.errors import (Cancelled, DeadlineExceeded, DescriberFailed, Failure, Internal, Loading, Superseded,
                                 WorkerDied, complaint, of_code)
from dam_ros.engine.process import WorkerProcess
from dam_ros.engine.schedule import Outcome, Request, Schedule, State, Unit, Work

_MINUTE_S = 60.0
_FREE_DEATHS = 3            # per minute, restarted at once; then it backs off
_BACK_OFF_S = (5.0, 10.0, 20.0, 40.0, 60.0)
_TYPICAL_S = 1.0            # of a request, before the first one has been timed


@dataclass(frozen=True)
class Options:
    """What the engine and its worker are made with; the fields are those of DescribeSettings."""

    describer: str
    describer_options: dict
    segmenter: str = 'grabcut'
    box_fallback: bool = True
    looks: int = 8
    queue: int = 16
    worker_python: str = ''
    stop_grace_s: float = 5.0
    load_timeout_s: float = 300.0


@dataclass(frozen=True)
class Status:
    """A snapshot for diagnostics.

    Attributes:
        state: 'stopped', 'loading', 'ready', 'restarting' or 'unloadable'.
        trouble: why it is not ready, or what went wrong last.
        capacity: tellings at once; 0 until ready.
    """

    state: str = 'stopped'
    trouble: str = ''
    describer: str = ''
    model: str = ''
    languages: tuple[str, ...] = ()
    max_pictures: int = 1
    capacity: int = 0
    pid: int = 0
    load_s: float = float('nan')
    deaths: int = 0
    waiting: int = 0
    running: int = 0
    answered: int = 0
    failed: int = 0
    typical_s: float = _TYPICAL_S


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
        self._worker: WorkerProcess | None = None
        self._running: dict[int, Unit] = {}              # by job number
        self._stopping: dict[int, asyncio.TimerHandle] = {}   # jobs told to stop; they still take a place
        self._deadlines: dict[Request, asyncio.TimerHandle] = {}
        self._loaders: list[Callable[[bool, str], None]] = []
        self._timers: set[asyncio.TimerHandle] = set()
        self._deaths: list[float] = []
        self._unloadable: Failure | None = None
        self._next_job = 1
        self._closing = False

    # -- for everybody ------------------------------------------------------------------------------------------

    @property
    def status(self) -> Status:
        return self._status

    def start(self) -> None:
        """Starts thread and worker; loading happens in the worker's own time."""
        self._pool = ThreadPoolExecutor(1, thread_name_prefix='decode')
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._on_bug)
        self._thread = threading.Thread(target=self._run, name='engine', daemon=True)
        self._thread.start()
        self._soon(self._spawn)

    def close(self) -> None:
        """Ends everything: open requests are the owner's to `refuse` before. Returns when the worker is gone."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(timeout=5.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5.0)
        self._loop.close()
        self._pool.shutdown()

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
        self._soon(self._wake, done)

    def ahead(self, request: Request) -> int:
        """How many come before it. A reading from another thread, right at some moment of the call."""
        return self._schedule.ahead(request)

    # -- the loop's thread --------------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _soon(self, call: Callable, *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:   # the loop is closed: nobody waits for this any more
            pass

    def _later(self, delay_s: float, call: Callable, *arguments: Any) -> asyncio.TimerHandle:
        return self._loop.call_later(delay_s, call, *arguments)

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
        if self._unloadable is not None:
            self._dismiss(request, self._unloadable)
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
        self._deadlines[request] = self._later(delay_s, self._expire, request)
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
        unit.state, unit.job = State.RUNNING, self._next_job
        self._next_job += 1
        unit.started_s = time.monotonic()
        self._running[unit.job] = unit
        unit.request.listener.changed(unit.request, unit, 'looking')
        ready = self._pool.submit(_prepared, unit)
        job = unit.job
        ready.add_done_callback(lambda done: self._soon(self._send_unit, unit, job, *done.result()))

    def _send_unit(self, unit: Unit, job: int, work: Work | None, failure: Failure | None) -> None:
        if job in self._stopping:   # ended while it was decoded; the worker never heard of it
            self._stopping.pop(job).cancel()
            self._pump()
        elif self._running.get(job) is not unit:
            return   # the worker died meanwhile
        elif failure is not None:
            self._finish_unit(unit, failure)
        else:
            sizes = [image.shape[:2] for image, _ in work.pictures]
            blobs = [array for image, mask in work.pictures for array in (image, mask.view(np.uint8))]
            parts = [(part, asdict(query)) for part, query in unit.parts]
            self._worker.send({'op': 'describe', 'job': job, 'look': unit.look, 'sizes': sizes, 'box': work.box,
                               'parts': parts}, [np.ascontiguousarray(blob) for blob in blobs])

    def _stop_job(self, unit: Unit) -> None:
        """Tells the worker to stop it; its place is free when the worker says so, or is killed for not saying so."""
        del self._running[unit.job]
        self._stopping[unit.job] = self._later(self._options.stop_grace_s, self._hangs, unit.job)
        self._worker.send({'op': 'stop', 'job': unit.job})

    def _hangs(self, job: int) -> None:
        if job in self._stopping:
            self._report('warning', f'the worker did not stop within {self._options.stop_grace_s:g} s: killed')
            self._worker.kill()

    # -- what the worker says -----------------------------------------------------------------------------------

    def _on_message(self, message: dict, blobs: list) -> None:
        op = message.pop('op')
        if op == 'ready':
            self._on_ready(message)
        elif op == 'unloadable':
            self._on_unloadable(of_code(message['code'], message['message']))
        elif op == 'stopped' or message['job'] in self._stopping:
            self._on_stopped(message['job'], op)
        elif message['job'] in self._running:
            self._on_progress(op, self._running[message['job']], message, blobs)

    def _on_ready(self, message: dict) -> None:
        self._clear_timers()
        self._note(state='ready', trouble='', describer=message['name'], model=message['model'],
                   languages=tuple(message['languages']), capacity=max(1, message['capacity']),
                   max_pictures=message['max_pictures'], load_s=message['load_s'], pid=self._worker.pid)
        self._report('info', f'describer {message["name"]} {message["model"]} is ready after {message["load_s"]:.1f} s')
        self._loaded(True, f'{message["name"]} {message["model"]} is loaded'.replace('  ', ' '))
        self._pump()

    def _on_unloadable(self, failure: Failure) -> None:
        self._clear_timers()
        self._unloadable = failure
        self._note(state='unloadable', trouble=failure.message)
        self._report('error', failure.message)
        self._loaded(False, failure.message)
        self._refuse(failure, lambda: None)

    def _on_stopped(self, job: int, op: str) -> None:
        if op in ('stopped', 'done', 'failed') and job in self._stopping:
            self._stopping.pop(job).cancel()
            self._pump()

    def _on_progress(self, op: str, unit: Unit, message: dict, blobs: list) -> None:
        request = unit.request
        if op == 'looked':
            unit.look_s = message['look_s']
            if message['refined']:   # not where its old look is used after a preemption: the mask stays as it is
                unit.refined = np.frombuffer(blobs[0], np.uint8)   # packed bits
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
        unit.request.listener.grown(unit.request, unit, part, unit.answer.parts[part], probability)

    def _on_end(self, status: str) -> None:
        """The worker is gone: what ran is answered, what waits goes on in the next one."""
        now = time.monotonic()
        for timer in self._stopping.values():
            timer.cancel()
        self._stopping.clear()
        self._deaths = [one for one in self._deaths if now - one < _MINUTE_S] + [now]
        was_loading = self._status.state == 'loading'
        surplus = len(self._deaths) - _FREE_DEATHS
        delay_s = _BACK_OFF_S[min(surplus, len(_BACK_OFF_S)) - 1] if surplus > 0 else 0.0
        trouble = f'the worker ended ({status}); it is started again' + (f' in {delay_s:g} s' if delay_s else '')
        self._worker = None
        self._clear_timers()
        if self._unloadable is not None:   # killed for loading too long, or died idle: ~/wake tries again
            self._note(deaths=self._status.deaths + 1, pid=0, capacity=0)
            return
        self._note(state='restarting', trouble=trouble, deaths=self._status.deaths + 1, pid=0, capacity=0)
        self._report('error', trouble)
        if was_loading:
            self._loaded(False, trouble)
        for unit in list(self._running.values()):
            self._finish_unit(unit, WorkerDied(trouble))
        self._timers.add(self._later(delay_s, self._spawn))

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
        unit.state, unit.prepare = State.DONE, _let_go   # it holds the picture
        now, arrival_s = time.monotonic(), unit.request.arrival_s
        if failure is not None:
            unit.answer.cut()
        elif not np.isnan(unit.started_s):
            self._note(typical_s=0.7 * self._status.typical_s + 0.3 * (now - unit.started_s))
        good = failure is None
        self._note(answered=self._status.answered + good, failed=self._status.failed + (not good))
        outcome = Outcome(failure, unit.answer, unit.refined, self._status.describer, self._status.model,
                          unit.started_s - arrival_s, unit.look_s, unit.first_s, now - arrival_s)
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
        listener, request.listener = request.listener, None   # a cycle would keep its pictures for long
        listener.finished(request, failure)

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

    # -- the worker's life --------------------------------------------------------------------------------------

    def _spawn(self) -> None:
        options = self._options
        self._clear_timers()
        try:
            self._worker = WorkerProcess(options.worker_python, self._on_message, self._on_end)
        except OSError as error:
            self._on_unloadable(DescriberFailed(complaint('worker_python', options.worker_python, "an interpreter that "
                                                          f"can be started, or '' for the node's own ({error})")))
            return
        self._worker.send({'op': 'load', 'describer': options.describer, 'options': options.describer_options,
                           'segmenter': options.segmenter, 'box_fallback': options.box_fallback,
                           'looks': options.looks})
        self._note(state='loading', pid=self._worker.pid)
        self._timers.add(self._later(options.load_timeout_s, self._loads_too_long))

    def _loads_too_long(self) -> None:
        self._worker.kill()
        self._on_unloadable(DescriberFailed(complaint('load_timeout_s', self._options.load_timeout_s,
                                                      'the time that loading takes', 'Raise it, then call ~/wake')))

    def _wake(self, done: Callable[[bool, str], None]) -> None:
        if self._status.state == 'ready':
            done(True, f'{self._status.describer} is loaded')
            return
        self._loaders.append(done)
        self._unloadable = None
        if self._status.state == 'unloadable' and self._worker is not None:
            self._deaths.clear()      # this end is no crash
            self._worker.kill()       # its end starts the next one
            self._note(state='restarting', trouble='')
        elif self._worker is None:
            self._spawn()   # do not wait for the back-off

    def _loaded(self, good: bool, text: str) -> None:
        loaders, self._loaders = self._loaders, []
        for done in loaders:
            done(good, text)

    def _clear_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    async def _close(self) -> None:
        self._clear_timers()
        self._loaded(False, 'the node is being cleaned up')
        for timer in [*self._deadlines.values(), *self._stopping.values()]:
            timer.cancel()
        if self._worker is not None:
            await self._worker.close()
        self._worker = None
        self._note(state='stopped', pid=0)


def _let_go() -> Work:
    raise Internal('decoding of a region that was answered already')


def _prepared(unit: Unit) -> tuple[Work | None, Failure | None]:
    try:
        return unit.prepare(), None
    except Failure as failure:
        return None, failure
    except MemoryError:
        return None, of_code(10301, 'no memory to decode the picture')
    except Exception:   # noqa: B902  everything must become an answer
        return None, Internal('bug while decoding, please report: ' + traceback.format_exc(limit=-2))
