"""./dev: its commands, and what it says and does on machines that are not like this one (bash with stand-ins)."""
from __future__ import annotations

import os
from pathlib import Path
import re
import shutil
import signal
import subprocess
import sys
import time

import hub_server
import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent
inside = pytest.mark.skipif('DAM_DEV_INSIDE' not in os.environ, reason='not started by ./dev: it would set up first')


def _dev(*arguments: str, script: Path = ROOT / 'dev', **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run([script, *arguments], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                          env={**os.environ, **environment})


def _stand_in(folder: Path, name: str, body: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f'#!/bin/bash\n{body}\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def outside() -> dict[str, str]:
    """An environment in which no ROS is sourced and ./dev is not running."""
    ros = ('ROS_DISTRO', 'AMENT_PREFIX_PATH', 'DAM_', '_ROS_WHEELS')
    return {name: value for name, value in os.environ.items() if not name.startswith(ros)}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the script in which nothing is set up yet."""
    (tmp_path / 'clone' / 'scripts').mkdir(parents=True)
    shutil.copy(ROOT / 'dev', tmp_path / 'clone')
    shutil.copy(ROOT / 'scripts' / 'environment.bash', tmp_path / 'clone' / 'scripts')
    shutil.copytree(ROOT / 'requirements', tmp_path / 'clone' / 'requirements')
    return tmp_path / 'clone'


def _bash(checkout: Path, code: str, environment: dict[str, str],
          path: Path | None = None) -> subprocess.CompletedProcess:
    """Code that runs with the functions of scripts/environment.bash; `path` hides all other programs."""
    lines = f"""
        set -euo pipefail
        ROOT={checkout} PLACE={checkout}/place COMMAND=demo
        mkdir -p "$PLACE/log" "$PLACE/stamps"
        say() {{ echo "$*" >&2; }}
        die() {{ echo "dev: $*" >&2; exit 1; }}
        step() {{ echo "STEP $*"; }}
        . "$ROOT/scripts/environment.bash"
        {f'PATH={path}' if path else ''}
        {code}
    """
    return subprocess.run(['bash', '-c', lines], capture_output=True, text=True, timeout=30, env=environment)


# --- commands


def test_help_names_every_command():
    run = _dev('help')
    handled = [line.strip().split(')')[0].split(' |')[0] for line in (ROOT / 'dev').read_text().splitlines()
               if line.startswith('    ') and line.strip().split(' ')[0].endswith(')') and line.strip()[0].isalpha()]
    assert {'demo', 'weights', 'test', 'soak', 'bench', 'lint', 'run', 'shell', 'clean'} <= set(handled)
    for command in set(handled) - {'help'}:
        assert f'\n  {command}' in run.stdout
    assert run.returncode == 0


@pytest.mark.parametrize(('arguments', 'words'), [
    (['dance'], "no command 'dance'"), (['run'], 'run what?'), (['weights'], './dev weights nvidia/DAM-3B')])
def test_what_cannot_be_done_is_one_line(arguments: list[str], words: str):
    run = _dev(*arguments)
    assert run.returncode == 1 and run.stderr.strip().splitlines()[-1].startswith('dev: ')
    assert words in run.stderr


@inside
def test_inside_of_itself_it_finds_the_same_environment():
    assert _dev('run', 'python', '-c', 'import sys; print(sys.prefix)').stdout.strip() == sys.prefix


@inside
@pytest.mark.alone
def test_the_second_time_it_needs_neither_network_nor_three_seconds():
    _dev('run', 'true')
    begun = time.monotonic()
    run = _dev('run', 'true', PIP_NO_INDEX='1', http_proxy='http://127.0.0.1:9', https_proxy='http://127.0.0.1:9')
    assert run.returncode == 0 and run.stderr == ''
    assert time.monotonic() - begun < 3


@inside
def test_weights_that_are_there_are_found_and_wrong_ones_told(tmp_path: Path):
    run = _dev('weights', '--check', 'nvidia/DAM-3B', HF_HOME=str(tmp_path))
    assert run.returncode == 1 and 'get the weights with `./dev weights nvidia/DAM-3B`' in run.stderr
    folder = hub_server.write(tmp_path / 'mine', hub_server.checkpoint())
    run = _dev('weights', '--check', str(folder))
    assert (run.returncode, run.stdout.strip()) == (0, str(folder))


# --- other machines


def test_an_unknown_distro_is_refused_by_name(checkout: Path, outside: dict[str, str]):
    run = _bash(checkout, 'choose_ros', {**outside, 'DAM_ROS_DISTRO': 'foxy'})
    assert run.returncode == 1 and "DAM_ROS_DISTRO is 'foxy'; allowed" in run.stderr


def test_a_sourced_distro_is_used_and_not_mixed(checkout: Path, outside: dict[str, str]):
    sourced = {**outside, 'ROS_DISTRO': 'humble', 'AMENT_PREFIX_PATH': '/opt/ros/humble'}
    assert _bash(checkout, 'choose_ros; echo $KIND $DISTRO', sourced).stdout == 'sourced humble\n'
    run = _bash(checkout, 'choose_ros', {**sourced, 'DAM_ROS_DISTRO': 'jazzy'})
    assert run.returncode == 1 and 'humble is sourced, but DAM_ROS_DISTRO is jazzy' in run.stderr


def test_on_arm_without_ros_it_says_what_to_do(checkout: Path, outside: dict[str, str], tmp_path: Path):
    tools = _stand_in(tmp_path / 'tools', 'uname', 'echo Linux aarch64').parent
    run = _bash(checkout, 'choose_ros', outside, tools)
    assert run.returncode == 1
    assert 'x86_64 only (this is Linux aarch64)' in run.stderr
    assert 'source /opt/ros/<distro>/setup.bash && ./dev demo' in run.stderr


def test_without_rights_it_prints_the_line_to_type(checkout: Path, outside: dict[str, str], tmp_path: Path):
    tools = _stand_in(tmp_path / 'tools', 'id', 'echo 1000').parent
    _stand_in(tools, 'apt-get', 'exit 1')
    _stand_in(tools, 'sudo', 'exit 1')   # asks for a password
    run = _bash(checkout, 'install_system g++ espeak-ng', outside, tools)
    assert run.returncode == 1
    assert "sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends g++ espeak-ng'" in run.stderr


def test_with_rights_it_installs(checkout: Path, outside: dict[str, str], tmp_path: Path):
    tools = _stand_in(tmp_path / 'tools', 'id', 'echo 0').parent
    for name, body in (('apt-get', 'exit 0'), ('mkdir', 'exit 0')):
        _stand_in(tools, name, body)
    run = _bash(checkout, 'install_system make', outside, tools)
    assert run.returncode == 0 and 'apt-get install -y --no-install-recommends make' in run.stdout


@pytest.mark.parametrize('version', ['3.9', '3.14'])
def test_a_python_without_wheels_is_passed_over(checkout: Path, outside: dict[str, str], tmp_path: Path, version: str):
    """The probe runs under an interpreter that claims another version."""
    tools = _stand_in(tmp_path / 'tools', 'odd-python',
                      f'exec {sys.executable} -c "import sys; sys.version_info = ({version.replace(".", ",")}, 0); '
                      'exec(sys.stdin.read())" "${@:2}"').parent
    run = _bash(checkout, 'KIND=wheels; find_python && echo "found $PYTHON_VERSION"', {
        **outside, 'DAM_PYTHON': str(tools / 'odd-python')})
    assert 'found' not in run.stdout
    run = _bash(checkout, 'KIND=wheels; find_python && echo "found $PYTHON_VERSION"', {
        **outside, 'DAM_PYTHON': sys.executable})
    assert run.stdout == f'found {sys.version_info.major}.{sys.version_info.minor}\n'


# --- torch


def _torch(checkout: Path, environment: dict[str, str], has_torch: bool, has_nvidia: bool) -> list[str]:
    """The arguments with which pip is called."""
    venv = checkout / 'place' / 'venv' / 'bin'
    venv.mkdir(parents=True)
    _stand_in(venv, 'python', 'case "$2" in *version*) echo 1.2.3+mine ;; esac' if has_torch else 'exit 1')
    run = _bash(checkout, f'has_nvidia() {{ {"true" if has_nvidia else "false"}; }}\n'
                          'venv_pip() { echo "pip $*"; }\ninstall_torch', environment)
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_a_torch_that_is_there_is_kept(checkout: Path, outside: dict[str, str]):
    arguments = _torch(checkout, outside, has_torch=True, has_nvidia=True)
    assert [one for one in arguments if one.startswith('torch')] == []
    assert (checkout / 'place' / 'constraints.txt').read_text() == 'torch==1.2.3+mine\n'
    beside = (checkout / 'place' / 'beside-torch.txt').read_text().splitlines()
    assert [line for line in beside if line.startswith('torch')] == []


@pytest.mark.parametrize(('has_nvidia', 'suffix'), [(True, ''), (False, '+cpu')])
def test_torch_is_the_build_for_the_machine(checkout: Path, outside: dict[str, str], has_nvidia: bool, suffix: str):
    arguments = _torch(checkout, outside, has_torch=False, has_nvidia=has_nvidia)
    lines = (ROOT / 'requirements' / 'dam.txt').read_text().splitlines()
    pinned = next(line for line in lines if line.startswith('torch=='))
    assert [one for one in arguments if one.startswith('torch')] == [pinned + suffix]


def test_tests_go_on_without_torch_but_dam_does_not(checkout: Path, outside: dict[str, str]):
    """A machine that cannot have torch ran no tests at all."""
    code = """
        ENVIRONMENT=1
        step() { if [ -n "${MAY_FAIL:-}" ]; then return 1; fi; die "that failed ($1)"; }
        need_%s
        echo went on"""
    run = _bash(checkout, code % 'torch_or_not', outside)
    assert run.stdout == 'went on\n' and 'without torch the tests of the model are skipped' in run.stderr
    assert not (checkout / 'place' / 'stamps' / 'dam').exists()   # tried again the next time
    run = _bash(checkout, code % 'torch', outside)
    assert run.returncode == 1 and run.stdout == ''


def test_tests_can_do_without_torch(checkout: Path, outside: dict[str, str]):
    code = 'step() { echo "STEP $*"; }; ENVIRONMENT=1; need_torch_or_not; echo went on'
    assert _bash(checkout, code, {**outside, 'DAM_WITHOUT_TORCH': '1'}).stdout == 'went on\n'
    assert 'STEP torch' in _bash(checkout, code, outside).stdout


def test_a_jetson_is_not_given_a_torch_without_gpu(checkout: Path, outside: dict[str, str]):
    code = """
        mkdir -p "$PLACE/venv/bin"; ln -s /bin/false "$PLACE/venv/bin/python"
        [() { if [ "${2:-}" = /etc/nv_tegra_release ]; then return 0; fi; builtin [ "$@"; }
        venv_pip() { echo "pip $*"; }
        install_torch"""
    run = _bash(checkout, code.replace('if [ ', 'if builtin [ '), outside)
    assert run.returncode == 1 and "pip's does not use a Jetson's GPU" in run.stdout and 'pip install' not in run.stdout


def _wants_torch(arguments: str, home: Path) -> bool:
    function = (ROOT / 'dev').read_text().split('wants_torch() {')[1].split('\n}\n')[0]
    code = f'python() {{ {sys.executable} "$@"; }}\nwants_torch() {{{function}\n}}\nwants_torch {arguments}'
    return subprocess.run(['bash', '-c', code], timeout=10, cwd=ROOT, env={**os.environ, 'HF_HOME': str(home)}
                          ).returncode == 0


@pytest.mark.parametrize(('arguments', 'wants'), [
    ('--describer dam', True), ('--describer=dam --no-speech', True), ('--describer attributes', False),
    ('--out dam', False), ('', False), ('--model {folder}', True), ('--model={folder} --describer auto', True),
    ('--model {folder} --describer attributes', False), ('--model /no/such', False)])
def test_only_dam_wants_torch(arguments: str, wants: bool, tmp_path: Path):
    folder = hub_server.write(tmp_path / 'mine', hub_server.checkpoint())
    assert _wants_torch(arguments.format(folder=folder), tmp_path / 'home') is wants


def test_what_is_claimed_to_be_enough_is_what_ci_tries():
    """torch apart: its oldest version cannot be had everywhere."""
    claimed = dict(re.findall(r"'([a-z-]+)>=([0-9.]+)'", re.search(
        r"'dam': \[(.*?)\]", (ROOT / 'setup.py').read_text(), re.DOTALL).group(1)))
    tried = {}
    for line in (ROOT / 'requirements' / 'oldest.txt').read_text().splitlines():
        if found := re.match(r'([A-Za-z_-]+)==([0-9.]+)', line):
            tried.setdefault(found.group(1).replace('_', '-'), found.group(2))
    claimed.pop('torch')
    assert len(claimed) == 5 and claimed == {name: '.'.join(tried[name].split('.')[:version.count('.') + 1])
                                             for name, version in claimed.items()}


def test_on_kilted_ci_tries_all_that_differs_between_distros():
    """A positive list grows short unseen."""
    lines = (ROOT / '.ci' / 'run').read_text().split('ON_KILTED=(')[1].split('\n\n')[0]
    run = subprocess.run(['bash', '-c', f'ON_KILTED=({lines}\nprintf "%s\n" "${{ON_KILTED[@]}}"'], cwd=ROOT,
                         capture_output=True, text=True, check=True, timeout=10)
    names = [one.partition('::') for one in run.stdout.split()]
    texts = {name: (ROOT / name).read_text() for name, _, _ in names}
    assert all(f'def {test}(' in texts[name] for name, _, test in names if test)
    rigs = ''.join((ROOT / 'tests' / name).read_text() for name in ('ros_graph.py', 'speech_graph.py'))
    kinds = [path.stem for folder in ('srv', 'action') for path in (ROOT / folder).iterdir()]
    assert len(kinds) == 6 and all(re.search(rf'\b{one}\b', rigs + ''.join(texts.values())) for one in kinds)
    words = {*(path.name for path in (ROOT / 'scripts').glob('*_node')), 'use_sim_time', 'lifecycle', 'goal', 'cancel',
             'CompressedImage', 'best_effort', 'durability', 'diagnostics', 'parameter', 'namespace'}
    assert len(words) == 13 and all(one in ''.join(texts.values()) for one in words)


# --- ending


@pytest.mark.parametrize('signal_number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_setup_leaves_no_process(checkout: Path, outside: dict[str, str], tmp_path: Path,
                                                 signal_number: int):
    """Ctrl-C reached the script but not the pip it had started in a group of its own."""
    python = _stand_in(tmp_path / 'tools', 'slow-python', f"""
        case "$1" in
            -) echo '3.11 - {tmp_path}/tools/slow-python' ;;
            -m) sleep 1000 & echo $! >{tmp_path}/pid; wait ;;
        esac""")
    process = subprocess.Popen([checkout / 'dev', 'run', 'true'], env={**outside, 'DAM_PYTHON': str(python)},
                               stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    sleeper = _wait_for(lambda: psutil.Process(int((tmp_path / 'pid').read_text())))
    process.send_signal(signal_number)
    assert process.wait(10) == 128 + signal_number
    gone, alive = psutil.wait_procs([sleeper], timeout=5)
    process.stderr.close()
    assert alive == []


def test_a_failing_step_shows_the_end_of_its_log(checkout: Path, outside: dict[str, str], tmp_path: Path):
    python = _stand_in(tmp_path / 'tools', 'broken-python', f"""
        case "$1" in
            -) echo '3.11 - {tmp_path}/tools/broken-python' ;;
            -m) echo 'no space left on device'; exit 1 ;;
        esac""")
    run = _dev('run', 'true', script=checkout / 'dev', **{**dict.fromkeys(set(os.environ) - set(outside), ''),
                                                         'DAM_PYTHON': str(python)})
    assert run.returncode == 1
    assert 'no space left on device' in run.stderr and 'The whole log: ' in run.stderr


def _wait_for(found, timeout_s: float = 10):
    """The first result that comes without an error."""
    end = time.monotonic() + timeout_s
    while True:
        try:
            return found()
        except (OSError, ValueError, psutil.Error):
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
