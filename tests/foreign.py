"""Others on the graph whose interfaces are not everywhere: processes that have the packages of tests/interfaces.

    with Other(served.namespace) as other:
        other.send('vision_msgs/msg/Detection2DArray', 'detections', {'detections': [...]})

A distro that has them is used as it is; else they are where `./dev test` built them, on nobody's path but theirs.
"""
from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest

_BUILT = os.environ.get('DAM_TEST_INTERFACES', '')
PACKAGES = ('foxglove_msgs', 'vision_msgs', 'yolo_msgs')


def _found(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _python_path(prefix: str) -> list[str]:
    return [str(one.parent) for package in PACKAGES for one in Path(prefix).glob(f'**/*-packages/{package}')]


def environment(*packages: str) -> dict[str, str]:
    """What a process needs besides ours to have these packages, {} where it has them anyhow or they are not built."""
    if not _BUILT or all(map(_found, packages)):
        return {}

    def before(name: str, *folders: str) -> str:
        return os.pathsep.join([*dict.fromkeys(folders), *filter(None, [os.environ.get(name)])])

    return {'AMENT_PREFIX_PATH': before('AMENT_PREFIX_PATH', _BUILT),
            'LD_LIBRARY_PATH': before('LD_LIBRARY_PATH', f'{_BUILT}/lib'),
            'PYTHONPATH': before('PYTHONPATH', *_python_path(_BUILT))}


def needs(*packages: str) -> pytest.MarkDecorator:
    """Skips where they are neither installed nor built."""
    lacking = [one for one in packages if not _found(one) and not list(Path(_BUILT or '.').glob(f'share/{one}'))]
    return pytest.mark.skipif(bool(lacking), reason=f'{", ".join(lacking)}: neither installed nor built; ./dev test '
                              'builds them, without DAM_WITHOUT_INTERFACES')


def only_without(*packages: str) -> pytest.MarkDecorator:
    """Skips where one of them is installed for everybody."""
    installed = [one for one in packages if _found(one)]
    return pytest.mark.skipif(bool(installed), reason=f'{", ".join(installed)}: installed here')


class Other:
    """A node of somebody else in a process of its own. It answers when what it was told is done."""

    def __init__(self, namespace: str, *packages: str):
        self._child = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name('foreign_process.py')), namespace], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **environment(*packages or PACKAGES)})
        assert self._child.stdout.readline() == 'there\n'

    def __enter__(self) -> Other:
        return self

    def __exit__(self, *error: object) -> None:
        self._child.stdin.close()
        self._child.wait(10.0)

    def send(self, kind: str, topic: str, message: dict[str, Any], latched: bool = False) -> None:
        """Publishes a message of a type such as 'yolo_msgs/msg/DetectionArray', given as nested dictionaries."""
        self._tell(do='send', kind=kind, topic=topic, message=message, latched=latched)

    def stop(self, topic: str) -> None:
        """Publishes on a topic no more."""
        self._tell(do='stop', topic=topic)

    def _tell(self, **words: Any) -> None:
        self._child.stdin.write(json.dumps(words) + '\n')
        self._child.stdin.flush()
        assert self._child.stdout.readline() == 'done\n'
