"""The files of dam-describe: one picture with its region, or the pictures of a clip with their masks.

Everything that can be known of them is checked before a describer is made, as loading weights takes long.
"""
from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
import math

import numpy as np

from dam_ros.core.clips import PICTURES
from dam_ros.core.errors import EmptyRegion, complaint, invalid
from dam_ros.core.files import read_bytes, read_labels, read_mask, read_picture
from dam_ros.core.images import not_a_picture, picture_size
from dam_ros.core.masks import StoredMask
from dam_ros.core.regions import Region, mask_of


@dataclass(frozen=True)
class FilePicture:
    """One picture and its region.

    Attributes:
        image: RGB uint8 (H, W, 3), None = not decoded yet.
    """

    path: str
    mask: StoredMask
    max_megapixels: float
    image: np.ndarray | None = None

    def pair(self) -> tuple[np.ndarray, np.ndarray]:
        """(RGB uint8 (H, W, 3), bool (H, W)). Raises InvalidRequest where the file is damaged."""
        image = self.image
        if image is None:
            image = read_picture(self.path, 'image', self.max_megapixels)
        if image.shape[:2] != self.mask.shape:
            raise invalid(f'image {self.path}', f'{image.shape[1]}x{image.shape[0]} px', 'the size in its header')
        return image, self.mask.array()


def read_pictures(asked: argparse.Namespace) -> list[FilePicture]:
    """What the options name, pictures with an empty mask left out; the last is the one that is asked about.

    Raises:
        InvalidRequest, EmptyRegion, UnknownLabel: options that contradict, files that cannot be used.
    """
    forms = [name for name, value in (('--mask', asked.mask), ('--box', asked.box), ('--label-image',
             asked.label_image)) if value is not None]
    if len(forms) > 1:
        raise invalid('the region', ' and '.join(forms), 'one of them, or none for the whole picture')
    if (asked.label is None) != (asked.label_image is None):
        raise invalid('--label', asked.label, '--label-image PNG and --label N together')
    if not (math.isfinite(asked.max_megapixels) and asked.max_megapixels > 0):
        raise invalid('--max-megapixels', asked.max_megapixels, 'a number above 0')
    clip = len(asked.images) > 1
    if clip and forms and forms != ['--mask']:
        raise invalid(forms[0], f'given with {len(asked.images)} pictures', 'one picture',
                      'A clip has one --mask for each picture')
    if clip or len(asked.mask or ()) > 1:
        return _read_clip(asked.images, asked.mask or [], asked.max_megapixels)
    return [_read_one(asked, asked.images[0])]


def _read_one(asked: argparse.Namespace, path: str) -> FilePicture:
    limit = asked.max_megapixels
    region = Region(box_xywh=tuple(asked.box), box_is_region=True) if asked.box else Region()   # before reading
    image = read_picture(path, 'image', limit)
    labels = None
    if asked.mask is not None:
        region = Region(mask=read_mask(asked.mask[0], '--mask', limit))
    elif asked.label_image is not None:
        region = Region(labels=(asked.label,))
        labels = read_labels(asked.label_image, '--label-image', limit)
    return FilePicture(path, StoredMask(mask_of(region, *image.shape[:2], labels)), limit, image)


def _read_clip(paths: list[str], mask_paths: list[str], limit: float) -> list[FilePicture]:
    """Of a long clip the pictures are decoded when it is known which are used; here their headers are looked at."""
    if len(paths) != len(mask_paths):
        raise invalid('--mask', f'{len(mask_paths)} given, {len(paths)} expected',
                      'once for each picture, in the same order')
    checked = [_checked(path, mask_path, limit) for path, mask_path in zip(paths, mask_paths)]
    kept = [one for one in checked if one is not None]
    if not kept:
        raise EmptyRegion(complaint('--mask', f'empty for all {len(paths)} pictures',
                                    'at least one pixel that is not 0 for one of them'))
    if len(kept) <= PICTURES:   # they will be used: a damaged one is better known now
        kept = [replace(one, image=one.pair()[0]) for one in kept]
    return kept


def _checked(path: str, mask_path: str, limit: float) -> FilePicture | None:
    size = picture_size(read_bytes(path, 'image'))
    if size is None:
        raise not_a_picture(f'image {path}')
    mask = read_mask(mask_path, '--mask', limit)
    if mask.shape != (size[1], size[0]):
        raise invalid(f'--mask {mask_path}', f'{mask.shape[1]}x{mask.shape[0]} px',
                      f'the size of its picture {path}, {size[0]}x{size[1]} px')
    return FilePicture(path, StoredMask(mask), limit) if mask.any() else None
