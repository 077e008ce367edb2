"""Nothing ever expresses certainty: what of a model's sentence says so goes, and a whole sentence is left."""
from __future__ import annotations

import pytest

from dam_ros.core.certainty import without_certainty
from dam_ros.core.wording import as_spoken

FREED = (
    ('Definitely a dog.', 'A dog.'), ('I am certain that it is a dog.', 'It is a dog.'),
    ("I'm 100% sure this is a dog.", 'This is a dog.'), ('This is, without a doubt, a dog.', 'This is a dog.'),
    ('This is a dog, for sure.', 'This is a dog.'), ('This is clearly a dog.', 'This is a dog.'),
    ('A clearly old man.', 'An old man.'), ('An obviously young man.', 'A young man.'),
    ('Obviously, a dog.', 'A dog.'), ('There is no doubt that this is a dog.', 'This is a dog.'),
    ('No doubt a dog.', 'A dog.'), ('It is obvious that he runs.', 'He runs.'), ('It is 100% a dog.', 'It is a dog.'),
    ('With absolute certainty, it is a cup.', 'It is a cup.'), ('I am sure it is red.', 'It is red.'),
    ('A dog, clearly asleep, on a mat.', 'A dog, asleep, on a mat.'), ('A dog sits, obviously.', 'A dog sits.'),
    ('It is guaranteed to be a dog.', 'It is a dog.'), ('It is definitely, certainly red.', 'It is red.'),
    ('I have no doubt that it is red.', 'It is red.'), ('I am very confident that it is red.', 'It is red.'),
    ('Sin duda, es un perro.', 'Es un perro.'), ('Es claramente un perro.', 'Es un perro.'),
    ('Estoy seguro de que es un perro.', 'Es un perro.'), ('No hay duda de que es un gato.', 'Es un gato.'),
    ('Está claro que es una taza.', 'Es una taza.'), ('Con toda seguridad es un perro.', 'Es un perro.'),
    ('Definitiv ein Hund.', 'Ein Hund.'), ('Zweifellos ist das ein Hund.', 'Vermutlich ist das ein Hund.'),
    ('Ich bin mir sicher, dass das ein Hund ist.', 'Es scheint, dass das ein Hund ist.'),
    ('Das ist eindeutig ein Hund.', 'Das ist ein Hund.'), ('Das ist ganz sicher ein Hund.', 'Das ist ein Hund.'),
    ('Es ist offensichtlich, dass er läuft.', 'Es scheint, dass er läuft.'),
    ("C'est certainement un chien.", "C'est un chien."), ("Sans aucun doute, c'est un chien.", "C'est un chien."),
    ("Je suis sûr que c'est un chien.", "C'est un chien."),
    ("Il est clair qu'il s'agit d'un chien.", "Il s'agit d'un chien."), ('Bien sûr, un chien.', 'Un chien.'),
    ('这肯定是一只狗。', '这是一只狗。'), ('毫无疑问，这是一只狗。', '这是一只狗。'),
    ('我确定这是一只狗。', '这是一只狗。'),
    ('可以肯定的是，这是一只狗。', '这是一只狗。'), ('这绝对是一只狗。', '这是一只狗。'),
    ('No, it is definitely a cat.', 'No, it is a cat.'), ('With 99% certainty it is a dog.', 'It is a dog.'),
    ('It is not a cat, it is clearly a dog.', 'It is not a cat, it is a dog.'),
    ('It is not a cat but clearly a dog.', 'It is not a cat but a dog.'),
    ('Une personne est clairement visible.', 'Une personne est visible.'),
    ('This is definitely not a dog.', 'This is not a dog.'))
KEPT = ('I am not certain that it is a dog.', 'The text is not clearly visible.', 'It is more clearly seen.',
        'It is not entirely clear that it is a dog.', 'A certain dog.', '100% cotton.', 'A safe with a lock.',
        'I am less sure that it is a dog.', "It isn't clearly a dog.", 'A dog, perhaps.',
        'No está claro que sea un perro.', 'Un cierto perro.', 'Das ist nicht eindeutig ein Hund.',
        'Ein bestimmter Hund.', 'Das ist eine sichere Leiter.', "Ce n'est pas clairement visible.",
        'Sans doute un chien.', '我不确定这是什么。', '不一定是狗。', '一定的距离。', '明显的纹路。',
        'Nothing is clearly visible.', 'No one is clearly visible.', 'None of the letters is clearly legible.',
        'The label cannot be read clearly.', 'Few of the words are clearly legible.',
        'Only the head is clearly visible.', 'He is unable to see clearly.', 'Nichts ist eindeutig zu erkennen.',
        "Rien n'est clairement visible.", 'No se ve claramente.', '看不清楚,不是很明显的。',
        'It is a dog with 50% certainty.', 'It is a dog with 30 % confidence.', 'It is almost certainly a dog.',
        'I am fairly sure that it is a dog.', 'It is rarely clear that he sits.', 'He has no doubt about it.',
        'A plainly dressed man.', 'Personne ne se voit clairement.', 'Niemand ist eindeutig zu sehen.')
ANSWERS = (('Definitely.', 'Yes.'), ('Yes, definitely.', 'Yes.'), ('Definitely not.', 'No.'), ('Desde luego.', 'Sí.'),
           ('Zweifellos.', 'Ja.'), ('Certainement.', 'Oui.'), ('当然。', '是。'))


@pytest.mark.parametrize(('text', 'expected'), FREED)
def test_words_of_certainty_go_and_a_whole_sentence_is_left(text, expected):
    assert as_spoken(text, 'en') == expected


@pytest.mark.parametrize('text', KEPT)
def test_doubt_and_the_same_words_in_other_meanings_stay(text):
    assert without_certainty(text) == text


@pytest.mark.parametrize(('text', 'expected'), ANSWERS)
def test_an_answer_of_nothing_else_is_still_an_answer(text, expected):
    assert without_certainty(text) == expected


@pytest.mark.parametrize('text', ['I am sure.', "I'm absolutely certain.", 'Ich bin mir sicher.', '我很确定。'])
def test_a_sentence_that_says_only_how_sure_it_is_is_not_spoken(text):
    assert as_spoken(text, 'en') == ''


def test_what_is_quoted_keeps_its_words():
    spoken = as_spoken('A sign clearly reads "Definitely open".', 'en')
    assert spoken == 'A sign reads, text, perhaps: "Definitely open".'
