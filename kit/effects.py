"""kit: effects: the one way in which a flow changes something in another system.

An `Effect` is data: which operation of which instance, under which key, with which body, and what undoes it.
`Effects.apply` performs it as a durable step, or in a run that only observes records what it would send.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Generic, TypeVar, cast

import msgspec

from contracts.canonical.values import Ref
from contracts.canonical.workflow import PlannedRequest
from contracts.problems import NotFound, PreconditionFailed, Problem, Unexpected
from kit import context, ledger
from kit.database import Database
from kit.operations import Bound, bind, bound_of
from kit.ownership import Ownership
from kit.workflows import ExceptionDraft, Recheck, Run

I = TypeVar("I")  # noqa: E741 - an interface
T = TypeVar("T", bound=msgspec.Struct)
Reading = Callable[..., Awaitable[T]]

# Every create goes out under a key that the vendor itself keeps unique, so a request that was lost and
# commits late meets the same object: nothing need be waited out before it is sent again.
WAIT_OUT_SECONDS = 0.0
_sending: ContextVar[bool] = ContextVar("enfilade_sending", default=False)


def guarded(interface: type[I], client: I) -> I:
    """The client as flows are given it: a write that is not part of an effect raises Unexpected."""
    methods = {bound.name: _guard(bound, getattr(client, bound.name)) for bound in bind(interface)}
    return cast("I", SimpleNamespace(**methods))


def _guard(bound: Bound, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    if bound.operation.access == "read":
        return method

    async def call(*arguments: Any, **named: Any) -> Any:
        if not _sending.get():
            raise Unexpected(f"{bound.api.slug} {bound.name} was called outside an effect.")
        with _permission(granted=False):  # for this call only, not for what the called flow does
            return await method(*arguments, **named)

    return call


@contextmanager
def _permission(*, granted: bool) -> Iterator[None]:
    token = _sending.set(granted)
    try:
        yield
    finally:
        _sending.reset(token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What the effects of one case share: the record that they follow from, as the ledger names it.

    `explain` words the exception of one that fails for good; `recheck` is what they rest on.
    """

    record: str
    revision: int
    explain: Callable[[Problem], ExceptionDraft]
    recheck: Recheck | None = None


@dataclass(frozen=True, slots=True)
class Owned:
    """As what the body's fields are judged by the ownership rules.

    `renamed` gives the rules' names of fields that the body calls otherwise; `unowned` have no owner.
    """

    object: str
    stage: str
    renamed: Mapping[str, str] = field(default_factory=dict)
    unowned: frozenset[str] = frozenset()

    def fields(self, body: msgspec.Struct) -> list[str]:
        """The owned fields that a body would write, under the names of the rules."""
        return [self.renamed.get(name, name) for name in body.__struct_fields__ if name not in self.unowned]


@dataclass(frozen=True, slots=True)
class Undo(Generic[T]):
    """How an effect is taken back: by an operation under the same key.

    `body` makes its body of what the effect returned and what stood there before (`Effect.before`; None
    without); without `body` the operation takes none. `needed` says whether there is anything to take back.
    """

    title: str
    operation: Callable[..., Awaitable[Any]]
    body: Callable[[T, T | None], msgspec.Struct] | None = None
    needed: Callable[[T], bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect(Generic[T]):
    """One change in another system.

    `step` names it in the run, `title` says to people what it is for. `operation` is the interface's method;
    `body` is built anew for each try, for what it is made of may have been read again. `noun` is what comes
    of it; together with `instance` and `scope` it is the ledger's target.

    `find` reads what the key has made; without `found_is_complete` that may be half-made, and only sending
    again completes it. An effect without `find` is sent again as it is, and the ledger does not know it.
    `before` reads what stands there, in a step of its own, for an `undo` to the former value. `resend` has it
    sent even if the ledger has it as done: its body is another by now. `if_unmet` gives what stands for the
    result where the vendor refuses a precondition, or raises. `placeholder` completes what observe mode
    returns in place of the result.
    """

    step: str
    title: str
    instance: str
    operation: Callable[..., Awaitable[T]]
    key: str
    body: Callable[[], msgspec.Struct]
    returns: type[T]
    noun: str
    scope: str = ""
    find: Reading[T] | None = None
    before: Reading[T] | None = None
    undo: Undo[T] | None = None
    owned: Owned | None = None
    detail: Callable[[T], str] | None = None
    found_is_complete: bool = True
    resend: bool = False
    if_unmet: Callable[[PreconditionFailed], Awaitable[T]] | None = None
    placeholder: Callable[[T], T] | None = None

    @property
    def target(self) -> str:
        """The effect as the ledger names it beside its source."""
        return ":".join(filter(None, (self.instance, self.noun, self.scope)))


class Effects:
    """Performs effects; `clients` gives the guarded client of an interface at an instance."""

    def __init__(
        self, clients: Callable[[type[Any], str], Any], ownership: Ownership, database: Database
    ) -> None:
        self._clients = clients
        self._ownership = ownership
        self._database = database

    async def apply(self, run: Run, source: Source, effect: Effect[T]) -> T:
        """What the operation returned, as a durable step of the run; a placeholder in one that observes."""
        if run.observing:
            return await self._plan(run, source, effect)
        before = await self._before(run, source, effect)
        find, undo = effect.find or effect.before, effect.undo

        async def take_back(made: T) -> None:
            if undo is not None:
                await self._undo(source, effect, undo, made, before)

        return await run.step(
            effect.step,
            effect.title,
            lambda: self._perform(source, effect),
            returns=effect.returns,
            undo=take_back if undo else None,
            undo_title=undo.title if undo else "",
            find=(lambda: self._find(effect, find)) if find else None,
            refs=_refs,
            detail=effect.detail,
            explain=source.explain,
            recheck=source.recheck,
        )

    async def _plan(self, run: Run, source: Source, effect: Effect[T]) -> T:
        async def work_out() -> PlannedRequest:
            body = msgspec.json.encode(self._body(effect)).decode()
            operation = bound_of(effect.operation).operation_id
            return PlannedRequest(effect.step, effect.instance, operation, effect.key, body)

        planned = await run.step(
            effect.step,
            effect.title,
            work_out,
            returns=PlannedRequest,
            detail=lambda _: "Worked out, not sent",
            explain=source.explain,
        )
        await run.would_send(planned)
        made = _placeholder(effect)
        return effect.placeholder(made) if effect.placeholder else made

    async def _before(self, run: Run, source: Source, effect: Effect[T]) -> T | None:
        """What stands there before the change, stored with the run; None for nothing."""
        reading = effect.before
        if reading is None:
            return None

        async def read() -> tuple[T, ...]:
            found = await self._find(effect, reading)
            return (found,) if found is not None else ()

        found = await run.step(
            f"{effect.step}-before",
            f"Read what stands there: {effect.title}",
            read,
            returns=tuple[effect.returns, ...],  # pyright: ignore[reportArgumentType] - a type for msgspec
            explain=source.explain,
        )
        return next(iter(found), None)

    def _body(self, effect: Effect[T]) -> msgspec.Struct:
        """The body; raises OwnershipViolation where we may not write it."""
        body = effect.body()
        self.demand(effect.owned, body)
        return body

    def demand(self, owned: Owned | None, body: msgspec.Struct) -> None:
        """That we may write the fields of a body; raises OwnershipViolation."""
        if owned is not None:
            self._ownership.demand(owned.object, owned.stage, "enfilade", owned.fields(body))

    async def _perform(self, source: Source, effect: Effect[T]) -> T:
        try:
            return await self._once(source, effect) if effect.find else await self._send(effect)
        except PreconditionFailed as refusal:
            if effect.if_unmet is None:
                raise
            return await effect.if_unmet(refusal)

    async def _once(self, source: Source, effect: Effect[T]) -> T:
        if effect.resend:
            await self._mark_undone(source, effect)
        find = effect.find if effect.found_is_complete else None
        return await ledger.once(
            self._database,
            source=source.record,
            revision=source.revision,
            target=effect.target,
            key=effect.key,
            do=lambda: self._send(effect),
            find=lambda: self._find(effect, find),
            returns=effect.returns,
            wait_out=WAIT_OUT_SECONDS,
        )

    async def _send(self, effect: Effect[T]) -> T:
        return await self._call(effect, effect.operation, self._body(effect))

    async def _undo(
        self, source: Source, effect: Effect[T], undo: Undo[T], made: T, before: T | None
    ) -> None:
        if undo.needed is None or undo.needed(made):
            await self._call(effect, undo.operation, *([undo.body(made, before)] if undo.body else []))
        if effect.find:
            await self._mark_undone(source, effect)

    async def _mark_undone(self, source: Source, effect: Effect[T]) -> None:
        await ledger.undone(
            self._database, source=source.record, revision=source.revision, target=effect.target
        )

    async def _find(self, effect: Effect[T], reading: Reading[T] | None) -> T | None:
        if reading is None:
            return None
        try:
            return await self.read(effect.instance, reading, effect.key)
        except NotFound:
            return None

    async def _call(
        self, effect: Effect[T], operation: Callable[..., Awaitable[Any]], *body: msgspec.Struct
    ) -> Any:
        return await self.send(effect.instance, operation, effect.key, *body)

    async def send(
        self, instance: str, operation: Callable[..., Awaitable[Any]], key: str, *body: msgspec.Struct
    ) -> Any:
        """Send a write: its key stands in the path, or beside the body as the Idempotency-Key.

        Neither recorded nor judged: for what does both by itself, as `apply` does and `kit.postings`.
        """
        bound = bound_of(operation)
        method = self._method(instance, bound)
        with _permission(granted=True):
            if bound.operation.idempotency != "key":
                return await method(key, *body)
            here = msgspec.structs.replace(context.current(), idempotency_key=key)
            with context.use(here):
                return await method(*body)

    async def read(self, instance: str, operation: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        """The answer of an operation that reads."""
        return await self._method(instance, bound_of(operation))(*arguments)

    def _method(self, instance: str, bound: Bound) -> Callable[..., Awaitable[Any]]:
        return getattr(self._clients(bound.interface, instance), bound.name)


def _refs(made: msgspec.Struct) -> tuple[Ref, ...]:
    return getattr(made, "refs", ())


def _placeholder(effect: Effect[T]) -> T:
    """What stands for the result where nothing is sent: the body's values, the rest named in brackets.

    It is for building later bodies, and is neither validated nor stored.
    """
    name = f"<{effect.noun}>"
    known = msgspec.structs.asdict(effect.body())
    known |= {"id": name, "refs": (Ref(effect.instance, effect.noun, name, f"<{effect.noun} url>"),)}
    fields = msgspec.structs.fields(effect.returns)
    return effect.returns(
        **{
            each.name: known.get(each.name, f"<{effect.noun} {each.name}>")
            for each in fields
            if each.required or each.name in known
        }
    )
