"""`./dev bench quality`: it tells of every form, and its numbers are those of weights that differ."""
from __future__ import annotations

import json
from pathlib import Path
import subprocess
import sys

import pytest

pytest.importorskip('torch', reason='the model needs torch')
pytest.importorskip('transformers', reason='benchmarks compare with it')
ROOT = Path(__file__).resolve().parent.parent


def test_it_runs(tmp_path: Path):
    ran = subprocess.run([sys.executable, str(ROOT / 'benchmarks'), 'quality', '--size', 'tiny', '--quick', '--out',
                          str(tmp_path)], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr
    held = json.loads((tmp_path / 'quality-tiny-float32-cpu-quick.json').read_text())
    errors = {one['what'].partition(':')[0]: one['value'] for one in held['facts'] if 'all logits' in one['what']}
    assert list(errors) == ['bfloat16', 'int8', 'int4']
    assert 0 < errors['int8'] < 0.1 < 3 * errors['int4'] < 1
    assert all(0 <= one['value'] <= 100 for one in held['facts'])
