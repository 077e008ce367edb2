"""Where sentences end: abbreviations, decimals, initials, quotes, lists, scripts without spaces, in five languages."""
from __future__ import annotations

import time

import pytest

from dam_ros.core.speakable import cut, speakable
from dam_ros.core.answering import first_of
from dam_ros.core.text import BRIEF_WORDS, brief_of, complete_length, ends_within, sentences

# A bar stands where one sentence ends and the next begins: | for a space between them, ¦ for none, ↵ for a new line.
CASES = """\
A dog.|It runs.
A dog. it runs.
A mug, e.g. red, stands there.|Next.
A mug, e.g. Red Bull's, stands there.|Next.
It is, i.e. The Mug, red.
Cups, plates, etc. stand there.
Cups, plates, etc.|The table is brown.
Cups, plates, etc. Plates are white.
It is approx. 5 cm wide.|It is red.
It is red vs. Blue.
Mr. Smith waves.|He smiles.
Mrs. Jones and Ms. Hill sit.|They talk.
Dr. Who stands.|Prof. Li sits.
St. Mary's church.|A tower.
He lives in Main St.|The house is red.
He lives in Main St. and works.
Acme Inc.|The logo is blue.
Acme Inc. Red is written.
Jr. Smith.|A dog.
J. Smith walks.|He is old.
J. R. R. Tolkien sits.|He smokes.
John F. Kennedy waves.|It is sunny.
It is plan B.|It is red.
The letter A.|The letter is big.
A box of vitamin C.|It is yellow.
The U.S. flag hangs.|It waves.
The flag of the U.S.|It waves.
At 5 p.m. Peter left.
At 5 p.m.|The sun sets.
It is 1.5 m wide.|It is red.
It is 5 m.|Red paint covers it.
It is 5 m.|It is red.
It is 5 cm.|Red paint.
It costs 3.99.|A label.
Version 1.2.3 is shown.|A logo.
It is 1.000,50 euros.|A coin.
See example.com for it.|A page.
The file a.txt lies.|A page.
No. 5 is red.|No. 6 is blue.
The answer is no.|It is red.
Is it red?|no.|Yes, it is.
See fig. 2.|It is red.
Fig. 3 shows it.|It is red.
1. A mug.|2. A cup.
2. A cup stands.
It is number 2.|It is red.
He came 3.|The winner waves.
Wait... what is it?
Wait...|What is it?
Wait… what is it?
Wait…|It is a dog.
Well...|The end.
Really?!|Yes.
What?|A dog!|A cat.
Stop!|A dog.
He said "Go."|Then he left.
He said “Go.”|Then he left.
He said 'Go.'|Then he left.
It reads "Stop!" and hangs.
It reads "Why?" in red.
It reads "Mr. B." and hangs.
A sign (it is red.)|A dog.
It is red (see fig. 2).|A dog.
A dog.)|A cat.
"A dog."|"A cat."
A dog — it runs.|A cat.
A dog; it runs.|A cat.
A dog: A cat.
The iPhone. iPads lie there.
A dog.It runs.
On Jan. 5 it snowed.|It is cold.
It is max. 5 wide.|It is red.
It is ca. 5 wide.|It is red.
Und z.B. Hunde sind da.|Sie bellen.
Und z. B. Hunde sind da.|Sie bellen.
Tiere, d.h. Hunde, sind da.|Sie bellen.
Tiere, d. h. Hunde, sind da.|Sie bellen.
Hunde, u. a. Pudel, sind da.|Sie bellen.
Hunde, Katzen usw. sind da.|Sie bellen.
Hunde, Katzen usw.|Die Tür ist offen.
Am 3. Mai ist es warm.|Die Sonne scheint.
Im 2. Stock brennt Licht.|Es ist hell.
Der 1. Platz ist frei.|Ein Pokal.
Vom 3. bis zum 5. Juli ist zu.|Ein Schild.
Es sind 3.|Die Tür ist offen.
Nr. 5 ist rot.|Nr. 6 ist blau.
Hr. Maier winkt.|Er lacht.
Prof. Dr. Kurz sitzt.|Er liest.
Es ist bzw. War rot.
Er ist ggf. Lehrer.|Er liest.
Es ist 1,5 m breit.|Es ist rot.
„Halt.“|Dann ging er.
Er sagt „Halt!“ und winkt.
Ist das rot?|Ja!
El Sr. Pérez saluda.|Él ríe.
La Sra. Gil y la Dra. Ruiz ríen.|Es verano.
Hay perros, p. ej. Galgos.|Corren.
Hay perros, p.ej. Galgos.|Corren.
Hay tazas, etc.|La mesa es roja.
La bandera de EE. UU. ondea.|Es grande.
Está en la pág. 5.|Es roja.
¿Es rojo?|¡Sí!|Es rojo.
Mide 1,5 m.|Es rojo.
El núm. 5 es rojo.|Es grande.
«Alto.»|Luego se fue.
Ud. Ve una taza.
M. Dupont rit.|Il est grand.
Mme. Petit et Mlle. Roux rient.|Il fait beau.
Des chiens, p. ex. Rex.|Ils courent.
Il mesure env. 5 m.|Il est rouge.
Il y a des tasses, etc.|La table est rouge.
Est-ce rouge ?|Oui !|C'est rouge.
« Halte. »|Puis il part.
C'est l'été.|L'arbre est vert.
一只狗。¦一只猫。
一只狗！¦一只猫？¦是。
他说“你好。”¦然后走了。
他说「你好。」¦然后走了。
高1.5米。¦红色。
这是什么？！¦一只狗。
你好!¦再见。
一只狗， 一只猫。¦两只鸟。
什么……一只狗。
（一只狗。）¦一只猫。
犬です。¦猫です。
A dog。¦A cat.
Two things:↵- a red mug↵- a blue cup
Two things:↵* A mug.↵* A cup.
Things:↵1. A mug.↵2. A cup.
Things:↵1) a mug↵2) a cup
שלום עולם.|כלב רץ.
هل هذا كلب؟|نعم.
यह कुत्ता है।|वह लाल है।
"""


def _case(line: str) -> tuple[str, list[str]]:
    text = line.replace('|', ' ').replace('¦', '').replace('↵', '\n')
    return text, line.replace('¦', '|').replace('↵', '|').split('|')


@pytest.mark.parametrize('line', CASES.splitlines())
def test_where_sentences_end(line):
    text, expected = _case(line)
    assert sentences(text) == expected


def test_there_are_enough_cases():
    assert len(CASES.splitlines()) >= 120


@pytest.mark.parametrize('line', CASES.splitlines())
def test_a_growing_text_ends_where_the_whole_one_does(line):
    """Character by character: an end that was found stays, save where small letters or closing marks follow."""
    text, _ = _case(line)
    whole, seen = ends_within(text, final=True), set()
    for end in range(len(text) + 1):
        seen.update(ends_within(text[:end]))
    followed = {one: text[one:].lstrip()[:1] for one in seen}
    assert {one for one, after in followed.items() if not after.islower() and after not in '”’」』）»！'} <= set(whole)


def test_a_blank_line_ends_a_paragraph():
    assert sentences('A heading\n\nA dog runs') == ['A heading', 'A dog runs']
    assert sentences('line one\nline two') == ['line one\nline two']
    assert complete_length('A heading\n\n') == 11
    assert sentences('\n\n- A dog.\n\n\n- A cat.\n') == ['- A dog.', '- A cat.']


def test_a_word_that_may_still_grow_decides_nothing():
    assert complete_length('Cups, etc. The') == 0, 'it may become Theodor'
    assert complete_length('Cups, etc. The ') == 10
    assert complete_length('No. ') == 0 and complete_length('It is no. A') == 9


def test_behind_several_full_stops_the_next_word_decides():
    assert complete_length('It stands... ') == 0 and complete_length('It stands.. i') == 0
    assert complete_length('It stands... A') == 12 and complete_length('It stands... ', final=True) == 12


def test_a_brief_ends_where_the_first_sentence_does():
    assert brief_of('Mr. Smith sits. He reads.') == 'Mr. Smith sits.'
    assert brief_of('一只狗。一只猫。') == '一只狗。'


SHORTENED = (
    ('A large brown dog lying on a green carpet next to a wooden table in a living room.',
     'A large brown dog lying on a green carpet.'),
    ('A man in a blue shirt and black trousers standing next to a large red car on a wet street.',
     'A man in a blue shirt and black trousers standing.'),
    ('A man wearing a black suit holds a microphone in his left hand and talks to a crowd.',
     'A man wearing a black suit holds a microphone.'),
    ('A large, brown, fluffy dog with a red collar and a small bell, lying on the green grass.',
     'A large, brown, fluffy dog with a red collar.'),
    ('A small wooden boat with two people, a dog, a bag and an umbrella on a calm lake.',
     'A small wooden boat with two people, a dog, a bag.'),
    ('The cup on the table by the window is white and has a thin blue rim, and it stands.',
     'The cup on the table by the window is white.'),
    ('A close-up photograph of the front part of a vintage blue car with a bumper, round headlights, and a grille.',
     'A close-up photograph of the front part of a vintage blue car.'),
    ('Un perro grande y marrón que está tumbado en una alfombra verde junto a una mesa de madera.',
     'Un perro grande y marrón que está tumbado en una alfombra verde.'),
    ('Ein großer brauner Hund, der auf einem grünen Teppich neben einem Tisch aus Holz in einem Zimmer liegt.',
     'Ein großer brauner Hund.'),
    ('Un grand chien brun qui est couché sur un tapis vert à côté d’une table en bois dans un salon.',
     'Un grand chien brun qui est couché sur un tapis vert.'),
    ('一只棕色的大狗躺在绿色的地毯上，旁边有一张木桌和两把椅子，窗户开着。', '一只棕色的大狗躺在绿色的地毯上。'),
    ('A red neon sign reading 北京烤鸭店欢迎您光临 hangs quite low over a narrow busy street full of people.',
     'A red neon sign reading 北京烤鸭店欢迎您光临 hangs quite…'))
UNTRUE_IF_CUT = (
    'There is no dog on the carpet next to the wooden table in the living room.',
    'There are no obstacles on the sidewalk ahead of you, except a small step at the end.',
    'All the cups on the shelf in the kitchen are white except one that is red.',
    'The road is clear of cars and people as far as the camera can see, but a bus comes.',
    'Nicht alle Tassen auf dem Regal in der Küche neben dem Fenster sind weiß oder grau.',
    'What appears to be a gun on the table is actually a water pistol made of green plastic.',
    'The dog that is lying on the sofa near the window is not real but a toy.',
    'Auf dem Tisch liegt ein Messer, das in Wirklichkeit nur ein Spielzeug aus Plastik für Kinder ist.',
    'A large brown bear, standing on its hind legs in the middle, made of paper and wire.',
    'A knife with a black handle and a long blade, probably a prop.',
    '桌子上放着一把黑色的手枪和两个弹匣，其实它们都是给孩子们玩的塑料玩具。')
WITHOUT_ITS_VERB_IF_CUT = (
    'The traffic light at the crossing in front of the old town hall is showing red.',
    'The cup on the table in front of the man in the blue shirt is broken.',
    'The person standing at the window is in fact only a cardboard figure of a man.',
    'The sign on the wall next to the door says that smoking in the building is prohibited.',
    'The boy who is wearing the striped shirt and the red cap is crying.',
    'A large, brown, fluffy dog with a red collar and a small bell lies on the green grass.',
    'La botella que está en la mesa junto a la ventana de la cocina está rota.',
    'La tasse qui se trouve sur la table à côté de la fenêtre est cassée.',
    'Ein kleiner Junge hat den Ball über den hohen Zaun in den Garten des Nachbarn geworfen.')
NOT_WHOLE_IF_CUT = (
    'The man in the middle of the large room is holding what looks like a small black gun.',
    'The animal is either a dog, with its brown fur and long ears, or a wolf.',
    'The chair that stood in the corner of the room was removed and now there is a plant.',
    'A woman in a white coat is about to give an injection, it seems, or so.')


@pytest.mark.parametrize(('text', 'brief'), SHORTENED)
def test_a_long_sentence_is_cut_where_what_is_left_is_whole(text, brief):
    assert brief_of(text) == brief and len(brief.split()) <= BRIEF_WORDS


@pytest.mark.parametrize('text', WITHOUT_ITS_VERB_IF_CUT + NOT_WHOLE_IF_CUT)
def test_no_cut_takes_away_the_verb_or_leaves_half_of_something_without_being_heard_as_one(text):
    assert brief_of(text) == broken_off(text)


def broken_off(text: str) -> str:
    """In the middle, with all the words that there is room for, and not as if it were whole."""
    if len(text.split()) == 1:   # Chinese
        return text[:2 * BRIEF_WORDS + text[:2 * BRIEF_WORDS].count('\uff0c')] + '\u2026'
    return ' '.join(text.split()[:BRIEF_WORDS]).rstrip(',') + '\u2026'


@pytest.mark.parametrize(('text', 'brief'), (
    ('A dog lying on the', 'A dog lying.'), ('A man in a blue shirt that is holding a', 'A man in a blue shirt.'),
    ('Ein Hund liegt auf dem', 'Ein Hund liegt.'), ('The light is on', 'The light is on')))
def test_what_was_cut_off_has_no_loose_end(text, brief):
    assert brief_of(text) == brief


def test_what_is_no_sentence_is_broken_off():
    assert brief_of('dog ' * 100) == 'dog ' * 11 + 'dog…'
    assert brief_of('狗' * 200) == '狗' * 24 + '…'


@pytest.mark.parametrize('text', UNTRUE_IF_CUT)
def test_what_would_be_untrue_without_its_end_is_heard_to_have_none(text):
    assert brief_of(text) == broken_off(text)


@pytest.mark.parametrize(('told', 'brief'), (
    ('The image shows a dog. It runs.', 'A dog.'), ('**A dog** runs.', 'A dog runs.'), ('***\n\nA dog.', 'A dog.'),
    ('In this picture we can see a large brown dog that lies on a thick green carpet.',
     'A large brown dog that lies on a thick green carpet.'), ('', ''), ('***', ''),
    ('... A dog sleeps.', 'A dog sleeps.'), ('😊! A dog sleeps.', 'A dog sleeps.'), ('- . A dog.', 'A dog.'),
    ('...', '')))
def test_a_brief_has_no_marks_and_no_lead_in_that_take_the_place_of_its_words(told, brief):
    assert first_of(told) == brief


HOSTILE = ('.', '. ', '!', '…', '."', '.)', '。', '。”', 'a.', 'A. ', 'z. B. ', 'etc. ', 'No. ', '1. ', '\n', '\n- ',
    ' \n', '\n1', '"', 'Dr. ',
           'etc. The', '?!', '\u202e', '\u05d0. ', '\U0001f600', '\U0001f600. ', '\x00', '\x1b[2J', '[[',
           'é' * 70, '\u0301', 'am 3. ', 'a b. ',
           '<b>', '$(', ' ', '\u200d', '\ufeff', ', ', '、', 'J. R. ', 'e.g.')


@pytest.mark.parametrize('text', HOSTILE, ids=repr)
def test_no_text_stalls_it(text):
    """100,000 characters, cut and freed of what no voice can take."""
    text = text * (100_000 // len(text)) + 'x'
    begun = time.perf_counter()
    pieces = cut(text)
    speakable(text), complete_length(text)
    assert time.perf_counter() - begun < 2.0
    assert all(len(one.text) <= 300 for one in pieces)


@pytest.mark.parametrize('text', HOSTILE, ids=repr)
def test_time_grows_as_the_text_does(text):
    times = []
    for length in (15_000, 60_000):
        whole = text * (length // len(text)) + 'x'
        runs = []
        for _ in range(2):
            begun = time.perf_counter()
            sentences(whole)
            runs.append(time.perf_counter() - begun)
        times.append(min(runs))
    assert times[1] < 0.1 or times[1] < 10 * times[0]
