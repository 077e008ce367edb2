"""What the label images and detections of a camera mean: values, regions and names. Read only when somebody asks."""
from __future__ import annotations

from dam_ros.core.describe_settings import DescribeSettings
from dam_ros.core.detecting import Detections
from dam_ros.core.errors import complaint
from dam_ros.core.frames import Frame
from dam_ros.core.label_names import LabelNames, names_in
from dam_ros.core.planning import LabelImage
from dam_ros.core.settings import SettingsError
from dam_ros.nodes.detections import read_detections, read_label_info
from dam_ros.nodes.pictures import read_labels


class Labelling:
    """Of one camera.

    Attributes:
        names: of label values, or of the classes of detections.
        skipped: detections that made no sense, of all that were looked at.
    """

    def __init__(self, names: dict[int, str]):
        self.names = LabelNames(names)
        self.skipped = 0

    def hear(self, label_info: bytes) -> None:
        """A serialized vision_msgs/LabelInfo."""
        self.names.hear(read_label_info(label_info))

    def read(self, frame: Frame, settings: DescribeSettings) -> LabelImage | Detections:
        """A label image or detections. Raises NoLabelImage where they cannot be used."""
        if frame.kind:
            found = Detections(read_detections(frame, self.names), settings.detection_boxes_are_regions)
            self.skipped += found.skipped
            return found
        return LabelImage(read_labels(frame), tuple(settings.background_labels), settings.label_kind == 'classes',
                          self.names)


def read_names(path: str) -> dict[int, str]:
    """Of the parameter label_names_file, '' = none. Raises SettingsError."""
    if not path:
        return {}
    import yaml   # rclpy brings it
    try:
        with open(path, encoding='utf-8') as file:
            return names_in(yaml.safe_load(file), path)
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise SettingsError(complaint('label_names_file', path, 'a YAML or JSON file with a line such as `1: cup` for '
                                      f'each label value ({" ".join(str(error).split())})')) from error
