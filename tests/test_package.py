"""The package as others get it: pip install, colcon install, both at once, and what package.xml promises."""
from __future__ import annotations

import ast
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parent.parent
VERSION = ElementTree.parse(ROOT / 'package.xml').findtext('version')
ROS_OF_THE_DISTRO = {'rclpy', 'launch', 'launch_ros'}


def _source(into: Path, version: str = VERSION) -> Path:
    """A copy of what pip needs, with another version in package.xml."""
    into.mkdir()
    for name in ('setup.py', 'pyproject.toml', 'LICENSE'):
        shutil.copy(ROOT / name, into)
    text = (ROOT / 'package.xml').read_text(encoding='utf-8')
    (into / 'package.xml').write_text(text.replace(f'<version>{VERSION}<', f'<version>{version}<'), encoding='utf-8')
    shutil.copytree(ROOT / 'dam_ros', into / 'dam_ros', ignore=shutil.ignore_patterns('__pycache__'))
    return into


def _pip_install(source: Path, into: Path) -> Path:
    """`pip install` of a source, without the registry."""
    subprocess.run([sys.executable, '-m', 'pip', 'install', '-q', '--no-deps', '--no-index', '--no-build-isolation',
                    '--target', into, source], check=True, timeout=120, capture_output=True)
    return into


@pytest.fixture(scope='module')
def by_pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('pip')
    return _pip_install(_source(folder / 'source'), folder / 'site')


@pytest.fixture(scope='module')
def by_colcon() -> Path:
    """The folder of the built package that is on the path."""
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    for prefix in filter(None, prefixes):
        for beside in Path(prefix).glob('**/site-packages/dam_ros/srv'):
            return beside.parent.parent
        for beside in Path(prefix).glob('**/dist-packages/dam_ros/srv'):
            return beside.parent.parent
    pytest.skip('the package is not built here')


def _python(code: str, *path: Path) -> subprocess.CompletedProcess:
    """Runs code away from the checkout with these folders first on the path."""
    rest = [one for one in os.environ.get('PYTHONPATH', '').split(os.pathsep) if one and 'dam_ros' not in one]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([*map(str, path), *rest]))
    return subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=60, cwd='/',
                          env=environment)


def _said(run: subprocess.CompletedProcess) -> str:
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_the_version_of_a_checkout_is_that_of_package_xml():
    assert _said(_python('import dam_ros; print(dam_ros.__version__)', ROOT)) == VERSION


def test_pip_brings_the_library_its_data_and_the_command_but_no_ros(by_pip: Path):
    code = ('import sys, dam_ros, dam_ros.core.regions, dam_ros.cli; '
            'print(dam_ros.__version__, dam_ros.__path__, "rclpy" in sys.modules, "torch" in sys.modules)')
    assert _said(_python(code, by_pip)) == f"{VERSION} ['{by_pip / 'dam_ros'}'] False False"
    assert (by_pip / 'bin' / 'dam-describe').is_file()
    files = [path for path in (ROOT / 'dam_ros').rglob('*') if path.is_file() and path.parent.name != '__pycache__']
    assert [one for one in files if not (by_pip / one.relative_to(ROOT)).is_file()] == []


def test_what_is_built_carries_the_version_and_the_interfaces(by_colcon: Path):
    code = ('import dam_ros; from dam_ros.srv import DescribeRegion; from dam_ros.action import Describe, Say; '
            'from dam_ros.msg import ErrorCode; import dam_ros.core.errors; print(dam_ros.__version__, ErrorCode.BUSY)')
    assert _said(_python(code, by_colcon)) == f'{VERSION} 10200'


@pytest.mark.parametrize('pip_first', [True, False])
def test_pip_and_colcon_in_one_environment(by_pip: Path, by_colcon: Path, pip_first: bool):
    path = [by_pip, by_colcon] if pip_first else [by_colcon, by_pip]
    code = ('import dam_ros, dam_ros.core; from dam_ros.srv import DescribeRegion; import dam_ros.nodes.player_node; '
            'print(dam_ros.__version__, dam_ros.core.__file__)')
    version, file = _said(_python(code, *path)).split()
    assert version == VERSION and Path(file).is_relative_to(path[0])


@pytest.mark.parametrize('older_first', [True, False])
def test_two_versions_refuse_to_mix_and_name_both_places(tmp_path: Path, by_pip: Path, older_first: bool):
    older = _pip_install(_source(tmp_path / 'source', '0.0.9'), tmp_path / 'site')
    path = [older, by_pip] if older_first else [by_pip, older]
    run = _python('import dam_ros', *path)
    assert run.returncode == 1
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith('ImportError: two versions of dam_ros')
    for place, version in ((older, '0.0.9'), (by_pip, VERSION)):
        assert f"{version} in {place / 'dam_ros'}" in last


def test_a_checkout_and_an_older_build_refuse_to_mix(tmp_path: Path, by_pip: Path):
    checkout = _source(tmp_path / 'source', '7.0.0')
    run = _python('import dam_ros', checkout, by_pip)
    assert run.returncode == 1 and '7.0.0' in run.stderr and VERSION in run.stderr


def test_a_folder_of_that_name_without_package_is_no_part_of_it(tmp_path: Path):
    (tmp_path / 'dam_ros' / 'core').mkdir(parents=True)   # a clone called dam_ros, seen from where it was cloned
    assert str(tmp_path) not in _said(_python('import dam_ros; print(dam_ros.__path__)', ROOT, tmp_path))


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.skipif(shutil.which('colcon') is None, reason='needs colcon')
def test_a_plain_colcon_build_is_whole_without_the_checkout(tmp_path: Path):
    """As on a robot: no --symlink-install, sourced, the source gone."""
    source = tmp_path / 'ws' / 'src' / 'dam_ros'
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns('.*', '__pycache__', 'demo-output', 'tests'))
    wheels = ['--cmake-args', f'-DCMAKE_PROJECT_INCLUDE={ROOT}/scripts/wheels.cmake'] if Path(
        sys.prefix, 'share', 'rclpy').is_dir() else []
    subprocess.run(['colcon', 'build', *wheels], cwd=tmp_path / 'ws', check=True, capture_output=True, timeout=500)
    shutil.rmtree(source)
    code = ('import dam_ros.core.errors; from dam_ros.action import Describe; import dam_ros.nodes.describe_node; '
            'print(dam_ros.__version__, dam_ros.__path__[0])')
    shell = ('. install/local_setup.bash && which dam-describe && cd install/dam_ros && '
             f'ls lib/dam_ros share/dam_ros/launch share/dam_ros/config && cd / && python3 -c "{code}"')
    run = subprocess.run(['bash', '-c', shell], cwd=tmp_path / 'ws', capture_output=True, text=True, timeout=60,
                         env={**os.environ, 'PYTHONPATH': ''} if wheels else None)
    assert run.returncode == 0, run.stderr
    install = tmp_path / 'ws' / 'install' / 'dam_ros'
    assert run.stdout.splitlines()[0] == str(install / 'bin' / 'dam-describe')
    assert {'describe_node', 'speech_node', 'player_node', 'dam.launch.py', 'dam.yaml', 'fastdds.xml'} <= set(
        run.stdout.split())
    version, path = run.stdout.splitlines()[-1].split()
    assert version == VERSION and path.startswith(str(install))
    assert [path for path in install.rglob('*') if path.is_symlink() and not path.exists()] == []


# --- what the files say about each other


def _declared(*kinds: str) -> set[str]:
    tree = ElementTree.parse(ROOT / 'package.xml')
    return {element.text for kind in kinds for element in tree.findall(kind)}


def test_every_interface_is_built():
    cmake = (ROOT / 'CMakeLists.txt').read_text(encoding='utf-8')
    files = {str(path.relative_to(ROOT)) for folder in ('msg', 'srv', 'action') for path in (ROOT / folder).iterdir()}
    assert set(re.findall(r'^  ((?:msg|srv|action)/\S+)$', cmake, re.MULTILINE)) == files


def test_what_cmake_finds_is_declared():
    found = set(re.findall(r'find_package\((\w+)', (ROOT / 'CMakeLists.txt').read_text(encoding='utf-8')))
    assert found <= _declared('depend', 'buildtool_depend', 'build_depend')


def _ros_imports() -> set[str]:
    names = set()
    for path in [*(ROOT / 'dam_ros').rglob('*.py'), *(ROOT / 'launch').glob('*.py')]:
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names.add(node.module.split('.')[0])
            elif isinstance(node, ast.Import):
                names.update(alias.name.split('.')[0] for alias in node.names)
    return {name for name in names if name.endswith(('_msgs', '_srvs', '_interfaces')) or name in ROS_OF_THE_DISTRO}


def test_ros_packages_that_are_imported_are_declared():
    imported = _ros_imports()
    assert 'sensor_msgs' in imported   # the search finds something
    assert imported <= _declared('depend', 'exec_depend')


def test_executables_are_executable_and_keep_the_active_interpreter():
    listed = re.findall(r'^  (scripts/\S+)$', (ROOT / 'CMakeLists.txt').read_text(encoding='utf-8'), re.MULTILINE)
    assert {Path(one).name for one in listed} == {'dam-describe', 'describe_node', 'player_node', 'speech_node'}
    for one in listed:
        assert os.access(ROOT / one, os.X_OK)
        assert (ROOT / one).read_text(encoding='utf-8').startswith('#!/usr/bin/env python3\n')
