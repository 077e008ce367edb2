#!/usr/bin/env python3
"""Click at something in the camera's picture, or at a point in RViz, and read what it is.

    python examples/click_to_describe.py --image /camera/image_raw            # a window
    python examples/click_to_describe.py --image /camera/image_raw --rviz     # RViz's tool "Publish Point"

In the window: click = the thing there, right click = not this, drag = box, Shift and drag = stroke (S: always), Esc =
cancel and go on, Q = end. What can be clicked is in pointing.py; of dam_ros's modules only those that decode and draw
pictures are used. The window needs OpenCV with windows: pip install opencv-python, or the distro's python3-opencv.
"""
from __future__ import annotations

import argparse
from array import array
from collections.abc import Callable
from dataclasses import dataclass
import os
import re
import sys

from asking import Asking, CtrlC, State
import cv2
import numpy as np
from pointing import Pointing
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import CompressedImage, Image

from dam_ros.action import Describe
from dam_ros.core.errors import Failure
from dam_ros.core.images import decode_compressed, decode_raw
from dam_ros.drawing.lettering import shortened, wrap, write
from dam_ros.drawing.marks import Mark
from dam_ros.drawing.overlay import lay_out
from dam_ros.drawing.paint import paint
from dam_ros.msg import ErrorCode, Region

TITLE = 'click to describe'
HELP = 'Click at a thing, or drag a box. Right click: not this. Shift and drag: stroke. Esc: go on. Q: end.'
_GONE = (ErrorCode.STALE_FRAME, ErrorCode.NO_FRAME)   # the node does not keep the picture; we still show it
_BLUE, _RED, _WHITE, _GROUND = (64, 224, 255), (255, 70, 70), (255, 255, 255), (24, 24, 28)   # RGB
_WAIT_MS = 15
_LARGEST = 1280, 800   # px, of the window at first; whoever wants it larger drags it


class NoWindow(Exception):
    """This machine or this OpenCV has no windows."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One of the camera. `pixels`: RGB uint8 (H, W, 3)."""

    pixels: np.ndarray
    header: object


class Camera:
    """The newest picture of a topic. Raw or compressed, reliable or not: as whoever publishes it does."""

    def __init__(self, node: Node, topic: str):
        self._node, self._topic, self._subscription, self._message = node, topic, None, None
        self.trouble = f'Nobody publishes {topic} yet.'

    def newest(self) -> Picture | None:
        """None where no other one has come."""
        if self._subscription is None:
            self._subscribe()
        message, self._message = self._message, None
        if message is None:
            return None
        try:
            return Picture(_pixels_of(message, self._topic), message.header)
        except Failure as failure:
            self.trouble = str(failure)
            return None

    def _subscribe(self) -> None:
        known = self._node.get_publishers_info_by_topic(self._topic)
        if not known:
            return
        kind = CompressedImage if known[0].topic_type == 'sensor_msgs/msg/CompressedImage' else Image
        lossless = all(one.qos_profile.reliability == ReliabilityPolicy.RELIABLE for one in known)
        reliability = ReliabilityPolicy.RELIABLE if lossless else ReliabilityPolicy.BEST_EFFORT
        self._subscription = self._node.create_subscription(
            kind, self._topic, self._take, QoSProfile(depth=1, reliability=reliability))
        self.trouble = f'{self._topic} is published, but no picture has come.'

    def _take(self, message: Image | CompressedImage) -> None:
        self._message = message   # decoded when it is shown


def _pixels_of(message: Image | CompressedImage, topic: str) -> np.ndarray:
    if isinstance(message, CompressedImage):
        return decode_compressed(message.data, topic)
    return decode_raw(message.encoding, message.width, message.height, message.step, bool(message.is_bigendian),
                      message.data, topic)


class ClickToDescribe:
    """The window, and what happens in it: live until something is pointed at, then that picture until Esc."""

    def __init__(self, node: Node, image: str, describe_node: str, question: str = '', camera: str = '',
                 timeout_s: float = 30.0):
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        self._camera, self._asking = Camera(node, image), Asking(node, describe_node)
        self._question, self._camera_name, self._timeout_s = question, camera, timeout_s
        self.pointing, self.picture, self.hint, self._answered = Pointing(), None, HELP, None
        self._is_live, self._is_own = True, False
        open_window(self._on_mouse)

    def run(self, check: Callable[[], None] = lambda: None) -> None:
        """Until the window is closed, or `check` raises."""
        try:
            while self.turn():
                check()
        finally:
            self._asking.leave(self._executor.spin_once)
            cv2.destroyAllWindows()

    def turn(self) -> bool:
        """One round of everything. Returns whether to go on."""
        for _ in range(10):   # callbacks; each call does one at most
            self._executor.spin_once(0.0)
        if self._is_live:
            self._take(self._camera.newest())
        self._follow()
        cv2.imshow(TITLE, np.ascontiguousarray(self.canvas()[:, :, ::-1]))
        key = cv2.waitKey(_WAIT_MS) & 0xff
        if key == 27:
            self._go_on()
        elif key == ord('s'):
            self.pointing.scribbling = not self.pointing.scribbling
            self.hint = f'A drag is a {"stroke" if self.pointing.scribbling else "box"} now.'
        return key != ord('q') and cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1

    def canvas(self) -> np.ndarray:
        """What the window shows, RGB uint8 (H, W, 3): px of the picture, so that clicks are, too."""
        if self.picture is None:
            return _with_words(np.full((480, 640, 3), 60, np.uint8), self._camera.trouble)
        shown = self.picture.pixels if self._answered is None else self._answered
        return _with_words(_with_gesture(shown, self.pointing), self.hint)

    def _take(self, picture: Picture | None) -> None:
        if picture is None:
            return
        if self.picture is None:
            height, width = picture.pixels.shape[:2]
            zoom = min(1.0, _LARGEST[0] / width, _LARGEST[1] / height)
            cv2.resizeWindow(TITLE, round(width * zoom), round(height * zoom))
        self.picture = picture

    def _on_mouse(self, event: int, x: int, y: int, flags: int, _: object) -> None:
        if self.picture is None:
            return
        if event in (cv2.EVENT_LBUTTONDOWN, cv2.EVENT_RBUTTONDOWN):
            self._is_live = False   # from here on it is about this very picture
            outside = event == cv2.EVENT_RBUTTONDOWN or bool(flags & cv2.EVENT_FLAG_CTRLKEY)
            self.pointing.press(x, y, bool(flags & cv2.EVENT_FLAG_SHIFTKEY), outside)
        elif event == cv2.EVENT_MOUSEMOVE:
            self.pointing.move(x, y)
        elif event in (cv2.EVENT_LBUTTONUP, cv2.EVENT_RBUTTONUP):
            region = self.pointing.release(x, y, self.picture.pixels.shape[1])
            if region is not None:
                stamp = self.picture.header.stamp
                self._ask(region, own=not (stamp.sec or stamp.nanosec))   # without a stamp no picture can be named
            else:
                self.hint = 'First click at the thing, then at what does not belong to it.'
                self._is_live = self.pointing.region is None

    def _ask(self, region: Region, own: bool = False) -> None:
        """`own`: the picture is sent along instead of named by its stamp."""
        goal = Describe.Goal(region=region, query=self._question, return_mask=True)
        if own:
            goal.image = _message_of(self.picture)
        else:
            goal.camera, goal.stamp = self._camera_name, self.picture.header.stamp
        self._is_own, self._answered, self.hint = own, None, '...'
        self._asking.start(goal, self._timeout_s)

    def _follow(self) -> None:
        """Takes in what became of the question."""
        before = self._asking.state
        state = self._asking.poll()
        if state == State.RUNNING:
            self.hint = self._asking.text or '...'
        elif before != State.RUNNING:
            return
        elif state == State.SUCCESS:
            self.hint = self._asking.text
            mask = _mask_of(self._asking.result.mask)
            self._answered = paint(self.picture.pixels, lay_out(self.picture.pixels, [Mark(mask)]))
            print(self.hint, flush=True)
        elif self._asking.error_code in _GONE and not self._is_own:
            self._ask(self.pointing.region, own=True)
        else:
            self.hint = f'{self._asking.error_code}: {self._asking.error_msg}'
            print(self.hint, flush=True)

    def _go_on(self) -> None:
        self._asking.cancel()
        self.pointing.clear()
        self._is_live, self._answered, self.hint = True, None, HELP


def open_window(on_mouse) -> None:
    """Raises NoWindow, in words, before Qt ends the process or OpenCV says that something is not implemented."""
    if re.search(r'GUI:\s+NONE', cv2.getBuildInformation()):
        raise NoWindow('this OpenCV has no windows (opencv-python-headless): pip install opencv-python, or use --rviz')
    if sys.platform == 'linux' and not (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')):
        raise NoWindow('there is no display here (DISPLAY is not set): start it on a desktop, or use --rviz')
    cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)   # no menu on right clicks
    cv2.setMouseCallback(TITLE, on_mouse)


def _message_of(picture: Picture) -> Image:
    height, width = picture.pixels.shape[:2]
    return Image(header=picture.header, height=height, width=width, encoding='rgb8', step=3 * width,
                 data=array('B', picture.pixels.tobytes()))


def _mask_of(message: Image) -> np.ndarray:
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)[:, :message.width] > 0


def _with_gesture(shown: np.ndarray, pointing: Pointing) -> np.ndarray:
    canvas, region = shown.copy(), pointing.region
    thick = max(2, shown.shape[1] // 320)
    if region is not None and len(region.points):
        for x, y, inside in zip(region.points[::2], region.points[1::2], region.point_labels):
            cv2.circle(canvas, (round(x), round(y)), 2 * thick, _BLUE if inside else _RED, -1, cv2.LINE_AA)
    if pointing.trail and pointing.draws_stroke:
        cv2.polylines(canvas, [np.array(pointing.trail, np.int32)], False, _BLUE, thick, cv2.LINE_AA)
    elif pointing.trail:
        cv2.rectangle(canvas, pointing.trail[0], pointing.trail[-1], _BLUE, thick)
    return canvas


def _with_words(canvas: np.ndarray, words: str) -> np.ndarray:
    """Writes them over the lower edge."""
    height, width = canvas.shape[:2]
    letter_px = max(7.0, 0.016 * width)
    lines = shortened(wrap(words, width - 2 * letter_px, letter_px), 6, width - 2 * letter_px, letter_px)
    top = max(0, height - round((1.8 * len(lines) + 0.8) * letter_px))
    canvas[top:] = (canvas[top:] * 0.25 + np.array(_GROUND) * 0.75).astype(np.uint8)
    for row, line in enumerate(lines):
        write(canvas, line, letter_px, top + (1.8 * row + 1.5) * letter_px, letter_px, _WHITE)
    return canvas


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Click at something and read what it is.')
    parser.add_argument('--image', default='image', help="the camera's topic, raw or compressed; default: image")
    parser.add_argument('--camera', default='', help='its name, where the node has several')
    parser.add_argument('--question', default='', help='default: describe it')
    parser.add_argument('--node', default='/describe_node', help='default: /describe_node')
    parser.add_argument('--timeout-s', type=float, default=30.0, help='s, default 30')
    parser.add_argument('--rviz', action='store_true', help='no window: points that are clicked in RViz')
    parser.add_argument('--clicked-point', default='/clicked_point', help='with --rviz, default: /clicked_point')
    parser.add_argument('--camera-info', default='', help='with --rviz, default: camera_info beside --image')
    parser.add_argument('--rectified', choices=('auto', 'yes', 'no'), default='auto',
                        help='with --rviz: whether the pictures are; default: what the name of the topic says')
    return parser.parse_args(arguments)


def main() -> int:
    options = parse()
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)   # else Ctrl-C ends ROS before we can cancel
    node, check = rclpy.create_node('click_to_describe'), CtrlC().check
    try:
        if options.rviz:
            from clicked_point import ClickedPoints   # no window needs it
            ClickedPoints(node, options).run(check)
        else:
            ClickToDescribe(node, options.image, options.node, options.question, options.camera,
                            options.timeout_s).run(check)
        return 0
    except NoWindow as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == '__main__':
    sys.exit(main())
