"""system_apis: Toy PSA's refusals in our taxonomy, in one table."""

from contracts.problems import NotFound, Problem, VendorRejected, VendorUnavailable
from kit.http import Answer
from system_apis.connector.errors import Meaning, Origin, Refusal, meaning_of, problem_of

MEANINGS = (
    Meaning(VendorRejected, "our login is not accepted", 401),
    Meaning(VendorRejected, "our user lacks the permission", 403),
    Meaning(NotFound, "there is no such record, or it is hidden from our user", 404),
    Meaning(VendorRejected, "the account refused the record", 422),
    Meaning(VendorUnavailable, "too many calls at a time", 429),
)


def read_error(answer: Answer) -> Problem | None:
    """The problem of an error answer; None where its status says all."""
    meaning = meaning_of(MEANINGS, answer.status, Refusal())
    return problem_of(Origin.of(answer), meaning) if meaning else None
