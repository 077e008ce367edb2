"""What writing one more token takes on a CPU, compiled: products that read each weight once, at the speed of memory.

torch's own product of a matrix with one vector reaches a third of what the machine reads; these reach nearly all of
it (docs/performance.md). Numbers are added up in float32 whatever the weights are. It knows arrays only: float32 as
it is, bfloat16 as uint16, float16 as int16, int8 and packed int4 (`quantized.py`) with their scales. Whoever imports
this module must be ready for an ImportError: numba is not everywhere.
"""
from __future__ import annotations

import math

from llvmlite import ir
from numba import njit, prange, types
from numba.core import cgutils
from numba.extending import intrinsic, overload
import numpy as np

_ZERO = np.float32(0)
_FAST = {'nogil': True, 'fastmath': {'reassoc', 'contract', 'arcp', 'nsz'}}   # NaN must stay NaN
GROUP = 32         # weights of int4 that share a scale
ACTIVATION = {'silu': 0, 'gelu_pytorch_tanh': 1, 'gelu_new': 1, 'gelu': 2, 'quick_gelu': 3, 'relu': 4}


def _compiled(function):
    return _kept(function, **_FAST)


def _spread(function):
    """On all threads: the loops over `prange`."""
    return _kept(function, parallel=True, **_FAST)


def _kept(function, **options):
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:   # nowhere to write: neither beside this file nor in the user's own folder
        return njit(**options)(function)


# -- one number: to float32 and back

@intrinsic
def _float_of_bits(_, bits):
    return types.float32(types.uint32), lambda context, builder, signature, given: builder.bitcast(
        given[0], ir.FloatType())


@intrinsic
def _bits_of_float(_, number):
    return types.uint32(types.float32), lambda context, builder, signature, given: builder.bitcast(
        given[0], ir.IntType(32))


@intrinsic
def _float_of_half(_, bits):
    return types.float32(types.int16), lambda context, builder, signature, given: builder.fpext(
        builder.bitcast(given[0], ir.HalfType()), ir.FloatType())


@intrinsic
def _half_of_float(_, number):
    return types.int16(types.float32), lambda context, builder, signature, given: builder.bitcast(
        builder.fptrunc(given[0], ir.HalfType()), ir.IntType(16))


def _wide(number):
    """float32 of a stored number."""


@overload(_wide)
def _overload_wide(number):
    if number == types.uint16:
        return lambda number: _float_of_bits(np.uint32(number) << np.uint32(16))
    if number == types.int16:
        return lambda number: _float_of_half(number)
    return lambda number: np.float32(number)


def _store(array, row, column, number):
    """array[row, column] = number, rounded to what the array holds."""


@overload(_store)
def _overload_store(array, row, column, number):
    if array.dtype == types.uint16:
        return _store_bfloat16
    if array.dtype == types.int16:
        return _store_float16
    return _store_float32


def _store_float32(array, row, column, number):
    array[row, column] = number


def _store_float16(array, row, column, number):
    array[row, column] = _half_of_float(np.float32(number))


def _store_bfloat16(array, row, column, number):
    """To the nearest, ties to even; a NaN stays one."""
    bits = _bits_of_float(np.float32(number))
    if number == number:
        bits += np.uint32(0x7fff) + ((bits >> np.uint32(16)) & np.uint32(1))
    array[row, column] = np.uint16(bits >> np.uint32(16))


# -- one row of weights with one vector

@intrinsic
def _groups_dot(_, weights, scales, x):
    """The sum over groups of 32 of scale * (nibble - 8) * x, by vectors of 16; addresses come as integers.

    A loop of numba would add up within each group, which takes longer than the products.
    """
    signature = types.float32(weights, scales, x)
    wide = ir.VectorType(ir.FloatType(), GROUP // 2)
    narrow = ir.VectorType(ir.IntType(8), GROUP // 2)

    def generate(context, builder, signature, given):
        arrays = [context.make_array(kind)(context, builder, one) for kind, one in zip(signature.args, given)]
        packed, scale, vector = (one.data for one in arrays)
        groups = builder.extract_value(arrays[1].shape, 0)
        total = cgutils.alloca_once_value(builder, ir.Constant(wide, [0.0] * (GROUP // 2)))

        def load(pointer, index, kind):
            address = builder.bitcast(builder.gep(pointer, [index]), kind.as_pointer())
            loaded = builder.load(address)
            loaded.align = 1
            return loaded

        def times(nibbles, index):
            nibbles = builder.sub(nibbles, ir.Constant(narrow, [8] * (GROUP // 2)))
            number = builder.sitofp(builder.sext(nibbles, ir.VectorType(ir.IntType(32), GROUP // 2)), wide)
            return builder.fmul(number, load(vector, index, wide), flags=('fast',))

        with cgutils.for_range(builder, groups) as loop:
            size = loop.index.type
            bytes_ = load(packed, builder.mul(loop.index, ir.Constant(size, GROUP // 2)), narrow)
            first = builder.mul(loop.index, ir.Constant(size, GROUP))
            low = times(builder.and_(bytes_, ir.Constant(narrow, [15] * (GROUP // 2))), first)
            high = times(builder.lshr(bytes_, ir.Constant(narrow, [4] * (GROUP // 2))),
                         builder.add(first, ir.Constant(size, GROUP // 2)))
            factor = builder.load(builder.gep(scale, [loop.index]))
            filled = ir.Constant(wide, [0.0] * (GROUP // 2))
            for lane in range(GROUP // 2):
                filled = builder.insert_element(filled, factor, ir.Constant(ir.IntType(32), lane))
            part = builder.fmul(filled, builder.fadd(low, high, flags=('fast',)), flags=('fast',))
            builder.store(builder.fadd(builder.load(total), part, flags=('fast',)), total)
        whole = builder.load(total)
        lanes = [builder.extract_element(whole, ir.Constant(ir.IntType(32), lane)) for lane in range(GROUP // 2)]
        while len(lanes) > 1:
            half = len(lanes) // 2
            lanes = [builder.fadd(one, other, flags=('fast',)) for one, other in zip(lanes[:half], lanes[half:])]
        return lanes[0]

    return signature, generate


def _dot(weights, scales, row, x):
    """Row `row` of the weights with x, float32."""


@overload(_dot)
def _overload_dot(weights, scales, row, x):
    if weights.dtype == types.uint8:
        return _dot_int4
    if weights.dtype == types.int8:
        return _dot_int8
    return _dot_float


def _dot_float(weights, scales, row, x):
    total = _ZERO
    numbers = weights[row]
    for index in range(len(x)):
        total += _wide(numbers[index]) * x[index]
    return total


def _dot_int8(weights, scales, row, x):
    total = _ZERO
    numbers = weights[row]
    for index in range(len(x)):
        total += np.float32(numbers[index]) * x[index]
    return total * scales[row, 0]


def _dot_int4(weights, scales, row, x):
    return _groups_dot(weights[row], scales[row], x)


# -- one layer of the decoder, for one token of each of R texts

@_spread
def product(x, weights, scales, bias, out):
    """out (R, N) = x (R, K) with weights (N, K or packed), plus bias (N,) where it has any."""
    for row in prange(len(weights)):
        added = bias[row] if len(bias) else _ZERO
        for text in range(len(x)):
            out[text, row] = _dot(weights, scales, row, x[text]) + added


@_spread
def add_product(x, weights, scales, bias, out):
    """As `product`, on top of what is in `out`."""
    for row in prange(len(weights)):
        added = bias[row] if len(bias) else _ZERO
        for text in range(len(x)):
            out[text, row] += _dot(weights, scales, row, x[text]) + added


@_compiled
def normalize(x, weight, eps, out):
    """Root mean square norm of each row of x (R, D)."""
    for text in range(len(x)):
        total = _ZERO
        for index in range(x.shape[1]):
            total += x[text, index] * x[text, index]
        factor = np.float32(1) / np.sqrt(total / np.float32(x.shape[1]) + eps)
        for index in range(x.shape[1]):
            out[text, index] = x[text, index] * factor * weight[index]


@_compiled
def _turn(numbers, cos, sin):
    """Rotates (D,) in place by its position, "rotate half"."""
    half = len(numbers) // 2
    for index in range(half):
        first, second = numbers[index], numbers[half + index]
        numbers[index] = first * cos[index] - second * sin[index]
        numbers[half + index] = second * cos[half + index] + first * sin[half + index]


@_spread
def attend(qkv, held, layer, place, cos, sin, out):
    """One text: its new keys and values are put at `place` of its cache, its queries look at all up to there.

    Args:
        qkv: (heads * D + 2 * kv heads * D,), turned in place.
        held: (layers, 2, kv heads, room, D), as the cache stores numbers.
        cos, sin: (D,) at this place.
        out: (heads * D,).
    """
    kv_heads, dim = held.shape[2], held.shape[4]
    heads = len(out) // dim
    shared = heads // kv_heads
    scale = np.float32(1) / np.sqrt(np.float32(dim))
    for kv_head in prange(kv_heads):
        keys, values = held[layer, 0, kv_head], held[layer, 1, kv_head]
        first = (heads + kv_head) * dim
        key, value = qkv[first:first + dim], qkv[first + kv_heads * dim:first + (kv_heads + 1) * dim]
        _turn(key, cos, sin)
        for index in range(dim):
            _store(keys, place, index, key[index])
            _store(values, place, index, value[index])
        likely = np.empty(place + 1, np.float32)
        for head in range(kv_head * shared, (kv_head + 1) * shared):
            query, seen = qkv[head * dim:(head + 1) * dim], out[head * dim:(head + 1) * dim]
            _turn(query, cos, sin)
            most = np.float32(-np.inf)
            for at in range(place + 1):
                total = _ZERO
                for index in range(dim):
                    total += _wide(keys[at, index]) * query[index]
                likely[at] = total * scale
                most = max(most, likely[at])
            whole = _ZERO
            for at in range(place + 1):
                likely[at] = np.exp(likely[at] - most)
                whole += likely[at]
            seen[:] = _ZERO
            for at in range(place + 1):
                share = likely[at] / whole
                for index in range(dim):
                    seen[index] += share * _wide(values[at, index])


@_compiled
def _activate(kind, number):
    if kind == 0:
        return number / (np.float32(1) + np.exp(-number))
    if kind == 1:
        inner = np.float32(0.7978845608) * (number + np.float32(0.044715) * number * number * number)   # sqrt(2 / pi)
        return np.float32(0.5) * number * (np.float32(1) + np.tanh(inner))
    if kind == 2:
        return np.float32(0.5) * number * np.float32(1 + math.erf(number * np.float32(0.7071067812)))   # 1 / sqrt(2)
    if kind == 3:
        return number / (np.float32(1) + np.exp(np.float32(-1.702) * number))
    return max(number, _ZERO) if number == number else number


@_spread
def gated_product(x, weights, scales, bias, kind, out):
    """out (R, M): the first M rows of the product, activated, times the other M."""
    width = out.shape[1]
    for row in prange(width):
        for text in range(len(x)):
            opened = _dot(weights, scales, row, x[text])
            value = _dot(weights, scales, width + row, x[text])
            if len(bias):
                opened, value = opened + bias[row], value + bias[width + row]
            out[text, row] = _activate(kind, opened) * value
