"""Pillow's antialiased bicubic from bytes to bytes, compiled by numba: the same numbers without Pillow's detours.

Each direction is a weighted sum: weights in 22 bits of fraction, a sum in 32 bits, and back to a byte, so the order of
the two directions shows. It knows pixels and where they lie, neither masks nor the network. Without numba
`available` says no, and `pixels` lets Pillow do it.
"""
from __future__ import annotations

from functools import cache, lru_cache
import logging

import numpy as np

try:
    import numba
except Exception:   # noqa: B902  besides ImportError whatever a numba raises that does not like the numpy beside it
    numba = None

_BITS = 22
_ROWS = 32      # laid side by side, so that one weight serves a vector of pixels
_COLUMNS = 64   # of the square at a time, so that what they are made of stays in the nearest cache
_WORDS = 64     # of a fingerprint


def _compiled(function):
    if numba is None:
        return function
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:   # nowhere to write: neither beside this file nor in the user's own folder
        return numba.njit(nogil=True)(function)


def available() -> bool:
    """Whether it works here. The first call of a process loads what an earlier one compiled, or compiles."""
    return numba is not None and _works()


@cache
def _works() -> bool:
    picture, square = np.zeros((3, 2, 3), np.uint8), np.empty((3, 2, 2), np.uint8)
    try:
        resize(picture, (0, 0, 2, 3), (0, 0, 2, 3), 1, 0, 2, square)
        fingerprint(picture)
    except Exception as error:   # noqa: B902  a compiler fails as it likes; Pillow is slower and always there
        logging.getLogger(__name__).warning('numba does not work here, so Pillow resizes: %s: %s',
                                            type(error).__name__, error)
        return False
    return True


def resize(pixels: np.ndarray, window: tuple[int, int, int, int], box: tuple[int, int, int, int], gain: int,
           first: int, last: int, square: np.ndarray) -> None:
    """Some rows of the square that the picture's part in a box becomes, as planes.

    Threads may make different rows of one square at the same time: the interpreter is free meanwhile.

    Args:
        pixels: uint8 (h, w, channels), contiguous.
        window: (left, top, right, bottom) px: where `pixels` lie in the picture. Outside of them it is 0.
        box: the same of what becomes the square; it meets the window.
        gain: what each byte counts: 1, or 255 for bytes of 0 and 1.
        first, last: rows of the square, half open.
        square: uint8 (channels, side, side); its rows are written.
    """
    channels, side = square.shape[:2]
    across, down = box[2] - box[0], box[3] - box[1]
    left, top = max(window[0] - box[0], 0), max(window[1] - box[1], 0)   # the window, as the box counts
    right, bottom = min(window[2], box[2]) - box[0], min(window[3], box[3]) - box[1]
    pixels = pixels[top + box[1] - window[1]:bottom + box[1] - window[1]]
    rows, margin = _fixed(pixels.reshape(len(pixels), -1)), (left + box[0] - window[0]) * channels
    columns, lines = _weights(across, side), _weights(down, side)
    square[:, first:last] = 0
    first, last = _touched(lines, top, bottom, first, last)
    if first >= last:
        return
    made = np.zeros((last - first, channels * side), np.uint8)
    some = _touched(columns, left, right, 0, side)
    if down > side and 2 * (across - side) < down - side:   # Pillow 13; before it always went along the rows first
        between = np.empty((last - first, (right - left) * channels), np.uint8)
        _downwards(rows, margin, top, *lines, gain, first, between)
        _along(_fixed(between), 0, channels, left, right, *columns, 1, *some, made)
    else:
        begin = max(int(lines[0][first]), top)
        end = min(int(lines[0][last - 1]) + lines[1].shape[1], bottom)
        between = np.zeros((end - begin, channels * side), np.uint8)
        _along(rows[begin - top:], margin, channels, left, right, *columns, gain, *some, between)
        _downwards(_fixed(between), 0, begin, *lines, 1, first, made)
    square[:, first:last] = made.reshape(last - first, channels, side).swapaxes(0, 1)


def fingerprint(pixels: np.ndarray) -> bytes:
    """256 bytes that differ where two pictures of the same size do, found as fast as memory is read.

    Args:
        pixels: uint8 of any shape, contiguous.
    """
    flat = pixels.reshape(-1)
    whole = len(flat) // (4 * _WORDS) * (4 * _WORDS)
    words, rest = flat[:whole].view(np.uint32), np.zeros(4 * _WORDS, np.uint8)
    rest[:len(flat) - whole] = flat[whole:]
    state = np.arange(_WORDS, dtype=np.uint32)
    for part in (words if words.flags.aligned else words.copy(), rest.view(np.uint32)):
        _mix(_fixed(part), state)
    return state.tobytes()


def _fixed(array: np.ndarray) -> np.ndarray:
    """Read-only: each kind of argument is compiled for on its own, so all shall be of one kind."""
    array = array.view()
    array.flags.writeable = False
    return array


@lru_cache(maxsize=8)
def _weights(length: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """What each of `side` pixels takes of `length`: its first, int64 (side,), and int32 (side, taps) from there on."""
    starts, weights = _bicubic_weights(length, side)
    return _fixed(starts), _fixed(weights)


def _touched(weights: tuple[np.ndarray, np.ndarray], low: int, high: int, first: int, last: int) -> tuple[int, int]:
    """Which of first..last take any of low..high; the rest is 0."""
    starts, taps = weights[0], weights[1].shape[1]
    return (max(first, int(np.searchsorted(starts, low - taps, 'right'))),
            min(last, int(np.searchsorted(starts, high, 'left'))))


@_compiled
def _mix(words, state):
    """A bijection of each word, so that no single difference is lost; the turn carries high bits to low ones."""
    for start in range(0, len(words), len(state)):
        now = words[start:start + len(state)]
        for lane in range(len(state)):
            mixed = np.uint32(state[lane] + now[lane] * np.uint32(0x9e3779b1))
            turned = np.uint32(mixed << np.uint32(13)) | np.uint32(mixed >> np.uint32(19))
            state[lane] = np.uint32(turned * np.uint32(0x85ebca77))


@_compiled
def _bicubic_weights(length, side):
    """Keys' cubic convolution with a = -0.5, stretched where the picture shrinks; taps are a multiple of four."""
    scale = length / side
    stretch = max(scale, 1.0)
    starts, ends = np.empty(side, np.int64), np.empty(side, np.int64)
    taps = 0
    for at in range(side):
        middle = (at + 0.5) * scale
        starts[at] = max(int(middle - 2.0 * stretch + 0.5), 0)
        ends[at] = min(int(middle + 2.0 * stretch + 0.5), length)
        taps = max(taps, ends[at] - starts[at])
    weights = np.zeros((side, (taps + 3) // 4 * 4), np.int32)
    exact = np.empty(taps)
    for at in range(side):
        total = 0.0
        for tap in range(ends[at] - starts[at]):
            x = abs((starts[at] + tap - (at + 0.5) * scale + 0.5) * (1.0 / stretch))
            near, far = (1.5 * x - 2.5) * x * x + 1.0, -0.5 * (((x - 5.0) * x + 8.0) * x - 4.0)
            exact[tap] = near if x < 1.0 else far if x < 2.0 else 0.0
            total += exact[tap]
        for tap in range(ends[at] - starts[at]):
            share = exact[tap] / total * (1 << _BITS)
            weights[at, tap] = int(share - 0.5) if share < 0 else int(share + 0.5)
    return starts, weights


@_compiled
def _downwards(pixels, margin, top, starts, weights, gain, first, out):
    """Each row of out, from `first` on in the square, out of the rows of pixels, from `top` on in the box."""
    wide, taps = out.shape[1], weights.shape[1]
    total = np.empty(wide, np.int32)
    for at in range(first, first + len(out)):
        total[:] = 1 << (_BITS - 1)
        row, end = max(starts[at], top), min(starts[at] + taps, top + len(pixels))
        while row < end:
            count = 4 if row + 4 <= end else 1   # four at a time: the sums are fetched and stored once
            tap = row - starts[at]
            a = pixels[row - top, margin:margin + wide]
            wa = np.int32(weights[at, tap] * gain)
            if count == 4:
                b = pixels[row - top + 1, margin:margin + wide]
                c = pixels[row - top + 2, margin:margin + wide]
                d = pixels[row - top + 3, margin:margin + wide]
                wb, wc = np.int32(weights[at, tap + 1] * gain), np.int32(weights[at, tap + 2] * gain)
                wd = np.int32(weights[at, tap + 3] * gain)
                for x in range(wide):
                    total[x] = total[x] + wa * a[x] + wb * b[x] + wc * c[x] + wd * d[x]
            elif wa != 0:
                for x in range(wide):
                    total[x] += wa * a[x]
            row += count
        _to_bytes(total, out[at - first])


@_compiled
def _along(pixels, margin, channels, left, right, starts, weights, gain, some, beyond, out):
    """Columns some..beyond of out, (rows, channels * side), out of the rows of pixels, (rows, columns * channels)."""
    side, taps = weights.shape
    most = 0
    for x in range(some, beyond, _COLUMNS):
        most = max(most, starts[min(x + _COLUMNS, beyond) - 1] + taps - starts[x])
    tile = np.zeros((most, channels * _ROWS), np.uint8)
    done = np.empty((_COLUMNS, channels * _ROWS), np.uint8)
    for row in range(0, len(out), _ROWS):
        rows = min(_ROWS, len(out) - row)
        for first in range(some, beyond, _COLUMNS):
            last = min(first + _COLUMNS, beyond)
            begin, end = starts[first], starts[last - 1] + taps
            low, high = max(begin, left), min(end, right)
            tile[:low - begin] = 0
            tile[high - begin:end - begin] = 0
            _lay(pixels[row:row + rows], margin + (low - left) * channels, tile[low - begin:high - begin])
            _weigh(tile, begin, starts[first:last], weights[first:last], gain, done)
            _raise(done, channels, last - first, first, side, out[row:row + rows])


@_compiled
def _lay(pixels, margin, tile):
    """Rows become columns: a pixel of up to _ROWS rows lies in (channels * _ROWS) bytes."""
    packed = tile.reshape(-1).view(np.uint32)   # four rows are stored at once
    count, step, final = tile.size // _ROWS, _ROWS // 4, len(pixels) - 1
    for row in range(0, len(pixels), 4):
        a = pixels[row, margin:margin + count]   # what is beyond the last row is not used
        b = pixels[min(row + 1, final), margin:margin + count]
        c = pixels[min(row + 2, final), margin:margin + count]
        d = pixels[min(row + 3, final), margin:margin + count]
        for x in range(count):
            packed[x * step + row // 4] = (np.uint32(a[x]) | np.uint32(b[x]) << np.uint32(8)
                                           | np.uint32(c[x]) << np.uint32(16) | np.uint32(d[x]) << np.uint32(24))


@_compiled
def _weigh(tile, begin, starts, weights, gain, done):
    """tile (columns from `begin` on, lanes) to done (columns of the square, lanes)."""
    lanes = tile.shape[1]
    total = np.empty(lanes, np.int32)
    for x in range(len(starts)):
        total[:] = 1 << (_BITS - 1)
        for tap in range(0, weights.shape[1], 4):
            at = starts[x] + tap - begin
            a, b, c, d = tile[at], tile[at + 1], tile[at + 2], tile[at + 3]
            wa, wb = np.int32(weights[x, tap] * gain), np.int32(weights[x, tap + 1] * gain)
            wc, wd = np.int32(weights[x, tap + 2] * gain), np.int32(weights[x, tap + 3] * gain)
            for lane in range(lanes):
                total[lane] = total[lane] + wa * a[lane] + wb * b[lane] + wc * c[lane] + wd * d[lane]
        _to_bytes(total, done[x])


@_compiled
def _raise(done, channels, count, first, side, out):
    """Columns become rows again, the colours one behind the other."""
    for channel in range(channels):
        for row in range(len(out)):
            begin = channel * side + first
            into = out[row, begin:begin + count]
            for x in range(count):
                into[x] = done[x, channel * _ROWS + row]


@_compiled
def _to_bytes(total, out):
    for at in range(len(total)):
        out[at] = min(max(total[at] >> _BITS, 0), 255)
