"""The describer that needs no weights: it measures colours, place, size, shape and surface and says them honestly.

It cannot tell what anything is, and never names a thing. It is what a fresh machine starts with.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from dam_ros.core.attributes import Attributes, measure
from dam_ros.core.describing import BRIEF, FULL, Piece, Query, Subject
from dam_ros.core.errors import Unsupported, complaint
from dam_ros.core.text import sentences
from dam_ros.describers import attributes_words as wording

_WORDS_PER_PIECE = 4


class AttributesLook:
    """A measured region."""

    def __init__(self, found: Attributes):
        self.found: Attributes | None = found

    def close(self) -> None:
        self.found = None


class AttributesTelling:
    """A text that is handed out a few words at a time."""

    def __init__(self, text: str, limit: int, abstained: bool, facts: dict):
        words = text.split()
        self._truncated = len(words) > limit
        self._words = words[:limit]
        self._said = 0
        self._abstained = abstained
        self._facts = facts
        self.running = True

    def stop(self) -> None:
        self.running = False

    def next_piece(self) -> Piece:
        words = self._words[self._said:self._said + _WORDS_PER_PIECE]
        text = (' ' if self._said else '') + ' '.join(words)
        self._said += len(words)
        if self._said < len(self._words):
            return Piece(text=text, ends_word=True)
        self.running = False
        return Piece(text=text, last=True, truncated=self._truncated, abstained=self._abstained, language='en',
                     facts=self._facts)


class AttributesDescriber:
    """See `core.describing.Describer`."""

    name = 'attributes'
    model = ''
    languages = ('en',)
    capacity = 8
    max_pictures = 1

    def __init__(self):
        self._tellings: list[AttributesTelling] = []

    def look(self, subjects: Sequence[Subject]) -> list[AttributesLook]:
        """Measures each region. Raises Unsupported for a clip."""
        for subject in subjects:
            if len(subject.pictures) > self.max_pictures:
                raise Unsupported(complaint('clip_s', f'{len(subject.pictures)} pictures', 'one picture (clip_s 0)',
                                            'The describer attributes looks at single pictures'))
        return [AttributesLook(measure(subject.image, subject.mask)) for subject in subjects]

    def begin(self, look: AttributesLook, query: Query) -> AttributesTelling:
        """Raises Unsupported for another language than English and for a raw query."""
        if query.language and query.language.lower().split('-')[0] != 'en':
            raise Unsupported(complaint('language', query.language, "'en'",
                                        'The describer attributes speaks English only'))
        if query.raw:
            raise Unsupported(complaint('raw_query', query.question, 'a describer with a model',
                                        'The describer attributes has no query of its own; send the question only'))
        text, abstained, words = _text(look.found, query)
        facts = {**words, 'measured': look.found.as_json()}
        telling = AttributesTelling(text, max(1, query.max_tokens), abstained, facts)
        self._tellings.append(telling)
        return telling

    def step(self) -> list[tuple[AttributesTelling, Piece]]:
        """The next few words of every running telling."""
        self._tellings = [one for one in self._tellings if one.running]
        return [(one, one.next_piece()) for one in self._tellings]

    def close(self) -> None:
        for telling in self._tellings:
            telling.stop()
        self._tellings = []


def create(options: Mapping | None = None) -> AttributesDescriber:
    """A new describer; it has no options."""
    return AttributesDescriber()


def _text(found: Attributes, query: Query) -> tuple[str, bool, dict]:
    """What to say, whether that is an abstention, and the attributes in words."""
    words = wording.words_of(found)
    if query.question.strip():
        text, abstained = wording.answer(query.question, words)
        return (sentences(text)[0] if query.detail == BRIEF else text), abstained, words
    if query.detail == BRIEF:
        return wording.brief(words), False, words
    return (wording.full(words, found) if query.detail == FULL else wording.normal(words)), False, words
