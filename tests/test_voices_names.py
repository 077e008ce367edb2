"""Which voices there are, which are tried, and which settings are refused at start."""
from __future__ import annotations

import os
import subprocess

import numpy as np
import pytest

from dam_ros import voices
from dam_ros.voices.espeak import Espeak
from dam_ros.voices.protocol import Run, Utterance
from dam_ros.voices.pyttsx3_voice import Pyttsx3
from dam_ros.voices.speechd import Speechd

from voice_room import has_espeak, no_sound_card

needs_espeak = pytest.mark.skipif(not has_espeak(), reason='espeak-ng is not installed')


def samples(synthesizer, text: str = 'A red mug.', **fields) -> np.ndarray:
    return synthesizer.make(Utterance(text, **fields), Run()).samples


def pitch_hz(found: np.ndarray, rate_hz: int = 22050) -> float:
    """Of the loudest 0.2 s, by autocorrelation."""
    width = rate_hz // 5
    parts = [found[at:at + width].astype(float) for at in range(0, len(found) - width, width // 4)]
    part = max(parts, key=lambda one: np.abs(one).sum())
    same = np.correlate(part, part, 'full')[width - 1:]
    low, high = rate_hz // 400, rate_hz // 60
    alike = same[low:high] > 0.85 * same[low:high].max()   # two periods are alike, too: the shortest counts
    return rate_hz / (low + int(np.argmax(alike)))


def test_no_test_speaks_through_the_speech_dispatcher_of_whoever_runs_it():
    why = Speechd().check()
    assert 'does not answer at' in why and os.environ['ROS_LOG_DIR'] in why


# -- which are tried


def test_auto_takes_the_list_and_a_name_takes_itself():
    assert voices.candidates({}) == ['speechd', 'pyttsx3', 'espeak']
    assert voices.candidates({'voice': 'auto', 'voices': ['espeak', 'piper']}) == ['espeak', 'piper']
    assert voices.candidates({'voice': 'wav', 'voices': ['espeak']}) == ['wav']


def test_speech_dispatcher_is_not_tried_where_sound_goes_to_a_topic():
    assert voices.candidates({'sound_to': 'both'}) == ['pyttsx3', 'espeak']


@needs_espeak
def test_of_auto_those_that_have_the_named_voice_come_first():
    options = {'voices': ['pyttsx3', 'espeak'], 'voice_name': '+f3'}
    assert voices.candidates(options) == ['espeak', 'pyttsx3'], 'pyttsx3 knows no variants'


# -- what is refused


@pytest.mark.parametrize('options', ({}, {'voice': 'silent'}, {'voice': 'silent', 'voice_name': 'nobody'}))
def test_what_names_nothing_is_served(options):
    assert voices.refusal(options) == ''


@needs_espeak
def test_a_missing_sound_card_is_no_reason(tmp_path, monkeypatch):
    no_sound_card(tmp_path, monkeypatch)
    assert voices.refusal({'voice': 'espeak'}) == ''


@needs_espeak
@pytest.mark.parametrize(('options', 'said'), (
    ({'voice': 'speechd'}, 'speech-dispatcher does not answer at unix_socket:'),
    ({'voice': 'piper', 'piper_model': '/nowhere.onnx'}, 'piper'),
    ({'voice': 'nobody'}, "voice is 'nobody'; allowed: auto, speechd, pyttsx3, espeak, piper, wav, silent")))
def test_a_voice_that_is_not_there_is_refused_with_those_that_are(options, said):
    refused = voices.refusal(options)
    assert said in refused
    assert 'espeak' in refused and 'silent' in refused
    assert '\n' not in refused


@needs_espeak
def test_the_list_has_only_what_works_here(monkeypatch):
    monkeypatch.setattr('dam_ros.voices.pyttsx3_voice.importlib.util.find_spec', lambda name: None)
    assert voices.refusal({'voice': 'pyttsx3'}).startswith(
        "voice is 'pyttsx3'; allowed: auto, espeak, wav, silent (those that work here). pyttsx3 is not installed. ")


@needs_espeak
@pytest.mark.parametrize('voice', ('espeak', 'wav', 'pyttsx3', 'auto'))
def test_a_name_that_no_voice_has_is_refused_with_the_names(voice):
    if voice == 'pyttsx3':
        pytest.importorskip('pyttsx3')
    refused = voices.refusal({'voice': voice, 'voice_name': 'Nobody', 'wav_dir': '/nowhere'})
    assert refused.startswith("voice_name is 'Nobody'; allowed: ")
    assert 'English (America)' in refused.replace('_', ' ') and 'more for other languages' in refused


@needs_espeak
@pytest.mark.parametrize('name', ('English (America)', 'english_(america)', 'en-us', '+f3', 'en-us+klatt', 'Afrikaans'))
def test_names_are_taken_as_people_write_them(name):
    assert voices.refusal({'voice': 'espeak', 'voice_name': name}) == ''


def test_speech_dispatcher_cannot_give_its_sound_to_a_topic():
    assert 'plays its sound itself' in voices.refusal({'voice': 'speechd', 'sound_to': 'topic'})


# -- what pitch, names and languages do


@pytest.fixture(params=(Espeak, Pyttsx3))
def synthesizer(request):
    if request.param is Pyttsx3:
        pytest.importorskip('pyttsx3')
    made = request.param()
    yield made
    made.close()


@needs_espeak
def test_with_defaults_espeak_says_exactly_what_it_says_alone():
    for language, rate in (('en', 175), ('de', 300)):
        alone = subprocess.run(['espeak-ng', '--stdout', '-v', language, '-s', str(rate), 'A red mug.'],
                               capture_output=True, check=True).stdout
        ours = samples(Espeak(), language=language, rate_wpm=rate)
        assert np.array_equal(ours, np.frombuffer(alone[44:], '<i2'))


@needs_espeak
def test_pitch_is_heard(synthesizer):
    low, usual, high = (pitch_hz(samples(synthesizer, 'A red mug on the left.', pitch=pitch)) for pitch in (10, 50, 90))
    assert low < 0.9 * usual < 0.8 * high, (low, usual, high)


@needs_espeak
def test_a_named_voice_speaks_its_own_language_only(synthesizer):
    def length(language: str, name: str) -> int:
        return len(samples(synthesizer, 'rojo', language=language, voice_name=name))

    def of(other: int) -> object:   # the samples of two runs may differ: the pitch trembles
        return pytest.approx(other, rel=0.005)
    spanish, english, scottish = length('es', ''), length('en', ''), length('en', 'English (Scotland)')
    assert spanish != of(english) and scottish != of(spanish) and scottish != of(english), 'they can be told apart'
    assert length('es', 'English (Scotland)') == of(spanish)
    assert length('en', 'Nobody') == of(english)


@needs_espeak
@pytest.mark.parametrize('language', ('en', 'en-US', 'de', 'es', 'fr', 'zh', 'pt'))
def test_pyttsx3_takes_the_voice_that_espeak_takes(language):
    """The old bug: English came as Caribbean, French as Belgian, and Chinese was spelt in English."""
    pytest.importorskip('pyttsx3')
    synthesizer = Pyttsx3(language=language)
    ours, theirs = (samples(one, '23 rojo \u4f60\u597d, 1999.', language=language) for one in (synthesizer, Espeak()))
    synthesizer.close()
    assert len(ours) == pytest.approx(len(theirs), rel=0.01)   # the samples of two runs differ: the pitch trembles


@needs_espeak
def test_a_variant_goes_with_every_language():
    said = {(language, name): samples(Espeak(), 'rojo', language=language, voice_name=name).tobytes()
            for language in ('es', 'en') for name in ('', '+f3')}
    assert len(set(said.values())) == 4


@needs_espeak
def test_pyttsx3_keeps_a_child_for_each_language_and_not_more_than_four():
    pytest.importorskip('pyttsx3')
    synthesizer = Pyttsx3()
    for language in ('en', 'de', 'en', 'es', 'fr', 'it', 'en'):
        samples(synthesizer, language=language)
    kept = [purpose.language for purpose in synthesizer._lines._kept]
    assert kept == ['es', 'fr', 'it', 'en']
    synthesizer.close()
