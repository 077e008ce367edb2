"""Which token comes next, how sure the model was, and when a text ends."""
from __future__ import annotations

import math
from pathlib import Path
import shutil

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='the model needs torch')

from dam_ros.core.answering import Answer, TEXT_PART   # noqa: E402
from dam_ros.core.describing import Query   # noqa: E402
from dam_ros.core.errors import DescriberFailed   # noqa: E402
from dam_ros.model.config import read   # noqa: E402
from dam_ros.model.sampling import Chooser   # noqa: E402
from model_rig import (   # noqa: E402
    SHAPES, change_json, change_tensors, describer, drive, ids, loaded, look, subject, text, told, watch)
from tiny_dam import checkpoint   # noqa: E402

DRAWS = 3000
CPU = torch.device('cpu')


def logits(seed: int = 0, count: int = 200) -> torch.Tensor:
    return 3 * torch.randn(count, generator=torch.Generator().manual_seed(seed))


# -- drawing --------------------------------------------------------------------------------------------------------

def test_same_seed_same_text_other_seed_other_text():
    ours = describer()
    one = look(ours, 1)
    texts = [text(told(ours, one, Query(max_tokens=20, temperature=1.0, seed=seed))) for seed in (7, 7, 8, 9)]
    assert texts[0] == texts[1]
    assert len(set(texts)) == 3


def test_a_seed_does_not_depend_on_who_runs_beside():
    ours = describer()
    query = Query(max_tokens=20, temperature=1.0, seed=7)
    alone = ids(told(ours, look(ours, 1), query))
    looks = ours.look([subject(seed) for seed in (3, 1, 4, 1)])
    beside = [Query(max_tokens=30, temperature=1.5, seed=7), query, Query(max_tokens=30), query]
    pieces = drive(ours, [ours.begin(*pair) for pair in zip(looks, beside)])
    assert ids(pieces[1]) == ids(pieces[3]) == alone
    torch.manual_seed(123)   # nor on torch's own generator
    assert ids(told(ours, look(ours, 1), query)) == alone


def test_temperature_0_is_greedy_and_ignores_seed_and_cuts():
    ours = describer()
    one = look(ours, 1)
    plain = told(ours, one, Query(max_tokens=20))
    assert plain == told(ours, one, Query(max_tokens=20, seed=5, top_k=3, top_p=0.1))
    assert ids(plain) == ids(told(ours, one, Query(max_tokens=20, temperature=1.5, top_k=1, seed=5)))


def test_top_k_0_is_the_fifty_of_the_reference_or_what_the_checkpoint_says(tmp_path: Path):
    assert describer()._dam.config.language.top_k == 50
    own = shutil.copytree(checkpoint(), tmp_path / 'own')
    change_json(own / 'llm/generation_config.json', top_k=7)
    assert read(own).language.top_k == 7
    for asked, kept in ((0, 50), (5, 5), (200, 200), (1000, 200)):
        scores = Chooser(Query(temperature=0.7, top_k=asked), 50, CPU).kept(logits())
        assert int(scores.isfinite().sum()) == kept
    assert int(Chooser(Query(temperature=0.7), 0, CPU).kept(logits()).isfinite().sum()) == 200


def test_top_p_keeps_the_fewest_that_reach_it():
    for top_p in (0.0, 0.1, 0.5, 0.9, 0.999):
        scores = Chooser(Query(temperature=1.3, top_p=top_p), 0, CPU).kept(logits(2))
        likely = (logits(2).double() / 1.3).softmax(0)
        kept = likely[scores.isfinite()]
        assert len(kept) >= 1 and kept.min() >= likely[scores.isinf()].max()
        assert kept.sum() >= top_p
        assert len(kept) == 1 or kept.sum() - kept.min() < top_p


def test_drawn_as_often_as_likely():
    chooser = Chooser(Query(temperature=0.9, top_k=6, seed=1), 50, CPU)
    drawn = np.bincount([int(chooser.choose(logits(3))) for _ in range(DRAWS)], minlength=200)
    expected = DRAWS * chooser.kept(logits(3)).softmax(0).numpy()
    assert (drawn[expected == 0] == 0).all()
    off = ((drawn - expected) ** 2)[expected > 0] / expected[expected > 0]
    assert off.sum() < 20.5   # chi square, 5 degrees of freedom: one in a thousand


# -- how sure -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('query', [Query(max_tokens=15), Query(max_tokens=15, temperature=1.2, seed=4, top_p=0.9)],
                         ids=['greedy', 'drawn'])
def test_confidence_is_the_geometric_mean_of_the_models_own_probabilities(query: Query, monkeypatch):
    """Of the plain softmax, not of what temperature and the cuts make of it."""
    ours = describer()
    chosen_from = watch(monkeypatch, ours._dam, 'logits', 'write')
    pieces = told(ours, look(ours, 1), query)
    rows = torch.cat([result for _, result in chosen_from]).double().numpy()
    likely = np.exp(rows - rows.max(1, keepdims=True))
    likely = (likely / likely.sum(1, keepdims=True))[np.arange(len(rows)), ids(pieces)]
    np.testing.assert_allclose([piece.probability for piece in pieces], likely, rtol=1e-5)
    answer = Answer()
    for piece in pieces:
        answer.add(TEXT_PART, piece)
    assert answer.confidence == pytest.approx(likely.prod() ** (1 / len(likely)), rel=1e-5)


# -- the end --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('most', [1, 2, 5])
def test_max_tokens_cuts(most: int):
    ours = describer('endless')
    one = look(ours, 1)
    pieces = told(ours, one, Query(max_tokens=most))
    assert ids(pieces) == ids(told(ours, one, Query(max_tokens=8)))[:most]
    assert pieces[-1].truncated and pieces[-1].last


def test_max_tokens_far_beyond_the_room_of_a_cache():
    """The checkpoint never ends a text; the cache starts with room for 256 tokens and grows."""
    ours = describer('one key, tied, even grid')
    ends = ours._ends
    try:
        ours._ends = set()
        pieces = told(ours, look(ours, 1), Query(max_tokens=600))
    finally:
        ours._ends = ends
    assert len(ids(pieces)) == 600 and pieces[-1].truncated


@pytest.mark.parametrize('at', [0, 3])
def test_end_ids_of_the_checkpoint_end_the_text(at: int, tmp_path: Path):
    endless = describer('endless')
    greedy = ids(told(endless, look(endless, 1), Query(max_tokens=8)))
    end = greedy[at]
    before = greedy.index(end)
    own = shutil.copytree(checkpoint(**SHAPES['endless']), tmp_path / 'own')
    change_json(own / 'llm/generation_config.json', eos_token_id=[2, end])
    ours = loaded(own)
    for most in (before + 1, 8):   # the end is no cut, also where the limit is reached with it
        pieces = told(ours, look(ours, 1), Query(max_tokens=most))
        assert ids(pieces) == greedy[:before + 1]
        assert not pieces[-1].truncated


def test_the_end_token_adds_no_text():
    ours = describer()
    for seed in range(40):
        pieces = told(ours, look(ours, seed), Query(max_tokens=40))
        if not pieces[-1].truncated:
            break
    assert pieces[-1].token_ids == (ours._dam.tokenizer.end,)
    speller = ours._dam.tokenizer.speller()
    assert text(pieces) == ''.join(map(speller.add, ids(pieces)[:-1])) + speller.end()


# -- numbers that ran over ------------------------------------------------------------------------------------------

@pytest.mark.parametrize('temperature', [0.0, 1.0])
@pytest.mark.parametrize('broken', [
    ('llm', 'model.norm.weight'), ('llm', 'lm_head.weight'), ('mm_projector', 'layers.4.bias'),
    ('vision_tower', 'vision_model.embeddings.position_embedding.weight')], ids=lambda one: one[1])
def test_weights_that_are_no_numbers_fail_the_telling(broken: tuple[str, str], temperature: float, tmp_path: Path):
    own = shutil.copytree(checkpoint(), tmp_path / 'own')
    part, name = broken
    change_tensors(own / part, lambda tensors: tensors.update({name: torch.full_like(tensors[name], math.nan)}))
    ours = loaded(own)
    for _ in range(2):
        pieces = told(ours, look(ours, 1), Query(max_tokens=30, temperature=temperature, top_p=0.9))
        assert len(pieces) == 1
        assert isinstance(pieces[0].failure, DescriberFailed) and 'ran over' in str(pieces[0].failure)


def test_one_text_whose_numbers_ran_over_does_not_touch_the_others():
    ours = describer()
    query = Query(max_tokens=12, temperature=1.0, seed=2)
    alone = ids(told(ours, look(ours, 2), query))
    sick, well = look(ours, 1), look(ours, 2)
    told(ours, sick, Query(max_tokens=1))
    for prefix in sick.prefixes.values():
        prefix.cache.held.fill_(math.nan)
    pieces = drive(ours, [ours.begin(sick, query), ours.begin(well, query)])
    assert isinstance(pieces[0][-1].failure, DescriberFailed)
    assert ids(pieces[1]) == alone


@pytest.mark.parametrize('temperature', [1e-44, 1e-38, 1e-7])
def test_hardly_any_temperature_is_greedy(temperature: float):
    """The logits ran over, all ids became equally likely, and the text was noise."""
    ours = describer()
    cold = told(ours, look(ours, 3), Query(max_tokens=8, temperature=temperature, seed=5))
    assert ids(cold) == ids(told(ours, look(ours, 3), Query(max_tokens=8)))
