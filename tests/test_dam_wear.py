"""What use leaves behind in a worker with the model: hundreds of requests of every kind, and its memory after them."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('torch', reason='the model needs torch')

from dam_ros.core.describing import BRIEF, FULL   # noqa: E402
from dam_ros.core.encoded import Encoded   # noqa: E402
from dam_ros.core.masks import StoredMask   # noqa: E402
from dam_ros.engine.schedule import ASKED, SCENE, Work   # noqa: E402
from engine_rig import Heard, Rig, running, until, work   # noqa: E402
from tiny_dam import options   # noqa: E402

ROUND = 20   # requests in a round


def photo(seed: int) -> Work:
    random = np.random.default_rng(seed)
    height, width = (int(one) for one in random.integers(40, 200, 2))
    mask = np.zeros((height, width), bool)
    mask[:height // 2, :width // 3] = True
    return work((random.integers(0, 256, (height, width, 3)).astype(np.uint8), mask))


def damaged() -> Work:
    return Work(((Encoded(b'no picture'), StoredMask(np.ones((40, 50), bool))),))


def one_round(rig: Rig, seed: int) -> None:
    """Looks, questions about them, what cannot be answered, stops in every stage, scenes and questions beside them."""
    def ask(number: int, **more) -> Heard:
        return rig.ask(look=f'{seed} {number}', about=photo(seed + number), **{'max_tokens': 12, **more})

    heard = [ask(0), ask(1, detail=BRIEF), ask(2, spoken=True), ask(3, temperature=1.0, seed=seed)]
    for one in heard:
        one.end(60.0)
    heard += [ask(0, question='Why?'), ask(1, question='Who?', urgency=ASKED), ask(2, detail=FULL)]
    stopped = [ask(4 + index, max_tokens=200) for index in range(4)]
    bad = [rig.ask(about=damaged()), rig.ask(look='x', question='no place', raw=True), rig.ask(question='a ' * 5000),
           ask(9, language='de')]
    late = ask(10, max_tokens=2000, timeout_s=0.05)   # or not, where it finds an early end
    for index, one in enumerate(stopped):
        until(lambda one=one, phase=('queued', 'looking', 'writing', 'writing')[index]:
              phase in one.phases or one.ends, 'a stage', 60.0)
        rig.cancel(one.request.id)
    scene = rig.ask(urgency=SCENE, units=[rig.unit(look=f'{seed} s{number}', max_tokens=16,
                                                   about=photo(seed + 50 + number))
                                          for number in range(10)], timeout_s=60.0)
    last = [ask(11, urgency=ASKED, question='Now?'), ask(0, question='Where?'), ask(12, urgency=SCENE)]
    everything = [*heard, *stopped, *bad, late, scene, *last]
    for one in everything:
        one.end(60.0)
    assert [one.code for one in (*heard, scene, *last)] == [0] * (len(heard) + 1 + len(last))
    assert all(one.code for one in bad)
    assert len(everything) == ROUND
    rig.all.clear()


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    for name in ('OMP_NUM_THREADS', 'NUMBA_NUM_THREADS'):   # networks so small wait for their threads, mostly
        monkeypatch.setenv(name, '1')
    with running('dam', options(), looks_mb=1.0, queue=64) as rig:
        until(lambda: rig.engine.status.state == 'ready', 'a worker with torch', 60.0)
        yield rig


def as_much_as_it_takes(rig: Rig) -> None:
    """Many long texts at once, so that it is no chance when memory is highest: the worker keeps what it frees."""
    for round_ in range(3):
        full = [rig.ask(look=f'full {round_} {number}', about=photo(number), max_tokens=2000, timeout_s=1.0)
                for number in range(16)]
        for one in full:
            one.end(60.0)
    rig.all.clear()


def worker_kb(rig: Rig) -> int:
    status = Path(f'/proc/{rig.engine.status.pid}/status').read_text()
    return int(next(line for line in status.splitlines() if line.startswith('RssAnon')).split()[1])


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_memory_is_flat_over_a_thousand_mixed_requests(rig: Rig):
    pid = rig.engine.status.pid
    as_much_as_it_takes(rig)
    for index in range(40):
        one_round(rig, 1000 * index)
    before = worker_kb(rig)
    for index in range(50):
        one_round(rig, 100_000 + 1000 * index)
    until(lambda: worker_kb(rig) <= 1.01 * before, f'at most 1 % more than {before} kB')
    until(lambda: rig.engine.status.looks_bytes <= 1e6, 'the bound of the looks')
    assert rig.engine.status.pid == pid


def test_a_round_of_all_of_them_works(rig: Rig):
    one_round(rig, 0)
