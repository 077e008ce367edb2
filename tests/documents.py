"""README.md and docs/ as data: code blocks, command lines, links. It judges nothing."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import re
import shlex

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = (ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md')), *sorted(ROOT.glob('examples/**/*.md')))
_FENCE = re.compile(r'^ *```(\w*)$')
_LINK = re.compile(r'!?\[[^\]]*\]\(([^)\s]+)\)')


@dataclass(frozen=True)
class Block:
    """A fenced code block. `line`: 1-based, of its first line."""

    path: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f'{self.path.relative_to(ROOT)}:{self.line}'

    def commands(self) -> list[list[str]]:
        """The words of each command line; continued lines joined, comments left out."""
        joined = self.text.replace('\\\n', ' ')
        words = [shlex.split(line, comments=True) for line in joined.splitlines()]
        return [one for one in words if one]


def blocks(*languages: str) -> list[Block]:
    """Of all documents, in order."""
    return [block for path in DOCUMENTS for block in _blocks_of(path) if block.language in languages]


def _blocks_of(path: Path) -> list[Block]:
    found, begun, language = [], 0, ''
    lines = path.read_text(encoding='utf-8').splitlines()
    for number, line in enumerate(lines, 1):
        fence = _FENCE.match(line)
        if fence is None:
            continue
        if begun:
            found.append(Block(path, begun + 1, language, '\n'.join(lines[begun:number - 1])))
            begun = 0
        else:
            begun, language = number, fence.group(1)
    return found


def prose(path: Path) -> str:
    """The text without its code blocks."""
    return re.sub(r'(?ms)^ *```\w*$.*?^ *```$', '', path.read_text(encoding='utf-8'))


def links(path: Path) -> list[str]:
    return _LINK.findall(prose(path))


def anchors(path: Path) -> set[str]:
    """Of the headings, as GitHub makes them."""
    headings = re.findall(r'(?m)^#+ +(.*)$', prose(path))
    return {re.sub(r'[^\w\- ]', '', one.lower()).replace(' ', '-') for one in headings}
