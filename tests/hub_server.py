"""A hub that speaks as much of the Hugging Face hub's protocol as downloading needs, and misbehaves on demand."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
from pathlib import Path
import struct
import threading
import time
from urllib.parse import unquote, urlsplit

PINNED = '0797bedd98d645cd021379a4661ee233da279bba'


def safetensors(numbers: int = 4, seed: int = 0) -> bytes:
    """A whole safetensors file of one float32 tensor."""
    header = json.dumps({'w': {'dtype': 'F32', 'shape': [numbers], 'data_offsets': [0, 4 * numbers]}}).encode()
    data = hashlib.sha256(bytes([seed])).digest() * (numbers // 8 + 1)
    return struct.pack('<Q', len(header)) + header + data[:4 * numbers]


def checkpoint(numbers: int = 4) -> dict[str, bytes]:
    """The files of a repository in the official layout, and some that nobody should fetch."""
    index = {'weight_map': {'a': 'model-00001-of-00002.safetensors', 'b': 'model-00002-of-00002.safetensors'}}
    return {
        'config.json': json.dumps({'model_type': 'llava_llama', 'context_provider_cfg': {}}).encode(),
        'llm/config.json': b'{}', 'llm/generation_config.json': b'{}', 'llm/tokenizer.model': b'pieces',
        'llm/model.safetensors.index.json': json.dumps(index).encode(),
        'llm/model-00001-of-00002.safetensors': safetensors(numbers, 1),
        'llm/model-00002-of-00002.safetensors': safetensors(numbers, 2),
        'vision_tower/config.json': b'{}', 'vision_tower/preprocessor_config.json': b'{"size": 384}',
        'vision_tower/model.safetensors': safetensors(numbers, 3),
        'mm_projector/config.json': b'{}', 'mm_projector/model.safetensors': safetensors(numbers, 4),
        'context_provider/config.json': b'{}', 'context_provider/model.safetensors': safetensors(numbers, 5),
        'README.md': b'words', 'trainer_state.json': b'{}', 'llava_llama.py': b'raise SystemExit',
        'optimizer.pt': b'\x80\x04.', 'llm/pytorch_model.bin': b'\x80\x04.', 'old/llm/model.safetensors': b'',
    }


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def _is_large(name: str) -> bool:
    return name.endswith(('.safetensors', '.model', '.pt', '.bin'))


def oid(name: str, content: bytes) -> str:
    """What the hub calls a file's content by: SHA-256 where it lies in large file storage, else git's own hash."""
    if _is_large(name):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b'blob %d\0' % len(content) + content).hexdigest()


class Hub:
    """What it holds, what it was asked, and how it misbehaves.

    Attributes:
        refused: (HTTP status, X-Error-Code) of every answer, or None.
        chunk_s: s between two chunks of 4096 bytes of a large file.
        lie: name -> bytes that are sent instead; announced are the right ones.
        silent: answers nothing at all.
        elsewhere: URL of another server, to which large files are redirected.
        keys: the Authorization of every request.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.heads: dict[str, str] = {}   # what `main` is
        self.asked: list[tuple[str, str, str]] = []   # method, path, Range
        self.refused: tuple[int, str] | None = None
        self.chunk_s = 0.0
        self.lie: dict[str, bytes] = {}
        self.silent = False
        self.elsewhere = ''
        self.keys: list[str | None] = []
        self.url = ''

    def add(self, hub_id: str, files: dict[str, bytes], commit: str) -> None:
        self.repositories[hub_id], self.heads[hub_id] = files, commit

    def fetched(self) -> list[tuple[str, str]]:
        """(file, Range) of every file that was asked for with GET."""
        return [(path.split('/resolve/')[1].split('/', 1)[1], part) for method, path, part in self.asked
                if method == 'GET' and '/resolve/' in path]


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append((self.command, path, self.headers.get('Range', '')))
        self.hub.keys.append(self.headers.get('Authorization'))
        while self.hub.silent:
            time.sleep(0.05)
        parts = path.strip('/').split('/')
        if self.hub.refused:
            status, code = self.hub.refused
            self._send(status, b'', {'X-Error-Code': code, 'X-Error-Message': 'no'}, with_body)
        elif parts[:2] == ['api', 'models'] and '/'.join(parts[2:4]) in self.hub.repositories:
            self._describe('/'.join(parts[2:4]), parts[5] if len(parts) > 5 else 'main', with_body)
        elif len(parts) > 4 and parts[2] == 'resolve' and parts[0] != 'api':
            self._file('/'.join(parts[:2]), parts[3], '/'.join(parts[4:]), with_body)
        else:
            self._send(404, b'', {'X-Error-Code': 'RepoNotFound'}, with_body)

    def _describe(self, hub_id: str, revision: str, with_body: bool) -> None:
        commit = self.hub.heads[hub_id]
        if revision not in ('main', commit):
            self._send(404, b'', {'X-Error-Code': 'RevisionNotFound'}, with_body)
            return
        siblings = []
        for name, content in self.hub.repositories[hub_id].items():
            one = {'rfilename': name, 'size': len(content), 'blobId': oid('', content)}
            if _is_large(name):
                one['lfs'] = {'sha256': oid(name, content), 'size': len(content), 'pointerSize': 133}
            siblings.append(one)
        body = json.dumps({'id': hub_id, 'modelId': hub_id, 'sha': commit, 'siblings': siblings, 'tags': [],
                           'private': False, 'downloads': 0, 'likes': 0}).encode()
        self._send(200, body, {'Content-Type': 'application/json'}, with_body)

    def _file(self, hub_id: str, commit: str, name: str, with_body: bool) -> None:
        content = self.hub.repositories[hub_id][name]
        headers = {'X-Repo-Commit': commit, 'ETag': f'"{oid(name, content)}"', 'Accept-Ranges': 'bytes'}
        if self.hub.elsewhere and _is_large(name):
            self._send(302, b'', {**headers, 'Location': self.hub.elsewhere + self.path, 'X-Linked-Size': len(content),
                                  'X-Linked-Etag': headers['ETag']}, with_body)
            return
        content, status = self.hub.lie.get(name, content), 200
        if part := self.headers.get('Range'):
            start, total = int(part.removeprefix('bytes=').split('-')[0]), len(content)
            if start >= total:
                self._send(416, b'', {'Content-Range': f'bytes */{total}'}, with_body)
                return
            content, status = content[start:], 206
            headers['Content-Range'] = f'bytes {start}-{total - 1}/{total}'
        self._send(status, content, headers, with_body, slowly=_is_large(name))

    def _send(self, status: int, body: bytes, headers: dict[str, object], with_body: bool,
              slowly: bool = False) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if not with_body:
            return
        try:
            for start in range(0, len(body), 4096):
                self.wfile.write(body[start:start + 4096])
                time.sleep(self.hub.chunk_s if slowly else 0)
        except OSError:   # the client has ended
            self.close_connection = True


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """The hub at `hub.url`, in a thread."""
    server = ThreadingHTTPServer(('127.0.0.1', 0), type('Handler', (_Handler,), {'hub': hub}))
    server.daemon_threads = True
    hub.url = f'http://127.0.0.1:{server.server_address[1]}'
    thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.silent = False
        server.shutdown()
        server.server_close()
        thread.join()
