"""The describer for rehearsals does what its script says; the contract of all describers is tested elsewhere."""
from __future__ import annotations

import math
import subprocess
import sys
import time

import numpy as np
import pytest

from dam_ros.core.describing import BRIEF, Query, Subject, tell
from dam_ros.core.errors import Failure, InvalidRequest, RemoteUnavailable, Unsupported
from dam_ros.describers.rehearsal import FAILURES, STAGES, Script, create


def subject(height: int = 3, width: int = 4) -> Subject:
    mask = np.zeros((height, width), bool)
    mask[0, :2] = True
    return Subject(((np.zeros((height, width, 3), np.uint8), mask),))


def said(options: dict, question: str = '', **query) -> str:
    describer = create(options)
    return ''.join(piece.text for piece in tell(describer, describer.look([subject()])[0], Query(question, **query)))


def test_texts_and_what_stands_for_what():
    assert said({}) == ('This is a rehearsal. The picture has 4x3 pixels and the region 2 of them. Nothing was seen.')
    assert said({}, detail=BRIEF) == 'A rehearsal: 2 pixels, nothing seen.'
    assert said({'text': '{question} {size}'}, 'Why?') == 'Why? 4x3'
    assert said({'text': ''}) == ''


def test_a_question_may_carry_another_script():
    assert said({'text': 'One.'}, '{"text": "Two."}') == 'Two.'
    describer = create({'text': 'One.'})
    look, = describer.look([subject()])
    for question, text in (('{"text": "Two."}', 'Two.'), ('', 'One.')):
        assert ''.join(one.text for one in tell(describer, look, Query(question))) == text


@pytest.mark.parametrize('question', ['{', '{"text"}', '{"text": 3}', '{"nothing": 1}', '{"fail": "explode"}',
                                      '{"fail_at": "never"}', '{"capacity": 1.5}', '{"abstain": 1}'])
def test_scripts_that_make_no_sense(question: str):
    describer = create({})
    with pytest.raises(InvalidRequest, match='^query'):
        describer.begin(describer.look([subject()])[0], Query(question))


@pytest.mark.parametrize('options', [{'words_per_s': 'x'}, {'text': 1}, {'fail': 'x'}, {'no': 1}])
def test_options_that_make_no_sense(options: dict):
    with pytest.raises(InvalidRequest, match='^describer_options'):
        create(options)


def test_how_sure_each_sentence_is():
    describer = create({'text': 'A mug. It is red. Is it? Yes.', 'confidence': [0.9, 0.2, 1]})
    pieces = list(tell(describer, describer.look([subject()])[0], Query()))
    assert [one.probability for one in pieces] == [0.9] * 2 + [0.2] * 3 + [1.0] * 3
    assert all(one.ends_word for one in pieces)


@pytest.mark.parametrize('confidence', [[], ['high'], [0.5, None], 'high', True])
def test_what_is_no_confidence(confidence):
    with pytest.raises(InvalidRequest, match='^describer_options.confidence'):
        create({'confidence': confidence})


def test_the_model_is_no_option():
    assert create({'model': 'nvidia/DAM-3B'}).model == ''


def test_pace():
    describer = create({'words_per_s': 40.0, 'first_word_s': 0.1, 'text': 'One two three four five.'})
    look, = describer.look([subject()])
    begun, times = time.monotonic(), []
    for _ in tell(describer, look, Query()):
        times.append(time.monotonic() - begun)
    assert len(times) == 5
    assert times[0] >= 0.1 and times[-1] >= 0.1 + 4 / 40


def test_a_step_never_takes_long():
    describer = create({'first_word_s': 10.0})
    describer.begin(describer.look([subject()])[0], Query())
    begun = time.monotonic()
    assert describer.step() == []
    assert time.monotonic() - begun < 0.5


def test_delays_of_looking_and_loading():
    begun = time.monotonic()
    describer = create({'load_s': 0.1, 'look_s': 0.1})
    assert time.monotonic() - begun >= 0.1
    begun = time.monotonic()
    describer.look([subject()])
    assert time.monotonic() - begun >= 0.1


def test_confidence_and_abstaining():
    describer = create({'confidence': 0.25, 'abstain': True})
    pieces = list(tell(describer, describer.look([subject()])[0], Query()))
    assert {one.probability for one in pieces} == {0.25}
    assert [one.abstained for one in pieces] == [False] * (len(pieces) - 1) + [True]
    describer = create({'confidence': -1.0})
    assert all(math.isnan(one.probability) for one in tell(describer, describer.look([subject()])[0], Query()))


@pytest.mark.parametrize('fail, kind', [('raise', RuntimeError), ('out_of_memory', MemoryError),
                                        ('remote_unavailable', RemoteUnavailable), ('unsupported', Unsupported)])
@pytest.mark.parametrize('stage', STAGES)
def test_failures_at_each_stage(stage: str, fail: str, kind: type):
    options = {'fail': fail, 'fail_at': stage, 'fail_after_words': 2}
    if stage == 'load':
        with pytest.raises(kind):
            create(options)
        return
    describer = create(options)
    if stage == 'look':
        with pytest.raises(kind):
            describer.look([subject()])
        return
    telling = tell(describer, describer.look([subject()])[0], Query())
    assert [next(telling).text for _ in range(2)] == ['This', ' is']
    with pytest.raises(kind):
        next(telling)


def test_garbage_is_no_piece():
    describer = create({'fail': 'garbage'})
    describer.begin(describer.look([subject()])[0], Query())
    assert isinstance(describer.step()[0][1], dict)


@pytest.mark.parametrize('fail, status', [('exit', 3), ('kill', -9)])
def test_deaths(fail: str, status: int):
    code = f'from dam_ros.describers.rehearsal import create; create({{"fail": "{fail}", "fail_at": "load"}})'
    assert subprocess.run([sys.executable, '-c', code], timeout=30).returncode == status


def test_hanging_hangs():
    code = 'from dam_ros.describers.rehearsal import create; print(1, flush=True); create({"fail": "hang", ' \
           '"fail_at": "load"})'
    with subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == '1\n'
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.3)
        child.kill()


def test_every_failure_that_is_offered_is_tested_here():
    assert set(FAILURES) == {'', 'raise', 'out_of_memory', 'remote_unavailable', 'unsupported', 'garbage', 'exit',
                             'kill', 'hang'}


def test_a_clip_can_be_rehearsed():
    describer = create({'text': '{pictures} of {size}', 'max_pictures': 3})
    look, = describer.look([Subject(subject().pictures * 3)])
    assert describer.max_pictures == 3
    assert ''.join(piece.text for piece in tell(describer, look, Query())) == '3 of 4x3'


def test_changed_by_does_not_change_the_script_itself():
    script = Script()
    assert script.changed_by({'capacity': 3}, 'x').capacity == 3
    assert (script, script.changed_by({'words_per_s': 3}, 'x').words_per_s) == (Script(), 3.0)
    with pytest.raises(Failure):
        script.changed_by({'words_per_s': None}, 'x')
