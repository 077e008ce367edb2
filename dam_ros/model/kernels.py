"""What writing one more token takes on a CPU, compiled: products that read each weight once, at the speed of memory.

torch's own product of a matrix with one vector reaches a third of what the machine reads; these reach nearly all of
it (docs/performance.md). Numbers are added up in float32 whatever the weights are. It knows arrays only: float32 as
it is, bfloat16 as uint16, float16 as int16, int8 and packed int4 (`quantized.py`) with their scales. Whoever imports
this module must be ready for an ImportError: numba is not everywhere.
"""
from __future__ import annotations

from functools import partial
import math

from llvmlite import ir
from numba import njit, prange, types
from numba.core import cgutils
from numba.extending import intrinsic, overload
import numpy as np

_ZERO = np.float32(0)
_FAST = {'nogil': True, 'fastmath': {'reassoc', 'contract', 'arcp', 'nsz'}}   # NaN must stay NaN
GROUP = 32         # weights of int4 that share a scale
_LANES = 16        # numbers in a vector; where the processor has shorter ones the compiler takes several
_VECTOR = ir.VectorType(ir.FloatType(), _LANES)
_EXACT = ('contract',)   # a product and a sum may be one instruction; the order of sums stays
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


# -- one row of weights with vectors

def _wide_vectors(builder, kind, row, scales, group):
    """Two vectors of 16 float32: a group of 32 weights, from pointers to their row; only int4 needs the scales."""
    integers = {'uint16': 16, 'int16': 16, 'int8': 8, 'uint8': 8}
    stored = ir.IntType(integers[kind.name]) if kind.name in integers else ir.FloatType()
    if kind.name == 'uint8':
        bytes_ = _load(builder, row, builder.mul(group, group.type(_LANES)), stored)
        factor = _filled(builder, builder.load(builder.gep(scales, [group])))
        nibbles = builder.and_(bytes_, bytes_.type([15] * _LANES)), builder.lshr(bytes_, bytes_.type([4] * _LANES))
        return [builder.fmul(_float_of_bytes(builder, builder.sub(one, one.type([8] * _LANES))), factor,
                             flags=_EXACT) for one in nibbles]
    first = builder.mul(group, group.type(GROUP))
    halves = [_load(builder, row, builder.add(first, first.type(half * _LANES)), stored) for half in range(2)]
    if kind.name == 'uint16':
        wide = [builder.zext(one, ir.VectorType(ir.IntType(32), _LANES)) for one in halves]
        return [builder.bitcast(builder.shl(one, one.type([16] * _LANES)), _VECTOR) for one in wide]
    if kind.name == 'int16':
        return [builder.fpext(builder.bitcast(one, ir.VectorType(ir.HalfType(), _LANES)), _VECTOR) for one in halves]
    return [_float_of_bytes(builder, one) for one in halves] if kind.name == 'int8' else halves


def _load(builder, pointer, index, stored):
    """16 numbers from there on; rows begin anywhere."""
    vector = ir.VectorType(stored, _LANES)
    loaded = builder.load(builder.bitcast(builder.gep(pointer, [index]), vector.as_pointer()))
    loaded.align = stored.width // 8 if isinstance(stored, ir.IntType) else 4
    return loaded


def _float_of_bytes(builder, bytes_):
    return builder.sitofp(builder.sext(bytes_, ir.VectorType(ir.IntType(32), _LANES)), _VECTOR)


def _filled(builder, number):
    filled = ir.Constant(_VECTOR, ir.Undefined)
    for lane in range(_LANES):
        filled = builder.insert_element(filled, number, ir.IntType(32)(lane))
    return filled


@intrinsic(prefer_literal=True)
def _dots(_, weights, scales, row, rows, x, first, texts):
    """`rows` rows of weights (N, K) from `row` on with `texts` rows of x (R, K) from `first` on.

    As a tuple, all texts of the first row first; of K whole groups of 32. Spelled out in vectors: each is loaded once
    for all that it is multiplied with, and each sum is added up in the same order whatever is beside it, so that no
    text depends on its company. It takes whole arrays, as slices are counted, and threads that count the same thing
    wait for each other.
    """
    if not isinstance(rows, types.IntegerLiteral) or not isinstance(texts, types.IntegerLiteral):
        return None
    high, wide = rows.literal_value, texts.literal_value
    signature = types.UniTuple(types.float32, high * wide)(weights, scales, row, rows, x, first, texts)

    def generate(context, builder, signature, given):
        from_row = partial(_from_row, context, builder, signature.args, given)
        numbers, _ = from_row(0, 2, high)
        factors = from_row(1, 2, high)[0] if weights.dtype in (types.int8, types.uint8) else [None] * high
        vectors, width = from_row(4, 5, wide)
        totals = [[[cgutils.alloca_once_value(builder, _VECTOR([0.0] * _LANES)) for _ in range(2)]
                   for _ in range(wide)] for _ in range(high)]
        with cgutils.for_range(builder, builder.udiv(width, width.type(GROUP))) as loop:
            begin = builder.mul(loop.index, width.type(GROUP))
            loaded = [[_load(builder, one, builder.add(begin, begin.type(half * _LANES)), ir.FloatType())
                       for half in range(2)] for one in vectors]
            for one, factor, row_totals in zip(numbers, factors, totals):
                made = _wide_vectors(builder, weights.dtype, one, factor, loop.index)
                for sums, halves in zip(row_totals, loaded):
                    for total, number, half in zip(sums, made, halves):
                        part = builder.fmul(number, half, flags=_EXACT)
                        builder.store(builder.fadd(builder.load(total), part, flags=_EXACT), total)
        found = [[_lanes_sum(builder, builder.fadd(*map(builder.load, sums), flags=_EXACT)) for sums in row_totals]
                 for row_totals in totals]
        if weights.dtype == types.int8:
            found = [[builder.fmul(one, builder.load(factor), flags=_EXACT) for one in row_found]
                     for factor, row_found in zip(factors, found)]
        return context.make_tuple(builder, signature.return_type, sum(found, []))

    return signature, generate


def _from_row(context, builder, kinds, given, place, index, count):
    """(pointers to `count` rows of the array given at `place`, from the row given at `index` on; their width)."""
    array = context.make_array(kinds[place])(context, builder, given[place])
    index = context.cast(builder, given[index], kinds[index], types.intp)
    width = builder.extract_value(array.shape, 1)
    return [builder.gep(array.data, [builder.mul(width, builder.add(index, index.type(one)))])
            for one in range(count)], width


def _lanes_sum(builder, vector):
    lanes = _LANES
    while lanes > 1:
        lanes //= 2
        halves = [builder.shuffle_vector(vector, vector, ir.VectorType(ir.IntType(32), lanes)(
            list(range(half * lanes, (half + 1) * lanes)))) for half in range(2)]
        vector = builder.fadd(*halves, flags=_EXACT)
    return builder.extract_element(vector, ir.IntType(32)(0))


def _wide_at(weights, scales, row, index):
    """One weight in float32; of int4 there are whole groups only."""


@overload(_wide_at)
def _overload_wide_at(weights, scales, row, index):
    if weights.dtype == types.int8:
        return lambda weights, scales, row, index: np.float32(weights[row, index]) * scales[row, 0]
    return lambda weights, scales, row, index: _wide(weights[row, index])


# -- one layer of the decoder, for one token of each of R texts

@_spread
def product(x, weights, scales, bias, out):
    """out (R, N) = x (R, K) with weights (N, K or packed), plus bias (N,) where it has any.

    Each weight is loaded once for four texts, and of eight texts each number once for two rows, as arithmetic then
    takes longer than reading. scales: (N, groups) of int4, (N, 1) of int8, else of any shape.
    """
    texts, fours = len(x), len(x) // 4 * 4
    pairs = len(weights) // 2 if texts == 8 else 0
    for pair in prange(pairs):
        row = 2 * pair
        for text in range(0, texts, 4):
            (out[text, row], out[text + 1, row], out[text + 2, row], out[text + 3, row],
             out[text, row + 1], out[text + 1, row + 1], out[text + 2, row + 1], out[text + 3, row + 1]) = _dots(
                 weights, scales, row, 2, x, text, 4)
    for row in prange(2 * pairs, len(weights)):
        for text in range(0, fours, 4):
            out[text, row], out[text + 1, row], out[text + 2, row], out[text + 3, row] = _dots(
                weights, scales, row, 1, x, text, 4)
        for text in range(fours, texts):
            out[text, row], = _dots(weights, scales, row, 1, x, text, 1)
    if x.shape[1] % GROUP or len(bias):
        _add_rest(x, weights, scales, bias, out)


@_compiled
def _add_rest(x, weights, scales, bias, out):
    """What is no whole group of 32, and the bias."""
    width = x.shape[1]
    for row in range(len(weights)):
        for index in range(width // GROUP * GROUP, width):
            number = _wide_at(weights, scales, row, index)
            for text in range(len(x)):
                out[text, row] += number * x[text, index]
        if len(bias):
            for text in range(len(x)):
                out[text, row] += bias[row]


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


@_compiled
def _look_back(query, keys, values, scale, likely, seen):
    """One head's attention to the first len(likely) places; `likely` is room for its weights, `seen` is what it saw."""
    dim = len(query)
    most = np.float32(-np.inf)
    for at in range(len(likely)):
        total = _ZERO
        for index in range(dim):
            total += _wide(keys[at, index]) * query[index]
        likely[at] = total * scale
        most = max(most, likely[at])
    whole = _ZERO
    for at in range(len(likely)):
        likely[at] = np.exp(likely[at] - most)
        whole += likely[at]
    seen[:] = _ZERO
    for at in range(len(likely)):
        share = likely[at] / whole
        for index in range(dim):
            seen[index] += share * _wide(values[at, index])


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
            query = qkv[head * dim:(head + 1) * dim]
            _turn(query, cos, sin)
            _look_back(query, keys, values, scale, likely, out[head * dim:(head + 1) * dim])


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
def gate(wide, kind, out):
    """out (R, M): the first half of each row of wide (R, 2 * M), activated, times the other."""
    width = out.shape[1]
    for column in prange(width):
        for text in range(len(out)):
            out[text, column] = _activate(kind, wide[text, column]) * wide[text, width + column]
