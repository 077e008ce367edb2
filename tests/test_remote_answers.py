"""describer remote: what it makes of good answers, and that it waits for nobody."""
from __future__ import annotations

from collections.abc import Iterator
import json
import threading
import time

import pytest

from dam_ros.core.describing import Piece, Query, Telling, tell
from dam_ros.core.errors import RemoteUnavailable
from dam_ros.describers.remote import RemoteDescriber
from remote_asking import spots, told, until
from remote_server import HANG, Server, answer_to, events, pictures_of, response, serving_model, text_of

PATIENCE_S = 10.0


@pytest.fixture
def dam() -> Iterator[Server]:
    with serving_model('dam') as server:
        yield server


def threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == 'remote']


# -- what it makes of answers -----------------------------------------------------------------------------------------

@pytest.mark.parametrize('dialect', ['dam', 'standard'])
def test_an_answer_comes_in_pieces_as_it_is_made(dialect):
    with serving_model(dialect, pause_s=0.01) as server:
        describer = server.describer()
        look, = describer.look([spots()])
        pieces = list(tell(describer, look, Query()))
    body = server.requests[0][1]
    asked = text_of(body)
    assert ''.join(one.text for one in pieces) == answer_to(asked, pictures_of(body))
    assert len(pieces) > 8


@pytest.mark.parametrize(('dialect', 'most', 'words'), [('dam', 4, 4), ('standard', 4, 4)])
def test_max_tokens_is_kept_by_us_where_the_server_ignores_it(dialect, most, words):
    with serving_model(dialect) as server:
        text, end = told(server.describer(), Query(max_tokens=most))
    assert end.truncated
    assert 'A thing with the number'.startswith(text.strip())
    assert len(text.split()) <= words + 1


@pytest.mark.parametrize(('body', 'kind', 'text', 'truncated'), [
    (b'{"choices": [{"message": {"content": "A cup."}}]}', 'application/json', 'A cup.', False),
    (b'{"choices": [{"message": {"content": [{"type": "text", "text": "A cup."}]}}]}', 'application/json; x=y',
     'A cup.', False),
    (b'{"choices": [{"message": {"content": "A"}, "finish_reason": "length"}]}', 'application/json', 'A', True),
    (b'{"choices": [{"message": {"content": ""}, "finish_reason": "stop"}]}', 'application/json', '', False),
    (b': hello\r\n\r\nevent: x\r\nid: 3\r\ndata: {"choices":[{"delta":\r\ndata: {"content": "A"}}]}\r\n\r\n'
     b'data:[DONE]\r\n\r\n', 'text/event-stream', 'A', False),
    (events({'choices': [{'delta': {'content': 'A'}, 'finish_reason': 'length'}]}), 'text/event-stream', 'A', True),
    (events({'choices': [{'delta': {'content': 'A'}}]}, {'choices': [{'finish_reason': 'stop'}]}).strip(),
     'text/event-stream', 'A', False),
    (events({'choices': [{'delta': {'content': None, 'reasoning_content': 'hm'}}]},
            {'choices': [{'delta': {'content': '\u4e00'}}]}, '[DONE]', 'what comes later is not looked at'),
     'text/event-stream; charset=utf-8', '\u4e00', False),
], ids=range(8))
def test_answers_in_all_their_forms(dam, body, kind, text, truncated):
    dam.script = [response(body, kind)]
    found, end = told(dam.describer())
    assert (found, end.truncated) == (text, truncated)


def test_letters_that_come_in_two_portions_stay_whole(dam):
    body = events(json.dumps({'choices': [{'delta': {'content': '\u00e4\u4e00'}}]}, ensure_ascii=False), '[DONE]')
    at = body.index('\u4e00'.encode()) + 1
    dam.script = [response(b'', length=False), body[:at], body[at:]]
    assert told(dam.describer())[0] == '\u00e4\u4e00'


# -- that it waits for nobody -----------------------------------------------------------------------------------------

def step_to_the_end(describer: RemoteDescriber, tellings: list[Telling]) -> tuple[dict[int, Piece], float]:
    """(the last piece of each, s of the longest step)."""
    ends, longest, patience = {}, 0.0, time.monotonic() + PATIENCE_S
    while len(ends) < len(tellings):
        assert time.monotonic() < patience, 'it does not end'
        begun = time.monotonic()
        for telling, piece in describer.step():
            if piece.last:
                ends[tellings.index(telling)] = piece
        longest = max(longest, time.monotonic() - begun)
    return ends, longest


def test_a_slow_one_does_not_hold_up_the_others(dam):
    """And several run at once, each over a connection of its own."""
    with serving_model('dam', pause_s=0.02) as slow:
        describer = slow.describer(capacity=8)
        looks = describer.look([spots(1, 48 + extra) for extra in range(8)])
        begun = time.monotonic()
        list(tell(describer, looks[0], Query()))
        alone_s = time.monotonic() - begun
        begun = time.monotonic()
        ends, longest_s = step_to_the_end(describer, [describer.begin(one, Query()) for one in looks])
        assert time.monotonic() - begun < 4 * alone_s
        assert all(one.failure is None for one in ends.values())
        assert longest_s < 1.0


def test_a_silent_one_does_not_hold_up_the_others_and_fails_alone(dam):
    describer = dam.describer(timeout_s=1.5)
    look, = describer.look([spots()])
    dam.script = [HANG]
    silent = describer.begin(look, Query())
    until(lambda: dam.requests)
    dam.script = None
    ends, longest_s = step_to_the_end(describer, [describer.begin(look, Query())])
    assert ends[0].failure is None and longest_s < 1.0
    ends, longest_s = step_to_the_end(describer, [silent])
    assert isinstance(ends[0].failure, RemoteUnavailable) and longest_s < 1.0


def test_stop_closes_the_connection_at_once(dam):
    dam.script = [response(events({'choices': [{'delta': {'content': 'x'}}]}), length=False), HANG]
    describer = dam.describer()
    look, = describer.look([spots()])
    telling = describer.begin(look, Query())
    until(describer.step)
    assert threads()
    telling.stop()
    until(lambda: not threads(), 'the thread goes on')
    assert describer.step() == []


def test_close_ends_every_thread(dam):
    dam.script = [HANG]
    describer = dam.describer(capacity=8)
    look, = describer.look([spots()])
    for _ in range(8):
        describer.begin(look, Query())
    assert len(threads()) == 8
    describer.close()
    assert not threads()


def test_many_leave_nothing_behind(dam):
    describer = dam.describer()
    look, = describer.look([spots()])
    for number in range(60):
        telling = describer.begin(look, Query())
        if number % 2:
            telling.stop()
        else:
            step_to_the_end(describer, [telling])
    until(lambda: not threads())
    assert len(describer._exchanges) < 10
