"""Voices by name: each is a synthesizer and a place where its sound goes. They know no policy and no ROS."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dam_ros.voices.protocol import Voice, VoiceError

NAMES = ('pyttsx3', 'espeak', 'wav', 'silent')
AUTO = ('pyttsx3', 'espeak')   # in this order; after them `silent`


def create(name: str, options: Mapping[str, Any] | None = None) -> Voice:
    """The voice of this name.

    Args:
        options: language (BCP 47, for texts in one that the voice has not), rate_wpm (the usual one), wav_dir,
            wav_mode ('session', 'files').

    Raises:
        VoiceError: there is no such voice, or its folder cannot be written.
    """
    # Imported here: `silent` must work where everything else is missing.
    from dam_ros.voices.synthesized import Synthesized
    options = options or {}
    language = options.get('language', 'en')
    if name == 'silent':
        from dam_ros.voices.silent import Metronome, Nowhere
        return Synthesized(name, Metronome(), Nowhere())
    if name == 'pyttsx3':
        from dam_ros.voices.device import Device
        from dam_ros.voices.pyttsx3_voice import Pyttsx3
        return Synthesized(name, Pyttsx3(language=language, rate_wpm=options.get('rate_wpm', 175.0)), Device())
    from dam_ros.voices.espeak import Espeak
    synthesizer = Espeak(default_language=language)
    if name == 'espeak':
        from dam_ros.voices.device import Device
        return Synthesized(name, synthesizer, Device())
    if name == 'wav':
        from dam_ros.voices.wav import Files, Session
        kind = Files if options.get('wav_mode') == 'files' else Session
        return Synthesized(name, synthesizer, kind(options.get('wav_dir') or '.'))
    raise VoiceError(f"voice is {name!r}; allowed: {', '.join(('auto', *NAMES))}")
