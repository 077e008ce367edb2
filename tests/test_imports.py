"""A folder says what it may import: each module in a fresh interpreter, then a look at what came with it."""
from __future__ import annotations

import json
from pathlib import Path
import subprocess
import sys

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / 'dam_ros'
ROS = frozenset({'rclpy'})   # what comes with it (messages, lark, yaml, ...) is its own business
BACKEND = {'numpy', 'cv2', 'torch', 'transformers', 'safetensors', 'huggingface_hub', 'PIL', 'sentencepiece'}
# folder (or module, where it may more than its folder): our own folders it may import, foreign packages it may import
ALLOWED = {
    'core': ({'core', 'data'}, {'numpy', 'cv2'}),
    'data': ({'data'}, set()),
    'drawing': ({'core', 'data', 'drawing'}, {'numpy', 'cv2'}),
    'model': ({'core', 'data', 'model'}, BACKEND),
    'describers': ({'core', 'data', 'drawing', 'model', 'describers'}, {'numpy', 'cv2'}),
    'describers.dam': ({'core', 'data', 'model', 'describers'}, BACKEND),
    'describers.dam_look': ({'core', 'data', 'model', 'describers'}, BACKEND),
    'describers.dam_memory': ({'core', 'data', 'model', 'describers'}, BACKEND),
    'segmenters': ({'core', 'data', 'segmenters'}, {'numpy', 'cv2'}),
    **{f'segmenters.{one}': ({'core', 'data', 'model', 'segmenters'}, BACKEND)
       for one in ('download', 'sam', 'sam_files', 'sam_network', 'sam_pictures')},
    'voices': ({'core', 'data', 'voices'}, {'numpy', 'cv2', 'pyttsx3'}),
    'engine': ({'core', 'data', 'model', 'describers', 'segmenters', 'engine'}, {'numpy', 'cv2'}),
    'nodes': ({'core', 'data', 'drawing', 'engine', 'voices', 'nodes', 'describers', 'segmenters'},
              {'numpy', 'cv2', 'rosbags'} | ROS),
    'demo': ({'core', 'data', 'drawing', 'engine', 'describers', 'segmenters', 'voices', 'nodes', 'demo'},
             {'numpy', 'cv2'} | ROS),
    'cli': ({'core', 'data', 'engine', 'model', 'describers', 'segmenters', 'cli',
             'cli_options', 'cli_pictures', 'cli_regions'}, {'numpy', 'cv2'}),
    'cli_options': ({'core', 'cli_options'}, set()),   # --help is quick
    'cli_pictures': ({'core', 'cli_pictures', 'cli_regions'}, {'numpy', 'cv2'}),
    'cli_regions': ({'core', 'engine', 'segmenters', 'cli_regions'}, {'numpy', 'cv2'}),
    'version': (set(), set()),
}
LOOK = """
import importlib, json, sys
before = set(sys.modules)
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def _modules() -> list[str]:
    found = []
    for path in sorted(PACKAGE.rglob('*.py')):
        parts = path.relative_to(PACKAGE.parent).with_suffix('').parts
        if parts[-1] != '__main__':
            found.append('.'.join(parts[:-1] if parts[-1] == '__init__' else parts))
    return found


def _imported_by(*modules: str) -> list[str]:
    run = subprocess.run([sys.executable, '-c', LOOK, *modules], capture_output=True, text=True, timeout=60,
                         cwd=PACKAGE.parent)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def _folder(module: str) -> str:
    """'core' of dam_ros.core.text; '' of dam_ros itself."""
    return (module.split('.') + [''])[1]


def _trespasses(module: str, imported: list[str]) -> set[str]:
    own, foreign = ALLOWED.get(module.partition('.')[2]) or ALLOWED[_folder(module)]
    ours = {_folder(one) for one in imported if one.split('.')[0] == 'dam_ros'} - {'', 'version'}
    others = {one.split('.')[0] for one in imported} - {'dam_ros'} - set(sys.stdlib_module_names)
    if 'rclpy' in foreign and 'rclpy' in others:
        others &= {'torch', 'transformers'}
        ours -= {'msg', 'srv', 'action'}
    if 'torch' in foreign and 'torch' in others:
        others &= {'rclpy'}   # what comes with torch is its own business, too
    return (ours - own) | {one for one in others - foreign if not one.startswith('_')}


@pytest.mark.parametrize('module', [one for one in _modules() if _folder(one) not in ('', 'model')])
def test_module_imports_only_what_its_folder_may(module: str):
    if _folder(module) in ('nodes', 'demo'):
        pytest.importorskip('rclpy')
    assert _trespasses(module, _imported_by(module)) == set()


def test_the_model_imports_only_what_its_folder_may():
    """All in one interpreter: torch takes two seconds to import."""
    modules = [one for one in _modules() if _folder(one) == 'model']
    assert len(modules) > 15 and _trespasses('dam_ros.model', _imported_by(*modules)) == set()


def test_finding_weights_is_quick():
    """`auto` asks in the node's own process."""
    assert _trespasses('dam_ros.core', _imported_by('dam_ros.model.weights')) == {'model'}


def test_an_arrow_the_wrong_way_is_seen():
    assert _trespasses('dam_ros.core.text', ['dam_ros', 'dam_ros.engine', 'dam_ros.core.errors', 'torch', 'json']) == {
        'engine', 'torch'}
    assert _trespasses('dam_ros.model.rope', ['torch', 'sympy', 'dam_ros.nodes', 'rclpy']) == {'nodes', 'rclpy'}
    assert _trespasses('dam_ros.nodes.inbox', ['rclpy', 'yaml', 'dam_ros.msg', 'torch']) == {'torch'}


@pytest.mark.parametrize('module', [one for one in _modules() if _folder(one) == 'describers' and one.count('.') == 2])
def test_describers_do_not_know_each_other(module: str):
    mine = module.rsplit('.', 1)[1].split('_')[0]   # attributes_words is a part of attributes
    others = {one for one in _imported_by(module) if one.startswith('dam_ros.describers.')}
    assert {one for one in others if one.rsplit('.', 1)[1].split('_')[0] != mine} == set()
