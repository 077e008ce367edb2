"""speech_node with a person beside it, in a real graph: questions, commands, sight, battery, greetings, privacy."""
from __future__ import annotations

import json
from pathlib import Path
import re
import signal
import time

import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built interfaces')

from rcl_interfaces.msg import ParameterValue   # noqa: E402
from rcl_interfaces.srv import GetParameters   # noqa: E402
import rclpy   # noqa: E402
from rclpy.action import ActionServer, CancelResponse   # noqa: E402
from rclpy.callback_groups import ReentrantCallbackGroup   # noqa: E402
from rclpy.task import Future   # noqa: E402

from dam_ros.action import Describe   # noqa: E402
from dam_ros.core import phrases   # noqa: E402
from dam_ros.msg import Description, ErrorCode, Sight   # noqa: E402
from dam_ros.srv import Cancel   # noqa: E402

from speech_graph import NAN, talking   # noqa: E402

pytestmark = pytest.mark.ros
ASKED, TOLD = Description.SPEAK_ASKED, Description.SPEAK_TOLD
CONFIRM_S = 0.15   # a question is confirmed within this time


class Describer:
    """The action `describe` in the client node. `goals`: what was asked; `answer`: what is told, None = it hangs."""

    def __init__(self, node, **answer):
        self.node, self.answer, self.goals, self.cancelled = node, answer, [], 0
        self._forever = Future()
        self._server = ActionServer(node.node, Describe, 'describe_node/describe', self._describe,
                                    cancel_callback=self._on_cancel, callback_group=ReentrantCallbackGroup())
        node.describe('first', 'A red mug.', label=3)
        node.captioned('A red mug.')
        node.spin(0.5)   # discovery, and the first sample

    def _on_cancel(self, _handle):
        self.cancelled += 1
        self._forever.set_result(None)
        return CancelResponse.ACCEPT

    async def _describe(self, handle):
        self.goals.append(handle.request)
        if not self.answer:
            await self._forever
        if handle.is_cancel_requested:
            handle.canceled()
            return Describe.Result(error_code=ErrorCode.CANCELLED)
        handle.succeed()
        told = {'brief': self.answer.get('text', ''), **self.answer}
        return Describe.Result(error_code=told.pop('error_code', 0), description=Description(
            id=handle.request.id, speak=handle.request.speak, age_s=0.1, total_s=0.1, **told))

    def asked(self):
        """The first goal that came."""
        return self.node.until(lambda: self.goals, what='a goal')[0]

    def close(self) -> None:
        self._server.destroy()


@pytest.fixture
def node():
    with talking() as node:
        yield node


# -- questions


def test_a_question_in_words_is_about_the_last_thing(node):
    describer = Describer(node, text='It is half full.')
    node.ask('How full is it?')
    goal = describer.asked()
    assert (goal.about, goal.query, goal.speak) == ('first', 'How full is it?', ASKED)
    node.captioned('It is half full.')
    describer.close()


def test_a_question_is_confirmed_within_150_ms(node):
    describer = Describer(node)
    for number in range(5):
        node.cues.clear()
        node.cued.clear()
        begun = time.monotonic()
        node.ask(f'What is it, for the {number}th time?')
        node.until(lambda: 'heard' in node.cues, 2.0)
        assert node.cued[node.cues.index('heard')] - begun < CONFIRM_S
        node.spin(0.2)
    describer.close()


def test_so_is_one_that_somebody_else_asked(node):
    begun = time.monotonic()
    node.part('a', 0)
    node.until(lambda: 'heard' in node.cues, 2.0)
    assert node.cued[0] - begun < CONFIRM_S


def test_without_earcons_a_word_confirms_it():
    with talking(earcons=False) as node:
        node.part('a', 0)
        node.captioned(phrases.HEARD_WORD, 1.0)
        node.until(lambda: node.cues == ['heard'], 1.0)


def test_a_spoken_command_is_a_command_and_no_question(node):
    describer = Describer(node)
    node.ask('Repeat, please!')
    node.until(lambda: node.captions.count('A red mug.') == 2)
    node.ask('stop')
    node.until(lambda: 'off' in node.cues)
    assert describer.goals == []
    describer.close()


def test_a_question_while_nobody_is_there_ends_in_speech(node):
    node.ask('What is that?')
    node.captioned(phrases.NO_DESCRIBER)


def test_hush_cancels_what_was_asked_and_not_answered(node):
    describer = Describer(node)
    cancelled = []

    def cancel(request, response):
        cancelled.append(request.id)
        return response
    node.node.create_service(Cancel, 'describe_node/cancel', cancel)
    node.part('of-another', 0)
    node.ask('What is that?')
    describer.asked()
    node.spin(0.5)
    node.press('hush')
    node.until(lambda: describer.cancelled and 'of-another' in cancelled, what='both were cancelled')
    node.quiet(1.0)
    describer.close()


def test_read_goes_to_the_reader_and_without_one_it_says_that_it_cannot_read(node):
    describer = Describer(node, error_code=ErrorCode.UNSUPPORTED, text='')
    node.press('read')
    assert (describer.asked().detail, describer.asked().about) == (Describe.Goal.READ, 'first')
    node.captioned(phrases.CANNOT_READ)
    describer.close()


def test_what_was_read_is_told_as_doubtful(node):
    describer = Describer(node, text='EXIT 4', describer='tesseract')
    node.press('read')
    node.captioned('EXIT 4')
    assert node.captions[-2:] == ['Text, perhaps:', 'EXIT 4']
    describer.close()


def test_next_behind_the_newest_asks_for_the_next_region(node):
    describer = Describer(node, text='A blue chair.')
    node.present(3, 5)
    node.spin(0.3)
    node.press('next')
    assert list(describer.asked().region.labels) == [5]
    node.captioned('A blue chair.')
    describer.close()


def test_a_question_of_100_000_characters_is_refused_in_words_and_nothing_hangs(node):
    describer = Describer(node, error_code=ErrorCode.INVALID_REQUEST, text='')
    node.ask('what ' * 20_000)
    node.captioned(phrases.of_failure(ErrorCode.INVALID_REQUEST))
    describer.close()


# -- commands


def test_back_goes_to_what_was_said_before(node):
    for name in ('A mug.', 'A chair.'):
        node.describe(name, name)
        node.captioned(name)
        node.spin(0.7)
    assert node.press('back').success
    node.until(lambda: node.captions.count('A mug.') == 2)


def test_pause_waits_and_goes_on(node):
    saying = node.say('The first sentence is here. The second one is there.', rate_wpm=120.0)
    node.captioned('The first sentence is here.')
    node.spin(0.3)
    assert node.press('pause').success
    node.quiet(4.0)
    assert saying.result is None
    assert node.press('pause').success
    assert node.ended(saying).error_code == ErrorCode.NO_VOICE
    assert node.captions == ['The first sentence is here.', 'The first sentence is here.', 'The second one is there.']


def test_quiet_leaves_only_what_is_asked(node):
    assert node.press('quiet').success
    node.captioned(phrases.QUIET_ON)
    assert node.said('Narration.').error_code == ErrorCode.HUSHED
    assert node.said('The answer.', priority=2).error_code == ErrorCode.NO_VOICE
    assert node.press('quiet').success
    assert node.said('Narration.').error_code == ErrorCode.NO_VOICE


def test_faster_and_slower_are_kept_over_restarts(tmp_path):
    with talking(rate_wpm=200.0, state_dir=str(tmp_path)) as node:
        assert node.press('faster').message == '230 words per minute'
        node.captioned('230 words per minute.')
        assert node.end() == 0
        node.status = None
        node.start()
        node.wait_ready()
        node.until(lambda: node.status, what='its diagnostics')
        assert {one.key: one.value for one in node.status.values}['rate [words/min]'] == '230.0'
        assert node.press('slower').message == '200 words per minute'


def test_another_rate_in_the_parameters_counts_more_than_the_remembered_one(tmp_path):
    for given, pressed, expected in ((200.0, 'faster', '230.0'), (300.0, '', '300.0')):
        with talking(rate_wpm=given, state_dir=str(tmp_path)) as node:
            if pressed:
                node.press(pressed)
            node.status = None
            node.until(lambda: node.status)   # noqa: B023
            assert {one.key: one.value for one in node.status.values}['rate [words/min]'] == expected


def test_a_new_rate_counts_for_the_sentence_that_sounds():
    slow = 'This sentence is spoken so slowly that nobody can wait for its end.'
    with talking(rate_wpm=80.0) as node:
        saying = node.say(slow)
        node.captioned(slow)
        node.spin(0.5)
        node.set_parameter('rate_wpm', 500.0)
        begun = time.monotonic()
        node.ended(saying)
        assert time.monotonic() - begun < 4.0, 'at 80 it takes ten seconds'


def test_at_the_limit_it_says_so():
    with talking(rate_wpm=500.0) as node:
        assert not node.press('faster').success
        node.captioned(phrases.FASTEST)


def test_status_answers_at_any_time(node):
    assert node.press('status').message == 'No picture. Narration off.'
    node.see(0.5, age_s=0.2)
    node.battery(0.42)
    node.see(0.3, age_s=0.2)
    message = node.press('status').message
    assert message.startswith('Ready. Picture 0.') and message.endswith('Narration off. Battery 42 percent.')
    node.captioned(message)


def test_help_and_spell(node):
    assert 'repeat' in node.press('help').message
    node.press('hush')
    node.spin(0.3)
    node.describe('a', 'A red mug.', speak=ASKED)
    node.captioned('A red mug.')
    node.spin(0.5)
    assert node.press('spell').message.upper().startswith('M, U, G')


# -- can it see?


def test_each_change_of_sight_is_said_once_and_a_dead_describer_within_3_s():
    with talking(announce_sight=True) as node:
        node.see(1.0)
        node.see(2.0, Sight.COVERED)
        node.see(2.0)
        covered, again = (phrases.of_sight(state, 'en').text for state in (Sight.COVERED, Sight.GOOD))
        assert node.captions == [covered, again]
        begun = time.monotonic()
        node.captioned(phrases.DESCRIBER_GONE.split('. ')[0] + '.', 4.0)
        assert time.monotonic() - begun < 3.0
        node.spin(3.0)
        node.captions.clear()
        node.see(1.0)
        assert node.captions == [phrases.of_sight(Sight.GOOD, 'en').text]


def test_who_asked_a_describer_that_died_is_told():
    with talking(announce_sight=False) as node:
        node.see(0.5)
        node.part('a', 0)
        node.captioned(phrases.DESCRIBER_GONE.split('. ')[0] + '.', 5.0)


def test_so_is_who_asked_one_without_a_heartbeat_that_died_soon_after_the_start():
    with talking(announce_sight=True) as node:
        node.spin(0.5)
        node.part('a', 0)
        node.spin(0.5)
        node.lose_describer()
        node.captioned(phrases.DESCRIBER_GONE.split('. ')[0] + '.', 5.0)


def test_narration_of_what_is_gone_is_not_spoken(node):
    node.present(1, 2)
    node.spin(0.2)
    story = node.say('A story that takes its time to be told.')
    node.captioned('A story that takes its time to be told.')
    node.describe('a', 'A mug.', label=2)
    node.present(1)
    node.describe('b', 'A chair.', label=1)
    node.ended(story)
    node.captioned('A chair.')
    assert 'A mug.' not in node.captions


def test_clocks_that_are_apart_are_named_and_do_no_harm(node):
    for offset_s, name in ((10, 'ahead'), (-10, 'behind')):
        now_ns = time.time_ns() + offset_s * 10**9
        node.describe(f'a{offset_s}', f'A thing seen {name}.', age_s=0.1)
        message = Description(id=f'b{offset_s}', text=f'Another one {name}.', brief=f'Another one {name}.', speak=TOLD,
                              age_s=0.1, total_s=0.1)
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(now_ns, 10**9)
        node._description.publish(message)
        node.captioned(f'Another one {name}.')
        node.until(lambda: node.of_describer and name in node.of_describer.message, what='the skew in diagnostics')   # noqa: B023
        assert re.search(r'is (9\.[5-9]|10\.[0-5]) s', node.of_describer.message)
        assert node.of_describer.level == b'\x01'


# -- greetings, battery, languages, privacy


def test_the_first_start_says_what_it_is_and_the_second_does_not(tmp_path):
    state, wavs = tmp_path / 'state', tmp_path / 'wavs'   # who cannot be heard has not introduced itself
    with talking(greeting='first', state_dir=str(state), voice='wav', wav_dir=str(wavs)) as node:
        node.captioned('Say stop or press hush for silence, help for the commands.')
        node.until(lambda: list(state.glob('*')), what='it is remembered')
        node.end()
        node.captions.clear()
        node.start()
        node.wait_ready()
        node.quiet(1.0)


def test_a_low_battery_is_said_once_and_reduces_narration():
    with talking(narrate='new') as node:
        node.see(0.5)
        node.battery(0.5)
        node.battery(0.10)
        node.battery(0.09)
        node.captioned(phrases.BATTERY_LOW.split('. ')[0] + '.')
        node.see(2.0)
        assert node.captions.count(phrases.BATTERY_LOW.split('. ')[0] + '.') == 1
        assert 'Narration off.' in node.press('status').message


def test_the_system_speaks_the_language_of_the_listener_and_the_model_its_own():
    with talking(language='de') as node:
        node.describe('a', speak=ASKED, error_code=ErrorCode.NO_FRAME, age_s=NAN, total_s=NAN)
        expected = phrases.phrase(phrases.of_failure(ErrorCode.NO_FRAME), 'de').text
        node.until(lambda: node.captions and node.captions[0] in expected and node.captions[0] not in
                   phrases.of_failure(ErrorCode.NO_FRAME))


def test_captions_come_no_faster_than_they_can_be_read():
    with talking(caption_wpm=60.0, rate_wpm=500.0) as node:
        node.say('One two three four five. Six seven. Eight nine.')
        node.captioned('One two three four five.')
        begun = time.monotonic()
        node.captioned('Six seven.')
        assert 4.5 < time.monotonic() - begun < 6.0
        assert node.press('next').message == 'the next caption'
        node.captioned('Eight nine.', 0.5)


def test_where_pictures_leave_the_device_it_is_said_and_to_which_host(node):
    describer = rclpy.create_node('describe_node', namespace=node.namespace, context=node.context)
    describer.declare_parameter('describer', 'remote')
    describer.declare_parameter('remote_url', 'http://gpu.example.org:8000/v1')
    node.executor.add_node(describer)
    node.see(1.0)
    node.captioned('Pictures leave this device.')
    node.until(lambda: any('gpu.example.org' in one for one in node.captions))
    node.see(2.0)
    assert node.captions.count('Pictures leave this device.') == 1, 'once'
    node.executor.remove_node(describer)
    describer.destroy_node()


def test_of_pictures_that_stay_on_this_machine_nothing_is_said(node):
    """The old bug: "Pictures leave this device. They are sent to localhost."."""
    asked = []

    def reply(request, response):
        asked.append(request.names)
        response.values = [ParameterValue(type=4, string_value=one) for one in ('remote', 'http://127.0.0.1:8000/v1')]
        return response

    node.node.create_service(GetParameters, 'describe_node/get_parameters', reply,
                             callback_group=ReentrantCallbackGroup())
    node.see(4.0)
    assert asked and node.captions == []


def test_where_pictures_go_is_asked_again_where_the_reply_was_lost(node):
    asked = []

    async def reply(request, response):
        asked.append(request.names)
        if len(asked) == 1:
            await Future()   # for ever
        response.values = [ParameterValue(type=4, string_value=one) for one in ('remote', 'http://gpu.example.org/v1')]
        return response

    node.node.create_service(GetParameters, 'describe_node/get_parameters', reply,
                             callback_group=ReentrantCallbackGroup())
    node.see(3.0)
    assert len(asked) == 1 and node.captions == []
    node.see(5.0)
    assert len(asked) == 2
    assert node.captions.count('Pictures leave this device.') == 1
    node.see(6.0)
    assert len(asked) == 2


def test_that_it_is_recorded_is_said_before_the_greeting(tmp_path):
    with talking(greeting='always', record_to=str(tmp_path)) as node:
        node.captioned(phrases.RECORDING)
        assert node.captions[0] == phrases.RECORDING


def test_what_is_said_is_kept_nowhere_unless_that_was_asked_for_and_announced(tmp_path):
    secret = 'A letter from the bank.'
    for record_to in ('', str(tmp_path / 'record')):
        state = tmp_path / f'state{bool(record_to)}'
        with talking({'HOME': str(tmp_path / 'home'), 'TMPDIR': str(tmp_path)}, state_dir=str(state),
                     record_to=record_to) as node:
            node.describe('a', secret, speak=ASKED)
            node.captioned(secret)
            assert (phrases.RECORDING in node.captions) == bool(record_to)
            node.end(signal.SIGTERM)
            assert secret not in node.log()
        files = [path for path in tmp_path.rglob('*') if path.is_file()]
        holding = [path for path in files if secret in path.read_text(errors='replace')]
        assert [path.name for path in holding] == (['said.jsonl'] if record_to else [])
    lines = [json.loads(line) for line in Path(tmp_path, 'record', 'said.jsonl').read_text().splitlines()]
    assert (secret, 'asked', 'a') in [(line['text'], line['priority'], line['about']) for line in lines]


def test_a_folder_to_record_to_that_cannot_be_made_is_refused():
    with pytest.raises(AssertionError, match='record_to is'), talking(record_to='/proc/nowhere'):
        pass
