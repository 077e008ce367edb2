"""Which part of a picture the options of dam-describe mean: every form of Region.msg, as one checked Region."""
from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from dam_ros.core.errors import Unsupported, complaint, invalid
from dam_ros.core.files import read_labels, read_mask
from dam_ros.core.masks import StoredMask
from dam_ros.core.region_masks import mask_of, prompt_of
from dam_ros.core.regions import Region

# What a request calls it -> what it is called here. Longer names first: one may begin like another.
OPTIONS = {
    'region.scribble_width_px': '--scribble-width', 'region.ref_width, ref_height': '--ref',
    'region.point_labels': '--point and --not-point', 'region.box_is_region': '--cut-out', 'region.box_xywh': '--box',
    'region.scribble': '--scribble', 'region.polygon': '--polygon', 'region.points': '--point',
    'region.labels': '--label', 'region.mask': '--mask', 'region.tag': '--tag',
}


def forms_given(asked: argparse.Namespace) -> list[str]:
    """The options that say where, without those that belong to one of them."""
    points = '--point' if asked.point or asked.not_point else None
    given = (('--mask', asked.mask), ('--box', asked.box), (points, points), ('--scribble', asked.scribble),
             ('--polygon', asked.polygon), ('--label-image', asked.label_image))
    return [name for name, value in given if value is not None and name]


def check_together(asked: argparse.Namespace) -> None:
    """Raises InvalidRequest for options that contradict each other, or lack the one that they belong to."""
    forms = forms_given(asked)
    if len(forms) > 1:
        raise invalid('the region', ' and '.join(forms), 'one of them, or none for the whole picture')
    if (asked.label is None) != (asked.label_image is None):
        raise invalid('--label', asked.label, '--label-image PNG and --label N together')
    for option, value, owner in (('--cut-out', asked.cut_out or None, '--box'),
                                 ('--scribble-width', asked.scribble_width, '--scribble')):
        if value is not None and owner not in forms:
            raise invalid(option, value, f'together with {owner}')


def region_of(asked: argparse.Namespace, limit: float) -> Region:
    """What the options mean, but for a label image, which is read later. Raises InvalidRequest."""
    points = [*(asked.point or ()), *(asked.not_point or ())]
    return Region(
        box_xywh=asked.box, box_is_region=not asked.cut_out, points=np.ravel(points) if points else None,
        point_labels=[1] * len(asked.point or ()) + [0] * len(asked.not_point or ()),
        scribble=_numbers('--scribble', asked.scribble), scribble_width_px=asked.scribble_width or 0.0,
        polygon=_numbers('--polygon', asked.polygon), labels=tuple(asked.label or ()),
        mask=read_mask(asked.mask[0], '--mask', limit) if asked.mask else None,
        ref_size=tuple(asked.ref) if asked.ref else (0, 0), tag=asked.tag)


def masked(region: Region, image: np.ndarray, asked: argparse.Namespace, limit: float) -> np.ndarray:
    """The region as bool (H, W), cut out where it must be.

    Raises:
        InvalidRequest, EmptyRegion, UnknownLabel, Unsupported, SegmenterFailed.
    """
    labels = read_labels(asked.label_image, '--label-image', limit) if asked.label_image is not None else None
    mask = mask_of(region, *image.shape[:2], labels)
    if not region.needs_segmenter:
        return mask
    return _cutter(asked).cut_out(image, prompt_of(region, *image.shape[:2], mask))


def followed(images: Sequence[np.ndarray], mask: np.ndarray, asked: argparse.Namespace) -> list[StoredMask | None]:
    """Where the thing of the last picture is in each of a clip, None where it is not seen. Raises as `masked`."""
    cutter = _cutter(asked)
    if not cutter.follows:
        raise Unsupported(complaint('IMAGE', f'{len(images)} pictures with a region of one', 'one picture, or one '
                                    '--mask for each', cutter.trouble or f'The segmenter {cutter.name} does not follow '
                                    'it; --segmenter sam with weights of SAM 2 does'))
    return [StoredMask(one) if one.any() else None for one in cutter.follow(images, mask)]


def _cutter(asked: argparse.Namespace):
    """An `engine.cutting.Cutter`, imported when a region needs it."""
    from dam_ros.engine.cutting import Cutter
    from dam_ros.segmenters import resolve
    name, _ = resolve(asked.segmenter, asked.segmenter_model)
    return Cutter(name, asked.segmenter_model, asked.segmenter_device, box_fallback=False)


def _numbers(option: str, text: str | None) -> list[float] | None:
    """'X,Y X,Y ...' flat. Raises InvalidRequest."""
    if text is None:
        return None
    try:
        return [float(one) for one in text.replace(',', ' ').split()]
    except ValueError:
        raise invalid(option, text, "pairs of numbers in px such as '10,20 30,40.5'") from None
