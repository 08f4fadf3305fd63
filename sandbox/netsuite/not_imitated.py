"""What NetSuite has and its stand-in lacks: each is refused when it is asked for, and listed in README.md."""

from collections.abc import Collection, Mapping

from sandbox.netsuite.problems import Refusal

LACKING = {
    "restlet": "RESTlets (`/app/site/hosting/restlet.nl`)",
    "soap": "SOAP (`/services/NetSuitePort_…`)",
    "service": "other REST services, such as `query/v1/dataset` and `query/v1/workbook`",
    "form": "form metadata (`Accept: …; type=create-form`, `edit-form`, `select-options`)",
    "action": "actions on records (`@approve`)",
    "attach": "attaching and detaching (`!attach`, `!detach`)",
    "transform": "transformations other than salesOrder to invoice",
    "record": "record types other than those above",
    "batch read": "reading several records in one call (`ids`, `expandRecords`)",
    "query": "query parameters other than those above",
    "clause": "SuiteQL: subqueries, `WITH`, `UNION`, `LIMIT`, `TOP`, right and full joins, `LIKE … ESCAPE`",
    "function": "SuiteQL: other functions, window functions, formats of numbers, `TRUNC` to decimals",
    "date format": "SuiteQL: date formats with other parts than `YYYY YY MONTH MON MM DD HH24 HH12 HH MI SS "
    "FF AM PM DAY DY`, and `TRUNC` to others than `DD MM MONTH YYYY YEAR`",
    "field": "SuiteTax, and other fields of these record types (unless the header has them warned of "
    "or ignored)",
}
FORMS = ("type=create-form", "type=edit-form", "type=select-options")
OF_LIST, OF_RECORD = ("limit", "offset", "q"), ("expandSubResources", "fields", "simpleEnumFormat")
OF_CHANGE, OF_QUERY, OF_CATALOGUE = ("replace", "replaceSelectedFields"), ("limit", "offset"), ("select",)
PARAMETERS = (*dict.fromkeys((*OF_LIST, *OF_RECORD, *OF_CHANGE, *OF_CATALOGUE)),)


def lacking(what: str, status: int = 400) -> Refusal:
    """The refusal of what NetSuite would do."""
    return Refusal(status, "INVALID_REQUEST", f"This stand-in does not imitate {LACKING[what]}.")


def check_query(query: Mapping[str, str], allowed: Collection[str]) -> None:
    """Raises: Refusal, for a parameter without an effect."""
    if {"ids", "expandRecords"} & set(query):
        raise lacking("batch read")
    unknown = sorted(set(query) - set(allowed))
    if unknown:
        named = ", ".join(allowed) or "none"
        sentence = f"Invalid query parameter '{unknown[0]}'. The allowed query parameters are: {named}."
        raise Refusal(400, "INVALID_QUERY_PARAM", sentence, errorQueryParam=unknown[0])


def check_accept(accept: str) -> None:
    """Raises: Refusal."""
    if any(form in accept.replace(" ", "") for form in FORMS):
        raise lacking("form")
