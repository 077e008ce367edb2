"""What every test process needs before anything of ROS is imported: a domain and a log folder of its own.

LOCALHOST discovery does not keep two graphs on one machine apart, a domain does. Each pytest process (each xdist
worker) takes the first free number and holds it as a file lock, so several checkouts may test at once.
"""
from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
import fcntl
import os
from pathlib import Path
import re
import shutil
import tempfile
from typing import IO

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOMAINS = range(20, 101)   # above 101 a domain's ports reach into Linux's ephemeral ones
_LOCKS = Path(tempfile.gettempdir()) / f'dam_ros-tests-{os.getuid()}'
_held: list[IO] = []
_IMPORTS_ROS = re.compile(r'^\s*(?:import|from) (?:rclpy|ros_graph|\w+_msgs|dam_ros\.(?:nodes|msg|srv|action))\b',
                          re.MULTILINE)


def _open(name: str) -> IO:
    _LOCKS.mkdir(exist_ok=True)
    return open(_LOCKS / name, 'w')


def _claim_domain() -> int:
    for number in DOMAINS:
        file = _open(f'domain-{number}')
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            continue
        _held.append(file)
        return number
    raise RuntimeError(f'all ROS domains from {DOMAINS.start} to {DOMAINS.stop - 1} are in use by other test runs')


def _claim_environment() -> None:
    logs = tempfile.mkdtemp(prefix='dam_ros-logs-')
    atexit.register(shutil.rmtree, logs, ignore_errors=True)
    os.environ['HF_HOME'] = str(Path(logs, 'huggingface'))   # weights of whoever runs the tests would change `auto`
    for name in ('HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE'):
        os.environ.pop(name, None)
    os.environ['OMP_NUM_THREADS'] = '1'   # torch's threads wait for each other where others run: 0.2 s became 5 s
    os.environ['ROS_DOMAIN_ID'] = str(_claim_domain())
    os.environ['ROS_LOG_DIR'] = logs
    os.environ['XDG_STATE_HOME'] = str(Path(logs, 'state'))   # and what their speech_node remembers
    os.environ['SPEECHD_ADDRESS'] = f'unix_socket:{logs}/nobody'   # theirs would speak aloud
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    older = os.environ.get('ROS_DISTRO') in ('humble', 'iron', 'jazzy')   # Kilted warns where the older name is set
    name = 'FASTRTPS_DEFAULT_PROFILES_FILE' if older else 'FASTDDS_DEFAULT_PROFILES_FILE'
    os.environ[name] = str(_profile(Path(logs)))
    # Each process compiles what it imports where no bytecode may lie beside it: half a second for a node.
    os.environ.pop('PYTHONDONTWRITEBYTECODE', None)
    os.environ.setdefault('PYTHONPYCACHEPREFIX', str(_LOCKS / 'bytecode'))


def _profile(folder: Path) -> Path:
    """config/fastdds.xml for impatient peers: every other start is noticed only when those who were there before say
    again that they are there, which they do every 3 s."""
    often = '<leaseAnnouncement><sec>0</sec><nanosec>200000000</nanosec></leaseAnnouncement>'
    text = (ROOT / 'config' / 'fastdds.xml').read_text()
    assert text.count('<rtps>') == 1
    made = folder / 'fastdds.xml'
    made.write_text(text.replace('<rtps>', f'<rtps><builtin><discovery_config>{often}</discovery_config></builtin>'))
    return made


_claim_environment()


@contextmanager
def _machine(alone: bool) -> Iterator[None]:
    """Shared use of the machine, or all of it. The gate keeps new tests out while one waits for all of it."""
    with _open('gate') as gate, _open('machine') as machine:
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(machine, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(gate, fcntl.LOCK_UN)
        yield


@pytest.fixture(autouse=True)
def _share_the_machine(request: pytest.FixtureRequest) -> Iterator[None]:
    with _machine(alone=request.node.get_closest_marker('alone') is not None):
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file that imports something of ROS is one of its tests; nobody has to remember the marker."""
    speaks_ros = {path: _IMPORTS_ROS.search(path.read_text(encoding='utf-8')) for path in {item.path for item in items}}
    for item in items:
        if speaks_ros[item.path]:
            item.add_marker('ros')


@pytest.fixture(scope='session')
def root() -> Path:
    """The checkout."""
    return ROOT
