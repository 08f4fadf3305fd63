"""Business objects: the kinds of record that systems report changes of, each declared beside its noun."""

import msgspec


class BusinessObject(msgspec.Struct, frozen=True):
    """One kind of record, by its name in events, cross-references and ownership rules.

    `stage` is the stage (of the ownership rules) of an object that a flow has cross-referenced: changes are
    judged by it. Changes of an object without one are not judged.
    """

    name: str
    stage: str = ""

    @property
    def changed(self) -> str:
        """The type of the event that a record of this kind changed in a system."""
        return f"enfilade.{self.name}.changed.v1"
