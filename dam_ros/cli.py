"""dam-describe: what describe_node does, on a picture file and without ROS.

It knows describers by name only. numpy and OpenCV are imported late, so that --help is quick and their absence is
one clear line.
"""
from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
import json
import math
import os
import sys
import time

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 1, 2, 130
_DETAILS = ('brief', 'normal', 'full')   # in the order of their length
_DEFAULT_TOKENS = 512                     # of a file nobody waits for; the node's is 128


class BadInput(Exception):
    """Words for stderr; exit code 2."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise BadInput(f'{message}; dam-describe --help lists everything')


def make_parser() -> argparse.ArgumentParser:
    """Every option, with its unit and range."""
    parser = _Parser(prog='dam-describe', description='Describe a region of a picture in words.',
                     epilog='Exit code: 0 described, 1 the describer failed, 2 bad input, 130 interrupted.')
    parser.add_argument('image', metavar='IMAGE', help='JPEG, PNG or WebP; used as it is stored, EXIF is not looked at')
    where = parser.add_argument_group('which part (nothing: the whole picture)')
    where.add_argument('--mask', metavar='PNG', help='size of the picture; every pixel that is not 0 is inside (or the '
                       'opaque ones, where some are transparent)')
    where.add_argument('--box', nargs=4, type=float, metavar=('X', 'Y', 'W', 'H'),
                       help='px: left, top, width, height; the box as it is, clipped to the picture')
    where.add_argument('--label-image', metavar='PNG', help='grey, 8 or 16 bit, size of the picture; with --label')
    where.add_argument('--label', type=int, metavar='N', help='value in the label image')
    what = parser.add_argument_group('what is asked')
    what.add_argument('--query', metavar='TEXT', help='a question about the region, without any placeholder')
    what.add_argument('--raw-query', metavar='TEXT', help="the model's whole query, placeholders included")
    what.add_argument('--detail', choices=_DETAILS, default='normal', help='how much (default: %(default)s)')
    who = parser.add_argument_group('who describes')
    who.add_argument('--describer', default='auto', metavar='NAME',
                     help='auto, attributes, dam, remote, rehearsal or package.module:factory (default: %(default)s)')
    who.add_argument('--model', default='', metavar='DIR_OR_HUB_ID', help="weights (default: the describer's own)")
    limits = parser.add_argument_group('limits')
    limits.add_argument('--temperature', type=float, default=0.0, metavar='T',
                        help='0..2, 0 = the same text every time (default: 0)')
    limits.add_argument('--top-p', type=float, metavar='P', help='0..1, with --temperature (default: 1, no cut)')
    limits.add_argument('--seed', type=int, metavar='N', help='0..4294967295, with --temperature (default: 0)')
    limits.add_argument('--max-tokens', type=int, default=_DEFAULT_TOKENS, metavar='N',
                        help='1..2048 (default: %(default)s)')
    limits.add_argument('--max-megapixels', type=float, metavar='MP', default=64.0,
                        help='larger files are refused before they are decoded (default: %(default)g)')
    parser.add_argument('--json', action='store_true', help='everything that is known, as one JSON object')
    parser.add_argument('--version', action='store_true', help='print the version and end')
    return parser


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, 1 (the describer failed), 2 (bad input), 130 (interrupted)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        return _run(arguments)
    except BadInput as error:
        return _say(str(error), EXIT_BAD_INPUT)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:   # `dam-describe ... | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _say(message: str, code: int) -> int:
    print('dam-describe: ' + ' '.join(message.split()), file=sys.stderr)
    return code


def _run(arguments: list[str]) -> int:
    if '--version' in arguments:
        from dam_ros import __version__
        print(f'dam-describe {__version__}')
        return 0
    asked = make_parser().parse_args(arguments)
    if hasattr(sys.stdout, 'reconfigure'):
        sys.stdout.reconfigure(errors='replace')   # a terminal without Unicode shows '?' instead of a traceback
    try:
        from dam_ros.core import errors
    except ImportError as error:
        raise _missing(error) from error
    try:
        return _describe(asked)
    except ImportError as error:
        raise _missing(error) from error
    except errors.CallerFailure as failure:
        raise BadInput(_in_options(str(failure))) from failure
    except errors.Failure as failure:
        return _say(str(failure), EXIT_FAILED)


def _in_options(message: str) -> str:
    """The checks are those of a request; here their fields are options."""
    for field, option in (('region.box_xywh', '--box'), ('region.mask', '--mask'), ('region.labels', '--label')):
        message = message.replace(field, option)
    return message


def _missing(error: ImportError) -> BadInput:
    name = (error.name or str(error)).partition('.')[0]
    package = {'cv2': 'opencv-python-headless'}.get(name, name)
    return BadInput(f'{name} cannot be imported ({error}); pip install {package}')


@dataclass
class _Timings:
    """Seconds, steady clock."""

    load: float = 0.0    # making the describer, its weights included
    look: float = 0.0
    first: float = math.nan   # from the question to the first word
    total: float = 0.0   # from the beginning of the program's work


def _describe(asked: argparse.Namespace) -> int:
    from dam_ros.core.answering import Answer, tellings_for
    from dam_ros.core.describing import Subject, tell
    began, timings = time.monotonic(), _Timings()
    query = _query(asked)
    image, mask, label = _read(asked)
    describer = _make(asked)
    timings.load = time.monotonic() - began
    out = _Streamed(sys.stdout, wanted=not asked.json and sys.stdout.isatty())
    answer = Answer(question=query.question)
    try:
        looking = time.monotonic()
        look, = _guarded(describer, lambda: describer.look([Subject(((image, mask),))]))
        timings.look = time.monotonic() - looking
        asking = time.monotonic()
        for part, one in tellings_for(query, spoken=False):
            for piece in _guarded_each(describer, tell(describer, look, one)):
                if piece.text and math.isnan(timings.first):
                    timings.first = time.monotonic() - asking
                answer.add(part, piece)
                out.add(piece.text)
        look.close()
    finally:
        out.end()
        describer.close()
    timings.total = time.monotonic() - began
    if asked.json:
        report = _report(answer, describer, mask, label, timings)
        print(_guarded(describer, lambda: json.dumps(report, ensure_ascii=False, indent=2)))
    elif not out.wanted:
        print(answer.text)
    if answer.truncated and not asked.json:
        _say(f'cut off after {query.max_tokens} tokens; --max-tokens allows more', 0)
    return 0


def _query(asked: argparse.Namespace):
    from dam_ros.core.describe_settings import DescribeSettings
    from dam_ros.core.describing import DETAIL_NAMES
    from dam_ros.core.errors import invalid
    from dam_ros.core.orders import query
    if asked.query is not None and asked.raw_query is not None:
        raise invalid('--query', 'given together with --raw-query', 'one of them')
    question = asked.query if asked.raw_query is None else asked.raw_query
    if question is not None and not question.strip():
        raise invalid('--query', question, 'a question', 'Leave the option out to get a description')
    for option, value in (('--top-p', asked.top_p), ('--seed', asked.seed)):
        if value is not None and asked.temperature == 0:
            raise invalid(option, value, 'with --temperature above 0 only', 'At 0 the text is always the same')
    if asked.seed is not None and not 0 <= asked.seed < 2 ** 32:
        raise invalid('--seed', asked.seed, '0 to 4294967295')
    if not 1 <= asked.max_tokens <= 2048:
        raise invalid('--max-tokens', asked.max_tokens, '1 to 2048')
    made = query(question or '', DETAIL_NAMES[asked.detail], '', asked.max_tokens, DescribeSettings(),
                 asked.temperature, asked.top_p or 0.0, asked.seed or 0)
    return replace(made, raw=asked.raw_query is not None)


def _read(asked: argparse.Namespace):
    """(image, mask, label value or None). Raises CallerFailure."""
    from dam_ros.core.errors import invalid
    from dam_ros.core.files import read_labels, read_mask, read_picture
    from dam_ros.core.regions import Region, mask_of
    forms = [name for name, value in (('--mask', asked.mask), ('--box', asked.box), ('--label-image',
             asked.label_image)) if value is not None]
    if len(forms) > 1:
        raise invalid('the region', ' and '.join(forms), 'one of them, or none for the whole picture')
    if (asked.label is None) != (asked.label_image is None):
        raise invalid('--label', asked.label, '--label-image PNG and --label N together')
    limit = asked.max_megapixels
    if not (math.isfinite(limit) and limit > 0):
        raise invalid('--max-megapixels', limit, 'a number above 0')
    box = Region(box_xywh=tuple(asked.box), box_is_region=True) if asked.box else None   # checked before reading
    image = read_picture(asked.image, 'image', limit)
    height, width = image.shape[:2]
    if asked.mask is not None:
        return image, mask_of(Region(mask=read_mask(asked.mask, '--mask', limit)), height, width), None
    if asked.label_image is not None:
        labels = read_labels(asked.label_image, '--label-image', limit)
        return image, mask_of(Region(labels=(asked.label,)), height, width, labels), asked.label
    return image, mask_of(box or Region(), height, width), None


def _make(asked: argparse.Namespace):
    """The describer. Whatever is wrong with its name or model is bad input; no memory for it is not."""
    from dam_ros.core.errors import complaint, DescriberFailed, InvalidRequest
    from dam_ros.describers import create
    try:
        describer = create(asked.describer, {'model': asked.model})
    except DescriberFailed as failure:
        raise BadInput(str(failure)) from failure
    if asked.model and not describer.model:
        describer.close()
        raise InvalidRequest(complaint('--model', asked.model, f'none with the describer {describer.name}, which '
                                       'needs no weights'))
    return describer


def _guarded(describer, call):
    """The describer's own bug becomes a failure with its name."""
    from dam_ros.core.errors import DescriberFailed, Failure
    try:
        return call()
    except (Failure, ImportError):
        raise
    except MemoryError as error:
        raise DescriberFailed(f'describer {describer.name}: out of memory') from error
    except Exception as error:   # noqa: B902  a describer may be a user's own
        raise DescriberFailed(f'describer {describer.name} failed: {type(error).__name__}: {error}') from error


def _guarded_each(describer, pieces):
    nothing = object()
    while (piece := _guarded(describer, lambda: next(pieces, nothing))) is not nothing:
        yield piece


class _Streamed:
    """Text on a terminal as it comes."""

    def __init__(self, stream, wanted: bool):
        self.wanted, self._stream, self._begun = wanted, stream, False

    def add(self, text: str) -> None:
        text = text if self._begun else text.lstrip()
        if self.wanted and text:
            self._begun = True
            print(text, end='', flush=True, file=self._stream)

    def end(self) -> None:
        if self._begun:
            print(flush=True, file=self._stream)


def _report(answer, describer, mask, label: int | None, timings: _Timings) -> dict:
    from dam_ros.core.regions import bounding_box
    found = {
        'text': answer.text, 'brief': answer.brief, 'language': answer.language, 'query': answer.question,
        'describer': describer.name, 'model': describer.model, 'truncated': answer.truncated,
        'abstained': answer.abstained, 'confidence': _finite(answer.confidence), 'box': list(bounding_box(mask)),
        'area_px': int(mask.sum()), 'area_fraction': round(float(mask.mean()), 6),
        'image_size': [mask.shape[1], mask.shape[0]], 'label': label,
    }
    if answer.token_ids:
        found['token_ids'] = answer.token_ids
    if answer.facts:
        found['attributes'] = answer.facts
    found['timings_s'] = {name: _finite(round(value, 4)) for name, value in vars(timings).items()}
    return found


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None   # NaN is no JSON


if __name__ == '__main__':
    raise SystemExit(main())
