"""What is let go and when, with the time passed in, on both databases; and what stays because it protects somebody."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailbot.alerts import store as alerts
from mailbot.archive import retention_store, tally_store
from mailbot.archive.retain import Retainer, last_round
from mailbot.archive.tally import Count, Figure
from mailbot.archive.term import Terms, ends
from mailbot.audience import store as audience
from mailbot.audience import suppression_store
from mailbot.audience.journalist import Channel, State, Why
from mailbot.cases import store as cases
from mailbot.cases.case import Opening
from mailbot.database import lease
from mailbot.database.alert_tables import alert, alert_notice
from mailbot.database.engine import Database, Tx
from mailbot.database.tables import attempt, case_file, delivery, mail, mail_copy, mail_part, metadata, sent_mark
from mailbot.inbox import arrival_store, known_store
from mailbot.inbox import store as inbox
from mailbot.message import token
from mailbot.message.address import Address, key
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind, Phase, Reply, Sent
from mailbot.verify import broken
from tests.edges.commands import Commands

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
SECRET = b"a key that only this test knows"
AWA = "awa@journal.example"
CANARY = "canaryword"
TERMS = Terms(
    mail=timedelta(days=90), protection=timedelta(days=30), outcome=timedelta(days=730), zone=UTC, noise=frozenset({"communique", "about"})
)
HEAD = f"From: Awa {CANARY} <{AWA}>\r\nSubject: {CANARY}\r\n\r\n"


def arrive(tx: Tx, name: str, at: datetime = NOW, uid: int = 0) -> int:
    """A mail with these bytes; its number."""
    content = f"{HEAD}{name} {CANARY}".encode()
    number = uid or len(inbox.arrived(tx)) + 1
    arrival = arrival_store.Arrival(mailbox="INBOX", uidvalidity=7, uid=number, content=content, size=len(content), received_at=at)
    arrival_store.keep(tx, [arrival], at)
    return int(tx.execute(sa.select(sa.func.max(mail.c.id))).scalar_one())


def decide(
    tx: Tx, number: int, outcome: str, reason: str, *, at: datetime = NOW, waiting: bool = False, sender: str = AWA, about: str = CANARY
) -> None:
    explanation = {
        "sender": sender, "subject": CANARY, "visible_text": CANARY, "evidence": ["communiqué", about],
        "actions": [{"type": outcome, "why": reason, "deadline_words": CANARY, "recipient": AWA}], "reason": reason,
    }  # fmt: skip
    made = inbox.Record(
        kind="request", outcome=outcome, reason=reason, explanation=explanation, language="fr", sender=sender, sender_key=key(sender),
        subject=CANARY, message_id=f"<{CANARY}.{number}@journal.example>", identity=f"identity-{number}", words=f"words-{number}",
        waiting=waiting, folder="mailbot/attention" if outcome == "hand_off" else "mailbot",
    )  # fmt: skip
    assert inbox.record(tx, number, made, "automatic", at)


def send(tx: Tx, name: str, kind: Kind, number: int | None, *, at: datetime = NOW, to: str = AWA, leaves: bool = True) -> None:
    draft = outbox.Draft(
        key=f"answer:{number}" if kind is Kind.ANSWER else name, kind=kind, recipient=Address(to, CANARY), language="fr", subject=CANARY,
        text=CANARY, html=f"<p>{CANARY}</p>", mail=number, release="fountain", edition="fountain", in_reply_to=f"<{CANARY}@x>",
        sheet=CANARY,
    )  # fmt: skip
    assert outbox.enqueue(tx, draft, name, token.message_id(SECRET, name, "office.example"), at)
    if leaves:
        claimed = outbox.claim(tx, "holder", at)
        assert claimed is not None
        assert outbox.freeze(tx, claimed, "holder", at, CANARY.encode())
        assert outbox.outcome(tx, claimed, "holder", Reply(phase=Phase.DONE, code=250, text="ok"), Sent(), at)


def hand_over(tx: Tx, number: int, deadline: datetime | None = None) -> int:
    opening = Opening(
        mail=number, reason="no-match", journalist=Address(AWA, CANARY), language="fr", authenticated=True, references=(f"<{CANARY}@x>",),
        draft={"text": CANARY}, note={"subject": CANARY}, deadline=deadline, deadline_words=CANARY,
    )  # fmt: skip
    opened = cases.open_case(tx, opening, NOW)
    assert opened is not None
    return opened


def passed(database: Database, days: float) -> dict[str, int]:
    """The round of the day so many days later."""
    retainer = Retainer(database, TERMS, "worker", lambda: NOW + timedelta(days=days))
    done = asyncio.run(retainer.go())
    assert done is not None
    sentences = database.read_now(broken, SECRET)
    assert all("never published" in one for one in sentences), "no release is in these databases, and that is not what is asked here"
    return {name: number for name, number in done.items() if number}


def everything(tx: Tx) -> str:
    """Every value of every row."""
    return "\n".join(repr(row) for table in metadata.sorted_tables for row in tx.execute(sa.select(table)))


@pytest.fixture
def office(database: Database) -> Database:
    """Mail 1 was answered at once, 2 by a colleague a day late, 3 is a call for help, 4 waits for a person, 5 has an answer on its way."""
    database.write_now(_office)
    return database


def _office(tx: Tx) -> None:
    for number in range(1, 6):
        arrive(tx, f"mail {number}")
    decide(tx, 1, "send_release", "latest-asked")
    send(tx, "d1", Kind.ANSWER, 1, at=NOW + timedelta(seconds=40))
    decide(tx, 2, "hand_off", "no-match", waiting=True)
    case = hand_over(tx, 2, NOW + timedelta(hours=3))
    send(tx, "d2", Kind.LETTER, 2, at=NOW + timedelta(days=1))
    assert cases.answered(tx, case, "d2", "colleague@office.example", NOW + timedelta(days=1))
    decide(tx, 3, "hand_off", "call-for-help")
    send(tx, "d3", Kind.ACKNOWLEDGEMENT, 3)
    decide(tx, 4, "hand_off", "question", waiting=True)
    hand_over(tx, 4)
    decide(tx, 5, "send_release", "latest-asked")
    send(tx, "d6", Kind.DIGEST, None, to="colleague@office.example")
    send(tx, "d5", Kind.ANSWER, 5, leaves=False)


def test_nothing_goes_before_its_term(office: Database) -> None:
    before = office.read_now(everything)
    assert passed(office, 29.9) == {}
    assert office.read_now(everything) == before


def test_a_call_for_help_goes_first_with_all_that_was_written_for_it(office: Database) -> None:
    assert passed(office, 31) == {"calls_for_help": 1}
    row = office.read_now(inbox.shown, 3)
    assert row is not None
    assert (row["state"], row["reason"], row["sender_key"], row["explanation"], row["sha256"] != "") == ("gone", "", "", None, True)
    assert office.read_now(outbox.shown, "d3") is None
    assert 3 not in [row["id"] for row in office.read_now(inbox.listed)]


def test_the_words_of_mail_go_after_their_days_and_what_was_done_stays(office: Database) -> None:
    assert passed(office, 91.5) == {"calls_for_help": 1, "mails": 2, "texts_sent": 3}
    for number, outcome in ((1, "send_release"), (2, "hand_off")):
        row = office.read_now(inbox.shown, number)
        assert row is not None
        assert CANARY not in repr(row)
        assert AWA not in repr(row)
        assert (row["outcome"], row["explanation"]["actions"][0]["type"]) == (outcome, outcome)
        assert office.read_now(arrival_store.content, number, 100) == b""
    shown = office.read_now(outbox.shown, "d1")
    assert shown is not None
    assert (shown["recipient"], shown["state"], shown["raw"], shown["text"], shown["subject"]) == (AWA, "sent", None, "", "")
    case = office.read_now(cases.of_mail, 2)
    assert case is not None
    assert (case.journalist, case.note, case.draft, case.deadline_words) == (None, {}, None, "")


def test_what_waits_for_a_person_or_has_not_left_stays_whatever_its_age(office: Database) -> None:
    passed(office, 5000)
    for number in (4, 5):
        assert office.read_now(arrival_store.content, number, 1000).endswith(CANARY.encode())
    assert office.read_now(retention_store.due, ends(TERMS, NOW + timedelta(days=5000)))["waiting"] == 1
    unsent = office.read_now(outbox.shown, "d5")
    assert unsent is not None
    assert unsent["text"] == CANARY
    assert office.read_now(cases.of_mail, 4)


def test_outcomes_go_last_and_leave_fingerprints_and_numbers(office: Database) -> None:
    of_the_year = office.read_now(tally_store.of_year, 2026, TERMS.noise, UTC, NOW + timedelta(days=2))
    assert of_the_year[Count(2026, Figure.REQUESTS, "fr")] == 4
    assert (of_the_year[Count(2026, Figure.BY_MAILBOT, "fr")], of_the_year[Count(2026, Figure.BY_COLLEAGUE, "fr")]) == (1, 1)
    assert (of_the_year[Count(2026, Figure.SECONDS, "fr", "40")], of_the_year[Count(2026, Figure.MISSED, "fr")]) == (1, 1)
    passed(office, 91)
    passed(office, 732)
    rows = office.read_now(lambda tx: tx.execute(sa.select(mail.c.id, mail.c.state).order_by(mail.c.id)).all())
    assert [tuple(row) for row in rows] == [(1, "gone"), (2, "gone"), (3, "gone"), (4, "decided"), (5, "decided")]
    left = office.read_now(lambda tx: set(tx.execute(sa.select(delivery.c.id)).scalars()))
    assert left == {"d5"}
    assert office.read_now(lambda tx: tx.execute(sa.select(sa.func.count()).select_from(attempt)).scalar_one()) == 0
    assert office.read_now(lambda tx: list(tx.execute(sa.select(case_file.c.mail)).scalars())) == [4]
    assert office.read_now(tally_store.of_year, 2026, TERMS.noise, UTC, NOW + timedelta(days=2)) == of_the_year, "the year stays as it was"


def test_a_mail_that_comes_to_light_again_after_years_is_not_answered_again(office: Database) -> None:
    passed(office, 5000)
    content = f"{HEAD}mail 1 {CANARY}".encode()
    later = NOW + timedelta(days=5001)
    again = arrival_store.Arrival(mailbox="INBOX", uidvalidity=8, uid=1, content=content, size=len(content), received_at=NOW, rescan=True)
    assert office.write_now(arrival_store.keep, [again], later) == 0, "the same bytes are the same mail"
    assert office.read_now(inbox.undecided) == 0
    assert office.read_now(arrival_store.to_file, "INBOX", 8) == {}
    assert office.read_now(lambda tx: tx.execute(sa.select(sa.func.count()).where(mail_part.c.mail == 1)).scalar_one()) == 0
    known = office.read_now(known_store.look, b"", 99, None, "", "identity-1", (), later)
    assert known.identity, "and in other bytes it has the same Message-ID, sender and date"
    assert office.read_now(arrival_store.known_uids, "INBOX", 7) >= {1, 2, 3}, "nor is it fetched again where it lies"


def test_an_alert_that_is_over_goes_and_an_open_one_or_one_that_nobody_has_got_stays(database: Database) -> None:
    def told(tx: Tx) -> None:
        first = {"kind": "disk", "level": 0, "began_at": NOW}
        tx.execute(alert.insert(), {"condition": "disk:1", "item": "1", "open": False, "ended_at": NOW, **first})
        tx.execute(alert.insert(), {"condition": "disk:2", "item": "2", "open": True, "ended_at": None, **first})
        for number, at in (("n1", NOW), ("n2", None)):
            alerts.queue(tx, number, "it@office.example", "a", "b", {}, NOW)
            tx.execute(alert_notice.update().where(alert_notice.c.id == number).values(delivered_at=at))

    database.write_now(told)
    assert passed(database, 91) == {"alerts_delivered": 1, "alerts_ended": 1}
    assert database.read_now(lambda tx: tx.execute(sa.select(alert.c.condition)).scalars().all()) == ["disk:2"]
    assert database.read_now(lambda tx: tx.execute(sa.select(alert_notice.c.id)).scalars().all()) == ["n2"]


def test_whoever_is_on_the_list_or_wants_to_be_left_alone_stays(database: Database) -> None:
    def known(tx: Tx) -> None:
        for name, state in (("awa", State.SUBSCRIBED), ("bo", State.UNSUBSCRIBED), ("cy", State.ASKED), ("di", State.NONE)):
            who = audience.known(tx, Address(f"{name}@journal.example"), "fr", NOW)
            audience.become(tx, who, state, NOW)
            audience.note(tx, who, Channel.MAIL, Why.CONFIRMED, "OUI", None, NOW)
        suppression_store.suppress(tx, "bad@journal.example", "complaint", NOW)
        tx.execute(sent_mark.insert(), {"mark": "m", "sent_at": NOW})

    database.write_now(known)
    assert passed(database, 5000) == {"unanswered_questions": 2, "marks_of_sent_mail": 1}
    assert {row["address"] for row in database.read_now(audience.listed)} == {"awa@journal.example", "bo@journal.example"}
    shown = database.read_now(audience.shown, AWA)
    assert shown is not None
    assert len(shown["consent"]) == 1
    assert database.read_now(suppression_store.is_silenced, "bad@journal.example")


def test_a_failed_mail_whose_words_are_gone_is_not_sent_again(database: Database) -> None:
    def failed(tx: Tx) -> None:
        send(tx, "d1", Kind.DIGEST, None)
        tx.execute(delivery.update().values(state="failed"))
        tx.execute(attempt.update().values(verdict="failed"))

    database.write_now(failed)
    passed(database, 91)
    assert not database.write_now(outbox.send_again, "d1", NOW)


@pytest.mark.parametrize(
    ("asking", "counted"),
    [
        pytest.param(["a@x.example", "b@x.example", "c@x.example"], 3, id="three people ask for it"),
        pytest.param(["a@x.example", "b@x.example"], 0, id="two do not make it everybody's"),
        pytest.param(["a@x.example"] * 4, 0, id="one person who insists is one"),
    ],
)
def test_what_was_asked_in_vain_is_counted_once_it_is_not_one_persons_words(database: Database, asking: list[str], counted: int) -> None:
    def asked(tx: Tx) -> None:
        for place, sender in enumerate(asking):
            number = arrive(tx, f"mail {place}", NOW + timedelta(days=20 * place), uid=place + 1)
            decide(tx, number, "hand_off", "no-match", sender=sender, about="communiqué about cholera")

    name = Count(2026, Figure.TOPIC, "fr", "cholera")
    database.write_now(asked)
    assert database.read_now(tally_store.of_year, 2026, TERMS.noise, UTC, NOW)[name] == counted
    for days in (91, 111, 131, 151, 800):
        passed(database, days)
    of_the_year = database.read_now(tally_store.of_year, 2026, TERMS.noise, UTC, NOW)
    assert of_the_year[name] == counted, "and stays so when the mails are gone, whatever goes first"
    assert {count.detail for count in of_the_year if count.figure == Figure.TOPIC} <= {"cholera"}, "no small words"


def test_a_transaction_takes_a_few_rows_and_the_next_goes_on(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention_store, "ROWS", 2)

    def many(tx: Tx) -> None:
        for number in range(1, 6):
            arrive(tx, f"mail {number}")
            decide(tx, number, "ignore", "thanks")

    database.write_now(many)
    until = ends(TERMS, NOW + timedelta(days=91))
    step = next(step for step in retention_store.STEPS if step.name == "mails")
    assert [database.write_now(retention_store.batch, step, until, TERMS, NOW) for _ in range(4)] == [2, 2, 1, 0]


def test_a_round_is_made_once_a_day_by_one_worker(office: Database) -> None:
    day = NOW + timedelta(days=91)
    first, second = (Retainer(office, TERMS, name, lambda: day) for name in ("first", "second"))
    office.write_now(lease.acquire, "retention", "elsewhere|x", day, 300.0)
    asyncio.run(first.once())
    assert office.read_now(last_round) == "", "another is at it"
    office.write_now(lease.release, "retention", "elsewhere|x")
    asyncio.run(first.once())
    assert office.read_now(last_round) == day.date().isoformat()
    office.write_now(_later_mail)
    asyncio.run(second.once())
    assert office.read_now(arrival_store.content, 6, 10) != b"", "today's round was made"
    asyncio.run(Retainer(office, TERMS, "second", lambda: day + timedelta(days=1)).once())
    assert office.read_now(arrival_store.content, 6, 10) == b""


def _later_mail(tx: Tx) -> None:
    decide(tx, arrive(tx, "mail 6", uid=6), "ignore", "thanks")


def test_a_round_that_was_stopped_is_begun_again(office: Database) -> None:
    retainer = Retainer(office, TERMS, "worker", lambda: NOW + timedelta(days=91))
    retainer.stop()
    asyncio.run(retainer.once())
    assert office.read_now(last_round) == ""


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_nothing_that_was_let_go_is_left_in_the_files(office: Database) -> None:
    from mailbot.database.scrub import files_that_hold

    office.write_now(lambda tx: inbox.close(tx, 4, NOW))
    office.write_now(outbox.drop, "d5", NOW)
    office.write_now(lambda tx: inbox.close(tx, 5, NOW))
    assert files_that_hold(office, re.compile(CANARY.encode()))
    passed(office, 5000)
    assert files_that_hold(office, re.compile(CANARY.encode())) == []
    assert office.read_now(lambda tx: tx.execute(sa.select(sa.func.count()).select_from(mail_copy)).scalar_one()) == 5


def test_the_command_says_first_what_would_go_and_then_lets_it_go(database: Database, database_url: str, tmp_path: Path) -> None:
    def ancient(tx: Tx) -> None:
        old = datetime.now(UTC) - timedelta(days=100)
        decide(tx, arrive(tx, "old", old), "ignore", "thanks", at=old)
        decide(tx, arrive(tx, "asking", old), "hand_off", "question", at=old, waiting=True)

    database.write_now(ancient)
    (tmp_path / "office").mkdir()
    mailbot = Commands(tmp_path / "office")
    mailbot.configure(database_url)
    would = mailbot("retention", "run", "--dry-run", "--json").json()
    assert (would["rows"]["mails"], would["waiting_for_a_person"], would["last_daily_round"]) == (1, 1, None)
    assert database.read_now(arrival_store.content, 1, 10) != b""
    assert "1  mails that arrived" in mailbot("retention", "run").out
    assert database.read_now(arrival_store.content, 1, 10) == b""
    assert database.read_now(arrival_store.content, 2, 10) != b""
    assert mailbot("retention", "run", "--json").json()["rows"]["mails"] == 0
