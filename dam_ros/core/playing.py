"""Photos, video files and webcams as frames with times. It does not know where the frames go, and no ROS.

A source is opened and checked at once, so that what is wrong with it is said before anything is played;
`frames()` is one pass through it and may be called again.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
import re
from typing import Protocol

import cv2
import numpy as np

from dam_ros.core.errors import complaint, Failure, invalid, InvalidRequest
from dam_ros.core.files import check_same_size, PICTURE_SUFFIXES, pictures_in, read_bytes, read_labels, read_picture
from dam_ros.core.images import picture_size
from dam_ros.core.player_settings import PlayerSettings

PHOTO_HZ = 10.0        # of photos, where no rate is asked for
_UNKNOWN_HZ = 30.0     # of video files that do not say
_CAMERA = re.compile(r'(?:camera:|/dev/video)(\d+)|(\d+)')
_BAG_SUFFIXES = ('.bag', '.mcap', '.db3')


@dataclass(frozen=True)
class Frame:
    """What is sent at one moment. A photo is the same arrays again and again.

    Attributes:
        name: file name, the same for all frames of one.
        at_s: s after the beginning of the pass; None = as soon as it is there.
        image: RGB uint8 (H, W, 3), None where only a label image is due.
        labels: int32 (H, W), None where there is none.
        stamp_ns: the recorded stamp, None where nothing was recorded.
    """

    name: str
    at_s: float | None
    image: np.ndarray | None
    labels: np.ndarray | None
    stamp_ns: int | None = None


class Source(Protocol):
    """Attributes: `title`, one line on what is played; `endless`, a pass has no end of its own."""

    title: str
    endless: bool

    def frames(self) -> Iterator[Frame]: ...

    def next(self) -> str:
        """Goes on to the next photo. Returns its name. Raises Failure where there is no such thing."""


def kind_of(source: str) -> str:
    """'photo', 'folder', 'video', 'camera' or 'bag'. Raises InvalidRequest where it is none of these."""
    if not source:
        raise invalid('source', source, "a photo, a folder of photos, a video file, a bag or 'camera:0'",
                      'Say e.g. -p source:=photo.jpg')
    path = Path(source)
    if _CAMERA.fullmatch(source) and not (path.exists() and path.is_file()):
        return 'camera'
    if path.is_dir():
        return 'bag' if (path / 'metadata.yaml').is_file() else 'folder'
    if path.suffix.lower() in _BAG_SUFFIXES and path.exists():
        return 'bag'
    if path.suffix.lower() in (*PICTURE_SUFFIXES, '.bmp', '.tif', '.tiff'):
        return 'photo'
    return 'photo' if picture_size(read_bytes_head(path)) else 'video'


def read_bytes_head(path: Path) -> bytes:
    """Enough of a file to know a picture by. Raises InvalidRequest where it cannot be read."""
    if path.is_file():
        try:
            with path.open('rb') as file:
                return file.read(65536)
        except OSError:
            pass   # the next line says why
    return read_bytes(path, 'source')[:65536]


def open_source(settings: PlayerSettings) -> Source:
    """The source, checked: its first picture was read. Bags are opened elsewhere (nodes/player_bag.py).

    Raises:
        InvalidRequest: no such file, no picture, no frames, no camera, labels of another size.
    """
    kind = kind_of(settings.source)
    if kind == 'camera':
        number = next(group for group in _CAMERA.fullmatch(settings.source).groups() if group)
        return Camera(int(number), settings)
    path = Path(settings.source)
    if kind == 'video':
        return Video(path, settings)
    pictures = [path] if kind == 'photo' else pictures_in(path, settings.label_suffix)
    if not pictures:
        raise invalid('source', settings.source, 'a folder with at least one JPEG, PNG or WebP picture')
    return Photos(pictures, settings)


class Photos:
    """One photo for ever, or several, each for `dwell_s` or until `next`."""

    def __init__(self, pictures: list[Path], settings: PlayerSettings):
        self._pictures, self._settings = pictures, settings
        self._asked = 0   # how often `next` was called
        self._at = 0
        self._single = len(pictures) == 1 and not settings.source.endswith('/')
        self.endless = self._single or settings.dwell_s == 0
        self.title = str(pictures[0]) if len(pictures) == 1 else f'{len(pictures)} photos of {pictures[0].parent}'
        _load(pictures[0], settings)
        self.problems: list[str] = []

    def frames(self) -> Iterator[Frame]:
        rate_hz = self._settings.rate_hz or PHOTO_HZ
        sent = 0
        for at, path in enumerate(self._pictures):
            self._at = at
            try:
                image, labels = _load(path, self._settings)
            except Failure as failure:   # one bad file of a folder; the first was good at the start
                self.problems.append(str(failure))
                continue
            asked, last = self._asked, sent + max(1, round(self._settings.dwell_s * rate_hz))
            while self._asked == asked:
                yield Frame(path.name, sent / rate_hz, image, labels)
                sent += 1
                if self._settings.loop is False and self._single:
                    return
                if not self.endless and sent >= last:
                    break

    def next(self) -> str:
        if len(self._pictures) == 1:
            raise InvalidRequest(f'{self.title} is the only photo')
        self._asked += 1
        return self._pictures[(self._at + 1) % len(self._pictures)].name


class Video:
    """A video file, with one label image for all of its frames where there is one beside it."""

    endless = False

    def __init__(self, path: Path, settings: PlayerSettings):
        self._path, self._settings, self.title = path, settings, str(path)
        capture = _opened(str(path))
        good, first = capture.read() if capture is not None else (False, None)
        if not good:
            raise invalid('source', str(path),
                          'a picture (JPEG, PNG, WebP), a video file that OpenCV can read, or a bag')
        self._rate_hz = settings.rate_hz or capture.get(cv2.CAP_PROP_FPS) or _UNKNOWN_HZ
        capture.release()
        labels = _labels_beside(path, settings)
        if labels is not None:
            check_same_size(labels, first, f'label image of {path.name}')
        self._labels = _narrowed(labels, settings.max_width_px, cv2.INTER_NEAREST)

    def frames(self) -> Iterator[Frame]:
        capture, sent = _opened(str(self._path)), 0
        while capture is not None:
            good, picture = capture.read()
            if not good:
                capture.release()
                return
            yield Frame(self._path.name, sent / self._rate_hz, _rgb(picture, self._settings), self._labels)
            sent += 1

    def next(self) -> str:
        raise InvalidRequest(f'{self.title} is no folder of photos')


class Camera:
    """A webcam, as fast as it gives pictures or at `rate_hz`. A frame that comes too early is left out."""

    endless = True

    def __init__(self, number: int, settings: PlayerSettings):
        self._settings, self._capture = settings, _opened(number)
        self.title = f'camera:{number}'
        good = self._capture is not None and self._capture.read()[0]
        if not good:
            raise InvalidRequest(complaint('source', self.title, 'the number of a camera that gives pictures',
                                           'ls /dev/video*; another program may be using it'))
        labels = Path(settings.labels) if settings.labels else None
        self._labels = _narrowed(read_labels(labels, 'labels') if labels else None, settings.max_width_px,
                                 cv2.INTER_NEAREST)

    def frames(self) -> Iterator[Frame]:
        tick_s, due_s = 1 / cv2.getTickFrequency(), 0.0
        began = cv2.getTickCount()
        while True:
            good, picture = self._capture.read()
            if not good:
                raise InvalidRequest(f'{self.title} gives no more pictures; it was taken out or is used by another '
                                     'program')
            now_s = (cv2.getTickCount() - began) * tick_s
            if self._settings.rate_hz:
                if now_s < due_s:
                    continue
                due_s = max(due_s + 1 / self._settings.rate_hz, now_s - 1)
            yield Frame(self.title, None, _rgb(picture, self._settings), self._labels)

    def next(self) -> str:
        raise InvalidRequest(f'{self.title} is no folder of photos')


def narrowed(image: np.ndarray, max_width_px: int) -> np.ndarray:
    """The picture, scaled down where it is wider (0 = never)."""
    return _narrowed(image, max_width_px, cv2.INTER_AREA)


def narrowed_labels(labels: np.ndarray, max_width_px: int) -> np.ndarray:
    """The same for label values: none is mixed with another."""
    return _narrowed(labels, max_width_px, cv2.INTER_NEAREST)


def _load(path: Path, settings: PlayerSettings) -> tuple[np.ndarray, np.ndarray | None]:
    image = read_picture(path, 'source')
    labels = _labels_beside(path, settings)
    if labels is not None:
        check_same_size(labels, image, f'label image of {path.name}')
        labels = narrowed_labels(labels, settings.max_width_px)
    return narrowed(image, settings.max_width_px), labels


def _labels_beside(path: Path, settings: PlayerSettings) -> np.ndarray | None:
    """NAME.labels.png beside NAME.jpg or in the folder `labels`; the file `labels` itself; None without."""
    if settings.labels and not Path(settings.labels).is_dir():
        return read_labels(settings.labels, 'labels')
    beside = (Path(settings.labels) if settings.labels else path.parent) / (path.stem + settings.label_suffix)
    return read_labels(beside, 'label image') if beside.is_file() else None


def _narrowed(pixels: np.ndarray | None, max_width_px: int, how: int) -> np.ndarray | None:
    if pixels is None or not max_width_px or pixels.shape[1] <= max_width_px:
        return pixels
    height = max(1, round(pixels.shape[0] * max_width_px / pixels.shape[1]))
    return cv2.resize(pixels, (max_width_px, height), interpolation=how)


def _rgb(picture: np.ndarray, settings: PlayerSettings) -> np.ndarray:
    return narrowed(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), settings.max_width_px)


def _opened(what: str | int) -> cv2.VideoCapture | None:
    logging = getattr(getattr(cv2, 'utils', None), 'logging', None)
    if logging is not None:   # its warnings say less than our errors
        logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    capture = cv2.VideoCapture(what)
    return capture if capture.isOpened() else None
