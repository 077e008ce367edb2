"""The Describe Anything Model as a describer: look once, tell often, many tellings in one decoding step.

The work is cut into stages, and each `step` does one of them (a pass of the vision tower, a chunk of prefill) beside
one token for everything that is being written: so who calls can stop, or bring something more urgent, in between.
What it knows of the model is `model/dam.py`; what is to be said in which words is `core/queries.py`.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
import math
from pathlib import Path
import sys
import time

import torch

from dam_ros.core.clips import PICTURES, spread
from dam_ros.core.describing import Piece, Query, Subject
from dam_ros.core.errors import complaint, DescriberFailed, EmptyRegion, OutOfMemory, Unsupported
from dam_ros.model import generation, prompts, weights
from dam_ros.model.config import IMAGE, JOINT
from dam_ros.model.dam import Dam, DTYPES, load
from dam_ros.model.sampling import Chooser

_CHOICES = {'model_kind': ('auto', IMAGE, JOINT), 'dtype': ('auto', *DTYPES)}
_OPTIONS = ('model', 'model_kind', 'dtype', 'device')
_BATCH = 8       # pictures in one pass of the tower, on a GPU; a CPU gains nothing, and can stop after each
_PREFIXES = 2    # of one look: raw queries may say different things before the picture
_ROOM = 256      # tokens a new text has room for; its cache grows beyond


def create(options: Mapping[str, object]) -> DamDescriber:
    """Loads the weights.

    Args:
        options: model (hub id or folder), model_kind (auto, image, joint), dtype, device.

    Raises:
        DescriberFailed: an option or the weights cannot be used.
        OutOfMemory: they do not fit.
    """
    for name, value in options.items():
        allowed = _CHOICES.get(name)
        if name not in _OPTIONS or (allowed is not None and value not in allowed):
            raise DescriberFailed(complaint(name, value, ', '.join(allowed or _OPTIONS)))
    folder = weights.find(str(options.get('model') or ''))
    name = _name(folder)
    with _out_of_memory(f'loading {name}', 'free some, or use dtype float16 or bfloat16'):
        dam = load(folder, str(options.get('model_kind', 'auto')), str(options.get('dtype', 'auto')),
                   str(options.get('device') or 'auto'), name.partition('@')[0])
    print(f'dam: {name}; {weights.LICENCE}', file=sys.stderr, flush=True)
    return DamDescriber(dam, name)


def _name(folder: Path) -> str:
    """'nvidia/DAM-3B@0797bed' in the cache of Hugging Face, else the folder's own name."""
    folder = folder.resolve()
    repository = folder.parent.parent.name
    if folder.parent.name == 'snapshots' and repository.startswith('models--'):
        return repository.removeprefix('models--').replace('--', '/') + '@' + folder.name[:7]
    return folder.name


class _Picture:
    """One picture on its way through the vision side, and the look it belongs to."""

    def __init__(self, squares: torch.Tensor, look: DamLook):
        self.squares: torch.Tensor | None = squares   # uint8 (8, side, side), until it is known
        self.context: torch.Tensor | None = None      # (patches, C), between the two passes
        self.tokens: torch.Tensor | None = None       # (image tokens, D), at last
        self.look = look


class DamLook:
    """Pictures that are looked at when somebody asks about them, and then known.

    Attributes:
        ready: the vision part is done.
        later_s: s that this took so far.
    """

    def __init__(self, squares: Sequence[torch.Tensor]):
        self.pictures = [_Picture(one, self) for one in squares]
        self.prefixes: dict[tuple, generation.Text] = {}   # by the ids before the pictures
        self.later_s = 0.0
        self.closed = False

    @property
    def ready(self) -> bool:
        return all(one.tokens is not None for one in self.pictures)

    def close(self) -> None:
        self.pictures, self.closed = [], True
        self.prefixes.clear()


class DamTelling:
    """One text about a look."""

    def __init__(self, look: DamLook, query: Query, prompt: prompts.Prompt, speller):
        self.look, self.query, self.prompt, self.speller = look, query, prompt, speller
        self.prefix: generation.Text | None = None   # once the look is ready
        self.text: generation.Text | None = None     # once the prefix was read
        self.written = 0
        self.running = True

    def stop(self) -> None:
        self.running = False


class DamDescriber:
    """See `core.describing.Describer` and the module's text."""

    name = 'dam'
    languages = ('en',)
    capacity = 8

    def __init__(self, dam: Dam, name: str):
        self._dam = dam
        self.model = f'{name} {str(dam.dtype).removeprefix("torch.")}'
        self.max_pictures = PICTURES if dam.config.kind == JOINT else 1
        self._ends = {*dam.config.language.ends, dam.tokenizer.end}
        self._batch = 1 if dam.device.type == 'cpu' else _BATCH
        self._tellings: list[DamTelling] = []

    # -- the protocol ---------------------------------------------------------------------------------------------

    def look(self, subjects: Sequence[Subject]) -> list[DamLook]:
        """Prepares the pictures; the network sees them in the steps after the first question.

        Raises:
            Unsupported: a clip, and the checkpoint is one for single pictures.
            EmptyRegion: a mask without a pixel.
        """
        return [self._prepared(subject) for subject in subjects]

    def begin(self, look: DamLook, query: Query) -> DamTelling:
        """Raises Unsupported for another language than English, InvalidRequest for a prompt that does not fit."""
        if not query.raw and query.language and query.language.lower().split('-')[0] != 'en':
            raise Unsupported(complaint('language', query.language, "'en'", 'DAM was trained on English only'))
        config = self._dam.config
        if look.closed:
            raise DescriberFailed('the look was closed before it was told about')
        prompt = prompts.build(query, config.kind, len(look.pictures), self._dam.tokenizer)
        prompts.check_length(prompt, config.image_tokens, config.language.most_input,
                             'raw_query' if query.raw else 'query', query.question)
        telling = DamTelling(look, query, prompt, self._dam.tokenizer.speller())
        self._tellings.append(telling)
        return telling

    def step(self) -> list[tuple[DamTelling, Piece]]:
        self._tellings = [one for one in self._tellings if one.running]
        pictures = self._pictures_to_see()
        if pictures:   # one large thing at a time: who wants to stop looks in between
            return [*self._see(pictures), *self._write(also_read=False)]
        return [*self._open_texts(), *self._write(also_read=True)]

    def close(self) -> None:
        self._tellings.clear()
        self._dam = None

    # -- stages ---------------------------------------------------------------------------------------------------

    def _prepared(self, subject: Subject) -> DamLook:
        pictures = subject.pictures
        if len(pictures) > 1 and self.max_pictures == 1:
            raise Unsupported(complaint('clip_s', f'{len(pictures)} pictures', 'one picture (clip_s 0) with the '
                                        f'checkpoint {self.model}', 'nvidia/DAM-3B-Video, or model_kind joint for '
                                        'another checkpoint that was trained on clips, takes several'))
        if len(pictures) > 1:
            pictures = [pictures[index] for index in spread(len(pictures))]
        for _, mask in pictures:
            if not mask.any():
                raise EmptyRegion(complaint('mask', f'empty ({mask.shape[1]}x{mask.shape[0]})', 'at least one pixel'))
        return DamLook([self._dam.channels(image, mask) for image, mask in pictures])

    def _pictures_to_see(self) -> list[_Picture]:
        """As many as one pass takes of those that somebody waits for, all at the same stage, half done ones first."""
        looks = dict.fromkeys(one.look for one in self._tellings)
        waiting = [one for look in looks for one in look.pictures if one.tokens is None]
        half = [one for one in waiting if one.context is not None]
        return (half or waiting)[:self._batch]

    def _see(self, pictures: list[_Picture]) -> list[tuple[DamTelling, Piece]]:
        """One pass of the tower."""
        begun = time.monotonic()
        try:
            with _out_of_memory():
                self._pass(pictures)
        except OutOfMemory as failure:
            looks = {one.look for one in pictures}
            for look in looks:
                for one in look.pictures:
                    one.context = None   # who asks again looks again
            return [self._end(one, failure=failure) for one in self._tellings if one.look in looks]
        for look in {one.look for one in pictures}:
            look.later_s += time.monotonic() - begun
        return []

    def _pass(self, pictures: list[_Picture]) -> None:
        squares = torch.stack([one.squares for one in pictures])
        if pictures[0].context is None:
            for picture, context in zip(pictures, self._dam.context_features(squares)):
                picture.context = context.clone()
            return
        fused = self._dam.focused_features(squares, torch.stack([one.context for one in pictures]))
        for picture, tokens in zip(pictures, self._dam.image_tokens(fused)):
            picture.tokens, picture.context, picture.squares = tokens.clone(), None, None

    def _open_texts(self) -> list[tuple[DamTelling, Piece]]:
        """Tellings whose look is ready go on from the prefix of their prompt, as soon as that is read."""
        failed = []
        for telling in self._tellings:
            if not telling.running or telling.text is not None:
                continue
            try:
                if telling.look.closed:
                    raise DescriberFailed('the look was closed before it was told about')
                if telling.look.ready:
                    with _out_of_memory():
                        self._open_text(telling)
            except (OutOfMemory, DescriberFailed) as failure:
                failed.append(self._end(telling, failure=failure))
        return failed

    def _open_text(self, telling: DamTelling) -> None:
        dam, prompt = self._dam, telling.prompt
        telling.prefix = telling.prefix or self._prefix(telling.look, prompt.before)
        if not telling.prefix.reading:
            room = len(prompt.behind) + min(telling.query.max_tokens, _ROOM)
            chooser = Chooser(telling.query, dam.config.language.top_k, dam.device)
            telling.text = generation.Text(telling.prefix.cache.fork(room), dam.embed(prompt.behind), chooser)

    def _prefix(self, look: DamLook, before: tuple[tuple[int, ...], ...]) -> generation.Text:
        """Everything up to the end of the last picture: read once, kept for all questions about the look."""
        if before not in look.prefixes:
            while len(look.prefixes) >= _PREFIXES:
                del look.prefixes[next(iter(look.prefixes))]
            given = torch.cat([part for ids, picture in zip(before, look.pictures, strict=True)
                               for part in (self._dam.embed(ids), picture.tokens)])
            look.prefixes[before] = generation.Text(self._dam.cache(len(given)), given, None)
        return look.prefixes[before]

    def _write(self, also_read: bool) -> list[tuple[DamTelling, Piece]]:
        """One token for each text that is being written; new ones read on."""
        owners = {id(one.text): one for one in self._tellings if one.running and one.text is not None}
        texts = [one.text for one in owners.values()]
        texts += dict.fromkeys(one.prefix for one in self._tellings
                               if one.running and not one.text and one.prefix and one.prefix.reading)
        texts = [one for one in texts if also_read or not one.reading]
        with _out_of_memory():
            written = generation.step(self._dam, texts)
        return [self._piece(owners[id(text)], token, probability) for text, token, probability in written]

    def _piece(self, telling: DamTelling, token: int, probability: float) -> tuple[DamTelling, Piece]:
        if math.isnan(probability):
            return self._end(telling, failure=DescriberFailed(
                f'the numbers of {self.model} ran over (not a number); use dtype bfloat16 or float32'))
        telling.written += 1
        text = telling.speller.add(token)
        truncated = token not in self._ends and telling.written == telling.query.max_tokens
        if token in self._ends or truncated:
            return self._end(telling, text=text + telling.speller.end(), token_ids=(token,), probability=probability,
                             truncated=truncated, language='en')
        return telling, Piece(text, (token,), probability)

    def _end(self, telling: DamTelling, **what) -> tuple[DamTelling, Piece]:
        telling.running, telling.prefix, telling.text = False, None, None
        return telling, Piece(last=True, **what)


@contextmanager
def _out_of_memory(doing: str = 'describing', remedy: str = 'use smaller weights or fewer regions at once'
                   ) -> Iterator[None]:
    """torch has an error of its own for a GPU's memory, and any RuntimeError for the host's."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        said = str(error).partition('\n')[0]
        if isinstance(error, RuntimeError) and not ('out of memory' in said or "can't allocate memory" in said):
            raise
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise OutOfMemory(f'no memory left while {doing} ({said or type(error).__name__}); {remedy}') from error
