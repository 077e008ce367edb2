"""The Describe Anything Model as a describer: look once, tell often, many tellings in one decoding step.

The work is cut into stages, and each `step` does a slice of vision, a chunk of reading, and one token for everything
that is being written: so who calls can stop, or bring something more urgent, in between. What is urgent goes first.
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
from dam_ros.describers.dam_look import DamLook, Seeing
from dam_ros.describers.dam_memory import out_of_memory
from dam_ros.model import generation, prompts, weights
from dam_ros.model.config import IMAGE, JOINT, Language
from dam_ros.model.dam import Dam, load
from dam_ros.model.forms import NAMES
from dam_ros.model.sampling import Chooser

_CHOICES = {'model_kind': ('auto', IMAGE, JOINT), 'dtype': ('auto', *NAMES)}
_OPTIONS = ('model', 'model_kind', 'dtype', 'device', 'memory_budget_mb')
_CPU_PLACES, _PLACES = 8, 16   # tellings at once, and pictures in one pass of the tower; a CPU gains nothing by those
_SLICE_S = 0.25      # s of seeing in one step, on a CPU; a GPU does one pass
_PAUSE_S = 0.5       # for which texts wait for those that are still read; a token is a fraction of it
_CHUNK = 2048        # tokens that one step reads, on a GPU
_STEP_WEIGHTS = 2e10   # on a CPU, tokens times weights: that takes two cores about a quarter of a second
_PREFIXES = 2        # of one look: raw queries may say different things before the picture
_OPENINGS = 2        # what is said before the first picture; it is the same for all looks
_ROOM = 256          # tokens a new text has room for; its cache grows beyond


def create(options: Mapping[str, object]) -> DamDescriber:
    """Loads the weights.

    Args:
        options: model (hub id or folder), model_kind (auto, image, joint), dtype, device, memory_budget_mb (0 = none).

    Raises:
        DescriberFailed: an option or the weights cannot be used.
        OutOfMemory: they do not fit.
    """
    for name, value in options.items():
        allowed = _CHOICES.get(name)
        if name not in _OPTIONS or (allowed is not None and value not in allowed):
            raise DescriberFailed(complaint(name, value, ', '.join(allowed or _OPTIONS)))
    budget_mb = options.get('memory_budget_mb', 0)
    if type(budget_mb) not in (int, float) or not 0 <= budget_mb < math.inf:
        raise DescriberFailed(complaint('memory_budget_mb', budget_mb, 'a number of MB from 0 (no limit) on'))
    folder = weights.find(str(options.get('model') or ''))
    name = _name(folder)
    with out_of_memory(f'loading {name}', 'free some, or use dtype bfloat16, int8 or int4'):
        dam = load(folder, str(options.get('model_kind', 'auto')), str(options.get('dtype', 'auto')),
                   str(options.get('device') or 'auto'), name.partition('@')[0], budget_mb, _say)
        dam.warm_up()
    _say(f'{name}; {weights.LICENCE}')
    return DamDescriber(dam, name)


def _say(line: str) -> None:
    print(f'dam: {line}', file=sys.stderr, flush=True)


def _name(folder: Path) -> str:
    """'nvidia/DAM-3B@0797bed' in the cache of Hugging Face, else the folder's own name."""
    folder = folder.absolute()
    repository = folder.parent.parent.name
    if folder.parent.name == 'snapshots' and repository.startswith('models--'):
        return repository.removeprefix('models--').replace('--', '/') + '@' + folder.name[:7]
    return folder.name or folder.resolve().name


class DamTelling:
    """One text about a look.

    Attributes:
        opening, prefix, text: what is read for it, one after the other: the words before the first picture, all up to
            the end of the last one, and the text itself. None where it is not that far.
    """

    def __init__(self, look: DamLook, query: Query, prompt: prompts.Prompt, speller):
        self.look, self.query, self.prompt, self.speller = look, query, prompt, speller
        self.opening: generation.Text | None = None
        self.prefix: generation.Text | None = None
        self.text: generation.Text | None = None
        self.written = 0
        self.running = True

    @property
    def at_work(self) -> generation.Text | None:
        """What of it the next step reads or writes; None while the look is waited for."""
        text = self.text or self.prefix or self.opening
        return text if text is not None and (text is self.text or text.reading) else None

    @property
    def hurried(self) -> bool:
        """Somebody waits for its first word."""
        return self.query.urgent and self.running and self.written == 0

    def stop(self) -> None:
        self.running, self.opening, self.prefix, self.text = False, None, None, None   # their memory is free at once


class DamDescriber:
    """See `core.describing.Describer` and the module's text."""

    name = 'dam'
    languages = ('en',)

    def __init__(self, dam: Dam, name: str):
        self._dam = dam
        self.model = f'{name} {dam.form.name}'
        self.max_pictures = PICTURES if dam.config.kind == JOINT else 1
        self._ends = {*dam.config.language.ends, dam.tokenizer.end}
        self.weights_bytes = sum(one.nbytes
                                 for part in (dam.tower, dam.provider, dam.projector, dam.language)
                                 for one in (*part.parameters(), *part.buffers()))
        slow = dam.device.type == 'cpu'
        self.capacity = _CPU_PLACES if slow else _PLACES
        self._chunk = _cpu_chunk(dam.config.language) if slow else _CHUNK
        self._seeing = Seeing(dam, 1 if slow else _PLACES)
        self._openings: dict[tuple[int, ...], generation.Text] = {}
        self._tellings: list[DamTelling] = []   # urgent ones first, then the older ones
        self._all_s = 0.0                       # when all that could go on did

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
        place = sum(one.query.urgent for one in self._tellings) if query.urgent else len(self._tellings)
        self._tellings.insert(place, telling)
        return telling

    def step(self) -> list[tuple[DamTelling, Piece]]:
        """A slice of vision, a chunk of reading, a token of each text that is being written."""
        self._tellings = [one for one in self._tellings if one.running]
        unread = [one for one in self._tellings if one.text is None]
        if not unread:
            self._seeing.forget(())
            return self._write(self._tellings)
        hurried = [one for one in self._tellings if one.hurried]
        failed = [*self._see(unread, hurried), *self._open_texts(unread)]
        return failed + self._write(self._going(bool(hurried)))

    def _going(self, hurried: bool) -> list[DamTelling]:
        """Whose texts go on while some are not read yet.

        Weights are read once for all texts that are written in a step, so those of a scene are written together, after
        the last of them was read. But no text stands still for long: reading all may take minutes.
        """
        if hurried:
            return [one for one in self._tellings if one.query.urgent]
        now = time.monotonic()
        if now - self._all_s < _PAUSE_S:
            return [one for one in self._tellings if one.query.urgent or one.text is None or one.text.reading]
        self._all_s = now
        return self._tellings

    def close(self) -> None:
        self._tellings.clear()
        self._openings.clear()
        self._dam = self._seeing = None

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

    def _see(self, unread: Sequence[DamTelling], hurried: Sequence[DamTelling]) -> list[tuple[DamTelling, Piece]]:
        looks = dict.fromkeys(one.look for one in unread)
        self._seeing.forget(looks)
        first = dict.fromkeys(one.look for one in hurried) or looks
        failed = self._seeing.go_on(list(first), _SLICE_S)
        return [self._end(one, failure=failed[one.look]) for one in unread if one.look in failed]

    def _open_texts(self, unread: Sequence[DamTelling]) -> list[tuple[DamTelling, Piece]]:
        """Tellings whose look is ready go on from the prefix of their prompt, as soon as that is read."""
        failed = []
        for telling in unread:
            if not telling.running:
                continue
            try:
                if telling.look.closed:
                    raise DescriberFailed('the look was closed before it was told about')
                with out_of_memory():
                    self._open_text(telling)
            except (OutOfMemory, DescriberFailed) as failure:
                failed.append(self._end(telling, failure=failure))
        return failed

    def _open_text(self, telling: DamTelling) -> None:
        dam, prompt, look = self._dam, telling.prompt, telling.look
        telling.prefix = telling.prefix or look.prefixes.get(prompt.before)
        if telling.prefix is None:
            telling.opening = telling.opening or self._opening(prompt.before[0])
            if telling.opening.reading or not look.ready:
                return
            telling.prefix = self._prefix(telling)
        if not telling.prefix.reading:
            room = len(prompt.behind) + min(telling.query.max_tokens, _ROOM)
            chooser = Chooser(telling.query, dam.config.language.top_k, dam.device)
            telling.text = generation.Text(telling.prefix.cache.fork(room), dam.embed(prompt.behind), chooser)

    def _opening(self, ids: tuple[int, ...]) -> generation.Text:
        """The words before the first picture: read once, for all looks."""
        dam, opening = self._dam, self._openings.pop(ids, None)
        opening = self._openings[ids] = opening or generation.Text(dam.cache(len(ids)), dam.embed(ids), None)
        if len(self._openings) > _OPENINGS:
            del self._openings[next(iter(self._openings))]
        return opening

    def _prefix(self, telling: DamTelling) -> generation.Text:
        """Everything up to the end of the last picture: read once, kept for all questions about the look."""
        look, (_, *between) = telling.look, telling.prompt.before
        while len(look.prefixes) >= _PREFIXES:
            del look.prefixes[next(iter(look.prefixes))]
        first, *others = (one.tokens for one in look.pictures)
        given = torch.cat([first, *(part for ids, tokens in zip(between, others, strict=True)
                                    for part in (self._dam.embed(ids), tokens))])
        prefix = generation.Text(telling.opening.cache.fork(len(given)), given, None)
        look.prefixes[telling.prompt.before] = prefix
        return prefix

    def _write(self, tellings: Sequence[DamTelling]) -> list[tuple[DamTelling, Piece]]:
        owners = {id(one.text): one for one in tellings if one.text is not None}
        opened = dict.fromkeys(text for text in (one.at_work for one in tellings) if text is not None)
        texts, room = [], self._chunk
        for text in opened:   # oldest first: a long one is never kept from reading by those that come after it
            cost = min(len(text.given), self._chunk)
            if cost <= room:
                texts.append(text)
                room -= cost
        try:
            with out_of_memory():
                written = generation.step(self._dam, texts, self._chunk)
        except OutOfMemory as failure:   # the youngest goes, so that the others can go on
            youngest = next(one for one in reversed(tellings) if one.at_work in texts)
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
        telling.stop()
        return telling, Piece(last=True, **what)


def _cpu_chunk(config: Language) -> int:
    """Tokens that a CPU reads in one step, so that it can be stopped soon. Not measured: equal work, equal numbers."""
    weights = config.layers * config.hidden * (2 * (config.heads + config.kv_heads) * config.head_dim + 3 * config.mlp)
    return min(512, max(32, int(_STEP_WEIGHTS / weights) // 32 * 32))   # whole 32 rows, see model/layers.py
