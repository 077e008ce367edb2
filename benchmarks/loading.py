"""Loading weights, beside a plain read of the same files (both from the cache of the file system), and its memory.

Each load happens in a process of its own, which holds nothing else: `python benchmarks/loading.py FOLDER DTYPE DEVICE`.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
import json
from pathlib import Path
import re
import subprocess
import sys
import threading
import time

_BLOCK = 16 * 2 ** 20   # bytes of one read
_SAMPLE_S = 0.005


def read_files(folder: Path, sink: Callable[[int], object] = lambda count: None, buffer=None) -> int:
    """Reads all tensor files into one small buffer; their bytes. `sink` hears how many are in the buffer."""
    buffer, total = bytearray(_BLOCK) if buffer is None else buffer, 0
    for path in sorted(folder.glob('*/*.safetensors')):
        with open(path, 'rb', buffering=0) as file:
            while count := file.readinto(buffer):
                sink(count)
                total += count
    return total


def keep_files(folder: Path) -> list:
    """Reads all tensor files, each into new memory of its size: as a loader ends up with all of it, too."""
    import numpy as np   # asks for huge pages; bytes, as of Path.read_bytes, take twice as long
    kept = []
    for path in sorted(folder.glob('*/*.safetensors')):
        kept.append(np.empty(path.stat().st_size, np.uint8))
        with open(path, 'rb') as file:   # not raw: one call of that reads 2 GB at most
            assert file.readinto(kept[-1]) == len(kept[-1])
    return kept


def _copy_files(folder: Path, device: str) -> None:
    """Reads them, and copies each block to the device."""
    import torch
    block = torch.empty(_BLOCK, dtype=torch.uint8, pin_memory=device != 'cpu')
    target = torch.empty_like(block, device=device)
    read_files(folder, lambda count: target[:count].copy_(block[:count]), memoryview(block.numpy()))
    if device != 'cpu':
        torch.cuda.synchronize()


def anonymous_bytes() -> int:
    """Memory of this process that is no file's."""
    return int(re.search(r'RssAnon:\s*(\d+) kB', Path('/proc/self/status').read_text())[1]) * 1024


class _Peak:
    """The most anonymous memory while it is open."""

    def __enter__(self) -> _Peak:
        self.most, self._done = anonymous_bytes(), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._done.wait(_SAMPLE_S):
            self.most = max(self.most, anonymous_bytes())

    def __exit__(self, *_) -> None:
        self._done.set()
        self._thread.join()
        self.most = max(self.most, anonymous_bytes())


def _child(folder: Path, dtype: str, device: str) -> None:
    """Prints JSON: read_s (of another device: with the copy to it), glance_s (into one small buffer), load_s, warm_s,
    bytes, peak_bytes, kept_bytes.
    """
    import torch

    from dam_ros.model.dam import load
    torch.zeros(1, device=device)   # what a device needs once
    total = read_files(folder)
    read_s = _took_s(lambda: keep_files(folder) if device == 'cpu' else _copy_files(folder, device))
    glance_s = _took_s(lambda: read_files(folder))
    before = anonymous_bytes()
    with _Peak() as peak:
        begun = time.perf_counter()
        dam = load(folder, dtype=dtype, device=device)
        if device != 'cpu':
            torch.cuda.synchronize()
        load_s = time.perf_counter() - begun
    kept = anonymous_bytes() - before
    print(json.dumps({'read_s': read_s, 'glance_s': glance_s, 'load_s': load_s, 'warm_s': _took_s(dam.warm_up),
                      'bytes': total, 'peak_bytes': peak.most - before, 'kept_bytes': kept}))


def _took_s(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    kept = work()
    took_s = time.perf_counter() - begun
    del kept   # giving memory back is no part of it
    return took_s


def load_in_child(folder: Path, dtype: str, device: str) -> dict[str, float]:
    """See `_child`."""
    run = subprocess.run([sys.executable, __file__, str(folder), dtype, device], capture_output=True, text=True,
                         timeout=900)
    if run.returncode:
        raise RuntimeError(run.stderr.strip())
    return json.loads(run.stdout.splitlines()[-1])


def rows_and_facts(case, times: int):
    """(rows, facts) of loading `case.folder` that often; goals are those of its device."""
    from report import Fact, Row, Times
    loads = [load_in_child(case.folder, case.dtype, case.device) for _ in range(times)]
    ratio = sorted(one['load_s'] / one['read_s'] for one in loads)[len(loads) // 2]
    on_cpu = case.device == 'cpu'
    row = Row('load', Times.of([one['load_s'] for one in loads]), Times.of([one['read_s'] for one in loads]),
              'reading the files into new memory' if on_cpu else 'reading the files and copying them to the device',
              1 / ratio)
    most = case.goal(1.5) if on_cpu else 1.5
    peak, kept = (max(one[name] for one in loads) / 1e6 for name in ('peak_bytes', 'kept_bytes'))
    glance_s, warm_s = (sorted(one[name] for one in loads)[len(loads) // 2] for name in ('glance_s', 'warm_s'))
    return [row], [Fact('files', loads[0]['bytes'] / 1e6, 'MB'),
                   Fact('reading the files into the same 16 MB again and again', 1e3 * glance_s, 'ms'),
                   Fact('warming up after loading, what is compiled being on disk', 1e3 * warm_s, 'ms'),
                   Fact('load, times the plain read' + ('' if on_cpu else ' and copy'), ratio, most=most),
                   Fact('most anonymous host memory while loading', peak, 'MB'),
                   Fact('anonymous host memory that stays', kept, 'MB')]


def measure(asked):
    """Raises Unequal: what was loaded does not say what the usual way says."""
    from case import Case, check_ids, write_ours, write_usual
    case = Case(asked)
    inputs = case.inputs()
    given = case.given(inputs)
    ids = write_ours(case.dam, [given], 4, time.perf_counter)[0].ids
    if case.exact:
        check_ids('load', ids, write_usual(case.plain, inputs, 4, time.perf_counter).ids)
    else:
        case.check_own('load', given, ids)
    case.dam = case.plain = None   # their memory is needed
    told = ('4 greedy tokens of what was loaded are those of the usual way' if case.exact else
            '4 greedy tokens are the likeliest where the same text is read in one go')
    return case.result('load', [told], *rows_and_facts(case, 1 if asked.quick else 7))


def main(argv: Sequence[str] | None = None) -> int:
    """0, or raises Unequal."""
    from case import options, parse
    from report import tell
    asked = parse(options('load', __doc__.splitlines()[0]), argv)
    tell(measure(asked), asked.out)
    return 0


if __name__ == '__main__':
    _child(Path(sys.argv[1]), *sys.argv[2:])
