"""The promises of the voice protocol, kept by every voice."""
from __future__ import annotations

import threading
import time

import pytest

from dam_ros import voices
from dam_ros.voices.protocol import Failed, Finished, Started, Voice, VoiceError

from voice_room import children, descriptors, Dispatcher, Ears, has_espeak, LONG, piper, sound_card, until, utterance

SOUNDING = ('pyttsx3', 'espeak', 'piper')
KINDS = ('silent', 'wav session', 'wav files', *SOUNDING, 'speechd', 'espeak topic')
ODD = ('', ' ', '...', '<speak>hi</speak>', '$(touch hacked) `touch hacked` ; touch hacked', '\x00\x1b[31mred\x07',
       '\u202eright to left\u202c', '\U0001f600', '[[h@l0U]]', '\u4f60\u597d', 'שלום', 'x' * 300, '-v de', '"' * 50,
       '\ud800 lone surrogate')


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Makes voices by kind, with a fake sound card, and closes them."""
    (tmp_path / 'bin').mkdir()
    sound_card(tmp_path / 'bin', monkeypatch)
    monkeypatch.chdir(tmp_path)
    made, server = [], Dispatcher(monkeypatch)

    def make(kind: str) -> Voice:
        name, _, mode = kind.partition(' ')
        if name in ('wav', 'espeak', 'pyttsx3') and not has_espeak():
            pytest.skip('espeak-ng is not installed')
        if name == 'pyttsx3':
            pytest.importorskip('pyttsx3')
        if name == 'speechd' and server.process is None:
            server.start()
        options = {'wav_dir': str(tmp_path / 'wav'), 'wav_mode': mode, 'publish': lambda *sound: None,
                   'sound_to': mode if mode in ('topic', 'both') else 'device'}
        if name == 'piper':
            options['piper_model'] = str(piper(tmp_path / 'bin', monkeypatch))
        made.append(voices.create(name, options))
        return made[-1]
    yield make
    for voice in made:
        voice.close()
    server.close()


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def voice(make, kind):
    return make(kind)


def test_it_is_a_voice_that_works(voice, kind):
    assert isinstance(voice, Voice) and voice.name == kind.split()[0]
    assert voice.audible is (kind != 'silent')
    assert voice.check() == ''


def test_an_utterance_starts_and_finishes_once(voice, kind):
    ears = Ears()
    started, finished = ears.speak(voice, 'A red mug on the left.', rate_wpm=175.0)
    took_s = finished.at - started.at
    assert 0.7 < took_s < 3.0 or (kind == 'wav files' and 0 <= took_s < 0.5)
    ears.nothing()


def test_start_and_stop_return_at_once(voice):
    for call in (lambda: voice.start(utterance(LONG), Ears().listen), voice.stop, voice.stop):
        begun = time.monotonic()
        call()
        assert time.monotonic() - begun < 0.05


def test_after_stop_there_are_no_more_events_and_the_next_one_is_spoken(voice, kind):
    ears = Ears()
    voice.start(utterance(LONG), ears.listen)
    ears.next(Started)
    voice.stop()
    while not ears.events.empty():
        assert kind == 'wav files', 'nothing else can have finished so soon'
        ears.next(Finished)
    ears.nothing()
    ears.speak(voice, 'Next.')


@pytest.mark.parametrize('after_s', (0.0, 0.002, 0.01, 0.03))
def test_stop_at_any_moment_leaves_the_voice_usable(voice, after_s):
    ears = Ears()
    voice.start(utterance(LONG), lambda event: None)
    time.sleep(after_s)   # the moment itself is what is tried
    voice.stop()
    ears.speak(voice, 'Next.')


def test_a_new_utterance_ends_the_old_one(voice, kind):
    if kind == 'wav files':
        pytest.skip('it has no pace: the old one has finished already')
    old, new = Ears(), Ears()
    voice.start(utterance(LONG), old.listen)
    old.next(Started)
    new.speak(voice, 'Next.')
    old.nothing()


@pytest.mark.parametrize('text', ODD, ids=lambda text: ascii(text[:16]))
def test_odd_texts_are_spoken_as_text_or_skipped(voice, text, tmp_path):
    ears = Ears()
    voice.start(utterance(text), ears.listen)
    ears.next(Started)
    voice.stop()
    assert not (tmp_path / 'hacked').exists()


def test_a_text_of_control_characters_finishes(voice):
    Ears().speak(voice, '\x00\x01\x1b')


def test_a_language_it_has_not_is_spoken_with_another_voice(voice):
    Ears().speak(voice, 'One two.', language='xx-YY')


def test_the_rate_counts(voice, kind):
    if kind == 'wav files':
        pytest.skip('it has no pace')
    ears = Ears()
    durations = []
    for rate_wpm in (150.0, 450.0):
        started, finished = ears.speak(voice, 'A red mug on the left.', rate_wpm=rate_wpm)
        durations.append(finished.at - started.at)
    assert durations[1] < 0.6 * durations[0]


def test_it_gives_everything_back(make, kind):
    ears = Ears()

    def use():
        voice = make(kind)
        ears.speak(voice, 'One.')
        voice.start(utterance(LONG), lambda event: None)
        voice.close()
        voice.close()
    use()   # imports and caches
    before = threading.active_count(), children(), descriptors()
    for _ in range(2):
        use()
    until(lambda: (threading.active_count(), children(), descriptors()) == before, what='giving everything back')


def test_many_interrupted_utterances_leave_nothing(voice):
    ears = Ears()
    ears.speak(voice, 'One.')
    before = threading.active_count(), descriptors()
    for _ in range(40):
        voice.start(utterance(LONG), lambda event: None)
        voice.stop()
    ears.speak(voice, 'One.')
    assert (threading.active_count(), descriptors()) == before


def test_a_voice_that_does_not_exist_is_refused_with_the_list():
    names = 'auto, speechd, pyttsx3, espeak, piper, wav, silent'
    with pytest.raises(VoiceError, match=f"voice is 'nobody'; allowed: {names}"):
        voices.create('nobody')


def test_silent_needs_nothing_that_may_be_missing(monkeypatch, tmp_path):
    monkeypatch.setenv('PATH', str(tmp_path))
    voice = voices.create('silent')
    assert voice.check() == ''
    Ears().speak(voice, 'One.')
    voice.close()


@pytest.mark.parametrize('kind', SOUNDING)
def test_without_a_player_it_says_what_to_install(make, kind, monkeypatch, tmp_path):
    voice = make(kind)
    monkeypatch.setattr('dam_ros.voices.device.shutil.which', lambda name: None)
    assert 'apt-get install alsa-utils' in voice.check()
    ears = Ears()
    voice.start(utterance('One.'), ears.listen)
    assert 'apt-get install alsa-utils' in ears.next(Failed).reason


def test_without_espeak_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv('PATH', str(tmp_path))
    voice = voices.create('espeak')
    assert 'apt-get install espeak-ng' in voice.check()
    ears = Ears()
    voice.start(utterance('One.'), ears.listen)
    assert 'apt-get install espeak-ng' in ears.next(Failed).reason
    voice.close()
