"""A reader of the README: starts its nodes as `ros2 run` would, and calls them with messages made from YAML.

Used by test_readme.py. It asserts only what cannot be tried otherwise.
"""
from __future__ import annotations

import array
from collections.abc import Callable
import importlib
import os
from pathlib import Path
import re
import shutil
import signal
import subprocess
import time
from typing import Any

import rclpy
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor

from documents import ROOT

PATIENCE_S = 30.0
SPEAKS = shutil.which('espeak-ng') is not None


class Robot:
    """The README's nodes as processes, and a client."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._processes, self._logs = [], []
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self.node = rclpy.create_node('reader', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)

    def start(self, words: list[str]) -> None:
        """As `ros2 run` does: the installed executable."""
        _, _, package, executable, *rest = words
        found = [Path(one) / 'lib' / package / executable for one in os.environ['AMENT_PREFIX_PATH'].split(':')]
        program = next(one for one in found if one.exists())
        if executable == 'speech_node':   # nobody's loudspeaker
            voice = ['-p', 'voice:=wav', '-p', 'wav_mode:=files', '-p', f'wav_dir:={self.folder / "wav"}']
            rest += [] if '--ros-args' in rest else ['--ros-args']
            rest += voice if SPEAKS else ['-p', 'voice:=silent']
        self._logs.append(self.folder / f'{executable}.txt')
        with open(self._logs[-1], 'wb') as log:
            self._processes.append(subprocess.Popen([program, *rest], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log,
                                                    stderr=log, start_new_session=True))

    def stop(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGINT)
        for process in self._processes:
            try:
                process.wait(10.0)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(5.0)
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        end_s = time.monotonic() + PATIENCE_S
        while not (value := condition()):
            if time.monotonic() > end_s:
                logs = '\n'.join(one.read_text(errors='replace') for one in self._logs)
                raise AssertionError(f'not within {PATIENCE_S:g} s: {what}\n{logs[-3000:]}')
            self._executor.spin_once(0.02)
        return value

    def call(self, kind: Any, name: str, request: Any) -> Any:
        client = self.node.create_client(kind, name)
        try:
            self.until(client.service_is_ready, f'service {name}')
            future = client.call_async(request)
            self.until(future.done, f'answer of {name}')
            return future.result()
        finally:
            self.node.destroy_client(client)

    def act(self, kind: Any, name: str, goal: Any) -> tuple[int, Any, int]:
        """(status, result, how many feedback messages came)."""
        fed: list[Any] = []
        client = ActionClient(self.node, kind, name)
        try:
            self.until(client.server_is_ready, f'action {name}')
            sent = client.send_goal_async(goal, feedback_callback=fed.append)
            self.until(sent.done, f'{name} takes the goal')
            outcome = sent.result().get_result_async()
            self.until(outcome.done, f'result of {name}')
            return outcome.result().status, outcome.result().result, len(fed)
        finally:
            client.destroy()


def type_of(name: str) -> Any:
    """The class of 'dam_ros/srv/DescribeRegion'."""
    package, kind, cls = name.split('/')
    return getattr(importlib.import_module(f'{package}.{kind}'), cls)


def fill(message: Any, values: dict[str, Any]) -> Any:
    """Sets fields from YAML, as strictly as the field types are."""
    types = message.get_fields_and_field_types()
    for name, value in values.items():
        assert name in types, f'{type(message).__name__} has no field {name}'
        setattr(message, name, _as(getattr(message, name), types[name], value, name))
    return message


def _as(old: Any, type_name: str, value: Any, name: str) -> Any:
    if isinstance(old, array.array):
        return array.array(old.typecode, value)
    if isinstance(old, list) and '/' in type_name:
        package, cls = re.search(r'<(\w+)/(\w+)', type_name).groups()
        return [fill(type_of(f'{package}/msg/{cls}')(), one) for one in value]
    if isinstance(value, dict):
        return fill(old, value)
    if isinstance(old, float) and type(value) is int:
        return float(value)
    assert isinstance(value, type(old)), f'{name} is {value!r}, not {type(old).__name__}'
    return value
