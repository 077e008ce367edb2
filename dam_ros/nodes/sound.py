"""The voices of speech_node, and ~/audio, which carries their sound to another machine. It knows no policy."""
from __future__ import annotations

from array import array
from dataclasses import asdict

import numpy as np
from rclpy.node import Node
from rclpy.qos import QoSProfile, QoSReliabilityPolicy

from dam_ros.core.errors import complaint
from dam_ros.core.settings import SettingsError
from dam_ros.core.speech_settings import SpeechSettings
from dam_ros.msg import Audio
from dam_ros.nodes.inbox import Inbox
from dam_ros.voices import refusal
from dam_ros.voices.mouth import makers_of, Mouth
from dam_ros.voices.synthesized import now

_NS = 1_000_000_000
_AUDIO = QoSProfile(depth=100, reliability=QoSReliabilityPolicy.RELIABLE)


def make_mouth(node: Node, settings: SpeechSettings, inbox: Inbox) -> Mouth:
    """Raises SettingsError: a voice that was named is not there; a folder cannot be written."""
    if settings.voice == 'wav' and not settings.wav_dir:
        raise SettingsError(complaint('wav_dir', '', 'a folder', 'The voice wav needs one'))
    options = asdict(settings)
    if settings.sound_to != 'device':
        options['publish'] = _Relay(node).publish
    refused = refusal(options)
    if refused:
        raise SettingsError(refused)
    mouth = Mouth(makers_of(settings.voice, options), inbox.post)
    mouth.check()
    if settings.voice == 'wav' and mouth.reasons():
        mouth.close()
        raise SettingsError(f"voice wav does not work: {mouth.reasons()['wav']}")
    return mouth


class _Relay:
    """Publishes sound; called from the threads of voices, which rclpy allows."""

    def __init__(self, node: Node):
        self._clock = node.get_clock()
        self._publisher = node.create_publisher(Audio, '~/audio', _AUDIO)

    def publish(self, samples: np.ndarray, rate_hz: int, at_s: float, stop: bool) -> None:
        """See `voices.published.Publish`. `at_s`: of `time.monotonic`, when the first sample is due."""
        message = Audio(rate_hz=rate_hz, samples=array('h', samples.astype('<i2', copy=False).tobytes()), stop=stop)
        due_ns = self._clock.now().nanoseconds + int((at_s - now()) * _NS)
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(max(due_ns, 0), _NS)
        self._publisher.publish(message)
