"""How fast this machine reads, and how fast products over the weights of the language model read alone.

A token of one text needs each of these weights once, so no decoding is faster than reading them.
"""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
import time

from case import Case
import numpy as np
from report import Fact
from timing import Outcome
import torch
from torch import nn
import torch.nn.functional as F

READ = 'byte read'
_GIB = 2 ** 30
_ROUNDS = 10


def read_speed(device: str, quick: bool) -> float:
    """Bytes/s: best of ten `torch.sum` over 1 GiB of float32."""
    numbers = _numbers(device, quick)
    return numbers.nbytes / _best(numbers.sum, device)


def reading(device: str, quick: bool) -> Callable[[], Outcome]:
    """A side of a Duel, of which `READ` is the time: s per byte, best of three sums.

    Machines that are shared read at one speed in one minute and at another in the next; so this is taken in turn with
    what is held against it.
    """
    numbers = _numbers(device, quick)
    return lambda: (None, {READ: [_best(numbers.sum, device, 3) / numbers.nbytes]})


def _numbers(device: str, quick: bool) -> torch.Tensor:
    return torch.ones((_GIB // 16 if quick else _GIB) // 4, device=device)


def copy_speed(device: str, quick: bool) -> float:
    """Bytes/s, read and written: best of ten copies of 1 GiB on the device."""
    numbers = _numbers(device, quick)
    target = torch.empty_like(numbers)
    return 2 * numbers.nbytes / _best(lambda: target.copy_(numbers), device)


def matrix_speed(device: str, dtype: torch.dtype, quick: bool) -> float:
    """Floating point operations/s: best of ten products of square matrices."""
    side = 512 if quick or device == 'cpu' else 8192
    one, other = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    return 2 * side ** 3 / _best(lambda: one @ other, device)


def _best(work: Callable[[], object], device: str, rounds: int = _ROUNDS) -> float:
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        if device != 'cpu':
            torch.cuda.synchronize()
        times.append(time.perf_counter() - begun)
    return min(times)


# -- what a token reads -----------------------------------------------------------------------------------------------

def products(dam) -> list[nn.Module]:
    """The layers that multiply a state by a matrix, once per token."""
    return [one for one in dam.language.modules() if getattr(getattr(one, 'weight', None), 'ndim', 0) == 2
            and one is not dam.language.model.embed_tokens]


def weight_bytes(dam) -> int:
    """Of all that one token reads but for keys and values: matrices with their scales, biases and norms."""
    table = dam.language.model.embed_tokens.weight
    held = {one.data_ptr(): one.nbytes for one in (*dam.language.parameters(), *dam.language.buffers())}
    if not dam.config.language.tied:
        del held[table.data_ptr()]   # one row of it is read
    return sum(held.values())


def cache_bytes(dam, length: int) -> int:
    """Keys and values of so many tokens."""
    language = dam.config.language
    return 2 * language.layers * language.kv_heads * language.head_dim * length * dam.embed([1]).element_size()


def bare_products(case: Case, prepare: Callable[[nn.Module, torch.Tensor], Callable[[], torch.Tensor]]) -> float:
    """Bytes/s of products over all matrices one after the other, and nothing else: best of ten.

    Args:
        prepare: makes of a layer and a state (1, K) what multiplies them.

    Raises:
        Unequal: a product is not that of the layer itself, over many rows.
    """
    layers = products(case.dam)
    kind = case.dam.embed([1]).dtype
    states = [torch.randn(1, one.in_features, device=case.device).to(kind) for one in layers]
    works = [prepare(layer, state) for layer, state in zip(layers, states)]
    for layer, state, work in zip(layers, states, works):
        case.check_features('bare product', work(), layer(state.expand(64, -1))[:1])

    def all_of_them() -> None:
        for work in works:
            work()
    held = sum(one.weight.nbytes + getattr(getattr(one, 'scales', None), 'nbytes', 0) for one in layers)
    return held / _best(all_of_them, case.device)


def by_torch(layer: nn.Module, state: torch.Tensor) -> Callable[[], torch.Tensor]:
    """For `bare_products`: for weights that are no whole numbers."""
    return partial(F.linear, state, layer.weight, getattr(layer, 'bias', None))


def compiled(layer: nn.Module, state: torch.Tensor) -> Callable[[], torch.Tensor]:
    """For `bare_products`: ours, on a CPU. Raises ImportError where there is no compiler."""
    from dam_ros.model import kernels
    from dam_ros.model.compiled import Product
    arrays = Product(layer).arrays
    x, out = state.float().numpy(), np.empty((1, len(layer.weight)), np.float32)

    def work() -> torch.Tensor:
        kernels.product(x, *arrays, out)
        return torch.from_numpy(out)
    return work


def bare_speeds(case: Case) -> dict[str, float]:
    """Bytes/s by who multiplies: torch where it can, and ours where that is compiled."""
    speeds = {}
    with torch.inference_mode():
        if all(one.weight.is_floating_point() for one in products(case.dam)):
            speeds['torch'] = bare_products(case, by_torch)
        if case.device == 'cpu':
            try:
                speeds['ours'] = bare_products(case, compiled)
            except ImportError:   # without numba
                pass
    return speeds


def roofline(case: Case, length: int, token_s: float, per_byte: float) -> list[Fact]:
    """What bounds decoding at so many tokens of context, and how near it comes.

    Args:
        token_s: of ours, the median.
        per_byte: how many tokens were written while a byte was read, pair by pair.
    """
    weights, cached = weight_bytes(case.dam), cache_bytes(case.dam, length)
    read = read_speed(case.device, case.asked.quick)
    reached = (weights + cached) / token_s
    facts = [Fact('weights read per token', weights / 1e6, 'MB'), Fact('keys and values read per token', cached / 1e6,
                                                                       'MB'),
             Fact('this machine reads (best of ten sums over 1 GiB)', read / 1e9, 'GB/s')]
    least = None if case.dtype.startswith('int') else case.goal(0.6)
    bare = bare_speeds(case)
    facts += [Fact(f'bare products over these weights, {name}', speed / 1e9, 'GB/s') for name, speed in
              bare.items()]
    facts += [Fact('decoding reads', reached / 1e9, 'GB/s'),
              Fact('of what the machine reads', reached / read, least=least),
              Fact('of what it reads right before and after, pair by pair', (weights + cached) * per_byte,
                   least=least)]
    facts += [Fact(f'of the bare products, {name}', reached / speed) for name, speed in bare.items()]
    return facts
