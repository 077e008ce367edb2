"""Weights of SAM on disk: by hub id in Hugging Face's cache, or in a folder. It finds and reads, without the network.

It needs the standard library only, so that `segmenter: auto` can ask it in any process. Which commit of a repository is
meant, and where the cache is, `model.weights` knows.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import json
from pathlib import Path
import re
import struct

from dam_ros.core.errors import SegmenterFailed, complaint
from dam_ros.model import weights

DEFAULT = 'facebook/sam2.1-hiera-tiny'
KINDS = {'sam': 'SAM', 'sam2': 'SAM 2', 'sam2_video': 'SAM 2'}   # model_type of config.json
# All that is ever fetched: JSON and tensors, nothing that can run.
PATTERNS = ('config.json', 'preprocessor_config.json', 'processor_config.json', 'video_preprocessor_config.json',
            'model*.safetensors', 'model.safetensors.index.json')
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)   # ImageNet's, as in SAM's own preprocessor_config.json
HUB_ID = re.compile(r'[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}(@\w[\w./-]{0,99})?')
_MEMORY = 'memory_attention.'                                # only what follows through a clip has such tensors


@dataclass(frozen=True)
class Checkpoint:
    """What the small files of a folder say.

    Attributes:
        kind: 'SAM' or 'SAM 2'.
        follows: its weights carry a thing through a clip, too.
        mean, std: of red, green and blue, 0..1.
    """

    folder: Path
    kind: str
    follows: bool
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def find(model: str = '') -> Checkpoint:
    """The checkpoint that is meant. It never downloads.

    Args:
        model: a folder, a hub id, or a hub id with '@' and a revision; '' is DEFAULT.

    Raises:
        SegmenterFailed: it is not there, not whole, or no SAM; the message says what to do.
    """
    folder = weights.as_folder(model) or _snapshot(model or DEFAULT)
    kind = _kind(folder, model)
    tensors = _tensor_files(folder)
    if not tensors:
        raise SegmenterFailed(f'{folder} holds no model.safetensors, and no other kind of weights is loaded: loading '
                              f'a pickle runs whatever code is in it. {_remedy(model)}')
    missing = [path.name for path in tensors if not path.is_file()]
    if missing:
        raise SegmenterFailed(f'{missing[0]} is missing in {folder}. {_remedy(model)}')
    follows = kind == 'SAM 2' and any(name.startswith(_MEMORY) for path in tensors for name in _names(path))
    return Checkpoint(folder, kind, follows, *_normalisation(folder))


def why_not(model: str = '') -> str:
    """'' where the weights are on disk, else what `find` says; quick."""
    try:
        find(model)
    except SegmenterFailed as failure:
        return str(failure)
    return ''


def _remedy(model: str) -> str:
    model = model or DEFAULT
    return (f'Get the weights with `./dev weights {model}` or `python -m dam_ros.segmenters.download {model}`'
            if weights.as_folder(model) is None else 'Copy all of it (cp -rL, as files of the cache are links)')


def _snapshot(model: str) -> Path:
    hub_id, _, revision = model.partition('@')
    if not HUB_ID.fullmatch(model) or '..' in model:
        raise SegmenterFailed(complaint('segmenter_model', model, f'a folder, or a hub id such as {DEFAULT}',
                                        'There is no such folder'))
    commit = weights.commit_of(hub_id, revision)
    folder = weights.repository_folder(hub_id) / 'snapshots' / commit
    if not commit or not folder.is_dir():
        raise SegmenterFailed(f'the weights {model} are not in {weights.cache_folder()}. {_remedy(model)}')
    return folder


def _kind(folder: Path, model: str) -> str:
    name = _json(folder / 'config.json', model).get('model_type')
    if name not in KINDS:
        raise SegmenterFailed(complaint(f'model_type in {folder / "config.json"}', name, ', '.join(KINDS),
                                        f'segmenter_model names SAM or SAM 2, for instance {DEFAULT}'))
    return KINDS[name]


def _json(path: Path, model: str) -> dict:
    try:
        held = json.loads(path.read_text(encoding='utf-8'))
    except FileNotFoundError as error:
        raise SegmenterFailed(f'{path.name} is missing in {path.parent}. {_remedy(model)}') from error
    except (OSError, ValueError) as error:
        raise SegmenterFailed(f'{path} cannot be read ({error}). {_remedy(model)}') from error
    return held if isinstance(held, dict) else {}


def _tensor_files(folder: Path) -> list[Path]:
    index = folder / 'model.safetensors.index.json'
    if index.is_file():
        parts = _json(index, str(folder)).get('weight_map', {})
        return [folder / Path(name).name for name in sorted(set(parts.values()))]
    whole = folder / 'model.safetensors'
    return [whole] if whole.is_file() else []


def _names(path: Path) -> Iterator[str]:
    """The names of a safetensors file's tensors: a length (8 bytes, little endian), then JSON."""
    try:
        with open(path, 'rb') as file:
            length = struct.unpack('<Q', file.read(8))[0]
            if length > path.stat().st_size:
                raise ValueError('it ends within its header')
            yield from json.loads(file.read(length))
    except (OSError, ValueError, struct.error) as error:
        raise SegmenterFailed(f'{path} is no whole safetensors file ({error}); get it again') from error


def _normalisation(folder: Path) -> tuple[tuple, tuple]:
    """Mean and standard deviation that pictures are normalised with."""
    for name in ('preprocessor_config.json', 'processor_config.json'):
        if (folder / name).is_file():
            held = _json(folder / name, str(folder))
            held = held.get('image_processor', held)
            if 'image_mean' in held and 'image_std' in held:
                return tuple(held['image_mean']), tuple(held['image_std'])
    return _MEAN, _STD
