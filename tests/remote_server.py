"""A model server in a thread, for tests: it checks what it is sent, answers in either dialect, and fails on demand.

    with serving_model() as server:         # as the DAM authors' server does (dam-spec 13)
        text, end = told(server.describer())   # remote_asking

Its text depends on the pictures, their masks and the question, so that a mix-up is seen. The dialect `standard` is the
usual one of OpenAI-compatible servers: under /v1, content as a string, finish_reason, usage, max_tokens honoured.
"""
from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
import re
import socket
import struct
import threading
import time
from typing import Any
import zlib

import cv2
import numpy as np

from dam_ros import describers
from dam_ros.describers.remote import RemoteDescriber

HANG, RESET = object(), object()   # in Server.script: say nothing more; break the connection
DAM_MODEL, PLAIN_MODEL = 'describe_anything_model', 'some-vision-model'


class Refused(Exception):
    """status, body."""


class Server(ThreadingHTTPServer):
    """Use `serving_model`.

    Attributes:
        dialect: 'dam' or 'standard'.
        joint: of dialect dam: the checkpoint is the joint one.
        key: what Authorization must bring, '' = nothing is checked.
        pause_s: s between two pieces.
        script: instead of an answer: bytes to send as they are, HANG, RESET; None = answer properly.
        early: the script runs before the request's body is read.
        requests: (headers, body as JSON) of everything that was asked.
        gone: how many connections the client had closed when something was to be sent.
    """

    daemon_threads = True
    request_queue_size = 32
    allow_reuse_address = True

    def __init__(self, dialect: str, port: int, **changes: Any):
        super().__init__(('127.0.0.1', port), _Handler)
        self.dialect, self.joint, self.key, self.pause_s, self.script, self.early = dialect, False, '', 0.0, None, False
        self.requests: list[tuple[dict, dict]] = []
        self.gone = 0
        self._made: list[RemoteDescriber] = []
        self.ended = threading.Event()
        for name, value in changes.items():
            assert hasattr(self, name), name
            setattr(self, name, value)

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def url(self) -> str:
        return f'http://127.0.0.1:{self.port}' + ('/v1' if self.dialect == 'standard' else '')

    def options(self) -> dict[str, Any]:
        """For `describers.create('remote', ...)`."""
        if self.dialect == 'dam':
            return {'url': self.url}
        return {'url': self.url, 'pictures': 'outlined', 'model': PLAIN_MODEL}

    def describer(self, **changes: Any) -> RemoteDescriber:
        """One that asks this server; closed with it."""
        self._made.append(describers.create('remote', {**self.options(), **changes}))
        return self._made[-1]

    def close(self) -> None:
        for one in self._made:
            one.close()
        self.ended.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        self.gone += 1   # the client closed the connection: no traceback among the tests' words


@contextmanager
def serving_model(dialect: str = 'dam', port: int = 0, **changes: Any) -> Iterator[Server]:
    """A server on a port of its own, ended at the end. See Server for `changes`."""
    server = Server(dialect, port, **changes)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(5.0)


def events(*chunks: Any) -> bytes:
    """Server-sent events: JSON of each chunk, a text as it is."""
    return b''.join(f'data: {one if isinstance(one, str) else json.dumps(one)}\n\n'.encode() for one in chunks)


def response(body: bytes, kind: str = 'text/event-stream', status: str = '200 OK', length: bool = True,
             **headers: str) -> bytes:
    """A whole HTTP answer; without `length` it ends with the connection."""
    lines = [f'HTTP/1.1 {status}', f'Content-Type: {kind}', *(f'{name.replace("_", "-")}: {value}' for name, value in
                                                              headers.items())]
    lines += [f'Content-Length: {len(body)}'] if length else []
    return '\r\n'.join([*lines, '', '']).encode() + body


def pictures_of(body: dict) -> list[np.ndarray]:
    """The pictures of a request, as OpenCV decodes them."""
    urls = [part['image_url']['url'] for message in body['messages'] if isinstance(message['content'], list)
            for part in message['content'] if part['type'] == 'image_url']
    files = [np.frombuffer(base64.b64decode(one.partition(',')[2], validate=True), np.uint8) for one in urls]
    return [cv2.imdecode(one, cv2.IMREAD_UNCHANGED) for one in files]


def text_of(body: dict) -> str:
    """What was asked."""
    contents = [one['content'] for one in body['messages'] if one['role'] == 'user']
    return ''.join(one if isinstance(one, str) else ''.join(part['text'] for part in one if part['type'] == 'text')
                   for one in contents)


def answer_to(query: str, pictures: list[np.ndarray]) -> str:
    """What a server says that sees these pictures: the same for the same, else another."""
    seen = zlib.crc32(b''.join(one.tobytes() for one in pictures)) % 100000
    return f'A thing with the number {seen} in {len(pictures)} pictures. It was asked {zlib.crc32(query.encode())}.'


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = 'HTTP/1.1'
    timeout = 20

    def log_message(self, *words: Any) -> None:
        pass

    def do_POST(self) -> None:
        self.close_connection = True
        if self.server.early:
            return self._play()
        body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        self.server.requests.append((dict(self.headers), body))
        if self.server.script is not None:
            return self._play()
        try:
            self._check_address()
            words = (_words_of_dam if self.server.dialect == 'dam' else _words_of_plain)(self.server, body)
        except Refused as refusal:
            return self._refuse(*refusal.args, stream=body.get('stream', False))
        if not body.get('stream'):
            return self._json(200, _whole(self.server.dialect, body['model'], ''.join(words)))
        self._stream(_dam_chunks(words) if self.server.dialect == 'dam' else _plain_chunks(words, body))

    def _check_address(self) -> None:
        path = '/chat/completions' if self.server.dialect == 'dam' else '/v1/chat/completions'
        if self.path != path:
            raise Refused(404, {'detail': 'Not Found'})
        if self.server.key and self.headers['Authorization'] != f'Bearer {self.server.key}':
            raise Refused(401, {'error': {'message': f'Incorrect key: {self.headers["Authorization"]}', 'code': None}})

    def _refuse(self, status: int, body: dict, stream: bool) -> None:
        """The DAM authors' server has sent 200 before it looks at a picture that is to be streamed about."""
        late = status == 500 and stream and 'empty' in str(body)
        self._stream([body], done=False) if late else self._json(status, body)

    def _json(self, status: int, body: dict) -> None:
        self.wfile.write(response(json.dumps(body).encode(), 'application/json', f'{status} So'))

    def _stream(self, chunks: list[Any], done: bool = True) -> None:
        self.wfile.write(response(b'', 'text/event-stream; charset=utf-8', length=False, Transfer_Encoding='chunked'))
        for chunk in [*chunks, *(['[DONE]'] if done else [])]:
            data = events(chunk)
            self.wfile.write(f'{len(data):x}\r\n'.encode() + data + b'\r\n')
            self.wfile.flush()
            if self.server.pause_s and self.server.ended.wait(self.server.pause_s):
                return
        self.wfile.write(b'0\r\n\r\n')

    def _play(self) -> None:
        for item in self.server.script or ():
            if item is HANG:
                self.server.ended.wait(30.0)
            elif item is RESET:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                self.connection.close()
            else:
                self.wfile.write(item)
                self.wfile.flush()


def _words_of_dam(server: Server, body: dict) -> list[str]:
    """Every check of dam-spec 13, then the text in tokens."""
    if any(one['role'] not in ('user', 'assistant') for one in body['messages']):
        raise Refused(422, {'detail': [{'loc': ['body', 'messages', 0, 'role'], 'msg': 'role has to be another'}]})
    if body['model'] not in (DAM_MODEL, 'tiny-dam', 'tiny-dam-video'):
        raise Refused(500, {'error': f'not the request model: {body["model"]}'})
    bad = re.search(r'"url": "(?!data:image/(?:png|jpeg|jpg);base64,|https?:)', json.dumps(body))
    pictures = [] if bad else pictures_of(body)
    if bad or not pictures:
        raise Refused(500, {'error': 'this url is no picture' if bad else 'there is no picture with a mask'})
    if any(one.ndim != 3 or one.shape[2] != 4 for one in pictures):
        raise Refused(500, {'error': 'a picture should be RGBA'})
    query = text_of(body).strip()
    for name in ('Image:', 'Video:'):
        query = query.removeprefix(name).strip()
    while query.startswith('<image>'):
        query = query.removeprefix('<image>')
    if '<image>' in query:
        raise Refused(500, {'error': 'there is <image> inside'})
    if len(pictures) not in ((1, 8) if server.joint else (1,)):
        raise Refused(500, {'error': f'only 1 image, but {len(pictures)} came'})
    if not all((one[..., 3] > 0).any() for one in pictures):
        raise Refused(500, {'error': 'the mask is empty'})
    return _tokens(answer_to(query.strip(), pictures))


def _words_of_plain(server: Server, body: dict) -> list[str]:
    if body['model'] != PLAIN_MODEL:
        raise Refused(404, {'object': 'error', 'message': f'The model {body["model"]} does not exist', 'code': 404})
    for name in ('temperature', 'top_p'):
        assert isinstance(body[name], float), name
    assert body['max_tokens'] >= 1
    return _tokens(answer_to(text_of(body), pictures_of(body)))


def _tokens(text: str) -> list[str]:
    return re.findall(r' ?\w+|\W', text)


def _whole(dialect: str, model: str, text: str) -> dict:
    message = {'message': {'role': 'assistant', 'content': text}}
    extra = {} if dialect == 'dam' else {'index': 0, 'finish_reason': 'stop'}
    return {'id': 'a', 'object': 'chat.completion', 'created': time.time(), 'model': model,
            'choices': [{**message, **extra}]}


def _dam_chunks(tokens: list[str]) -> list[dict]:
    """One piece per token, whole words only, what is left at the end; `content` is a list; then an end without id."""
    chunks, held = [], ''
    for token in [*tokens, None]:
        held += token or ''
        ready = held if token is None else held[:held.rfind(' ') + 1]
        held = held[len(ready):]
        chunks.append({'id': 'a', 'object': 'chat.completion.chunk', 'created': 1, 'model': DAM_MODEL, 'choices': [
            {'delta': {'content': [{'type': 'text', 'text': ready}]}, 'finish_reason': None}]})
    return [*chunks, {'choices': [{'finish_reason': 'stop'}]}]


def _plain_chunks(tokens: list[str], body: dict) -> list[dict]:
    def chunk(delta: dict, finish: str | None = None) -> dict:
        return {'id': 'a', 'object': 'chat.completion.chunk', 'created': 1, 'model': PLAIN_MODEL,
                'choices': [{'index': 0, 'delta': delta, 'finish_reason': finish}]}
    said = tokens[:body['max_tokens']]
    usage = {'id': 'a', 'object': 'chat.completion.chunk', 'choices': [], 'usage': {'completion_tokens': len(said)}}
    return [chunk({'role': 'assistant', 'content': ''}), *(chunk({'content': one}) for one in said),
            chunk({}, 'length' if len(said) < len(tokens) else 'stop'), usage]
