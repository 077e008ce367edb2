"""The plain framing between node and worker: a JSON object and raw blobs, no pickle.

    4 bytes   length of the JSON text, little endian
    n bytes   JSON object; its "blobs" is the list of the blobs' lengths
    ...       the blobs, one after the other

It does not know what the messages mean.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
import json
import socket
import struct

import numpy as np

MAX_JSON = 16 << 20    # bytes; the longest real one is an answer with its facts
MAX_BLOBS = 2 << 30    # bytes; a picture of 64 Mpx with 16 bits in four channels has a quarter of it


class WireError(Exception):
    """What came is none of our messages: the other side is broken."""


def pack(message: dict, blobs: Sequence = ()) -> list:
    """The buffers to send, in order; the blobs are not copied."""
    views = [memoryview(blob).cast('B') for blob in blobs]
    text = json.dumps({**message, 'blobs': [len(view) for view in views]}).encode()
    return [struct.pack('<I', len(text)) + text, *views]


def send(connection: socket.socket, message: dict, blobs: Sequence = ()) -> None:
    for buffer in pack(message, blobs):
        connection.sendall(buffer)


def receive(connection: socket.socket) -> tuple[dict, list[np.ndarray]] | None:
    """The next message, None where the other side has closed. Raises WireError."""
    head = _read(connection, 4)
    if head is None:
        return None
    text = _read(connection, _length(head))
    if text is None:
        return None
    message, sizes = _parse(bytes(text))
    blobs = [_read(connection, size) for size in sizes]
    return None if any(blob is None for blob in blobs) else (message, blobs)


class Incoming:
    """Messages out of bytes as they come, however they are cut."""

    def __init__(self):
        self._data = bytearray()
        self._head: tuple[dict, list[int]] | None = None   # of a message whose blobs are still to come

    def feed(self, data: bytes) -> Iterator[tuple[dict, list[bytes]]]:
        """The messages that are whole now. Raises WireError."""
        self._data += data
        while self._whole():
            message, sizes = self._head
            self._head = None
            yield message, [self._take(size) for size in sizes]

    def _whole(self) -> bool:
        if self._head is None and len(self._data) >= 4:
            length = _length(self._data[:4])
            if len(self._data) >= 4 + length:
                self._take(4)
                self._head = _parse(self._take(length))
        return self._head is not None and len(self._data) >= sum(self._head[1])

    def _take(self, size: int) -> bytes:
        taken = bytes(self._data[:size])
        del self._data[:size]
        return taken


def _length(head: bytes) -> int:
    length = struct.unpack('<I', head)[0]
    if length > MAX_JSON:
        raise WireError(f'a message of {length} bytes; at most {MAX_JSON}')
    return length


def _parse(text: bytes) -> tuple[dict, list[int]]:
    try:
        message = json.loads(text)
        sizes = message.pop('blobs')
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise WireError(f'no message: {type(error).__name__}: {error}') from error
    if not isinstance(sizes, list) or not all(type(size) is int and size >= 0 for size in sizes) or (
            sum(sizes) > MAX_BLOBS):
        raise WireError(f'blobs of {sizes} bytes')
    return message, sizes


def _read(connection: socket.socket, size: int) -> np.ndarray | None:
    data = np.empty(size, np.uint8)   # a bytearray would be filled with zeros first
    view = memoryview(data)
    at = 0
    while at < size:
        count = connection.recv_into(view[at:])
        if count == 0:
            return None
        at += count
    return data
