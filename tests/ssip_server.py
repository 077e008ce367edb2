"""A speech-dispatcher of ours for tests: SSIP on a unix socket, its rules of priority, no sound.

    python ssip_server.py SOCKET LOG [hang]

A process, so that it can be killed and stopped. What it is told and what it says goes to LOG, one JSON object a line.
With `hang`, or from SIGUSR1 on, its synthesizer is dead: it neither begins nor ends. Replies and events
are those of speech-dispatcher 0.11.4, word by word.
"""
from __future__ import annotations

from dataclasses import dataclass, field
import json
import signal
import socket
import sys
import threading
import time

VOICES = (('English (America)', 'en-us'), ('English (America)+f3', 'en-us'), ('Spanish (Spain)', 'es'),
          ('Spanish (Spain)+f3', 'es'))


@dataclass
class Message:
    number: int
    client: Client
    priority: str
    text: str
    settings: dict[str, str]
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def duration_s(self) -> float:
        words_per_minute = 170.0 + 2.79 * max(float(self.settings.get('RATE', '0')), -30.0)
        return len(self.text) / 6.0 * 60.0 / words_per_minute


class Server:
    """All clients share one mouth."""

    def __init__(self, log: str, hangs: bool):
        self._log, self._hangs = open(log, 'a', encoding='utf-8', buffering=1), hangs
        self._condition = threading.Condition()
        self._waiting: list[Message] = []
        self._speaking: Message | None = None
        self._count = 0
        threading.Thread(target=self._speak, daemon=True).start()

    def lose_synthesizer(self) -> None:
        self._hangs = True

    def note(self, **fields) -> None:
        self._log.write(json.dumps({'at': time.monotonic(), **fields}) + '\n')

    def queue(self, client: Client, text: str) -> int:
        settings = dict(client.settings)
        with self._condition:
            self._count += 1
            message = Message(self._count, client, settings.get('PRIORITY', 'text'), text, settings)
            self.note(event='queued', number=message.number, text=text, client=settings.get('CLIENT_NAME', ''),
                      settings=settings)
            present = [one for one in (*self._waiting, self._speaking) if one is not None]
            if message.priority == 'notification':
                if any(one.priority != 'notification' for one in present):
                    self._tell(message, 'CANCELED')
                    return message.number
                self._cancel(present)
            else:
                self._cancel([one for one in present if one.priority in ('notification', 'progress')])
            self._waiting.append(message)
            self._condition.notify()
        return message.number

    def cancel(self, client: Client | None) -> None:
        with self._condition:
            self._cancel([one for one in (*self._waiting, self._speaking)
                          if one is not None and client in (None, one.client)])

    def _cancel(self, messages: list[Message]) -> None:
        for one in messages:
            one.cancelled.set()
            if one in self._waiting:
                self._waiting.remove(one)
                self._tell(one, 'CANCELED')

    def _tell(self, message: Message, kind: str) -> None:
        self.note(event=kind, number=message.number, text=message.text)
        code = {'BEGIN': 701, 'END': 702, 'CANCELED': 703}[kind]
        if message.client.settings.get('NOTIFICATION ALL') == 'ON':
            message.client.send(f'{code}-{message.number}\r\n{code}-{message.client.number}\r\n{code} {kind}\r\n')

    def _speak(self) -> None:
        while True:
            with self._condition:
                while not self._waiting or self._hangs:
                    self._condition.wait()
                self._speaking = self._waiting.pop(0)
            message = self._speaking
            self._tell(message, 'BEGIN')
            cut = message.cancelled.wait(message.duration_s) or self._hangs and message.cancelled.wait()
            with self._condition:
                self._speaking = None
            self._tell(message, 'CANCELED' if cut else 'END')


class Client:
    """One connection."""

    def __init__(self, server: Server, connection: socket.socket, number: int):
        self.settings: dict[str, str] = {}
        self.number = number
        self._server, self._connection = server, connection
        self._lock = threading.Lock()

    def send(self, text: str) -> None:
        with self._lock:
            try:
                self._connection.sendall(text.encode())
            except OSError:
                pass   # it has gone

    def serve(self) -> None:
        with self._connection, self._connection.makefile('r', encoding='utf-8', newline='\r\n') as lines:
            for line in lines:
                command = line.rstrip('\r\n')
                self._server.note(event='command', command=command)
                if command == 'SPEAK':
                    self._take_text(lines)
                elif command == 'QUIT':
                    return
                else:
                    self.send(self._answer(command))

    def _take_text(self, lines) -> None:
        self.send('230 OK RECEIVING DATA\r\n')
        text = []
        for line in lines:
            if line == '.\r\n':
                break
            text.append(line.rstrip('\r\n').removeprefix('.') if line.startswith('..') else line.rstrip('\r\n'))
        number = self._server.queue(self, '\n'.join(text))
        self.send(f'225-{number}\r\n225 OK MESSAGE QUEUED\r\n')

    def _answer(self, command: str) -> str:
        if command.startswith('SET SELF '):
            name, _, value = command.removeprefix('SET SELF ').rpartition(' ')
            if name.startswith(('SYNTHESIS_VOICE', 'CLIENT_NAME')):   # their values may have blanks
                name, _, value = command.removeprefix('SET SELF ').partition(' ')
            if name in ('RATE', 'PITCH', 'VOLUME') and not -100 <= int(value) <= 100:
                return '413 ERR VALUE OUT OF RANGE\r\n'
            self.settings[name] = value
            return '200 OK SET\r\n'
        if command.startswith('CANCEL '):
            self._server.cancel(None if command == 'CANCEL ALL' else self)
            return '213 OK CANCELED\r\n'
        if command == 'LIST OUTPUT_MODULES':
            return '250-espeak-ng\r\n250 OK MODULE LIST SENT\r\n'
        if command == 'LIST SYNTHESIS_VOICES':
            rows = ''.join(f'249-{name}\t{language}\tnone\r\n' for name, language in VOICES)
            return rows + '249 OK VOICE LIST SENT\r\n'
        if command == 'GET RATE':
            return f"251-{self.settings.get('RATE', '0')}\r\n251 OK GET RETURNED\r\n"
        return '500 ERR INVALID COMMAND\r\n'


def main(path: str, log: str, *flags: str) -> None:
    server, listener = Server(log, 'hang' in flags), socket.socket(socket.AF_UNIX)
    signal.signal(signal.SIGUSR1, lambda *_: server.lose_synthesizer())
    listener.bind(path)
    listener.listen()
    number = 0
    while True:
        connection, _ = listener.accept()
        number += 1
        threading.Thread(target=Client(server, connection, number).serve, daemon=True).start()


if __name__ == '__main__':
    main(*sys.argv[1:])
