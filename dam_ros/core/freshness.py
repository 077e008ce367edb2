"""Whether what is volunteered is still worth saying when its turn comes: is the thing there, and is it anything new.

It does not know how old anything is; that is looked at by `speaking`.
"""
from __future__ import annotations

from collections.abc import Callable
import math

from dam_ros.core.errors import TooLate
from dam_ros.core.headings import Headings
from dam_ros.core.likeness import Repetition, Thing
from dam_ros.core.present_labels import PresentLabels
from dam_ros.core.rendering import Answer
from dam_ros.core.speech_acts import SPOKEN
from dam_ros.core.speech_settings import SpeechSettings


class Freshness:
    """`settings`: as they count now. `on_told` gets s, the camera and the label of what the person knows."""

    def __init__(self, settings: Callable[[], SpeechSettings], headings: Headings, present: PresentLabels,
                 on_told: Callable[[float, str, int], None]):
        self._headings, self._present, self._on_told = headings, present, on_told
        self._repetition = Repetition(settings)

    def check(self, now: float, answer: Answer, text: str) -> int:
        """0, or the ErrorCode that says why this is not volunteered any more."""
        if self._present.gone(answer.camera, answer.label, answer.stamp_ns):
            return TooLate.code
        if not self._repetition.again(now, self._thing(answer, text)):
            return SPOKEN
        self._is_known(now, answer)
        return TooLate.code

    def told(self, now: float, answer: Answer, text: str) -> None:
        """The person has heard the beginning of it."""
        self._repetition.told(now, self._thing(answer, text))
        self._is_known(now, answer)

    def _is_known(self, now: float, answer: Answer) -> None:
        if answer.label >= 0:
            self._on_told(now, answer.camera, answer.label)

    def _thing(self, answer: Answer, text: str) -> Thing:
        heading = self._headings.at(answer.camera, answer.stamp_ns)
        where = answer.where
        seen_from_camera = where is not None and where.in_camera_frame
        return Thing(answer.camera, answer.label, text, answer.language,
                     bearing_rad=where.bearing_rad if where is not None else math.nan,
                     heading_rad=heading.heading_rad if heading is not None and seen_from_camera else math.nan,
                     heading_epoch=heading.epoch if heading is not None else 0,
                     distance_m=where.distance_m if where is not None else math.nan,
                     present=self._present.labels(answer.camera))
