"""What `describer: remote` is told: checked, with the key kept apart from everything that is ever shown.

It knows neither pictures nor the network. Its errors use the names of the node's parameters: `url` is `remote_url`.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
import math
import os
import re
from urllib.parse import urlsplit

from dam_ros.core.errors import DescriberFailed, complaint

PICTURES = ('rgba', 'outlined')
KINDS = ('auto', 'image', 'joint')
_ROUTE = '/chat/completions'
_LANGUAGES = re.compile(r'[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*(, *[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*)*')
_HIDE_FROM = 6   # characters; a shorter "key" is a placeholder, and hiding it would garble what is said
_NUMBERS = {'timeout_s': (0.1, 3600.0), 'connect_timeout_s': (0.1, 600.0), 'capacity': (1, 64),
            'max_side_px': (0, 16384)}


class Key:
    """The key of a server. It is shown nowhere: not by repr, and `hide` takes it out of what a server says."""

    def __init__(self, value: str = ''):
        self._value = value

    def headers(self) -> dict[str, str]:
        return {'Authorization': f'Bearer {self._value}'} if self._value else {}

    def hide(self, text: str) -> str:
        return text.replace(self._value, '***') if len(self._value) >= _HIDE_FROM else text


@dataclass(frozen=True)
class Address:
    """Where the server is.

    Attributes:
        path: of the one route that is used.
        shown: the url as people know it.
    """

    secure: bool
    host: str
    port: int
    path: str
    shown: str


@dataclass(frozen=True)
class Options:
    """See docs/remote.md.

    Attributes:
        timeout_s, connect_timeout_s: s; without a sign of life, and until the connection stands.
        languages: BCP 47, separated by commas; a plain model may be asked for several.
        capacity: tellings at once.
        max_side_px: px, larger pictures are made smaller; 0 = as they are (rgba), the usual size (outlined).
    """

    url: str = 'http://localhost:8000'
    model: str = 'describe_anything_model'
    key_env: str = 'DAM_API_KEY'
    timeout_s: float = 60.0
    connect_timeout_s: float = 5.0
    pictures: str = 'rgba'
    model_kind: str = 'auto'
    languages: str = 'en'
    capacity: int = 4
    max_side_px: int = 0

    @classmethod
    def of(cls, given: Mapping[str, object]) -> Options:
        """'' is the default of a text, but for key_env it is no key.

        Raises:
            DescriberFailed: names and values that make no sense.
        """
        known = {one.name: one.default for one in fields(cls)}
        clean = {}
        for name, value in given.items():
            if name not in known:
                raise DescriberFailed(complaint('option of describer remote', name, ', '.join(known)))
            clean[name] = _typed(name, value, known[name])
        options = cls(**{name: value for name, value in clean.items() if value != '' or name == 'key_env'})
        for name, allowed in (('pictures', PICTURES), ('model_kind', KINDS)):
            if getattr(options, name) not in allowed:
                raise _wrong(name, getattr(options, name), ' or '.join(allowed))
        if not _LANGUAGES.fullmatch(options.languages):
            raise _wrong('languages', options.languages, "BCP 47 tags separated by commas, such as 'en, de'")
        if options.pictures == 'rgba' and options.spoken() != ('en',):
            raise _wrong('languages', options.languages, "'en' with remote_pictures rgba",
                         'The Describe Anything Model writes English')
        return options

    def spoken(self) -> tuple[str, ...]:
        return tuple(one.strip() for one in self.languages.split(','))

    def joint(self) -> bool:
        """Whether the server's checkpoint is the joint one for images and videos; 'auto' goes by its name."""
        return self.model_kind == 'joint' or self.model_kind == 'auto' and 'video' in self.model.lower()


def address_of(url: str) -> Address:
    """Raises DescriberFailed; the message never has what stands before an '@', as that may be a password."""
    allowed = "http://HOST:PORT or https://HOST/v1, without '?' and '#'"
    shown = re.sub(r'//[^/]*@', '//***@', url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _wrong('url', shown, allowed) from error
    if '@' in parts.netloc:
        raise _wrong('url', shown, 'no user and password in it', 'Put the key into an environment variable and name '
                     'that in remote_key_env')
    usable = parts.scheme in ('http', 'https') and host and port != 0 and not parts.query and not parts.fragment
    if not usable or not _plain(url):
        raise _wrong('url', shown, allowed)
    base = parts.path.rstrip('/')
    base = base[:-len(_ROUTE)] if base.endswith(_ROUTE) else base
    secure = parts.scheme == 'https'
    return Address(secure, host, port or (443 if secure else 80), base + _ROUTE,
                   f'{parts.scheme}://{parts.netloc}{base}')


def key_of(key_env: str) -> Key:
    """The key out of the environment variable of this name; '' and one that is not set: none.

    Raises:
        DescriberFailed: it can be no name, or no key; neither is shown.
    """
    if not key_env:
        return Key()
    value = os.environ.get(key_env, '').strip()
    if not re.fullmatch(r'[A-Za-z_][A-Za-z0-9_]*', key_env):   # somebody put the key itself there
        raise DescriberFailed('remote_key_env is no name of an environment variable; allowed: A-Z a-z 0-9 _, not '
                              'beginning with a digit. Put the key into such a variable and write its name here, '
                              'never the key')
    if value and not _plain(value):
        raise _wrong('key_env', key_env, 'a variable whose value is one word of ASCII')
    return Key(value)


def _typed(name: str, value: object, default: object) -> object:
    kind = type(default)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise _wrong(name, value, {str: 'a text', float: 'a number', int: 'a whole number'}[kind])
    if name in _NUMBERS:
        low, high = _NUMBERS[name]
        if not math.isfinite(value) or not low <= value <= high:
            raise _wrong(name, value, f'{low:g} to {high:g}')
    return value


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and ' ' not in text


def _wrong(name: str, value: object, allowed: str, remedy: str = '') -> DescriberFailed:
    field = name if name in ('model', 'model_kind') else f'remote_{name}'
    return DescriberFailed(complaint(field, value, allowed, remedy))
