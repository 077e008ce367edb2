"""Whether two descriptions say the same of a thing, and whether telling it now would be telling the same again.

A describer words the same thing differently from picture to picture. What counts are its content words: what is left
without those that carry nothing, without where in the picture it is (that is the direction's business), and without
endings. Time is a number handed in. It knows no model, no meaning, and not how something came to be told.
"""
from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
import math
import re
from typing import Protocol
import unicodedata

from dam_ros.core.catalogues import ENGLISH, known
from dam_ros.core.likeness_words import EMPTY, ENDINGS, GROUPS, SAME
from dam_ros.core.new_things import brings, things

_LOOKED_AT = 4000   # characters; a description is shorter
_KEPT = 256          # things told
_SAID = 16           # texts of each
_UNNAMED = 0.75    # from here on what has no label in common is taken for the same thing
_NEAREST_M = 0.1     # a share of less than this is no distance
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
_HAN = re.compile('[\u3400-\u9fff]+')
_LEAST = 3           # letters that an ending leaves
_ENDINGS_AT_MOST = 2   # grüne, grün: both become grü
_CONTRARY = 0.5     # what remains of the likeness where one says red and the other green

def content_words(text: str, language: str = '') -> frozenset[str]:
    """The words of a text that carry something, in small letters and without endings; of Chinese, pairs of characters.

    Args:
        language: BCP 47, '' or unknown = English.
    """
    one = known(language) or ENGLISH
    text = _folded(text)
    words = {_bare(word, one) for word in _WORD.findall(_HAN.sub(' ', text))}
    stems = {_stem(SAME.get(word, word), one) for word in words if word not in _EMPTY_SETS[one]}
    return frozenset(stems | {pair for run in _HAN.findall(text) for pair in _pairs(run)})


def named(text: str, language: str = '') -> list[frozenset[str]]:
    """The things that a text introduces, see `new_things.things`."""
    one = known(language) or ENGLISH
    return things(_folded(text), one, lambda word: _stem(SAME.get(word, word), one))


def alike(a: Collection[str], b: Collection[str]) -> float:
    """0..1: the share of content words in common (Dice), halved where they contradict each other.

    Two texts without content words are alike, as nothing tells them apart.
    """
    a, b = frozenset(a), frozenset(b)
    if not a and not b:
        return 1.0
    share = 2 * len(a & b) / (len(a) + len(b))
    contrary = _contrary(_numbers(a), _numbers(b)) or any(_contrary(a & group, b & group) for group in _EXCLUSIVE)
    return share * _CONTRARY if contrary else share


def _folded(text: str) -> str:
    return unicodedata.normalize('NFC', text[:_LOOKED_AT]).casefold().replace('\u2019', "'")


def _numbers(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word for word in words if word.isdigit())


def _contrary(a: frozenset[str], b: frozenset[str]) -> bool:
    """Of a group: each says something that the other does not. Brown and reddish brown agree."""
    return bool(a - b and b - a)


def _bare(word: str, language: str) -> str:
    """Without what an apostrophe joins to it: dog's, l'homme."""
    before, _, after = word.partition("'")
    return after if language == 'fr' and after else before


def _stem(word: str, language: str) -> str:
    for _ in range(_ENDINGS_AT_MOST):
        ending = next((one for one in ENDINGS[language] if word.endswith(one) and len(word) - len(one) >= _LEAST), '')
        word = word.removesuffix(ending) + ('y' if ending == 'ies' else '')
        if ending in ('ing', 'ed') and word[-1] == word[-2] and len(word) > _LEAST and word[-1] not in 'lsz':
            word = word[:-1]   # potted, pot
    return word


def _pairs(run: str) -> list[str]:
    """Of Chinese, which has no spaces: each two neighbours, and single characters of a group."""
    kept = ''.join(one for one in run if one not in _EMPTY_SETS['zh'])
    return [kept[start:start + 2] for start in range(max(len(kept) - 1, 1 if kept else 0))] + [
        one for one in kept if one in _CHINESE]


_EMPTY_SETS = {language: frozenset(words.split()) for language, words in EMPTY.items()}
_CHINESE = frozenset(' '.join(GROUPS['zh']).split())
_EXCLUSIVE = tuple(frozenset(_stem(word, language) for word in group.split())
                   for language, groups in GROUPS.items() for group in groups)


class RepetitionSettings(Protocol):
    """repeat_after_s: s. repeat_alike: 0..1. repeat_deg: degrees. repeat_distance: share of the distance told."""

    repeat_after_s: float
    repeat_alike: float
    repeat_deg: float
    repeat_distance: float


@dataclass(frozen=True)
class Thing:
    """What is, or was, told of something.

    Attributes:
        camera: its name, '' where there is one only.
        label: value in the label image, -1 none.
        text, language: the description.
        bearing_rad: left positive, NaN unknown.
        heading_rad, heading_epoch: how the camera had turned, left positive, NaN unknown; comparable within one epoch.
        distance_m: NaN unknown.
        present: the labels that are there now, None unknown.
    """

    camera: str = ''
    label: int = -1
    text: str = ''
    language: str = ''
    bearing_rad: float = math.nan
    heading_rad: float = math.nan
    heading_epoch: int = 0
    distance_m: float = math.nan
    present: frozenset[int] | None = None


@dataclass(frozen=True)
class _Told:
    """`said`: (when, words) of what was told of it lately; that it has a collar is no news where it was said before."""

    at: float
    thing: Thing
    words: frozenset[str]
    said: tuple[tuple[float, frozenset[str]], ...]

    def says(self, words: frozenset[str], names: list[frozenset[str]], least_alike: float) -> bool:
        """Whether other words say the same, and name nothing that was not named."""
        known = frozenset().union(*(words for _, words in self.said))
        return alike(self.words, words) >= least_alike and not brings(names, known)


class Repetition:
    """What was told in the last `repeat_after_s` seconds, and what of it need not be told again.

    A thing has changed materially where its words did, where it is in another direction (the camera's own turning is
    none), or at another distance.
    """

    def __init__(self, settings: Callable[[], RepetitionSettings]):
        self._settings = settings
        self._told: list[_Told] = []

    def again(self, now: float, thing: Thing) -> bool:
        """Whether telling this now would be telling the same again."""
        words, names = content_words(thing.text, thing.language), named(thing.text, thing.language)
        return any(self._same(told, thing, words) and not self._changed(told, thing, words, names)
                   for told in self._recent(now))

    def told(self, now: float, thing: Thing) -> None:
        """This was told just now: its first word was heard."""
        words = content_words(thing.text, thing.language)
        recent, after_s = self._recent(now), self._settings().repeat_after_s
        same = [told for told in recent if self._same(told, thing, words)]
        said = [one for told in same for one in told.said if now - one[0] < after_s][1 - _SAID:]
        others = [told for told in recent if told not in same]
        self._told = [*others[1 - _KEPT:], _Told(now, thing, words, (*said, (now, words)))]

    def _recent(self, now: float) -> list[_Told]:
        return [told for told in self._told if now - told.at < self._settings().repeat_after_s]

    def _same(self, told: _Told, thing: Thing, words: frozenset[str]) -> bool:
        """Whether it is the thing that was told, changed or not."""
        if told.thing.camera != thing.camera:
            return False
        if told.thing.label >= 0 and thing.label >= 0:
            if told.thing.label == thing.label:
                return True
            if thing.present is None or told.thing.label in thing.present:
                return False   # two things; a tracker that gives a new number drops the old one
        return alike(told.words, words) >= _UNNAMED and not self._turned(told.thing, thing)

    def _changed(self, told: _Told, thing: Thing, words: frozenset[str], names: list[frozenset[str]]) -> bool:
        return (not told.says(words, names, self._settings().repeat_alike) or self._turned(told.thing, thing)
                or self._moved(told.thing, thing))

    def _turned(self, old: Thing, new: Thing) -> bool:
        """Whether it is in another direction, as far as both are known."""
        comparable = old.heading_epoch == new.heading_epoch and math.isfinite(old.heading_rad + new.heading_rad)
        turn = new.bearing_rad - old.bearing_rad + (new.heading_rad - old.heading_rad if comparable else 0.0)
        if not math.isfinite(turn):
            return False
        return abs(math.remainder(turn, math.tau)) > math.radians(self._settings().repeat_deg)

    def _moved(self, old: Thing, new: Thing) -> bool:
        """Whether it is at another distance; NaN is none."""
        return abs(new.distance_m - old.distance_m) > self._settings().repeat_distance * max(old.distance_m, _NEAREST_M)
