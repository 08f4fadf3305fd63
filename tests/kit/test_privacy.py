"""tests/kit: people under pseudonyms, and what may be asked about them."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from sqlalchemy import select, text

from contracts.problems import Conflict, NotFound
from kit import audit, context, idempotency, privacy
from kit.audit.tables import audit as trail
from kit.context import Caller, Context
from kit.database import Database
from kit.database.tables import runs
from kit.privacy.requests import erase, export
from kit.privacy.tables import holds, persons
from kit.secrets import Secret
from kit.settings import SettingsError
from tests.support.databases import open_database

FIONA = Caller(subject="fiona.finance@example.com", consumer="finance-desk")
MACHINE = Caller(subject="crm-screen", consumer="crm-screen")


async def pseudonym(database: Database, subject: str = FIONA.subject) -> str:
    async with database.begin() as connection:
        return await privacy.of(connection).pseudonym(connection, subject)


async def exported(database: Database, who: str) -> None:
    async with database.begin() as connection:
        await export(connection, who)


async def note(database: Database) -> None:
    async with database.begin() as connection:
        await audit.write(
            connection,
            action="customer.approved",
            outcome="approved",
            actor=FIONA.subject,
            consumer=FIONA.consumer,
            subject="cus_1",
            personal={"reason": "I know them well"},
        )


async def everything(database: Database) -> str:
    """All that the audit and the people's table hold, as text."""
    async with database.connect() as connection:
        found = [(await connection.execute(select(table))).all() for table in (trail, persons)]
    return repr(found)


async def test_a_person_has_one_pseudonym_that_says_nothing(database: Database) -> None:
    """Asked at once by many, again later and by another process, it is the same; the name is nowhere."""
    found = set(await asyncio.gather(*(pseudonym(database) for _ in range(8))))
    async with open_database(database.url) as other:
        found.add(await pseudonym(other))
    assert len(found) == 1
    assert privacy.is_pseudonym(found.pop())
    assert await pseudonym(database, "otto") not in found
    assert FIONA.subject not in await everything(database)


async def test_a_pseudonym_that_was_rolled_back_is_not_remembered(database: Database) -> None:
    """What a failed transaction minted is minted anew, and never points at nobody."""

    async def fail() -> None:
        async with database.begin() as connection:
            people = privacy.of(connection)
            lost.append(await people.pseudonym(connection, FIONA.subject))
            assert await people.pseudonym(connection, FIONA.subject) == lost[0]
            raise RuntimeError

    lost: list[str] = []
    with pytest.raises(RuntimeError):
        await fail()
    kept = await pseudonym(database)
    assert kept != lost[0]
    assert await pseudonym(database) == kept


async def test_lines_name_people_by_pseudonym_and_machines_by_name(database: Database) -> None:
    """A line's actor and personal words are opened by the person's key only."""
    await note(database)
    async with database.begin() as connection:
        await audit.write(
            connection,
            action="a",
            outcome="b",
            actor="ci",
            consumer="ci",
            personal={"source": "192.0.2.1"},
        )
    held = await everything(database)
    assert FIONA.subject not in held
    assert "I know them well" not in held
    async with database.connect() as connection:
        rows = (await connection.execute(select(trail).order_by(trail.c.seq))).all()
        people = privacy.of(connection)
        opened = await people.unseal(connection, rows[0].actor, rows[0].detail[audit.SEALED])
    assert opened == {"reason": "I know them well"}
    assert (rows[1].actor, rows[1].detail) == ("ci", {"source": "192.0.2.1"})


async def test_who_decided_is_shown_to_callers_only(database: Database) -> None:
    """A request's caller sees the name; a durable step, whose results are kept, sees the pseudonym."""
    who = await pseudonym(database)
    async with database.connect() as connection:
        with context.use(Context("cor_1", caller=MACHINE)):
            assert await privacy.shown(connection, who) == FIONA.subject
            assert await privacy.shown(connection, "crm-screen") == "crm-screen"
            assert await privacy.actor(connection) == "crm-screen"
        with context.use(Context("cor_1", actor=who)):
            assert await privacy.shown(connection, who) == who
            assert await privacy.actor(connection) == who
        with context.use(Context("cor_1", caller=FIONA)):
            assert await privacy.actor(connection) == who


async def test_an_erased_person_is_noise_and_the_trail_still_verifies(database: Database) -> None:
    """The key is gone from the row; lines stay, say nothing, verify; who comes again is somebody new."""
    await note(database)
    await audit.anchor(database)
    who = await pseudonym(database)
    async with database.begin() as connection:
        before = (await export(connection, FIONA.subject)).rows["audit"][0]
    with context.use(Context("cor_1", caller=Caller("olga", "operations"))):
        async with database.begin() as connection:
            await erase(connection, FIONA.subject, "asked to be forgotten")
    async with database.begin() as connection:
        after = await export(connection, who)
        assert await privacy.shown(connection, who) == who
        row = (await connection.execute(select(persons).where(persons.c.id == who))).one()
        told = (await connection.execute(select(trail).where(trail.c.action == "privacy.erased"))).one()
        olga = await privacy.of(connection).find(connection, "olga")
        reason = await privacy.of(connection).unseal(connection, told.actor, told.detail[audit.SEALED])
    assert (await audit.check(database)).faults == ()
    assert before["personal"] == {"reason": "I know them well"}
    assert after.rows["audit"][0]["personal"] == {}
    assert after.fields == {}
    assert (row.lookup, row.wrapped_key, row.sealed) == (None, None, None)
    assert (told.actor, told.subject, reason) == (olga, who, {"reason": "asked to be forgotten"})
    assert await pseudonym(database) != who
    with pytest.raises(Conflict):
        async with database.begin() as connection:
            await erase(connection, who, "again")


async def test_who_is_read_while_erased_is_not_remembered(database: Database) -> None:
    """Another request reads the person before the erasure is committed: afterwards nobody sees the name."""
    who = await pseudonym(database)
    async with database.begin() as connection:
        await erase(connection, FIONA.subject, "asked to be forgotten")
        assert await pseudonym(database) == who
    async with database.connect() as connection:
        with context.use(Context("cor_1", caller=MACHINE)):
            assert await privacy.shown(connection, who) == who
    assert await pseudonym(database) != who


async def test_an_export_has_what_every_table_declares_personal(database: Database) -> None:
    """A run that somebody else began is there for who asked for it too, and a hold on the person."""
    who = await pseudonym(database)
    row = {"flow": "story", "status": "running", "fingerprint": "f", "correlation_id": "cor_1"}
    async with database.begin() as connection:
        await connection.execute(runs.insert().values(id="run_1", engine_id="run_1", requesters=[who], **row))
        await connection.execute(runs.insert().values(id="run_2", engine_id="run_2", actor="otto", **row))
        await connection.execute(holds.insert().values(subject=who, reason="case 7", held_by="olga"))
        held = (await export(connection, FIONA.subject)).rows
    assert [row["id"] for row in held["runs"]] == ["run_1"]
    assert [row["reason"] for row in held["holds"]] == ["case 7"]


async def test_an_erasure_drops_kept_answers_that_name_the_person(database: Database) -> None:
    """An answer that waits for a repetition of its request would otherwise outlive the erasure by a day."""
    await note(database)
    life = idempotency.Life(database)
    for key, body in (("k1", f'{{"decided_by":"{FIONA.subject}"}}'), ("k2", "{}")):
        place = {"consumer": "ci", "operation": "o", "key": key}
        fresh = await idempotency.reserve(database, **place, life=life, fingerprint="f", ttl=60)
        assert isinstance(fresh, idempotency.Fresh)
        await idempotency.settle(
            database, **place, holder=fresh.holder, status=200, headers={}, body=body.encode()
        )
    async with database.begin() as connection:
        await erase(connection, FIONA.subject, "asked to be forgotten")
        left = await connection.execute(text("SELECT key FROM enfilade.idempotency_keys"))
        assert left.scalars().all() == ["k2"]


async def test_a_person_under_a_hold_is_not_erased(database: Database) -> None:
    """What a court may ask for stays; nobody at all is not found."""
    who = await pseudonym(database)
    async with database.begin() as connection:
        await connection.execute(holds.insert().values(subject=who, reason="case 7", held_by="olga"))
    with pytest.raises(Conflict, match="legal hold"):
        async with database.begin() as connection:
            await erase(connection, FIONA.subject, "asked")
    with pytest.raises(NotFound):
        async with database.begin() as connection:
            await export(connection, "nobody")


async def test_a_database_remembers_its_master_key(database: Database) -> None:
    """The first key is the database's from then on; a process with another does not start."""
    mine, others = privacy.DerivedKeys(Secret("k" * 32)), privacy.DerivedKeys(Secret("o" * 32))
    for _ in range(2):
        await privacy.claim(database, mine)
    with pytest.raises(SettingsError, match="another master key"):
        await privacy.claim(database, others)


async def test_another_master_key_opens_nothing(database: Database) -> None:
    """Under another key a person is a stranger, and a row that it reads all the same is refused."""
    who = await pseudonym(database)
    others = privacy.DerivedKeys(Secret("o" * 32))
    async with open_database(database.url, others) as other, other.begin() as connection:
        with pytest.raises(privacy.SealBroken):
            await privacy.of(connection).person(connection, who)
        assert await privacy.of(connection).pseudonym(connection, FIONA.subject) != who


async def test_without_keys_nothing_is_signed_sealed_or_put_under_a_pseudonym(database: Database) -> None:
    """It would be under keys that nobody has: every way to it raises, and the trail still verifies."""
    await note(database)
    who = await pseudonym(database)
    keyless = Database(database.url)
    ways: tuple[Callable[[], Awaitable[object]], ...] = (
        partial(note, keyless),
        partial(pseudonym, keyless),
        partial(audit.anchor, keyless),
        partial(audit.check, keyless),
        partial(exported, keyless, who),
    )
    for way in ways:
        with pytest.raises(privacy.KeysMissing, match=r"privacy\.claim or privacy\.use"):
            await way()
    with pytest.raises(privacy.KeysMissing):
        privacy.keys_of(keyless)
    await keyless.close()
    verified = await audit.check(database)
    assert (verified.lines, verified.faults) == (1, ())
