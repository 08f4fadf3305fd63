"""tests of webhooks: signatures of several vendors, verified by one piece, as their own vectors say."""

import pytest

from contracts.problems import InvalidToken
from kit.secrets import Secret
from system_apis.connector import WebhookRequest
from system_apis.connector.signatures import HmacSignature
from tests.system_apis.webhooks.toys import HUB, PEOPLE, hub_headers, people_headers

URL = "https://www.example.com/webhook_uri"
BODY = (
    b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,'
    b'"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM",'
    b'"changeFlag":"NEW","appId":54321}]'
)
NOW = 1_764_000_000.0


def at(signature: HmacSignature, now: float) -> HmacSignature:
    return HmacSignature(**{**vars(signature), "now": lambda: now})


def test_known_vectors() -> None:
    """Signatures that were computed elsewhere are valid: of a call with its address, and of body and time."""
    headers = {
        "x-hub-signature-v3": "XornzQVAopuis2A5VkFNwNTSty1HzGgZctWDpqO4kD4=",
        "x-hub-request-timestamp": "1764000000000",
    }
    secret = Secret("yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy")
    at(HUB, NOW).verify(WebhookRequest("POST", URL, headers, BODY), [secret])
    body = (
        b'{"employees":[{"changedFields":["First name"],"fields":{"Employee #":{"value":"300"},'
        b'"First name":{"value":"Tefi"},"Last name":{"value":"Adams"}},"id":"5"}]}'
    )
    headers = {
        "x-people-signature": "56491dd9c2b352bc5f4fc627159aae20ddff9c8cb19f239a6de6771dc5310bac",
        "x-people-timestamp": "1658248023",
    }
    key = Secret("123b929362d51613054f71e5e5d4bf2c")
    at(PEOPLE, 1658248023).verify(WebhookRequest("POST", URL, headers, body), [key])


@pytest.mark.parametrize(
    ("method", "url", "body", "seconds"),
    [
        ("PUT", URL, BODY, 0),
        ("POST", URL + "?a=1", BODY, 0),
        ("POST", URL.replace("https", "http"), BODY, 0),
        ("POST", URL, BODY + b" ", 0),
        ("POST", URL, BODY, 301),
        ("POST", URL, BODY, -301),
    ],
)
def test_whatever_differs_is_refused(method: str, url: str, body: bytes, seconds: float) -> None:
    """Another method, address or body, one too old and one from the future are refused."""
    headers = hub_headers("POST", URL, BODY, "s", NOW)
    at(HUB, NOW).verify(WebhookRequest("POST", URL, headers, BODY), [Secret("s")])
    with pytest.raises(InvalidToken):
        at(HUB, NOW + seconds).verify(WebhookRequest(method, url, headers, body), [Secret("s")])


@pytest.mark.parametrize("stamp", ["", "now", "-1", "1e9", "\u0661\u0662", "1764000000.5"])
def test_a_timestamp_that_is_none(stamp: str) -> None:
    """Even rightly signed, a timestamp that is no number of seconds is refused."""
    mac = people_headers(BODY, "s", 0)
    signed = HmacSignature(**{**vars(PEOPLE), "signed": lambda request, _: request.body + b"0"})
    headers = {**mac, "x-people-timestamp": stamp}
    with pytest.raises(InvalidToken, match="too old"):
        at(signed, NOW).verify(WebhookRequest("POST", URL, headers, BODY), [Secret("s")])


def test_both_secrets_of_a_rotation() -> None:
    """While a secret is replaced, calls under the earlier one are still accepted; without any none is."""
    request = WebhookRequest("POST", URL, people_headers(BODY, "old", int(NOW)), BODY)
    at(PEOPLE, NOW).verify(request, [Secret("new"), Secret("old")])
    for secrets in ([Secret("new")], []):
        with pytest.raises(InvalidToken):
            at(PEOPLE, NOW).verify(request, secrets)


def test_a_repetition_has_the_same_digest() -> None:
    """What was signed is recognised when it comes again, whatever else its headers say."""
    headers = people_headers(BODY, "s", int(NOW))
    first = PEOPLE.digest(WebhookRequest("POST", URL, headers, BODY))
    assert PEOPLE.digest(WebhookRequest("POST", URL, {**headers, "x-other": "1"}, BODY)) == first
    assert PEOPLE.digest(WebhookRequest("POST", URL, headers, BODY + b" ")) != first
