"""speech-dispatcher: our turn among the screen reader's, what it is told, and what happens when it is gone.

Against a server of ours that keeps its rules (`ssip_server.py`); test_voices_speechd_real.py has a real one.
"""
from __future__ import annotations

import signal
import socket
import time

import pytest

from dam_ros.voices import ssip
from dam_ros.voices.espeak import Espeak
from dam_ros.voices.pace import expected_s, Pace
from dam_ros.voices.protocol import Failed, Finished, Run, Started, Utterance, VoiceError
from dam_ros.voices.speechd import rate_of, Speechd

from voice_room import Dispatcher, Ears, has_espeak, LONG, Reader, sound_card, until

SHORT = 'one two three four five six seven'
ANSWER = {'asked': True, 'rate_wpm': 300.0}


@pytest.fixture
def server(monkeypatch):
    made = Dispatcher(monkeypatch)
    yield made.start()
    made.close()


@pytest.fixture
def voice(server):
    made = Speechd()
    yield made
    made.close()


@pytest.fixture
def reader(server):
    made = Reader()
    yield made
    made.close()


# -- what it is told


def test_an_answer_is_a_message_and_narration_a_notification(voice, server):
    ears = Ears()
    ears.speak(voice, 'Narration.')
    ears.speak(voice, 'An answer.', asked=True)
    assert [one['settings']['PRIORITY'] for one in server.noted('queued')] == ['notification', 'message']
    assert not any('important' in one['command'] for one in server.noted('command'))


def test_it_says_who_it_is_and_that_text_is_no_markup(voice, server):
    Ears().speak(voice, '<speak>a &amp; b</speak>')
    queued = server.noted('queued')[0]
    assert queued['client'].endswith(':dam_ros:speech') and queued['settings']['SSML_MODE'] == 'OFF'
    assert queued['text'] == '<speak>a &amp; b</speak>'


@pytest.mark.parametrize('text', ('.', '. hidden', '..', '.\r\nQUIT\r\n.', 'a\n.\nSPEAK'))
def test_no_text_ends_itself_or_becomes_a_command(voice, server, text):
    ears = Ears()
    voice.start(Utterance(f'{text} one', **ANSWER), ears.listen)
    ears.next(Started)
    ears.next(Finished)
    assert server.noted('queued')[0]['text'] == ' '.join(f'{text} one'.split())
    assert 'QUIT' not in [one['command'] for one in server.noted('command')]


def test_rate_pitch_volume_language_and_name(voice, server):
    ears = Ears()
    ears.speak(voice, 'Uno.', language='es', rate_wpm=449.0, pitch=75, volume=50, voice_name='Spanish (Spain)')
    ears.speak(voice, 'One.', rate_wpm=80.0, voice_name='Spanish (Spain)')
    first, second = (one['settings'] for one in server.noted('queued'))
    assert (first['RATE'], first['PITCH'], first['VOLUME'], first['LANGUAGE']) == ('100', '50', '0', 'es')
    assert first['SYNTHESIS_VOICE'] == 'Spanish (Spain)'
    assert (second['RATE'], second['PITCH'], second['VOLUME'], second['LANGUAGE']) == ('-100', '0', '100', 'en')
    assert second['SYNTHESIS_VOICE'] == 'NULL', 'each part is spoken by a voice of its own language'


def test_what_was_never_asked_for_stays_as_the_user_has_it(voice, server):
    Ears().speak(voice, 'One.')
    assert {'PITCH', 'VOLUME', 'SYNTHESIS_VOICE'}.isdisjoint(server.noted('queued')[0]['settings'])


@pytest.mark.parametrize(('rate_wpm', 'rate'), ((80, -100), (125, -50), (170, 0), (309.5, 50), (449, 100), (500, 100)))
def test_the_rate_is_that_of_its_espeak_module(rate_wpm, rate):
    assert rate_of(rate_wpm) == rate


def test_names_are_those_of_its_synthesizer(voice):
    assert voice.names() == {'English (America)': 'en-us', 'Spanish (Spain)': 'es', '+f3': ''}


# -- our turn among others


def test_narration_is_dropped_while_the_screen_reader_speaks_and_that_is_told(voice, server, reader):
    reader.say('a long text of the screen reader')
    ears = Ears()
    voice.start(Utterance('Narration.'), ears.listen)
    finished = ears.next(Finished)
    assert (finished.audible, finished.silenced) == (False, False)
    assert reader.ended() == 'END'
    assert [one['number'] for one in server.noted('BEGIN')] == [1]


def test_an_answer_waits_for_the_screen_reader(voice, server, reader):
    reader.say('a long text of the screen reader')
    ears = Ears()
    voice.start(Utterance('An answer.', **ANSWER), ears.listen)
    assert reader.ended() == 'END'
    ears.next(Started)
    assert ears.next(Finished).audible
    assert [one['number'] for one in server.noted('END')] == [1, 2]


def test_a_stop_cancels_ours_and_leaves_the_screen_reader_alone(voice, server, reader):
    reader.say('a long text of the screen reader')
    ears = Ears()
    voice.start(Utterance('An answer.', **ANSWER), ears.listen)
    until(lambda: len(server.noted('queued')) == 2)
    voice.stop()
    until(lambda: server.noted('CANCELED'))
    assert [one['number'] for one in server.noted('CANCELED')] == [2]
    assert reader.ended() == 'END'
    ears.nothing(0.1)


@pytest.mark.parametrize('asked', (True, False))
def test_what_a_person_ends_with_the_screen_readers_key_is_told_as_silenced(voice, server, reader, asked):
    ears = Ears()
    voice.start(Utterance(LONG, asked=asked), ears.listen)
    ears.next(Started)
    reader.silence_all()
    finished = ears.next(Finished)
    assert (finished.audible, finished.silenced) == (False, True)


def test_so_is_an_answer_that_waits_for_its_turn(voice, server, reader):
    reader.say('a long text of the screen reader')
    ears = Ears()
    voice.start(Utterance('An answer.', **ANSWER), ears.listen)
    until(lambda: len(server.noted('queued')) == 2)
    reader.silence_all()
    assert ears.next(Finished).silenced


@pytest.mark.alone
def test_a_stop_in_the_middle_of_a_word_is_done_within_200_ms(voice, server):
    ears = Ears()
    voice.start(Utterance(LONG, **ANSWER), ears.listen)
    ears.next(Started)
    time.sleep(0.2)   # into the sentence
    stopped = time.monotonic()
    voice.stop()
    until(lambda: server.noted('CANCELED'))
    assert server.noted('CANCELED')[0]['at'] - stopped < 0.2


# -- a server that is not there, dies, hangs or refuses


def test_without_a_server_it_says_where_it_looked(monkeypatch, tmp_path):
    monkeypatch.delenv('SPEECHD_ADDRESS', raising=False)
    monkeypatch.setenv('XDG_RUNTIME_DIR', str(tmp_path))
    voice = Speechd()
    why = voice.check()
    assert f'{tmp_path}/speech-dispatcher/speechd.sock: No such file' in why and 'apt-get install' in why
    assert voice.names() == {}
    voice.close()


@pytest.mark.parametrize(('given', 'taken'), (
    ('unix_socket:/a/b', 'unix_socket:/a/b'), ('inet_socket:host:1234', 'inet_socket:host:1234'),
    ('inet_socket', 'inet_socket:localhost:6560'), ('inet_socket:host', 'inet_socket:host:6560')))
def test_the_address_is_that_of_every_client(monkeypatch, given, taken):
    monkeypatch.setenv('SPEECHD_ADDRESS', given)
    assert ssip.address() == taken


def test_an_address_that_is_none_is_named(monkeypatch):
    monkeypatch.setenv('SPEECHD_ADDRESS', 'carrier_pigeon')
    assert "SPEECHD_ADDRESS is 'carrier_pigeon'; allowed: " in Speechd().check()


def test_a_server_that_was_started_again_is_used_again(voice, server):
    ears = Ears()
    ears.speak(voice, 'One.')
    server.signal(signal.SIGKILL)
    server.process.wait(5.0)
    server.start()
    voice.start(Utterance('Two.', **ANSWER), ears.listen)
    assert ears.next(Failed).again, 'the same voice may try once more'
    ears.speak(voice, 'Two.')


def test_a_server_that_dies_in_the_middle_is_a_failure(voice, server):
    ears = Ears()
    voice.start(Utterance(LONG, **ANSWER), ears.listen)
    ears.next(Started)
    server.signal(signal.SIGKILL)
    assert 'closed the connection' in ears.next(Failed, 2.0).reason


@pytest.mark.parametrize('begun', (False, True))
def test_a_server_that_hangs_is_a_failure_within_seconds(voice, server, monkeypatch, begun):
    monkeypatch.setattr(ssip, 'LIMIT_S', 0.3)
    ears = Ears()
    ears.speak(voice, 'One.')
    if not begun:
        server.signal(signal.SIGSTOP)
    voice.start(Utterance(LONG, **ANSWER), ears.listen)
    if begun:
        ears.next(Started)
        server.signal(signal.SIGSTOP)
    assert 'hangs' in ears.next(Failed, 5.0).reason
    server.signal(signal.SIGCONT)
    until(lambda: not begun or server.noted('CANCELED'), what='cancelling what it would say now')


def test_a_synthesizer_that_never_begins_is_a_failure_within_2_s(monkeypatch):
    server = Dispatcher(monkeypatch).start('hang')
    voice, ears = Speechd(), Ears()
    voice.start(Utterance('One.', **ANSWER), ears.listen)
    assert 'its synthesizer hangs' in ears.next(Failed, 2.5).reason
    voice.close()
    server.close()


def test_one_that_dies_while_nobody_speaks_is_a_failure_within_3_s(voice, server):
    ears = Ears()
    ears.speak(voice, 'One.', **ANSWER)
    server.signal(signal.SIGUSR1)
    voice.start(Utterance('Two.', **ANSWER), ears.listen)
    assert 'its synthesizer hangs' in ears.next(Failed, 3.5).reason


def test_one_that_dies_in_the_middle_is_noticed_soon_after_the_sentence_should_have_ended(voice, server):
    ears = Ears()
    ears.speak(voice, 'One two three.', **ANSWER)
    voice.start(Utterance(SHORT, **ANSWER), ears.listen)
    begun = ears.next(Started).at
    server.signal(signal.SIGUSR1)
    assert 'its synthesizer hangs' in ears.next(Failed, 20.0).reason
    lasts_s = len(SHORT) / 6.0 * 60.0 / ANSWER['rate_wpm']
    assert lasts_s < time.monotonic() - begun < 1.3 * lasts_s + 3.0
    until(lambda: server.noted('CANCELED'), what='cancelling what it would say if it went on')


def test_who_speaks_slowly_is_given_that_time():
    """A synthesizer of another pace than espeak-ng's is not cut once it was heard."""
    pace, sentence = Pace(), Utterance(LONG, rate_wpm=175.0)
    lasts_s = len(LONG) / 6.0 * 60.0 / 175.0
    assert pace.limit_s(sentence) > 3.0 * lasts_s, 'unknown yet'
    pace.took(sentence, 1.8 * lasts_s)
    assert 1.9 * lasts_s < pace.limit_s(sentence) < 2.1 * lasts_s + 2.0
    pace.took(sentence, 0.5 * lasts_s)
    assert pace.limit_s(sentence) > 1.9 * lasts_s, 'the slowest counts'


def test_a_sound_card_that_opens_slowly_makes_no_slow_speaker():
    pace, short = Pace(), Utterance('Hello there.')
    pace.took(short, expected_s(short) + 1.0)
    assert pace.limit_s(Utterance(LONG)) < 1.2 * expected_s(Utterance(LONG)) + 2.0


@pytest.mark.parametrize('text', ('In 2026, 14 people, 3.5 metres away.', 'USB HDMI ABC XYZ.', '木桌上的红色杯子。'))
def test_what_is_spelt_takes_a_word_a_character(text):
    """The old limit had no need to know: it was three times as long."""
    assert expected_s(Utterance(text)) > 1.5 * expected_s(Utterance('any word ' * (len(text) // 9)))


@pytest.mark.skipif(not has_espeak(), reason='espeak-ng is not installed')
@pytest.mark.parametrize('rate_wpm', (80.0, 175.0, 449.0))
@pytest.mark.parametrize('text', ('Yes.', LONG, 'In 2026, 14 people, 3.5 metres away.', 'USB HDMI ABC XYZ.',
                                  'A red mug on the table, on the left, next to a book, a pen, and a plate.'))
def test_espeak_is_within_the_time_of_one_that_was_heard(text, rate_wpm):
    one, pace = Utterance(text, rate_wpm=rate_wpm), Pace()
    pace.took(one, 0.0)
    assert Espeak().make(one, Run()).duration_s < pace.limit_s(one) - 1.0


def test_a_refusal_is_told_in_its_words(server):
    link = ssip.Ssip()
    with pytest.raises(VoiceError, match='refuses SET SELF RATE 1000: 413 ERR'):
        link.adjust('RATE', '1000')
    link.adjust('RATE', '10')
    link.close()


def test_garbage_on_the_socket_is_no_stall(monkeypatch, tmp_path):
    with socket.create_server(('localhost', 0)) as listener:
        monkeypatch.setenv('SPEECHD_ADDRESS', f'inet_socket:localhost:{listener.getsockname()[1]}')
        link = ssip.Ssip()
        theirs, _ = listener.accept()
        with theirs:
            theirs.sendall(b'\x00\xff\r\nHTTP/1.1 400 Bad Request\r\n')
            with pytest.raises(VoiceError, match='refuses SPEAK'):
                link.speak('One.')
        link.close()


# -- earcons


def test_earcons_are_played_beside_it(server, tmp_path, monkeypatch):
    from dam_ros import voices
    record = sound_card(tmp_path, monkeypatch)
    voice, ears = voices.create('speechd'), Ears()
    voice.start(Utterance(earcon='heard'), ears.listen)
    ears.next(Started)
    assert ears.next(Finished).audible and record.stat().st_size > 0
    voice.close()


def test_an_earcon_does_not_wait_for_a_server_that_hangs(server, tmp_path, monkeypatch):
    """The old bug: it came when the server's time for cancelling was over."""
    from dam_ros import voices
    sound_card(tmp_path, monkeypatch)
    voice, ears = voices.create('speechd'), Ears()
    voice.start(Utterance(LONG, **ANSWER), Ears().listen)
    until(lambda: server.noted('BEGIN'))
    voice.start(Utterance(earcon='heard'), ears.listen)   # the player is looked for, once
    ears.next(Started)
    ears.next(Finished)
    voice.start(Utterance('One.', **ANSWER), Ears().listen)
    until(lambda: len(server.noted('BEGIN')) == 2)
    server.signal(signal.SIGSTOP)
    pressed = time.monotonic()
    voice.start(Utterance(earcon='heard'), ears.listen)
    assert ears.next(Started).at - pressed < 0.3
    server.signal(signal.SIGCONT)
    voice.close()


def test_without_a_player_speech_goes_on_and_the_reason_is_told(server, tmp_path, monkeypatch):
    from dam_ros import voices
    monkeypatch.setattr('dam_ros.voices.device.shutil.which', lambda name: None)
    voice, ears = voices.create('speechd'), Ears()
    voice.start(Utterance(earcon='heard'), ears.listen)
    finished = ears.next(Finished)
    assert not finished.audible and 'earcons are not heard: ' in finished.trouble
    ears.speak(voice, 'One.')
    voice.close()
