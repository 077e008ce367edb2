"""Looks and tellings of the describer dam on tiny checkpoints: whatever runs beside or ran before, the text is that of
a region that is alone."""
from __future__ import annotations

from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='the model needs torch')

from dam_ros.core.describing import BRIEF, FULL, Query   # noqa: E402
from dam_ros.core.errors import DescriberFailed, InvalidRequest, OutOfMemory   # noqa: E402
from dam_ros.describers import dam as describer_dam   # noqa: E402
from dam_ros.describers.dam import DamTelling   # noqa: E402
from model_rig import describer, drive, every_shape, ids, look, subject, text, told, watch   # noqa: E402

QUERIES = (Query(max_tokens=24), Query('What colour is it?', max_tokens=17), Query(detail=BRIEF, max_tokens=9),
           Query('é 数 🙂', max_tokens=1), Query(detail=FULL, max_tokens=30),
           Query(max_tokens=20, temperature=1.0, seed=3), Query('Why?', max_tokens=12, temperature=0.5, top_p=0.9),
           Query('What is it made of, and who would use it for what, and where?', max_tokens=24))


@every_shape
def test_cached_decode_equals_full_forward(shape: str, monkeypatch: pytest.MonkeyPatch):
    ours = describer(shape)
    dam = ours._dam
    monkeypatch.setattr(ours, '_ends', set())   # random weights may end a text at once
    chosen_from = watch(monkeypatch, dam, 'logits', 'write')
    tokens = watch(monkeypatch, dam, 'image_tokens')
    telling = ours.begin(look(ours, 1), Query(max_tokens=12))
    written = ids(drive(ours, [telling])[0])
    logits = torch.cat([result for _, result in chosen_from])
    prompt = torch.cat([dam.embed(telling.prompt.before[0]), tokens[0][1][0], dam.embed(telling.prompt.behind)])
    assert len(written) == len(logits) > 1
    for count in range(len(written)):
        given = torch.cat([prompt, dam.embed(written[:count])])
        full = dam.logits(dam.read([given], [dam.cache(len(given))]))[0]
        torch.testing.assert_close(logits[count], full, atol=5e-5, rtol=0)
        assert int(full.argmax()) == written[count]


@every_shape
def test_a_second_question_equals_a_fresh_look(shape: str):
    ours = describer(shape)
    one = look(ours, 2)
    for query in (*QUERIES[:3], QUERIES[0]):
        again = told(ours, one, query)
        assert again == told(ours, look(ours, 2), query)


def test_brief_and_detail_are_two_tells_of_one_look(monkeypatch: pytest.MonkeyPatch):
    """The second reads its own words only: no vision, nothing before the end of the picture. What is said before the
    picture is known from other looks."""
    ours = describer()
    told(ours, look(ours, 4), Query(max_tokens=1))
    passes = [watch(monkeypatch, ours._dam, name) for name in ('context_pass', 'focused_pass', 'image_tokens')]
    reads = watch(monkeypatch, ours._dam, 'read')
    one = look(ours, 3)
    counts = []
    for query in (Query(detail=BRIEF, max_tokens=6), Query(detail=FULL, max_tokens=6), Query('Why?', max_tokens=6)):
        reads.clear()
        telling = ours.begin(one, query)
        drive(ours, [telling])
        read = sum(len(part) for (inputs, _), _ in reads for part in inputs)
        counts.append(read - len(telling.prompt.behind))
    assert [len(seen) for seen in passes] == [1, 1, 1]
    assert counts == [ours._dam.config.image_tokens, 0, 0]


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
    ours = describer()
    monkeypatch.setattr(ours, '_chunk', 64)
    monkeypatch.setattr(ours, '_ends', set())   # random weights may end a text before it is stopped
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
    chosen_from = watch(monkeypatch, ours._dam, 'logits', 'write')
    whole = told(ours, look(ours, 9), query)
    expected = torch.cat([result for _, result in chosen_from])
    chosen_from.clear()
    monkeypatch.setattr(ours, '_chunk', chunk)
    pieces = told(ours, look(ours, 9), query)
    torch.testing.assert_close(torch.cat([result for _, result in chosen_from]), expected, atol=5e-5, rtol=0)
    assert ids(pieces) == ids(whole) and text(pieces) == text(whole)


@pytest.mark.parametrize('urgent', [False, True])
def test_writers_get_a_token_in_every_step_while_a_newcomer_reads(urgent: bool, monkeypatch: pytest.MonkeyPatch):
    """Where somebody waits for them; others do where a step takes longer than they may stand still."""
    ours = describer()
    monkeypatch.setattr(ours, '_chunk', 8)
    monkeypatch.setattr(describer_dam, '_PAUSE_S', 100.0 if urgent else 0.0)
    writer = ours.begin(look(ours, 10), Query(max_tokens=60, temperature=1.0, seed=2, urgent=urgent))
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


def test_a_known_look_is_not_kept_waiting_by_those_that_point_elsewhere():
    """As long as there was something to look at, nobody's words were read."""
    ours = describer()
    known = look(ours, 15)
    told(ours, known, QUERIES[0])
    asked, newcomer = ours.begin(known, Query('Why?', max_tokens=4)), None
    for step in range(60):
        if step % 2 == 0:   # somebody points somewhere else before the last place was seen
            if newcomer is not None:
                newcomer.stop()
            newcomer = ours.begin(look(ours, 20 + step), QUERIES[0])
        ours.step()
        if asked.written:
            break
    assert asked.written and step < 10
    newcomer.stop()
    asked.stop()


def test_a_long_text_is_read_though_short_questions_keep_coming():
    """A clip's prefix needed a step without any other text to read."""
    ours = describer('joint')
    known = look(ours, 16)
    told(ours, known, QUERIES[0])
    clip = ours.begin(ours.look([subject(17, 8)])[0], Query(max_tokens=3))
    asked = []
    for _ in range(200):
        asked.append(ours.begin(known, Query('Why?', max_tokens=1)))
        ours.step()
        if clip.written:
            break
    assert clip.written
    for one in (clip, *asked):
        one.stop()


def test_what_fails_in_a_step_leaves_texts_as_they_were(monkeypatch: pytest.MonkeyPatch):
    """The prefix counted as longer, was read twice, and later texts about the look were wrong without a word."""
    ours = describer()
    one = look(ours, 18)
    alone = told(ours, look(ours, 18), QUERIES[0])
    telling = ours.begin(one, QUERIES[0])
    monkeypatch.setattr(ours._dam, 'logits', lambda states: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        for _ in range(50):
            ours.step()
    monkeypatch.undo()
    assert ids(drive(ours, [telling])[0]) == ids(alone)
    assert told(ours, one, QUERIES[0]) == alone


def test_no_memory_for_all_ends_the_youngest(monkeypatch: pytest.MonkeyPatch):
    ours = describer()
    alone = told(ours, look(ours, 19), QUERIES[0])
    tellings = [ours.begin(look(ours, number), QUERIES[0]) for number in (19, 20, 21)]
    real = ours._dam.read

    def little_room(inputs, caches):
        if len(inputs) > 1:
            raise RuntimeError('CUDA out of memory. Tried to allocate 2 GiB')
        return real(inputs, caches)
    monkeypatch.setattr(ours._dam, 'read', little_room)
    pieces = drive(ours, tellings)
    assert pieces[0] == alone
    assert all(isinstance(one[-1].failure, OutOfMemory) for one in pieces[1:])
