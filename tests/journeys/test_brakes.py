"""Floods and loops on real servers: they end at once, a person hears of it, and nobody is flooded in turn."""

from datetime import UTC, datetime, timedelta

import pytest

from mailbot.inbox import breaker
from tests.journeys.office import COLLEAGUE, LATEST, UNCLEAR, Office, read, request, text_of
from tests.servers.relay import LoopbackRelay

MORNING = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)


def asks(number: int) -> str:
    """Everybody in words of his own."""
    return f"{LATEST}\n\nJournaliste {number}"


async def test_the_breaker_trips_once_is_shown_outlives_a_restart_and_is_reset(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"answers_per_minute": 2}})
    shown = [MORNING]

    async def ask(number: int) -> None:
        office.ask(asks(number), sender=f"J{number} <j@paper-{number}.example>")
        await office.once(lambda: shown[0])

    for number in range(8):  # two a minute leave, the third at last trips it
        await ask(number)
        shown[0] += timedelta(seconds=30)
    assert [row["reason"] for row in office.mails()] == ["latest-asked"] * 6 + ["answers-stopped"] * 2
    told = [got for got in relay.mails if got.recipient == COLLEAGUE]
    assert read(told[0].content)["Subject"] == "Réponses automatiques arrêtées"
    assert len(told) == 3, "the office is told once, and gets each mail"
    assert "La grande fontaine est rouverte" in text_of(told[1].content), "with its draft"
    assert office.status()["inbox"]["answers_stopped"] is True
    assert "STOPPED" in (await office.commanded("status")).stdout
    assert "would begin again" in (await office.commanded("inbox", "resume", "--dry-run")).stdout
    shown[0] += timedelta(days=1)
    await ask(8)
    assert office.mails()[-1]["reason"] == "answers-stopped", "a new day and a new process do not reset it"
    await office.commanded("inbox", "resume", "--yes")
    assert office.status()["inbox"]["answers_stopped"] is False
    await ask(9)
    assert office.mails()[-1]["reason"] == "latest-asked"
    assert "Nothing was stopped" in (await office.commanded("inbox", "resume", "--yes")).stdout
    assert office.unsound() == []


async def test_after_a_reset_what_led_to_the_trip_counts_no_more(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"answers_per_minute": 1}})
    for number in range(3):
        office.ask(asks(number), sender=f"J{number} <j@paper-{number}.example>")
        await office.once(lambda number=number: MORNING + timedelta(minutes=2 * number))
    assert office.status()["inbox"]["answers_stopped"] is True
    assert office.database.write_now(breaker.reset, MORNING + timedelta(minutes=5)) is True
    office.ask(asks(9), sender="J9 <j@paper-9.example>")
    await office.once(lambda: MORNING + timedelta(minutes=6))
    assert (office.mails()[-1]["reason"], office.status()["inbox"]["answers_stopped"]) == ("latest-asked", False)


async def test_the_same_words_from_ever_new_addresses_are_answered_to_so_many(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"addresses_per_text_per_hour": 3}})
    for number in range(6):
        office.ask("Merci, votre dernier communiqué svp", sender=f"Robot <ooo-{number}@robot-{number}.example>", number=number)
    await office.once()
    assert [row["reason"] for row in office.mails()] == ["latest-asked"] * 3 + ["cap-same-words"] * 3
    office.ask("Merci, votre dernier communiqué svp", sender="Robot <ooo-7@robot-7.example>", number=7)
    await office.once(lambda: datetime.now(UTC) + timedelta(hours=2))
    assert office.mails()[-1]["reason"] == "latest-asked"


@pytest.mark.parametrize("vouched", [True, False], ids=["vouched-for", "not-vouched-for"])
async def test_two_mailboxes_that_answer_each_other_stop_at_one_answer(office: Office, relay: LoopbackRelay, vouched: bool) -> None:
    """The other one answers everything with the same words, does not say that it is a machine, and drops our header fields."""
    peer, seen, number = "bureau@peer.example", 0, 0
    office.deliver(request(office.address, "Merci, votre dernier communiqué svp", sender=peer, subject="Bonjour", vouched=vouched), peer)
    async with office.running():
        await office.settled(1)
        for _ in range(5):
            for got in [one for one in relay.mails[seen:] if one.recipient == peer]:
                number += 1
                subject = f"Re: {read(got.content)['Subject']}"
                text = "Merci, votre dernier communiqué svp"
                office.deliver(request(office.address, text, sender=peer, subject=subject, number=number, vouched=vouched), peer)
            seen = len(relay.mails)
            await office.settled(1 + number)
    assert [got.recipient for got in relay.mails] == [peer, COLLEAGUE]
    assert [row["outcome"] for row in office.mails()] == ["send_release", "hand_off"]


async def test_one_sender_cannot_flood_the_colleague_and_the_digest_names_the_rest(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"hand_offs_per_address_per_hour": 2}})
    shown = [MORNING]
    async with office.running(lambda: shown[0]) as parts:
        await parts.summariser.once()
        for number in range(5):
            office.ask(UNCLEAR, subject=f"Hirondelles {number}", number=number)
            await office.settled(number + 1)
        office.ask(UNCLEAR, subject="Moineaux", sender="Bo <bo@paper.example>")
        await office.settled(6)
        shown[0] += timedelta(minutes=61)
        await parts.summariser.once()
        await relay.wait_for(6)
    assert [row["kind"] for row in office.deliveries()] == ["hand_off"] * 3 + ["digest"]
    (told,) = office.deliveries("digest")
    (said,) = [text_of(got.content) for got in relay.mails if read(got.content)["Message-ID"] == told["message_id"]]
    assert [f"Hirondelles {number}" in said for number in range(5)] == [False, False, True, True, True]
    assert office.unsound() == []


async def test_a_call_for_help_is_told_however_often_its_sender_wrote(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"hand_offs_per_address_per_hour": 1}})
    plea = "Bonjour,\n\nMon fils est enfermé dans un centre de détention, aidez-moi je vous en supplie, nous avons besoin d'aide.\n"
    for number, text in enumerate((UNCLEAR, UNCLEAR, plea)):
        office.ask(text, number=number)
    await office.once()
    assert [row["reason"] for row in office.mails()][2] == "call-for-help"
    assert {row["mail"] for row in office.deliveries("hand_off")} == {1, 3}
