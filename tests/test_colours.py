"""Names of colours: anchors that anybody would agree on, a public survey, and how regions are summed up."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dam_ros.core.colours import NAMES, colours_of, name_indices, name_of, oklab

# A survey of colour names by some 140,000 people: https://blog.xkcd.com/2010/05/03/color-survey-results/, CC0-1.0.
# Here: the names that end in one basic term and hold no other, with the mean colour that was given that name.
SURVEY = json.loads((Path(__file__).parent / 'data' / 'colour_survey.json').read_text())


@pytest.mark.parametrize(('rgb', 'name'), [
    ((0, 0, 0), 'black'), ((255, 255, 255), 'white'), ((128, 128, 128), 'grey'), ((60, 60, 60), 'dark grey'),
    ((190, 190, 190), 'light grey'), ((255, 0, 0), 'red'), ((120, 10, 15), 'dark red'), ((255, 165, 0), 'orange'),
    ((255, 230, 0), 'yellow'), ((255, 250, 150), 'light yellow'), ((0, 128, 0), 'green'), ((15, 60, 20), 'dark green'),
    ((150, 240, 150), 'light green'), ((30, 60, 200), 'blue'), ((0, 0, 110), 'dark blue'),
    ((135, 206, 235), 'light blue'), ((128, 0, 128), 'purple'), ((255, 192, 203), 'light pink'),
    ((255, 105, 180), 'pink'), ((120, 70, 30), 'brown'), ((60, 35, 20), 'dark brown'), ((210, 180, 140), 'light brown'),
    ((250, 128, 114), 'pink'), ((255, 248, 225), 'white'), ((240, 130, 40), 'orange'), ((20, 20, 30), 'black'),
    ((0, 128, 128), 'green'), ((0, 190, 230), 'light blue'), ((75, 0, 130), 'dark purple'),
])
def test_anchor(rgb, name):
    assert name_of(rgb) == name


def test_survey():
    wrong = [f'{name} {value} -> {found}' for name, value in SURVEY.items()
             if (found := name_of(tuple(bytes.fromhex(value[1:])))).split()[-1] != name.split()[-1]]
    print('\n'.join(wrong))
    assert len(SURVEY) > 400
    assert len(wrong) <= 0.05 * len(SURVEY)


def test_survey_light_and_dark_never_swapped():
    swapped = [name for name, value in SURVEY.items()
               if name.split()[0] in ('light', 'dark', 'pale')
               and name_of(tuple(bytes.fromhex(value[1:]))).split()[0] == ('dark' if name[0] in 'lp' else 'light')]
    assert not swapped


def test_every_colour_has_a_name():
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    with np.errstate(all='raise'):
        indices = name_indices(oklab(cube))
    assert set(indices.tolist()) == set(range(len(NAMES)))


def patches(*parts):
    """Pixels: (count, rgb) after each other."""
    return np.concatenate([np.full((count, 3), rgb, np.uint8) for count, rgb in parts])


def test_order_is_by_share():
    found = colours_of(patches((300, (20, 40, 200)), (700, (255, 255, 255))))
    assert [str(one) for one in found] == ['white', 'blue']
    assert [round(one.share, 2) for one in found] == [0.7, 0.3]


def test_below_15_percent_is_not_named():
    assert [one.name for one in colours_of(patches((140, (255, 0, 0)), (860, (0, 0, 0))))] == ['black']
    assert [one.name for one in colours_of(patches((160, (255, 0, 0)), (840, (0, 0, 0))))] == ['black', 'red']


def test_at_most_three_and_the_largest_even_when_small():
    vivid = [(255, 0, 0), (0, 128, 0), (30, 60, 200), (255, 230, 0), (128, 0, 128), (255, 105, 180), (255, 255, 255)]
    assert len(colours_of(patches(*((100, rgb) for rgb in vivid[:5])))) == 3
    assert len(colours_of(patches(*((100, rgb) for rgb in vivid)))) == 1


def test_grain_on_a_border_between_names_is_one_colour():
    grain = np.random.default_rng(5).normal(0, 8, (5000, 1)).round()
    for base in ((137, 60, 32), (200, 118, 20), (70, 85, 100), (182, 186, 20), (210, 70, 60)):
        noisy = np.clip(np.array(base) + grain, 0, 255).astype(np.uint8)
        assert len(colours_of(noisy)) == 1, base


def test_shading_of_white_belongs_to_white():
    assert [str(one) for one in colours_of(patches((500, (250, 250, 250)), (400, (200, 200, 202))))] == ['white']


def test_light_and_dark_together_are_neither():
    assert [str(one) for one in colours_of(patches((500, (150, 190, 250)), (500, (20, 30, 110))))] == ['blue']
    assert [str(one) for one in colours_of(patches((900, (150, 190, 250)), (100, (20, 30, 110))))] == ['light blue']


def test_one_pixel():
    (only,) = colours_of(np.array([[255, 0, 0]], np.uint8))
    assert (only.name, only.share, only.rgb) == ('red', 1.0, (255, 0, 0))
