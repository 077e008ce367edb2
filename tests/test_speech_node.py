"""speech_node in a real graph: what is heard of descriptions, and what a person can press."""
from __future__ import annotations

import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built interfaces')

from rclpy.action import ActionServer   # noqa: E402
from rclpy.task import Future   # noqa: E402

from dam_ros.action import Describe   # noqa: E402
from dam_ros.msg import Description, ErrorCode   # noqa: E402
from dam_ros.core.phrases import NO_DESCRIBER   # noqa: E402

from speech_graph import NAN, talking   # noqa: E402
from voice_room import has_espeak, loudness, no_sound_card, read   # noqa: E402

pytestmark = pytest.mark.ros
ASKED, TOLD, NO = Description.SPEAK_ASKED, Description.SPEAK_TOLD, Description.SPEAK_NO
LONG = 'one and two and three and four and five and six and seven and eight and ' * 3 + 'end.'


@pytest.fixture
def node():
    with talking() as node:
        yield node


def wav_events(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / '001-events.jsonl').read_text().splitlines()]


def test_ten_descriptions_then_a_restart_and_silence(node):
    """The old bug of latched topics: a restarted node read out the past."""
    for number in range(10):
        node.describe(f'd{number}', f'Mug {number}.')
    node.captioned('Mug 9.')
    assert node.captions == [f'Mug {number}.' for number in range(10)]
    assert node.end() == 0
    node.captions.clear()
    node.start()
    node.wait_ready()
    node.quiet(2.0)
    node.describe('late', 'A slow answer.', total_s=60.0)
    node.describe('new', 'A new mug.')
    node.captioned('A new mug.')
    assert node.captions == ['A new mug.']


def test_only_what_asks_for_it_is_spoken(node):
    node.describe('a', 'Not this.', speak=NO)
    node.describe('b', 'But this.', speak=TOLD)
    node.captioned('But this.')
    assert node.captions == ['But this.']


def test_a_streamed_answer_is_spoken_sentence_by_sentence_and_once(node):
    node.part('a', 0)
    node.part('a', 1, 'A red mug. ', 0, end=True)
    node.captioned('A red mug.')
    node.part('a', 2, 'It stands there.', 11, end=True, done=True)
    node.describe('a', 'A red mug. It stands there.', 'A red mug.', speak=ASKED)
    node.captioned('It stands there.')
    node.quiet(1.0)
    assert node.captions == ['A red mug.', 'It stands there.']


def test_a_failed_answer_is_told_to_who_asked_in_plain_words(node):
    node.describe('a', speak=TOLD, error_code=ErrorCode.NO_FRAME, age_s=NAN, total_s=NAN)
    node.describe('b', speak=ASKED, error_code=ErrorCode.DEADLINE_EXCEEDED, age_s=NAN, total_s=NAN)
    node.captioned('I could not see that in time.')
    assert 'I get no picture.' not in node.captions


def test_asked_interrupts_told(node):
    story = node.say(LONG)
    node.captioned(LONG)
    node.describe('a', 'The answer.', speak=ASKED)
    node.captioned('The answer.', 1.0)
    assert node.ended(story).error_code == ErrorCode.SUPERSEDED


def test_stale_narration_is_dropped(node):
    node.describe('old', 'Long gone.', age_s=6.0)
    node.describe('new', 'Still here.', age_s=1.0)
    node.captioned('Still here.')
    assert node.captions == ['Still here.']


@pytest.mark.parametrize('way', ('service', 'topic'))
def test_hush_silences_and_the_hushed_id_stays_silent(node, way):
    node.part('a', 0)
    node.part('a', 1, LONG + ' ', 0, end=True)
    node.captioned(LONG)
    waiting = node.say('Narration.')
    if way == 'service':
        assert node.press('hush').success
    else:
        node.hush_by_topic()
    assert node.ended(waiting).error_code == ErrorCode.HUSHED
    node.part('a', 2, 'The rest.', len(LONG) + 1, end=True, done=True)
    node.describe('a', LONG + ' The rest.', LONG, speak=ASKED)
    assert node.said('Volunteered.').error_code == ErrorCode.HUSHED
    node.quiet(1.0)
    node.describe('b', 'A new answer.', speak=ASKED)
    node.captioned('A new answer.')


@pytest.mark.alone
def test_hush_answers_within_200_ms_in_a_flood(node):
    for number in range(200):
        node.describe(f'f{number}', LONG)
    assert node.press('hush').success   # the first call looks the service up
    for number in range(200):
        node.describe(f'g{number}', LONG, speak=ASKED)
    begun = time.monotonic()
    assert node.press('hush').success
    assert time.monotonic() - begun < 0.2


def test_repeat_says_the_last_thing_again(node):
    assert not node.press('repeat').success
    node.captioned('I have not said anything yet.')
    node.describe('a', 'A red mug.')
    node.captioned('A red mug.')
    node.spin(0.3)   # the caption goes out just before the first sample, and only what was heard can be repeated
    assert node.press('repeat').success
    node.until(lambda: node.captions.count('A red mug.') == 2)


def test_more_gives_the_rest(node):
    node.describe('a', 'A red mug. It is full. It stands there.', 'A red mug.', speak=ASKED)
    node.captioned('A red mug.')
    node.spin(0.3)   # as above
    assert node.press('more').success
    node.captioned('It stands there.')
    assert node.captions == ['A red mug.', 'It is full.', 'It stands there.']


def test_more_says_so_where_nobody_is_there_to_ask(node):
    node.describe('a', 'A red mug.')
    node.captioned('A red mug.')
    assert not node.press('more').success
    node.captioned(NO_DESCRIBER)


def test_more_asks_the_describer_for_all_it_can_say(node):
    goals = []

    def describe(handle):
        goals.append(handle.request)
        handle.succeed()
        answer = Description(id=handle.request.id, brief='A red mug.', text='A red mug. It has a handle.',
                             speak=handle.request.speak, age_s=1.0, total_s=0.1)
        return Describe.Result(description=answer)
    server = ActionServer(node.node, Describe, 'describe_node/describe', describe)
    node.describe('a', 'A red mug.')
    node.captioned('A red mug.')
    node.until(lambda: node.press('more').success, what='the describer was found')
    node.captioned('It has a handle.')
    assert (goals[0].about, goals[0].detail, goals[0].speak) == ('a', Describe.Goal.FULL, ASKED)
    assert node.captions.count('A red mug.') == 1
    server.destroy()


def test_more_says_so_where_no_answer_comes_in_time():
    with talking(more_timeout_s=0.3) as node:
        async def hang(handle):
            await forever
        forever = Future()
        server = ActionServer(node.node, Describe, 'describe_node/describe', hang)
        node.describe('a', 'A red mug.')
        node.captioned('A red mug.')
        node.until(lambda: node.press('more').success, what='the describer was found')
        node.captioned('I could not see that in time.')
        forever.cancel()
        server.destroy()


def test_mute_ends_everything_and_captions_go_on(node):
    story = node.say(LONG)
    node.captioned(LONG)
    assert node.press('mute', True).success
    assert node.ended(story).error_code == ErrorCode.MUTED
    result = node.said('Nobody hears this.')
    assert (result.error_code, result.spoken_chars) == (ErrorCode.MUTED, 0)
    assert 'Nobody hears this.' in node.captions
    assert node.press('mute', False).success
    assert node.said('Hello again.').error_code == ErrorCode.NO_VOICE, 'the voice silent is not muted any more'


def test_a_late_joiner_reads_the_last_caption(node):
    node.said('One. Two.')
    late: list[str] = []
    node.hear_captions(late)
    node.until(lambda: late)
    assert late == ['Two.']


# -- the process


def test_the_rate_can_be_changed_while_it_speaks(node):
    """The old bug: the attribute `_parameters` is rclpy's own, and setting a parameter was never answered."""
    def duration_s() -> float:
        begun = time.monotonic()
        node.said('A red mug stands on the table at the left.')
        return time.monotonic() - begun
    before_s = duration_s()
    assert node.set_parameter('rate_wpm', 100.0).successful
    assert duration_s() > 2.0 * before_s
    refused = node.set_parameter('rate_wpm', 20.0)
    assert not refused.successful and 'rate_wpm' in refused.reason


def test_diagnostics_name_the_voice_and_what_to_do(tmp_path, monkeypatch):
    no_sound_card(tmp_path, monkeypatch)
    environment = {'PATH': os.environ['PATH']}
    with talking(environment, voice='auto') as node:
        node.until(lambda: node.status)
        assert node.status.level == b'\x01'
        values = {one.key: one.value for one in node.status.values}
        assert values['voice'] == 'silent'
        assert 'nothing can be heard' in node.status.message
        assert 'voice to silent' in node.status.message or 'install' in node.status.message
        assert node.said('One.').error_code == ErrorCode.NO_VOICE
        assert node.captions == ['One.']


@pytest.mark.parametrize(('parameters', 'words'), (
    ({'voice': 'loud'}, "voice is 'loud'; allowed: one of 'auto', 'speechd', 'pyttsx3', 'espeak', 'piper', 'wav', "
                          "'silent'"),
    ({'rate_wpm': 20.0}, 'rate_wpm is 20.0; allowed: a number from 80 to 500'),
    ({'voice': 'wav'}, "wav_dir is ''; allowed: a folder"),
    ({'voice': 'wav', 'wav_dir': '/proc/nowhere'}, 'cannot be written'),
    ({'voise': 'wav'}, "there is no parameter 'voise'; did you mean voice?")))
def test_parameters_that_cannot_be_used_are_named_in_one_line(parameters, words):
    given = [word for name, value in parameters.items() for word in ('-p', f'{name}:={json.dumps(value)}')]
    done = subprocess.run([sys.executable, '-m', 'dam_ros.nodes.speech_node', '--ros-args', *given],
                          capture_output=True, text=True, timeout=30.0)
    assert done.returncode == 2
    assert words in done.stderr and 'Traceback' not in done.stderr


@pytest.mark.parametrize('number', (signal.SIGTERM, signal.SIGINT))
def test_an_end_while_speaking_is_quick_and_answers_who_waits(node, number):
    saying = node.say(LONG)
    node.captioned(LONG)
    node.child.send_signal(number)
    result = node.ended(saying, 3.0)
    assert result.error_code == ErrorCode.NO_VOICE and 'ending' in result.error_msg
    assert node.child.wait(3.0) == 0


def test_a_flood_leaves_nothing_behind(node):
    node.said('Warm.')
    node.press('hush')
    node.press('mute', False)
    node.spin(0.5)
    before = node.process.num_threads(), node.process.num_fds()
    goals = [node.say(f'Goal {number}.', priority=2) for number in range(30)]
    for number in range(300):
        node.describe(f'flood {number}', 'A mug. ' * 20, speak=number % 3)
        if number % 20 == 0:
            node.spin(0.02)
    for goal in goals:
        assert node.ended(goal).error_code in (ErrorCode.SUPERSEDED, ErrorCode.NO_VOICE)
    node.spin(1.0)   # what of the flood comes after a hush may be an answer to a newer question
    node.press('hush')
    assert node.said('Still there.', priority=2).error_code == ErrorCode.NO_VOICE
    node.until(lambda: (node.process.num_threads(), node.process.num_fds()) == before, what=f'as before: {before}')


@pytest.mark.alone
def test_an_idle_node_costs_next_to_nothing(node):
    node.spin(0.5)
    before = sum(node.process.cpu_times()[:2])
    node.spin(2.0)
    assert (sum(node.process.cpu_times()[:2]) - before) / 2.0 < 0.05


@pytest.mark.alone
def test_waiting_for_speech_costs_next_to_nothing(node):
    """rclpy: what awaits a future in the wrong way burns a whole core."""
    node.say(LONG, rate_wpm=80.0)
    node.captioned(LONG)
    before = sum(node.process.cpu_times()[:2])
    node.spin(2.0)
    assert (sum(node.process.cpu_times()[:2]) - before) / 2.0 < 0.1


@pytest.mark.alone
@pytest.mark.skipif(not has_espeak(), reason='espeak-ng is not installed')
def test_a_recorded_session(tmp_path):
    """Ask, hush, silence: measured on the track."""
    with talking(voice='wav', wav_dir=str(tmp_path), rate_wpm=175.0) as node:
        assert node.said('A red mug on the left.').error_code == 0
        saying = node.say(LONG, priority=2)
        node.captioned(LONG)
        node.spin(1.0)
        asked_at = time.time()
        node.press('hush')
        answered_s = time.time() - asked_at
        assert node.ended(saying).error_code == ErrorCode.HUSHED
        node.spin(1.0)
    assert answered_s < 0.2
    events = wav_events(tmp_path)
    kinds = [event['event'] for event in events]
    assert kinds == ['request', 'first_sample', 'end', 'request', 'first_sample', 'end', 'hush', 'close']
    assert [event['reason'] for event in events if event['event'] == 'end'] == ['spoken', 'hushed']
    assert events[1]['t_s'] - events[0]['t_s'] < 0.15, 'the first sample comes soon'
    samples, rate_hz = read(tmp_path / '001-track.wav')
    loud = loudness(samples, rate_hz)
    hushed = round(events[6]['t_s'] / 0.02)
    assert loud[hushed - 30:hushed - 5].max() > 500.0
    assert loud[hushed + 10:].max() < 20.0 and len(loud) > hushed + 40
    assert read(tmp_path / events[2]['file'])[0].std() > 500.0


@pytest.mark.skipif(not has_espeak(), reason='espeak-ng is not installed')
def test_kill_9_of_the_node_leaves_no_process(tmp_path):
    with talking(voice='wav', wav_dir=str(tmp_path)) as node:
        node.say(LONG)
        node.captioned(LONG)
        group = node.child.pid
        node.end(signal.SIGKILL)
        node.until(lambda: not _members(group), 3.0, 'the end of its children')
        assert len(read(tmp_path / '001-track.wav')[0]) > 0, 'and the track is whole'


def _members(group: int) -> list[int]:
    found = []
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            try:
                if os.getsid(int(entry)) == group:
                    found.append(int(entry))
            except OSError:
                continue
    return found


def test_the_namespace_moves_everything():
    with talking(namespace='/left/arm') as node:
        node.describe('a', 'A mug.')
        node.captioned('A mug.')
        assert node.said('One.').error_code == ErrorCode.NO_VOICE
        assert node.press('hush').success
