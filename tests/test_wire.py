"""The framing between node and worker: whatever goes in comes out, nonsense is named, an end is an end."""
from __future__ import annotations

from collections.abc import Iterator
import json
import socket
import struct
import threading

import numpy as np
import pytest

from dam_ros.engine import wire
from dam_ros.engine.wire import WireError


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        other.settimeout(10.0)
        yield one, other


def as_they_come(data: bytes, cut: int) -> list:
    """Fed `cut` bytes at a time."""
    incoming = wire.Incoming()
    return [one for begin in range(0, len(data), cut) for one in incoming.feed(data[begin:begin + cut])]


def both(data: bytes, count: int = 1) -> list:
    """The messages, read in both ways; they must agree."""
    one, other = socket.socketpair()
    with one, other:
        sender = threading.Thread(target=lambda: (one.sendall(data), one.shutdown(socket.SHUT_WR)))
        sender.start()
        blocking = [wire.receive(other) for _ in range(count)]
        sender.join()
    for cut in (len(data), 1000, 7):
        fed = as_they_come(data, cut)
        assert [(message, [bytes(blob) for blob in blobs]) for message, blobs in blocking] == fed
    return fed


def packed(message: dict, blobs=()) -> bytes:
    return b''.join(bytes(one) for one in wire.pack(message, blobs))


def test_random_messages_come_out_as_they_went_in():
    random = np.random.default_rng(13)
    sent = []
    for index in range(60):
        blobs = [random.integers(0, 256, random.integers(0, 5000), np.uint8) for _ in range(random.integers(0, 4))]
        sent.append(({'op': 'x', 'index': index, 'text': 'ü\u4f60\ud800\n"' * int(random.integers(3)), 'none': None,
                      'nested': [1, {'a': 0.5}]}, blobs))
    got = both(b''.join(packed(*one) for one in sent), len(sent))
    for (message, blobs), (back, back_blobs) in zip(sent, got):
        assert message == back
        assert [bytes(one) for one in blobs] == [bytes(one) for one in back_blobs]


def test_blobs_of_any_shape_and_type_are_their_bytes():
    arrays = [np.arange(24, dtype=np.uint16).reshape(2, 3, 4), np.ones((2, 2), bool), np.zeros(0, np.float32)]
    (message, blobs), = both(packed({'op': 'x'}, arrays))
    assert message == {'op': 'x'}
    assert [bytes(one) for one in blobs] == [one.tobytes() for one in arrays]


def test_blobs_are_not_copied_for_packing():
    array = np.zeros(1000, np.uint8)
    assert np.shares_memory(np.frombuffer(wire.pack({}, [array])[1], np.uint8), array)


def test_a_message_in_single_bytes(ends):
    one, other = ends
    data = packed({'op': 'slow'}, [b'abc'])

    def drip() -> None:
        for index in range(len(data)):
            one.sendall(data[index:index + 1])
    sender = threading.Thread(target=drip)
    sender.start()
    message, blobs = wire.receive(other)
    sender.join()
    assert (message, bytes(blobs[0])) == ({'op': 'slow'}, b'abc')


def test_a_large_picture(ends):
    one, other = ends
    image = np.random.default_rng(14).integers(0, 256, (1080, 1920, 3), np.uint8)
    sender = threading.Thread(target=wire.send, args=(one, {'op': 'describe'}, [image]))
    sender.start()
    _, blobs = wire.receive(other)
    sender.join()
    assert np.array_equal(np.frombuffer(blobs[0], np.uint8).reshape(image.shape), image)


def test_the_end_anywhere_in_a_message_is_an_end():
    data = packed({'op': 'x'}, [b'abc', b'defg'])
    for length in range(len(data)):
        one, other = socket.socketpair()
        with one, other:
            one.sendall(data[:length])
            one.shutdown(socket.SHUT_WR)
            assert wire.receive(other) is None
        assert as_they_come(data[:length], 5) == []


def framed(text: bytes) -> bytes:
    return struct.pack('<I', len(text)) + text


NONSENSE = {
    'length': b'\xff\xff\xff\xff', 'a little too long': struct.pack('<I', wire.MAX_JSON + 1),
    'no JSON': framed(b'hello'), 'empty': framed(b''), 'no UTF-8': framed(b'\xff\xfe\x00'), 'a list': framed(b'[1]'),
    'a number': framed(b'3'), 'a text': framed(b'"blobs"'), 'null': framed(b'null'), 'no blobs': framed(b'{"op":"x"}'),
    'blobs no list': framed(b'{"blobs":5}'), 'blobs null': framed(b'{"blobs":null}'),
    'blobs a text': framed(b'{"blobs":"12"}'), 'negative': framed(b'{"blobs":[-1]}'),
    'a half': framed(b'{"blobs":[0.5]}'), 'true': framed(b'{"blobs":[true]}'),
    'too much': framed(json.dumps({'blobs': [wire.MAX_BLOBS, 1]}).encode()), 'deep': framed(b'[' * 100_000),
    'cut': framed(b'{"blobs":['),
}


@pytest.mark.parametrize('name', NONSENSE)
def test_nonsense_is_a_wire_error_and_nothing_else(ends, name: str):
    """blobs that were no list, or JSON nested too deep, came out as TypeError and RecursionError."""
    one, other = ends
    sender = threading.Thread(target=lambda: (one.sendall(NONSENSE[name]), one.shutdown(socket.SHUT_WR)))
    sender.start()
    with pytest.raises(WireError):
        wire.receive(other)
    sender.join()
    with pytest.raises(WireError):
        as_they_come(NONSENSE[name], 1 << 20)


def test_random_bytes_never_raise_anything_else():
    random = np.random.default_rng(15)
    for _ in range(500):
        text = random.integers(0, 256, random.integers(0, 60), np.uint8).tobytes()
        if random.random() < 0.5:
            whole = bytearray(packed({'op': 'x', 'job': 3}, [b'abc']))
            whole[random.integers(len(whole))] = random.integers(256)
            data = bytes(whole)
        else:
            data = framed(text)
        try:
            as_they_come(data, 11)
        except WireError:
            pass
