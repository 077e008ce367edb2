"""What a person asks and what is seen stays out of the log, which others read and which is kept."""
from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from ros_graph import box, picture, script, serving  # noqa: E402

pytestmark = pytest.mark.ros
ASKED, SEEN = 'zebra', 'striped'   # no words of ours


@pytest.mark.parametrize('fail', ['', 'raise', 'garbage', 'kill'])
def test_neither_questions_nor_answers_are_logged(fail: str):
    """Also not where the describer fails at them."""
    with serving() as served:
        region = box(4, 4, 20, 20, tag=ASKED)
        seen = script(text=f'A {ASKED} stands there. It is {SEEN}.', fail=fail, fail_after_words=5)
        first = served.describe(image=picture(), region=region, query=script(text=f'A {ASKED}.'))
        assert first.description.text == f'A {ASKED}.'
        for query in (f'what {ASKED} is that?', script(**{ASKED: 1}), seen):
            served.describe(image=picture(), region=region, query=query)
            last = served.describe(about=first.description.id, query=query)
        assert bool(last.error_code) == bool(fail)
        served.spin(0.3)
        log = served.log()
        assert '[INFO]' in log   # so far it is written
        assert ASKED not in log
        assert SEEN not in log
