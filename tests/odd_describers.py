"""Describers as a user might bring them, `odd_describers:NAME`: one that is right, others wrong in some way."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
import os
import socket
import time

import numpy as np

from dam_ros.core.describing import Look, Piece, Query, Subject, Telling
from dam_ros.core.errors import OutOfMemory, Unsupported, complaint


class _Look:
    def __init__(self, subject: Subject):
        self.pixels, self.pictures, self.open = int(subject.mask.sum()), len(subject.pictures), True

    def close(self) -> None:
        self.open = False


class _Telling:
    def __init__(self, words: list[str]):
        self.words, self.running, self.truncated = words, True, False

    def stop(self) -> None:
        self.running = False


class Outsider:
    """A good one that shares nothing with those that ship: several at once, clips, German, data."""

    name, model = 'outsider', 'none@1'
    languages = ('en', 'de')
    capacity = 3
    max_pictures = 2

    def __init__(self, options: Mapping[str, object]):
        self._tellings: list[_Telling] = []

    def look(self, subjects: Sequence[Subject]) -> list[Look]:
        for subject in subjects:
            if len(subject.pictures) > self.max_pictures:
                raise Unsupported(complaint('clip_s', len(subject.pictures), f'at most {self.max_pictures} pictures'))
        return [_Look(subject) for subject in subjects]

    def begin(self, look: _Look, query: Query) -> Telling:
        assert look.open, 'a look that was closed'
        if query.language.split('-')[0] not in ('', *self.languages):
            raise Unsupported(complaint('language', query.language, ', '.join(self.languages)))
        words = f'It has {look.pixels} pixels. {query.question}'.split()
        telling = _Telling(words[:query.max_tokens])
        telling.truncated = len(words) > query.max_tokens
        self._tellings.append(telling)
        return telling

    def step(self) -> list[tuple[Telling, Piece]]:
        self._tellings = [one for one in self._tellings if one.running]
        return [(one, self._piece(one)) for one in self._tellings]

    def _piece(self, telling: _Telling) -> Piece:
        word = telling.words.pop(0)
        telling.running = bool(telling.words)
        if telling.running:
            return Piece(word + ' ')
        return Piece(word, last=True, truncated=telling.truncated, language='en', facts={'words': 1})

    def close(self) -> None:
        self._tellings.clear()


class _Twisted(Outsider):
    """Each piece changed by the question."""

    def begin(self, look: _Look, query: Query) -> Telling:
        telling = super().begin(look, query)
        telling.twist = query.question
        return telling

    def _piece(self, telling: _Telling) -> Piece:
        piece = super()._piece(telling)
        twists = {
            'numpy facts': Piece('x', last=True, facts={'area': np.float32(0.5)}),
            'no utf-8': Piece('a\ud800b\x00c', last=True),
            'nan': Piece('x', probability=float('nan'), last=True),
            'no utf-8 in a failure': Piece(last=True, failure=OutOfMemory('a\ud800b\x00c')),
            'own failure': Piece(last=True, failure=OutOfMemory('no memory for this one')),
            'text is a number': Piece(7, last=True),
        }
        if telling.twist == 'broken device':
            raise RuntimeError('CUDA error: an illegal memory access was encountered')
        if telling.twist == 'raises on stop':
            telling.stop = _raise
            return Piece('on ')
        if telling.twist in twists:
            telling.running = False
            return twists[telling.twist]
        return piece


def _raise() -> None:
    raise RuntimeError('stop is broken')


class _Nameless(Outsider):
    name, capacity = None, None


class _Forgetful:
    """Not even a describer."""


def _speak(data: bytes) -> None:
    """Writes on the wire to the node, past the worker: what a library may do that writes to any descriptor."""
    for number in range(3, 30):
        try:
            kind = os.readlink(f'/proc/self/fd/{number}')
        except OSError:
            continue
        if kind.startswith('socket:'):
            with socket.socket(fileno=os.dup(number)) as wire:
                wire.sendall(data)


class _Shouter(Outsider):
    """Says its question on the wire instead of in a piece."""

    def begin(self, look: _Look, query: Query) -> Telling:
        if query.question.startswith('hex '):
            _speak(bytes.fromhex(query.question[4:]))
        return super().begin(look, query)


def create(options: Mapping[str, object]) -> Outsider:
    return Outsider(options)


def twisted(options: Mapping[str, object]) -> Outsider:
    return _Twisted(options)


def shouter(options: Mapping[str, object]) -> Outsider:
    return _Shouter(options)


def nameless(options: Mapping[str, object]) -> Outsider:
    return _Nameless(options)


def forgetful(options: Mapping[str, object]) -> object:
    return _Forgetful()


def system_exit(options: Mapping[str, object]) -> Outsider:
    raise SystemExit('I leave')


def first_time_bad(options: Mapping[str, object]) -> Outsider:
    """Fails while the file `options['bad']` exists; takes `options['seconds']`."""
    time.sleep(float(options.get('seconds', 0)))
    if os.path.exists(str(options['bad'])):
        raise RuntimeError('the weights are not there yet')
    return Outsider(options)
