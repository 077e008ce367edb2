"""Fetching weights from the Hugging Face hub into its cache. It needs huggingface_hub, imported only when asked.

That library knows the hub, the access token and the cache. The transfer of the large files is driven from here, as its
newer versions throw away what an interrupted run has fetched: a file lies as `blobs/<sha256>.incomplete`, as in older
versions, and the next run goes on at its end. What the tensors mean it does not know.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
import fcntl
from fnmatch import fnmatch
import hashlib
import os
from pathlib import Path
import re
import shutil
import sys
import threading
import time
from types import ModuleType

from dam_ros.core.errors import complaint, DescriberFailed
from dam_ros.model import layout, weights
from dam_ros.model.hub_failures import in_words, status_of

Say = Callable[[str], None]
ANSWER_S = 10          # until the hub has answered a question about a repository
SPARE = 200_000_000    # bytes that are left on the disk
_EVERY_S, _EVERY_S_TERMINAL = 5.0, 0.5


@dataclass(frozen=True)
class File:
    """One file of a repository. `sha256` is '' for the small ones, which git itself keeps."""

    name: str
    size: int
    sha256: str


def fetch(hub_id: str, revision: str, say: Say | None = None) -> Path:
    """The folder of complete weights, after fetching what is missing; no network where nothing is.

    Args:
        say: takes each line of what is going on; by default they go to stderr.

    Raises:
        DescriberFailed: one line that says what to do.
    """
    say = say or Stderr()
    is_commit = bool(re.fullmatch('[0-9a-f]{7,40}', revision))
    commit = weights.commit_of(hub_id, revision) if is_commit or not revision else ''   # a branch may have moved
    say(weights.LICENCE)
    if commit and weights.on_disk(hub_id, commit):
        say(f'{hub_id} is on disk already, at revision {commit}')
        return weights.find(hub_id, commit)
    library = _library()
    with in_words(library, hub_id, commit or revision):
        info = library.HfApi(_endpoint()).model_info(hub_id, revision=commit or revision or 'main', files_metadata=True,
                                          timeout=ANSWER_S)
        files = wanted(hub_id, info.siblings or [])
        _remember(hub_id, revision, info.sha)
        _fetch_files(library, hub_id, info.sha, files, say)
    folder = weights.repository_folder(hub_id) / 'snapshots' / info.sha
    layout.check(folder)
    say(f'{hub_id} is complete, at revision {info.sha}')
    return folder


def _library() -> ModuleType:
    os.environ.setdefault('HF_HUB_DISABLE_TELEMETRY', '1')
    try:
        import huggingface_hub
        import huggingface_hub.utils
    except ImportError as error:
        raise DescriberFailed(f'{error.name or error} cannot be imported, and only huggingface_hub can fetch weights: '
                              'pip install huggingface_hub') from error
    huggingface_hub.utils.disable_progress_bars()   # ours counts all files together, and works without a terminal
    return huggingface_hub


def _endpoint() -> str | None:
    return os.environ.get('HF_ENDPOINT') or None   # asked for at each call, not when the library was first imported


def wanted(hub_id: str, siblings: Sequence) -> list[File]:
    """The files of the layout among all of a repository: JSON, safetensors and the tokenizer, nothing that can run.

    Raises:
        DescriberFailed: the repository holds no checkpoint of DAM in safetensors.
    """
    patterns = (*layout.FILES, *layout.OPTIONAL, *(f'{part}/model*.safetensors' for part in layout.PARTS),
                *(f'{part}/model.safetensors.index.json' for part in layout.PARTS))
    found = [File(one.rfilename, one.size or 0, one.lfs['sha256'] if one.lfs else '') for one in siblings
             if any(fnmatch(one.rfilename, pattern) for pattern in patterns) and one.rfilename.count('/') < 2]
    names = {one.name for one in found}
    for part in layout.PARTS:
        if f'{part}/config.json' in names and not any(fnmatch(name, f'{part}/*.safetensors') for name in names):
            raise DescriberFailed(f'{hub_id} has no safetensors in {part}/, and no other kind of weights is loaded: '
                                  'loading a pickle runs whatever code is in it')
    missing = [name for name in layout.FILES if name not in names and not name.startswith('context_provider/')]
    if missing:
        raise DescriberFailed(complaint('model', hub_id, ', '.join(weights.HUB_IDS), f'{missing[0]} is not in it, so '
                                        'it is no checkpoint of DAM'))
    return sorted(found, key=lambda one: one.size)   # the small ones show first whether all is well


def _remember(hub_id: str, revision: str, commit: str) -> None:
    """Keep which commit a name meant, so that it can be found again without asking."""
    name = revision or (weights.OUR_REF if hub_id not in weights.PINNED else '')
    if name and not re.fullmatch('[0-9a-f]{7,40}', name):
        path = weights.repository_folder(hub_id) / 'refs' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(commit, encoding='ascii')


def _fetch_files(library: ModuleType, hub_id: str, commit: str, files: Sequence[File], say: Say) -> None:
    repository = weights.repository_folder(hub_id)
    (repository / 'blobs').mkdir(parents=True, exist_ok=True)
    snapshot = repository / 'snapshots' / commit

    def have() -> int:
        return sum(_fetched(repository, snapshot, one) for one in files)
    total = sum(one.size for one in files)
    begun = have()
    _check_space(repository, total - begun)
    already = f', {_gigabytes(begun)} are here' if begun else ''
    say(f'fetching {hub_id} at revision {commit}: {_gigabytes(total)} into {weights.cache_folder()}{already}')
    with _progress(have, total, say):
        for one in files:
            if one.sha256:
                _fill(library, hub_id, commit, one, repository / 'blobs' / one.sha256, say)
            library.hf_hub_download(hub_id, one.name, revision=commit, cache_dir=weights.cache_folder(),
                                    etag_timeout=ANSWER_S, endpoint=_endpoint())


def _fetched(repository: Path, snapshot: Path, file: File) -> int:
    """Bytes of a file that are on disk."""
    blob = repository / 'blobs' / (file.sha256 or '-')
    for path in (snapshot / file.name, blob, blob.with_name(blob.name + '.incomplete')):
        try:
            return path.stat().st_size
        except OSError:
            continue
    return 0


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed + SPARE > free:
        raise DescriberFailed(f'not enough space for the weights: {_gigabytes(needed)} and {_gigabytes(SPARE)} to '
                              f'spare are needed in {weights.cache_folder()}, {_gigabytes(free)} are free. Make room, '
                              'or set HF_HOME to a folder on another disk, for the nodes, too')


def _fill(library: ModuleType, hub_id: str, commit: str, file: File, blob: Path, say: Say) -> None:
    """Make blobs/<sha256> of a large file, from what an earlier run left of it."""
    if blob.exists():
        return
    part = blob.with_name(blob.name + '.incomplete')
    with open(part, 'ab') as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DescriberFailed(f'{file.name} is being fetched by another process; wait for it') from error
        if stream.tell() > file.size:
            stream.truncate(0)
        if stream.seek(0, os.SEEK_END) < file.size:
            _transfer(library, library.hf_hub_url(hub_id, file.name, revision=commit, endpoint=_endpoint()),
                      stream, file)
    if part.stat().st_size > 1_000_000_000:
        say(f'checking {file.name} ...')
    if _sha256(part) != file.sha256:
        part.unlink()
        raise DescriberFailed(f'{file.name} arrived damaged (its SHA-256 is not {file.sha256[:12]}...) and was '
                              'removed; the same command fetches it again')
    part.replace(blob)


def _transfer(library: ModuleType, url: str, stream, file: File) -> None:
    from huggingface_hub.file_download import http_get
    headers = library.utils.build_hf_headers(library_name='dam_ros')
    headers['Accept-Encoding'] = 'identity'   # a packed answer has no length and cannot be continued
    try:
        http_get(url, stream, resume_size=stream.tell(), headers=headers, expected_size=file.size,
                 displayed_filename=file.name)
    except Exception as error:
        if status_of(error) == 416 or stream.tell() > file.size:   # what was there is no beginning of this file
            stream.truncate(0)
        raise


def _sha256(path: Path) -> str:
    found = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 22):
            found.update(block)
    return found.hexdigest()


# --- progress

class Stderr:
    """Lines on stderr. On a terminal a line that begins with a blank gives way to the next of its kind."""

    def __init__(self) -> None:
        self._terminal, self._passing = sys.stderr.isatty(), False
        self.every_s = _EVERY_S_TERMINAL if self._terminal else _EVERY_S

    def __call__(self, line: str) -> None:
        passing = line.startswith(' ') and self._terminal
        if self._passing:
            sys.stderr.write('\r\033[K' if passing else '\n')
        self._passing = passing
        sys.stderr.write(line if passing else f'{line}\n')
        sys.stderr.flush()


@contextmanager
def _progress(have: Callable[[], int], total: int, say: Say) -> Iterator[None]:
    """While the block runs, a line now and then that says how far it is."""
    ended = threading.Event()
    begun, first = time.monotonic(), have()

    def report() -> None:
        while not ended.wait(say.every_s if isinstance(say, Stderr) else _EVERY_S):
            now, took_s = have(), time.monotonic() - begun
            per_s = (now - first) / took_s
            left = f', {_duration((total - now) / per_s)} left' if per_s > 0 and took_s > 2 else ''
            say(f'  {_gigabytes(now)} of {_gigabytes(total)} ({100 * now // max(total, 1)} %), '
                f'{per_s / 1e6:.1f} MB/s{left}')
    thread = threading.Thread(target=report, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _gigabytes(size: int) -> str:
    return f'{size / 1e9:.2f} GB' if size >= 1e8 else f'{size / 1e6:.2f} MB'


def _duration(seconds: float) -> str:
    return f'{seconds:.0f} s' if seconds < 90 else f'{seconds / 60:.0f} min' if seconds < 5400 \
        else f'{seconds / 3600:.1f} h'
