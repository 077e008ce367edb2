"""What the system says in its own name, in plain words: never a code, never a claim that a way is free.

Every message is a constant here, in `place_words` or in `spelling`; in braces stands what is filled in. `phrase` brings
one into the language of the listener. It knows which error means what to a person, and nothing of voices or
descriptions.
"""
from __future__ import annotations

from dam_ros.core import errors, place_words, spelling
from dam_ros.core.catalogues import joined, phrase, Worded

__all__ = ['every_phrase', 'joined', 'of_battery', 'of_failure', 'of_narration', 'of_sight', 'phrase', 'Worded']

# -- who it is, and what can be asked of it
FIRST_START = ('I say what a camera sees.', 'I do not warn of obstacles.',
               'Say stop or press hush for silence, help for the commands.')
# The words for the commands are those that `commands.command_of` understands in the language.
HELP = ('Stop or hush gives silence, pause waits.', 'More tells the rest, repeat says it again.',
        'Back says what came before, next what came after.', 'Read reads text, spell spells the last word.',
        'Faster and slower change how quickly I speak.', 'Quiet leaves only what you ask, status tells how I am.',
        'Mute switches my voice off, unmute on.', 'Narration on tells what is new, narration off ends that.',
        'Anything else you say is a question about the last thing.')

# -- what was said
NOTHING_SAID_YET = 'I have not said anything yet.'
ALL_SAID = 'That was all I know.'
NOTHING_BEFORE = 'That was the first thing I remember.'
NOTHING_AFTER = 'That was the last thing I said.'
NOTHING_TO_PAUSE = 'I am not saying anything now.'
NO_WORD_TO_SPELL = 'I have not said a word to spell yet.'

# -- while somebody waits
HEARD_WORD = 'Yes.'
WORKING = 'Still looking.'
HOW_LONG = 'About {seconds} seconds.'

# -- doubt
PERHAPS = 'Perhaps:'
NOT_SURE = 'I am not sure.'
UNCERTAIN = 'Uncertain:'
CANNOT_TELL_SAFE = 'I cannot tell whether it is safe.'
TEXT_PERHAPS = 'text, perhaps:'
CANNOT_READ = 'I cannot read text reliably. Please have a text reader installed.'
NO_LETTERS = 'I found no letters in it.'

# -- how it is, the parts of `status`
READY = 'Ready.'
STARTING = 'Still starting.'
PICTURE_AGE = 'Picture {seconds} seconds old.'
NO_PICTURE = 'No picture.'
NARRATION_IS_OFF = 'Narration off.'
NARRATION_IS_NEW = 'Narration on for new things.'
NARRATION_IS_ALL = 'Narration on for new things and changes.'
BATTERY = 'Battery {percent} percent.'
IS_MUTED = 'Muted.'
IS_QUIET = 'Quiet.'
PAUSED = 'Paused.'

# -- what was switched
NARRATION_ON = 'I say what is new.'
NARRATION_ON_ALL = 'I say what is new and what changes.'
NARRATION_OFF = 'I do not narrate any more.'
NARRATION_WAITS = 'Battery low. I say what is new when it is charged.'
NARRATION_LESS = 'Battery low. I say only what is new.'
QUIET_ON = 'I speak only when asked.'
QUIET_OFF = 'I speak of my own accord again.'
UNMUTED = 'I can be heard again.'
RATE = '{rate} words per minute.'
FASTEST = 'I cannot speak faster.'
SLOWEST = 'I cannot speak slower.'
BATTERY_LOW = 'Battery low. I say less of my own accord.'
BATTERY_CHARGES = 'Battery charging. I say as much as before.'
BATTERY_BACK = 'Battery no longer low. I say as much as before.'
BATTERY_IS_LOW = 'Battery low.'   # this and the next two where there is no narration to be reduced
BATTERY_IS_CHARGING = 'Battery charging.'
BATTERY_IS_BACK = 'Battery no longer low.'

# -- what leaves or stays
LEAVES_DEVICE = 'Pictures leave this device. They are sent to {host}.'
RECORDING = 'What I say is being recorded.'

# -- what a camera can see, by Sight.state; and the same of one of several cameras
_SIGHT = {
    0: ('I can see again.', 'Camera {camera} can see again.'),
    1: ('I get no picture.', 'Camera {camera} gives no picture.'),
    2: ('The picture does not change any more.', 'The picture of camera {camera} does not change any more.'),
    3: ('It is too dark for me to see.', 'It is too dark for camera {camera}.'),
    4: ('Something covers the camera.', 'Something covers camera {camera}.'),
    5: ('The picture is blurred.', 'The picture of camera {camera} is blurred.'),
    6: ('The describer is switched off. Please switch it on.', 'Camera {camera} is switched off.'),
}
DESCRIBER_GONE = 'I cannot see now. Please start the describer again.'
NO_DESCRIBER = 'The describer is not running. Please start it.'

# -- failures; what was asked for on purpose to end needs no sentence
_SILENT = (errors.Cancelled.code, errors.Superseded.code, errors.Hushed.code, errors.Muted.code, errors.NoVoice.code,
           errors.TooLate.code)
_FAILURES = {
    errors.InvalidRequest.code: 'I did not understand what was asked. Please ask in other words.',
    errors.EmptyRegion.code: 'The place you asked about is outside the picture. Please choose another one.',
    errors.NoFrame.code: 'I get no picture. Please check the camera.',
    errors.StaleFrame.code: 'My last picture is too old. Please check the camera.',
    errors.UnknownLabel.code: 'I cannot find that in the picture any more. Please ask what is there now.',
    errors.UnknownDescription.code: 'I do not remember that any more. Please ask anew.',
    errors.NoLabelImage.code: 'I cannot tell the things in the picture apart. Please ask about all of it.',
    errors.Unsupported.code: 'I cannot do that. Say help for the commands.',
    errors.Busy.code: 'I am busy. Please ask again in a moment.',
    errors.DeadlineExceeded.code: 'I could not see that in time. Please ask again.',
    errors.NotActive.code: _SIGHT[6][0],
    errors.Loading.code: 'I am still starting. Please ask again in a moment.',
    errors.RemoteUnavailable.code: 'I cannot reach the describer. Please check the network.',
    errors.WorkerDied.code: 'The describer has failed and starts again. Please ask again in a moment.',
}
_OTHERWISE = 'The describer has failed. Please ask again.'


def of_failure(code: int) -> str:
    """The message for a person who asked and gets this code; '' where silence is what was wanted."""
    return '' if code in _SILENT else _FAILURES.get(code, _OTHERWISE)


def of_narration(narrate: str, low_battery: bool) -> str:
    """The message for narration that was switched to 'off', 'new' or 'all', of which a low battery takes a part."""
    switched = {'off': NARRATION_OFF, 'new': NARRATION_ON, 'all': NARRATION_ON_ALL}
    reduced = {'off': NARRATION_OFF, 'new': NARRATION_WAITS, 'all': NARRATION_LESS}
    return (reduced if low_battery else switched)[narrate]


def of_battery(low: bool, charging: bool, narrate: str) -> str:
    """The message for a battery that has become low, or is no longer; `narrate`: the setting, 'off', 'new' or 'all'."""
    if narrate == 'off':
        return BATTERY_IS_LOW if low else BATTERY_IS_CHARGING if charging else BATTERY_IS_BACK
    return BATTERY_LOW if low else BATTERY_CHARGES if charging else BATTERY_BACK


def of_sight(state: int, language: str, camera: str = '') -> Worded:
    """The sentence for a change to this state.

    Args:
        state: one of Sight.msg's constants; GOOD means that it sees again.
        camera: its name where there are several, else ''.
    """
    alone, named = _SIGHT[state]
    return phrase(named, language, camera=camera) if camera else phrase(alone, language)


def every_phrase() -> list[str]:
    """All messages, each once, in the order of the catalogues."""
    own = [value for name, value in globals().items() if name.isupper()]
    return list(dict.fromkeys([*_texts(own), *place_words.MESSAGES, *spelling.MESSAGES]))


def _texts(value: object) -> list[str]:
    """The texts in constants that are texts, tables of texts, or tables of these."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [text for one in value for text in _texts(one)] if isinstance(value, (list, tuple)) else []
