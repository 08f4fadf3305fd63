"""kit/workflows: a person's corrections, held against what the stopped work will read of them."""

import msgspec

from contracts.problems import Fault, Invalid


def require_read(
    corrections: dict[str, str], known: type[msgspec.Struct], names: tuple[str, ...] | None
) -> None:
    """That every name is one of `names`, without these a field of `known`, and its value one of that field.

    A name such as `amount.currency` is of a part of a field. Raises Invalid, with a fault for
    each that nothing reads, which says what can be corrected.
    """
    types = {field.name: field.type for field in msgspec.structs.fields(known)}
    readable = list(types) if names is None else list(names)
    faults = [
        _wrong(name, text, types.get(name, str))
        if name.partition(".")[0] in readable
        else _unread(name, readable)
        for name, text in corrections.items()
    ]
    if wrong := [fault for fault in faults if fault is not None]:
        raise Invalid(" ".join(fault.detail for fault in wrong), errors=wrong)


def _unread(name: str, readable: list[str]) -> Fault:
    can = (
        f"What can be corrected here: {', '.join(readable)}."
        if readable
        else "No value can be corrected here: correct the record in the system that owns it, then replay."
    )
    return Fault(f"/corrections/{name}", f"Nothing would read the correction of {name}. {can}", "unread")


def _wrong(name: str, text: str, kind: type) -> Fault | None:
    try:
        msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as error:
        return Fault(f"/corrections/{name}", f"“{text}” is no value of {name}: {error}.", "invalid")
    return None
