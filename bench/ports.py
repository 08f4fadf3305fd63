"""bench: ports for servers that are started in a moment."""

import secrets

from deploy.process.ports import port_fault

# Below the range of outgoing connections' ports, which could be in use.
_PORTS = range(10_000, 32_000)


def free_ports(many: int) -> int:
    """The first of so many consecutive free ports."""
    while True:
        first = _PORTS[secrets.randbelow(len(_PORTS) - many)]
        if not any(port_fault("127.0.0.1", port) for port in range(first, first + many)):
            return first


def free_port() -> int:
    """A free port."""
    return free_ports(1)
