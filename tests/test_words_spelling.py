"""A word letter by letter."""
from __future__ import annotations

import time

import pytest

from dam_ros.core.spelling import spelled


@pytest.mark.parametrize(('text', 'language', 'expected'), (
    ('A loaf of bread.', 'en', 'B, R, E, A, D.'), ('bread', 'en', 'B, R, E, A, D.'), ('Bread', 'en', 'B, R, E, A, D.'),
    ('STOP', 'en', 'S, T, O, P.'), ('Room 104', 'en', '1, 0, 4.'), ('Gate B12!', 'en', 'B, 1, 2.'),
    ('(“Exit”)', 'en', 'E, X, I, T.'),
    ('an iPad', 'en', 'I, capital P, A, D.'), ("don't", 'en', 'D, O, N, apostrophe, T.'),
    ('don’t', 'en', 'D, O, N, apostrophe, T.'),
    ('a@b.de', 'en', 'A, at sign, B, dot, D, E.'), ('well-known', 'en', 'W, E, L, L, hyphen, K, N, O, W, N.'),
    ('Grüße', 'de', 'G, R, Ü, ß, E.'), ('Grüße', 'en', 'G, R, U with two dots, sharp S, E.'),
    ('café', 'fr', 'C, A, F, É.'),
    ('café', 'en', 'C, A, F, E acute.'), ('cafe\u0301', 'en', 'C, A, F, E acute.'), ('niño', 'es', 'N, I, Ñ, O.'),
    ('niño', 'de-AT', 'N, I, N mit Tilde, O.'), ('ein iPad', 'de', 'I, großes P, A, D.'),
    ('一个停车场', 'zh', '个，停，车，场。'),
    ('停车场 B2', 'zh', 'B，2。'), ('Ångström', 'en', 'A with a ring, N, G, S, T, R, O with two dots, M.'),
    ('שלום', 'en', 'ש, ל, ו, ם.'),
    ('', 'en', ''), ('...', 'en', ''), (' \n', 'de', ''), ('\U0001f600', 'en', ''), ('Mr.', 'it', 'M, R.'),
    ('word .', 'en', 'W, O, R, D.')))
def test_the_last_word_is_spelled(text, language, expected):
    assert spelled(text, language) == expected


def test_long_words_are_bounded():
    assert spelled('a' * 1000, 'en') == ', '.join('A' * 32) + ', and 968 more.'
    begun = time.perf_counter()
    for text in ('a' * 100_000, 'a ' * 50_000, '.' * 100_000, ' ' * 100_000, '\u0301' * 100_000, '. ' * 50_000,
                 '停' * 100_000):
        assert len(spelled(text, 'en')) < 400
    assert time.perf_counter() - begun < 0.3
