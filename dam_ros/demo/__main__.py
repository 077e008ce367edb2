"""`python -m dam_ros.demo`: starts the nodes, has every region described and spoken, writes what came out."""
from __future__ import annotations

import argparse
from pathlib import Path
import signal
import sys
import time

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 1, 2, 130
MAX_WIDTH_PX = 1280   # of the pictures that the player sends; the page shows them at this size


class Interrupted(Exception):
    """Ctrl-C or SIGTERM was seen."""


class Interrupt:
    """Signals become a flag that is looked at while waiting, so that no process is started and then forgotten."""

    def __init__(self):
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)

    def check(self) -> None:
        if self.asked:
            raise Interrupted

    def _ask(self, _number, _frame):
        self.asked = True


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='dev demo', description='Photographs through the real nodes: described, '
                                     'spoken, and written to a folder with a page that shows them.')
    parser.add_argument('--describer', default='auto', help='auto, attributes, dam, remote, rehearsal or '
                        'package.module:factory (default: %(default)s)')
    parser.add_argument('--model', default='', metavar='DIR_OR_HUB_ID', help="weights (default: the describer's own)")
    parser.add_argument('--photos', metavar='DIR', help='folder of photos, NAME.labels.png beside NAME.jpg '
                        '(default: those that come with the package)')
    parser.add_argument('--image', metavar='FILE', help='one photo of yours instead')
    parser.add_argument('--box', nargs=4, type=float, metavar=('X', 'Y', 'W', 'H'),
                        help='px in --image: left, top, width, height (default: the whole picture)')
    parser.add_argument('--out', default='demo-output', metavar='DIR', help='where files go (default: %(default)s)')
    parser.add_argument('--no-speech', action='store_true', help='no WAV files')
    parser.add_argument('--timeout', type=float, default=120.0, metavar='S',
                        help='s, 0.05..600, for one description (default: %(default)g)')
    return parser


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 every region described and every file real, 1 not so, 2 bad input, 130 interrupted."""
    interrupt = Interrupt()
    asked = make_parser().parse_args(arguments)
    try:
        from dam_ros.demo.show import Bad, Failed, run
    except ImportError as error:
        return _say(f'{error}; the demo needs ROS 2 and the built package: ./dev demo sets both up', EXIT_BAD_INPUT)
    began = time.monotonic()
    try:
        run(asked, interrupt.check, MAX_WIDTH_PX)
    except Interrupted:
        return _say('interrupted; nothing was left running', EXIT_INTERRUPTED)
    except Bad as error:
        return _say(str(error), EXIT_BAD_INPUT)
    except Failed as error:
        return _say(str(error), EXIT_FAILED)
    print(f'All of it took {time.monotonic() - began:.0f} s. Open {Path(asked.out) / "index.html"}')
    return 0


def _say(message: str, code: int) -> int:
    print(f'demo: {message}', file=sys.stderr)
    return code


if __name__ == '__main__':
    raise SystemExit(main())
