"""The error tree and msg/ErrorCode.msg say the same, in both directions."""
from __future__ import annotations

from pathlib import Path
import re

import pytest

from dam_ros.core import errors
from dam_ros.core.errors import Failure, complaint, invalid, leaves, of_code

MESSAGE = Path(__file__).parent.parent / 'msg' / 'ErrorCode.msg'


def constants() -> dict[str, int]:
    found = re.findall(r'^uint16\s+([A-Z_]+)\s*=\s*(\d+)', MESSAGE.read_text(), re.MULTILINE)
    assert len(found) == len(dict(found)) > 20
    return {name: int(value) for name, value in found}


def screaming(name: str) -> str:
    """NoFrame -> NO_FRAME"""
    return re.sub(r'(?<=[a-z])(?=[A-Z])', '_', name).upper()


def test_codes_of_the_message_and_of_the_tree():
    assert {screaming(one.__name__): one.code for one in leaves()} | {'NONE': 0} == constants()


def test_no_code_is_given_twice_and_each_leaf_says_its_own():
    codes = [one.code for one in leaves()]
    assert len(set(codes)) == len(codes)
    assert all('code' in vars(one) or one is errors.Internal for one in leaves())


@pytest.mark.parametrize('kind', leaves(), ids=lambda kind: kind.__name__)
def test_hundreds_say_whose_turn_it_is(kind: type[Failure]):
    branch = {101: errors.CallerFailure, 102: errors.RetryFailure, 103: errors.OperatorFailure,
              104: errors.SpeechFailure, 109: errors.Internal}[kind.code // 100]
    assert issubclass(kind, branch)
    again = of_code(kind.code, 'words', 2.5)
    assert (type(again), again.message, str(again), again.retry_after_s) == (kind, 'words', 'words', 2.5)


@pytest.mark.parametrize('code', [0, 1, 10000, 10999, -1])
def test_an_unknown_code_is_our_bug(code: int):
    failure = of_code(code, 'words')
    assert type(failure) is errors.Internal and str(code) in str(failure) and 'words' in str(failure)


def test_a_complaint_names_field_value_allowed_and_remedy():
    assert complaint('top_p', 3.0, '0 to 1', 'Lower it') == 'top_p is 3.0; allowed: 0 to 1. Lower it'
    assert complaint('id', 'a\nb\x00', 'one line') == "id is 'a\\nb\\x00'; allowed: one line"
    failure = invalid('id', 'x' * 10_000, 'less')
    assert (failure.code, len(str(failure)) < 120, '...' in str(failure)) == (10100, True, True)
