"""Somebody is forgotten: found in no table, no stored mail and no byte of the database's files, and brought back by no list."""

import base64
import quopri
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailbot.archive import retention_store
from mailbot.archive.person import bytes_pattern, is_named_in, pattern, person
from mailbot.audience import forgotten, suppression_store
from mailbot.audience import store as audience
from mailbot.audience.journalist import Channel, Purpose, State, Why
from mailbot.audience.suppression import Bounce, Grade
from mailbot.cases import store as cases
from mailbot.cases.case import Opening
from mailbot.database import flag
from mailbot.database.engine import Database, Tx
from mailbot.database.tables import case_file, delivery, mail, mail_part, metadata
from mailbot.inbox import arrival_store
from mailbot.inbox import store as inbox
from mailbot.message import token
from mailbot.message.address import Address, key
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind, Phase, Reply, Sent
from mailbot.verify import broken
from tests.edges.commands import Commands

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
SECRET = "a key that only this test knows"
AWA, NAME, BO = "Awa.Traore@journal.example", "Awa Traoré", "bo@paper.example"
COLLEAGUE = "colleague@office.example"


def in_base64(text: str) -> bytes:
    return b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(text.encode())


def in_quoted_printable(text: str) -> bytes:
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    return head + quopri.encodestring(text.encode())


MAILS = {
    1: (AWA, f"From: {AWA}\r\nSubject: {AWA}\r\n".encode() + in_base64(f"I am {NAME}, {AWA}")),
    2: (AWA, f"From: {AWA}\r\n".encode() + in_quoted_printable(f"{NAME}: {AWA} again")),
    3: (BO, f"From: {BO}\r\n".encode() + in_base64(f"my friend {AWA.upper()} told me")),
    4: (BO, f"From: {BO}\r\n\r\nnothing about her".encode()),
    5: (BO, f"From: {BO}\r\n\r\nabout mama.{AWA.lower()} and {AWA.lower()}.org, who are others".encode()),
}


@pytest.fixture
def mailbot(tmp_path: Path, database: Database, database_url: str) -> Commands:
    """An office that knows Awa in every way there is: a place on the list, a case, an unsent answer, bounces, other people's mail."""
    (tmp_path / "office").mkdir()
    commands = Commands(tmp_path / "office")
    commands.configure(database_url, {"security": {"secret_key": SECRET}})
    database.write_now(_office)
    return commands


def _office(tx: Tx) -> None:
    for number, (sender, content) in MAILS.items():
        arrival = arrival_store.Arrival(mailbox="INBOX", uidvalidity=7, uid=number, content=content, size=len(content), received_at=NOW)
        arrival_store.keep(tx, [arrival], NOW)
        _decide(tx, number, sender, waits=number == 2)
    arrival_store.filed(tx, "INBOX", 7, [1], NOW)
    opening = Opening(mail=2, reason="question", journalist=Address(AWA, NAME), language="fr", authenticated=True, note={"who": AWA})
    case = cases.open_case(tx, opening, NOW)
    assert case is not None
    for name, kind, number, to, leaves in (
        ("d1", Kind.ANSWER, 1, AWA, True), ("d2", Kind.HAND_OFF, 2, COLLEAGUE, True), ("d3", Kind.LETTER, 2, AWA, False),
        ("d4", Kind.DIGEST, None, COLLEAGUE, True), ("d5", Kind.CONFIRMATION, None, AWA, True), ("d6", Kind.BROADCAST, None, AWA, True),
        ("d7", Kind.ANSWER, 4, BO, True), ("d8", Kind.BROADCAST, None, AWA, False),
    ):  # fmt: skip
        _send(tx, name, kind, number, to, leaves=leaves)
    cases.add_note(tx, case, "d2", "token", Address(COLLEAGUE), NOW)
    who = audience.known(tx, Address(AWA, NAME), "fr", NOW)
    audience.become(tx, who, State.SUBSCRIBED, NOW)
    tx.execute(delivery.update().where(delivery.c.kind == Kind.BROADCAST).values(journalist=who.id))
    audience.note(tx, who, Channel.MAIL, Why.CONFIRMED, f"OUI, {NAME}", 1, NOW)
    audience.ask(tx, who, Purpose.JOIN, "d5", "seal", NOW)
    suppression_store.note(tx, key(AWA), Bounce(NOW, Grade.SOFT, "d6"), "4.2.2", f"<{AWA}> is full", None)
    flag.put(tx, flag.RELAY_TROUBLE, f"450 {AWA}: try later", NOW)


def _decide(tx: Tx, number: int, sender: str, *, waits: bool) -> None:
    outcome = "hand_off" if waits else "send_release" if number in (1, 4) else "ignore"
    made = inbox.Record(
        kind="request", outcome=outcome, reason="question" if waits else "thanks",
        explanation={"sender": sender, "visible_text": f"{NAME} {AWA}", "actions": [], "evidence": [AWA]}, language="fr", sender=sender,
        sender_key=key(sender), subject=f"from {sender}", message_id=f"<{number}@x>", identity="", words="", waiting=waits,
        folder="mailbot",
    )  # fmt: skip
    assert inbox.record(tx, number, made, "automatic", NOW)


def _send(tx: Tx, name: str, kind: Kind, number: int | None, to: str, *, leaves: bool) -> None:
    body = f"about {NAME} <{AWA}>, mailto:{AWA.replace('@', '%40')}" if to != BO else "nothing about her"
    draft = outbox.Draft(
        key=f"answer:{number}" if kind is Kind.ANSWER else name, kind=kind, recipient=Address(to, NAME if to == AWA else ""),
        language="fr", subject=body, text=body, mail=number, release="fountain" if kind in (Kind.ANSWER, Kind.BROADCAST) else "",
    )  # fmt: skip
    assert outbox.enqueue(tx, draft, name, token.message_id(SECRET.encode(), name, "office.example"), NOW)
    if leaves:
        claimed = outbox.claim(tx, "holder", NOW)
        assert claimed is not None
        assert outbox.freeze(tx, claimed, "holder", NOW, in_base64(body))
        reply = Reply(phase=Phase.DONE, code=250, text=f"<{to}> taken")
        assert outbox.outcome(tx, claimed, "holder", reply, Sent(), NOW)
        return
    tx.execute(delivery.update().where(delivery.c.id == name).values(due_at=NOW + timedelta(days=1000)))


def everything(tx: Tx) -> str:
    """Every value of every row, as it reads."""
    return "\n".join(str(tuple(row)) for table in metadata.sorted_tables for row in tx.execute(sa.select(table)))


def stands_in(database: Database) -> list[str]:
    """Where Awa is still found: in rows, or in mails whatever their encoding."""
    names = pattern(person(AWA, [NAME], ""))
    left = [line for line in database.read_now(everything).splitlines() if names.search(line)]
    for number in database.read_now(inbox.arrived):
        if is_named_in(database.read_now(arrival_store.content, number, 1 << 20), names):
            left.append(f"mail {number}")
    return left


def test_a_look_says_what_there_is_and_changes_nothing(mailbot: Commands, database: Database) -> None:
    before = database.read_now(everything)
    found = mailbot("audience", "forget", AWA, "--dry-run", "--json").json()
    assert (found["mails"], found["waiting_for_a_person"], found["open_cases"], found["unsent"]) == ([1, 2], 1, 1, 2)
    assert (found["press_list"], found["deliveries"], found["bounces"]) == ("subscribed", 6, 1)
    assert (found["mails_of_others"], found["texts_to_others"]) == ([3], 1), "and not those who have a longer name"
    assert [(one["folder"], one["uid"]) for one in found["in_the_mailbox"]] == [("mailbot", None), ("INBOX", 2), ("INBOX", 3)]
    told = mailbot("audience", "forget", AWA, "--dry-run").out
    assert "1 of them wait, and would never be answered" in told
    assert "2 of them unsent: they do not leave" in told
    assert "The mailbox itself still has: 1 in mailbot (search there for the address); INBOX UID 2; INBOX UID 3" in told
    assert database.read_now(everything) == before


def test_without_a_yes_nobody_is_forgotten(mailbot: Commands, database: Database) -> None:
    assert mailbot("audience", "forget", AWA).code == 2
    assert stands_in(database)


def test_the_person_is_found_nowhere(mailbot: Commands, database: Database) -> None:
    done = mailbot("audience", "forget", AWA, "--also", NAME, "--yes", "--json").json()
    assert done["files_that_still_hold"] == []
    assert stands_in(database) == []
    assert [one for one in database.read_now(broken, SECRET.encode()) if "never published" not in one] == []
    assert mailbot("audience", "forget", AWA, "--yes", "--json").json()["mails"] == [], "and a second time finds nothing"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_no_byte_of_the_files_names_the_person_in_any_encoding(mailbot: Commands, database: Database, tmp_path: Path) -> None:
    def held() -> list[str]:
        words = [AWA, NAME, f"I am {NAME}"]
        coded = [base64.b64encode(b"x" * shift + word.encode())[4:-4] for word in words for shift in range(3)]
        spelt = [form for word in words for form in (word.encode(), quopri.encodestring(word.encode()), word.encode("utf-16-le"))]
        files = {path.name: path.read_bytes().lower() for path in tmp_path.iterdir() if path.name.startswith("mailbot.db")}
        return [f"{name}: {form!r}" for name, content in files.items() for form in (*coded, *spelt) if form.lower() in content]

    database.write_now(lambda tx: tx.execute(mail_part.delete().where(mail_part.c.mail == 5)))  # it names others, whose names hold hers
    assert held()
    mailbot("audience", "forget", AWA, "--also", NAME, "--yes")
    assert held() == []


def test_what_is_others_stays(mailbot: Commands, database: Database) -> None:
    mailbot("audience", "forget", AWA, "--also", NAME, "--yes")
    rows = {row["id"]: row for row in database.read_now(inbox.listed)}
    assert {number: rows[number]["sender"] for number in rows} == {3: "", 4: BO, 5: BO}, "the mail that names her has no words any more"
    assert database.read_now(arrival_store.content, 4, 1000) == MAILS[4][1]
    kept = database.read_now(outbox.shown, "d7")
    assert kept is not None
    assert kept["text"] == "nothing about her"
    announced = database.read_now(outbox.shown, "d6")
    assert announced is not None
    assert (announced["state"], announced["recipient"], announced["raw"]) == ("sent", "", None), "a broadcast still adds up"
    unsent = database.read_now(outbox.shown, "d8")
    assert unsent is not None
    assert unsent["state"] == "cancelled"
    assert database.read_now(lambda tx: list(tx.execute(sa.select(case_file.c.id)).scalars())) == []


def test_a_later_list_does_not_bring_the_person_back(mailbot: Commands, database: Database) -> None:
    mailbot("audience", "forget", AWA, "--yes")
    said = mailbot("audience", "add", AWA.lower(), "--origin", "an old list")
    assert (said.code, said.out) == (1, "")
    assert "is not written to (forgotten)" in said.err
    assert stands_in(database) == []
    assert mailbot("audience", "unsuppress", AWA, "--yes", "--json").json()["lifted"] == ["forgotten"]
    assert mailbot("audience", "add", AWA, "--origin", "her own call", "--json").json()["state"] == "subscribed"


def test_who_complained_is_silent_for_ever_and_who_did_not_may_write_again(mailbot: Commands, database: Database) -> None:
    database.write_now(suppression_store.suppress, key(AWA), "complaint", NOW)
    mailbot("audience", "forget", AWA, "--yes")
    mailbot("audience", "forget", BO, "--yes")
    assert database.read_now(suppression_store.is_silenced, forgotten.digest(SECRET.encode(), key(AWA)))
    assert not database.read_now(suppression_store.is_silenced, forgotten.digest(SECRET.encode(), key(BO)))


def test_a_mail_of_hers_that_still_lies_in_the_mailbox_does_not_come_back(mailbot: Commands, database: Database) -> None:
    mailbot("audience", "forget", AWA, "--yes")
    content = MAILS[2][1]
    again = arrival_store.Arrival(mailbox="INBOX", uidvalidity=8, uid=2, content=content, size=len(content), received_at=NOW, rescan=True)
    assert database.write_now(arrival_store.keep, [again], NOW) == 0
    assert stands_in(database) == []


def test_somebody_elses_mail_that_waits_stays_and_is_named(mailbot: Commands, database: Database) -> None:
    database.write_now(inbox.put_before_a_person, 3)
    said = mailbot("audience", "forget", AWA, "--yes", "--json")
    assert '"kept_for_an_answer": [3]' in said.out
    assert database.read_now(arrival_store.content, 3, 1000) == MAILS[3][1]
    database.write_now(inbox.close, 3, NOW)
    assert mailbot("audience", "forget", AWA, "--yes", "--json").json()["mails_of_others"] == [3]
    assert database.read_now(arrival_store.content, 3, 1000) == b""


@pytest.mark.parametrize("what", ["undecided", "sending"])
def test_while_her_mail_is_being_dealt_with_nothing_is_done(mailbot: Commands, database: Database, what: str) -> None:
    def busy(tx: Tx) -> None:
        if what == "sending":
            tx.execute(delivery.update().where(delivery.c.id == "d1").values(state="sending", holder="somebody"))
            return
        content = f"From: {AWA}\r\n\r\nnew".encode()
        arrival = arrival_store.Arrival(mailbox="INBOX", uidvalidity=7, uid=99, content=content, size=len(content), received_at=NOW)
        arrival_store.keep(tx, [arrival], NOW)

    database.write_now(busy)
    before = database.read_now(everything)
    said = mailbot("audience", "forget", AWA, "--yes")
    assert said.code == 1
    assert "Nothing was changed" in said.err
    assert database.read_now(everything) == before


def test_the_numbers_of_the_year_stay(mailbot: Commands, database: Database) -> None:
    mailbot("audience", "forget", AWA, "--yes")
    gone = database.read_now(lambda tx: tx.execute(sa.select(mail.c.state, mail.c.sender_key).where(mail.c.id == 1)).one())
    assert tuple(gone) == ("gone", "")
    assert retention_store.GONE == "gone"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param(f"<{AWA}>", True, id="as it is"),
        pytest.param(AWA.upper(), True, id="in capitals"),
        pytest.param(AWA.replace("@", "%40"), True, id="in a link"),
        pytest.param(f"x{AWA}", False, id="a longer local part"),
        pytest.param(f"{AWA}.org", False, id="a longer domain"),
        pytest.param(f"{AWA}.", True, id="at the end of a sentence"),
        pytest.param(f"{AWA.replace('.', 'x')}", False, id="another address"),
    ],
)
def test_a_name_is_found_whole_and_not_in_another(text: str, named: bool) -> None:
    who = person(AWA, [], "")
    assert bool(pattern(who).search(text)) is named
    assert bool(bytes_pattern(who).search(text.encode())) is named
    assert is_named_in(in_base64(text), pattern(who)) is named
    assert is_named_in(in_quoted_printable(text), pattern(who)) is named
