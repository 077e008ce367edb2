"""Who is next: pure bookkeeping, no clock, thread or process."""
from __future__ import annotations

import numpy as np
import pytest

from dam_ros.core.errors import Busy, InvalidRequest
from dam_ros.engine.schedule import ASKED, CALLED, SCENE, TOLD, Request, Schedule, Unit


class Book:
    """A schedule and short names for what is in it."""

    def __init__(self, queue: int = 16):
        self.schedule = Schedule(queue)

    def admit(self, id: str, urgency: int = CALLED, units: int = 1, slot: str = '', camera: str = '') -> Request:
        request = Request(id, slot, urgency, 0.0, 1.0, None, camera)
        self.superseded = self.schedule.admit(request, 1.5)
        request.give([Unit(f'{id}.{index}', None, 'look', []) for index in range(units)])
        return request

    def start(self) -> str:
        unit = self.schedule.next_unit()
        self.schedule.start(unit)
        return unit.id

    @property
    def next(self) -> str | None:
        unit = self.schedule.next_unit()
        return unit.id if unit else None

    @property
    def preempted(self) -> str | None:
        unit = self.schedule.to_preempt()
        return unit.id if unit else None


def test_nothing_to_do():
    book = Book()
    assert (book.next, book.preempted, book.schedule.counts()) == (None, None, (0, 0))
    book.admit('waits for its picture', units=0)
    assert (book.next, book.schedule.counts()) == (None, (1, 0))


def test_cameras_take_turns():
    book = Book()
    for number in range(3):
        book.admit(f'front {number}', camera='front')
    book.admit('left', units=2, camera='left')
    book.admit('asked', ASKED, camera='front')
    assert [book.start() for _ in range(6)] == ['asked.0', 'left.0', 'front 0.0', 'left.1', 'front 1.0', 'front 2.0']


def test_urgency_then_arrival_then_order_of_units():
    book = Book()
    for id, urgency in (('told', TOLD), ('scene', SCENE), ('call 1', CALLED), ('call 2', CALLED), ('asked', ASKED)):
        book.admit(id, urgency, units=2 if id == 'scene' else 1)
    assert [book.start() for _ in range(6)] == ['asked.0', 'call 1.0', 'call 2.0', 'scene.0', 'scene.1', 'told.0']
    assert book.next is None


def test_one_without_units_does_not_block_what_came_later():
    book = Book()
    book.admit('no picture yet', ASKED, units=0)
    book.admit('b')
    assert book.next == 'b.0'


def test_the_queue_counts_what_has_not_begun():
    book = Book(queue=2)
    book.admit('a', units=3)
    book.start()
    book.admit('b')
    book.admit('c', units=0)
    assert book.schedule.counts() == (2, 1)
    with pytest.raises(Busy, match='full with 2 requests') as caught:
        book.admit('d')
    assert caught.value.retry_after_s == 1.5
    assert [book.start() for _ in range(3)] == ['a.1', 'a.2', 'b.0']
    book.admit('d')
    with pytest.raises(Busy):
        book.admit('e')


def test_an_id_in_use():
    book = Book(queue=1)
    first = book.admit('a')
    with pytest.raises(InvalidRequest, match="^id is 'a'"):
        book.admit('a')
    book.schedule.remove(first)
    assert not first.open
    book.admit('a')


def test_removing_an_older_one_of_the_same_id_leaves_the_newer():
    book = Book()
    first = book.admit('a')
    book.schedule.remove(first)
    second = book.admit('a')
    book.schedule.remove(first)
    assert list(book.schedule) == [second]


def test_slots():
    book = Book(queue=1)
    first = book.admit('a', slot='gaze')
    book.admit('b', slot='gaze')
    assert book.superseded == [first], 'and it takes its place in a queue that is full'
    book.schedule.remove(first)
    with pytest.raises(Busy):
        book.admit('c', slot='other')
    assert len(list(book.schedule)) == 1, 'what is refused ends nobody'
    with pytest.raises(Busy):
        book.admit('c', slot='')


def test_an_empty_slot_is_none():
    book = Book()
    book.admit('a')
    book.admit('b')
    assert book.superseded == []


def test_find():
    book = Book()
    first, second = book.admit('a', units=2), book.admit('b')
    assert book.schedule.find('a') == book.schedule.find('a.1') == [first]
    assert book.schedule.find('') == [first, second]
    assert book.schedule.find('c') == []


@pytest.mark.parametrize('running', range(4))
@pytest.mark.parametrize('waiting', range(4))
def test_only_what_nobody_waits_for_makes_room(running: int, waiting: int):
    book = Book()
    book.admit('running', running)
    book.start()
    assert book.preempted is None, 'nothing waits'
    book.admit('waiting', waiting)
    stops = running in (SCENE, TOLD) and waiting < running
    assert book.preempted == ('running.0' if stops else None)


def test_the_least_urgent_and_newest_makes_room():
    book = Book()
    for id, urgency in (('told 1', TOLD), ('told 2', TOLD), ('scene', SCENE)):
        book.admit(id, urgency, units=2)
    for _ in range(6):
        book.start()
    book.admit('asked', ASKED)
    assert book.preempted == 'told 2.1'


def test_how_many_come_before():
    book = Book()
    running = book.admit('running', TOLD)
    book.start()
    told, call, asked = book.admit('told', TOLD), book.admit('call'), book.admit('asked', ASKED)
    assert [book.schedule.ahead(one) for one in (running, asked, call, told)] == [2, 1, 2, 3]


def test_random_order_never_loses_a_unit_and_keeps_urgency():
    random = np.random.default_rng(16)
    for _ in range(100):
        book = Book(queue=100)
        wanted = []
        for index in range(random.integers(1, 20)):
            urgency, units = int(random.integers(4)), int(random.integers(0, 4))
            book.admit(str(index), urgency, units)
            wanted += [(urgency, index, unit) for unit in range(units)]
        started = []
        while book.next is not None:
            started.append(book.start())
        assert started == [f'{index}.{unit}' for _, index, unit in sorted(wanted)]
