"""Pictures that are sent to this machine do not leave it."""
from __future__ import annotations

import pytest

from dam_ros.core.hosts import is_here


@pytest.mark.parametrize('host', ('localhost', 'LOCALHOST', 'localhost.', 'dam.localhost', '127.0.0.1', '127.1.2.3',
                                  '::1', '[::1]', '0.0.0.0', '::', '::ffff:127.0.0.1'))
def test_this_machine(host):
    assert is_here(host)


@pytest.mark.parametrize('host', ('', 'gpu.example.org', 'localhost.example.org', 'notlocalhost', '192.168.1.5',
                                  '10.0.0.1', '::2', '128.0.0.1', '127.0.0.1.example.org'))
def test_any_other(host):
    assert not is_here(host)
