"""tests/kit/postings: how an answer divides a batch, and how both sides are compared; pure."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from contracts.canonical.batch import BatchResult, Posted, RefusedRecord
from contracts.canonical.values import Money
from kit.postings.states import MOVES, UNFINISHED, settle, sources_of
from kit.postings.totals import Side, Totals

KEYS = st.sampled_from([f"k{number}" for number in range(8)])
ANSWERS = st.builds(
    BatchResult,
    done=st.lists(KEYS.map(Posted)).map(tuple),
    refused=st.lists(KEYS.map(lambda key: RefusedRecord(key, "no", "No"))).map(tuple),
    doubtful=st.lists(KEYS).map(tuple),
)
AMOUNTS = st.none() | st.builds(
    Money, st.decimals(-(10**9), 10**9, places=2), st.sampled_from(["EUR", "USD", "JPY"])
)


@given(st.sets(KEYS).map(sorted), ANSWERS)
def test_each_record_that_was_sent_has_one_outcome(sent: list[str], answer: BatchResult) -> None:
    """Whatever is answered; what is not named once is doubtful, and what was not sent settles nothing."""
    settled = settle(sent, answer)
    done, refused = [each.key for each in settled.done], [each.key for each in settled.refused]
    assert sorted([*done, *refused, *settled.doubtful]) == sent
    named = [each.key for each in (*answer.done, *answer.refused)] + list(answer.doubtful)
    assert all(named.count(key) == 1 for key in (*done, *refused))
    assert set(settled.unexpected) == {key for key in named if named.count(key) > 1 or key not in sent}


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS)), st.lists(AMOUNTS), st.integers(0, 20))
def test_a_batch_balances_when_both_sides_are_equal(
    pairs: list[tuple[Money | None, Money | None]], refused: list[Money | None], cut: int
) -> None:
    """Count and sum in each currency; in however many answers they were settled."""
    totals = Totals(refused=Side.of(refused))
    for some in (pairs[:cut], pairs[cut:]):
        totals += Totals(Side.of([sent for sent, _ in some]), Side.of([made for _, made in some]))
    equal = totals.sent.sums == totals.acknowledged.sums
    assert (totals.faults(len(pairs) + len(refused)) == ()) == equal
    assert totals.faults(len(pairs) + len(refused) + 1)
    assert (totals + Totals(unexpected={"k": 1})).faults(len(pairs) + len(refused))


def test_a_record_ends_posted_skipped_or_observed() -> None:
    """Every state that is no end leads on, and nothing comes back from what was posted or skipped."""
    assert {state for state, targets in MOVES.items() if not targets} == {"done", "skipped"}
    assert set(MOVES) - set(UNFINISHED) == {"done", "skipped", "observed"}
    assert sources_of("sent") == ("claimed",)
    assert str(Side.of([Money(Decimal(1500), "EUR"), None])) == "2 records, EUR 1,500"
