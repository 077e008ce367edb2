"""idle_unload_s: a worker that nobody asks ends, and the next request gets its answer all the same."""
from __future__ import annotations

from collections.abc import Iterator
import time

import pytest

from dam_ros.core.errors import DescriberFailed, Loading
from engine_rig import Rig, alive, running, until

IDLE_S = 0.3


@pytest.fixture(scope='module')
def rig() -> Iterator[Rig]:
    with running(idle_unload_s=IDLE_S) as rig:
        yield rig.ready()


def asleep(rig: Rig) -> None:
    until(lambda: rig.engine.status.state == 'asleep', 'sleep')


def test_it_sleeps_after_its_time_and_not_before(rig: Rig):
    heard = rig.ask().end()   # it may have slept since it was ready
    worker = rig.engine.status.pid
    asleep(rig)
    assert time.monotonic() - heard.ended_s > IDLE_S - 0.05   # its time began a moment before the answer came here
    until(lambda: not alive(worker), 'its end')
    status = rig.engine.status
    assert (status.pid, status.capacity, status.deaths, status.trouble) == (0, 0, 0, '')
    assert status.describer == 'rehearsal'


def test_the_next_request_loads_again_and_is_answered(rig: Rig):
    asleep(rig)
    heard = rig.ask(look='a').end()
    assert (heard.code, heard.phases) == (0, ['loading', 'looking', 'writing'])
    assert rig.engine.status.deaths == 0


def test_a_look_that_went_with_it_is_looked_at_again(rig: Rig):
    first = rig.ask(look='same').end()
    asleep(rig)
    again = rig.ask(look='same').end()
    assert again.outcome.answer.text == first.outcome.answer.text
    assert again.outcome.look_s > 0


def test_a_request_in_the_moment_of_falling_asleep_is_answered(rig: Rig):
    for _ in range(3):
        rig.ready() if rig.engine.status.state != 'asleep' else rig.wake()
        asleep(rig)   # the worker may still be ending now
        assert rig.ask().end().code == 0


def test_wake_loads_without_a_request(rig: Rig):
    asleep(rig)
    assert rig.wake() == (True, 'rehearsal is loaded')
    assert rig.engine.status.state == 'ready'
    asleep(rig)


def test_what_takes_longer_than_that_is_no_idleness(rig: Rig):
    heard = rig.ask({'text': 'one two three', 'words_per_s': 2.0}).end()
    assert (heard.code, heard.outcome.answer.text) == (0, 'one two three')
    assert heard.took_s > 2 * IDLE_S


def test_a_request_without_the_time_to_load_is_told_so():
    with running(options={'load_s': 1.0}, idle_unload_s=IDLE_S) as rig:
        rig.ready()
        asleep(rig)
        heard = rig.ask(timeout_s=0.2).end()
        assert heard.code == Loading.code
        rig.ready()   # it goes on loading for the next one
        assert rig.ask().end().code == 0


def test_what_can_no_longer_be_loaded_is_told_to_who_woke_it(tmp_path, monkeypatch):
    module = tmp_path / 'leaving.py'
    module.write_text('from dam_ros.describers.rehearsal import create\n')
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    with running('leaving:create', idle_unload_s=IDLE_S) as rig:
        rig.ready()
        asleep(rig)
        module.unlink()
        heard = rig.ask().end()
        assert heard.code == DescriberFailed.code, heard.failure
        assert 'leaving' in heard.failure.message


def test_closing_while_it_sleeps_or_wakes_leaves_no_worker():
    for wakes in (False, True):
        with running(idle_unload_s=IDLE_S) as rig:
            rig.ready()
            asleep(rig)
            if wakes:
                rig.engine.wake(lambda good, text: None)
        assert rig.engine.status.pid == 0
        assert rig.engine.status.state == 'stopped'


def test_without_it_nothing_sleeps():
    with running() as rig:
        rig.ready()
        rig.ask().end()
        time.sleep(2 * IDLE_S)
        assert rig.engine.status.state == 'ready'
