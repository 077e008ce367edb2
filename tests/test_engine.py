"""The engine in front of a healthy worker: one answer per request, in time, in the right order."""
from __future__ import annotations

from collections.abc import Iterator
import math
import os
import signal
import threading
import time

import cv2
import numpy as np
import pytest

from dam_ros.core import errors
from dam_ros.core.answering import BRIEF_PART, TEXT_PART
from dam_ros.core.describing import BRIEF
from dam_ros.core.encoded import Encoded, Layout
from dam_ros.core.errors import Internal, NoLabelImage, Unsupported
from dam_ros.core.segmenting import Prompt
from dam_ros.core.masks import StoredMask
from dam_ros.engine.process import WorkerProcess
from dam_ros.engine.schedule import ASKED, CALLED, SCENE, TOLD, Work
from engine_rig import Rig, picture, running, until, work

SLOW = {'words_per_s': 10.0, 'text': ' '.join(['word'] * 100)}    # 10 s
SLACK_S = 0.1   # what the design allows a deadline


@pytest.fixture(scope='module')
def rig() -> Iterator[Rig]:
    with running(queue=4) as rig:
        yield rig.ready()


@pytest.fixture(autouse=True)
def _idle_afterwards(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if 'rig' in request.fixturenames:
        rig = request.getfixturevalue('rig')
        rig.cancel('')
        until(lambda: rig.engine.status.running == 0, 'an idle engine')


def writing(heard) -> bool:
    return 'writing' in heard.phases


# -- a good answer

def test_one_request_from_admission_to_its_answer(rig: Rig):
    heard = rig.ask({'text': 'One two three. Four five.'}).end()
    assert heard.events == ['admitted']
    assert heard.phases == ['queued', 'looking', 'writing']
    outcome = heard.outcome
    assert (outcome.failure, outcome.describer, outcome.model) == (None, 'rehearsal', '')
    assert outcome.answer.text == 'One two three. Four five.'
    assert outcome.answer.brief == 'One two three.'
    assert outcome.answer.tokens == 5
    assert outcome.answer.confidence == pytest.approx(0.9)
    assert [text for _, text in heard.texts] == ['One', 'One two', 'One two three.', 'One two three. Four',
                                                 'One two three. Four five.']
    assert 0 <= outcome.queue_s <= outcome.first_s <= outcome.total_s <= heard.took_s + 0.01


def test_what_is_spoken_gets_its_brief_first(rig: Rig):
    heard = rig.ask(spoken=True).end()
    assert [part for part, _ in heard.texts][0] == BRIEF_PART
    assert [part for part, _ in heard.texts][-1] == TEXT_PART
    assert heard.outcome.answer.brief == 'A rehearsal: 48 pixels, nothing seen.'
    assert heard.outcome.answer.text.startswith('This is a rehearsal. The picture has 8x6 pixels and the region 48')


def test_detail_brief_is_the_brief_alone(rig: Rig):
    heard = rig.ask(detail=BRIEF).end()
    assert {part for part, _ in heard.texts} == {BRIEF_PART}
    assert heard.outcome.answer.text == heard.outcome.answer.brief == 'A rehearsal: 48 pixels, nothing seen.'


def test_the_worker_sees_the_very_mask_and_size(rig: Rig):
    mask = np.zeros((5, 7), bool)
    mask[1:3, 2:6] = True
    heard = rig.ask(about=work((np.zeros((5, 7, 3), np.uint8), mask))).end()
    assert 'The picture has 7x5 pixels and the region 8 of them.' in heard.outcome.answer.text


def test_a_picture_and_mask_with_gaps_in_memory(rig: Rig):
    image, mask = np.zeros((10, 14, 3), np.uint8)[::2, ::2], np.ones((10, 14), bool)[::2, ::2]
    heard = rig.ask(about=work((image, mask))).end()
    assert '7x5 pixels and the region 35' in heard.outcome.answer.text


def test_a_large_picture_goes_through_the_wire(rig: Rig):
    heard = rig.ask(about=picture(3000, 4000)).end()
    assert '4000x3000 pixels and the region 12000000' in heard.outcome.answer.text


def test_max_tokens_truncates(rig: Rig):
    heard = rig.ask({'text': 'One two three.'}, max_tokens=2).end()
    assert (heard.outcome.answer.text, heard.outcome.answer.truncated) == ('One two', True)
    assert not rig.ask({'text': 'One two.'}, max_tokens=2).end().outcome.answer.truncated


def test_abstaining_is_no_failure(rig: Rig):
    heard = rig.ask({'abstain': True, 'text': 'I cannot tell.'}).end()
    assert (heard.failure, heard.outcome.answer.abstained) == (None, True)


def test_without_probabilities_the_confidence_is_unknown(rig: Rig):
    assert math.isnan(rig.ask({'confidence': -1.0}).end().outcome.answer.confidence)


# -- looks

def test_the_same_look_is_not_made_twice(rig: Rig):
    first = rig.ask(look='shared').end()
    again = rig.ask({'text': 'Again {pixels}.'}, look='shared').end()
    assert first.outcome.look_s > 0
    assert again.outcome.look_s == 0
    assert again.outcome.answer.text == 'Again 48.'


def test_looks_that_leave_are_made_again():
    with running(looks=2) as rig:
        rig.ready()
        looked = [rig.ask(look=look).end().outcome.look_s for look in ('a', 'b', 'a', 'c', 'a', 'b')]
    assert [one == 0 for one in looked] == [False, False, True, False, True, False], 'least recently used leaves'


# -- failures of one request, each followed by a good one

@pytest.mark.parametrize('fail, kind', [
    ('raise', errors.DescriberFailed), ('out_of_memory', errors.OutOfMemory), ('garbage', errors.DescriberFailed),
    ('remote_unavailable', errors.RemoteUnavailable), ('unsupported', errors.Unsupported)])
def test_a_failing_telling_answers_with_its_code_and_keeps_whole_sentences(rig: Rig, fail: str, kind: type):
    heard = rig.ask({'fail': fail, 'fail_after_words': 4, 'text': 'Two words. Then it fails.'}).end()
    assert type(heard.failure) is kind
    assert heard.ends == [None], 'its region failed; the request itself came to its end'
    assert heard.outcome.answer.text == 'Two words.'
    assert rig.ask().end().code == 0


def test_a_query_that_makes_no_sense_is_the_callers_fault(rig: Rig):
    assert type(rig.ask({'no_such_option': 1}).end().failure) is errors.InvalidRequest
    assert type(rig.ask(language='de').end().failure) is errors.Unsupported


def test_more_pictures_than_the_describer_takes(rig: Rig):
    pair = picture().pictures[0]
    assert rig.ask(about=Work((pair,) * 8)).end().code == 0
    heard = rig.ask(about=Work((pair,) * 9)).end()
    assert (type(heard.failure), '9 pictures' in str(heard.failure)) == (Unsupported, True)


def test_a_region_that_cannot_be_described_answers_with_its_failure_when_its_turn_comes(rig: Rig):
    units = [rig.unit(), rig.unit(about=NoLabelImage('gone')), rig.unit()]
    heard = rig.ask(units=units).end()
    assert heard.order == [one.id for one in units]
    assert [one.failure and one.failure.code for one in heard.outcomes.values()] == [None, 10106, None]
    assert rig.ask(about=NoLabelImage('gone')).end().code == 10106
    assert rig.ask().end().code == 0


def test_more_bad_regions_than_python_has_frames(rig: Rig):
    heard = rig.ask(units=[rig.unit(about=NoLabelImage('gone')) for _ in range(2000)]).end()
    assert len(heard.order) == 2000 and heard.ends == [None]


# -- pictures

JPEG = cv2.imencode('.jpg', np.full((48, 64, 3), 128, np.uint8))[1].tobytes()


def about(data: bytes, layout: Layout | None = None, source: str = '', shape: tuple[int, int] = (48, 64)) -> Work:
    return Work(((Encoded(data, layout, source), StoredMask(np.ones(shape, bool))),))


def test_a_picture_file_is_decoded_in_the_worker(rig: Rig):
    assert 'The picture has 64x48 pixels and the region 3072' in rig.ask(about=about(JPEG)).end().outcome.answer.text


@pytest.mark.parametrize('data, layout', [(JPEG[:200], None), (JPEG[:30], None), (b'', None),
                                          (b'', Layout('rgb8', 64, 48, 192)), (bytes(9216), Layout('no', 64, 48, 192))])
def test_a_picture_that_cannot_be_decoded(rig: Rig, data: bytes, layout: Layout | None):
    """The caller's fault where the caller sent it; a camera's is NO_FRAME, as the next one may be good."""
    own = rig.ask(about=about(data, layout)).end()
    assert type(own.failure) in (errors.InvalidRequest, Unsupported) and 'image' in str(own.failure)
    camera = rig.ask(about=about(data, layout, "the camera's picture at 7.000")).end()
    assert type(camera.failure) is errors.NoFrame
    assert str(camera.failure).startswith("the camera's picture at 7.000 ")
    assert rig.ask().end().code == 0


@pytest.fixture
def sent(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the worker is told, by name."""
    told: list[str] = []
    original = WorkerProcess.send

    def send(process: WorkerProcess, message: dict, blobs=()) -> None:
        told.append(('early ' if message.get('early') else '') + message['op'])
        original(process, message, blobs)
    monkeypatch.setattr(WorkerProcess, 'send', send)
    return told


def test_regions_of_a_scene_share_their_picture(rig: Rig, sent: list[str]):
    pair = picture(480, 640).pictures[0]
    heard = rig.ask(units=[rig.unit(about=Work((pair,))) for _ in range(5)]).end()
    assert {one.failure for one in heard.outcomes.values()} == {None}
    until(lambda: 'forget' in sent, 'the end of the picture')
    assert sent == ['picture', *['describe'] * 5, 'forget']


def test_a_picture_sent_early_is_sent_once(rig: Rig, sent: list[str]):
    shown = picture()
    heard = rig.ask(provide=False)
    until(lambda: heard.events, 'admission')
    rig.engine.soon(rig.engine.begin_early, heard.request, shown.pictures[0][0])
    rig.engine.provide(heard.request, [rig.unit(about=shown)])
    assert heard.end().code == 0
    until(lambda: 'forget' in sent, 'the end of the picture')
    assert sent == ['early picture', 'describe', 'forget']


def test_a_picture_is_not_sent_early_where_others_run_or_it_is_too_late(rig: Rig, sent: list[str]):
    slow, waiting, ended = rig.ask(SLOW), rig.ask(provide=False), rig.ask(id='gone', provide=False)
    until(lambda: slow.texts and ended.events, 'text')
    rig.engine.soon(rig.engine.begin_early, waiting.request, picture().pictures[0][0])
    rig.cancel('gone')
    rig.cancel(slow.request.id)
    rig.engine.soon(rig.engine.begin_early, ended.request, picture().pictures[0][0])
    rig.engine.provide(waiting.request, [rig.unit()])
    assert waiting.end().code == 0
    until(lambda: sent.count('forget') == 2, 'the end of the pictures')
    assert sent.count('picture') == 2


def test_a_question_about_a_kept_look_decodes_nothing(rig: Rig, sent: list[str]):
    assert rig.ask(look='decoded once', about=about(JPEG)).end().code == 0
    heard = rig.ask(look='decoded once', about=about(b'no picture')).end()
    assert (heard.code, heard.outcome.look_s) == (0, 0.0)
    assert 'early picture' not in sent


def test_pictures_go_to_the_next_worker_again():
    with running() as rig:
        rig.ready()
        pair = picture(480, 640).pictures[0]
        heard = rig.ask(units=[rig.unit({'words_per_s': 20.0, 'text': 'Five words are enough here.'}
                                        if index == 1 else None, about=Work((pair,))) for index in range(4)])
        until(lambda: len(heard.order) == 1 and heard.texts[-1][1] == 'Five', 'the second region')
        os.kill(rig.engine.status.pid, signal.SIGKILL)
        heard.end()
    assert [type(one.failure) for one in heard.outcomes.values()] == [type(None), errors.WorkerDied, *[type(None)] * 2]


def test_a_request_may_fail_from_outside_before_its_units_are_known(rig: Rig):
    heard = rig.ask(provide=False)
    until(lambda: heard.events, 'admission')
    rig.engine.fail(heard.request, NoLabelImage('none came'))
    assert heard.end().code == 10106
    rig.engine.fail(heard.request, Internal('twice'))      # ignored
    rig.engine.provide(heard.request, [rig.unit()])        # ignored
    assert rig.ask().end().code == 0
    assert len(heard.ends) == 1 and not heard.outcomes


def test_no_units_at_all_is_a_good_end(rig: Rig):
    assert rig.ask(units=[]).end().ends == [None]


# -- deadlines

@pytest.mark.parametrize('script', [SLOW, {'first_word_s': 5.0}], ids=['writing', 'before the first word'])
def test_deadline_while_the_describer_works(rig: Rig, script: dict):
    heard = rig.ask(script, timeout_s=0.4).end()
    assert heard.code == 10201
    assert 0.4 <= heard.took_s < 0.4 + SLACK_S
    assert rig.ask().end().code == 0


def test_deadline_keeps_whole_sentences(rig: Rig):
    heard = rig.ask({'words_per_s': 20.0, 'text': 'It is red. ' + 'Word ' * 99}, timeout_s=0.5).end()
    assert (heard.code, heard.outcome.answer.text, heard.outcome.answer.truncated) == (10201, 'It is red.', True)
    assert type(heard.ends[0]) is errors.DeadlineExceeded


def test_deadline_while_another_one_is_served(rig: Rig):
    slow = rig.ask(SLOW)
    until(lambda: writing(slow), 'the first')
    heard = rig.ask(timeout_s=0.3).end()
    assert (heard.code, heard.took_s < 0.3 + SLACK_S) == (10201, True)
    assert not slow.ends


def test_deadline_while_waiting_for_a_picture_tells_what_was_missing(rig: Rig):
    heard = rig.ask(provide=False, timeout_s=0.2)
    heard.request.waiting_for = NoLabelImage('no label image has come')
    assert heard.end().code == 10106
    assert heard.took_s < 0.2 + SLACK_S


def test_deadline_while_the_regions_are_planned(rig: Rig):
    """The picture was there, only its masks were not: that was answered with NO_FRAME, 'no picture within'."""
    heard = rig.ask(provide=False, timeout_s=0.2).end()
    assert heard.code == 10201


def test_a_deadline_in_the_past(rig: Rig):
    assert rig.ask(SLOW, timeout_s=-1.0).end().code == 10201


def test_every_deadline_of_many_is_kept(rig: Rig):
    heard = [rig.ask(SLOW, timeout_s=0.2 + 0.1 * index) for index in range(4)]
    late = [one.end().took_s - (0.2 + 0.1 * index) for index, one in enumerate(heard)]
    assert max(late) < SLACK_S and min(late) >= 0


# -- cancel, refuse, slot

def test_cancel_while_writing(rig: Rig):
    heard = rig.ask(SLOW)
    until(lambda: heard.texts, 'text')
    assert rig.cancel(heard.request.id) == 1
    assert heard.end(0.5).code == 10202
    said = len(heard.texts)
    assert rig.ask().end().code == 0
    assert len(heard.texts) == said, 'nothing more is heard of it'


def test_cancel_of_what_waits_or_does_not_exist(rig: Rig):
    slow, waiting, no_picture = rig.ask(SLOW), rig.ask(), rig.ask(provide=False)
    assert rig.cancel('nobody') == 0
    assert rig.cancel(waiting.request.id) == 1
    assert rig.cancel(no_picture.request.id) == 1
    assert (waiting.end().code, no_picture.end().code, slow.ends) == (10202, 10202, [])
    assert rig.cancel(waiting.request.id) == 0


def test_cancel_of_one_region_ends_its_scene(rig: Rig):
    heard = rig.ask(units=[rig.unit(SLOW, id='s.0'), rig.unit(id='s.1')], id='s')
    until(lambda: writing(heard), 'the first region')
    assert rig.cancel('s.1') == 1
    assert heard.end().code == 10202
    assert {id: one.failure.code for id, one in heard.outcomes.items()} == {'s.0': 10202, 's.1': 10202}


def test_cancel_of_all(rig: Rig):
    heard = [rig.ask(SLOW) for _ in range(3)]
    assert rig.cancel('') == 3
    assert [one.end().code for one in heard] == [10202] * 3


def test_refuse_ends_all_and_says_when_it_has(rig: Rig):
    heard, done = [rig.ask(SLOW) for _ in range(3)], threading.Event()
    rig.engine.refuse(errors.NotActive('the node is being deactivated'), done.set)
    assert done.wait(2.0)
    assert [one.end().code for one in heard] == [10204] * 3


def test_a_slot_keeps_only_the_newest(rig: Rig):
    heard = [rig.ask(SLOW, slot='gaze') for _ in range(5)]   # more than the queue takes
    last = rig.ask(slot='gaze').end()
    assert [one.end().code for one in heard] == [10203] * 5
    assert last.code == 0
    assert last.request.id in str(heard[-1].failure)


def test_superseded_while_waiting_for_a_frame(rig: Rig):
    old = rig.ask(provide=False, slot='gaze')
    new = rig.ask(slot='gaze').end()
    assert (old.end().code, new.code) == (10203, 0)


def test_an_id_in_use_is_refused_and_its_owner_goes_on(rig: Rig):
    first = rig.ask({'words_per_s': 20.0, 'text': 'One two three four.'}, id='same')
    second = rig.ask(id='same').end()
    assert (second.code, second.events) == (10100, [])
    assert first.end().code == 0
    assert rig.ask(id='same').end().code == 0, 'free again'


# -- queue and urgency

def test_busy_says_when_to_try_again(rig: Rig):
    slow = rig.ask(SLOW)
    until(lambda: writing(slow), 'the first')
    waiting = [rig.ask(SLOW) for _ in range(4)]
    refused = rig.ask().end()
    assert (refused.code, refused.events) == (10200, [])
    assert refused.failure.retry_after_s >= 0.1
    assert refused.took_s < SLACK_S
    rig.cancel(waiting[0].request.id)
    accepted = rig.ask(SLOW)
    until(lambda: accepted.events, 'admission to the place that became free')


def test_two_hundred_at_once_all_get_one_answer(rig: Rig):
    heard = [rig.ask() for _ in range(200)]
    codes = [one.end().code for one in heard]
    assert set(codes) == {0, 10200}
    assert codes.count(0) >= 4, 'as many as may wait'
    assert rig.ask().end().code == 0


def test_the_order_is_urgency_then_arrival(rig: Rig):
    block = rig.ask({'words_per_s': 10.0, 'text': 'Four words of blocking.'})
    until(lambda: writing(block), 'the first')
    heard = {name: rig.ask(urgency=urgency) for name, urgency in
             (('told', TOLD), ('called', CALLED), ('called 2', CALLED), ('asked', ASKED))}
    until(lambda: all(one.events for one in heard.values()), 'admission of all')
    assert rig.engine.ahead(heard['asked'].request) == 1
    assert rig.engine.ahead(heard['called 2'].request) == 3
    assert rig.engine.ahead(heard['told'].request) == 4
    for one in heard.values():
        one.end()
    assert sorted(heard, key=lambda name: heard[name].ended_s) == ['asked', 'called', 'called 2', 'told']


@pytest.mark.parametrize('running_urgency, urgent, stops', [
    (TOLD, ASKED, True), (TOLD, CALLED, True), (TOLD, SCENE, True), (SCENE, ASKED, True), (SCENE, CALLED, True),
    (CALLED, ASKED, False), (SCENE, TOLD, False), (TOLD, TOLD, False)])
def test_who_is_stopped_for_whom(rig: Rig, running_urgency: int, urgent: int, stops: bool):
    first = rig.ask({'words_per_s': 15.0, 'text': 'A sentence of eleven words that takes a while to write.'},
                    urgency=running_urgency)
    until(lambda: len(first.texts) >= 2, 'two words')
    second = rig.ask({'text': 'Short.'}, urgency=urgent).end()
    first.end()
    assert (first.code, second.code) == (0, 0)
    assert (second.ended_s < first.ended_s) is stops
    restarted = [text for _, text in first.texts].count('A') == 2
    assert restarted is stops
    assert first.outcome.answer.text == 'A sentence of eleven words that takes a while to write.'
    assert first.outcome.answer.tokens == 11, 'what was said before the stop does not count'


def test_a_stopped_one_may_be_cancelled_or_run_out_of_time(rig: Rig):
    told = [rig.ask(SLOW, urgency=TOLD), rig.ask(SLOW, urgency=TOLD, timeout_s=0.6)]
    until(lambda: writing(told[0]), 'narration')
    asked = rig.ask(SLOW, urgency=ASKED)
    until(lambda: writing(asked), 'the urgent one')
    rig.cancel(told[0].request.id)
    assert (told[0].end().code, told[1].end().code) == (10202, 10201)
    assert told[1].took_s < 0.6 + SLACK_S
    rig.cancel(asked.request.id)
    assert rig.ask().end().code == 0


def test_a_stopped_region_keeps_the_mask_that_was_cut_out():
    """Run again, its old look was used, which brings no mask: the description fell back to the bare box."""
    image = np.full((64, 64, 3), 30, np.uint8)
    image[20:44, 24:40] = 220
    box = (12, 12, 52, 52)
    mask = np.zeros((64, 64), bool)
    mask[box[1]:box[3], box[0]:box[2]] = True
    with running() as rig:
        rig.ready()
        told = rig.ask({'words_per_s': 30.0, 'text': 'Ten words ' * 5}, urgency=TOLD,
                       about=work((image, mask), prompt=Prompt(box=box)))
        until(lambda: told.texts, 'text')
        rig.ask(urgency=ASKED).end()
        outcome = told.end().outcome
    cut = np.unpackbits(outcome.refined, count=64 * 64).reshape(64, 64).astype(bool)
    assert cut[32, 32] and not cut[14, 14]


# -- scenes

def test_regions_of_a_scene_are_answered_one_by_one(rig: Rig):
    heard = rig.ask(units=[rig.unit({'text': f'Number {index}.'}, id=str(index)) for index in range(5)]).end()
    assert heard.order == ['0', '1', '2', '3', '4']
    assert heard.outcomes['3'].answer.text == 'Number 3.'
    assert heard.ends == [None]


def test_one_region_failing_does_not_stop_the_others(rig: Rig):
    units = [rig.unit(), rig.unit({'fail': 'raise'}), rig.unit()]
    heard = rig.ask(units=units).end()
    assert [heard.outcomes[one.id].failure is None for one in units] == [True, False, True]
    assert heard.ends == [None]


def test_deadline_of_a_scene_answers_every_region(rig: Rig):
    units = [rig.unit(), rig.unit(SLOW), rig.unit()]
    heard = rig.ask(units=units, timeout_s=0.5).end()
    assert heard.ends[0].code == 10201
    assert [getattr(heard.outcomes[one.id].failure, 'code', 0) for one in units] == [0, 10201, 10201]
    assert heard.took_s < 0.5 + SLACK_S


def test_several_run_at_once_where_the_describer_can():
    with running(options={'capacity': 4, 'words_per_s': 20.0, 'text': 'Five words and then the end.'}) as rig:
        rig.ready()
        heard = [rig.ask() for _ in range(4)]
        assert [one.end().code for one in heard] == [0] * 4
        spread = max(one.ended_s for one in heard) - min(one.ended_s for one in heard)
        assert spread < 0.25, 'side by side, not one after the other'
        assert rig.engine.status.capacity == 4


def test_one_of_several_is_stopped_and_the_others_go_on():
    with running(options={'capacity': 3, 'words_per_s': 20.0, 'text': 'Six words and then the end.'}) as rig:
        rig.ready()
        heard = [rig.ask() for _ in range(3)]
        until(lambda: all(one.texts for one in heard), 'all to be writing')
        rig.cancel(heard[1].request.id)
        assert [one.end().code for one in heard] == [0, 10202, 0]


# -- status

def test_the_status_counts(rig: Rig):
    before = rig.engine.status
    slow, waiting = rig.ask(SLOW), rig.ask()
    until(lambda: writing(slow), 'the first')
    assert (rig.engine.status.waiting, rig.engine.status.running) == (1, 1)
    rig.cancel(slow.request.id)
    waiting.end()
    after = until(lambda: rig.engine.status.running == 0 and rig.engine.status, 'an idle engine')
    assert (after.answered - before.answered, after.failed - before.failed) == (1, 1)
    assert (after.state, after.describer, after.languages, after.max_pictures) == ('ready', 'rehearsal', ('en',), 8)
    assert after.pid > 0 and after.load_s >= 0


def test_random_traffic_gives_everyone_exactly_one_answer():
    """Seeded disorder: slots, cancels, deadlines, urgencies, failures; `running` counts the answers."""
    random = np.random.default_rng(7)
    scripts = [{}, {'words_per_s': 100.0}, {'fail': 'raise'}, {'fail': 'out_of_memory', 'fail_after_words': 2},
               {'first_word_s': 0.05}]
    with running(options={'capacity': 2}, queue=6) as rig:
        rig.ready()
        for _ in range(150):
            units = [rig.unit(scripts[random.integers(len(scripts))], look=f'look {random.integers(12)}')
                     for _ in range(random.integers(1, 4))]
            rig.ask(units=units, urgency=int(random.integers(4)), slot=('', '', 'a')[random.integers(3)],
                    timeout_s=float(random.choice([0.02, 0.2, 0.8])), provide=bool(random.random() < 0.9))
            if random.random() < 0.2:
                rig.engine.cancel(rig.all[random.integers(len(rig.all))].request.id, lambda count: None)
            if random.random() < 0.3:
                time.sleep(0.01)   # not a wait: traffic has pauses
        for one in rig.all:
            one.end()
            assert one.ends[0] or len(one.outcomes) == len(one.request.units)
        assert rig.ask().end().code == 0
        status = until(lambda: rig.engine.status.running == 0 and rig.engine.status, 'an idle engine')
        assert status.deaths == 0
