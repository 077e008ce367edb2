"""The demo from end to end: real nodes, real files, and nothing left behind however it ends."""
import json
import os
from pathlib import Path
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.srv', reason='needs the built package: ./dev test builds it')

from dam_ros.demo.plan import bundled   # noqa: E402
from dam_ros.demo.report import has_sound   # noqa: E402

pytestmark = pytest.mark.ros
DEMO = [sys.executable, '-m', 'dam_ros.demo']
SPEAKS = shutil.which('espeak-ng') is not None


class Run:
    """One run of the demo. A thread notes the shared memory of all its processes, known by a mark of ours."""

    def __init__(self, temporary, *arguments, **environment):
        self._mark = f'MARK_{uuid.uuid4().hex}'.encode()
        self._temporary = temporary
        self.process = subprocess.Popen([*DEMO, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, start_new_session=True, stdin=subprocess.DEVNULL,
                                        env={**os.environ, 'TEST_MARK': self._mark.decode(), 'TMPDIR': str(temporary),
                                             **environment})
        self.output, self._segments = '', set()
        self._reader, self._watcher = (threading.Thread(target=one, daemon=True) for one in (self._read, self._watch))
        self._reader.start()
        self._watcher.start()

    def _read(self):
        for line in self.process.stdout:
            self.output += line

    def _watch(self):
        while self.process.poll() is None:
            for pid in self.alive():
                maps = _bytes_of(f'/proc/{pid}/maps').decode(errors='replace')
                self._segments |= set(re.findall(r'/dev/shm/fast\w+_[0-9a-f]{8,}', maps))
            time.sleep(0.05)

    def alive(self):
        """Processes of this run, except the demo itself."""
        return [int(pid) for pid in os.listdir('/proc') if pid.isdigit() and int(pid) != self.process.pid
                and self._mark in _bytes_of(f'/proc/{pid}/environ')]

    def until_says(self, words, patience_s=60.0):
        until = time.monotonic() + patience_s
        while words not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < until, self.output
            time.sleep(0.02)

    def wait(self, patience_s=90.0):
        code = self.process.wait(patience_s)
        self._reader.join(5)
        self._watcher.join(5)
        return code

    def left_behind(self):
        """Processes, shared memory and temporary files that should be gone."""
        found = re.search(r'ROS domain (\d+)', self.output)
        first = 7400 + 250 * int(found.group(1)) if found else 0
        ports = [name for name in os.listdir('/dev/shm') for port in re.findall(r'port(\d+)', name)
                 if first and first <= int(port) < first + 250]
        return [*self.alive(), *(one for one in self._segments if os.path.exists(one)), *ports,
                *self._temporary.iterdir()]


def _bytes_of(path):
    try:
        return Path(path).read_bytes()
    except OSError:
        return b''


@pytest.fixture
def start(tmp_path):
    runs = []
    (tmp_path / 'tmp').mkdir()

    def begin(*arguments, **environment):
        runs.append(Run(tmp_path / 'tmp', *arguments, **environment))
        return runs[-1]

    yield begin
    for run in runs:
        if run.process.poll() is None:
            run.process.kill()
        for pid in run.alive():   # only after a failure
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def two_photos(tmp_path):
    folder = tmp_path / 'photos'
    folder.mkdir()
    for name in ('cat', 'coffee'):
        for suffix in ('.jpg', '.labels.png'):
            shutil.copy(bundled('examples/photos') / (name + suffix), folder)
    return folder


def test_every_region_is_described_and_every_file_is_real(start, two_photos, tmp_path):
    out = tmp_path / 'out'
    run = start('--photos', two_photos, '--out', out, '--describer', 'attributes')
    assert run.wait() == 0, run.output
    rows = json.loads((out / 'descriptions.json').read_text(encoding='utf-8'))
    expected = [(f'{name}.jpg', int(label)) for name in ('cat', 'coffee') for label in
                np.unique(cv2.imread(str(two_photos / f'{name}.labels.png'), cv2.IMREAD_UNCHANGED)) if label]
    assert [(row['photo'], row['label']) for row in rows] == expected
    for row in rows:
        labels = cv2.imread(str(two_photos / row['photo'].replace('.jpg', '.labels.png')), cv2.IMREAD_UNCHANGED)
        y, x = np.nonzero(labels == row['label'])
        assert row['box'] == [x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1]
        assert row['area_fraction'] == pytest.approx(len(x) / labels.size, abs=1e-4)
        assert row['describer'] == 'attributes'
        assert row['milliseconds'] > 0
        assert 0 < len(row['brief'].split()) <= 12
        assert has_sound(out / row['wav']) if SPEAKS else row['wav'] == ''
        photo, drawn = (cv2.imread(str(path)) for path in (two_photos / row['photo'], out / row['picture']))
        inside = (labels == row['label']).astype(np.uint8)
        edge = (inside - cv2.erode(inside, np.ones((3, 3)))).astype(bool)
        assert np.abs(drawn[:photo.shape[0]][edge].astype(int) - photo[edge]).mean() > 20
    assert (out / 'index.html').read_text(encoding='utf-8').count('<li>') == len(rows)
    assert run.left_behind() == []


def test_a_box_of_ones_own_photo_keeps_its_place_where_the_player_sends_it_smaller(start, tmp_path):
    photo = np.full((1200, 2560, 3), (40, 160, 40), np.uint8)   # BGR: green
    photo[400:800, 1600:2200] = (200, 60, 30)                    # a blue block
    cv2.imwrite(str(tmp_path / 'big.png'), photo)
    run = start('--image', tmp_path / 'big.png', '--box', 1560, 360, 700, 480, '--out', tmp_path / 'out', '--no-speech')
    assert run.wait() == 0, run.output
    row, = json.loads((tmp_path / 'out' / 'descriptions.json').read_text(encoding='utf-8'))
    assert row['image_size'] == [1280, 600]
    np.testing.assert_allclose(row['box'], [800, 200, 300, 200], atol=25)   # in the picture as it was sent
    assert 'blue' in row['text']
    assert row['wav'] == ''
    assert run.left_behind() == []


def test_without_a_voice_there_is_text(start, two_photos, tmp_path):
    for name in ('coffee.jpg', 'coffee.labels.png'):
        (two_photos / name).unlink()
    nothing = tmp_path / 'bin'
    nothing.mkdir()
    run = start('--photos', two_photos, '--out', tmp_path / 'out', PATH=str(nothing))
    assert run.wait() == 0, run.output
    assert 'Without speech: no voice works here' in run.output
    rows = json.loads((tmp_path / 'out' / 'descriptions.json').read_text(encoding='utf-8'))
    assert rows
    assert all(row['text'] and not row['wav'] for row in rows)
    assert 'Without speech' in (tmp_path / 'out' / 'index.html').read_text(encoding='utf-8')


def test_a_describer_that_cannot_be_made_is_named_and_nothing_is_left(start, two_photos, tmp_path):
    run = start('--photos', two_photos, '--out', tmp_path / 'out', '--describer', 'no.such:thing', '--no-speech')
    assert run.wait() == 1, run.output
    assert 'no.such:thing' in run.output.splitlines()[-1]
    assert run.left_behind() == []


@pytest.mark.parametrize(('arguments', 'words'), [
    (['--describer', 'nobody'], "describer is 'nobody'"),
    (['--image', 'gone.jpg'], 'a file that exists'),
    (['--box', '1', '1', '5', '5'], 'together with --image'),
    (['--photos', 'gone'], 'a folder with pictures'),
    (['--timeout', '0'], '--timeout is 0.0'),
    (['--out', '/proc/none'], '--out'),
])
def test_bad_input_is_one_line_before_anything_is_started(start, arguments, words):
    run = start(*arguments)
    assert run.wait(30) == 2
    assert words in run.output
    assert len(run.output.splitlines()) == 1


@pytest.mark.parametrize('moment', [' of 2 photographs', 'started', 'loading', '[2/2]'])
def test_ctrl_c_leaves_nothing(start, two_photos, tmp_path, moment):
    run = start('--photos', two_photos, '--out', tmp_path / 'out')
    run.until_says(moment)
    interrupt(run)


def interrupt(run, number=signal.SIGINT):
    """A second Ctrl-C by an impatient person changes nothing."""
    began = time.monotonic()
    run.process.send_signal(number)
    time.sleep(0.1)
    run.process.send_signal(number)
    assert run.wait(20) in (130, 0)   # 0: it was just done
    assert time.monotonic() - began < 12
    assert run.left_behind() == []
    assert 'Traceback' not in run.output


def test_when_the_demo_is_killed_its_nodes_end(start, two_photos, tmp_path):
    run = start('--photos', two_photos, '--out', tmp_path / 'out')
    run.until_says('loading')
    assert run.alive()
    run.process.kill()
    until = time.monotonic() + 15
    while run.alive():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.soak
@pytest.mark.parametrize('seed', range(20))
def test_ctrl_c_at_any_moment_leaves_nothing(start, two_photos, tmp_path, seed):
    chance = random.Random(seed)
    run = start('--photos', two_photos, '--out', tmp_path / 'out')
    run.until_says(' of 2 photographs')
    time.sleep(chance.uniform(0, 7))
    if run.process.poll() is None:
        interrupt(run, chance.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP]))
