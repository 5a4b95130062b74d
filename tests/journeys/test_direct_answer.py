"""A colleague answers from the media mailbox itself: nobody else has to, and in observe mode the daily list says so."""

import email.policy
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

from tests.journeys.office import LATEST, UNCLEAR, Office, read, text_of
from tests.servers.relay import LoopbackRelay

QUICK = {"imap": {"poll_seconds": 0.1, "idle_seconds": 0.5}}


def answered_by_hand(office: Office, number: int = -1, to: str = "awa@journal.example") -> None:
    """As Outlook keeps it: the last mail of the journalist, or another one, is replied to."""
    lying = [read(raw) for folder in ("INBOX", "mailbot", "mailbot/attention") for raw in office.dovecot.mails(office.address, folder)]
    asked = sorted(lying, key=lambda one: str(one["Subject"]))[number]
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"], message["Subject"] = office.address, to, f"RE: {asked['Subject']}"
    message["In-Reply-To"], message["References"] = asked["Message-ID"], asked["Message-ID"]
    message["Message-ID"] = "<from-outlook@office.example>"
    message.set_content("Bonjour Awa, bien sûr.")
    office.dovecot.put(office.address, "Sent Items", message.as_bytes())


async def test_a_colleagues_own_answer_closes_the_case(office_on_either: Office, relay: LoopbackRelay) -> None:
    office = office_on_either
    office.configure(QUICK)
    async with office.running():
        office.ask(UNCLEAR, subject="Hirondelles")
        await office.settled(1)
        assert office.mails()[0]["waiting"]
        answered_by_hand(office)
        await office.until(lambda: not office.mails()[0]["waiting"], "the answer noticed")
        assert office.mails()[0]["answered_at"] is not None
        office.ask(LATEST, subject="Autre chose", sender="Moussa <moussa@journal.example>")
        await office.settled(2)  # back in the mailbox, it goes on as before
    assert "moussa@journal.example" in [got.recipient for got in relay.mails]
    assert len(office.dovecot.mails(office.address, "Sent Items")) == 1
    assert not list((office.dovecot.root / "mail" / office.address / ".Sent Items").rglob("*:2,*S*")), "it was marked as read"
    assert office.unsound() == []


async def test_forwarded_to_a_colleague_it_still_waits(office: Office) -> None:
    office.ask(UNCLEAR, subject="Hirondelles")
    await office.once()
    answered_by_hand(office, to="specialist@office.example")
    await office.once()
    assert office.mails()[0]["waiting"]


async def test_what_was_answered_while_mailbot_was_away_is_answered_no_second_time(office: Office, relay: LoopbackRelay) -> None:
    office.ask(LATEST, subject="Votre dernier communiqué")
    answered_by_hand(office)
    await office.once()
    (row,) = office.mails()
    assert (row["outcome"], row["reason"], row["waiting"]) == ("ignore", "answered-already", False)
    assert relay.mails == []
    assert office.unsound() == []


async def test_the_daily_list_of_observe_mode_says_what_colleagues_did(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"mode": "observe"}})
    shown = [datetime.now(UTC)]
    office.ask(LATEST, subject="A : votre dernier communiqué")
    office.ask(UNCLEAR, subject="B : les hirondelles", sender="Moussa <moussa@journal.example>")
    await office.once(lambda: shown[0])
    answered_by_hand(office, 0)
    shown[0] += timedelta(days=1)
    await office.once(lambda: shown[0])
    said = text_of(relay.mails[0].content)
    first, second = said.split("2. B :")
    assert "Aurait envoyé" in first
    assert "Un collègue y a répondu le " in first
    assert "Aucun collègue n’y a encore répondu." in second
    assert office.lying() == 2
    assert not list((office.dovecot.root / "mail" / office.address).rglob("*:2,*S*"))
