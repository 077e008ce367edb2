"""The parameters of speech_node, each declared once."""
from __future__ import annotations

from dataclasses import dataclass

from dam_ros.core.settings import setting

VOICES = ('auto', 'pyttsx3', 'espeak', 'wav', 'silent')
WAV_MODES = ('session', 'files')


@dataclass(frozen=True)
class SpeechSettings:
    """See each field's text; `docs/parameters.md` is the same as a table."""

    describe_node: str = setting('describe_node', 'name of the node whose description, partial and describe are used, '
                                 'relative to the namespace')
    # -- the voice
    voice: str = setting('auto', 'who speaks; auto takes pyttsx3, espeak or silent, the first that works',
                         choices=VOICES)
    rate_wpm: float = setting(175.0, 'words per minute of requests that do not say it', unit='words/min', low=80.0,
                              high=500.0, live=True)
    language: str = setting('en', 'BCP 47, of texts that do not say it', live=True)
    wav_dir: str = setting('', 'folder that the voice wav writes to; what is said lies there for everyone who may read')
    wav_mode: str = setting('session', 'session: real time, one track per run with its silences and a list of events; '
                            'files: one WAV per text, as fast as they can be written', choices=WAV_MODES)
    # -- when it speaks
    stale_after_s: float = setting(5.0, 'narration older than this is dropped: age of the picture plus the wait',
                                   unit='s', low=0.1, high=600.0, live=True)
    asked_stale_after_s: float = setting(60.0, 'what was asked for is dropped after waiting this long', unit='s',
                                         low=0.1, high=600.0, live=True)
    hush_quiet_s: float = setting(10.0, 'nothing volunteered is spoken for this long after a hush', unit='s', low=0.0,
                                  high=600.0, live=True)
    hold_s: float = setting(10.0, 'how long an answer that is still being written keeps the floor without a new '
                            'sentence', unit='s', low=0.1, high=600.0, live=True)
    waiting: int = setting(32, 'how many narrations may wait; the oldest goes first', low=1, high=1000, live=True)
    # -- more
    more_timeout_s: float = setting(30.0, 'how long the describer may take for ~/more', unit='s', low=0.1, high=600.0,
                                    live=True)
    remember: int = setting(32, 'how many descriptions are kept for ~/more', low=1, high=1000)
