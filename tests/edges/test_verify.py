"""`verify`: each invariant of MAIL.md 3.3, on both databases: what is sound is silent, and exactly the row that is broken is named."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from mailbot.audience import store as audience
from mailbot.audience import suppression_store as suppressions
from mailbot.audience.journalist import Channel, Purpose, Why
from mailbot.audience.journalist import State as Standing
from mailbot.cases import store as cases
from mailbot.cases.case import Opening
from mailbot.database.correction_tables import past_edition
from mailbot.database.engine import Database, Tx
from mailbot.database.tables import attempt, case_file, confirmation, consent, delivery, edition, journalist, mail, mail_copy, mail_part
from mailbot.inbox import arrival_store
from mailbot.inbox import store as inbox
from mailbot.message import token
from mailbot.message.address import Address, key
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Failed, Fault, Kind, Phase, Reply, Sent, Uncertain
from mailbot.releases import correction as corrections
from mailbot.releases import correction_store
from mailbot.releases import store as releases
from mailbot.releases.release import Edition
from mailbot.verify import broken

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
SECRET = b"a key that only this test knows"
JOURNALIST, COLLEAGUE = "awa@journal.example", "colleague@office.example"
FILED, ATTENTION = "mailbot", "mailbot/attention"


@pytest.fixture
def sound(database: Database) -> Database:
    """A bit of everything: mail 1 answered, 2 handed over, 3 ignored, 4 only observed, 5 undecided, 6 too large to be fetched."""
    database.write_now(_releases)
    database.write_now(_mails)
    database.write_now(_sendings)
    database.write_now(_cases)
    return database


def _releases(tx: Tx) -> None:
    for slug, embargo in (("fountain", None), ("secret", NOW - timedelta(days=1))):
        text = {"title": slug, "body": "text", "language": "fr", "date": date(2026, 2, 1)}
        releases.save(tx, Edition(slug=slug, release=slug, embargo=embargo, **text), NOW - timedelta(days=9))  # type: ignore[arg-type]
        releases.publish(tx, slug, NOW - timedelta(days=9), signatory="")


def _mails(tx: Tx) -> None:
    for uid in range(1, 7):
        content = None if uid == 6 else b"From: %d\r\n\r\ntext" % uid
        arrival = arrival_store.Arrival(mailbox="INBOX", uidvalidity=7, uid=uid, content=content, size=70 << 20, received_at=NOW)
        if content is not None:
            arrival = arrival_store.Arrival(mailbox="INBOX", uidvalidity=7, uid=uid, content=content, size=len(content), received_at=NOW)
        arrival_store.keep(tx, [arrival], NOW)
    arrival_store.note_older(tx, "INBOX", 7, [99])
    _decide(tx, 1, "send_release", FILED)
    _decide(tx, 2, "hand_off", ATTENTION, waiting=True)
    _decide(tx, 3, "ignore", FILED, kind="automatic")
    _decide(tx, 4, "send_release", "", mode="observe")
    _decide(tx, 6, "hand_off", ATTENTION, kind="unreadable", waiting=True)
    arrival_store.filed(tx, "INBOX", 7, [1, 2], NOW)


def _decide(
    tx: Tx, number: int, outcome: str, folder: str, *, kind: str = "request", waiting: bool = False, mode: str = "automatic"
) -> None:
    made = inbox.Record(
        kind=kind, outcome=outcome, reason="reason", explanation={}, language="fr", sender=JOURNALIST, sender_key=key(JOURNALIST),
        subject="s", message_id="", identity="", words="", waiting=waiting, folder=folder,
    )  # fmt: skip
    assert inbox.record(tx, number, made, mode, NOW)


def _sendings(tx: Tx) -> None:
    """d1 the answer, sent at the second try; d2 the hand-off, in doubt; d3 refused; d4 waits; d5 is being sent; d6 dropped."""
    to_journalist, to_colleague = Address(JOURNALIST), Address(COLLEAGUE)
    _queue(tx, "d1", Kind.ANSWER, to_journalist, 1, "secret")
    for name, number in (("d2", 2), ("d3", 2), ("d4", 2), ("d5", 6), ("d6", 6)):
        _queue(tx, name, Kind.HAND_OFF, to_colleague, number)
    _try(tx, "d1", Reply(phase=Phase.ENVELOPE_RCPT, code=450, text="later"), outbox.RetryAt(NOW))
    _try(tx, "d1", Reply(phase=Phase.DONE, code=250, text="ok"), Sent())
    _try(tx, "d2", Reply(phase=Phase.DATA, fault=Fault.LOST), Uncertain("lost"))
    _try(tx, "d3", Reply(phase=Phase.DONE, code=550, text="no"), Failed("no"))
    _claim(tx, "d5")
    assert outbox.drop(tx, "d6", NOW)


def _cases(tx: Tx) -> None:
    """Case 1 is open; a colleague's text for case 2, d7, is held back."""
    for number in (2, 6):
        opening = Opening(mail=number, reason="r", journalist=Address(JOURNALIST), language="fr", authenticated=True, note={})
        assert cases.open_case(tx, opening, NOW)
    _queue(tx, "d7", Kind.LETTER, Address(JOURNALIST), 6)
    assert cases.hold(tx, 2, "d7", COLLEAGUE)


def _queue(tx: Tx, name: str, kind: Kind, to: Address, number: int, release: str = "") -> None:
    draft = outbox.Draft(
        key=name, kind=kind, recipient=to, language="fr", subject="s", text="t", mail=number, release=release, edition=release
    )
    assert outbox.enqueue(tx, draft, name, token.message_id(SECRET, name, "office.example"), NOW)


def _claim(tx: Tx, name: str) -> outbox.Claimed:
    """Claim this one and no other."""
    others = delivery.update().where(delivery.c.id != name)
    tx.execute(others.values(due_at=NOW + timedelta(days=1)))
    claimed = outbox.claim(tx, f"holder of {name}", NOW)
    assert claimed is not None
    assert claimed.id == name
    if claimed.raw is None:
        assert outbox.freeze(tx, claimed, f"holder of {name}", NOW, b"bytes")
    tx.execute(delivery.update().values(due_at=NOW))
    return claimed


def _try(tx: Tx, name: str, reply: Reply, verdict: object) -> None:
    claimed = _claim(tx, name)
    assert outbox.enter_doubt(tx, claimed, f"holder of {name}", NOW)
    assert outbox.outcome(tx, claimed, f"holder of {name}", reply, verdict, NOW)  # type: ignore[arg-type]


def test_what_is_sound_is_silent(sound: Database) -> None:
    assert sound.read_now(broken, SECRET) == []


def test_a_correction_told_once_is_sound(sound: Database) -> None:
    sound.write_now(_corrected)
    assert sound.read_now(broken, SECRET) == []


def test_titles_offered_beside_a_hand_off_are_sound(sound: Database) -> None:
    with sound.engine.begin() as tx:
        _queue(tx, "d9", Kind.ANSWER, Address(JOURNALIST), 2)
    assert sound.read_now(broken, SECRET) == []


def test_an_empty_database_is_sound_without_a_key(database: Database) -> None:
    assert database.read_now(broken, None) == []


def test_to_verify_changes_nothing(sound: Database) -> None:
    def everything(tx: Tx) -> str:
        tables = (mail, mail_part, mail_copy, delivery, attempt)
        rows = [str(tx.execute(sa.select(table).order_by(*table.primary_key)).all()) for table in tables]
        return hashlib.sha256("".join(rows).encode()).hexdigest()

    before = sound.read_now(everything)
    sound.read_now(broken, SECRET)
    assert sound.read_now(everything) == before


def _set(table: sa.Table, row: object, **values: object) -> Callable[[Tx], object]:
    """Change this row as no code of ours would."""
    (first, *_) = table.primary_key
    return lambda tx: tx.execute(table.update().where(first == row).values(**values))


def _of_mail(table: sa.Table, number: int, **values: object) -> Callable[[Tx], object]:
    return lambda tx: tx.execute(table.update().where(table.c.mail == number).values(**values))


def _without(table: sa.Table, *which: sa.ColumnElement[bool]) -> Callable[[Tx], object]:
    return lambda tx: tx.execute(table.delete().where(*which))


def _offers(tx: Tx) -> None:
    for name in ("d8", "d9"):
        _queue(tx, name, Kind.ANSWER, Address(JOURNALIST), 2)


def _second_answer(tx: Tx) -> None:
    _queue(tx, "d9", Kind.ANSWER, Address(JOURNALIST), 1, "fountain")


def _answer_to_a_machine(tx: Tx) -> None:
    _queue(tx, "d9", Kind.ANSWER, Address(JOURNALIST), 3, "fountain")


def _unasked_to_a_suppressed_address(tx: Tx) -> None:
    _queue(tx, "d9", Kind.CONFIRMATION, Address("left@journal.example"), 6)
    _try(tx, "d9", Reply(phase=Phase.DONE, code=250, text="ok"), Sent())
    suppressions.suppress(tx, key("left@journal.example"), "complaint", NOW - timedelta(seconds=1))


def _note_about_observed_mail(tx: Tx) -> None:
    _queue(tx, "d9", Kind.HAND_OFF, Address(COLLEAGUE), 4)


def _accepted_twice(tx: Tx) -> None:
    tx.execute(attempt.update().where(attempt.c.delivery == "d1").values(verdict="sent"))


def _tried_after_it_was_accepted(tx: Tx) -> None:
    tx.execute(attempt.insert().values(delivery="d1", number=3, started_at=NOW, holder="x", verdict="retry"))
    tx.execute(delivery.update().where(delivery.c.id == "d1").values(fence=3))


def _letter_about_no_case(tx: Tx) -> None:
    _queue(tx, "d9", Kind.LETTER, Address(JOURNALIST), 1)


def _corrected(tx: Tx) -> corrections.Correction:
    """The release "fountain" went to somebody, was corrected, and he is told by d11."""
    old = releases.load(tx, "fountain")
    assert old is not None
    _queue(tx, "d10", Kind.ANSWER, Address(JOURNALIST), 2, "fountain")
    tx.execute(delivery.update().where(delivery.c.id == "d10").values(key="answer:2:9", content_hash=old.editions[0].content_hash))
    _try(tx, "d10", Reply(phase=Phase.DONE, code=250, text="ok"), Sent())
    made = correction_store.replace_published(tx, replace(old.editions[0], body="better"), "", NOW)
    assert made is not None
    _tell(tx, made, "d11", JOURNALIST)
    return made


def _tell(tx: Tx, made: corrections.Correction, name: str, to: str, told: str = "") -> None:
    draft = outbox.Draft(
        key=name, kind=Kind.CORRECTION, recipient=Address(to), language="fr", subject="s", text="t", release="fountain",
        edition="fountain", content_hash=made.content_hash,
    )  # fmt: skip
    assert outbox.enqueue(tx, draft, name, token.message_id(SECRET, name, "office.example"), NOW)
    correction_store.tell(tx, made, told or key(to), name)


def _changed_beside_its_correction(tx: Tx) -> None:
    _corrected(tx)
    tx.execute(edition.update().where(edition.c.slug == "fountain").values(content_hash="other"))
    tx.execute(delivery.update().where(delivery.c.id == "d11").values(content_hash="other"))


def _told_twice(tx: Tx) -> None:
    _tell(tx, _corrected(tx), "d12", JOURNALIST, "somebody else")


def _told_without_having_it(tx: Tx) -> None:
    _tell(tx, _corrected(tx), "d12", "eve@journal.example")


def _forgotten_what_it_said(tx: Tx) -> None:
    _corrected(tx)
    tx.execute(past_edition.delete())


def _old_words_wait(tx: Tx) -> None:
    _corrected(tx)
    tx.execute(delivery.update().where(delivery.c.id == "d11").values(content_hash="what it said before"))


def _withdrawn_waits(tx: Tx) -> None:
    _corrected(tx)
    tx.execute(edition.update().where(edition.c.slug == "fountain").values(state="withdrawn"))


FAR = NOW + timedelta(days=30)
BROKEN = [
    pytest.param(_changed_beside_its_correction, "edition fountain: does not say what correction 1", id="changed beside its correction"),
    pytest.param(_told_twice, "delivery d12: tells of correction 1 once more", id="a correction told twice"),
    pytest.param(_told_without_having_it, "delivery d12: tells of correction 1 to somebody", id="a correction to who never got it"),
    pytest.param(_forgotten_what_it_said, "correction 1: what the edition said", id="a correction without what was before"),
    pytest.param(_old_words_wait, "delivery d11: waits to leave with what fountain said", id="what was corrected still waits to leave"),
    pytest.param(_withdrawn_waits, "delivery d11: waits to leave, and fountain is withdrawn", id="a withdrawn release waits to leave"),
    pytest.param(_set(mail, 5, state="lost"), "mail 5: state 'lost'", id="a state that is none"),
    pytest.param(_set(mail, 2, outcome=""), "mail 2: state 'decided' with outcome ''", id="decided without an outcome"),
    pytest.param(_set(mail, 2, outcome="shredded"), "mail 2: ", id="an outcome that is none"),
    pytest.param(_set(mail, 3, reason=""), "mail 3: ", id="decided without a reason"),
    pytest.param(_set(mail, 3, decided_at=None), "mail 3: ", id="decided at no time"),
    pytest.param(_set(mail, 3, mode=""), "mail 3: ", id="decided in no mode"),
    pytest.param(_set(mail, 5, outcome="ignore", reason="r", decided_at=NOW, mode="draft"), "mail 5: ", id="an outcome without a decision"),
    pytest.param(_set(mail, 1, kind="automatic"), "mail 1: a release for a mail of kind 'automatic'", id="a machine is answered"),
    pytest.param(_of_mail(mail_part, 3, content=b"other bytes than these"), "mail 3: its bytes", id="other bytes"),
    pytest.param(_of_mail(mail_part, 3, content=b"From: 4\r\n\r\ntext"), "mail 3: its bytes", id="as many other bytes"),
    pytest.param(_without(mail_part, mail_part.c.mail == 3), "mail 3: has no bytes", id="no bytes"),
    pytest.param(_without(mail_copy, mail_copy.c.mail == 3), "mail 3: lies in no folder", id="a mail that lies nowhere"),
    pytest.param(_of_mail(mail_copy, 5, filed_at=NOW), "mail 5: was moved although it is stored", id="moved before its decision"),
    pytest.param(_of_mail(mail_copy, 4, filed_at=NOW), "mail 4: was moved although it is decided in observe", id="moved while observing"),
    pytest.param(_without(delivery, delivery.c.id == "d1"), "mail 1: request, send_release in automatic mode, has 0", id="no answer"),
    pytest.param(_offers, "mail 2: request, hand_off in automatic mode, was offered titles 2 times", id="two offers"),
    pytest.param(_second_answer, "mail 1: request, send_release in automatic mode, has 2 answers", id="two answers"),
    pytest.param(_answer_to_a_machine, "mail 3: automatic, ignore", id="an answer to a machine"),
    pytest.param(_set(delivery, "d1", recipient_key="x@y.example"), "delivery d1: answers mail 1", id="answers somebody else"),
    pytest.param(_set(mail, 5, waiting=True), "mail 5: waits for a person without", id="waits without a decision"),
    pytest.param(_set(mail, 4, waiting=True), "mail 4: waits for a person although", id="waits though only observed"),
    pytest.param(_set(mail, 6, folder=""), "mail 6: is for a person and has no folder", id="handed over to nowhere"),
    pytest.param(_note_about_observed_mail, "delivery d9: comes from mail 4", id="a note about what was only observed"),
    pytest.param(_set(case_file, 1, state="lost"), "case 1: unknown state 'lost'", id="a case's state that is none"),
    pytest.param(_set(mail, 2, waiting=False), "case 1: open, and its mail does not wait", id="an open case that nobody waits for"),
    pytest.param(_set(case_file, 1, state="answered"), "case 1: answered, and its answer is none", id="answered without an answer"),
    pytest.param(_set(case_file, 2, state="answered", answer="d6"), "case 2: answered, and its answer is cancelled", id="not answered"),
    pytest.param(_set(delivery, "d7", state="cancelled", finished_at=NOW), "case 2: its text is held back, and is", id="held and dropped"),
    pytest.param(_letter_about_no_case, "delivery d9: comes from a colleague's word about no case", id="a letter about no case"),
    pytest.param(_set(delivery, "d7", recipient_key="x@y.example"), "delivery d7: answers mail 6", id="a letter to somebody else"),
    pytest.param(_set(delivery, "d4", message_id="<mb.d4.0@office.example>"), "delivery d4: its Message-ID", id="a seal that is not ours"),
    pytest.param(_set(delivery, "d4", state="posted"), "delivery d4: unknown state 'posted'", id="a delivery's state that is none"),
    pytest.param(_set(delivery, "d4", kind="greeting"), "delivery d4: unknown", id="a kind that is none"),
    pytest.param(_set(delivery, "d3", finished_at=None), "delivery d3: failed, and its end is None", id="finished without an end"),
    pytest.param(_set(delivery, "d4", finished_at=NOW), "delivery d4: queued, and its end", id="an end of what waits"),
    pytest.param(_set(delivery, "d5", holder=""), "delivery d5: sending with holder ''", id="sending and nobody does"),
    pytest.param(_set(delivery, "d4", holder="x"), "delivery d4: queued with holder 'x'", id="waiting and somebody holds it"),
    pytest.param(_set(delivery, "d3", in_doubt_since=NOW), "delivery d3: failed and in doubt", id="a doubt that was settled"),
    pytest.param(_set(delivery, "d2", raw=None), "delivery d2: uncertain without its bytes", id="sent without bytes"),
    pytest.param(_set(delivery, "d3", date=None), "delivery d3: failed without its bytes or its date", id="bytes without a date"),
    pytest.param(_without(attempt, attempt.c.delivery == "d3"), "delivery d3: claimed 1 times with 0", id="a try that is not on record"),
    pytest.param(_accepted_twice, "delivery d1: accepted 2 times", id="sent twice"),
    pytest.param(_tried_after_it_was_accepted, "delivery d1: accepted 1 times, and tried again", id="tried after it was sent"),
    pytest.param(_set(attempt, "d1", verdict="retry"), "delivery d1: accepted 0 times and sent", id="called sent and never accepted"),
    pytest.param(_set(delivery, "d1", state="failed"), "delivery d1: accepted 1 times and failed", id="accepted and called failed"),
    pytest.param(_set(attempt, "d2", verdict="retry"), "delivery d2: uncertain, and no attempt", id="uncertain without a doubt"),
    pytest.param(_unasked_to_a_suppressed_address, "delivery d9: was sent although", id="unasked and to a suppressed address"),
    pytest.param(_set(edition, "fountain", state="shy"), "edition fountain: 'shy'", id="an edition's state that is none"),
    pytest.param(_set(edition, "fountain", release="gone"), "edition fountain: ", id="an edition of no release"),
    pytest.param(_set(edition, "fountain", published_at=None), "edition fountain: ", id="published at no time"),
    pytest.param(_set(edition, "secret", embargo=FAR), "delivery d1: queued before the embargo", id="an embargo that was not kept"),
    pytest.param(
        _set(edition, "secret", published_at=None, state="draft"), "delivery d1: answers with 'secret', which", id="a draft was sent"
    ),
    pytest.param(_set(delivery, "d1", edition="gone"), "delivery d1: answers with 'secret'", id="a release that is not there"),
]


@pytest.mark.parametrize(("breaks", "named"), BROKEN)
def test_exactly_the_broken_row_is_named(sound: Database, breaks: Callable[[Tx], object], named: str) -> None:
    sound.write_now(breaks)
    found = sound.read_now(broken, SECRET)
    assert any(one.startswith(named) for one in found), found
    row = named.partition(":")[0]
    assert {one.partition(":")[0] for one in found} <= {row, *also(row)}


def also(row: str) -> set[str]:
    """Who is broken together with it: the answer with its mail."""
    together = [{"mail 1", "delivery d1"}, {"mail 3", "delivery d9"}, {"mail 4", "delivery d9"}, {"mail 6", "case 2"}]
    return {other for pair in together if row in pair for other in pair}


def test_mail_sealed_with_another_key_is_named(sound: Database) -> None:
    found = sound.read_now(broken, b"quite another key than that")
    assert found == [f"delivery d{number}: its Message-ID is not ours" for number in range(1, 8)]


def test_a_lost_key_is_one_sentence(sound: Database) -> None:
    (sentence,) = sound.read_now(broken, None)
    assert sentence.startswith("key: its file is gone")


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_damaged_file_is_named(sound: Database) -> None:
    def an_index_that_is_not_the_tables(tx: Tx) -> None:
        tx.exec_driver_sql("PRAGMA writable_schema=ON")
        tx.exec_driver_sql("UPDATE sqlite_master SET sql = replace(sql, '(waiting)', '(size)') WHERE name = 'ix_mail_waiting'")

    sound.write_now(an_index_that_is_not_the_tables)
    sound.close()
    again = Database(str(sound.url))
    try:
        assert any(one.startswith("database: ") for one in again.read_now(broken, SECRET))
    finally:
        again.close()


def _on_the_list(tx: Tx) -> None:
    """d10 asks; the journalist has confirmed."""
    who = audience.known(tx, Address(JOURNALIST), "fr", NOW)
    _queue(tx, "d10", Kind.CONFIRMATION, Address(JOURNALIST), 1)
    audience.ask(tx, who, Purpose.JOIN, "d10", "token", NOW)
    audience.note(tx, who, Channel.MAIL, Why.CONFIRMED, "OUI", 1, NOW)
    audience.become(tx, who, Standing.SUBSCRIBED, NOW)


LIST_BROKEN = [
    pytest.param(_set(journalist, 1, state="fond"), "journalist 1: unknown state 'fond'", id="a state that is none"),
    pytest.param(_set(journalist, 1, address="x@y.example"), "journalist 1: unknown state 'subscribed', or", id="another's key"),
    pytest.param(_without(consent), "journalist 1: subscribed without a consent", id="subscribed without a consent"),
    pytest.param(_set(consent, 1, event="asked"), "journalist 1: subscribed without a consent", id="only asked"),
    pytest.param(_set(consent, 1, channel="pigeon"), "journalist 1: a consent by 'pigeon'", id="a way that is none"),
    pytest.param(_set(delivery, "d10", recipient_key="x@y.example"), "delivery d10: asks 'join' of another", id="somebody else was asked"),
    pytest.param(_without(confirmation), "", id="a question that was forgotten is no harm"),
    pytest.param(_set(journalist, 1, state="unsubscribed"), "", id="who has left needs none"),
]


@pytest.mark.parametrize(("breaks", "named"), LIST_BROKEN)
def test_whoever_is_on_the_press_list_has_said_so(sound: Database, breaks: Callable[[Tx], object], named: str) -> None:
    sound.write_now(_on_the_list)
    assert sound.read_now(broken, SECRET) == []
    sound.write_now(breaks)
    found = sound.read_now(broken, SECRET)
    assert [one.startswith(named) for one in found] == ([True] if named else []), found


def test_an_imported_journalist_needs_an_origin_instead(sound: Database) -> None:
    sound.write_now(_on_the_list)
    sound.write_now(_without(consent))
    sound.write_now(_set(journalist, 1, origin="press list 2023"))
    assert sound.read_now(broken, SECRET) == []


def test_a_mail_that_wanted_two_things_has_its_answer_too(sound: Database) -> None:
    two = {"actions": [{"type": "subscribe"}, {"type": "send_release", "release": "secret"}]}
    sound.write_now(_set(mail, 1, outcome="subscribe", explanation=two))
    assert sound.read_now(broken, SECRET) == []
    sound.write_now(_set(mail, 1, explanation={"actions": [{"type": "subscribe"}]}))
    assert [one.partition(":")[0] for one in sound.read_now(broken, SECRET)] == ["mail 1"]
