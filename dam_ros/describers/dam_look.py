"""What DAM knows of a subject, and the passes of its vision tower that find it out, a slice at a time.

It knows nothing of questions; who is looked at next is decided in `dam.py`.
"""
from __future__ import annotations

from collections.abc import Sequence
import time

import torch

from dam_ros.model.dam import Dam
from dam_ros.model.generation import Text


class Picture:
    """One picture on its way through the vision side, and the look it belongs to."""

    def __init__(self, squares: torch.Tensor, look: DamLook):
        self.squares: torch.Tensor | None = squares   # uint8 (8, side, side), until it is known
        self.context: torch.Tensor | None = None      # (patches, C), between the two passes
        self.tokens: torch.Tensor | None = None       # (image tokens, D), at last
        self.look = look


class DamLook:
    """Pictures that are looked at when somebody asks about them, and then known.

    Attributes:
        prefixes: what was read up to the end of the last picture, by the ids before the pictures.
        ready: the vision part is done.
        later_s: s that this took so far.
    """

    def __init__(self, squares: Sequence[torch.Tensor]):
        self.pictures = [Picture(one, self) for one in squares]
        self.prefixes: dict[tuple, Text] = {}
        self.later_s = 0.0
        self.closed = False

    @property
    def ready(self) -> bool:
        return all(one.tokens is not None for one in self.pictures)

    def close(self) -> None:
        self.pictures, self.closed = [], True
        self.prefixes.clear()


class Pass:
    """The next pass over some pictures, all at the same stage."""

    def __init__(self, dam: Dam, pictures: list[Picture]):
        self._dam, self.pictures = dam, pictures
        self.looks = {one.look for one in pictures}
        squares = torch.stack([one.squares for one in pictures])
        self._second = pictures[0].context is not None
        self._layers = (dam.focused_pass(squares, torch.stack([one.context for one in pictures])) if self._second
                        else dam.context_pass(squares))
        self._features: torch.Tensor | None = None

    def advance(self, slice_s: float) -> bool:
        """Goes on for at least one layer and about so many s; whether the pass is done.

        On a GPU the layers are only ordered here, which takes no time, so a slice is the whole pass.
        """
        begun = time.monotonic()
        try:
            for features in self._layers:
                self._features = features
                if time.monotonic() - begun >= slice_s:
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
