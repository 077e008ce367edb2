"""Every way of writing on gives the numbers of reading the whole text again: compiled products, and the step that
becomes a CUDA graph, here without the graph. In all stored forms, for texts of different lengths that come and go."""
from __future__ import annotations

import gc
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='the model needs torch')

from dam_ros.model import writing   # noqa: E402
from dam_ros.model.dam import Dam, load   # noqa: E402
from dam_ros.model.graphs import Graphs   # noqa: E402
from dam_ros.model.language import Cache   # noqa: E402
from dam_ros.model.writing import Plain, Writer   # noqa: E402
from tiny_dam import checkpoint   # noqa: E402

LANGUAGES = {
    'usual': {},
    'keys shared by four heads': {'hidden': 64, 'heads': 8, 'kv_heads': 2},
    'one key, tied': {'kv_heads': 1, 'tied': True, 'layers': 3},
    'odd widths': {'hidden': 56, 'mlp': 37, 'heads': 2, 'kv_heads': 2, 'vocabulary': 601},
}
WAYS = ('compiled', 'graphs', 'plain')


def writer_of(way: str, dam: Dam) -> Writer:
    parts = dam.language, dam.config.language, dam._rotation
    if way == 'compiled':
        pytest.importorskip('numba', reason='compiled products need numba')
        from dam_ros.model.compiled import Compiled
        return Compiled(*parts)
    return Graphs(*parts) if way == 'graphs' else Plain(dam.language, dam._rotation)


def read(dam: Dam, seed: int, length: int) -> tuple[Cache, list[int]]:
    """A text of random tokens, already in its cache."""
    ids = torch.randint(3, 500, (length,), generator=torch.Generator().manual_seed(seed)).tolist()
    cache = dam.cache(length)
    dam.read([dam.embed(ids)], [cache])
    return cache, ids


def fresh(dam: Dam, ids: list[int]) -> torch.Tensor:
    return dam.logits(dam.read([dam.embed(ids)], [dam.cache(len(ids))]))[0]


def step(writer: Writer, ids: list[int], caches: list[Cache]) -> torch.Tensor:
    with torch.inference_mode():
        return writer.step(ids, caches).clone()


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('shape', LANGUAGES)
def test_writing_on_equals_reading_all_again(shape: str, way: str):
    dam = load(checkpoint(**LANGUAGES[shape]), dtype='float32', device='cpu')
    writer = writer_of(way, dam)
    texts = [read(dam, seed, length) for seed, length in enumerate((5, 250, 1))]
    for turn in range(9):   # the second grows beyond the room of 256
        given = [(7 + 3 * turn + place) % 500 for place in range(3)]
        logits = step(writer, given, [cache for cache, _ in texts])
        for row, ((_, ids), id) in enumerate(zip(texts, given)):
            ids.append(id)
            torch.testing.assert_close(logits[row], fresh(dam, ids), atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize('way', WAYS)
def test_texts_come_and_go_and_rest(way: str):
    dam = load(checkpoint(), dtype='float32', device='cpu')
    writer = writer_of(way, dam)
    texts = {seed: read(dam, seed, 3 + 40 * seed) for seed in range(7)}
    random = np.random.default_rng(0)
    for turn in range(60):
        if turn % 7 == 6:   # one leaves, a new one takes its place
            gone = int(random.choice(list(texts)))
            del texts[gone]
            gc.collect()
            texts[7 + turn] = read(dam, turn, int(random.integers(1, 300)))
        writing = [int(one) for one in random.permutation(list(texts))[:random.integers(1, 6)]]
        given = [int(one) for one in random.integers(3, 500, len(writing))]
        logits = step(writer, given, [texts[one][0] for one in writing])
        for row, (name, id) in enumerate(zip(writing, given)):
            texts[name][1].append(id)
            torch.testing.assert_close(logits[row], fresh(dam, texts[name][1]), atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize('way', ('compiled', 'graphs'))
@pytest.mark.parametrize('dtype', ('bfloat16', 'float16', 'int8', 'int4'))
def test_every_form_of_the_weights(dtype: str, way: str):
    """The same weights, and numbers at least as exact: what is near to the plain way in that form is near enough."""
    dam = load(checkpoint(hidden=64, mlp=96, heads=4), dtype=dtype, device='cpu')
    limit = {'bfloat16': 0.05, 'float16': 0.01}.get(dtype, 2e-4)
    ours, plain = (read(dam, 3, 60)[0] for _ in range(2))
    for id in (5, 77, 300):
        found = step(writer_of(way, dam), [id], [ours])
        expected = step(writer_of('plain', dam), [id], [plain])
        assert float((found - expected).norm() / expected.norm()) < limit


@pytest.mark.parametrize('function', ('silu', 'gelu_pytorch_tanh', 'gelu', 'quick_gelu', 'relu'))
def test_every_activation(function: str):
    kernels = pytest.importorskip('dam_ros.model.kernels', reason='compiled products need numba')
    from dam_ros.model.layers import activation
    opened = torch.linspace(-6, 6, 101)
    wide = torch.cat([opened, torch.full((101,), 2.0)])[None]
    out = np.empty((1, 101), np.float32)
    kernels.gate(wide.numpy(), kernels.ACTIVATION[function], out)
    torch.testing.assert_close(torch.from_numpy(out[0]), 2 * activation(function)(opened), atol=1e-6, rtol=1e-5)


def test_numbers_that_run_over_are_seen():
    """NaN in, NaN out: the compiled code must not take numbers for finite."""
    dam = load(checkpoint(), dtype='float32', device='cpu')
    with torch.no_grad():
        dam.language.model.layers[0].mlp.down_proj.weight[0, 0] = float('nan')
    cache, _ = read(load(checkpoint(), dtype='float32', device='cpu'), 1, 4)
    assert step(writer_of('compiled', dam), [5], [cache]).isnan().all()


@pytest.mark.parametrize('dtype', ('float32', 'bfloat16', 'float16', 'int8', 'int4'))
@pytest.mark.parametrize('shape', ('usual', 'odd widths'))
def test_a_text_is_the_same_to_the_bit_beside_any_number_of_others(shape: str, dtype: str):
    """Products take texts one by one, by fours, and eight with two rows at a time."""
    dam = load(checkpoint(**LANGUAGES[shape]), dtype=dtype, device='cpu')
    writer = writer_of('compiled', dam)
    lengths = (5, 20, 33, 1, 8, 13, 2, 40, 3)
    alone = torch.cat([step(writer, [seed + 9], [read(dam, seed, length)[0]]) for seed, length in enumerate(lengths)])
    for texts in range(2, len(lengths) + 1):
        caches = [read(dam, seed, length)[0] for seed, length in enumerate(lengths[:texts])]
        assert torch.equal(step(writer, [seed + 9 for seed in range(texts)], caches), alone[:texts]), texts


def test_without_numba_the_plain_way_is_taken(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture):
    monkeypatch.setitem(sys.modules, 'dam_ros.model.compiled', None)
    dam = load(checkpoint(), dtype='float32', device='cpu')
    found = writing.writer(dam.language, dam.config.language, dam._rotation, dam.device)
    assert isinstance(found, Plain)
    assert 'pip install numba' in capfd.readouterr().err


def test_numba_is_left_alone_until_a_model_is_loaded():
    """numba takes half a second to import: not for whoever only asks for help."""
    code = 'import sys, dam_ros.cli; sys.exit("numba" in sys.modules)'
    assert subprocess.run([sys.executable, '-c', code], timeout=60).returncode == 0
