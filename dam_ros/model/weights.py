"""Weights on disk: by hub id in Hugging Face's cache, or in a folder. It finds and checks them, without the network.

It imports the standard library only, so that `describer: auto` can ask it in any process. It does not know what the
tensors mean (`checkpoint.py`), and only `download` goes to the network (`hub.py`).
"""
from __future__ import annotations

from collections.abc import Callable
import json
import os
from pathlib import Path
import re
import sys

from dam_ros.core.errors import complaint, DescriberFailed

DEFAULT = 'nvidia/DAM-3B'
HUB_IDS = (DEFAULT, 'nvidia/DAM-3B-Video', 'nvidia/DAM-3B-Self-Contained')
# The commit that is fetched where nobody names one. DAM-3B: `main` of https://huggingface.co/nvidia/DAM-3B/tree/main
# is listed as 0797bed; the full hash is the one that public projects pin and record for it. For the other two no
# commit is published anywhere citable: what `main` was at the first download is kept (OUR_REF) and used from then on.
PINNED = {DEFAULT: '0797bedd98d645cd021379a4661ee233da279bba'}
OUR_REF = 'dam_ros'   # beside the cache's own refs/main, which other programs move on
LICENCE = ('the weights of DAM are under the NVIDIA Noncommercial licence: for research and other noncommercial use '
           '(LICENSE at https://huggingface.co/nvidia/DAM-3B)')
PARTS = ('llm', 'vision_tower', 'mm_projector', 'context_provider')
FILES = ('config.json', *(f'{part}/config.json' for part in PARTS), 'llm/tokenizer.model',
         'vision_tower/preprocessor_config.json')   # and the safetensors of each part
# Of the layout, too, but nothing breaks without them.
OPTIONAL = ('llm/generation_config.json', 'llm/tokenizer_config.json', 'llm/special_tokens_map.json')
_HUB_ID = re.compile(r'[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}')
_SHARD = re.compile(r'(model-?)(\d+)-of-(\d+)\.safetensors')
_PICKLES = ('.bin', '.pt', '.pth', '.ckpt', '.pkl')
_MOST_HEADER = 100_000_000   # bytes; the safetensors format allows no more


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
    folder = _as_folder(model)
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


def _as_folder(model: str) -> Path | None:
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


def check(folder: Path) -> None:
    """Look whether all files of a checkpoint are there and whole; the tensors themselves are not read.

    Raises:
        DescriberFailed: the first thing that is missing, cut short, or not safetensors.
    """
    parts = parts_of(folder)
    for name in FILES:
        if name.split('/')[0] not in PARTS or name.split('/')[0] in parts:
            if not (folder / name).is_file():
                raise DescriberFailed(f'the weights in {folder} are not complete: {name} is missing'
                                      + _what_else(folder))
    for part in parts:
        for path in shards(folder / part):
            trouble = _trouble_of(path)
            if trouble:
                raise DescriberFailed(f'the weights in {folder} cannot be used: {part}/{path.name} {trouble}')


def parts_of(folder: Path) -> tuple[str, ...]:
    """The sub-folders that this checkpoint must have: all, or all but a context provider that it does without."""
    try:
        top = json.loads((folder / 'config.json').read_text(encoding='utf-8'))
    except FileNotFoundError:
        return PARTS
    except (OSError, ValueError) as error:
        raise DescriberFailed(f'{folder / "config.json"} cannot be read: {error}') from error
    if not isinstance(top, dict):
        raise DescriberFailed(f'{folder / "config.json"} holds no JSON object')
    return tuple(part for part in PARTS if part != 'context_provider' or top.get('context_provider_cfg') is not None)


def _what_else(folder: Path) -> str:
    if not any((folder / part).is_dir() for part in PARTS):
        return f'; a checkpoint of DAM has config.json and the folders {", ".join(PARTS)}'
    return ''


def shards(part: Path) -> list[Path]:
    """The safetensors files of one part, one or several, in order.

    Raises:
        DescriberFailed: none, not all of them, or pickles only.
    """
    if (part / 'model.safetensors').is_file():
        return [part / 'model.safetensors']
    there = sorted(path.name for path in part.glob('model*.safetensors'))
    wanted = _indexed(part) or _numbered(there) or there
    missing = [name for name in wanted if not (part / name).is_file()]
    if missing:
        raise DescriberFailed(f'the weights in {part.parent} are not complete: {part.name}/{missing[0]} is missing')
    if wanted:
        return [part / name for name in wanted]
    pickles = sorted(path.name for path in part.glob('*') if path.suffix in _PICKLES)
    if pickles:
        raise DescriberFailed(f'{part / pickles[0]} is a pickle, and loading one runs whatever code is in it; only '
                              'safetensors are loaded. Convert it with a program that you trust')
    raise DescriberFailed(f'the weights in {part.parent} are not complete: {part.name}/model.safetensors is missing')


def _indexed(part: Path) -> list[str]:
    path = part / 'model.safetensors.index.json'
    if not path.is_file():
        return []
    try:
        names = sorted(set(json.loads(path.read_text(encoding='utf-8'))['weight_map'].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DescriberFailed(f'{path} is no index of shards: {type(error).__name__}: {error}') from error
    strange = [name for name in names if Path(name).name != name or not name.endswith('.safetensors')]
    if strange or not names:
        raise DescriberFailed(f'{path} names {strange[0] if strange else "nothing"}; allowed: safetensors files beside '
                              'it')
    return names


def _numbered(names: list[str]) -> list[str]:
    """All of model-00001-of-00003.safetensors where one of them is there, for folders without an index."""
    match = next((match for match in map(_SHARD.fullmatch, names) if match), None)
    if match is None:
        return []
    before, digits, total = match.groups()
    return [f'{before}{number:0{len(digits)}}-of-{total}.safetensors' for number in range(1, int(total) + 1)]


def _trouble_of(path: Path) -> str:
    """What is wrong with a safetensors file, judged by its header and its size; '' if nothing."""
    try:
        size = path.stat().st_size
        with open(path, 'rb') as file:
            first = file.read(8)
            if first == b'version ':
                return 'is only a pointer of git-lfs; `git lfs pull` in its repository fetches the file itself'
            length = int.from_bytes(first, 'little')
            if len(first) < 8 or length > _MOST_HEADER:
                return 'is no safetensors file'
            header = json.loads(file.read(length)) if 8 + length <= size else {}
        ends = [tensor['data_offsets'][1] for name, tensor in header.items() if name != '__metadata__']
        whole = 8 + length + max(ends, default=0)
    except OSError as error:
        return f'cannot be read: {error.strerror}'
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return 'is no safetensors file: its header cannot be read'
    return '' if size == whole else f'has {size} bytes instead of {whole}: it was cut short or is damaged'


def download(model: str = '', revision: str = '', say: Callable[[str], None] | None = None) -> Path:
    """Fetch what is missing from the hub into Hugging Face's cache and return the folder; see `hub.fetch`.

    Args:
        say: takes one line of what is going on; by default they go to stderr.

    Raises:
        DescriberFailed: no network, no space, no access, no such repository: one line each.
    """
    from dam_ros.model import hub   # only who downloads needs it
    if _as_folder(model) is not None:
        return find(model)
    hub_id, revision = parse(model, revision)
    return hub.fetch(hub_id, revision, say or hub.to_stderr())


def main(arguments: list[str] | None = None) -> int:
    """`python -m dam_ros.model.weights [MODEL] [--revision R] [--check]`; exit code 0, 1, 2 or 130."""
    import argparse
    parser = argparse.ArgumentParser(prog='python -m dam_ros.model.weights', description='Download the weights of DAM.',
                                     epilog=LICENCE)
    parser.add_argument('model', nargs='?', default=DEFAULT, help=f'{", ".join(HUB_IDS)} (default: %(default)s)')
    parser.add_argument('--revision', default='', metavar='R', help='commit, branch or tag')
    parser.add_argument('--check', action='store_true', help='only look whether they are on disk; no network')
    asked = parser.parse_args(arguments)
    try:
        print((find if asked.check else download)(asked.model, asked.revision))
    except DescriberFailed as failure:
        print(f'weights: {failure}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('weights: interrupted; the same command goes on where it stopped', file=sys.stderr)
        return 130
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
