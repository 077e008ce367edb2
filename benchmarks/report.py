"""What a benchmark found: a table for people, one line of JSON, a file in benchmarks/results/.

It measures nothing, and needs neither torch nor ROS.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
import importlib.metadata
import json
import os
from pathlib import Path
import platform
import re
import subprocess

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / 'benchmarks' / 'results'


class Unequal(Exception):
    """Results differ, so no time may be compared. One line that says which."""


@dataclass(frozen=True)
class Times:
    """Of one thing that was done `count` times."""

    median: float
    p95: float
    best: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float], factor: float = 1e3) -> Times:
        """Of s, at least one; in ms unless `factor` says otherwise."""
        scaled = np.asarray(values, np.float64) * factor
        return cls(float(np.median(scaled)), float(np.percentile(scaled, 95)), float(scaled.min()), len(scaled))


@dataclass(frozen=True)
class Row:
    """A time of ours, beside one it is compared with.

    Attributes:
        other: None where there is nothing to compare with.
        against: whose `other` is.
        ratio: how many times as fast ours is: the median over pairs that were measured one after the other.
        goal: the ratio that is wanted at least, None where none is.
    """

    what: str
    ours: Times
    other: Times | None = None
    against: str = 'the usual way'
    ratio: float | None = None
    goal: float | None = None
    unit: str = 'ms'


@dataclass(frozen=True)
class Fact:
    """One number. `least`, `most`: what is wanted of it."""

    what: str
    value: float
    unit: str = ''
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True)
class Result:
    """All that one command found.

    Attributes:
        what: the command.
        size: tiny, mid, 3b, or the name of a checkpoint's folder.
        equal: what was compared before any time was told, in words.
        rows: the first is the one that the JSON line's median, p95 and ratio are of.
    """

    what: str
    size: str = ''
    dtype: str = ''
    device: str = 'cpu'
    threads: int = 0
    parameters: int = 0
    quick: bool = False
    equal: Sequence[str] = ()
    rows: Sequence[Row] = ()
    facts: Sequence[Fact] = ()
    machine: dict = field(default_factory=dict)

    def document(self) -> dict:
        """For JSON."""
        first = asdict(self.rows[0]) if self.rows else {}
        held = {'what': self.what, 'size': self.size, 'dtype': self.dtype, 'device': self.device,
                **{name: first.get('ours', {}).get(name) for name in ('median', 'p95', 'best')},
                'ratio': first.get('ratio'), 'threads': self.threads, 'parameters': self.parameters,
                'quick': self.quick, **self.machine, 'equal': list(self.equal)}
        return _rounded({**held, 'rows': [asdict(one) for one in self.rows],
                         'facts': [asdict(one) for one in self.facts]})

    @classmethod
    def read(cls, path: Path) -> Result:
        """Of a file that `tell` wrote."""
        held = json.loads(path.read_text(encoding='utf-8'))
        rows = [Row(**{**one, 'ours': Times(**one['ours']), 'other': one['other'] and Times(**one['other'])})
                for one in held['rows']]
        return cls(**{name: held[name] for name in ('what', 'size', 'dtype', 'device', 'threads', 'parameters',
                                                    'quick', 'equal')},
                   rows=rows, facts=[Fact(**one) for one in held['facts']],
                   machine={name: held[name] for name in _machine_names() if name in held})

    @property
    def file(self) -> str:
        """Name of its file: what it depends on but for the machine."""
        parts = (self.what, self.size, self.dtype, self.device.partition(':')[0], 'quick' if self.quick else '')
        return '-'.join(re.sub(r'[^\w.]+', '_', one) for one in parts if one) + '.json'


def tell(result: Result, folder: Path = RESULTS) -> Path:
    """Prints the table and the JSON line, and writes that line's file, whose path it returns."""
    result = replace(result, machine=result.machine or machine())
    print(table(result))
    document = result.document()
    print(json.dumps(document), flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / result.file
    path.write_text(json.dumps(document, indent=1) + '\n', encoding='utf-8')
    return path


def table(result: Result) -> str:
    """In columns, for a terminal."""
    lines = [headline(result), *(f'  equal: {one}' for one in result.equal)]
    if result.rows:
        lines.append(_columns(columns(result.rows)))
    if result.facts:
        lines.append(_columns([(one.what, number(one.value) + f' {one.unit}', wanted(one)) for one in result.facts]))
    return '\n'.join(lines)


def columns(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """A head and a line for each row; without what no row has."""
    lines = [('', 'ours: median', 'p95', 'best', 'other: median', 'p95', 'best', 'times as fast'), *map(_cells, rows)]
    return lines if any(one.other for one in rows) else [line[:4] for line in lines]


def _cells(row: Row) -> tuple[str, ...]:
    mine, theirs = ([number(one.median), number(one.p95), number(one.best)] if one else [''] * 3
                    for one in (row.ours, row.other))
    ratio = '' if row.ratio is None else f'{row.ratio:.2f}' + (f' (wanted: {row.goal:.2g})' if row.goal else '')
    against = '' if row.other is None or row.against == 'the usual way' else f' against {row.against}'
    return f'{row.what}{against}, {row.unit}', *mine, *theirs, ratio


def headline(result: Result) -> str:
    """What was measured, on what."""
    facts = result.machine
    size = result.size + (f' ({result.parameters:,} parameters)'.replace(',', ' ') if result.parameters else '')
    parts = [result.what, size, result.dtype, facts.get('device_name') or facts.get('cpu', ''),
             f'{result.threads} threads' if result.threads else '',
             *(f'{name} {facts[name]}' for name in ('torch', 'numba', 'commit') if facts.get(name)),
             'quick: too short to mean much' if result.quick else '']
    return ', '.join(one for one in parts if one)


def wanted(fact: Fact) -> str:
    """In brackets, or nothing."""
    if fact.least is not None:
        return f'(wanted: at least {number(fact.least)})'
    return '' if fact.most is None else f'(wanted: at most {number(fact.most)})'


def number(value: float) -> str:
    """Three digits, or all of a whole number."""
    if value >= 100:
        return f'{value:,.0f}'.replace(',', ' ')
    return f'{value:.3g}'


def _columns(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines)]
    return '\n'.join('  ' + '  '.join(one.ljust(width) if index == 0 else one.rjust(width) for index, (one, width) in
                                      enumerate(zip(line, widths))).rstrip() for line in lines)


def _rounded(held):
    """JSON for people: five digits."""
    if isinstance(held, dict):
        return {name: _rounded(one) for name, one in held.items()}
    if isinstance(held, (list, tuple)):
        return [_rounded(one) for one in held]
    return float(f'{held:.5g}') if isinstance(held, float) else held


# -- the machine ------------------------------------------------------------------------------------------------------

def machine(device: str = 'cpu') -> dict[str, str | int]:
    """What the times depend on. `device`: as torch calls it."""
    return {'cpu': _cpu(), 'cores': len(os.sched_getaffinity(0)), 'device_name': _device_name(device),
            'torch': _version('torch'), 'numba': _version('numba'), 'transformers': _version('transformers'),
            'python': platform.python_version(), 'commit': _commit(),
            'date': datetime.now(timezone.utc).strftime('%Y-%m-%d')}


def _machine_names() -> tuple[str, ...]:
    return ('cpu', 'cores', 'device_name', 'torch', 'numba', 'transformers', 'python', 'commit', 'date')


def _cpu() -> str:
    """The model's name, with the widest vectors it has: half of what there is to know."""
    text = Path('/proc/cpuinfo').read_text(encoding='utf-8') if Path('/proc/cpuinfo').exists() else ''
    name = re.search(r'(?m)^model name\s*:\s*(.*)$', text)
    flags = set((re.search(r'(?m)^(?:flags|Features)\s*:\s*(.*)$', text) or [''] * 2)[1].split())
    vectors = next((words for flag, words in (('avx512f', 'AVX-512'), ('avx2', 'AVX2'), ('asimd', 'NEON'))
                    if flag in flags), '')
    return ' '.join(one for one in (name[1] if name else platform.machine(), vectors) if one)


def _device_name(device: str) -> str:
    if not device.startswith('cuda'):
        return ''
    import torch
    return torch.cuda.get_device_name(device)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ''


def _commit() -> str:
    """Short, with a + where files differ from it; '' outside of a checkout."""
    def git(*words: str) -> str:
        return subprocess.run(['git', '-C', str(ROOT), *words], capture_output=True, text=True, check=True,
                              timeout=20).stdout.strip()
    try:
        changed = git('status', '--porcelain', '--untracked-files=no', '--', 'dam_ros', 'benchmarks/*.py')
        return git('rev-parse', '--short', 'HEAD') + ('+' if changed else '')
    except (OSError, subprocess.SubprocessError):
        return ''
