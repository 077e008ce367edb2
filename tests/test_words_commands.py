"""Commands as a speech-to-text node hands them over: whole utterances, in any of five languages."""
from __future__ import annotations

import time

import pytest

from dam_ros.core import phrases
from dam_ros.core.catalogues import LANGUAGES
from dam_ros.core.commands import _UTTERANCES, command_of
from dam_ros.core.phrases import phrase

SAID = {
    'hush': ('Stop!', 'stop', 'STOP.', 'stop please', 'please stop', 'be quiet', 'Stop, stop, stop!', 'shut up',
    'Enough.', 'hush now',
             'Para', '¡Basta!', 'Silencio, por favor', 'cállate', 'Halt', 'Stopp!', 'Stopp', 'Ruhe bitte', 'Hör auf!',
             'Sei still.', 'Arrête',
             'arrête s’il te plaît', "Arrêtez, s'il vous plaît.", 'Tais-toi !', 'chut', '停', '停！', '请停止',
             '别说了', '安静吧'),
    'more': ('more', 'Tell me more.', 'More, please.', 'go on', 'más', 'Más detalles', 'mehr', 'Mehr bitte!', 'plus',
    'La suite', '更多', '继续'),
    'repeat': ('repeat', 'Repeat that please.', 'again', 'Pardon?', 'repite', 'Otra vez', 'Wiederhole',
    'Noch einmal bitte', 'Wie bitte?',
               'répète', 'Encore une fois', '重复', '请再说一遍'),
    'pause': ('pause', 'Wait.', 'Pausa', 'Warte', 'attends', '暂停', 'resume'),
    'back': ('back', 'previous', 'atrás', 'zurück', 'retour', '上一个'), 'next': ('next', 'siguiente', 'weiter',
    'suivant', '下一个'),
    'quiet': ('quiet', 'only when asked', 'discreto', 'Ruhemodus', 'discret', '安静模式'),
    'status': ('status', 'How are you?', 'estado', 'Status', 'état', '状态'), 'help': ('help', 'Ayuda', 'Hilfe!',
    'aide', '帮助', '帮我'),
    'faster': ('faster', 'speak faster', 'más rápido', 'schneller', 'plus vite', '快一点'),
    'slower': ('slower', 'not so fast', 'más despacio', 'Más lento', 'langsamer bitte', 'langsamer',
               'plus lentement', '慢一点'),
    'read': ('read', 'read it', 'Read the text.', 'lee', 'lies vor', 'lies', 'lis', '朗读'),
    'spell': ('spell', 'spell that', 'deletrea', 'buchstabiere', 'épelle', '拼读'),
    'mute': ('mute', 'silencia', 'Ton aus', 'coupe le son', '静音'),
    'unmute': ('unmute', 'con sonido', 'sound on', 'ton an', 'remets le son', '取消静音'),
    'narrate_on': ('narrate', 'narration on', 'narración activada', 'narration activée', 'Erzählen an', '开始讲述'),
    'narrate_off': ('narration off', 'narración desactivada', 'narration désactivée', 'stop narrating',
                    'Erzählen aus', 'arrête de raconter', '停止讲述'),
}
QUESTIONS = ('What does the stop sign say?', 'Is there more than one dog?', 'Stop or go?',
    'Read what is on the second line and tell me', 'Where is the back door?',
             'What is next to the cup?', 'Is the man faster than the dog?', 'Does the help button glow?',
             'Is it quiet there?', 'what is more red', 'the stop',
             'How is the weather?', 'is the bus stop on the left', 'What is the pause symbol for?',
             '¿Para qué sirve?', '¿Qué hay más allá?', 'Wo ist der Halt?',
             'Wer ist weiter hinten?', 'Was ist mehr rot?', 'Qu’est-ce qui arrête la porte ?',
             'Y a-t-il plus de chats ?', '停车牌上写着什么？', '更多的狗在哪里？', '',
             ' ', '?', '!!!', 'please', 'thank you', 'bitte', 'What is this?', 'a', 'stop the car', 'stopwatch',
             'stop' * 1000)

HELPED = [command for command in SAID if command != 'help']   # the one that led here


@pytest.mark.parametrize(('command', 'heard'), [(command, one) for command, all_ in SAID.items() for one in all_])
def test_commands_are_understood(command, heard):
    assert command_of(heard) == command


@pytest.mark.parametrize('question', QUESTIONS)
def test_a_question_that_contains_a_command_is_a_question(question):
    assert command_of(question) == ''


def test_every_utterance_has_one_meaning():
    meanings = {}
    for command, table in _UTTERANCES.items():
        for utterance in (one.strip() for line in table.splitlines() for one in line.split('|')):
            meanings.setdefault(utterance, set()).add(command)
            assert command_of(utterance) in meanings[utterance], utterance
    assert {utterance: found for utterance, found in meanings.items() if len(found) > 1} == {}
    assert set(SAID) == set(_UTTERANCES)


@pytest.mark.parametrize('language', LANGUAGES)
def test_the_words_that_help_names_are_understood(language):
    """Each sentence of the help names its commands; the words for them are read out of it."""
    told = ' '.join(phrase(one, language).text for one in phrases.HELP).casefold()
    for command in HELPED:
        words = [one for one in SAID[command] if command_of(one) == command]
        assert any(one.casefold().strip('!.') in told for one in words), f'{command} is not in {told}'


def test_no_text_stalls_it():
    begun = time.perf_counter()
    for text in ('stop ' * 20_000, 'é' * 100_000, '\u0301' * 79, '请' * 80, 'please ' * 11):
        command_of(text)
    assert time.perf_counter() - begun < 0.1
