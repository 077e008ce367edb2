"""config/dam.yaml and docs/parameters.md say what the settings classes say; nodes in namespaces find their block."""
from __future__ import annotations

from pathlib import Path
import shutil
import subprocess
import sys

import pytest
import yaml

from dam_ros.core.describe_settings import DescribeSettings
from dam_ros.core.player_settings import PlayerSettings
from dam_ros.core.settings import rules
from dam_ros.core.speech_settings import SpeechSettings

NODES = {'describe_node': DescribeSettings, 'speech_node': SpeechSettings, 'player_node': PlayerSettings}


def _write(checkout: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, checkout / 'scripts' / 'write_parameter_files', *arguments],
                          capture_output=True, text=True, timeout=60)


def test_the_committed_files_are_up_to_date(root: Path):
    run = _write(root, '--check')
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_check_sees_a_changed_file_and_writing_mends_it(root: Path, tmp_path: Path):
    for name in ('scripts/write_parameter_files', 'config/dam.yaml', 'docs/parameters.md'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(root / name, tmp_path / name)
    with open(tmp_path / 'config' / 'dam.yaml', 'a') as file:
        file.write('    more: 1\n')
    run = _write(tmp_path, '--check')
    assert run.returncode == 1 and 'config/dam.yaml' in run.stdout and 'parameters.md' not in run.stdout
    assert _write(tmp_path).returncode == 0
    assert _write(tmp_path, '--check').returncode == 0


def test_the_yaml_holds_exactly_the_defaults(root: Path):
    blocks = yaml.safe_load((root / 'config' / 'dam.yaml').read_text(encoding='utf-8'))
    held = {key.rsplit('/', 1)[1]: block['ros__parameters'] for key, block in blocks.items()}
    assert held == {node: {rule.name: rule.default for rule in rules(kind).values()} for node, kind in NODES.items()}
    assert all(type(held[node][rule.name]) is type(rule.default)    # 2.0 stays a float
               for node, kind in NODES.items() for rule in rules(kind).values())


@pytest.mark.ros
@pytest.mark.parametrize('namespace', ['/', '/robot', '/robot/front'])
@pytest.mark.parametrize('name', list(NODES))
def test_the_file_reaches_the_node_in_any_namespace(root: Path, namespace: str, name: str):
    rclpy = pytest.importorskip('rclpy')
    context = rclpy.Context()
    context.init(args=['--ros-args', '--params-file', str(root / 'config' / 'dam.yaml'), '-r', f'__ns:={namespace}'])
    try:
        node = rclpy.create_node(name, context=context, automatically_declare_parameters_from_overrides=True)
        assert set(rules(NODES[name])) <= set(node.list_parameters([], 1).names)
        node.destroy_node()
    finally:
        context.try_shutdown()
