"""The Llama decoder (dam-spec 9). It reads tokens of several texts at once, each with its own key-value cache.

The tokens of all texts go through the large products together, one below the other, so that each weight is read once
per step; only attention is done text by text, over exactly the tokens it has: no padding, no masks to get wrong.
"""
from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
import torch.nn.functional as F

from dam_ros.model.config import Language
from dam_ros.model.layers import Fused, GatedMlp, Linear, RmsNorm, Table
from dam_ros.model.rope import Rotation, rotate

_GROWTH = 256   # tokens by which a cache grows at least


class Cache:
    """Keys and values of one text; `length` tokens of the room are filled.

    Attributes:
        held: (layers, 2, kv heads, room, D).
    """

    def __init__(self, config: Language, device: torch.device, dtype: torch.dtype, room: int):
        shape = (config.layers, 2, config.kv_heads, room, config.head_dim)
        self.held = torch.empty(shape, device=device, dtype=dtype)
        self.length = 0

    @property
    def nbytes(self) -> int:
        return self.held.nbytes

    def fork(self, room: int) -> Cache:
        """A copy with room for so many tokens more; this one stays as it is."""
        new = object.__new__(Cache)
        layers, two, heads, _, dim = self.held.shape
        new.held = self.held.new_empty((layers, two, heads, self.length + room, dim))
        new.held[:, :, :, :self.length] = self.held[:, :, :, :self.length]
        new.length = self.length
        return new

    def reserve(self, count: int) -> None:
        """Makes room for so many tokens more."""
        if self.length + count > self.held.shape[3]:
            self.held = self.fork(max(count, _GROWTH)).held

    def put(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Writes (T, kv heads, D) behind what is filled; gives all of the layer, (kv heads, length + T, D) each."""
        end = self.length + len(keys)
        held = self.held[layer]
        held[0, :, self.length:end] = keys.transpose(0, 1)
        held[1, :, self.length:end] = values.transpose(0, 1)
        return held[0, :, :end], held[1, :, :end]


class _Attention(nn.Module):
    def __init__(self, config: Language):
        super().__init__()
        self._config = config
        width, narrow = config.heads * config.head_dim, config.kv_heads * config.head_dim
        self.qkv_proj = Fused(config.hidden, (width, narrow, narrow), bias=config.attention_bias)
        self.o_proj = Linear(width, config.hidden, bias=config.attention_bias)

    def forward(self, x: torch.Tensor, turn: tuple, layer: int, caches: Sequence[Cache], counts: list[int],
                wanted: torch.Tensor | None):
        dim = self._config.head_dim
        q, k, v = (one.unflatten(-1, (-1, dim)) for one in self.qkv_proj(x).split(self.qkv_proj.heights, dim=-1))
        k = rotate(k, turn)   # (T, heads, D)
        if wanted is None:
            q, asking = rotate(q, turn), counts
        else:
            q, asking = rotate(q[wanted], tuple(one[wanted] for one in turn)), [1] * len(counts)
        seen = [_attend(*parts, cache, layer) for *parts, cache in
                zip(q.split(asking), k.split(counts), v.split(counts), caches, strict=True)]
        return self.o_proj(torch.cat(seen) if len(seen) > 1 else seen[0])


def _attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, cache: Cache, layer: int) -> torch.Tensor:
    """One text: k and v (T, kv heads, D) of its new tokens, q (T or 1, heads, D) of all or the last; (., heads * D)."""
    keys, values = cache.put(layer, k, v)
    count, heads, _ = q.shape
    groups = heads // len(keys)   # heads that share keys
    if count == 1:   # all heads of a group at once, and nothing to hide
        seen = F.scaled_dot_product_attention(q[0].unflatten(0, (-1, groups))[None], keys[None], values[None])
        return seen.flatten()[None]
    if groups > 1:
        keys, values = keys.repeat_interleave(groups, dim=0), values.repeat_interleave(groups, dim=0)
    q = q.transpose(0, 1)
    if cache.length == 0:
        seen = F.scaled_dot_product_attention(q[None], keys[None], values[None], is_causal=True)
    else:
        before = torch.ones(count, cache.length + count, dtype=torch.bool, device=q.device).tril(cache.length)
        seen = F.scaled_dot_product_attention(q[None], keys[None], values[None], attn_mask=before)
    return seen[0].transpose(0, 1).flatten(1)   # (T, heads * D)


class _Layer(nn.Module):
    def __init__(self, config: Language):
        super().__init__()
        self.input_layernorm = RmsNorm(config.hidden, config.eps)
        self.self_attn = _Attention(config)
        self.post_attention_layernorm = RmsNorm(config.hidden, config.eps)
        self.mlp = GatedMlp(config.hidden, config.mlp, config.activation, config.mlp_bias)

    def forward(self, x: torch.Tensor, turn: tuple, layer: int, caches: Sequence[Cache], counts: list[int],
                wanted: torch.Tensor | None):
        """`wanted`: the rows of x that somebody asks for behind this layer, None = all."""
        seen = self.self_attn(self.input_layernorm(x), turn, layer, caches, counts, wanted)
        x = (x if wanted is None else x[wanted]) + seen
        return x + self.mlp(self.post_attention_layernorm(x))


class _Decoder(nn.Module):
    def __init__(self, config: Language, vocabulary: int):
        super().__init__()
        self.embed_tokens = Table(vocabulary, config.hidden)
        self.layers = nn.ModuleList(_Layer(config) for _ in range(config.layers))
        self.norm = RmsNorm(config.hidden, config.eps)


class LanguageModel(nn.Module):
    """The tensors of llm/. `vocabulary`: of the tokenizer, which may be smaller than the checkpoint's."""

    def __init__(self, config: Language, vocabulary: int):
        super().__init__()
        self.model = _Decoder(config, vocabulary)
        self.lm_head = Linear(config.hidden, vocabulary, bias=False)
        self._tied = config.tied
        self.tie()

    def tie(self) -> None:
        """Where the checkpoint has one table for both ends; again after the table was replaced."""
        if self._tied:
            self.lm_head.weight = self.model.embed_tokens.weight

    def embed(self, ids: Sequence[int]) -> torch.Tensor:
        """(T, D) of T token ids."""
        table = self.model.embed_tokens.weight
        return table[torch.tensor(ids, dtype=torch.long, device=table.device)]

    def forward(self, inputs: Sequence[torch.Tensor], caches: Sequence[Cache], rotation: Rotation) -> torch.Tensor:
        """Reads on in each text, and fills its cache.

        Args:
            inputs: per text the embeddings (T, D) of its next tokens.

        Returns:
            (texts, D): the state after each text's last token; `logits` takes it.
        """
        counts = [len(one) for one in inputs]
        for cache, count in zip(caches, counts, strict=True):
            cache.reserve(count)
        ends = [cache.length + count for cache, count in zip(caches, counts)]
        places = [place for end, count in zip(ends, counts) for place in range(end - count, end)]
        x = torch.cat(list(inputs)) if len(inputs) > 1 else inputs[0]
        turn = rotation.at(torch.tensor(places, device=x.device), max(ends))
        last = torch.tensor(counts).cumsum(0).sub(1).to(x.device)
        *earlier, final = self.model.layers
        for index, layer in enumerate(earlier):
            x = layer(x, turn, index, caches, counts, None)
        x = final(x, turn, len(earlier), caches, counts, last)   # of the others only keys and values have an effect
        for cache, end in zip(caches, ends):
            cache.length = end
        return self.model.norm(x)

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """float32 (texts, vocabulary) of states (texts, D)."""
        return self.lm_head(states).float()
