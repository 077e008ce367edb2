"""DAM as one value: configuration, tokenizer and network on a device. It knows neither looks nor tellings.

`load` reads a checkpoint's folder; the stages are called one by one by whoever wants to look around between them.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from dam_ros.core.errors import complaint, DescriberFailed
from dam_ros.model import config as configuration
from dam_ros.model import forms, stored, vision
from dam_ros.model.checkpoint import Part
from dam_ros.model.forms import Form
from dam_ros.model.language import Cache, LanguageModel
from dam_ros.model.pixels import Scale, Squares
from dam_ros.model.projector import Projector
from dam_ros.model.quantized import quantize, Quantized
from dam_ros.model.rope import Rotation
from dam_ros.model.tokenizer import Tokenizer
from dam_ros.model.writing import writer


class Dam:
    """The stages of a description, each for several pictures or texts at once. Nothing here is thread-safe.

    Attributes:
        config, tokenizer, device, dtype, form: as they were loaded.
    """

    def __init__(self, config: configuration.Config, tokenizer: Tokenizer, device: torch.device, form: Form):
        self.config, self.tokenizer, self.device, self.form = config, tokenizer, device, form
        self.dtype = dtype = form.dtype
        with torch.device('meta'):   # shapes only: `_fill` gives each tensor its memory once
            self.tower = vision.VisionTower(config.vision)
            self.provider = vision.ContextProvider(config.context, config.vision)
            self.projector = Projector(config.vision.grid, config.vision.hidden, config.language.hidden)
            self.language = LanguageModel(config.language, tokenizer.size)
        if form.narrow:
            quantize(self.language, form.narrow)
        self._squares = Squares(config.pictures)
        self._scale = Scale(config.pictures, device, dtype)
        self._rotation = Rotation(config.language, device, dtype)
        self._writer = None   # made where the weights are filled

    # -- vision ---------------------------------------------------------------------------------------------------

    def channels(self, image: np.ndarray, mask: np.ndarray) -> torch.Tensor:
        """uint8 (8, side, side) on the CPU, of an RGB picture (H, W, 3) and a bool mask (H, W) that is not empty."""
        return torch.from_numpy(self._squares(image, mask))

    @torch.inference_mode()
    def context_pass(self, squares: torch.Tensor) -> Iterator[torch.Tensor]:
        """The first pass: uint8 (B, 8, side, side) to (B, patches, C), layer by layer; the last is the result."""
        yield from vision.context_pass(self.tower, self._scale(self._halves(squares)[0]))

    @torch.inference_mode()
    def focused_pass(self, squares: torch.Tensor, context: torch.Tensor) -> Iterator[torch.Tensor]:
        """The second pass, as the first; pictures whose crop is the whole picture keep the features of the first."""
        full, crop = squares[:, :4], squares[:, 4:]
        rows = torch.arange(len(squares))
        if not self.config.context.always:   # dam-spec 6.3
            rows = rows[(full != crop).flatten(1).any(dim=1).cpu()]
        fused = context.clone()
        if len(rows):
            rows = rows.to(self.device)
            first, second = (half[rows] for half in self._halves(squares))
            masked = self.config.context.masked
            seen = vision.patches_with_region(self._scale(first)[:, 3], self.config.vision) if masked else None
            for features in vision.focused_pass(self.tower, self.provider, self._scale(second), context[rows], seen):
                yield features
            fused[rows] = features
        yield fused

    def context_features(self, squares: torch.Tensor) -> torch.Tensor:
        """The result of `context_pass`."""
        return deque(self.context_pass(squares), maxlen=1)[0]

    def focused_features(self, squares: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        """The result of `focused_pass`."""
        return deque(self.focused_pass(squares, context), maxlen=1)[0]

    @torch.inference_mode()
    def image_tokens(self, features: torch.Tensor) -> torch.Tensor:
        """(B, patches, C) to (B, config.image_tokens, D)."""
        return self.projector(features)

    def _halves(self, squares: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(context, focus), uint8 (B, 4, side, side) each."""
        full, crop = squares.to(self.device).split(4, dim=1)
        return (crop, full) if self.config.context.swapped else (full, crop)

    # -- language -------------------------------------------------------------------------------------------------

    def cache(self, room: int) -> Cache:
        """For one text of so many tokens; it grows where that is not enough."""
        return Cache(self.config.language, self.device, self.dtype, room)

    @torch.inference_mode()
    def embed(self, ids) -> torch.Tensor:
        """(T, D) of T token ids."""
        return self.language.embed(ids)

    @torch.inference_mode()
    def read(self, inputs: list[torch.Tensor], caches: list[Cache]) -> torch.Tensor:
        """Reads the next embeddings (T, D) of each text; the states (texts, D) after the last of each."""
        return self.language(inputs, caches, self._rotation)

    @torch.inference_mode()
    def write(self, ids: Sequence[int], caches: Sequence[Cache]) -> torch.Tensor:
        """Each text's next token, given; float32 (texts, vocabulary): what may follow it."""
        if self._writer is None:
            self._writer = writer(self.language, self.config.language, self._rotation, self.device)
        return self._writer.step(ids, caches)

    def warm_up(self) -> None:
        """What nobody gets: a picture's channels and a token, so that no request waits for what is compiled once."""
        self.channels(np.zeros((2, 2, 3), np.uint8), np.ones((2, 2), bool))
        self.write([self.tokenizer.end], [self.cache(1)])

    @torch.inference_mode()
    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """float32 (texts, vocabulary)."""
        return self.language.logits(states)


def load(folder: Path, kind: str = 'auto', dtype: str = 'auto', device: str = 'auto', name: str = '',
         budget_mb: float = 0.0, say: Callable[[str], object] = lambda line: None) -> Dam:
    """Loads a checkpoint in the official layout, tensor by tensor straight to the device.

    Args:
        kind: 'auto', 'image' or 'joint'.
        dtype: 'auto' (float16 on a GPU, as the reference, float32 on a CPU), or one of forms.NAMES.
        device: 'auto', 'cpu', 'cuda', 'cuda:1', ...
        name: of the checkpoint where its folder is called otherwise.
        budget_mb: memory for weights, one look and its text; 'auto' takes what fits; 0 = no limit.
        say: gets a line about what was chosen.

    Raises:
        DescriberFailed: what is wrong with the folder, its files or the device, in one line.
    """
    target = _device(device)
    config = configuration.read(folder, kind, name)
    tokenizer = Tokenizer(folder / 'llm')
    if tokenizer.size > config.language.vocabulary:
        raise DescriberFailed(f'{folder / "llm"}: the tokenizer has {tokenizer.size} tokens, and vocab_size of '
                              f'config.json is {config.language.vocabulary}; fetch the checkpoint again')
    form, why = forms.choose(dtype, budget_mb, config, tokenizer.size, target)
    if why:
        say(why)
    dam = Dam(config, tokenizer, target, form)
    made, which = stored.find(folder, form.narrow, dam.language) if form.narrow else (None, '')
    if which:
        say(which)
    rows = {'model.embed_tokens.weight': tokenizer.size, 'lm_head.weight': tokenizer.size}
    for part, module in (('vision_tower', dam.tower), ('context_provider', dam.provider),
                         ('mm_projector', dam.projector)):
        Part(folder / part).fill(module, {}, target, form.dtype)
    Part(folder / 'llm').fill(dam.language, rows, target, form.dtype, made)
    dam.language.tie()
    for one in dam.language.modules():
        if isinstance(one, Quantized):
            one.settle(form.dtype)
    return dam


def _device(asked: str) -> torch.device:
    try:
        device = torch.device(('cuda' if torch.cuda.is_available() else 'cpu') if asked == 'auto' else asked)
        torch.empty(1, device=device)
        if device.type == 'meta':
            raise ValueError('meta holds shapes only')
    except Exception as error:   # noqa: B902  torch raises what it likes for a device that is not there
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DescriberFailed(complaint('device', asked, 'auto, cpu, cuda, cuda:0, ... as far as torch sees them here',
                                        reason)) from error
    return device
