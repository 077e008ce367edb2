"""The partial texts that go out while an answer grows: whole words, sentences at once, how sure each of them is."""
from __future__ import annotations

import math

import numpy as np
import pytest

from dam_ros.core.answering import first_of
from dam_ros.core.describing import Piece
from dam_ros.core.partials import BriefStream, INTERVAL_S, MOST, Part, PartialStream
from dam_ros.core.text import sentences

TEXT = 'A mug stands here. It is 1.5 m tall, e.g. red. Is it yours?'
WORDS = ['a', 'mug', 'e.g.', 'etc.', '1.5', 'red,', 'stands.', 'Is', 'it?', 'Yes!', 'St.', '\n', '"Hello."', 'A.',
         '...', 'example.com', '\u4f60\u597d\u3002', '-', '(see', 'fig.', '2).']


def random_texts(count: int) -> list[str]:
    random = np.random.default_rng(11)
    return [' '.join(random.choice(WORDS, random.integers(0, 40))) for _ in range(count)]


def by_letters(text: str, step: int) -> list[Piece]:
    """As of a model: pieces end anywhere, and do not know it."""
    return [Piece(text[start:start + step], probability=0.5) for start in range(0, len(text), step)]


def by_words(text: str, probability: float = math.nan) -> list[Piece]:
    """As of rehearsal: each piece is a word, and says so."""
    words = text.split(' ')
    return [Piece((' ' if index else '') + word, probability=probability, ends_word=True, last=index == len(words) - 1)
            for index, word in enumerate(words)]


def stream(pieces: list[Piece], dt_s: float = 0.05, final: str | None = None) -> list[tuple[float, Part]]:
    """(s, what went out), of a text whose pieces come each `dt_s`; the clock ticks every 50 ms, as the desk's."""
    growing, now, text, sent, tick = PartialStream(), 0.0, '', [], 0.05
    sent.append((now, growing.start(now)))
    for piece in pieces:
        while tick <= now:
            sent += [(tick, one) for one in growing.flush(tick)]
            tick += 0.05
        text += piece.text
        sent += [(now, one) for one in growing.grow(text, piece, now)]
        now += dt_s
    return sent + [(now, one) for one in growing.finish(text if final is None else final, now)]


def words_of(sent: list[tuple[float, Part]]) -> str:
    return ''.join(part.piece for _, part in sent)


@pytest.mark.parametrize('cut', [lambda text: by_letters(text, 1), lambda text: by_letters(text, 7), by_words,
                                 lambda text: [Piece(text, last=True)]])
@pytest.mark.parametrize('dt_s', [0.0, 0.001, 0.06, 1.0])
def test_the_pieces_are_the_text(cut, dt_s: float):
    for text in (TEXT, 'One', '', ' leading space. And\nlines.', *random_texts(60)):
        sent = stream(cut(text), dt_s)
        parts = [part for _, part in sent]
        assert words_of(sent).strip() == text.strip()
        assert [one.seq for one in parts] == list(range(len(parts)))
        assert [one.offset for one in parts] == [sum(len(one.piece) for one in parts[:index])
                                                 for index in range(len(parts))]
        assert [one.done for one in parts] == [False] * (len(parts) - 1) + [True]
        assert (parts[0].piece, parts[0].error_code) == ('', 0)


@pytest.mark.parametrize('dt_s', [0.0, 0.002, 0.01, 0.02])
def test_in_no_second_more_than_twenty(dt_s: float):
    text = 'Extraordinarily long words are never cut anywhere. Yes! ' * 40
    sent = stream(by_words(text), dt_s)
    times = [when for when, _ in sent]
    for start in times:
        assert sum(start <= one < start + 1.0 for one in times) <= MOST + 1   # the very last one waits for nobody
    assert len(sent) >= min(15, 15 * times[-1])
    for _, part in sent[1:-1]:
        end = part.offset + len(part.piece)
        assert text[end - 1].isspace() or text[end].isspace(), 'whole words'


def test_words_wait_for_each_other():
    sent = [(when, part) for when, part in stream(by_letters('word ' * 100, 1), 0.004)[1:-1]]
    assert len(sent) > 10 and not any(part.sentence_end for _, part in sent)
    assert all(later - earlier >= INTERVAL_S for (earlier, _), (later, _) in zip(sent, sent[1:]))


def test_the_end_of_a_sentence_waits_for_nobody():
    """20 words per second: it leaves with the very piece that has the full stop, not with the next word."""
    pieces = by_words(TEXT)
    sent = stream(pieces, 0.05)
    came = {' '.join(word.text.strip() for word in pieces[:count + 1]): count * 0.05 for count in range(len(pieces))}
    ends = [(when, words_of(sent[:index + 1])) for index, (when, part) in enumerate(sent) if part.sentence_end]
    assert [text for _, text in ends] == ['A mug stands here.', TEXT[:46], TEXT]
    assert all(when == pytest.approx(came[text]) for when, text in ends)
    before = [when for when, part in sent if part.piece and when < ends[0][0]]
    assert ends[0][0] - before[-1] < INTERVAL_S + 1e-9, 'it did not wait for its turn after the word before'


def test_after_an_early_end_the_next_words_wait_longer():
    growing = PartialStream()
    assert growing.grow('One two ', Piece('One two '), 0.0)[0].piece == 'One two '
    assert growing.grow('One two three.', Piece('three.', ends_word=True), 0.01)[0].sentence_end
    text = 'One two three. Four five '
    assert growing.grow(text, Piece(' Four five '), 0.02) == []
    assert growing.flush(2 * INTERVAL_S - 0.001) == []
    assert growing.flush(2 * INTERVAL_S)[0].piece == ' Four five '


@pytest.mark.parametrize('text', ['It is at example.com now. Yes.', 'It is 3.5 m wide. Yes.', 'No. 5 is red. Yes.'])
@pytest.mark.parametrize('cut', [lambda text: by_letters(text, 1), by_words])
def test_no_full_stop_within_a_word_ends_a_sentence(text: str, cut):
    ends = [part.offset + len(part.piece) for _, part in stream(cut(text), 0.1) if part.sentence_end]
    assert ends == [text.index('. Yes') + 1, len(text)]


def test_the_last_piece_of_a_brief_ends_its_sentence_at_once():
    """What is told after it takes seconds; `finish` comes only then. The end of "1." is certain, too."""
    growing = PartialStream()
    growing.grow('It is room', Piece('It is room', ends_word=True), 0.0)
    part, = growing.grow('It is room 1.', Piece(' 1.', probability=0.5, ends_word=True, last=True), 0.01)
    assert (part.piece, part.sentence_end, part.done) == (' 1.', True, False)
    end, = growing.finish('It is room 1.', 5.0)
    assert (end.piece, end.sentence_end, end.done) == ('', False, True)


def test_what_is_cut_off_is_no_sentence_before_the_end():
    growing = PartialStream()
    assert [one.sentence_end for one in growing.grow('It is sma', Piece('It is sma', last=True), 0.0)] == [False]


def test_held_back_pieces_come_with_the_clock():
    growing = PartialStream()
    assert growing.grow('One two ', Piece('One two '), 0.0)[0].piece == 'One two '
    assert growing.grow('One two three four ', Piece('three four '), 0.01) == []
    assert growing.behind and growing.flush(0.02) == []
    assert growing.flush(INTERVAL_S)[0].piece == 'three four '
    assert growing.flush(1.0) == [] and not growing.behind


def test_after_a_failure_nothing_more_is_said():
    growing = PartialStream()
    growing.grow('One two three', Piece('One two three'), 0.0)
    part, = growing.finish('One two three four.', 1.0, 10201)
    assert (part.piece, part.done, part.error_code, part.sentence_end) == ('', True, 10201, False)


def test_a_text_that_was_shortened_is_not_mended():
    growing, text = PartialStream(), 'One two three, four five six.'
    growing.grow(text, Piece(text, last=True), 0.0)
    end, = growing.finish('One two three.', 0.1)
    assert (end.piece, end.offset, end.sentence_end) == ('', len(text), False)


# -- of a brief

LONG = 'The image shows a large brown dog lying on a green carpet next to a wooden table in a room. It sleeps.'
SHORT = 'A large brown dog lying on a green carpet.'


@pytest.mark.parametrize('cut', [lambda text: by_letters(text, 3), by_words, lambda text: [Piece(text, last=True)]])
def test_of_a_brief_goes_out_what_the_description_says(cut):
    """25 words of a brief were spoken, and the Description had 12 of them."""
    growing, text, sent = BriefStream(), '', []
    for index, piece in enumerate(cut(LONG)):
        text += piece.text
        sent += growing.grow(text, piece, index * 0.05)
    assert [(one.piece, one.sentence_end, one.done) for one in sent] == [(SHORT, True, False)]
    assert first_of(LONG) == SHORT
    end, = growing.finish(SHORT, 10.0)
    assert (end.piece, end.offset, end.done, end.sentence_end) == ('', len(SHORT), True, False)


def test_a_brief_goes_out_at_the_end_of_its_sentence_and_not_of_the_telling():
    growing = BriefStream()
    assert growing.grow('A red', Piece('A red', ends_word=True), 0.0) == [] and not growing.behind
    part, = growing.grow('A red mug.', Piece(' mug.', ends_word=True), 0.01)
    assert (part.piece, part.sentence_end) == ('A red mug.', True)
    assert growing.grow('A red mug. It', Piece(' It', ends_word=True), 0.02) == []


@pytest.mark.parametrize('step', [1, 2, 5])
def test_full_stops_that_end_no_sentence_end_no_brief(step: int):
    text = 'Fig. \n the e.g. (see red, red, (see - a ... etc. red mug.'
    growing, told, sent = BriefStream(), '', []
    for index, piece in enumerate(by_letters(text, step)):
        told += piece.text
        sent += growing.grow(told, piece, index * 0.05)
    sent += growing.finish(first_of(text), 10.0)
    assert ''.join(one.piece for one in sent) == first_of(text)


def test_a_brief_is_as_sure_as_all_its_words_are_also_those_that_are_left_out():
    growing, text = BriefStream(), 'A red mug. It'
    growing.grow('A red', Piece('A red', probability=0.25, ends_word=True), 0.0)
    part, = growing.grow('A red mug.', Piece(' mug.', probability=1.0, ends_word=True), 0.01)
    assert part.confidence == pytest.approx(0.5)
    assert growing.grow(text, Piece(' It', probability=0.01, last=True), 0.02) == []


def test_a_brief_without_a_full_stop_does_not_wait_for_the_text():
    part, = BriefStream().grow('a brown dog', Piece('a brown dog', last=True), 0.0)
    assert (part.piece, part.sentence_end) == ('a brown dog', True)
    growing = BriefStream()
    assert growing.grow('a brown d', Piece('a brown d', last=True, truncated=True), 0.0) == []
    end, = growing.finish('a brown d', 1.0)
    assert (end.piece, end.sentence_end, end.done) == ('a brown d', True, True)


def test_a_brief_that_failed_says_nothing_and_one_that_is_started_again_counts_anew():
    growing = BriefStream()
    growing.grow('A red', Piece('A red', probability=0.1), 0.0)
    growing.grow('A', Piece('A', probability=1.0), 0.1)
    part, = growing.grow('A red mug.', Piece(' red mug.', probability=1.0, last=True), 0.2)
    assert part.confidence == 1.0
    growing = BriefStream()
    growing.grow('A red', Piece('A red'), 0.0)
    end, = growing.finish('', 1.0, 10201)
    assert (end.piece, end.sentence_end, end.done) == ('', False, True)


def test_a_text_that_starts_again_catches_up_before_more_goes_out():
    growing, text = PartialStream(), 'One two three four five'
    assert growing.grow(text[:14], Piece(text[:14], probability=0.1), 0.0)[0].piece == 'One two three '
    for end in range(1, 15):
        assert growing.grow(text[:end], Piece(text[end - 1:end], probability=0.9), end * 1.0) == []
    assert growing.grow(text, Piece(text[14:], probability=0.9), 100.0)[0].piece == 'four '
    end, = growing.finish(text, 101.0)
    assert end.confidence == pytest.approx(0.9), 'what was dropped does not count'


# -- how sure each sentence is

def confidences(pieces: list[Piece], dt_s: float = 0.05) -> list[tuple[str, float]]:
    text, found, start = ''.join(one.text for one in pieces).strip(), [], 0
    for _, part in stream(pieces, dt_s):
        if part.sentence_end:
            end = part.offset + len(part.piece)
            found.append((text[start:end].strip(), part.confidence))
            start = end
    return found


@pytest.mark.parametrize('dt_s', [0.0, 0.01, 0.05, 1.0])
def test_each_sentence_has_the_confidence_of_its_own_words(dt_s: float):
    """The word that follows a full stop once counted for the sentence before it."""
    sure = zip(sentences(TEXT), [0.9, 0.2, 0.6])
    pieces = [Piece(' ' + word, probability=probability, ends_word=True)
              for sentence, probability in sure for word in sentence.split()]
    assert [(text, round(one, 6)) for text, one in confidences(pieces, dt_s)] == list(
        zip(sentences(TEXT), [0.9, 0.2, 0.6]))


def test_a_token_that_comes_after_the_full_stop_belongs_to_the_next_sentence():
    pieces = [Piece(text, probability=probability) for text, probability in
              (('A', 0.5), (' mug', 0.5), ('.', 0.5), (' It', 0.9), (' is', 0.9), (' red', 0.9), ('.', 0.9))]
    assert confidences(pieces) == [('A mug.', pytest.approx(0.5)), ('It is red.', pytest.approx(0.9))]


def test_a_piece_across_the_border_counts_for_both():
    pieces = [Piece('A mug', probability=1.0), Piece('. It', probability=0.25), Piece(' is red.', probability=1.0)]
    assert confidences(pieces) == [('A mug.', pytest.approx(0.5)), ('It is red.', pytest.approx(0.5))]


def test_white_space_and_half_characters_belong_to_what_follows():
    pieces = [Piece('A mug.', probability=0.9), Piece('\n', probability=0.25), Piece('', probability=1.0),
              Piece('Red.', probability=0.25)]
    assert confidences(pieces) == [('A mug.', pytest.approx(0.9)), ('Red.', pytest.approx((0.25 * 0.25) ** (1 / 3)))]


def test_what_was_not_estimated_is_not_told():
    assert math.isnan(confidences([Piece('A mug.', last=True)])[0][1])
    assert confidences([Piece('A', probability=math.nan), Piece(' mug.', probability=0.5)])[0][1] == pytest.approx(0.5)
