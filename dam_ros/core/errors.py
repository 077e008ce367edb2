"""Every way a request can end badly, as one tree whose codes are those of `msg/ErrorCode.msg`.

The branches say whose turn it is: the caller, the caller again later, the operator, a listener, us.
A new class exists only where a caller would act differently. It does not know ROS.
"""
from __future__ import annotations


class Failure(Exception):
    """Base of all our errors. `str()` names field, value, what is allowed and the remedy.

    Attributes:
        code: constant of ErrorCode.msg, > 0.
        retry_after_s: s, > 0 when it is worth trying again after that time, else 0.
    """

    code = 10900

    def __init__(self, message: str, retry_after_s: float = 0.0):
        super().__init__(message)
        self.retry_after_s = retry_after_s

    @property
    def message(self) -> str:
        return str(self)


class CallerFailure(Failure):
    """101xx: the request itself must change."""


class RetryFailure(Failure):
    """102xx: the same request may succeed later."""


class OperatorFailure(Failure):
    """103xx: somebody has to look after the machine."""


class SpeechFailure(Failure):
    """104xx: it was not, or not wholly, spoken."""


class InvalidRequest(CallerFailure):
    code = 10100


class EmptyRegion(CallerFailure):
    code = 10101


class NoFrame(CallerFailure):
    code = 10102


class StaleFrame(CallerFailure):
    code = 10103


class UnknownLabel(CallerFailure):
    code = 10104


class UnknownDescription(CallerFailure):
    code = 10105


class NoLabelImage(CallerFailure):
    code = 10106


class Unsupported(CallerFailure):
    code = 10107


class Busy(RetryFailure):
    code = 10200


class DeadlineExceeded(RetryFailure):
    code = 10201


class Cancelled(RetryFailure):
    code = 10202


class Superseded(RetryFailure):
    code = 10203


class NotActive(RetryFailure):
    code = 10204


class Loading(RetryFailure):
    code = 10205


class DescriberFailed(OperatorFailure):
    code = 10300


class OutOfMemory(OperatorFailure):
    code = 10301


class RemoteUnavailable(OperatorFailure):
    code = 10302


class WorkerDied(OperatorFailure):
    code = 10303


class SegmenterFailed(OperatorFailure):
    code = 10304


class Hushed(SpeechFailure):
    code = 10400


class Muted(SpeechFailure):
    code = 10401


class NoVoice(SpeechFailure):
    code = 10402


class TooLate(SpeechFailure):
    code = 10403


class Internal(Failure):
    """10900: a bug of ours."""


def leaves(tree: type[Failure] = Failure) -> list[type[Failure]]:
    """All failures that can be answered, i.e. the classes of the tree without children."""
    children = tree.__subclasses__()
    return [leaf for child in children for leaf in leaves(child)] if children else [tree]


def of_code(code: int, message: str, retry_after_s: float = 0.0) -> Failure:
    """The failure of this code; an unknown code is our bug and becomes `Internal`."""
    for leaf in leaves():
        if leaf.code == code:
            return leaf(message, retry_after_s)
    return Internal(f'{message} (unknown error code {code})')


def invalid(field: str, value: object, allowed: str, remedy: str = '') -> InvalidRequest:
    """An InvalidRequest in the one form all of them have."""
    return InvalidRequest(complaint(field, value, allowed, remedy))


def complaint(field: str, value: object, allowed: str, remedy: str = '') -> str:
    """One line that names the field, its value (shortened), what is allowed and what to do."""
    shown = repr(value)
    if len(shown) > 60:
        shown = shown[:57] + '...'
    return f'{field} is {shown}; allowed: {allowed}' + (f'. {remedy}' if remedy else '')
