"""dam_ros against the same model written the usual way with transformers' modules (benchmarks/plain.py)."""
from __future__ import annotations

from pathlib import Path
import sys

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='the model needs torch')
pytest.importorskip('transformers', reason='transformers is what the model is compared with')

from dam_ros.core.describing import BRIEF, Query   # noqa: E402
from dam_ros.model import prompts   # noqa: E402
from dam_ros.model.dam import Dam, load   # noqa: E402
from tiny_dam import checkpoint   # noqa: E402

sys.path.insert(0, str(Path(__file__).parent.parent / 'benchmarks'))
from plain import PlainDam   # noqa: E402

KINDS = {
    'image': {},
    'clip': {'kind': 'joint'},
    'many heads, few keys': {'heads': 8, 'kv_heads': 2, 'hidden': 64, 'vision_heads': 4, 'context_heads': 1},
    'one key head, tied, sharded': {'kv_heads': 1, 'tied': True, 'shards': 3, 'layers': 3},
    'even grid': {'side_px': 224},
    'other patches': {'side_px': 150, 'patch_px': 10, 'vision_layers': 5},
    'masked, always': {'context_flags': ('masked_cross_attn', 'treat_image_as_cimage')},
    'swapped': {'context_flags': ('context_image_as_queries',)},
    'bfloat16 on disk': {'dtype': 'bfloat16'},
}
QUERIES = (Query(), Query('\u00bfqu\u00e9  es?'), Query('What colour is it?'), Query(detail=BRIEF))


def picture(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a bright block somewhere, of another size each time; every fourth region is the whole picture."""
    random = np.random.default_rng(seed)
    height, width = (int(one) for one in random.integers(30, 400, 2))
    image = random.integers(0, 200, (height, width, 3), np.uint8)
    mask = np.zeros((height, width), bool)
    top, left = int(random.integers(0, height - 3)), int(random.integers(0, width - 3))
    mask[top:top + height // 3 + 1, left:left + width // 3 + 1] = True
    image[mask] //= 2
    mask[...] |= seed % 3 == 2
    return image, mask


def run_ours(dam: Dam, squares: list[torch.Tensor], prompt: prompts.Prompt, most: int):
    """(image tokens, logits of the prompt's end, greedy ids)."""
    stacked = torch.stack(squares)
    tokens = dam.image_tokens(dam.focused_features(stacked, dam.context_features(stacked)))
    given = torch.cat([part for ids, one in zip(prompt.before, tokens) for part in (dam.embed(ids), one)]
                      + [dam.embed(prompt.behind)])
    cache = dam.cache(len(given))
    first = logits = dam.logits(dam.read([given], [cache]))[0]
    ids: list[int] = []
    while len(ids) < most and not (ids and ids[-1] == dam.tokenizer.end):
        ids.append(int(logits.argmax()))
        logits = dam.logits(dam.read([dam.embed(ids[-1:])], [cache]))[0]
    return tokens, first, ids


@pytest.mark.parametrize('name', KINDS)
def test_the_same_numbers_and_tokens(name: str):
    folder = checkpoint(**KINDS[name])
    plain, dam = PlainDam(folder), load(folder, device='cpu', dtype='float32')
    frames = 8 if dam.config.kind == 'joint' else 1
    for seed, query in enumerate(QUERIES if name == 'image' else QUERIES[:2] if frames == 1 else QUERIES[:1]):
        pictures = [picture(4 * index + seed) for index in range(frames)]
        squares = [dam.channels(*one) for one in pictures]
        prompt = prompts.build(query, dam.config.kind, frames, dam.tokenizer)
        tokens, logits, ids = run_ours(dam, squares, prompt, 24)
        expected = [plain.image_tokens(one.numpy()) for one in squares]
        torch.testing.assert_close(tokens, torch.stack(expected), atol=5e-5, rtol=0)
        inputs = plain.inputs(prompt, expected)
        torch.testing.assert_close(logits, plain.logits(inputs)[-1], atol=1e-4, rtol=0)
        assert ids == plain.generate(inputs, 24, dam.tokenizer.end)


def test_the_same_bytes():
    """Where Pillow is the one that the recorded cases were made with; ours are the same with any."""
    import PIL
    if int(PIL.__version__.partition('.')[0]) < 13:
        pytest.skip('Pillow before 13 resizes in another order')
    folder = checkpoint()
    plain, dam = PlainDam(folder), load(folder, device='cpu')
    for seed in range(24):
        np.testing.assert_array_equal(dam.channels(*picture(seed)).numpy(), plain.channels(*picture(seed)))


def test_bfloat16_is_as_near_as_a_plain_cast():
    """The distance to float32 of the prompt's last logits, against that of the same modules simply cast."""
    folder = checkpoint()
    exact, cast = PlainDam(folder), PlainDam(folder, torch.bfloat16)
    dam = load(folder, device='cpu', dtype='bfloat16')
    prompt = prompts.build(Query(), dam.config.kind, 1, dam.tokenizer)
    ours, theirs = [], []
    for seed in range(8):
        squares = dam.channels(*picture(seed))
        inputs = exact.inputs(prompt, [exact.image_tokens(squares.numpy())])
        true = exact.logits(inputs)[-1]
        plain = cast.logits(cast.inputs(prompt, [cast.image_tokens(squares.numpy())]))[-1]
        _, logits, _ = run_ours(dam, [squares], prompt, 1)
        ours.append(float((logits - true).norm() / true.norm()))
        theirs.append(float((plain - true).norm() / true.norm()))
    assert np.mean(ours) <= 1.5 * np.mean(theirs), (ours, theirs)
