"""kit/postings: what may become of a record, and how an answer divides a batch; pure."""

from collections import Counter
from collections.abc import Collection
from typing import Literal

import msgspec

from contracts.canonical.batch import BatchResult, Posted, RefusedRecord

State = Literal["gathered", "claimed", "sent", "doubtful", "done", "refused", "skipped", "observed"]
MOVES: dict[State, tuple[State, ...]] = {
    "gathered": ("claimed",),
    "claimed": ("sent", "refused", "doubtful", "observed"),
    "sent": ("done", "refused", "doubtful", "claimed"),
    "doubtful": ("done", "claimed", "refused"),  # it was looked up, or a person gave its batch up
    "refused": ("gathered", "skipped"),  # a person decided
    "observed": ("gathered",),  # its flow is live now
    "done": (),
    "skipped": (),
}
UNFINISHED: tuple[State, ...] = ("gathered", "claimed", "sent", "doubtful", "refused")


def sources_of(state: State) -> tuple[State, ...]:
    """The states out of which a record may come into this one."""
    return tuple(source for source, targets in MOVES.items() if state in targets)


class Settled(msgspec.Struct, frozen=True):
    """An answer against what was sent: each key once, and those that were not sent or came twice."""

    done: tuple[Posted, ...] = ()
    refused: tuple[RefusedRecord, ...] = ()
    doubtful: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()


def settle(sent: Collection[str], answer: BatchResult) -> Settled:
    """What the answer says of each key; one that it does not name, or names twice, is doubtful."""
    named = Counter(each.key for each in (*answer.done, *answer.refused))
    named.update(answer.doubtful)
    clear = {key for key in sent if named[key] == 1}
    done = tuple(each for each in answer.done if each.key in clear)
    refused = tuple(each for each in answer.refused if each.key in clear)
    settled = {each.key for each in (*done, *refused)}
    return Settled(
        done=done,
        refused=refused,
        doubtful=tuple(key for key in sent if key not in settled),
        unexpected=tuple(sorted(key for key, count in named.items() if count > 1 or key not in set(sent))),
    )
