"""int8 and int4: the formats bit by bit, how near they stay to full precision, what is stored, and what fits where."""
from __future__ import annotations

import os
from pathlib import Path
import re

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='the model needs torch')
from safetensors.torch import load_file, save_file   # noqa: E402
from torch import nn   # noqa: E402
import torch.nn.functional as F   # noqa: E402

from damaged_dam import copied, create, edit, LLM, refused, say   # noqa: E402
from dam_ros.core.errors import DescriberFailed   # noqa: E402
from dam_ros.model import forms, stored   # noqa: E402
from dam_ros.model.dam import load   # noqa: E402
from dam_ros.model.quantized import FORMS, narrowed, Quantized   # noqa: E402
from model_rig import region   # noqa: E402
from tiny_dam import checkpoint   # noqa: E402

# hidden and mlp are whole groups of 32; wide enough for errors to average out as in the real model
WIDE = {'hidden': 192, 'mlp': 384, 'heads': 4, 'kv_heads': 2, 'layers': 3, 'vocabulary': 700}
every_form = pytest.mark.parametrize('form', FORMS)


def product(rows: int = 6, columns: int = 96, form: str = 'int8', seed: int = 0) -> tuple[Quantized, torch.Tensor]:
    linear = nn.Linear(columns, rows, bias=False)
    weight = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))
    made = Quantized(linear, form)
    made.put(0, weight)
    return made, weight


def error(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found.float() - expected.float()).norm() / expected.float().norm())


# -- formats: what dam_ros/model/kernels.py reads

def test_int8_is_a_whole_number_and_a_scale_per_row():
    made, weight = product()
    q, scales = made.weight.numpy(), made.scales.numpy()
    assert (q.dtype, q.shape, scales.dtype, scales.shape) == (np.int8, (6, 96), np.float32, (6,))
    assert np.abs(q).max(axis=1).tolist() == [127] * 6
    assert np.abs(q * scales[:, None] - weight.numpy()).max() <= 0.5001 * scales.max()


def test_int4_is_nibbles_by_groups_of_32():
    made, weight = product(form='int4')
    packed, scales = made.weight.numpy(), made.scales.numpy()
    assert (packed.dtype, packed.shape, scales.dtype, scales.shape) == (np.uint8, (6, 48), np.float32, (6, 3))
    spelled = np.zeros((6, 96), np.float32)
    for row in range(6):
        for column in range(96):
            group, place = divmod(column, 32)
            byte = packed[row, 16 * group + place % 16]
            spelled[row, column] = (float(byte & 15 if place < 16 else byte >> 4) - 8) * scales[row, group]
    assert np.array_equal(spelled, made.wide(0, 6, torch.float32).numpy())
    assert error(torch.from_numpy(spelled), weight) < 0.09
    assert torch.equal(made.wide(2, 5, torch.float32), made.wide(0, 6, torch.float32)[2:5])


def test_rounding_of_int4_is_better_than_the_usual_largest_over_seven():
    weight = torch.randn(64, 1024, generator=torch.Generator().manual_seed(1))
    groups = weight.unflatten(1, (-1, 32))
    scales = groups.abs().amax(-1, keepdim=True) / 7
    usual = error((groups / scales).round() * scales, groups)
    linear = nn.Linear(1024, 64, bias=False)
    made = Quantized(linear, 'int4')
    made.put(0, weight)
    assert error(made.wide(0, 64, torch.float32), weight) < 0.86 * usual


@every_form
def test_numbers_that_are_there_exactly_stay_exact(form):
    """Powers of two times whole numbers, both ends of the range, zeros, one lonely weight."""
    steps = torch.tensor([-8, 7, 0, 1, -1, 3] * 16).float() if form == 'int4' else torch.arange(-48, 48).float()
    steps[-1] = -8 if form == 'int4' else 127   # the last group has its own largest
    steps[40] = -8 if form == 'int4' else 0
    lonely = torch.zeros(96)
    lonely[[3, 50]] = torch.tensor([5.0, -2.0])
    weight = torch.stack((0.25 * steps, torch.zeros(96), -0.5 * steps if form == 'int8' else 2 * steps, lonely[:96]))
    made = Quantized(nn.Linear(96, 4, bias=False), form)
    made.put(0, weight)
    found = made.wide(0, 4, torch.float32)
    assert torch.allclose(found[:3], weight[:3], atol=2e-6 if form == 'int8' else 0.0, rtol=1e-6)
    assert torch.allclose(found[3], weight[3], atol=0.03) and not found[3][lonely == 0].any()


@every_form
@pytest.mark.parametrize('bad', [float('nan'), float('inf'), -float('inf')])
def test_what_is_no_number_is_still_none(form, bad):
    """A checkpoint whose numbers ran over must not turn into one that speaks nonsense."""
    weight = torch.ones(3, 64)
    weight[1, 5] = bad
    scales = narrowed(weight, form)[1].reshape(3, -1)
    assert not scales[1, 0].isfinite() and scales[[0, 2]].isfinite().all()
    made = Quantized(nn.Linear(64, 3, bias=False), form)
    made.put(0, weight)
    found = made(torch.ones(2, 64))
    assert not found[:, 1].isfinite().any() and found[:, [0, 2]].isfinite().all()


@every_form
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
@pytest.mark.parametrize('rows', [1, 3, 40])
def test_a_product_is_that_with_the_wide_weights(form, dtype, rows, monkeypatch):
    monkeypatch.setattr('dam_ros.model.quantized._BLOCK', 96 * 4)   # several blocks, the last not whole
    linear = nn.Linear(96, 6, bias=True)
    made = Quantized(linear, form)
    made.put(0, linear.weight.detach()[:4])
    made.put(4, linear.weight.detach()[4:])
    x = torch.randn(2, rows, 96, generator=torch.Generator().manual_seed(2)).to(dtype)
    made.bias = linear.bias = nn.Parameter(linear.bias.detach().to(dtype), requires_grad=False)
    with torch.inference_mode():
        found = made(x)
        expected = F.linear(x.double(), made.wide(0, 6, torch.float32).double(), linear.bias.double())
    assert found.shape == (2, rows, 6) and found.dtype == dtype
    assert error(found, expected) < (1e-6 if dtype == torch.float32 else 0.01)


def test_rows_that_are_no_whole_groups_stay_int8():
    dam = load(checkpoint(**{**WIDE, 'mlp': 100}), dtype='int4', device='cpu')
    layer = dam.language.model.layers[0]
    assert (layer.mlp.down_proj.form, layer.mlp.gate_up_proj.form) == ('int8', 'int4')


# -- a whole model

def reading(dam, length: int = 40) -> torch.Tensor:
    """Logits at the end of a picture and some words."""
    squares = dam.channels(*region(3))[None]
    tokens = dam.image_tokens(dam.focused_features(squares, dam.context_features(squares)))[0]
    given = torch.cat((tokens, dam.embed(list(range(300, 300 + length)))))
    rows = []
    cache = dam.cache(len(given) + 16)
    for part in (given[:-15], *given[-15:].split(1)):
        rows.append(dam.logits(dam.read([part], [cache])))
    return torch.cat(rows)


@pytest.mark.parametrize(('form', 'bound'), [('bfloat16', 0.08), ('int8', 0.04), ('int4', 0.4)])
def test_quality_on_random_numbers(form, bound):
    """Random weights forgive nothing: bounds for what a form loses."""
    folder = checkpoint(**WIDE)
    expected = reading(load(folder, dtype='float32', device='cpu'))
    assert error(reading(load(folder, dtype=form, device='cpu')), expected) < bound


@every_form
@pytest.mark.parametrize('shape', [{}, {'tied': True}, {'dtype': 'bfloat16', 'shards': 3}])
def test_loading_makes_what_narrowing_each_tensor_makes(form, shape, monkeypatch):
    monkeypatch.setattr('dam_ros.model.tensor_files._BLOCK', 4000)   # several blocks per tensor
    folder = checkpoint(**WIDE, **shape)
    dam = load(folder, dtype=form, device='cpu')
    held: dict[str, torch.Tensor] = {}
    for path in (folder / 'llm').glob('*.safetensors'):
        held.update(load_file(path))
    layer = dam.language.model.layers[1]
    name = 'model.layers.1.self_attn.{}_proj.weight'
    weight, scales = narrowed(torch.cat([held[name.format(one)] for one in 'qkv']), form)
    found = layer.self_attn.qkv_proj
    expected = Quantized(nn.Linear(192, 384, bias=False), form)
    expected.weight.copy_(weight)
    expected.scales.copy_(scales)
    assert found.weight.shape == weight.shape and found.scales.shape == scales.shape
    near = 0.01 if form == 'int4' else 0.0   # the last bit of a sum over a block decides between equally good scales
    assert error(found.wide(0, 384, torch.float32), expected.wide(0, 384, torch.float32)) <= near
    assert layer.self_attn.qkv_proj.heights == (192, 96, 96)
    narrow = [one for one in dam.language.modules() if isinstance(one, Quantized)]
    assert len(narrow) == 3 * 4 + (not shape.get('tied'))
    wide = [one for part in (dam.tower, dam.provider, dam.projector) for one in part.parameters()]
    assert {one.dtype for one in (*wide, dam.language.model.embed_tokens.weight)} == {torch.float32}
    assert dam.dtype == torch.float32 and dam.form.name == form


@every_form
def test_it_speaks_and_says_what_it_is(form, capfd):
    folder = checkpoint(**WIDE)
    described = create(folder, dtype=form)
    assert described.model == f'image {form}'
    assert say(described, 6) == say(create(folder, dtype=form), 6)
    assert f'dam: {form} weights are made while loading' in capfd.readouterr().err


# -- stored beside the checkpoint

@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied(tmp_path / 'weights', **{**WIDE, 'side_px': 28})


def state(folder: Path, form: str) -> tuple[dict[str, torch.Tensor], str]:
    lines: list[str] = []
    dam = load(folder, dtype=form, device='cpu', say=lines.append)
    return dam.language.state_dict(), lines[-1]


@every_form
def test_what_is_stored_is_what_would_be_made(folder, form, capsys):
    made, line = state(folder, form)
    assert 'made while loading' in line
    assert stored.main([str(folder), '--dtype', form]) == 0
    path = folder / f'dam_ros-{form}.safetensors'
    assert str(path) in capsys.readouterr().out
    kept, line = state(folder, form)
    assert line == f'{form} weights from {path.name}'
    assert made.keys() == kept.keys() and all(torch.equal(made[name], kept[name]) for name in made)
    assert [one.name for one in folder.iterdir() if 'dam_ros' in one.name] == [path.name]
    assert say(create(folder))   # the file disturbs no other form
    assert not any('norm' in name or 'embed' in name for name in load_file(path))


def change_weights(folder: Path) -> None:
    edit(folder / LLM, lambda tensors: tensors.update({'lm_head.weight': 2 * tensors['lm_head.weight']}))


DAMAGES = {
    'other files': change_weights,
    'made of other files': lambda folder: os.utime(folder / LLM, ns=(0, 0)),
    'cannot be read': lambda folder: os.truncate(stored.path_of(folder, 'int4'), 5000),
    'another version': lambda folder: rewrite(folder, lambda tensors, told: told.update(version='0')),
    'not those of this model': lambda folder: rewrite(folder, lambda tensors, told: tensors.popitem()),
    'tensors are not': lambda folder: rewrite(folder, lambda tensors, told: tensors.update(
        {'lm_head.scales': tensors['lm_head.scales'][:-1].clone()})),
}


def rewrite(folder: Path, change) -> None:
    path = stored.path_of(folder, 'int4')
    tensors, told = load_file(path), stored.metadata_of(path)
    change(tensors, told)
    save_file(tensors, path, told)


@pytest.mark.parametrize('damage', DAMAGES)
def test_a_stored_file_that_does_not_fit_is_not_used_and_that_is_said(folder, damage):
    stored.write(folder, 'int4')
    DAMAGES[damage](folder)
    kept, line = state(folder, 'int4')
    assert 'is not used' in line and damage in line and '\n' not in line
    stored.path_of(folder, 'int4').unlink()
    made, _ = state(folder, 'int4')
    assert all(torch.equal(made[name], kept[name]) for name in made)


def test_storing_leaves_the_old_file_whole_where_it_fails(folder, monkeypatch, capsys):
    before = stored.write(folder, 'int4').read_bytes()

    def full(tensors, path, metadata):
        Path(path).write_bytes(b'half')
        raise OSError(28, 'No space left on device')
    monkeypatch.setattr(stored, 'save_file', full)
    assert stored.main([str(folder), '--dtype', 'int4']) == 1
    assert 'No space left' in capsys.readouterr().err
    assert stored.path_of(folder, 'int4').read_bytes() == before
    assert len([one for one in folder.iterdir() if 'dam_ros' in one.name]) == 1


def test_storing_says_in_one_line_what_is_wrong(tmp_path, capsys):
    assert stored.main([str(tmp_path), '--dtype', 'int8']) == 1
    said = capsys.readouterr().err
    assert said.count('\n') == 1 and 'config.json is missing' in said


# -- a budget of memory

def needs(folder: Path) -> dict[str, int]:
    dam = load(folder, device='cpu')
    return {name: forms.needed(dam.config, dam.tokenizer.size, forms.named(name, dam.device)).mb
            for name in ('float32', 'bfloat16', 'int8', 'int4')}


LARGE = {**WIDE, 'side_px': 28, 'hidden': 512, 'mlp': 2048, 'layers': 8}   # mostly language, as the real one


def test_a_budget_takes_the_widest_form_that_fits_and_says_why():
    folder = checkpoint(**LARGE)
    need = needs(folder)
    assert need['float32'] > need['bfloat16'] > need['int8'] > need['int4']
    for name, mb in need.items():
        lines: list[str] = []
        dam = load(folder, device='cpu', budget_mb=mb, say=lines.append)
        assert dam.form.name == name and f'{name} needs {mb} MB (weights ' in lines[0]
        assert all(f'{wider} would need {need[wider]} MB' in lines[0] for wider in need if need[wider] > mb)
    assert load(folder, device='cpu').form.name == 'float32'


def test_a_budget_that_is_too_small_is_refused_with_the_numbers():
    folder = checkpoint(**LARGE)
    need = needs(folder)
    message = refused(folder, memory_budget_mb=need['int4'] - 1)
    assert f"memory_budget_mb is '{need['int4'] - 1}'; allowed: at least {need['int4']}" in message
    assert re.search(r'float32 needs \d+ MB .*bfloat16 needs .*int8 needs .*int4 needs', message)
    message = refused(folder, dtype='float32', memory_budget_mb=need['float32'] - 1)
    assert 'dtype auto takes what fits' in message and 'int4' not in message
    with pytest.raises(DescriberFailed, match='at least'):
        load(folder, dtype='int4', device='cpu', budget_mb=1)


@pytest.mark.parametrize('name', forms.NAMES)
def test_the_weights_that_are_counted_are_those_that_are_loaded(name):
    for shape in (WIDE, {'tied': True, 'kind': 'joint'}):
        dam = load(checkpoint(**shape), dtype=name, device='cpu')
        held = sum(one.nbytes for part in (dam.tower, dam.provider, dam.projector, dam.language)
                   for one in part.parameters())
        assert forms.needed(dam.config, dam.tokenizer.size, dam.form).weights == held


def test_a_clip_needs_more_room_than_a_picture():
    image, joint = (load(checkpoint(kind=kind), device='cpu') for kind in ('image', 'joint'))
    one, many = (forms.needed(dam.config, dam.tokenizer.size, dam.form) for dam in (image, joint))
    assert many.caches > 2 * one.caches and many.weights == one.weights
    held = image.cache(image.config.image_tokens + 64 + 256)
    assert one.caches >= 2 * held.nbytes


def test_the_settings_know_the_same_forms():
    from dam_ros.core.describe_settings import DTYPES
    assert DTYPES == ('auto', *forms.NAMES)
