"""transformers' SAM and SAM 2, loaded from files on disk: tensors only, no code of others, no network."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import importlib.metadata

import torch
import transformers

from dam_ros.core.errors import OutOfMemory, SegmenterFailed, complaint
from dam_ros.segmenters.sam_files import Checkpoint

_NEEDED = {'SamModel': '4.45', 'Sam2Model': '4.56', 'Sam2VideoModel': '4.56'}   # version of transformers
CLASSES = {'SAM': 'SamModel', 'SAM 2': 'Sam2Model'}


def device_of(asked: str) -> torch.device:
    """The device of 'auto', 'cpu', 'cuda' or 'cuda:N'. Raises SegmenterFailed where there is none such."""
    try:
        device = torch.device(('cuda' if torch.cuda.is_available() else 'cpu') if asked == 'auto' else asked)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:   # AssertionError: a torch without CUDA
        raise SegmenterFailed(complaint('segmenter_device', asked, 'auto, cpu, cuda, cuda:0, ... as far as torch sees '
                                        'them here', str(error).splitlines()[0])) from error
    return device


def load(name: str, checkpoint: Checkpoint, device: torch.device) -> torch.nn.Module:
    """One of transformers' classes by name, in float32.

    Raises:
        SegmenterFailed: this transformers is too old for it, or the files do not hold all of its tensors.
        OutOfMemory: it does not fit.
    """
    kind = getattr(transformers, name, None)
    if kind is None:
        raise SegmenterFailed(f'{checkpoint.kind} needs transformers {_NEEDED[name]} or newer, '
                              f"{importlib.metadata.version('transformers')} is installed: pip install -U transformers")
    with _quiet(), translated(f'loading {checkpoint.folder}'):
        network, report = kind.from_pretrained(checkpoint.folder, local_files_only=True, use_safetensors=True,
                                               output_loading_info=True)
        if report['missing_keys']:   # transformers would fill them with random numbers
            raise SegmenterFailed(f'{checkpoint.folder} does not hold all weights of {name}: '
                                  f'{sorted(report["missing_keys"])[0]} is missing; get it again')
        return network.float().eval().to(device)


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars, and no warning that an image network leaves out the weights of a video's memory."""
    log = transformers.utils.logging
    level, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if bars:
            log.enable_progress_bar()


@contextmanager
def translated(what: str) -> Iterator[None]:
    """What torch and transformers raise becomes ours."""
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        raise OutOfMemory(f'{what}: sam does not fit into the memory of the GPU beside what else is there '
                          f'({str(error).splitlines()[0]}). Set segmenter_device to cpu, or name smaller weights in '
                          'segmenter_model') from error
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise SegmenterFailed(f'{what}: {type(error).__name__}: {" ".join(str(error).split())[:300]}') from error
