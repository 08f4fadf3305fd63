"""tests/system_apis: whatever stands in a vendor's record, header or call is read, or is refused."""

import datetime as dt
import hashlib
import hmac
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from contracts.problems import InvalidToken, NotFound, VendorRejected
from kit.http.answer import VendorAnswer
from kit.http.auth import lifetime
from kit.http.call import retry_after
from kit.secrets import Secret
from system_apis.connector import erp, psa, values
from system_apis.connector.custom_values import CustomValue, custom_fields
from system_apis.connector.signatures import HmacSignature
from system_apis.connector.webhooks import WebhookRequest
from system_apis.platforms.salesforce_org import errors
from system_apis.platforms.salesforce_org.records import ChangeEventHeader
from system_apis.platforms.salesforce_org.values import moment
from tests.support.hostile_values import JSON, TEXTS

each_text = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)


@each_text
def test_a_signed_timestamp_of_any_form_is_judged(text: str):
    """Whoever holds the secret may sign what they like as the time: fresh or refused."""
    signature = HmacSignature("x-signature", lambda _, stamp: stamp.encode(errors="replace"), "x-time")
    signed = hmac.new(b"s", text.encode(errors="replace"), hashlib.sha256).hexdigest()
    request = WebhookRequest("POST", "https://us.test/hooks/a", {"x-signature": signed, "x-time": text})
    with pytest.raises(InvalidToken):
        signature.verify(request, [Secret("s")])


@each_text
def test_a_header_of_any_form_is_read_or_ignored(text: str):
    """The vendor's rest, use of the allowance and a token's lifetime: bounded numbers, or none."""
    rest = retry_after({"Retry-After": text})
    assert rest is None or 0 <= rest <= 7 * 86_400
    for info in (text, f"api-usage={text}/15000", f"api-usage=18/{text}"):
        answer = VendorAnswer("crm-1", "GET", "/", 200, {"Sforce-Limit-Info": info}, b"")
        usage = errors.usage(answer)
        assert usage is None or max(usage) < 10**18
    assert lifetime(text, 60) >= 0


@pytest.mark.parametrize("value", JSON.values(), ids=JSON)
def test_a_lifetime_of_any_type_is_bounded(value: Any):
    """`expires_in` may be anything: the token lasts for some time, or as its vendor documents."""
    assert lifetime(value, 60) >= 0


@each_text
def test_a_text_of_any_form_is_an_id_or_is_not_found(text: str):
    """Where ids are whole numbers, nothing else is one, and what is one can be computed with."""
    with suppress(NotFound):
        assert 0 < int(values.whole_number_ids("the vendor")("customer", text)) < 10**18


@each_text
def test_our_own_fields_hold_what_people_made_of_them(text: str):
    """A contract's revision and a booking's mark, edited by hand, are ours or none."""
    fields = erp.ContractFields(revision="custbody_revision")
    revision = erp.own_values(fields, lambda _: text)["revision"]
    assert isinstance(revision, int)
    assert 0 <= revision < 10**18
    mark = psa.mark_of(f"Enfilade key-1/{text}")
    assert mark is None or mark.number < 10**9


@each_text
def test_a_custom_field_gets_a_number_or_a_refusal(text: str):
    """A text for a number field is a finite number, or a fault that names the field."""
    wanted = {"cf_1": CustomValue(value=text or "x", kind="number")}
    with suppress(VendorRejected):
        (number,) = custom_fields(wanted, None, "erp-1").values()
        assert abs(number) < 10**18


@pytest.mark.parametrize("value", JSON.values(), ids=JSON)
def test_an_event_committed_at_any_time_has_an_instant_or_is_unreadable(value: Any):
    """What cannot be an instant is off the schema, before anything is computed with it."""
    header = {
        "entityName": "Opportunity",
        "recordIds": [],
        "changeType": "UPDATE",
        "changeOrigin": "",
        "commitTimestamp": value,
        "commitNumber": 1,
    }
    with suppress(msgspec.ValidationError, UnicodeError):
        found = msgspec.convert(header, ChangeEventHeader)
        assert 0 <= found.commit_timestamp / 1000 < 253_402_300_800


INSTANTS = {
    **JSON,
    "long before all calendars": -(10**15),
    "long after": 10**15,
    "before the year 1 in UTC": "0001-01-01T00:00:00+14:00",
    "after 9999 in UTC": "9999-12-31T23:59:59-14:00",
}


@pytest.mark.parametrize("value", INSTANTS.values(), ids=INSTANTS)
def test_a_value_of_any_form_is_an_instant_or_a_value_error(value: Any):
    """Readers take no other exception for a record or an event that is off its schema."""
    with suppress(ValueError):
        at = moment(value)
        assert at is None or at.utcoffset() == dt.timedelta(0)


@each_text
def test_an_id_in_a_profile_is_a_number_that_can_be_computed_with(text: str):
    """Any other is a fault of the profile, before a query is made of it."""
    tables = {name: {} for name in erp.TABLES} | {erp.TABLES[0]: {text: "code"}}
    if not list(erp.number_faults(cast("erp.ErpProfile", SimpleNamespace(**tables)), "the vendor")):
        assert abs(int(text)) < 10**18
