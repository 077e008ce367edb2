"""`./dev bench COMMAND [ARGS]`: one benchmark, or all; and what they found goes into docs/."""
from __future__ import annotations

import argparse
import importlib
from pathlib import Path
import subprocess
import sys

from report import Unequal
import tables

from dam_ros.core.errors import Failure

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = {   # module, and what `all` runs it with
    'decode': ('decode', (['--size', 'mid'], ['--size', 'tiny'], ['--size', 'mid', '--dtype', 'bfloat16'],
                          ['--size', 'mid', '--dtype', 'int8'], ['--size', 'mid', '--dtype', 'int4'])),
    'look': ('look', (['--size', 'mid'],)),
    'scene': ('regions', (['--size', 'mid'],)),
    'followup': ('followup', (['--size', 'mid'],)),
    'load': ('loading', (['--size', 'mid'], ['--size', 'mid', '--dtype', 'bfloat16'])),
    'quality': ('quality', (['--size', 'mid'], ['--size', 'tiny'])),
    'idle': ('idle', ([],)),
    'ros': ('ros', ([],)),
    'segment': ('segment', ([],)),
    'speech': ('speech', ([],)),
    'gpu': ('gpu', ()),   # 3b, and a device that not everybody has
}
USAGE = f"""usage: ./dev bench {'|'.join(COMMANDS)}|all|tables [ARGS]

  decode    ms per token, and how near it comes to reading the weights
  look      preprocessing, vision, prefill, first token
  scene     eight regions of 64 tokens in one batch
  followup  a second question about the same look
  load      loading weights, beside reading their files
  quality   what int8 and int4 change in logits and tokens
  idle      what a camera costs while nobody asks (ROS 2)
  ros       the path of a request without the model (ROS 2)
  segment   how much of a thing grabcut finds from a box or a point, and how fast
  speech    how soon each voice is heard, and silent again after a hush
  gpu       all that concerns a GPU, with the real shapes (--size 3b makes 7 GB under .dev/bench)
  all       all but gpu
  tables    what docs/ shows of benchmarks/results/, as after each of the above but with --quick or --out

./dev bench COMMAND --help tells the options. docs/performance.md and docs/segmenters.md say what is measured."""


def main(argv: list[str]) -> int:
    """The exit code: 0, 1 where results were not equal, 2 for what is no command."""
    command, rest = (argv[0], argv[1:]) if argv else ('help', [])
    try:
        if command == 'all':
            return _all(rest)
        if command == 'tables':
            _write_tables()
            return 0
        if command in COMMANDS:
            return _module(command).main(rest) or _kept(rest)
    except Unequal as difference:
        print(f'bench: {difference}; no times are told of results that differ', file=sys.stderr)
        return 1
    except Failure as failure:
        print(f'bench: {failure}', file=sys.stderr)
        return 1
    print(USAGE, file=sys.stderr if command not in ('help', '-h', '--help') else sys.stdout)
    return 0 if command in ('help', '-h', '--help') else 2


def _module(command: str):
    return importlib.import_module(COMMANDS[command][0])


def _kept(rest: list[str]) -> int:
    """Brings a result that stays into its document; 0."""
    if not {'--quick', '--out', '-h', '--help'} & set(rest):
        _write_tables()
    return 0


def _write_tables() -> None:
    for document in tables.DOCUMENTS:
        print(tables.write(document))


def _general(rest: list[str]) -> list[str]:
    """What commands without a model take, too."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--out')
    asked, _ = parser.parse_known_args(rest)
    return [*(['--quick'] if asked.quick else []), *(['--out', asked.out] if asked.out else [])]


def _all(rest: list[str]) -> int:
    failed = []
    for command, (_, runs) in COMMANDS.items():
        for words in runs:
            asked = [command, *words, *(rest if words else _general(rest))]
            if subprocess.run([sys.executable, __file__, *asked]).returncode:   # each finds a fresh process
                failed.append(' '.join([command, *words]))
    for one in failed:
        print(f'bench: failed: {one}', file=sys.stderr)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
