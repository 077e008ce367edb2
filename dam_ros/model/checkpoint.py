"""The tensors of a checkpoint, streamed one by one from safetensors files into a network that has only shapes yet.

Names and shapes of all files are compared with what the configuration says before anything is copied. What has no
effect (the tower's last layer, its last norm and head) may be there and is not read.
"""
from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
import re

from safetensors import SafetensorError, safe_open
import torch
from torch import nn

from dam_ros.core.errors import DescriberFailed
from dam_ros.model.layers import FUSED, Fused
from dam_ros.model.layout import shards

# rotary_emb.inv_freq and position_ids are buffers that older files hold; a tied lm_head may be written out, too.
_WITHOUT_EFFECT = re.compile(r'vision_model\.(post_layernorm|head)\..*|.*rotary_emb\.inv_freq|.*\.position_ids'
                             r'|lm_head\.weight')
_LAYER = re.compile(r'(?:vision_model\.encoder|context_provider_module)\.layers\.(\d+)\..*')
_FLOATS = ('F16', 'BF16', 'F32', 'F64')
_SHOWN = 8   # names in one message


class Part:
    """One sub-folder of a checkpoint: where each tensor lies."""

    def __init__(self, folder: Path, open_files: ExitStack):
        self._name = folder.name
        self._where: dict[str, safe_open] = {}
        for path in shards(folder):
            try:
                file = open_files.enter_context(safe_open(path, framework='pt'))
            except (OSError, SafetensorError) as error:
                raise DescriberFailed(f'{path} is no whole safetensors file ({error}); fetch the checkpoint again'
                                      ) from error
            names = file.keys()
            twice = sorted(self._where.keys() & set(names))
            if twice:
                raise DescriberFailed(f'{self._name}: {_listed(twice, "is in more than one file")}; fetch it again')
            self._where.update(dict.fromkeys(names, file))

    def fill(self, module: nn.Module, rows: dict[str, int], device: torch.device, dtype: torch.dtype) -> None:
        """Gives each parameter of the module its memory on the device, and its numbers.

        Args:
            rows: name -> how many rows are used of a tensor that may have more.

        Raises:
            DescriberFailed: tensors that are missing, too many, or of another shape, all by name.
        """
        wanted = dict(module.named_parameters())   # a tied one comes once
        heights = {f'{name}.{kind}': one.heights for name, one in module.named_modules() if isinstance(one, Fused)
                   for kind, _ in one.named_parameters()}
        self._check(wanted, heights, rows)
        for name, parameter in wanted.items():
            filled = torch.empty(parameter.shape, device=device, dtype=dtype)
            sources = _sources(name)
            for source, place in zip(sources, filled.split(heights.get(name, len(filled))), strict=True):
                place.copy_(self._where[source].get_tensor(source)[:len(place)])   # mapped, not read, until here
            path, _, last = name.rpartition('.')
            setattr(module.get_submodule(path), last, nn.Parameter(filled, requires_grad=False))

    def _check(self, wanted: dict[str, nn.Parameter], heights: dict[str, tuple[int, ...]],
               rows: dict[str, int]) -> None:
        shapes = {source: [height, *parameter.shape[1:]] for name, parameter in wanted.items()
                  for source, height in zip(_sources(name), heights.get(name, parameter.shape[:1]), strict=True)}
        layers = 1 + max((int(match[1]) for match in map(_LAYER.fullmatch, shapes) if match), default=-1)
        wrong, strange = [], []
        for source, shape in shapes.items():
            if source in self._where:
                slice = self._where[source].get_slice(source)
                held = list(slice.get_shape())
                if slice.get_dtype() not in _FLOATS:
                    strange.append(f'{source} is {slice.get_dtype()}')
                if held[1:] != shape[1:] or not (held[:1] == shape[:1] or source in rows and held[0] >= shape[0]):
                    wrong.append(f'{source} has the shape {held} instead of {shape}')
        missing = [source for source in shapes if source not in self._where]
        extra = [source for source in self._where if source not in shapes and not _without_effect(source, layers)]
        if strange:
            raise DescriberFailed(f'{self._name}: {_listed(strange, "")}; only {", ".join(_FLOATS)} are loaded, '
                                  'quantized weights are not')
        for what, names in (('is missing', missing), ('does not belong to this model', extra), ('', wrong)):
            if names:
                raise DescriberFailed(f'{self._name}: {_listed(sorted(names), what)}. The checkpoint does not fit its '
                                      f'{self._name}/config.json; fetch it again')


def _without_effect(source: str, layers: int) -> bool:
    """The layers from `layers` on come after the state that is selected."""
    layer = _LAYER.fullmatch(source)
    return int(layer[1]) >= layers if layer else bool(_WITHOUT_EFFECT.fullmatch(source))


def _sources(name: str) -> tuple[str, ...]:
    """The tensors on disk that one parameter is made of."""
    *path, module, kind = name.split('.')
    return tuple('.'.join([*path, part, kind]) for part in FUSED[module]) if module in FUSED else (name,)


def _listed(names: list[str], what: str) -> str:
    more = f' and {len(names) - _SHOWN} more' if len(names) > _SHOWN else ''
    return (', '.join(names[:_SHOWN]) + more + ' ' + what).strip()
