"""Fetching weights, from a hub of our own that speaks the real protocol over HTTP and misbehaves on demand."""
from __future__ import annotations

from collections.abc import Iterator
import fcntl
import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import hub_server
from hub_server import Hub
import pytest

from dam_ros.core.errors import DescriberFailed
from dam_ros.model import download, hub, weights

pytest.importorskip('huggingface_hub', reason='weights are fetched with it')
BIG = 'llm/model-00002-of-00002.safetensors'


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    for name in ('HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'HF_TOKEN', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY',
                 'all_proxy'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('HF_HOME', str(tmp_path / 'home'))
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    monkeypatch.setattr(hub, 'SPARE', 0)
    made = Hub()
    made.add(weights.DEFAULT, hub_server.checkpoint(), hub_server.PINNED)
    with hub_server.serving(made):
        monkeypatch.setenv('HF_ENDPOINT', made.url)
        yield made


@pytest.fixture
def said() -> list[str]:
    return []


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


# The library writes 10 MB at a time; a test need not wait for that much.
SMALL_STEPS = ('import huggingface_hub.constants as constants; constants.DOWNLOAD_CHUNK_SIZE = 4096; '
               'from dam_ros.model import download; raise SystemExit(download.main([]))')


def _command(*arguments: str, code: str = '', **environment: str) -> subprocess.Popen:
    how = ['-c', code] if code else ['-m', 'dam_ros.model.download', *arguments]
    return subprocess.Popen([sys.executable, *how], text=True,
                            cwd=Path(weights.__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),   # also in the background
                            env={**os.environ, **environment})


def _wait_for(reached, timeout_s: float = 20) -> None:
    end = time.monotonic() + timeout_s
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.01)


# -- what comes, and from where

def test_all_of_the_layout_and_nothing_else(server: Hub, said: list[str]):
    folder = download.download(say=said.append)
    there = _files(folder)
    assert there == {name: content for name, content in hub_server.checkpoint().items() if name in there}
    left = set(hub_server.checkpoint()) - set(there)
    assert left == {'README.md', 'trainer_state.json', 'llava_llama.py', 'optimizer.pt', 'llm/pytorch_model.bin',
                    'old/llm/model.safetensors'}
    assert {name for name, _ in server.fetched()} <= set(there)
    assert weights.find() == folder and folder.name == weights.PINNED[weights.DEFAULT]
    assert 'Noncommercial licence' in said[0] and 'fetching nvidia/DAM-3B' in said[1] and 'complete' in said[-1]


def test_what_is_there_needs_no_network(server: Hub, said: list[str], monkeypatch: pytest.MonkeyPatch):
    folder = download.download(say=said.append)
    server.asked.clear()
    assert download.download(say=said.append) == download.download(str(folder)) == folder
    assert server.asked == [] and 'on disk already' in said[-1]
    monkeypatch.setitem(sys.modules, 'huggingface_hub', None)   # not even its library
    assert download.download(say=said.append) == folder


def test_without_a_pin_main_of_the_first_download_stays(server: Hub, said: list[str]):
    hub_id, first, second = 'nvidia/DAM-3B-Video', 'a' * 40, 'c' * 40
    server.add(hub_id, hub_server.checkpoint(), first)
    folder = download.download(hub_id, say=said.append)
    assert folder.name == first and weights.find(hub_id) == folder
    server.add(hub_id, hub_server.checkpoint(8), second)
    (folder / 'config.json').unlink()   # so that it has to ask
    (server.repositories[hub_id])['config.json'] = b'{"changed": true}'
    with pytest.raises(DescriberFailed, match='no revision'):   # the hub of the test knows only its newest commit
        download.download(hub_id, say=said.append)
    assert download.download(hub_id, 'main', say=said.append).name == second
    assert weights.commit_of(hub_id) == first and weights.commit_of(hub_id, 'main') == second


def test_large_files_may_lie_on_another_server_which_gets_no_token(server: Hub, monkeypatch: pytest.MonkeyPatch):
    """The hub redirects them to its storage; a part that is there is not asked for again there, either."""
    monkeypatch.setenv('HF_TOKEN', 'hf_mine')
    content = hub_server.checkpoint()[BIG]
    blobs = weights.repository_folder(weights.DEFAULT) / 'blobs'
    blobs.mkdir(parents=True)
    (blobs / f'{hub_server.oid(BIG, content)}.incomplete').write_bytes(content[:7])
    storage = Hub()
    storage.repositories = server.repositories
    with hub_server.serving(storage):
        server.elsewhere = storage.url
        folder = download.download(say=lambda line: None)
    assert _files(folder)[BIG] == content
    assert 'Bearer hf_mine' in server.keys and set(storage.keys) == {None}
    assert (BIG, 'bytes=7-') in storage.fetched() and len(storage.fetched()) == 6


def test_a_pickle_only_repository_and_one_of_something_else(server: Hub):
    files = hub_server.checkpoint()
    del files['mm_projector/model.safetensors']
    server.add('a/pickles', files, 'd' * 40)
    server.add('a/other', {'config.json': b'{}', 'model.safetensors': b''}, 'e' * 40)
    with pytest.raises(DescriberFailed, match='no safetensors in mm_projector/.*loading a pickle runs'):
        download.download('a/pickles', say=lambda line: None)
    with pytest.raises(DescriberFailed, match="model is 'a/other'; allowed: nvidia/DAM-3B.*no checkpoint of DAM"):
        download.download('a/other', say=lambda line: None)
    assert server.fetched() == []


# -- interrupted

@pytest.mark.parametrize(('number', 'code'), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_it_goes_on_where_it_was_interrupted(server: Hub, number: int, code: int):
    server.add(weights.DEFAULT, hub_server.checkpoint(40_000), hub_server.PINNED)
    server.chunk_s = 0.02
    process = _command(code=SMALL_STEPS)
    blobs = weights.repository_folder(weights.DEFAULT) / 'blobs'

    def half_way() -> bool:
        return any(path.stat().st_size > 40_000 for path in blobs.glob('*.incomplete'))
    _wait_for(half_way)
    process.send_signal(number)
    begun = time.monotonic()
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == code and time.monotonic() - begun < 5 and 'Traceback' not in stderr
    kept = next(blobs.glob('*.incomplete')).stat().st_size
    with pytest.raises(DescriberFailed, match='It goes on where it stopped: get the weights with'):
        weights.find()
    whole = {name for name, _ in server.fetched()[:-1]}
    server.asked.clear()
    server.chunk_s = 0
    folder = download.download(say=lambda line: None)
    assert [part for _, part in server.fetched() if part] == [f'bytes={kept}-'] and kept > 40_000
    assert not whole & {name for name, _ in server.fetched()}
    assert all(hub_server.checkpoint(40_000)[name] == content for name, content in _files(folder).items())


def test_a_rest_that_is_no_beginning_is_thrown_away(server: Hub):
    content = hub_server.checkpoint()[BIG]
    blobs = weights.repository_folder(weights.DEFAULT) / 'blobs'
    blobs.mkdir(parents=True)
    part = blobs / f'{hub_server.oid(BIG, content)}.incomplete'
    part.write_bytes(b'x' * (len(content) - 3))
    with pytest.raises(DescriberFailed, match=f'{BIG} arrived damaged .*removed; the same command'):
        download.download(say=lambda line: None)
    assert not part.exists()
    part.write_bytes(b'x' * (len(content) + 3))   # longer than the file can be
    assert _files(download.download(say=lambda line: None))[BIG] == content


def test_two_at_once_do_not_write_into_one_file(server: Hub):
    blobs = weights.repository_folder(weights.DEFAULT) / 'blobs'
    blobs.mkdir(parents=True)
    with open(blobs / f'{hub_server.oid(BIG, hub_server.checkpoint()[BIG])}.incomplete', 'ab') as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(DescriberFailed, match=f'{BIG} is being fetched by another process'):
            download.download(say=lambda line: None)


def test_progress_is_said_in_lines_where_there_is_no_terminal(server: Hub, said: list[str],
                                                              monkeypatch: pytest.MonkeyPatch):
    server.add(weights.DEFAULT, hub_server.checkpoint(30_000), hub_server.PINNED)
    server.chunk_s = 0.002
    monkeypatch.setattr(hub, '_EVERY_S', 0.05)
    download.download(say=said.append)
    shares = [int(line.split('(')[1].split(' %')[0]) for line in said if line.startswith('  ')]
    assert len(shares) >= 3 and shares == sorted(shares) and shares[-1] > shares[0]
    assert all(' of 0.60 MB (' in line and 'MB/s' in line for line in said if line.startswith('  '))
    assert hub._EVERY_S_TERMINAL < 5


# -- everything that can go wrong

@pytest.mark.parametrize(('refused', 'words'), [
    ((404, 'RepoNotFound'), r'no such repository \(HTTP 404\).*Allowed: nvidia/DAM-3B'),
    ((401, 'RepoNotFound'), r'no such repository \(HTTP 401\).*HF_TOKEN'),
    ((403, 'GatedRepo'), 'wants a licence accepted first. Do so at https://huggingface.co/nvidia/DAM-3B'),
    ((403, ''), r'refuses access \(HTTP 403\). Set a token'),
    ((500, ''), 'answered HTTP 500. Try later'), ((429, ''), 'too much was asked')])
def test_a_refusal_is_one_line_that_says_what_to_do(server: Hub, refused: tuple[int, str], words: str):
    server.refused = refused
    with pytest.raises(DescriberFailed, match=f'nvidia/DAM-3B could not be fetched: .*{words}') as caught:
        download.download(say=lambda line: None)
    assert '\n' not in str(caught.value)


def test_a_token_that_is_not_valid(server: Hub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv('HF_TOKEN', 'hf_secret_of_mine')
    server.refused = (401, '')
    with pytest.raises(DescriberFailed, match='HF_TOKEN') as caught:
        download.download(say=lambda line: None)
    assert 'secret' not in str(caught.value)


def test_an_unknown_revision(server: Hub):
    with pytest.raises(DescriberFailed, match="no revision 'no_such'; allowed: a commit, branch or tag"):
        download.download(revision='no_such', say=lambda line: None)


def test_nobody_there(server: Hub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv('HF_ENDPOINT', 'http://127.0.0.1:9')
    with pytest.raises(DescriberFailed, match='http://127.0.0.1:9 cannot be reached. Is there a network, a proxy'):
        download.download(say=lambda line: None)


def test_no_answer(server: Hub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hub, 'ANSWER_S', 0.3)
    server.silent = True
    with pytest.raises(DescriberFailed, match='no answer in time'):
        download.download(say=lambda line: None)


def test_a_server_that_goes_away_in_the_middle(server: Hub, monkeypatch: pytest.MonkeyPatch):
    """The library waits a second and asks again, five times; here without the waiting."""
    quick = SimpleNamespace(**{name: getattr(time, name) for name in dir(time) if not name.startswith('_')})
    quick.sleep = lambda seconds: server.__setattr__('refused', (503, ''))
    monkeypatch.setattr('huggingface_hub.file_download.time', quick)
    content = hub_server.checkpoint()[BIG]
    server.lie[BIG] = _Broken(content)
    with pytest.raises(DescriberFailed, match='HTTP 503|the connection broke'):
        download.download(say=lambda line: None)


class _Broken(bytes):
    """Announced in full, sent in half."""

    def __getitem__(self, part):
        if isinstance(part, slice) and part.start == 0:
            raise BrokenPipeError('the server breaks the connection')
        return super().__getitem__(part)


@pytest.mark.parametrize('change', [-3, 5])
def test_a_file_of_another_length_than_announced(server: Hub, change: int):
    content = hub_server.checkpoint()[BIG]
    server.lie[BIG] = content[:change] if change < 0 else content + b'x' * change
    for _ in range(3):   # whatever is left of it never counts as the file
        with pytest.raises(DescriberFailed, match='another length than it had announced|not the beginning of the file'):
            download.download(say=lambda line: None)
    server.lie.clear()
    assert _files(download.download(say=lambda line: None))[BIG] == content


def test_a_file_of_another_content(server: Hub):
    server.lie[BIG] = hub_server.safetensors(4, 77)
    with pytest.raises(DescriberFailed, match='arrived damaged'):
        download.download(say=lambda line: None)


def test_too_little_space_is_known_before(server: Hub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hub.shutil, 'disk_usage', lambda path: SimpleNamespace(free=100))
    with pytest.raises(DescriberFailed, match=r'not enough space for the weights: 0.00 MB .*0.00 MB are free. .*HF_H'):
        download.download(say=lambda line: None)
    assert server.fetched() == []


@pytest.mark.parametrize('folder', ['/proc/nothing', '/dev/null'])
def test_a_cache_that_cannot_be_written(server: Hub, monkeypatch: pytest.MonkeyPatch, folder: str):
    monkeypatch.setenv('HF_HOME', folder)   # even root cannot
    with pytest.raises(DescriberFailed, match=f'{folder}.* cannot be written; HF_HOME chooses another folder'):
        download.download(say=lambda line: None)


def test_without_the_library(server: Hub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, 'huggingface_hub', None)
    with pytest.raises(DescriberFailed, match='pip install huggingface_hub'):
        download.download(say=lambda line: None)


def test_the_command_says_it_in_one_line(server: Hub):
    process = _command('--revision', 'no_such', 'nvidia/DAM-3B')
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 1 and stdout == '' and 'Traceback' not in stderr
    assert stderr.splitlines()[-1].startswith('weights: nvidia/DAM-3B could not be fetched: it has no revision')


def test_offline_by_order(server: Hub):
    process = _command(HF_HUB_OFFLINE='1')
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1 and 'HF_HUB_OFFLINE forbids the network' in stderr
