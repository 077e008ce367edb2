"""A node of somebody else, for tests: python foreign_process.py NAMESPACE. It obeys JSON lines on stdin (`foreign`)."""
from __future__ import annotations

from importlib import import_module
import json
import sys
from typing import Any

import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy


def _type(name: str) -> type:
    package, part, kind = name.split('/')
    return getattr(import_module(f'{package}.{part}'), kind)


def _message(kind: type, values: dict[str, Any]) -> Any:
    """A message out of nested dictionaries; what is not named keeps its default."""
    message, types = kind(), kind.get_fields_and_field_types()
    for name, value in values.items():
        inner = types[name].removeprefix('sequence<').removesuffix('>')
        if '/' in inner:
            parts = inner.split('/')
            one = _type(f'{parts[0]}/msg/{parts[1]}')
            value = [_message(one, each) for each in value] if isinstance(value, list) else _message(one, value)
        setattr(message, name, value)
    return message


def main() -> None:
    rclpy.init()
    node, publishers = rclpy.create_node('other', namespace=sys.argv[1]), {}
    print('there', flush=True)
    for line in sys.stdin:
        told = json.loads(line)
        topic = told['topic']
        if told['do'] == 'stop':
            node.destroy_publisher(publishers.pop(topic))
        else:
            kind = _type(told['kind'])
            if topic not in publishers:
                qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
                if told['latched']:
                    qos.durability = DurabilityPolicy.TRANSIENT_LOCAL
                publishers[topic] = node.create_publisher(kind, topic, qos)
            publishers[topic].publish(_message(kind, told['message']))
        print('done', flush=True)


if __name__ == '__main__':
    main()
