"""The tensors of a checkpoint, streamed one by one from safetensors files into a network that has only shapes yet.

Names and shapes of all files are compared with what the configuration says before anything is copied. What has no
effect (the tower's last layer, its last norm and head) may be there and is not read.
"""
from __future__ import annotations

from pathlib import Path
import re

import torch
from torch import nn

from dam_ros.core.errors import DescriberFailed
from dam_ros.model.layers import FUSED
from dam_ros.model.layout import shards
from dam_ros.model.quantized import Quantized
from dam_ros.model.tensor_files import FLOATS, Held, Job, memory, read, tensors_of

# rotary_emb.inv_freq and position_ids are buffers that older files hold; a tied lm_head may be written out, too.
_WITHOUT_EFFECT = re.compile(r'vision_model\.(post_layernorm|head)\..*|.*rotary_emb\.inv_freq|.*\.position_ids'
                             r'|lm_head\.weight')
_LAYER = re.compile(r'(?:vision_model\.encoder|context_provider_module)\.layers\.(\d+)\..*')
_SHOWN = 8   # names in one message


class Part:
    """One sub-folder of a checkpoint: where each tensor lies."""

    def __init__(self, folder: Path):
        self._name = folder.name
        self._where: dict[str, Held] = {}
        for path in shards(folder):
            tensors = tensors_of(path)
            twice = sorted(self._where.keys() & tensors.keys())
            if twice:
                raise DescriberFailed(f'{self._name}: {_listed(twice, "is in more than one file")}; fetch it again')
            self._where.update(tensors)

    def fill(self, module: nn.Module, rows: dict[str, int], device: torch.device, dtype: torch.dtype,
             made: dict[str, Held] | None = None) -> None:
        """Gives each parameter of the module its memory on the device, and its numbers.

        Args:
            rows: name -> how many rows are used of a tensor that may have more.
            dtype: of all but what is quantized.
            made: the parameters of quantized products that were stored before; else they are made here, each block
                right after it was read.

        Raises:
            DescriberFailed: tensors that are missing, too many, or of another shape, all by name.
        """
        wanted = dict(module.named_parameters())   # a tied one comes once
        owners = {name: module.get_submodule(name.rpartition('.')[0]) for name in wanted}
        self._check(wanted, owners, rows)
        places = memory(((one.shape, one.dtype if _is_narrow(owners[name], name) else dtype)
                         for name, one in wanted.items()), device)
        jobs = []
        for name, place in zip(wanted, places):
            setattr(owners[name], name.rpartition('.')[2], nn.Parameter(place, requires_grad=False))
        for name, place in zip(wanted, places):
            if not _is_narrow(owners[name], name):
                jobs += [_copied(self._where[source], part) for source, part in
                         zip(_sources(name), place.split(_heights(owners[name], place)), strict=True)]
            elif made is not None:
                jobs.append(_copied(made[name], place))
            elif name.endswith('.weight'):   # its scales are made with it
                jobs += self._made(name, owners[name])
        read(jobs, device)

    def _made(self, name: str, product: Quantized) -> list[Job]:
        first, jobs = 0, []
        for source, height in zip(_sources(name), product.heights, strict=True):
            jobs.append(Job(self._where[source], height, None, lambda row, block, first=first: product.put(
                first + row, block.to(product.weight.device))))
            first += height
        return jobs

    def _check(self, wanted: dict[str, nn.Parameter], owners: dict[str, nn.Module], rows: dict[str, int]) -> None:
        shapes = {source: [height, *_width(owners[name], one)] for name, one in wanted.items()
                  if not name.endswith('.scales')
                  for source, height in zip(_sources(name), _heights(owners[name], one), strict=True)}
        layers = 1 + max((int(match[1]) for match in map(_LAYER.fullmatch, shapes) if match), default=-1)
        wrong, strange = [], []
        for source, shape in shapes.items():
            if source in self._where:
                held = list(self._where[source].shape)
                if self._where[source].dtype not in FLOATS:
                    strange.append(f'{source} is {self._where[source].dtype}')
                if held[1:] != shape[1:] or not (held[:1] == shape[:1] or source in rows and held[0] >= shape[0]):
                    wrong.append(f'{source} has the shape {held} instead of {shape}')
        missing = [source for source in shapes if source not in self._where]
        extra = [source for source in self._where if source not in shapes and not _without_effect(source, layers)]
        if strange:
            raise DescriberFailed(f'{self._name}: {_listed(strange, "")}; only {", ".join(FLOATS)} are loaded, '
                                  'quantized weights are not')
        for what, names in (('is missing', missing), ('does not belong to this model', extra), ('', wrong)):
            if names:
                raise DescriberFailed(f'{self._name}: {_listed(sorted(names), what)}. The checkpoint does not fit its '
                                      f'{self._name}/config.json; fetch it again')


def _is_narrow(owner: nn.Module, name: str) -> bool:
    return isinstance(owner, Quantized) and not name.endswith('.bias')


def _heights(owner: nn.Module, parameter: torch.Tensor) -> tuple[int, ...]:
    """Rows of each tensor that a parameter is made of."""
    return getattr(owner, 'heights', parameter.shape[:1])


def _width(owner: nn.Module, parameter: torch.Tensor) -> tuple[int, ...]:
    """The shape of one row, as it is on disk."""
    return (owner.in_features,) if isinstance(owner, Quantized) and parameter.dim() > 1 else parameter.shape[1:]


def _copied(held: Held, place: torch.Tensor) -> Job:
    """Into its place: straight where the numbers are as they are in the file, else block by block."""
    if place.device.type == 'cpu' and FLOATS.get(held.dtype, place.dtype) == place.dtype:
        return Job(held, len(place), place)

    def take(first: int, block: torch.Tensor) -> None:
        place[first:first + len(block)] = block.to(place.device)   # converted where there is more room, and speed
    return Job(held, len(place), None, take)


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
