"""The parameters of player_node, each declared once."""
from __future__ import annotations

from dataclasses import dataclass

from dam_ros.core.settings import setting


@dataclass(frozen=True)
class PlayerSettings:
    """See each field's text; `docs/parameters.md` is the same as a table."""

    source: str = setting('', "what is played: a photo, a folder of photos, a video file, a bag, or 'camera:0' "
                              '(also /dev/video0) for a webcam')
    labels: str = setting('', "label image (grey PNG), or the folder they are in; '' = beside the photo or video")
    label_suffix: str = setting('.labels.png', 'NAME.jpg has its label image in NAME + this')
    # -- pace
    rate_hz: float = setting(0.0, 'pictures per second; 0 = as recorded (video, camera, bag), 10 for photos', unit='Hz',
                             low=0.0, high=1000.0)
    dwell_s: float = setting(5.0, 'how long each photo of a folder is on; 0 = until the service ~/next is called',
                             unit='s', low=0.0, high=86400.0)
    loop: bool = setting(True, 'begin again at the end; false: the node ends, and a photo is sent only once')
    wait_for_subscribers: int = setting(0, 'the picture has to have this many before playing begins', low=0, high=100)
    # -- what is sent
    image_transport: str = setting('raw', 'raw: topic image; compressed: topic image/compressed (JPEG); or both',
                                   choices=('raw', 'compressed', 'both'))
    encoding: str = setting('bgr8', 'of raw pictures', choices=('bgr8', 'rgb8'))
    jpeg_quality: int = setting(90, 'of compressed pictures', low=1, high=100)
    max_width_px: int = setting(1280, 'wider pictures are scaled down with their labels; 0 = never', unit='px', low=0,
                                high=65535)
    label_encoding: str = setting('auto', 'auto: mono8 where all labels are under 256, else mono16',
                                  choices=('auto', 'mono8', 'mono16', '32SC1'))
    label_delay_s: float = setting(0.0, 'label images come this much later than their pictures, with the same stamp',
                                   unit='s', low=0.0, high=60.0)
    frame_id: str = setting('camera_optical_frame', 'of all headers')
    stamps: str = setting('now', "now, or original: a bag's own (the others have none)", choices=('now', 'original'))
    reliability: str = setting('reliable', 'QoS of what is published', choices=('reliable', 'best_effort'))
    depth: int = setting(5, 'how many messages are kept for a slow subscriber', low=1, high=1000)
    # -- bags
    image_topic: str = setting('', "topic of the bag that is the picture; '' = the first that carries pictures")
    label_topic: str = setting('', "topic of the bag that is the label image; '' = the first with label or segment in "
                                   'its name')
