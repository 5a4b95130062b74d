"""Observe touches nothing, draft lets nothing leave unseen, and whatever waits beyond the hour's number becomes one list."""

from datetime import UTC, datetime, timedelta

from mailbot import service
from mailbot.database.tables import delivery, mail
from tests.journeys.office import COLLEAGUE, LATEST, SECOND_COLLEAGUE, UNCLEAR, Office, read, text_of
from tests.servers.relay import LoopbackRelay

MORNING = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)


async def test_observe_moves_nothing_sends_nothing_and_remembers(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"mode": "observe", "hand_off_to": []}})
    office.ask(LATEST)
    office.ask(UNCLEAR)
    async with office.running():
        await office.until(lambda: [row["state"] for row in office.mails()] == ["decided", "decided"], "both decided")
        await office.until(lambda: office.status()["inbox"]["last_success"], "a whole look")
    assert (relay.connections, office.deliveries(), office.lying()) == (0, [], 2)
    assert [row["outcome"] for row in office.mails()] == ["send_release", "hand_off"]
    assert not any(row["waiting"] or row["folder"] for row in office.mails())
    maildir = office.dovecot.root / "mail" / office.address
    assert not list(maildir.glob(".mailbot*"))
    assert not list(maildir.rglob("*:2,*S*")), "a mail was marked as read"
    assert office.unsound() == []


async def test_what_was_observed_is_never_answered_after_the_switch_to_automatic(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"mode": "observe"}})
    office.ask(LATEST)
    await office.once()
    office.configure()
    office.ask(LATEST, sender="New <new@paper.example>")
    async with office.running():
        await office.until(lambda: office.lying("mailbot") == 1, "the new mail filed")
    await office.once()
    assert [got.recipient for got in relay.mails] == ["new@paper.example"]
    assert office.lying() == 1
    assert office.unsound() == []


async def test_what_was_observed_counts_neither_as_an_answer_nor_against_a_cap(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"mode": "observe"}})
    for number in range(5):
        office.ask(LATEST, number=number)
    await office.once()
    assert {row["outcome"] for row in office.mails()} == {"send_release"}
    office.configure()
    office.ask(LATEST, number=9)
    await office.once()
    assert [got.recipient for got in relay.mails] == ["awa@journal.example"]


async def test_observe_sends_one_list_on_the_next_day_of_the_office_and_no_second_one(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"mode": "observe"}})
    shown = [MORNING]
    async with office.running(lambda: shown[0]) as parts:
        await parts.summariser.once()
        office.ask(LATEST, subject="Votre dernier communiqué")
        office.ask(UNCLEAR, subject="Hirondelles")
        await office.until(lambda: [row["state"] for row in office.mails()] == ["decided", "decided"], "both decided")
        shown[0] = MORNING + timedelta(hours=14)
        await parts.summariser.once()
        assert office.deliveries() == []
        for hours in (16, 17, 40):  # the next day; the same day again; a day on which nothing came
            shown[0] = MORNING + timedelta(hours=hours)
            await parts.summariser.once()
        await relay.wait_for(1)
    (queued,) = office.deliveries()
    assert (queued["kind"], queued["recipient"]) == ("digest", COLLEAGUE)
    said = text_of(relay.mails[0].content)
    assert "Votre dernier communiqué" in said
    assert "Hirondelles" in said
    assert "La grande fontaine est rouverte" in said
    assert office.unsound() == []


async def test_a_list_that_comes_to_the_watched_mailbox_itself_begets_no_other_list(office: Office, relay: LoopbackRelay) -> None:
    """With no colleague named the office itself gets the list: it must not be news to the next one."""
    office.configure({"inbox": {"mode": "observe", "hand_off_to": []}})
    shown = [MORNING]
    async with office.running(lambda: shown[0]) as parts:
        await parts.summariser.once()
        office.ask(LATEST)
        await office.until(lambda: office.status()["inbox"]["handled"] == 1, "the request decided")
        shown[0] += timedelta(days=1)
        await parts.summariser.once()
        (list_,) = await relay.wait_for(1)
        office.deliver(list_.content, sender=office.address)
        await office.until(lambda: office.status()["inbox"]["handled"] == 2, "the list decided")
        shown[0] += timedelta(days=1)
        await parts.summariser.once()
    assert [row["recipient"] for row in office.deliveries()] == [office.address]


async def test_draft_hands_every_answer_over_with_its_draft(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"mode": "draft"}})
    office.ask(LATEST)
    await office.once()
    (got,) = relay.mails
    assert got.recipient == COLLEAGUE
    assert "La grande fontaine est rouverte" in text_of(got.content)
    assert "44 697 florins" in text_of(got.content)
    assert [part.get_filename() for part in read(got.content).iter_attachments()] == ["original.eml"]
    assert (office.lying(), office.lying("mailbot/attention")) == (0, 1)
    assert office.mails()[0]["waiting"]
    assert office.unsound() == []


async def test_beyond_the_hours_number_of_hand_offs_one_list_follows(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"hand_offs_per_hour": 2}})
    shown = [MORNING]
    async with office.running(lambda: shown[0]) as parts:
        await parts.summariser.once()
        shown[0] += timedelta(minutes=30)
        for number in range(5):
            office.ask(UNCLEAR, subject=f"Hirondelles {number}", sender=f"reader-{number}@paper.example")
        await office.settled(5)
        for minutes in (61, 62, 200):
            shown[0] = MORNING + timedelta(minutes=minutes)
            await parts.summariser.once()
        await relay.wait_for(8)
    assert [row["kind"] for row in office.deliveries()] == ["hand_off", "hand_off", "digest"]
    said = text_of(office.taken(relay)[2].content)
    assert [f"Hirondelles {number}" in said for number in range(5)] == [False, False, True, True, True]
    assert office.lying("mailbot/attention") == 5
    assert office.unsound() == []


async def test_a_list_whose_colleague_is_refused_goes_to_the_next_one(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"mode": "observe", "hand_off_to": ["nobody@office.example", SECOND_COLLEAGUE]}})
    office.ask(LATEST)
    await office.once(lambda: MORNING)
    await office.once(lambda: MORNING + timedelta(days=1))
    assert [got.recipient for got in relay.mails] == [SECOND_COLLEAGUE]
    assert sorted((row["kind"], row["state"]) for row in office.deliveries()) == [("digest", "failed"), ("digest", "sent")]


async def test_no_list_passes_over_a_mail_that_is_decided_later_than_its_neighbours(office: Office, relay: LoopbackRelay) -> None:
    """The first mail fails and is tried again; meanwhile the second is decided, and the hour of the list comes."""
    office.configure({"inbox": {"hand_offs_per_hour": 1}})
    shown = [MORNING]
    parts = office.parts(lambda: shown[0])
    async with service.held(parts):
        await parts.summariser.once()
        for subject in ("Un", "Deux", "Trois"):
            office.ask(UNCLEAR, subject=subject)
        await parts.watcher.once()
        await parts.disposer.drain()
        with office.database.engine.begin() as tx:  # as if the second were still to be decided
            tx.execute(mail.update().where(mail.c.subject == "Deux").values(state="stored", outcome="", decided_at=None, waiting=False))
        shown[0] += timedelta(hours=2)
        await parts.summariser.once()
        assert [row["kind"] for row in office.deliveries()] == ["hand_off"]
        with office.database.engine.begin() as tx:
            tx.execute(delivery.update().values(created_at=shown[0]))  # the hour's note is a fresh one
        await parts.disposer.drain()
        shown[0] += timedelta(hours=2)
        await parts.summariser.once()
        await parts.dispatcher.drain()
    assert [row["kind"] for row in office.deliveries()] == ["hand_off", "digest"]
    said = text_of(office.taken(relay)[1].content)
    assert ["Deux" in said, "Trois" in said] == [True, True]


async def test_switched_back_to_observe_it_leaves_even_what_was_decided_before_where_it_is(office: Office, relay: LoopbackRelay) -> None:
    office.ask(LATEST)
    parts = office.parts()
    async with service.held(parts):
        await parts.watcher.once()
        await parts.disposer.drain()
    office.configure({"inbox": {"mode": "observe"}})
    await office.once()
    assert (office.lying(), office.status()["inbox"]["trouble"]) == (1, "")
    assert [got.recipient for got in relay.mails] == ["awa@journal.example"], "what was promised before leaves all the same"
