"""The describer that asks a server: the DAM authors' own, or any that speaks the OpenAI chat protocol with pictures.

The pictures leave this machine. It knows no weights; what the server says is taken as its words, and what it does wrong
is one failure. Each telling has a thread and a connection of its own; `step` collects what has come and waits for
nobody. See docs/remote.md.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
import json
import queue
import ssl
import time
import uuid

from dam_ros.core.clips import PICTURES
from dam_ros.core.describing import Piece, Query, Subject
from dam_ros.core.errors import DescriberFailed, Failure, Unsupported, complaint
from dam_ros.describers.remote_exchange import Exchange, Server
from dam_ros.describers.remote_options import Options, address_of, key_of
from dam_ros.describers.remote_pictures import Encoded, with_outline, with_transparency
from dam_ros.describers.remote_protocol import Blame, Ended, Said
from dam_ros.describers.remote_words import for_dam, for_plain_model

_NAP_S = 0.02    # how long a step waits where nothing has come
_LEAVE_S = 1.0   # how long closing waits for the threads


def create(options: Mapping[str, object] | None = None) -> RemoteDescriber:
    """See docs/remote.md for the options. The server need not be up: each telling finds out for itself.

    Raises:
        DescriberFailed: an option that makes no sense.
    """
    return RemoteDescriber(Options.of(options or {}))


class RemoteLook:
    """Encoded pictures; `close` drops them."""

    def __init__(self, pictures: tuple[Encoded, ...], count: int):
        self.pictures = pictures
        self.count = count   # of the subject's own

    def close(self) -> None:
        self.pictures = ()


class RemoteTelling:
    """One answer on its way.

    Attributes:
        exchange: None once nothing more of it is wanted.
    """

    def __init__(self, exchange: Exchange, max_tokens: int, language: str):
        self.exchange: Exchange | None = exchange
        self._left = max_tokens + 1   # the DAM authors' server sends what it held back as one piece more
        self._language = language

    def stop(self) -> None:
        if self.exchange is not None:
            self.exchange.stop()
            self.exchange = None

    def piece_of(self, event: Said | Ended | Failure) -> Piece | None:
        """None where there is nothing to say of it. After a last piece it is stopped."""
        if isinstance(event, Said):
            self._left -= event.tokens
            if self._left >= 0:
                return Piece(event.text) if event.text else None
            event = Ended(truncated=True)   # a server that ignores max_tokens
        self.stop()
        if isinstance(event, Ended):
            return Piece(last=True, truncated=event.truncated, language=self._language)
        return Piece(last=True, failure=event)


class RemoteDescriber:
    """See `core.describing.Describer`."""

    name = 'remote'

    def __init__(self, options: Options):
        """Raises DescriberFailed."""
        self._options = options
        address = address_of(options.url)
        self.model = f'{options.model} at {address.shown}'
        self.languages = options.spoken()
        self.capacity = options.capacity
        single = options.pictures == 'rgba' and options.model_kind == 'image'
        self.max_pictures = 1 if single else PICTURES   # where the kind is not said, the server says it
        self._server = Server(address, key_of(options.key_env), Blame(address.shown, options.key_env, options.model),
                              options.timeout_s, options.connect_timeout_s,
                              ssl.create_default_context() if address.secure else None)
        self._inbox: queue.SimpleQueue = queue.SimpleQueue()
        self._running: list[RemoteTelling] = []
        self._exchanges: list[Exchange] = []   # whose threads may still run

    def look(self, subjects: Sequence[Subject]) -> list[RemoteLook]:
        """Encodes the pictures; nothing is sent. Raises Unsupported for a clip of more than `max_pictures`."""
        encode = with_transparency if self._options.pictures == 'rgba' else with_outline
        for subject in subjects:
            if len(subject.pictures) > self.max_pictures:
                raise Unsupported(complaint('clip_s', f'{len(subject.pictures)} pictures',
                                            f'at most {self.max_pictures}'))
        return [RemoteLook(encode(one, self._options.max_side_px), len(one.pictures)) for one in subjects]

    def begin(self, look: RemoteLook, query: Query) -> RemoteTelling:
        """Sends the request. Raises Unsupported for a language that the server's model is not said to write."""
        spoken = {one.lower().split('-')[0] for one in self.languages}
        if query.language and query.language.lower().split('-')[0] not in spoken:
            raise Unsupported(complaint('language', query.language, ', '.join(map(repr, self.languages)),
                                        'describer_options {"languages": ...} names what a plain model may be asked '
                                        'for; the Describe Anything Model writes English'))
        if not look.pictures:
            raise DescriberFailed('a closed look was told about')
        self._exchanges = [one for one in self._exchanges if one.thread.is_alive()]
        language = query.language or self.languages[0]
        exchange = Exchange(self._server, self._body(look, query, language), self._inbox)
        telling = RemoteTelling(exchange, query.max_tokens, language)
        self._exchanges.append(exchange)
        self._running.append(telling)
        return telling

    def _body(self, look: RemoteLook, query: Query, language: str) -> list[bytes]:
        """The request as JSON, in parts: pictures of megabytes are put in as they are, not copied through json."""
        if self._options.pictures == 'rgba':
            text = for_dam(query, look.count, self._options.joint())
        else:
            text = for_plain_model(query, look.count, language)
        gap = uuid.uuid4().hex   # stands for a picture; nobody can have it in a question
        content = [{'type': 'image_url', 'image_url': {'url': f'data:{one.kind};base64,{gap}'}}
                   for one in look.pictures]
        asked = {'model': self._options.model, 'stream': True, 'max_tokens': query.max_tokens,
                 'temperature': query.temperature, 'top_p': query.top_p,
                 'messages': [{'role': 'user', 'content': [*content, {'type': 'text', 'text': text}]}]}
        if query.temperature > 0:
            asked['seed'] = query.seed
        first, *rest = json.dumps(asked).encode().split(gap.encode())
        return [first, *(part for picture, after in zip(look.pictures, rest) for part in (picture.base64, after))]

    def step(self) -> list[tuple[RemoteTelling, Piece]]:
        """What has come of every running telling; waits 20 ms at most where nothing has."""
        self._running = [one for one in self._running if one.exchange is not None]
        if not self._running:
            self._inbox = queue.SimpleQueue()   # what a stopped exchange may still say concerns nobody
            return []
        owners = {id(one.exchange): one for one in self._running}
        told = [(owners[id(exchange)], event) for exchange, event in self._arrived() if id(exchange) in owners]
        now = time.monotonic()
        told += [(one, one.exchange.silence()) for one in self._running if now > one.exchange.overdue_at]
        pieces = [(one, one.piece_of(event)) for one, event in told if one.exchange is not None]
        return [(one, piece) for one, piece in pieces if piece is not None]

    def _arrived(self) -> list[tuple[Exchange, Said | Ended | Failure]]:
        found = []
        try:
            found.append(self._inbox.get(timeout=_NAP_S))
            while True:
                found.append(self._inbox.get_nowait())
        except queue.Empty:
            return found

    def close(self) -> None:
        """Stops everything; a thread that the name service holds ends when that lets go of it."""
        for telling in self._running:
            telling.stop()
        self._running = []
        end = time.monotonic() + _LEAVE_S
        for exchange in self._exchanges:
            exchange.thread.join(max(0.0, end - time.monotonic()))
        self._exchanges = []
