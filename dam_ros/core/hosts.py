"""Whether a host is this machine. It looks nothing up."""
from __future__ import annotations

from ipaddress import ip_address


def is_here(host: str) -> bool:
    """Of a name or an address, as a URL has it: whether what is sent there stays on the machine that sends it."""
    name = host.lower().strip('[]').rstrip('.')
    if name == 'localhost' or name.endswith('.localhost'):
        return True
    try:
        address = ip_address(name.partition('%')[0])
    except ValueError:
        return False   # any other name
    address = getattr(address, 'ipv4_mapped', None) or address
    return address.is_loopback or address.is_unspecified   # 0.0.0.0 is this machine to who connects
