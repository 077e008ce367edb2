"""A describer for rehearsals: it looks at nothing and says, at a set pace, what it was told to say.

It ships so that anyone can try every delay, error code and kind of death through the real node. It is never chosen
by `auto`. Options come from the parameter `describer_options`; a question that is a JSON object overrides them
for that one telling, e.g. `{"fail": "raise", "fail_after_words": 2}`.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
import json
import os
import signal
import time

from dam_ros.core.describing import BRIEF, Piece, Query, Subject
from dam_ros.core.errors import InvalidRequest, RemoteUnavailable, Unsupported, complaint, invalid

FAILURES = ('', 'raise', 'hang', 'out_of_memory', 'exit', 'kill', 'garbage', 'remote_unavailable', 'unsupported')
STAGES = ('load', 'look', 'step')
_NAP_S = 0.02   # a step never sleeps longer, so that stop is seen and other tellings go on


@dataclass(frozen=True)
class Script:
    """What to do.

    Attributes:
        text, brief: what is said; '{question}' stands for the question, '{size}' for the picture's WxH,
            '{pixels}' for the number of pixels of the region, '{pictures}' for how many pictures were looked at.
        words_per_s: 0 = as fast as it goes.
        first_word_s, look_s, load_s: s, delays before.
        confidence: probability of each word, NaN where negative. A list has one for each sentence, the last for all
            that follow.
        capacity: tellings at once; max_pictures: of a clip.
        abstain: say that it cannot tell.
        fail: one of FAILURES; fail_at: one of STAGES; fail_after_words: for the stage 'step'.
    """

    text: str = 'This is a rehearsal. The picture has {size} pixels and the region {pixels} of them. Nothing was seen.'
    brief: str = 'A rehearsal: {pixels} pixels, nothing seen.'
    words_per_s: float = 0.0
    first_word_s: float = 0.0
    look_s: float = 0.0
    load_s: float = 0.0
    confidence: float | list[float] = 0.9
    capacity: int = 1
    max_pictures: int = 8
    abstain: bool = False
    fail: str = ''
    fail_at: str = 'step'
    fail_after_words: int = 0

    def changed_by(self, options: Mapping[str, object], field: str) -> Script:
        """Raises InvalidRequest for names and values that make no sense."""
        known = {one.name: type(one.default) for one in fields(self)}
        clean = {}
        for name, value in options.items():
            kind = known.get(name)
            if kind is float and type(value) is int:
                value = float(value)
            if name == 'confidence' and _is_list_of_numbers(value):
                kind = list
            if kind is None or type(value) is not kind:
                raise invalid(f'{field}.{name}', value, f'{", ".join(known)}, each of its own type')
            clean[name] = value
        changed = replace(self, **clean)
        for name, allowed in (('fail', FAILURES), ('fail_at', STAGES)):
            if getattr(changed, name) not in allowed:
                raise invalid(f'{field}.{name}', getattr(changed, name), ', '.join(repr(one) for one in allowed))
        return changed


def _is_list_of_numbers(value: object) -> bool:
    return isinstance(value, list) and value != [] and all(type(one) in (int, float) for one in value)


def create(options: Mapping[str, object]) -> Rehearsal:
    """See the module; `model` is ignored."""
    script = Script().changed_by({name: value for name, value in options.items() if name != 'model'},
                                 'describer_options')
    time.sleep(script.load_s)
    if script.fail_at == 'load':
        _fail(script)
    return Rehearsal(script)


class _Look:
    def __init__(self, subject: Subject):
        height, width = subject.mask.shape
        self.words = {'size': f'{width}x{height}', 'pixels': str(int(subject.mask.sum())),
                      'pictures': str(len(subject.pictures))}

    def close(self) -> None:
        pass


class _Telling:
    def __init__(self, script: Script, words: list[str]):
        self.script, self.words, self.said = script, words, 0
        self.due = time.monotonic() + script.first_word_s
        self.stopped = False
        self.sentence = 0   # that is being said

    def stop(self) -> None:
        self.stopped = True


class Rehearsal:
    """See `core.describing.Describer` and the module's text."""

    name, model = 'rehearsal', ''
    languages = ('en',)

    def __init__(self, script: Script):
        self._script = script
        self.capacity, self.max_pictures = script.capacity, script.max_pictures
        self._running: list[_Telling] = []

    def look(self, subjects: Sequence[Subject]) -> list[_Look]:
        time.sleep(self._script.look_s)
        if self._script.fail_at == 'look':
            _fail(self._script)
        return [_Look(one) for one in subjects]

    def begin(self, look: _Look, query: Query) -> _Telling:
        if query.language.split('-')[0] not in ('', 'en'):
            raise Unsupported(complaint('language', query.language, 'en'))
        script = self._script_for(query.question)
        said = script.brief if query.detail == BRIEF else script.text
        for name, value in {**look.words, 'question': query.question}.items():
            said = said.replace('{' + name + '}', value)
        telling = _Telling(script, said.split()[:query.max_tokens])
        telling.truncated = len(said.split()) > query.max_tokens
        self._running.append(telling)
        return telling

    def _script_for(self, question: str) -> Script:
        if not question.startswith('{'):
            return self._script
        try:
            changes = json.loads(question)
        except ValueError as error:
            raise InvalidRequest(complaint('query', question, 'words, or a JSON object of rehearsal options',
                                           str(error))) from error
        return self._script.changed_by(changes, 'query')

    def step(self) -> list[tuple[_Telling, Piece]]:
        self._running = [one for one in self._running if not one.stopped]
        now = time.monotonic()
        due = [one for one in self._running if one.due <= now]
        if not due:
            if self._running:
                time.sleep(min(_NAP_S, max(0.0, min(one.due for one in self._running) - now)))
            return []
        return [(one, self._next_piece(one)) for one in due]

    def _next_piece(self, telling: _Telling) -> Piece:
        script = telling.script
        if script.fail_at == 'step' and telling.said >= script.fail_after_words:
            garbage = _fail(script)
            if garbage is not None:
                return garbage
        word = telling.words[telling.said] if telling.said < len(telling.words) else ''
        text = (' ' if telling.said else '') + word
        telling.said += 1
        telling.due += 1 / script.words_per_s if script.words_per_s > 0 else 0.0
        last = telling.said >= len(telling.words)
        telling.stopped = last
        probability = _confidence(script, telling.sentence)
        telling.sentence += word.endswith(('.', '!', '?'))
        return Piece(text, token_ids=(telling.said,), last=last, truncated=last and telling.truncated, ends_word=True,
                     probability=probability if probability >= 0 else float('nan'),
                     abstained=last and script.abstain, language='en' if last else '')

    def close(self) -> None:
        self._running.clear()


def _confidence(script: Script, sentence: int) -> float:
    if isinstance(script.confidence, list):
        return float(script.confidence[min(sentence, len(script.confidence) - 1)])
    return script.confidence


def _fail(script: Script):
    """Fails as the script says; returns what is no Piece for 'garbage', None for ''."""
    if script.fail == 'raise':
        raise RuntimeError('the rehearsal was told to raise')
    if script.fail == 'out_of_memory':
        raise MemoryError('the rehearsal was told to run out of memory')
    if script.fail == 'remote_unavailable':
        raise RemoteUnavailable('the rehearsal was told that its server does not answer')
    if script.fail == 'unsupported':
        raise Unsupported(complaint('query', '{"fail": "unsupported"}', 'another question'))
    if script.fail == 'exit':
        os._exit(3)
    if script.fail == 'kill':
        os.kill(os.getpid(), signal.SIGKILL)
    while script.fail == 'hang':
        time.sleep(1.0)
    return {'no': 'piece', 'text': '\ud800\x00'} if script.fail == 'garbage' else None
