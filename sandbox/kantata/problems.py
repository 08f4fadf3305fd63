"""Kantata stand-in: how a request is refused, in the vendor's own list of errors."""

from typing import Any


class RefusalError(Exception):
    """A refusal that knows its status and the entries of its `errors` list."""

    def __init__(self, status: int, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors[0]["message"])
        self.status = status
        self.body = {"errors": errors}


def fault(field: str, message: str) -> dict[str, Any]:
    return {"type": "validation", "message": message, "field": field}


def invalid(field: str, message: str) -> RefusalError:
    return RefusalError(422, [fault(field, message)])


def system(status: int, message: str) -> RefusalError:
    return RefusalError(status, [{"type": "system", "message": message}])


def unauthorised() -> RefusalError:
    return RefusalError(401, [{"type": "oauth", "message": "Invalid OAuth 2 Request"}])


def forbidden(message: str = "You are not authorized to perform this action.") -> RefusalError:
    return system(403, message)


def not_found() -> RefusalError:
    return system(404, "Not found")


def too_many() -> RefusalError:
    return system(429, "Rate limit exceeded. Please try again later.")
