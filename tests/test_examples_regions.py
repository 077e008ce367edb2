"""Each form of Region.msg has its picture in docs/regions.md, drawn by the script, and a line that asks for it."""
from __future__ import annotations

import importlib.machinery
import importlib.util
import re

import cv2
import numpy as np
import pytest
import yaml

from documents import ROOT

DOCUMENT = (ROOT / 'docs' / 'regions.md').read_text(encoding='utf-8')
_loader = importlib.machinery.SourceFileLoader('make_region_pictures', str(ROOT / 'scripts' / 'make_region_pictures'))
make = importlib.util.module_from_spec(importlib.util.spec_from_loader(_loader.name, _loader))
_loader.exec_module(make)


def lines() -> dict[str, str]:
    """Name of a picture -> the command line below it."""
    return dict(re.findall(r'\(pictures/region-(\w+)\.jpg\)\n\n```sh\n(.*)\n```', DOCUMENT))


def test_every_form_of_the_message_is_there():
    message = (ROOT / 'msg' / 'Region.msg').read_text(encoding='utf-8')
    fields = set(re.findall(r'(?m)^\w[\w/\[\]]* (\w+)', message))
    shown = {field for form in make.FORMS.values() for field in form}
    assert fields - shown == {'ref_width', 'ref_height', 'tag'}, 'these belong to any form'
    assert list(lines()) == list(make.FORMS)


@pytest.mark.parametrize('name', make.FORMS)
def test_the_line_below_a_picture_asks_for_what_it_shows(name: str):
    line, fields = lines()[name], make.FORMS[name]
    if 'mask' in fields:   # too many numbers for a service call from a terminal
        label_image = make.LABELS.relative_to(ROOT)
        options = f'--label-image {label_image} --label 3' if 'labels' in fields else f'--mask {label_image}'
        assert line == f'dam-describe {make.PHOTO.relative_to(ROOT)} {options}' and fields.get('labels', [3]) == [3]
    else:
        request = yaml.safe_load(line.split('"')[1])
        assert line.startswith('ros2 service call ') and request.get('region', {}) == fields


def share_apart(kept: np.ndarray, name: str) -> float:
    """Of the pixels of a committed picture, those that are clearly others than what the script draws."""
    drawn = make.draw(make.FORMS[name])[:, :, ::-1]
    return np.mean(np.abs(kept.astype(int) - drawn).max(axis=2) > 60)   # JPEG alone is within


@pytest.mark.parametrize('name', make.FORMS)
def test_pictures_are_those_of_the_script(name: str):
    path = make.PICTURES / f'region-{name}.jpg'
    kept = cv2.imread(str(path))
    assert path.stat().st_size < 60_000 and kept.shape == (320, 480, 3)
    assert share_apart(kept, name) < 0.008, 'draw them anew with ./dev run python scripts/make_region_pictures'


def test_a_region_that_changes_is_noticed():
    assert share_apart(cv2.imread(str(make.PICTURES / 'region-box.jpg')), 'box_is_region') > 0.01
