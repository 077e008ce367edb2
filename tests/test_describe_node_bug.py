"""A bug of ours is an answer, too: planted in the node and its worker at four stages of a request's way."""
from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.srv', reason='needs the built package: ./dev test builds it')

from dam_ros.msg import ErrorCode, Region   # noqa: E402
from ros_graph import picture, script, serving   # noqa: E402

pytestmark = pytest.mark.ros

# Python runs a module of this name at its start, before the node is imported.
PLANTED = """
from dam_ros.core import images, orders, region_masks, text

def broken(module, name, applies):
    whole = getattr(module, name)
    def call(*given, **named):
        if applies(*given, **named):
            raise ZeroDivisionError('planted')
        return whole(*given, **named)
    setattr(module, name, call)

broken(orders, 'query', lambda question, *rest: question == 'bug')
broken(region_masks, 'mask_of', lambda region, *rest: region.tag == 'bug')
broken(images, 'decode_raw', lambda width, **rest: width == 13)
broken(text, 'brief_of', lambda said: 'bug' in said)
"""
STAGES = {'checking': {'query': 'bug'}, 'planning': {'region': Region(tag='bug')}, 'decoding': {'width': 13},
          'answering': {'query': script(text='A bug sits here.')}}   # went out as a good answer without a word


@pytest.fixture(scope='module')
def served(tmp_path_factory: pytest.TempPathFactory):
    folder: Path = tmp_path_factory.mktemp('planted')
    (folder / 'sitecustomize.py').write_text(PLANTED)
    path = os.pathsep.join([str(folder), os.environ.get('PYTHONPATH', '')])
    with serving(environment={'PYTHONPATH': path}) as one:
        yield one


def internal(served, stage: str):
    fields = dict(STAGES[stage])
    return served.describe(image=picture(width=fields.pop('width', 64)), **fields)


@pytest.mark.parametrize('stage', STAGES)
def test_a_bug_is_one_answer_that_asks_for_a_report_and_the_next_call_is_good(served, stage):
    before = len(served.descriptions)
    answer = internal(served, stage)
    assert answer.error_code == ErrorCode.INTERNAL == answer.description.error_code
    assert 'ZeroDivisionError: planted' in answer.error_msg and 'please report' in answer.error_msg
    served.until(lambda: len(served.descriptions) > before)
    assert served.describe(image=picture()).error_code == ErrorCode.NONE
    served.until(lambda: len(served.descriptions) == before + 2)
    assert [one.error_code for one in served.descriptions[before:]] == [ErrorCode.INTERNAL, ErrorCode.NONE]
