"""The files of dam-describe: one picture with its region, or the pictures of a clip with their masks.

Everything that can be known of them is checked before a describer is made, as loading weights takes long.
"""
from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
import math

import numpy as np

from dam_ros.cli_regions import check_together, followed, forms_given, masked, region_of
from dam_ros.core.clips import PICTURES, at_most
from dam_ros.core.errors import EmptyRegion, complaint, invalid
from dam_ros.core.files import read_bytes, read_mask, read_picture
from dam_ros.core.images import not_a_picture, picture_size
from dam_ros.core.masks import StoredMask


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
    """What the options name, pictures in which nothing is left out; the last is the one that is asked about.

    Raises:
        InvalidRequest, EmptyRegion, UnknownLabel: options that contradict, files that cannot be used.
        Unsupported, SegmenterFailed: what cannot be cut out or followed.
    """
    check_together(asked)
    limit, forms = asked.max_megapixels, forms_given(asked)
    if not (math.isfinite(limit) and limit > 0):
        raise invalid('--max-megapixels', limit, 'a number above 0')
    clip = len(asked.images) > 1
    if clip and '--label-image' in forms:
        raise invalid('--label-image', f'given with {len(asked.images)} pictures', 'one picture',
                      'A clip has one --mask for each picture')
    if len(asked.mask or ()) > 1 or (clip and not forms):
        return _read_clip(asked.images, asked.mask or [], limit)
    if clip:
        return _read_followed(asked)
    region = region_of(asked, limit)   # before reading
    image = read_picture(asked.images[0], 'image', limit)
    return [FilePicture(asked.images[0], StoredMask(masked(region, image, asked, limit)), limit, image)]


def _read_followed(asked: argparse.Namespace) -> list[FilePicture]:
    """A clip whose region is known in its last picture."""
    limit = asked.max_megapixels
    region = region_of(asked, limit)
    paths = [asked.images[one] for one in at_most(len(asked.images), PICTURES)]
    images = [read_picture(path, 'image', limit) for path in paths]
    masks = followed(images, masked(region, images[-1], asked, limit), asked)
    return [FilePicture(path, mask, limit, image) for path, mask, image in zip(paths, masks, images)
            if mask is not None]


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
