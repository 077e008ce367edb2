"""The parameters of speech_node, each declared once."""
from __future__ import annotations

from dataclasses import dataclass

from dam_ros.core.settings import setting

VOICES = ('auto', 'speechd', 'pyttsx3', 'espeak', 'piper', 'wav', 'silent')
WAV_MODES = ('session', 'files')
SLOWEST_WPM, FASTEST_WPM = 80.0, 500.0


@dataclass(frozen=True)
class SpeechSettings:
    """See each field's text; `docs/parameters.md` is the same as a table."""

    describe_node: str = setting('describe_node', 'name of the node whose description, partial and describe are used, '
                                 'relative to the namespace')
    # -- the voice
    voice: str = setting('auto', 'who speaks; auto: the first of `voices` that works', choices=VOICES)
    voices: list[str] = setting(['speechd', 'pyttsx3', 'espeak'], 'of auto: tried in this order; what hangs, '
                                'dies or finds no device is replaced by the next', choices=VOICES[1:])
    voice_name: str = setting('', "name of the voice within the synthesizer, '' = by the language")
    piper_model: str = setting('', 'of piper: the .onnx file of its voice')
    pitch: int = setting(50, 'height of the voice, 50 as it is', low=0, high=100, live=True)
    volume: int = setting(100, 'loudness, 100 as it is', unit='%', low=0, high=200, live=True)
    sound_to: str = setting('device', 'where sound goes: the sound card, ~/audio for another machine, or both',
                            choices=('device', 'topic', 'both'))
    earcons: bool = setting(True, 'short sounds for heard, working, unsure, error and off; ~/cue names them anyway',
                            live=True)
    rate_wpm: float = setting(175.0, 'words per minute of requests that do not say it',
                              unit='words/min', low=SLOWEST_WPM, high=FASTEST_WPM, live=True)
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
    progress_after_s: float = setting(2.0, 'progress is told only where somebody has waited this long',
                                      unit='s', low=0.0, high=600.0, live=True)
    working_every_s: float = setting(3.0, 'how often an unanswered question sounds `working`', unit='s', low=0.5,
                                     high=600.0, live=True)
    waiting: int = setting(32, 'how many narrations may wait; the oldest goes first', low=1, high=1000, live=True)
    announce_sight: bool = setting(True, 'say once when a camera or the describer stops seeing, and when it sees again',
                                   live=True)
    describer_gone_s: float = setting(2.5, 'without a sign of life for this long the describer is gone',
                                      unit='s', low=0.5, high=60.0, live=True)
    # -- how it says what it says
    doubt_below: float = setting(0.5, 'confidence of a sentence below which "perhaps" is said first; uncalibrated, see '
                                 'docs/speech.md', low=0.0, high=1.0, live=True)
    abstain_below: float = setting(0.25, 'confidence of the first sentence below which only "I am not sure" is said',
                                   low=0.0, high=1.0, live=True)
    say_where: bool = setting(True, 'say where the thing is, while that is still true', live=True)
    clock_reference: str = setting('camera', 'person: the camera faces as the person does, so clock hours and sides '
                                   'are theirs; camera: only "in the picture, right" is said',
                                   choices=('camera', 'person'), live=True)
    direction_words: str = setting('clock', "of clock_reference person: 2 o'clock, right, or 60 degrees right",
                                   choices=('clock', 'left_right', 'degrees'), live=True)
    turned_deg: float = setting(15.0, 'a direction is not said any more once the camera has turned this far',
                                unit='deg', low=1.0, high=180.0, live=True)
    turning_deg_s: float = setting(20.0, 'while the camera turns faster than this nothing is volunteered',
                                   unit='deg/s', low=1.0, high=1000.0, live=True)
    turned_after_s: float = setting(2.0, 'where nobody knows how the camera turns, a direction holds this long',
                                    unit='s', low=0.0, high=600.0, live=True)
    old_picture_s: float = setting(10.0, 'an answer begins with the age of its picture where that is older than this',
                                   unit='s', low=1.0, high=3600.0, live=True)
    # -- not the same again
    repeat_after_s: float = setting(30.0, 'the same thing is not volunteered again within this time unless it changed',
                                    unit='s', low=0.0, high=3600.0, live=True)
    repeat_alike: float = setting(0.55, 'share of common content words from which on two descriptions say the same',
                                  low=0.0, high=1.0, live=True)
    repeat_deg: float = setting(15.0, 'a thing that went further to the side than this has changed',
                                unit='deg', low=0.0, high=180.0, live=True)
    repeat_distance: float = setting(0.3, 'a thing whose distance changed by more than this share of it has changed',
                                     low=0.0, high=10.0, live=True)
    # -- narration
    narrate: str = setting('off', 'what is described of its own accord: nothing, labels that are new, or all that are '
                           'there and changed', choices=('off', 'new', 'all'), live=True)
    narrate_every_s: float = setting(5.0, 'at most one narration in this time',
                                     unit='s', low=0.1, high=3600.0, live=True)
    narrate_share: float = setting(0.5, "at most this share of the describer's time goes into narration", low=0.01,
                                   high=1.0, live=True)
    narrate_changed_bits: int = setting(14, 'of the 64 of Present.appearance: so many differ where a thing has changed',
                                        low=1, high=64, live=True)
    battery_low: float = setting(0.15, 'charge below which narration is reduced, and that is said', low=0.0, high=1.0,
                                 live=True)
    # -- captions, for braille displays
    caption_wpm: float = setting(100.0, 'captions come no faster than they can be read; 0 = only by hand, with ~/next',
                                 unit='words/min', low=0.0, high=10000.0, live=True)
    # -- what it keeps
    greeting: str = setting('first', 'when to say what this is and how to silence it: at the very first start, always, '
                            'never', choices=('first', 'always', 'never'))
    state_dir: str = setting('', "folder that keeps the rate and that the greeting was said, nothing else; '' = "
                             '$XDG_STATE_HOME/dam_ros')
    record_to: str = setting('', "folder for what is said, which is announced aloud; '' = nothing is ever kept")
    # -- asking
    more_timeout_s: float = setting(30.0, 'how long the describer may take for ~/more', unit='s', low=0.1, high=600.0,
                                    live=True)
    refer_for_s: float = setting(60.0, 'how long ~/ask is about the last thing that was heard; then it is about '
                                 'the newest picture', unit='s', low=1.0, high=3600.0, live=True)
    remember: int = setting(32, 'how many descriptions are kept for ~/more', low=1, high=1000)
