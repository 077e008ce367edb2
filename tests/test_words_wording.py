"""What a describer wrote, as a person says it: no lead-in, no marks, numbers and units in words, quotes announced."""
from __future__ import annotations

import time

import pytest

from dam_ros.core.catalogues import LANGUAGES
from dam_ros.core.phrases import phrase, TEXT_PERHAPS
from dam_ros.core.speakable import speakable
from dam_ros.core.wording import as_spoken

PLAIN = {
    'en': ('A dog.', 'A red mug stands on a wooden table, left of a laptop.', "The dog's tail isn't long.",
           'It is 3 * 4.',
           'A snake_case name and the letter x.', "In the '90s the dogs' toys were red.", 'A 5" screen and a 7" one.',
           'The image shows.', 'We can see.', 'It shows that it rains.', 'A 4G mast, the 80s, size 5M.',
           'It has 1.000 legs.',
           'There is a dog.', 'In the picture on the wall stands a horse.', 'A picture of a horse in a golden frame.',
           'Wait... what?', 'a < b and c > d.', 'I cannot tell.', 'The image shows that it rains.', '  spaces  stay',
           'A clock at 14h and flight BA 5.', 'See http://example.com/a_b_c for it.', 'C# and A4.',
           'We cannot see a dog.'),
    'es': ('Un perro marrón.', 'La imagen es pequeña.', 'Cuesta 5 millones.', 'Se vende una casa.'),
    'de': ('Ein Hund liegt auf dem Teppich.', 'Das Bild hängt an der Wand.', 'Am 3. Mai ist es warm.', "Wie geht's?"),
    'fr': ("L'homme n'est pas là.", "Aujourd'hui, c'est l'été.", 'Une image pend au mur.'),
    'zh': ('一只狗在草地上。', '红色的杯子，放在桌上。', '有图案的衬衫。'),
}
LEADS = (
    ('en', 'The image shows a dog.', 'A dog.'), ('en', 'This image depicts two cups.', 'Two cups.'),
    ('en', 'This is a picture of a red mug.', 'A red mug.'), ('en', 'This is a close-up photo of an eye.', 'An eye.'),
    ('en', 'In this image, there is a dog.', 'A dog.'),
    ('en', 'In the image there are two dogs playing.', 'Two dogs playing.'),
    ('en', 'In this image we can see two dogs.', 'Two dogs.'), ('en', 'In the photo, a man sits.', 'A man sits.'),
    ('en', 'Sure, in this picture we can see a dog.', 'A dog.'), ('en', 'Certainly! The image shows a dog.', 'A dog.'),
    ('en', 'The highlighted region in the image is a dog.', 'A dog.'),
    ('en', 'The masked area shows a red car.', 'A red car.'),
    ('en', 'The scene features a beach.', 'A beach.'), ('en', '**The image shows** a dog.', 'A dog.'),
    ('en', 'Description: a dog.', 'A dog.'),
    ('en', 'The image shows what appears to be a dog.', 'What appears to be a dog.'),
    ('en', 'I can see a lamp.', 'A lamp.'),
    ('es', 'La imagen muestra un perro.', 'Un perro.'), ('es', 'En esta imagen se ve una taza.', 'Una taza.'),
    ('es', 'En la foto hay dos gatos.', 'Dos gatos.'), ('es', 'Esta es una foto de un coche.', 'Un coche.'),
    ('es', 'Podemos ver una mesa.', 'Una mesa.'), ('es', 'En la imagen, un hombre corre.', 'Un hombre corre.'),
    ('de', 'Das Bild zeigt einen Hund.', 'Einen Hund.'), ('de', 'Auf dem Bild ist ein Hund zu sehen.', 'Ein Hund.'),
    ('de', 'Auf diesem Foto sieht man eine Tasse.', 'Eine Tasse.'), ('de', 'Man sieht zwei Katzen.', 'Zwei Katzen.'),
    ('de', 'Auf dem Bild sind drei Äpfel zu erkennen.', 'Drei Äpfel.'),
    ('fr', "L'image montre un chien.", 'Un chien.'), ('fr', 'Sur cette image, on voit une tasse.', 'Une tasse.'),
    ('fr', 'Cette photo représente deux chats.', 'Deux chats.'), ('fr', "C'est une image d'un chat.", 'Un chat.'),
    ('fr', 'On peut voir une table.', 'Une table.'), ('fr', 'Dans l’image, un homme court.', 'Un homme court.'),
    ('zh', '图片中有一只狗。', '一只狗。'), ('zh', '这张照片显示了一个杯子。', '一个杯子。'),
    ('zh', '画面中，一只猫在睡觉。', '一只猫在睡觉。'),
    ('zh', '我们可以看到一张桌子。', '一张桌子。'), ('zh', '这是一张狗的照片。', '狗。'),
    ('en', 'In this picture we can see, for example, a dog.', 'A dog.'), ('en', 'The photo depicts a dog.', 'A dog.'),
    ('en', 'This is an image of a dog.', 'A dog.'), ('en', 'Here we see a dog.', 'A dog.'),
    ('en', 'Here, you can see two dogs.', 'Two dogs.'), ('en', 'The image is a close-up of a mug.', 'A mug.'),
    ('en', 'The image appears to show a red car.', 'A red car.'), ('en', 'What we see here is a dog.', 'A dog.'),
    ('en', 'This appears to be a photo of a cat.', 'A cat.'), ('en', 'Depicted in the image is a cat.', 'A cat.'),
    ('en', 'Based on the image, the dog is brown.', 'The dog is brown.'), ('en', 'It depicts a cat.', 'A cat.'),
    ('en', 'The picture you provided shows a cat.', 'A cat.'), ('en', 'We are looking at a cat.', 'A cat.'),
    ('en', 'The main subject of the image is a cat.', 'A cat.'), ('en', "Here's a description: a cat.", 'A cat.'),
    ('en', 'The image clearly shows a dog.', 'A dog.'), ('en', "That's a picture of a dog.", 'A dog.'),
    ('es', 'Aquí vemos un perro.', 'Un perro.'), ('es', 'Se trata de una imagen de un perro.', 'Un perro.'),
    ('es', 'En la foto se ve, por ejemplo, un perro.', 'Un perro.'),
    ('de', 'Hier sieht man einen Hund.', 'Einen Hund.'), ('de', 'Zu sehen ist ein Hund.', 'Ein Hund.'),
    ('de', 'Das Bild stellt einen Hund dar.', 'Einen Hund.'), ('de', 'Hier ist ein Hund zu sehen.', 'Ein Hund.'),
    ('de', 'Es handelt sich um ein Foto von einem Hund.', 'Einem Hund.'),
    ('fr', 'Ici, on voit un chien.', 'Un chien.'), ('fr', "Il s'agit d'une image d'un chien.", 'Un chien.'),
    ('fr', "L'image semble montrer un chien.", 'Un chien.'), ('zh', '从图片中可以看到一只狗。', '一只狗。'),
    ('zh', '这里我们看到一只狗。', '一只狗。'), ('de', 'The image shows a dog.', 'A dog.'))
MARKS = (
    ('**A dog** runs *fast*.', 'A dog runs fast.'), ('- A dog.', 'A dog.'), ('### A dog', 'A dog'),
    ('> A dog.', 'A dog.'),
    ('A `red` [mug](http://a.b/c "t") here.', 'A red mug here.'), ('![A mug](mug.png)', 'A mug'),
    ('__A__ _dog_.', 'A dog.'),
    ('<b>A dog</b><br>runs.', 'A dog runs.'), ('<speak>A <em>dog</em></speak>', 'A dog'),
    ('Salt &amp; pepper.', 'Salt & pepper.'),
    ('~~A dog~~ a cat.', 'A dog a cat.'), ('***', ''), ('\U0001f600', ''), ('A dog \U0001f415 runs.', 'A dog runs.'),
    ('A dog \U0001f415.', 'A dog.'), ('\U0001f44d\U0001f3fd A dog', 'A dog'), ('Two\u2764\ufe0fhearts', 'Twohearts'),
    ('A family \U0001f468\u200d\U0001f469\u200d\U0001f467 sits.', 'A family sits.'), ('* A *dog*', 'A dog'),
    ('$(touch x) && a; b', '$(touch x) && a; b'), ('An <unknown> tag.', 'An <unknown> tag.'),
    ('2 * 3 ** 4', '2 * 3  4'))
TAGS = (
    ('A <break time="9s"/> dog.', 'A dog.'), ('A<break time="9s"/>dog.', 'A dog.'),
    ("<voice name='x'>A dog</voice>", 'A dog'), ('<prosody rate="slow">A dog</prosody> runs.', 'A dog runs.'),
    ('A <a href=http://x.y/z?q=1>dog</a>.', 'A dog.'), ('A <!-- secret --> dog.', 'A dog.'),
    ('<?xml version="1.0"?><speak>A dog</speak>', 'A dog'), ('A <![CDATA[dog]]> here.', 'A dog here.'),
    ('<amazon:effect name="whispered">A dog</amazon:effect>', 'A dog'), ('A dog <break/> runs.', 'A dog runs.'),
    ('<say-as interpret-as="digits">12</say-as> dogs', '12 dogs'), ('A <a title="x > y">dog</a>', 'A dog'),
    ('<!DOCTYPE html>A dog', 'A dog'), ('<|im_end|>A dog', 'A dog'), ('<new-tag a = "b">A dog</new-tag>', 'A dog'),
    ('A dog <break time="9s"', 'A dog'), ('A dog <prosody rate="slow" and runs.', 'A dog and runs.'),
    ('A dog <!-- runs', 'A dog runs'), ('A dog <break', 'A dog'), ('<prosody rate="slow>A dog', 'A dog'),
    ('A dog <voice name="x y', 'A dog'), ('A dog </voice', 'A dog'), ('<BREAK STRENGTH=strong>A dog', 'A dog'),
    ('<?xml version="1.0" A dog', 'A dog'),
    ('a < b and c > d.', 'a < b and c > d.'), ('a<b and c>d', 'a<b and c>d'),
    ('x <= 3 and y >= 4', 'x <= 3 and y >= 4'),
    ('if x <y then z = 3 > 2', 'if x <y then z = 3 > 2'), ('I <3 you', 'I <3 you'))
NUMBERS = (
    ('en', 'It is 1.5 m tall.', 'It is 1.5 metres tall.'), ('en', '1 m', '1 metre'),
    ('en', 'A 30cm ruler.', 'A 30 centimetres ruler.'),
    ('en', '5 mm, 2 km, 3 kg.', '5 millimetres, 2 kilometres, 3 kilograms.'), ('en', '200 g of it', '200 grams of it'),
    ('en', '30 km/h and 5 m/s', '30 kilometres per hour and 5 metres per second'),
    ('en', '20 °C', '20 degrees Celsius'),
    ('en', '-5°C', 'minus 5 degrees Celsius'), ('en', '68 °F', '68 degrees Fahrenheit'),
    ('en', 'a 45° angle', 'a 45 degrees angle'),
    ('en', '50% full', '50 percent full'), ('en', '1280x720', '1280 by 720'),
    ('en', '10 x 20 cm', '10 by 20 centimetres'),
    ('en', '2×3×4', '2 by 3 by 4'), ('en', 'about ~5 dogs', 'about about 5 dogs'), ('en', '~5 dogs', 'about 5 dogs'),
    ('en', '$5', '5 dollars'), ('en', '5 EUR', '5 euros'), ('en', '€1', '1 euro'), ('en', '$2.50', '2.50 dollars'),
    ('en', '$3 million', '3 million dollars'), ('en', '5-10 cm', '5 to 10 centimetres'), ('en', '6 ft', '6 feet'),
    ('en', '1 ft', '1 foot'), ('en', '5 s', '5 seconds'), ('en', '5s', '5s'), ('en', '5 M', '5 M'),
    ('en', '12 m.', '12 metres.'),
    ('en', '0x10', '0x10'), ('en', 'v1.5m', 'v1.5m'), ('en', '4x4', '4 by 4'), ('en', '', ''), ('', '2 m', '2 metres'),
    ('it', '2 m', '2 m'), ('es', '1,5 m', '1,5 metros'), ('es', '50 %', '50 por ciento'), ('es', '1 h', '1 hora'),
    ('de', '1.5 m', '1,5 Meter'), ('de', '3 h', '3 Stunden'), ('de', '1280x720', '1280 mal 720'),
    ('de', '5 €', '5 Euro'),
    ('fr', '1,5 m', '1,5 mètre'), ('fr', '2 kg', '2 kilogrammes'), ('fr', '~5 m', 'environ 5 mètres'),
    ('zh', '1.5 m', '1.5米'), ('zh', '高3m的树', '高3米的树'), ('zh', '50%', '百分之50'), ('zh', '20°C', '20摄氏度'),
    ('de-AT', '10 mph', '10 Meilen pro Stunde'), ('de', '1 mph', '1 Meile pro Stunde'))
QUOTES = (
    ('en', 'A sign that reads "STOP".', 'A sign that reads, text, perhaps: "STOP".'),
    ('en', 'It says: “Mind the gap”', 'It says, text, perhaps: “Mind the gap”'),
    ('en', "A label 'Milk' on it.", "A label, text, perhaps: 'Milk' on it."),
    ('en', "A ‘Milk’ label and the dogs' bowl.", "A, text, perhaps: ‘Milk’ label and the dogs' bowl."),
    ('en', '"STOP" and "GO" are written.', 'Text, perhaps: "STOP" and "GO" are written.'),
    ('en', 'One "A", a dog, another "B".', 'One, text, perhaps: "A", a dog, another, text, perhaps: "B".'),
    ('en', 'A sign ("EXIT") hangs.', 'A sign (text, perhaps: "EXIT") hangs.'),
    ('en', 'It reads "STOP and', 'It reads, text, perhaps: "STOP and'),
    ('en', 'Nothing in "" here.', 'Nothing in "" here.'),
    ('en', "Rock 'n' roll and '70s.", "Rock 'n' roll and '70s."),
    ('es', 'Un cartel que dice «ALTO».', 'Un cartel que dice, texto, quizás: «ALTO».'),
    ('de', 'Ein Schild mit „HALT“.', 'Ein Schild mit, Text, vielleicht: „HALT“.'),
    ('fr', 'Un panneau « SORTIE ».', 'Un panneau, texte, peut-être : « SORTIE ».'),
    ('zh', '牌子上写着“停”。', '牌子上写着，文字，可能是：“停”。'),
    ('zh', '上面有「出口」', '上面有，文字，可能是：「出口」'),
    ('it', 'Un cartello "ALT".', 'Un cartello, text, perhaps: "ALT".'))
LONG = ('<a b="', '<a b=', '<!--', '<?x ', "<a b='c' d=", '</', '<a  =', '<|', '<!-- a ',
    '"', '*', "'", '`', '_', '“', '”', ' "a', '"a" ', " 'a", "it's ", '<', '<b', '[', '[a](', '~', '#', '&',
    '5 m ', '1x', '$1', '1.',
        '-', '\U0001f600', ' ', '\n', 'a.b. ', 'In this image, ', '停', '“a” ', '1,', '« ', '~~', '**a', '( ')


@pytest.mark.parametrize(('language', 'text'), [(language, one) for language, all_ in PLAIN.items() for one in all_])
def test_plain_sentences_come_back_as_they_are(language, text):
    assert as_spoken(text, language) == text


@pytest.mark.parametrize(('language', 'text', 'expected'), LEADS)
def test_the_thing_comes_first_and_not_that_it_is_a_picture(language, text, expected):
    assert as_spoken(text, language) == expected


@pytest.mark.parametrize(('text', 'expected'), MARKS)
def test_marks_and_emoji_go_and_words_stay(text, expected):
    assert as_spoken(text, 'en') == expected


@pytest.mark.parametrize(('text', 'expected'), TAGS)
def test_tags_go_with_their_attributes_closed_or_not_and_sums_stay(text, expected):
    assert as_spoken(text, 'en') == expected


@pytest.mark.parametrize(('language', 'text', 'expected'), NUMBERS)
def test_numbers_and_units_are_said_as_people_say_them(language, text, expected):
    assert as_spoken(text, language) == expected


@pytest.mark.parametrize(('language', 'text', 'expected'), QUOTES)
def test_what_a_model_quotes_is_announced_as_uncertain(language, text, expected):
    assert as_spoken(text, language) == expected


@pytest.mark.parametrize('language', LANGUAGES)
def test_nothing_is_announced_or_changed_twice(language):
    words = phrase(TEXT_PERHAPS, language).text
    once = as_spoken('“A” ~5 m 1280x720', language)
    assert as_spoken(once, language) == once and once.casefold().count(words.casefold()) == 1


@pytest.mark.parametrize('text', LONG, ids=repr)
def test_no_text_stalls_it(text):
    """100,000 characters; three times as many may take no more than about three times as long."""
    short, long = (_quickest(text * (length // len(text)), 'fr') for length in (33_000, 100_000))
    assert long < 0.5 and (long < 0.05 or long < 8 * short)


def _quickest(text: str, language: str) -> float:
    times = []
    for _ in range(2):
        begun = time.perf_counter()
        as_spoken(text, language)
        times.append(time.perf_counter() - begun)
    return min(times)


@pytest.mark.parametrize('text', ['**bold**', 'The image shows a dog.', '<b>5 m</b>', '"STOP"', '$(touch x)'])
def test_what_anybody_wants_said_is_text_with_all_its_marks(text):
    assert speakable(text) == text


def test_what_is_said_is_freed_of_what_no_voice_can_take():
    assert speakable('a\x00b \x1b[31mred\x07 [[h@l]]') == 'a b [31mred [ [h@l]]'
