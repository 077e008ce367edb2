"""One question to a server and its answer: a thread and a connection of its own, which `stop` closes at any moment.

The thread puts what comes into a queue; who reads that also looks at `overdue`, so that nothing a server or a name
service does can hold anybody up. Straight to the server: no proxy, no redirect. It knows no pictures.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
import http.client
import queue
import socket
import ssl
import threading
import time

from dam_ros.core.errors import DescriberFailed, Failure
from dam_ros.describers.remote_options import Address, Key
from dam_ros.describers.remote_protocol import Blame, Ended, EventStream, Said, events_of, refusal, whole_answer

_BLOCK = 1 << 18         # bytes sent at once; between them `stop` is looked at and the time limit begins anew
_MAX_ANSWER = 1 << 24    # bytes
_MAX_REFUSAL = 1 << 16   # bytes of an error that are read
_GRACE_S = 0.5           # s that a socket's own time limit goes before `overdue`: its words are better


@dataclass(frozen=True)
class Server:
    """Where and how to ask, the same for every exchange."""

    address: Address
    key: Key
    blame: Blame
    timeout_s: float
    connect_timeout_s: float
    tls: ssl.SSLContext | None


class Exchange:
    """See the module. What is put into the queue is (exchange, Said | Ended | Failure); the last two end it.

    Attributes:
        overdue_at: steady clock, s; later than this without a sign of life, the server counts as silent.
    """

    def __init__(self, server: Server, body: Sequence[bytes], inbox: queue.SimpleQueue):
        self._server, self._body, self._inbox = server, body, inbox
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()   # between stop() and the thread that opens and closes the socket
        self._stopped = False
        self.overdue_at = time.monotonic() + server.connect_timeout_s + _GRACE_S
        self.thread = threading.Thread(target=self._run, name='remote', daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Nothing more comes; the thread ends as soon as the system lets go of it."""
        with self._lock:
            self._stopped = True
            if self._socket is not None:
                try:   # not SSLSocket's own: that would take the TLS layer from under the reading thread
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
                except OSError:   # it is closed already
                    pass

    def silence(self) -> Failure:
        """What to say where it is overdue."""
        if self._socket is None:
            return self._server.blame.unavailable(f'No connection within {self._server.connect_timeout_s:g} s',
                                                  'Is it up and can it be reached from here? '
                                                  'remote_connect_timeout_s allows more')
        return self._server.blame.unavailable(f'It was silent for {self._server.timeout_s:g} s',
                                              'Is it overloaded or still loading? remote_timeout_s allows more')

    def _run(self) -> None:
        connection = None
        try:
            connection = self._connect()
            self._converse(connection)
        except Failure as failure:
            self._put(failure)
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            self._put(self._lost(error))
        except Exception as error:   # noqa: B902  a thread that dies in silence would leave its telling waiting
            words = self._server.key.hide(str(error))
            self._put(DescriberFailed(f'describer remote failed: {type(error).__name__}: {words}'))
        finally:
            with self._lock:
                self._stopped = True
                if connection is not None:
                    connection.close()
                if self._socket is not None:
                    self._socket.close()

    def _put(self, event: Said | Ended | Failure) -> None:
        if not self._stopped:
            self._inbox.put((self, event))

    def _alive(self) -> None:
        self.overdue_at = time.monotonic() + self._server.timeout_s + _GRACE_S

    def _connect(self) -> http.client.HTTPConnection:
        address, limit_s = self._server.address, self._server.connect_timeout_s
        if self._server.tls is not None:
            made = http.client.HTTPSConnection(address.host, address.port, timeout=limit_s, context=self._server.tls)
        else:
            made = http.client.HTTPConnection(address.host, address.port, timeout=limit_s)
        made.connect()
        made.sock.settimeout(self._server.timeout_s)
        self._alive()
        with self._lock:
            self._socket = made.sock
            if self._stopped:
                raise OSError('stopped')
        return made

    def _converse(self, connection: http.client.HTTPConnection) -> None:
        headers = {'Content-Type': 'application/json', 'Accept': 'text/event-stream, application/json',
                   'Content-Length': str(sum(map(len, self._body))), 'Connection': 'close',
                   **self._server.key.headers()}
        try:
            connection.request('POST', self._server.address.path, self._blocks(), headers)
        except (BrokenPipeError, ConnectionResetError):   # it answers before it has read everything: why, it says now
            if self._stopped:
                return
        response = connection.getresponse()
        self._alive()
        blame = self._server.blame
        kind = response.headers.get_content_type()
        if response.status != 200:
            body = self._text(self._read(response, _MAX_REFUSAL, cut=True))
            raise refusal(response.status, self._shown(response.headers), body, blame)
        if kind == 'text/event-stream':
            self._stream(response)
        elif kind.endswith('json'):
            for event in whole_answer(self._text(self._read(response, _MAX_ANSWER)), blame):
                self._put(event)
        else:
            raise blame.no_protocol(self._server.key.hide(kind))

    def _blocks(self) -> Iterator[memoryview]:
        for part in self._body:
            view = memoryview(part)
            for start in range(0, len(view), _BLOCK):
                self._alive()
                yield view[start:start + _BLOCK]

    def _stream(self, response: http.client.HTTPResponse) -> None:
        stream, total, blame = EventStream(), 0, self._server.blame
        while True:
            portion = response.read1(_BLOCK)
            total += len(portion)
            if total > _MAX_ANSWER:
                raise blame.no_protocol(f'more than {_MAX_ANSWER} bytes')
            try:
                complete = stream.feed(portion) if portion else stream.end()
            except ValueError as error:
                raise blame.no_protocol(str(error)) from error
            for data in complete:
                self._alive()
                for event in events_of(self._server.key.hide(data), blame):
                    self._put(event)
                    if isinstance(event, Ended):
                        return
            if not portion:
                raise blame.unavailable('The answer ended in the middle', 'Ask again; its own log may say why')

    def _read(self, response: http.client.HTTPResponse, limit: int, cut: bool = False) -> bytes:
        """All of a body. Of one above `limit` bytes the beginning where `cut`, else RemoteUnavailable."""
        portions, total = [], 0
        while total <= limit and (portion := response.read1(_BLOCK)):
            portions.append(portion)
            total += len(portion)
        if total > limit and not cut:
            raise self._server.blame.no_protocol(f'more than {limit} bytes')
        return b''.join(portions)[:limit]

    def _text(self, body: bytes) -> str:
        return self._server.key.hide(body.decode('utf-8', 'replace'))

    def _shown(self, headers: http.client.HTTPMessage) -> dict[str, str]:
        return {name: self._server.key.hide(headers.get(name, '')) for name in ('Retry-After', 'Location')
                if name in headers}

    def _lost(self, error: Exception) -> Failure:
        blame, name = self._server.blame, self._server.address.host
        if isinstance(error, TimeoutError):
            return self.silence()
        if isinstance(error, ConnectionRefusedError):
            return blame.unavailable('Nobody listens there (connection refused)', 'Start the server, or set remote_url '
                                     'to where it runs; it is asked again with the next request')
        if isinstance(error, (socket.gaierror, UnicodeError)):   # the latter: a name that cannot be one
            return blame.unavailable(f'The name {name!r} is not known', 'Check remote_url and the network')
        if isinstance(error, ssl.SSLError):
            return blame.unavailable(f'No TLS connection ({self._server.key.hide(str(error))})', 'https needs a '
                                     'certificate that this machine trusts; SSL_CERT_FILE names your own', 0.0)
        if isinstance(error, (ConnectionError, http.client.IncompleteRead)):
            return blame.unavailable('The connection broke before the answer was whole', 'Ask again; its own log may '
                                     'say why')
        if isinstance(error, http.client.HTTPException):
            return blame.no_protocol(f'no proper HTTP ({type(error).__name__})')
        return blame.unavailable(f'It cannot be reached ({error.strerror or error})',
                                 'Check remote_url and the network')
