"""The Describe Anything Model as a describer: look once, tell often, many tellings in one decoding step.

The work is cut into stages, and each `step` does one of them (a pass of the vision tower, a chunk of prefill) beside
one token for everything that is being written: so who calls can stop, or bring something more urgent, in between.
What it knows of the model is `model/dam.py`; what is to be said in which words is `core/queries.py`.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
import math
from pathlib import Path
import sys

import torch

from dam_ros.core.clips import PICTURES, spread
from dam_ros.core.describing import Piece, Query, Subject
from dam_ros.core.errors import complaint, DescriberFailed, EmptyRegion, OutOfMemory, Unsupported
from dam_ros.describers.dam_look import DamLook, Pass
from dam_ros.model import generation, prompts, weights
from dam_ros.model.config import IMAGE, JOINT
from dam_ros.model.dam import Dam, DTYPES, load
from dam_ros.model.sampling import Chooser

_CHOICES = {'model_kind': ('auto', IMAGE, JOINT), 'dtype': ('auto', *DTYPES)}
_OPTIONS = ('model', 'model_kind', 'dtype', 'device')
_BATCH = 8       # pictures in one pass of the tower, on a GPU; a CPU gains nothing by it
_SLICE_S = 0.25  # s of a pass in one step, on a CPU; a GPU does all of it
_CHUNK, _CPU_CHUNK = 512, 32   # tokens that one step reads: with the real weights two cores need 3 s for 32 of them
_NO_MEMORY = ('out of memory', "can't allocate memory", 'ALLOC_FAILED')   # in what torch says
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
    folder = folder.absolute()
    repository = folder.parent.parent.name
    if folder.parent.name == 'snapshots' and repository.startswith('models--'):
        return repository.removeprefix('models--').replace('--', '/') + '@' + folder.name[:7]
    return folder.name or folder.resolve().name


class DamTelling:
    """One text about a look."""

    def __init__(self, look: DamLook, query: Query, prompt: prompts.Prompt, speller):
        self.look, self.query, self.prompt, self.speller = look, query, prompt, speller
        self.prefix: generation.Text | None = None   # once the look is ready
        self.text: generation.Text | None = None     # once the prefix was read
        self.written = 0
        self.running = True

    def stop(self) -> None:
        self.running, self.prefix, self.text = False, None, None   # their memory is free at once


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
        slow = dam.device.type == 'cpu'
        self._batch, self._chunk = (1, _CPU_CHUNK) if slow else (_BATCH, _CHUNK)
        self._pass: Pass | None = None
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
        """A slice of vision, a chunk of reading, a token of each text that is being written; oldest telling first."""
        self._tellings = [one for one in self._tellings if one.running]
        return [*self._see(), *self._open_texts(), *self._write()]

    def close(self) -> None:
        self._tellings.clear()
        self._dam = self._pass = None

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

    def _see(self) -> list[tuple[DamTelling, Piece]]:
        wanted = dict.fromkeys(one.look for one in self._tellings)
        if self._pass is not None and not self._pass.looks & wanted.keys():
            self._pass = None   # nobody waits for it any more
        try:
            with _out_of_memory():
                self._pass = self._pass or self._next_pass(wanted)
                if self._pass is not None and self._pass.advance(_SLICE_S):
                    self._pass = None
        except OutOfMemory as failure:
            looks = self._pass.looks if self._pass is not None else set(wanted)
            self._pass = None
            return [self._end(one, failure=failure) for one in self._tellings if one.look in looks]
        except BaseException:
            self._pass = None   # half of it is of no use
            raise
        return []

    def _next_pass(self, looks: Iterable[DamLook]) -> Pass | None:
        """For the picture that is waited for longest, together with others that are as far."""
        waiting = [one for look in looks for one in look.pictures if one.tokens is None]
        alike = [one for one in waiting if (one.context is None) == (waiting[0].context is None)]
        return Pass(self._dam, alike[:self._batch]) if waiting else None

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

    def _write(self) -> list[tuple[DamTelling, Piece]]:
        owners = {id(one.text): one for one in self._tellings if one.text is not None}
        opened = dict.fromkeys(one.text or one.prefix for one in self._tellings if one.text or one.prefix)
        texts, room = [], self._chunk
        for text in opened:   # oldest first: a long one is never kept from reading by those that come after it
            cost = min(len(text.given), self._chunk)
            if cost <= room:
                texts.append(text)
                room -= cost
        try:
            with _out_of_memory():
                written = generation.step(self._dam, texts, self._chunk)
        except OutOfMemory as failure:   # the youngest goes, so that the others can go on
            youngest = next(one for one in reversed(self._tellings) if (one.text or one.prefix) in texts)
            return [self._end(youngest, failure=failure)]
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
        if isinstance(error, RuntimeError) and not any(one in said for one in _NO_MEMORY):
            raise
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise OutOfMemory(f'no memory left while {doing} ({said or type(error).__name__}); {remedy}') from error
