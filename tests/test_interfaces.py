"""The interfaces against each other and against the code: actions repeat their services, codes stand in one tree."""
from __future__ import annotations

from pathlib import Path
import re

import pytest

from dam_ros.core import describing, orders, speech_acts
from dam_ros.core.errors import leaves

ROOT = Path(__file__).resolve().parent.parent
_FIELD = re.compile(r'^(?P<type>[A-Za-z0-9_/<>=]+(?:\[[0-9<=]*\])?)\s+(?P<rest>[^#]+?)\s*(#.*)?$')


def sections(name: str) -> list[list[tuple[str, str]]]:
    """The parts of an interface file between '---', each as (type, name and default or constant)."""
    parts: list[list[tuple[str, str]]] = [[]]
    for line in (ROOT / name).read_text(encoding='utf-8').splitlines():
        if line.strip() == '---':
            parts.append([])
        elif (found := _FIELD.match(line)) is not None:
            parts[-1].append((found['type'], ' '.join(found['rest'].split())))
    return parts


@pytest.mark.parametrize(('action', 'service', 'fewest'), [
    ('action/Describe.action', 'srv/DescribeRegion.srv', 20),
    ('action/DescribeScene.action', 'srv/DescribeScene.srv', 15)])
def test_goal_and_result_of_an_action_are_those_of_its_service_field_by_field(action, service, fewest):
    goal, result, _ = sections(action)
    request, response = sections(service)
    assert len(request) > fewest   # so that an empty reading does not pass
    assert goal == request
    assert result == response


def codes() -> dict[str, int]:
    (fields,) = sections('msg/ErrorCode.msg')
    pairs = [rest.split('=') for _, rest in fields]
    return {name.strip(): int(value) for name, value in pairs}


def test_every_code_has_its_class_and_every_class_its_code():
    def name_of(leaf: type) -> str:
        return re.sub(r'(?<!^)(?=[A-Z])', '_', leaf.__name__).upper()

    assert {name_of(leaf): leaf.code for leaf in leaves()} == {name: code for name, code in codes().items() if code}
    assert codes()['NONE'] == 0


def test_the_hundreds_of_a_code_say_whose_turn_it_is():
    branches = {101: 'CallerFailure', 102: 'RetryFailure', 103: 'OperatorFailure', 104: 'SpeechFailure', 109: 'Failure'}
    for leaf in leaves():
        assert leaf.__bases__[0].__name__ == branches[leaf.code // 100], leaf


def test_constants_that_the_core_repeats_are_those_of_the_interfaces():
    def constants(name: str) -> dict[str, int]:
        pairs = [rest.split('=') for part in sections(name) for _, rest in part if '=' in rest]
        return {key: int(value) for key, value in pairs}

    region = constants('srv/DescribeRegion.srv')
    assert (region['NORMAL'], region['BRIEF'], region['FULL']) == (describing.NORMAL, describing.BRIEF, describing.FULL)
    scene = constants('srv/DescribeScene.srv')
    assert (scene['NEAREST'], scene['LARGEST'], scene['AS_GIVEN']) == (orders.NEAREST, orders.LARGEST, orders.AS_GIVEN)
    speak = constants('msg/Description.msg')
    for name in ('SPEAK_NO', 'SPEAK_TOLD', 'SPEAK_ASKED'):
        assert speak[name] == getattr(speech_acts, name)


@pytest.mark.ros
def test_the_files_are_what_was_generated():
    """The reading above finds every field that rosidl finds."""
    pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')
    from dam_ros.action import Describe, DescribeScene
    from dam_ros.srv import DescribeRegion
    for kind, part in ((Describe.Goal, sections('action/Describe.action')[0]),
                       (DescribeScene.Goal, sections('action/DescribeScene.action')[0]),
                       (DescribeRegion.Request, sections('srv/DescribeRegion.srv')[0])):
        fields = [rest.split()[0] for _, rest in part if '=' not in rest]
        assert fields == list(kind.get_fields_and_field_types())
