"""Scenes of the describer dam, and who asks while one runs; what looks take in memory and share."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

torch = pytest.importorskip('torch', reason='the model needs torch')

from dam_ros.core.describing import Query   # noqa: E402
from dam_ros.core.errors import OutOfMemory   # noqa: E402
from dam_ros.describers import dam as describer_dam   # noqa: E402
from dam_ros.describers.dam import DamDescriber, DamTelling   # noqa: E402
from model_rig import describer, drive, ids, look, SHAPES, subject, text, told, watch   # noqa: E402
from tiny_dam import checkpoint   # noqa: E402

REGION = Query(max_tokens=24)
QUESTION = Query('What is it made of?', max_tokens=12, urgent=True)
SCENE = range(30, 38)   # eight regions


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[DamDescriber]:
    """A layer of vision, or 16 tokens, per step: as with weights that take seconds."""
    ours = describer()
    monkeypatch.setattr(describer_dam, '_SLICE_S', 0.0)
    monkeypatch.setattr(ours, '_chunk', 16)
    yield ours
    stop(ours._tellings)


def begin_scene(ours: DamDescriber) -> list[DamTelling]:
    return [ours.begin(one, REGION) for one in ours.look([subject(seed) for seed in SCENE])]


def steps_until(ours: DamDescriber, true: Callable[[], object]) -> int:
    for step in range(2000):
        if true():
            return step
        ours.step()
    raise AssertionError('it never came')


def stop(tellings: Sequence[DamTelling]) -> None:
    for one in tellings:
        one.stop()


def steps_to_first(ours: DamDescriber, telling: DamTelling) -> int:
    steps = steps_until(ours, lambda: telling.written)
    telling.stop()
    return steps


@pytest.mark.parametrize('into', [0, 1, 3, 20, 60])
def test_who_asks_while_a_scene_runs_waits_as_long_as_alone(slow: DamDescriber, into: int):
    """In the midst of a pass, of reading, of writing; what the scene still has to see and read comes later."""
    told(slow, look(slow, 40), REGION)   # the words before the picture are known
    alone = steps_to_first(slow, slow.begin(look(slow, 41), QUESTION))
    waited = {}
    for urgent in (True, False):
        scene = begin_scene(slow)
        for _ in range(into):
            slow.step()
        assert any(one.written == 0 for one in scene), 'there is something to go before'
        waited[urgent] = steps_to_first(slow, slow.begin(look(slow, 41), replace(QUESTION, urgent=urgent)))
        stop(scene)
    assert waited[True] == alone < waited[False]


@pytest.mark.parametrize('into', [2, 30, 120])
def test_a_question_leaves_the_texts_of_the_scene_as_they_are(slow: DamDescriber, into: int):
    alone = [ids(told(slow, look(slow, seed), REGION)) for seed in SCENE]
    asked = ids(told(slow, look(slow, 41), QUESTION))
    again = ids(told(slow, look(slow, 33), QUESTION))
    tellings = begin_scene(slow)
    pieces = drive(slow, tellings, {into: lambda: [slow.begin(look(slow, 41), QUESTION)],
                                    into + 9: lambda: [slow.begin(tellings[3].look, QUESTION)]})
    assert [ids(one) for one in pieces] == [*alone, asked, again]


def test_a_scene_is_written_together_and_does_not_stand_still_for_long(monkeypatch: pytest.MonkeyPatch):
    """Each step that writes reads all weights: the fewer, the sooner all are there."""
    ours = describer()
    monkeypatch.setattr(describer_dam, '_SLICE_S', 0.0)
    monkeypatch.setattr(ours, '_chunk', 64)
    counts = {}
    for pause_s in (100.0, 0.0):
        monkeypatch.setattr(describer_dam, '_PAUSE_S', pause_s)
        scene, writing = begin_scene(ours), 0
        while any(one.running for one in scene):
            wrote = [owner for owner, _ in ours.step()]
            writing += bool(wrote)
            if pause_s and any(one.running and one.text is None for one in scene):
                assert all(one.written == 1 for one in wrote), 'only what was just read gets its first token'
        counts[pause_s] = writing
    assert counts[100.0] < counts[0.0]


def test_the_words_before_the_picture_are_read_once_for_all_looks(monkeypatch: pytest.MonkeyPatch):
    ours = describer('joint')
    reads = watch(monkeypatch, ours._dam, 'read')
    raw = [Query(f'{number} <image> {number}', raw=True, max_tokens=1) for number in range(4)]

    def words_read(query: Query) -> int:
        reads.clear()
        told(ours, look(ours, 44), query)
        return sum(len(part) for (inputs, _), _ in reads for part in inputs) - ours._dam.config.image_tokens

    first, second = words_read(raw[0]), words_read(raw[0])
    telling = ours.begin(look(ours, 44), raw[0])
    telling.stop()
    assert first == len(telling.prompt.before[0]) + len(telling.prompt.behind)
    assert second == len(telling.prompt.behind)
    for query in raw:
        words_read(query)
    assert words_read(raw[3]) < words_read(raw[0]), 'two of them are kept'


def test_eight_openings_at_once_are_all_read_though_two_are_kept():
    ours = describer()
    raw = [Query(f'{number} <image> {number}', raw=True, max_tokens=6) for number in range(8)]
    alone = [told(ours, look(ours, seed), query) for seed, query in zip(SCENE, raw)]
    together = drive(ours, [ours.begin(look(ours, seed), query) for seed, query in zip(SCENE, raw)])
    assert [text(one) for one in together] == [text(one) for one in alone]


# -- memory

def held(one) -> int:
    """Bytes of all tensors behind a look."""
    pictures = [part for picture in one.pictures for part in (picture.squares, picture.context, picture.tokens)]
    read = [part for prefix in one.prefixes.values() for part in (prefix.cache, prefix.given)]
    return sum(part.nbytes for part in (*pictures, *read) if part is not None)


def test_a_look_knows_what_it_takes(slow: DamDescriber):
    one = look(slow, 45)
    sizes = [one.nbytes]
    telling = slow.begin(one, REGION)
    while telling.running:
        slow.step()
        assert one.nbytes == held(one)
        sizes.append(one.nbytes)
    width = slow._dam.config.language
    cache = 2 * width.layers * width.kv_heads * width.head_dim * 4
    tokens = len(telling.prompt.before[0]) + slow._dam.config.image_tokens
    assert sizes[-1] == cache * tokens + slow._dam.config.image_tokens * width.hidden * 4
    assert len(set(sizes)) > 3, 'it changes on the way'
    one.close()
    assert one.nbytes == 0


def test_batches_of_vision_halve_until_they_fit(monkeypatch: pytest.MonkeyPatch):
    """As on a GPU, where all regions are seen in one pass."""
    ours = describer_dam.create({'model': str(checkpoint(**SHAPES['usual'])), 'device': 'cpu'})
    alone = [told(ours, look(ours, seed), REGION) for seed in SCENE]
    ours._seeing._batch = 8
    real, sizes = ours._dam.context_pass, []

    def little_memory(squares):
        sizes.append(len(squares))
        if len(squares) > most:
            raise RuntimeError('CUDA out of memory. Tried to allocate 2 GiB')
        return real(squares)
    monkeypatch.setattr(ours._dam, 'context_pass', little_memory)
    most = 2
    assert [ids(one) for one in drive(ours, begin_scene(ours))] == [ids(one) for one in alone]
    assert sizes == [8, 4, 2, 2, 2, 2]
    most = 0
    pieces = drive(ours, begin_scene(ours))
    assert all(isinstance(one[-1].failure, OutOfMemory) for one in pieces)
    most = 8
    assert told(ours, look(ours, SCENE[0]), REGION) == alone[0]


def test_a_pass_that_nobody_waits_for_is_given_up(slow: DamDescriber):
    writer = slow.begin(look(slow, 46), Query(max_tokens=60, temperature=1.0, seed=2))
    steps_until(slow, lambda: writer.written)
    seen = slow.begin(look(slow, 47), REGION)
    slow.step()
    assert slow._seeing._passes
    seen.stop()
    slow.step()
    assert not slow._seeing._passes
    writer.stop()
