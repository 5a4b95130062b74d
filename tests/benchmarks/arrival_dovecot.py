"""From a mail's arrival in a real Dovecot, which tells the waiting mailbot by IDLE, to the relay that has the answer."""

import asyncio
import random
import smtplib
import statistics
import time

from tests.benchmarks import stand
from tests.benchmarks.figure import Figure, progress
from tests.journeys.office import request
from tests.servers.dovecot import Dovecot
from tests.servers.relay import LoopbackRelay

MAILS = 30


def measure() -> list[Figure]:
    """LMTP has said 250 -> the relay has read the final dot. Dovecot itself waits half a second before it tells."""
    with stand.mailbox() as dovecot:
        took = asyncio.run(_measured(dovecot))
    return [
        Figure("arrival in Dovecot to the relay's 250, median", statistics.median(took), "s", "< 1"),
        Figure("arrival in Dovecot to the relay's 250, 95th percentile", statistics.quantiles(took, n=20)[-1], "s"),
    ]


async def _measured(dovecot: Dovecot) -> list[float]:
    took: list[float] = []
    async with LoopbackRelay() as relay:
        lmtp = smtplib.LMTP(dovecot.host, dovecot.lmtp_port, timeout=20)
        with stand.office(dovecot, relay.port) as office, stand.running(office) as process, lmtp:
            for number in range(MAILS + 1):
                accepted = await asyncio.to_thread(_deliver, lmtp, number)
                taken = await relay.wait_for(number + 1, 30)
                took.append(taken[-1].moment - accepted)
                await asyncio.to_thread(stand.wait_until_filed, dovecot, process, 30)
                await asyncio.sleep(random.uniform(0.1, 0.6))  # as mails come: at any moment of an IDLE
                if number % 10 == 0:
                    progress(f"{number} of {MAILS} mails answered")
    return took[1:]  # the first one waited for mailbot's start


def _deliver(lmtp: smtplib.LMTP, number: int) -> float:
    sender = f"Awa Traore <awa.{number}@journal.example>"
    text = "Bonjour,\n\npouvez-vous m'envoyer votre dernier communiqué ?\n\nAwa Traore\n"
    mail = request(stand.ADDRESS, text, sender=sender, number=number).replace(b"mx.office.example", stand.AUTHSERV.encode())
    lmtp.sendmail("awa@journal.example", [stand.ADDRESS], mail)
    return time.time()
