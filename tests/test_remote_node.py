"""describer remote through the real node: answers, a server that goes and comes back, and no key anywhere."""
from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from ros_graph import picture, serving   # noqa: E402

from dam_ros.msg import ErrorCode   # noqa: E402
from remote_server import HANG, answer_to, pictures_of, serving_model, text_of   # noqa: E402

pytestmark = pytest.mark.ros
KEY = 'sk-of-the-node-0123456789'


def test_a_server_that_goes_and_comes_back():
    with serving_model('standard', key=KEY) as server:
        port = server.port
        with serving(describer='remote', remote_url=server.url, remote_key_env='ROBOT_KEY', model='some-vision-model',
                     remote_pictures='outlined', remote_timeout_s=0.5, environment={'ROBOT_KEY': KEY}) as served:
            answer = served.describe(image=picture(), query='Is it <image> red?')
            assert (answer.error_code, answer.error_msg) == (0, '')
            body = server.requests[0][1]
            one = answer.description
            assert one.text == answer_to(text_of(body), pictures_of(body))
            assert (one.describer, one.model) == ('remote', f'some-vision-model at {server.url}')
            assert (one.language, one.truncated, np.isnan(one.confidence)) == ('en', False, True)

            server.script = [HANG]
            silent = served.describe(image=picture())
            assert silent.error_code == ErrorCode.REMOTE_UNAVAILABLE
            assert 'silent for 0.5 s' in silent.error_msg and silent.retry_after_s > 0

            server.script, server.pause_s = None, 0.05
            goal = served.goal(image=picture(), id='stopped')
            served.until(lambda: goal.feedback, what='the first words')
            goal.cancel()
            assert served.ended(goal).error_code == ErrorCode.CANCELLED

            server.close()
            gone = served.describe(image=picture())
            assert gone.error_code == ErrorCode.REMOTE_UNAVAILABLE
            assert 'refused' in gone.error_msg and server.url in gone.error_msg

            with serving_model('standard', port=port, key=KEY) as back:
                assert served.describe(image=picture()).error_code == 0
                assert back.requests
            served.until(lambda: 'describer' in served.status, what='diagnostics')
            said = [served.log(), *map(repr, served.status.values()), *map(repr, served.descriptions)]
            assert not [text for text in said if KEY in text]
