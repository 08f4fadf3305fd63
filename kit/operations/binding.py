"""Binding: what each method of an interface takes and answers, sorted into path, query, header and body."""

import inspect
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, get_origin, get_type_hints

import msgspec

from contracts.operation import Api, Operation

_PLACE = re.compile(r"{(\w+)}")


@dataclass(frozen=True, slots=True)
class Bound:
    """One operation of an interface with the types of its parts.

    `query` is a Struct of the query parameters with their defaults, None when there are none;
    `parameters` are the method's own, in its order.
    """

    name: str
    interface: type
    api: Api
    operation: Operation
    doc: str
    path_parameters: dict[str, Any]
    query: type[msgspec.Struct] | None
    body: Any | None
    answer: Any
    takes_if_match: bool
    parameters: tuple[str, ...]

    @property
    def scope(self) -> str:
        """The OAuth scope that the operation asks for."""
        return self.api.scope(self.operation.access)

    @property
    def operation_id(self) -> str:
        """The name of the operation in documents, unique in the deployment."""
        return f"{self.api.name}.{self.name}".replace("-", "_")


def api_of(interface: type) -> Api:
    """The declaration of an interface; raises TypeError for a class that is none."""
    found = getattr(interface, "__api__", None)
    if not isinstance(found, Api):
        raise TypeError(f"{interface.__name__} is not declared with @api")
    return found


@lru_cache(maxsize=256)
def bind(interface: type) -> tuple[Bound, ...]:
    """The operations of an interface in the order in which they are written."""
    api = api_of(interface)
    methods = (
        (name, method)
        for kind in reversed(interface.__mro__)
        for name, method in vars(kind).items()
        if isinstance(getattr(method, "__operation__", None), Operation)
    )
    return tuple(_bind_method(interface, api, name, method) for name, method in dict(methods).items())


@lru_cache(maxsize=256)
def readings(interface: type) -> dict[str, Bound]:
    """The operations that read one record by its id, by the name of the business object that they read."""
    return {bound.operation.reads.name: bound for bound in bind(interface) if bound.operation.reads}


def bound_of(method: Any) -> Bound:
    """The operation of a method as it stands in its interface (`Erp.put_contract`)."""
    return next(bound for bound in bind(method.__interface__) if bound.name == method.__name__)


def _bind_method(interface: type, api: Api, name: str, method: Any) -> Bound:
    operation: Operation = method.__operation__
    hints = get_type_hints(method, include_extras=True)
    parameters = [item for item in inspect.signature(method).parameters.values() if item.name != "self"]
    places = _PLACE.findall(operation.path)
    missing = [place for place in places if place not in hints]
    if missing:
        raise TypeError(f"{api.slug} {name}: the path names {missing}, the method does not")
    if operation.streams and get_origin(hints["return"]) is not AsyncIterator:
        raise TypeError(f"{api.slug} {name}: what streams returns an AsyncIterator[bytes]")
    query = [item for item in parameters if item.name not in {*places, "body", "if_match"}]
    return Bound(
        name=name,
        interface=interface,
        api=api,
        operation=operation,
        doc=inspect.getdoc(method) or "",
        path_parameters={place: hints[place] for place in places},
        query=_query_struct(name, query, hints) if query else None,
        body=hints.get("body"),
        answer=hints["return"],
        takes_if_match="if_match" in hints,
        parameters=tuple(item.name for item in parameters),
    )


def _query_struct(
    name: str, parameters: list[inspect.Parameter], hints: dict[str, Any]
) -> type[msgspec.Struct]:
    fields: list[Any] = [
        (item.name, hints[item.name])
        if item.default is inspect.Parameter.empty
        else (item.name, hints[item.name], item.default)
        for item in parameters
    ]
    return msgspec.defstruct(f"{name}_query", fields, frozen=True, forbid_unknown_fields=True)
