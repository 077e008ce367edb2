"""What the configuration and the tokenizer of a checkpoint may say: a model that runs, or one line about the field."""
from __future__ import annotations

import json
import os
from pathlib import Path
import shutil
import time
import warnings

import pytest

pytest.importorskip('torch', reason='the model needs torch')
from damaged_dam import copied, create, edit, LLM, PARTS, refused, say, TINIEST   # noqa: E402
from dam_ros import describers   # noqa: E402
from dam_ros.core.errors import Failure   # noqa: E402
from dam_ros.model import weights   # noqa: E402
from dam_ros.model.random_checkpoint import Sizes, write   # noqa: E402
from tiny_dam import checkpoint   # noqa: E402


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied(tmp_path / 'weights')


IGNORED = ('model_type', 'architectures', 'tokenizer_class', 'num_video_frames', 'llm_cfg', 'vision_tower_cfg',
           'mm_projector_cfg', 'bos_token_id', 'pad_token_id', 'legacy')
FILES = ('config.json', *(f'{part}/config.json' for part in PARTS), 'vision_tower/preprocessor_config.json',
         'llm/generation_config.json', 'llm/tokenizer_config.json')
MORE = {'llm/config.json': {'rope_parameters': {'rope_theta': 10000.0}, 'head_dim': 4, 'attention_bias': False,
                            'mlp_bias': False},
        'llm/generation_config.json': {'top_k': 50, 'repetition_penalty': 1.0}}
ABSURD = (None, 'x', -1, 0, 10 ** 30, 2 ** 31, 1e300, float('nan'), [], [1], {'a': 1}, True)


@pytest.mark.parametrize('name', FILES)
def test_every_field_deleted_or_absurd_gives_a_model_that_runs_or_one_complaint(folder, name):
    path = folder / name
    good = {**json.loads(path.read_text()), **MORE.get(name, {})}
    path.write_text(json.dumps(good))
    expected = say(create(folder), 1)
    ran = said = 0
    for field in good.keys() - set(IGNORED):
        for values in ({key: value for key, value in good.items() if key != field},
                       *({**good, field: value} for value in ABSURD)):
            path.write_text(json.dumps(values))
            begun = time.monotonic()
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter('error')
                    assert len(say(create(folder), 1)) == 1
                ran += 1
            except Failure as failure:
                message = str(failure)
                assert 'could not be made' not in message, (field, values.get(field), message)
                part = name.partition('/')[0]
                assert (f'{name}: {field} ' in message or name in message and field in message
                        or message.startswith(f'{part}: ') or 'ran over' in message or 'vocab_size' in message
                        or field == 'tokenizer_model_max_length'), (field, values.get(field), message)
                said += 1
            assert time.monotonic() - begun < 5.0, (field, values.get(field))
    assert said and (ran or name.startswith('mm_'))
    path.write_text(json.dumps(good))
    assert say(create(folder), 1) == expected


@pytest.mark.parametrize('text', ['', '{', '[]', 'null', '3', '"x"', '\xff\xfe', '[' * 100_000, '{"a": 1' + '0' * 5000])
@pytest.mark.parametrize('name', [one for one in FILES if not one.startswith('mm')])
def test_a_file_that_is_no_json_object_is_named(folder, name, text):
    (folder / name).write_text(text, encoding='latin-1')
    if text == '{"a": 1' + '0' * 5000:
        (folder / name).write_text(text + '}')   # a number that Python does not read
    assert name in refused(folder)


LLAMA3 = {'rope_type': 'llama3', 'factor': 8.0, 'low_freq_factor': 1.0, 'high_freq_factor': 4.0,
          'original_max_position_embeddings': 64}


@pytest.mark.parametrize('field', ['rope_scaling', 'rope_parameters'])
def test_rope_scaling_says_what_it_lacks(folder, field):
    def set_to(**values):
        edit(folder / 'llm/config.json', lambda config: config.update({field: values}))
    plain = say(create(folder), 12)
    set_to(type='default')
    assert say(create(folder), 12) == plain
    set_to(**LLAMA3)
    scaled = say(create(folder), 12)
    set_to(type='linear', factor=4)
    linear = say(create(folder), 12)
    assert len({tuple(plain), tuple(scaled), tuple(linear)}) == 3, 'all three count'
    for missing in LLAMA3:
        for wrong in ({}, {missing: 'x'}, {missing: -1}, {missing: None}, {missing: [2]}):
            set_to(**{name: value for name, value in LLAMA3.items() if name != missing}, **wrong)
            if missing == 'rope_type' and wrong in ({}, {missing: None}):
                assert say(create(folder), 12) == plain   # as transformers reads it: no type is no scaling
            else:
                assert f'llm/config.json: {field}: {missing} is ' in refused(folder)
    set_to(**{**LLAMA3, 'low_freq_factor': 4.0})
    assert 'less than high_freq_factor' in refused(folder)
    for kind in ('yarn', 'dynamic', 'longrope', 'su'):
        set_to(type=kind, factor=2.0)
        assert f"{field}: type is '{kind}'" in refused(folder)


# -- tokenizer

@pytest.mark.parametrize('data', [b'', b'\0' * 100, b'garbage', b'\x0a', os.urandom(4096), b'PK\x03\x04' * 50])
def test_a_tokenizer_that_is_garbage_is_named_in_one_line(folder, data, capfd):
    (folder / 'llm/tokenizer.model').write_bytes(data)
    assert 'llm/tokenizer.model cannot be used' in refused(folder)
    assert all(line.startswith('dam: ') for line in capfd.readouterr().err.splitlines()), 'and no library says more'


def test_a_tokenizer_that_is_cut_short_or_another_is_refused_or_runs(folder, tmp_path):
    whole = (folder / 'llm/tokenizer.model').read_bytes()
    (folder / 'llm/tokenizer.model').write_bytes(whole[:len(whole) // 2])
    assert 'tokenizer' in refused(folder)
    larger = checkpoint(**{**TINIEST, 'vocabulary': 520})
    shutil.copy(larger / 'llm/tokenizer.model', folder / 'llm/tokenizer.model')
    assert 'the tokenizer has 520 tokens' in refused(folder)
    smaller = checkpoint(**{**TINIEST, 'vocabulary': 450})
    shutil.copy(smaller / 'llm/tokenizer.model', folder / 'llm/tokenizer.model')
    assert all(id < 450 for id in say(create(folder), 30)), 'rows without a token are never chosen'


@pytest.mark.parametrize('added', [['x'], 3, 'x', {'x': {'content': 'y'}}, {'-1': {'content': 'y'}}, {'5': 'y'},
                                   {'5': {}}, {'5': {'content': ''}}, {'5': {'content': 7}},
                                   {'9' * 30: {'content': 'y'}}])
def test_added_tokens_that_are_none_are_named(folder, added):
    edit(folder / 'llm/tokenizer_config.json', lambda values: values.update(added_tokens_decoder=added))
    assert 'llm/tokenizer_config.json: added_tokens_decoder' in refused(folder)


@pytest.mark.parametrize('added', [{'x': 'y'}, {'x': -1}, {'x': [1]}, {'x': 10 ** 30}, {'': 5}, {'x': None}])
def test_the_older_file_of_added_tokens_is_checked_too(folder, added):
    (folder / 'llm/added_tokens.json').write_text(json.dumps(added))
    assert 'llm/added_tokens.json' in refused(folder)


# -- which kind it is

def in_cache(hub_id: str, root: Path) -> Path:
    """The folder of a snapshot that links to blobs, as Hugging Face's cache has it."""
    commit = weights.PINNED.get(hub_id, 'c' * 40)
    repository = weights.repository_folder(hub_id)
    snapshot = repository / 'snapshots' / commit
    (repository / 'refs').mkdir(parents=True)
    (repository / 'refs/main').write_text(commit)
    for number, path in enumerate(path for path in root.rglob('*') if path.is_file()):
        blob = repository / 'blobs' / f'{number:064}'
        blob.parent.mkdir(exist_ok=True)
        shutil.copy(path, blob)
        link = snapshot / path.relative_to(root)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    return snapshot


@pytest.fixture
def unsaid(folder: Path) -> Path:
    """Without our own field, as published."""
    edit(folder / 'config.json', lambda values: values.pop('dam_ros_model_kind') and None)
    return folder


@pytest.mark.parametrize(('hub_id', 'most'), [('nvidia/DAM-3B', 1), ('nvidia/DAM-3B-Video', 8),
                                              ('nvidia/DAM-3B-Self-Contained', 1)])
def test_the_kind_is_known_by_the_name_on_the_hub(unsaid, monkeypatch, tmp_path, hub_id, most):
    monkeypatch.setenv('HF_HOME', str(tmp_path / 'home'))
    snapshot = in_cache(hub_id, unsaid)
    for model in (hub_id, str(snapshot), hub_id + '@main'):
        describer = describers.create('dam', {'model': model, 'device': 'cpu'})
        assert describer.max_pictures == most
        assert describer.model.startswith(f'{hub_id}@') and describer.model.endswith(' float32')
    if hub_id == weights.DEFAULT:
        assert describers.resolve('auto') == ('dam', f'auto: dam, for the weights {hub_id} are on disk')
        assert describers.create('auto', {'device': 'cpu'}).name == 'dam'
    (snapshot / LLM).resolve().unlink()
    assert hub_id in refused(Path(hub_id)) and './dev weights' in refused(Path(hub_id))


@pytest.mark.parametrize(('name', 'most'), [('my-dam', 1), ('DAM-3B-Video', 8), ('dam_joint_2', 8), ('VIDEO', 8)])
def test_the_kind_of_a_folder_is_known_by_its_name_or_our_field(unsaid, name, most):
    named = unsaid.rename(unsaid.parent / name)
    assert create(named).max_pictures == most
    assert create(named, model_kind='image').max_pictures == 1
    assert create(named, model_kind='joint').max_pictures == 8
    other = {1: 'joint', 8: 'image'}[most]
    edit(named / 'config.json', lambda values: values.update(dam_ros_model_kind=other))
    assert create(named).max_pictures == {'image': 1, 'joint': 8}[other], 'our field says it, whatever the name'


@pytest.mark.parametrize('wrong', [{'model_kind': 'video'}, {'dtype': 'int2'}, {'device': 'tpu'}, {'device': 'cuda:99'},
                                   {'memory_budget_mb': -1}, {'memory_budget_mb': 'much'}, {'nonsense': 1}])
def test_an_option_that_is_none_is_named(folder, wrong):
    name, value = next(iter(wrong.items()))
    message = refused(folder, **wrong)
    assert name in message and (str(value) in message or name == 'nonsense')


def test_a_random_checkpoint_is_repeatable(tmp_path):
    one, two = (write(tmp_path / name, Sizes(**TINIEST), 5) for name in 'ab')
    for path in (path for path in one.rglob('*') if path.is_file()):
        assert path.read_bytes() == (two / path.relative_to(one)).read_bytes(), path.name
