"""describe_node and speech_node beside a camera and a segmentation of yours. All variants are arguments.

    ros2 launch dam_ros dam.launch.py image:=/front/image_raw segmentation:=/front/labels

An argument that is not given leaves the value of params_file as it is. `ros2 launch dam_ros dam.launch.py -s` lists
them all. Several cameras (parameter `cameras`) read <camera>/image and <camera>/segmentation in the namespace.
"""
from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

PARAMETERS = Path(__file__).resolve().parent.parent / 'config' / 'dam.yaml'
SWITCH = ['true', 'false']
ARGUMENTS = {
    'namespace': {'default_value': '', 'description': 'namespace of the nodes'},
    'params_file': {'default_value': str(PARAMETERS), 'description': 'ROS parameter file, see docs/parameters.md'},
    'describer': {'default_value': '', 'description': 'auto, attributes, dam, remote, rehearsal or module:factory'},
    'model': {'default_value': '', 'description': 'weights of the describer: hub id or folder'},
    'image': {'default_value': 'image', 'description': 'topic of the camera (compressed: without /compressed)'},
    'segmentation': {'default_value': 'segmentation', 'description': 'topic of the label image'},
    'detections': {'default_value': 'detections', 'description': 'topic of vision_msgs or yolo_msgs detections'},
    'label_info': {'default_value': 'label_info', 'description': 'topic of the names of labels, vision_msgs/LabelInfo'},
    'depth': {'default_value': 'depth', 'description': 'topic of depth pictures, registered to the camera'},
    'camera_info': {'default_value': 'camera_info', 'description': 'topic of the CameraInfo'},
    'battery': {'default_value': 'battery', 'description': 'topic of the battery, sensor_msgs/BatteryState'},
    'image_transport': {'default_value': '', 'description': 'type of the camera topic; empty: as in params_file',
                        'choices': ['', 'raw', 'compressed']},
    'speech': {'default_value': 'true', 'description': 'start speech_node too', 'choices': SWITCH},
    'use_sim_time': {'default_value': 'false', 'description': 'take the time from /clock', 'choices': SWITCH},
    'log_level': {'default_value': 'info', 'description': 'of the nodes',
                  'choices': ['debug', 'info', 'warn', 'error', 'fatal']},
}


def generate_launch_description():
    declared = [DeclareLaunchArgument(name, **words) for name, words in ARGUMENTS.items()]
    return LaunchDescription([*declared, OpaqueFunction(function=start_nodes)])


def start_nodes(context):
    """The nodes for the arguments of this launch."""
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    clock = {'use_sim_time': value['use_sim_time'] == 'true'}
    given = {name: value[name] for name in ('describer', 'model', 'image_transport') if value[name]}
    topics = [('image', value['image']), ('image/compressed', value['image'] + '/compressed'),
              *((name, value[name]) for name in ('segmentation', 'detections', 'label_info', 'depth', 'camera_info'))]
    nodes = [_node('describe_node', value, [clock, given], topics)]
    if value['speech'] == 'true':
        nodes.append(_node('speech_node', value, [clock], [('battery', value['battery'])]))
    return nodes


def _node(name, value, overrides, remappings):
    parameters = [value['params_file'], *(one for one in overrides if one)]
    return Node(package='dam_ros', executable=name, name=name, namespace=value['namespace'], parameters=parameters,
                remappings=remappings, arguments=['--ros-args', '--log-level', value['log_level']],
                output='screen', emulate_tty=True)
