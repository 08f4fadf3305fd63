"""The NetSuite stand-in's refusals: the REST error envelope and the sentences the vendor uses."""

from typing import Any

from starlette.responses import HTMLResponse, Response

from sandbox.core import answer

MEDIA = "application/vnd.oracle.resource+json; type={}; charset=UTF-8"
_RFC = "https://www.rfc-editor.org/rfc/rfc9110.html#section-15."
_LOGIN = (
    "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at "
    "Setup > Users/Roles > User Management > View Login Audit Trail."
)
_STATUS = {
    400: ("Bad Request", "5.1", "USER_ERROR", "Error while accessing a resource. Invalid request."),
    401: (
        "Unauthorized",
        "5.2",
        "INVALID_LOGIN",
        _LOGIN,
    ),
    403: (
        "Forbidden",
        "5.4",
        "INSUFFICIENT_PERMISSION",
        "Permission Violation: You need a higher level of permission.",
    ),
    404: (
        "Not Found",
        "5.5",
        "NONEXISTENT_ID",
        "The record instance does not exist. Provide a valid record instance ID.",
    ),
    405: (
        "Method Not Allowed",
        "5.6",
        "METHOD_NOT_ALLOWED",
        "The requested method is not allowed on this resource.",
    ),
    415: (
        "Unsupported Media Type",
        "5.16",
        "INVALID_HEADER",
        "The media type of the request is not supported.",
    ),
    429: (
        "Bad Request",
        "",
        "CONCURRENCY_LIMIT_EXCEEDED",
        "Concurrent request limit exceeded. Request blocked.",
    ),
    500: (
        "Internal Server Error",
        "6.1",
        "UNEXPECTED_ERROR",
        "An unexpected error occurred. Error ID: kzj5v2q1",
    ),
}


class Refusal(Exception):  # noqa: N818 - the vendor says no; the request is at fault
    """A request that NetSuite refuses, as its error envelope says it."""

    def __init__(self, status: int, code: str = "", detail: str = "", **more: str) -> None:
        title, section, usual_code, usual_detail = _STATUS[status]
        super().__init__(detail or usual_detail)
        self.status = status
        self.headers: dict[str, str] = {}
        extra = {f"o:{key}": value for key, value in more.items() if value}
        error = {"detail": detail or usual_detail, **extra, "o:errorCode": code or usual_code}
        self.body: dict[str, Any] = {"title": title, "status": status, "o:errorDetails": [error]}
        if section:
            self.body = {"type": f"{_RFC}{section}", **self.body}
        else:
            self.body["o:errorCode"] = "USER_ERROR"

    def response(self) -> Response:
        return answer(self.body, self.status, self.headers, MEDIA.format("error"))


def user_error(sentence: str) -> Refusal:
    """A business rule's no."""
    return Refusal(400, "USER_ERROR", f"Error while accessing a resource. {sentence}")


def missing_values(labels: list[str]) -> Refusal:
    return user_error(f"Please enter value(s) for: {', '.join(labels)}.")


def invalid_reference(value: Any, name: str, path: str) -> Refusal:
    detail = (
        f"Error while accessing resource: You have entered an Invalid Field Value {value} "
        f"for the following field: {name}"
    )
    return Refusal(400, "INVALID_CONTENT", detail, errorPath=path)


def invalid_value(path: str) -> Refusal:
    detail = f"Invalid value for the resource or sub-resource field '{path}'. Provide a valid value."
    return Refusal(400, "INVALID_CONTENT", detail, errorPath=path)


def too_long(name: str, most: int, path: str) -> Refusal:
    detail = (
        f"The field {name.lower()} contained more than the maximum number ( {most} ) of characters allowed."
    )
    return Refusal(400, "USER_ERROR", f"Error while accessing a resource. {detail}", errorPath=path)


def unknown_type(name: str) -> Refusal:
    return Refusal(
        404, "", f"Record type '{name}' does not exist.", errorUrl=f"/services/rest/record/v1/{name}"
    )


def wrong_transaction() -> Refusal:
    return user_error("Transaction type specified is incorrect.")


def bad_query(name: str, detail: str) -> Refusal:
    return Refusal(400, "INVALID_PARAMETER", detail, errorQueryParam=name)


def injected(status: int) -> Response:
    """The body NetSuite would give with a status that a fault asks for."""
    if status in _STATUS:
        return Refusal(status).response()
    page = "<html><head><title>NetSuite</title></head><body><h1>The system is unavailable</h1></body></html>"
    return HTMLResponse(page, status)
