"""dam-describe: what describe_node does, on picture files and without ROS.

It knows describers by name only. numpy and OpenCV are imported late, so that --help is quick and their absence is
one clear line.
"""
from __future__ import annotations

import argparse
from dataclasses import dataclass
import json
import math
import os
import sys
import time

from dam_ros.cli_options import BadInput, options_of, parse, query_of

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 1, 2, 130


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
    asked = parse(arguments)
    if hasattr(sys.stdout, 'reconfigure'):
        sys.stdout.reconfigure(errors='replace')   # a terminal without Unicode shows '?' instead of a traceback
    try:
        from dam_ros.core import errors, settings
    except ImportError as error:
        raise _missing(error) from error
    try:
        return _describe(asked)
    except ImportError as error:
        raise _missing(error) from error
    except settings.SettingsError as error:
        raise BadInput(_in_options(str(error))) from error
    except errors.CallerFailure as failure:
        raise BadInput(_in_options(str(failure))) from failure
    except errors.Failure as failure:
        return _say(str(failure), EXIT_FAILED)


def _in_options(message: str) -> str:
    """The checks are those of a request; here their fields are options."""
    from dam_ros.cli_regions import OPTIONS
    others = {'describer_options is': '--describer-options is', 'device is': '--device is', 'remote_url': '--url'}
    for field, option in (*OPTIONS.items(), *others.items()):
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
    from dam_ros.cli_pictures import read_pictures
    from dam_ros.core.describing import READ, Subject
    began, timings = time.monotonic(), _Timings()
    query = query_of(asked)
    pictures = read_pictures(asked) if asked.images else []
    name, options = options_of(asked)
    if asked.download:
        _download(asked.model)
    if not pictures:
        return 0
    if asked.save_mask:
        _save_mask(asked.save_mask, pictures[-1].mask.array())
    if query.detail == READ:
        from dam_ros.cli_reading import read
        answer, describer = read(asked, pictures, query)
        timings.total = time.monotonic() - began
        _print(answer, describer, pictures, asked, timings)
        return _end(answer, query, asked)
    describer = _make(asked, name, options)
    timings.load = time.monotonic() - began
    out = _Streamed(sys.stdout, wanted=not asked.json and sys.stdout.isatty())
    try:
        pictures = _used(pictures, describer)
        answer = _answer(describer, Subject(tuple(one.pair() for one in pictures)), query, timings, out)
    finally:
        out.end()
        describer.close()
    timings.total = time.monotonic() - began
    if asked.json or not out.wanted:
        _print(answer, describer, pictures, asked, timings)
    return _end(answer, query, asked)


def _end(answer, query, asked: argparse.Namespace) -> int:
    if answer.truncated and not asked.json:
        _say(f'cut off after {query.max_tokens} tokens; --max-tokens allows more', 0)
    return 0


def _print(answer, describer, pictures: list, asked: argparse.Namespace, timings: _Timings) -> None:
    if asked.json:
        report = _report(answer, describer, pictures, asked, timings)
        print(_guarded(describer, lambda: json.dumps(report, ensure_ascii=False, indent=2)))
    else:
        print(answer.text)


def _answer(describer, subject, query, timings: _Timings, out: _Streamed):
    from dam_ros.core.answering import Answer, tellings_for
    from dam_ros.core.describing import tell
    answer = Answer(question=query.question)
    looking = time.monotonic()
    look, = _guarded(describer, lambda: describer.look([subject]))
    timings.look = time.monotonic() - looking
    asking = time.monotonic()
    for part, one in tellings_for(query, spoken=False):
        for piece in _guarded_each(describer, tell(describer, look, one)):
            if piece.text and math.isnan(timings.first):
                timings.first = time.monotonic() - asking
            answer.add(part, piece)
            out.add(piece.text)
    timings.look += getattr(look, 'later_s', 0.0)   # what the describer left to its steps
    look.close()
    return answer


def _save_mask(path: str, mask) -> None:
    import cv2
    from dam_ros.core.errors import invalid
    _, png = cv2.imencode('.png', mask.view('uint8') * 255)
    try:
        with open(path, 'wb') as file:
            file.write(png.tobytes())
    except OSError as error:
        raise invalid('--save-mask', path, f'a file that can be written ({error.strerror})') from error


def _download(model: str) -> None:
    """The weights of --model; progress goes to stderr."""
    from dam_ros.core.errors import DescriberFailed
    from dam_ros.model import weights
    from dam_ros.model.download import download
    model = model or weights.DEFAULT
    try:
        if not os.path.isdir(model):
            weights.parse(model)
    except DescriberFailed as failure:   # no name of weights; what fails later is not the caller's fault
        raise BadInput(str(failure)) from failure
    folder = download(model)
    print(f'{model} is in {folder}', file=sys.stderr)


def _used(pictures: list, describer) -> list:
    """No more pictures than the describer can look at. Raises Unsupported where it takes no clips."""
    from dam_ros.core.clips import at_most
    from dam_ros.core.errors import Unsupported, complaint
    if len(pictures) > 1 and describer.max_pictures < 2:
        remedy = ('--model-kind joint says that these weights were trained for clips; nvidia/DAM-3B-Video was'
                  if describer.name == 'dam' else 'dam with nvidia/DAM-3B-Video describes clips')
        raise Unsupported(complaint('IMAGE', f'a clip of {len(pictures)} pictures', 'one picture with the describer '
                                    f'{describer.name} {describer.model}'.strip(), remedy))
    return [pictures[index] for index in at_most(len(pictures), max(1, describer.max_pictures))]


def _make(asked: argparse.Namespace, name: str, options: dict):
    """The describer. Whatever is wrong with its name or model is bad input; no memory for it is not."""
    from dam_ros.core.errors import DescriberFailed, InvalidRequest, complaint
    from dam_ros.describers import create
    try:
        describer = create(name, options)
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


def _report(answer, describer, pictures: list, asked: argparse.Namespace, timings: _Timings) -> dict:
    mask = pictures[-1].mask   # the one that is asked about
    height, width = mask.shape
    found = {
        'text': answer.text, 'brief': answer.brief, 'language': answer.language, 'query': answer.question,
        'describer': describer.name, 'model': describer.model, 'truncated': answer.truncated,
        'abstained': answer.abstained, 'confidence': _finite(answer.confidence), 'box': list(mask.box),
        'area_px': mask.area_px, 'area_fraction': round(mask.area_fraction, 6),
        'image_size': [width, height], 'label': asked.label[0] if len(asked.label or ()) == 1 else None,
        'tag': asked.tag, 'pictures': [one.path for one in pictures],
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
