"""What can go wrong between this machine and the hub, each as one line that says what to do.

It knows the errors of huggingface_hub, of the HTTP libraries below its versions (requests, httpx, httpx2) and of the
disk, and imports none of them.
"""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import errno
import os
from types import ModuleType

from dam_ros.core.errors import DescriberFailed
from dam_ros.model import weights

_NOT_WRITABLE = (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOENT, errno.ENOTDIR)


@contextmanager
def in_words(library: ModuleType, hub_id: str, revision: str) -> Iterator[None]:
    """Whatever the library, the network or the disk raises becomes one DescriberFailed."""
    try:
        yield
    except (DescriberFailed, KeyboardInterrupt):
        raise
    except Exception as error:   # noqa: B902  requests, httpx or httpx2, by the library's version
        cause = error
        while status_of(cause) == 0 and isinstance(cause, OSError) and cause.__cause__ is not None:
            cause = cause.__cause__   # "cannot find the file on disk", because of what the hub answered
        words = _of_the_hub(library.utils, cause, hub_id, revision) or _of_the_machine(cause)
        raise DescriberFailed(f'{hub_id} could not be fetched: '
                              + (words or ' '.join(f'{type(cause).__name__}: {cause}'.split())[:300])) from error


def status_of(error: BaseException) -> int:
    return getattr(getattr(error, 'response', None), 'status_code', 0)


def _of_the_hub(names: ModuleType, error: BaseException, hub_id: str, revision: str) -> str:
    login = 'a token of https://huggingface.co/settings/tokens in HF_TOKEN'
    status = status_of(error)
    if isinstance(error, names.GatedRepoError):
        return f'its owner wants a licence accepted first. Do so at https://huggingface.co/{hub_id}, then set {login}'
    if isinstance(error, names.RevisionNotFoundError):
        return f'it has no revision {revision!r}; allowed: a commit, branch or tag, or none for the pinned one'
    if isinstance(error, names.RepositoryNotFoundError):
        return (f'the hub has no such repository (HTTP {status}), or only for those it knows. Allowed: '
                f'{", ".join(weights.HUB_IDS)}; for a private one, {login}')
    if status in (401, 403):
        return f'the hub refuses access (HTTP {status}). Set {login}, or unset one that is no longer valid'
    if status == 416:
        return 'what was on disk was not the beginning of the file and has been removed; the same command begins anew'
    if status == 429:
        return 'the hub says that too much was asked of it (HTTP 429). Try later; it goes on where it stopped'
    if status:
        return f'the hub answered HTTP {status}. Try later; it goes on where it stopped'
    return ''


def _of_the_machine(error: BaseException) -> str:
    kinds = ' '.join(kind.__name__ for kind in type(error).__mro__)
    if 'OfflineModeIsEnabled' in kinds:
        return 'HF_HUB_OFFLINE forbids the network; unset it'
    if 'Timeout' in kinds:
        return 'no answer in time. The same command goes on where it stopped'
    if 'ConnectError' in kinds or 'ConnectionError' in kinds or 'ProxyError' in kinds:
        return (f'{os.environ.get("HF_ENDPOINT", "https://huggingface.co")} cannot be reached. Is there a network, a '
                'proxy (https_proxy)? The same command goes on where it stopped')
    if any(name in kinds for name in ('ReadError', 'ProtocolError', 'ChunkedEncodingError')):
        return 'the connection broke. The same command goes on where it stopped'
    if 'Consistency check failed' in str(error):
        return 'the hub sent a file of another length than it had announced. Try again; it may be a proxy on the way'
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f'the disk is full ({weights.cache_folder()}). Make room; it goes on where it stopped'
    if isinstance(error, OSError) and error.errno in _NOT_WRITABLE:
        return f'{error.filename or weights.cache_folder()} cannot be written; HF_HOME chooses another folder'
    return ''
