"""A copy made while mails flow, and what comes after it is brought back."""

import asyncio
from contextlib import closing

from mailbot import clock
from mailbot.database import backup
from mailbot.database.engine import Database
from mailbot.verify import broken
from tests.journeys.office import LATEST, SECRET_KEY, Office
from tests.servers.relay import LoopbackRelay

READERS = 30


async def test_a_copy_made_while_mails_flow_holds_together_and_brought_back_sends_nothing_until_a_person_says_so(
    office_on_either: Office, relay: LoopbackRelay
) -> None:
    office = office_on_either
    for number in range(READERS):
        office.ask(LATEST, sender=f"reader@paper-{number}.example")
    copies = []
    async with office.running():
        await office.until(office.mails, "the first mails stored")
        while not office.is_settled(READERS):
            copies.append(office.folder / f"copy-{len(copies)}")
            await asyncio.to_thread(backup.back_up, office.database, copies[-1])
    assert len(copies) > 1
    if office.database.is_sqlite:
        for copy in copies:
            with closing(Database(f"sqlite:///{copy}")) as found:
                assert found.read_now(broken, SECRET_KEY.encode()) == []
    office.database.close()
    backup.restore(office.database_url, copies[0], clock.now())
    del office.database
    assert office.unsound() == []
    left = len(relay.mails)
    await office.once()
    assert len(relay.mails) == left, "some of what the copy holds as waiting has left since"
    assert office.status()["outbox"]["sending_stopped"]
    assert office.unsound() == []
