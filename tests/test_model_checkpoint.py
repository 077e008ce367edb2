"""Tensors and files of checkpoints that are not what they should be: refused in one line that names them; and memory.

After each failure the same process loads a good one (`damaged_dam.refused`).
"""
from __future__ import annotations

from collections.abc import Callable
import json
import os
from pathlib import Path
import re
import shutil
import struct
import subprocess
import sys
import time

import pytest

torch = pytest.importorskip('torch', reason='the model needs torch')
from safetensors.torch import load_file   # noqa: E402

from damaged_dam import copied, create, edit, LLM, PARTS, refused, say, TINIEST, TOWER   # noqa: E402
from dam_ros.core.errors import DescriberFailed   # noqa: E402
from dam_ros.model.dam import load   # noqa: E402
from tiny_dam import checkpoint   # noqa: E402


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied(tmp_path / 'weights')


# -- tensors

NAMED = [('vision_tower', 'vision_model.embeddings.mask_patch_embedding.weight'),
         ('vision_tower', 'vision_model.encoder.layers.0.self_attn.k_proj.bias'),
         ('context_provider', 'context_provider_module.layers.0.attn_factor'),
         ('context_provider', 'context_provider_module.layers.0.cross_attn.v_proj.weight'),
         ('mm_projector', 'layers.4.bias'), ('llm', 'model.layers.0.mlp.up_proj.weight'), ('llm', 'lm_head.weight'),
         ('llm', 'model.embed_tokens.weight')]


@pytest.mark.parametrize(('part', 'name'), NAMED)
def test_a_tensor_that_is_missing_or_has_another_shape_is_named(folder, part, name):
    path = folder / part / 'model.safetensors'
    edit(path, lambda tensors: tensors.update({name: tensors[name][:-1].clone()}))
    message = refused(folder)
    assert f'{part}: {name} has the shape [' in message and '] instead of [' in message
    edit(path, lambda tensors: tensors.pop(name))
    assert f'{part}: {name} is missing' in refused(folder)


@pytest.mark.parametrize('part', PARTS)
def test_tensors_that_do_not_belong_there_are_named(folder, part):
    names = [f'layers.{index}.lora_A.weight' for index in range(12)]
    edit(folder / part / 'model.safetensors', lambda tensors: tensors.update(
        {name: torch.zeros(2, index + 1) for index, name in enumerate(names)}))
    message = refused(folder)
    assert f'{part}: layers.0.lora_A.weight, layers.1.' in message
    assert ' and 4 more does not belong' in message or ' and 4 more do not belong' in message


def test_parts_of_a_fused_tensor_are_checked_one_by_one(folder):
    """Heads of 4: query 16 rows, key and value 8 each. The sum is right."""
    def change(tensors):
        for part, rows in (('q', 8), ('k', 16), ('v', 8)):
            tensors[f'model.layers.0.self_attn.{part}_proj.weight'] = torch.zeros(rows, 16)
    edit(folder / LLM, change)
    message = refused(folder)
    assert 'q_proj.weight has the shape [8, 16] instead of [16, 16]' in message
    assert 'k_proj.weight has the shape [16, 16] instead of [8, 16]' in message
    assert 'v_proj' not in message


def test_what_has_no_effect_may_be_missing_or_there(folder):
    expected = say(create(folder), 8)
    edit(folder / LLM, lambda tensors: tensors.update({'model.layers.0.self_attn.rotary_emb.inv_freq': torch.ones(2)}))
    edit(folder / TOWER, lambda tensors: [tensors.pop(name) for name in list(tensors)
                                          if 'head' in name or 'post' in name or 'layers.1' in name])
    assert say(create(folder), 8) == expected


def test_a_table_may_have_more_rows_than_the_tokenizer_but_no_fewer(folder):
    expected = say(create(folder), 8)

    def longer(tensors):
        for name in ('model.embed_tokens.weight', 'lm_head.weight'):
            tensors[name] = torch.cat((tensors[name], torch.full((12, 16), 100.0)))
    edit(folder / LLM, longer)
    edit(folder / 'llm/config.json', lambda values: values.update(vocab_size=512))
    assert say(create(folder), 8) == expected
    edit(folder / 'llm/config.json', lambda values: values.update(vocab_size=499))
    assert 'the tokenizer has 500 tokens, and vocab_size of config.json is 499' in refused(folder)


@pytest.mark.parametrize('dtype', [torch.int8, torch.int32, torch.uint8, torch.bool, torch.float8_e4m3fn])
def test_numbers_that_need_a_scale_are_refused(folder, dtype):
    name = 'model.layers.0.mlp.down_proj.weight'
    try:
        edit(folder / LLM, lambda tensors: tensors.update({name: tensors[name].to(dtype)}))
    except KeyError:
        pytest.skip(f'this safetensors cannot write {dtype}')
    message = refused(folder)
    assert f'llm: {name} is ' in message and 'quantized' in message


@pytest.mark.parametrize('disk', ['float32', 'float16', 'bfloat16'])
@pytest.mark.parametrize('asked', ['float32', 'float16', 'bfloat16'])
def test_every_precision_on_disk_becomes_every_precision_asked_for(disk, asked):
    root = checkpoint(dtype=disk, **TINIEST)
    dam = load(root, dtype=asked, device='cpu')
    wanted = getattr(torch, asked)
    parameters = [one for part in (dam.tower, dam.provider, dam.projector, dam.language) for one in part.parameters()]
    assert {one.dtype for one in parameters} == {wanted}
    held = load_file(root / LLM)['model.layers.0.mlp.down_proj.weight']
    assert torch.equal(dam.language.model.layers[0].mlp.down_proj.weight, held.to(wanted))
    assert held.dtype == getattr(torch, disk)
    assert len(say(create(root, dtype=asked))) == 3


# -- files

@pytest.fixture
def sharded(tmp_path: Path) -> Path:
    return copied(tmp_path / 'weights', shards=3)


@pytest.mark.parametrize('indexed', [True, False])
def test_a_missing_shard_is_named(sharded, indexed):
    if not indexed:
        (sharded / 'llm/model.safetensors.index.json').unlink()
    assert say(create(sharded)) == say(create(checkpoint(shards=3, **TINIEST)))
    (sharded / 'llm/model-00002-of-00003.safetensors').unlink()
    assert 'llm/model-00002-of-00003.safetensors is missing' in refused(sharded)


def test_a_tensor_in_two_shards_is_refused_by_name(sharded):
    first = load_file(sharded / 'llm/model-00001-of-00003.safetensors')
    name = sorted(first)[0]
    edit(sharded / 'llm/model-00002-of-00003.safetensors', lambda tensors: tensors.update({name: 2 * first[name]}))
    assert f'{name} is in more than one file' in refused(sharded)


@pytest.mark.parametrize('named', ['../secret.safetensors', '/etc/passwd', 'sub/model.safetensors', '..', '',
                                   'pytorch_model.bin', 3, None, ['x'], 'a\0.safetensors'])
def test_an_index_that_names_what_is_not_beside_it_is_refused(sharded, named):
    shutil.copy(sharded / 'llm/model-00001-of-00003.safetensors', sharded / 'secret.safetensors')
    edit(sharded / 'llm/model.safetensors.index.json',
         lambda index: index['weight_map'].update({'lm_head.weight': named}))
    assert 'llm' in refused(sharded)


@pytest.mark.parametrize('index', [[], {}, {'weight_map': {}}, {'weight_map': ['model.safetensors']}, 'x', 3, None])
def test_an_index_of_nothing_is_refused(sharded, index):
    (sharded / 'llm/model.safetensors.index.json').write_text(json.dumps(index))
    assert 'llm/model.safetensors.index.json' in refused(sharded)


@pytest.mark.parametrize('cut', [0, 3, 8, 50, 0.5, -1])
@pytest.mark.parametrize('name', [LLM, 'mm_projector/model.safetensors'])
def test_a_file_that_is_cut_short_is_named(folder, name, cut):
    path = folder / name
    size = path.stat().st_size
    os.truncate(path, int(size * cut) if isinstance(cut, float) else cut % size)
    assert name in refused(folder)
    with pytest.raises(DescriberFailed, match=f'{path} is no whole safetensors file|cut short|header|no safetensors'):
        load(folder, device='cpu')   # without the check before it


def lying(change: Callable[[dict], object]) -> Callable[[bytes], bytes]:
    def made(data: bytes) -> bytes:
        length, = struct.unpack('<Q', data[:8])
        header = json.loads(data[8:8 + length])
        change(header)
        text = json.dumps(header).encode()
        return struct.pack('<Q', len(text)) + text + data[8 + length:]
    return made


BIAS = 'layers.4.bias'   # 16 x float32
LIES = {
    'a length beyond the file': lambda data: struct.pack('<Q', 1 << 40) + data[8:],
    'a length beyond all': lambda data: b'\xff' * 8 + data[8:],
    'no JSON': lambda data: data[:8] + b'?' * 40 + data[48:],
    'nested too deep': lambda data: struct.pack('<Q', 200_000) + b'[' * 200_000,
    'a list': lambda data: struct.pack('<Q', 2) + b'[]',
    'a longer shape': lying(lambda header: header[BIAS].update(shape=[17])),
    'a negative shape': lying(lambda header: header[BIAS].update(shape=[-16])),
    'a vast shape': lying(lambda header: header[BIAS].update(shape=[1 << 62, 4])),
    'a smaller number': lying(lambda header: header[BIAS].update(dtype='F16')),
    'an unknown number': lying(lambda header: header[BIAS].update(dtype='F42')),
    'offsets beyond the file': lying(lambda header: header[BIAS].update(data_offsets=[1 << 40, (1 << 40) + 64])),
    'offsets of another': lying(lambda header: header[BIAS].update(data_offsets=[0, 64])),
    'offsets backwards': lying(lambda header: header[BIAS]['data_offsets'].reverse()),
    'offsets in words': lying(lambda header: header[BIAS].update(data_offsets=['a', 'b'])),
    'no offsets': lying(lambda header: header[BIAS].pop('data_offsets')),
    'a tensor that is a number': lying(lambda header: header.update({BIAS: 3})),
    'a pickle': lambda data: b'PK\x03\x04' + data,
    'a web page': lambda data: b'<!DOCTYPE html><html>not found</html>',
    'a pointer': lambda data: b'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n',
}


@pytest.mark.parametrize('lie', LIES)
def test_a_header_that_lies_is_refused(folder, lie):
    path = folder / 'mm_projector/model.safetensors'
    path.write_bytes(LIES[lie](path.read_bytes()))
    assert 'mm_projector' in refused(folder)
    with pytest.raises(DescriberFailed):
        load(folder, device='cpu')


@pytest.mark.parametrize('name', ['pytorch_model.bin', 'pytorch_model-00001-of-00002.bin', 'model.pt', 'x.pth'])
def test_a_pickle_is_refused_with_the_reason_and_not_opened(folder, tmp_path, name):
    (folder / LLM).unlink()
    trace = tmp_path / 'trace'
    (folder / 'llm' / name).write_bytes(b"cos\nsystem\n(S'touch %s'\ntR." % str(trace).encode())
    message = refused(folder)
    assert name in message and 'is a pickle, and loading one runs whatever code is in it' in message
    assert not trace.exists()


def test_either_layout_loads_and_no_code_of_it_runs(folder, tmp_path, monkeypatch):
    """Self-Contained: the same folders with the authors' code beside them."""
    trace = tmp_path / 'trace'
    code = f"open({str(trace)!r}, 'a').write(__name__)\n"
    for name in ('llava_llama.py', '__init__.py', 'llm/modeling_llama.py', 'vision_tower/__init__.py', 'conftest.py',
                 'sentencepiece.py', 'torch.py', 'llm/tokenization.py'):
        (folder / name).write_text(code)
    for name in ('config.json', 'llm/config.json', 'vision_tower/config.json', 'llm/tokenizer_config.json'):
        edit(folder / name, lambda values: values.update(auto_map={
            'AutoConfig': 'llava_llama.LlavaLlamaConfig', 'AutoModel': 'llava_llama.LlavaLlamaModel',
            'AutoTokenizer': ['tokenization.Other', None]}, trust_remote_code=True))
    monkeypatch.chdir(folder)   # `python -m` has this first on its path; a describer must not
    assert say(create(folder)) == say(create(checkpoint(**TINIEST)))
    assert not trace.exists()
    assert 'llava_llama' not in sys.modules and 'modeling_llama' not in sys.modules


@pytest.mark.parametrize('asked', ['float32', 'bfloat16', 'int8'])
def test_a_disk_that_fails_in_the_middle_is_named_and_leaves_nothing_behind(folder, monkeypatch, asked):
    """Old bug of readers: a short read taken for a whole one. And torch's threads stay as they were."""
    threads, files = torch.get_num_threads(), set(os.listdir('/proc/self/fd'))
    real = os.preadv
    monkeypatch.setattr(os, 'preadv', lambda file, parts, offset: real(file, [part[:7] for part in parts], offset))
    good = load(folder, dtype=asked, device='cpu').language.state_dict()
    monkeypatch.undo()
    for name, one in load(folder, dtype=asked, device='cpu').language.state_dict().items():
        assert torch.equal(good[name], one)
    monkeypatch.setattr(os, 'preadv', lambda *_: 0)
    with pytest.raises(DescriberFailed, match='became shorter while it was read'):
        load(folder, dtype=asked, device='cpu')

    def broken(*_):
        raise OSError(5, 'Input/output error')
    monkeypatch.setattr(os, 'preadv', broken)
    with pytest.raises(DescriberFailed, match='model.safetensors cannot be read: Input/output error'):
        load(folder, dtype=asked, device='cpu')
    assert torch.get_num_threads() == threads
    assert set(os.listdir('/proc/self/fd')) <= files | {str(max(map(int, files)) + 1)}


# -- memory

MIDDLE = {'hidden': 512, 'mlp': 1408, 'layers': 8, 'heads': 8, 'kv_heads': 8, 'vision_hidden': 256, 'vision_mlp': 512,
          'vision_layers': 4, 'vision_heads': 4, 'context_heads': 4, 'vocabulary': 1000, 'side_px': 210, 'shards': 3}
CHILD = """
from pathlib import Path
import sys
import torch
from dam_ros.model import checkpoint
from dam_ros.model.dam import load
folder, dtype, whole, small = sys.argv[1:]
load(Path(small), dtype=dtype, device='cpu')   # what is imported late is not what is measured
held = []
def whole_too(path, tensors_of=checkpoint.tensors_of):
    from safetensors.torch import load_file
    held.append({name: one.clone() for name, one in load_file(path).items()})
    return tensors_of(path)
if whole == 'whole':
    checkpoint.tensors_of = whole_too
print('imported', flush=True)
sys.stdin.readline()
dam = load(Path(folder), dtype=dtype, device='cpu')
print(sum(one.nbytes for part in (dam.tower, dam.provider, dam.projector, dam.language) for one in part.parameters()),
      flush=True)
sys.stdin.readline()
"""


def peak_of_load(folder: Path, dtype: str, way: str) -> float:
    """RssAnon at its highest while loading, without what the imports took, per byte of weights."""
    child = subprocess.Popen([sys.executable, '-c', CHILD, str(folder), dtype, way, str(checkpoint(**TINIEST))],
                             text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with child:
        assert child.stdout.readline() == 'imported\n'
        status = open(f'/proc/{child.pid}/status')

        def anonymous() -> int:
            status.seek(0)
            return int(re.search(r'RssAnon:\s+(\d+) kB', status.read())[1]) * 1024
        before, highest = anonymous(), 0
        os.set_blocking(child.stdout.fileno(), False)
        child.stdin.write('\n')
        child.stdin.flush()
        while not (said := child.stdout.readline()):
            assert child.poll() is None
            highest = max(highest, anonymous())
            time.sleep(0.0005)
        highest = max(highest, anonymous())
        status.close()
        child.communicate('\n')
    assert highest - before > 0.8 * int(said), 'it was measured'
    return (highest - before) / int(said)


@pytest.mark.parametrize(('disk', 'asked'), [pytest.param('bfloat16', 'float32', marks=pytest.mark.soak),
                                             ('float32', 'bfloat16')])
def test_loading_takes_little_more_memory_than_the_weights(disk, asked):
    """30 million parameters: 60 or 120 MB."""
    folder = checkpoint(dtype=disk, **MIDDLE)
    assert peak_of_load(folder, asked, 'streamed') < 1.2


@pytest.mark.parametrize('asked', [pytest.param('int8', marks=pytest.mark.soak), 'int4'])
def test_making_them_narrow_takes_little_more_memory_than_the_weights(asked):
    """30 million parameters in float32, 120 MB; 16 MB are what four threads work with, whatever the size."""
    folder = checkpoint(dtype='float32', **MIDDLE)
    dam = load(folder, dtype=asked, device='cpu')
    weights = sum(one.nbytes for part in (dam.tower, dam.provider, dam.projector, dam.language)
                  for one in part.parameters())
    assert peak_of_load(folder, asked, 'streamed') < 1.2 + 16e6 / weights


@pytest.mark.soak   # a test of the test
def test_the_measurement_sees_weights_that_are_held_twice():
    assert peak_of_load(checkpoint(dtype='float32', **MIDDLE), 'bfloat16', 'whole') > 2.0

