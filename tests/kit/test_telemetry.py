"""What never reaches a log line."""

import logging

import pytest
import structlog

from kit.telemetry import configure_logging, log, mask

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "secret",
    [
        "Bearer 00Dxx!AQabcdefgh",
        JWT,
        "client_secret=abcdef",
        '"access_token": "abcdef"',
        "client_assertion=" + JWT,
        "Authorization: Basic YWJjZGVmYWJjZGVm",
        "'accesstoken': 'abcdef'",
        "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
        "DPoP opq_AQabcdefgh",
        "key enf_live_12345678" + "abcdef" * 10,
    ],
)
def test_a_credential_in_a_log_line_is_masked(secret: str) -> None:
    """Whatever slips into a message: tokens, secrets and keys do not come out."""
    line = mask(f"before {secret} after")
    for part in ("AQabcdefgh", "abcdef", "c2lnbmF0dXJl", "YWJjZGVm", "MIIE"):
        assert part not in line
    assert line.startswith("before ")
    assert line.endswith(" after")


def test_a_credential_within_a_value_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    """Also what is logged as a mapping or a list tells no secret."""
    root = logging.getLogger()
    before, configured = (root.handlers[:], root.level), structlog.get_config()
    try:
        configure_logging()
        log("tests").warning("called", headers={"sent": ["Bearer 00Dxx!AQabcdefgh"]})
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])
        structlog.configure(**configured)
    line = capsys.readouterr().out
    assert "called" in line
    assert "AQabcdefgh" not in line


def test_a_log_for_people_gives_the_terminal_no_orders(capsys: pytest.CaptureFixture[str]) -> None:
    """What a stranger sent, and a library logs, is shown with its control characters visible."""
    root = logging.getLogger()
    before, configured = (root.handlers[:], root.level), structlog.get_config()
    try:
        configure_logging(pretty=True)
        log("tests").warning("called", path="/x\x1b]0;owned\x07\u202e")
        logging.getLogger("library").warning("GET /\x9b2J")
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])
        structlog.configure(**configured)
    printed = capsys.readouterr().out
    assert r"\x1b]0;owned\x07\u202e" in printed
    assert r"GET /\x9b2J" in printed
    assert not [order for order in ("\x1b]", "\x07", "\u202e", "\x9b") if order in printed]
