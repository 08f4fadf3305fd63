"""Secrets by reference: configuration names where a secret is, never what it is."""

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path


class SecretError(Exception):
    """A reference without a secret; its message has the reference, never a value."""


class Secret:
    """A value that does not show itself in logs, errors or representations."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself; call it where it is used and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


def literal(text: str, environ: Mapping[str, str]) -> str:
    """A setting that is no secret: it may stand in the text itself or be referred to; raises SecretError."""
    return resolve(text, environ).reveal() if text.startswith(("env:", "file:")) else text


def resolve(reference: str, environ: Mapping[str, str]) -> Secret:
    """The secret that ``env:NAME`` or ``file:PATH`` refers to; raises SecretError.

    ``file:$NAME`` is the file whose path the variable holds.
    """
    kind, _, name = reference.partition(":")
    if kind == "env" and name:
        if not environ.get(name):
            raise SecretError(f"{reference}: the environment variable {name} is not set")
        return Secret(environ[name])
    if kind == "file" and name.startswith("$"):
        return resolve(f"file:{resolve(f'env:{name[1:]}', environ).reveal()}", environ)
    if kind == "file" and name:
        try:
            return Secret(Path(name).read_text(encoding="utf-8").strip())
        except OSError as error:
            raise SecretError(f"{reference}: {error.strerror}") from None
    # It may be a secret itself, pasted where its reference belongs: the message does not repeat it.
    raise SecretError("what stands there is no reference; write env:NAME, file:PATH or file:$NAME")


def load_or_create(path: Path, make: Callable[[], bytes]) -> bytes:
    """The content of a file, created once by the first of several processes and readable by us only."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(make())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()
