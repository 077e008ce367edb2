"""docs/ says what is so: codes, messages, files and links exist, and nothing of one person's machine is in them."""
from __future__ import annotations

import ast
import itertools
from pathlib import Path
import re

import pytest

from documents import DOCUMENTS, ROOT, anchors, links, prose

DOCS = ROOT / 'docs'
TEXT_FILES = [path for pattern in ('*', 'docs/**/*', 'examples/**/*', 'tests/**/*', 'dam_ros/**/*', 'launch/*',
                                   'config/*', 'scripts/*', 'requirements/*', 'benchmarks/**/*',
                                   'msg/*', 'srv/*', 'action/*', '.ci/*')
              for path in sorted(ROOT.glob(pattern))
              if path.is_file()
              and path.suffix not in ('.jpg', '.png', '.pyc', '.nbi', '.nbc', '.so', '.npz', '.safetensors', '.model',
                                  '.mo')]
_ROW = re.compile(r'^\| (\d{5}) \| (\w+) \|.*\| `(test_\w+\.py)::(\w+)` \|$', re.MULTILINE)


def _codes() -> dict[int, str]:
    text = (ROOT / 'msg' / 'ErrorCode.msg').read_text(encoding='utf-8')
    return {int(code): name for name, code in re.findall(r'(?m)^uint16 (\w+)=(\d+)', text) if code != '0'}


def _rows() -> list[tuple[str, ...]]:
    return _ROW.findall((DOCS / 'errors.md').read_text(encoding='utf-8'))


def _functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding='utf-8'))
    return {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}


# -- errors.md ------------------------------------------------------------------------------------------------------

def test_every_code_has_one_row_with_its_name():
    assert {int(code): name for code, name, _, _ in _rows()} == _codes()
    assert len(_rows()) == len(_codes())


@pytest.mark.parametrize(('code', 'name', 'file', 'test'), _rows(), ids=lambda one: str(one))
def test_the_test_that_provokes_a_code_exists_and_speaks_of_it(code, name, file, test):
    path = ROOT / 'tests' / file
    assert path.exists(), f'{code}: tests/{file} does not exist'
    assert test in _functions(path), f'{code}: tests/{file} has no {test}'
    assert name in path.read_text(encoding='utf-8').upper(), f'tests/{file} never speaks of {name}'


# -- diagnostics.md -------------------------------------------------------------------------------------------------

SOURCES = {'describe_node': ('nodes/health.py', 'nodes/describe_node.py', 'nodes/annotations.py', 'engine/engine.py',
                             'nodes/whereabouts.py', 'engine/care.py', 'readers/__init__.py'),
           'speech_node': ('nodes/speech_health.py',)}


def _messages() -> list[tuple[str, str]]:
    """(node, message) of each row of the tables of levels."""
    found = []
    for part in re.split(r'(?m)^## ', (DOCS / 'diagnostics.md').read_text(encoding='utf-8'))[1:]:
        node = part.split('\n', 1)[0]
        found += [(node, text) for text in re.findall(r'(?m)^\| (?:OK|WARN|ERROR) \| `(.*?)` \|', part)]
    return found


def _texts(node: ast.AST) -> list[str]:
    """What an expression may come to as text; what is filled in is an ellipsis."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.IfExp):
        return _texts(node.body) + _texts(node.orelse)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [left + right for left in _texts(node.left) for right in _texts(node.right)]
    if isinstance(node, ast.JoinedStr):
        return [''.join(parts) for parts in itertools.product(*map(_texts, node.values))]
    return ['…']


def _all_texts(path: Path) -> list[str]:
    return [text for node in ast.walk(ast.parse(path.read_text(encoding='utf-8')))
            if isinstance(node, (ast.Constant, ast.JoinedStr, ast.BinOp)) for text in _texts(node)]


def test_there_are_messages_of_both_nodes():
    assert {node for node, _ in _messages()} >= set(SOURCES)
    assert len(_messages()) > 12


@pytest.mark.parametrize(('node', 'message'), _messages(), ids=lambda one: one[:40])
def test_messages_are_those_of_the_source(node, message):
    said = [text for one in SOURCES[node] for text in _all_texts(ROOT / 'dam_ros' / one)]
    parts = [re.escape(one) for one in re.split('…', message)]
    assert any(re.search('.*'.join(parts), text, re.DOTALL) for text in said), f'{node} never says {message!r}'


# -- all documents --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('path', DOCUMENTS, ids=lambda one: str(one.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path):
    for link in links(path):
        if re.match(r'[a-z]+:', link):
            continue
        file, _, anchor = link.partition('#')
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), f'{link} leads nowhere'
        assert not anchor or anchor in anchors(target), f'{target.name} has no heading for {link}'


def test_every_document_can_be_reached_from_the_readme():
    seen, todo = set(), [ROOT / 'README.md']
    while todo:
        path = todo.pop()
        if path in seen or path.suffix != '.md' or not path.exists():
            continue
        seen.add(path)
        todo += [(path.parent / link.partition('#')[0]).resolve() for link in links(path) if ':' not in link]
    assert set(DOCUMENTS) <= seen, f'nobody leads to {sorted(one.name for one in set(DOCUMENTS) - seen)}'


@pytest.mark.parametrize('path', DOCUMENTS, ids=lambda one: str(one.relative_to(ROOT)))
def test_files_that_are_named_exist(path: Path):
    for name in re.findall(r'`([\w./-]+/[\w.-]+\.(?:py|md|msg|srv|action|xml|yaml|bash))`', prose(path)):
        homes = [ROOT, ROOT / 'dam_ros', path.parent]
        assert any((home / name).exists() for home in homes), f'there is no {name}'


def test_architecture_stays_one_page():
    assert len((DOCS / 'architecture.md').read_text(encoding='utf-8').splitlines()) <= 120


def test_no_file_names_places_of_one_machine():
    private = '/wo' + 'rk/', '/ro' + 'ot/', '/tmp' + '/v/', '/ho' + 'me/'
    found = [f'{path.relative_to(ROOT)}: {line.strip()[:100]}' for path in TEXT_FILES
             for line in path.read_text(encoding='utf-8').splitlines() if any(one in line for one in private)]
    assert len(TEXT_FILES) > 100
    assert not found, '\n'.join(found)
