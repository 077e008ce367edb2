"""The pieces that vision and language share: attention over fused projections, two kinds of MLP, norms.

Parameters are called as in the checkpoint, but for what is fused: `qkv_proj` is q_proj, k_proj and v_proj one below
the other, `kv_proj` and `gate_up_proj` likewise (`checkpoint.py` takes them apart). Fewer and larger products are
faster and give the same numbers.
"""
from __future__ import annotations

import torch
from torch import nn
import torch.nn.functional as F

from dam_ros.model.config import ACTIVATIONS

FUSED = {'qkv_proj': ('q_proj', 'k_proj', 'v_proj'), 'kv_proj': ('k_proj', 'v_proj'),
         'gate_up_proj': ('gate_proj', 'up_proj')}
_FUNCTIONS = {
    'gelu_pytorch_tanh': lambda x: F.gelu(x, approximate='tanh'),
    'gelu_new': lambda x: F.gelu(x, approximate='tanh'),   # the same formula, spelled out in older code
    'gelu': F.gelu,
    'quick_gelu': lambda x: x * torch.sigmoid(1.702 * x),
    'silu': F.silu,
    'relu': F.relu,
}
# What torch's own compiler calls; where it is missing (ARM, or a torch that has moved it) nothing else changes.
_ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, '_linear_pointwise')
# What its products apply to their result before it goes to memory; other functions are a pass of their own.
_POINTWISE = {'gelu_pytorch_tanh': ('gelu', 'tanh'), 'gelu_new': ('gelu', 'tanh'), 'gelu': ('gelu', 'none'),
              'relu': ('relu', ''), '': ('none', '')}
_ROWS = 32   # a CPU's products are filled up to whole ones: oneDNN compiles and keeps a kernel for each number of rows
assert set(_FUNCTIONS) == set(ACTIVATIONS)


def activation(name: str):
    """The function of a configuration's `hidden_act`."""
    return _FUNCTIONS[name]


class Linear(nn.Linear):
    """On a CPU by oneDNN in float32, too: torch itself takes MKL, a tenth to a half slower (docs/performance.md).

    oneDNN compiles each number of rows for itself and keeps 400 kB for it, so texts, which have any, are filled up.
    """

    def reset_parameters(self) -> None:
        """Nothing: the numbers come from files, and random ones, even of shapes only, cost time."""

    def forward(self, x: torch.Tensor, function: str = '') -> torch.Tensor:
        """`function`: the activation that follows, by its name in a configuration."""
        rows = len(x)
        if x.device.type == 'cpu' and x.dim() == 2:
            x = F.pad(x, (0, 0, 0, -rows % _ROWS))
        if _ONEDNN and x.device.type == 'cpu' and x.dtype is torch.float32 and function in _POINTWISE:
            kind, way = _POINTWISE[function]
            return torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, kind, [], way)[:rows]
        x = F.linear(x, self.weight, self.bias)[:rows]
        return _FUNCTIONS[function](x) if function else x


class Fused(Linear):
    """Several projections of the same input as one product. `heights`: how many rows each has."""

    def __init__(self, hidden: int, heights: tuple[int, ...], bias: bool = True):
        super().__init__(hidden, sum(heights), bias=bias)
        self.heights = heights


class Table(nn.Module):
    """One row per token or place. torch's own Embedding costs seconds to make: its random start loads a compiler."""

    def __init__(self, rows: int, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(rows, width))


def split_heads(x: torch.Tensor, heads: int) -> torch.Tensor:
    """(B, T, heads * D) to (B, heads, T, D)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)   # (B, heads, T, D)


def join_heads(x: torch.Tensor) -> torch.Tensor:
    """(B, heads, T, D) to (B, T, heads * D)."""
    return x.transpose(1, 2).flatten(2)   # (B, T, heads * D)


class SelfAttention(nn.Module):
    """Every token sees every token."""

    def __init__(self, hidden: int, heads: int):
        super().__init__()
        self._heads = heads
        self.qkv_proj = Fused(hidden, (hidden, hidden, hidden))
        self.out_proj = Linear(hidden, hidden)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = (split_heads(one, self._heads) for one in self.qkv_proj(x).chunk(3, dim=-1))
        return self.out_proj(join_heads(F.scaled_dot_product_attention(q, k, v)))


class CrossAttention(nn.Module):
    """Tokens look at other tokens. `seen`: bool (B, 1, 1, T), None = all."""

    def __init__(self, hidden: int, heads: int):
        super().__init__()
        self._heads = heads
        self.q_proj = Linear(hidden, hidden)
        self.kv_proj = Fused(hidden, (hidden, hidden))
        self.out_proj = Linear(hidden, hidden)

    def forward(self, x: torch.Tensor, context: torch.Tensor, seen: torch.Tensor | None) -> torch.Tensor:
        q = split_heads(self.q_proj(x), self._heads)
        k, v = (split_heads(one, self._heads) for one in self.kv_proj(context).chunk(2, dim=-1))
        return self.out_proj(join_heads(F.scaled_dot_product_attention(q, k, v, attn_mask=seen)))


class Mlp(nn.Module):
    """The tower's: out, function, back."""

    def __init__(self, hidden: int, wide: int, function: str):
        super().__init__()
        self._function = function
        self.fc1 = Linear(hidden, wide)
        self.fc2 = Linear(wide, hidden)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc2(self.fc1(x, self._function))


class GatedMlp(nn.Module):
    """Llama's: one half of the wide layer gates the other."""

    def __init__(self, hidden: int, wide: int, function: str, bias: bool):
        super().__init__()
        self._function = activation(function)
        self.gate_up_proj = Fused(hidden, (wide, wide), bias=bias)
        self.down_proj = Linear(wide, hidden, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate, up = self.gate_up_proj(x).chunk(2, dim=-1)
        return self.down_proj(self._function(gate) * up)


class RmsNorm(nn.Module):
    """Root mean square norm, in float32 whatever the dtype."""

    def __init__(self, hidden: int, eps: float):
        super().__init__()
        self._eps = eps
        self.weight = nn.Parameter(torch.empty(hidden))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wide = x.float()
        wide = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self._eps)
        return self.weight * wide.to(x.dtype)
