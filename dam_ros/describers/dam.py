"""The Describe Anything Model as a describer: look once, tell often, many tellings in one decoding step.

The work is cut into stages, and each `step` does one of them (a pass of the vision tower, a chunk of prefill) beside
one token for everything that is being written: so who calls can stop, or bring something more urgent, in between.
What it knows of the model is `model/dam.py`; what is to be said in which words is `core/queries.py`.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
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
_BATCH = 8       # pictures in one pass of the tower
_PREFIXES = 2    # of one look: raw queries may say different things before the picture
_ROOM = 256      # tokens a new text has room for; its cache grows beyond


def create(options: Mapping[str, object]) -> DamDescriber:
    """Loads the weights.

    Args:
        options: model (hub id or folder), model_kind (auto, image, joint), dtype, device.

    Raises:
        DescriberFailed: an option or the weights cannot be used.
    """
    for name, value in options.items():
        allowed = _CHOICES.get(name)
        if name not in _OPTIONS or (allowed is not None and value not in allowed):
            raise DescriberFailed(complaint(name, value, ', '.join(allowed or _OPTIONS)))
    folder = weights.find(str(options.get('model') or ''))
    name = _name(folder)
    print(f'dam: {name}; {weights.LICENCE}', file=sys.stderr, flush=True)
    try:
        dam = load(folder, str(options.get('model_kind', 'auto')), str(options.get('dtype', 'auto')),
                   str(options.get('device') or 'auto'), name.partition('@')[0])
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise OutOfMemory(f'not enough memory to load {name} ({_first_line(error)}); free some, or use dtype float16 '
                          'or bfloat16') from error
    return DamDescriber(dam, name)


def _name(folder: Path) -> str:
    """'nvidia/DAM-3B@0797bed' in the cache of Hugging Face, else the folder's own name."""
    folder = folder.resolve()
    repository = folder.parent.parent.name
    if folder.parent.name == 'snapshots' and repository.startswith('models--'):
        return repository.removeprefix('models--').replace('--', '/') + '@' + folder.name[:7]
    return folder.name


class DamLook:
    """Pictures that are looked at when somebody asks about them, and then known.

    Attributes:
        ready: the vision part is done.
        later_s: s that this took so far.
    """

    def __init__(self, squares: torch.Tensor):
        self.squares: torch.Tensor | None = squares     # uint8 (pictures, 8, side, side)
        self.context: torch.Tensor | None = None        # (pictures, patches, C), between the two passes
        self.tokens: torch.Tensor | None = None         # (pictures, image tokens, D)
        self.pictures = len(squares)
        self.later_s = 0.0
        self.prefixes: dict[tuple, generation.Text] = {}   # by the ids before the pictures
        self.closed = False

    @property
    def ready(self) -> bool:
        return self.tokens is not None

    def close(self) -> None:
        self.squares = self.context = self.tokens = None
        self.prefixes.clear()
        self.closed = True


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
        prompt = prompts.build(query, config.kind, look.pictures, self._dam.tokenizer)
        prompts.check_length(prompt, config.image_tokens, config.language.most_input,
                             'raw_query' if query.raw else 'query', query.question)
        telling = DamTelling(look, query, prompt, self._dam.tokenizer.speller())
        self._tellings.append(telling)
        return telling

    def step(self) -> list[tuple[DamTelling, Piece]]:
        self._tellings = [one for one in self._tellings if one.running]
        return [*self._see(), *self._open_texts(), *self._write()]

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
        return DamLook(torch.stack([self._dam.channels(image, mask) for image, mask in pictures]))

    def _see(self) -> list[tuple[DamTelling, Piece]]:
        """One pass of the tower for the looks that somebody waits for; those half done come first."""
        waiting = list(dict.fromkeys(one.look for one in self._tellings if not one.look.ready and not one.look.closed))
        looks = [one for one in waiting if one.context is not None] or waiting
        batch: list[DamLook] = []
        for look in looks:
            if not batch or sum(one.pictures for one in batch) + look.pictures <= _BATCH:
                batch.append(look)
        begun = time.monotonic()
        try:
            if batch:
                self._pass(batch)
        except (MemoryError, torch.OutOfMemoryError) as error:
            for look in batch:
                look.context = None   # who asks again looks again
            failure = _out_of_memory(error)
            return [self._end(one, failure=failure) for one in self._tellings if one.look in batch]
        for look in batch:
            look.later_s += time.monotonic() - begun
        return []

    def _pass(self, looks: list[DamLook]) -> None:
        squares = torch.cat([look.squares for look in looks])
        sizes = [look.pictures for look in looks]
        if looks[0].context is None:
            for look, context in zip(looks, self._dam.context_features(squares).split(sizes)):
                look.context = context
            return
        fused = self._dam.focused_features(squares, torch.cat([look.context for look in looks]))
        for look, tokens in zip(looks, self._dam.image_tokens(fused).split(sizes)):
            look.tokens, look.context, look.squares = tokens.clone(), None, None

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
                    self._open_text(telling)
            except (MemoryError, torch.OutOfMemoryError) as error:
                failed.append(self._end(telling, failure=_out_of_memory(error)))
            except DescriberFailed as failure:
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
            given = torch.cat([part for ids, tokens in zip(before, look.tokens)
                               for part in (self._dam.embed(ids), tokens)])
            look.prefixes[before] = generation.Text(self._dam.cache(len(given)), given, None)
        return look.prefixes[before]

    def _write(self) -> list[tuple[DamTelling, Piece]]:
        owners = {id(one.text): one for one in self._tellings if one.running and one.text is not None}
        texts = [one.text for one in owners.values()]
        texts += dict.fromkeys(one.prefix for one in self._tellings if one.running and one.prefix and not one.text)
        return [self._piece(owners[id(text)], token, probability)
                for text, token, probability in generation.step(self._dam, texts)]

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


def _out_of_memory(error: BaseException) -> OutOfMemory:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return OutOfMemory(f'the describer ran out of memory ({_first_line(error)}); use smaller weights or fewer regions '
                       'at once')


def _first_line(error: BaseException) -> str:
    return str(error).partition('\n')[0] or type(error).__name__
