"""describe_node: cameras in, descriptions out. Lifecycle and wiring; the work is in `desk`, `engine` and `core`."""
from __future__ import annotations

from dataclasses import fields
import sys
import traceback

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType, JumpThreshold
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from dam_ros import describers, segmenters
from dam_ros.core.describe_settings import DescribeSettings, cameras_of, describer_options
from dam_ros.core.errors import Failure
from dam_ros.core.settings import SettingsError
from dam_ros.engine.engine import Engine
from dam_ros.engine.status import Options
from dam_ros.nodes import health
from dam_ros.nodes.cameras import Camera
from dam_ros.nodes.desk import Desk
from dam_ros.nodes.front import Front
from dam_ros.nodes.inbox import Inbox
from dam_ros.nodes.labelling import Labelling, read_names
from dam_ros.nodes.outlets import Outlets
from dam_ros.nodes.parameters import Parameters
from dam_ros.nodes.presents import Presents
from dam_ros.nodes.sights import Sights
from dam_ros.nodes.spinning import run
from dam_ros.nodes.whereabouts import Transforms

_SWITCH_S = 0.0005   # the engine's thread should not wait 5 ms for the executor's, which works 2 ms after each event
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class DescribeNode(LifecycleNode):
    """configure validates and starts the worker, activate serves, deactivate refuses, cleanup gives memory back.

    Raises:
        SettingsError: start parameters that cannot be used.
    """

    def __init__(self):
        super().__init__('describe_node')
        self._declared = Parameters(self, DescribeSettings)
        self._inbox = Inbox(self)
        self.state, self.trouble = 'unconfigured', ''
        self.engine: Engine | None = None
        self.desk: Desk | None = None
        self._cameras: dict[str, Camera] = {}
        self._transforms: Transforms | None = None
        self._survive_illegal_transitions()
        self.outlets = Outlets(self)
        self._sights = Sights(self, lambda: self.settings, lambda: self.settings.cameras)
        self._presents = Presents(self, self._sights.in_background)
        self._publish_ready()
        steady = Clock(clock_type=ClockType.STEADY_TIME)   # goes on while /clock is paused
        self.create_timer(1.0, self._guarded(self._each_second), ReentrantCallbackGroup(), steady)
        self._present_timer = None
        backwards = JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-1), on_clock_change=True)
        self._jumps = self.get_clock().create_jump_callback(backwards, post_callback=self._clock_jumped)
        self._front = Front(self)
        if self.settings.autostart and self.trigger_configure() == SUCCESS:
            self.trigger_activate()

    # -- what others ask ----------------------------------------------------------------------------------------

    @property
    def settings(self) -> DescribeSettings:
        return self._declared.current

    @property
    def active(self) -> bool:
        return self.state == 'active'

    def now_ns(self) -> int:
        """ROS time."""
        return self.get_clock().now().nanoseconds

    @property
    def inbox(self) -> Inbox:
        return self._inbox

    # -- lifecycle ----------------------------------------------------------------------------------------------

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._transition('configure', self._configure, 'inactive')

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._transition('activate', self._activate, 'active')

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._transition('deactivate', self._deactivate, 'inactive')

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._transition('cleanup', self._cleanup, 'unconfigured')

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._transition('shutdown', self._shut_down, 'finalized')

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._cleanup()
        self.state = 'unconfigured'
        return SUCCESS

    def _transition(self, name: str, work, state: str) -> TransitionCallbackReturn:
        """rclpy swallows what these callbacks raise, without a word."""
        try:
            work()
        except (Failure, SettingsError) as error:
            self.trouble = f'{name} failed: {error}'
        except Exception as error:   # noqa: B902
            self.trouble = f'{name} failed, please report: {type(error).__name__}: {error}'
            self.get_logger().error(traceback.format_exc())
        else:
            self.state, self.trouble = state, ''
            self._publish_ready()
            return SUCCESS
        self.get_logger().error(self.trouble)
        if name == 'configure':
            self._cleanup_quietly()
        return FAILURE

    def _configure(self) -> None:
        settings = self._declared.reread()
        name, why = describers.resolve(settings.describer, settings.model)
        self.get_logger().info(why)
        options = describer_options(settings, name)
        segmenter, why = segmenters.resolve(settings.segmenter, settings.segmenter_model)
        self.get_logger().info(why)
        same = {one.name: getattr(settings, one.name) for one in fields(Options) if hasattr(settings, one.name)}
        self.engine = Engine(Options(**{**same, 'describer': name, 'describer_options': options,
                                        'segmenter': segmenter}), self.log, self._engine_changed)
        names = read_names(settings.label_names_file)
        self._cameras = {name: Camera(self, name, up, lambda: self.settings, Labelling(names), self._frame_came)
                         for name, up in cameras_of(settings).items()}
        self._transforms = Transforms(self, settings.reference_frame, settings.fixed_frame)
        if self._transforms.trouble:
            self.get_logger().warning(self._transforms.trouble)
        self.desk = Desk(lambda: self.settings, self.engine, self._cameras, self.outlets, self._transforms, self.now_ns)
        self.engine.start()
        self._present_timer = self.create_timer(1 / settings.present_hz, self._guarded(self._send_present),
                                                ReentrantCallbackGroup(), Clock(clock_type=ClockType.STEADY_TIME))

    def _activate(self) -> None:
        for camera in self._cameras.values():
            camera.activate()
        self._sights.begin(list(self._cameras.values()), self._transforms)

    def _deactivate(self) -> None:
        self.state = 'inactive'
        self._sights.end()
        for camera in self._cameras.values():
            camera.deactivate()
        self.engine.refuse(self._front.not_active('the node is being deactivated'))

    def _cleanup(self) -> None:
        if self._present_timer is not None:
            self.destroy_timer(self._present_timer)
            self._present_timer = None
        if self.engine is not None:   # first: what it still answers needs all the others
            self.engine.refuse(self._front.not_active('the node is being cleaned up'))
            self.engine.close()
            self.engine = None
        if self.desk is not None:
            self.desk.close()
            self.desk = None
        for camera in self._cameras.values():
            camera.close()
        self._cameras = {}
        self.outlets.forget()
        self._presents.forget()
        if self._transforms is not None:
            self._transforms.close()
            self._transforms = None

    def _cleanup_quietly(self) -> None:
        """After a configure that went half of its way."""
        try:
            self._cleanup()
        except Exception:   # noqa: B902  the reason of the failure is what counts
            self.get_logger().error(traceback.format_exc())

    def _shut_down(self) -> None:
        if self.active:
            self._deactivate()
        self._cleanup()

    def _survive_illegal_transitions(self) -> None:
        """On Jazzy a transition that the state does not allow, from any client, ended the node (ros2/rclpy #1209)."""
        service = self._service_change_state
        original = service.callback

        def guarded(request, response):
            try:
                return original(request, response)
            except Exception as error:   # noqa: B902
                self.get_logger().warning(f'transition {request.transition.label or request.transition.id} is not '
                                          f'possible in state {self.state}: {error}')
                response.success = False
                return response

        service.callback = guarded

    def end(self) -> None:
        """Ctrl-C or SIGTERM: whoever waits gets an answer."""
        if self.engine is not None:
            self.state = 'inactive'
            self.engine.refuse(self._front.not_active('the node is being shut down'))

    def close(self) -> None:
        self._cleanup()
        self._sights.close()
        self._jumps.unregister()

    # -- wiring -------------------------------------------------------------------------------------------------

    def _guarded(self, work):
        """What leaves a callback as an exception ends spin."""
        def call():
            try:
                work()
            except Exception:   # noqa: B902
                self.get_logger().error('bug, please report:\n' + traceback.format_exc())
        return call

    def log(self, level: str, text: str) -> None:
        """In any thread; 'info', 'warning' or 'error'."""
        self._inbox.post(self._log_here, level, text)

    def _log_here(self, level: str, text: str) -> None:
        logger = self.get_logger()   # rclpy wants a line of code of its own for every level
        if level == 'error':
            logger.error(text)
        elif level == 'warning':
            logger.warning(text)
        else:
            logger.info(text)

    def _engine_changed(self) -> None:
        self._inbox.post(self._publish_ready)

    def _publish_ready(self) -> None:
        serves = self.engine is not None and self.engine.status.state in ('ready', 'asleep')   # asking wakes it
        self.outlets.ready(self.active and serves)

    def _frame_came(self, camera: Camera) -> None:
        self.desk.choosing.frame_came(camera)

    def _clock_jumped(self, jump) -> None:
        if self.desk is not None:
            self.desk.clock_jumped()
            self.get_logger().warning('ROS time jumped back: the frames kept so far were dropped')

    def _each_second(self) -> None:
        self._sights.follow_subscribers()
        for camera in self._cameras.values():
            camera.follow_publishers()
        self.outlets.diagnostics(health.report(
            self, self.state, self.trouble, self.engine.status if self.engine else None,
            list(self._cameras.values()), len(self.desk.records) if self.desk else 0,
            self.desk.descriptions.unplaced if self.desk else {},
            self._transforms.trouble if self._transforms else '', self._sights.known()))

    def _send_present(self) -> None:
        for camera in self._cameras.values() if self.active else ():
            self._presents.show(camera, self.settings)


def main() -> int:
    """Runs the node until it is told to end. Returns the exit code."""
    sys.setswitchinterval(_SWITCH_S)
    return run(DescribeNode)


if __name__ == '__main__':
    sys.exit(main())
