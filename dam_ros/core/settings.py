"""How a node's parameters are declared: once, as fields of a frozen dataclass.

Each field carries default, one-line text, unit and limits. From these come the ROS declaration
(`nodes/parameters.py`), the YAML in `config/`, the table in `docs/parameters.md` and every check.
This module does not know ROS.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
import difflib
import math
from typing import Any, TypeVar

from dam_ros.core.errors import complaint

_WORDS = {
    bool: 'true or false', int: 'a whole number', float: 'a number', str: 'text',
    list[str]: 'a list of texts', list[int]: 'a list of whole numbers', list[float]: 'a list of numbers',
}
Settings = TypeVar('Settings')


class SettingsError(Exception):
    """Parameters that cannot be used. `str()` has one line for each of them."""


@dataclass(frozen=True)
class Rule:
    """What is known of one parameter besides its value.

    Attributes:
        doc: one line.
        unit: 's', 'MB', 'px', ...; '' where it has none.
        low, high: both allowed; for lists they hold for every item.
        choices: the allowed values, () = any.
        live: a change takes effect at once; otherwise at the next configure (or start).
    """

    name: str
    type: Any
    default: Any
    doc: str
    unit: str
    low: float | None
    high: float | None
    choices: tuple
    live: bool

    def check(self, value: Any) -> Any:
        """The value in its declared type. Raises SettingsError."""
        item, is_list = (self.type.__args__[0], True) if hasattr(self.type, '__args__') else (self.type, False)
        if not is_list:
            return self._check_one(item, value, value)
        if isinstance(value, (str, bytes)) or not hasattr(value, '__iter__') or not len(value):
            raise SettingsError(complaint(self.name, value, self.allowed()))
        return [self._check_one(item, one, value) for one in value]

    def _check_one(self, item: type, one: Any, whole: Any) -> Any:
        if item is float and isinstance(one, int) and not isinstance(one, bool):
            one = float(one)   # `-p timeout_s:=30` is what people type
        good = type(one) is item and not (item is float and not math.isfinite(one))
        good = good and (self.low is None or one >= self.low) and (self.high is None or one <= self.high)
        if not good or (self.choices and one not in self.choices):
            raise SettingsError(complaint(self.name, whole, self.allowed()))
        return one

    def allowed(self) -> str:
        """The allowed values in words, unit included."""
        if self.choices:
            return 'one of ' + ', '.join(repr(choice) for choice in self.choices)
        words = _WORDS[self.type] + (' with at least one item' if hasattr(self.type, '__args__') else '')
        if self.low is not None and self.high is not None:
            words += f' from {self.low:g} to {self.high:g}'
        elif self.low is not None:
            words += f' of at least {self.low:g}'
        elif self.high is not None:
            words += f' of at most {self.high:g}'
        return words + (f' ({self.unit})' if self.unit else '')


def setting(default: Any, doc: str, *, unit: str = '', low: float | None = None, high: float | None = None,
            choices: tuple = (), live: bool = False) -> Any:
    """A field of a settings class; the arguments are those of `Rule`."""
    metadata = {'doc': doc, 'unit': unit, 'low': low, 'high': high, 'choices': choices, 'live': live}
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata=metadata)
    return field(default=default, metadata=metadata)


_TYPES = {'bool': bool, 'int': int, 'float': float, 'str': str,
          'list[str]': list[str], 'list[int]': list[int], 'list[float]': list[float]}


def rules(kind: type) -> dict[str, Rule]:
    """All parameters of a settings class by name, in the order of declaration."""
    found = {}
    for one in fields(kind):
        default = one.default if one.default is not MISSING else one.default_factory()
        annotation = _TYPES[one.type] if isinstance(one.type, str) else one.type
        found[one.name] = Rule(name=one.name, type=annotation, default=default, **one.metadata)
    return found


def build(kind: type[Settings], values: Mapping[str, Any], known_elsewhere: tuple[str, ...] = ()) -> Settings:
    """Settings from a mapping; what is not named keeps its default.

    Args:
        known_elsewhere: names (or prefixes ending in '.') that are somebody else's, such as use_sim_time.

    Raises:
        SettingsError: for all unusable values and unknown names together.
    """
    table, wrong, good = rules(kind), [], {}
    for name, value in values.items():
        if name in known_elsewhere or any(name.startswith(one) for one in known_elsewhere if one.endswith('.')):
            continue
        if name not in table:
            near = difflib.get_close_matches(name, table, n=1)
            hint = f'; did you mean {near[0]}?' if near else '; docs/parameters.md lists them all'
            wrong.append(f'there is no parameter {name!r}{hint}')
            continue
        try:
            good[name] = table[name].check(value)
        except SettingsError as error:
            wrong.append(str(error))
    if wrong:
        raise SettingsError('\n'.join(wrong))
    return kind(**good)


def to_yaml(node: str, kind: type) -> str:
    """The block of a ROS parameter file that holds exactly the defaults of one node."""
    lines = [f'/**/{node}:', '  ros__parameters:']
    for rule in rules(kind).values():
        lines.append(f'    {rule.name}: {_yaml(rule.default)}  # {rule.doc} [{rule.allowed()}]')
    return '\n'.join(lines) + '\n'


def to_markdown(node: str, kind: type) -> str:
    """The same as a table."""
    lines = [f'## {node}', '', '| parameter | default | allowed | takes effect | what it is |', '|---|---|---|---|---|']
    for rule in rules(kind).values():
        when = 'at once' if rule.live else 'at configure'
        lines.append(f'| `{rule.name}` | `{_yaml(rule.default)}` | {rule.allowed()} | {when} | {rule.doc} |')
    return '\n'.join(lines) + '\n'


def _yaml(value: Any) -> str:
    if isinstance(value, list):
        return '[' + ', '.join(_yaml(one) for one in value) + ']'
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)
