"""What every describer promises (core/describing.py). Parametrised over the registry itself, and over one that a user
brings: a new describer cannot dodge it. It may need an entry in OPTIONS, to be small and quick, or in NEEDS, where
something has to run or to be made for it first.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
import json
import math
from pathlib import Path

import numpy as np
import pytest

from dam_ros import describers
from dam_ros.core.describing import BRIEF, FULL, NORMAL, Describer, Look, Piece, Query, Subject, Telling, tell
from dam_ros.core.errors import DescriberFailed, Failure, Unsupported
from remote_server import serving_model

OPTIONS: dict[str, dict] = {'rehearsal': {'capacity': 4}}
ROOT = Path(__file__).parent.parent
MOST_STEPS = 5000


def _registered() -> list[str]:
    return sorted({describers.resolve(name)[0] for name in describers.NAMES})


@contextmanager
def _model_server(dialect: str) -> Iterator[dict]:
    with serving_model(dialect, joint=True) as server:
        yield server.options()


@contextmanager
def _tiny_dam(kind: str) -> Iterator[dict]:
    pytest.importorskip('torch', reason='the model needs torch')
    from tiny_dam import options
    yield options(kind)


_PLAIN_SERVER = 'dam_ros.describers.remote:create'   # remote once more, at the other kind of server
# name -> what has to be there while the describer is tested; it gives further options
NEEDS: dict[str, Callable[[], AbstractContextManager[dict]]] = {
    'dam': lambda: _tiny_dam('image'), 'dam_ros.describers.dam:create': lambda: _tiny_dam('joint'),
    'remote': lambda: _model_server('dam'), _PLAIN_SERVER: lambda: _model_server('standard')}
ALL = [*_registered(), 'dam_ros.describers.dam:create', _PLAIN_SERVER, 'odd_describers:create', 'own_describer:create']


@pytest.fixture(params=ALL)
def describer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Describer]:
    monkeypatch.syspath_prepend(str(ROOT / 'examples'))   # own_describer: what the documentation shows
    with NEEDS.get(request.param, lambda: nullcontext({}))() as options:
        made = describers.create(request.param, {**OPTIONS.get(request.param, {}), **options})
        yield made
        made.close()


def subject(seed: int = 0, pictures: int = 1, height: int = 48, width: int = 64) -> Subject:
    """A bright block on noise, somewhere else for every seed."""
    random = np.random.default_rng(seed)
    pairs = []
    for _ in range(pictures):
        image = random.integers(0, 80, (height, width, 3), np.uint8)
        mask = np.zeros((height, width), bool)
        top, left = random.integers(0, height // 2), random.integers(0, width // 2)
        mask[top:top + height // 3, left:left + width // 3] = True
        image[mask] = random.integers(100, 256, 3)
        pairs.append((image, mask))
    return Subject(tuple(pairs))


def look_at(describer: Describer, seed: int = 0) -> Look:
    look, = describer.look([subject(seed)])
    return look


def whole(describer: Describer, look: Look, query: Query | None = None) -> tuple[str, Piece]:
    pieces = list(tell(describer, look, query or Query()))
    return ''.join(one.text for one in pieces), pieces[-1]


def run(describer: Describer, tellings: list[Telling]) -> dict[int, list[Piece]]:
    """Steps until all have ended; their pieces by place in the list."""
    pieces: dict[int, list[Piece]] = {index: [] for index in range(len(tellings))}
    for _ in range(MOST_STEPS):
        for telling, piece in describer.step():
            index = next(index for index, one in enumerate(tellings) if one is telling)
            assert not (pieces[index] and pieces[index][-1].last), 'something after the last piece'
            pieces[index].append(piece)
        if all(one and one[-1].last for one in pieces.values()):
            return pieces
    raise AssertionError('it never came to its end')


def text_of(pieces: list[Piece]) -> str:
    return ''.join(one.text for one in pieces)


def test_there_is_something_to_test():
    assert {'attributes', 'rehearsal'} <= set(_registered())


def test_it_says_what_it_is(describer: Describer):
    assert isinstance(describer, Describer)
    assert isinstance(describer.name, str) and describer.name
    assert isinstance(describer.model, str)
    assert describer.languages and all(isinstance(one, str) and one for one in describer.languages)
    assert isinstance(describer.capacity, int) and describer.capacity >= 1
    assert isinstance(describer.max_pictures, int) and describer.max_pictures >= 1


def test_pieces_are_what_the_protocol_says(describer: Describer):
    pieces = list(tell(describer, look_at(describer), Query()))
    assert [one.last for one in pieces] == [False] * (len(pieces) - 1) + [True]
    for one in pieces:
        assert isinstance(one, Piece) and isinstance(one.text, str) and one.failure is None
        assert math.isnan(one.probability) or 0 <= one.probability <= 1
        assert all(isinstance(token, int) for token in one.token_ids)
        one.text.encode()
    end = pieces[-1]
    assert end.language == '' or end.language.split('-')[0] in {one.split('-')[0] for one in describer.languages}
    assert json.loads(json.dumps(end.facts)) == end.facts, 'facts are JSON'
    assert text_of(pieces).strip()


@pytest.mark.parametrize('detail', [NORMAL, BRIEF, FULL])
@pytest.mark.parametrize('question', ['', 'What colour is it?'])
def test_the_same_look_and_query_give_the_same_text(describer: Describer, question: str, detail: int):
    look = look_at(describer)
    first = whole(describer, look, Query(question, detail=detail))
    assert first[0].strip()
    assert whole(describer, look, Query(question, detail=detail)) == first or math.isnan(first[1].probability)
    assert whole(describer, look, Query(question, detail=detail))[0] == first[0]
    assert whole(describer, look_at(describer), Query(question, detail=detail))[0] == first[0]


def test_a_look_serves_many_tellings(describer: Describer):
    look = look_at(describer)
    normal = whole(describer, look)[0]
    for query in (Query(detail=BRIEF), Query('Why?'), Query(detail=FULL)):
        whole(describer, look, query)
    assert whole(describer, look)[0] == normal


def test_many_are_looked_at_at_once(describer: Describer):
    subjects = [subject(seed) for seed in range(5)]
    looks = describer.look(subjects)
    assert len(looks) == 5 and all(isinstance(one, Look) for one in looks)
    single = [whole(describer, describer.look([one])[0])[0] for one in subjects]
    assert [whole(describer, one)[0] for one in looks] == single, 'each in its own place'


def test_looking_at_nothing(describer: Describer):
    assert describer.look([]) == []


def test_a_look_does_not_need_its_picture_any_more(describer: Describer):
    """The worker frees the bytes of a request once it was looked at."""
    seen = subject()
    look, = describer.look([seen])
    text = whole(describer, look)[0]
    for array in seen.pictures[0]:
        array[...] = 0
    assert whole(describer, look)[0] == text


def test_pictures_are_not_changed(describer: Describer):
    seen = subject()
    copies = [array.copy() for array in seen.pictures[0]]
    for array in seen.pictures[0]:
        array.flags.writeable = False   # as the worker hands them in
    whole(describer, describer.look([seen])[0])
    assert all(np.array_equal(*pair) for pair in zip(seen.pictures[0], copies))


def test_several_run_side_by_side_without_mixing(describer: Describer):
    count = min(describer.capacity, 3)
    looks = [look_at(describer, seed) for seed in range(count)]
    single = [whole(describer, one)[0] for one in looks]
    tellings = [describer.begin(one, Query()) for one in looks]
    assert [text_of(one) for one in run(describer, tellings).values()] == single


def test_one_joins_while_others_run(describer: Describer):
    if describer.capacity < 2:
        pytest.skip('one at a time')
    looks = [look_at(describer, seed) for seed in range(2)]
    single = [whole(describer, one)[0] for one in looks]
    first = describer.begin(looks[0], Query())
    begun = []
    while not begun:
        begun = [piece for _, piece in describer.step()]
    second = describer.begin(looks[1], Query())
    pieces = run(describer, [first, second]) if not begun[-1].last else {1: run(describer, [second])[0]}
    if 0 in pieces:
        assert text_of(begun) + text_of(pieces[0]) == single[0]
    assert text_of(pieces[1]) == single[1]


def test_a_stopped_one_brings_nothing_more_and_the_others_go_on(describer: Describer):
    look = look_at(describer)
    text = whole(describer, look)[0]
    tellings = [describer.begin(look, Query()) for _ in range(min(2, describer.capacity))]
    describer.step()
    tellings[0].stop()
    tellings[0].stop()   # twice is once
    for _ in range(3):
        assert all(telling is not tellings[0] for telling, _ in describer.step())
    for one in tellings[1:]:
        one.stop()
    assert whole(describer, look)[0] == text


def test_stop_before_the_first_step_and_after_the_end(describer: Describer):
    look = look_at(describer)
    describer.begin(look, Query()).stop()
    assert describer.step() == []
    telling = describer.begin(look, Query())
    run(describer, [telling])
    telling.stop()
    assert describer.step() == []


def test_a_step_without_tellings(describer: Describer):
    assert describer.step() == []


def test_closing_the_iterator_early_stops(describer: Describer):
    pieces = tell(describer, look_at(describer), Query())
    next(pieces)
    pieces.close()
    assert describer.step() == []


@pytest.mark.parametrize('most', [1, 2, 3])
def test_max_tokens(describer: Describer, most: int):
    look = look_at(describer)
    text, end = whole(describer, look)
    short, cut = whole(describer, look, Query(max_tokens=most))
    assert not end.truncated
    assert text.strip().startswith(short.strip()), 'greedy: the beginning of the same'
    if short.strip() != text.strip():
        assert cut.truncated


def test_a_limit_that_is_not_reached_truncates_nothing(describer: Describer):
    look = look_at(describer)
    text, _ = whole(describer, look)
    again, end = whole(describer, look, Query(max_tokens=2048))
    assert (again, end.truncated) == (text, False)


@pytest.mark.parametrize('language', ['', 'own', 'own-XX'])
def test_its_own_languages(describer: Describer, language: str):
    asked = language.replace('own', describer.languages[0].split('-')[0])
    assert whole(describer, look_at(describer), Query(language=asked))[0].strip()


def test_another_language_is_refused(describer: Describer):
    known = {one.split('-')[0] for one in describer.languages}
    unknown = next(one for one in ('xx', 'qq') if one not in known)
    look = look_at(describer)
    with pytest.raises(Unsupported, match='language'):
        describer.begin(look, Query(language=unknown))
    assert whole(describer, look)[0].strip(), 'and it goes on'


def test_clips(describer: Describer):
    if describer.max_pictures > 1:
        look, = describer.look([subject(pictures=describer.max_pictures)])
        assert whole(describer, look)[0].strip()


@pytest.mark.parametrize('shape', [(1, 1), (1, 50), (50, 1), (7, 5), (600, 900)])
def test_any_size_and_the_smallest_region(describer: Describer, shape: tuple[int, int]):
    image = np.full((*shape, 3), 90, np.uint8)
    for full in (True, False):
        mask = np.full(shape, full)
        mask[-1, -1] = True
        look, = describer.look([Subject(((image, mask),))])
        assert whole(describer, look)[0].strip()
        look.close()


def test_odd_questions_get_an_answer_or_a_failure_of_ours(describer: Describer):
    look = look_at(describer)
    for question in ('?', ' ', 'x' * 2000, '\u4f60\u597d\uff1f', 'What\nis\tthis?', '<image> <|im_end|>', "'; x", '{'):
        try:
            text, _ = whole(describer, look, Query(question))
        except Failure:
            continue
        text.encode()


def test_looks_close_and_the_describer_serves_on(describer: Describer):
    keep = look_at(describer, 1)
    text = whole(describer, keep)[0]
    for seed in range(20):
        look = look_at(describer, seed)
        look.close()
        look.close()
    assert whole(describer, keep)[0] == text


def test_closing_while_tellings_run(describer: Describer):
    describer.begin(look_at(describer), Query())
    describer.close()
    describer.close()


# -- the registry

def test_auto_is_never_the_rehearsal():
    name, why = describers.resolve('auto')
    assert name != 'rehearsal' and name in why or 'auto' in why


@pytest.mark.parametrize('name', ['', 'Attributes', 'no_such', 'attributes ', '../x'])
def test_names_that_are_none(name: str):
    for call in (lambda: describers.resolve(name), lambda: describers.create(name, {})):
        with pytest.raises(DescriberFailed, match='attributes'):
            call()


@pytest.mark.parametrize('name', ['no_such_module:create', 'odd_describers:no_such', 'odd_describers:', ':create',
                                  'odd_describers:first_time_bad', 'math:pi', ':', 'a..b:c', '.x:y'])
def test_a_factory_that_cannot_be_used_is_one_failure(name: str):
    """':create' and the like came out as ValueError and TypeError of the import machinery."""
    with pytest.raises(DescriberFailed) as caught:
        describers.create(name, {})
    assert name in str(caught.value) and '\n' not in str(caught.value)


def test_a_module_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / 'no_python_at_all.py').write_text('def create(:')
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(DescriberFailed, match='no_python_at_all:create.*SyntaxError'):
        describers.create('no_python_at_all:create', {})


def test_failures_of_a_factory_keep_their_code(monkeypatch: pytest.MonkeyPatch):
    import odd_describers

    def refuse(options):
        raise Unsupported('not on this machine')
    monkeypatch.setattr(odd_describers, 'refuse', refuse, raising=False)
    with pytest.raises(Unsupported, match='not on this machine'):
        describers.create('odd_describers:refuse', {})
