"""Voices by name: most are a synthesizer and a place where its sound goes. They know no policy and no ROS.

Options, all of which may be missing:
    voice, voices: who speaks ('auto' = the first of `voices` that works).
    language (BCP 47), rate_wpm, pitch, voice_name: the usual ones; each utterance brings its own.
    piper_model: path of the .onnx file.
    wav_dir, wav_mode ('session', 'files').
    sound_to ('device', 'topic', 'both'), publish: where sound goes, and `published.Publish` for the topic.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dam_ros.core.errors import complaint
from dam_ros.voices.protocol import Output, Synthesizer, Voice, VoiceError

NAMES = ('speechd', 'pyttsx3', 'espeak', 'piper', 'wav', 'silent')
AUTO = ('speechd', 'pyttsx3', 'espeak')   # in this order; after them `silent`
# What each module needs is imported where it is used: `silent` must work where everything else is missing.


def create(name: str, options: Mapping[str, Any] | None = None) -> Voice:
    """The voice of this name.

    Raises:
        VoiceError: there is no such voice, or its folder cannot be written.
    """
    from dam_ros.voices.synthesized import Synthesized
    options = options or {}
    if name == 'speechd':
        from dam_ros.voices.speechd import Speechd
        return Speechd(earcons_to=_device(options))
    if name == 'silent':
        from dam_ros.voices.silent import Metronome, Nowhere
        return Synthesized(name, Metronome(), Nowhere())
    return Synthesized(name, _synthesizer(name, options), _output(name, options))


def refusal(options: Mapping[str, Any]) -> str:
    """Why these options cannot be served, with the list of what is there; '' = they can. May take some seconds.

    It concerns what was named: a program, module, model or name of a voice that is not there. A sound card that is not
    there is no reason: it may come.
    """
    name, voice_name = options.get('voice', 'auto'), options.get('voice_name', '')
    if name not in ('auto', *NAMES):
        return complaint('voice', name, ', '.join(('auto', *NAMES)))
    if name == 'speechd' and options.get('sound_to', 'device') != 'device':
        return complaint('voice', name, 'others, where sound_to is topic or both',
                         'speech-dispatcher plays its sound itself and gives none away')
    why = '' if name == 'auto' else _missing(name, options)
    if why:
        return complaint('voice', name, f'{_usable(options)} (those that work here)', why)
    if not voice_name or name == 'silent':
        return ''
    there: dict[str, str] = {}
    for one in candidates(options):
        there.update(_names(one, options))
    if _has(there, voice_name):
        return ''
    return complaint('voice_name', voice_name, _listed(there, options.get('language', 'en')))


def candidates(options: Mapping[str, Any]) -> list[str]:
    """The voices to try, in this order, for the options `voice` and `voices`.

    Of auto, those that have the named voice come first, and speech-dispatcher is left out where sound goes to a topic.
    """
    name, voice_name = options.get('voice', 'auto'), options.get('voice_name', '')
    if name != 'auto':
        return [name]
    found = [one for one in options.get('voices') or AUTO
             if one != 'speechd' or options.get('sound_to', 'device') == 'device']
    if voice_name:
        found.sort(key=lambda one: not _has(_names(one, options), voice_name))
    return found


def _synthesizer(name: str, options: Mapping[str, Any]) -> Synthesizer:
    language = options.get('language', 'en')
    if name == 'pyttsx3':
        from dam_ros.voices.pyttsx3_voice import Pyttsx3
        return Pyttsx3(language=language, rate_wpm=options.get('rate_wpm', 175.0), pitch=options.get('pitch', 50),
                       voice_name=options.get('voice_name', ''))
    if name in ('espeak', 'wav'):
        from dam_ros.voices.espeak import Espeak
        return Espeak(default_language=language)
    if name == 'piper':
        from dam_ros.voices.piper import Piper
        return Piper(options.get('piper_model', ''), rate_wpm=options.get('rate_wpm', 175.0),
                     voice_name=options.get('voice_name', ''), others=_synthesizer('espeak', options))
    raise VoiceError(complaint('voice', name, ', '.join(('auto', *NAMES))))


def _output(name: str, options: Mapping[str, Any]) -> Output:
    if name == 'wav':
        from dam_ros.voices.wav import Files, Session
        kind = Files if options.get('wav_mode') == 'files' else Session
        return kind(options.get('wav_dir') or '.')
    return _device(options)


def _device(options: Mapping[str, Any]) -> Output:
    from dam_ros.voices.device import Device
    sound_to = options.get('sound_to', 'device')
    if sound_to == 'device':
        return Device()
    from dam_ros.voices.published import Both, Published
    published = Published(options['publish'])
    return published if sound_to == 'topic' else Both(Device(), published)


# -- what is there


def _missing(name: str, options: Mapping[str, Any]) -> str:
    """What this voice lacks but a sound card; '' = nothing."""
    if name == 'silent':
        return ''
    source = _source(name, options)
    try:
        return source.check()
    finally:
        source.close()


def _names(name: str, options: Mapping[str, Any]) -> Mapping[str, str]:
    if name == 'silent':
        return {}
    source = _source(name, options)
    try:
        return source.names()
    finally:
        source.close()


def _source(name: str, options: Mapping[str, Any]):
    """What makes the sound: a synthesizer, or a voice that is one."""
    return create(name, options) if name == 'speechd' else _synthesizer(name, options)


def _usable(options: Mapping[str, Any]) -> str:
    return ', '.join(one for one in ('auto', *NAMES) if one == 'auto' or not _missing(one, options))


def _has(names: Mapping[str, str], wanted: str) -> bool:
    """Whether a voice is among them: by its name, by its language, or with a variant, as in en-gb+f3."""
    from dam_ros.voices.espeak_voices import plain
    known = {plain(one) for one in (*names, *names.values())}
    name, plus, variant = wanted.partition('+')
    return (not name or plain(name) in known) and (not plus or plain(f'+{variant}') in known)


def _listed(names: Mapping[str, str], language: str) -> str:
    """Those for the language and those for any, in words; the others as a number."""
    from dam_ros.voices.espeak_voices import primary
    near = [one for one, spoken in names.items() if not spoken or primary(spoken) == primary(language)]
    others = len(names) - len(near)
    words = ', '.join(near) or f'none for {language}'
    return words + (f' ({others} more for other languages)' if others else '')
