"""tests/kit: entity tags in conditions, as clients and proxies send them (conditions.toml)."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from contracts.problems import PreconditionFailed
from kit.conditions import FIELD, names, require_match

CASES = tomllib.loads(Path(__file__).with_suffix(".toml").with_stem("conditions").read_text())["case"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["field"])
def test_a_condition_is_compared_as_the_rfc_has_it(case: dict[str, Any]) -> None:
    """Lists and weak tags are well-formed; which name the tag depends on the comparison."""
    wellformed = re.match(FIELD, case["field"]) is not None
    assert wellformed is not case.get("malformed", False)
    if wellformed:
        compared = [names(case["field"], '"1"', weak=weak) for weak in (False, True)]
        assert compared == [case["strong"], case["weak"]]


@pytest.mark.parametrize(
    ("sent", "said"),
    [('"1"', "read it again"), ('W/"2"', "strong ETags only"), ('"1", W/"1"', "read it again")],
)
def test_a_refusal_says_what_to_send(sent: str, said: str) -> None:
    """Whoever sent another version, or a weak tag, is told the entity tag that will do."""
    with pytest.raises(PreconditionFailed, match=said) as refused:
        require_match(sent, 2)
    assert refused.value.detail.endswith('send If-Match: "2"')
    assert refused.value.headers == {"ETag": '"2"'}


def test_a_long_list_is_read_in_linear_time() -> None:
    """No list of tags, however odd, keeps the gateway busy."""
    assert re.match(FIELD, ', "1" \t' * 1500 + "x") is None
