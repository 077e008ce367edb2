"""What narrower weights change: logits and greedy tokens beside those of float32, which the text is given from.

It measures no time. Random weights forgive less than trained ones, as every error goes on through all layers. So what
bfloat16 changes, which nobody minds, is told beside.
"""
from __future__ import annotations

from collections.abc import Sequence

from case import checkpoint, count_parameters, options, own_given, parse, photograph
import numpy as np
from report import Fact, machine, Result, tell
import torch

from dam_ros.core.describing import Query
from dam_ros.model import prompts, random_checkpoint
from dam_ros.model.dam import Dam, load

_EXACT, _FORMS = 'float32', ('bfloat16', 'int8', 'int4')
_REGIONS = ((40, 40, 160, 160), (200, 100, 300, 200), (60, 300, 300, 300))   # px: top, left, height, width


def follow(dam: Dam, told: Sequence[Sequence[int]], most: int) -> tuple[list[list[int]], torch.Tensor]:
    """Of each region the likeliest tokens, and all logits (regions, most, vocabulary).

    Args:
        told: what the texts go on with, token by token; where it is empty with the likeliest.
    """
    image, mask = photograph()
    prompt = prompts.build(Query(), dam.config.kind, 1, dam.tokenizer)
    ids, logits = [], []
    for number, (top, left, height, width) in enumerate(_REGIONS):
        mask = np.zeros_like(mask)
        mask[top:top + height, left:left + width] = True
        given = own_given(dam, prompt, image, mask)
        cache, likeliest = dam.cache(len(given) + most), []
        for place in range(most):
            logits.append(dam.logits(dam.read([given], [cache]))[0].cpu())
            likeliest.append(int(logits[-1].argmax()))
            given = dam.embed([told[number][place] if told else likeliest[-1]])
        ids.append(likeliest)
    return ids, torch.stack(logits).unflatten(0, (len(_REGIONS), most))


def measure(asked) -> Result:
    """Facts of each form."""
    folder, most = checkpoint(asked.size), 3 if asked.quick else 32
    told, exact = follow(load(folder, dtype=_EXACT, device=asked.device), [], most)
    facts = []
    for form in _FORMS:
        ids, logits = follow(load(folder, dtype=form, device=asked.device), told, most)
        off = (logits - exact).norm(dim=-1) / exact.norm(dim=-1)
        same = sum(one == other for row, right in zip(ids, told) for one, other in zip(row, right))
        facts += [Fact(f'{form}: error of the first logits (relative, L2)', float(off[:, 0].mean())),
                  Fact(f'{form}: error of all logits (relative, L2)', float(off.mean())),
                  Fact(f'{form}: greedy tokens that are the same', 100 * same / len(_REGIONS) / most, '%')]
    size = asked.size if asked.size in random_checkpoint.SIZES else folder.resolve().name
    return Result('quality', size, _EXACT, asked.device, torch.get_num_threads(), count_parameters(folder), asked.quick,
                  [f'{len(_REGIONS)} regions of {most} tokens each, all forms given the tokens of {_EXACT}'], (), facts,
                  machine(asked.device))


def main(argv: Sequence[str] | None = None) -> int:
    """0."""
    asked = parse(options('quality', __doc__.splitlines()[0]), argv)
    tell(measure(asked), asked.out)
    return 0
