"""Weights of the language model's large products in int8 or int4, each row or group of 32 with a scale of its own.

Only weights are narrow; what goes through them stays in the base dtype. Tables, norms, biases and the whole vision
side stay, too: they are small, or run once per look. Nothing here knows files; kernels.py knows the formats.

int8: weight int8 (N, K), scales float32 (N,); w = q * scale of its row.
int4: weight uint8 (N, K / 2), scales float32 (N, K / 32); in each group of 32 weights along K byte i holds weight i in
its low four bits and weight i + 16 in its high ones, both as q + 8; w = q * scale of its group.
"""
from __future__ import annotations

import torch
from torch import nn
import torch.nn.functional as F

GROUP = 32
INT8, INT4 = FORMS = ('int8', 'int4')
_FEW = 16                 # rows up to which torch's CUDA kernel for int8 is faster than making the weights wide
_BLOCK = 1 << 20          # weights that are made wide at once
_PART = 1 << 16           # weights that are made narrow at once: some ten copies of them fit into the cache
# Where the largest weight of a group of int4 comes to lie, in steps of its scale; the best is taken (-8 is the last
# there is). Four lose 16 % less than the usual largest / 7; forty would lose 0.4 % less than four.
_ENDS = (8.2, 7.8, 8.6, 7.2)
_CLOSE = 0.02             # how far a device's own product, in bfloat16, may be from ours


class Quantized(nn.Module):
    """In the place of a Linear (or Fused) of the same name.

    Attributes:
        form: INT8 or INT4; a product whose rows are no whole groups stays INT8.
        heights: how many rows each of its parts has, as Fused.
        weight, scales: see the module's text; `settle` may bring them into an order of the device's own.
        bias: None or (N,).
    """

    def __init__(self, linear: nn.Linear, form: str):
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.form = form if linear.in_features % GROUP == 0 else INT8
        self.heights = getattr(linear, 'heights', (linear.out_features,))
        rows, columns, device = self.out_features, self.in_features, linear.weight.device
        shapes = {INT8: ((rows, columns), torch.int8, (rows,)),
                  INT4: ((rows, columns // 2), torch.uint8, (rows, columns // GROUP))}
        shape, dtype, scales = shapes[self.form]
        self.weight = nn.Parameter(torch.empty(shape, dtype=dtype, device=device), requires_grad=False)
        self.scales = nn.Parameter(torch.empty(scales, dtype=torch.float32, device=device), requires_grad=False)
        self.bias = linear.bias
        self._product = None   # of the device, once `settle` has found it

    def put(self, first: int, rows: torch.Tensor) -> None:
        """Makes rows (n, K) of float weights its own, from the row `first` on."""
        for part in rows.split(max(1, _PART // self.in_features)):
            weight, scales = narrowed(part, self.form)
            with torch.no_grad():
                self.weight[first:first + len(part)] = weight
                self.scales[first:first + len(part)] = scales
            first += len(part)

    def wide(self, first: int, last: int, dtype: torch.dtype) -> torch.Tensor:
        """The weights (last - first, K) of some rows, as the network computes with them; not after `settle`."""
        weight, scales = self.weight[first:last], self.scales[first:last]
        if self.form == INT8:
            return (weight.to(torch.float32) * scales[:, None]).to(dtype)
        low, high = weight.bitwise_and(15), weight.bitwise_right_shift(4)
        half = GROUP // 2
        steps = torch.cat((low.unflatten(1, (-1, half)), high.unflatten(1, (-1, half))), dim=-1)   # (n, groups, 32)
        return steps.to(dtype).sub_(8).mul_(scales[..., None].to(dtype)).flatten(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(..., K) to (..., N)."""
        rows = x.reshape(-1, self.in_features)
        own = self._product is not None and (self.form == INT4 or len(rows) <= _FEW)
        made = self._product(rows) if own else self._by_blocks(rows)
        if self.bias is not None:
            made = made + self.bias
        return made.view(*x.shape[:-1], self.out_features)

    def _by_blocks(self, rows: torch.Tensor) -> torch.Tensor:
        """Made wide a block at a time: the whole would take the memory that was to be saved."""
        made = rows.new_empty(len(rows), self.out_features)
        step = max(1, _BLOCK // self.in_features)
        for first in range(0, self.out_features, step):
            last = min(first + step, self.out_features)
            if self.form == INT8:   # whole numbers up to 127 are exact in every dtype, and it is one pass less
                part = F.linear(rows, self.weight[first:last].to(rows.dtype))
                made[:, first:last] = part * self.scales[first:last].to(rows.dtype)
            else:
                made[:, first:last] = F.linear(rows, self.wide(first, last, rows.dtype))
        return made

    # -- torch's own kernels on a GPU, which cannot be tried where this was written: each is compared before it is used

    @torch.no_grad()
    def settle(self, dtype: torch.dtype) -> None:
        """Takes the device's own product where torch has one that gives the same numbers; after `put`.

        int4 is then held in the order of that product only, so `weight` and `scales` are no longer as documented.
        """
        if self.weight.device.type != 'cuda':
            return
        one = torch.linspace(-1, 1, self.in_features, device=self.weight.device, dtype=dtype)[None]
        expected = self._by_blocks(one).float()
        try:
            product, weight, scales = (self._cuda_int8 if self.form == INT8 else self._cuda_int4)(dtype)
            found = product(one).float()
        except (AttributeError, RuntimeError):   # this torch, this card or these shapes have none
            return
        if (found - expected).norm() <= _CLOSE * expected.norm():
            self._product = product
            self.weight, self.scales = (nn.Parameter(held, requires_grad=False) for held in (weight, scales))

    def _cuda_int8(self, dtype: torch.dtype):
        weight, scales = self.weight, self.scales.to(dtype)
        return lambda rows: torch._weight_int8pack_mm(rows, weight, scales), weight, self.scales

    def _cuda_int4(self, dtype: torch.dtype):
        if dtype != torch.bfloat16:
            raise RuntimeError('there is none')
        steps = self.weight.unflatten(1, (-1, GROUP // 2))
        steps = torch.cat((steps.bitwise_and(15), steps.bitwise_right_shift(4)), dim=-1).flatten(1)   # (N, K)
        pairs = steps[:, ::2].bitwise_left_shift(4).bitwise_or(steps[:, 1::2])
        tiles = next(tiles for tiles in (8, 4, 2) if tiles == 2 or self.in_features % (16 * tiles) == 0)
        weight = torch._convert_weight_to_int4pack(pairs.contiguous(), tiles)
        scales = self.scales.t().to(dtype)   # (groups, N)
        scales = torch.stack((scales, torch.zeros_like(scales)), dim=-1).contiguous()
        return lambda rows: torch._weight_int4pack_mm(rows, weight, GROUP, scales), weight, scales


# -- arithmetic

def narrowed(rows: torch.Tensor, form: str) -> tuple[torch.Tensor, torch.Tensor]:
    """(weight, scales) of float rows (n, K), see the module's text.

    What is no number (NaN, infinity) makes its row's or group's scale none, so that the result says so.
    """
    return _int8(rows.float()) if form == INT8 else _int4(rows.float())


def _int8(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    scales = rows.abs().amax(1) / 127
    steps = torch.where(scales > 0, 1 / scales, 0)   # rows of zeros
    return (rows * steps[:, None]).nan_to_num_(0).round_().clamp_(-127, 127).to(torch.int8), scales


def _int4(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Per group the step that loses least.

    For steps q the best scale is wq / qq (sums of w * q and of q * q), and what it keeps of the group's square is
    wq * wq / qq: so the most of that is the least error.
    """
    groups = rows.view(-1, GROUP).t().contiguous()   # (32, M): sums over the first axis are faster
    low, high = groups.amin(0), groups.amax(0)
    largest = torch.where(high > -low, high, low)
    steps = torch.where(largest == 0, 0, -1 / largest)   # the largest lies at the negative end, which is one further
    most = torch.full_like(largest, -1)
    best, scales = torch.zeros_like(largest), largest.clone()   # largest: nothing, or no number
    for end in _ENDS:
        q = (groups * (steps * end)).round_().clamp_(-8, 7)
        wq, qq = (groups * q).sum(0), q.square_().sum(0)
        kept = wq.square() / qq
        better = kept > most   # never where it is no number
        most = torch.where(better, kept, most)
        best = torch.where(better, steps * end, best)
        scales = torch.where(better, wq / qq, scales)
    q = (groups * best).nan_to_num_(0).round_().clamp_(-8, 7).add_(8).to(torch.uint8)
    half = GROUP // 2
    packed = q[:half].bitwise_or(q[half:].bitwise_left_shift(4))   # (16, M)
    return packed.t().reshape(len(rows), -1), scales.view(len(rows), -1)


def quantize(network: nn.Module, form: str) -> None:
    """Puts Quantized in the place of every Linear, without numbers yet; tied ones stay with their table."""
    tied = {id(one.weight) for one in network.modules() if not isinstance(one, nn.Linear) and hasattr(one, 'weight')}
    for parent in list(network.modules()):
        for name, one in list(parent.named_children()):
            if isinstance(one, nn.Linear) and id(one.weight) not in tied:
                setattr(parent, name, Quantized(one, form))
