"""Safetensors files: where each tensor lies, and its numbers read block by block into memory that is there already.

It knows no names of the network. Mapped files would cost a page fault per 64 kB and one copy more; here the kernel
writes to the place where the numbers stay. That memory is made of huge pages where the system has them (numpy asks
for them), with which there are fewer faults, and a CPU reads the weights faster later on.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
import json
import math
import os
from pathlib import Path
import threading
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
import torch

from dam_ros.core.errors import DescriberFailed

FLOATS = {'F16': torch.float16, 'BF16': torch.bfloat16, 'F32': torch.float32, 'F64': torch.float64}
DTYPES = {**FLOATS, 'I8': torch.int8, 'U8': torch.uint8}
_BLOCK = 4 << 20   # bytes that are read at once: what is made of them finds them in the processor's cache
_THREADS = 4       # at most: a disk, and memory, are busy with fewer
_LINE = 64         # bytes; each tensor begins at a cache line of its own


class Held(NamedTuple):
    """A tensor in a file. `dtype`: as the format calls it. `offset`: bytes from the beginning of the file."""

    path: Path
    dtype: str
    shape: tuple[int, ...]
    offset: int


class Job(NamedTuple):
    """The first rows of a tensor on their way.

    Attributes:
        rows: how many.
        place: contiguous memory of the same shape and dtype, on the CPU; the file is read into it.
        take: else it gets each block (first row, its rows as they are in the file), in one of several threads, and
            must not keep it.
    """

    held: Held
    rows: int
    place: torch.Tensor | None
    take: Callable[[int, torch.Tensor], object] | None = None


def tensors_of(path: Path) -> dict[str, Held]:
    """Where each tensor of a file lies.

    Raises:
        DescriberFailed: it is no whole safetensors file.
    """
    try:
        with safe_open(path, framework='pt'):   # checks offsets, shapes and size
            pass
        with open(path, 'rb') as file:
            length = int.from_bytes(file.read(8), 'little')
            header = json.loads(file.read(length))
    except (OSError, ValueError, SafetensorError) as error:
        raise DescriberFailed(f'{path} is no whole safetensors file ({error}); fetch the checkpoint again') from error
    return {name: Held(path, one['dtype'], tuple(one['shape']), 8 + length + one['data_offsets'][0])
            for name, one in header.items() if name != '__metadata__'}


def metadata_of(path: Path) -> dict[str, str]:
    """What a file says of itself. Raises OSError or SafetensorError."""
    with safe_open(path, framework='pt') as file:
        return file.metadata() or {}


def memory(shapes: Iterable[tuple[tuple[int, ...], torch.dtype]], device: torch.device) -> list[torch.Tensor]:
    """Tensors without numbers yet. On a CPU they lie in one piece of memory, for huge pages' sake."""
    shapes = list(shapes)
    if device.type != 'cpu':
        return [torch.empty(shape, dtype=dtype, device=device) for shape, dtype in shapes]
    sizes = [math.prod(shape) * dtype.itemsize for shape, dtype in shapes]
    room = [-(-size // _LINE) * _LINE for size in sizes]
    try:
        whole = torch.from_numpy(np.empty(sum(room) + _LINE, np.uint8))
    except MemoryError:
        raise MemoryError(f"can't allocate memory: {sum(room)} bytes for weights") from None
    begin, made = -whole.data_ptr() % _LINE, []
    for (shape, dtype), size, taken in zip(shapes, sizes, room):
        made.append(whole[begin:begin + size].view(dtype).view(shape))
        begin += taken
    return made


def read(jobs: Iterable[Job], device: torch.device) -> None:
    """Does all jobs, in the order in which the tensors lie on disk, a few blocks at a time.

    Args:
        device: where `take` brings the numbers.

    Raises:
        DescriberFailed: a file cannot be read.
    """
    jobs = sorted(jobs, key=lambda job: (str(job.held.path), job.held.offset))
    threads = torch.get_num_threads()
    with ExitStack() as leaving:
        files = {}
        for path in dict.fromkeys(job.held.path for job in jobs):
            try:
                files[path] = os.open(path, os.O_RDONLY)
            except OSError as error:
                raise _failed(path, error) from error
            leaving.callback(os.close, files[path])
        leaving.callback(torch.set_num_threads, threads)   # what the next threads would get
        count = min(_THREADS, len(os.sched_getaffinity(0)))   # each does its own blocks, with one thread of torch's
        pool = leaving.enter_context(ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)))
        scratch = _Scratch(device.type == 'cuda')
        for _ in pool.map(lambda block: _do(*block, files, scratch), list(_blocks(jobs))):
            pass


class _Scratch(threading.local):
    """Memory of each thread, to read into before something is made of it."""

    def __init__(self, pinned: bool):
        self._pinned = pinned
        self._memory = torch.empty(0, dtype=torch.uint8)

    def of(self, size: int) -> torch.Tensor:
        if len(self._memory) < size:
            self._memory = torch.empty(max(_BLOCK, size), dtype=torch.uint8, pin_memory=self._pinned)
        return self._memory[:size]


def _blocks(jobs: Iterable[Job]) -> Iterator[tuple[Job, int, int]]:
    """(job, first row, last row)."""
    for job in jobs:
        step = max(1, _BLOCK // _width(job.held))
        for first in range(0, job.rows, step):
            yield job, first, min(first + step, job.rows)


def _width(held: Held) -> int:
    """Bytes per row."""
    return math.prod(held.shape[1:]) * DTYPES[held.dtype].itemsize


def _do(job: Job, first: int, last: int, files: dict[Path, int], scratch: _Scratch) -> None:
    held = job.held
    width = _width(held)
    filled = scratch.of((last - first) * width) if job.place is None else _bytes(job.place[first:last])
    _fill(held.path, files[held.path], held.offset + first * width, filled.numpy())
    if job.take is not None:
        job.take(first, filled.view(DTYPES[held.dtype]).view(last - first, *held.shape[1:]))


def _bytes(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().view(-1).view(torch.uint8)   # numpy, which gives the address, has no bfloat16


def _fill(path: Path, file: int, offset: int, memory: np.ndarray) -> None:
    view, filled = memoryview(memory), 0
    while filled < len(view):
        try:
            count = os.preadv(file, [view[filled:]], offset + filled)
        except OSError as error:
            raise _failed(path, error) from error
        if not count:
            raise DescriberFailed(f'{path} became shorter while it was read; fetch the checkpoint again')
        filled += count


def _failed(path: Path, error: OSError) -> DescriberFailed:
    return DescriberFailed(f'{path} cannot be read: {error.strerror}')
