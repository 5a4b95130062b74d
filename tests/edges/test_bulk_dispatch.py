"""The laws of an announcement on its way: who gets it, once; what stops it; whose fault is what."""

import asyncio
import email
import email.policy
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from mailbot.audience import suppression_store
from mailbot.database import flag, lease
from mailbot.database.engine import Database, Tx
from mailbot.database.tables import attempt, delivery, edition, journalist
from mailbot.message import token
from mailbot.message.incoming import parse
from mailbot.message.ours import own_deliveries
from mailbot.message.splice import cut, splice
from mailbot.outbox import bulk_claim_store, bulk_dispatch, bulk_record, bulk_store, store
from mailbot.outbox.dispatch import Dispatcher
from mailbot.releases import store as releases
from tests.edges.announced import LETTER, NOW, announce, rows, states, turn_into, values
from tests.edges.newsroom import FOUNTAIN, SECRET, Newsroom, newsroom
from tests.servers.relay import LoopbackRelay

KEY = SECRET.encode()


@pytest.fixture
def office(database: Database, database_url: str, tmp_path: Path) -> Newsroom:
    return newsroom(database, database_url, tmp_path)


def people(*names: str) -> list[str]:
    return [f"{name}@journal.example" for name in names]


def queue(office: Newsroom, *names: str, **how: object) -> int:
    return office.database.write_now(announce, people(*names), KEY, **how)  # type: ignore[arg-type]


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - a database tells nobody
        await asyncio.sleep(0.02)


async def drained(dispatcher: Dispatcher) -> None:
    async with asyncio.timeout(20):
        await dispatcher.drain()


async def test_each_gets_their_own_mail_once(office: Newsroom, relay: LoopbackRelay) -> None:
    names = [f"j{number}" for number in range(50)]
    queue(office, *names)
    await drained(office.dispatcher(relay, connections=4))
    await drained(office.dispatcher(relay, connections=4))

    assert Counter(got.recipient for got in relay.mails) == Counter(people(*names))
    assert set(states(office.database).values()) == {"sent"} and office.unsound() == []
    for got in relay.mails:
        mail = email.message_from_bytes(got.content, policy=email.policy.default)
        row = rows(office.database)[got.recipient]
        assert token.own_delivery(KEY, mail["Message-ID"]) == row.id
        assert row.id in mail["List-Unsubscribe"] and mail["To"].addresses[0].addr_spec == got.recipient
        assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n").endswith(f"/u/{row.id}\n")  # type: ignore[union-attr]


async def test_at_most_two_mails_a_connection_are_in_doubt_after_any_commit(
    office: Newsroom, relay: LoopbackRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_doubt = sa.select(sa.func.count()).where(delivery.c.in_doubt_since.is_not(None))
    seen: list[int] = []
    turn = bulk_record.turn

    def looked_at(tx: Tx, *given: Any, **more: Any) -> bulk_record.Done:
        done = turn(tx, *given, **more)
        seen.append(tx.execute(in_doubt).scalar_one())
        return done

    monkeypatch.setattr(bulk_record, "turn", looked_at)
    queue(office, *(f"j{number}" for number in range(100)))
    await drained(office.dispatcher(relay, connections=4))
    assert max(seen) == 8 and len(relay.mails) == 100


async def test_every_failure_ends_where_it_belongs(office: Newsroom, relay: LoopbackRelay) -> None:
    ends = {
        "awa": "sent",
        "nobody+1": "failed",
        "tempfail": "retrying",
        "greylist": "retrying",
        "421-rcpt": "retrying",
        "drop-rcpt": "retrying",
        "421-data": "retrying",
        "drop-data": "retrying",
        "refused-after-dot": "failed",
        "temp-after-dot": "retrying",
        "drop-after-dot": "retrying",
        "slow-dot": "sent",
        "bo": "sent",
    }
    queue(office, *ends)
    await drained(office.dispatcher(relay, connections=2))

    assert states(office.database) == dict(zip(people(*ends), ends.values(), strict=True))
    found = rows(office.database)
    assert {row.doubts for address, row in found.items() if "after-dot" not in address} == {0}
    assert found["drop-after-dot@journal.example"].doubts == 1
    assert office.database.read_now(suppression_store.is_suppressed, "nobody+1@journal.example")
    assert office.unsound() == []


async def test_a_doubt_is_repeated_once_with_the_same_bytes_and_then_a_person_decides(office: Newsroom, relay: LoopbackRelay) -> None:
    queue(office, "drop-after-dot")
    for _ in range(4):
        await drained(office.dispatcher(relay))
        office.now += timedelta(hours=1)

    first, second = relay.mails
    assert first.content == second.content
    assert states(office.database) == {"drop-after-dot@journal.example": "uncertain"} and office.unsound() == []


async def test_what_cannot_be_written_again_as_it_was_goes_to_a_person_and_never_out(office: Newsroom, relay: LoopbackRelay) -> None:
    queue(office, "tempfail")
    await drained(office.dispatcher(relay))
    office.database.write_now(lambda tx: tx.execute(delivery.update().values(recipient_name="Somebody else")))
    office.now += timedelta(hours=1)
    await drained(office.dispatcher(relay))

    (row,) = rows(office.database).values()
    assert (row.state, relay.tried["tempfail@journal.example"]) == ("failed", 1) and "as it was" in row.last_text
    assert office.unsound() == []


async def test_one_that_cannot_be_written_does_not_hold_up_the_others(office: Newsroom, relay: LoopbackRelay) -> None:
    queue(office, "awa", "bo", "chi")
    broken = delivery.update().where(delivery.c.recipient.startswith("bo"))
    office.database.write_now(lambda tx: tx.execute(broken.values(recipient="bo\r\nRCPT TO:<x@y>")))
    await drained(office.dispatcher(relay))

    assert sorted(states(office.database).values()) == ["failed", "sent", "sent"] and len(relay.mails) == 2
    assert office.unsound() == []


@pytest.mark.parametrize("state", ["draft", "approved", "scheduled", "stopped", "held", "cancelled"])
async def test_nothing_leaves_unless_the_broadcast_is_sending(office: Newsroom, relay: LoopbackRelay, state: str) -> None:
    queue(office, "awa", "bo", state=state)
    await drained(office.dispatcher(relay))
    assert relay.mails == [] and set(states(office.database).values()) == {"queued"}


async def test_a_stop_takes_effect_within_the_mails_in_flight(office: Newsroom, relay: LoopbackRelay) -> None:
    queue(office, *(f"slow-dot+{number}" for number in range(40)))
    dispatcher = office.dispatcher(relay, connections=2)
    running = asyncio.create_task(dispatcher.run())
    await relay.wait_for(4)
    turn_into(office.database, "stopped")
    left = len(relay.mails)
    async with asyncio.timeout(20):
        await until(lambda: set(states(office.database).values()) == {"sent", "queued"})  # what is in flight ends, the rest goes back
    assert len(relay.mails) <= left + 2 * 2
    dispatcher.stop()
    await running
    assert Counter(states(office.database).values()) == {"sent": len(relay.mails), "queued": 40 - len(relay.mails)}
    assert office.unsound() == []


async def test_the_stop_of_everything_stops_announcements_too(office: Newsroom, relay: LoopbackRelay) -> None:
    queue(office, "awa")
    office.database.write_now(flag.put, flag.SENDING_STOPPED, "now", NOW)
    await drained(office.dispatcher(relay))
    assert relay.mails == [] and set(states(office.database).values()) == {"queued"}


async def test_who_left_or_was_suppressed_since_the_plan_gets_nothing(office: Newsroom, relay: LoopbackRelay) -> None:
    queue(office, "awa", "bo", "chi")
    office.database.write_now(suppression_store.suppress, "bo@journal.example", "hard-bounce", NOW)
    left = journalist.update().where(journalist.c.key == "chi@journal.example").values(state="unsubscribed")
    office.database.write_now(lambda tx: tx.execute(left))
    await drained(office.dispatcher(relay))

    assert states(office.database) == dict(zip(people("awa", "bo", "chi"), ["sent", "suppressed", "suppressed"], strict=True))
    assert [got.recipient for got in relay.mails] == people("awa") and office.unsound() == []


async def test_a_relay_that_is_down_blames_nobody_and_is_asked_ever_more_rarely(office: Newsroom, relay: LoopbackRelay) -> None:
    queue(office, *(f"j{number}" for number in range(10)))
    await relay.stop()
    await drained(office.dispatcher(relay, connections=3))
    assert {(row.state, row.attempts) for row in rows(office.database).values()} == {("queued", 0)}
    assert office.database.read_now(flag.get, flag.RELAY_TROUBLE) and office.unsound() == []

    await relay.start()
    office.now += timedelta(minutes=10)
    await drained(office.dispatcher(relay, connections=3))
    assert set(states(office.database).values()) == {"sent"} and len(relay.mails) == 10
    assert office.database.read_now(flag.get, flag.RELAY_TROUBLE) is None


async def test_answers_leave_before_announcements(office: Newsroom, relay: LoopbackRelay) -> None:
    queue(office, *(f"slow-dot+{number}" for number in range(20)))
    dispatcher = office.dispatcher(relay)
    running = asyncio.create_task(dispatcher.run())
    await relay.wait_for(2)
    office.ask("bo")
    dispatcher.wake.set()
    await relay.wait_until_tried("bo@journal.example")
    assert len(relay.mails) < 10
    dispatcher.stop()
    await running


async def test_a_corrected_release_leaves_no_more_in_its_old_words(office: Newsroom, relay: LoopbackRelay) -> None:
    letter = replace(LETTER, edition="fontaine", content_hash=FOUNTAIN.content_hash)
    queue(office, "awa", letter=letter)
    queue(office, "bo", letter=replace(letter, content_hash="0" * 64), name="b2")
    await drained(office.dispatcher(relay))
    assert states(office.database) == dict(zip(people("awa", "bo"), ["sent", "cancelled"], strict=True)) and office.unsound() == []


@pytest.mark.parametrize(("early", "leaves"), [(False, "queued"), (True, "sent")], ids=["for-all", "for-those-who-may"])
async def test_an_embargo_holds_although_the_broadcast_is_sending(office: Newsroom, relay: LoopbackRelay, early: bool, leaves: str) -> None:
    until = NOW + timedelta(days=1)
    office.database.write_now(lambda tx: tx.execute(edition.update().where(edition.c.slug == "fontaine").values(embargo=until)))
    release = office.database.read_now(releases.load, "fontaine")
    assert release is not None
    written = next(one for one in release.editions if one.slug == "fontaine")
    queue(office, "awa", letter=replace(LETTER, edition="fontaine", content_hash=written.content_hash), early=early)
    office.database.write_now(
        lambda tx: tx.execute(edition.update().where(edition.c.slug == "fontaine").values(content_hash=written.content_hash))
    )
    await drained(office.dispatcher(relay))
    assert set(states(office.database).values()) == {leaves}
    if not early:
        office.now = until + timedelta(seconds=1)
        await drained(office.dispatcher(relay))
        assert set(states(office.database).values()) == {"sent"}


async def test_the_pace_holds_and_leaves_room_for_answers(office: Newsroom, relay: LoopbackRelay) -> None:
    queue(office, *(f"j{number}" for number in range(40)))
    for _ in range(60):  # a minute, second by second
        await drained(office.dispatcher(relay, rate_per_minute=20, connections=3))
        office.now += timedelta(seconds=1)
    started = office.database.read_now(
        lambda tx: list(tx.execute(sa.select(attempt.c.started_at).order_by(attempt.c.started_at)).scalars())
    )
    assert len(relay.mails) == 20
    assert all(later - sooner >= timedelta(seconds=3) for sooner, later in pairwise(started))


async def test_who_comes_after_a_dead_worker_sends_the_rest(office: Newsroom, relay: LoopbackRelay) -> None:
    queue(office, "awa", "bo", "chi")
    held = office.database.write_now(bulk_claim_store.claim, "dead", 2, NOW)
    made = splice(
        cut(LETTER, office.desk.office.address),
        values(held[0].recipient("standard", "")),
        message_id=held[0].message_id,
        to=held[0].to,
        date=NOW,
    )
    office.database.write_now(bulk_claim_store.mark, [(held[0], NOW, sha256(made.parts).hexdigest())], "dead", NOW)
    await drained(office.dispatcher(relay))

    found = states(office.database)
    assert found.pop(held[0].to.address) == "retrying" and set(found.values()) == {"sent"}
    assert office.unsound() == []
    office.now += timedelta(hours=1)
    await drained(office.dispatcher(relay))
    assert set(states(office.database).values()) == {"sent"} and len(relay.mails) == 3


def test_a_worker_frozen_past_its_lease_changes_nothing(office: Newsroom) -> None:
    queue(office, "awa", "bo")
    stale = office.database.write_now(bulk_claim_store.claim, "frozen", 2, NOW)
    office.database.write_now(bulk_claim_store.put_back, stale, "frozen")
    office.database.write_now(bulk_claim_store.claim, "other", 1, NOW)

    assert office.database.write_now(bulk_claim_store.mark, [(one, NOW, "") for one in stale], "frozen", NOW) == frozenset()
    office.database.write_now(bulk_claim_store.sent, [(one, "done", 250, "ok") for one in stale], "frozen", NOW)
    assert sorted(states(office.database).values()) == ["queued", "sending"] and office.unsound() == []


def test_of_a_batch_only_what_is_still_held_is_marked_and_recorded(office: Newsroom) -> None:
    queue(office, "awa", "bo", "chi")
    held = office.database.write_now(bulk_claim_store.claim, "worker", 3, NOW)
    office.database.write_now(bulk_claim_store.put_back, [held[1]], "worker")
    ours = {held[0].id, held[2].id}

    assert office.database.write_now(bulk_claim_store.mark, [(one, NOW, "hash") for one in held], "worker", NOW) == ours
    office.database.write_now(bulk_claim_store.sent, [(one, "done", 250, "ok") for one in held], "worker", NOW)
    tried = office.database.read_now(lambda tx: tx.execute(sa.select(attempt.c.delivery, attempt.c.verdict, attempt.c.code)).all())
    assert {tuple(row) for row in tried} == {(one, "sent", 250) for one in ours}
    assert Counter(states(office.database).values()) == {"sent": 2, "queued": 1} and office.unsound() == []


async def test_two_workers_share_a_queue_and_send_each_mail_once(office: Newsroom, relay: LoopbackRelay) -> None:
    if office.database.is_sqlite:
        return  # it is for one process
    names = [f"j{number}" for number in range(120)]
    queue(office, *names)
    one, other = office.dispatcher(relay, connections=2), office.dispatcher(relay, connections=2)
    other._mailroom._terms = replace(other._mailroom._terms, holder="worker-2")
    other._holder = "worker-2"
    office.database.write_now(lease.acquire, "process:worker-2", "worker-2", NOW, 1e9)
    await asyncio.gather(drained(one), drained(other))
    assert Counter(got.recipient for got in relay.mails) == Counter(people(*names)) and office.unsound() == []


def test_what_is_swapped_while_a_worker_has_it_is_not_marked(office: Newsroom) -> None:
    number = queue(office, "awa")
    held = office.database.write_now(bulk_claim_store.claim, "worker", 1, NOW)
    office.database.write_now(bulk_store.swap_letter, "b1", number, replace(LETTER, subject="Correction"), "corrected", NOW)
    assert office.database.write_now(bulk_claim_store.mark, [(held[0], NOW, "")], "worker", NOW) == frozenset()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(delivery.delete().where(delivery.c.recipient.startswith("bo")), "planned for 2, and has 1", id="somebody is gone"),
        pytest.param(delivery.update().values(language="en"), "no mail of its broadcast's letter", id="another language"),
        pytest.param(delivery.update().values(letter=None), "no mail of its broadcast's letter", id="no letter"),
        pytest.param(delivery.update().values(letter=99), "no mail of its broadcast's letter", id="a letter that is not there"),
        pytest.param(delivery.update().values(broadcast="b9"), "no mail of its broadcast's letter", id="no announcement"),
        pytest.param(delivery.update().values(journalist=99), "went to a journalist of whom nothing is known", id="nobody on the list"),
        pytest.param(delivery.update().values(state="sent", finished_at=NOW), "sent", id="sent without an attempt"),
    ],
)
def test_verify_names_what_does_not_hold(office: Newsroom, change: sa.UpdateBase, said: str) -> None:
    queue(office, "awa", "bo")
    assert office.unsound() == []
    office.database.write_now(lambda tx: tx.execute(change))
    assert any(said in sentence for sentence in office.unsound())


async def test_a_bounce_comes_back_to_an_address_that_names_its_mail(office: Newsroom, relay: LoopbackRelay) -> None:
    queue(office, "awa")
    office.ask("bo")
    await drained(office.dispatcher(relay, return_path="bounces@office.example"))
    for got in relay.mails:
        report = f"From: MAILER-DAEMON@mx.example\r\nTo: <{got.sender.upper()}>\r\nSubject: failed\r\n\r\nno\r\n".encode()
        assert got.sender.startswith("bounces+mb.") and len(got.sender.rpartition("@")[0]) <= 64
        assert own_deliveries(parse(report), KEY) == (rows(office.database)[got.recipient].id,)


@pytest.mark.parametrize("base", ["a" * 40 + "@office.example", "bounces@office.example"], ids=["no room", "a stranger's seal"])
def test_what_does_not_name_a_mail_of_ours_is_none(base: str) -> None:
    made = token.return_path(base, token.message_id(b"another key", "00112233", "office.example"))
    assert own_deliveries(parse(f"From: x@y.example\r\nTo: {made}\r\n\r\nno\r\n".encode()), KEY) == ()


async def test_a_person_may_let_a_mail_leave_once_more_when_all_others_have_left(office: Newsroom, relay: LoopbackRelay) -> None:
    queue(office, "refused-after-dot", "awa")
    await drained(office.dispatcher(relay))
    turn_into(office.database, "finished")
    one = rows(office.database)["refused-after-dot@journal.example"].id
    assert office.database.write_now(store.send_again, one, office.now)
    await drained(office.dispatcher(relay))
    assert relay.tried["refused-after-dot@journal.example"] == 2


def test_mails_due_together_are_claimed_in_the_order_of_their_queueing(office: Newsroom) -> None:
    names = [f"j{number * 37 % 101}" for number in range(100)]
    queue(office, *names)
    held = office.database.write_now(bulk_claim_store.claim, "worker", 100, NOW)
    assert [one.address for one in held] == people(*names)


async def test_who_leaves_while_a_slow_relay_has_the_others_gets_nothing(
    office: Newsroom, relay: LoopbackRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_dispatch, "LONG_HELD_SECONDS", 0.3)
    names = [f"slow-dot+{number}" for number in range(10, 22)]  # they leave in this order
    queue(office, *names)
    running = asyncio.create_task(drained(office.dispatcher(relay)))
    await relay.wait_for(3)
    office.database.write_now(suppression_store.suppress, f"{names[-1]}@journal.example", "hard-bounce", NOW)
    await running
    assert states(office.database)[f"{names[-1]}@journal.example"] == "suppressed" and len(relay.mails) == 11
    assert office.unsound() == []
