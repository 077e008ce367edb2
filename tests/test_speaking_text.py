"""Text as voices take it, and what the system says in its own name."""
from __future__ import annotations

import re
import time

import pytest

from dam_ros.core import errors
from dam_ros.core.phrases import CANNOT_TELL_SAFE, every_phrase, of_failure
from dam_ros.core.speakable import cut, LONGEST_SENTENCE, pronounceable, speakable

ODD = ('', ' ', '...', 'a' * 100_000, 'word ' * 20_000, 'e.g. ' * 20_000, '. ' * 50_000, '<speak>hi</speak>',
       '$(touch x) `ls` "q" \'q\'', '\x00\x1b[31mred\x07', '\u202eright to left\u202c', '\U0001f600 smile', '[[h@l0U]]',
       '\u4f60\u597d\u3002\u518d\u89c1\u3002', 'שלום עולם.', 'line one\nline two',
       'A mug, 1.5 metres, e.g. red. Next one.')


@pytest.mark.parametrize('text', ODD, ids=lambda text: repr(text[:12]))
def test_sentences_are_bounded_pieces_of_the_text_in_its_order(text):
    begun = time.monotonic()
    pieces = cut(text)
    assert time.monotonic() - begun < 2.0
    end = 0
    for piece in pieces:
        assert piece.start >= end and 0 < piece.end - piece.start <= LONGEST_SENTENCE
        assert text[piece.start:piece.end] == piece.text
        end = piece.end
    lost = len(re.sub(r'\W', '', text)) - sum(len(re.sub(r'\W', '', piece.text)) for piece in pieces)
    assert lost == 0, 'a letter was lost'


@pytest.mark.parametrize('text', ODD, ids=lambda text: repr(text[:12]))
def test_nothing_reaches_a_synthesizer_that_is_no_language(text):
    clean = speakable(text)
    assert not re.search(r'[\x00-\x1f\x7f\u202a-\u202e]', clean)
    assert '[[' not in clean, 'espeak-ng would read phonemes'
    assert all(len(word) <= 61 for word in clean.split())


def test_markup_stays_text():
    assert speakable('<b>5 & 3</b>') == '<b>5 & 3</b>'


@pytest.mark.parametrize(('text', 'is_'), (('a', True), ('7', True), ('$', True), ('...', False), ('\u200b', False),
                                           ('—', False), ('\U0001f600', True)))
def test_only_what_can_be_pronounced_counts(text, is_):
    assert pronounceable(text) is is_


def test_long_sentences_are_cut_at_clauses():
    text = ', '.join(['a mug that stands on the table'] * 30) + '.'
    assert all(piece.text.rstrip().endswith((',', '.')) for piece in cut(text))


@pytest.mark.parametrize('phrase', every_phrase())
def test_no_phrase_claims_that_a_way_is_free_or_says_a_code(phrase):
    words = re.findall(r'[a-z]+', phrase.lower())
    assert phrase == CANNOT_TELL_SAFE or not {'clear', 'safe', 'free', 'empty', 'nothing'} & set(words)
    assert not re.search(r'\d\d', phrase), 'a code'
    assert cut(phrase), 'it must be something to speak'


def test_every_failure_has_words_unless_silence_was_wanted():
    wanted = (errors.Cancelled, errors.Superseded, errors.Hushed, errors.Muted, errors.NoVoice, errors.TooLate)
    silent = {leaf for leaf in errors.leaves() if not of_failure(leaf.code)}
    assert silent == set(wanted)
