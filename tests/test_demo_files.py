"""What the demo plans and what it leaves, without its nodes: regions of folders, the page, the table, old files."""
from html.parser import HTMLParser
import io
import json
import math
from pathlib import Path
import wave

import cv2
import numpy as np
import pytest

from dam_ros.core.errors import EmptyRegion, InvalidRequest
from dam_ros.demo.plan import bundled, plan_folder, plan_image
from dam_ros.demo.report import Folder, has_sound, page, Row
from dam_ros.demo.table import Table


@pytest.fixture
def photos(tmp_path):
    """Two photos of 40x30 px: a has labels 2 and 7 and titles, b has neither."""
    for name in 'ab':
        cv2.imwrite(str(tmp_path / f'{name}.jpg'), np.full((30, 40, 3), 90, np.uint8))
    labels = np.zeros((30, 40), np.uint8)
    labels[:10], labels[20:] = 2, 7
    cv2.imwrite(str(tmp_path / 'a.labels.png'), labels)
    (tmp_path / 'photos.json').write_text(json.dumps(
        {'a': {'title': 'First', 'author': 'Ann', 'licence': 'CC0-1.0', 'regions': {'2': 'sky & <sea>'}}}))
    return tmp_path


def test_every_label_is_a_region_and_a_photo_without_labels_is_one(photos):
    first, second = plan_folder(photos)
    assert [(part.title, part.label) for part in first.parts] == [('sky & <sea>', 2), ('region 7', 7)]
    assert (first.title, first.credit, first.size) == ('First', 'Ann, CC0-1.0', (40, 30))
    assert [(part.title, part.label, part.box) for part in second.parts] == [('the whole picture', None, None)]


def test_all_bundled_photographs_have_titled_regions():
    photos = plan_folder(bundled('examples/photos'))
    assert len(photos) >= 12
    untitled = [(photo.path.name, part.label) for photo in photos for part in photo.parts
                if part.label is None or part.title == f'region {part.label}']
    assert untitled == []


def test_what_cannot_be_planned_is_said(photos, tmp_path):
    for wrong in (photos / 'none', photos / 'a.jpg'):
        with pytest.raises(InvalidRequest, match='--photos'):
            plan_folder(wrong)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(InvalidRequest, match='at least one'):
        plan_folder(tmp_path / 'empty')
    with pytest.raises(EmptyRegion):
        plan_image(photos / 'a.jpg', (50.0, 0.0, 5.0, 5.0))
    (photos / 'photos.json').write_text('{')
    with pytest.raises(InvalidRequest, match='JSON'):
        plan_folder(photos)


class Page(HTMLParser):
    """Tags with their attributes; complains about what is not closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self._open, self.words = [], [], []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ('meta', 'img', 'link', 'br'):
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def all(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


def rows_of(photos):
    return [Row(photo.path.name, photo.title, part.title, part.label, text='It is <b>grey</b> & "plain".',
                brief='Grey.', box=[0, 0, 40, 10], describer='attributes', milliseconds=12.0,
                picture=f'{photo.path.stem}.jpg', wav=f'{photo.path.stem}-{part.label}.wav')
            for photo in photos for part in photo.parts]


def test_the_page_is_self_contained_and_can_be_read_aloud(photos):
    planned = plan_folder(photos)
    found = Page(page(rows_of(planned), planned, 'A note.'))
    assert found.all('html') == [{'lang': 'en'}]
    assert [tag for tag, _ in found.tags if tag in ('h1', 'h2', 'h3')] == ['h1', 'h2', 'h3', 'h3', 'h2', 'h3']
    links = [one['src'] for one in found.all('img') + found.all('audio')]
    assert len(links) == 5
    assert not any(':' in link or link.startswith('/') for link in links)
    assert all(one['alt'].strip() for one in found.all('img'))
    assert len({one['aria-label'] for one in found.all('audio')}) == 3
    assert 'It is <b>grey</b> & "plain".' in found.words   # as text, not as tags
    assert 'A note.' in found.words


def test_the_folder_is_rid_of_an_earlier_run_and_of_nothing_else(photos, tmp_path):
    out, planned = tmp_path / 'out', plan_folder(photos)
    folder = Folder(out)
    rows = rows_of(planned)
    for name in {row.wav for row in rows} | {row.picture for row in rows}:
        (out / name).touch()
    (out / 'mine.txt').touch()
    rows[0].confidence = math.nan
    folder.write(rows, planned, '')
    listed = json.loads((out / 'descriptions.json').read_text(encoding='utf-8'))
    assert isinstance(listed, list)
    assert {'text', 'brief', 'box', 'describer', 'photo', 'region', 'label', 'area_fraction', 'model', 'milliseconds',
            'wav'} <= set(listed[0])
    assert listed[0]['confidence'] is None
    Folder(out)
    assert [one.name for one in out.iterdir()] == ['mine.txt']


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(InvalidRequest, match='--out'):
        Folder(tmp_path / 'file' / 'out')


def write_wav(path: Path, samples):
    with wave.open(str(path), 'wb') as file:
        file.setparams((1, 2, 22050, 0, 'NONE', ''))
        file.writeframes(np.asarray(samples, np.int16).tobytes())


def test_only_a_wav_with_sound_counts(tmp_path):
    tone = 8000 * np.sin(np.arange(22050) / 20)
    for name, samples, good in (('tone', tone, True), ('silence', tone * 0, False), ('blip', tone[:500], False),
                                ('none', [], False)):
        write_wav(tmp_path / name, samples)
        assert has_sound(tmp_path / name) is good, name
    (tmp_path / 'cut').write_bytes(b'RIFF1234WAVE')
    assert not has_sound(tmp_path / 'cut')
    assert not has_sound(tmp_path / 'nowhere')


@pytest.mark.parametrize('width', [40, 80, 132])
def test_the_table_fits_and_loses_no_word(width):
    out = io.StringIO()
    table = Table(out, width)
    table.head()
    brief, text = 'A small thing. ' * 3, 'Several words of description that are longer than the cell. ' * 3
    table.row('a region with a long name', brief, text, '1234')
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= max(72, width)
    cells = [[part.strip() for part in line.split(' |')] for line in lines[2:]]
    joined = [' '.join(row[column] for row in cells if len(row) > column and row[column]) for column in range(3)]
    assert joined == ['a region with a long name', ' '.join(brief.split()), ' '.join(text.split())]
