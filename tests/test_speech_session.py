"""Whole sessions: a camera, describe_node, speech_node and a person, and then the recording of what was heard."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import json
from pathlib import Path
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built interfaces')

import cv2   # noqa: E402
import rclpy   # noqa: E402
from rclpy.qos import QoSProfile, ReliabilityPolicy   # noqa: E402
from sensor_msgs.msg import Image   # noqa: E402

from dam_ros.action import Describe   # noqa: E402
from dam_ros.core import phrases   # noqa: E402
from dam_ros.msg import Description, Sight   # noqa: E402

from ros_graph import as_bytes, number_in, serving, stamped   # noqa: E402
from speech_graph import talking   # noqa: E402
from spoken_track import Track   # noqa: E402
from voice_room import has_espeak   # noqa: E402

pytestmark = [pytest.mark.ros, pytest.mark.skipif(not has_espeak(), reason='espeak-ng is not installed')]
PHOTOS = Path(__file__).resolve().parent.parent / 'examples' / 'photos'
RATE_WPM, CAMERA_HZ = 300.0, 10.0   # fast, as each second of speech is one of the test
WIDTH, HEIGHT = 320, 240
ASKED = Description.SPEAK_ASKED
HUSH_S = 0.2


class LiveCamera:
    """A camera with a little noise, in a thread of its own. `show` and `cover` change what it sees; `stop` ends it."""

    def __init__(self, namespace: str):
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self._node = rclpy.create_node('camera', namespace=namespace, context=self._context)
        qos = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
        self._pictures = self._node.create_publisher(Image, 'image', qos)
        self._labels = self._node.create_publisher(Image, 'segmentation', qos)
        self._scene, self.going, self._ended = None, True, False
        self._noise = np.random.default_rng(1)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def show(self, pixels: np.ndarray, labels: np.ndarray) -> None:
        """(H, W, 3) BGR and (H, W), uint8."""
        self._scene = pixels, labels
        if not self._thread.is_alive():
            self._thread.start()

    def close(self) -> None:
        self._ended = True
        if self._thread.is_alive():
            self._thread.join(5.0)
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)

    def _run(self) -> None:
        while not self._ended:
            if self.going:
                pixels, labels = self._scene
                noisy = np.clip(pixels.astype(np.int16) + self._noise.integers(-3, 4, pixels.shape), 0, 255)
                now_ns = time.time_ns()
                self._labels.publish(_message(labels, 'mono8', now_ns))
                self._pictures.publish(_message(noisy.astype(np.uint8), 'bgr8', now_ns))
            time.sleep(1.0 / CAMERA_HZ)


def _message(pixels: np.ndarray, encoding: str, stamp_ns: int) -> Image:
    height, width = pixels.shape[:2]
    return stamped(Image(width=width, height=height, encoding=encoding, step=pixels.size // height,
                         data=as_bytes(pixels)), stamp_ns)


def scene(**things: tuple[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """A picture and its labels: colour=(side, label) for squares on a photograph's texture."""
    background = cv2.imread(str(sorted(PHOTOS.glob('*.jpg'))[0]))
    pixels = cv2.resize(background, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    colours = {'red': (30, 30, 200), 'blue': (200, 60, 30), 'green': (40, 160, 40), 'white': (240, 240, 240)}
    for colour, (side, label) in things.items():
        left = {'left': 30, 'middle': 130, 'right': 230}[side]
        pixels[90:150, left:left + 60] = colours[colour]
        labels[90:150, left:left + 60] = label
    return pixels, labels


@contextmanager
def session(folder: Path, describer: dict | None = None, **speech) -> Iterator[SimpleNamespace]:
    """camera, describe_node (`served`) and speech_node with a person (`person`); `track()` after it has ended."""
    usual = {'image_reliability': 'reliable', 'describer': 'rehearsal'}
    with serving(**{**usual, **(describer or {})}) as served:
        camera = LiveCamera(served.namespace)
        camera.show(*scene(red=('left', 1)))
        try:
            with talking(namespace=served.namespace, voice='wav', wav_dir=str(folder), rate_wpm=RATE_WPM,
                         **{'caption_wpm': 10000.0, **speech}) as person:
                yield SimpleNamespace(served=served, camera=camera, person=person)
        finally:
            camera.close()


def rehearsed(**options) -> dict:
    return {'describer_options': json.dumps(options)}


def ask(one: SimpleNamespace, **fields):
    return one.served.goal(**{'speak': ASKED, 'detail': Describe.Goal.BRIEF, **fields})


def test_ask_interrupt_hush_more_repeat(tmp_path):
    """The order and the silence of a conversation."""
    options = rehearsed(brief='A tall wooden bookshelf.', text='A tall wooden bookshelf. It holds many old books. '
                        'A cat is sleeping on top.', words_per_s=40.0)
    with session(tmp_path, options) as one:
        story = one.person.say('Once upon a time there was a robot that told very long stories to everybody.')
        one.person.until(lambda: one.person.captions)
        one.person.spin(0.7)
        one.served.ended(ask(one, detail=Describe.Goal.NORMAL))            # interrupts
        one.person.captioned('A tall wooden bookshelf.')
        one.person.spin(2.0)
        one.person.press('more')
        one.person.captioned('A cat is sleeping on top.')
        one.person.spin(1.6)
        one.person.press('repeat')
        one.person.spin(0.8)
        one.person.hush_by_topic()
        one.person.spin(1.0)
        assert one.person.said('Nobody wanted to know this.').error_code == 10400
        one.person.spin(0.5)
        assert one.person.ended(story).error_code == 10203
    track = Track(tmp_path, RATE_WPM)
    shelf, books, cat = (track.spoken(text) for text in ('A tall wooden bookshelf.', 'It holds many old books.',
                                                         'A cat is sleeping on top.'))
    assert len(shelf) == 1 and len(books) in (1, 2) and len(cat) == 1, (shelf, books, cat, track.said())
    assert shelf[0][1] <= books[0][0] and books[0][1] <= cat[0][0]
    assert not track.spoken('Once upon a time there was a robot that told very long stories to everybody.')
    assert not track.spoken('Nobody wanted to know this.')
    (hushed,) = track.times('hush')
    assert track.is_silent(hushed + HUSH_S, hushed + 1.5)
    assert not track.is_silent(hushed - 0.6, hushed), 'it was speaking'


@pytest.mark.alone
def test_the_first_sentence_is_spoken_while_the_rest_is_being_written(tmp_path):
    """At 20 words per second the first sample comes within 150 ms of the first sentence's end."""
    first = 'A red mug stands there.'
    text = first + ' It is half full of coffee and has a broken handle on its left side.'
    delays = []
    with session(tmp_path, rehearsed(text=text, words_per_s=20.0, first_word_s=0.5)) as one:
        for _ in range(3):
            one.served.partials.clear()
            ask(one, detail=Describe.Goal.FULL)
            arrived = one.served.until(lambda: next((time.monotonic() for part in one.served.partials
                                                     if part.sentence_end), None))
            one.served.until(lambda: one.served.partials[-1].done)
            one.person.hush_by_topic()
            hushed = time.monotonic()
            one.person.spin(0.2)
            delays.append((arrived, hushed))
    track = Track(tmp_path)
    zero = np.median([hushed - at for (_, hushed), at in zip(delays, track.times('hush'), strict=True)])
    begun = [event['t_s'] + zero for event in track.events if event.get('sentence') == first]
    late = [at - arrived for (arrived, _), at in zip(delays, begun, strict=True)]
    assert np.median(late) < 0.12, f'{late}: and the Partial itself may take 30 ms'


def test_narration_tells_what_is_new_and_then_is_silent(tmp_path):
    with session(tmp_path, {'describer': 'attributes'}, narrate='new', narrate_every_s=1.0, repeat_after_s=30.0) as one:
        one.person.until(lambda: one.person.captions, what='the first thing')
        one.person.spin(4.0)
        before = list(one.person.captions)
        assert len([text for text in before if 'red' in text]) == 1, before
        one.person.spin(3.0)
        assert one.person.captions == before, 'nothing changed'
        one.camera.show(*scene(red=('left', 1), blue=('right', 2)))
        one.person.until(lambda: any('blue' in text for text in one.person.captions), what='the new thing')
        one.person.spin(3.0)
        assert len([text for text in one.person.captions if 'red' in text]) == 1, one.person.captions
    track = Track(tmp_path)
    assert track.is_silent(track.times('close')[0] - 1.0, track.times('close')[0])


def test_covered_dark_and_back_and_a_camera_that_stops(tmp_path):
    with session(tmp_path, announce_sight=True) as one:
        one.person.spin(2.0)
        assert one.person.captions == []
        _, labels = scene()
        one.camera.show(np.full((HEIGHT, WIDTH, 3), 120, np.uint8), labels)
        covered, again, lost = (phrases.of_sight(state, 'en').text for state in (Sight.COVERED, Sight.GOOD,
                                                                                 Sight.NO_PICTURE))
        one.person.captioned(covered, 8.0)
        one.camera.show(*scene(red=('left', 1)))
        one.person.captioned(again, 8.0)
        one.camera.going = False
        stopped = time.monotonic()
        one.person.captioned(lost, 8.0)
        assert 2.5 < time.monotonic() - stopped < 5.0
        one.camera.going = True
        one.person.until(lambda: one.person.captions.count(again) == 2)
        one.person.spin(1.0)
        assert one.person.captions == [covered, again, lost, again]
    track = Track(tmp_path, RATE_WPM)
    assert len(track.spoken(again)) == 2 and track.once(covered) < track.once(lost)


@pytest.mark.alone
def test_a_describer_that_is_killed_is_noticed_within_3_s(tmp_path):
    with session(tmp_path, announce_sight=True) as one:
        # Its heart has beaten; until then it is only known to be in the graph, where a killed one stays for 20 s.
        one.person.until(lambda: number_in(one.person.of_describer, 'picture age [s]') >= 0.0, what='a heartbeat')
        one.served.end(9)
        killed = time.monotonic()
        one.person.until(lambda: one.person.captions, 4.0)
        assert time.monotonic() - killed < 3.0
        one.person.spin(2.0)
        assert ' '.join(one.person.captions) == phrases.DESCRIBER_GONE
