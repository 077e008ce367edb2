"""Looks and tellings of the describer dam on tiny checkpoints: whatever runs beside or ran before, the text is that of
a region that is alone."""
from __future__ import annotations

from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='the model needs torch')

from dam_ros.core.describing import BRIEF, FULL, Query   # noqa: E402
from dam_ros.core.errors import DescriberFailed, InvalidRequest   # noqa: E402
from dam_ros.describers.dam import DamTelling   # noqa: E402
from dam_ros.model import generation   # noqa: E402
from model_rig import describer, drive, every_shape, ids, look, subject, text, told, watch   # noqa: E402

QUERIES = (Query(max_tokens=24), Query('What colour is it?', max_tokens=17), Query(detail=BRIEF, max_tokens=9),
           Query('é 数 🙂', max_tokens=1), Query(detail=FULL, max_tokens=30),
           Query(max_tokens=20, temperature=1.0, seed=3), Query('Why?', max_tokens=12, temperature=0.5, top_p=0.9),
           Query('What is it made of, and who would use it for what, and where?', max_tokens=24))


@every_shape
def test_cached_decode_equals_full_forward(shape: str, monkeypatch: pytest.MonkeyPatch):
    ours = describer(shape)
    dam = ours._dam
    chosen_from = watch(monkeypatch, dam, 'logits')
    tokens = watch(monkeypatch, dam, 'image_tokens')
    telling = ours.begin(look(ours, 1), Query(max_tokens=12))
    written = ids(drive(ours, [telling])[0])
    logits = torch.cat([result for _, result in chosen_from])
    prompt = torch.cat([dam.embed(telling.prompt.before[0]), tokens[0][1][0], dam.embed(telling.prompt.behind)])
    assert len(written) == len(logits) > 1
    for count in range(len(written)):
        given = torch.cat([prompt, dam.embed(written[:count])])
        full = dam.logits(dam.read([given], [dam.cache(len(given))]))[0]
        torch.testing.assert_close(logits[count], full, atol=2e-5, rtol=0)
        assert int(full.argmax()) == written[count]


@every_shape
def test_a_second_question_equals_a_fresh_look(shape: str):
    ours = describer(shape)
    one = look(ours, 2)
    for query in (*QUERIES[:3], QUERIES[0]):
        again = told(ours, one, query)
        assert again == told(ours, look(ours, 2), query)


def test_brief_and_detail_are_two_tells_of_one_look(monkeypatch: pytest.MonkeyPatch):
    """The second reads its own words only: no vision, nothing before the end of the picture."""
    ours = describer()
    passes = [watch(monkeypatch, ours._dam, name) for name in ('context_features', 'focused_features', 'image_tokens')]
    reads = watch(monkeypatch, ours._dam, 'read')
    one = look(ours, 3)
    counts = []
    for query in (Query(detail=BRIEF, max_tokens=6), Query(detail=FULL, max_tokens=6), Query('Why?', max_tokens=6)):
        reads.clear()
        telling = ours.begin(one, query)
        written = ids(drive(ours, [telling])[0])
        read = sum(len(part) for (inputs, _), _ in reads for part in inputs)
        counts.append(read - len(telling.prompt.behind) - len(written) + 1)
    assert [len(seen) for seen in passes] == [1, 1, 1]
    assert counts == [len(telling.prompt.before[0]) + ours._dam.config.image_tokens, 0, 0]


def test_a_question_in_the_middle_of_another_text():
    ours = describer()
    one = look(ours, 4)
    alone = [told(ours, look(ours, 4), query) for query in QUERIES[:3]]
    first = ours.begin(one, QUERIES[0])
    joined = drive(ours, [first], {6: lambda: [ours.begin(one, QUERIES[1])], 9: lambda: [ours.begin(one, QUERIES[2])]})
    assert [text(one) for one in joined] == [text(one) for one in alone]


@every_shape
def test_batch_equals_single_and_newcomers_join_anywhere(shape: str):
    ours = describer(shape)
    wanted = [(seed, query) for seed, query in enumerate(QUERIES)] + [(0, QUERIES[1]), (3, QUERIES[0])]
    alone = [told(ours, look(ours, seed), query) for seed, query in wanted]
    random = np.random.default_rng(5)
    for steps in ([0] * len(wanted), random.integers(0, 30, len(wanted)).tolist()):
        looks = ours.look([subject(seed) for seed in range(len(QUERIES))])
        begun: dict[int, DamTelling] = {}

        def begin(step: int, steps=steps, looks=looks, begun=begun):
            for index, (seed, query) in enumerate(wanted):
                if steps[index] == step:
                    begun[index] = ours.begin(looks[seed], query)
                    yield begun[index]
        pieces = drive(ours, [], {step: partial(list, begin(step)) for step in steps})
        joined = [pieces[[*begun].index(index)] for index in range(len(wanted))]
        assert [ids(one) for one in joined] == [ids(one) for one in alone]
        assert [text(one) for one in joined] == [text(one) for one in alone]
        np.testing.assert_allclose([piece.probability for one in joined for piece in one],
                                   [piece.probability for one in alone for piece in one], atol=1e-5)


@pytest.mark.parametrize('stop_at', [0, 1, 2, 3, 4, 7, 12])
def test_stop_in_any_stage_leaves_the_others_right(stop_at: int, monkeypatch: pytest.MonkeyPatch):
    """Before the vision passes, between them, while the prefix is read, while its own words are, while it writes."""
    monkeypatch.setattr(generation, 'CHUNK', 64)
    ours = describer()
    kept = [told(ours, look(ours, 6), QUERIES[0]), told(ours, look(ours, 7), QUERIES[1])]
    shared, other = ours.look([subject(6), subject(7)])
    stopped, *others = [ours.begin(shared, QUERIES[4]), ours.begin(shared, QUERIES[0]), ours.begin(other, QUERIES[1])]

    pieces = drive(ours, [stopped, *others], {stop_at: stopped.stop})
    assert [text(one) for one in pieces[1:]] == [text(one) for one in kept]
    assert not any(piece.last for piece in pieces[0])
    assert text(told(ours, shared, QUERIES[0])) == text(kept[0])


def test_all_stopped_between_the_passes_and_asked_again():
    ours = describer()
    for steps in range(4):
        one = look(ours, 8)
        telling = ours.begin(one, QUERIES[0])
        for _ in range(steps):
            ours.step()
        telling.stop()
        assert ours.step() == []
        assert told(ours, one, QUERIES[0]) == told(ours, look(ours, 8), QUERIES[0])


@pytest.mark.parametrize('chunk', [1, 7, 64])
def test_prefill_in_chunks_equals_whole(chunk: int, monkeypatch: pytest.MonkeyPatch):
    ours = describer('two keys for eight heads')
    query = QUERIES[7]
    chosen_from = watch(monkeypatch, ours._dam, 'logits')
    whole = told(ours, look(ours, 9), query)
    expected = torch.cat([result for _, result in chosen_from])
    chosen_from.clear()
    monkeypatch.setattr(generation, 'CHUNK', chunk)
    pieces = told(ours, look(ours, 9), query)
    torch.testing.assert_close(torch.cat([result for _, result in chosen_from]), expected, atol=2e-5, rtol=0)
    assert ids(pieces) == ids(whole) and text(pieces) == text(whole)


def test_writers_get_a_token_in_every_step_while_a_newcomer_reads(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(generation, 'CHUNK', 8)
    ours = describer()
    writer = ours.begin(look(ours, 10), Query(max_tokens=60, temperature=1.0, seed=2))
    while not any(owner is writer for owner, _ in ours.step()):
        pass
    newcomer = ours.begin(look(ours, 11), QUERIES[0])
    waited = 0
    while newcomer.running and not newcomer.written:
        got = [owner for owner, _ in ours.step()]
        assert writer in got or not writer.running
        waited += 1
    assert waited > 5
    newcomer.stop()
    writer.stop()


def test_a_look_that_is_closed_under_a_telling_fails_it_and_nobody_else():
    ours = describer()
    gone, stays = ours.look([subject(12), subject(13)])
    alone = told(ours, look(ours, 13), QUERIES[0])
    lost, kept = ours.begin(gone, QUERIES[0]), ours.begin(stays, QUERIES[0])
    gone.close()
    pieces = drive(ours, [lost, kept])
    assert isinstance(pieces[0][-1].failure, DescriberFailed)
    assert pieces[1] == alone


def test_a_look_keeps_no_pictures_and_few_prefixes():
    ours = describer()
    one = look(ours, 14)
    for number in range(5):
        told(ours, one, Query(f'{number} <image> {number}', raw=True, max_tokens=2))
    assert all(picture.squares is None and picture.context is None for picture in one.pictures)
    assert len(one.prefixes) == 2
    one.close()
    assert not one.pictures and not one.prefixes
    with pytest.raises(DescriberFailed, match='closed'):
        ours.begin(one, QUERIES[0])


def test_a_prompt_that_does_not_fit_is_refused_and_the_next_is_answered():
    ours = describer()
    one = look(ours, 15)
    most = ours._dam.config.language.most_input
    with pytest.raises(InvalidRequest, match=f'context of {most}'):
        ours.begin(one, Query('word ' * most))
    assert told(ours, one, QUERIES[1])[-1].last
