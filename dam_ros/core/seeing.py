"""What a person is told of whether the system can see: each change once.

It does not know how it is found out; and it decides only what is to be said, not when it is spoken.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import math

from dam_ros.core.speech_settings import SpeechSettings

GOOD, NO_PICTURE, FROZEN, DARK, COVERED, BLURRED, OFF = range(7)   # Sight.msg
UNKNOWN, RUNNING, GONE = 'unknown', 'running', 'gone'
_OFF_S = 5.0      # a node that is not active yet is no news
_FIRST_S = 20.0   # how long a describer may take to be there: a Jetson starts slowly


@dataclass
class _Camera:
    state: int
    told: int
    since: float
    age_s: float
    seen: float


@dataclass(frozen=True)
class News:
    """A change that was not told yet.

    Attributes:
        state: one of Sight.msg's constants; None: the describer is gone (or was never there).
        camera: its name; '' where there is only one, or it is about the describer.
        is_new: the describer was never there, so it is not gone, but not running.
    """

    state: int | None
    camera: str = ''
    is_new: bool = False


class Seeing:
    """Args:
        settings: as they count now.
        now: s, the steady clock, when it was started.

    Attributes:
        beats: the describer has a heartbeat (~/sight); without one others have to look for signs of its life.
    """

    def __init__(self, settings: Callable[[], SpeechSettings], now: float):
        self._settings, self._born = settings, now
        self._cameras: dict[str, _Camera] = {}
        self._last_sign = -math.inf
        self.beats = False
        self._told_gone, self._told_sign = False, -math.inf   # and its last sign by then

    def sight(self, now: float, camera: str, state: int, age_s: float) -> None:
        """What ~/sight said of one camera; `age_s` of its newest picture, NaN none."""
        self.beats = True
        self.sign_of_life(now)
        known = self._cameras.get(camera)
        if known is None:   # that it sees is what a person expects
            known = self._cameras[camera] = _Camera(state, GOOD, now, age_s, now)
        if known.state != state:
            known.state, known.since = state, now
        known.age_s, known.seen = age_s, now

    def sign_of_life(self, now: float) -> None:
        """Anything else that shows that the describer is there."""
        self._last_sign = now

    def describer(self, now: float) -> str:
        """UNKNOWN (it may be starting), RUNNING or GONE; where there was a sign of its life, one of the last two."""
        if now - self._last_sign <= self._settings().describer_gone_s:
            return RUNNING
        return GONE if self._was_there or now - self._born > _FIRST_S else UNKNOWN

    @property
    def _was_there(self) -> bool:
        return math.isfinite(self._last_sign)

    def news(self, now: float) -> list[News]:
        """What has changed and was not told."""
        if self.describer(now) == GONE:
            # That one without a heartbeat was back is nowhere told.
            known = self._told_gone and (self.beats or self._last_sign == self._told_sign)
            return [] if known else [News(None, is_new=not self._was_there)]
        if self.describer(now) == UNKNOWN:
            return []
        several = len(self._cameras) > 1
        if self._told_gone:   # what was told of its cameras is forgotten with it
            worst = [name for name, one in self._cameras.items() if one.state != GOOD]
            if not worst:
                return [News(GOOD)] if self._cameras else []
        return [News(one.state, name if several else '') for name, one in self._cameras.items()
                if one.state != one.told and (one.state != OFF or now - one.since >= _OFF_S)]

    def told(self, news: News) -> None:
        """The person heard this."""
        if news.state is None:
            self._told_gone, self._told_sign = True, self._last_sign
            self._cameras.clear()   # when it is back they are looked at anew
            return
        self._told_gone = False
        for name, one in self._cameras.items():
            if not news.camera or name == news.camera:
                one.told = news.state

    def told_by_the_way(self, state: int) -> None:
        """The person was told of this state as the reason of something else."""
        for one in self._cameras.values():
            if one.state == state:
                one.told = state

    def holds(self, now: float, news: News) -> bool:
        """Whether it is still true."""
        return news in self.news(now)

    def sees(self) -> News | None:
        """How it is: GOOD where some camera sees and none is in trouble, else the first trouble; None unknown."""
        several = len(self._cameras) > 1
        states = [News(one.state, name if several else '') for name, one in self._cameras.items()]
        return next((one for one in states if one.state != GOOD), states[0] if states else None)

    def picture_age_s(self, now: float) -> float:
        """Of the newest picture of any camera, NaN none."""
        ages = [one.age_s + now - one.seen for one in self._cameras.values() if math.isfinite(one.age_s)]
        return min(ages, default=math.nan) if self.describer(now) == RUNNING else math.nan
