"""The files of a checkpoint folder: which there must be, and whether they are whole. It reads no tensors.

It imports the standard library only, and does not know where folders come from (`weights.py`) nor what the numbers
in the configuration mean (`config.py`).
"""
from __future__ import annotations

import json
from pathlib import Path
import re

from dam_ros.core.errors import DescriberFailed

PARTS = ('llm', 'vision_tower', 'mm_projector', 'context_provider')
FILES = ('config.json', *(f'{part}/config.json' for part in PARTS), 'llm/tokenizer.model',
         'vision_tower/preprocessor_config.json')   # and the safetensors of each part
# Of the layout, too, but nothing breaks without them.
OPTIONAL = ('llm/generation_config.json', 'llm/tokenizer_config.json', 'llm/special_tokens_map.json')
_SHARD = re.compile(r'(model-?)(\d{1,5})-of-(\d{1,5})\.safetensors')
_PICKLES = ('.bin', '.pt', '.pth', '.ckpt', '.pkl')
_MOST_HEADER = 100_000_000   # bytes; the safetensors format allows no more


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
    except (OSError, ValueError, RecursionError) as error:
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
        index = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError, RecursionError) as error:
        raise DescriberFailed(f'{path} is no index of shards: {error}') from error
    where = index.get('weight_map') if isinstance(index, dict) else None
    names = list(where.values()) if isinstance(where, dict) else []
    strange = [name for name in names if not isinstance(name, str) or Path(name).name != name
               or not name.endswith('.safetensors')]
    if strange or not names:
        raise DescriberFailed(f'{path} is no index of shards: it names {strange[0] if strange else "nothing"}; '
                              'allowed: safetensors files beside it')
    return sorted(set(names))


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
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return 'is no safetensors file: its header cannot be read'
    return '' if size == whole else f'has {size} bytes instead of {whole}: it was cut short or is damaged'
