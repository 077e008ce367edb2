"""What the speech policy takes and gives: requests to speak, and acts for whoever has the voice.

It knows neither the policy nor a voice.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
import math

from dam_ros.core import errors
from dam_ros.core.speakable import Sentence

TOLD, ASKED, URGENT, PROGRESS = 1, 2, 3, 4   # Say.TOLD, ...
SPEAK_NO, SPEAK_TOLD, SPEAK_ASKED = 0, 1, 2      # Description.SPEAK_NO, ...: whether an answer is to be spoken
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


# Earcons, as ~/cue names them: a question was heard; it is still being worked on; what comes is doubtful; it failed;
# something is off (a camera, the describer, narration, or all speech after a hush).
HEARD, WORKING, UNSURE, ERROR, OFF = CUES = ('heard', 'working', 'unsure', 'error', 'off')


@dataclass(frozen=True)
class Earcon:
    """A short sound instead of a sentence. `name`: one of CUES."""

    name: str


# What a request consists of. The last kind is worded when its turn comes, as it may not be true any more by then:
# it gets the time and returns its sentence, or None.
Item = Sentence | Earcon | Callable[[float], Sentence | None]


@dataclass(eq=False)
class Request:
    """One thing to say, and how far it has come.

    Attributes:
        key: unique among all requests.
        priority: TOLD, ASKED, URGENT or PROGRESS.
        sentences: its items.
        began: s, when what it tells of was asked for.
        valid_until: s, later than that it is not begun any more.
        open: more sentences may come.
        about: id of the description it belongs to, '' none.
        on_demand: a person has just pressed a key for it: an earlier hush does not concern it.
        own: the system's own phrase; `repeat` and `more` do not refer to it.
        first: of what waits with its priority, this goes before all others.
        whole: all that is known of its description was put behind what it was.
        origin: what it says again, None where it is new.
        check: asked just before its first word, with the time: 0, or the ErrorCode that says why it is not spoken.
        on_begun, on_done: told the time of its first sample, and the code of its end.
        next: index of the item being spoken or to be spoken next.
        heard_chars: how far into the text the listener has come.
        shortfall: 0, or the code that says why some of it was not audible.
    """

    key: str
    priority: int
    sentences: list[Item]
    began: float
    valid_until: float = math.inf
    open: bool = False
    about: str = ''
    language: str = ''
    rate_wpm: float = 0.0
    on_demand: bool = False
    own: bool = False
    first: bool = False
    whole: bool = False
    origin: Request | None = None
    check: Callable[[float], int] | None = field(default=None, repr=False)
    on_begun: Callable[[float], None] | None = field(default=None, repr=False)
    on_done: Callable[[int], None] | None = field(default=None, repr=False)
    next: int = 0
    heard_chars: int = 0
    shortfall: int = 0
    idle_since: float = field(default=-math.inf, repr=False)

    @property
    def volunteered(self) -> bool:
        return self.priority in (TOLD, PROGRESS)

    @property
    def begun(self) -> bool:
        return self.next > 0

    @property
    def has_words(self) -> bool:
        """False where it consists of earcons, and of words in place of those."""
        return any(isinstance(item, Sentence) for item in self.sentences)

    @property
    def text(self) -> str:
        """As far as it is worded."""
        return ' '.join(item.text for item in self.sentences if isinstance(item, Sentence))


@dataclass(frozen=True)
class Arrived:
    """A request was taken in; exactly one Done of it will follow."""

    request: Request


@dataclass(frozen=True)
class Speak:
    """Speak this now (`aloud` false: only pace it as if it were spoken), and tell `ended` with its number."""

    number: int
    request: Request
    item: Sentence | Earcon
    aloud: bool


@dataclass(frozen=True)
class Cue:
    """An earcon is named on ~/cue, and not to be heard. `name`: one of CUES."""

    name: str


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


Act = Arrived | Speak | Cue | Stop | Done
