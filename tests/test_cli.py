"""dam-describe: regions, options, JSON, exit codes, and one clear line for everything that is wrong."""
import json
import os
from pathlib import Path
import pty
import signal
import struct
import subprocess
import sys
import time
import zlib

import cv2
import numpy as np
import pytest

from dam_ros import describers
from dam_ros.cli import main
from dam_ros.cli_options import make_parser
from dam_ros.core.describing import Piece
from dam_ros.core.errors import DescriberFailed

ROOT = Path(__file__).resolve().parents[1]
REHEARSAL = ['--describer', 'rehearsal']
LABELS = np.repeat(np.arange(4, dtype=np.uint8), 12)[:, None].repeat(64, 1)   # 48 rows in four bands


@pytest.fixture
def files(tmp_path, monkeypatch):
    """photo.jpg of 64x48 px and what goes, or does not go, with it; the working folder holds them."""
    monkeypatch.chdir(tmp_path)
    photo = np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)
    mask = np.zeros((48, 64), np.uint8)
    mask[10:20, 30:50] = 7
    cutout = np.dstack([photo, np.where(mask, 255, 0).astype(np.uint8)])
    cutout[12, 33, :3] = 0   # a black pixel of the thing is inside, too
    written = {'photo.jpg': photo, 'mask.png': mask, 'cutout.png': cutout, 'other_size.png': mask[:40],
               'empty.png': mask * 0, 'labels.png': LABELS, 'colours.png': photo,
               'colour_mask.png': np.dstack([mask] * 3), 'labels16.png': LABELS.astype(np.uint16) * 1000}
    for name, pixels in written.items():
        cv2.imwrite(name, pixels)
    Path('cut.jpg').write_bytes(Path('photo.jpg').read_bytes()[:300])
    Path('note.txt').write_text('no picture')
    Path('vast.png').write_bytes(png(60000, 60000, 8, 0, b''))
    Path('palette.png').write_bytes(png(64, 48, 8, 3, palette=b'\0\0\0\xff\0\0', rows=LABELS > 1))
    Path('dark_palette.png').write_bytes(png(64, 48, 4, 3, palette=b'\xff\xff\xff' + b'\0\0\0' * 7, rows=LABELS))
    Path('cut_palette.png').write_bytes(Path('palette.png').read_bytes()[:90])
    return tmp_path


def png(width, height, depth, colour_type, data=b'', palette=b'', rows=None):
    """A PNG by hand: what OpenCV does not write."""
    def chunk(name, body):
        return struct.pack('>I', len(body)) + name + body + struct.pack('>I', zlib.crc32(name + body))
    if rows is not None:
        bits = np.unpackbits(rows.astype(np.uint8)[..., None], axis=2)[..., 8 - depth:].reshape(rows.shape[0], -1)
        data = zlib.compress(b''.join(b'\0' + np.packbits(row).tobytes() for row in bits))
    header = struct.pack('>IIBBBBB', width, height, depth, colour_type, 0, 0, 0)
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + (chunk(b'PLTE', palette) if palette else b'')
            + chunk(b'IDAT', data) + chunk(b'IEND', b''))


def described(capsys, *arguments):
    assert main(['photo.jpg', *REHEARSAL, '--json', *arguments]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(('arguments', 'box', 'area_px'), [
    ([], [0, 0, 64, 48], 64 * 48),
    (['--box', '10', '5', '20', '10'], [10, 5, 20, 10], 200),
    (['--box', '-10', '-5', '20', '10'], [0, 0, 10, 5], 50),           # clipped
    (['--box', '10.4', '5', '0.2', '10'], [10, 5, 1, 10], 10),         # thinner than a pixel
    (['--mask', 'mask.png'], [30, 10, 20, 10], 200),
    (['--mask', 'colour_mask.png'], [30, 10, 20, 10], 200),
    (['--mask', 'cutout.png'], [30, 10, 20, 10], 200),
    (['--label-image', 'labels.png', '--label', '2'], [0, 24, 64, 12], 64 * 12),
    (['--label-image', 'labels16.png', '--label', '3000'], [0, 36, 64, 12], 64 * 12),
    (['--label-image', 'dark_palette.png', '--label', '2'], [0, 24, 64, 12], 64 * 12),
    (['--mask', 'dark_palette.png'], [0, 12, 64, 36], 64 * 36),        # black to look at, but not number 0
    (['--label-image', 'labels.png', '--label', '2', '--label', '3'], [0, 24, 64, 24], 64 * 24),
    (['--polygon', '9.5,4.5 29.5,4.5 29.5,14.5 9.5,14.5'], [10, 5, 20, 10], 200),
    (['--polygon', '9.5,4.5, 29.5,14.5, 29.5,4.5, 9.5,14.5'], [10, 5, 20, 10], 100),   # meets itself
    (['--box', '20', '10', '40', '20', '--ref', '128', '96'], [10, 5, 20, 10], 200),
])
def test_every_region_form(files, capsys, arguments, box, area_px):
    found = described(capsys, *arguments)
    assert found['box'] == box
    assert found['area_px'] == area_px
    assert found['area_fraction'] == pytest.approx(area_px / (64 * 48), abs=1e-6)
    assert f'the region {area_px} of them' in found['text']


@pytest.mark.parametrize('arguments', [
    ['--box', '26', '6', '28', '18', '--cut-out'], ['--point', '40', '15', '--not-point', '5', '40'],
    ['--scribble', '33,15 47,15', '--scribble-width', '3']])
def test_what_is_pointed_at_is_cut_out_and_can_be_saved(files, capsys, arguments):
    image = np.full((48, 64, 3), 60, np.uint8) + np.random.default_rng(3).integers(0, 8, (48, 64, 3), np.uint8)
    image[10:20, 30:50] = (20, 40, 230)
    cv2.imwrite('thing.png', image)
    assert main(['thing.png', *REHEARSAL, '--json', '--tag', 'cup', '--save-mask', 'found.png', *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found['tag'] == 'cup' and found['area_px'] == pytest.approx(200, rel=0.1)
    mask = cv2.imread('found.png', cv2.IMREAD_UNCHANGED)
    assert set(np.unique(mask)) == {0, 255} and (mask > 0).sum() == found['area_px']
    assert (mask[10:20, 30:50] > 0).mean() > 0.9


@pytest.mark.parametrize('depth', [1, 2, 4])
def test_grey_pngs_of_few_bits_keep_their_values(files, capsys, depth):
    values = LABELS % 2 ** depth
    Path('few.png').write_bytes(png(64, 48, depth, 0, rows=values))
    assert described(capsys, '--label-image', 'few.png', '--label', '1')['area_px'] == int((values == 1).sum())


def test_json_has_everything_that_is_known(files, capsys):
    found = described(capsys, '--box', '1', '2', '3', '4')
    assert found['brief'] == 'This is a rehearsal.'
    assert found['describer'] == 'rehearsal'
    assert found['token_ids'] == list(range(1, len(found['token_ids']) + 1))
    assert (found['truncated'], found['abstained'], found['model']) == (False, False, '')
    assert 0 < found['confidence'] <= 1
    assert set(found['timings_s']) == {'load', 'look', 'first', 'total'}
    assert all(0 <= value < 60 for value in found['timings_s'].values())


def test_text_alone_without_json(files, capsys):
    assert main(['photo.jpg', *REHEARSAL]) == 0
    assert capsys.readouterr().out.startswith('This is a rehearsal. The picture has 64x48 pixels')


def test_a_cut_text_says_so(files, capsys):
    assert main(['photo.jpg', *REHEARSAL, '--max-tokens', '3']) == 0
    out, err = capsys.readouterr()
    assert out.strip() == 'This is a'
    assert '--max-tokens allows more' in err
    assert described(capsys, '--max-tokens', '3')['truncated'] is True


def test_attributes_come_as_data(files, capsys):
    pytest.importorskip('dam_ros.describers.attributes')
    assert main(['photo.jpg', '--describer', 'attributes', '--json', '--box', '1', '2', '30', '20']) == 0
    found = json.loads(capsys.readouterr().out)
    assert found['describer'] == 'attributes'
    assert isinstance(found['attributes'], dict)
    assert found['attributes']
    assert 'token_ids' not in found or found['token_ids']


# -- clips

def clip(count, empty=()):
    """So many pictures of different sizes with their masks, as arguments; picture N has a region of (N + 1) x 2 px."""
    arguments = []
    for index in range(count):
        mask = np.zeros((20 + index, 30), np.uint8)
        mask[2:4, :index + 1] = 0 if index in empty else 255
        cv2.imwrite(f'{index}.png', np.full((20 + index, 30, 3), index, np.uint8))
        cv2.imwrite(f'{index}_mask.png', mask)
        arguments.append((f'{index}.png', f'{index}_mask.png'))
    return [one for one, _ in arguments] + [word for _, mask in arguments for word in ('--mask', mask)]


def told(capsys, *arguments):
    words = json.dumps({'text': '{pictures} pictures, the last of {size}, {pixels} inside.'})
    assert main([*arguments, *REHEARSAL, '--describer-options', words, '--json']) == 0
    return json.loads(capsys.readouterr().out)


def test_a_clip_is_told_about_as_one(files, capsys):
    found = told(capsys, *clip(3))
    assert found['text'] == '3 pictures, the last of 30x22, 6 inside.'
    assert found['pictures'] == ['0.png', '1.png', '2.png']
    assert (found['box'], found['area_px'], found['image_size']) == ([0, 2, 3, 2], 6, [30, 22])


def test_of_a_long_clip_eight_pictures_are_used(files, capsys):
    found = told(capsys, *clip(12))
    assert found['text'].startswith('8 pictures, the last of 30x31')
    assert found['pictures'] == [f'{index}.png' for index in (0, 1, 3, 4, 6, 7, 9, 11)]


def test_pictures_without_the_region_are_left_out(files, capsys):
    found = told(capsys, *clip(5, empty=(0, 2, 4)))
    assert found['pictures'] == ['1.png', '3.png']
    assert found['image_size'] == [30, 23]
    assert told(capsys, *clip(3, empty=(0, 2)))['text'] == '1 pictures, the last of 30x21, 4 inside.'


def test_only_the_pictures_that_are_used_are_decoded(files, capsys, monkeypatch):
    from dam_ros import cli_pictures
    read, original = [], cli_pictures.read_picture
    monkeypatch.setattr(cli_pictures, 'read_picture', lambda path, *rest: read.append(path) or original(path, *rest))
    assert told(capsys, *clip(40))['pictures'] == read
    assert len(read) == 8


def test_pictures_and_masks_may_alternate(files, capsys):
    clip(2)
    assert told(capsys, '--mask', '0_mask.png', '0.png', '--mask', '1_mask.png', '1.png')['pictures'] == [
        '0.png', '1.png']


def test_one_picture_is_named_too(files, capsys):
    assert described(capsys)['pictures'] == ['photo.jpg']


# -- what goes to the describer

class Seen:
    """A describer that keeps what it was made with and asked."""

    name, model, languages, capacity, max_pictures = 'seen', 'weights', ('en',), 1, 1
    options, queries = None, []

    def __init__(self, options):
        Seen.options, Seen.queries = dict(options), []

    def look(self, subjects):
        return [self for _ in subjects]

    def begin(self, look, query):
        Seen.queries.append(query)
        return self

    def step(self):
        return [(self, Piece('seen', last=True))]

    def stop(self):
        pass

    close = stop


@pytest.fixture
def seen(monkeypatch):
    Seen.options, Seen.queries = None, []
    monkeypatch.setattr(describers, 'create', lambda name, options: Seen({'name': name, **options}))
    return Seen


@pytest.mark.parametrize('words', ['', '<image>', '<image>\n', ' <image> \nWhat?  ', '<image>\n' + 'long ' * 1000])
def test_a_raw_query_arrives_as_it_is(files, seen, words):
    assert main(['photo.jpg', '--describer', 'dam', '--raw-query', words]) == 0
    assert [(one.question, one.raw) for one in seen.queries] == [(words, True)]


def test_the_references_sampling_can_be_said(files, seen):
    assert main(['photo.jpg', '--describer', 'dam', '--temperature', '0.2', '--top-p', '0.5', '--seed', '7']) == 0
    query, = seen.queries
    assert (query.temperature, query.top_p, query.top_k, query.seed) == (0.2, 0.5, 0, 7)


def test_options_of_dam(files, seen):
    assert main(['photo.jpg', '--model', 'folder', '--model-kind', 'joint', '--dtype', 'bfloat16', '--device', 'cuda:1',
                 '--memory-budget-mb', '3000.5', '--describer-options', '{"more": 1}']) == 0
    assert seen.options == {'name': 'dam', 'model': 'folder', 'model_kind': 'joint', 'dtype': 'bfloat16',
                            'device': 'cuda:1', 'memory_budget_mb': 3000.5, 'more': 1}


def test_options_of_remote(files, seen):
    assert main(['photo.jpg', '--describer', 'remote', '--url', 'http://robot:8000', '--model', 'some']) == 0
    assert seen.options['name'] == 'remote'
    assert (seen.options['url'], seen.options['model']) == ('http://robot:8000', 'some')
    assert seen.options['key_env'] == 'DAM_API_KEY'


def test_a_clip_for_weights_that_take_one_picture_names_the_remedy(files, seen, capsys, monkeypatch):
    monkeypatch.setattr(Seen, 'name', 'dam')
    assert main([*clip(2), '--model', 'folder']) == 2
    assert 'allowed: one picture with the describer dam weights. --model-kind joint says' in capsys.readouterr().err


class Weights:
    """Stands where the weights come from."""

    DEFAULT = 'some/default'

    def __init__(self, failure=None):
        self.fetched, self.failure = [], failure

    def take_the_place(self, monkeypatch):
        monkeypatch.setattr('dam_ros.model.weights.DEFAULT', self.DEFAULT)
        monkeypatch.setattr('dam_ros.model.weights.parse', lambda model: None)
        monkeypatch.setattr('dam_ros.model.download.download', self.download)

    def download(self, model):
        self.fetched.append(model)
        if self.failure:
            raise self.failure
        return Path('where')


def test_download_alone_and_before_describing(files, seen, capsys, monkeypatch):
    weights = Weights()
    weights.take_the_place(monkeypatch)
    assert main(['--download']) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ('', 'some/default is in where\n')
    assert seen.options is None
    assert main(['--download', '--model', 'a/b', 'photo.jpg']) == 0
    assert weights.fetched == ['some/default', 'a/b']
    assert (seen.options['name'], seen.options['model']) == ('dam', 'a/b')
    assert capsys.readouterr().out == 'seen\n'


def test_a_download_that_fails_is_one_line(files, seen, capsys, monkeypatch):
    weights = Weights(DescriberFailed('the network is down'))
    weights.take_the_place(monkeypatch)
    assert main(['--download', 'photo.jpg']) == 1
    assert capsys.readouterr().err == 'dam-describe: the network is down\n'


def test_nothing_is_downloaded_for_a_picture_that_cannot_be_used(files, seen, monkeypatch):
    weights = Weights()
    weights.take_the_place(monkeypatch)
    assert main(['--download', 'gone.jpg']) == 2
    assert weights.fetched == []


BAD = [
    ([], 'required: IMAGE'),
    (['gone.jpg'], "image is 'gone.jpg'; allowed: a file that exists"),
    (['.'], 'not a folder'),
    (['note.txt'], 'note.txt is no picture we know'),
    (['cut.jpg'], 'damaged or cut off'),
    (['vast.png'], "is '60000x60000 px'; allowed: at most 64 megapixels"),
    (['photo.jpg', '--max-megapixels', '0.001'], 'at most 0.001 megapixels'),
    (['photo.jpg', '--max-megapixels', 'nan'], '--max-megapixels is nan'),
    (['photo.jpg', '--mask', 'gone.png'], "--mask is 'gone.png'"),
    (['photo.jpg', '--mask', 'photo.jpg'], 'allowed: a PNG file'),
    (['photo.jpg', '--mask', 'other_size.png'], "--mask is '64x40 px'; allowed: the size of the picture, 64x48 px"),
    (['photo.jpg', '--mask', 'empty.png'], '--mask is'),
    (['photo.jpg', '--mask', 'mask.png', '--box', '1', '1', '5', '5'], '--mask and --box'),
    (['photo.jpg', '--box', '1', '1', '5', '5', '--label-image', 'labels.png', '--label', '1'],
     '--box and --label-image'),
    (['photo.jpg', '--box', '1', '1', '5'], 'expected 4 arguments'),
    (['photo.jpg', '--box', '1', '1', '5', 'x'], "invalid float value: 'x'"),
    (['photo.jpg', '--box', '1', '1', 'nan', '5'], 'allowed: finite numbers'),
    (['photo.jpg', '--box', '1', '1', 'inf', '5'], 'allowed: finite numbers'),
    (['photo.jpg', '--box', '1', '1', '0', '5'], 'width and height above 0'),
    (['photo.jpg', '--box', '64', '0', '5', '5'], 'a box that meets the picture of 64x48 px'),
    (['photo.jpg', '--label', '1'], '--label-image PNG and --label N together'),
    (['photo.jpg', '--label-image', 'labels.png'], '--label-image PNG and --label N together'),
    (['photo.jpg', '--label-image', 'labels.png', '--label', '9'],
     '--label is [9]; allowed: values of the label image: 0, 1, 2, 3'),
    (['photo.jpg', '--label-image', 'labels.png', '--label', '1.5'], 'invalid int value'),
    (['photo.jpg', '--label-image', 'colours.png', '--label', '1'], 'one channel of label values'),
    (['photo.jpg', '--label-image', 'palette.png', '--label', '2'], 'values of the label image: 0, 1'),
    (['photo.jpg', '--label-image', 'cut_palette.png', '--label', '1'], 'damaged or cut off'),
    (['photo.jpg', '--label-image', 'other_size.png', '--label', '7'], 'the size of the picture, 64x48 px'),
    (['photo.jpg', '--query', ' '], '--query'),
    (['photo.jpg', '--query', 'a' * 2001], 'at most 2000 characters'),
    (['photo.jpg', '--query', 'a', '--raw-query', 'b'], '--raw-query'),
    (['photo.jpg', '--detail', 'most'], 'invalid choice'),
    (['photo.jpg', '--temperature', '2.5'], 'temperature is 2.5; allowed: 0 to 2'),
    (['photo.jpg', '--temperature', 'nan'], 'temperature is nan'),
    (['photo.jpg', '--temperature', '1', '--top-p', '1.5'], 'top_p is 1.5'),
    (['photo.jpg', '--top-p', '0.5'], '--temperature above 0'),
    (['photo.jpg', '--seed', '1'], '--temperature above 0'),
    (['photo.jpg', '--temperature', '1', '--seed', '-1'], '0 to 4294967295'),
    (['photo.jpg', '--max-tokens', '0'], '1 to 2048'),
    (['photo.jpg', '--max-tokens', '2049'], '1 to 2048'),
    (['photo.jpg', '--describer', 'nobody'], "describer is 'nobody'; allowed: auto"),
    (['photo.jpg', '--describer', 'no.such:thing'], 'package.module:factory that can be imported'),
    (['photo.jpg', '--describer', 'rehearsal', '--model', 'x/y'], "--model is 'x/y'"),
    (['photo.jpg', '--bogus'], 'unrecognized arguments: --bogus'),
    (['photo.jpg', 'photo.jpg'], "--mask is '0 given, 2 expected'; allowed: once for each picture"),
    (['photo.jpg', 'photo.jpg', '--mask', 'mask.png'], "IMAGE is '2 pictures with a region of one'; allowed: one"),
    (['photo.jpg', '--mask', 'mask.png', '--mask', 'mask.png'], '2 given, 1 expected'),
    (['photo.jpg', 'photo.jpg', '--box', '1', '1', '5', '5'], 'grabcut does not follow it; --segmenter sam'),
    (['photo.jpg', '--cut-out'], '--cut-out is True; allowed: together with --box'),
    (['photo.jpg', '--scribble-width', '3'], '--scribble-width is 3.0; allowed: together with --scribble'),
    (['photo.jpg', '--scribble', '1,2 3,4', '--scribble-width', '300'], '--scribble-width is 300.0; allowed: 1 to 200'),
    (['photo.jpg', '--scribble', '1,2'], "--scribble is '1 points'; allowed: 2 to 100000 points"),
    (['photo.jpg', '--polygon', '1,2 3,4 5'], "--polygon is '5 numbers'; allowed: pairs x, y"),
    (['photo.jpg', '--polygon', '1,2 3,4 five,5'], "--polygon is '1,2 3,4 five,5'; allowed: pairs of numbers"),
    (['photo.jpg', '--polygon', '1,2 3,4 nan,5'], '--polygon[4] is nan; allowed: finite numbers'),
    (['photo.jpg', '--polygon', '70,2 80,4 75,9'], 'meets the picture of 64x48 px'),
    (['photo.jpg', '--not-point', '1', '2'], '--point and --not-point is [0]; allowed: at least one 1'),
    (['photo.jpg', '--point', '64', '2'], '--point is [[64.0, 2.0]]; allowed: at least one point inside'),
    (['photo.jpg', '--point', '1', '2', '--box', '1', '1', '2', '2'], '--box and --point'),
    (['photo.jpg', '--box', '1', '1', '2', '2', '--ref', '640', '0'], '--ref is (640, 0); allowed: both 0 or both set'),
    (['photo.jpg', '--tag', 'x' * 65], '--tag is'),
    (['photo.jpg', '--save-mask', 'no/such/folder.png'], '--save-mask is'),
    (['photo.jpg', 'photo.jpg', '--label-image', 'labels.png', '--label', '1'], "--label-image is 'given with 2"),
    (['photo.jpg', 'gone.jpg', '--mask', 'mask.png', '--mask', 'mask.png'], "image is 'gone.jpg'"),
    (['photo.jpg', 'note.txt', '--mask', 'mask.png', '--mask', 'mask.png'], 'image note.txt is no picture we know'),
    (['photo.jpg', 'cut.jpg', '--mask', 'mask.png', '--mask', 'mask.png'], 'damaged or cut off'),
    (['photo.jpg', 'photo.jpg', '--mask', 'mask.png', '--mask', 'other_size.png'],
     "--mask other_size.png is '64x40 px'; allowed: the size of its picture photo.jpg, 64x48 px"),
    (['photo.jpg', 'photo.jpg', '--mask', 'empty.png', '--mask', 'empty.png'], "--mask is 'empty for all 2 pictures'"),
    (['photo.jpg', 'photo.jpg', '--mask', 'mask.png', '--mask', 'mask.png', '--describer', 'attributes'],
     "IMAGE is 'a clip of 2 pictures'; allowed: one picture with the describer attributes"),
    (['photo.jpg', '--model-kind', 'joint'], "--model-kind is 'joint'; allowed: with the describer dam only"),
    (['photo.jpg', '--model-kind', 'video'], 'invalid choice'),
    (['photo.jpg', '--dtype', 'float16'], '--dtype is'),
    (['photo.jpg', '--dtype', 'int2'], 'invalid choice'),
    (['photo.jpg', '--memory-budget-mb', '4000'], '--memory-budget-mb is'),
    (['photo.jpg', '--device', 'cpu'], '--device is'),
    (['photo.jpg', '--device', 'gpu', '--describer', 'dam'], "--device is 'gpu'; allowed: 'auto', 'cpu', 'cuda' or"),
    (['photo.jpg', '--url', 'http://localhost:1', '--describer', 'dam'], '--url is'),
    (['photo.jpg', '--download'], '--download is True; allowed: with the describer dam only'),
    (['--download', '--model', 'no such', '--describer', 'dam'], "model is 'no such'; allowed: a folder, or a hub id"),
    (['photo.jpg', '--describer-options', '[]'], "--describer-options is '[]'; allowed: one JSON object"),
    (['photo.jpg', '--query', 'caf\udce9'], 'allowed: text in the encoding of the terminal'),
]


@pytest.mark.parametrize(('arguments', 'words'), BAD, ids=[' '.join(one[0])[:60] or 'nothing' for one in BAD])
def test_bad_input_is_one_line_and_exit_code_2(files, capsys, arguments, words):
    if '--describer' not in arguments:
        arguments = [*arguments, *REHEARSAL]
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ''
    assert err.startswith('dam-describe: ')
    assert words in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize('kind', ['raise', 'out_of_memory', 'remote_unavailable'])
def test_a_failure_of_the_describer_is_one_line_and_exit_code_1(files, capsys, kind):
    assert main(['photo.jpg', *REHEARSAL, '--query', json.dumps({'fail': kind})]) == 1
    out, err = capsys.readouterr()
    assert err.startswith('dam-describe: ')
    assert len(err.splitlines()) == 1


# -- as a program of its own

PROGRAM = [sys.executable, '-m', 'dam_ros.cli']


def environment(**more):
    path = os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])
    return {**os.environ, 'PYTHONPATH': path, **more}


def test_it_needs_neither_ros_nor_torch_nor_time(files):
    script = ('import sys, time; began = time.process_time(); from dam_ros.cli import main; '
              'main(sys.argv[1:]); took = time.process_time() - began; '
              'print([name for name in ("rclpy", "torch", "transformers", "rosbags") if name in sys.modules], took)')
    done = subprocess.run([sys.executable, '-c', script, 'photo.jpg', *REHEARSAL], capture_output=True, text=True,
                          env=environment(), check=True, timeout=30)
    names, took = done.stdout.splitlines()[-1].rsplit(' ', 1)
    assert names == '[]'
    assert float(took) < 1.0   # CPU seconds, imports of numpy and OpenCV included


@pytest.mark.parametrize(('module', 'words'), [('numpy', 'pip install numpy'),
                                               ('cv2', 'pip install opencv-python-headless')])
def test_a_missing_library_is_one_line(files, module, words):
    Path(f'{module}.py').write_text(f'raise ImportError("no {module} here", name="{module}")')
    done = subprocess.run([*PROGRAM, 'photo.jpg'], capture_output=True, text=True, timeout=30,
                          env=environment(PYTHONPATH=os.pathsep.join([str(files), str(ROOT)])))
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_version_is_the_packages(files):
    import dam_ros
    done = subprocess.run([*PROGRAM, '--version'], capture_output=True, text=True, env=environment(), timeout=30)
    assert done.stdout == f'dam-describe {dam_ros.__version__}\n'


def test_ctrl_c_is_quiet(files):
    slow = json.dumps({'first_word_s': 60})
    process = subprocess.Popen([*PROGRAM, 'photo.jpg', *REHEARSAL, '--query', slow], stderr=subprocess.PIPE, text=True,
                               env=environment(), start_new_session=True)
    while b'/cv2/' not in Path(f'/proc/{process.pid}/maps').read_bytes():   # it is past its large imports
        time.sleep(0.01)
    time.sleep(0.3)   # any moment will do
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert err == ''


def test_a_reader_that_has_read_enough_is_no_error(files):
    done = subprocess.run(['bash', '-c', f'{" ".join(PROGRAM)} photo.jpg --describer rehearsal | true; '
                           'echo ${PIPESTATUS[0]}'], capture_output=True, text=True, env=environment(), timeout=30)
    assert done.stdout.strip() == '0'
    assert done.stderr == ''


def test_a_terminal_sees_the_text_as_it_comes(files):
    reader, writer = pty.openpty()
    query = json.dumps({'words_per_s': 20, 'text': 'one two three four five six seven eight nine ten'})
    process = subprocess.Popen([*PROGRAM, 'photo.jpg', *REHEARSAL, '--query', query], stdout=writer, env=environment())
    os.close(writer)
    chunks = []
    while True:
        try:
            chunk = os.read(reader, 4096)
        except OSError:   # the other end is closed
            break
        if not chunk:
            break
        chunks.append((time.monotonic(), chunk))
    assert process.wait(10) == 0
    os.close(reader)
    assert b''.join(chunk for _, chunk in chunks).split() == b'one two three four five six seven eight nine ten'.split()
    assert chunks[-1][0] - chunks[0][0] > 0.3


def test_every_option_is_in_the_documentation():
    text = (ROOT / 'docs' / 'dam-describe.md').read_text(encoding='utf-8')
    options = [name for action in make_parser()._actions for name in action.option_strings if name.startswith('--')]
    assert [name for name in options if f'`{name}' not in text] == []
