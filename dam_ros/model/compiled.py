"""One more token for each of several texts on a CPU, through the compiled products of `kernels`.

The same numbers as `LanguageModel.forward` for one token each, without torch's cost per operation. Weights are used
where they lie; only buffers are made here. It knows neither sampling nor what the texts are for.
"""
from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
import torch
from torch import nn

from dam_ros.model import kernels
from dam_ros.model.config import Language
from dam_ros.model.language import Cache, LanguageModel
from dam_ros.model.rope import Rotation

_NONE = np.empty(0, np.float32)
_STORED = {torch.bfloat16: torch.uint16, torch.float16: torch.int16}   # what numpy and numba see them as


def stored(tensor: torch.Tensor) -> np.ndarray:
    """The same memory as an array that `kernels` reads."""
    return tensor.detach().view(_STORED.get(tensor.dtype, tensor.dtype)).numpy()


class Product:
    """Weights, scales and bias of one linear module, as arrays."""

    def __init__(self, module: nn.Module):
        self.weights = stored(module.weight)
        scales = getattr(module, 'scales', None)
        self.scales = np.empty((0, 0), np.float32) if scales is None else scales.numpy().reshape(len(scales), -1)
        bias = getattr(module, 'bias', None)
        self.bias = _NONE if bias is None else bias.detach().float().numpy()

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.weights, self.scales, self.bias


class Compiled:
    """See `writing.Writer`. Arrays of all layers, and buffers for some texts."""

    def __init__(self, language: LanguageModel, config: Language, rotation: Rotation):
        self._config, self._rotation = config, rotation
        self._table = language.model.embed_tokens.weight
        self._layers = [(_norm(layer.input_layernorm), *(Product(one).arrays for one in (
                            layer.self_attn.qkv_proj, layer.self_attn.o_proj)),
                         _norm(layer.post_attention_layernorm), *(Product(one).arrays for one in (
                             layer.mlp.gate_up_proj, layer.mlp.down_proj)))
                        for layer in language.model.layers]
        self._norm, self._head = _norm(language.model.norm), Product(language.lm_head).arrays
        self._kind, self._eps = kernels.ACTIVATION[config.activation], np.float32(config.eps)
        self._texts = 0

    def _make_buffers(self, texts: int) -> None:
        config = self._config
        self._texts = texts
        seen, narrow = config.heads * config.head_dim, config.kv_heads * config.head_dim
        self._quiet, self._more, self._qkv, self._seen, self._wide, self._gated = (
            np.empty((texts, width), np.float32) for width in (
                config.hidden, config.hidden, seen + 2 * narrow, seen, 2 * config.mlp, config.mlp))

    def step(self, ids: Sequence[int], caches: Sequence[Cache]) -> torch.Tensor:
        """float32 (texts, vocabulary): what may follow the given token of each text, which its cache then holds."""
        if self._texts != len(ids):
            self._make_buffers(len(ids))
        numba.set_num_threads(min(torch.get_num_threads(), numba.config.NUMBA_NUM_THREADS))
        x = self._table[torch.tensor(ids)].float().numpy()   # a copy: layers are added to it
        for cache in caches:
            cache.reserve(1)
        places = [cache.length for cache in caches]
        cos, sin = (one[:, 0].float().numpy() for one in self._rotation.at(torch.tensor(places), max(places) + 1))
        helds = [stored(cache.held) for cache in caches]
        for index, (norm, qkv, out, second_norm, gate_up, down) in enumerate(self._layers):
            kernels.normalize(x, norm, self._eps, self._quiet)
            kernels.product(self._quiet, *qkv, self._qkv)
            for text, held in enumerate(helds):
                kernels.attend(self._qkv[text], held, index, places[text], cos[text], sin[text], self._seen[text])
            kernels.product(self._seen, *out, self._more)
            x += self._more
            kernels.normalize(x, second_norm, self._eps, self._quiet)
            kernels.product(self._quiet, *gate_up, self._wide)
            kernels.gate(self._wide, self._kind, self._gated)
            kernels.product(self._gated, *down, self._more)
            x += self._more
        kernels.normalize(x, self._norm, self._eps, self._quiet)
        logits = np.empty((len(ids), len(self._head[0])), np.float32)
        kernels.product(self._quiet, *self._head, logits)
        for cache in caches:
            cache.length += 1
        return torch.from_numpy(logits)


def _norm(module: nn.Module) -> np.ndarray:
    return module.weight.detach().float().numpy()
