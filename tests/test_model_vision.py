"""The vision side on tiny checkpoints: what is seen, what has an effect, and the projector's order."""
from __future__ import annotations

from pathlib import Path
import shutil

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='the model needs torch')
import torch.nn.functional as F   # noqa: E402

from dam_ros.core.describing import Query, Subject   # noqa: E402
from dam_ros.core.errors import EmptyRegion   # noqa: E402
from dam_ros.model.dam import Dam, load   # noqa: E402
from model_rig import (   # noqa: E402
    change_json, change_tensors, describer, every_shape, ids, look, region, SHAPES, told, watch)
from tiny_dam import checkpoint   # noqa: E402

TOWER, PROVIDER = 'vision_tower', 'context_provider'


def squares(dam: Dam, *seeds: int, whole: bool = False) -> torch.Tensor:
    return torch.stack([dam.channels(*region(seed, whole)) for seed in seeds])


def fused(dam: Dam, pictures: torch.Tensor) -> torch.Tensor:
    return dam.focused_features(pictures, dam.context_features(pictures))


def changed(tmp_path: Path, part: str, change, **sizes) -> Dam:
    """A checkpoint like the tiny one, but for some tensors of one part."""
    own = shutil.copytree(checkpoint(**sizes), tmp_path / 'own')
    change_tensors(own / part, change)
    return load(own, device='cpu')


def scramble(*beginnings: str):
    def change(tensors: dict[str, torch.Tensor]) -> None:
        named = [name for name in tensors if name.startswith(beginnings)]
        assert named
        for name in named:
            tensors[name] = torch.randn(tensors[name].shape)
    return change


def leave_out(*beginnings: str):
    def change(tensors: dict[str, torch.Tensor]) -> None:
        for name in [name for name in tensors if name.startswith(beginnings)]:
            del tensors[name]
    return change


# -- pixels ---------------------------------------------------------------------------------------------------------

def test_what_is_left_of_the_last_whole_patch_is_not_seen():
    dam = load(checkpoint(side_px=216), device='cpu')   # 15 patches of 14 px, and 6 px
    pictures = squares(dam, 1)
    seen = fused(dam, pictures)
    unseen = pictures.clone()
    unseen[:, :, -6:, :] = unseen[:, :, :, -6:] = 99
    assert torch.equal(fused(dam, unseen), seen)
    for edge in ((..., -7, slice(None)), (..., slice(None), -7)):
        other = pictures.clone()
        other[edge] = 255 - other[edge]
        assert not torch.equal(fused(dam, other), seen)


def test_a_picture_of_one_pixel_and_one_of_twenty_megapixels():
    ours = describer()
    one = np.full((1, 1, 3), 200, np.uint8), np.ones((1, 1), bool)
    large = np.zeros((4000, 5000, 3), np.uint8), np.zeros((4000, 5000), bool)
    large[1][3999, 4999] = True
    for picture in (one, large):
        assert ids(told(ours, ours.look([Subject((picture,))])[0], Query(max_tokens=3)))


def test_an_empty_mask_is_refused_and_the_next_look_works():
    ours = describer()
    image, mask = region(1)
    with pytest.raises(EmptyRegion, match=f'{mask.shape[1]}x{mask.shape[0]}'):
        ours.look([Subject(((image, np.zeros_like(mask)),))])
    assert ids(told(ours, look(ours, 1), Query(max_tokens=3)))


def test_the_mask_is_seen():
    dam = describer()._dam
    image, mask = region(1)
    other = np.zeros_like(mask)   # the same box, so the same crop
    rows, columns = np.nonzero(mask)
    other[rows.min(), columns.min()] = other[rows.max(), columns.max()] = True
    pair = torch.stack([dam.channels(image, one) for one in (mask, other)])
    assert torch.equal(pair[0, [0, 1, 2, 4, 5, 6]], pair[1, [0, 1, 2, 4, 5, 6]])
    tokens = dam.image_tokens(fused(dam, pair))
    assert float((tokens[0] - tokens[1]).abs().max()) > 0.01


@every_shape
def test_pictures_together_equal_each_alone(shape: str):
    dam = describer(shape)._dam
    pictures = torch.cat([squares(dam, 1, 2), squares(dam, 3, whole=True), squares(dam, 4, 5)])
    together = dam.image_tokens(fused(dam, pictures))
    alone = torch.cat([dam.image_tokens(fused(dam, one[None])) for one in pictures])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


# -- the context ----------------------------------------------------------------------------------------------------

def test_a_crop_that_is_the_whole_picture_gets_no_cross_attention(tmp_path: Path):
    usual = describer()._dam
    other = changed(tmp_path, PROVIDER, scramble('context_provider_module.layers.0.'))
    for whole, same in ((True, True), (False, False)):
        pictures = squares(usual, 1, whole=whole)
        assert torch.equal(fused(usual, pictures), fused(other, pictures)) == same
        assert torch.equal(fused(usual, pictures), usual.context_features(pictures)) == same


def test_always_means_also_then():
    dam = describer('masked, always')._dam
    pictures = squares(dam, 1, whole=True)
    assert not torch.allclose(fused(dam, pictures), dam.context_features(pictures), atol=1e-2)


def test_masked_cross_attention_looks_at_patches_of_the_region_only():
    for shape in ('masked', 'usual'):
        dam = describer(shape)._dam
        pictures = squares(dam, 1)
        context = dam.context_features(pictures)
        inside = F.max_pool2d(pictures[:, 3:4].float(), 14).flatten(1) > 0
        assert 0 < int(inside.sum()) < inside.numel()
        before = dam.focused_features(pictures, context)
        for where, matters in ((inside, True), (~inside, shape == 'usual')):
            moved = context + where[..., None] * torch.randn(context.shape)
            assert torch.equal(dam.focused_features(pictures, moved), before) != matters


def test_masked_without_a_patch_of_the_region_gives_numbers():
    """A region in the pixels that are never seen: the reference gives NaN."""
    dam = load(checkpoint(side_px=216, context_flags=('masked_cross_attn',)), device='cpu')
    image = np.random.default_rng(1).integers(0, 256, (216, 216, 3)).astype(np.uint8)
    mask = np.zeros((216, 216), bool)
    mask[213:, 213:] = True
    assert fused(dam, dam.channels(image, mask)[None]).isfinite().all()


def test_swapped_the_crop_is_the_context_of_the_full_picture():
    dam, usual = describer('swapped')._dam, describer()._dam
    pictures = squares(dam, 1)
    other = torch.cat([pictures[:, 4:], pictures[:, :4]], 1)
    torch.testing.assert_close(fused(dam, pictures), fused(usual, other), atol=0, rtol=0)
    assert not torch.allclose(fused(dam, pictures), fused(usual, pictures), atol=1e-2)


def test_without_gates_both_factors_are_one(tmp_path: Path):
    sizes = {'vision_layers': 4}
    factors = ('.attn_factor', '.mlp_factor')
    ones = changed(tmp_path / 'a', PROVIDER, lambda tensors: tensors.update(
        {name: torch.ones(1) for name in tensors if name.endswith(factors)}), **sizes)
    own = shutil.copytree(checkpoint(**sizes), tmp_path / 'b')
    change_json(own / PROVIDER / 'config.json', zero_init_output=False)
    change_tensors(own / PROVIDER, lambda tensors: [tensors.pop(name) for name in [*tensors]
                                                    if name.endswith(factors)])
    none, gated = load(own, device='cpu'), load(checkpoint(**sizes), device='cpu')
    pictures = squares(ones, 1, 2)
    assert torch.equal(fused(none, pictures), fused(ones, pictures))
    assert not torch.allclose(fused(none, pictures), fused(gated, pictures), atol=1e-2)


# -- what has no effect ---------------------------------------------------------------------------------------------

WITHOUT_EFFECT = {
    TOWER: ('vision_model.encoder.layers.2.', 'vision_model.post_layernorm.', 'vision_model.head.'),
    PROVIDER: ('context_provider_module.layers.2.',),
}


@pytest.mark.parametrize('change', [scramble, leave_out])
@pytest.mark.parametrize('part', WITHOUT_EFFECT)
def test_last_layer_last_norm_and_head_change_nothing_and_may_be_missing(part: str, change, tmp_path: Path):
    usual, other = describer()._dam, changed(tmp_path, part, change(*WITHOUT_EFFECT[part]))
    pictures = squares(usual, 1, 2)
    assert torch.equal(fused(usual, pictures), fused(other, pictures))


@pytest.mark.parametrize('part, name', [
    (TOWER, 'vision_model.encoder.layers.1.'), (TOWER, 'vision_model.embeddings.mask_patch_embedding.bias'),
    (PROVIDER, 'context_provider_module.layers.1.mlp.'), (PROVIDER, 'context_provider_module.layers.1.attn_factor')])
def test_the_layer_before_has_an_effect(part: str, name: str, tmp_path: Path):
    usual, other = describer()._dam, changed(tmp_path, part, scramble(name))
    pictures = squares(usual, 1)
    assert not torch.allclose(fused(usual, pictures), fused(other, pictures), atol=1e-3)


@pytest.mark.parametrize('selected, used', [(-1, 3), (-2, 2), (-3, 1), (-4, 0), (2, 2), (0, 0)])
def test_the_selected_layer_counts_from_the_embeddings(selected: int, used: int, tmp_path: Path):
    own = shutil.copytree(checkpoint(), tmp_path / 'own')
    change_json(own / 'config.json', mm_vision_select_layer=selected)
    dam = load(own, device='cpu')
    assert len(dam.tower.layers) == len(dam.provider.blocks) == used
    if used == 0:
        scaled = dam._scale(squares(dam, 1)[:, :4])
        assert torch.equal(dam.context_features(squares(dam, 1)), dam.tower.embed(scaled))


# -- the projector --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('shape', ['usual', 'one key, tied, even grid'], ids=['odd grid', 'even grid'])
def test_projector_tokens_run_down_the_columns(shape: str):
    dam = describer(shape)._dam
    grid = dam.config.vision.grid
    side = (grid + 1) // 2
    assert grid % 2 == (shape == 'usual')
    features = torch.randn(1, grid * grid, dam.config.vision.hidden)
    before = dam.image_tokens(features)[0]
    assert len(before) == side * side == dam.config.image_tokens
    for row, column in ((0, 0), (0, 1), (2, 0), (3, grid - 1), (grid - 1, 4), (grid - 1, grid - 1)):
        moved = features.clone()
        moved[0, row * grid + column] += 1
        differs = (dam.image_tokens(moved)[0] != before).any(1).nonzero().flatten().tolist()
        assert differs == [column // 2 * side + row // 2]


def test_projector_spelled_out():
    """Within a block reading order; zeros at the right and the bottom; eps 1e-5; the exact GELU."""
    dam = describer()._dam
    grid, width = dam.config.vision.grid, dam.config.vision.hidden
    features = 0.01 * torch.randn(1, grid * grid, width)   # small, so that the eps shows
    padded = torch.zeros(grid + 1, grid + 1, width)
    padded[:grid, :grid] = features[0].view(grid, grid, width)
    norm, out, back = (dam.projector.layers[name] for name in ('1', '2', '4'))
    tokens = []
    for column in range(0, grid, 2):
        for row in range(0, grid, 2):
            x = torch.cat([padded[row, column], padded[row, column + 1], padded[row + 1, column],
                           padded[row + 1, column + 1]])
            x = (x - x.mean()) / (x.var(unbiased=False) + 1e-5).sqrt() * norm.weight + norm.bias
            x = x @ out.weight.T + out.bias
            tokens.append(x * (1 + torch.erf(x / 2 ** 0.5)) / 2 @ back.weight.T + back.bias)
    torch.testing.assert_close(dam.image_tokens(features)[0], torch.stack(tokens), atol=1e-5, rtol=0)


def test_a_picture_is_projected_once_into_the_tokens_that_the_configuration_says(monkeypatch: pytest.MonkeyPatch):
    for shape in SHAPES:
        ours = describer(shape)
        tokens = watch(monkeypatch, ours._dam, 'image_tokens')
        told(ours, look(ours, 1), Query(max_tokens=1))
        assert [result.shape[1:] for _, result in tokens] == [
            (ours._dam.config.image_tokens, ours._dam.config.language.hidden)]
