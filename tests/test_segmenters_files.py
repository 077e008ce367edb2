"""Weights of SAM: found on disk or not, each with the command that gets them, and fetched without what could run."""
from __future__ import annotations

import json
import os
from pathlib import Path
import subprocess

import hub_server
import pytest

from dam_ros.core.errors import SegmenterFailed
from dam_ros.segmenters import download, sam_files

COMMIT = 'b' * 40
ROOT = Path(__file__).resolve().parent.parent


def tensors(*names: str) -> bytes:
    header = json.dumps({name: {'dtype': 'F32', 'shape': [0], 'data_offsets': [0, 0]} for name in names}).encode()
    return len(header).to_bytes(8, 'little') + header


def files(model_type: str = 'sam2_video') -> dict[str, bytes]:
    """Of a repository, with some that nobody should fetch."""
    return {'config.json': json.dumps({'model_type': model_type}).encode(), 'model.safetensors': tensors('a', 'b'),
            'preprocessor_config.json': json.dumps({'image_mean': [0, 0, 0], 'image_std': [1, 1, 1]}).encode(),
            'processor_config.json': b'{}', 'pytorch_model.bin': b'\x80\x04.', 'sam2.1_hiera_tiny.pt': b'\x80\x04.',
            'modeling.py': b'raise SystemExit', 'README.md': b'words'}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv('HF_HUB_CACHE', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


def in_cache(cache: Path, hub_id: str, held: dict[str, bytes]) -> Path:
    repository = cache / f'models--{hub_id.replace("/", "--")}'
    (repository / 'refs').mkdir(parents=True)
    (repository / 'refs' / 'main').write_text(COMMIT)
    return hub_server.write(repository / 'snapshots' / COMMIT, held)


# -- on disk ----------------------------------------------------------------------------------------------------------

def test_the_default_and_any_other_are_found_in_the_cache(cache: Path):
    wanted = in_cache(cache, sam_files.DEFAULT, files())
    found = sam_files.find()
    assert (found.folder, found.kind, found.mean, found.std) == (wanted, 'SAM 2', (0, 0, 0), (1, 1, 1))
    other = in_cache(cache, 'facebook/sam-vit-base', files('sam'))
    assert sam_files.find('facebook/sam-vit-base').folder == other
    assert sam_files.find(f'facebook/sam-vit-base@{COMMIT[:8]}').kind == 'SAM'


def test_a_folder_is_found(tmp_path: Path):
    assert sam_files.find(str(hub_server.write(tmp_path / 'mine', files('sam2')))).kind == 'SAM 2'
    assert not sam_files.why_not(str(tmp_path / 'mine'))


def test_what_follows_is_told_by_the_names_of_its_tensors(tmp_path: Path):
    held = {**files('sam2'), 'model.safetensors': tensors('vision_encoder.x', 'memory_attention.layers.0.x')}
    assert sam_files.find(str(hub_server.write(tmp_path / 'with', held))).follows
    assert not sam_files.find(str(hub_server.write(tmp_path / 'without', files('sam2_video')))).follows


def test_tensors_in_several_files(tmp_path: Path):
    index = {'weight_map': {'a': 'model-00001-of-00002.safetensors', 'b': 'model-00002-of-00002.safetensors'}}
    held = files()
    del held['model.safetensors']
    held |= {'model.safetensors.index.json': json.dumps(index).encode(), 'model-00001-of-00002.safetensors': tensors()}
    folder = hub_server.write(tmp_path / 'parts', held)
    assert 'model-00002-of-00002.safetensors is missing' in sam_files.why_not(str(folder))
    (folder / 'model-00002-of-00002.safetensors').write_bytes(tensors('memory_attention.x'))
    assert sam_files.find(str(folder)).follows


def test_normalisation_lies_in_either_file_or_is_that_of_imagenet(tmp_path: Path):
    held = files()
    del held['preprocessor_config.json']
    assert sam_files.find(str(hub_server.write(tmp_path / 'none', held))).mean == (0.485, 0.456, 0.406)
    held['processor_config.json'] = json.dumps({'image_processor': {'image_mean': [.1, .2, .3],
                                                                    'image_std': [1, 1, 1]}}).encode()
    assert sam_files.find(str(hub_server.write(tmp_path / 'nested', held))).mean == (.1, .2, .3)


@pytest.mark.parametrize(('name', 'content', 'words'), [
    ('config.json', None, ['config.json is missing']),
    ('config.json', b'{', ['config.json cannot be read']),
    ('config.json', b'[]', ['model_type in', 'is None', 'sam, sam2, sam2_video']),
    ('config.json', b'{"model_type": "sam3"}', ["'sam3'", 'sam, sam2, sam2_video', sam_files.DEFAULT]),
    ('model.safetensors', None, ['holds no model.safetensors', 'pickle']),
    ('model.safetensors', b'\x05', ['no whole safetensors file']),
    ('model.safetensors', b'\xff' * 8, ['no whole safetensors file']),
])
def test_what_is_wrong_with_a_folder_is_one_clear_failure(tmp_path: Path, name: str, content, words: list[str]):
    held = {**files(), name: content}
    folder = hub_server.write(tmp_path / 'mine', {one: what for one, what in held.items() if what is not None})
    with pytest.raises(SegmenterFailed) as failed:
        sam_files.find(str(folder))
    assert all(word in str(failed.value) for word in words) and '\n' not in str(failed.value)


def test_missing_weights_are_one_failure_with_the_command_that_gets_them(cache: Path):
    with pytest.raises(SegmenterFailed) as failed:
        sam_files.find()
    model = sam_files.DEFAULT
    assert str(failed.value) == (f'the weights {model} are not in {cache}. Get the weights with `./dev weights '
                                 f'{model}` or `python -m dam_ros.segmenters.download {model}`')


@pytest.mark.parametrize('model', ['/no/folder', '~/none', 'sam', 'a/b/c', '../x', 'a/..@x', 'a/b@../../x', 'a b/c'])
def test_what_is_neither_folder_nor_hub_id(model: str):
    with pytest.raises(SegmenterFailed, match=r'^segmenter_model is .*a folder, or a hub id'):
        sam_files.find(model)


# -- fetched ----------------------------------------------------------------------------------------------------------

@pytest.fixture
def hub(monkeypatch):
    pytest.importorskip('huggingface_hub', reason='huggingface_hub is not installed')
    with hub_server.serving(hub_server.Hub()) as hub:
        monkeypatch.setenv('HF_ENDPOINT', hub.url)
        monkeypatch.setenv('HF_HUB_DISABLE_PROGRESS_BARS', '1')
        hub.add(sam_files.DEFAULT, files(), COMMIT)
        yield hub


def test_only_json_and_tensors_are_fetched_and_found_afterwards(hub, capsys):
    assert download.main([]) == 0
    folder = Path(capsys.readouterr().out.strip())
    assert sorted(path.name for path in folder.iterdir()) == ['config.json', 'model.safetensors',
                                                              'preprocessor_config.json', 'processor_config.json']
    assert sam_files.find().folder == folder
    asked = len(hub.asked)
    assert download.main([]) == 0 and download.main(['--check']) == 0 and len(hub.asked) == asked


def test_checking_asks_nobody(hub, capsys):
    assert download.main(['--check']) == 1
    assert not hub.asked and capsys.readouterr().err.startswith('weights: the weights facebook/sam2.1-hiera-tiny are ')


@pytest.mark.parametrize('model', ['me/none', 'sam', '/no/folder'])
def test_what_cannot_be_fetched_is_one_line(hub, capsys, model: str):
    assert download.main([model]) == 1
    said = capsys.readouterr().err
    assert said.startswith('weights: ') and said.count('\n') == 1 and sam_files.DEFAULT in said


def test_another_model_of_the_hub_is_no_sam(hub, capsys):
    hub.add('me/other', files('bert'), COMMIT)
    assert download.main(['me/other']) == 1
    assert "is 'bert'; allowed: sam, sam2, sam2_video" in capsys.readouterr().err


@pytest.mark.skipif('DAM_DEV_INSIDE' not in os.environ, reason='not started by ./dev: it would set up first')
def test_dev_weights_knows_a_sam_by_its_name(hub, tmp_path: Path):
    def dev(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([ROOT / 'dev', 'weights', *arguments], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL)

    run = dev(sam_files.DEFAULT)
    folder = Path(run.stdout.strip())
    assert run.returncode == 0 and folder == sam_files.find().folder, run.stderr
    hub.add('me/sam2-kept_by.me', files('bert'), COMMIT)
    assert "is 'bert'; allowed: sam, sam2, sam2_video" in dev('me/sam2-kept_by.me').stderr
    assert 'dam-describe --download' in dev('--check', 'me/samurai').stderr   # no SAM: asked of the describer's
