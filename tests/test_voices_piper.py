"""piper: one child that keeps its model, and whose sentences never run into each other.

With a program of ours that reads and writes as piper does; and with a real one, where it is installed, and a voice made
on the spot.
"""
from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest

from dam_ros.voices import piper as piper_module
from dam_ros.voices.espeak import Espeak
from dam_ros.voices.piper import Piper
from dam_ros.voices.protocol import Run, Stopped, Utterance, VoiceError

import tiny_piper
from voice_room import descriptors, has_espeak, piper, until, utterance, write_program


def child_of(synthesizer: Piper):
    return next(iter(synthesizer._lines._kept.values())).child.process


@pytest.fixture
def make(tmp_path, monkeypatch):
    """A Piper with our own program, which may be another script."""
    made = []

    def make(script: str = '', **options) -> Piper:
        model = piper(tmp_path, monkeypatch)
        if script:
            write_program(tmp_path / 'piper', script)
        made.append(Piper(str(model), **options))
        return made[-1]
    yield make
    for one in made:
        one.close()


def test_each_sentence_has_its_own_samples_from_one_child(make):
    synthesizer = make()
    assert synthesizer.check() == ''
    child = child_of(synthesizer)
    lengths = [len(synthesizer.make(Utterance('a' * letters), Run()).samples) for letters in (4, 50, 4, 58, 4, 50)]
    assert lengths == [5600, 5600 * 9, 5600, 5600 * 10, 5600, 5600 * 9]
    assert child_of(synthesizer) is child and child.poll() is None


def test_the_rate_is_a_length_scale_relative_to_the_models_own(make):
    synthesizer = make()
    usual, fast, slow = (len(synthesizer.make(Utterance('a', rate_wpm=rate), Run()).samples)
                         for rate in (175, 350, 87.5))
    assert (fast, slow) == (usual // 2, usual * 2)


def test_a_rate_of_before_needs_no_new_child_and_there_are_two_at_most(make):
    synthesizer = make()
    for rate in (175, 300, 175, 300, 400, 300):
        synthesizer.make(Utterance('a', rate_wpm=rate), Run())
    assert [purpose[1] for purpose in synthesizer._lines._kept] == ['0.438', '0.583']


def test_what_has_nothing_to_pronounce_is_silence(make):
    assert len(make().make(Utterance('...'), Run()).samples) == 0


def test_speakers_are_its_names_and_are_asked_for_by_number(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    synthesizer = make('#!/bin/sh\necho "$@" > arguments\nwhile read -r line; do echo "$line"; done\n')
    tiny_piper.write(tmp_path, speakers=('Alba', 'Bruno'))
    assert synthesizer.names() == {'Alba': 'en-us', 'Bruno': 'en-us'}
    synthesizer.make(Utterance('a', voice_name='bruno'), Run())
    assert (tmp_path / 'arguments').read_text().split()[-4:] == ['--length_scale', '1.000', '--speaker', '1']


def test_text_reaches_no_command_line(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    synthesizer = make('#!/bin/sh\necho "$@" > arguments\nwhile read -r line; do echo "$line"; done\n')
    synthesizer.make(Utterance('--help; secret $(touch hacked)'), Run())
    assert 'secret' not in (tmp_path / 'arguments').read_text() and not (tmp_path / 'hacked').exists()


@pytest.mark.skipif(not has_espeak(), reason='espeak-ng is not installed')
def test_another_language_is_spoken_by_a_voice_of_its_own(make):
    synthesizer = make(others=Espeak())
    spanish = synthesizer.make(Utterance('Una taza.', 'es'), Run())
    assert np.array_equal(spanish.samples, Espeak().make(Utterance('Una taza.', 'es'), Run()).samples)
    assert synthesizer.make(Utterance('A mug.', 'en-GB'), Run()).rate_hz == tiny_piper.RATE_HZ


# -- what can be wrong


@pytest.mark.parametrize(('model', 'said'), (
    ('', "piper_model is ''; allowed: the path of a voice of piper"),
    ('/nowhere/a.onnx', 'there is no /nowhere/a.onnx')))
def test_a_model_that_is_not_there_is_named(make, model, said):
    make()
    why = Piper(model).check()
    assert said in why and 'piper.download_voices' in why


@pytest.mark.parametrize('described', ('', '[]', '{}', '{"audio": {"sample_rate": "x"}, "espeak": {"voice": "en"}}'))
def test_a_description_that_is_none_is_named(make, tmp_path, described):
    synthesizer = make()
    (tmp_path / 'tiny.onnx.json').write_text(described)
    assert 'tiny.onnx.json is none' in synthesizer.check()


def test_without_the_program_it_says_what_to_install_and_its_licence(monkeypatch):
    monkeypatch.setattr('dam_ros.voices.piper._found', lambda: '')
    assert Piper('a.onnx').check() == 'piper is not installed. pip install piper-tts (GPL-3.0-or-later)'
    with pytest.raises(VoiceError, match='not installed'):
        Piper('a.onnx').make(utterance('One.'), Run())


def test_a_program_that_does_not_start_says_why(make):
    assert 'piper does not start: bad model' in make('#!/bin/sh\necho "Traceback\nbad model" >&2\nexit 1\n').check()


def test_it_is_found_beside_this_python_first(tmp_path, monkeypatch):
    (tmp_path / 'bin').mkdir()
    other = write_program(tmp_path / 'piper', '#!/bin/sh\n')
    monkeypatch.setenv('PATH', str(tmp_path))
    monkeypatch.setattr(sys, 'executable', str(tmp_path / 'bin' / 'python'))
    assert piper_module._found() == str(other)
    beside = write_program(tmp_path / 'bin' / 'piper', '#!/bin/sh\n')
    assert piper_module._found() == str(beside)


def test_a_child_that_dies_is_worth_another_try(make):
    synthesizer = make('#!/bin/sh\nread -r first\nread -r second\nexit 0\n')
    with pytest.raises(VoiceError, match='has died') as caught:
        synthesizer.make(utterance('One.'), Run())
    assert caught.value.again


def test_a_child_that_hangs_is_killed(make, monkeypatch):
    monkeypatch.setattr('dam_ros.voices.piper._LIMIT_S', 0.2)
    synthesizer = make()
    assert synthesizer.check() == ''
    child = child_of(synthesizer)
    child.send_signal(signal.SIGSTOP)
    with pytest.raises(VoiceError, match='hangs'):
        synthesizer.make(utterance('One.', rate_wpm=175.0), Run())
    assert child.poll() == -signal.SIGKILL


def test_a_stop_while_it_computes_ends_it(make):
    synthesizer, run, before = make(), Run(), descriptors()
    assert synthesizer.check() == ''
    child_of(synthesizer).send_signal(signal.SIGSTOP)
    threading.Timer(0.1, run.stop).start()
    begun = time.monotonic()
    with pytest.raises(Stopped):
        synthesizer.make(utterance('One.', rate_wpm=175.0), run)
    assert time.monotonic() - begun < 0.3
    until(lambda: descriptors() == before)


# -- a real one

PROGRAM = os.environ.get('PIPER') or piper_module._found()   # PIPER: one in another environment
needs_real = pytest.mark.skipif(not PROGRAM, reason='piper-tts is not installed')


@needs_real
def test_a_real_one_speaks_sentence_after_sentence(tmp_path):
    synthesizer = Piper(str(tiny_piper.write(tmp_path)), program=PROGRAM)
    assert synthesizer.check() == ''
    texts = ('A red mug on the left.', 'Yes.', 'A red mug on the left.', '"$(x)" \u4f60\u597d <b>', 'One. Two. Three.')
    sounds = [synthesizer.make(Utterance(text), Run()) for text in texts]
    assert np.array_equal(sounds[0].samples, sounds[2].samples) and sounds[0].duration_s > 0.5
    assert len(sounds[1].samples) < len(sounds[0].samples) and len(sounds[3].samples) > 0
    fast = synthesizer.make(Utterance(texts[0], rate_wpm=350.0), Run())
    assert len(fast.samples) == pytest.approx(len(sounds[0].samples) / 2, rel=0.02)
    synthesizer.close()


@needs_real
def test_a_real_one_says_why_it_cannot(tmp_path):
    model = tiny_piper.write(tmp_path)
    model.write_bytes(b'no model')
    assert 'piper does not start: ' in Piper(str(model), program=PROGRAM).check()
    assert json.loads((tmp_path / 'tiny.onnx.json').read_text())['audio'], 'its description was good'
