"""In which form weights are held, and the widest one that fits a budget of memory. It reads no tensors.

What is needed is counted from the shapes (docs/model.md): the weights themselves; the keys and values of one look's
prefix, and of one text that goes on from it; and what one pass over one picture, or one chunk of reading, works with.
torch's own libraries come on top, as do further looks (`looks_mb`) and further texts.
"""
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from dam_ros.core.clips import PICTURES
from dam_ros.core.errors import complaint, DescriberFailed
from dam_ros.model.config import Config, JOINT
from dam_ros.model.language import LanguageModel
from dam_ros.model.projector import Projector
from dam_ros.model.quantized import FORMS, quantize, Quantized
from dam_ros.model.vision import ContextProvider, VisionTower

DTYPES = {'float32': torch.float32, 'float16': torch.float16, 'bfloat16': torch.bfloat16}
NAMES = (*DTYPES, *FORMS)
# auto takes the first that fits. On a GPU float16 as the reference; on a CPU bfloat16 is slower than float32 in most.
_WIDEST_FIRST = {'cpu': ('float32', 'bfloat16', *FORMS), 'cuda': ('float16', *FORMS)}
_WORDS = 64 + 256   # tokens of a prompt around its pictures, and of an answer
_CHUNK = 512        # tokens that are read at once, at most
_MB = 1_000_000


@dataclass(frozen=True)
class Form:
    """`dtype`: of all but the language model's large products. `narrow`: their form, '' where it is the same."""

    name: str
    dtype: torch.dtype
    narrow: str = ''


@dataclass(frozen=True)
class Need:
    """Bytes."""

    weights: int
    caches: int
    work: int

    @property
    def mb(self) -> int:
        return -(-(self.weights + self.caches + self.work) // _MB)

    def __str__(self) -> str:
        return (f'{self.mb} MB (weights {self.weights // _MB}, keys and values {self.caches // _MB}, '
                f'work {self.work // _MB})')


def named(name: str, device: torch.device) -> Form:
    """One of NAMES.

    Narrow products work beside float32 on a CPU, where bfloat16 is emulated more often than not and the vision side
    would take longer than all else, and beside bfloat16 on a GPU: torch's product for int4 takes nothing else, and
    its range is float32's.
    """
    if name in DTYPES:
        return Form(name, DTYPES[name])
    return Form(name, torch.float32 if device.type == 'cpu' else torch.bfloat16, name)


def choose(asked: str, budget_mb: float, config: Config, vocabulary: int, device: torch.device) -> tuple[Form, str]:
    """(form, why in words, '' without a budget).

    Args:
        asked: 'auto' or one of NAMES.
        budget_mb: 0 = no limit; else auto goes down to the widest form that fits.
        vocabulary: rows of the tables.

    Raises:
        DescriberFailed: the budget is too small, with the numbers.
    """
    order = _WIDEST_FIRST.get(device.type, _WIDEST_FIRST['cuda'])
    names = order if asked == 'auto' else (asked,)
    if not budget_mb:
        return named(names[0], device), ''
    larger = []
    for name in names:
        form = named(name, device)
        need = needed(config, vocabulary, form)
        if need.mb <= budget_mb:
            return form, '; '.join([f'{name} needs {need} of {budget_mb:g} MB',
                                    *(f'{other} would need {wider.mb} MB' for other, wider in larger)])
        larger.append((name, need))
    least = '; '.join(f'{name} needs {need}' for name, need in larger)
    remedy = 'a larger budget, or a smaller model' if asked in ('auto', FORMS[-1]) else 'dtype auto takes what fits'
    raise DescriberFailed(complaint('memory_budget_mb', f'{budget_mb:g}', f'at least {larger[-1][1].mb}, as {least}',
                                    remedy))


def needed(config: Config, vocabulary: int, form: Form) -> Need:
    """What one look and one answer about it take."""
    with torch.device('meta'):
        language = LanguageModel(config.language, vocabulary)
        others = nn.ModuleList((VisionTower(config.vision), ContextProvider(config.context, config.vision),
                                Projector(config.vision.grid, config.vision.hidden, config.language.hidden)))
    if form.narrow:
        quantize(language, form.narrow)
    size = form.dtype.itemsize
    narrow = [one for one in language.modules() if isinstance(one, Quantized)]
    held = sum(one.weight.nbytes + one.scales.nbytes for one in narrow)
    rest = sum(one.numel() for one in (*language.parameters(), *others.parameters()))
    rest -= sum(one.weight.numel() + one.scales.numel() for one in narrow)
    return Need(held + rest * size, _caches(config) * size, _work(config, vocabulary, size))


def _caches(config: Config) -> int:
    """Numbers: the prefix, and its copy that is written on."""
    pictures = PICTURES if config.kind == JOINT else 1
    per_token = config.language.layers * 2 * config.language.kv_heads * config.language.head_dim
    return 2 * per_token * (pictures * config.image_tokens + _WORDS)


def _work(config: Config, vocabulary: int, size: int) -> int:
    """Bytes: the larger of one picture's pass and one chunk of reading."""
    vision, language = config.vision, config.language
    side = 8 * config.pictures.side_px ** 2
    wide = 3 * max(vision.mlp, config.context.mlp) + 10 * vision.hidden
    seeing = side * (1 + size) + vision.grid ** 2 * wide * size
    reading = _CHUNK * (4 * language.mlp + 10 * language.hidden) * size + vocabulary * (4 + size)
    return max(seeing, reading)
