"""What goes out while a description grows: feedback, partials, and how all of it is ended."""
from __future__ import annotations

import time

from action_msgs.msg import GoalStatus
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from builtin_interfaces.msg import Time  # noqa: E402
from ros_graph import NS, picture, script, serving, stamp_of  # noqa: E402

from dam_ros.action import Describe  # noqa: E402
from dam_ros.msg import ErrorCode  # noqa: E402

pytestmark = pytest.mark.ros
TEXT = 'One cup stands here. It is white, e.g. like milk. A spoon lies in it.'
ENDS = ['One cup stands here.', ' It is white, e.g. like milk.', ' A spoon lies in it.']
PIECE_S = 0.05


@pytest.fixture(scope='module')
def served():
    with serving() as node:
        yield node


def said(words_per_s=1 / PIECE_S, **changes) -> dict:
    return {'image': picture(stamp_ns=4 * NS), 'query': script(text=TEXT, words_per_s=words_per_s, **changes)}


def slow(**changes) -> dict:
    return {**said(words_per_s=0.5), **changes}


def partials(served, id: str) -> list:
    return [one for one in served.partials if one.id == id]


def finished(served, id: str) -> list:
    return served.until(lambda: (found := partials(served, id)) and found[-1].done and found, what='the last partial')


def running(served, begin, id: str):
    """Starts a slow request and returns once it writes."""
    call = begin(id=id, **slow())
    served.until(lambda: any(one.piece for one in partials(served, id)), what='it writes')
    return call


def test_feedback_has_the_text_so_far_and_goes_through_the_phases(served):
    goal = served.goal(**said(first_word_s=0.2))
    result = served.ended(goal)
    assert (goal.status, result.error_code) == (GoalStatus.STATUS_SUCCEEDED, 0)
    phases = [one.phase for one in goal.feedback]
    assert phases == sorted(phases)
    assert {Describe.Feedback.LOOKING, Describe.Feedback.WRITING} <= set(phases)
    texts = [one.text for one in goal.feedback]
    assert all(TEXT.startswith(one) for one in texts)
    assert [len(one) for one in texts] == sorted(len(one) for one in texts)
    assert len(set(texts)) >= 5
    assert {one.id for one in goal.feedback} == {result.description.id}
    elapsed = [one.elapsed_s for one in goal.feedback]
    assert elapsed == sorted(elapsed)
    assert len(goal.feedback) <= 20 * result.description.total_s + 6   # at most 20 a second, and each phase
    assert result.description.text == TEXT


def test_feedback_says_how_many_come_before(served):
    first = running(served, served.begin, 'first')
    goal = served.goal(**said())
    served.until(lambda: goal.feedback and goal.feedback[-1].ahead == 1)
    assert goal.feedback[-1].phase == Describe.Feedback.QUEUED
    assert served.cancel('') == 2
    served.until(first.done)
    served.ended(goal)


def test_feedback_says_that_a_picture_is_waited_for(served):
    goal = served.goal(not_before=Time(sec=int(time.time()) + 60), timeout_s=0.5)
    assert served.ended(goal).error_code == ErrorCode.NO_FRAME
    assert Describe.Feedback.WAITING in [one.phase for one in goal.feedback]
    assert goal.status == GoalStatus.STATUS_ABORTED


def test_feedback_says_that_the_describer_is_being_loaded():
    with serving(ready=False, describer_options=script(load_s=5.0)) as loading:
        loading.until(lambda: loading.ready, what='the node is there')
        goal = loading.goal(image=picture())
        loading.until(lambda: any(one.phase == Describe.Feedback.LOADING for one in goal.feedback))
        assert loading.ended(goal).error_code == 0


def test_partials_have_no_gaps_and_together_they_are_the_text(served):
    answer = served.describe(id='whole', speak=2, **said())
    parts = finished(served, 'whole')
    assert [one.seq for one in parts] == list(range(len(parts)))
    assert (parts[0].piece, parts[0].offset, parts[0].done) == ('', 0, False)
    offset = 0
    for one in parts:
        assert one.offset == offset
        assert one.piece == '' or one.piece == TEXT[offset:offset + len(one.piece)]
        offset += len(one.piece)
    assert ''.join(one.piece for one in parts) == TEXT == answer.description.text
    assert [one.done for one in parts] == [False] * (len(parts) - 1) + [True]
    assert {one.error_code for one in parts} == {0}
    assert {one.speak for one in parts} == {2}
    assert all(stamp_of(one) == 4 * NS for one in parts[1:])


def test_partials_are_whole_words_and_mark_the_ends_of_sentences(served):
    served.describe(id='words', **said())
    parts = finished(served, 'words')
    heard, sentences = '', []
    for one in parts[1:]:
        heard += one.piece
        rest = TEXT[len(heard):]
        assert rest == '' or rest.startswith(' ') or heard.endswith(' '), (heard, rest)
        if one.sentence_end:
            sentences.append(heard)
            assert one.confidence == pytest.approx(0.9, abs=0.01)
    assert sentences == [''.join(ENDS[:count]) for count in (1, 2, 3)]


def test_at_most_twenty_partials_a_second(served):
    text = ' '.join(['word'] * 360) + '.'
    begun = time.monotonic()
    served.describe(id='fast', image=picture(), query=script(text=text, words_per_s=360.0), max_tokens=2048)
    parts = finished(served, 'fast')
    assert len(parts) <= 20 * (time.monotonic() - begun) + 2
    assert len(parts) > 8
    assert ''.join(one.piece for one in parts) == text


def test_what_is_to_be_spoken_begins_with_a_brief_that_is_all_of_the_partials(served):
    answer = served.describe(id='brief', image=picture(), speak=1)
    parts = finished(served, 'brief')
    assert ''.join(one.piece for one in parts) == answer.description.brief == 'A rehearsal: 3072 pixels, nothing seen.'
    assert answer.description.text.startswith('This is a rehearsal.')


def test_the_last_partial_of_a_failure_says_so(served):
    answer = served.describe(id='broken', **said(fail='raise', fail_after_words=6))
    parts = finished(served, 'broken')
    assert parts[-1].error_code == answer.error_code == ErrorCode.DESCRIBER_FAILED
    assert parts[-1].piece == ''


def test_the_action_is_cancelled_within_one_piece(served):
    """A piece comes every 2 s here; what counts is that the answer does not wait for the next."""
    goal = running(served, served.goal, 'by-action')
    begun = time.monotonic()
    goal.cancel()
    result = served.ended(goal)
    assert time.monotonic() - begun < 1.0
    assert (goal.status, result.error_code) == (GoalStatus.STATUS_CANCELED, ErrorCode.CANCELLED)
    assert served.describe(**said(words_per_s=0)).description.queue_s < 1.0   # the describer is free again


def test_cancel_by_id_and_of_all(served):
    first = running(served, served.begin, 'one')
    second = served.begin(id='two', **slow())
    goal = served.goal(id='three', **slow())
    served.until(lambda: partials(served, 'two') and partials(served, 'three'))
    assert served.cancel('none-of-them') == 0
    begun = time.monotonic()
    assert served.cancel('one') == 1
    served.until(first.done)
    assert time.monotonic() - begun < 1.0
    assert first.result().error_code == ErrorCode.CANCELLED
    assert not second.done()
    assert served.cancel('') == 2
    served.until(second.done)
    assert second.result().error_code == ErrorCode.CANCELLED
    assert served.ended(goal).error_code == ErrorCode.CANCELLED
    assert goal.status == GoalStatus.STATUS_ABORTED   # not its client asked for it
    assert served.cancel('') == 0


def test_a_goal_that_is_cancelled_while_it_waits_for_a_picture_ends_at_once(served):
    goal = served.goal(not_before=Time(sec=int(time.time()) + 60), timeout_s=30.0)
    served.until(lambda: goal.feedback)
    goal.cancel()
    assert served.ended(goal, 3.0).error_code == ErrorCode.CANCELLED
    assert goal.status == GoalStatus.STATUS_CANCELED


def test_a_goal_that_is_wrong_is_accepted_and_aborted_with_its_code(served):
    goal = served.goal(image=picture(), timeout_s=-1.0)
    result = served.ended(goal)
    assert goal.handle.accepted
    assert (goal.status, result.error_code) == (GoalStatus.STATUS_ABORTED, ErrorCode.INVALID_REQUEST)
    assert 'timeout_s' in result.error_msg


def test_action_and_service_give_the_same(served):
    fields = said(words_per_s=0)
    goal = served.goal(id='a', return_mask=True, **fields)
    result, answer = served.ended(goal), served.describe(id='b', return_mask=True, **fields)
    for name in result.get_fields_and_field_types():
        if name != 'description':
            assert getattr(result, name) == getattr(answer, name), name
    timed = ('id', 'queue_s', 'look_s', 'first_s', 'total_s', 'age_s')
    for name in result.description.get_fields_and_field_types():
        if name not in timed:
            assert repr(getattr(result.description, name)) == repr(getattr(answer.description, name)), name


def test_whole_sentences_are_kept_when_the_deadline_cuts(served):
    answer = served.describe(id='cut', timeout_s=0.6, image=picture(), query=script(text=TEXT, words_per_s=10.0))
    one = answer.description
    assert answer.error_code == ErrorCode.DEADLINE_EXCEEDED
    assert one.text == ENDS[0]
    assert one.truncated
    assert finished(served, 'cut')[-1].error_code == ErrorCode.DEADLINE_EXCEEDED


def test_a_person_who_asks_goes_before_narration_which_goes_on_afterwards(served):
    narration = served.begin(id='told', speak=1, **said(words_per_s=4.0))
    served.until(lambda: any(one.piece for one in partials(served, 'told')))
    asked = served.describe(id='asked', speak=2, **said(words_per_s=0))
    assert asked.error_code == 0
    assert not narration.done()
    served.until(narration.done)
    assert (narration.result().error_code, narration.result().description.text) == (0, TEXT)
    parts = finished(served, 'told')
    assert ''.join(one.piece for one in parts) == TEXT
    assert [one.seq for one in parts] == list(range(len(parts)))
