"""./dev bench: it times nothing that is not equal, and tells what it found so that a program can read it, too."""
from __future__ import annotations

import importlib.util
import json
from pathlib import Path
import shutil
import sys
from types import ModuleType, SimpleNamespace

import pytest

torch = pytest.importorskip('torch', reason='what is timed needs torch')
pytest.importorskip('transformers', reason='transformers is what the model is compared with')

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'benchmarks'))

import case   # noqa: E402
import report   # noqa: E402
from report import Fact, Result, Row, Times   # noqa: E402
import tables   # noqa: E402
from timing import Duel   # noqa: E402
from tiny_dam import checkpoint   # noqa: E402

from dam_ros.model import generation   # noqa: E402
from dam_ros.model.dam import Dam   # noqa: E402

KEYS = {'what', 'size', 'dtype', 'device', 'median', 'p95', 'best', 'ratio', 'threads', 'parameters', 'quick', 'cpu',
        'cores', 'device_name', 'torch', 'numba', 'transformers', 'python', 'commit', 'date', 'equal', 'rows', 'facts'}
ROW = Row('token', Times(2.0, 3.0, 1.0, 5), Times(4.0, 6.0, 2.0, 5), ratio=2.0, goal=1.5)


@pytest.fixture(scope='module')
def bench() -> ModuleType:
    """benchmarks/__main__.py, which as `__main__` would not be ours."""
    spec = importlib.util.spec_from_file_location('bench', ROOT / 'benchmarks' / '__main__.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _run(bench: ModuleType, out: Path, command: str, *words: str) -> int:
    return bench.main([command, '--size', str(checkpoint()), '--device', 'cpu', '--quick', '--out', str(out), *words])


@pytest.mark.parametrize('command', ['decode', 'look', 'scene', 'followup', 'load'])
def test_each_tells_a_table_and_json_of_equal_results(bench, tmp_path: Path, capsys, command: str):
    assert _run(bench, tmp_path, command) == 0
    *shown, last = capsys.readouterr().out.splitlines()
    told = json.loads(last)
    assert set(told) == KEYS and told['what'] == command and told['size'] == checkpoint().name
    assert told['median'] > 0 and told['p95'] >= told['median'] >= told['best'] and told['ratio'] > 0
    assert told['equal'] and told['rows'] and told['quick'] and told['parameters'] > 10000
    assert any(line.lstrip().startswith(told['rows'][0]['what']) for line in shown)
    [file] = tmp_path.iterdir()
    assert json.loads(file.read_text()) == told
    if command == 'decode':
        _check_bound({one['what']: one['value'] for one in told['facts']})


def _check_bound(facts: dict[str, float]) -> None:
    """The weights of this size, counted by hand: two layers of 48, mlp 96, 600 tokens, in float32."""
    numbers = 2 * (4 * 48 * 48 + 3 * 48 * 96 + 2 * 48) + 600 * 48 + 48
    assert facts['weights read per token'] == pytest.approx(4 * numbers / 1e6, rel=1e-3)
    assert facts['of what the machine reads'] == pytest.approx(
        facts['decoding reads'] / facts['this machine reads (best of ten sums over 1 GiB)'], rel=1e-3)
    assert facts['bare products over these weights, torch'] > 0


# -- what is not equal ------------------------------------------------------------------------------------------------

def _wrong_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every seventh that is told is another."""
    real, told = generation.step, []

    def step(*arguments):
        written = []
        for text, token, probability in real(*arguments):
            told.append(token)
            written.append((text, token if len(told) % 7 != 3 else (token + 1) % 500, probability))
        return written
    monkeypatch.setattr(generation, 'step', step)


def _wrong_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Dam.channels

    def channels(self, image, mask):
        squares = real(self, image, mask)
        squares[0, 0, 0] ^= 1
        return squares
    monkeypatch.setattr(Dam, 'channels', channels)


def _wrong_features(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Dam.image_tokens
    monkeypatch.setattr(Dam, 'image_tokens', lambda self, features: real(self, features) * 1.01)


@pytest.mark.parametrize(('break_it', 'words', 'said'), [
    (_wrong_tokens, ['decode'], 'tokens are equal, then'),
    (_wrong_tokens, ['decode', '--dtype', 'bfloat16'], 'the same text read in one go'),
    (_wrong_tokens, ['scene'], 'tokens are equal, then'),
    (_wrong_tokens, ['followup'], 'a kept look against a fresh one: '),
    (_wrong_byte, ['look'], '1 of '),
    (_wrong_features, ['look'], 'projector: off by ')], ids=lambda one: ' '.join(one) if isinstance(one, list) else '')
def test_no_time_is_told_of_what_differs(bench, tmp_path: Path, capsys, monkeypatch, break_it, words, said: str):
    break_it(monkeypatch)
    assert _run(bench, tmp_path, *words) == 1
    printed = capsys.readouterr()
    assert said in printed.err and 'no times are told' in printed.err
    assert 'ours' not in printed.out and '{' not in printed.out and not list(tmp_path.iterdir())


def test_all_runs_each_with_its_words_and_names_what_failed(bench, monkeypatch, capsys):
    ran = []

    def run(command: list[str]) -> SimpleNamespace:
        ran.append(tuple(command[2:]))
        return SimpleNamespace(returncode=int('int8' in command))
    monkeypatch.setattr(bench.subprocess, 'run', run)
    assert bench.main(['all', '--quick', '--size', 'tiny']) == 1
    assert ('decode', '--size', 'mid', '--quick', '--size', 'tiny') in ran and ('idle', '--quick') in ran
    assert {one[0] for one in ran} == set(bench.COMMANDS) - {'gpu'}
    assert capsys.readouterr().err == 'bench: failed: decode --size mid --dtype int8\n'


def test_every_round_is_compared():
    rounds = iter(range(9))
    duel = {'ours': lambda: (next(rounds), {'token': [1.0]}), 'other': lambda: (0, {'token': [2.0]})}

    def check(results):
        if results['ours'] == 2:
            raise report.Unequal('the third')
    with pytest.raises(report.Unequal, match='the third'):
        Duel(duel, check, (5, 5))


# -- how it is counted ------------------------------------------------------------------------------------------------

def test_a_ratio_is_the_median_over_pairs_and_the_order_alternates():
    """A machine that is busy for a while is so for both of a pair: medians over all would compare one with another."""
    order, busy = [], iter((1, 1, 10, 10, 1, 1))

    def side(name: str, seconds: float):
        def run():
            order.append(name)
            return 'equal', {'token': [seconds * next(busy)]}
        return run
    duel = Duel({'ours': side('ours', 1.0), 'other': side('other', 3.0)}, lambda results: None, (3, 3))
    assert ''.join(name[1] for name in order) == 'uttuut'
    row = duel.row('token', other='other')
    assert row.ratio == pytest.approx(3.0)
    assert (row.ours.median, row.ours.best, row.ours.count) == (1000, 1000, 3) and row.ours.p95 > 9000


def test_it_stops_when_its_time_is_over():
    duel = Duel({'ours': lambda: (0, {'token': [1.0]})}, lambda results: None, (2, 1000), 0.0)
    assert len(duel.times('ours', 'token')) == 2


@pytest.mark.parametrize('words', [['--size', 'nowhere'], ['--dtype', 'float64'], ['--threads', '-1']], ids=' '.join)
def test_what_is_no_option_is_told_in_words(words: list[str], capsys):
    with pytest.raises(SystemExit) as ended:
        case.parse(case.options('decode', ''), words)
    said = capsys.readouterr().err
    assert ended.value.code == 2 and words[0] in said and words[1] in said


def test_what_is_no_command_is_told_with_those_there_are(bench, capsys):
    assert bench.main(['decoed']) == 2
    said = capsys.readouterr().err
    assert bench.main([]) == 0
    assert said == capsys.readouterr().out
    assert all(f'\n  {one} ' in said for one in (*bench.COMMANDS, 'all', 'tables'))


def test_a_random_checkpoint_is_made_once(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(case, '_CACHE', tmp_path / '.dev' / 'bench')
    monkeypatch.setattr(report, 'ROOT', tmp_path)
    folder = case.checkpoint('tiny')
    assert 'making a random checkpoint of size tiny' in capsys.readouterr().out
    written = (folder / 'llm' / 'model.safetensors').stat().st_mtime_ns
    assert case.checkpoint('tiny') == folder and capsys.readouterr().out == ''
    assert (folder / 'llm' / 'model.safetensors').stat().st_mtime_ns == written
    (folder / 'made-from').write_text('something older')
    case.checkpoint('tiny')
    assert (folder / 'llm' / 'model.safetensors').stat().st_mtime_ns > written


# -- a GPU ------------------------------------------------------------------------------------------------------------

def test_without_a_gpu_the_gpu_benchmark_says_so(bench, tmp_path: Path, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    assert bench.main(['gpu', '--out', str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert 'torch sees no GPU here, so nothing was measured' in printed.err and printed.out == ''
    assert not list(tmp_path.iterdir())


@pytest.mark.soak
def test_the_gpu_benchmark_goes_all_its_way_on_a_cpu(bench, tmp_path: Path, capsys):
    assert _run(bench, tmp_path, 'gpu') == 0
    facts = {one['what']: one for one in json.loads(capsys.readouterr().out.splitlines()[-1])['facts']}
    wanted = {name for name, one in facts.items() if one['least'] is not None or one['most'] is not None}
    assert len(wanted) >= 5 and all(one['value'] > 0 for one in facts.values())


def test_the_work_of_vision_is_that_of_its_matrices():
    """DAM-3B: counted from the published shapes, 27 x 27 patches, 26 layers of 1152 with 4304, patches of 14 px."""
    import gpu

    from dam_ros.model.config import Vision
    vision = Vision(1152, 4304, 27, 26, 16, 27, 14, 1e-6, 'gelu_pytorch_tanh')
    matrices = 4 * 1152 * 1152 + 2 * 1152 * 4304
    scores = 2 * 729 * 1152
    embedding = 4 * 14 * 14 * 1152
    assert gpu.vision_work(vision) == 2 * 729 * (2 * embedding + 26 * 3 * (matrices + scores))


# -- the document -----------------------------------------------------------------------------------------------------

def test_a_result_is_read_as_it_was_written(tmp_path: Path):
    result = Result('decode', 'mid', 'int8', 'cpu', 2, 158, False, ['all'], [ROW, Row('first', ROW.ours)],
                    [Fact('reads', 12.5, 'GB/s', least=10.0)], report.machine())
    assert Result.read(report.tell(result, tmp_path)) == result


def test_tables_are_filled_between_their_marks_and_quick_ones_are_left_out(tmp_path: Path):
    report.tell(Result('decode', 'mid', 'float32', rows=[ROW]), tmp_path)
    report.tell(Result('decode', 'tiny', 'float32', rows=[ROW], quick=True), tmp_path)
    document = tmp_path / 'performance.md'
    document.write_text('before\n<!-- results: decode -->\nold\n<!-- end -->\nbetween\n<!-- results: look -->\n'
                        '<!-- end -->\nbehind\n')
    tables.write(document, tmp_path)
    text = document.read_text()
    assert '| token, ms | 2 | 3 | 1 | 4 | 6 | 2 | 2.00 (wanted: 1.5) |' in text and 'tiny' not in text
    assert 'old' not in text and 'Not measured yet.' in text
    assert text.startswith('before\n') and '\nbetween\n' in text and text.endswith('behind\n')
    tables.write(document, tmp_path)
    assert document.read_text() == text


def test_no_number_of_the_document_was_typed(tmp_path: Path):
    document = tmp_path / 'performance.md'
    shutil.copy(tables.DOCUMENT, document)
    tables.write(document)
    assert document.read_text() == tables.DOCUMENT.read_text(), 'write it anew: ./dev bench tables'
