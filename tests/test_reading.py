"""What is read of a region: by tesseract where it is installed, and by programs that only take its name."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import json
import os
from pathlib import Path
import shutil
import stat
import threading
import time

import cv2
import numpy as np
import pytest

from dam_ros.cli import main
from dam_ros.core.describing import READ
from dam_ros.core.errors import Cancelled, DescriberFailed, Failure, Unsupported
from dam_ros.readers import create
from dam_ros.readers.languages import name_of, package_of, tag_of
from dam_ros.readers.legible import letter_height, sheet, slope
from dam_ros.readers.running import Run
from dam_ros.readers.tesseract import parsed
from dam_ros.readers.words import Word, confidence_of, legible, text_of
from engine_rig import alive, running, until, work

needs_tesseract = pytest.mark.skipif(shutil.which('tesseract') is None, reason='needs tesseract: sudo apt-get install '
                                     'tesseract-ocr')
HEAD = 'level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n'
IMAGE, MASK = np.full((40, 60, 3), 200, np.uint8), np.ones((40, 60), bool)


@pytest.fixture(scope='module')
def signs():
    """The module that draws them: it needs Pillow."""
    pytest.importorskip('PIL', reason='needs Pillow')
    import signs
    return signs


def read(image: np.ndarray, mask: np.ndarray, language: str = 'en', languages: str = '', limit_s: float = 20.0):
    return create('auto', languages).read(image, mask, language, Run(limit_s))


# -- real letters

@needs_tesseract
@pytest.mark.parametrize('way, px, least', [('plain', 12, 0.9), ('plain', 48, 0.9), ('tilted 5 degrees', 20, 0.9),
                                            ('noise 12', 20, 0.85), ('white on blue', 16, 0.85),
                                            ('on a photograph', 16, 0.85)])
def test_signs_are_read(signs, way: str, px: int, least: float):
    texts = signs.TEXTS[1:4]
    assert np.mean([signs.accuracy(text, read(*signs.WAYS[way](text, px)).text) for text in texts]) >= least


@needs_tesseract
def test_what_is_told_of_a_reading(signs):
    found = read(*signs.put(signs.sign('Room 204\nDr. Miller', 24), signs.PLAIN), language='en-GB')
    assert ' '.join(found.text.split()) == 'Room 204 Dr. Miller'
    assert 0.85 < found.confidence <= 1.0 and found.language == 'en-GB'
    assert found.model.endswith(' eng') and found.model[0].isdigit()


@needs_tesseract
def test_letters_outside_of_the_region_are_not_read(signs):
    image, left = signs.put(signs.sign('Platform', 24), signs.photo('coffee'), at=(0.35, 0.5))
    image, right = signs.put(signs.sign('Exit only', 24), image, 4.0, at=(0.6, 0.5))
    assert read(image, left).text == 'Platform'
    assert read(image, right).text == 'Exit only'
    both = np.zeros_like(left)
    both[380:580, 300:960] = True
    assert {'Platform', 'Exit', 'only'} <= set(read(image, both).text.split())


@needs_tesseract
@pytest.mark.parametrize('name', ['cat', 'dune'])
def test_where_no_letters_are_none_are_read(signs, name: str):
    image = signs.photo(name, 640, 480)
    assert read(image, np.ones((480, 640), bool)).text == ''


@needs_tesseract
@pytest.mark.parametrize('shape', [(1, 1), (2, 300), (300, 2), (8, 8)])
def test_regions_that_are_hardly_there(shape: tuple[int, int]):
    image = np.random.default_rng(1).integers(0, 256, (400, 400, 3), np.uint8)
    mask = np.zeros((400, 400), bool)
    mask[:shape[0], :shape[1]] = True
    assert read(image, mask).text == ''


@needs_tesseract
def test_the_engine_answers_with_what_was_read(signs):
    image, mask = signs.put(signs.sign('Push to open', 24), signs.photo('coffee'))
    with running(options={'words_per_s': 1.0}) as rig:
        rig.ready()
        outcome = rig.ask(about=work((image, mask)), detail=READ, language='en').end().outcome
        assert (outcome.failure, outcome.describer, outcome.answer.text) == (None, 'tesseract', 'Push to open')
        assert (outcome.answer.brief, outcome.answer.abstained) == ('Push to open', False)
        assert 0.85 < outcome.answer.confidence == pytest.approx(outcome.answer.brief_confidence)
        few = rig.ask(about=work((image, mask)), detail=READ, language='en', max_tokens=2).end().outcome.answer
        assert (few.text, few.truncated) == ('Push to', True)
        nothing = rig.ask(about=work((IMAGE, MASK)), detail=READ, language='en').end().outcome
        assert (nothing.failure, nothing.answer.abstained) == (None, True)
        assert nothing.answer.text == 'I see no letters that I can read.' and np.isnan(nothing.answer.confidence)


@needs_tesseract
def test_a_camera_on_its_side_is_read_upright(signs):
    pixels, mask = signs.put(signs.sign('Push to open', 24), signs.PLAIN)
    turned = work((np.ascontiguousarray(np.rot90(pixels)), np.ascontiguousarray(np.rot90(mask))))
    (encoded, packed), = turned.pictures
    with running() as rig:
        about = replace(turned, pictures=((replace(encoded, up='left'), packed),))   # its upper edge came to the left
        assert rig.ready().ask(about=about, detail=READ, language='en').end().outcome.answer.text == 'Push to open'


# -- preparing

def test_lines_are_turned_level(signs):
    for degrees in (-9.0, 0.0, 4.0):
        picture, mask = signs.put(signs.sign('Gluten free oats\nBest before 12/2027', 20), signs.PLAIN, degrees)
        assert slope(picture[400:560, 400:880, 0]) == pytest.approx(-degrees, abs=1.5)
        assert abs(slope(sheet(picture, mask).grey)) <= 2.0


@pytest.mark.parametrize('px', [10, 16, 30, 60])
def test_letters_come_in_the_size_that_is_read_best(signs, px: int):
    made = sheet(*signs.put(signs.sign('Platform seven', px), signs.PLAIN))
    assert made.letter_px == pytest.approx(px, rel=0.4)
    assert letter_height(made.at(28.0)) == pytest.approx(28.0, rel=0.5)


def test_huge_regions_stay_within_bounds():
    made = sheet(np.zeros((3000, 4000, 3), np.uint8), np.ones((3000, 4000), bool))
    assert np.isnan(made.letter_px)
    assert made.scaled(8.0).size < 2_700_000 and made.at(28.0).size < 2_700_000


# -- words

def test_words_become_text():
    words = [Word(text, line, 0.9) for text, line in (
        ('Please', (1, 1, 1)), ('knock', (1, 1, 1)), ('be-', (1, 1, 2)), ('fore', (1, 1, 3)), ('12-', (1, 1, 3)),
        ('Room', (1, 2, 1)), ('\u4f60', (2, 1, 1)), ('\u597d', (2, 1, 1)), ('\ud55c\uad6d', (3, 1, 1)),
        ('\uc5b4', (3, 1, 1)))]
    assert text_of(words) == 'Please knock before 12-\nRoom\n\u4f60\u597d\n\ud55c\uad6d \uc5b4'
    assert text_of([]) == '' and np.isnan(confidence_of([]))


def test_edges_and_stains_are_no_words():
    line = (1, 1, 1)
    words = [Word(text, line, sure) for text, sure in (('|', 0.9), ('|Exit', 0.9), ('~', 0.9), ('&', 0.9), ('...', 0.9),
                                                      ('dim', 0.3), ('7', 0.9), ('___', 0.9))]
    assert [one.text for one in legible(words, 0.6)] == ['Exit', '&', '7']


@pytest.mark.parametrize('tag, name', [('en', 'eng'), ('de-CH', 'deu'), ('zh', 'chi_sim'), ('zh-TW', 'chi_tra'),
                                       ('zh_Hant_HK', 'chi_tra'), ('sr-Latn', 'srp_latn'), ('xx', 'xx')])
def test_names_of_languages(tag: str, name: str):
    assert name_of(tag) == name


def test_names_of_languages_back():
    assert [tag_of(one) for one in ('deu', 'chi_sim', 'chi_tra', 'deu+eng', 'osd')] == ['de', 'zh', 'zh-Hant', '', '']
    assert package_of('chi_sim') == 'tesseract-ocr-chi-sim'


# -- from the command line

@needs_tesseract
def test_the_command_reads(signs, tmp_path: Path, capsys: pytest.CaptureFixture):
    image, mask = signs.put(signs.sign('Push to open', 24), signs.PLAIN)
    for name, pixels in (('sign.png', image[..., ::-1]), ('mask.png', mask.astype(np.uint8))):
        cv2.imwrite(str(tmp_path / name), pixels)
    region = [str(tmp_path / 'sign.png'), '--mask', str(tmp_path / 'mask.png'), '--detail', 'read']
    assert main([*region, '--json']) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found['text'], found['describer'], found['abstained']) == ('Push to open', 'tesseract', False)
    assert found['confidence'] > 0.85
    assert main([*region, '--max-tokens', '1']) == 0
    assert capsys.readouterr() == ('Push\n', 'dam-describe: cut off after 1 tokens; --max-tokens allows more\n')


@pytest.mark.parametrize('arguments, words', [
    (['--detail', 'read', '--query', 'Why?'], 'READ'), (['--reader-languages', 'fra'], '--detail read'),
    (['second.png', '--mask', 'first.png', '--mask', 'second.png', '--detail', 'read'], 'one IMAGE')])
def test_what_the_command_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture,
                                  arguments: list[str], words: str):
    monkeypatch.chdir(tmp_path)
    for name in ('first.png', 'second.png'):
        cv2.imwrite(name, IMAGE)
    assert main(['first.png', *arguments]) == 2
    assert words in capsys.readouterr().err


# -- programs that are not what they should be

@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """A program of the name tesseract with this reading, first on PATH; its version and languages are good."""
    def put(reading: str, languages: str = 'eng') -> Path:
        path = tmp_path / 'tesseract'
        path.write_text('#!/bin/sh\n'
                        'case $1 in --version) echo tesseract 5.9; exit;;\n'
                        f'--list-langs) printf "List:\\n{languages}\\n"; exit;; esac\n' + reading + '\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv('PATH', f'{tmp_path}{os.pathsep}{os.environ["PATH"]}')
        return tmp_path
    return put


def row(text: str, confidence: float = 95.0, line: int = 1) -> str:
    return f'5\t1\t1\t1\t{line}\t1\t0\t0\t9\t9\t{confidence}\t{text}\n'


def test_only_its_table_is_believed(stand_in):
    stand_in('cat >/dev/null; printf "' + HEAD.encode('unicode_escape').decode() + row('$(touch').replace('\t', '\\t')
             .replace('\n', '\\n').replace('$', '\\$') + '"')
    found = read(IMAGE, MASK)
    assert (found.text, found.model) == ('$(touch', '5.9 eng')


@pytest.mark.parametrize('reading, words', [
    ('exit 3', 'exit status 3: it does not say why'), ('echo no data >&2; exit 1', 'exit status 1: no data'),
    ('kill -SEGV $$', 'died of signal 11'), ('echo what is this', 'output of tesseract is'),
    ('true', 'output of tesseract is'), ('yes', 'writes without end'),
    ('head -c 100000 /dev/urandom', 'output of tesseract is')])
def test_what_fails_is_said(stand_in, reading: str, words: str):
    stand_in(reading)
    with pytest.raises(DescriberFailed, match=words):
        read(IMAGE, MASK)


@pytest.mark.parametrize('table', [HEAD + row('x').replace('95.0', 'nan'), HEAD + row('x').replace('95.0', 'sure'),
                                   'no\ttable', ''])
def test_tables_that_are_none(table: str):
    with pytest.raises(DescriberFailed):
        parsed(table.encode())


def test_rows_that_are_no_words_are_passed_over():
    table = HEAD + row('good') + row('  ') + '5\t1\n' + '4\t1\t1\t1\t1\t0\t0\t0\t9\t9\t-1\t\n' + row('caf\u00e9')
    assert [one.text for one in parsed(table.encode() + b'\xff\xfe')] == ['good', 'caf\u00e9']


def test_one_that_hangs_is_killed_with_its_children(stand_in):
    here = stand_in('echo $$ >"$(dirname "$0")/pid"; sleep 60 & sleep 60')
    begun = time.monotonic()
    with pytest.raises(DescriberFailed, match='hangs: no end after 0.5 s'):
        read(IMAGE, MASK, limit_s=0.5)
    assert time.monotonic() - begun < 2.0
    until(lambda: not alive(int((here / 'pid').read_text())), 'its end')


def test_a_reading_can_be_stopped_at_any_moment(stand_in):
    here = stand_in('echo $$ >"$(dirname "$0")/pid"; sleep 60')
    run, ended = Run(30.0), []

    def work() -> None:
        try:
            create('tesseract').read(IMAGE, MASK, 'en', run)
        except Failure as failure:
            ended.append((time.monotonic(), failure))

    thread = threading.Thread(target=work)
    thread.start()
    until((here / 'pid').exists, 'a program that runs')
    begun = time.monotonic()
    run.stop()
    thread.join(5.0)
    assert isinstance(ended[0][1], Cancelled) and ended[0][0] - begun < 0.2
    with pytest.raises(Cancelled):
        run.output_of(['true'])


def test_a_missing_language_is_refused_with_the_remedy(stand_in):
    stand_in('exit 1', 'eng\\ndeu\\nosd')
    with pytest.raises(Unsupported, match="language is 'fr'; allowed: .*: en, de. sudo .*tesseract-ocr-fra"):
        read(IMAGE, MASK, 'fr-CA')
    with pytest.raises(Unsupported, match="reader_languages is 'eng.nld'; .*: eng, deu. .*tesseract-ocr-nld"):
        read(IMAGE, MASK, 'en', 'eng+nld')


def test_without_a_reader_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv('PATH', str(tmp_path))
    with pytest.raises(Unsupported, match='READ.*tesseract, which is not installed: sudo apt-get install'):
        create('auto')
    with pytest.raises(Unsupported, match='The parameter reader is none'):
        create('none')
    with pytest.raises(DescriberFailed, match="reader is 'braille'; allowed: auto, tesseract, none"):
        create('braille')


# -- in the worker

SLEEPS = 'echo $$ >>"$(dirname "$0")/pids"; sleep 60'


def pids(here: Path) -> list[int]:
    path = here / 'pids'
    return [int(one) for one in path.read_text().split()] if path.exists() else []


def test_reading_keeps_nobody_from_telling(stand_in):
    here = stand_in(SLEEPS)
    with running(options={'capacity': 2}) as rig:
        rig.ready()
        reads = rig.ask(detail=READ, language='en', id='reads')
        until(lambda: pids(here), 'a program that reads')
        assert rig.ask().end().took_s < 1.0
        assert rig.cancel('reads') == 1 and reads.end().code == Cancelled.code
        until(lambda: not any(map(alive, pids(here))), 'its end')
        assert rig.ask().end().code == 0


def test_a_reading_obeys_its_deadline_and_the_next_goes_on(stand_in):
    here = stand_in(SLEEPS)
    with running() as rig:
        rig.ready()
        late = rig.ask(detail=READ, language='en', timeout_s=0.5).end()
        assert late.code == 10201 and late.took_s < 0.7
        until(lambda: pids(here) and not any(map(alive, pids(here))), 'its end')
        assert rig.ask().end().code == 0
        assert rig.engine.status.deaths == 0


def test_what_reads_ends_with_the_engine(stand_in):
    here = stand_in(SLEEPS)
    with running() as rig:
        rig.ready()
        rig.ask(detail=READ, language='en')
        until(lambda: pids(here), 'a program that reads')
    until(lambda: not any(map(alive, pids(here))), 'its end')


def test_failures_of_the_reader_are_answers(stand_in):
    stand_in('kill -SEGV $$')
    with running(reader='tesseract') as rig:
        rig.ready()
        assert 'tesseract died of signal 11' in str(rig.ask(detail=READ, language='en').end().failure)
        assert rig.ask(detail=READ, language='fr').end().code == Unsupported.code
        assert rig.engine.status.deaths == 0


def test_without_a_reader_reading_is_unsupported():
    with running(reader='none') as rig:
        failure = rig.ready().ask(detail=READ, language='en').end().failure
        assert failure.code == Unsupported.code and 'parameter reader' in str(failure)
