"""No name that Humble's rclpy or numpy 1.21 lacks, no syntax newer than Python 3.10: checked by reading the source.

tests/data/humble.json is made by scripts/list_newer_names from rclpy's branches and two numpys. It is a check of names:
that something is called alike does not say that it does alike.
"""
from __future__ import annotations

import ast
from collections.abc import Iterator
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = [path for folder in ('dam_ros', 'launch', 'examples') for path in sorted((ROOT / folder).rglob('*.py'))]
HUMBLE = json.loads((ROOT / 'tests' / 'data' / 'humble.json').read_text(encoding='utf-8'))
# Humble takes these too, but not by a name that its Python files define.
ALSO_THERE = {
    **dict.fromkeys(('depth=', 'reliability=', 'durability=', 'history='), 'QoSProfile takes **kwargs there'),
    **dict.fromkeys(('Request', 'Response', 'Event', 'Goal', 'Result', 'Feedback'), 'parts of generated interfaces'),
    'successful': 'a field of rcl_interfaces/SetParametersResult',
    'STEADY_TIME': 'a member of the enum ClockType, compiled there',
    'ROS_TIME': 'as STEADY_TIME', 'SYSTEM_TIME': 'as STEADY_TIME',
}
NEWER_THAN_PYTHON_3_10 = {'tomllib', 'StrEnum', 'ReprEnum', 'Self', 'LiteralString', 'assert_never', 'TaskGroup', 'UTC',
                          'ExceptionGroup', 'BaseExceptionGroup', 'batched', 'override', 'chdir', 'add_note'}


def newer_names(source: str) -> Iterator[str]:
    """What a source uses that Humble does not have."""
    lacks = set(HUMBLE['rclpy_lacks']) - set(ALSO_THERE)
    tree = ast.parse(source, feature_version=(3, 10))
    imports = [node.module or '' for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    speaks_ros = any(module.startswith('rclpy') for module in imports)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                asked = f'{node.module}:{alias.name}'
                if node.module.startswith('rclpy') and asked not in HUMBLE['rclpy_importable'] and (
                        f'{node.module}.{alias.name}' not in HUMBLE['rclpy_importable']):
                    yield asked
                if alias.name in NEWER_THAN_PYTHON_3_10:
                    yield asked
        elif isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id == 'np' and node.attr in HUMBLE['numpy_lacks']:
                yield f'np.{node.attr}'
            if (speaks_ros and node.attr in lacks) or node.attr in NEWER_THAN_PYTHON_3_10:
                yield node.attr
        elif isinstance(node, ast.keyword) and speaks_ros and f'{node.arg}=' in lacks:
            yield f'{node.arg}='


@pytest.mark.parametrize('path', FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_name_that_humble_lacks(path: Path):
    assert list(newer_names(path.read_text(encoding='utf-8'))) == []


@pytest.mark.parametrize(('source', 'name'), [
    ('from rclpy.event_handler import SubscriptionEventCallbacks', 'rclpy.event_handler:SubscriptionEventCallbacks'),
    ('from rclpy.node import Node\nNode.add_post_set_parameters_callback', 'add_post_set_parameters_callback'),
    ('from rclpy.qos_event import SubscriptionEventCallbacks\nSubscriptionEventCallbacks(matched=print)', 'matched='),
    ('import numpy as np\nnp.concat([])', 'np.concat'),
    ('from typing import Self', 'typing:Self'),
])
def test_such_a_name_is_seen(source: str, name: str):
    assert list(newer_names(source)) == [name]


def test_newer_syntax_is_seen():
    with pytest.raises(SyntaxError):
        list(newer_names('try:\n    pass\nexcept* ValueError:\n    pass'))
