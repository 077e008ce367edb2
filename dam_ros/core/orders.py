"""One request as a plain value, and every check on its numbers and names. It knows no ROS types."""
from __future__ import annotations

from dataclasses import dataclass, replace
import math
import re
from typing import Any
import uuid

from dam_ros.core.describe_settings import DescribeSettings
from dam_ros.core.describing import READ, Query
from dam_ros.core.errors import Unsupported, complaint, invalid
from dam_ros.core.frames import NS, Wish
from dam_ros.core.regions import Region
from dam_ros.core.speech_acts import SPEAK_ASKED

NEAREST, LARGEST, AS_GIVEN = 0, 1, 2          # DescribeScene.srv
MAX_QUERY, MAX_REGIONS, MAX_TOKENS = 2000, 256, 2048
_NAME = re.compile(r'[A-Za-z0-9._-]{1,64}')
_LANGUAGE = re.compile(r'[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*')
_REFERENCE = {'temperature': 0.2, 'top_p': 0.5, 'top_k': 50}   # the reference model's own sampling, dam-spec 10


@dataclass(frozen=True)
class Order:
    """What DescribeRegion asks for, defaults filled in.

    Attributes:
        picture: the caller's own, None = from the camera.
        about: id of an earlier description, '' = none.
    """

    id: str
    slot: str
    camera: str
    picture: Any
    wish: Wish
    region: Region
    about: str
    query: Query
    timeout_s: float
    speak: int
    return_mask: bool


@dataclass(frozen=True)
class SceneOrder:
    """What DescribeScene asks for, defaults filled in."""

    id: str
    slot: str
    camera: str
    wish: Wish
    regions: tuple[Region, ...]
    order: int
    max_regions: int
    min_area_fraction: float
    query: Query
    timeout_s: float


def new_id() -> str:
    """A name that is never given twice."""
    return str(uuid.uuid4())


def checked_id(id: str) -> str:
    """The caller's name for a request, or a new one for ''. Raises InvalidRequest."""
    if id and not _NAME.fullmatch(id):
        raise invalid('id', id, "1 to 64 characters of A-Z a-z 0-9 . _ -, or '' to get one")
    return id or new_id()


def checked_slot(slot: str) -> str:
    if len(slot) > 64:
        raise invalid('slot', slot, 'at most 64 characters')
    return slot


def checked_camera(camera: str, cameras: list[str]) -> str:
    """The camera that is meant; '' = the only or first. Raises Unsupported with the names there are."""
    if camera and camera not in cameras:
        raise Unsupported(complaint('camera', camera, ' or '.join(map(repr, dict.fromkeys(['', *cameras])))))
    return camera or cameras[0]


def number(field: str, value: float, low: float, high: float, default: float) -> float:
    """0 means the default; NaN, infinity and what is out of range is refused."""
    if value == 0:
        return default
    # The bounds are met by float32 values: 0.01 arrives as 0.0099999998.
    if not math.isfinite(value) or not low * (1 - 1e-6) <= value <= high * (1 + 1e-6):
        raise invalid(field, value, f'{low:g} to {high:g}, or 0 for the default {default:g}')
    return float(value)


def wish(stamp_ns: int, not_before_ns: int, max_age_s: float, needs_labels: bool, settings: DescribeSettings,
         clip_s: float = 0.0) -> Wish:
    """Raises InvalidRequest."""
    if stamp_ns and not_before_ns:
        raise invalid('not_before', f'{not_before_ns / NS:.9f}', '0 together with stamp',
                      'stamp names the very picture already')
    age_s = number('max_age_s', max_age_s, 0.01, 3600.0, settings.max_frame_age_s)
    return Wish(stamp_ns, not_before_ns, age_s, needs_labels, settings.regions_from, int(settings.sync_slop_s * NS),
                int(clip_s * NS))


def nanoseconds(field: str, sec: int, nanosec: int) -> int:
    """Of a builtin_interfaces/Time. Raises InvalidRequest."""
    if sec < 0 or nanosec >= NS:
        raise invalid(field, f'sec {sec}, nanosec {nanosec}', 'sec >= 0 and nanosec < 1000000000')
    return sec * NS + nanosec


def query(question: str, detail: int, language: str, max_tokens: int, settings: DescribeSettings,
          temperature: float = 0.0, top_p: float = 0.0, seed: int = 0) -> Query:
    """Raises InvalidRequest."""
    if len(question) > MAX_QUERY:
        raise invalid('query', question, f'at most {MAX_QUERY} characters', f'It has {len(question)}')
    if detail > READ:
        raise invalid('detail', detail, 'NORMAL 0, BRIEF 1, FULL 2, READ 3')
    if detail == READ and question:
        raise invalid('query', question, "'' together with detail READ", 'A reader takes no question; a describer does')
    if language and not _LANGUAGE.fullmatch(language):
        raise invalid('language', language, "a BCP 47 tag such as 'en' or 'de-CH', or ''")
    if not math.isfinite(temperature) or not 0 <= temperature <= 2:
        raise invalid('temperature', temperature, '0 to 2; 0 = greedy')
    if not math.isfinite(top_p) or not 0 <= top_p <= 1:
        raise invalid('top_p', top_p, '0 to 1; 0 = no cut')
    most = MAX_TOKENS if detail == READ else settings.max_tokens   # what is read ends by itself
    tokens = int(number('max_tokens', max_tokens, 1, MAX_TOKENS, most))
    sampling = {'temperature': float(temperature), 'top_p': float(top_p) or 1.0}
    if temperature == 0 and settings.sampling == 'reference':
        sampling = _REFERENCE
    return Query(question, detail=detail, language=language or settings.language, max_tokens=tokens, seed=seed,
                 **sampling)


def checked_speak(speak: int) -> int:
    if speak > SPEAK_ASKED:
        raise invalid('speak', speak, 'SPEAK_NO 0, SPEAK_TOLD 1, SPEAK_ASKED 2')
    return speak


def checked_clip(clip_s: float, own_picture: bool, settings: DescribeSettings) -> float:
    """How long the clip is in s, 0 = one picture. Raises InvalidRequest, Unsupported."""
    clip_s = number('clip_s', clip_s, 0.1, 30.0, 0.0)
    if not clip_s:
        return 0.0
    if own_picture:
        raise invalid('clip_s', clip_s, '0 together with image', 'A clip is made of pictures of the camera')
    if clip_s > settings.ring_s * (1 + 1e-6):
        raise Unsupported(complaint('clip_s', round(clip_s, 3), f'at most {settings.ring_s:g} s, as long as frames are '
                                    'kept', 'Raise the parameter ring_s'))
    return clip_s


def check_clip_describer(wish: Wish, describer: str, max_pictures: int) -> None:
    """Raises Unsupported where a clip is wanted of a describer that looks at one picture."""
    if wish.clip_ns and max_pictures < 2:
        raise Unsupported(complaint('clip_s', round(wish.clip_ns / NS, 3), '0 (one picture) with the describer '
                                    f'{describer}', 'Clips need dam with weights such as nvidia/DAM-3B-Video'))


def check_clip_segmenter(wish: Wish, region: Region, segmenter: str, follows: bool) -> None:
    """Raises Unsupported where a region of one picture would have to be followed and nobody can."""
    if wish.clip_ns and region.form not in ('labels', 'picture') and not follows:
        raise Unsupported(complaint(region.field, 'set together with clip_s', 'region.labels, or no region for whole '
                                    'pictures', f'The segmenter {segmenter} does not follow it from picture to picture;'
                                    ' sam with weights of SAM 2 does'))


def as_read(region: Region) -> Region:
    """What of a region a reader gets: the letters of a box are those in it, not those of the thing in it."""
    return replace(region, box_is_region=True) if region.form == 'box' else region


def check_reading(detail: int, clip_s: float) -> None:
    """Raises InvalidRequest where more than one picture is to be read."""
    if detail == READ and clip_s:
        raise invalid('clip_s', round(clip_s, 3), '0 together with detail READ', 'A single picture is read')


def check_about(about: str, others: dict[str, bool]) -> None:
    """`about` stands alone. `others`: field -> whether it was filled in. Raises InvalidRequest."""
    for field, filled in others.items():
        if about and filled:
            raise invalid(field, 'set', 'empty together with about', 'The picture and region of the earlier '
                          'description are used')


def check_own_picture(stamp_ns: int, not_before_ns: int, region: Region) -> None:
    """What goes with the caller's own picture. Raises InvalidRequest."""
    for field, value in (('stamp', stamp_ns), ('not_before', not_before_ns)):
        if value:
            raise invalid(field, f'{value / NS:.9f}', '0 together with image', 'The picture is the one sent')
    if region.needs_label_image:
        raise invalid('region.labels', list(region.labels), 'labels of region.mask together with image',
                      'Send the label image of your picture as region.mask')


def scene_limits(order: int, max_regions: int, min_area_fraction: float, count: int,
                 settings: DescribeSettings) -> int:
    """How many regions at most. Raises InvalidRequest."""
    if order > AS_GIVEN:
        raise invalid('order', order, 'NEAREST 0, LARGEST 1, AS_GIVEN 2')
    if count > MAX_REGIONS:
        raise invalid('regions', f'{count} regions', f'at most {MAX_REGIONS}')
    if not math.isfinite(min_area_fraction) or not 0 <= min_area_fraction <= 1:
        raise invalid('min_area_fraction', min_area_fraction, '0 to 1 of the picture')
    return int(number('max_regions', max_regions, 1, MAX_REGIONS, settings.max_regions))
