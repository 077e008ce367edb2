"""describe_node started with parameters that cannot be: clear words and exit code 2, never a traceback."""
from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

pytestmark = pytest.mark.ros
NODE = [sys.executable, '-m', 'dam_ros.nodes.describe_node', '--ros-args', '-r', f'__ns:=/start_{os.getpid()}']


def started(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([*NODE, *arguments], capture_output=True, text=True, timeout=60,
                          cwd=tempfile.gettempdir(), stdin=subprocess.DEVNULL)


@pytest.mark.parametrize(('given', 'words'), [
    ('queue:=0', ['queue is 0', 'from 1 to 1024']),
    ('queue:=many', ["queue is 'many'", 'a whole number']),
    ('queue:=2.5', ['queue is 2.5', 'a whole number']),
    ('default_timeout_s:=1000.0', ['default_timeout_s is 1000.0', '0.05 to 600 (s)']),
    ('autostart:=1', ['autostart is 1', 'true or false']),
    ('image_transport:=h264', ["image_transport is 'h264'", "'raw', 'compressed'"]),
    ('cameras:=front', ["cameras is 'front'", 'a list of texts']),
    ('ring_s:=.nan', ['ring_s is nan']),
    ('descriptor:=x', ["there is no parameter 'descriptor'", 'did you mean']),
    ('zzz:=1', ["there is no parameter 'zzz'", 'docs/parameters.md']),
])
def test_a_start_value_that_cannot_be_is_one_line_and_exit_code_2(given, words):
    done = started('-p', given)
    assert done.returncode == 2
    assert [one for one in words if one not in done.stderr] == [], done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_all_mistakes_are_named_together():
    done = started('-p', 'queue:=0', '-p', 'ring_s:=-1.0', '-p', 'quue:=3')
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    assert 'did you mean queue?' in done.stderr


def test_a_number_without_a_point_is_taken_for_a_float(tmp_path):
    """`-p ring_s:=3` is what people type; with it the bad value is named, not this one."""
    done = started('-p', 'ring_s:=3', '-p', 'queue:=0')
    assert 'ring_s' not in done.stderr
    assert 'queue is 0' in done.stderr


def test_a_file_of_parameters_is_checked_as_well(tmp_path):
    file = tmp_path / 'bad.yaml'
    file.write_text('/**:\n  ros__parameters:\n    looks: 0\n')
    done = started('--params-file', str(file))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert 'looks is 0' in done.stderr


def test_an_option_that_ros_does_not_know_is_no_traceback():
    done = started('-p', 'queue')
    assert done.returncode != 0
    assert 'Traceback' not in done.stderr, done.stderr
