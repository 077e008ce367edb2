"""A listener who writes down what sounds, for tests of the speech policy: the clock is a number, the voice a list.

    stage = Stage(); stage.say('A mug.'); stage.sentence_ends()      speaking.py alone
    room = Room(); room.description('a', 'A mug.', 'A mug.')         all of the policy, beside a describer
"""
from __future__ import annotations

from dataclasses import replace
import itertools
import math
from types import SimpleNamespace

from dam_ros.core.headings import Heading
from dam_ros.core.narrating import things_of
from dam_ros.core.policy import Policy
from dam_ros.core.speakable import cut
from dam_ros.core.speaking import Speaking
from dam_ros.core.speech_acts import Cue, Done, Earcon, Request, Speak, Stop, TOLD
from dam_ros.core.speech_settings import SpeechSettings
from dam_ros.core.steering import Condition, Question, Reply

NAN = math.nan
DEGREE = math.pi / 180


class Stage:
    """A listener who writes down what sounds: `sounding`, `heard` (begun, in order), `results` (key to code)."""

    def __init__(self, deaf_to_earcons: bool = False, **settings):
        self.deaf_to_earcons = deaf_to_earcons   # they take no time and are not written down
        self.settings = replace(SpeechSettings(), **settings)
        self.now = 100.0
        self.speaking = Speaking(lambda: self.settings, self.now)
        self.sounding: Speak | None = None
        self.heard: list[str] = []
        self.aloud: list[bool] = []
        self.cues: list[str] = []
        self.results: dict[str, int] = {}
        self.spoken_chars: dict[str, int] = {}
        self.keys = itertools.count()

    def say(self, text: str, priority: int = TOLD, *, valid_s: float = math.inf, open_: bool = False, about: str = '',
            began: float | None = None) -> str:
        began = self.now if began is None else began
        request = Request(f'{next(self.keys)} {text}', priority, cut(text), began, self.now + valid_s, open=open_,
                          about=about)
        self.take(self.speaking.request(self.now, request))
        return request.key

    def take(self, acts) -> None:
        for act in acts:
            if isinstance(act, Speak):
                assert self.sounding is None, 'two voices at once'
                if self.deaf_to_earcons and isinstance(act.item, Earcon):
                    self.take(self.speaking.ended(self.now, act.number, heard=True))
                    continue
                self.sounding = act
                self.heard.append(f'<{act.item.name}>' if isinstance(act.item, Earcon) else act.item.text)
                self.aloud.append(act.aloud)
                self.speaking.started(self.now, act.number)
            elif isinstance(act, Stop):
                assert self.sounding is not None, 'nothing to stop'
                self.sounding = None
            elif isinstance(act, Cue):
                self.cues.append(act.name)
            elif isinstance(act, Done):
                assert act.request.key not in self.results, 'two answers to one request'
                self.results[act.request.key] = act.code
                self.spoken_chars[act.request.key] = act.request.heard_chars

    def sentence_ends(self, heard: bool = True) -> None:
        number, self.sounding = self.sounding.number, None
        self.take(self.speaking.ended(self.now, number, heard=heard))

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.take(self.speaking.tick(self.now))

    def hush(self, *known: str) -> None:
        self.take(self.speaking.hush(self.now, known))

    def mute(self, muted: bool = True) -> None:
        self.take(self.speaking.mute(self.now, muted))

    @property
    def text(self) -> str:
        item = self.sounding.item if self.sounding else None
        return f'<{item.name}>' if isinstance(item, Earcon) else item.text if item else ''


def message(id: str, speak: int, **fields) -> SimpleNamespace:
    """With the fields that Partial.msg and Description.msg share, as a fresh message has them."""
    stamp_ns = int(fields.pop('stamp_s', 0.0) * 1e9)
    stamp = SimpleNamespace(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
    header = SimpleNamespace(stamp=stamp, frame_id='camera')
    usual = {'language': 'en', 'query': '', 'camera': '', 'label': -1, 'where': '', 'where_frame': 'camera',
             'bearing_rad': NAN, 'distance_m': NAN, 'clock_hour': 0, 'confidence': NAN, 'error_code': 0,
             'describer': '', 'age_s': NAN}
    return SimpleNamespace(id=id, speak=speak, header=header, **{**usual, **fields})


class Room(Stage):
    """A stage with the whole policy, that overhears a describer. `heard` holds what was begun, in order.

    Attributes:
        question: what the describer was asked last on behalf of the person, None = nothing.
        message: of the last reply to a command.
    """

    def __init__(self, deaf_to_earcons: bool = False, **settings):
        super().__init__(deaf_to_earcons, **{'earcons': deaf_to_earcons, 'announce_sight': False, **settings})
        self.policy = Policy(lambda: self.settings, self.now)
        self.speaking = self.policy.speaking
        self.question: Question | None = None
        self.message = ''
        self.now += 100.0   # it has been there for a while

    # -- a describer

    def partial(self, id_: str, seq: int, piece: str = '', offset: int = 0, *, end: bool = False, speak: int = 2,
                done: bool = False, code: int = 0, **fields) -> None:
        self.take(self.policy.overheard.partial(self.now, message(
            id_, speak, seq=seq, piece=piece, offset=offset, sentence_end=end, done=done,
            **{'error_code': code, **fields})))

    def stream(self, id_: str, sentences: list[str], *, speak: int = 2, done: bool = True, **fields) -> None:
        """A well-behaved describer."""
        self.partial(id_, 0, speak=speak, **fields)
        offset = 0
        for seq, sentence in enumerate(sentences, 1):
            self.partial(id_, seq, sentence + ' ', offset, end=True, speak=speak, **fields)
            offset += len(sentence) + 1
        if done:
            self.partial(id_, len(sentences) + 1, '', offset, done=True, speak=speak, **fields)

    def description(self, id_: str, text: str = '', brief: str = '', *, speak: int = 2, code: int = 0,
                    age_s: float = 0.0, total_s: float = 0.0, **fields) -> None:
        self.take(self.policy.overheard.description(self.now, message(
            id_, speak, text=text, brief=brief, age_s=age_s, total_s=total_s,
            **{'error_code': code, 'abstained': False, **fields})))

    def narrate(self, id_: str, brief: str, **fields) -> None:
        """Something volunteered."""
        self.description(id_, brief, brief, speak=1, **fields)

    def present(self, *labels: int, camera: str = '', stamp_s: float = 0.0, areas=(), distances=(), looks=()) -> None:
        self.policy.present.saw(camera, int(stamp_s * 1e9), things_of(labels, areas, distances, looks))
        self.policy.narrating.saw(self.now, camera)

    def sight(self, state: int = 0, *, camera: str = '', age_s: float = 0.1, stamp_s: float = 0.0,
              heading_deg: float = NAN, epoch: int = 0, turning_deg_s: float = NAN) -> None:
        self.policy.seeing.sight(self.now, camera, state, age_s)
        self.policy.headings.saw(self.now, camera, Heading(int(stamp_s * 1e9), heading_deg * DEGREE, epoch),
                                 turning_deg_s * DEGREE)

    # -- a person

    def press(self, name: str) -> bool:
        """repeat, more, back, next, read, spell, pause, quiet, help. Returns whether it could be done."""
        return self._reply(getattr(self.policy.steering, name)(self.now))

    def ask(self, query: str) -> bool:
        return self._reply(self.policy.steering.ask(self.now, query))

    def status(self, narration: str = 'off', charge: float = NAN) -> str:
        self._reply(self.policy.steering.status(self.now, Condition(narration, charge)))
        return self.message

    def asked(self, id_: str) -> None:
        """The question of this id is on its way."""
        self.take(self.policy.overheard.asked(self.now, id_))

    def _reply(self, reply: Reply) -> bool:
        self.take(reply.acts)
        self.question, self.message = reply.question, reply.message
        return reply.ok

    def wait(self, seconds: float, step: float = 0.1) -> None:
        """Time passes, ticking; nothing that sounds ends by itself."""
        for _ in range(max(round(seconds / step), 1)):
            self.now += seconds / max(round(seconds / step), 1)
            self.take(self.policy.tick(self.now))

    def listen(self) -> list[str]:
        """All that is spoken until it is quiet."""
        while self.sounding:
            self.sentence_ends()
        return self.heard
