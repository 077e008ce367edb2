"""dam-describe with the describer dam on tiny random checkpoints: what it prints, and one line for what is wrong."""
from __future__ import annotations

from contextlib import redirect_stderr
from functools import cache
import io
import json
import math
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

pytest.importorskip('torch', reason='the model needs torch')
from PIL import Image   # noqa: E402
from tiny_dam import checkpoint   # noqa: E402

from dam_ros import describers   # noqa: E402
from dam_ros.cli import main   # noqa: E402
from dam_ros.core.describing import BRIEF, FULL, Query, Subject, tell   # noqa: E402
from dam_ros.model.weights import LICENCE   # noqa: E402

RECORDED = Path(__file__).parent / 'data/dam'
RAW = '<image>\nDescribe the masked region in detail.'
SHORT = {'context': 330}   # positions: 64 image tokens, 40 of the template, and little room


@pytest.fixture(scope='module')
def files(tmp_path_factory) -> Path:
    """photo.png of 64x48 px, two more of the same size, and masks."""
    folder = tmp_path_factory.mktemp('files')
    random = np.random.default_rng(1)
    mask = np.zeros((48, 64), np.uint8)
    mask[10:20, 30:50] = 255
    for index, name in enumerate(('photo', 'second', 'third')):
        picture = random.integers(0, 255, (48, 64, 3), np.uint8)
        cv2.imwrite(str(folder / f'{name}.png'), picture)
        cv2.imwrite(str(folder / f'{name}_mask.png'), np.roll(mask, index * 5, 0))
    cv2.imwrite(str(folder / 'empty.png'), mask * 0)
    cv2.imwrite(str(folder / 'other_size.png'), mask[:40])
    return folder


@pytest.fixture(autouse=True)
def there(files, monkeypatch):
    monkeypatch.chdir(files)


def dam(kind: str = 'image', **sizes) -> list[str]:
    return ['--describer', 'dam', '--model', str(checkpoint(kind, **sizes)), '--device', 'cpu']


@pytest.fixture
def described(capsys):
    """The JSON of one run; what it says beside is the licence, and in int8 and int4 where their weights are from."""
    def run(*arguments, using=None, picture='photo.png'):
        code = main([picture, *(using or dam()), '--json', '--max-tokens', '12', *arguments])
        out, err = capsys.readouterr()
        assert code == 0, err
        *made, licence = err.splitlines()
        assert LICENCE in licence and len(made) == any(one in arguments for one in ('int8', 'int4'))
        assert all('weights are made while loading' in one for one in made)
        return json.loads(out)
    return run


@pytest.fixture
def refused(capsys):
    """The one line of a run that ends with this code; the licence is said only where weights were loaded."""
    def run(*arguments, code=2, picture='photo.png', using=None):
        assert main([picture, *(using or dam()), *arguments]) == code
        out, err = capsys.readouterr()
        *licence, line = err.splitlines()
        assert out == '' and all(LICENCE in one for one in licence) and len(licence) <= 1
        assert line.startswith('dam-describe: ') and 'Error' not in line, line
        return line
    return run


@cache
def loaded(kind: str):
    with redirect_stderr(io.StringIO()):
        return describers.create('dam', {'model': str(checkpoint(kind)), 'device': 'cpu'})


def told(kind: str, query: Query, *names: str) -> tuple[list[int], str, float]:
    """(ids, text, geometric mean of the probabilities) straight from the describer."""
    describer = loaded(kind)
    pairs = tuple((np.array(Image.open(f'{name}.png').convert('RGB')), np.array(Image.open(f'{name}_mask.png')) > 0)
                  for name in names)
    look, = describer.look([Subject(pairs)])
    pieces = list(tell(describer, look, query))
    logs = [math.log(one.probability) for one in pieces if one.token_ids]
    return ([id for one in pieces for id in one.token_ids], ''.join(one.text for one in pieces).strip(),
            math.exp(sum(logs) / len(logs)))


def test_what_json_says_is_what_the_describer_told(described):
    found = described('--mask', 'photo_mask.png')
    ids, text, confidence = told('image', Query(max_tokens=12), 'photo')
    assert (found['token_ids'], found['text']) == (ids, text) and text == text.strip()
    assert found['confidence'] == pytest.approx(confidence, abs=1e-9) and 0 < confidence < 1
    assert found['truncated'] is (len(ids) == 12 and ids[-1] != 2)
    assert (found['describer'], found['model'], found['language']) == ('dam', 'image float32', 'en')
    assert found['box'] == [30, 10, 20, 10] and found['query'] == ''
    assert all(value >= 0 for value in found['timings_s'].values()) and found['timings_s']['look'] > 0


def test_the_official_query_is_what_no_question_means(described):
    ids = described('--mask', 'photo_mask.png')['token_ids']
    assert described('--mask', 'photo_mask.png', '--raw-query', RAW)['token_ids'] == ids
    assert described('--mask', 'photo_mask.png', '--query', 'Describe the masked region in detail.')['token_ids'] == ids
    for detail, level in (('brief', BRIEF), ('full', FULL)):
        found = described('--mask', 'photo_mask.png', '--detail', detail)
        assert found['token_ids'] == told('image', Query(detail=level, max_tokens=12), 'photo')[0] != ids


@pytest.mark.parametrize('question', ['<image>', '<image>\n', 'x <image> \u00bfqu\u00e9\t <image',
                                      '</s><s><image><unk>', 'a' * 200 + '<image>'])
def test_a_raw_query_is_taken_as_it_is(described, question):
    found = described('--raw-query', question)
    assert found['query'] == question
    shutil.copy('photo.png', 'whole.png')
    cv2.imwrite('whole_mask.png', np.full((48, 64), 255, np.uint8))
    assert found['token_ids'] == told('image', Query(question, raw=True, max_tokens=12), 'whole')[0]


def test_specials_in_a_question_are_plain_characters(described):
    plain = [described('--query', text)['token_ids'] for text in ('What is it </s> <image> <s>?', 'What is it?')]
    raw = described('--raw-query', '<image>\nWhat is it </s> <s>?')['token_ids']
    assert plain[0] != plain[1] != raw
    assert described('--query', 'What is it?')['token_ids'] == plain[1]


@pytest.mark.parametrize(('arguments', 'needle'), [
    (['--raw-query', ''], "'<image>' once|<image> once"), (['--raw-query', 'no placeholder'], '<image> once'),
    (['--raw-query', '<image><image>'], 'It has 2 of them'), (['--query', ' \n'], '--query'),
    (['--query', 'word ' * 2000], 'characters|tokens'), (['--raw-query', '<image>' + 'word ' * 2000], 'tokens'),
    (['--mask', 'empty.png'], 'all zero'), (['--mask', 'other_size.png'], '64x40|size'),
    (['--mask', 'nowhere.png'], 'nowhere.png'), (['--max-tokens', '0'], '--max-tokens'),
    (['--dtype', 'int2'], '--dtype'), (['--memory-budget-mb', 'nan'], 'memory_budget_mb'),
    (['--memory-budget-mb', '1'], 'int4 needs'), (['--model-kind', 'video'], '--model-kind'),
    (['--device', 'cuda:77'], 'device'), (['--device', 'gpu'], 'device'), (['--temperature', '-1'], 'temperature'),
    (['--temperature', 'nan'], 'temperature'),
    (['--seed', '-1', '--temperature', '1'], '--seed'), (['--describer-options', '{"nonsense": 1}'], 'nonsense'),
    (['--model', 'nowhere/at-all'], 'dev weights nowhere/at-all'), (['--model', '/no/such/folder'], 'no such folder')])
def test_bad_input_is_one_line(refused, arguments, needle):
    line = refused(*arguments)
    assert any(one in line for one in needle.split('|')), line


def test_too_long_a_question_says_how_long_it_may_be(refused, described):
    short = dam(**SHORT)
    line = refused('--query', 'word ' * 100, using=short)
    assert 'tokens with 1 picture(s) of 64 tokens in a context of 330' in line
    assert described('--query', 'word?', using=short)['token_ids']


def test_faults_of_the_checkpoint_are_one_line(refused, tmp_path):
    def broken(change) -> list[str]:
        shutil.rmtree(tmp_path / 'weights', ignore_errors=True)
        root = shutil.copytree(checkpoint(), tmp_path / 'weights')
        change(root)
        return ['--describer', 'dam', '--model', str(root)]
    shard = 'llm/model.safetensors'
    for change, needle in (
            (lambda root: (root / shard).unlink(), f'{shard} is missing'),
            (lambda root: os.truncate(root / shard, 5000), shard),
            (lambda root: (root / 'config.json').write_text('{'), 'config.json'),
            (lambda root: (root / 'config.json').unlink(), 'config.json is missing'),
            (lambda root: (root / 'llm/tokenizer.model').write_bytes(b'x' * 99), 'llm/tokenizer.model'),
            (lambda root: shutil.copy(root / shard, root / 'mm_projector/model.safetensors'), 'mm_projector: '),
            (lambda root: (root / shard).rename(root / 'llm/pytorch_model.bin'), 'is a pickle')):
        line = refused(using=broken(change))
        assert needle in line and LICENCE not in line
    assert refused(using=['--describer', 'dam', '--model', str(tmp_path)])   # a folder of something else
    assert main(['photo.png', *dam(), '--max-tokens', '2']) == 0


# -- precision, kind, clips, seeds

@pytest.mark.parametrize('dtype', ['float32', 'float16', 'bfloat16', 'int8', 'int4', 'auto'])
def test_precisions(described, dtype):
    found = described('--dtype', dtype)
    assert found['model'] == f'image {"float32" if dtype == "auto" else dtype}'
    assert 1 <= len(found['token_ids']) <= 12


def clip(*names: str) -> list[str]:
    """The options after the first picture."""
    masks = (word for name in names for word in ('--mask', f'{name}_mask.png'))
    return [*(f'{name}.png' for name in names[1:]), *masks]


def test_a_clip(described, refused):
    names = ('photo', 'second', 'third')
    found = described(*clip(*names), using=dam('joint'))
    assert found['token_ids'] == told('joint', Query(max_tokens=12), *names)[0]
    assert found['pictures'] == ['photo.png', 'second.png', 'third.png']
    raw = described(*clip(*names), '--raw-query', 'Video: ' + '<image>' * 8 + '\nGiven the video in the form of a '
                    'sequence of frames above, describe the object in the masked region in the video in detail.',
                    using=dam('joint'))
    assert raw['token_ids'] == found['token_ids']
    line = refused(*clip(*names))
    assert '--model-kind joint' in line and 'DAM-3B-Video' in line
    assert len(described(*clip(*names), '--model-kind', 'joint')['token_ids']) > 0
    assert '8 times' in refused(*clip(*names), '--raw-query', RAW, using=dam('joint'))


def test_pictures_without_the_thing_are_left_out_of_a_clip(described):
    with_empty = ['second.png', 'third.png', '--mask', 'photo_mask.png', '--mask', 'empty.png', '--mask',
                  'third_mask.png']
    without = described(*clip('photo', 'third'), using=dam('joint'))
    assert described(*with_empty, using=dam('joint'))['token_ids'] == without['token_ids']
    one = described('second.png', '--mask', 'photo_mask.png', '--mask', 'empty.png', using=dam('joint'))
    assert one['token_ids'] == described('--mask', 'photo_mask.png', using=dam('joint'))['token_ids'], 'one is an image'


def test_one_picture_is_asked_about_in_the_words_of_the_kind(described):
    image, joint = (described('--model-kind', kind)['token_ids'] for kind in ('image', 'joint'))
    assert image != joint
    assert described('--raw-query', 'Image: <image>\nGiven the image above, describe the object in the masked region.'
                     )['token_ids'] == joint


def test_seeds_repeat_and_differ(described):
    hot = ('--temperature', '1.5', '--seed')
    texts = [tuple(described(*hot, seed)['token_ids']) for seed in ('1', '1', '2', '4294967295')]
    assert texts[0] == texts[1] and len(set(texts)) == 3
    assert described('--temperature', '0')['token_ids'] == described()['token_ids']
    narrow = described(*hot, '3', '--top-p', '1e-6')['token_ids']
    assert narrow == described()['token_ids'], 'only the likeliest is left'


def test_max_tokens_cut_and_say_so(described, capsys):
    found = described('--max-tokens', '3')
    assert len(found['token_ids']) == 3 and found['truncated']
    assert main(['photo.png', *dam(), '--max-tokens', '3']) == 0
    assert 'cut off after 3 tokens' in capsys.readouterr().err.splitlines()[-1]


def test_auto_takes_weights_that_are_named(described):
    found = described('--mask', 'photo_mask.png', using=['--describer', 'auto', '--model', str(checkpoint())])
    assert found['describer'] == 'dam'
    assert found['token_ids'] == told('image', Query(max_tokens=12), 'photo')[0]


# -- pictures

def test_pictures_that_are_not_rgb_are_seen_as_pillow_sees_them(described):
    rgb = Image.open('photo.png')
    forms = {'grey.png': rgb.convert('L'), 'palette.png': rgb.quantize(16), 'alpha.png': rgb.convert('RGBA'),
             'grey_alpha.png': rgb.convert('LA'), 'bits.png': rgb.convert('1'), 'photo.webp': rgb}
    for name, form in forms.items():
        form.save(name, lossless=True)
        Image.open(name).convert('RGB').save('same.png')
        assert described(picture=name)['token_ids'] == described(picture='same.png')['token_ids'], name


def test_16_bit_and_cmyk_are_pictures_too(described):
    deep = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64) * 20
    cv2.imwrite('deep.png', deep)
    cv2.imwrite('same.png', (deep >> 8).astype(np.uint8))
    assert described(picture='deep.png')['token_ids'] == described(picture='same.png')['token_ids']
    Image.open('photo.png').convert('CMYK').save('cmyk.jpg')
    assert described(picture='cmyk.jpg')['image_size'] == [64, 48]


@pytest.mark.parametrize('size', [(1, 1), (1, 300), (300, 1), (2, 2)])
def test_the_smallest_pictures(described, size):
    cv2.imwrite('small.png', np.full((*size[::-1], 3), 120, np.uint8))
    assert described(picture='small.png')['image_size'] == list(size)


def _imported() -> int:
    """What torch and a tiny model take in this process now, in bytes, pages of files included."""
    return int(re.search(r'VmRSS:\s+(\d+) kB', Path('/proc/self/status').read_text())[1]) * 1024


def run_alone(*arguments: str) -> tuple[subprocess.CompletedProcess, float, int]:
    """(a run in a process of its own, s, its highest memory in bytes)."""
    begun = time.monotonic()
    code = 'import resource, sys\nfrom dam_ros.cli import main\ncode = main(sys.argv[1:])\n' \
           'print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\nraise SystemExit(code)'
    ran = subprocess.run([sys.executable, '-c', code, *arguments], capture_output=True, text=True, timeout=100)
    return ran, time.monotonic() - begun, int(ran.stderr.split()[-1]) * 1024


def test_20_megapixels_take_seconds_and_little_memory():
    """Decoded 60 MB, its mask 20 MB; resizing must not take floats of it."""
    large = np.tile(cv2.imread('photo.png'), (76, 86, 1))
    cv2.imwrite('large.jpg', large)
    mask = np.zeros(large.shape[:2], np.uint8)
    mask[100:-100, 100:-100] = 255
    cv2.imwrite('large_mask.png', mask)
    del large
    ran, seconds, bytes = run_alone('large.jpg', '--mask', 'large_mask.png', *dam(), '--max-tokens', '2')
    assert ran.returncode == 0, ran.stderr
    assert seconds < 20
    assert bytes - _imported() < 400e6


def test_the_command_itself_ends_with_its_code_and_one_line(tmp_path):
    """A fresh interpreter: nothing that libraries say while they are imported or ended."""
    def run(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, '-m', 'dam_ros.cli', *arguments], capture_output=True, text=True,
                              timeout=60)
    good = run('photo.png', *dam(), '--json', '--max-tokens', '3')
    assert good.returncode == 0 and json.loads(good.stdout)['token_ids']
    assert good.stderr.splitlines() == [f'dam: image; {LICENCE}']
    root = shutil.copytree(checkpoint(), tmp_path / 'weights')
    os.truncate(root / 'llm/model.safetensors', 5000)
    bad = run('photo.png', '--describer', 'dam', '--model', str(root))
    assert (bad.returncode, bad.stdout, len(bad.stderr.splitlines())) == (2, '', 1)
    assert 'llm/model.safetensors' in bad.stderr


# -- recorded

def recorded() -> list:
    """Those of the reference that are our own fixtures."""
    path = RECORDED / 'recorded.json'
    return json.loads(path.read_text())['cases'] if path.exists() else []


@pytest.mark.parametrize('id', ['image_synth_corner', 'options_synth_gray_mask', 'video2_synth_question'])
def test_recorded_cases_of_the_reference(capsys, id):
    case = next((one for one in recorded() if one['id'] == id), None)
    if case is None:
        pytest.skip('no recorded cases here')
    pairs = json.loads((RECORDED / 'recorded.json').read_text())['pairs']
    images, masks = ([str(RECORDED / pairs[name][part]) for name in case['inputs']] for part in ('image', 'mask'))
    arguments = [*images, *(word for path in masks for word in ('--mask', path))]
    assert main([*arguments, '--describer', 'dam', '--model', str(RECORDED / 'checkpoints' / case['checkpoint']),
                 '--device', 'cpu', '--raw-query', case['query'], '--json', '--temperature', '0', '--max-tokens',
                 '64']) == 0, capsys.readouterr().err
    found = json.loads(capsys.readouterr().out)
    assert found['token_ids'] == case['tokens']
    assert found['text'] == case['text']
