"""What the engine does when its worker dies, hangs, lies, cannot be loaded or is another interpreter's."""
from __future__ import annotations

from collections.abc import Iterator
import gc
import json
import math
import os
from pathlib import Path
import signal
import struct
import subprocess
import sys
import threading
import time
import venv
import weakref

import numpy as np
import pytest

from dam_ros.core.errors import NotActive
from dam_ros.engine.engine import Engine
from dam_ros.engine.schedule import ASKED, TOLD, Work
from dam_ros.engine.status import Options
from engine_rig import Rig, alive, open_files, picture, running, until

SLOW = {'words_per_s': 10.0, 'text': ' '.join(['word'] * 100)}    # 10 s
SLACK_S = 0.1
TESTS = Path(__file__).parent


@pytest.fixture(scope='module', autouse=True)
def _workers_find_the_odd_describers() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('PYTHONPATH', os.pathsep.join([str(TESTS), os.environ.get('PYTHONPATH', '')]))
        yield


@pytest.fixture(scope='module')
def shared() -> Iterator[Rig]:
    """For tests that leave it as they found it. More deaths than three a minute would slow it down."""
    with running() as rig:
        yield rig.ready()


@pytest.fixture(scope='module')
def twisted() -> Iterator[Rig]:
    with running('odd_describers:twisted') as rig:
        yield rig.ready()


def writing(heard) -> bool:
    return 'writing' in heard.phases


# -- death

@pytest.mark.parametrize('fail', ['exit', 'kill'])
def test_death_is_answered_at_once_and_the_next_worker_serves(fail: str):
    with running() as rig:
        pid = rig.ready().engine.status.pid
        heard = rig.ask({'fail': fail, 'fail_after_words': 4, 'text': 'Two words. Then it dies.'}).end()
        assert heard.code == 10303
        assert heard.outcome.answer.text == 'Two words.'
        assert ('exit status 3' if fail == 'exit' else 'signal 9') in str(heard.failure)
        assert rig.ask().end().code == 0
        assert rig.engine.status.pid != pid and rig.engine.status.deaths == 1
        assert rig.states == ['loading', 'ready', 'restarting', 'loading', 'ready']


def test_what_waits_survives_a_death():
    with running() as rig:
        rig.ready()
        dies, waits = rig.ask({'fail': 'kill', 'first_word_s': 0.1}), rig.ask()
        late = rig.ask(provide=False)
        assert (dies.end().code, waits.end().code) == (10303, 0)
        rig.engine.provide(late.request, [rig.unit()])
        assert late.end().code == 0


def test_regions_of_a_scene_go_on_after_a_death():
    with running() as rig:
        rig.ready()
        units = [rig.unit(), rig.unit({'fail': 'kill'}), rig.unit(), rig.unit()]
        heard = rig.ask(units=units).end()
        assert [getattr(heard.outcomes[one.id].failure, 'code', 0) for one in units] == [0, 10303, 0, 0]
        assert heard.ends == [None]


def test_looks_do_not_survive_but_are_made_again():
    with running() as rig:
        rig.ready()
        assert rig.ask(look='one').end().outcome.look_s > 0
        rig.ask({'fail': 'kill'}).end()
        again = rig.ask(look='one').end()
        assert (again.code, again.outcome.look_s > 0) == (0, True)


def test_a_worker_whose_device_is_broken_ends_and_the_next_one_serves():
    """After such an error nothing works in the process any more: every later request failed, too."""
    with running('odd_describers:twisted') as rig:
        pid = rig.ready().engine.status.pid
        heard = rig.ask(question='broken device').end()
        assert heard.code == 10300 and 'illegal memory access' in str(heard.failure)
        assert rig.ask(question='x').end().code == 0
        assert rig.engine.status.pid != pid


def test_what_is_stopped_before_it_was_looked_at_is_never_looked_at():
    with running('rehearsal', {'look_s': 0.4, 'capacity': 4}) as rig:
        rig.ready()
        heard = [rig.ask() for _ in range(4)]
        until(lambda: rig.engine.status.running == 4, 'all four to be sent', 2.0)
        for one in heard[1:]:
            rig.cancel(one.request.id)
        begun = time.monotonic()
        assert heard[0].end().code == 0
        assert rig.ask().end().code == 0
        assert time.monotonic() - begun < 1.3, 'two looks, not five'


def test_killed_from_outside_while_idle():
    with running() as rig:
        os.kill(rig.ready().engine.status.pid, signal.SIGKILL)
        until(lambda: rig.engine.status.deaths == 1, 'the death to be noticed', 2.0)
        assert rig.ask().end().code == 0


def test_what_a_dying_worker_never_took_is_done_by_the_next_one():
    """A process with gigabytes of weights takes a while to end; what is sent meanwhile is nobody's fault."""
    with running() as rig:
        rig.ready()
        pid = rig.engine.status.pid
        os.kill(pid, signal.SIGSTOP)
        heard = rig.ask()
        until(lambda: rig.engine.status.running == 1, 'it runs')
        time.sleep(0.1)   # sent
        os.kill(pid, signal.SIGKILL)
        assert heard.end().code == 0
        assert rig.engine.status.deaths == 1


def test_after_three_deaths_in_a_minute_it_backs_off_and_wake_does_not_wait():
    with running() as rig:
        rig.ready()
        for _ in range(3):
            assert rig.ask({'fail': 'kill'}).end().code == 10303
        assert rig.ask({'fail': 'kill'}).end().code == 10303
        assert rig.engine.status.state == 'restarting'
        assert 'started again in 5 s' in rig.engine.status.trouble
        short = rig.ask(timeout_s=0.3).end()
        assert (short.code, 'started again in 5 s' in str(short.failure)) == (10205, True)
        assert short.failure.retry_after_s > 0
        begun = time.monotonic()
        assert rig.wake()[0]
        assert time.monotonic() - begun < 4.0
        assert rig.ask().end().code == 0


# -- hanging

def test_a_hanging_worker_is_killed_after_the_grace_and_everybody_is_answered():
    with running(stop_grace_s=0.4) as rig:
        pid = rig.ready().engine.status.pid
        hangs = rig.ask({'fail': 'hang', 'fail_after_words': 1}, timeout_s=0.3)
        waits = rig.ask()
        assert (hangs.end().code, hangs.took_s < 0.3 + SLACK_S) == (10201, True)
        assert waits.end().code == 0
        assert waits.ended_s - hangs.ended_s >= 0.4
        assert not alive(pid)
        assert any('did not stop within 0.4 s' in text for _, text in rig.log)


def test_cancel_of_a_hanging_one_is_answered_before_the_kill():
    with running(stop_grace_s=5.0) as rig:
        rig.ready()
        hangs = rig.ask({'fail': 'hang', 'fail_after_words': 1})
        until(lambda: hangs.texts, 'its first word')
        rig.cancel(hangs.request.id)
        assert hangs.end(0.5).code == 10202


def test_an_urgent_one_waits_for_the_grace_only():
    with running(stop_grace_s=0.3) as rig:
        rig.ready()
        told = rig.ask({'fail': 'hang', 'fail_after_words': 1}, urgency=TOLD)
        until(lambda: told.texts, 'its first word')
        asked = rig.ask({'text': 'Here.'}, urgency=ASKED).end()
        assert (asked.code, asked.outcome.answer.text) == (0, 'Here.')


# -- loading

def test_requests_wait_while_it_loads():
    with running(options={'load_s': 0.5}) as rig:
        heard = rig.ask().end()
        assert (heard.code, heard.phases[0]) == (0, 'loading')
        assert rig.engine.status.load_s >= 0.5


def test_a_deadline_while_it_loads_says_so():
    with running(options={'load_s': 3.0}) as rig:
        heard = rig.ask(timeout_s=0.2).end()
        assert (heard.code, heard.took_s < 0.2 + SLACK_S) == (10205, True)
        assert heard.failure.retry_after_s > 0


def test_what_cannot_be_loaded_is_one_clear_error_until_wake(tmp_path: Path):
    bad = tmp_path / 'bad'
    bad.touch()
    with running('odd_describers:first_time_bad', {'bad': str(bad)}) as rig:
        first = rig.ask().end()
        assert first.code == 10300
        assert 'the weights are not there yet' in str(first.failure)
        later = rig.ask().end()
        assert (later.code, later.events, later.took_s < SLACK_S) == (10300, [], True)
        good, text = rig.wake()
        assert (good, 'the weights are not there yet' in text) == (False, True)
        bad.unlink()
        good, text = rig.wake()
        assert (good, 'outsider none@1' in text) == (True, True)
        assert rig.ask(question='x').end().code == 0
        assert rig.wake() == (True, 'outsider none@1 is loaded')


def test_wake_may_be_tried_often(tmp_path: Path):
    """Each try ended a worker, and from the fourth on that counted as a crash and cost 5 s and more."""
    bad = tmp_path / 'bad'
    bad.touch()
    with running('odd_describers:first_time_bad', {'bad': str(bad)}) as rig:
        for _ in range(4):
            begun = time.monotonic()
            assert not rig.wake()[0]
            assert time.monotonic() - begun < 4.0


def test_an_unloadable_worker_that_dies_stays_unloadable_until_wake(tmp_path: Path):
    """It was started again behind the operator's back; if that went well it was ready, and refused everything."""
    bad = tmp_path / 'bad'
    bad.touch()
    with running('odd_describers:first_time_bad', {'bad': str(bad)}) as rig:
        until(lambda: rig.engine.status.state == 'unloadable', 'the failure')
        bad.unlink()
        os.kill(rig.engine.status.pid, signal.SIGKILL)
        until(lambda: rig.engine.status.deaths == 1, 'the death')
        assert rig.ask().end().code == 10300
        assert rig.wake()[0]
        assert rig.ask(question='x').end().code == 0


def test_loading_too_long_ends_it_and_it_stays_ended(tmp_path: Path):
    """The killed worker's end started the next one, again and again."""
    options = {'bad': str(tmp_path / 'none'), 'seconds': 30.0}
    with running('odd_describers:first_time_bad', options, load_timeout_s=0.5) as rig:
        heard = rig.ask().end()
        assert (heard.code, 'load_timeout_s is 0.5' in str(heard.failure)) == (10300, True)
        until(lambda: rig.engine.status.pid == 0, 'the end of the worker')
        assert rig.states[-1] == 'unloadable'
        assert rig.ask().end().code == 10300
        assert not rig.wake()[0]


def test_exit_while_loading_is_a_death_and_wake_is_told():
    """wake waited for a worker that was never going to be ready."""
    with running(options={'fail': 'exit', 'fail_at': 'load', 'load_s': 0.2}) as rig:
        good, text = rig.wake()
        assert (good, 'exit status 3' in text) == (False, True)
        heard = rig.ask(timeout_s=0.2).end()
        assert (heard.code, 'exit status 3' in str(heard.failure)) == (10205, True)


@pytest.mark.parametrize('describer, words', [
    ('odd_describers:system_exit', 'I leave'), ('odd_describers:nameless', 'name of _Nameless'),
    ('odd_describers:forgetful', 'name of _Forgetful')])
def test_a_describer_that_is_none_is_named(describer: str, words: str):
    with running(describer) as rig:
        heard = rig.ask().end()
        assert (heard.code, words in str(heard.failure)) == (10300, True), str(heard.failure)
        assert rig.engine.status.deaths == 0


def test_an_interpreter_that_does_not_exist_is_one_clear_error():
    """Starting it raised in the loop: a 'bug', and requests waited for their deadlines."""
    before = len(open_files())
    with running(worker_python='/no/such/python') as rig:
        heard = rig.ask(timeout_s=5.0).end()
        assert (heard.code, heard.took_s < 1.0) == (10300, True)
        assert 'worker_python' in str(heard.failure) and '/no/such/python' in str(heard.failure)
        good, text = rig.wake()
        assert (good, 'worker_python' in text) == (False, True)
    gc.collect()
    assert len(open_files()) == before


def test_an_interpreter_that_is_no_python_is_a_death():
    with running(worker_python='/bin/false') as rig:
        heard = rig.ask(timeout_s=0.5).end()
        assert (heard.code, 'exit status 1' in str(heard.failure)) == (10205, True)


def test_the_worker_may_run_in_another_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Another venv with its own numpy and OpenCV: what only this one has is not there, and what is there is used."""
    venv.create(tmp_path / 'other', with_pip=False, symlinks=True)
    packages = next((tmp_path / 'other' / 'lib').glob('python3*/site-packages'))
    for module in (np, __import__('cv2')):
        folder = Path(module.__file__).parent
        (packages / folder.name).symlink_to(folder)
        for libraries in folder.parent.glob('*.libs'):
            if libraries.name.split('_')[0].split('.')[0] in ('numpy', 'opencv') and not (
                    packages / libraries.name).exists():
                (packages / libraries.name).symlink_to(libraries)
    (packages / 'only_there.py').write_text('from odd_describers import *\nimport sys\nprint(sys.prefix)\n')
    monkeypatch.setenv('PYTHONPATH', str(TESTS))
    python = str(tmp_path / 'other' / 'bin' / 'python')
    with running('only_there:create', worker_python=python) as rig:
        heard = rig.ask(question='Where?').end()
        assert heard.code == 0, str(heard.failure)
        command = Path(f'/proc/{rig.engine.status.pid}/cmdline').read_bytes().split(b'\0')
        assert command[0].decode() == python


# -- lies

@pytest.mark.parametrize('said', [
    b'\xff\xff\xff\xff', struct.pack('<I', 12) + b'{"blobs":[]}', struct.pack('<I', 22) + b'{"op":"x","blobs":[ ]}',
], ids=lambda said: said[4:20].decode() or 'length')
def test_nonsense_on_the_wire_is_the_end_of_that_worker_only(said: bytes):
    """What cannot even be parsed is in test_wire. Valid JSON that was no message of ours ended the listening: the
    engine heard nothing ever after."""
    with running('odd_describers:shouter') as rig:
        rig.ready()
        assert rig.ask(question='hex ' + said.hex(), timeout_s=5.0).end().code == 10303
        assert rig.ask(question='x').end().code == 0


def test_half_a_message_and_then_the_end():
    """`pid` dies in the middle of what it says: the rest never comes."""
    with running('odd_describers:shouter') as rig:
        pid = rig.ready().engine.status.pid
        heard = rig.ask(question='hex ' + struct.pack('<I', 60000).hex(), timeout_s=5.0)
        until(lambda: writing(heard), 'the request to run')
        os.kill(pid, signal.SIGKILL)
        assert heard.end().code == 10303
        assert rig.ask(question='x').end().code == 0


@pytest.mark.parametrize('question, code, text', [
    ('numpy facts', 10300, ''), ('no utf-8', 0, 'a?bc'), ('nan', 0, 'x'), ('own failure', 10301, ''),
    ('text is a number', 10300, ''),
    ('no utf-8 in a failure', 10301, '')])
def test_odd_pieces(twisted: Rig, question: str, code: int, text: str):
    heard = twisted.ready().ask(question=question).end()
    str(heard.failure or '').encode()   # a ROS string must hold it
    assert (heard.code, heard.outcome.answer.text) == (code, text)
    assert math.isnan(heard.outcome.answer.confidence)
    assert twisted.ask(question='x').end().code == 0
    assert twisted.engine.status.deaths == 0


def test_a_describer_that_cannot_stop_costs_its_worker_only(twisted: Rig):
    heard = twisted.ready().ask(question='raises on stop')
    until(lambda: heard.texts, 'text')
    twisted.cancel(heard.request.id)
    assert heard.end().code == 10202
    until(lambda: twisted.engine.status.deaths == 1, 'the death')
    assert twisted.ask(question='x').end().code == 0


# -- the end

def test_close_leaves_no_thread_no_file_and_no_process():
    threads, files = set(threading.enumerate()), sorted(open_files())
    for busy in (False, True):
        with running() as rig:
            rig.ready()
            if busy:
                rig.ask(SLOW)
                until(lambda rig=rig: rig.all[0].texts, 'text')
            pid = rig.engine.status.pid
        assert not Path(f'/proc/{pid}').exists(), 'not even a zombie'
    gc.collect()
    assert set(threading.enumerate()) == threads
    assert len(open_files()) == len(files)


def test_close_at_once_and_while_it_loads():
    files = len(open_files())
    with running():
        pass
    with running(options={'load_s': 30.0}) as rig:
        until(lambda: rig.engine.status.pid, 'a worker')
        begun = time.monotonic()
    assert time.monotonic() - begun < 2.0
    gc.collect()
    assert len(open_files()) == files


def test_close_while_it_backs_off():
    with running() as rig:
        rig.ready()
        for _ in range(4):
            rig.ask({'fail': 'kill'}).end()
        assert rig.engine.status.state == 'restarting'
    assert rig.engine.status.state == 'stopped'


def test_an_engine_that_was_never_started_may_be_refused_and_closed():
    """Configuring may fail between making and starting it."""
    engine = Engine(Options('rehearsal', {}), lambda level, text: None)
    engine.refuse(NotActive('early'))
    engine.close()


def test_calls_after_close_are_harmless():
    with running() as rig:
        rig.ready()
    rig.engine.refuse(NotActive('late'))
    rig.engine.cancel('', lambda count: None)
    rig.engine.wake(lambda good, text: None)


def test_close_answers_who_waits_for_wake():
    said = []
    with running(options={'load_s': 30.0}) as rig:
        rig.engine.wake(lambda good, text: said.append((good, text)))
    assert [good for good, _ in said] == [False]


def test_files_and_threads_are_equal_after_many_requests_and_deaths():
    with running() as rig:
        rig.ready()
        rig.ask().end()
        threads, files = threading.active_count(), len(open_files())
        for _ in range(2):
            assert rig.ask({'fail': 'kill'}).end().code == 10303
            for _ in range(20):
                assert rig.ask().end().code == 0
        assert (threading.active_count(), len(open_files())) == (threads, files)


def asleep(pid: int) -> bool:
    """Its main thread waits, and not only for a moment."""
    for _ in range(20):
        if Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0] != 'S':
            return False
        time.sleep(0.005)
    return True


PARENT = """
import sys, threading
sys.path.insert(0, sys.argv[1])
from engine_rig import Rig, until
rig = Rig(options={'load_s': float(sys.argv[2])})
rig.engine.start()
until(lambda: rig.engine.status.pid, 'a worker')
if sys.argv[3] != 'loading':
    rig.ready()
if sys.argv[3] == 'busy':
    heard = rig.ask({'fail': 'hang', 'fail_after_words': 1})
    until(lambda: heard.texts, 'text')
print(rig.engine.status.pid, flush=True)
threading.Event().wait()
"""


@pytest.mark.parametrize('what, load_s', [('idle', 0.0), ('busy', 0.0), ('loading', 30.0)])
def test_the_worker_ends_within_a_second_of_its_node(what: str, load_s: float):
    with subprocess.Popen([sys.executable, '-c', PARENT, str(TESTS), str(load_s), what], stdout=subprocess.PIPE,
                          text=True, cwd=TESTS.parent) as parent:
        try:
            pid = int(parent.stdout.readline())
            assert alive(pid)
            until(lambda: asleep(pid), 'the worker to wait for something')   # its imports are over
        finally:
            parent.kill()
        until(lambda: not alive(pid), 'the end of the worker', 1.0)


def test_the_worker_never_sees_ros(shared: Rig):
    maps = Path(f'/proc/{shared.engine.status.pid}/maps').read_text()
    assert 'numpy' in maps and 'rclpy' not in maps and 'rmw' not in maps


# -- memory

def weighty() -> tuple[Work, weakref.ref]:
    """(what holds a picture, as the node's do; a reference that is dead once nobody does)."""
    work = picture(100, 100)
    return work, weakref.ref(work.pictures[0][0])


@pytest.fixture
def _no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize('script', [{}, {'fail': 'raise'}], ids=['good', 'bad'])
@pytest.mark.usefixtures('_no_garbage_collection')
def test_a_finished_request_lets_go_of_its_picture(shared: Rig, script: dict):
    """Request and listener point at each other, so its picture stayed until some later garbage collection: tens of
    megabytes per request."""
    about, picture_of = weighty()
    heard = shared.ask(script, about=about).end()
    del about
    until(lambda: picture_of() is None, 'the end of the picture', 1.0)
    assert heard.outcomes


@pytest.mark.usefixtures('_no_garbage_collection')
def test_a_cancelled_request_lets_go_of_its_picture(shared: Rig):
    about, picture_of = weighty()
    heard = shared.ask(SLOW, about=about)
    del about
    until(lambda: heard.texts, 'text')
    shared.cancel(heard.request.id)
    heard.end()
    until(lambda: picture_of() is None, 'the end of the picture', 1.0)


@pytest.mark.usefixtures('_no_garbage_collection')
def test_a_finished_request_is_in_no_cycle_with_its_listener(shared: Rig):
    listener = weakref.ref(shared.ask().end())
    shared.all.clear()
    until(lambda: listener() is None, 'the end of the listener', 1.0)


def test_memory_does_not_grow_with_requests(shared: Rig):
    """Every look has a new name, as in the node; the worker keeps `looks` of them."""
    def resident(pid: int) -> float:
        line = next(one for one in Path(f'/proc/{pid}/status').read_text().splitlines() if one.startswith('RssAnon'))
        return int(line.split()[1]) / 1e3

    def some(count: int) -> None:
        for _ in range(count):
            assert shared.ask(about=picture(480, 640)).end().code == 0

    some(40)
    pids = (os.getpid(), shared.engine.status.pid)
    before = [resident(pid) for pid in pids]
    some(120)
    assert [resident(pid) - was for pid, was in zip(pids, before)] == [pytest.approx(0, abs=3.0)] * 2


def test_the_status_learns_how_long_things_take():
    with running() as rig:
        before = rig.ready().engine.status.typical_s
        for _ in range(12):
            rig.ask().end()
        assert 0 < rig.engine.status.typical_s < before / 2, 'it began with a guess'
        assert json.dumps(rig.engine.status.__dict__)   # plain values only: it goes into diagnostics
