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

from dam_ros.cli import main, make_parser

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
])
def test_every_region_form(files, capsys, arguments, box, area_px):
    found = described(capsys, *arguments)
    assert found['box'] == box
    assert found['area_px'] == area_px
    assert found['area_fraction'] == pytest.approx(area_px / (64 * 48), abs=1e-6)
    assert f'the region {area_px} of them' in found['text']


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
    (['photo.jpg', '--label-image', 'palette.png', '--label', '1'], 'grey values'),
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
    (['photo.jpg', 'second.jpg'], 'unrecognized arguments: second.jpg'),
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
    while b'numpy' not in Path(f'/proc/{process.pid}/maps').read_bytes():   # it is past its first imports
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
