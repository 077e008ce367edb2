"""Declares a settings class as ROS parameters and turns every mistake in them into clear words."""
from __future__ import annotations

from dataclasses import replace
from typing import Any, Generic, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from dam_ros.core.settings import Rule, SettingsError, build, rules

Settings = TypeVar('Settings')
# What rclpy itself takes as parameters of every node.
_NOT_OURS = ('use_sim_time', 'start_type_description_service', 'qos_overrides.')


class Parameters(Generic[Settings]):
    """The parameters of one node, declared from `kind`.

    Attributes:
        current: the settings as they count now; a change of one that is not `live` counts after `reread`.

    Raises:
        SettingsError: start values of a wrong type or out of range, unknown names; one line for each.
    """

    def __init__(self, node: Node, kind: type[Settings]):
        self._node, self._rules = node, rules(kind)
        # rclpy drops unknown `-p` names without a word and dies with a traceback on `-p rate_hz:=1`;
        # the overrides are its own record of what was given.
        given = {name: one.value for name, one in getattr(node, '_parameter_overrides', {}).items()}
        self.current: Settings = build(kind, given, _NOT_OURS)
        for rule in self._rules.values():
            node.declare_parameter(rule.name, getattr(self.current, rule.name), _descriptor(rule),
                                   ignore_override=True)
        node.add_on_set_parameters_callback(self._on_set)

    def reread(self) -> Settings:
        """Everything as it is set now: what `configure` works with."""
        values = {name: _plain(self._node.get_parameter(name).value) for name in self._rules}
        self.current = build(type(self.current), values)
        return self.current

    def _on_set(self, changes: list[Parameter]) -> SetParametersResult:
        live = {}
        for change in changes:
            rule = self._rules.get(change.name)
            if rule is None:
                continue
            try:
                value = rule.check(_plain(change.value))
            except SettingsError as error:
                return SetParametersResult(successful=False, reason=str(error))
            if rule.live:
                live[change.name] = value
            elif self._node.get_parameter(change.name).value != value:
                self._node.get_logger().info(f'{change.name} takes effect at the next configure (cleanup, configure)')
        # Humble has no post-set callback; ours is the only on-set callback, so acceptance is final here.
        self.current = replace(self.current, **live)
        return SetParametersResult(successful=True)


def _plain(value: Any) -> Any:
    return list(value) if not isinstance(value, (str, bytes)) and hasattr(value, '__iter__') else value


def _descriptor(rule: Rule) -> ParameterDescriptor:
    unit = f' [{rule.unit}]' if rule.unit else ''
    described = ParameterDescriptor(name=rule.name, description=rule.doc + unit,
                                    additional_constraints=rule.allowed())
    low, high = rule.low, rule.high
    if low is not None and high is not None:
        if rule.type is float:
            described.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high), step=0.0)]
        elif rule.type is int:
            described.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
    return described
