"""What is described: photos and the regions of each. It does not know who describes them."""
from __future__ import annotations

from dataclasses import dataclass
import json
import os
from pathlib import Path

import numpy as np

from dam_ros.core.errors import InvalidRequest, invalid
from dam_ros.core.files import check_same_size, pictures_in, read_labels, read_picture
from dam_ros.core.region_masks import mask_of
from dam_ros.core.regions import Region as CheckedRegion

LABEL_SUFFIX = '.labels.png'


@dataclass(frozen=True)
class Part:
    """One region of a photo.

    Attributes:
        label: value in the label image, None = not that.
        box: (left, top, width, height) in px of the photo file, None = not that. Neither: the whole picture.
    """

    title: str
    label: int | None = None
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Photo:
    """One picture file.

    Attributes:
        size: (width, height) in px of the file.
        credit: author and licence, '' unknown.
    """

    path: Path
    title: str
    size: tuple[int, int]
    parts: tuple[Part, ...]
    credit: str = ''


def bundled(name: str) -> Path:
    """A file or folder that comes with the package: in the checkout, else in the installed share folder.

    Raises InvalidRequest where it is in neither.
    """
    prefixes = [Path(one) / 'share' / 'dam_ros' for one in os.environ.get('AMENT_PREFIX_PATH', '').split(':') if one]
    for base in (Path(__file__).resolve().parents[2], *prefixes):
        if (base / name).exists():
            return base / name
    raise InvalidRequest(f'{name} is neither in the checkout nor in an installed share/dam_ros; run the demo from a '
                         'clone with ./dev demo')


def plan_folder(folder: Path) -> list[Photo]:
    """Every photo of a folder with every label of its label image; without one, the whole picture.

    Raises:
        InvalidRequest: no such folder, no pictures in it, or a file that cannot be read.
    """
    if not folder.is_dir():
        raise invalid('--photos', str(folder), 'a folder with pictures')
    known = _titles(folder)
    photos = [_photo(path, known.get(path.stem, {})) for path in pictures_in(folder, LABEL_SUFFIX)]
    if not photos:
        raise invalid('--photos', str(folder), 'a folder with at least one JPEG, PNG or WebP picture')
    return photos


def plan_image(path: Path, box: tuple[float, float, float, float] | None) -> list[Photo]:
    """One picture, whole or in part. Raises InvalidRequest or EmptyRegion."""
    image = read_picture(path, '--image')
    size = image.shape[1], image.shape[0]
    if box is not None:
        mask_of(CheckedRegion(box_xywh=box), size[1], size[0])   # here, so that nothing is started for it
    part = Part('the box', box=box) if box is not None else Part('the whole picture')
    return [Photo(path, path.stem, size, (part,))]


def _photo(path: Path, known: dict) -> Photo:
    image = read_picture(path, '--photos')
    label_path = path.with_name(path.stem + LABEL_SUFFIX)
    parts = [Part('the whole picture')]
    if label_path.is_file():
        labels = read_labels(label_path, 'label image')
        check_same_size(labels, image, f'label image of {path.name}')
        titles = known.get('regions', {})
        parts = [Part(titles.get(str(value), f'region {value}'), int(value)) for value in np.unique(labels) if value]
    credit = ', '.join(known[key] for key in ('author', 'licence') if known.get(key))
    return Photo(path, known.get('title', path.stem.replace('_', ' ')), (image.shape[1], image.shape[0]),
                 tuple(parts), credit)


def _titles(folder: Path) -> dict:
    """photos.json: titles for people, never shown to a describer."""
    path = folder / 'photos.json'
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise invalid('--photos', str(path), f'JSON ({error})') from error
