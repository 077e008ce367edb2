"""Getting weights, as a function and as a command. What is there already `weights.py` knows, the network `hub.py`."""
from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
import sys

from dam_ros.core.errors import Failure
from dam_ros.model import hub, weights


def download(model: str = '', revision: str = '', say: Callable[[str], None] | None = None) -> Path:
    """Fetch what is missing from the hub into Hugging Face's cache and return the folder.

    Args:
        say: takes each line of what is going on, one every 5 s at least; by default they go to stderr.

    Raises:
        DescriberFailed: no network, no space, no access, no such repository: one line each.
    """
    if weights.as_folder(model) is not None:
        return weights.find(model)
    hub_id, revision = weights.parse(model, revision)
    return hub.fetch(hub_id, revision, say)


def main(arguments: list[str] | None = None) -> int:
    """`python -m dam_ros.model.download [MODEL] [--revision R] [--check]`; exit code 0, 1, 2 or 130."""
    parser = argparse.ArgumentParser(prog='python -m dam_ros.model.download', epilog=weights.LICENCE,
                                     description='Download the weights of DAM.')
    parser.add_argument('model', nargs='?', default=weights.DEFAULT,
                        help=f'{", ".join(weights.HUB_IDS)} (default: %(default)s)')
    parser.add_argument('--revision', default='', metavar='R', help='commit, branch or tag')
    parser.add_argument('--check', action='store_true', help='only look whether they are on disk; no network')
    asked = parser.parse_args(arguments)
    return told(lambda: (weights.find if asked.check else download)(asked.model, asked.revision))


def told(fetch: Callable[[], Path]) -> int:
    """Prints the folder that `fetch` gives, or in one line why not; the exit code of the command."""
    try:
        print(fetch())
    except Failure as failure:
        print(f'weights: {failure}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('weights: interrupted; the same command goes on where it stopped', file=sys.stderr)
        return 130
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
