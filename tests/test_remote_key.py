"""describer remote: the key goes to the server, and into nothing that anybody sees."""
from __future__ import annotations

from collections.abc import Iterator
import json

import pytest

from dam_ros import describers
from dam_ros.core.errors import DescriberFailed, RemoteUnavailable
from remote_asking import failure_of, told
from remote_server import Server, events, response, serving_model

KEY = 'sk-very-secret-0123456789'


@pytest.fixture
def server() -> Iterator[Server]:
    with serving_model('dam') as one:
        yield one


def test_the_key_is_sent_and_a_wrong_one_refused(monkeypatch):
    with serving_model(key=KEY) as server:
        monkeypatch.setenv('MY_KEY', KEY)
        assert told(server.describer(key_env='MY_KEY'))[0]
        assert server.requests[0][0]['Authorization'] == f'Bearer {KEY}'
        monkeypatch.setenv('MY_KEY', 'wrong-key-987654321')
        failure = failure_of(server.describer(key_env='MY_KEY'))
        assert 'MY_KEY' in str(failure) and 'wrong-key' not in str(failure)
        for name in ('', 'NOT_SET_ANYWHERE'):
            assert isinstance(failure_of(server.describer(key_env=name)), RemoteUnavailable)


@pytest.mark.parametrize('script', [
    [response(json.dumps({'error': f'Bearer {KEY} is bad'}).encode(), 'application/json', '401 X')],
    [response(json.dumps({'error': f'{KEY}'}).encode(), 'application/json', '500 X')],
    [response(events({'error': {'message': f'key {KEY}'}}))], [response(events(f'no json {KEY}'))],
    [response(b'', 'text/plain', '302 X', Location=f'http://x/?key={KEY}')],
    [response(b'', f'text/{KEY}')], [f'HTTP/1.1 {KEY}\r\n\r\n'.encode()], [f'{KEY}\r\n'.encode()],
], ids=range(8))
def test_a_key_that_the_server_echoes_is_masked(server, monkeypatch, script):
    monkeypatch.setenv('DAM_API_KEY', KEY)
    server.script = script
    describer = server.describer()
    failure = failure_of(describer)
    shown = [str(failure), repr(failure), repr(failure.__cause__), repr(describer), describer.model,
             *map(repr, vars(describer).values())]
    assert not [one for one in shown if KEY in one]


def test_a_key_in_the_text_is_masked(server, monkeypatch):
    monkeypatch.setenv('DAM_API_KEY', KEY)
    server.script = [response(events({'choices': [{'delta': {'content': f'I know {KEY}.'}}]}, '[DONE]'))]
    assert told(server.describer())[0] == 'I know ***.'


@pytest.mark.parametrize(('name', 'value'), [('K', f'{KEY}\r\nX-Evil: 1'), ('K', f'{KEY}\u00e4'), (KEY, ''),
                                             ('K', f'{KEY} {KEY}')])
def test_a_key_that_can_be_none_is_refused_unseen(monkeypatch, name, value):
    monkeypatch.setenv('K', value)
    with pytest.raises(DescriberFailed, match='remote_key_env') as caught:
        describers.create('remote', {'key_env': name})
    assert KEY not in str(caught.value)


def test_a_password_in_the_url_is_refused_unseen():
    with pytest.raises(DescriberFailed, match='remote_url.*remote_key_env') as caught:
        describers.create('remote', {'url': f'https://me:{KEY}@host/v1'})
    assert KEY not in str(caught.value)
