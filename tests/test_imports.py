"""A folder says what it may import: its modules in a fresh interpreter, then a look at what came with them."""
from __future__ import annotations

import json
from pathlib import Path
import subprocess
import sys

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / 'dam_ros'
ROS = frozenset({'rclpy'})   # what comes with it (messages, lark, yaml, ...) is its own business
BACKEND = {'numpy', 'cv2', 'torch', 'transformers', 'safetensors', 'huggingface_hub', 'PIL', 'sentencepiece'}
# folder, or how the names of modules begin that may more: our own folders they may import, foreign packages they may
ALLOWED = {
    'core': ({'core', 'data'}, {'numpy', 'cv2'}),
    'data': ({'data'}, set()),
    'drawing': ({'core', 'data', 'drawing'}, {'numpy', 'cv2'}),
    'model': ({'core', 'data', 'model'}, BACKEND),
    'describers': ({'core', 'data', 'drawing', 'model', 'describers'}, {'numpy', 'cv2'}),
    'describers.dam': ({'core', 'data', 'model', 'describers'}, BACKEND),
    'segmenters': ({'core', 'data', 'segmenters'}, {'numpy', 'cv2'}),
    'segmenters.download': ({'core', 'data', 'model', 'segmenters'}, BACKEND),
    'segmenters.sam': ({'core', 'data', 'model', 'segmenters'}, BACKEND),
    'readers': ({'core', 'data', 'readers'}, {'numpy', 'cv2'}),
    'voices': ({'core', 'data', 'voices'}, {'numpy', 'cv2', 'pyttsx3'}),
    'engine': ({'core', 'data', 'model', 'describers', 'segmenters', 'readers', 'engine'}, {'numpy', 'cv2'}),
    'nodes': ({'core', 'data', 'drawing', 'engine', 'voices', 'nodes', 'describers', 'segmenters', 'readers'},
              {'numpy', 'cv2', 'rosbags'} | ROS),
    'demo': ({'core', 'data', 'drawing', 'engine', 'describers', 'segmenters', 'readers', 'voices', 'nodes', 'demo'},
             {'numpy', 'cv2'} | ROS),
    'cli': ({'core', 'data', 'engine', 'model', 'describers', 'segmenters', 'readers', 'cli',
             'cli_options', 'cli_pictures', 'cli_reading', 'cli_regions'}, {'numpy', 'cv2'}),
    'cli_options': ({'core', 'cli_options'}, set()),   # --help is quick
    'cli_pictures': ({'core', 'cli_pictures', 'cli_regions'}, {'numpy', 'cv2'}),
    'cli_regions': ({'core', 'engine', 'segmenters', 'readers', 'cli_regions'}, {'numpy', 'cv2'}),
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


def _key(module: str) -> str:
    return max((one for one in ALLOWED if module.startswith(f'dam_ros.{one}')), key=len)


def _trespasses(module: str, imported: list[str]) -> set[str]:
    own, foreign = ALLOWED[_key(module)]
    ours = {_folder(one) for one in imported if one.split('.')[0] == 'dam_ros'} - {'', 'version'}
    others = {one.split('.')[0] for one in imported} - {'dam_ros'} - set(sys.stdlib_module_names)
    if 'rclpy' in foreign and 'rclpy' in others:
        others &= {'torch', 'transformers'}
        ours -= {'msg', 'srv', 'action'}
    if 'torch' in foreign and 'torch' in others:
        others &= {'rclpy'}   # what comes with torch is its own business, too
    return (ours - own) | {one for one in others - foreign if not one.startswith('_')}


@pytest.mark.parametrize('key', ALLOWED)
def test_modules_import_only_what_their_folder_may(key: str):
    """Those that may import the same in one interpreter, as each takes a second; where one trespasses, one by one."""
    if 'rclpy' in ALLOWED[key][1]:
        pytest.importorskip('rclpy')
    modules = [one for one in _modules() if _folder(one) and _key(one) == key]
    assert modules, f'there is no {key} any more'
    if _trespasses(modules[0], _imported_by(*modules)):
        assert {one: found for one in modules if (found := _trespasses(one, _imported_by(one)))} == {}


def test_finding_weights_is_quick():
    """`auto` asks in the node's own process."""
    assert _trespasses('dam_ros.core', _imported_by('dam_ros.model.weights')) == {'model'}


def test_an_arrow_the_wrong_way_is_seen():
    assert _trespasses('dam_ros.core.text', ['dam_ros', 'dam_ros.engine', 'dam_ros.core.errors', 'torch', 'json']) == {
        'engine', 'torch'}
    assert _trespasses('dam_ros.model.rope', ['torch', 'sympy', 'dam_ros.nodes', 'rclpy']) == {'nodes', 'rclpy'}
    assert _trespasses('dam_ros.nodes.inbox', ['rclpy', 'yaml', 'dam_ros.msg', 'torch']) == {'torch'}


@pytest.mark.parametrize('mine', ['attributes', 'dam', 'rehearsal', 'remote'])
def test_describers_do_not_know_each_other(mine: str):
    def describer(module: str) -> str:
        return module.rsplit('.', 1)[1].split('_')[0]   # attributes_words is a part of attributes

    modules = [one for one in _modules() if one.startswith('dam_ros.describers.')]
    assert {describer(one) for one in modules} == {'attributes', 'dam', 'rehearsal', 'remote'}
    found = _imported_by(*[one for one in modules if describer(one) == mine])
    assert {describer(one) for one in found if one.startswith('dam_ros.describers.')} == {mine}

