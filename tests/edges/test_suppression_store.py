"""What is remembered of bounces, on both databases: which addresses are written to no more."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from mailbot.audience import suppression_store as store
from mailbot.audience.suppression import Bounce, Grade, Suppress, Why
from mailbot.database.engine import Database
from mailbot.database.tables import bounce, suppression
from mailbot.message.address import Address
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AWA = "awa@journal.example"


def sent(database: Database, *ids: str, kind: Kind = Kind.ANSWER, to: str = AWA) -> None:
    for one in ids:
        draft = outbox.Draft(key=one, kind=kind, recipient=Address(to), language="fr", subject="a", text="b")
        database.write_now(outbox.enqueue, draft, one, f"<{one}@office.example>", NOW)


def noted(database: Database, delivery: str, grade: Grade, at: datetime = NOW) -> Suppress | None:
    return database.write_now(store.note, AWA, Bounce(at, grade, delivery), "5.1.1", "x" * 3000, None)


def test_a_hard_bounce_is_kept_with_its_words_and_suppresses(database: Database) -> None:
    sent(database, "d1")
    assert not database.read_now(store.is_suppressed, AWA)
    assert noted(database, "d1", Grade.HARD) == Suppress(Why.HARD_BOUNCE)
    assert database.read_now(store.is_suppressed, AWA)
    assert not database.read_now(store.is_suppressed, "bo@journal.example")
    assert not database.read_now(store.is_silenced, AWA), "who writes to us lives, and may be answered"
    with database.engine.connect() as tx:
        (row,) = tx.execute(sa.select(bounce)).all()
    assert (row.address_key, row.at, row.grade, row.status, len(row.diagnostic)) == (AWA, NOW, "hard", "5.1.1", 2000)


def test_soft_bounces_are_counted_over_the_days(database: Database) -> None:
    sent(database, *(f"d{number}" for number in range(5)))
    verdicts = [noted(database, f"d{number}", Grade.SOFT, NOW + timedelta(days=number)) for number in range(5)]
    assert verdicts == [None, None, None, None, Suppress(Why.SOFT_BOUNCES)]
    assert database.read_now(store.is_suppressed, AWA)


def test_a_complaint_comes_on_top_of_a_bounce_and_silences(database: Database) -> None:
    sent(database, "d1")
    noted(database, "d1", Grade.HARD)
    noted(database, "d1", Grade.COMPLAINT)
    assert database.read_now(store.is_silenced, AWA)


def test_the_same_reason_is_on_record_once(database: Database) -> None:
    sent(database, "d1", "d2")
    noted(database, "d1", Grade.HARD)
    noted(database, "d2", Grade.HARD)
    with database.engine.connect() as tx:
        assert [(row.reason, row.delivery) for row in tx.execute(sa.select(suppression))] == [("hard-bounce", "d1")]


def test_what_was_lifted_holds_no_more_and_may_come_again(database: Database) -> None:
    sent(database, "d1")
    noted(database, "d1", Grade.HARD)
    with database.engine.begin() as tx:
        tx.execute(suppression.update().values(lifted_at=NOW))
    assert not database.read_now(store.is_suppressed, AWA)
    noted(database, "d1", Grade.HARD)
    assert database.read_now(store.is_suppressed, AWA)


def test_only_deliveries_of_the_kinds_asked_for_are_found(database: Database) -> None:
    sent(database, "d1")
    sent(database, "d2", kind=Kind.HAND_OFF, to="colleague@office.example")
    assert database.read_now(store.went_to, ["d1", "d2", "d3"], [Kind.ANSWER]) == {"d1": AWA}
