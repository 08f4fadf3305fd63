"""tests/deploy: where a process listens: addresses of both families, and names."""

import socket

import pytest

from deploy.process.internal import bound
from deploy.process.ports import ip_of, port_fault
from deploy.settings import read_settings
from kit.settings import SettingsError

URL = {"ENFILADE_DATABASE_URL": "postgresql+psycopg:///none"}
HOSTS = ("127.0.0.1", "0.0.0.0", "localhost", "::", "::1", "[::1]")


@pytest.mark.parametrize("host", HOSTS)
def test_a_port_is_taken_or_free_at_any_kind_of_host(host: str):
    """IPv4, IPv6, all addresses and names can be listened on, and a port in use there is seen."""
    with bound((host, 0)) as listener:
        ip, port = listener.getsockname()[:2]
        assert ip == ip_of(host)
        assert port_fault(host, port) == "is in use"
        with socket.create_connection(("::1" if ":" in ip else "127.0.0.1", port), timeout=5):
            pass
    assert port_fault(host, port) is None


def test_all_addresses_of_ipv6_are_those_of_ipv4_too():
    """A process at `::` is reached by IPv4, as a pod of two families must be."""
    with bound(("::", 0)) as listener:
        socket.create_connection(("127.0.0.1", listener.getsockname()[1]), timeout=5).close()


def test_an_unknown_name_is_a_fault():
    """A name without an address is told before anything starts."""
    assert str(port_fault("::nowhere", 1)).startswith("of ::nowhere cannot be had")
    with pytest.raises(SettingsError, match="ENFILADE_INTERNAL_ADDRESS"), bound(("::nowhere", 1)):
        pass


@pytest.mark.parametrize(
    ("host", "internal", "address", "internal_url"),
    [
        ("::1", "[::1]:9000", "http://[::1]:8080", "http://[::1]:9000"),
        ("[::1]", "::1:9000", "http://[::1]:8080", "http://[::1]:9000"),
        ("::", "", "http://[::]:8080", "http://127.0.0.1:8081"),
        ("localhost", "localhost:9000", "http://localhost:8080", "http://localhost:9000"),
        ("127.0.0.1", "off", "http://127.0.0.1:8080", ""),
    ],
)
def test_addresses_are_built_with_brackets(host: str, internal: str, address: str, internal_url: str):
    """What is derived from host and port is an address that a client can call (RFC 3986 §3.2.2)."""
    environ = {**URL, "ENFILADE_HOST": host, "ENFILADE_INTERNAL_ADDRESS": internal}
    settings = read_settings(environ)
    assert (settings.address, settings.internal_url) == (address, internal_url)
