"""All that the project wants of a GPU, in one command: decoding, first token, many regions, int4, vision, loading.

With `--device cpu` it tries its own way through, with numbers that mean nothing.
"""
from __future__ import annotations

from collections.abc import Sequence
from copy import copy
import sys
import time

import bandwidth
from case import Case, options, parse, write_ours
import decode
from loading import rows_and_facts
import look
import numpy as np
from report import Fact, Result, Row, tell, Times
from timing import timed

_REGIONS = 16
_GOALS = {'bandwidth': 0.8, 'first token, ms': 40.0, 'regions': 8.0, 'int4': 2.0, 'vision': 0.5}


def measure(asked) -> Result:
    """Raises Unequal: tokens differ, in float32 with a tiny model or in bfloat16 with the one that is timed."""
    exact = copy(asked)
    exact.size, exact.dtype, exact.quick = 'tiny', 'float32', True
    decode.measure(Case(exact))   # the same steps, to the last token
    case = Case(asked, 'bfloat16')
    decoded, looked = decode.measure(case), look.measure(case)
    case.plain = None   # its memory
    rows, facts = [*decoded.rows, *looked.rows], [*decoded.facts, *_bandwidth(case, decoded), *_first(looked)]
    facts += _regions(case, 4 if asked.quick else 64)
    facts += _vision(case)
    for form in ('int8', 'int4'):
        rows.append(_narrow(case, form, decoded.rows[0].ours, 4 if asked.quick else 64))
        if form == 'int4':
            facts.append(Fact('int4, times the tokens per second of bfloat16', rows[-1].ratio, least=_GOALS['int4']))
    case.dam = None
    load_rows, load_facts = rows_and_facts(case, 1 if asked.quick else 3)
    equal = ['tiny, float32: every greedy token; ' + ', '.join(decoded.equal), *looked.equal]
    return case.result('gpu', equal, [*rows, *load_rows], [*facts, *load_facts])


def _bandwidth(case: Case, decoded: Result) -> list[Fact]:
    """The limit is the better of reading and copying."""
    copied = bandwidth.copy_speed(case.device, case.asked.quick)
    found = {one.what: one.value for one in decoded.facts}
    read = found['this machine reads (best of ten sums over 1 GiB)'] * 1e9
    return [Fact('this machine copies, read and written', copied / 1e9, 'GB/s'),
            Fact('decoding, of the better of both', found['decoding reads'] * 1e9 / max(copied, read),
                 least=_GOALS['bandwidth'])]


def _first(looked: Result) -> list[Fact]:
    return [Fact('first token, from picture and mask, ms', looked.rows[0].ours.median,
                 most=_GOALS['first token, ms'])]


def _regions(case: Case, most: int) -> list[Fact]:
    """Tokens per second of many texts, beside one."""
    given = case.own_given(case.mask)
    speeds = []
    for count in (1, _REGIONS):
        write_ours(case.dam, [given] * count, 4, time.perf_counter)   # makes what such a batch needs
        came = [write_ours(case.dam, [given] * count, most, time.perf_counter)[-1].came for _ in range(3)]
        speeds.append(count / float(np.median(np.concatenate([np.diff(one) for one in came]))))
    return [Fact(f'tokens per second, {_REGIONS} regions', speeds[1]),
            Fact(f'{_REGIONS} regions, times the tokens per second of one', speeds[1] / speeds[0],
                 least=_GOALS['regions'])]


def _vision(case: Case) -> list[Fact]:
    """Operations per second of both passes, beside a product of square matrices."""
    dam, batch = case.dam, case.dam.channels(case.image, case.mask)[None].to(case.device)
    run = timed('look', lambda: dam.focused_features(batch, dam.context_features(batch)), case.finish)
    run()
    seconds = min(run()[1]['look'][0] for _ in range(3 if case.asked.quick else 20))
    matrices = bandwidth.matrix_speed(case.device, dam.dtype, case.asked.quick)
    return [Fact('vision of one look', vision_work(dam.config.vision) / seconds / 1e12, 'TFLOP/s'),
            Fact('a product of square matrices', matrices / 1e12, 'TFLOP/s'),
            Fact('vision, of the matrix rate', vision_work(dam.config.vision) / seconds / matrices,
                 least=_GOALS['vision'])]


def vision_work(vision) -> float:
    """Floating point operations of both passes, of the layers that have an effect."""
    patches, width = vision.grid ** 2, vision.hidden
    block = 8 * patches * width ** 2 + 4 * patches ** 2 * width + 4 * patches * width * vision.mlp
    embedding = 2 * patches * width * 4 * vision.patch_px ** 2
    return 2 * embedding + 3 * vision.used_layers * block   # the second pass has a second block per layer


def _narrow(case: Case, form: str, wide: Times, most: int) -> Row:
    """ms per token with narrow weights against bfloat16."""
    model = case.load(form)
    narrow = copy(case)
    narrow.dam, narrow.dtype = model, form
    given = case.given(case.own_given(case.mask), model)
    written = write_ours(model, [given], most, time.perf_counter)[0]
    narrow.check_own(form, given, written.ids)
    times = np.concatenate([np.diff(write_ours(model, [given], most, time.perf_counter)[0].came) for _ in range(3)])
    ours = Times.of(times)
    return Row(f'token, {form}', ours, wide, 'our bfloat16', wide.median / ours.median)


def main(argv: Sequence[str] | None = None) -> int:
    """0, 1 where there is no GPU, or raises Unequal."""
    parser = options('gpu', __doc__.splitlines()[0])
    parser.set_defaults(size='3b', dtype='bfloat16')
    asked = parse(parser, argv)
    named = any(one.startswith('--device') for one in (sys.argv[1:] if argv is None else argv))
    if asked.device == 'cpu' and not named:
        print('bench gpu: torch sees no GPU here, so nothing was measured. To try the command itself: '
              './dev bench gpu --device cpu --size tiny --quick', file=sys.stderr)
        return 1
    tell(measure(asked), asked.out)
    return 0
