"""A table that grows row by row while one watches. It knows columns of text only."""
from __future__ import annotations

import shutil
import sys
import textwrap

_TITLES = ('region', 'brief', 'text', 'ms')


class Table:
    """Columns: region, brief, text, milliseconds; cells wrap to the width of the terminal."""

    def __init__(self, stream=None, width: int = 0):
        self._stream = stream or sys.stdout
        width = max(72, width or shutil.get_terminal_size((120, 24)).columns)
        rest = width - 6 - 3 * 3
        self._widths = (rest * 18 // 100, rest * 32 // 100, rest - rest * 18 // 100 - rest * 32 // 100, 6)

    def head(self) -> None:
        self.row(*_TITLES)
        print('-+-'.join('-' * width for width in self._widths), file=self._stream, flush=True)

    def row(self, region: str, brief: str, text: str, milliseconds: str) -> None:
        cells = [textwrap.wrap(cell, width) or [''] for cell, width in zip((region, brief, text), self._widths)]
        cells.append([milliseconds.rjust(self._widths[3])])
        for number in range(max(map(len, cells))):
            line = [cell[number] if number < len(cell) else '' for cell in cells]
            print(' | '.join(part.ljust(width) for part, width in zip(line, self._widths)).rstrip(), file=self._stream,
                  flush=True)


def counted(number: int, noun: str) -> str:
    """'1 region', '2 regions'."""
    return f'{number} {noun}' + ('' if number == 1 else 's')
