"""The parameters of describe_node, each declared once."""
from __future__ import annotations

from dataclasses import dataclass
import json
import re

from dam_ros.core.errors import complaint
from dam_ros.core.settings import SettingsError, setting

RELIABILITIES = ('auto', 'reliable', 'best_effort')
UPS = ('top', 'left', 'right', 'bottom')   # keys of `turning`, which needs numpy: --help shall be quick
RECTIFIED = ('auto', 'yes', 'no')
MODEL_KINDS = ('auto', 'image', 'joint')
DTYPES = ('auto', 'float32', 'float16', 'bfloat16', 'int8', 'int4')
_NAMESPACE = re.compile('[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*')
_DEVICE = re.compile(r'auto|cpu|cuda(:\d{1,3})?')


@dataclass(frozen=True)
class DescribeSettings:
    """See each field's text; `docs/parameters.md` is the same as a table."""

    autostart: bool = setting(True, 'configure and activate at start; false leaves that to a lifecycle manager')
    # -- what it sees
    cameras: list[str] = setting([''], "one sub-namespace of the inputs per camera ('front' reads front/image); "
                                 "'' = none")
    camera_up: list[str] = setting(['top'], 'which edge of the pictures is up in the world, where a camera is mounted '
                                   'sideways; one for all cameras or one for each', choices=UPS)
    image_transport: str = setting('raw', 'type of the topic image: sensor_msgs/Image, or CompressedImage on '
                                   'image/compressed', choices=('raw', 'compressed'))
    image_reliability: str = setting('auto', 'QoS of the inputs; auto takes what their publishers offer',
                                     choices=RELIABILITIES)
    background_labels: list[int] = setting([0], 'values of the label image that are no region; [-1] = none '
                                           '(vision_msgs says 255 or 65535, Isaac and SAM say 0)')
    label_kind: str = setting('instances', 'what a value of the label image means: one thing (instances), or a kind of '
                              'thing, of which every connected part is one (classes)', choices=('instances', 'classes'),
                              live=True)
    label_names_file: str = setting('', 'YAML or JSON file with a line such as `1: cup` for each label value; what '
                                    "comes on label_info counts more; '' = none")
    regions_from: str = setting('auto', 'what labels of requests and scenes without regions mean: the label image, or '
                                'detections; auto takes the label image where a picture has one', live=True,
                                choices=('auto', 'labels', 'detections'))
    detection_boxes_are_regions: bool = setting(False, 'the box of a detection is described as it is; false = the '
                                                'segmenter cuts the thing out of it', live=True)
    ring_s: float = setting(2.0, 'how long frames are kept; clip_s of requests and the delay of label images '
                              'have to fit in', unit='s', low=0.1, high=60.0)
    ring_mb: float = setting(256.0, 'how much memory they may take', unit='MB', low=1.0, high=16384.0)
    sync_slop_s: float = setting(0.02, 'how far the stamps of a picture and its label image may differ', unit='s',
                                 low=0.0, high=1.0, live=True)
    max_frame_age_s: float = setting(2.0, 'max_age_s of requests that do not say it', unit='s', low=0.01, high=3600.0,
                                     live=True)
    frame_wait_s: float = setting(2.0, 'how long a request waits for the first picture or label image to come',
                                  unit='s', low=0.0, high=60.0, live=True)
    image_is_rectified: str = setting('auto', 'yes: directions by P of the CameraInfo; no: by K and D; auto goes by '
                                      "the name of the pictures' topic (image_rect, ...)", choices=RECTIFIED)
    reference_frame: str = setting('', "frame in which directions and positions are told, such as base_link (needs "
                                   "tf2_ros); '' = the camera's own")
    # -- whether it sees, and which way it looks: ~/sight
    sight_lost_s: float = setting(3.0, 'no picture for so long is told as NO_PICTURE', unit='s', low=0.5, high=60.0,
                                  live=True)
    sight_frozen_s: float = setting(5.0, 'the very same pixels for so long are told as FROZEN; 0 = never, where a '
                                    'photograph or a simulator without noise is the camera', unit='s', low=0.0,
                                    high=600.0, live=True)
    sight_dark: float = setting(24.0, 'DARK: where 99 % of the pixels are below; at 24 of 255 a surface gives back 1 % '
                                'of the light that is white', low=0.0, high=255.0, live=True)
    sight_contrast: float = setting(0.05, 'COVERED: where no detail differs more from what is around it, as a share of '
                                    "the light; 0.05 is WMO's limit of what is visible in fog", low=0.0, high=1.0,
                                    live=True)
    sight_blur: float = setting(0.005, 'BLURRED: where the sharpest edges are wider (sigma), as a share of the '
                                "picture's width; 0.005 is 2 of the 384 px that DAM sees", low=0.001, high=0.1,
                                live=True)
    fixed_frame: str = setting('', "frame that does not turn with the camera, such as odom, by which tf tells how the "
                               "camera turns (needs tf2_ros); '' = seen from the pictures")
    assumed_fov_deg: float = setting(60.0, 'how wide the pictures of a camera without camera_info are', unit='degrees',
                                     low=5.0, high=170.0, live=True)
    # -- who describes
    describer: str = setting('auto', 'auto, attributes, dam, remote, rehearsal or package.module:factory')
    model: str = setting('', "weights: hub id or folder; '' = the describer's own")
    model_kind: str = setting('auto', 'of dam and remote: image describes one picture, joint clips, too; auto goes by '
                              'the name of the weights', choices=MODEL_KINDS)
    dtype: str = setting('auto', 'of dam: precision it computes with, int8 and int4 for the weights of the language '
                         'model only; auto takes what suits the device and memory_budget_mb', choices=DTYPES)
    memory_budget_mb: float = setting(0.0, 'of dam: memory for weights, one look and its text; dtype auto takes the '
                                      'widest form that fits; 0 = no limit', unit='MB', low=0.0, high=1048576.0)
    device: str = setting('auto', 'of dam: auto, cpu, cuda or cuda:N; auto takes a GPU where there is one')
    remote_url: str = setting('http://localhost:8000', 'of remote: where the OpenAI-compatible server answers')
    remote_key_env: str = setting('DAM_API_KEY', "of remote: environment variable that holds the server's key; the "
                                  'key itself is no parameter, as every node can read those')
    remote_timeout_s: float = setting(60.0, 'of remote: how long the server may be silent', unit='s', low=0.1,
                                      high=600.0)
    remote_connect_timeout_s: float = setting(5.0, 'of remote: how long connecting may take', unit='s', low=0.1,
                                              high=60.0)
    remote_pictures: str = setting('rgba', "of remote: rgba sends the mask as alpha (the DAM authors' server); "
                                   'outlined sends the crop and an outlined full picture (any vision model)',
                                   choices=('rgba', 'outlined'))
    worker_python: str = setting('', "interpreter of the worker (torch may live in another venv); '' = this one")
    describer_options: str = setting('{}', 'options of the describer as one JSON object, e.g. those of rehearsal')
    segmenter: str = setting('auto', 'cuts the thing out of a box, around points, under a scribble; auto takes sam '
                             'where its weights are on disk, else grabcut; none = only regions that need none',
                             choices=('auto', 'grabcut', 'sam', 'none'))
    segmenter_model: str = setting('', "weights of sam: hub id or folder, SAM or SAM 2; '' = "
                                   'facebook/sam2.1-hiera-tiny')
    segmenter_device: str = setting('auto', 'of sam: auto, cpu, cuda or cuda:N; auto takes a GPU where there is one')
    box_fallback: bool = setting(False, 'where the segmenter finds nothing in a box, the box itself is described; '
                                 'false = SEGMENTER_FAILED')
    looks: int = setting(8, 'how many looks the worker keeps for further questions', low=1, high=256)
    looks_mb: float = setting(1024.0, 'how much memory they may take (of dam, 80 MB each with the 3B weights in '
                              'float16); 0 = none is kept', unit='MB', low=0.0, high=65536.0)
    reader: str = setting('auto', 'reads letters (detail READ); auto takes tesseract where that is installed; none = '
                          'READ is UNSUPPORTED', choices=('auto', 'tesseract', 'none'))
    reader_languages: str = setting('', "of tesseract: its own names, such as 'deu+eng'; '' = by the language of the "
                                    'request')
    language: str = setting('en', 'BCP 47, of requests that do not say it', live=True)
    # -- limits
    default_timeout_s: float = setting(30.0, 'timeout_s of requests that do not say it', unit='s', low=0.05, high=600.0,
                                       live=True)
    scene_timeout_s: float = setting(60.0, 'timeout_s of scenes that do not say it', unit='s', low=0.05, high=600.0,
                                     live=True)
    max_tokens: int = setting(128, 'max_tokens of requests that do not say it', low=1, high=2048, live=True)
    max_regions: int = setting(32, 'max_regions of scenes that do not say it', low=1, high=256, live=True)
    queue: int = setting(16, 'how many requests may wait; one more is BUSY', low=1, high=1024)
    stop_grace_s: float = setting(5.0, 'how long the worker may take to stop a request before it is killed',
                                  unit='s', low=0.1, high=120.0)
    load_timeout_s: float = setting(300.0, 'how long loading may take before the worker is killed', unit='s', low=1.0,
                                    high=3600.0)
    idle_unload_s: float = setting(0.0, 'after so long without a request the worker is ended, and the memory of its '
                                   'device with it; the next request or ~/wake loads again. 0 = never', unit='s',
                                   low=0.0, high=86400.0)
    remember: int = setting(32, 'how many answers are kept for `about`', low=1, high=10000)
    remember_mb: float = setting(128.0, 'how much memory they may take', unit='MB', low=1.0, high=16384.0)
    refer_for_s: float = setting(60.0, 'how long what was to be spoken is kept for `about`, however many answers came '
                                 'after it; only remember_mb bounds that', unit='s', low=0.0, high=3600.0)
    # -- how it answers
    sampling: str = setting('greedy', 'of requests with temperature 0: greedy repeats itself exactly; reference is the '
                            "model's own 0.2, top-p 0.5, top-k 50", choices=('greedy', 'reference'), live=True)
    present_hz: float = setting(2.0, 'rate of ~/present, while subscribed', unit='Hz', low=0.1, high=2.0)


def cameras_of(settings: DescribeSettings) -> dict[str, str]:
    """Name of each camera -> which edge of its pictures is up. Raises SettingsError."""
    names, ups = settings.cameras, settings.camera_up
    wrong = [one for one in names if one and not _NAMESPACE.fullmatch(one)]
    if wrong:
        raise SettingsError(complaint('cameras', wrong[0], "'' or letters, digits and _ with / between them, as in a "
                                      'ROS namespace'))
    if len(set(names)) < len(names):
        raise SettingsError(complaint('cameras', names, 'each name once'))
    if len(ups) not in (1, len(names)):
        raise SettingsError(complaint('camera_up', ups, f'one for all, or {len(names)} as there are cameras'))
    return dict(zip(names, ups * len(names) if len(ups) == 1 else ups))


def describer_options(settings: DescribeSettings, name: str) -> dict:
    """What `describers.create` gets: the parameters that are meant for this describer, describer_options on top.

    Args:
        name: not 'auto', but what that means here.

    Raises:
        SettingsError: describer_options is no JSON object, device is none.
    """
    options = {'model': settings.model}
    if name == 'dam':
        if not _DEVICE.fullmatch(settings.device):
            raise SettingsError(complaint('device', settings.device, "'auto', 'cpu', 'cuda' or 'cuda:N'"))
        options.update(model_kind=settings.model_kind, dtype=settings.dtype, device=settings.device,
                       memory_budget_mb=settings.memory_budget_mb)
    elif name == 'remote':
        options.update(url=settings.remote_url, key_env=settings.remote_key_env, timeout_s=settings.remote_timeout_s,
                       connect_timeout_s=settings.remote_connect_timeout_s, pictures=settings.remote_pictures,
                       model_kind=settings.model_kind)
    return {**options, **_json_object(settings.describer_options)}


def _json_object(text: str) -> dict:
    try:
        options = json.loads(text or '{}')
    except (ValueError, RecursionError):
        options = None
    if not isinstance(options, dict):
        raise SettingsError(complaint('describer_options', text, 'one JSON object such as {"words_per_s": 4.0}'))
    return options
