"""`./dev bench speech`: what it listens with tells the truth, and all of it runs."""
from __future__ import annotations

import importlib
import json
import sys
import time

import numpy as np
import pytest

from sound_room import MISSING
from voice_room import has_espeak


@pytest.fixture
def bench(root, monkeypatch):
    monkeypatch.syspath_prepend(str(root / 'benchmarks'))
    yield importlib.import_module('speech')
    for name in ('speech', 'report'):
        sys.modules.pop(name, None)


def noise(length: int) -> np.ndarray:
    return np.random.default_rng(length).normal(0, 3000, length).astype(np.int16)


def test_a_sound_is_found_wherever_it_lies_and_nothing_else_is(bench):
    said = noise(5000)
    heard = np.concatenate([np.zeros(7000, np.int16), said // 2, noise(3000)])
    assert bench.alike(heard, said) > 0.99
    assert bench.alike(np.roll(noise(15000), 1), said) < 0.1
    assert bench.alike(np.zeros(15000, np.int16), said) < 0.1


def test_the_microphone_knows_when_it_heard_what(bench):
    microphone, begun = bench.Microphone(), time.monotonic()
    for number in range(3):
        time.sleep(0.02)
        microphone.take(np.full(441, number, '<i2').tobytes())   # 20 ms
    samples, at = microphone.since(begun)
    assert np.all(np.diff(at) > -1e-6) and at[-1] <= time.monotonic()
    late, _ = microphone.since(float(at[441 + 200]))
    assert late[0] == 1 and len(late) == len(samples) - 441 - 200


@pytest.mark.alone
@pytest.mark.skipif(not has_espeak(), reason='espeak-ng is not installed')
def test_it_measures_what_is_there(bench, tmp_path, capsys):
    assert bench.main(['--quick', '--only', 'espeak', 'wav', '--out', str(tmp_path)]) == 0
    held = json.loads((tmp_path / 'speech-cpu-quick.json').read_text())
    rows = {row['what']: row['ours'] for row in held['rows']}
    assert 'wav: request to first sample' in rows and 'wav: hush to silence' in rows
    if not MISSING:
        assert {'espeak: hush to silence', 'earcon: request to first sample'} <= set(rows)
    assert all(0 < one['median'] < 1000 for what, one in rows.items() if 'first sample' in what)
    assert {fact['most'] for fact in held['facts']} <= {60.0, 200.0} and 'correlates above' in held['equal'][0]
