"""The looks that a worker keeps: which leave when there are too many, or when they take too much."""
from __future__ import annotations

from collections.abc import Iterator
import time
from types import SimpleNamespace

import pytest

from dam_ros.engine.looks import Looks
from engine_rig import Rig, running, until


class Weighty:
    """A look of so many bytes."""

    def __init__(self, nbytes: int):
        self.nbytes, self.open = nbytes, True

    def close(self) -> None:
        assert self.open, 'closed twice'
        self.open = False


def kept(most: int = 99, most_bytes: float = 1e9, *sizes: int) -> tuple[Looks, list[Weighty]]:
    """Looks called '0', '1', ... of these sizes."""
    looks, all_of_them = Looks(most, most_bytes), [Weighty(size) for size in sizes]
    for index, one in enumerate(all_of_them):
        looks.keep(str(index), one)
        looks.bound([one])
    return looks, all_of_them


def open_ones(all_of_them: list[Weighty]) -> list[int]:
    return [index for index, one in enumerate(all_of_them) if one.open]


def test_the_least_recently_used_leave_when_there_are_too_many():
    looks, all_of_them = kept(3, 1e9, 1, 1, 1)
    assert looks.take('0') is all_of_them[0]
    looks.keep('new', Weighty(1))
    looks.bound([])
    assert open_ones(all_of_them) == [0, 2] and looks.take('1') is None
    assert looks.size == (3, 3)


def test_as_many_leave_as_take_too_much():
    looks, all_of_them = kept(99, 100, 40, 30, 20)
    assert looks.size == (3, 90) and open_ones(all_of_them) == [0, 1, 2]
    new = Weighty(75)
    looks.keep('new', new)
    looks.bound([new])
    assert open_ones(all_of_them) == [2] and new.open
    assert looks.size == (2, 95)


def test_a_look_that_grows_is_weighed_again_and_pushes_others_out():
    looks, all_of_them = kept(99, 100, 30, 30, 30)
    all_of_them[2].nbytes = 60
    looks.weigh('2')
    assert looks.size == (3, 120)
    looks.bound([all_of_them[2]])
    assert open_ones(all_of_them) == [1, 2] and looks.size == (2, 90)


def test_what_is_in_use_stays_until_it_is_not():
    looks, all_of_them = kept(99, 100, 60, 60)
    assert open_ones(all_of_them) == [1], 'the second alone was in use'
    looks.keep('more', more := Weighty(70))
    looks.bound([all_of_them[1], more])
    assert looks.size == (2, 130)
    looks.bound([more])
    assert not all_of_them[1].open and looks.size == (1, 70)
    more.nbytes = 300
    looks.weigh('more')
    looks.bound([])
    assert looks.size == (0, 0) and not more.open, 'larger than all that is allowed'


def test_a_look_that_does_not_say_what_it_takes_takes_nothing():
    looks = Looks(2, 0)
    for index in range(3):
        looks.keep(str(index), SimpleNamespace(close=lambda: None))
        looks.bound([])
    assert looks.size == (2, 0)


def test_all_idle_ones_are_dropped_when_memory_runs_out():
    looks, all_of_them = kept(99, 1e9, 1, 2, 4)
    looks.drop([all_of_them[1]])
    assert open_ones(all_of_them) == [1] and looks.size == (1, 2)
    looks.drop([])
    assert looks.size == (0, 0)
    looks.weigh('1')


# -- in a real worker, with the model

@pytest.fixture(scope='module')
def rig() -> Iterator[Rig]:
    """A look of the tiny model takes 353 kB, and 137 kB when it was told about: a new one fits beside two of these."""
    pytest.importorskip('torch', reason='the model needs torch')
    from tiny_dam import options
    with running('dam', options(), looks_mb=0.7) as rig:
        until(lambda: rig.engine.status.state == 'ready', 'a worker with torch', 60.0)
        yield rig


def test_a_worker_bounds_the_memory_of_its_looks_and_says_what_they_take(rig: Rig):
    def looked(name: str) -> bool:
        return rig.ask(look=name, max_tokens=4).end().outcome.look_s > 0

    def bytes_of(count: int) -> int:
        """As soon as they are seen and told about: their pictures, which take more, are not kept."""
        status = until(lambda: rig.engine.status.looks == count
                       and 0.1e6 * count < rig.engine.status.looks_bytes < 0.15e6 * count
                       and rig.engine.status, f'{count} looks')
        return status.looks_bytes
    assert looked('look 0')
    each = bytes_of(1)
    assert [looked(f'look {index}') for index in (1, 2, 3)] == [True] * 3
    assert bytes_of(3) == 3 * each <= 0.7e6
    assert [looked(f'look {index}') for index in (3, 2, 1, 0)] == [False, False, False, True], 'the first had left'


def test_it_says_so_a_few_times_per_second(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    said: list[float] = []
    care = rig.engine._care
    real = care._tell

    def tell(**changes) -> None:
        if 'looks' in changes:
            said.append(time.monotonic())
        real(**changes)
    monkeypatch.setattr(care, '_tell', tell)
    begun, index = time.monotonic(), 0
    while time.monotonic() - begun < 1.5:
        rig.ask(look=f'short {index}', max_tokens=1).end()
        index += 1
    until(lambda: said, 'a word')
    assert len(said) <= 1 + (time.monotonic() - begun) / 0.25
