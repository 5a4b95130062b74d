"""The same way on the demo's servers: SMTP, IMAP, mailbot and the relay in one process."""

import asyncio
import statistics
from types import SimpleNamespace

from mailbot.demo.mail_world import MailWorld
from tests.benchmarks import stand
from tests.benchmarks.figure import Figure
from tests.journeys.office import COLLEAGUE, request

MAILS = 30
PASSWORD = "secret"


def measure() -> list[Figure]:
    """From the mail's place in the mailbox to the answer's place in the journalist's."""
    took = asyncio.run(_measured())
    return [
        Figure("arrival to answer on the demo's servers, median", statistics.median(took) * 1000, "ms", "< 50"),
        Figure("arrival to answer on the demo's servers, 95th percentile", statistics.quantiles(took, n=20)[-1] * 1000, "ms"),
    ]


async def _measured() -> list[float]:
    world = MailWorld(stand.AUTHSERV)
    await world.start([stand.ADDRESS, COLLEAGUE], PASSWORD)
    try:
        mailbox = SimpleNamespace(imap_port=world.imap_port)
        with stand.office(mailbox, world.smtp_port, smtp={"username": stand.ADDRESS, "password": PASSWORD}) as office:
            async with office.running():
                return [await _one(world, number) for number in range(MAILS + 1)][1:]  # the first one waited for the start
    finally:
        await world.stop()


async def _one(world: MailWorld, number: int) -> float:
    sender = f"awa.{number}@journal.example"
    arrival = await world.send(sender, stand.ADDRESS, request(stand.ADDRESS, "Bonjour, votre dernier communiqué, svp ?", sender=sender))
    answer = await world.answer(sender, arrival.message_id, 20)
    if answer is None:
        raise RuntimeError(f"mail {number} was not answered")
    await asyncio.sleep(0.2)  # the next one comes when this one is filed, and mailbot waits again
    return answer.moment - arrival.moment
