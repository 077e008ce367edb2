"""Detail READ through a real node: what is read, what is refused, and that it stops. test_reading.py has the reader."""
from __future__ import annotations

import os
from pathlib import Path
import shutil
import stat
import time

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')
pytest.importorskip('PIL', reason='needs Pillow')

from ros_graph import as_bytes, box, picture, serving  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
import signs  # noqa: E402

from dam_ros.msg import ErrorCode, Region  # noqa: E402

pytestmark = pytest.mark.ros
needs_tesseract = pytest.mark.skipif(shutil.which('tesseract') is None, reason='needs tesseract: sudo apt-get install '
                                     'tesseract-ocr')
READ = 3


def message_of(pixels: np.ndarray) -> Image:
    height, width = pixels.shape[:2]
    return Image(height=height, width=width, encoding='rgb8', step=3 * width,
                 data=as_bytes(np.ascontiguousarray(pixels)))


def room() -> tuple[Image, Region]:
    """A sign in a photograph, and a box around it."""
    pixels, mask = signs.put(signs.sign('Room 204\nDr. Miller', 24), signs.photo('coffee', 640, 480))
    rows, columns = np.nonzero(mask)
    return message_of(pixels), box(columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1)


@pytest.fixture(scope='module')
def served():
    with serving() as node:
        yield node


@needs_tesseract
def test_a_sign_is_read(served):
    image, region = room()
    answer = served.describe(id='sign', image=image, region=region, detail=READ, speak=2)
    found = answer.description
    assert answer.error_code == 0
    assert found.text.split() == ['Room', '204', 'Dr.', 'Miller'] == found.brief.split()
    assert (found.describer, found.language, found.abstained) == ('tesseract', 'en', False)
    assert found.model.endswith('eng') and 0.85 < found.confidence <= 1.0
    assert [found.box.x_offset, found.box.y_offset, found.box.width, found.box.height] == list(region.box_xywh)
    parts = served.until(lambda: [one for one in served.partials if one.id == 'sign' and one.done]
                         and [one for one in served.partials if one.id == 'sign'])
    assert ''.join(one.piece for one in parts) == found.text
    assert {one.describer for one in parts} == {'tesseract'}


@needs_tesseract
def test_what_was_described_is_read_even_by_another_worker(served):
    image, region = room()
    region.box_is_region = True
    told = served.describe(image=image, region=region).description
    assert told.describer == 'rehearsal'
    assert served.describe(about=told.id, detail=READ).description.text.split()[:2] == ['Room', '204']
    served.describe(image=picture(), query='{"fail": "kill"}')
    served.until(lambda: served.describe(image=picture()).error_code == 0)
    read = served.describe(about=told.id, detail=READ, speak=1).description
    assert read.text.split()[:2] == ['Room', '204'] and read.box == told.box
    assert served.describe(about=read.id).description.describer == 'rehearsal'


@needs_tesseract
def test_where_nothing_can_be_read_that_is_the_answer(served):
    answer = served.describe(image=message_of(np.full((60, 80, 3), 90, np.uint8)), detail=READ)
    assert (answer.error_code, answer.description.abstained) == (0, True)
    assert answer.description.text == answer.description.brief == 'I see no letters that I can read.'
    assert np.isnan(answer.description.confidence)


@needs_tesseract
def test_a_language_without_data_is_unsupported(served):
    answer = served.describe(image=room()[0], detail=READ, language='dz')
    assert answer.error_code == ErrorCode.UNSUPPORTED
    assert 'sudo apt-get install tesseract-ocr-dzo' in answer.error_msg


def test_without_a_reader_it_is_unsupported_and_says_what_to_install(tmp_path: Path):
    (tmp_path / 'python3').symlink_to(shutil.which('python3'))
    with serving(environment={'PATH': str(tmp_path)}) as node:
        answer = node.describe(image=picture(), detail=READ)
        assert answer.error_code == ErrorCode.UNSUPPORTED
        assert 'sudo apt-get install tesseract-ocr' in answer.error_msg
        assert node.describe(image=picture()).error_code == 0
        node.until(lambda: 'reader' in node.status and 'sudo apt-get' in node.status['reader'].message)


def test_one_that_hangs_keeps_nobody_waiting_and_is_killed(tmp_path: Path):
    program = tmp_path / 'tesseract'
    program.write_text('#!/bin/sh\necho $$ >>"$(dirname "$0")/pids"; sleep 60\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    with serving(environment={'PATH': f'{tmp_path}{os.pathsep}{os.environ["PATH"]}'}) as node:
        begun = time.monotonic()
        assert node.describe(image=picture(), detail=READ, timeout_s=0.5).error_code == ErrorCode.DEADLINE_EXCEEDED
        assert time.monotonic() - begun < 1.5
        assert node.describe(image=picture()).error_code == 0
        goal = node.goal(image=picture(), detail=READ)
        node.until(lambda: len((tmp_path / 'pids').read_text().split()) == 2, what='it reads')
        goal.cancel()
        assert node.ended(goal).error_code == ErrorCode.CANCELLED
        pids = [int(one) for one in (tmp_path / 'pids').read_text().split()]
        node.until(lambda: not any(Path(f'/proc/{one}').exists() for one in pids), what='their end')
