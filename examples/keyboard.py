"""Keys of a plain terminal as they are pressed, and a line where one is asked for. It knows nothing of ROS.

An arrow sends an escape with more behind it; to tell it from the key Escape, that is waited for.
"""
from __future__ import annotations

import os
import re
import select
import sys
import termios

ESCAPE_S = 0.1   # over a slow line the next byte comes 50 ms later
_ESCAPE, _END_OF_FILE = b'\x1b', b'\x04'
_ARROWS = {b'A': 'up', b'B': 'down', b'C': 'right', b'D': 'left'}
_LAST = bytes(range(ord('@'), ord('~') + 1))   # what begins with escape and [ ends with one of these (ECMA-48, 5.4)


class Keys:
    """The keyboard; afterwards the terminal is as it was. Only what comes after an escape is waited for."""

    def __enter__(self) -> Keys:
        self._terminal = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._terminal)
        self._ahead = self._typed = b''   # read already; of the line that is being typed
        self._set(by_line=False)
        return self

    def __exit__(self, *_) -> None:
        termios.tcsetattr(self._terminal, termios.TCSANOW, self._before)

    def begin_line(self, key: str) -> None:
        """From here on a line is typed, and shown; `read` gives it as one key, `key` before it."""
        self._key = key
        self._set(by_line=True)

    def read(self) -> str:
        """A key: a character, 'left', 'right', 'up', 'down' or 'escape'; a line; '' nothing yet.

        Raises EOFError: the terminal has gone, or Ctrl-D, which in a line is only its end.
        """
        if self._by_line:
            return self._read_line()
        key = self._one()
        if key == _END_OF_FILE:
            raise EOFError
        return self._read_escape() if key == _ESCAPE else key.decode(errors='replace')

    def _read_escape(self) -> str:
        """An escape has been read: that key itself, or an arrow, or '' for a key that has no name here."""
        second = self._one(ESCAPE_S)
        if second not in (b'[', b'O'):
            self._ahead = second + self._ahead
            return 'escape'
        last = self._one(ESCAPE_S)
        while second == b'[' and last and last not in _LAST:   # numbers: Shift, Ctrl, Delete
            last = self._one(ESCAPE_S)
        return _ARROWS.get(last, '') if last else 'escape'

    def _read_line(self) -> str:
        data, self._ahead = self._ahead, b''
        if not data:
            if not self._is_ready(0.0):
                return ''
            data = self._bytes(4096)
        end = re.search(b'[\n\x1b]', data)
        if end is None and data:   # typed before the terminal knew of the line, or Ctrl-D within it
            self._typed += data
            return ''
        if end is not None:
            self._typed, self._ahead = self._typed + data[:end.start()], data[end.end():]
        self._set(by_line=False)
        escape = end is not None and end.group() == _ESCAPE
        if escape and self._read_escape() != 'escape':   # an arrow, which means nothing in a line
            self._set(by_line=True)
            return ''
        if end is None or escape:
            print()   # what is typed ends no line on the screen
        line, self._typed = self._typed.decode(errors='replace'), b''
        return 'escape' if escape else f'{self._key}{line}\n'

    def _one(self, wait_s: float = 0.0) -> bytes:
        """The next byte, b'' none yet."""
        if self._ahead:
            one, self._ahead = self._ahead[:1], self._ahead[1:]
            return one
        if not self._is_ready(wait_s):
            return b''
        if one := self._bytes(1):
            return one
        raise EOFError

    def _bytes(self, most: int) -> bytes:
        try:
            return os.read(self._terminal, most)
        except OSError as error:   # the terminal has gone
            raise EOFError from error

    def _is_ready(self, wait_s: float) -> bool:
        return bool(select.select([self._terminal], [], [], wait_s)[0])

    def _set(self, by_line: bool) -> None:
        self._by_line, mode = by_line, termios.tcgetattr(self._terminal)
        shown = termios.ICANON | termios.ECHO
        mode[3] = mode[3] | shown if by_line else mode[3] & ~shown
        mode[0] &= ~termios.IXON         # else Ctrl-S stops the output, and with it whoever writes
        mode[6][termios.VEOL] = _ESCAPE   # a line that is being typed is given away at an escape, too
        if not by_line:
            mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self._terminal, termios.TCSANOW, mode)
