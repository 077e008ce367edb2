"""dam_ros against the reference implementation's recorded cases, through look and tell (tests/data/dam/README.md)."""
from __future__ import annotations

import hashlib
import json
from pathlib import Path
import sys

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='the model needs torch')

from dam_ros.core.describing import Query   # noqa: E402
from dam_ros.core.focal import focal_box   # noqa: E402
from dam_ros.model import prompts   # noqa: E402
from dam_ros.model.pixels import Scale   # noqa: E402
from dam_ros.model.sampling import Chooser   # noqa: E402
from dam_ros.model.tokenizer import Tokenizer   # noqa: E402
from recorded_dam import cases, OTHERS, OURS, Run, runner   # noqa: E402

PICTURE = -200   # in recorded ids
PROJECTOR, LOGITS = 5e-5, 1e-4
HALF_LOGITS, HALF_MARGIN = 3e-2, 0.05   # float16
BFLOAT_CASES = ('joint_image_synth_corner', 'options_synth_corner')
HALF_CASES = ('image_synth_gray_mask', 'joint_image_synth_corner', 'options_synth_corner')
_ELSEWHERE = pytest.param('', marks=pytest.mark.skip(
    reason='the cases made of photos are not published; they are read from ../shared/dam-golden'))
every_case = pytest.mark.parametrize('id', [*cases()] if OTHERS.is_dir() else [*cases(), _ELSEWHERE])


def _sha256(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def _near(ours: np.ndarray, recorded: np.ndarray, tolerance: float, what: str) -> None:
    np.testing.assert_allclose(ours, recorded, rtol=0, atol=tolerance, err_msg=what)


# -- before the network ---------------------------------------------------------------------------------------------

@every_case
def test_channels_are_the_same_bytes(id: str):
    case = cases()[id]
    dam = runner(case.checkpoint).describer._dam
    scale = Scale(dam.config.pictures, torch.device('cpu'), torch.float32)
    for name, pair in case.pairs.items():
        image, mask = case.picture(name)
        channels = dam.channels(image, mask)
        assert list(focal_box(mask)) == pair['focal_crop_xyxy'], name
        assert _sha256(channels.numpy()) == pair['u8_sha256'], name
        scaled = torch.cat([scale(half) for half in channels.split(4)])
        assert _sha256(scaled[None].numpy()) == pair['tensor_sha256_f32'], name
        assert torch.equal(channels[:4], channels[4:]) == pair['full_equals_crop'], name


@every_case
def test_prompt_ids(id: str):
    case = cases()[id]
    dam = runner(case.checkpoint).describer._dam
    prompt = prompts.build(case.query, dam.config.kind, len(case.pairs), dam.tokenizer)
    assert _with_places(prompt) == case.said['input_ids']
    assert prompt.length(dam.config.image_tokens) == case.said['sequence_length']


def _with_places(prompt: prompts.Prompt) -> list[int]:
    return [*(one for ids in prompt.before for one in (*ids, PICTURE)), *prompt.behind]


@pytest.mark.parametrize('id', [id for id, case in cases().items() if '<image>\n' in case.said['query']])
def test_the_official_query_is_what_is_asked_without_a_question(id: str):
    """And a question in plain words gives the ids of the raw query that the reference was asked."""
    case = cases()[id]
    dam = runner(case.checkpoint).describer._dam
    beginning, _, question = case.said['query'].rpartition('<image>\n')
    frames = len(case.pairs)
    if dam.config.kind == 'joint':
        beginning = beginning.removeprefix('Image: ' if frames == 1 else 'Video: ')
    assert beginning == '<image>' * (frames - 1)
    for query in [Query(question)] + [Query()] * ('escribe the' in question):
        prompt = prompts.build(query, dam.config.kind, frames, dam.tokenizer)
        assert _with_places(prompt) == case.said['input_ids']


def test_focal_crops():
    table = json.loads((OURS / 'crop_table.json').read_text(encoding='utf-8'))
    assert len(table) == 240
    for row in table:
        width, height = row['image_size_wh']
        left, top, right, bottom = row['mask_bbox_xyxy']
        mask = np.zeros((height, width), bool)
        mask[top, left] = mask[bottom - 1, right - 1] = True
        assert list(focal_box(mask)) == row['focal_crop_xyxy'], row


def test_tokenizer_table():
    table = json.loads((OURS / 'tokenizer_table.json').read_text(encoding='utf-8'))
    tokenizer = Tokenizer(OURS / table['tokenizer'])
    for row in table['plain']:
        ids, = tokenizer.encode([row['text']], specials=True)
        speller = tokenizer.speller()
        assert ids == row['ids'], row
        assert ''.join(map(speller.add, ids)) + speller.end() == row['decoded'], row
    for row in table['prompts']:
        pictures = row['query'].count(prompts.PLACEHOLDER)
        prompt = prompts.build(Query(row['query'], raw=True), 'image', pictures, tokenizer)
        assert _with_places(prompt) == row['input_ids'], row


# -- the network ----------------------------------------------------------------------------------------------------

@every_case
def test_numbers_tokens_and_text(id: str):
    case = cases()[id]
    run = runner(case.checkpoint).run(case)
    for name, index, recorded in case.features():
        _near(getattr(run, name)[index], recorded, PROJECTOR, f'{name} features of picture {index}')
    arrays = case.arrays()
    if 'projector_output' in arrays:
        _near(run.projected[arrays['frames']], arrays['projector_output'], PROJECTOR, 'projector output')
    _near(run.logits[:9], arrays['logits'], LOGITS, 'logits after the prompt and the next 8 tokens')
    assert run.tokens == case.said['tokens']
    assert run.text == case.said['text']
    assert run.pieces[-1].truncated == (case.said['finish'] == 'length')
    _near(_margins(run), arrays['margin'], 2 * LOGITS, 'margins')
    likely = torch.from_numpy(run.logits).softmax(-1).numpy()[np.arange(len(run.tokens)), run.tokens]
    _near(np.array([piece.probability for piece in run.pieces]), likely, 1e-6, 'probabilities')


def _margins(run: Run) -> np.ndarray:
    second, first = np.sort(run.logits, axis=1)[:, -2:].T
    return first - second


@pytest.mark.parametrize('id', [id for id, case in cases().items() if (case.folder / 'extras.json').exists()])
def test_streamed_text_joined(id: str):
    case = cases()[id]
    extras = json.loads((case.folder / 'extras.json').read_text(encoding='utf-8'))
    text = runner(case.checkpoint).run(case).text
    # But for spaces: after a newline the reference's stream forgets what came before, its text does not. Ours is that.
    assert text.split() == extras['stream_joined'].split()


@pytest.mark.parametrize('id', [id for id, case in cases().items() if (case.folder / 'sampling.npz').exists()])
def test_what_sampling_keeps(id: str):
    recorded = np.load(cases()[id].folder / 'sampling.npz')
    logits = torch.from_numpy(recorded['raw_logits'])
    for name in set(recorded) - {'raw_logits'}:
        temperature, top_p = name[1:].split('_p')
        query = Query(temperature=float(temperature), top_p=1.0 if top_p == 'None' else float(top_p))
        kept = Chooser(query, 50, logits.device).kept(logits).numpy()
        survives = np.isfinite(recorded[name])
        np.testing.assert_array_equal(np.isfinite(kept), survives, err_msg=name)
        _near(kept[survives], recorded[name][survives], 1e-5, name)


# -- fewer bits -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('id', HALF_CASES)
def test_float16(id: str):
    case = cases()[id]
    run, arrays = runner(case.checkpoint, 'float16').run(case), case.arrays()
    _near(run.logits[0], arrays['logits'][0], HALF_LOGITS, 'logits after the prompt')
    unsure = np.flatnonzero(arrays['margin'] < HALF_MARGIN)
    sure = unsure[0] if len(unsure) else len(arrays['margin'])
    assert sure > 0
    assert run.tokens[:sure] == case.said['tokens'][:sure]


@pytest.mark.parametrize('id', [
    id if id in BFLOAT_CASES else pytest.param(id, marks=pytest.mark.soak) for id, case in cases().items()
    if len(case.pairs) == 1 and case.root == OURS])
def test_bfloat16_is_as_near_as_a_plain_cast(id: str):
    pytest.importorskip('transformers', reason='its modules are what is cast')
    sys.path.insert(0, str(Path(__file__).parent.parent / 'benchmarks'))
    from plain import PlainDam
    case = cases()[id]
    ours = runner(case.checkpoint, 'bfloat16')
    cast = PlainDam(case.checkpoint, torch.bfloat16)
    dam = ours.describer._dam
    prompt = prompts.build(case.query, dam.config.kind, len(case.pairs), dam.tokenizer)
    tokens = [cast.image_tokens(dam.channels(*case.picture(name)).numpy()) for name in case.pairs]
    plain = cast.logits(cast.inputs(prompt, tokens))[-1].numpy()
    true = case.arrays()['logits'][0]
    assert np.linalg.norm(ours.run(case).logits[0] - true) <= 1.5 * np.linalg.norm(plain - true)
