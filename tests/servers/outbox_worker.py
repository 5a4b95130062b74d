"""The outbox alone as a process of its own, for tests that kill it: `python -m tests.servers.outbox_worker DATABASE PORT CONNECTIONS`.

It starts in a third of the time that `mailbot run` takes, and sends until it is killed.
"""

import asyncio
import logging
import secrets
import sys

import structlog

from mailbot import clock
from mailbot.database import lease
from mailbot.database.engine import Database
from mailbot.message.address import Address
from mailbot.outbox.dispatch import Dispatcher, Terms
from mailbot.outbox.smtp import Server

TERMS = Terms(
    sender=Address("presse@office.example", "Ville de Velmora"), return_path="", rate_per_minute=0, rate_per_day=0, connections=4,
    mails_per_connection=1000, retry_seconds=(0.1,) * 5, uncertain_retry_seconds=0.1,
)  # fmt: skip


def dispatcher(database: Database, port: int) -> Dispatcher:
    """One with a lease of its own."""
    holder = lease.this_process(secrets.token_hex(4))
    database.write_now(lease.acquire, f"process:{holder}", holder, clock.now(), 600)
    return Dispatcher(
        database, Server(host="127.0.0.1", port=port, security="plain"), TERMS, holder, aftermath=lambda *_: None, original=lambda *_: b"",
        values=lambda one: {"name": one.name, "link": f"https://office.example/u/{one.delivery}"}, clock=clock.now,
    )  # fmt: skip


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    asyncio.run(dispatcher(Database(sys.argv[1]), int(sys.argv[2])).run())
