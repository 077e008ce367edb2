"""What the system says in its own name, in five languages: complete, translated, kept in step with the catalogues."""
from __future__ import annotations

import gettext
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
import shutil
import string
import subprocess

import pytest

from dam_ros.core import catalogues, phrases
from dam_ros.core.catalogues import FOLDER, joined, known, LANGUAGES, number, phrase, translate, Worded
from dam_ros.core.errors import leaves
from dam_ros.core.phrases import every_phrase, of_sight
from dam_ros.core.speakable import cut

ROOT = Path(__file__).resolve().parent.parent
TRANSLATED = [one for one in LANGUAGES if one != 'en']
VALUES = {'seconds': 0.2, 'percent': 30, 'rate': 200, 'host': 'nas.local', 'camera': 'links', 'hour': 2, 'number': 3,
          'degrees': 30, 'direction': 'x', 'distance': 'y', 'where': 'z', 'letter': 'A', 'count': 3}


def _script():
    loader = SourceFileLoader('write_catalogues', str(ROOT / 'scripts' / 'write_catalogues'))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def _said(message: str, language: str) -> Worded:
    return phrase(message, language, **{name: VALUES[name] for name in _fields(message)})


# -- catalogues

def test_catalogues_are_those_of_the_messages():
    stale = [str(path) for path, data in _script().contents().items()
             if not path.is_file() or path.read_bytes() != data]
    assert stale == [], 'write them with ./dev run scripts/write_catalogues'


def test_the_check_sees_a_message_that_changed(tmp_path, monkeypatch):
    script = _script()
    shutil.copytree(FOLDER, tmp_path / 'locale')
    monkeypatch.setattr(script, 'FOLDER', tmp_path / 'locale')
    assert not [path for path, data in script.contents().items() if path.read_bytes() != data]
    monkeypatch.setattr(script, 'every_phrase', lambda: [*every_phrase(), 'A new one.'])
    stale = [path for path, data in script.contents().items() if path.read_bytes() != data]
    assert {path.suffix for path in stale} == {'.po'} and len(stale) == len(TRANSLATED), 'nothing to speak yet'


@pytest.mark.parametrize('language', TRANSLATED)
def test_every_message_is_translated_with_its_values(language):
    for message in every_phrase():
        text, spoken = translate(message, language)
        assert spoken == language, message
        assert _fields(text) == _fields(message), message


@pytest.mark.parametrize('language', TRANSLATED)
def test_a_catalogue_says_that_nobody_reviewed_it(language):
    assert 'NOT REVIEWED BY A NATIVE SPEAKER' in (FOLDER / language / 'LC_MESSAGES/dam_ros.po').read_text('utf-8')


@pytest.mark.skipif(shutil.which('msgfmt') is None, reason='needs gettext')
@pytest.mark.parametrize('language', TRANSLATED)
def test_gnu_gettext_makes_the_same_of_a_catalogue(language, tmp_path):
    po = FOLDER / language / 'LC_MESSAGES' / 'dam_ros.po'
    subprocess.run(['msgfmt', '-c', '-o', tmp_path / 'theirs.mo', po], check=True, capture_output=True)
    with open(tmp_path / 'theirs.mo', 'rb') as theirs, open(po.with_suffix('.mo'), 'rb') as ours:
        theirs, ours = gettext.GNUTranslations(theirs), gettext.GNUTranslations(ours)
    assert [ours.gettext(one) for one in every_phrase()] == [theirs.gettext(one) for one in every_phrase()]


# -- which language

@pytest.mark.parametrize(('tag', 'language'), (
    ('de', 'de'), ('de-AT', 'de'), ('de_AT', 'de'), ('DE-at', 'de'), ('zh-Hant-TW', 'zh'), ('fr-CA', 'fr'),
    ('es-419', 'es'), ('en-GB', 'en'), ('', ''), ('it', ''), ('den', ''), ('../de', ''), ('\x00', '')))
def test_which_catalogue_a_tag_means(tag, language):
    assert known(tag) == language
    assert translate(phrases.READY, tag).language == (language or 'en')


def test_an_unknown_language_is_told_in_english_and_says_so():
    assert phrase(phrases.READY, 'it') == ('Ready.', 'en')
    assert phrase('Not in any catalogue.', 'de') == ('Not in any catalogue.', 'en')


@pytest.mark.parametrize('damage', (lambda path: path.unlink(), lambda path: path.write_bytes(b'no catalogue')))
def test_without_a_catalogue_it_is_english(damage, tmp_path, monkeypatch):
    shutil.copytree(FOLDER, tmp_path / 'locale')
    damage(tmp_path / 'locale/de/LC_MESSAGES/dam_ros.mo')
    monkeypatch.setattr(catalogues, 'FOLDER', tmp_path / 'locale')
    catalogues._catalogue.cache_clear()
    assert phrase(phrases.READY, 'de') == ('Ready.', 'en')
    assert phrase(phrases.READY, 'fr') == ('Prêt.', 'fr')
    catalogues._catalogue.cache_clear()


# -- what is said

@pytest.mark.parametrize('language', LANGUAGES)
def test_every_message_can_be_said(language):
    for message in every_phrase():
        text, spoken = _said(message, language)
        assert cut(text) and spoken == language
        assert not {'{', '}'} & set(text)


def test_status_is_one_sentence_as_people_say_it():
    parts = [phrase(phrases.READY, 'en'), phrase(phrases.PICTURE_AGE, 'en', seconds=0.2),
             phrase(phrases.NARRATION_IS_OFF, 'en')]
    assert joined(parts) == ('Ready. Picture 0.2 seconds old. Narration off.', 'en')
    assert joined([]) == ('', 'en')
    assert joined([phrase(phrases.READY, 'zh'), phrase(phrases.NO_PICTURE, 'zh')]).text == '准备好了。没有画面。'


@pytest.mark.parametrize(('value', 'language', 'text'), ((0.2, 'en', '0.2'), (0.2, 'de', '0,2'), (0.25, 'zh', '0.2'),
                                                         (12.0, 'fr', '12,0'), (0.04, 'es-MX', '0,0')))
def test_decimals_are_those_of_the_language(value, language, text):
    assert number(value, language) == text


def test_what_is_filled_in_is_text_and_no_template():
    assert phrase(phrases.LEAVES_DEVICE, 'en', host='{0.__class__}').text.endswith('They are sent to {0.__class__}.')


@pytest.mark.parametrize('state', range(7))
def test_each_change_of_sight_has_a_sentence_and_one_with_the_name_of_the_camera(state):
    for language in LANGUAGES:
        alone, named = of_sight(state, language), of_sight(state, language, camera='hinten')
        assert 'hinten' in named.text and 'hinten' not in alone.text
        assert alone.language == named.language == language
    assert len({of_sight(one, 'en').text for one in range(7)}) == 7


def test_the_first_start_says_what_it_is_what_it_is_not_and_how_to_be_silent():
    said = [phrase(one, 'en').text for one in phrases.FIRST_START]
    assert said == ['I say what a camera sees.', 'I do not warn of obstacles.',
                    'Say stop or press hush for silence, help for the commands.']


# -- what went wrong, and the battery

def _asks_for_something(text: str) -> bool:
    return text.split('. ')[-1].startswith(('Please ', 'Say '))


@pytest.mark.parametrize('code', [one.code for one in leaves()])
def test_every_failure_says_in_its_last_sentence_what_to_do(code):
    message = phrases.of_failure(code)
    assert message == '' or _asks_for_something(message)


@pytest.mark.parametrize('message', [phrases.NO_DESCRIBER, phrases.DESCRIBER_GONE, phrases.CANNOT_READ])
def test_what_is_missing_can_be_mended(message):
    assert _asks_for_something(message)


@pytest.mark.parametrize(('narrate', 'low_battery', 'said'), (
    ('new', False, 'I say what is new.'), ('all', False, 'I say what is new and what changes.'),
    ('new', True, 'Battery low. I say what is new when it is charged.'),
    ('all', True, 'Battery low. I say only what is new.'),
    ('off', False, 'I do not narrate any more.'), ('off', True, 'I do not narrate any more.')))
def test_narration_that_a_low_battery_reduces_is_not_promised(narrate, low_battery, said):
    """"I say what is new." was said of narration that stayed off."""
    assert phrases.of_narration(narrate, low_battery) == said


@pytest.mark.parametrize(('low', 'charging', 'narrate', 'said'), (
    (True, False, 'new', 'Battery low. I say less of my own accord.'), (True, False, 'off', 'Battery low.'),
    (False, True, 'new', 'Battery charging. I say as much as before.'), (False, True, 'off', 'Battery charging.'),
    (False, False, 'all', 'Battery no longer low. I say as much as before.'),
    (False, False, 'off', 'Battery no longer low.')))
def test_of_the_battery_nothing_is_said_that_is_not_so(low, charging, narrate, said):
    """It said "Battery charged" as soon as a cable was in."""
    assert phrases.of_battery(low, charging, narrate) == said
