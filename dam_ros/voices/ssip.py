"""A connection to speech-dispatcher in its own protocol, SSIP. It knows no utterances and has no thread.

Ours, of the standard library only: the client that comes with speech-dispatcher, python3-speechd, is a package of the
distribution, which a virtual environment does not see. Source: the SSIP manual (`info ssip`), tried with 0.11.4.
"""
from __future__ import annotations

from collections import deque
import os
from pathlib import Path
import select
import socket
import time

from dam_ros.voices.protocol import VoiceError

LIMIT_S = 2.0    # for any reply: a server that works answers within some ms
REMEDY = 'sudo apt-get install speech-dispatcher speech-dispatcher-espeak-ng, and try spd-say hello'
_PORT = 6560     # its default where the address names a host only
_LONGEST = 1 << 20


class Gone(VoiceError):
    """The connection has ended: the server died or is starting again."""

    def __init__(self):
        super().__init__(f'speech-dispatcher has closed the connection. {REMEDY}', again=True)


def address() -> str:
    """Where the server listens, as SPEECHD_ADDRESS has it: unix_socket:PATH or inet_socket:HOST:PORT."""
    given = os.environ.get('SPEECHD_ADDRESS', '')
    kind, _, place = given.partition(':')
    if kind == 'inet_socket':
        host, _, port = place.partition(':')
        return f'inet_socket:{host or "localhost"}:{port or _PORT}'
    if kind == 'unix_socket' and place:
        return given
    if given and given != 'unix_socket':
        raise VoiceError(f'SPEECHD_ADDRESS is {given!r}; allowed: unix_socket:PATH, inet_socket:HOST:PORT')
    folder = os.environ.get('XDG_RUNTIME_DIR') or Path.home() / '.cache'
    return f'unix_socket:{folder}/speech-dispatcher/speechd.sock'


class Ssip:
    """One connection; used by one thread but for `wake`.

    Raises (the methods, too):
        VoiceError: nobody answers there, or not in time; `Gone` where the connection has ended.
    """

    def __init__(self, place: str = ''):
        self._place = place or address()
        self._unread, self._block = b'', []
        self._replies: deque[tuple[str, list[str]]] = deque()
        self._events: deque[tuple[str, str]] = deque()
        self._set: dict[str, str] = {}
        self._lists: dict[str, list[str]] = {}
        self._socket = _connected(self._place)
        self._bell, self._rope = socket.socketpair()
        self._bell.setblocking(False)
        self._rope.setblocking(False)

    def wake(self) -> None:
        """Ends a wait for an event, from any thread; never blocks."""
        try:
            self._rope.send(b'!')
        except OSError:
            pass   # it rings already, or the connection is closed

    def command(self, line: str, limit_s: float | None = None) -> list[str]:
        """Sends one command; the lines of its reply but the last. `limit_s`: for the reply; None = LIMIT_S."""
        self._send(line.encode() + b'\r\n')
        return self._reply(line, LIMIT_S if limit_s is None else limit_s)

    def adjust(self, name: str, value: str) -> None:
        """`SET SELF name value`, where it is not so already."""
        if self._set.get(name) != value:
            self._set.pop(name, None)
            self.command(f'SET SELF {name} {value}')
            self._set[name] = value

    def listed(self, what: str) -> list[str]:
        """`LIST what`, asked for once: the voices of espeak-ng with all their variants are 13 000 lines."""
        if what not in self._lists:
            self._lists[what] = self.command(f'LIST {what}')
        return self._lists[what]

    def adjusted(self, name: str) -> bool:
        return name in self._set

    def speak(self, text: str) -> str:
        """Queues a message; its number, by which `event` knows it."""
        self.command('SPEAK')
        # A line of a dot alone would end the text, so each dot at the beginning of a line is doubled.
        lines = [f'.{line}' if line.startswith('.') else line for line in text.splitlines()]
        self._send('\r\n'.join([*lines, '.', '']).encode(errors='replace'))
        reply = self._reply('SPEAK', LIMIT_S)
        return reply[0] if reply else ''

    def event(self, message: str, until: float) -> str:
        """The next of BEGIN, END, CANCELED ... of this message; '' = none until then (`time.monotonic`), or `wake`."""
        while True:
            while self._events:
                number, kind = self._events.popleft()
                if number == message:
                    return kind
            if not self._read(until, awake=True):
                return ''

    def close(self) -> None:
        """Nothing of ours is spoken any more, also by a server that hangs now and goes on later."""
        try:
            self._socket.setblocking(False)
            self._socket.send(b'CANCEL SELF\r\nQUIT\r\n')
        except OSError:
            pass   # it is gone, or takes nothing any more
        for one in (self._socket, self._bell, self._rope):
            one.close()

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except TimeoutError as error:
            raise self._hangs('takes nothing any more') from error
        except OSError as error:
            raise Gone from error

    def _reply(self, line: str, limit_s: float) -> list[str]:
        until = time.monotonic() + limit_s
        while not self._replies:
            if not self._read(until):
                raise self._hangs(f'has not answered {line} within {limit_s:g} s')
        code, lines = self._replies.popleft()
        if code[:1] != '2':
            raise VoiceError(f'speech-dispatcher refuses {line}: {code} {lines[-1]}')
        return lines[:-1]

    def _hangs(self, how: str) -> VoiceError:
        return VoiceError(f'speech-dispatcher hangs: it {how}. Start it again')

    def _read(self, until: float, awake: bool = False) -> bool:
        """Takes in what has come; False = nothing came until then, or, where `awake`, somebody rang."""
        wanted = [self._socket, self._bell] if awake else [self._socket]
        ready, _, _ = select.select(wanted, [], [], max(until - time.monotonic(), 0.0))
        if self._bell in ready:
            self._bell.recv(64)
            return False
        if not ready:
            return False
        try:
            data = self._socket.recv(1 << 16)
        except OSError as error:
            raise Gone from error
        if not data or len(self._unread) > _LONGEST:
            raise Gone
        *lines, self._unread = (self._unread + data).split(b'\n')
        for line in lines:
            self._take(line.decode(errors='replace').rstrip('\r'))
        return True

    def _take(self, line: str) -> None:
        """NNN-data lines make a block, which NNN and a blank ends; those of 7NN are events: message, client, kind."""
        code, more, text = line[:3], line[3:4], line[4:]
        self._block.append(text)
        if more == '-':
            return
        block, self._block = self._block, []
        if code.startswith('7'):
            self._events.append((block[0], text))
        else:
            self._replies.append((code, block))


def _connected(place: str) -> socket.socket:
    kind, _, rest = place.partition(':')
    try:
        if kind == 'inet_socket':
            host, _, port = rest.rpartition(':')
            return socket.create_connection((host, int(port)), LIMIT_S)
        made = socket.socket(socket.AF_UNIX)
        try:
            made.settimeout(LIMIT_S)
            made.connect(rest)
        except OSError:
            made.close()
            raise
        return made
    except (OSError, ValueError) as error:
        why = getattr(error, 'strerror', None) or error
        raise VoiceError(f'speech-dispatcher does not answer at {place}: {why}. {REMEDY}') from error
