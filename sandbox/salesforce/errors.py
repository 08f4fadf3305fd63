"""The Salesforce stand-in's refusals: every error code that it answers, with status and wording."""

from typing import Any


class Refused(Exception):  # noqa: N818 - it is the vendor's answer, not a fault of ours
    """An answer in the vendor's error form: an array of message, code and perhaps fields."""

    def __init__(
        self, status: int, code: str, message: str, fields: list[str] | None = None, **more: Any
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.fields, self.more = status, code, message, fields, more

    def body(self) -> list[dict[str, Any]]:
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = self.fields
        return [error | self.more]

    def row(self) -> dict[str, Any]:
        """The same refusal as a row of a DML result, where the key is statusCode."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields or []}


class Ambiguous(Exception):  # noqa: N818 - same
    """More than one record has this external id: 300 and their addresses."""

    def __init__(self, ids: list[str]) -> None:
        super().__init__("more than one record")
        self.ids = ids


def bad_request(code: str, message: str, fields: list[str] | None = None) -> Refused:
    return Refused(400, code, message, fields)


def not_found(message: str = "The requested resource does not exist") -> Refused:
    return Refused(404, "NOT_FOUND", message)


def unrecognized(field: str) -> Refused:
    return bad_request("JSON_PARSER_ERROR", f'Unrecognized field "{field}" at [line:1, column:1]')


def unknown_reference(status: int = 400) -> Refused:
    return Refused(status, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])


def session_gone() -> Refused:
    return Refused(401, "INVALID_SESSION_ID", "Session expired or invalid")


def allowance_gone() -> Refused:
    return Refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def too_many_at_once() -> Refused:
    return Refused(
        403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
    )


def method_not_allowed(method: str) -> Refused:
    return Refused(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are HEAD,GET")


def no_such_column(field: str, name: str) -> Refused:
    return bad_request("INVALID_FIELD", f"No such column '{field}' on sobject of type {name}")


def not_writable(fields: list[str]) -> Refused:
    return bad_request(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        f"Unable to create/update fields: {', '.join(fields)}. Please check the security settings of this "
        "field and verify that it is read/write for your profile or permission set.",
        fields,
    )


def missing(fields: list[str]) -> Refused:
    return bad_request(
        "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(fields)}]", fields
    )


def duplicate(field: str, record_id: str) -> Refused:
    return bad_request(
        "DUPLICATE_VALUE",
        f"duplicate value found: {field} duplicates value on record with id: {record_id[:15]}",
        [],
    )


def not_deserialized(kind: str, value: Any) -> Refused:
    token = (
        "VALUE_STRING" if isinstance(value, str) else "START_OBJECT" if isinstance(value, dict) else "VALUE"
    )
    return bad_request(
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {kind} from {token} value {value} or request may be missing a "
        "required field at [line:1, column:2]",
    )
