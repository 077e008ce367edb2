"""The tables of docs/performance.md and docs/segmenters.md, out of benchmarks/results/: no number there was typed."""
from __future__ import annotations

from collections.abc import Iterator
import json
from pathlib import Path
import re

from report import columns, headline, number, Result, RESULTS, ROOT, wanted
import segment

DOCUMENT = ROOT / 'docs' / 'performance.md'
DOCUMENTS = (DOCUMENT, ROOT / 'docs' / 'segmenters.md')
SIZES = ('tiny', 'mid', '3b')
_PLACE = re.compile(r'(<!-- results: ([\w-]+) -->\n).*?(<!-- end -->)', re.DOTALL)


def write(document: Path = DOCUMENT, results: Path = RESULTS) -> str:
    """Fills every place `<!-- results: COMMAND -->...<!-- end -->`; says what it did, in one line."""
    text = document.read_text(encoding='utf-8')
    filled = _PLACE.sub(lambda place: place[1] + section(place[2], results) + place[3], text)
    document.write_text(filled, encoding='utf-8')
    return f'{document.relative_to(ROOT) if document.is_relative_to(ROOT) else document}: ' \
           f'{len(_PLACE.findall(text))} tables written from {len(list(results.glob("*.json")))} results'


def section(command: str, results: Path) -> str:
    """All results of one command as Markdown; not of `--quick`, and not of somebody's own checkpoint."""
    if command == segment.REGIONS:
        regions = results / f'{command}-grabcut.json'
        return segment.section(regions) if regions.exists() else 'Not measured yet.\n'
    found = [path for path in sorted(results.glob('*.json')) if _belongs(path, command)]
    if not found:
        return 'Not measured yet.\n'
    return '\n'.join(line for path in found for line in _lines(path))


def _belongs(path: Path, command: str) -> bool:
    held = json.loads(path.read_text(encoding='utf-8'))
    kept = not held.get('quick', False) and (not held.get('parameters') or held['size'] in SIZES)
    return held['what'] == command and kept and 'rows' in held


def _lines(path: Path) -> Iterator[str]:
    result = Result.read(path)
    yield f'**{headline(result)}**' + (f', {result.machine["date"]}' if result.machine.get('date') else '') + '.'
    yield from (f'Equal: {one}.' for one in result.equal)
    yield ''
    if result.rows:
        head, *lines = columns(result.rows)
        yield _line(head)
        yield '|---|' + '---:|' * (len(head) - 1)
        yield from map(_line, lines)
        yield ''
    if result.facts:
        yield '| | | wanted |'
        yield '|---|---:|---|'
        yield from (_line((one.what, f'{number(one.value)} {one.unit}'.strip(), wanted(one).strip('()')
                           .removeprefix('wanted: '))) for one in result.facts)
        yield ''


def _line(words) -> str:
    return '| ' + ' | '.join(words) + ' |'
