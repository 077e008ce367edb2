"""The nodes of the demo as processes over Fast DDS in a domain of their own, and their orderly end.

Every process it starts carries a mark in its environment. By that mark all of them are found again, those that they
started themselves too, so that nothing is left behind at the end. It does not know what the nodes do.
"""
from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
import ctypes
import importlib.util
import json
import os
from pathlib import Path
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid

from dam_ros.demo.plan import bundled

_MARK = 'DAM_ROS_DEMO'
_LAUNCH = 'ros2 launch'
_ENDED = re.compile(r'\[(\w+)-\d+\]: process has (?:finished|died \[pid \d+, exit code (-?\d+))')
_ORDERLY_S = 6.0     # for nodes to end by themselves
_NOTICE_S = 1.0      # how often their shared memory is looked up
_FORCED_S = 3.0      # for the system to bury what was killed
_LIBC, _PR_SET_PDEATHSIG = ctypes.CDLL(None), 1   # prctl(2)
_SHM = Path('/dev/shm')
_DDS_NAMES = ('fastrtps_', 'fastdds_', 'sem.fastrtps_', 'sem.fastdds_')


class NodeDied(Exception):
    """A node ended that should not. `str()` is its name, its exit code and its last words; `name`, `words` apart."""

    def __init__(self, name: str, code: int, words: str):
        super().__init__(f'{name} ended with code {code}: {words or "it said nothing"}')
        self.name, self.words = name, words


class Graph:
    """Attributes: namespace: of all nodes; domain: ROS_DOMAIN_ID; folder: for logs and files, gone after `stop`."""

    def __init__(self):
        self.namespace = f'/demo_{uuid.uuid4().hex[:8]}'
        self.domain = _free_domain()
        self.folder = Path(tempfile.mkdtemp(prefix='dam_ros-demo-'))
        self._token = uuid.uuid4().hex
        self._processes: dict[str, subprocess.Popen] = {}
        self._segments: set[Path] = set()
        self._noticed = 0.0
        distro = os.environ.get('ROS_DISTRO')
        older = distro in ('humble', 'iron', 'jazzy')   # newer Fast DDS warns where it meets the older name
        os.environ.update({
            'ROS_DOMAIN_ID': str(self.domain), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
            'RMW_IMPLEMENTATION': 'rmw_fastrtps_cpp', 'ROS_LOG_DIR': str(self.folder / 'log'),
            f'FAST{"RTPS" if older else "DDS"}_DEFAULT_PROFILES_FILE': str(bundled('config/fastdds.xml')),
            'PYTHONUNBUFFERED': '1', 'RCUTILS_COLORIZED_OUTPUT': '0'})
        if distro == 'humble':
            os.environ['ROS_LOCALHOST_ONLY'] = '1'   # what came before ROS_AUTOMATIC_DISCOVERY_RANGE

    def start(self, parameters: dict[str, dict]) -> str:
        """Starts the nodes that `parameters` names. Returns how, in words.

        Args:
            parameters: node name -> parameter -> value.
        """
        path = self.folder / 'parameters.yaml'
        path.write_text(''.join(_yaml(node, values) for node, values in parameters.items()), encoding='utf-8')
        rest = list(parameters)
        launched = _can_launch() and 'describe_node' in parameters
        if launched:
            rest = [name for name in rest if name not in ('describe_node', 'speech_node')]
            speech = 'true' if 'speech_node' in parameters else 'false'
            self._run(_LAUNCH, ['ros2', 'launch', 'dam_ros', 'dam.launch.py', f'namespace:={self.namespace}',
                                f'params_file:={path}', f'speech:={speech}'])
        for name in rest:
            self._run(name, [sys.executable, '-m', f'dam_ros.nodes.{name}', '--ros-args', '-r',
                             f'__ns:={self.namespace}', '-r', f'__node:={name}', '--params-file', str(path)])
        return 'ros2 launch and player_node' if launched else ', '.join(rest)

    def check(self, *names: str) -> None:
        """Raises NodeDied for a node (of these, or any) that has ended."""
        if time.monotonic() > self._noticed + _NOTICE_S:   # a node that is killed later can no longer be asked
            self._noticed = time.monotonic()
            self._notice_segments()
        ended = {name: process.returncode for name, process in self._processes.items() if process.poll() is not None}
        if _LAUNCH in self._processes:
            ended.update(self._ended_in_launch())
        for name, code in ended.items():
            if not names or name in names:
                raise NodeDied(name, code, self.last_words(name if name in self._processes else _LAUNCH))

    def _ended_in_launch(self) -> dict[str, int]:
        """Nodes that ros2 launch says have ended, with their exit codes; it does not end with them."""
        said = (self.folder / f'{_LAUNCH}.txt').read_text(encoding='utf-8', errors='replace')
        return {name: int(code or 0) for name, code in _ENDED.findall(said)}

    @property
    def names(self) -> list[str]:
        """Of the processes that were started."""
        return list(self._processes)

    def last_words(self, name: str) -> str:
        """The last lines a node wrote, as one."""
        lines = (self.folder / f'{name}.txt').read_text(encoding='utf-8', errors='replace').splitlines()
        return ' | '.join(line.strip() for line in lines[-6:] if line.strip())

    def stop(self, while_waiting: Callable[[], None] = lambda: None) -> list[str]:
        """Ends every process in order, by force where it must, and removes what they left.

        Called once, also where `start` was cut short, after the participants of this process were closed.

        Returns:
            The command lines of what had to be forced.
        """
        forced = []
        self._notice_segments()
        for process in self._processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGINT)   # to it alone: ros2 launch hands it on, twice would be force
        if not self._gone(_ORDERLY_S, while_waiting):
            forced = [_name_of(pid) for pid in self._alive()]
            for pid in self._alive():
                _kill(pid)
            self._gone(_FORCED_S, while_waiting)
        for process in self._processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(_FORCED_S)   # no zombie of it is left
        self._remove_segments()
        shutil.rmtree(self.folder, ignore_errors=True)
        return forced

    def _run(self, name: str, command: list[str]) -> None:
        with open(self.folder / f'{name}.txt', 'wb') as log:
            # A session of its own: Ctrl-C reaches this process alone, which then ends the others in order.
            self._processes[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, _MARK: self._token}, preexec_fn=_end_with_parent)

    def _alive(self) -> list[int]:
        return [pid for pid in _pids() if f'{_MARK}={self._token}'.encode() in _read(f'/proc/{pid}/environ')]

    def _gone(self, patience_s: float, while_waiting: Callable[[], None]) -> bool:
        until = time.monotonic() + patience_s
        while True:
            for process in self._processes.values():
                process.poll()   # buries it
            self._notice_segments()
            if not self._alive():
                return True
            if time.monotonic() > until:
                return False
            while_waiting()
            time.sleep(0.05)

    def _notice_segments(self) -> None:
        """Shared memory that our processes hold now; a process that is killed cannot remove its own."""
        for pid in self._alive():
            self._segments |= _held(pid)

    def _remove_segments(self) -> None:
        # What another process holds is not ours to remove. This one's participant has ended; Fast DDS keeps its maps.
        held = {path for pid in _pids() if pid != os.getpid() for path in _held(pid)}
        # With a segment go its lock (NAME_el) and the mutex of a port (sem.NAME_mutex). Ports carry their number, and
        # the number of the domain is in it: nobody else has this domain.
        ours = tuple(one.name for one in self._segments - held)
        ports = range(7400 + 250 * self.domain, 7400 + 250 * self.domain + 250)
        for path in set(_dds_files()) - held:
            if path.name.replace('sem.', '', 1).startswith(ours) or _port_of(path) in ports:
                path.unlink(missing_ok=True)


def _port_of(path: Path) -> int:
    found = re.search(r'port(\d+)', path.name)
    return int(found.group(1)) if found else -1


def _end_with_parent() -> None:
    """In the child: should the demo be killed, the child gets the SIGINT that the demo could not send."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _yaml(node: str, values: dict) -> str:
    lines = ''.join(f'    {name}: {json.dumps(value)}\n' for name, value in values.items())   # JSON is YAML
    return f'/**/{node}:\n  ros__parameters:\n{lines}' if values else ''


def _can_launch() -> bool:
    """ros2 launch is there, and so is our launch file."""
    if not shutil.which('ros2') or importlib.util.find_spec('ros2launch') is None:
        return False
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(':')
    return any((Path(one) / 'share' / 'dam_ros' / 'launch' / 'dam.launch.py').exists() for one in prefixes if one)


def _free_domain() -> int:
    """A domain in which no participant of this machine has the first ports (0..101: below the ephemeral ones)."""
    numbers = random.sample(range(1, 102), 101)
    for number in numbers:
        try:
            for port in (7410 + 250 * number, 7411 + 250 * number):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                    probe.bind(('', port))
            return number
        except OSError:
            continue
    return numbers[0]


def _pids() -> list[int]:
    return [int(one) for one in os.listdir('/proc') if one.isdigit()]


def _read(path: str) -> bytes:
    try:
        with open(path, 'rb') as file:
            return file.read()
    except OSError:   # it ended, or it is another user's
        return b''


def _name_of(pid: int) -> str:
    return _read(f'/proc/{pid}/cmdline').replace(b'\0', b' ').decode(errors='replace').strip() or str(pid)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _held(pid: int) -> set[Path]:
    """Files of Fast DDS in shared memory that a process has mapped or open."""
    words = {word.decode(errors='replace') for word in _read(f'/proc/{pid}/maps').split()
             if word.startswith(b'/dev/shm/')}
    try:
        words |= {os.readlink(one.path) for one in os.scandir(f'/proc/{pid}/fd')}
    except OSError:
        pass
    return {Path(one) for one in words if one.startswith('/dev/shm/') and Path(one).name.startswith(_DDS_NAMES)}


def _dds_files() -> list[Path]:
    return [path for path in _SHM.iterdir() if path.name.startswith(_DDS_NAMES)] if _SHM.is_dir() else []
