"""describer remote: everything a server, a network or a name service can do wrong is one failure in time."""
from __future__ import annotations

from collections.abc import Iterator
from email.utils import formatdate
import gc
import json
import math
import socket
import time

import pytest

from dam_ros import describers
from dam_ros.core.describing import Query, tell
from dam_ros.core.errors import Failure, InvalidRequest, RemoteUnavailable, Unsupported
from remote_asking import failure_of, spots, told
from remote_server import HANG, RESET, Server, events, response, serving_model

SAID = {'choices': [{'delta': {'content': 'A red '}}]}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving_model('dam') as one:
        yield one


def fails_with(server: Server, *script, kind: type[Failure] = RemoteUnavailable, words: tuple[str, ...] = (),
               **options):
    server.script = list(script)
    failure = failure_of(server.describer(**options))
    assert type(failure) is kind, failure
    assert [one for one in words if one not in str(failure)] == [], failure
    if kind is RemoteUnavailable:
        assert f"remote_url is '{server.url}'" in str(failure), 'who did it'
    server.script = None
    assert told(server.describer())[0], 'the next request works'
    return failure


# -- statuses ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(('status', 'body', 'kind', 'words', 'again'), [
    (401, {'error': {'message': 'no key'}}, RemoteUnavailable, ('no key', 'DAM_API_KEY'), False),
    (403, {'error': 'forbidden'}, RemoteUnavailable, ('forbidden', 'environment variable'), False),
    (404, {'detail': 'Not Found'}, RemoteUnavailable, ('Not Found', '/v1'), False),
    (404, {'object': 'error', 'message': 'no model x', 'code': 404}, RemoteUnavailable, ('no model x', 'model'), False),
    (405, '', RemoteUnavailable, ('HTTP 405',), False),
    (400, {'error': {'message': 'too long', 'code': 400}}, InvalidRequest, ('too long', 'refused'), False),
    (413, '<HTML>too large', InvalidRequest, ('max_side_px',), False),
    (422, {'detail': [{'loc': ['body'], 'msg': 'not so'}]}, InvalidRequest, ('not so',), False),
    (500, {'error': 'CUDA out of memory'}, RemoteUnavailable, ('CUDA out of memory', 'HTTP 500'), True),
    (500, {'error': 'Only one image with a mask'}, Unsupported, ('clip_s', 'Only one image'), False),
    (500, {'error': '<image> in another position'}, InvalidRequest, ('another position',), False),
    (500, {'error': 'serves tiny, but the request model is gpt'}, RemoteUnavailable, ('tiny', 'Set model'), False),
    (500, {'error': 'mode is RGB, but it should be RGBA'}, RemoteUnavailable, ('remote_pictures to rgba',), False),
    (502, '<html><body>Bad Gateway', RemoteUnavailable, ('HTTP 502', 'a page of HTML'), True),
    (504, b'\xff\x00\x01'.decode('latin1'), RemoteUnavailable, ('HTTP 504',), True),
    (204, '', RemoteUnavailable, ('HTTP 204',), True), (599, '[[[[]]]]', RemoteUnavailable, (), True),
    (500, '[' * 20000, RemoteUnavailable, (), True), (500, 'x' * 200000, RemoteUnavailable, ('xxx...',), True),
])
def test_a_status_says_whose_turn_it_is(server, status, body, kind, words, again):
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    failure = fails_with(server, response(data, 'application/json', f'{status} X'), kind=kind, words=words)
    assert (failure.retry_after_s > 0) == again


@pytest.mark.parametrize(('header', 'low', 'high'), [
    ('7', 7, 7), ('0.5', 0.5, 0.5), ('99999999', 3600, 3600), ('in 100 s', 20, 100),
    ('soon', 5, 5), ('nan', 5, 5), ('-3', 5, 5), ('Mon, 99 Foo 2000', 5, 5), (formatdate(0, usegmt=True), 5, 5),
])
@pytest.mark.parametrize('status', [429, 503])
def test_retry_after(server, status, header, low, high):
    if header == 'in 100 s':   # here, as each test process must collect the same names
        header = formatdate(time.time() + 100, usegmt=True)
    failure = fails_with(server, response(b'{"error": "later"}', 'application/json', f'{status} X', Retry_After=header),
                         words=('later',))
    assert low <= failure.retry_after_s <= high and math.isfinite(failure.retry_after_s)


@pytest.mark.parametrize('status', [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server, status):
    with serving_model() as other:
        fails_with(server, response(b'', 'text/plain', f'{status} X', Location=other.url), words=(other.url,))
        assert not other.requests


# -- nobody there -----------------------------------------------------------------------------------------------------

def free_port() -> int:
    with socket.socket() as one:
        one.bind(('127.0.0.1', 0))
        return one.getsockname()[1]


def test_refused_and_back_again():
    """The describer is made while nobody is there, and recovers by itself."""
    port = free_port()
    describer = describers.create('remote', {'url': f'http://127.0.0.1:{port}'})
    failure = failure_of(describer)
    assert isinstance(failure, RemoteUnavailable) and 'refused' in str(failure) and failure.retry_after_s > 0
    with serving_model(port=port):
        assert told(describer)[0]
    assert isinstance(failure_of(describer), RemoteUnavailable)
    with serving_model(port=port):
        assert told(describer)[0]
    describer.close()


@pytest.mark.parametrize('name', ['no-such-host.invalid', 'a..b', 'x' * 70])
def test_a_name_that_nobody_knows(name):
    describer = describers.create('remote', {'url': f'http://{name}:8000', 'connect_timeout_s': 4.0})
    failure = failure_of(describer, most_s=6.0)
    assert isinstance(failure, RemoteUnavailable) and f"The name '{name}' is not known" in str(failure)
    describer.close()


def test_a_name_service_that_hangs_holds_nobody_up(monkeypatch):
    """It has no time limit of its own, and a thread in it cannot be ended."""
    released = []
    monkeypatch.setattr(socket, 'getaddrinfo', lambda *a, **k: [time.sleep(0.01) for _ in range(300) if not released])
    describer = describers.create('remote', {'url': 'http://somewhere:8000', 'connect_timeout_s': 0.1})
    failure = failure_of(describer, most_s=2.0)
    assert 'remote_connect_timeout_s allows more' in str(failure)
    released.append(True)
    describer.close()


def test_a_server_that_does_not_accept():
    """Its queue of connections is full, as with an address behind which nobody answers."""
    with socket.socket() as full:
        full.bind(('127.0.0.1', 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for one in fillers:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        describer = describers.create('remote', {'url': f'http://127.0.0.1:{full.getsockname()[1]}',
                                                 'connect_timeout_s': 0.2})
        failure = failure_of(describer, most_s=2.0)
        describer.close()
        for one in fillers:
            one.close()
    assert 'No connection within 0.2 s' in str(failure)


def test_https_to_a_server_that_does_not_speak_it(server):
    describer = describers.create('remote', {'url': server.url.replace('http:', 'https:')})
    assert 'TLS' in str(failure_of(describer))
    describer.close()


# -- answers that are none --------------------------------------------------------------------------------------------

HEAD = response(b'', length=False)
CASES = {
    'nothing at all': ([HANG], 'silent for 0.3 s'),
    'half a status line': ([b'HTTP/1.1 2', HANG], 'silent'),
    'headers only': ([HEAD, HANG], 'silent'),
    'silent in the middle': ([HEAD, events(SAID), HANG], 'silent'),
    'comments for ever': ([HEAD, *[b': ping\n\n'] * 20, HANG], 'silent'),
    'closed at once': ([], 'broke'),
    'reset at once': ([RESET], 'broke'),
    'ends after the headers': ([HEAD], 'ended in the middle'),
    'ends in the middle': ([HEAD, events(SAID)], 'ended in the middle'),
    'ends within an event': ([HEAD, events(SAID)[:-20]], 'no chat completion'),
    'ends before its length': ([response(events(SAID) + b'x' * 99)[:-90]], 'ended in the middle'),
    'a chunk is cut': ([response(b'', length=False, Transfer_Encoding='chunked'), b'ffff\r\ndata: x'], 'broke'),
    'chunks of no length': ([response(b'', length=False, Transfer_Encoding='chunked'), b'zzzz\r\nxx\r\n'], 'broke'),
    'an error inside': ([response(events(SAID, {'error': 'no memory left'}))], 'no memory left'),
    'an error with a status inside': ([response(events({'error': {'message': 'slow down', 'code': 429}}))],
                                      'slow down'),
    'no json': ([response(events('{"choices": [{"del'))], 'no chat completion'),
    'another json': ([response(events([1, 2]))], 'no chat completion'),
    'choices of another kind': ([response(events({'choices': [3]}))], 'no chat completion'),
    'content of another kind': ([response(events({'choices': [{'delta': {'content': {'a': 1}}}]}))],
                                'no chat completion'),
    'text of another kind': ([response(events({'choices': [{'delta': {'content': [{'type': 'text', 'text': 3}]}}]}))],
                             'no chat completion'),
    'deep json': ([response(events('[' * 100000))], 'no chat completion'),
    'noise': ([response(bytes(range(256)) * 40)], 'ended in the middle'),
    'html': ([response(b'<html>Welcome', 'text/html')], 'text/html'),
    'json of no answer': ([response(b'{}', 'application/json')], 'no chat completion'),
    'json that is none': ([response(b'nothing', 'application/json')], 'no chat completion'),
    'no http': ([b'SSH-2.0-OpenSSH_9.2\r\n'], 'HTTP'),
    'http without end': ([b'HTTP/1.1 200 OK\r\n' + b'X: y\r\n' * 300], 'HTTP'),
    'a long line': ([HEAD, b'data: ' + b'x' * (2 << 20)], 'more than'),
    'too much of nothing': ([HEAD, (b': ' + b'x' * 998 + b'\n') * 17000], 'more than'),
    'a large json': ([response(b' ' * (17 << 20), 'application/json')], 'more than'),
}


@pytest.mark.parametrize('case', CASES)
def test_what_is_no_answer_is_one_failure_in_time(server, case):
    script, words = CASES[case]
    fails_with(server, *script, words=(words,), timeout_s=0.3)


@pytest.mark.parametrize(('whole', 'dripping'), [(HEAD, events(SAID)), (b'', HEAD)], ids=['of an event', 'of its head'])
def test_a_server_that_sends_byte_for_byte_is_silent(server, whole, dripping):
    """A limit on the time between two bytes would never end it."""
    server.script = _dripping(server, [whole, *(bytes([one]) for one in dripping[:40])])
    assert 'silent for 0.3 s' in str(failure_of(server.describer(timeout_s=0.3), most_s=2.0))


def _dripping(server: Server, script: list[bytes]):
    for item in script:
        yield item
        if len(item) == 1 and server.ended.wait(0.1):
            return


def test_what_came_before_a_failure_was_told(server):
    server.script = [HEAD, events(SAID, SAID)]
    describer = server.describer()
    look, = describer.look([spots()])
    pieces = []
    with pytest.raises(RemoteUnavailable):
        for piece in tell(describer, look, Query()):
            pieces.append(piece.text)
    assert ''.join(pieces) == 'A red A red '


def test_a_refusal_before_all_was_sent_is_read(server):
    """A server that refuses a large picture answers and closes while the picture is still on its way."""
    server.script, server.early = [response(b'{"error": "no more than 1 MB"}', 'application/json', '413 Large')], True
    describer = server.describer()
    look, = describer.look([spots(1, 1500, 2000)])
    with pytest.raises((InvalidRequest, RemoteUnavailable)) as caught:
        list(tell(describer, look, Query()))
    assert 'max_side_px' in str(caught.value) or 'broke' in str(caught.value)


def test_nothing_of_a_failure_keeps_its_connection(server):
    server.script = [HEAD, HANG]
    describer = server.describer(timeout_s=0.1)
    for _ in range(5):
        failure_of(describer)
    gc.collect()
    end = time.monotonic() + 5
    while any(one.thread.is_alive() for one in describer._exchanges) and time.monotonic() < end:
        time.sleep(0.01)
    assert not any(one.thread.is_alive() for one in describer._exchanges)
