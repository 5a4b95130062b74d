"""A journalist's mail to its end: let go after its days, or at once where she asks to be forgotten; while mailbot runs, on real servers."""

import asyncio
import json
from datetime import datetime, timedelta

from mailbot import clock
from mailbot.archive.retain import last_round
from mailbot.inbox import arrival_store
from tests.journeys.office import LATEST, UNCLEAR, Office, request
from tests.servers.relay import LoopbackRelay

AWA, NAME, BO = "awa@journal.example", "Awa Traoré", "bo@paper.example"


def in_ninety_one_days() -> datetime:
    return clock.now() + timedelta(days=91)


async def test_who_is_forgotten_while_mailbot_runs_is_found_in_no_byte_and_may_write_again(office: Office, relay: LoopbackRelay) -> None:
    process = office.start()
    office.ask(LATEST)
    office.ask(UNCLEAR, number=2)
    office.ask(f"{LATEST}\n-- \nmon amie {AWA} me l'a dit", sender=f"Bo <{BO}>")
    await office.settled(3, 90)
    done = await office.commanded("audience", "forget", AWA, "--also", NAME, "--yes", "--json")
    facts = json.loads(done.stdout)
    assert (len(facts["mails"]), facts["open_cases"], facts["mails_of_others"], facts["files_that_still_hold"]) == (2, 1, [3], [])
    files = [*office.folder.glob("mailbot.db*"), office.folder / "log"]
    assert len(files) > 2
    assert not [path.name for path in files for word in (AWA, NAME, "Traor") if word.encode() in path.read_bytes()]
    assert office.unsound() == []
    assert BO in [row["recipient"] for row in office.deliveries("answer")], "what was sent to others stays"
    office.ask(LATEST, number=4)
    await office.until(lambda: [got for got in relay.mails if got.recipient == AWA][1:], "she is answered when she writes again", 60)
    process.terminate()
    assert await asyncio.to_thread(process.wait, 60) == 0


async def test_old_words_go_while_mailbot_runs_and_the_same_mail_is_not_answered_again(office: Office, relay: LoopbackRelay) -> None:
    first = request(office.address, LATEST)
    office.deliver(first)
    office.ask(UNCLEAR, number=2)
    await office.once()
    before = len(relay.mails)
    async with office.running(in_ninety_one_days):
        await office.until(lambda: office.database.read_now(last_round), "the round of the day")
        office.deliver(first)  # with the server's own lines of today: its Message-ID, sender and date alone tell which it is
        await office.settled(3)
    assert [row["reason"] for row in office.mails()] == ["latest-asked", "question", "rescan-doubt"]
    kept = [bool(office.database.read_now(arrival_store.content, row["id"], 10)) for row in office.mails()]
    assert kept == [False, True, True], "two wait"
    assert AWA not in [got.recipient for got in relay.mails[before:]], "she is not answered again"
