"""What a server's bytes mean: the pieces of an answer, its end, or one failure that says whose turn it is.

It reads two dialects of the OpenAI chat protocol: that of the DAM authors' server, whose `delta.content` is a list and
which answers nearly every mistake with 500 (dam-spec 13), and the usual one. It knows no connection.
"""
from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
import json
import re
import time

from dam_ros.core.errors import Failure, InvalidRequest, RemoteUnavailable, Unsupported, complaint

MAX_EVENT = 1 << 20     # bytes; a piece of a description has a few hundred
RETRY_S = 5.0           # s, where a server does not say when
_MAX_WAIT_S = 3600.0
_WORDS = 300            # characters of what a server says that are passed on
_BLANK = re.compile(r'\s+')


@dataclass(frozen=True)
class Said:
    """One more piece. `tokens`: how many it stands for, at least."""

    text: str
    tokens: int = 1


@dataclass(frozen=True)
class Ended:
    """The answer is whole, or was cut by the server's or our limit."""

    truncated: bool = False


@dataclass(frozen=True)
class Blame:
    """Who is blamed in errors.

    Attributes:
        url, key_env, model: as configured.
    """

    url: str
    key_env: str
    model: str

    def unavailable(self, reason: str, remedy: str, retry_after_s: float = RETRY_S) -> RemoteUnavailable:
        return RemoteUnavailable(complaint('remote_url', self.url, 'a server that answers', f'{reason}. {remedy}'),
                                 retry_after_s)

    def no_protocol(self, what: str) -> RemoteUnavailable:
        return self.unavailable(f'It sent {what}, which is no chat completion',
                                'Does remote_url name the API of a model server? Most want /v1 at its end', 0.0)


class EventStream:
    """Server-sent events out of bytes that come in any portions."""

    def __init__(self):
        self._rest = b''
        self._data: list[str] = []

    def feed(self, portion: bytes) -> list[str]:
        """The data of every event that is complete. Raises ValueError for an event above MAX_EVENT bytes."""
        *lines, self._rest = (self._rest + portion).split(b'\n')
        found = []
        for line in lines:
            line = line[:-1] if line.endswith(b'\r') else line
            if not line and self._data:
                found.append('\n'.join(self._data))
                self._data = []
            elif line.startswith(b'data:'):
                self._data.append(line[5:].decode('utf-8', 'replace').removeprefix(' '))
        if len(self._rest) + sum(map(len, self._data)) > MAX_EVENT:
            raise ValueError(f'an event of more than {MAX_EVENT} bytes')
        return found

    def end(self) -> list[str]:
        """An event that the end of the stream completes; some servers save the last empty line."""
        return self.feed(b'\n\n') if self._rest or self._data else []


def events_of(data: str, blame: Blame) -> list[Said | Ended]:
    """What one event of a stream says. Raises Failure for an error in it and for what is no completion."""
    if data.strip() == '[DONE]':
        return [Ended()]
    return _events(_object(data, blame), 'delta', data, blame)


def whole_answer(body: str, blame: Blame) -> list[Said | Ended]:
    """What an answer says that was not streamed. Raises as `events_of`."""
    answer = _object(body, blame)
    if not answer.get('choices') and not _is_error(answer):
        raise blame.no_protocol(f'{_shortened(body)!r}')
    found = _events(answer, 'message', body, blame)
    return found if found and isinstance(found[-1], Ended) else [*found, Ended()]


def refusal(status: int, headers, body: str, blame: Blame) -> Failure:
    """The failure behind a status other than 200. `headers`: a mapping with `get`."""
    words = _words_of(body) or f'HTTP {status}'
    wait_s = _retry_after_s(headers.get('Retry-After', ''))
    if status in (301, 302, 303, 307, 308):
        return blame.unavailable(f'It sends us on to {_shortened(headers.get("Location", "another place"))}, and keys '
                                 'and pictures go to the configured server only', 'Set remote_url to that', 0.0)
    if status in (401, 403, 407):
        return blame.unavailable(f'It refused the key (HTTP {status}: {words})', 'Put the right key into the '
                                 f'environment variable {blame.key_env or "named by remote_key_env"} of the node', 0.0)
    if status in (404, 405):
        return blame.unavailable(f'It knows no such route or model (HTTP {status}: {words})',
                                 f'Should remote_url end with /v1? Is {blame.model!r} a model it has?', 0.0)
    if status == 413:
        return InvalidRequest(complaint('image', words, 'what the server takes', 'The request is too large for it; '
                                        'describer_options {"max_side_px": 1024} makes pictures smaller'))
    if status == 429:
        return blame.unavailable(f'It has too much to do ({words})', 'Ask less often', wait_s or RETRY_S)
    if status in (400, 415, 422):
        return _wrong_request(words)
    return said_error(words, blame, wait_s or RETRY_S, f'HTTP {status}: ')


def said_error(words: str, blame: Blame, retry_after_s: float = RETRY_S, before: str = '') -> Failure:
    """The failure behind an error in words. The DAM authors' server tells the caller's mistakes in no other way."""
    low = words.lower()
    if re.search(r'only (one|1) image', low):
        return Unsupported(complaint('clip_s', words, 'what the checkpoint of the server takes: one picture, or 8 with '
                                     'the joint one'))
    if 'should be rgba' in low:
        return blame.unavailable(f'It takes pictures with a mask only ({words})', 'Set remote_pictures to rgba', 0.0)
    if 'request model' in low:
        return blame.unavailable(f'It serves another model ({words})', 'Set model to the one it names', 0.0)
    if '<image>' in low:
        return _wrong_request(words)
    return blame.unavailable(f'It failed ({before}{words})', 'Its own log says why', retry_after_s)


def _events(event: dict, part: str, data: str, blame: Blame) -> list[Said | Ended]:
    if _is_error(event):
        error = event.get('error') or event
        status = error.get('code') if isinstance(error, dict) else None
        if isinstance(status, int) and 400 <= status < 600:   # vLLM's way of saying it after status 200
            raise refusal(status, {}, data, blame)
        raise said_error(_words_of(data), blame)
    choices = event.get('choices')
    if not isinstance(choices, list) or choices and not isinstance(choices[0], dict):
        raise blame.no_protocol(f'{_shortened(data)!r}')
    if not choices:   # only counts of tokens
        return []
    message = choices[0].get(part)
    found: list[Said | Ended] = []
    if isinstance(message, dict):
        found += _said(message.get('content'), data, blame)
    finish = choices[0].get('finish_reason')
    if finish:
        found.append(Ended(truncated=finish in ('length', 'content_filter')))
    return found


def _is_error(event: dict) -> bool:
    return bool(event.get('error')) or event.get('object') == 'error'


def _said(content: object, data: str, blame: Blame) -> list[Said]:
    if content is None or content == '':   # a chunk that only opens the answer
        return []
    if isinstance(content, str):
        return [Said(content)]
    if isinstance(content, list) and all(isinstance(one, dict) for one in content):
        texts = [one.get('text', '') for one in content if one.get('type', 'text') == 'text']
        if all(isinstance(one, str) for one in texts):
            return [Said(''.join(texts))]   # '' as well: a token of a word that is not finished
    raise blame.no_protocol(f'{_shortened(data)!r}')


def _object(text: str, blame: Blame) -> dict:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise blame.no_protocol(f'{_shortened(text)!r}')
    return found


def _wrong_request(words: str) -> InvalidRequest:
    return InvalidRequest(complaint('request', words, "what the describer's server takes", 'It refused the question or '
                                    'the picture with these words: ' + words))


def _words_of(body: str) -> str:
    """The words of an error body: `{"error": text}`, `{"error": {"message": text}}`, `{"detail": ...}`, or any text."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = body
    for name in ('error', 'message', 'detail', 'msg'):
        while isinstance(found, list) and found:
            found = found[0]
        if isinstance(found, dict) and found.get(name):
            found = found[name]
    if isinstance(found, str) and '<html' in found[:1000].lower():
        found = 'a page of HTML'
    return _shortened(found if isinstance(found, str) else json.dumps(found))


def _shortened(text: str) -> str:
    """One line of printable characters."""
    line = _BLANK.sub(' ', ''.join(one if one.isprintable() else ' ' for one in text[:4 * _WORDS])).strip()
    return line if len(line) <= _WORDS else line[:_WORDS - 3] + '...'


def _retry_after_s(value: str) -> float:
    """s, 0 where the header says nothing that can be understood."""
    try:
        wait_s = float(value)
    except ValueError:
        try:
            wait_s = parsedate_to_datetime(value).timestamp() - time.time()
        except (TypeError, ValueError, OverflowError):
            return 0.0
    return min(max(wait_s, 0.0), _MAX_WAIT_S) if wait_s == wait_s else 0.0
