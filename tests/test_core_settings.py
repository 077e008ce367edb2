"""Parameters declared once: every rule, and words for whatever is wrong with a value."""
from __future__ import annotations

from dataclasses import dataclass, fields
import math

import numpy as np
import pytest

from dam_ros.core.describe_settings import DescribeSettings, describer_options
from dam_ros.core.player_settings import PlayerSettings
from dam_ros.core.settings import SettingsError, build, rules, setting, to_markdown, to_yaml
from dam_ros.core.speech_settings import SpeechSettings

ALL = (DescribeSettings, PlayerSettings, SpeechSettings)


@dataclass(frozen=True)
class Sample:
    flag: bool = setting(True, 'a flag', live=True)
    count: int = setting(3, 'how many', low=1, high=10)
    rate_hz: float = setting(2.0, 'rate', unit='Hz', low=0.1)
    name: str = setting("it's", 'name')
    mode: str = setting('a', 'mode', choices=('a', 'b'))
    values: list[int] = setting([0], 'values', low=-1, high=255)
    words: list[str] = setting([''], 'words')
    shares: list[float] = setting([0.5], 'shares', high=1.0)


@pytest.mark.parametrize('name, value, expected', [
    ('flag', False, False), ('count', 1, 1), ('count', 10, 10), ('rate_hz', 30, 30.0), ('rate_hz', 0.1, 0.1),
    ('name', '', ''), ('mode', 'b', 'b'), ('values', (1, 2), [1, 2]),
    ('values', [-1, 255], [-1, 255]),
    ('words', ['x'], ['x']), ('shares', [1, 0.25], [1.0, 0.25]), ('values', np.array([3]).tolist(), [3])])
def test_good_values(name: str, value, expected):
    got = getattr(build(Sample, {name: value}), name)
    assert got == expected and type(got) is type(expected)
    if isinstance(got, list):
        assert [type(one) for one in got] == [type(one) for one in expected]


@pytest.mark.parametrize('name, value, words', [
    ('flag', 1, 'true or false'), ('flag', 'true', 'true or false'), ('count', 0, 'from 1 to 10'),
    ('count', 11, 'from 1 to 10'), ('count', 3.0, 'a whole number'), ('count', True, 'a whole number'),
    ('count', '3', 'a whole number'), ('rate_hz', 0.05, 'of at least 0.1 (Hz)'), ('rate_hz', math.nan, 'a number'),
    ('rate_hz', math.inf, 'a number'), ('rate_hz', True, 'a number'), ('rate_hz', '1', 'a number'),
    ('name', 3, 'text'), ('name', None, 'text'), ('mode', 'c', "one of 'a', 'b'"), ('values', [256], 'to 255'),
    ('values', 3, 'a list of whole numbers'), ('words', [], 'at least one item'),
    ('values', 'abc', 'a list'), ('values', [1, 'x'], 'a list'),
    ('values', None, 'a list'), ('words', 'x', 'a list of texts'), ('shares', [2.0], 'of at most 1'),
    ('shares', [math.nan], 'a list of numbers')])
def test_bad_values_are_named_with_what_is_allowed(name: str, value, words: str):
    with pytest.raises(SettingsError) as caught:
        build(Sample, {name: value})
    line = str(caught.value)
    assert line.startswith(f'{name} is ') and words in line and '\n' not in line


def test_all_mistakes_come_together():
    with pytest.raises(SettingsError) as caught:
        build(Sample, {'count': 0, 'cuont': 3, 'rate_hz': 'x', 'zzz': 1, 'flag': True})
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert "no parameter 'cuont'; did you mean count?" in lines[1]
    assert 'docs/parameters.md' in lines[3]


def test_what_is_somebody_elses_is_left_alone():
    given = {'use_sim_time': 'whatever', 'qos_overrides./image.x': 3}
    assert build(Sample, given, ('use_sim_time', 'qos_overrides.')) == Sample()
    with pytest.raises(SettingsError, match='qos_overrides'):
        build(Sample, given, ('use_sim_time',))


def test_defaults_are_not_shared():
    first, second = Sample(), Sample()
    first.values.append(7)
    assert second.values == [0] and rules(Sample)['values'].default == [0]


@pytest.mark.parametrize('kind', ALL, ids=lambda kind: kind.__name__)
def test_every_default_keeps_its_own_rule(kind: type):
    defaults = kind()
    table = rules(kind)
    assert list(table) == [one.name for one in fields(kind)]
    for name, rule in table.items():
        assert rule.check(getattr(defaults, name)) == getattr(defaults, name)
        assert rule.doc and not rule.doc.endswith('.') and '\n' not in rule.doc
        assert rule.low is None or rule.high is None or rule.low < rule.high
        assert (rule.unit != '') == name.endswith(('_s', '_mb', '_hz', '_px', '_db')) or rule.unit, name


@pytest.mark.parametrize('kind', [*ALL, Sample], ids=lambda kind: kind.__name__)
def test_the_yaml_read_back_is_the_defaults(kind: type):
    yaml = pytest.importorskip('yaml')
    read = yaml.safe_load(to_yaml('node', kind))['/**/node']['ros__parameters']
    assert build(kind, read) == kind()
    assert set(read) == set(rules(kind))


def test_the_table_has_a_row_for_each():
    rows = to_markdown('node', Sample).splitlines()[4:]
    assert [row.split('`')[1] for row in rows] == list(rules(Sample))
    assert '| at once |' in rows[0] and '| at configure |' in rows[1]


# -- what of them a describer gets

def test_each_describer_gets_the_options_that_are_meant_for_it():
    settings = build(DescribeSettings, {'model': 'a/b', 'dtype': 'float16', 'remote_timeout_s': 7})
    assert describer_options(settings, 'dam') == {'model': 'a/b', 'model_kind': 'auto', 'dtype': 'float16',
                                                  'device': 'auto', 'memory_budget_mb': 0.0}
    assert describer_options(settings, 'remote') == {
        'model': 'a/b', 'url': 'http://localhost:8000', 'key_env': 'DAM_API_KEY', 'timeout_s': 7.0,
        'connect_timeout_s': 5.0, 'pictures': 'rgba', 'model_kind': 'auto'}
    for other in ('attributes', 'rehearsal', 'my_package.my_module:create'):
        assert describer_options(settings, other) == {'model': 'a/b'}


def test_describer_options_come_on_top():
    settings = build(DescribeSettings, {'describer_options': '{"dtype": "float32", "more": 1}'})
    assert describer_options(settings, 'dam') == {'model': '', 'model_kind': 'auto', 'dtype': 'float32',
                                                  'device': 'auto', 'memory_budget_mb': 0.0, 'more': 1}


@pytest.mark.parametrize('text', ['no json', '[1]', '3', '"text"', '[' * 100_000])
def test_describer_options_have_to_be_an_object(text: str):
    with pytest.raises(SettingsError, match='describer_options is .*allowed: one JSON object'):
        describer_options(DescribeSettings(describer_options=text), 'rehearsal')


@pytest.mark.parametrize('device', ['auto', 'cpu', 'cuda', 'cuda:0', 'cuda:12'])
def test_devices(device: str):
    assert describer_options(DescribeSettings(device=device), 'dam')['device'] == device


@pytest.mark.parametrize('device', ['', 'gpu', 'cuda:', 'cuda:x', 'CPU', 'cpu '])
def test_what_is_no_device(device: str):
    with pytest.raises(SettingsError, match="device is '.*allowed: 'auto', 'cpu', 'cuda' or 'cuda:N'"):
        describer_options(DescribeSettings(device=device), 'dam')


@pytest.mark.parametrize('name, value', [('model_kind', 'video'), ('dtype', 'int2'), ('memory_budget_mb', -1.0),
                                         ('remote_pictures', 'jpeg'), ('remote_timeout_s', 0.0),
                                         ('remote_connect_timeout_s', 61.0)])
def test_options_of_describers_are_checked_at_once(name: str, value):
    with pytest.raises(SettingsError, match=name):
        build(DescribeSettings, {name: value})
