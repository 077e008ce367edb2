"""What the speech policy takes and gives: requests to speak, and acts for whoever has the voice.

It knows neither the policy nor a voice.
"""
from __future__ import annotations

from dataclasses import dataclass, field
import math

from dam_ros.core import errors
from dam_ros.core.speakable import Sentence

TOLD, ASKED, URGENT, PROGRESS = 1, 2, 3, 4   # Say.TOLD, ...
PRIORITY_NAMES = {TOLD: 'told', ASKED: 'asked', URGENT: 'urgent', PROGRESS: 'progress'}
SPOKEN = 0
REASONS = {
    SPOKEN: '',
    errors.Superseded.code: 'something newer or more urgent was spoken instead',
    errors.Hushed.code: 'a person asked for silence',
    errors.Muted.code: 'speech is muted; the text went out as a caption',
    errors.NoVoice.code: 'no voice works; the text went out as a caption. The diagnostics say why',
    errors.TooLate.code: 'it was stale when its turn came',
    errors.Cancelled.code: 'the caller cancelled',
}


@dataclass(eq=False)
class Request:
    """One thing to say, and how far it has come.

    Attributes:
        key: unique among all requests.
        priority: TOLD, ASKED, URGENT or PROGRESS.
        began: s, when what it tells of was asked for.
        valid_until: s, later than that it is not begun any more.
        open: more sentences may come.
        about: id of the description it belongs to, '' none.
        on_demand: a person has just pressed a key for it: an earlier hush does not concern it.
        own: the system's own phrase; `repeat` and `more` do not refer to it.
        next: index of the sentence being spoken or to be spoken next.
        heard_chars: how far into the text the listener has come.
        shortfall: 0, or the code that says why some of it was not audible.
    """

    key: str
    priority: int
    sentences: list[Sentence]
    began: float
    valid_until: float = math.inf
    open: bool = False
    about: str = ''
    language: str = ''
    rate_wpm: float = 0.0
    on_demand: bool = False
    own: bool = False
    next: int = 0
    heard_chars: int = 0
    shortfall: int = 0
    idle_since: float = field(default=-math.inf, repr=False)

    @property
    def volunteered(self) -> bool:
        return self.priority in (TOLD, PROGRESS)


@dataclass(frozen=True)
class Arrived:
    """A request was taken in; exactly one Done of it will follow."""

    request: Request


@dataclass(frozen=True)
class Speak:
    """Speak this sentence now (`aloud` false: only pace it as if it were spoken), and tell `ended` with its number."""

    number: int
    request: Request
    sentence: Sentence
    aloud: bool


@dataclass(frozen=True)
class Stop:
    """Silence, at once."""


@dataclass(frozen=True)
class Done:
    """The request has its one answer: an ErrorCode, 0 = spoken to the end."""

    request: Request
    code: int
    why: str = ''

    @property
    def message(self) -> str:
        """Why, in words; '' where it was spoken."""
        return self.why or REASONS[self.code]


Act = Arrived | Speak | Stop | Done
