"""What the player plays, without ROS: photos, folders, video files, and what is said of files that cannot be played."""
from itertools import islice

import cv2
import numpy as np
import pytest

from dam_ros.core.errors import InvalidRequest
from dam_ros.core.player_settings import PlayerSettings
from dam_ros.core.playing import kind_of, open_source


def paint(path, seed, size=(40, 30)):
    """A picture file (width, height) of its own colours. Returns its RGB pixels."""
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return pixels


def label(path, high=3, size=(40, 30), dtype=np.uint8):
    pixels = (np.arange(size[0] * size[1]).reshape(size[1], size[0]) % (high + 1)).astype(dtype)
    cv2.imwrite(str(path), pixels)
    return pixels


def settings(source, **more):
    return PlayerSettings(source=str(source), **more)


def test_a_photo_is_the_same_arrays_for_ever_with_its_labels(tmp_path):
    pixels, labels = paint(tmp_path / 'a.png', 1), label(tmp_path / 'a.labels.png')
    frames = list(islice(open_source(settings(tmp_path / 'a.png', rate_hz=4.0)).frames(), 9))
    assert [frame.at_s for frame in frames] == [n / 4 for n in range(9)]
    assert all(frame.image is frames[0].image and frame.labels is frames[0].labels for frame in frames)
    np.testing.assert_array_equal(frames[0].image, pixels)
    np.testing.assert_array_equal(frames[0].labels, labels)


def test_a_photo_that_does_not_loop_is_sent_once(tmp_path):
    paint(tmp_path / 'a.png', 1)
    assert len(list(open_source(settings(tmp_path / 'a.png', loop=False)).frames())) == 1


def test_each_photo_of_a_folder_is_on_for_its_time_and_label_images_are_no_photos(tmp_path):
    for name in 'ba':
        paint(tmp_path / f'{name}.png', ord(name))
        label(tmp_path / f'{name}.labels.png')
    frames = list(open_source(settings(tmp_path, rate_hz=10.0, dwell_s=0.5)).frames())
    assert [frame.name for frame in frames] == ['a.png'] * 5 + ['b.png'] * 5
    assert [frame.at_s for frame in frames] == [n / 10 for n in range(10)]


def test_next_goes_on_where_a_folder_waits_for_it(tmp_path):
    for name in 'abc':
        paint(tmp_path / f'{name}.png', ord(name))
    source = open_source(settings(tmp_path, dwell_s=0.0))
    frames = source.frames()
    assert [next(frames).name for _ in range(100)] == ['a.png'] * 100
    assert source.next() == 'b.png'
    assert [next(frames).name for _ in range(100)] == ['b.png'] * 100


def test_next_of_a_single_photo_is_refused(tmp_path):
    paint(tmp_path / 'a.png', 1)
    with pytest.raises(InvalidRequest, match='only photo'):
        open_source(settings(tmp_path / 'a.png')).next()


def test_a_damaged_photo_of_a_folder_is_left_out_and_named(tmp_path):
    paint(tmp_path / 'a.png', 1)
    (tmp_path / 'b.png').write_bytes(b'\x89PNG\r\n\x1a\n' + bytes(40))
    source = open_source(settings(tmp_path, dwell_s=0.1))
    assert [frame.name for frame in source.frames()] == ['a.png']
    assert 'b.png' in source.problems[0]


def test_wide_pictures_are_scaled_and_no_label_is_mixed(tmp_path):
    paint(tmp_path / 'a.png', 1, (400, 200))
    labels = np.zeros((200, 400), np.uint16)
    labels[:, 200:] = 700
    cv2.imwrite(str(tmp_path / 'a.labels.png'), labels)
    frame = next(open_source(settings(tmp_path / 'a.png', max_width_px=90)).frames())
    assert frame.image.shape == (45, 90, 3)
    assert frame.labels.shape == (45, 90)
    assert set(np.unique(frame.labels)) == {0, 700}


def test_labels_may_lie_in_a_folder_of_their_own(tmp_path):
    (tmp_path / 'l').mkdir()
    paint(tmp_path / 'a.png', 1)
    label(tmp_path / 'l' / 'a_seg.png')
    one = settings(tmp_path / 'a.png', labels=str(tmp_path / 'l'), label_suffix='_seg.png')
    assert next(open_source(one).frames()).labels.max() == 3


def make_video(path, count=12, fps=24.0):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), fps, (64, 48))
    for number in range(count):
        writer.write(np.full((48, 64, 3), (0, 0, number * 20), np.uint8))   # BGR: redder and redder
    writer.release()


def test_a_video_has_its_own_rate_and_every_frame(tmp_path):
    make_video(tmp_path / 'v.avi')
    frames = list(open_source(settings(tmp_path / 'v.avi')).frames())
    assert [frame.at_s for frame in frames] == pytest.approx([n / 24 for n in range(12)])
    reds = [int(frame.image[24, 32, 0]) for frame in frames]
    assert reds == sorted(reds)
    assert reds[-1] > 200
    assert frames[-1].image[24, 32, 2] < 30   # red is red: channels are not swapped


def test_a_video_can_be_played_again(tmp_path):
    make_video(tmp_path / 'v.avi')
    source = open_source(settings(tmp_path / 'v.avi', rate_hz=5.0))
    assert len(list(source.frames())) == len(list(source.frames())) == 12


@pytest.mark.parametrize(('source', 'words'), [
    ('', "source is ''"),
    ('gone.jpg', 'a file that exists'),
    ('gone', 'a file that exists'),
    ('text.txt', 'a video file that OpenCV can read'),
    ('text.jpg', 'no picture we know'),
    ('cut.jpg', 'cannot be decoded'),
    ('bitmap.bmp', 'no picture we know'),
    ('empty', 'at least one JPEG, PNG or WebP'),
    ('camera:77', 'a camera that gives pictures'),
    ('other_size.png', 'the size of the picture, 40x30 px'),
    ('colour_labels.png', 'one channel of label values'),
])
def test_what_cannot_be_played_is_said_at_once(tmp_path, source, words):
    (tmp_path / 'text.txt').write_text('no picture')
    (tmp_path / 'text.jpg').write_text('no picture')
    (tmp_path / 'empty').mkdir()
    for name in ('whole.jpg', 'bitmap.bmp', 'other_size.png', 'colour_labels.png'):
        paint(tmp_path / name, 5)
    (tmp_path / 'cut.jpg').write_bytes((tmp_path / 'whole.jpg').read_bytes()[:200])
    label(tmp_path / 'other_size.labels.png', size=(41, 30))
    paint(tmp_path / 'colour_labels.labels.png', 6)
    where = str(tmp_path / source) if source and ':' not in source else source
    with pytest.raises(InvalidRequest) as caught:
        kind_of(where)
        open_source(settings(where))
    assert words in str(caught.value)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize(('source', 'kind'), [
    ('camera:0', 'camera'), ('3', 'camera'), ('/dev/video2', 'camera'), ('a.PNG', 'photo'), ('a', 'photo'),
    ('folder', 'folder'), ('bag', 'bag'), ('x.mcap', 'bag'), ('x.bag', 'bag'), ('v.mp4', 'video'),
])
def test_kinds_of_sources(tmp_path, monkeypatch, source, kind):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'bag').mkdir()
    (tmp_path / 'bag' / 'metadata.yaml').touch()
    paint(tmp_path / 'a.png', 1)
    (tmp_path / 'a.png').rename(tmp_path / 'a')   # known by its first bytes
    for name in ('x.mcap', 'x.bag', 'v.mp4'):
        (tmp_path / name).write_bytes(b'?' * 100)
    assert kind_of(source) == kind
