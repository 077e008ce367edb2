"""Numbers and units as people say them: "1.5 m" is said "1.5 metres".

A symbol counts as a unit only right behind a number and in its own spelling (5 m, not 5 M). It knows no sentences.
"""
from __future__ import annotations

from collections.abc import Callable
import re

from dam_ros.core.catalogues import ENGLISH, known

# symbol, then en, es, de, fr, zh; (s) is the plural's, | parts singular and plural
_TABLE = (
    ('mm', 'millimetre(s)', 'milímetro(s)', 'Millimeter', 'millimètre(s)', '毫米'),
    ('cm', 'centimetre(s)', 'centímetro(s)', 'Zentimeter', 'centimètre(s)', '厘米'),
    ('dm', 'decimetre(s)', 'decímetro(s)', 'Dezimeter', 'décimètre(s)', '分米'),
    ('m', 'metre(s)', 'metro(s)', 'Meter', 'mètre(s)', '米'),
    ('km', 'kilometre(s)', 'kilómetro(s)', 'Kilometer', 'kilomètre(s)', '公里'),
    ('m²', 'square metre(s)', 'metro(s) cuadrado(s)', 'Quadratmeter', 'mètre(s) carré(s)', '平方米'),
    ('m³', 'cubic metre(s)', 'metro(s) cúbico(s)', 'Kubikmeter', 'mètre(s) cube(s)', '立方米'),
    ('mg', 'milligram(s)', 'miligramo(s)', 'Milligramm', 'milligramme(s)', '毫克'),
    ('g', 'gram(s)', 'gramo(s)', 'Gramm', 'gramme(s)', '克'),
    ('kg', 'kilogram(s)', 'kilogramo(s)', 'Kilogramm', 'kilogramme(s)', '公斤'),
    ('ml', 'millilitre(s)', 'mililitro(s)', 'Milliliter', 'millilitre(s)', '毫升'),
    ('mL', 'millilitre(s)', 'mililitro(s)', 'Milliliter', 'millilitre(s)', '毫升'),
    ('cl', 'centilitre(s)', 'centilitro(s)', 'Zentiliter', 'centilitre(s)', '厘升'),
    ('l', 'litre(s)', 'litro(s)', 'Liter', 'litre(s)', '升'),
    ('L', 'litre(s)', 'litro(s)', 'Liter', 'litre(s)', '升'),
    ('ft', 'foot|feet', 'pie(s)', 'Fuß', 'pied(s)', '英尺'),
    ('lb', 'pound(s)', 'libra(s)', 'Pfund', 'livre(s)', '磅'),
    ('lbs', 'pound(s)', 'libra(s)', 'Pfund', 'livre(s)', '磅'),
    ('oz', 'ounce(s)', 'onza(s)', 'Unze|Unzen', 'once(s)', '盎司'),
    ('km/h', 'kilometre(s) per hour', 'kilómetro(s) por hora', 'Kilometer pro Stunde', "kilomètre(s) à l'heure",
     '公里每小时'),
    ('m/s', 'metre(s) per second', 'metro(s) por segundo', 'Meter pro Sekunde', 'mètre(s) par seconde', '米每秒'),
    ('mph', 'mile(s) per hour', 'milla(s) por hora', 'Meile|Meilen pro Stunde', "mille(s) à l'heure", '英里每小时'),
    ('min', 'minute(s)', 'minuto(s)', 'Minute|Minuten', 'minute(s)', '分钟'),
    ('ms', 'millisecond(s)', 'milisegundo(s)', 'Millisekunde|Millisekunden', 'milliseconde(s)', '毫秒'),
    ('px', 'pixel(s)', 'píxel|píxeles', 'Pixel', 'pixel(s)', '像素'),
    ('Hz', 'hertz', 'hercio(s)', 'Hertz', 'hertz', '赫兹'),
    ('GB', 'gigabyte(s)', 'gigabyte(s)', 'Gigabyte', 'gigaoctet(s)', '吉字节'),
    ('MB', 'megabyte(s)', 'megabyte(s)', 'Megabyte', 'mégaoctet(s)', '兆字节'),
    ('W', 'watt(s)', 'vatio(s)', 'Watt', 'watt(s)', '瓦'),
    ('V', 'volt(s)', 'voltio(s)', 'Volt', 'volt(s)', '伏'),
    ('°C', 'degree(s) Celsius', 'grado(s) Celsius', 'Grad Celsius', 'degré(s) Celsius', '摄氏度'),
    ('°F', 'degree(s) Fahrenheit', 'grado(s) Fahrenheit', 'Grad Fahrenheit', 'degré(s) Fahrenheit', '华氏度'),
    ('°', 'degree(s)', 'grado(s)', 'Grad', 'degré(s)', '度'),
    ('%', 'percent', 'por ciento', 'Prozent', 'pour cent', '%'),
    ('€', 'euro(s)', 'euro(s)', 'Euro', 'euro(s)', '欧元'), ('EUR', 'euro(s)', 'euro(s)', 'Euro', 'euro(s)', '欧元'),
    ('$', 'dollar(s)', 'dólar|dólares', 'Dollar', 'dollar(s)', '美元'),
    ('USD', 'dollar(s)', 'dólar|dólares', 'Dollar', 'dollar(s)', '美元'),
    ('£', 'pound(s)', 'libra(s)', 'Pfund', 'livre(s)', '英镑'),
    ('GBP', 'pound(s)', 'libra(s)', 'Pfund', 'livre(s)', '英镑'),
)
# These are words, or something else, where no space is between (the 80s, at 14h).
_TABLE_SPACED = (('s', 'second(s)', 'segundo(s)', 'Sekunde|Sekunden', 'seconde(s)', '秒'),
                 ('h', 'hour(s)', 'hora(s)', 'Stunde|Stunden', 'heure(s)', '小时'))
_COLUMNS = {'en': 1, 'es': 2, 'de': 3, 'fr': 4, 'zh': 5}
_NAMES = {row[0]: row for row in _TABLE + _TABLE_SPACED}
_ABOUT = {'en': 'about ', 'es': 'aproximadamente ', 'de': 'etwa ', 'fr': 'environ ', 'zh': '大约'}
_BY = {'en': ' by ', 'es': ' por ', 'de': ' mal ', 'fr': ' par ', 'zh': '乘'}
_TO = {'en': ' to ', 'es': ' a ', 'de': ' bis ', 'fr': ' à ', 'zh': '到'}
_MINUS = {'en': 'minus ', 'es': 'menos ', 'de': 'minus ', 'fr': 'moins ', 'zh': '零下'}

_NUMBER = r'\d{1,12}(?:[.,]\d{1,12}){0,4}'
_BEFORE, _AFTER = r'(?<![A-Za-zÀ-ÿ0-9.,:/#])', r'(?![A-Za-zÀ-ÿ0-9/²³])'


def _any_of(rows: tuple) -> str:
    return '|'.join(re.escape(row[0]) for row in sorted(rows, key=lambda row: -len(row[0])))


_QUANTITY = re.compile(
    rf'{_BEFORE}(?P<minus>(?<![^\s(])[-\u2212])?(?P<low>{_NUMBER}\s?[-\u2013]\s?)?(?P<number>{_NUMBER})'
    rf'(?:[ \u00a0\u202f]?(?P<unit>{_any_of(_TABLE)})|[ \u00a0\u202f](?P<spaced>{_any_of(_TABLE_SPACED)})){_AFTER}')
_MONEY = re.compile(rf'(?<![\w$€£])(?P<unit>[$€£])\s?(?P<number>{_NUMBER})'
                    rf'(?P<many>\s(?:million|billion|thousand)s?)?{_AFTER}')
_SIZES = re.compile(rf'(?:{_BEFORE}|(?<=\d[x×]))(?!0x)({_NUMBER})(?=(\s?[x×]\s?){_NUMBER}(?![A-Za-z]{{4}}))\2')
_APPROXIMATELY = re.compile(r'(?<![\w~/])[~\u2248]\s?(?=\d)')


def spoken_numbers(text: str, language: str) -> str:
    """The text with its quantities in words of this language (BCP 47, '' = English); what is unclear stays as it is."""
    language = known(language or ENGLISH)
    if not language or not any(character.isdigit() for character in text):
        return text
    text = _APPROXIMATELY.sub(_ABOUT[language], text)
    text = _SIZES.sub(lambda match: match.group(1) + _BY[language], text)
    text = _MONEY.sub(_saying(language), text)
    return _QUANTITY.sub(_saying(language), text)


def _saying(language: str) -> Callable[[re.Match], str]:
    def say(match: re.Match) -> str:
        found = match.groupdict()
        unit = found['unit'] or found['spaced']
        value = _written(found['number'], language) + (found.get('many') or '')
        low = found.get('low') or ''
        if low:
            value = _written(low.rstrip(' -\u2013'), language) + _TO[language] + value
        if language == 'zh' and unit == '%':
            return '百分之' + value
        minus = _MINUS[language] if found.get('minus') else ''
        return minus + value + ('' if language == 'zh' else ' ') + _name(unit, value, language)
    return say


def _name(unit: str, value: str, language: str) -> str:
    name = _NAMES[unit][_COLUMNS[language]]
    one = value in ('1', '1.0', '1,0') or language == 'fr' and re.fullmatch(r'[01](,\d+)?', value) is not None
    if '|' in name:
        singular, _, plural = name.partition('|')
        return singular + plural[plural.find(' '):] if one and ' ' in plural else singular if one else plural
    return name.replace('(s)', '' if one else 's')


def _written(number: str, language: str) -> str:
    """With the decimal comma where people use it; 1.000 may be a thousand and is left alone."""
    if language in ('es', 'de', 'fr') and re.fullmatch(r'\d+\.(?:\d{1,2}|\d{4,})', number):
        return number.replace('.', ',')
    return number
