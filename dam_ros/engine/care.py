"""Keeps one worker alive: starts it, loads, starts it again when it died, backs off, wakes it. It knows no request."""
from __future__ import annotations

import asyncio
from collections.abc import Callable
import time
from typing import Any, Protocol

from dam_ros.core.errors import DescriberFailed, Failure, complaint, of_code
from dam_ros.engine.process import WorkerProcess
from dam_ros.engine.status import Options

_MINUTE_S = 60.0
_FREE_DEATHS = 3            # per minute, restarted at once; then it backs off
_BACK_OFF_S = (5.0, 10.0, 20.0, 40.0, 60.0)


class Ward(Protocol):
    """Who lives on the worker."""

    def ready(self) -> None:
        """It is loaded."""

    def lost(self, trouble: str) -> None:
        """It is gone; whatever ran in it will not come back."""

    def unloadable(self, failure: Failure) -> None:
        """It cannot be loaded; only `wake` tries again."""

    def heard(self, op: str, message: dict, blobs: list) -> None:
        """It says something about a job."""


class Care:
    """Everything is called in the loop's thread.

    Args:
        note: takes changed fields of `Status`.
        report: takes ('info' | 'warning' | 'error', a line for the log).

    Attributes:
        failure: why it cannot be loaded, None where it can.
        state: as in `Status`.
    """

    def __init__(self, options: Options, ward: Ward, note: Callable[..., None], report: Callable[[str, str], None]):
        self._options, self._ward, self._tell, self._report = options, ward, note, report
        self._loop = asyncio.get_running_loop()
        self._worker: WorkerProcess | None = None
        self._loaders: list[Callable[[bool, str], None]] = []
        self._timer: asyncio.TimerHandle | None = None   # of loading, or of the back-off
        self._going: asyncio.Task | None = None          # a worker that was sent to sleep
        self._deaths: list[float] = []
        self._died = 0
        self._name = ''
        self.failure: Failure | None = None
        self.state = 'stopped'

    def spawn(self) -> None:
        """Starts a worker; loading happens in its own time."""
        options = self._options
        self._set_timer(None)
        try:
            self._worker = WorkerProcess(options.worker_python, self._on_message, self._on_end)
        except OSError as error:
            self._give_up(DescriberFailed(complaint('worker_python', options.worker_python, 'an interpreter that can '
                                                    f"be started, or '' for the node's own ({error})")))
            return
        self.send({'op': 'load', 'describer': options.describer, 'options': options.describer_options,
                   'cutter': {'name': options.segmenter, 'model': options.segmenter_model,
                              'device': options.segmenter_device, 'box_fallback': options.box_fallback},
                   'reader': {'name': options.reader, 'languages': options.reader_languages},
                   'looks': options.looks, 'looks_mb': options.looks_mb})
        self._note('loading', pid=self._worker.pid)
        self._set_timer(self._loop.call_later(options.load_timeout_s, self._loads_too_long))

    def send(self, message: dict, blobs: list = ()) -> None:
        """Only while it is loading or ready."""
        self._worker.send(message, blobs)

    def kill(self) -> None:
        """Its end starts the next one."""
        if self._worker is not None:
            self._worker.kill()

    def wake(self, done: Callable[[bool, str], None]) -> None:
        """Loads now, again where it failed before. `done` gets (loaded, text) when that is known."""
        self._loaders.append(done)
        self.failure = None
        if self.state == 'ready':
            self._loaded(True, f'{self._name} is loaded')
        elif self.state == 'unloadable' and self._worker is not None:
            self._deaths.clear()      # this end is no crash
            self._worker.kill()
            self._note('restarting', trouble='')
        elif self.state == 'asleep':
            self.rouse()
        elif self._worker is None and self.state != 'loading':
            self.spawn()   # do not wait for the back-off

    def sleep(self) -> None:
        """Ends a worker that is ready and has nothing to do: its memory, on the device too, is free then."""
        self._going = self._loop.create_task(self._worker.close())
        self._worker = None
        self._note('asleep', pid=0, capacity=0, looks=0, looks_bytes=0)
        self._report('info', f'nobody asked for {self._options.idle_unload_s:g} s: {self._name} is unloaded; the next '
                     'request or ~/wake loads it again')

    def rouse(self) -> None:
        """Loads again where it sleeps."""
        if self.state == 'asleep':
            self._note('loading', trouble='')
            self._going.add_done_callback(lambda _: self._rouse_now())   # when what it held is free

    def _rouse_now(self) -> None:
        if self.state == 'loading' and self._worker is None:   # not closed meanwhile
            self.spawn()

    async def close(self) -> None:
        """Returns when the worker is gone."""
        self.state = 'stopped'
        self._set_timer(None)
        self._loaded(False, 'the node is being cleaned up')
        if self._worker is not None:
            await self._worker.close()
        if self._going is not None:
            await self._going
        self._worker = None
        self._note('stopped', pid=0)

    def _on_message(self, message: dict, blobs: list) -> None:
        op = message.pop('op')
        if op == 'ready':
            self._on_ready(message)
        elif op == 'unloadable':
            self._give_up(of_code(message['code'], message['message']))
        elif op == 'looks':
            self._tell(looks=message['count'], looks_bytes=message['bytes'])
        else:
            self._ward.heard(op, message, blobs)

    def _on_ready(self, message: dict) -> None:
        self._set_timer(None)
        self._note('ready', trouble='', describer=message['name'], model=message['model'],
                   languages=tuple(message['languages']), capacity=max(1, message['capacity']),
                   max_pictures=message['max_pictures'], load_s=message['load_s'], pid=self._worker.pid,
                   looks=0, looks_bytes=0, weights_bytes=message.get('weights_bytes', 0),
                   segmenter=message['segmenter'], segmenter_trouble=message['segmenter_trouble'],
                   follows=message['follows'], reader_trouble=message['reader_trouble'])
        if message['segmenter_trouble']:
            self._report('error', message['segmenter_trouble'])
        self._name = f'{message["name"]} {message["model"]}'.strip()
        self._report('info', f'describer {self._name} is ready after {message["load_s"]:.1f} s')
        self._loaded(True, f'{self._name} is loaded')
        self._ward.ready()

    def _give_up(self, failure: Failure) -> None:
        self._set_timer(None)
        self.failure = failure
        self._note('unloadable', trouble=failure.message)
        self._report('error', failure.message)
        self._loaded(False, failure.message)
        self._ward.unloadable(failure)

    def _loads_too_long(self) -> None:
        self._worker.kill()
        self._give_up(DescriberFailed(complaint('load_timeout_s', self._options.load_timeout_s,
                                                'the time that loading takes', 'Raise it, then call ~/wake')))

    def _on_end(self, status: str) -> None:
        """The worker is gone: what ran is answered, what waits goes on in the next one."""
        now, was_loading = time.monotonic(), self.state == 'loading'
        self._deaths = [one for one in self._deaths if now - one < _MINUTE_S] + [now]
        self._died += 1
        surplus = len(self._deaths) - _FREE_DEATHS
        delay_s = _BACK_OFF_S[min(surplus, len(_BACK_OFF_S)) - 1] if surplus > 0 else 0.0
        trouble = f'the worker ended ({status}); it is started again' + (f' in {delay_s:g} s' if delay_s else '')
        self._worker = None
        self._set_timer(None)
        if self.failure is not None:   # killed for loading too long, or died idle: ~/wake tries again
            self._tell(deaths=self._died, pid=0, capacity=0)
            self._ward.lost(trouble)
            return
        self._note('restarting', trouble=trouble, deaths=self._died, pid=0, capacity=0)
        self._report('error', trouble)
        if was_loading:
            self._loaded(False, trouble)
        self._ward.lost(trouble)
        self._set_timer(self._loop.call_later(delay_s, self.spawn))

    def _note(self, state: str, **changes: Any) -> None:
        self.state = state
        self._tell(state=state, **changes)

    def _loaded(self, good: bool, text: str) -> None:
        loaders, self._loaders = self._loaders, []
        for done in loaders:
            done(good, text)

    def _set_timer(self, timer: asyncio.TimerHandle | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = timer
