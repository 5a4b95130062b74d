"""The laws of what is remembered of cases, on both databases."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailbot.cases import store
from mailbot.cases.case import Case, CaseState, Opening
from mailbot.database.engine import Database, Tx
from mailbot.database.tables import delivery, mail
from mailbot.inbox import arrival_store
from mailbot.inbox import store as inbox
from mailbot.message.address import Address
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AWA, FIRST, SECOND = Address("awa@radio.example", "Awa"), Address("first@office.example"), Address("Second@office.example")


def opened(database: Database, **changes: Any) -> Case:
    """A case of a mail of its own."""
    number = len(database.read_now(inbox.listed)) + 1
    arrival = arrival_store.Arrival(
        mailbox="INBOX", uidvalidity=7, uid=number, content=b"mail %d" % number, size=6 + len(str(number)), received_at=NOW
    )
    database.write_now(arrival_store.keep, [arrival], NOW)
    record = inbox.Record(
        kind="request", outcome="hand_off", reason="interview", explanation={}, language="fr", sender=AWA.address, sender_key=AWA.key,
        subject="Demande", message_id="<1@radio.example>", identity="", words="", waiting=True, folder="mailbot/attention",
    )  # fmt: skip
    database.write_now(inbox.record, number, record, "draft", NOW)
    values: dict[str, Any] = {
        "mail": number, "reason": "interview", "journalist": AWA, "language": "fr", "authenticated": True,
        "references": ("<0@radio.example>",), "draft": {"edition": "fontaine"}, "note": {"reason": "interview"},
    }  # fmt: skip
    case_id = database.write_now(store.open_case, Opening(**values | changes), NOW)
    assert case_id is not None
    return database.read_now(store.load, case_id)


def queue(database: Database, delivery_id: str, case: Case, kind: Kind = Kind.HAND_OFF, due_at: datetime | None = None) -> None:
    draft = outbox.Draft(key=delivery_id, kind=kind, recipient=AWA, language="fr", subject="a", text="b", mail=case.mail)
    assert database.write_now(outbox.enqueue, draft, delivery_id, f"<{delivery_id}@office.example>", NOW, due_at)


def noted(database: Database, delivery_id: str, case: Case, colleague: Address = FIRST) -> None:
    queue(database, delivery_id, case)
    database.write_now(store.add_note, case.id, delivery_id, f"token-{delivery_id}", colleague, NOW)


def again(database: Database, case: Case) -> Case:
    found = database.read_now(store.load, case.id)
    assert found is not None
    return found


def waits(database: Database, case: Case) -> bool:
    return bool(next(row["waiting"] for row in database.read_now(inbox.listed) if row["id"] == case.mail))


def test_a_case_comes_back_as_it_was_opened_and_a_mail_has_one(database: Database) -> None:
    deadline = NOW + timedelta(hours=6)
    case = opened(database, deadline=deadline, deadline_words="bouclage 18h", urgent=True)
    assert (case.state, case.journalist, case.references, case.subject) == (CaseState.OPEN, AWA, ("<0@radio.example>",), "Demande")
    assert (case.draft, case.note, case.received_at, case.message_id) == (
        {"edition": "fontaine"}, {"reason": "interview"}, NOW, "<1@radio.example>",
    )  # fmt: skip
    assert (case.deadline, case.deadline_words, case.urgent, case.colleague, case.due_at) == (deadline, "bouclage 18h", True, "", None)
    again_ = Opening(mail=case.mail, reason="a", journalist=None, language="en", authenticated=False, note={})
    assert database.write_now(store.open_case, again_, NOW) is None
    assert database.read_now(store.of_mail, case.mail) == case
    assert database.read_now(store.waiting) == [case]
    without = opened(database, journalist=None, draft=None)
    assert (without.journalist, without.draft) == (None, None)


def test_a_note_is_found_by_its_delivery_and_by_the_token_in_its_subject_and_by_nothing_else(database: Database) -> None:
    case = opened(database)
    noted(database, "d1", case)
    noted(database, "d2", case, SECOND)
    queue(database, "d3", case)
    first, second = (database.read_now(store.by_delivery, [one]) for one in ("d1", "d2"))
    assert first and second
    assert (first.case.id, first.colleague_key, second.colleague_key) == (case.id, FIRST.key, SECOND.key)
    assert database.read_now(store.by_delivery, ["d3", "d2", "d1"]) == second, "the first that is a note"
    assert database.read_now(store.by_subject_token, "token-d1") == first
    for nothing in ([], ["d3"], ["no"]):
        assert database.read_now(store.by_delivery, nothing) is None
    for nothing_ in ("", "token-d", "token-d3"):
        assert database.read_now(store.by_subject_token, nothing_) is None


def test_a_case_is_due_when_its_time_has_come_and_only_while_somebody_has_it(database: Database) -> None:
    case, due_at = opened(database), NOW + timedelta(hours=4)
    assert database.read_now(store.due_for_escalation, NOW + timedelta(days=9)) == [], "nobody was told yet: the list names it"
    assert database.write_now(store.give, case.id, FIRST, due_at)
    assert database.read_now(store.due_for_escalation, due_at - timedelta(seconds=1)) == []
    (found,) = database.read_now(store.due_for_escalation, due_at)
    assert (found.colleague, found.state) == (FIRST.address, CaseState.OPEN)
    assert database.write_now(store.snooze, case.id, due_at + timedelta(hours=1), SECOND)
    assert database.read_now(store.due_for_escalation, due_at) == []
    (found,) = database.read_now(store.due_for_escalation, due_at + timedelta(hours=1))
    assert (found.state, found.colleague) == (CaseState.SNOOZED, SECOND.address), "it comes back to who said so"
    database.write_now(store.leave_with_last, case.id)
    assert database.read_now(store.due_for_escalation, due_at + timedelta(days=1)) == []
    assert again(database, case).overdue


def test_an_answer_ends_the_case_and_the_waiting_and_one_that_came_to_nothing_brings_both_back(database: Database) -> None:
    case = opened(database)
    queue(database, "a1", case, Kind.ANSWER)
    assert database.write_now(store.answered, case.id, "a1", FIRST.address, NOW)
    assert (again(database, case).state, again(database, case).answer, waits(database, case)) == (CaseState.ANSWERED, "a1", False)
    assert not database.write_now(store.answered, case.id, "a1", FIRST.address, NOW), "once"
    found = database.read_now(store.of_answer, "a1")
    assert found is not None and found.id == case.id
    assert database.write_now(store.reopen, case.id, NOW + timedelta(hours=1))
    assert (again(database, case).state, again(database, case).answer, waits(database, case)) == (CaseState.OPEN, "a1", True)


def test_a_text_that_is_held_back_does_not_leave_when_its_case_is_closed(database: Database) -> None:
    case = opened(database)
    queue(database, "a1", case, Kind.ANSWER, due_at=NOW + timedelta(minutes=3))
    assert database.write_now(store.hold, case.id, "a1", FIRST.address)
    assert database.write_now(outbox.claim, "w", NOW) is None, "not before its time"
    assert database.write_now(store.close, case.id, "by-hand", "", NOW)
    assert database.write_now(outbox.claim, "w", NOW + timedelta(minutes=4)) is None
    assert (again(database, case).state, waits(database, case)) == (CaseState.CLOSED, False)
    assert not database.write_now(store.hold, case.id, "a1", FIRST.address), "closed is closed"
    assert not database.write_now(store.snooze, case.id, NOW, FIRST)
    assert not database.write_now(store.reopen, case.id, NOW)
    assert not database.write_now(store.close, case.id, "by-hand", "", NOW)
    assert not database.write_now(store.give, case.id, SECOND, NOW)


def test_a_text_that_somebody_tries_to_send_already_cannot_be_taken_back(database: Database) -> None:
    case = opened(database)
    queue(database, "a1", case, Kind.ANSWER, due_at=NOW + timedelta(minutes=3))
    database.write_now(store.hold, case.id, "a1", FIRST.address)
    assert database.write_now(outbox.claim, "w", NOW + timedelta(minutes=3)) is not None
    assert not database.write_now(store.close, case.id, "refused", FIRST.address, NOW)
    assert not database.write_now(outbox.withdraw, "a1", NOW)
    assert again(database, case).state is CaseState.ANSWERING


@pytest.mark.parametrize("table", [mail, delivery])
def test_a_case_keeps_its_mail_and_its_answer(database: Database, table: Any) -> None:
    case = opened(database)
    queue(database, "a1", case, Kind.ANSWER)
    database.write_now(store.hold, case.id, "a1", FIRST.address)

    def remove(tx: Tx) -> None:
        tx.execute(table.delete())

    with pytest.raises(Exception, match=r"(?i)foreign key"):
        database.write_now(remove)
