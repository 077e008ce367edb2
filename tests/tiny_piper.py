"""A voice for piper of a kilobyte, made on the spot: it hums a tone for each phoneme, as long as length_scale says.

The format is ONNX, a protocol buffer, which is written here byte by byte: no package for it is needed. Field numbers
are those of onnx.proto3 (github.com/onnx/onnx); inputs and output are those of any voice of piper.
"""
from __future__ import annotations

import json
from pathlib import Path
import struct

RATE_HZ = 16000
_HOP = 512                     # samples per phoneme where length_scale is 1
_FLOAT, _INT64 = 1, 7          # TensorProto.DataType
_PHONEMES = '_^$ abcdefghijklmnopqrstuvwxyzæðŋɐɑɒɔəɚɛɜɡɪɹɾʃʊʌʒˈˌː.,?!'


def write(folder: Path, language: str = 'en-us', speakers: tuple[str, ...] = ()) -> Path:
    """The .onnx file, with its .onnx.json beside it."""
    model = folder / 'tiny.onnx'
    model.write_bytes(_model(bool(speakers)))
    (folder / 'tiny.onnx.json').write_text(json.dumps({
        'audio': {'sample_rate': RATE_HZ}, 'espeak': {'voice': language}, 'phoneme_type': 'espeak',
        'num_symbols': len(_PHONEMES), 'num_speakers': max(len(speakers), 1),
        'inference': {'noise_scale': 0.667, 'length_scale': 1.0, 'noise_w': 0.8},
        'speaker_id_map': {name: number for number, name in enumerate(speakers)},
        'phoneme_id_map': {phoneme: [number] for number, phoneme in enumerate(_PHONEMES)}}), encoding='utf-8')
    return model


def _model(many: bool) -> bytes:
    """tone(i) = sin(i * (0.05 + 0.01 * id of the phoneme at i)), for i in samples."""
    nodes = [
        _node('Gather', ['scales', 'one'], ['scale']), _node('Mul', ['scale', 'hop'], ['width']),
        _node('Cast', ['input'], ['ids'], to=_FLOAT), _node('Squeeze', ['ids'], ['row']),
        _node('Size', ['input'], ['count']), _node('Cast', ['count'], ['many'], to=_FLOAT),
        _node('Mul', ['many', 'width'], ['length']), _node('Range', ['zero', 'length', 'step'], ['time']),
        _node('Div', ['time', 'width'], ['place']), _node('Floor', ['place'], ['floor']),
        _node('Cast', ['floor'], ['index'], to=_INT64), _node('Gather', ['row', 'index'], ['phoneme']),
        _node('Mul', ['phoneme', 'spread'], ['above']), _node('Add', ['above', 'lowest'], ['pitch']),
        _node('Mul', ['time', 'pitch'], ['phase']), _node('Sin', ['phase'], ['wave']),
        _node('Reshape', ['wave', 'shape'], ['output'])]
    floats = {'hop': float(_HOP), 'zero': 0.0, 'step': 1.0, 'spread': 0.01, 'lowest': 0.05}
    held = [_tensor(name, (), _FLOAT, struct.pack('<f', value)) for name, value in floats.items()]
    held.append(_tensor('one', (), _INT64, struct.pack('<q', 1)))
    held.append(_tensor('shape', (4,), _INT64, struct.pack('<4q', 1, 1, 1, -1)))
    inputs = [_value('input', _INT64, 2), _value('input_lengths', _INT64, 1), _value('scales', _FLOAT, 1)]
    inputs += [_value('sid', _INT64, 1)] if many else []
    graph = b''.join([*(_field(1, node) for node in nodes), _field(2, b'hum'), *(_field(5, one) for one in held),
                      *(_field(11, one) for one in inputs), _field(12, _value('output', _FLOAT, 4))])
    return _number(1, 8) + _field(7, graph) + _field(8, _field(1, b'') + _number(2, 13))


def _node(kind: str, inputs: list[str], outputs: list[str], **attributes: int) -> bytes:
    written = [_field(5, _field(1, name.encode()) + _number(3, value) + _number(20, 2))
               for name, value in attributes.items()]
    return b''.join([*(_field(1, one.encode()) for one in inputs), *(_field(2, one.encode()) for one in outputs),
                     _field(4, kind.encode()), *written])


def _tensor(name: str, shape: tuple[int, ...], kind: int, data: bytes) -> bytes:
    return b''.join(_number(1, one) for one in shape) + _number(2, kind) + _field(8, name.encode()) + _field(9, data)


def _value(name: str, kind: int, dimensions: int) -> bytes:
    """An input or output, of any size in each dimension."""
    shape = b''.join(_field(1, _field(2, f'{name}{number}'.encode())) for number in range(dimensions))
    return _field(1, name.encode()) + _field(2, _field(1, _number(1, kind) + _field(2, shape)))


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    return bytes([*written, value])
