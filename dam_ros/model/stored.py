"""Quantized weights that were made before, in one file beside the checkpoint. It is never needed, only faster.

`python -m dam_ros.model.stored FOLDER --dtype int4` writes it. It says of which files it was made (name, size and
time of change of each); where those are others now, it is not used.
"""
from __future__ import annotations

import argparse
from contextlib import suppress
import json
import os
from pathlib import Path
import sys

from safetensors import SafetensorError
from safetensors.torch import save_file
import torch

from dam_ros.core.errors import DescriberFailed
from dam_ros.model import config as configuration
from dam_ros.model.checkpoint import Part
from dam_ros.model.language import LanguageModel
from dam_ros.model.layout import check, shards
from dam_ros.model.quantized import FORMS, quantize, Quantized
from dam_ros.model.tensor_files import Held, metadata_of, tensors_of
from dam_ros.model.tokenizer import Tokenizer

_VERSION = '1'   # of the formats in quantized.py and of how weights are rounded
_ON_DISK = {torch.int8: 'I8', torch.uint8: 'U8', torch.float32: 'F32'}


def path_of(folder: Path, form: str) -> Path:
    """Where the file of a checkpoint lies, if it is there."""
    return folder / f'dam_ros-{form}.safetensors'


def find(folder: Path, form: str, language: LanguageModel) -> tuple[dict[str, Held] | None, str]:
    """(where each parameter of the quantized products lies, None = make them; which of both and why, in words)."""
    path = path_of(folder, form)
    if not path.is_file():
        return None, f'{form} weights are made while loading; `python -m dam_ros.model.stored` keeps them'
    try:
        told, held = metadata_of(path), tensors_of(path)
    except (OSError, SafetensorError, DescriberFailed) as error:
        return None, f'{path.name} is not used: it cannot be read ({str(error).partition(chr(10))[0]})'
    if told.get('version') != _VERSION:
        return None, f'{path.name} is not used: another version of dam_ros made it'
    if told.get('sources') != _sources(folder):
        return None, f'{path.name} is not used: it was made of other files than those in {folder.name}/llm'
    wanted = _narrow(language)
    if {name: (held[name].dtype, held[name].shape) for name in wanted if name in held} != {
            name: (_ON_DISK[one.dtype], tuple(one.shape)) for name, one in wanted.items()}:
        return None, f'{path.name} is not used: its tensors are not those of this model'
    return held, f'{form} weights from {path.name}'


def write(folder: Path, form: str) -> Path:
    """Makes the file. The one before it stays whole until the new one is.

    Raises:
        DescriberFailed: the checkpoint cannot be used.
        OSError: the folder cannot be written.
    """
    check(folder)
    sources, size = _sources(folder), Tokenizer(folder / 'llm').size
    with torch.device('meta'):
        language = LanguageModel(configuration.read(folder).language, size)
    quantize(language, form)
    Part(folder / 'llm').fill(language, {'model.embed_tokens.weight': size, 'lm_head.weight': size},
                              torch.device('cpu'), torch.bfloat16)   # what is not narrow is not kept
    path = path_of(folder, form)
    unfinished = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        save_file({name: one.detach() for name, one in _narrow(language).items()}, unfinished,
                  {'version': _VERSION, 'sources': sources})
        with open(unfinished, 'rb+') as file:
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        with suppress(OSError):
            unfinished.unlink()
    return path


def _narrow(language: LanguageModel) -> dict[str, torch.Tensor]:
    return {f'{name}.{kind}': getattr(one, kind) for name, one in language.named_modules()
            if isinstance(one, Quantized) for kind in ('weight', 'scales')}


def _sources(folder: Path) -> str:
    """Changed times rather than a sum over gigabytes, which would take as long as making the weights anew."""
    return json.dumps([[path.name, path.stat().st_size, path.stat().st_mtime_ns] for path in shards(folder / 'llm')])


def main(arguments: list[str] | None = None) -> int:
    """See the module's text."""
    parser = argparse.ArgumentParser(prog='python -m dam_ros.model.stored', description='Store quantized weights '
                                     'beside a checkpoint, so that loading does not make them each time.')
    parser.add_argument('folder', type=Path, help='of the checkpoint')
    parser.add_argument('--dtype', choices=FORMS, required=True)
    asked = parser.parse_args(arguments)
    try:
        path = write(asked.folder, asked.dtype)
    except (DescriberFailed, OSError, SafetensorError) as error:
        print(f'{parser.prog}: {str(error).partition(chr(10))[0]}', file=sys.stderr)
        return 1
    print(f'{path} ({path.stat().st_size / 1e6:.0f} MB)')
    return 0


if __name__ == '__main__':
    sys.exit(main())
