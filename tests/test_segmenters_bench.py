"""./dev bench segment: it measures what it says, and docs/segmenters.md shows what was measured."""
from __future__ import annotations

import json
from pathlib import Path
import shutil
import sys

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'benchmarks'))

from report import Result, RESULTS, Unequal   # noqa: E402
import segment   # noqa: E402
import tables   # noqa: E402

DOCUMENT = ROOT / 'docs' / 'segmenters.md'
MEASURED = RESULTS / 'segment-regions-grabcut.json'


class Painter:
    """Finds what it was made with, whatever is pointed at."""

    name, follows = 'painter', False

    def __init__(self, *masks: np.ndarray):
        self._masks = masks
        self.asked = []

    def cut_out(self, image, prompt):
        self.asked.append(prompt)
        return self._masks[(len(self.asked) - 1) % len(self._masks)]


def region() -> segment.Region:
    mask = np.zeros((60, 80), np.uint8)
    cv2.circle(mask, (30, 30), 20, 1, -1)
    return segment.Region('here', 'disc', np.zeros((60, 80, 3), np.uint8), mask > 0)


def test_prompts_are_made_of_the_mask():
    prompts = region().prompts()
    assert list(prompts) == list(segment.WAYS)
    assert prompts['box'].box == (10, 10, 51, 51) and prompts['point'].inside == ((30, 30),)
    assert prompts['box_large'].box == (8, 8, 53, 53) and prompts['box_small'].box == (11, 11, 50, 50)
    (x, y), = prompts['point_any'].inside
    assert region().mask[int(y), int(x)] and np.hypot(x - 30, y - 30) < 15
    assert region().prompts()['point_any'] .inside == ((x, y),)


def test_a_score_is_the_iou_of_each_way():
    half = region().mask.copy()
    half[:, :30] = False
    score = segment.score(Painter(half), region())
    assert set(score.iou) == set(segment.WAYS)
    assert all(one == pytest.approx(0.5, abs=0.03) for one in score.iou.values())


def test_masks_that_differ_are_not_timed():
    whole = np.ones((3000, 4000), bool)
    with pytest.raises(Unequal, match='painter finds another mask'):
        segment.large(Painter(whole, ~whole), region(), 2)


def test_quick_goes_all_its_way_and_keeps_nothing(tmp_path: Path, capsys):
    assert segment.main(['--quick', '--out', str(tmp_path)]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told['what'] == 'segment' and told['quick'] and len(told['rows']) == 4
    facts = {one['what']: one for one in told['facts']}
    assert facts['mean IoU of 8 regions: its box']['least'] == 0.75
    assert all(0 < one['value'] <= 1 for name, one in facts.items() if name.startswith('mean'))
    assert [one.name for one in tmp_path.iterdir()] == ['segment-grabcut-cpu-quick.json']


def test_what_was_measured_reaches_what_is_wanted():
    result = Result.read(RESULTS / 'segment-grabcut-cpu.json')
    wanted = [one for one in result.facts if one.least is not None or one.most is not None]
    assert len(wanted) == 4
    assert all(one.value >= (one.least or 0) and one.value <= (one.most or 1) for one in wanted)
    held = json.loads(MEASURED.read_text(encoding='utf-8'))
    assert len({one['photo'] for one in held['regions']}) >= 12
    for way, least in segment.LEAST.items():
        assert np.mean([one['iou'][way] for one in held['regions']]) >= least


def test_every_region_and_the_worst_are_shown():
    held, text = json.loads(MEASURED.read_text(encoding='utf-8')), DOCUMENT.read_text(encoding='utf-8')
    assert len(held['regions']) == len(list(segment.regions()))
    for one in held['regions']:
        assert f'| {one["photo"]} | {one["region"]} | {one["iou"]["box"]:.2f} |' in text
    assert len(held['worst']) == 2 * segment.WORST
    for one in held['worst']:
        picture = cv2.imread(str(segment.PICTURES / one['picture']))
        assert picture.shape[1] <= 640 and f'(pictures/{one["picture"]})' in text


def test_no_number_of_the_tables_was_typed(tmp_path: Path):
    document = tmp_path / 'segmenters.md'
    shutil.copy(DOCUMENT, document)
    tables.write(document)
    assert document.read_text() == DOCUMENT.read_text(), 'write it anew: ./dev bench tables'
    assert DOCUMENT in tables.DOCUMENTS
