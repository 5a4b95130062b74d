"""What machines ask a running mailbot: is it alive, is it of use, and how much of everything.

Numbers and states only: no address, no title, no name. /metrics answers this machine alone, unless a proxy on it asks for somebody else;
then it is the proxy's business who may (README).
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from mailbot.database import flag, lease
from mailbot.database.engine import Database, DatabaseUnusable, Tx
from mailbot.database.tables import attempt, delivery, mail
from mailbot.loopback import is_loopback
from mailbot.outbox import store as outbox

STALE = timedelta(minutes=10)
FORWARDED = ("forwarded", "x-forwarded-for")


def routes(database: Database, clock: Callable[[], datetime], refused: Mapping[str, int]) -> list[Route]:
    """/healthz, /readyz and /metrics. `refused`: requests of this process, by the reason."""

    async def alive(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(_: Request) -> Response:
        try:
            wrong = await database.read(trouble, clock())
        except DatabaseUnusable as problem:
            wrong = [f"database: {problem}"]
        return JSONResponse({"ready": not wrong, "trouble": wrong}, 503 if wrong else 200)

    async def metrics(request: Request) -> Response:
        near = request.client is not None and is_loopback(request.client.host)
        if not near or any(name in request.headers for name in FORWARDED):
            raise HTTPException(404)
        return Response(await database.read(counted, refused, clock()), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", alive), Route("/readyz", ready), Route("/metrics", metrics)]


def trouble(tx: Tx, now: datetime) -> list[str]:
    """What keeps it from being of use; empty: nothing. A mailbox that nobody watches here is none of these pages' business."""
    found = []
    if (seen := flag.get(tx, flag.INBOX_SUCCESS)) and now - datetime.fromisoformat(seen) > STALE:
        found.append(f"inbox: last read {seen}")
    if said := flag.get(tx, flag.INBOX_LOGIN_REFUSED):
        found.append(f"inbox: the login is refused ({_kind(said)})")
    if said := flag.get(tx, flag.RELAY_LOGIN_REFUSED):
        found.append(f"relay: the login is refused ({_kind(said)})")
    due = outbox.next_due(tx)
    if due is not None and now - due > STALE and not flag.get(tx, flag.SENDING_STOPPED):
        found.append(f"relay: a mail has been due since {due.isoformat()}")
    return found


def _kind(said: str) -> str:
    """The first word of what went wrong: what a server said is for the office alone."""
    return said.partition(":")[0][:40]


def counted(tx: Tx, refused: Mapping[str, int], now: datetime) -> bytes:
    """Prometheus's text. Worked out when it is asked for, from the same rows that everything else is decided by."""
    registry = CollectorRegistry()
    decided = Gauge("mailbot_mails", "Mails that came in, by what was decided.", ["outcome"], registry=registry)
    for outcome, number in _by(tx, mail.c.outcome):
        decided.labels(outcome or "undecided").set(number)
    states = Gauge("mailbot_outbox", "Mails of ours, by their state.", ["state"], registry=registry)
    for state, number in outbox.states(tx).items():
        states.labels(state).set(number)
    Gauge("mailbot_waiting_for_a_person", "Mails that a person has to answer.", registry=registry).set(
        tx.execute(sa.select(sa.func.count()).select_from(mail).where(mail.c.waiting)).scalar_one()
    )
    Gauge("mailbot_answer_seconds", "From a mail's arrival to its answer: median of the last hundred.", registry=registry).set(_latency(tx))
    Gauge("mailbot_relay_trouble", "1 while the relay does not take what it should.", registry=registry).set(
        flag.get(tx, flag.RELAY_TROUBLE) is not None
    )
    spoken = Gauge("mailbot_relay_dialogues", "Dialogues with the relay in the last hour, by how they ended.", ["end"], registry=registry)
    lately = sa.select(attempt.c.verdict, sa.func.count().label("number")).where(attempt.c.started_at > now - timedelta(hours=1))
    for row in tx.execute(lately.group_by(attempt.c.verdict)):
        spoken.labels(row.verdict or "open").set(row.number)
    no = Gauge("mailbot_requests_refused", "Requests that this process has refused since its start.", ["why"], registry=registry)
    for why, number in refused.items():
        no.labels(why).set(number)
    Gauge("mailbot_sending_stopped", "1 while a person has stopped all sending.", registry=registry).set(
        flag.get(tx, flag.SENDING_STOPPED) is not None
    )
    Gauge("mailbot_lease_holders", "Processes whose lease holds.", registry=registry).set(len(lease.living(tx, now)))
    return generate_latest(registry)


def _by(tx: Tx, column: Any) -> list[tuple[str, int]]:
    rows = tx.execute(sa.select(column, sa.func.count().label("number")).group_by(column))
    return [(str(row[0]), row.number) for row in rows]


def _latency(tx: Tx) -> float:
    answered = sa.select(mail.c.received_at, delivery.c.finished_at).join(mail, delivery.c.mail == mail.c.id)
    last = answered.where(delivery.c.kind == "answer", delivery.c.state == "sent").order_by(delivery.c.created_at.desc()).limit(100)
    took = sorted((row.finished_at - row.received_at).total_seconds() for row in tx.execute(last) if row.finished_at)
    return took[len(took) // 2] if took else 0.0
