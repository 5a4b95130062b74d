"""Alerts against real databases, relays and a webhook: told once whoever looks, kept until they have arrived, and never a loop."""

import asyncio
import email
import email.policy
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from mailbot import languages, office_terms, service, terms
from mailbot.alerts import raise_alerts, store, webhook
from mailbot.alerts.alert import SAYS, Kind
from mailbot.alerts.raise_alerts import Alerter
from mailbot.cases import store as cases
from mailbot.cases.case import Opening
from mailbot.database import flag
from mailbot.database.engine import Database, Tx
from mailbot.database.tables import case_file, mail
from mailbot.inbox.store import DECIDED
from mailbot.message import token
from mailbot.message.address import Address
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind as Mail
from mailbot.rendering import render
from mailbot.settings import Settings
from mailbot.standing import in_a_line, standing
from tests.edges.test_check import configured
from tests.servers.relay import Got, LoopbackRelay
from tests.servers.webhook import LoopbackWebhook, hook

__all__ = ["hook"]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEEPER = "it@office.example"
LANGUAGES = languages.load([languages.shipped()])
only_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


class Clock:
    """Goes when it is told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def go(self, minutes: float) -> None:
        self.now += minutes * MINUTE


@pytest.fixture
def clock() -> Clock:
    return Clock()


Make = Callable[..., Alerter]


@pytest.fixture
def alerter(database: Database, database_url: str, clock: Clock) -> Make:
    """mailbot's alerter as the settings make it; `smtp` and `second` are the ports of the two relays."""
    numbers = count()

    def make(*, smtp: int = 1, second: int = 0, holder: str = "one", every: float = 60, **section: Any) -> Alerter:
        given = {"to": KEEPER, "sender": "alerts@elsewhere.example"} | section
        given |= {"smtp_host": "127.0.0.1", "smtp_port": second, "smtp_security": "plain"} if second else {}
        settings = configured(database_url, smtp={"port": smtp}, alerts=given)
        return Alerter(
            database, alerting(settings), holder, clock=clock, new_id=lambda: f"{holder}{next(numbers)}", every_seconds=every
        )

    return make


def alerting(settings: Settings) -> raise_alerts.Terms:
    office = office_terms.office_of(settings, LANGUAGES)
    return terms.alerting_terms(settings, office, b"a key", None)


def refuse(database: Database) -> None:
    """The mailbox does not take our login."""
    database.write_now(flag.put_first, flag.INBOX_LOGIN_REFUSED, "no", NOW)


def accept(database: Database, now: datetime) -> None:
    database.write_now(flag.clear, flag.INBOX_LOGIN_REFUSED)
    database.write_now(flag.put, flag.INBOX_SUCCESS, now.isoformat(), now)


def read(got: Got) -> Any:
    return email.message_from_bytes(got.content, policy=email.policy.default)


async def test_it_is_told_once_and_once_more_when_it_is_well(
    database: Database, alerter: Make, clock: Clock, relay: LoopbackRelay
) -> None:
    one = alerter(smtp=relay.port)
    refuse(database)
    for _ in range(3):
        await one.once()
        clock.go(1)
    await alerter(smtp=relay.port).once()  # after a restart
    assert [read(got)["Subject"] for got in relay.mails] == ["Alerte : connexion à la boîte"]
    accept(database, clock.now)
    for _ in range(3):
        await one.once()
    assert [read(got)["Subject"] for got in relay.mails][1:] == ["Retour à la normale : connexion à la boîte"]
    assert database.read_now(store.open_alerts) == []


@only_sqlite
async def test_it_looks_again_and_again_until_it_is_asked_to_stop(database: Database, alerter: Make, relay: LoopbackRelay) -> None:
    one = alerter(smtp=relay.port, every=0.01)
    running = asyncio.create_task(one.run())
    refuse(database)
    await relay.wait_for(1)
    accept(database, NOW)
    await relay.wait_for(2)
    one.stop()
    await asyncio.wait_for(running, 10)


async def test_an_alert_is_plain_text_that_no_machine_answers_and_that_we_know_as_ours(
    database: Database, alerter: Make, relay: LoopbackRelay
) -> None:
    refuse(database)
    await alerter(smtp=relay.port).once()
    (got,) = relay.mails
    message = read(got)
    assert (message["Auto-Submitted"], message.get_content_type()) == ("auto-generated", "text/plain")
    assert (message["From"], got.sender, message["To"]) == ("mailbot <alerts@elsewhere.example>", "alerts@elsewhere.example", KEEPER)
    assert token.own_delivery(b"a key", message["Message-ID"])
    assert "imap.password" in message.get_content()


async def test_it_arrives_by_the_second_relay_while_the_first_is_down(
    database: Database, alerter: Make, clock: Clock, relay: LoopbackRelay
) -> None:
    queue(database)
    one = alerter(smtp=1, second=relay.port)
    clock.go(10)
    accept(database, clock.now)
    await one.once()
    (got,) = relay.mails
    assert "envoi des messages" in read(got)["Subject"]


async def test_the_ordinary_relay_brings_it_where_the_second_is_down(database: Database, alerter: Make, relay: LoopbackRelay) -> None:
    refuse(database)
    await alerter(smtp=relay.port, second=1).once()
    assert len(relay.mails) == 1


async def test_it_is_kept_until_somebody_takes_it_and_is_the_same_then(
    database: Database, alerter: Make, clock: Clock, relay: LoopbackRelay
) -> None:
    await relay.stop()
    one = alerter(smtp=relay.port)
    refuse(database)
    waits = []
    for _ in range(9):
        await one.once()
        waits.append(next_try(database) - clock.now)
        clock.now += waits[-1]
    assert waits == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 16, 32, 60, 60, 60)]
    assert database.read_now(standing, "observe")["alerts"]["undelivered"] == 1
    await relay.start()
    await alerter(smtp=relay.port, holder="after a restart").once()
    (got,) = relay.mails
    assert read(got)["Date"].datetime == NOW, "when it was raised, not when it left"
    assert database.read_now(store.undelivered)[0] == 0


async def test_who_cannot_be_reached_keeps_nobody_else_waiting_and_raises_no_alert(
    database: Database, alerter: Make, clock: Clock, relay: LoopbackRelay
) -> None:
    one = alerter(smtp=relay.port, to=["nobody@office.example", KEEPER])
    refuse(database)
    await one.once()
    accept(database, clock.now)
    await one.once()
    clock.go(300)
    accept(database, clock.now)
    await one.once()
    assert [got.recipient for got in relay.mails] == [KEEPER] * 2
    assert relay.tried["nobody@office.example"] == 3, "one try a look, not one a message"
    assert database.read_now(store.open_alerts) == []


def test_of_two_processes_one_tells_it(database: Database, database_url: str, alerter: Make) -> None:
    refuse(database)
    with ThreadPoolExecutor(4) as pool:
        for who in [pool.submit(database.write_now, alerter(holder=name)._tell, 5 << 30, NOW) for name in "abcd"]:
            who.result()
    assert database.read_now(store.undelivered)[0] == 1


def test_a_message_is_one_processes_until_that_has_died(database: Database, alerter: Make) -> None:
    refuse(database)
    database.write_now(alerter()._tell, 5 << 30, NOW)
    claimed = database.write_now(store.claim, "one", NOW, 600)
    assert claimed is not None
    assert database.write_now(store.claim, "two", NOW + 9 * MINUTE, 600) is None
    assert database.write_now(store.claim, "two", NOW + 10 * MINUTE, 600) is not None
    database.write_now(store.again, claimed, "one", NOW, "too late")
    assert database.write_now(store.claim, "three", NOW + 11 * MINUTE, 600) is None, "who lost the claim changes nothing any more"


async def test_a_webhook_gets_it_as_json(database: Database, alerter: Make, hook: LoopbackWebhook) -> None:
    refuse(database)
    await alerter(to=hook.url).once()
    (body,) = hook.bodies
    assert hook.requests == ["POST /hook?token=hidden HTTP/1.1"]
    assert body["organisation"] == "Office"
    assert body["text"].startswith("Alerte\u00a0: connexion à la boîte\n\nLA BOÎTE")
    assert [(one["condition"], one["event"]) for one in body["alerts"]] == [("inbox-login-refused", "began")]


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_a_webhook_that_says_no_is_asked_again_later_and_nowhere_else(
    database: Database, alerter: Make, clock: Clock, hook: LoopbackWebhook, status: int
) -> None:
    hook.status, hook.headers = status, f"Location: http://127.0.0.1:{hook.port}/elsewhere\r\n"
    one = alerter(to=hook.url)
    refuse(database)
    await one.once()
    assert database.read_now(store.undelivered) == (1, f"the webhook answered {status}")
    hook.status = 204
    clock.go(1)
    await one.once()
    assert database.read_now(store.undelivered)[0] == 0
    assert len(hook.requests) == 2
    assert not [line for line in hook.requests if "elsewhere" in line]


async def test_a_webhook_that_drips_is_cut_at_the_deadline(hook: LoopbackWebhook) -> None:
    hook.drips = True
    with pytest.raises(webhook.WebhookRefused, match="could not be reached") as refused:
        await webhook.post(hook.url, {}, 0.3)
    assert "hidden" not in str(refused.value)
    async with asyncio.timeout(10):
        await hook.cut.wait()


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_webhook_is_told_only_where_its_certificate_can_be_trusted(
    certificates: Path, monkeypatch: pytest.MonkeyPatch, trusted: bool
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    there = LoopbackWebhook()
    await there.start(context)
    url = f"https://127.0.0.1:{there.port}/hook"
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
        await webhook.post(url, {"text": "it"}, 5)
    else:
        with pytest.raises(webhook.WebhookRefused, match="could not be reached"):
            await webhook.post(url, {"text": "it"}, 5)
    assert there.bodies == ([{"text": "it"}] if trusted else [])
    await there.stop()


async def test_a_webhook_that_is_not_there_is_one_sentence_without_its_address() -> None:
    with pytest.raises(webhook.WebhookRefused, match="could not be reached") as refused:
        await webhook.post("http://127.0.0.1:1/hidden", {}, 5)
    assert "hidden" not in str(refused.value)


# --- what the database tells ---


def gathered(database: Database, now: datetime = NOW, rate_per_day: int = 0) -> dict[str, Any]:
    return database.read_now(store.gathered, 3, rate_per_day, now)


def test_an_empty_database_tells_of_nothing(database: Database) -> None:
    assert not any(gathered(database).values())


def queue(database: Database) -> None:
    draft = outbox.Draft(key="k", kind=Mail.ANSWER, recipient=Address("awa@journal.example"), language="fr", subject="S", text="T")
    database.write_now(outbox.enqueue, draft, "d", "<d@office.example>", NOW)


def test_a_mail_that_waits_is_told_and_one_that_is_not_to_leave_is_held(database: Database) -> None:
    queue(database)
    assert (gathered(database)["waiting_since"], gathered(database)["held"]) == (NOW, False)
    assert gathered(database, NOW - MINUTE)["waiting_since"] is None, "it is not due yet"
    database.write_now(outbox.claim, "me", NOW)
    database.write_now(lambda tx: tx.execute(sa.text("UPDATE delivery SET state = 'queued'")))
    assert gathered(database, rate_per_day=1)["held"], "the day's number is reached"
    assert not gathered(database, rate_per_day=2)["held"]
    database.write_now(flag.put, flag.SENDING_STOPPED, "a person", NOW)
    assert gathered(database)["held"]


@pytest.mark.parametrize(
    ("name", "said", "facts"),
    [
        (flag.INBOX_LOGIN_REFUSED, "535 no", {"inbox_refuses"}),
        (flag.RELAY_LOGIN_REFUSED, "login-refused: 535 no", {"relay_refuses"}),
        (flag.RELAY_LOGIN_REFUSED, "token-refused: 535 no", {"relay_refuses", "token_refused"}),
        (flag.RELAY_TROUBLE, "lost: the relay closed the connection", set()),
    ],
)
@only_sqlite
def test_a_refused_login_is_told_from_a_line_that_is_down(database: Database, name: str, said: str, facts: set[str]) -> None:
    database.write_now(flag.put, name, said, NOW)
    assert {fact for fact, value in gathered(database).items() if value} == facts


def arrive(tx: Tx, **changed: Any) -> int:
    row = {"sha256": str(changed), "size": 1, "received_at": NOW, "stored_at": NOW, "state": DECIDED, "kind": "request", "waiting": True}
    return int(tx.execute(mail.insert().returning(mail.c.id), row | changed).scalar_one())


def test_a_mail_is_parked_that_failed_three_times_and_waits(database: Database) -> None:
    parked = [database.write_now(arrive, attempts=4, sha256="a")]
    for other in ({"attempts": 3}, {"attempts": 4, "waiting": False}):
        database.write_now(arrive, **other)
    assert list(gathered(database)["parked"]) == parked


@only_sqlite
@pytest.mark.parametrize(
    ("changed", "kind", "late"),
    [
        pytest.param({"deadline": NOW - MINUTE}, "request", True, id="past its deadline"),
        pytest.param({"overdue": True}, "request", True, id="every colleague had it"),
        pytest.param({"deadline": NOW + MINUTE}, "request", False, id="there is time left"),
        pytest.param({"deadline": NOW - MINUTE, "state": "snoozed"}, "request", False, id="a colleague puts it off"),
        pytest.param({"deadline": NOW - MINUTE, "state": "closed"}, "request", False, id="it is closed"),
        pytest.param({"deadline": NOW - MINUTE}, "report", False, id="a report that nobody could read: an alert might have caused it"),
    ],
)
def test_a_request_is_late_that_nobody_has_taken_up(database: Database, changed: dict[str, Any], kind: str, late: bool) -> None:
    def open_one(tx: Tx) -> int:
        number = arrive(tx, kind=kind)
        opening = Opening(mail=number, reason="unclear", journalist=None, language="fr", authenticated=False, note={})
        assert cases.open_case(tx, opening, NOW) is not None
        tx.execute(case_file.update().values(changed))
        return number

    number = database.write_now(open_one)
    assert gathered(database)["overdue"] == ((number,) if late else ())


@only_sqlite
def test_a_full_disk_is_seen_on_the_disk_of_the_database(database: Database, alerter: Make) -> None:
    database.write_now(alerter()._tell, 10 << 20, NOW)
    assert [one["condition"] for one in database.read_now(store.open_alerts)] == ["disk-nearly-full"]


# --- what people see ---


def test_status_names_what_is_open_and_what_has_not_arrived(database: Database, alerter: Make) -> None:
    refuse(database)
    database.write_now(alerter()._tell, 5 << 30, NOW)
    found = database.read_now(standing, "draft")["alerts"]
    assert found["open"] == [{"condition": "inbox-login-refused", "kind": "inbox-login-refused", "since": NOW.isoformat()}]
    assert found["undelivered"] == 1
    assert "inbox-login-refused" in database.read_now(in_a_line, "draft")


def test_who_is_no_longer_named_gets_nothing_and_where_nobody_is_all_begins_anew(database: Database, alerter: Make) -> None:
    refuse(database)
    database.write_now(alerter(to=[KEEPER, "gone@office.example"])._tell, 5 << 30, NOW)
    database.write_now(store.keep_for, [KEEPER])
    assert database.read_now(store.undelivered)[0] == 1
    database.write_now(store.keep_for, [])
    assert database.read_now(store.undelivered)[0] == 0
    assert database.read_now(store.open_alerts) == []


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_kind_has_words_of_its_own_and_says_what_to_do(language: str) -> None:
    words = office_terms.office_of(configured("sqlite:///nothing.db"), LANGUAGES).words
    about = {"item": "7", "since": NOW, "numbers": (7,), "number": 7, "free_mb": 12, "ends": date(2026, 3, 31), "days": 30}
    said = {}
    for kind in Kind:
        for begins in (True, False):
            values = {"organisation": {"name": "Office"}, "items": (about | {"kind": str(kind), "began": begins},)}
            said[kind, begins] = render(words, language, "alert", values)
    assert len({one.text for one in said.values()}) == len({one.subject for one in said.values()}) == 2 * len(Kind)
    assert all(("What to do:" in one.text or "Que faire\u00a0:" in one.text) == begins for (_, begins), one in said.items())
    assert set(SAYS) == set(Kind)


@only_sqlite
async def test_where_nobody_is_named_nobody_looks(database: Database, database_url: str) -> None:
    parts = service.build(configured(database_url), lambda: NOW)
    assert parts.alerter is None
    await parts.reader.close()
    parts.database.close()
    parts = service.build(configured(database_url, alerts={"to": KEEPER}), lambda: NOW)
    assert parts.alerter is not None
    await parts.reader.close()
    parts.database.close()


def next_try(database: Database) -> datetime:
    from mailbot.database.alert_tables import alert_notice

    return database.read_now(lambda tx: tx.execute(sa.select(alert_notice.c.due_at)).scalar_one())
