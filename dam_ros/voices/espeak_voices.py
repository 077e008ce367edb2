"""The voices that an espeak-ng has, and the nearest for a language. It starts the program only to ask for its lists."""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
import re
import shutil
import subprocess

_OTHER_NAMES = re.compile(r'\(([\w-]+) \d+\)')   # "cmn ... (zh-cmn 5)(zh 5)"
_ROW = re.compile(r'\s*\d+\s+(\S+)\s+\S+\s+(\S+)\s+(\S.*?)\s*((?:\([\w-]+ \d+\)\s*)*)$')
_LIMIT_S = 2.0


@dataclass(frozen=True)
class EspeakVoice:
    """One line of the list. `file` is what -v takes; `languages`: all it is good for, the first is its own."""

    name: str
    file: str
    languages: tuple[str, ...]


def languages_of(program: str) -> tuple[str, ...]:
    """The languages of this espeak-ng, as -v takes them; () where it does not answer."""
    found = _read(program, '--voices')
    return tuple(dict.fromkeys([one.languages[0] for one in found] + [name for one in found for name in one.languages]))


def voices_of(program: str) -> list[EspeakVoice]:
    """All that can speak: those of MBROLA are listed where that is not installed, too, and are left out then."""
    mbrola = shutil.which('mbrola')
    return [one for one in _read(program, '--voices') if mbrola or not one.file.startswith('mb/')]


def variants_of(program: str) -> list[EspeakVoice]:
    """What can be put on any voice, as in en+Alicia."""
    return list(_read(program, '--voices=variant'))


def best_language(wanted: str, known: tuple[str, ...]) -> str:
    """Of `known` the one for this BCP 47 tag: itself, else a shorter one, else a variety of it, else ''."""
    tag = wanted.lower().replace('_', '-')
    while tag:
        if tag in known:
            return tag
        if '-' not in tag:
            break
        tag = tag.rpartition('-')[0]
    return next((one for one in known if tag and one.startswith(tag + '-')), '')


def primary(language: str) -> str:
    """'en' of 'en-GB'."""
    return language.lower().replace('_', '-').partition('-')[0]


def plain(name: str) -> str:
    """A name as names are compared: 'English (America)' is listed as English_(America)."""
    return name.strip().lower().replace('_', ' ')


def _read(program: str, question: str) -> tuple[EspeakVoice, ...]:
    try:
        return _asked(program, question)
    except (OSError, subprocess.TimeoutExpired):
        return ()


@lru_cache(maxsize=8)
def _asked(program: str, question: str) -> tuple[EspeakVoice, ...]:
    """Kept only where it succeeds: a program that hung once may answer the next time."""
    run = subprocess.run([program, question], capture_output=True, timeout=_LIMIT_S, check=False)
    rows = [_ROW.match(line) for line in run.stdout.decode(errors='replace').splitlines()[1:]]
    found = tuple(EspeakVoice(row[2], row[3], (row[1].lower(), *_OTHER_NAMES.findall(row[4].lower())))
                  for row in rows if row)
    if not found:
        raise OSError(f'{program} lists nothing')
    return found
