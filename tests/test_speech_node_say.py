"""The action say: each of its codes, by a real client."""
from __future__ import annotations

from action_msgs.msg import GoalStatus
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built interfaces')

from dam_ros.action import Say   # noqa: E402
from dam_ros.msg import ErrorCode   # noqa: E402

from speech_graph import NAN, talking   # noqa: E402
from voice_room import has_espeak   # noqa: E402

pytestmark = [pytest.mark.ros, pytest.mark.skipif(not has_espeak(), reason='espeak-ng is not installed')]
LONG = 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen.'


@pytest.fixture(scope='module')
def shared(tmp_path_factory):
    with talking(voice='wav', wav_dir=str(tmp_path_factory.mktemp('wav')), hush_quiet_s=0.0) as node:
        yield node


@pytest.fixture
def node(shared):
    yield shared
    shared.press('hush')   # whatever a test left
    shared.captions.clear()


def test_spoken_to_the_end(node):
    text = 'A red mug. It stands there.  '
    saying = node.say(text)
    result = node.ended(saying)
    assert (result.error_code, result.error_msg, result.spoken_chars) == (0, '', len(text))
    assert saying.status == GoalStatus.STATUS_SUCCEEDED
    assert [(one.offset, one.length, one.sentence) for one in saying.feedback] == [
        (0, len(text), 'A red mug.'), (11, len(text), 'It stands there.')]


@pytest.mark.parametrize('text', ('', '   ', '...', '\x00\x01'))
def test_nothing_to_say_is_said_at_once(node, text):
    assert node.said(text).error_code == 0


@pytest.mark.parametrize(('fields', 'words'), (
    ({'text': 'x' * 100_001}, 'length of text is 100001; allowed: at most 100000 characters'),
    ({'priority': 5}, 'priority is 5; allowed: 1 TOLD'),
    ({'valid_s': -1.0}, 'valid_s is -1.0; allowed: at least 0'),
    ({'valid_s': NAN}, 'valid_s is nan'),
    ({'valid_s': float('inf')}, 'valid_s is inf'),
    ({'rate_wpm': 79.0}, 'rate_wpm is 79.0; allowed: 80 to 500'),
    ({'rate_wpm': NAN}, 'rate_wpm is nan'),
    ({'language': 'no such thing'}, "language is 'no such thing'; allowed: a BCP 47 tag")))
def test_a_bad_field_is_named_and_the_next_goal_is_spoken(node, fields, words):
    saying = node.say(**{'text': 'One.', **fields})
    result = node.ended(saying)
    assert result.error_code == ErrorCode.INVALID_REQUEST and words in result.error_msg
    assert saying.status == GoalStatus.STATUS_ABORTED
    assert node.said('Good.', rate_wpm=500.0).error_code == 0


def test_superseded(node):
    old = node.say(LONG, priority=Say.Goal.ASKED)
    node.captioned(LONG)
    new = node.say('New.', priority=Say.Goal.ASKED)
    assert node.ended(old).error_code == ErrorCode.SUPERSEDED
    assert old.status == GoalStatus.STATUS_ABORTED, 'canceled is for what a client cancels'
    assert node.ended(new).error_code == 0


def test_hushed(node):
    saying = node.say(LONG)
    node.captioned(LONG)
    node.press('hush')
    result = node.ended(saying, 1.0)
    assert result.error_code == ErrorCode.HUSHED and saying.status == GoalStatus.STATUS_ABORTED
    assert result.spoken_chars < len(LONG)


def test_a_goal_about_a_hushed_description_is_hushed(node):
    saying = node.say(LONG, about='mug')
    node.captioned(LONG)
    node.press('hush')
    node.ended(saying)
    assert node.said('The rest.', about='mug', priority=Say.Goal.URGENT).error_code == ErrorCode.HUSHED
    assert node.said('Another thing.', about='cup').error_code == 0


def test_cancelled(node):
    saying = node.say(LONG)
    node.captioned(LONG)
    node.cancel(saying)
    result = node.ended(saying, 1.0)
    assert result.error_code == ErrorCode.CANCELLED and saying.status == GoalStatus.STATUS_CANCELED


def test_cancelled_while_it_waits(node):
    node.say(LONG)
    waiting = node.say('Waiting.')
    node.captioned(LONG)
    node.cancel(waiting)
    assert node.ended(waiting, 1.0).error_code == ErrorCode.CANCELLED
    assert 'Waiting.' not in node.captions


def test_too_late(node):
    node.say(LONG)
    node.captioned(LONG)
    waiting = node.say('Stale.', valid_s=0.3)
    assert node.ended(waiting, 2.0).error_code == ErrorCode.TOO_LATE


def test_urgent_is_not_interrupted_by_a_question(node):
    urgent = node.say(LONG, priority=Say.Goal.URGENT)
    node.captioned(LONG)
    asked = node.say('The answer.', priority=Say.Goal.ASKED)
    assert node.ended(urgent).error_code == 0
    assert node.ended(asked).error_code == 0


def test_progress_gives_way(node):
    progress = node.say(LONG, priority=Say.Goal.PROGRESS)
    node.captioned(LONG)
    assert node.said('News.').error_code == 0
    assert node.ended(progress).error_code == ErrorCode.SUPERSEDED


def test_muted(node):
    node.press('mute', True)
    result = node.said('Nobody hears this.')
    node.press('mute', False)
    assert (result.error_code, result.spoken_chars) == (ErrorCode.MUTED, 0)


def test_a_language_and_markup_and_quotes_are_spoken(node):
    assert node.said('Eine rote Tasse.', language='de').error_code == 0
    assert node.said('<b>"5" & \'3\'</b> $(x) \U0001f600 שלום', language='xx').error_code == 0


def test_a_hundred_thousand_characters_without_a_space_can_be_hushed(node):
    saying = node.say('x' * 100_000, priority=Say.Goal.ASKED)
    node.until(lambda: saying.feedback)
    node.press('hush')
    assert node.ended(saying, 1.0).error_code == ErrorCode.HUSHED
