"""Sentences, and answers made of tellings. The partial texts of growing ones are in test_partials.py."""
from __future__ import annotations

import math
import re

import numpy as np
import pytest

from dam_ros.core.answering import BRIEF_PART, TEXT_PART, Answer, tellings_for
from dam_ros.core.describing import BRIEF, FULL, NORMAL, Piece, Query
from dam_ros.core.text import BRIEF_WORDS, brief_of, complete_length, ends_within, sentences, whole_sentences

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


@pytest.mark.parametrize('text', ['It is red.', 'He says "red."', '(It is red.)', 'Is it?', 'Yes!', 'Really?!',
                                  'Es ist gr\u00fcn.', 'One is a cup.'])
def test_ends_that_are_known_before_anything_follows(text: str):
    assert ends_within(text) == []
    assert ends_within(text, whole_words=True) == [len(text)]


@pytest.mark.parametrize('text', ['It is 1.', 'It is 1.5.', 'Room A.', 'e.g.', 'It is 3 ft.', 'about max.', 'Acme Inc.',
                                  'Wait...', 'Look at www.example.', 'It is B2.', 'The U.S.', 'See fig.', '.'])
def test_ends_that_only_the_next_word_tells(text: str):
    assert ends_within(text, whole_words=True) == []


def test_a_full_stop_within_a_word_is_never_an_end():
    """"example." may become "example.com" where pieces are no whole words, and nobody then says they are."""
    for text in ('Go to example.com now', 'It is 3.5 m wide', 'Version v2.ready is here'):
        assert [ends_within(text[:end]) for end in range(len(text) + 1)] == [[]] * (len(text) + 1)


def test_what_is_kept_of_a_text_that_was_cut():
    assert whole_sentences('One. Two is') == 'One.'
    assert whole_sentences('One. Two.') == 'One. Two.'
    assert whole_sentences('Nothing finished') == ''
    for text in random_texts(300):
        kept = whole_sentences(text)
        assert text.strip().startswith(kept)
        assert sentences(kept) == sentences(text)[:len(sentences(kept))]
        assert whole_sentences(kept) == kept or re.search(r'\n\s*[-\n]', text), 'an item of a list needs no stop'


def test_a_brief_is_the_beginning_of_the_first_sentence():
    for text in random_texts(1000):
        brief, first = brief_of(text), next(iter(sentences(text)), '')
        assert first.startswith(brief.rstrip('.\u2026'))
        assert len(brief.split()) <= BRIEF_WORDS
        assert (brief == '') == (sentences(text) == [])


@pytest.mark.parametrize('text, expected', [
    ('A red mug. It is tall.', 'A red mug.'),
    ('A red mug stands on the left side of the wooden table, which is brown.',
     'A red mug stands on the left side of the wooden table.'),
    ('One two three four five six seven eight nine ten eleven twelve thirteen.',
     'One two three four five six seven eight nine ten eleven twelve\u2026'),
    ('One two three four five six seven eight nine ten eleven etc. with more words.',
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


def test_the_brief_has_the_confidence_of_its_own_sentence():
    answer = Answer()
    for text, probability in ((' A mug', 0.4), ('.', 0.4), (' It is', 0.9), (' red.', 0.9)):
        answer.add(BRIEF_PART, Piece(text, (1,), probability))
    assert answer.brief == 'A mug.' and answer.brief_confidence == pytest.approx(0.4)
    answer.add(TEXT_PART, Piece('Quite another text.', (1,), 0.7))
    assert (answer.confidence, answer.brief_confidence) == (pytest.approx(0.7), pytest.approx(0.4))


def test_what_marks_alone_were_told_with_is_no_brief_but_counts_for_its_confidence():
    answer = Answer()
    for text, probability in (('...', 0.4), (' A mug.', 0.4), (' It is red.', 0.9)):
        answer.add(BRIEF_PART, Piece(text, (1,), probability))
    assert answer.brief == 'A mug.' and answer.brief_confidence == pytest.approx(0.4)


def test_the_confidence_of_the_whole_counts_its_last_token_though_it_has_no_letters():
    answer = Answer()
    answer.add(TEXT_PART, Piece('A mug.', probability=0.9))
    answer.add(TEXT_PART, Piece('', probability=0.4, last=True))
    assert answer.confidence == pytest.approx(0.6)


def test_a_cut_answer_has_the_confidence_of_what_is_left():
    answer = Answer()
    answer.add(TEXT_PART, Piece(' It is red.', (1,), 0.8))
    answer.add(TEXT_PART, Piece(' It sta', (1,), 0.1))
    answer.cut()
    assert (answer.text, answer.confidence) == ('It is red.', pytest.approx(0.8))


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
