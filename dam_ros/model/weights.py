"""Weights on disk: by hub id in Hugging Face's cache, or in a folder. It finds and checks them, without the network.

It imports the standard library only, so that `describer: auto` can ask it in any process. It does not know which files
there must be (`layout.py`) nor how they get here (`download.py`).
"""
from __future__ import annotations

import os
from pathlib import Path
import re

from dam_ros.core.errors import complaint, DescriberFailed
from dam_ros.model.layout import check

DEFAULT = 'nvidia/DAM-3B'
HUB_IDS = (DEFAULT, 'nvidia/DAM-3B-Video', 'nvidia/DAM-3B-Self-Contained')
# The commit that is fetched where nobody names one. DAM-3B: `main` of https://huggingface.co/nvidia/DAM-3B/tree/main
# is listed as 0797bed; the full hash is the one that public projects pin and record for it. For the other two no
# commit is published anywhere citable: what `main` was at the first download is kept (OUR_REF) and used from then on.
PINNED = {DEFAULT: '0797bedd98d645cd021379a4661ee233da279bba'}
OUR_REF = 'dam_ros'   # beside the cache's own refs/main, which other programs move on
LICENCE = ("NVIDIA's weights of DAM are under its Noncommercial licence: for research and other noncommercial use "
           '(LICENSE at https://huggingface.co/nvidia/DAM-3B)')
_HUB_ID = re.compile(r'[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}')


def cache_folder() -> Path:
    """Hugging Face's cache on this machine, chosen by the same environment variables as theirs."""
    home = os.environ.get('XDG_CACHE_HOME', os.path.join(os.path.expanduser('~'), '.cache'))
    home = os.environ.get('HF_HOME', os.path.join(home, 'huggingface'))
    chosen = os.environ.get('HF_HUB_CACHE', os.environ.get('HUGGINGFACE_HUB_CACHE', os.path.join(home, 'hub')))
    return Path(os.path.expandvars(os.path.expanduser(chosen)))


def repository_folder(hub_id: str) -> Path:
    """Where the cache keeps one repository: blobs/, refs/ and snapshots/ lie in it."""
    return cache_folder() / f'models--{hub_id.replace("/", "--")}'


def parse(model: str, revision: str = '') -> tuple[str, str]:
    """(hub id, revision or '') of 'owner/name' or 'owner/name@revision'.

    Raises:
        DescriberFailed: it is no hub id.
    """
    hub_id, _, behind = (model or DEFAULT).partition('@')
    allowed = f'a folder, or a hub id: {", ".join(HUB_IDS)}'
    if not _HUB_ID.fullmatch(hub_id):
        raise DescriberFailed(complaint('model', model, allowed, _nearest(model)))
    revision = revision or behind
    if revision and (not re.fullmatch(r'\w[\w./-]{0,99}', revision) or '..' in revision):
        raise DescriberFailed(complaint('revision', revision, 'a commit, branch or tag'))
    return hub_id, revision


def _nearest(model: str) -> str:
    for hub_id in HUB_IDS:
        if model.lower() in (hub_id.lower(), hub_id.split('/')[1].lower()):
            return f'Say {hub_id}'
    return 'There is no such folder' if os.sep in model or model.startswith(('.', '~')) else ''


def commands(model: str) -> str:
    """The words that say how to get the weights; nodes never fetch them by themselves."""
    model = model or DEFAULT
    return f'get the weights with `./dev weights {model}` or `dam-describe --download --model {model}`'


def find(model: str = '', revision: str = '') -> Path:
    """The folder of complete weights. It never downloads.

    Args:
        model: a folder, a hub id, or a hub id with '@' and a revision; '' is DEFAULT.
        revision: commit, branch or tag; '' is the pinned commit or the one of the first download.

    Raises:
        DescriberFailed: they are not there, or not all of them; the message says how to get them.
    """
    folder = as_folder(model)
    if folder is not None:
        check(folder)
        return folder
    hub_id, revision = parse(model, revision)
    snapshot = _snapshot(hub_id, revision)
    try:
        check(snapshot)
    except DescriberFailed as failure:
        raise DescriberFailed(f'{failure}. It goes on where it stopped: {commands(model)}') from failure
    return snapshot


def as_folder(model: str) -> Path | None:
    """The folder that this names, None where it must be a hub id."""
    if not model:
        return None
    try:
        folder = Path(model).expanduser()
        return folder if folder.is_dir() else None
    except (OSError, RuntimeError, ValueError):   # a null byte, no such user, a name that is too long
        return None


def _snapshot(hub_id: str, revision: str) -> Path:
    """The folder of the commit that is meant, however complete."""
    repository = repository_folder(hub_id)
    commit = commit_of(hub_id, revision)
    snapshot = repository / 'snapshots' / commit
    if commit and snapshot.is_dir():
        return snapshot
    there = sorted(path.name for path in (repository / 'snapshots').glob('*') if path.is_dir())
    wanted, other = f'{hub_id}@{revision}' if revision else hub_id, ''
    if there:
        other = f' at revision {commit[:7]}, but {hub_id}@{there[0][:7]} is' if commit else f', but @{there[0][:7]} is'
    elif repository.is_dir():
        other = '; a download has begun'
    raise DescriberFailed(f'the weights {wanted} are not in {cache_folder()}{other}: {commands(wanted)}')


def commit_of(hub_id: str, revision: str = '') -> str:
    """The commit that is meant, as far as this machine knows without asking; '' where it does not know."""
    repository = repository_folder(hub_id)
    if revision:
        return _read_ref(repository, revision) or _begins_with(repository, revision)
    return PINNED.get(hub_id, '') or _read_ref(repository, OUR_REF) or _read_ref(repository, 'main')


def _read_ref(repository: Path, name: str) -> str:
    try:
        commit = (repository / 'refs' / name).read_text(encoding='ascii').strip()
    except (OSError, ValueError):
        return ''
    return commit if re.fullmatch(r'[0-9a-f]{40}', commit) else ''


def _begins_with(repository: Path, revision: str) -> str:
    """A commit by its first digits, where only one that is here begins so."""
    if re.fullmatch(r'[0-9a-f]{40}', revision):
        return revision
    if not re.fullmatch(r'[0-9a-f]{7,39}', revision):
        return ''
    found = [path.name for path in (repository / 'snapshots').glob(f'{revision}*')]
    return found[0] if len(found) == 1 else ''


def on_disk(model: str = '', revision: str = '') -> bool:
    """Whether `find` would find them; quick, and without torch or the network."""
    return not why_not(model, revision)


def why_not(model: str = '', revision: str = '') -> str:
    """'' where the weights are on disk, else what `find` says."""
    try:
        find(model, revision)
    except DescriberFailed as failure:
        return str(failure)
    return ''
