"""Weights on disk: found or not, complete or not, and what is said then. No network, no torch."""
from __future__ import annotations

import json
from pathlib import Path
import shutil
import subprocess
import sys

import hub_server
import pytest

from dam_ros import describers
from dam_ros.core.errors import DescriberFailed
from dam_ros.model import download, layout, weights

OTHER = 'b' * 40


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ('HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'XDG_CACHE_HOME'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('HF_HOME', str(tmp_path / 'home'))
    return tmp_path / 'home' / 'hub'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return hub_server.write(tmp_path / 'folder', hub_server.checkpoint())


def _cached(hub_id: str, commit: str, **refs: str) -> Path:
    repository = weights.repository_folder(hub_id)
    hub_server.write(repository / 'refs', {name: ref.encode() for name, ref in refs.items()})
    return hub_server.write(repository / 'snapshots' / commit, hub_server.checkpoint())


# -- where

def test_a_folder_and_the_pinned_commit_are_found(folder: Path, cache: Path):
    assert weights.find(str(folder)) == folder
    assert not weights.on_disk() and not weights.on_disk('nvidia/DAM-3B')
    snapshot = _cached(weights.DEFAULT, weights.PINNED[weights.DEFAULT])
    assert snapshot.is_relative_to(cache)
    assert weights.find() == weights.find('nvidia/DAM-3B') == snapshot and weights.on_disk()


@pytest.mark.parametrize(('variables', 'place'), [
    ({}, '{tmp}/.cache/huggingface/hub'), ({'XDG_CACHE_HOME': '{tmp}/x'}, '{tmp}/x/huggingface/hub'),
    ({'HF_HOME': '~/h'}, '{tmp}/h/hub'), ({'HF_HOME': '/h', 'HUGGINGFACE_HUB_CACHE': '{tmp}/old'}, '{tmp}/old'),
    ({'HUGGINGFACE_HUB_CACHE': '/old', 'HF_HUB_CACHE': '{tmp}/new'}, '{tmp}/new')])
def test_the_cache_is_where_hugging_face_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                variables: dict[str, str], place: str):
    monkeypatch.delenv('HF_HOME')
    for name, value in {'HOME': '{tmp}', **variables}.items():
        monkeypatch.setenv(name, value.format(tmp=tmp_path))
    assert str(weights.cache_folder()) == place.format(tmp=tmp_path)
    theirs = subprocess.run([sys.executable, '-c', 'import huggingface_hub.constants as c; print(c.HF_HUB_CACHE)'],
                            capture_output=True, text=True, timeout=60)
    if 'No module' in theirs.stderr:
        pytest.skip('huggingface_hub is not installed; its own answer cannot be compared')
    assert theirs.stdout.strip() == str(weights.cache_folder())


def test_without_a_pin_the_commit_of_the_first_download_stays():
    hub_id = 'nvidia/DAM-3B-Video'
    assert hub_id not in weights.PINNED
    theirs = _cached(hub_id, OTHER, main=OTHER)
    assert weights.find(hub_id) == theirs   # fetched by another program
    ours = _cached(hub_id, 'c' * 40, dam_ros='c' * 40)
    assert weights.find(hub_id) == ours     # main may move on
    assert weights.find(hub_id, 'main') == weights.find(f'{hub_id}@main') == theirs
    assert weights.find(f'{hub_id}@{"b" * 7}') == weights.find(hub_id, OTHER) == theirs


def test_another_revision_than_the_pinned_is_named():
    _cached(weights.DEFAULT, OTHER, main=OTHER)
    with pytest.raises(DescriberFailed, match=r'at revision 0797bed, but nvidia/DAM-3B@bbbbbbb is'):
        weights.find()
    assert weights.on_disk('nvidia/DAM-3B@bbbbbbb')


@pytest.mark.parametrize(('model', 'words'), [
    ('nvidia/DAM-3B', r'are not in .*\./dev weights nvidia/DAM-3B` or `dam-describe --download --model nvidia/DAM-3B`'),
    ('', 'dam-describe --download --model nvidia/DAM-3B'),
    ('nvidia/DAM-3B@v2', './dev weights nvidia/DAM-3B@v2`'),
    ('DAM-3B-Video', r"model is 'DAM-3B-Video'; allowed: a folder, or a hub id: .*Say nvidia/DAM-3B-Video"),
    ('NVIDIA/dam-3b', 'are not in'), ('/no/such/folder', 'There is no such folder'), ('~nobody_here/x', 'allowed: a f'),
    ('./x', 'There is no such folder'), ('a/b/c', 'allowed'), ('../..@main/x', 'allowed'), ('nvidia/../x', 'allowed'),
    ('a\0b', 'allowed'), ('x' * 5000, 'allowed'), ('nvidia/DAM-3B@../../x', 'revision is .*allowed: a commit')])
def test_what_is_not_there_is_one_line_that_says_how_to_get_it(model: str, words: str):
    with pytest.raises(DescriberFailed, match=words) as caught:
        weights.find(model)
    assert '\n' not in str(caught.value) and len(str(caught.value)) < 500
    assert weights.why_not(model) == str(caught.value)


# -- whether all of it is there

NEEDED = [*layout.FILES, 'llm/model-00001-of-00002.safetensors', 'llm/model-00002-of-00002.safetensors',
          'vision_tower/model.safetensors', 'mm_projector/model.safetensors', 'context_provider/model.safetensors']


@pytest.mark.parametrize('name', NEEDED)
def test_each_file_that_is_missing_is_named(folder: Path, name: str):
    (folder / name).unlink()
    with pytest.raises(DescriberFailed, match=f'not complete: {name} is missing'):
        weights.find(str(folder))


def test_only_a_download_can_go_on():
    snapshot = _cached(weights.DEFAULT, weights.PINNED[weights.DEFAULT])
    (snapshot / 'llm/model-00002-of-00002.safetensors').unlink()
    with pytest.raises(DescriberFailed, match=r'00002-of-00002.safetensors is missing. It goes on .*\./dev weights'):
        weights.find()
    with pytest.raises(DescriberFailed) as caught:
        weights.find(str(snapshot))
    assert 'goes on' not in str(caught.value)


def test_a_folder_of_something_else_is_told_what_it_lacks(tmp_path: Path):
    with pytest.raises(DescriberFailed, match='config.json is missing; a checkpoint of DAM has .*mm_projector'):
        weights.find(str(tmp_path))


@pytest.mark.parametrize('top', [{}, {'context_provider_cfg': None}])
def test_a_model_without_context_provider_needs_no_files_of_it(folder: Path, top: dict):
    shutil.rmtree(folder / 'context_provider')
    (folder / 'config.json').write_text(json.dumps(top))
    assert weights.find(str(folder)) == folder


def test_shards_without_an_index_are_counted_by_their_names(folder: Path):
    (folder / 'llm/model.safetensors.index.json').unlink()
    assert [path.name for path in layout.shards(folder / 'llm')] == [
        'model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']
    (folder / 'llm/model-00001-of-00002.safetensors').unlink()
    with pytest.raises(DescriberFailed, match='llm/model-00001-of-00002.safetensors is missing'):
        layout.check(folder)


@pytest.mark.parametrize('name', ['pytorch_model.bin', 'model.pt', 'model.pth', 'model.ckpt'])
def test_a_pickle_is_refused_with_the_reason(folder: Path, name: str):
    (folder / 'mm_projector/model.safetensors').rename(folder / 'mm_projector' / name)
    with pytest.raises(DescriberFailed, match=f'{name} is a pickle, and loading one runs whatever code'):
        weights.find(str(folder))


@pytest.mark.parametrize(('content', 'words'), [
    (hub_server.safetensors()[:-1], r'has \d+ bytes instead of \d+: it was cut short'),
    (hub_server.safetensors() + b'x', 'or is damaged'), (hub_server.safetensors()[:30], 'cut short'),
    (b'', 'is no safetensors file'), (b'\xff' * 64, 'is no safetensors file'),
    (b'\x80\x04\x95' + b'.' * 90, 'is no safetensors file'),
    (b'\x04\0\0\0\0\0\0\0{"a"', 'its header cannot be read'), (b'\x02\0\0\0\0\0\0\0[]', 'its header cannot be read'),
    (b'\x0a\0\0\0\0\0\0\0{"a": {} } ', 'its header cannot be read'),
    (b'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n', 'only a pointer of git-lfs')])
def test_a_damaged_file_is_seen_before_it_is_loaded(folder: Path, content: bytes, words: str):
    (folder / 'vision_tower/model.safetensors').write_bytes(content)
    with pytest.raises(DescriberFailed, match=f'vision_tower/model.safetensors .*{words}'):
        weights.find(str(folder))


@pytest.mark.parametrize(('name', 'content', 'words'), [
    ('config.json', b'{', 'config.json cannot be read'), ('config.json', b'[]', 'no JSON object'),
    ('config.json', b'\xff', 'cannot be read'),
    ('llm/model.safetensors.index.json', b'{}', 'no index of shards'),
    ('llm/model.safetensors.index.json', b'{"weight_map": {}}', 'names nothing'),
    ('llm/model.safetensors.index.json', b'{"weight_map": {"a": 1}}', 'no index of shards'),
    ('llm/model.safetensors.index.json', b'{"weight_map": {"a": "../../x.safetensors"}}', 'allowed: safetensors files'),
    ('llm/model.safetensors.index.json', b'{"weight_map": {"a": "x.bin"}}', 'names x.bin; allowed: safetensors')])
def test_files_that_are_not_what_they_should_be(folder: Path, name: str, content: bytes, words: str):
    (folder / name).write_bytes(content)
    with pytest.raises(DescriberFailed, match=words) as caught:
        weights.find(str(folder))
    assert '\n' not in str(caught.value)


# -- who asks

def test_it_costs_neither_torch_nor_the_hubs_library():
    code = ('import sys; from dam_ros.model import weights; weights.on_disk(); '
            'print([name for name in ("torch", "transformers", "huggingface_hub", "numpy") if name in sys.modules])')
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=60,
                         cwd=Path(weights.__file__).parents[2])
    assert run.stdout.strip() == '[]', run.stderr


def test_auto_is_dam_where_its_weights_are_complete(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(describers._FACTORIES, 'dam', 'odd_describers:create')
    name, why = describers.resolve('auto', str(folder))
    assert name == 'dam' and str(folder) in why
    name, why = describers.resolve('auto')
    assert name == 'attributes' and './dev weights nvidia/DAM-3B' in why
    (folder / 'llm/tokenizer.model').unlink()
    name, why = describers.resolve('auto', str(folder))
    assert name == 'attributes' and 'tokenizer.model is missing' in why


def test_who_names_weights_means_dam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Else a wrong folder would be answered with: attributes takes no model."""
    import odd_describers
    asked = []

    def create(options):
        asked.append(options['model'])
        weights.find(options['model'])
    monkeypatch.setattr(odd_describers, 'create_dam', create, raising=False)
    monkeypatch.setitem(describers._FACTORIES, 'dam', 'odd_describers:create_dam')
    with pytest.raises(DescriberFailed, match='There is no such folder'):
        describers.create('auto', {'model': './typo'})
    assert asked == ['./typo']


@pytest.mark.parametrize(('arguments', 'code'), [(['--check'], 1), (['--check', '{folder}'], 0), (['--wrong'], 2)])
def test_the_command_that_only_looks(folder: Path, capsys: pytest.CaptureFixture, arguments: list[str], code: int):
    try:
        found = download.main([one.format(folder=folder) for one in arguments])
    except SystemExit as ended:
        found = ended.code
    said = capsys.readouterr()
    assert found == code and 'Traceback' not in said.err
    assert (said.out.strip() == str(folder)) is (code == 0)
