"""kit/workflows: how the engine stores values: as JSON that any version can read, never pickle."""

from typing import Any

import msgspec
from dbos import Serializer

from contracts.problems import Problem
from kit import problems

_PROBLEM = "$problem"
_ERROR = "$error"


class StoredError(Exception):
    """A failure that was not a problem of ours, as it was stored: its kind and its text."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(f"{kind}: {words}")
        self.kind = kind
        self.words = words


class JsonSerializer(Serializer):
    """Plain values as JSON; a problem as its document; any other exception as its kind and words."""

    def name(self) -> str:
        return "enfilade_json_1"

    def serialize(self, data: Any) -> str:
        return msgspec.json.encode(_encodable(data)).decode()

    def deserialize(self, serialized_data: str) -> Any:
        value = msgspec.json.decode(serialized_data)
        if isinstance(value, dict) and value.keys() == {_PROBLEM}:
            return problems.from_document(value[_PROBLEM])
        if isinstance(value, dict) and value.keys() == {_ERROR}:
            return StoredError(*value[_ERROR])
        return value


def _encodable(data: Any) -> Any:
    if isinstance(data, Problem):
        return {_PROBLEM: problems.document(data)}
    if isinstance(data, BaseException):
        return {_ERROR: [type(data).__name__, str(data)]}
    return data
