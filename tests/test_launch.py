"""dam.launch.py, executed against a small double of launch and launch_ros (there are no wheels of them)."""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
import re
import runpy
import sys
from types import ModuleType
from typing import Any

import pytest

from dam_ros.core.describe_settings import DescribeSettings
from dam_ros.core.settings import rules


@dataclass
class DeclareLaunchArgument:
    name: str
    default_value: str | None = None
    description: str | None = None
    choices: list[str] | None = None


@dataclass
class OpaqueFunction:
    function: Any


@dataclass
class LaunchConfiguration:
    name: str

    def perform(self, context: dict[str, str]) -> str:
        return context[self.name]


@dataclass
class LaunchDescription:
    entities: list


@dataclass
class Node:
    """Only the keywords that launch_ros has: a misspelt one fails here as it would there."""

    executable: str
    package: str
    name: str
    namespace: str
    parameters: list = field(default_factory=list)
    remappings: list = field(default_factory=list)
    arguments: list = field(default_factory=list)
    output: str = 'log'
    emulate_tty: bool = False


DOUBLES = {
    'launch': {'LaunchDescription': LaunchDescription},
    'launch.actions': {'DeclareLaunchArgument': DeclareLaunchArgument, 'OpaqueFunction': OpaqueFunction},
    'launch.substitutions': {'LaunchConfiguration': LaunchConfiguration},
    'launch_ros': {},
    'launch_ros.actions': {'Node': Node},
}


@pytest.fixture
def description(root: Path, monkeypatch: pytest.MonkeyPatch) -> LaunchDescription:
    for name, members in DOUBLES.items():
        module = ModuleType(name)
        module.__dict__.update(members)
        monkeypatch.setitem(sys.modules, name, module)
    return runpy.run_path(str(root / 'launch' / 'dam.launch.py'))['generate_launch_description']()


def _declared(description: LaunchDescription) -> dict[str, DeclareLaunchArgument]:
    return {one.name: one for one in description.entities if isinstance(one, DeclareLaunchArgument)}


def _start(description: LaunchDescription, **given: str) -> dict[str, Node]:
    """The nodes that a launch with these arguments starts."""
    context = {name: argument.default_value for name, argument in _declared(description).items()}
    assert set(given) <= set(context)
    context.update(given)
    functions = [one.function for one in description.entities if isinstance(one, OpaqueFunction)]
    return {node.name: node for function in functions for node in function(context)}


def _parameters(node: Node) -> dict[str, Any]:
    return {name: value for one in node.parameters[1:] for name, value in one.items()}


def test_arguments_are_those_of_the_readme_and_each_is_explained(description: LaunchDescription):
    declared = _declared(description)
    assert set(declared) == {'namespace', 'params_file', 'describer', 'model', 'image', 'segmentation',
                             'detections', 'label_info', 'depth', 'camera_info',
                             'battery', 'image_transport', 'speech', 'use_sim_time', 'log_level'}
    for argument in declared.values():
        assert argument.description
        assert argument.choices is None or argument.default_value in argument.choices


def test_without_arguments_both_nodes_start_with_the_defaults_of_the_yaml(description: LaunchDescription, root: Path):
    nodes = _start(description)
    assert list(nodes) == ['describe_node', 'speech_node']
    for name, node in nodes.items():
        assert (node.package, node.executable, node.namespace) == ('dam_ros', name, '')
        assert node.parameters[0] == str(root / 'config' / 'dam.yaml') and Path(node.parameters[0]).is_file()
        assert _parameters(node) == {'use_sim_time': False}
        assert node.arguments == ['--ros-args', '--log-level', 'info']


def test_executables_are_installed(description: LaunchDescription, root: Path):
    installed = re.findall(r'scripts/(\S+)', (root / 'CMakeLists.txt').read_text(encoding='utf-8'))
    assert {node.executable for node in _start(description).values()} <= set(installed)


def test_each_argument_arrives(description: LaunchDescription, tmp_path: Path):
    nodes = _start(description, namespace='robot', params_file=str(tmp_path / 'mine.yaml'), describer='rehearsal',
                   model='/weights', image_transport='compressed', use_sim_time='true', log_level='debug')
    for node in nodes.values():
        assert node.namespace == 'robot'
        assert node.parameters[0] == str(tmp_path / 'mine.yaml')
        assert node.arguments[-1] == 'debug'
    assert _parameters(nodes['describe_node']) == {
        'use_sim_time': True, 'describer': 'rehearsal', 'model': '/weights', 'image_transport': 'compressed'}
    assert _parameters(nodes['speech_node']) == {'use_sim_time': True}


def test_overridden_parameters_exist_and_the_choices_are_theirs(description: LaunchDescription):
    table = rules(DescribeSettings)
    assert {'describer', 'model', 'image_transport'} <= set(table)
    assert set(_declared(description)['image_transport'].choices) == {'', *table['image_transport'].choices}


def test_topics_are_remapped_raw_and_compressed(description: LaunchDescription):
    nodes = _start(description, image='/front/image_raw', segmentation='/front/labels')
    assert dict(nodes['describe_node'].remappings) == {
        'image': '/front/image_raw', 'image/compressed': '/front/image_raw/compressed', 'segmentation': '/front/labels',
        **{name: name for name in ('detections', 'label_info', 'depth', 'camera_info')}}
    nodes = _start(description, depth='/front/depth/image_rect', camera_info='/front/camera_info')
    assert dict(nodes['describe_node'].remappings)['depth'] == '/front/depth/image_rect'


def test_speech_can_stay_off(description: LaunchDescription):
    assert list(_start(description, speech='false')) == ['describe_node']
