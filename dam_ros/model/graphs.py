"""One more token for each of several texts as one CUDA graph: nothing is launched one by one, nothing waits.

All that a step reads lies at fixed places: token ids and positions in small tensors, keys and values of all texts
that are being written in one pool. A graph is captured once for each number of texts (1, 2, 4, ...) and each length
(in steps of 256 tokens), and replayed for every token. On a CPU the same step runs without a graph, so that its
numbers can be tested there.
"""
from __future__ import annotations

from collections.abc import Sequence
import weakref

import torch
import torch.nn.functional as F

from dam_ros.model.config import Language
from dam_ros.model.language import Cache, LanguageModel
from dam_ros.model.rope import Rotation, rotate

_ROOM = 256   # tokens by which rooms and attention grow


class Graphs:
    """See `writing.Writer`.

    A cache that is written for the first time moves into the pool, and leaves it when it is no longer used.
    """

    def __init__(self, language: LanguageModel, config: Language, rotation: Rotation):
        self._language, self._config, self._rotation = language, config, rotation
        self._table = language.model.embed_tokens.weight
        self._owners: list[weakref.ref | None] = []   # by place in the pool
        self._pool = self._table.new_empty((0, config.layers, 2, config.kv_heads, _ROOM, config.head_dim))
        self._graphs: dict[tuple[int, int], tuple] = {}

    def step(self, ids: Sequence[int], caches: Sequence[Cache]) -> torch.Tensor:
        """float32 (texts, vocabulary): what may follow the given token of each text, which its cache then holds."""
        self._make_room(max(cache.length for cache in caches) + 1)
        rows = [self._place(cache) for cache in caches]
        texts = _power_of_two(max(rows) + 1)
        given, places = [0] * texts, [0] * texts   # rows of nobody, and of texts that rest, read a token of no use
        for row, cache in self._living(texts):
            places[row] = cache.length             # behind what is filled: nothing of it is lost
        for row, id in zip(rows, ids):
            given[row] = id
        length = _rounded(max(places) + 1)
        self._make_room(length)
        logits = self._run(torch.tensor((given, places)), texts, length)
        for cache in caches:
            cache.length += 1
        return logits if rows == list(range(texts)) else logits[rows]

    # -- the pool -------------------------------------------------------------------------------------------------

    def _make_room(self, length: int) -> None:
        """For every text of the pool so many tokens."""
        if length > self._pool.shape[4]:
            self._resize(len(self._owners), _rounded(length))

    def _living(self, rows: int) -> list[tuple[int, Cache]]:
        held = [(row, owner()) for row, owner in enumerate(self._owners[:rows]) if owner is not None]
        return [(row, cache) for row, cache in held if cache is not None]

    def _place(self, cache: Cache) -> int:
        living = self._living(len(self._owners))
        for row, one in living:
            if one is cache:
                return row
        taken = {row for row, _ in living}
        free = next(row for row in range(len(taken) + 1) if row not in taken)
        if free >= len(self._owners):
            self._resize(_power_of_two(free + 1), self._pool.shape[4])
        self._owners[free] = weakref.ref(cache)
        self._pool[free, :, :, :, :cache.length] = cache.held[:, :, :, :cache.length]
        cache.held = self._pool[free]
        return free

    def _resize(self, rows: int, room: int) -> None:
        self._graphs.clear()   # they know the old place
        old = self._pool
        self._pool = old.new_zeros((rows, *old.shape[1:4], room, old.shape[5]))
        self._pool[:len(old), :, :, :, :old.shape[4]] = old
        self._owners += [None] * (rows - len(self._owners))
        for row, cache in self._living(rows):
            cache.held = self._pool[row]

    # -- the step -------------------------------------------------------------------------------------------------

    def _run(self, numbers: torch.Tensor, texts: int, length: int) -> torch.Tensor:
        """`numbers`: int64 (2, texts) on the host, ids and positions."""
        if self._pool.device.type != 'cuda':
            return self._step(numbers, length)
        if (texts, length) not in self._graphs:
            self._graphs[texts, length] = self._capture(numbers, length)
        graph, given, logits, _ = self._graphs[texts, length]
        given.copy_(numbers.pin_memory(), non_blocking=True)
        graph.replay()
        return logits

    def _capture(self, numbers: torch.Tensor, length: int) -> tuple:
        given = numbers.to(self._pool.device)
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):   # libraries make their workspaces at the first call
            self._step(given, length)
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            logits = self._step(given, length)
        return graph, given, logits, self._rotation.tables   # a graph knows addresses only: they must stay

    def _step(self, given: torch.Tensor, length: int) -> torch.Tensor:
        config, dim = self._config, self._config.head_dim
        ids, places = given
        rows = torch.arange(len(ids), device=ids.device)
        seen = (torch.arange(length, device=ids.device) <= places[:, None])[:, None, None]   # (texts, 1, 1, length)
        turn = self._rotation.at(places, length)
        x = self._table[ids]
        for index, layer in enumerate(self._language.model.layers):
            qkv = layer.self_attn.qkv_proj
            q, k, v = (one.unflatten(-1, (-1, dim)) for one in
                       qkv(layer.input_layernorm(x)).split(qkv.heights, dim=-1))   # (texts, heads, D)
            held = self._pool[:, index]   # (rows, 2, kv heads, room, D)
            held[rows, 0, :, places] = rotate(k, turn)
            held[rows, 1, :, places] = v
            keys, values = held[:len(rows), :, :, :length].unbind(1)
            q = rotate(q, turn).unflatten(1, (config.kv_heads, -1))   # heads that share keys side by side
            found = F.scaled_dot_product_attention(q, keys, values, attn_mask=seen)
            x = x + layer.self_attn.o_proj(found.flatten(1))
            x = x + layer.mlp(layer.post_attention_layernorm(x))
        return self._language.logits(self._language.model.norm(x))


def _rounded(length: int) -> int:
    return -(-length // _ROOM) * _ROOM


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()
