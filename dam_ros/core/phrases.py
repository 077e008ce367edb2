"""What the system says in its own name, in plain words: never a code, never a claim that a way is free.

It knows which error means what to a person, and nothing of voices or descriptions.
"""
from __future__ import annotations

from dam_ros.core import errors

NOTHING_SAID_YET = 'I have not said anything yet.'
ALL_SAID = 'That was all I know.'
NO_DESCRIBER = 'The describer is not running.'

# What was asked for on purpose to end needs no sentence.
_SILENT = (errors.Cancelled.code, errors.Superseded.code, errors.Hushed.code, errors.Muted.code, errors.NoVoice.code,
           errors.TooLate.code)
_FAILURES = {
    errors.InvalidRequest.code: 'I did not understand what was asked.',
    errors.EmptyRegion.code: 'The place you asked about is outside the picture.',
    errors.NoFrame.code: 'I get no picture. Please check the camera.',
    errors.StaleFrame.code: 'My last picture is too old. Please check the camera.',
    errors.UnknownLabel.code: 'I cannot find that in the picture any more.',
    errors.UnknownDescription.code: 'I do not remember that any more. Please ask anew.',
    errors.NoLabelImage.code: 'I cannot tell the things in the picture apart.',
    errors.Unsupported.code: 'I cannot do that.',
    errors.Busy.code: 'I am busy. Please ask again in a moment.',
    errors.DeadlineExceeded.code: 'I could not see that in time. Please ask again.',
    errors.NotActive.code: 'The describer is switched off.',
    errors.Loading.code: 'I am still starting. Please ask again in a moment.',
    errors.RemoteUnavailable.code: 'I cannot reach the describer. Please check the network.',
    errors.WorkerDied.code: 'The describer has failed and starts again. Please ask again in a moment.',
}
_OTHERWISE = 'The describer has failed. Please ask again.'


def of_failure(code: int) -> str:
    """The sentence for a person who asked and gets this code; '' where silence is what was wanted."""
    return '' if code in _SILENT else _FAILURES.get(code, _OTHERWISE)


def every_phrase() -> list[str]:
    """All sentences of this module."""
    return [NOTHING_SAID_YET, ALL_SAID, NO_DESCRIBER, *_FAILURES.values(), _OTHERWISE]
