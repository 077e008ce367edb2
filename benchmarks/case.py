"""What the benchmarks of the model share: their options, a checkpoint as ours and in the usual way, one photograph."""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
import fcntl
import hashlib
import json
from pathlib import Path
import shutil

import cv2
import numpy as np
import plain
import report
from report import Unequal
import torch
from transformers.utils import logging

from dam_ros.core.describing import Query
from dam_ros.model import generation, prompts, random_checkpoint
from dam_ros.model.dam import Dam, load
from dam_ros.model.language import Cache
from dam_ros.model.sampling import Chooser

logging.set_verbosity_error()   # it warns of an end that never comes, which is what is wanted here

DTYPES = ('float32', 'float16', 'bfloat16', 'int8', 'int4')
_EXACT = 'float32'
_CACHE = report.ROOT / '.dev' / 'bench'
_PHOTO = report.ROOT / 'examples' / 'photos' / 'coffee.jpg'
_WIDTH, _HEIGHT, _REGION = 640, 427, 3   # px; what is in the cup, whose crop is not the whole picture
_FEATURES_OFF = {'float32': 1e-4, 'float16': 1e-2, 'bfloat16': 5e-2}   # of the largest number
# How much less likely, in standard deviations of the logits, a token may be than the likeliest of the same text read
# in one go: the two round differently.
_TIE = {'float32': 1e-3, 'float16': 0.02, 'bfloat16': 0.15, 'int8': 0.15, 'int4': 0.15}


def options(what: str, text: str) -> argparse.ArgumentParser:
    """What every benchmark of the model understands."""
    parser = argparse.ArgumentParser(prog=f'./dev bench {what}', description=text)
    parser.add_argument('--size', default='mid', metavar='tiny|mid|3b|FOLDER',
                        help='a random checkpoint of that size, made once under .dev/bench (3b: 7 GB), or yours; '
                             'default %(default)s')
    parser.add_argument('--dtype', choices=DTYPES, default=_EXACT, help='of ours; default %(default)s')
    parser.add_argument('--device', default='auto', help='auto, cpu, cuda, cuda:1; default %(default)s')
    parser.add_argument('--threads', type=int, default=0, help='for both; default: as many as torch takes')
    parser.add_argument('--quick', action='store_true', help='to see that it works; too short to mean much')
    parser.add_argument('--out', type=Path, default=report.RESULTS, help='folder for results')
    return parser


def parse(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """Also settles what is chosen for all of the process: device and threads."""
    asked = parser.parse_args(argv)
    if asked.device == 'auto':
        asked.device = 'cuda' if torch.cuda.is_available() else 'cpu'
    if asked.threads < 0:
        parser.error(f'--threads is {asked.threads}; allowed: 1 or more, or 0 for as many as torch takes')
    if asked.size not in random_checkpoint.SIZES and not (Path(asked.size) / 'config.json').is_file():
        parser.error(f"--size is '{asked.size}'; allowed: {', '.join(random_checkpoint.SIZES)}, or the folder of a "
                     'checkpoint (there is no config.json in it)')
    if asked.threads:
        torch.set_num_threads(asked.threads)
    return asked


def checkpoint(size: str) -> Path:
    """The folder of a random checkpoint whose texts never end, made where it is missing; or the folder itself."""
    if size not in random_checkpoint.SIZES:
        return Path(size)
    sizes = replace(random_checkpoint.SIZES[size], end_gain=0.0)
    source = Path(random_checkpoint.__file__).read_bytes()
    made_from = hashlib.sha256(source + repr(sizes).encode()).hexdigest()
    folder = _CACHE / size
    _CACHE.mkdir(parents=True, exist_ok=True)
    (_CACHE.parent / 'COLCON_IGNORE').touch()
    with open(_CACHE / f'{size}.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)   # two benchmarks at once make it once
        stamp = folder / 'made-from'
        if not stamp.exists() or stamp.read_text() != made_from:
            print(f'making a random checkpoint of size {size} in {folder.relative_to(report.ROOT)} '
                  '(./dev clean removes it)', flush=True)
            shutil.rmtree(folder, ignore_errors=True)
            random_checkpoint.write(folder, sizes)
            stamp.write_text(made_from)
    return folder


@dataclass(frozen=True)
class Written:
    """A text as it came: ids, and s on the steady clock of the start and of each id."""

    ids: list[int]
    begun: float
    came: list[float]

    def times(self) -> dict[str, list[float]]:
        return {'first': [self.came[0] - self.begun], 'token': [float(one) for one in np.diff(self.came)]}


class Case:
    """One checkpoint and one photograph, 640x427, with what is in its cup as the region.

    Attributes:
        dam, plain: the same network, ours and the usual way.
        usual_dtype: of the usual way: ours, or for weights of whole numbers what one would take without them.
        image, mask: RGB uint8 (427, 640, 3), bool (427, 640).
        exact: both must say the same to the last token.
    """

    def __init__(self, asked: argparse.Namespace, dtype: str = '', model: Dam | None = None):
        self.asked, self.dtype, self.device = asked, dtype or asked.dtype, asked.device
        self.folder = checkpoint(asked.size)
        self.parameters = count_parameters(self.folder)
        self.exact = self.dtype == _EXACT
        wide = 'bfloat16' if self.device != 'cpu' or self.parameters > 1e9 else _EXACT
        self.usual_dtype = wide if self.dtype.startswith('int') else self.dtype
        self.dam = model or self.load()
        self.plain = plain.PlainDam(self.folder, getattr(torch, self.usual_dtype), self.device)
        self.image, self.mask = photograph()
        self.prompt = prompts.build(Query(), self.dam.config.kind, 1, self.dam.tokenizer)

    def load(self, dtype: str = '') -> Dam:
        """Another of ours."""
        return load(self.folder, dtype=dtype or self.dtype, device=self.device)

    @property
    def usual_name(self) -> str:
        return 'the usual way' if self.usual_dtype == self.dtype else f'the usual way in {self.usual_dtype}'

    def finish(self) -> None:
        """Waits for the device."""
        if self.device != 'cpu':
            torch.cuda.synchronize()

    def result(self, what: str, equal: Sequence[str], rows: Sequence[report.Row],
               facts: Sequence[report.Fact] = ()) -> report.Result:
        """Of this case."""
        size = self.asked.size if self.asked.size in random_checkpoint.SIZES else self.folder.resolve().name
        return report.Result(what, size, self.dtype, self.device, torch.get_num_threads(), self.parameters,
                             self.asked.quick, equal, rows, facts, report.machine(self.device))

    def goal(self, value: float, *sizes: str) -> float | None:
        """What the project wants of these sizes on a CPU; nothing of others."""
        return value if self.asked.size in (sizes or ('mid',)) and self.device == 'cpu' else None

    # -- what both sides do -------------------------------------------------------------------------------------------

    def inputs(self) -> torch.Tensor:
        """(T, D): the prompt with the photograph's tokens, the same for both sides."""
        return self.usual_inputs(self.mask)[0]

    def own_given(self, mask: np.ndarray) -> torch.Tensor:
        """(T, D): the prompt with our own tokens of the photograph with this region."""
        return own_given(self.dam, self.prompt, self.image, mask)

    def usual_inputs(self, mask: np.ndarray, prompt: prompts.Prompt | None = None) -> torch.Tensor:
        """(1, T, D): all that the usual way does before its first token."""
        tokens = self.plain.image_tokens(self.plain.channels(self.image, mask))
        return self.plain.inputs(prompt or self.prompt, [tokens])

    def given(self, inputs: torch.Tensor, dam: Dam | None = None) -> torch.Tensor:
        """`inputs` as one of ours takes them."""
        dam = dam or self.dam
        return inputs.to(dam.embed([1]).dtype)

    def check_features(self, name: str, ours: torch.Tensor, usual: torch.Tensor) -> None:
        """Raises Unequal."""
        usual = usual.float()
        off = float((ours.float() - usual).abs().max() / usual.abs().max())
        allowed = _FEATURES_OFF.get(self.dtype, _FEATURES_OFF['bfloat16'])
        if not off <= allowed:
            raise Unequal(f'{name}: off by {off:.2g} of the largest number; allowed in {self.dtype}: {allowed:g}')

    def check_own(self, name: str, given: torch.Tensor, ids: Sequence[int], dam: Dam | None = None) -> None:
        """Each of a few tokens is the likeliest where the text before it is read in one go, without a step.

        Raises:
            Unequal: one is not.
        """
        dam = dam or self.dam
        for place in sorted({0, len(ids) // 3, 2 * len(ids) // 3, len(ids) - 1}):
            text = torch.cat([given, dam.embed(ids[:place])]) if place else given
            logits = dam.logits(dam.read([text], [dam.cache(len(text))]))[0]
            short = float((logits.max() - logits[ids[place]]) / logits.std())
            if not short <= _TIE[self.dtype]:
                raise Unequal(f'{name}: token {place + 1} of ours is {ids[place]}; the same text read in one go makes '
                              f'it {int(logits.argmax())}, by {short:.2g} standard deviations')


def check_ids(name: str, ours: Sequence[int], usual: Sequence[int]) -> None:
    """Raises Unequal with the first difference."""
    if list(ours) != list(usual):
        place = agreeing(ours, usual)
        raise Unequal(f'{name}: {place} tokens are equal, then ours is {list(ours[place:place + 1])} and '
                      f'the usual one {list(usual[place:place + 1])}')


def agreeing(ours: Sequence[int], usual: Sequence[int]) -> int:
    """How many ids are equal before the first that is not."""
    return next((index for index, (one, other) in enumerate(zip(ours, usual)) if one != other),
                min(len(ours), len(usual)))


def write_ours(dam: Dam, given: Sequence[torch.Tensor], most: int, clock,
               opening: Cache | None = None) -> list[Written]:
    """The greedy texts of so many ids each, all at once, by the steps that a describer takes.

    Args:
        opening: what was read before already.
    """
    begun = clock()
    caches = [opening.fork(len(one) + most) if opening else dam.cache(len(one) + most) for one in given]
    texts = [generation.Text(cache, one, Chooser(Query(), 0, dam.device)) for cache, one in zip(caches, given)]
    written: dict[int, Written] = {id(one): Written([], begun, []) for one in texts}
    while running := [one for one in texts if len(written[id(one)].ids) < most]:
        for text, token, _ in generation.step(dam, running, 512):
            written[id(text)].ids.append(token)
            written[id(text)].came.append(clock())
    return list(written.values())


class _Stamps:
    """What `generate` tells of each token; its first word is the prompt's ids."""

    def __init__(self, clock):
        self._clock, self.came = clock, []

    def put(self, _ids) -> None:
        self.came.append(self._clock())

    def end(self) -> None:
        pass


def write_usual(model: plain.PlainDam, inputs: torch.Tensor, most: int, clock, end: int = -1) -> Written:
    """The greedy text of (T, D) by `GenerationMixin.generate`."""
    begun, stamps = clock(), _Stamps(clock)
    ids = model.generate(inputs[None], most, end, stamps)
    return Written(ids, begun, stamps.came[1:])


def own_given(dam: Dam, prompt: prompts.Prompt, image: np.ndarray, mask: np.ndarray) -> torch.Tensor:
    """(T, D): the prompt with our tokens of a region."""
    squares = dam.channels(image, mask)[None]
    tokens = dam.image_tokens(dam.focused_features(squares, dam.context_features(squares)))[0]
    return torch.cat([dam.embed(prompt.before[0]), tokens, dam.embed(prompt.behind)])


def photograph() -> tuple[np.ndarray, np.ndarray]:
    """See Case."""
    image = cv2.imread(str(_PHOTO))
    labels = cv2.imread(str(_PHOTO.with_suffix('.labels.png')), cv2.IMREAD_GRAYSCALE)
    image = cv2.resize(image, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)[:, :, ::-1]
    labels = cv2.resize(labels, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_NEAREST)
    return np.ascontiguousarray(image), labels == _REGION


def grid_regions(count: int) -> list[np.ndarray]:
    """So many boxes of equal size beside each other, bool (427, 640) each."""
    columns = (count + 1) // 2
    masks = []
    for index in range(count):
        mask = np.zeros((_HEIGHT, _WIDTH), bool)
        top, left = index // columns * _HEIGHT // 2, index % columns * _WIDTH // columns
        mask[top + 20:top + _HEIGHT // 2 - 20, left + 20:left + _WIDTH // columns - 20] = True
        masks.append(mask)
    return masks


def count_parameters(folder: Path) -> int:
    """Of all weights in its files."""
    return sum(int(np.prod(shape)) for shape in shapes(folder).values())


def shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Of every tensor in the files, from their headers alone."""
    found = {}
    for path in sorted(folder.glob('*/*.safetensors')):
        with open(path, 'rb') as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), 'little')))
        found.update({f'{path.parent.name}/{name}': tuple(one['shape']) for name, one in header.items()
                      if name != '__metadata__'})
    return found
