"""The options of dam-describe: their text, and their checks as far as no file is needed. Late imports, for --help."""
from __future__ import annotations

import argparse
from dataclasses import replace

from dam_ros.core.describe_settings import DTYPES, MODEL_KINDS

_DETAILS = ('brief', 'normal', 'full', 'read')   # in the order of their length; who reads is no describer
_DEFAULT_TOKENS = 512                     # of a file nobody waits for; the node's is 128


class BadInput(Exception):
    """Words for stderr; exit code 2."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise BadInput(f'{message}; dam-describe --help lists everything')


def make_parser() -> argparse.ArgumentParser:
    """Every option, with its unit and range."""
    parser = _Parser(prog='dam-describe', description='Describe a region of a picture, or of a clip, in words.',
                     epilog='Exit code: 0 described, 1 describer or segmenter failed, 2 bad input, 130 interrupted.')
    parser.add_argument('images', metavar='IMAGE', nargs='*', help='JPEG, PNG or WebP; used as it is stored, EXIF is '
                        'not looked at. Several are a clip, in their order, with one --mask for each, or a region of '
                        'the last that sam follows')
    _add_regions(parser.add_argument_group('which part (nothing: the whole picture)'))
    what = parser.add_argument_group('what is asked')
    what.add_argument('--query', metavar='TEXT', help='a question about the region, without any placeholder')
    what.add_argument('--raw-query', metavar='TEXT', help="the model's whole query, placeholders included")
    what.add_argument('--detail', choices=_DETAILS, default='normal', help='how much (default: %(default)s); read: '
                      'the letters in it, by tesseract')
    what.add_argument('--reader-languages', default='', metavar='NAMES', help="with --detail read: tesseract's names, "
                      'such as deu+eng (default: eng)')
    _add_describers(parser.add_argument_group('who describes'))
    _add_limits(parser.add_argument_group('limits'))
    parser.add_argument('--json', action='store_true', help='everything that is known, as one JSON object')
    parser.add_argument('--version', action='store_true', help='print the version and end')
    return parser


def _add_regions(where) -> None:
    where.add_argument('--box', nargs=4, type=float, metavar=('X', 'Y', 'W', 'H'),
                       help='px: left, top, width, height; the box as it is, clipped to the picture')
    where.add_argument('--cut-out', action='store_true', help='with --box: the thing in it instead of the box')
    where.add_argument('--point', nargs=2, type=float, action='append', metavar=('X', 'Y'),
                       help='px, inside the thing, which is cut out; the middle of the upper left pixel is 0 0. Up to '
                       '1024 times')
    where.add_argument('--not-point', nargs=2, type=float, action='append', metavar=('X', 'Y'),
                       help='px, with --point: outside of it')
    where.add_argument('--scribble', metavar="'X,Y X,Y ...'", help='px, a stroke over the thing, which is cut out')
    where.add_argument('--scribble-width', type=float, metavar='PX', help='1..200 (default: 5)')
    where.add_argument('--polygon', metavar="'X,Y X,Y ...'", help='px, 3 corners or more, even-odd rule')
    where.add_argument('--mask', metavar='PNG', action='append', help='size of the picture; every pixel that is not 0 '
                       'is inside (or the opaque ones, where some are transparent); once for each picture')
    where.add_argument('--label-image', metavar='PNG', help='grey, 8 or 16 bit, size of the picture; with --label')
    where.add_argument('--label', type=int, action='append', metavar='N', help='value in the label image; several are '
                       'united')
    where.add_argument('--ref', nargs=2, type=int, metavar=('W', 'H'), help='px, size of the picture that the numbers '
                       "refer to, such as a detector's 640 640 (default: the picture itself)")
    where.add_argument('--tag', default='', metavar='TEXT', help='your own name for it, at most 64 characters')
    where.add_argument('--save-mask', metavar='PNG', help='write the mask that was used, 0 or 255')
    where.add_argument('--segmenter', choices=('auto', 'grabcut', 'sam'), default='auto', help='cuts things out: sam '
                       'where its weights are on disk, else grabcut (default: %(default)s)')
    where.add_argument('--segmenter-model', default='', metavar='DIR_OR_HUB_ID', help='weights of sam: SAM, or SAM 2, '
                       'which also follows the region of the last picture through a clip')
    where.add_argument('--segmenter-device', default='auto', metavar='NAME', help='of sam: auto, cpu, cuda or cuda:N '
                       '(default: %(default)s)')


def _add_describers(who) -> None:
    who.add_argument('--describer', default='auto', metavar='NAME',
                     help='auto, attributes, dam, remote, rehearsal or package.module:factory (default: %(default)s)')
    who.add_argument('--model', default='', metavar='DIR_OR_HUB_ID', help="weights (default: the describer's own)")
    who.add_argument('--download', action='store_true', help='fetch these weights first; without IMAGE do only that')
    who.add_argument('--model-kind', choices=MODEL_KINDS, help='of dam: image describes one picture, joint clips, too '
                     '(default: auto, by the weights)')
    who.add_argument('--dtype', choices=DTYPES, help='of dam: precision, int8 and int4 for the weights of '
                     'the language model only (default: auto, by device and memory budget)')
    who.add_argument('--memory-budget-mb', type=float, metavar='MB', help='of dam: for weights, one look and its text; '
                     '--dtype auto takes the widest form that fits (default: 0, no limit)')
    who.add_argument('--device', metavar='NAME', help='of dam: auto, cpu, cuda or cuda:N (default: auto)')
    who.add_argument('--url', metavar='URL', help='of remote: the server (default: http://localhost:8000); its key is '
                     'taken from the environment variable DAM_API_KEY')
    who.add_argument('--describer-options', default='{}', metavar='JSON',
                     help="one object, as the node's parameter describer_options")


def _add_limits(limits) -> None:
    limits.add_argument('--temperature', type=float, default=0.0, metavar='T',
                        help='0..2, 0 = the same text every time (default: 0)')
    limits.add_argument('--top-p', type=float, metavar='P', help='0..1, with --temperature (default: 1, no cut)')
    limits.add_argument('--seed', type=int, metavar='N', help='0..4294967295, with --temperature (default: 0)')
    limits.add_argument('--max-tokens', type=int, default=_DEFAULT_TOKENS, metavar='N',
                        help='1..2048 (default: %(default)s)')
    limits.add_argument('--max-megapixels', type=float, metavar='MP', default=64.0,
                        help='larger files are refused before they are decoded (default: %(default)g)')


def parse(arguments: list[str]) -> argparse.Namespace:
    """Pictures and options in any order. Raises BadInput."""
    asked = make_parser().parse_intermixed_args(arguments)
    if not asked.images and not asked.download:
        raise BadInput('the following arguments are required: IMAGE; dam-describe --help lists everything')
    return asked


def query_of(asked: argparse.Namespace):
    """The Query. Raises InvalidRequest."""
    from dam_ros.core.describe_settings import DescribeSettings
    from dam_ros.core.describing import DETAIL_NAMES
    from dam_ros.core.errors import invalid
    from dam_ros.core.orders import query
    _check_question(asked)
    if asked.reader_languages and asked.detail != 'read':
        raise invalid('--reader-languages', asked.reader_languages, 'with --detail read only')
    for option, value in (('--top-p', asked.top_p), ('--seed', asked.seed)):
        if value is not None and asked.temperature == 0:
            raise invalid(option, value, 'with --temperature above 0 only', 'At 0 the text is always the same')
    if asked.seed is not None and not 0 <= asked.seed < 2 ** 32:
        raise invalid('--seed', asked.seed, '0 to 4294967295')
    if not 1 <= asked.max_tokens <= 2048:
        raise invalid('--max-tokens', asked.max_tokens, '1 to 2048')
    made = query(asked.query or '', DETAIL_NAMES[asked.detail], '', asked.max_tokens, DescribeSettings(),
                 asked.temperature, asked.top_p or 0.0, asked.seed or 0)
    if asked.raw_query is None:
        return made
    return replace(made, question=asked.raw_query, raw=True)   # verbatim; how long it may be is the model's business


def _check_question(asked: argparse.Namespace) -> None:
    from dam_ros.core.errors import invalid
    if asked.query is not None and asked.raw_query is not None:
        raise invalid('--query', 'given together with --raw-query', 'one of them')
    if asked.query is not None and not asked.query.strip():
        raise invalid('--query', asked.query, 'a question', 'Leave the option out to get a description')
    for option, text in (('--query', asked.query), ('--raw-query', asked.raw_query)):
        if text and any('\ud800' <= one <= '\udfff' for one in text):   # how Python shows bytes that are no text
            raise invalid(option, text, 'text in the encoding of the terminal')


def options_of(asked: argparse.Namespace) -> tuple[str, dict]:
    """(describer, its options). `auto` with --model or --download is dam: nobody else would take these weights.

    Raises:
        Failure, SettingsError: a name or value that cannot be used.
    """
    from dam_ros import describers
    from dam_ros.core.describe_settings import DescribeSettings, describer_options
    from dam_ros.core.errors import invalid
    name = asked.describer
    if name == 'auto':
        name = 'dam' if asked.model or asked.download else describers.resolve(name)[0]
    for option, value, owner in (('--model-kind', asked.model_kind, 'dam'), ('--dtype', asked.dtype, 'dam'),
                                 ('--memory-budget-mb', asked.memory_budget_mb, 'dam'),
                                 ('--device', asked.device, 'dam'), ('--download', asked.download or None, 'dam'),
                                 ('--url', asked.url, 'remote')):
        if value is not None and name != owner:
            raise invalid(option, value, f'with the describer {owner} only', f'The describer is {name}; --describer '
                          f'{owner} chooses another')
    given = {'model': asked.model, 'model_kind': asked.model_kind, 'dtype': asked.dtype, 'device': asked.device,
             'memory_budget_mb': asked.memory_budget_mb, 'remote_url': asked.url,
             'describer_options': asked.describer_options}
    settings = DescribeSettings(**{field: value for field, value in given.items() if value is not None})
    return name, describer_options(settings, name)
