"""Bounces and complaints on real servers: with our seal they change one address, without it nothing."""

import email.policy
from email.message import EmailMessage

import pytest
import sqlalchemy as sa

from mailbot import clock
from mailbot.audience import store as audience
from mailbot.audience import suppression_store
from mailbot.audience.journalist import State
from mailbot.database.engine import Tx
from mailbot.database.tables import bounce, suppression
from mailbot.message import token
from mailbot.message.address import Address, key
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind
from tests.journeys.office import COLLEAGUE, LATEST, SECRET_KEY, UNCLEAR, Office, text_of
from tests.journeys.test_colleague import OWN, answer, at, case_of, to
from tests.servers.relay import LoopbackRelay

AWA = "awa@journal.example"


def report(to: str, message_id: str, part: str, *, kind: str = "delivery-status") -> bytes:
    """What a mail system, or a provider, writes about a mail of ours."""
    lines = (
        "From: Mail Delivery System <mailer-daemon@mx.journal.example>", f"To: {to}", "Subject: Undelivered Mail Returned to Sender",
        f"Message-ID: <{abs(hash((message_id, part)))}@mx.journal.example>", "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type={kind}; boundary="b"', "", "--b", "Content-Type: text/plain", "", "See below.", "",
        "--b", part, "", "--b", "Content-Type: text/rfc822-headers", "", f"From: {to}", "To: somebody@else.example",
        f"Message-ID: {message_id}", "Subject: Re: Demande", "", "--b--", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


def failed(recipient: str = AWA, status: str = "5.1.1", said: str = "550 5.1.1 User unknown") -> str:
    return "\r\n".join(
        ("Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.journal.example", "", f"Final-Recipient: rfc822; {recipient}",
         "Action: failed", f"Status: {status}", f"Diagnostic-Code: smtp; {said}")
    )  # fmt: skip


def feedback(kind: str) -> str:
    head = "Content-Type: message/feedback-report"
    return "\r\n".join((head, "", f"Feedback-Type: {kind}", "User-Agent: Provider/1", "Version: 1"))


def suppressed(office: Office) -> list[tuple[str, str]]:
    with office.database.engine.connect() as tx:
        return [(row.address_key, row.reason) for row in tx.execute(sa.select(suppression))]


def noted(office: Office) -> list[tuple[str, str, str]]:
    with office.database.engine.connect() as tx:
        return [(row.address_key, row.grade, row.status) for row in tx.execute(sa.select(bounce))]


async def answered(office: Office) -> str:
    """A journalist asks and is answered; the Message-ID of the answer."""
    office.ask(LATEST)
    await office.once()
    return str(office.deliveries("answer")[0]["message_id"])


async def comes_back(office: Office, raw: bytes) -> None:
    office.deliver(raw, sender="")
    await office.once()
    assert office.unsound() == []


async def test_a_bounce_with_our_seal_suppresses_the_address_that_our_mail_went_to(office_on_either: Office, relay: LoopbackRelay) -> None:
    office = office_on_either
    ours = await answered(office)
    await comes_back(office, report(office.address, ours, failed(recipient="forwarded-to@elsewhere.example")))
    assert suppressed(office) == [(AWA, "hard-bounce")]
    assert noted(office) == [(AWA, "hard", "5.1.1")]
    assert [row["outcome"] for row in office.mails()] == ["send_release", "record_report"]
    assert office.mails()[0]["waiting"], "what we wrote has not arrived"


async def test_an_answer_that_comes_back_is_told_to_a_colleague_at_once_and_once(office: Office, relay: LoopbackRelay) -> None:
    ours = await answered(office)
    for said in ("550 5.1.1 no such user here", "550 5.1.1 still no such user"):
        await comes_back(office, report(office.address, ours, failed(said=said)))
    (note,) = office.deliveries("hand_off")
    assert note["recipient"] == COLLEAGUE and "Awa Traoré" in note["subject"]
    assert office.mails()[0]["waiting"]


async def test_a_colleagues_own_text_that_comes_back_opens_its_case_again(office: Office, relay: LoopbackRelay) -> None:
    office.ask(UNCLEAR)
    await at(office, 0)
    answer(office, office.taken(relay)[0], OWN)
    await at(office, 10)
    await at(office, 13)
    assert case_of(office).state == "answered"
    (letter,) = office.deliveries("letter")
    office.deliver(report(office.address, letter["message_id"], failed()), sender="")
    await at(office, 14)
    assert (case_of(office).state, office.mails()[0]["waiting"], office.unsound()) == ("open", True, [])
    assert "User unknown" in text_of(to(relay, COLLEAGUE)[-1].content)


FORGED = {
    "no-seal": "<1@office.example>",
    "a-seal-of-another-key": token.message_id(b"another key than that of this journey", "d1", "office.example"),
    "a-delivery-that-never-was": token.message_id(SECRET_KEY.encode(), "d1", "office.example"),
}


@pytest.mark.parametrize("message_id", FORGED.values(), ids=FORGED)
async def test_a_forged_bounce_changes_nothing(office: Office, relay: LoopbackRelay, message_id: str) -> None:
    await answered(office)
    await comes_back(office, report(office.address, message_id, failed()))
    assert (suppressed(office), noted(office)) == ([], [])
    assert not any(row["waiting"] for row in office.mails())


async def test_a_forged_complaint_changes_nothing(office: Office, relay: LoopbackRelay) -> None:
    await answered(office)
    await comes_back(office, report(office.address, FORGED["no-seal"], feedback("abuse"), kind="feedback-report"))
    assert (suppressed(office), noted(office)) == ([], [])


async def test_a_bounce_of_a_note_to_a_colleague_suppresses_nobody(office: Office, relay: LoopbackRelay) -> None:
    office.ask("Bonjour,\n\nQuel temps fait-il chez vous au printemps, et les hirondelles ?\n")
    await office.once()
    note = office.deliveries("hand_off")[0]
    await comes_back(office, report(office.address, note["message_id"], failed(recipient=COLLEAGUE)))
    assert (suppressed(office), noted(office)) == ([], [])


@pytest.mark.parametrize(("status", "said"), [("5.7.1", "550 5.7.1 Message rejected as spam"), ("4.2.2", "452 4.2.2 Mailbox full")])
async def test_policy_and_one_soft_bounce_are_recorded_and_suppress_nobody(
    office: Office, relay: LoopbackRelay, status: str, said: str
) -> None:
    ours = await answered(office)
    await comes_back(office, report(office.address, ours, failed(status=status, said=said)))
    assert suppressed(office) == []
    assert noted(office) == [(AWA, "ours" if status == "5.7.1" else "soft", status)]


async def test_who_complained_gets_no_answer_any_more_and_a_person_sees_his_mail(office: Office, relay: LoopbackRelay) -> None:
    ours = await answered(office)
    await comes_back(office, report(office.address, ours, feedback("abuse"), kind="feedback-report"))
    assert suppressed(office) == [(AWA, "complaint")]
    office.ask(LATEST, number=2)
    await office.once()
    assert [got.recipient for got in relay.mails] == [AWA, COLLEAGUE]
    assert office.mails()[-1]["reason"] == "complained"


async def test_a_complaint_takes_the_person_off_the_press_list(office: Office, relay: LoopbackRelay) -> None:
    def on_the_list(tx: Tx) -> None:
        audience.become(tx, audience.known(tx, Address(AWA), "fr", clock.now()), State.SUBSCRIBED, clock.now())

    ours = await answered(office)
    office.database.write_now(on_the_list)
    await comes_back(office, report(office.address, ours, feedback("abuse"), kind="feedback-report"))
    shown = office.database.read_now(audience.shown, key(AWA))
    assert shown is not None
    assert (shown["state"], [one["words"] for one in shown["consent"]]) == (State.UNSUBSCRIBED, ["feedback-type: abuse"])


async def test_who_is_suppressed_and_wants_to_join_is_for_a_person(office: Office, relay: LoopbackRelay) -> None:
    def unreachable(tx: Tx) -> None:
        audience.known(tx, Address(AWA), "fr", clock.now())
        suppression_store.suppress(tx, key(AWA), "hard-bounce", clock.now())

    office.database.write_now(unreachable)
    office.ask("Bonjour,\n\nInscrivez-moi sur votre liste pour recevoir vos communiqués, svp.\n")
    await office.once()
    assert (office.mails()[-1]["reason"], office.deliveries("confirmation")) == ("suppressed", [])


async def test_a_report_that_a_mail_is_no_spam_is_recorded_alone(office: Office, relay: LoopbackRelay) -> None:
    ours = await answered(office)
    await comes_back(office, report(office.address, ours, feedback("not-spam"), kind="feedback-report"))
    assert (suppressed(office), noted(office)) == ([], [(AWA, "noted", "")])


async def test_who_writes_himself_is_answered_after_a_bounce_too(office: Office, relay: LoopbackRelay) -> None:
    ours = await answered(office)
    await comes_back(office, report(office.address, ours, failed()))
    office.ask(LATEST, number=2)
    await office.once()
    assert [got.recipient for got in office.taken(relay) if got.recipient != COLLEAGUE] == [AWA, AWA]


async def test_an_absence_note_to_an_answer_changes_nothing(office: Office, relay: LoopbackRelay) -> None:
    ours = await answered(office)
    away = EmailMessage(policy=email.policy.SMTP)
    away["From"], away["To"], away["Subject"], away["In-Reply-To"] = AWA, office.address, "Absence", ours
    away["Auto-Submitted"], away["Message-ID"] = "auto-replied", "<away@journal.example>"
    away.set_content("Je suis absente. 550 5.1.1 User unknown.")
    await comes_back(office, away.as_bytes())
    assert (suppressed(office), noted(office), len(relay.mails)) == ([], [], 1)


async def test_an_address_that_the_relay_refuses_at_once_is_suppressed_by_the_same_rule(office: Office, relay: LoopbackRelay) -> None:
    office.ask(LATEST, sender="Awa <nobody@journal.example>")
    await office.once()
    assert suppressed(office) == [("nobody@journal.example", "hard-bounce")]
    assert noted(office) == [("nobody@journal.example", "hard", "5.1.1")]
    assert office.unsound() == []


async def test_neither_confirmation_nor_broadcast_leaves_for_a_suppressed_address(office: Office, relay: LoopbackRelay) -> None:
    secret = SECRET_KEY.encode()
    for kind in (Kind.CONFIRMATION, Kind.BROADCAST):
        draft = outbox.Draft(key=kind, kind=kind, recipient=Address(AWA), language="fr", subject="a", text="b")
        identity = token.message_id(secret, f"q-{kind}", "office.example")
        office.database.write_now(outbox.enqueue, draft, f"q-{kind}", identity, clock.now())
    office.database.write_now(suppression_store.suppress, AWA, "hard-bounce", clock.now())
    await office.once()
    assert relay.mails == []
    assert {row["state"] for row in office.deliveries()} == {"suppressed"}
    assert office.unsound() == []
