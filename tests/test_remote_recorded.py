"""describer remote against what the DAM authors' server really said, where those recordings are present."""
from __future__ import annotations

import base64
import copy
import json
from pathlib import Path
from typing import Any
import urllib.error
import urllib.request

import cv2
import numpy as np
import pytest

from dam_ros.core.errors import Failure, InvalidRequest, RemoteUnavailable, Unsupported
from remote_asking import told
from remote_server import Server, response, serving_model

FILE = Path(__file__).resolve().parent.parent.parent / 'shared' / 'dam-golden' / 'server' / 'server.json'
CASES = {one['name']: one for one in json.loads(FILE.read_text(encoding='utf-8'))} if FILE.exists() else {}
pytestmark = pytest.mark.skipif(not CASES, reason='the recorded exchanges (../shared/dam-golden/server) are not here')
# What each recorded error means for who asked; what is not named here is an answer.
FAILURES = {'wrong_model': RemoteUnavailable, 'no_image': RemoteUnavailable, 'string_content': RemoteUnavailable,
            'two_images': Unsupported, 'rgb_no_alpha': RemoteUnavailable, 'bad_url': RemoteUnavailable,
            'image_tag_inside': InvalidRequest, 'system_role': InvalidRequest, 'empty_alpha': RemoteUnavailable,
            'empty_alpha_stream': RemoteUnavailable, 'video_3_frames': Unsupported}


def test_there_are_eighteen():
    assert len(CASES) == 18
    assert set(FAILURES) == {name for name, one in CASES.items() if one['status'] != 200 or 'error' in str(one['body'])}


def body_of(case: dict) -> bytes:
    return (case['body'] if isinstance(case['body'], str) else json.dumps(case['body'])).encode()


@pytest.mark.parametrize('name', CASES)
def test_a_recorded_answer_is_understood(name: str):
    case = CASES[name]
    with serving_model() as server:
        server.script = [response(body_of(case), case['content_type'], f'{case["status"]} X')]
        if name in FAILURES:
            with pytest.raises(Failure) as caught:
                told(server.describer())
            assert type(caught.value) is FAILURES[name]
            assert _words(case)[:50] in str(caught.value)
            return
        text, end = told(server.describer())
    assert text.strip() == (_streamed(case) if isinstance(case['body'], str) else
                            case['body']['choices'][0]['message']['content'])
    assert not end.truncated


def _streamed(case: dict) -> str:
    """The recorded answer to the same request without streaming."""
    return CASES[case['name'].replace('_stream', '_nonstream')]['body']['choices'][0]['message']['content']


def _words(case: dict) -> str:
    body = case['body'] if isinstance(case['body'], dict) else json.loads(case['body'].partition('data:')[2])
    return body['error'] if 'error' in body else body['detail'][0]['msg']


@pytest.mark.parametrize('name', CASES)
def test_our_test_server_judges_as_the_real_one(name: str):
    """Else the other tests would only show that we agree with ourselves."""
    case = CASES[name]
    joint = 'video' in name or 'joint' in name
    with serving_model('dam', joint=joint) as server:
        status, kind, text = _ask(server, _with_pictures(case))
    assert (status, kind) == (case['status'], case['content_type'])
    recorded = case['body'] if isinstance(case['body'], dict) else _first_event(case['body'])
    assert _shape(_first_event(text) if isinstance(case['body'], str) else json.loads(text)) == _shape(recorded)
    if isinstance(case['body'], str):
        assert text.strip().splitlines()[-1].startswith('data: [DONE]') == case['body'].strip().endswith('[DONE]')


def _with_pictures(case: dict) -> dict:
    request = copy.deepcopy(case['request'])
    channels, value = 3 if case['name'] == 'rgb_no_alpha' else 4, 0 if 'empty' in case['name'] else 200
    pixels = np.full((8, 8, channels), value, np.uint8)
    url = 'data:image/png;base64,' + base64.b64encode(cv2.imencode('.png', pixels)[1]).decode()
    for message in request['messages']:
        for part in message['content'] if isinstance(message['content'], list) else ():
            if part['type'] == 'image_url' and 'webp' not in part['image_url']['url']:
                part['image_url']['url'] = url
    return request


def _ask(server: Server, body: dict) -> tuple[int, str, str]:
    asked = urllib.request.Request(f'{server.url}/chat/completions', json.dumps(body).encode(),
                                   {'Content-Type': 'application/json'})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=10) as answer:
            return answer.status, answer.headers['Content-Type'], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers['Content-Type'], error.read().decode()


def _first_event(text: str) -> Any:
    return json.loads(text.partition('\n\n')[0].removeprefix('data: '))


def _shape(value: Any) -> Any:
    """Names, but neither words nor numbers; of a refused body only that it is one."""
    if isinstance(value, dict):
        return {name: _shape(one) if name != 'detail' else 'detail' for name, one in value.items()}
    if isinstance(value, list):
        return [_shape(one) for one in value]
    return type(value).__name__ if not isinstance(value, (int, float)) else 'number'
