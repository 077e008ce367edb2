"""Sentences, answers made of tellings, and the partial texts that go out while they grow."""
from __future__ import annotations

import math

import numpy as np
import pytest

from dam_ros.core.answering import BRIEF_PART, TEXT_PART, Answer, tellings_for
from dam_ros.core.describing import BRIEF, FULL, NORMAL, Piece, Query
from dam_ros.core.partials import INTERVAL_S, Part, PartialStream
from dam_ros.core.text import BRIEF_WORDS, brief_of, complete_length, sentences, whole_sentences

WORDS = ['a', 'mug', 'e.g.', 'etc.', '1.5', 'red,', 'and', 'which', 'stands.', 'Is', 'it?', 'Yes!', 'St.', 'i.e.', '\n',
         '"Hello."', 'A.', '...', '\u4f60\u597d\u3002', '-', 'm.', '(see', 'fig.', '2).', '\u201cYes.\u201d']


def random_texts(count: int) -> list[str]:
    random = np.random.default_rng(11)
    return [' '.join(random.choice(WORDS, random.integers(0, 40))) for _ in range(count)]


@pytest.mark.parametrize('text, expected', [
    ('', []), ('  \n ', []), ('One', ['One']), ('One. Two', ['One.', 'Two']), ('One.Two', ['One.Two']),
    ('A mug, e.g. red. Next.', ['A mug, e.g. red.', 'Next.']),
    ('It is 1.5 m wide. Yes!', ['It is 1.5 m wide.', 'Yes!']),
    ('Really?! Yes.', ['Really?!', 'Yes.']), ('He said "Go." Then left.', ['He said "Go."', 'Then left.']),
    ('\u4f60\u597d\u3002\u518d\u89c1\u3002', ['\u4f60\u597d\u3002', '\u518d\u89c1\u3002']),
    ('See fig. 2. It is red.', ['See fig. 2.', 'It is red.']), ('Wait... what', ['Wait... what']),
    ('Line one.\nLine two.', ['Line one.', 'Line two.'])])
def test_sentences(text: str, expected: list[str]):
    assert sentences(text) == expected


def test_sentences_lose_nothing():
    for text in random_texts(500):
        assert ''.join(''.join(sentences(text)).split()) == ''.join(text.split())
        assert all(one == one.strip() != '' for one in sentences(text))


def test_a_growing_text_never_takes_a_sentence_back():
    for text in random_texts(200):
        lengths = [complete_length(text[:end]) for end in range(len(text) + 1)]
        assert all(one <= end for end, one in enumerate(lengths))
        taken = [one for one, later in zip(lengths, lengths[1:]) if later < one]
        assert all(text[one:].lstrip()[:1].islower() for one in taken), 'but where it goes on in small letters'
    assert complete_length('It is 1.') == 0, 'it may become 1.5'
    assert complete_length('It is 1.5 km. ') == 13
    assert complete_length('It is 1.5 km.') == 0
    assert complete_length('\u4f60\u597d\u3002') == 3


def test_what_is_kept_of_a_text_that_was_cut():
    assert whole_sentences('One. Two is') == 'One.'
    assert whole_sentences('One. Two.') == 'One. Two.'
    assert whole_sentences('Nothing finished') == ''
    for text in random_texts(300):
        kept = whole_sentences(text)
        assert text.strip().startswith(kept)
        assert sentences(kept) == sentences(text)[:len(sentences(kept))]
        assert whole_sentences(kept) == kept


def test_a_brief_has_at_most_twelve_words():
    for text in random_texts(1000):
        brief = brief_of(text)
        assert len(brief.split()) <= BRIEF_WORDS
        assert (brief == '') == (sentences(text) == [])


@pytest.mark.parametrize('text, expected', [
    ('A red mug. It is tall.', 'A red mug.'),
    ('A red mug stands on the left side of the wooden table, which is brown.',
     'A red mug stands on the left side of the wooden table.'),
    ('One two three four five six seven eight nine ten eleven twelve thirteen.',
     'One two three four five six seven eight nine ten eleven twelve.'),
    ('It, however, is one two three four five six seven eight nine ten eleven.', 'It, however, is one two three four '
     'five six seven eight nine.'),
    ('One two three four five six seven eight nine ten eleven etc. and more words.',
     'One two three four five six seven eight nine ten eleven etc.')])
def test_briefs(text: str, expected: str):
    assert brief_of(text) == expected


# -- answers

def test_which_tellings_make_an_answer():
    def parts(spoken: bool, **query) -> list[tuple[str, int]]:
        return [(part, one.detail) for part, one in tellings_for(Query(**query), spoken)]
    assert parts(False) == [(TEXT_PART, NORMAL)]
    assert parts(True) == [(BRIEF_PART, BRIEF), (TEXT_PART, NORMAL)]
    assert parts(True, detail=FULL) == parts(False, detail=FULL) == [(TEXT_PART, FULL)]
    assert parts(True, detail=BRIEF) == parts(False, detail=BRIEF) == [(BRIEF_PART, BRIEF)]
    for spoken in (False, True):
        assert parts(spoken, question='What?') == [(TEXT_PART, NORMAL)]
        assert parts(spoken, question='What?', detail=BRIEF) == [(TEXT_PART, BRIEF)]
        assert parts(spoken, raw=True) == [(TEXT_PART, NORMAL)]
    query = Query(language='de', max_tokens=7, temperature=1.0, seed=3)
    assert {(one.language, one.max_tokens, one.temperature, one.seed) for _, one in tellings_for(query, True)} == {
        ('de', 7, 1.0, 3)}


def test_the_text_counts_and_not_the_brief_before_it():
    answer = Answer()
    answer.add(BRIEF_PART, Piece('A mug.', (1, 2), 0.1))
    answer.add(BRIEF_PART, Piece('', last=True, truncated=True, abstained=True))
    assert (answer.text, answer.brief, answer.token_ids, answer.confidence) == (
        'A mug.', 'A mug.', [1, 2], pytest.approx(0.1))
    answer.add(TEXT_PART, Piece('It is', (3,), 0.5))
    answer.add(TEXT_PART, Piece(' red. Tall.', (4,), 0.5, last=True, language='en', facts={'a': 1}))
    assert (answer.text, answer.brief, answer.token_ids) == ('It is red. Tall.', 'A mug.', [3, 4])
    assert (answer.tokens, answer.truncated, answer.abstained, answer.language) == (4, False, False, 'en')
    assert answer.confidence == pytest.approx(0.5) and answer.facts == {'a': 1}


def test_confidence_is_the_mean_of_what_was_estimated():
    answer = Answer()
    assert math.isnan(answer.confidence)
    for probability in (0.25, math.nan, 1.0):
        answer.add(TEXT_PART, Piece('x', (1,), probability))
    assert answer.confidence == pytest.approx(0.5)
    answer.add(TEXT_PART, Piece('x', (1,), 0.0))
    assert 0 <= answer.confidence < 1e-5, 'a probability of 0 is no error'


def test_a_cut_answer_keeps_whole_sentences_of_each_part():
    answer = Answer()
    answer.add(BRIEF_PART, Piece('A mug.'))
    answer.add(TEXT_PART, Piece('It is red. It sta'))
    answer.cut()
    assert (answer.brief, answer.text, answer.truncated) == ('A mug.', 'It is red.', True)
    answer = Answer()
    answer.add(TEXT_PART, Piece('It sta'))
    answer.cut()
    assert (answer.brief, answer.text) == ('', '')


# -- partials

def stream(text: str, step: int, dt_s: float) -> list[Part]:
    """What goes out of a text that grows by `step` characters each `dt_s`."""
    growing, parts, now = PartialStream(), [], 0.0
    parts.append(growing.start())
    for end in range(step, len(text) + step, step):
        parts.append(growing.grow(text[:end], 0.5, now))
        now += dt_s
    parts.append(growing.finish(text))
    return [one for one in parts if one is not None]


@pytest.mark.parametrize('step, dt_s', [(1, 0.001), (3, 0.02), (7, 0.06), (1000, 1.0)])
def test_the_pieces_are_the_text(step: int, dt_s: float):
    for text in ('A mug. It is 1.5 m tall, e.g. red. Is it?', 'One', '', ' leading space. And\nlines.',
                 *random_texts(60)):
        parts = stream(text, step, dt_s)
        assert ''.join(one.piece for one in parts).strip() == text.strip()
        assert [one.seq for one in parts] == list(range(len(parts)))
        assert [one.offset for one in parts] == [sum(len(one.piece) for one in parts[:index])
                                                 for index in range(len(parts))]
        assert [one.done for one in parts] == [False] * (len(parts) - 1) + [True]
        assert (parts[0].piece, parts[0].error_code) == ('', 0)


def test_pieces_are_whole_words_at_most_twenty_a_second():
    growing, sent = PartialStream(), []
    text = 'Extraordinarily long words are never cut anywhere. ' * 20
    for end in range(len(text)):
        now = end * 0.004
        part = growing.grow(text[:end], math.nan, now)
        if part is not None:
            sent.append((now, part))
    assert len(sent) > 10
    assert all(later - earlier >= INTERVAL_S for (earlier, _), (later, _) in zip(sent, sent[1:]))
    for _, part in sent:
        assert text[part.offset + len(part.piece) - 1].isspace() or text[part.offset + len(part.piece)].isspace()


def test_a_sentence_end_is_marked_when_it_is_one():
    growing = PartialStream()
    assert growing.grow('It is 1.', 0.25, 0.0).piece == 'It is '
    assert growing.grow('It is 1.5 km.', 0.25, 1.0).sentence_end is False
    part = growing.grow('It is 1.5 km. And', 1.0, 2.0)
    assert (part.sentence_end, part.piece.rstrip()[-1]) == (True, '.')
    assert part.confidence == pytest.approx((0.25 * 0.25 * 1.0) ** (1 / 3))
    end = growing.finish('It is 1.5 km. And')
    assert (end.piece.strip(), end.sentence_end, end.done) == ('And', True, True)


def test_held_back_pieces_come_with_the_clock():
    growing = PartialStream()
    assert growing.grow('One two ', math.nan, 0.0).piece == 'One two '
    assert growing.grow('One two three four ', math.nan, 0.01) is None
    assert growing.behind and growing.flush(0.02) is None
    assert growing.flush(0.05).piece == 'three four '
    assert growing.flush(1.0) is None and not growing.behind


def test_after_a_failure_nothing_more_is_said():
    growing = PartialStream()
    growing.grow('One two three', math.nan, 0.0)
    part = growing.finish('One two three four.', 10201)
    assert (part.piece, part.done, part.error_code, part.sentence_end) == ('', True, 10201, False)


def test_a_text_that_starts_again_catches_up_before_more_goes_out():
    growing, text = PartialStream(), 'One two three four five'
    assert growing.grow(text[:14], math.nan, 0.0).piece == 'One two three '
    for end in range(1, 15):
        assert growing.grow(text[:end], math.nan, end * 1.0) is None
    assert growing.grow(text, math.nan, 100.0).piece == 'four '
