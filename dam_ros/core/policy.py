"""The speech policy, put together: who speaks, what of answers is told, and what a person wants of it.

Pure like its parts: time is a number handed in. It knows no voice and no ROS.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence

from dam_ros.core import phrases
from dam_ros.core.errors import Hushed, Muted, NoFrame, Superseded
from dam_ros.core.freshness import Freshness
from dam_ros.core.headings import Headings
from dam_ros.core.narrating import Narrating
from dam_ros.core.overheard import Overheard
from dam_ros.core.present_labels import PresentLabels
from dam_ros.core.rendering import Rendering, spoken
from dam_ros.core.seeing import GONE, GOOD, News, NO_PICTURE, Seeing
from dam_ros.core.speakable import Sentence
from dam_ros.core.speaking import Speaking
from dam_ros.core.speech_acts import Act, Earcon, Item, OFF, Request, TOLD, WORKING
from dam_ros.core.speech_settings import SpeechSettings
from dam_ros.core.steering import Steering


class Policy:
    """Its parts are its attributes; here is what concerns several of them.

    Args:
        settings: as they count now.
        now: s, the steady clock.
    """

    def __init__(self, settings: Callable[[], SpeechSettings], now: float):
        self._settings = settings
        self.headings, self.present = Headings(settings), PresentLabels()
        self.rendering = Rendering(settings, self.headings)
        self.speaking = Speaking(settings, now, (Earcon(WORKING), self._working))
        self.narrating = Narrating(settings, self.present)
        self.freshness = Freshness(settings, self.headings, self.present, self.narrating.told)
        self.overheard = Overheard(self.speaking, settings, self.rendering, self.freshness)
        self.overheard.on_failure = self._on_failure
        self.seeing = Seeing(settings, now)
        self.steering = Steering(settings, self.speaking, self.overheard, self.rendering, self.seeing, self.present)
        self._announcing: News | None = None
        self._begun = False   # its first word was heard

    def tick(self, now: float) -> list[Act]:
        """Time has passed. To be called a few times a second."""
        self.speaking.camera_turns = self.headings.turns(now)
        return self.overheard.tick(now) + self._announce(now) + self.speaking.tick(now)

    def volunteer(self, now: float, items: Sequence[Item], key: str, on_done: Callable[[int], None] | None = None,
                  check: Callable[[float], int] | None = None,
                  on_begun: Callable[[float], None] | None = None) -> list[Act]:
        """The system's own words, of its own accord: before any narration, and never stale."""
        return self.speaking.request(now, Request(key, TOLD, list(items), now, own=True, first=True, on_done=on_done,
                                                  check=check, on_begun=on_begun))

    def describer_is_gone(self, now: float) -> list[Act]:
        """Nobody will answer any more: who asked is told so, once; what was there is not known any more."""
        self.present.forget()
        questions = list(self.speaking.questions)
        acts = self.overheard.abandon(now)   # what it was telling breaks off here
        for id in questions:
            acts += self.speaking.give_up(now, id)
        if questions and self._announcing is None:
            self.seeing.told(News(None))
            acts += self.overheard.say(now, self.rendering.own_sentences(phrases.DESCRIBER_GONE), questions[0])
        return acts

    def no_describer(self, now: float, id: str) -> list[Act]:
        """A person has asked, and nobody is there to answer: that is said once, not announced as well."""
        if self.seeing.describer(now) == GONE:
            self.seeing.told(News(None))
        return self.overheard.say(now, self.rendering.own_sentences(phrases.NO_DESCRIBER), id)

    # -- what can be seen

    def _on_failure(self, code: int) -> None:
        if code == NoFrame.code:
            self.seeing.told_by_the_way(NO_PICTURE)

    def _announce(self, now: float) -> list[Act]:
        if not self._settings().announce_sight or self._announcing is not None or not self.speaking.may_volunteer(now):
            return []
        news = next(iter(self.seeing.news(now)), None)
        if news is None:
            return []
        self._announcing, self._begun = news, False
        items = self._words(news)
        if news.state != GOOD:
            items.insert(0, Earcon(OFF))
        return self.volunteer(now, items, f'sight {now}', lambda code: self._announced(news, code),
                              lambda when: 0 if self.seeing.holds(when, news) else Superseded.code, self._on_begun)

    def _on_begun(self, _now: float) -> None:
        self._begun = True

    def _announced(self, news: News, code: int) -> None:
        self._announcing = None
        if code == Superseded.code:   # it was cut short by something else, or was not true any more
            return
        if code not in (Hushed.code, Muted.code) or self._begun:   # what ended before its first word was not told
            self.seeing.told(news)

    def _words(self, news: News) -> list[Item]:
        if news.state is None:
            return self.rendering.own_sentences(phrases.NO_DESCRIBER if news.is_new else phrases.DESCRIBER_GONE)
        return spoken(phrases.of_sight(news.state, self._settings().language, news.camera))

    def _working(self, now: float) -> Sentence | None:
        return None if self._settings().earcons else self.rendering.own(phrases.WORKING)
