"""A viewer of annotations, for tests: python viewer_process.py TOPIC. It writes each message as a line of JSON."""
from __future__ import annotations

import json
import sys
from typing import Any

from foxglove_msgs.msg import ImageAnnotations
import rclpy


def plain(value: Any) -> Any:
    """A message as nested dictionaries."""
    if hasattr(value, 'get_fields_and_field_types'):
        return {name: plain(getattr(value, name)) for name in value.get_fields_and_field_types()}
    return [plain(one) for one in value] if isinstance(value, list) else value


def main() -> None:
    rclpy.init()
    node = rclpy.create_node('viewer')
    node.create_subscription(ImageAnnotations, sys.argv[1], lambda one: print(json.dumps(plain(one)), flush=True), 10)
    rclpy.spin(node)


if __name__ == '__main__':
    main()
