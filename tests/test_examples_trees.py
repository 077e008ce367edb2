"""The leaf for behaviour trees in a real tree against a real node, and the tree in XML against the interfaces."""
from __future__ import annotations

import operator
import re
import signal
import sys
import xml.etree.ElementTree as xml

import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.srv', reason='needs the built package: ./dev test builds it')
py_trees = pytest.importorskip('py_trees', reason='needs py_trees')

from dam_ros.action import Describe   # noqa: E402
from dam_ros.msg import Description, ErrorCode, Region   # noqa: E402
from documents import ROOT   # noqa: E402
from ros_graph import picture, script, serving   # noqa: E402

EXAMPLES = ROOT / 'examples'
sys.path[:0] = [str(EXAMPLES), str(EXAMPLES / 'behaviour_tree')]   # as the example says

from asking import NO_ANSWER, Asking, CtrlC, State   # noqa: E402
from describe_leaf import DescribeRegion   # noqa: E402
from py_trees.common import Status   # noqa: E402
import rclpy   # noqa: E402
from rclpy.executors import SingleThreadedExecutor   # noqa: E402

pytestmark = pytest.mark.ros
COUNT = 'One. Two. Three. Four. Five. Six.'
ENDLESS = script(text='word ' * 200, words_per_s=5.0)


@pytest.fixture(scope='module')
def served():
    with serving() as one:
        yield one


@pytest.fixture(autouse=True)
def board():
    """What the tree knows, empty at the beginning of each test."""
    py_trees.blackboard.Blackboard.clear()
    yield py_trees.blackboard.Blackboard.storage


def leaf_of(served, timeout_s: float = 10.0, describe_node: str = '', **fields) -> DescribeRegion:
    leaf = DescribeRegion('look', served.node, lambda: Describe.Goal(image=picture(), **fields), timeout_s,
                          describe_node or served.name)
    served.meet()   # a goal that comes before the node knows who asks loses its answer
    return leaf


def ticked(served, tree, root=None) -> list[str]:
    """Ticks until the tree is through; what the leaf told meanwhile."""
    told = []

    def through() -> bool:
        tree.tick()
        told.append((root or tree.root).feedback_message)
        return tree.root.status != Status.RUNNING

    served.until(through, what='the tree is through')
    return told


# -- the leaf -------------------------------------------------------------------------------------------------------

def test_a_tree_goes_on_with_the_description(served, board):
    leaf = leaf_of(served, query=script(text=COUNT, words_per_s=5.0))
    after = py_trees.behaviours.Success('after')
    tree = py_trees.trees.BehaviourTree(py_trees.composites.Sequence('all', memory=True, children=[leaf, after]))
    told = ticked(served, tree, leaf)
    assert tree.root.status == after.status == Status.SUCCESS
    assert board['/description'].text == COUNT and board['/error_code'] == ErrorCode.NONE
    growing = sorted(set(filter(None, told)), key=len)
    assert len(growing) >= 2 and all(COUNT.startswith(one) for one in growing)
    assert board['/description'].header.frame_id == 'camera_optical_frame'


def test_a_failure_lies_on_the_blackboard_with_its_code(served, board):
    leaf = leaf_of(served, region=Region(box_xywh=[100.0, 100.0, 5.0, 5.0]))
    empty = py_trees.common.ComparisonExpression('error_code', ErrorCode.EMPTY_REGION, operator.eq)
    by_code = py_trees.behaviours.CheckBlackboardVariableValue('is it empty', empty)
    tree = py_trees.trees.BehaviourTree(py_trees.composites.Selector('by code', memory=True, children=[leaf, by_code]))
    ticked(served, tree)
    assert (leaf.status, by_code.status) == (Status.FAILURE, Status.SUCCESS)
    assert 'region.box_xywh' in leaf.feedback_message
    assert board['/error_code'] == board['/description'].error_code == ErrorCode.EMPTY_REGION


def test_a_leaf_that_is_halted_cancels_what_it_asked(served, board):
    leaf = leaf_of(served, id='halted', query=ENDLESS)
    urgent = py_trees.behaviours.CheckBlackboardVariableExists('is it urgent', 'urgent')
    tree = py_trees.trees.BehaviourTree(py_trees.composites.Selector('root', memory=False, children=[urgent, leaf]))

    def writes() -> bool:
        tree.tick()
        return any(one.id == 'halted' and one.piece for one in served.partials)

    served.until(writes, what='words of the leaf')
    board['/urgent'] = True
    tree.tick()
    assert (tree.root.status, leaf.status) == (Status.SUCCESS, Status.INVALID)
    served.until(lambda: [one.error_code for one in served.descriptions if one.id == 'halted'], patience_s=3.0)
    assert [one.error_code for one in served.descriptions if one.id == 'halted'] == [ErrorCode.CANCELLED]


def test_a_leaf_that_is_halted_before_it_was_accepted_cancels_too(served):
    leaf = leaf_of(served, id='at_once', query=ENDLESS)
    tree = py_trees.trees.BehaviourTree(leaf)
    served.until(leaf._asking._client.server_is_ready)   # else nothing would be sent
    tree.tick()
    leaf.stop(Status.INVALID)
    served.until(lambda: any(one.id == 'at_once' for one in served.descriptions), patience_s=5.0)
    assert served.descriptions[-1].error_code == ErrorCode.CANCELLED


def test_who_leaves_before_it_was_accepted_has_cancelled_before_it_is_gone(served):
    """The old bug: one turn of the executor was taken for enough, and what came first was something else."""
    context, before = rclpy.Context(), len(served.descriptions)
    rclpy.init(context=context)
    node = rclpy.create_node('leaving', context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    asking = Asking(node, served.name)
    while not asking._client.server_is_ready():   # else nothing would be sent
        executor.spin_once(0.05)
    executor.spin_once(0.5)
    asking.start(Describe.Goal(image=picture(), query=ENDLESS), 30.0)
    asking.leave(executor.spin_once)
    rclpy.shutdown(context=context)
    served.until(lambda: len(served.descriptions) > before, patience_s=5.0)
    assert served.descriptions[-1].error_code == ErrorCode.CANCELLED


def test_each_time_the_leaf_begins_it_asks_anew(served, board):
    leaf = leaf_of(served, query=script(text=COUNT))
    tree = py_trees.trees.BehaviourTree(leaf)
    ids = []
    for _ in range(2):
        ticked(served, tree)
        ids.append(board['/description'].id)
    assert leaf.status == Status.SUCCESS and len(set(ids)) == 2


def test_where_nobody_serves_the_leaf_fails_in_time(served, board):
    leaf = leaf_of(served, 0.3, '/nobody')
    ticked(served, py_trees.trees.BehaviourTree(leaf))
    assert leaf.status == Status.FAILURE and board['/error_code'] == NO_ANSWER and board['/description'] is None
    assert 'nobody serves /nobody/describe' in leaf.feedback_message


# -- asking, the leaf's and the window's way to ask -----------------------------------------------------------------

def test_a_new_question_ends_the_old_one(served):
    asking = Asking(served.node, served.name)
    served.meet()
    asking.start(Describe.Goal(id='old', image=picture(), query=ENDLESS), 10.0)
    served.until(lambda: asking.poll() and asking.text.startswith('word'))
    asking.start(Describe.Goal(id='new', image=picture()), 10.0)
    assert asking.text == ''
    served.until(lambda: asking.poll() != State.RUNNING)
    assert asking.state == State.SUCCESS and asking.result.description.id == 'new'
    served.until(lambda: any(one.id == 'old' and one.error_code == ErrorCode.CANCELLED for one in served.descriptions))


def test_a_node_that_dies_is_noticed():
    with serving() as mortal:
        asking = Asking(mortal.node, mortal.name)
        mortal.meet()
        asking.start(Describe.Goal(image=picture(), query=ENDLESS), 1.0)
        mortal.until(lambda: asking.poll() and asking.text)
        mortal.process.kill()
        mortal.until(lambda: asking.poll() != State.RUNNING)
        assert (asking.state, asking.error_code) == (State.FAILURE, NO_ANSWER)
        assert asking.error_msg == f'{mortal.name} does not answer any more'


def test_ctrl_c_is_raised_where_it_is_asked_for_and_the_second_at_once():
    before = signal.getsignal(signal.SIGINT)
    try:
        ctrl_c = CtrlC()
        ctrl_c.check()
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            ctrl_c.check()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


# -- the tree in XML ------------------------------------------------------------------------------------------------

XML = (EXAMPLES / 'behaviour_tree' / 'look_at_it.xml').read_text(encoding='utf-8')
TREE = xml.fromstring(XML)


def fields_of(*kinds: type) -> set[str]:
    return {name for kind in kinds for name in kind.get_fields_and_field_types()}


def ports(kind: str) -> set[str]:
    return {one.get('name') for one in TREE.iter(kind)}


def test_every_port_is_a_field_of_the_interfaces():
    assert ports('input_port') <= fields_of(Describe.Goal, Region)
    assert ports('output_port') <= fields_of(Describe.Result, Description)
    leaves = list(TREE.find('BehaviorTree').iter('DescribeRegion'))
    assert len(leaves) == 5
    for leaf in leaves:
        assert set(leaf.attrib) <= ports('input_port') | ports('output_port')
        assert ports('output_port') <= set(leaf.attrib), 'without the code nothing can be done about it'


def test_every_code_is_what_its_name_says():
    seen = 0
    for condition in TREE.iter('ScriptCondition'):
        numbers = [int(one) for one in re.findall(r'error_code == (\d+)', condition.get('code'))]
        assert numbers == [getattr(ErrorCode, name) for name in condition.get('name').split()]
        seen += len(numbers)
    assert seen == 7


def test_numbers_that_stand_for_names_are_those_of_the_interface():
    details = {leaf.get('detail') for leaf in TREE.find('BehaviorTree').iter('DescribeRegion')}
    assert details == {str(Describe.Goal.NORMAL), str(Describe.Goal.BRIEF)}


def test_every_entry_that_is_read_was_written_or_is_given():
    given, written = {'labels', 'box_xywh'}, ports('output_port') | {'wait_ms'}
    assert set(re.findall(r'"\{(\w+)\}"', XML)) == given | written
