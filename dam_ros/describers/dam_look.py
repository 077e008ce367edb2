"""What DAM knows of a subject, and the passes of its vision tower that find it out, a slice at a time.

It knows nothing of questions; who is asked about, and who goes first, is said by `dam.py`.
"""
from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
import time

import torch

from dam_ros.core.errors import OutOfMemory
from dam_ros.describers.dam_memory import out_of_memory
from dam_ros.model.dam import Dam
from dam_ros.model.generation import Text


class Picture:
    """One picture on its way through the vision side, and the look it belongs to."""

    def __init__(self, squares: torch.Tensor, look: DamLook):
        self.squares: torch.Tensor | None = squares   # uint8 (8, side, side), until it is known
        self.context: torch.Tensor | None = None      # (patches, C), between the two passes
        self.tokens: torch.Tensor | None = None       # (image tokens, D), at last
        self.look = look

    @property
    def nbytes(self) -> int:
        return sum(one.nbytes for one in (self.squares, self.context, self.tokens) if one is not None)


class DamLook:
    """Pictures that are looked at when somebody asks about them, and then known.

    Attributes:
        prefixes: what was read up to the end of the last picture, by the ids before the pictures.
        ready: the vision part is done.
        later_s: s that this took so far.
        nbytes: of all this, now.
    """

    def __init__(self, squares: Sequence[torch.Tensor]):
        self.pictures = [Picture(one, self) for one in squares]
        self.prefixes: dict[tuple, Text] = {}
        self.later_s = 0.0
        self.closed = False

    @property
    def ready(self) -> bool:
        return all(one.tokens is not None for one in self.pictures)

    @property
    def nbytes(self) -> int:
        return (sum(one.nbytes for one in self.pictures)
                + sum(one.cache.nbytes + one.given.nbytes for one in self.prefixes.values()))

    def close(self) -> None:
        self.pictures, self.closed = [], True
        self.prefixes.clear()


class Seeing:
    """The passes that are under way.

    Args:
        batch: pictures in one pass, at most.
    """

    def __init__(self, dam: Dam, batch: int):
        self._dam, self._batch = dam, batch
        self._sliced = dam.device.type == 'cpu'   # a GPU is only told what to do: that takes no time here
        self._passes: list[Pass] = []             # more than one where something more urgent came in between

    def go_on(self, looks: Sequence[DamLook], slice_s: float) -> dict[DamLook, OutOfMemory]:
        """About so many s of seeing, on a GPU one pass; those first that come first.

        Returns:
            Looks for which there is no memory, even one by one.
        """
        end = time.monotonic() + slice_s
        while (current := self._current(looks)) is not None:
            try:
                with out_of_memory():
                    done = current.advance(end if self._sliced else float('inf'))
            except OutOfMemory as failure:
                self._passes.remove(current)
                self._batch = max(1, len(current.pictures) // 2)   # from now on: the memory is what it is
                return dict.fromkeys(current.looks, failure) if len(current.pictures) == 1 else {}
            except BaseException:
                self._passes.remove(current)   # half of it is of no use
                raise
            if done:
                self._passes.remove(current)
            if not self._sliced or time.monotonic() >= end:
                break
        return {}

    def forget(self, wanted: Collection[DamLook]) -> None:
        """Passes that nobody waits for any more."""
        self._passes = [one for one in self._passes if not one.looks.isdisjoint(wanted)]

    def _current(self, looks: Iterable[DamLook]) -> Pass | None:
        """For the picture that is waited for most, together with others that are as far."""
        waiting = [one for look in looks for one in look.pictures if one.tokens is None]
        if not waiting:
            return None
        for one in self._passes:
            if waiting[0] in one.pictures:
                return one
        begun = {id(picture) for one in self._passes for picture in one.pictures}
        alike = [one for one in waiting
                 if (one.context is None) == (waiting[0].context is None) and id(one) not in begun]
        self._passes.append(Pass(self._dam, alike[:self._batch]))
        return self._passes[-1]


class Pass:
    """The next pass over some pictures, all at the same stage."""

    def __init__(self, dam: Dam, pictures: list[Picture]):
        self._dam, self.pictures = dam, pictures
        self.looks = {one.look for one in pictures}
        self._second = pictures[0].context is not None
        self._layers = self._run()
        self._features: torch.Tensor | None = None

    def _run(self) -> Iterator[torch.Tensor]:
        squares = torch.stack([one.squares for one in self.pictures])
        if self._second:
            yield from self._dam.focused_pass(squares, torch.stack([one.context for one in self.pictures]))
        else:
            yield from self._dam.context_pass(squares)

    def advance(self, end: float) -> bool:
        """Goes on for at least one layer and until this time of the steady clock; whether the pass is done."""
        begun = time.monotonic()
        try:
            for features in self._layers:
                self._features = features
                if time.monotonic() >= end:
                    return False
            self._keep()
            return True
        finally:
            for look in self.looks:
                look.later_s += time.monotonic() - begun

    def _keep(self) -> None:
        if not self._second:
            for picture, context in zip(self.pictures, self._features):
                picture.context = context.clone()
            return
        for picture, tokens in zip(self.pictures, self._dam.image_tokens(self._features)):
            picture.tokens, picture.context, picture.squares = tokens.clone(), None, None
