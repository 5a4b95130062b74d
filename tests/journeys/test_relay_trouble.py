"""When the relay refuses, falters, vanishes or is not to be trusted: nobody gets two answers, and somebody always hears of it."""

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailbot import clock
from mailbot.database import flag
from mailbot.database.engine import Tx
from mailbot.database.tables import delivery
from mailbot.inbox import store as inbox_store
from mailbot.message import token
from mailbot.releases import store as releases
from mailbot.releases.markdown import to_markdown
from tests.journeys.office import COLLEAGUE, EDITIONS, FOUNTAIN, LATEST, SECOND_COLLEAGUE, SECRET_KEY, UNCLEAR, Office, read, text_of
from tests.servers.relay import LoopbackRelay
from tests.servers.tcp_proxy import TcpProxy


def journalist(behaviour: str) -> str:
    """An address whose local part tells the relay how to fail."""
    return f"Awa <{behaviour}@journal.example>"


async def test_a_refused_answer_is_told_to_a_colleague_and_the_mail_waits_for_a_person(office: Office, relay: LoopbackRelay) -> None:
    async with office.running():
        office.ask(LATEST, sender=journalist("nobody"))
        await office.settled(1)
    (told,) = relay.mails
    assert told.recipient == COLLEAGUE
    assert "no such user" in text_of(told.content)
    assert [(row["kind"], row["state"]) for row in office.deliveries()] == [("answer", "failed"), ("hand_off", "sent")]
    assert relay.tried["nobody@journal.example"] == 1
    assert office.mails()[0]["waiting"]


@pytest.mark.parametrize("behaviour", ["drop-after-dot", "hang-after-dot"])
async def test_an_answer_in_doubt_is_not_sent_again_and_a_colleague_is_told(
    office: Office, relay: LoopbackRelay, behaviour: str
) -> None:
    address = f"{behaviour}@journal.example"
    async with office.running():
        office.ask(LATEST, sender=journalist(behaviour))
        if behaviour == "hang-after-dot":
            await relay.wait_for(1)
            relay.cut()
        await office.settled(1)
    assert [got.recipient for got in relay.mails] == [address, COLLEAGUE]
    assert relay.tried[address] == 1
    assert [(row["kind"], row["state"]) for row in office.deliveries()] == [("answer", "uncertain"), ("hand_off", "sent")]
    assert office.mails()[0]["waiting"]


async def test_a_hand_off_in_doubt_is_sent_once_more_and_then_goes_to_the_next_colleague(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"hand_off_to": ["drop-after-dot@office.example", SECOND_COLLEAGUE]}})
    async with office.running():
        office.ask(UNCLEAR)
        await office.settled(1)
    assert [got.recipient for got in office.taken(relay)] == ["drop-after-dot@office.example"] * 2 + [SECOND_COLLEAGUE]
    assert office.taken(relay)[0].content == office.taken(relay)[1].content
    assert [row["state"] for row in office.deliveries()] == ["uncertain", "sent"]


async def test_a_refused_hand_off_goes_to_the_next_colleague(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"hand_off_to": ["nobody@office.example", SECOND_COLLEAGUE]}})
    async with office.running():
        office.ask(UNCLEAR)
        await office.settled(1)
    assert [got.recipient for got in office.taken(relay)] == [SECOND_COLLEAGUE]
    assert relay.tried["nobody@office.example"] == 1


async def test_a_notice_whose_colleague_is_refused_goes_to_the_next_one_too(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"hand_off_to": ["nobody@office.example", SECOND_COLLEAGUE]}})
    async with office.running():
        office.ask(LATEST, sender=journalist("nobody"))
        await office.settled(1)
    assert [got.recipient for got in relay.mails] == [SECOND_COLLEAGUE]


async def test_what_fails_for_now_is_tried_again_with_the_bytes_and_the_date_of_the_first_try(office: Office, relay: LoopbackRelay) -> None:
    first = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
    shown = [first]
    async with office.running(lambda: shown[0]):
        office.ask(LATEST, sender=journalist("greylist"))
        await office.until(lambda: _states(office) == ["retrying"], "the first try")
        fixed = _raw(office)
        shown[0] += timedelta(hours=1)
        await office.settled(1)
    (got,) = relay.mails
    assert relay.tried[got.recipient] == 2
    assert got.content == fixed
    assert read(got.content)["Date"].datetime == first


def _states(office: Office) -> list[str]:
    return [row["state"] for row in office.deliveries()]


def _raw(office: Office) -> bytes:
    with office.database.engine.connect() as tx:
        return bytes(tx.execute(sa.select(delivery.c.raw)).scalar_one())


async def test_a_relay_that_has_enough_of_us_is_left_alone_for_a_minute(office: Office, relay: LoopbackRelay) -> None:
    start = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
    office.ask(LATEST, sender=journalist("throttled+a"))
    office.ask(LATEST, sender=journalist("throttled+b"), number=1)
    for passed, tried in ((0, 1), (1, 2)):
        await office.once(lambda: start + timedelta(minutes=passed))  # noqa: B023 - called before the next round
        assert sum(relay.tried.values()) == tried


async def test_an_office_that_may_not_send_as_itself_loses_no_answer_and_hears_of_it(office: Office, relay: LoopbackRelay) -> None:
    office.ask(LATEST, sender=journalist("send-as-denied"))
    await office.once()
    assert [(row["state"], row["attempts"]) for row in office.deliveries()] == [("queued", 0)]
    assert "SendAsDenied" in office.status()["outbox"]["login_refused"]
    assert office.unsound() == []


async def test_a_mailbox_that_stays_full_is_given_up_after_the_schedule_and_a_person_is_told(office: Office, relay: LoopbackRelay) -> None:
    async with office.running():
        office.ask(LATEST, sender=journalist("tempfail"))
        await office.settled(1)
    assert relay.tried["tempfail@journal.example"] == 4
    assert [(row["kind"], row["state"]) for row in office.deliveries()] == [("answer", "failed"), ("hand_off", "sent")]
    assert [got.recipient for got in relay.mails] == [COLLEAGUE]


async def test_stop_sending_holds_every_mail_and_resume_sending_lets_them_go(office: Office, relay: LoopbackRelay) -> None:
    office.command("stop-sending")
    async with office.running():
        office.ask(LATEST)
        await office.until(lambda: office.lying("mailbot") == 1, "the mail filed")
        assert office.status()["outbox"]["sending_stopped"]
        assert [row["state"] for row in office.deliveries()] == ["queued"]
        assert relay.connections == 0
        office.command("resume-sending")
        await office.settled(1)
    assert [got.recipient for got in relay.mails] == ["awa@journal.example"]


async def test_stop_sending_reaches_a_mail_that_is_claimed_and_has_not_begun_to_leave(office: Office, relay: LoopbackRelay) -> None:
    async with TcpProxy(relay.port) as proxy:
        office.configure({"smtp": {"port": proxy.port}})
        proxy.go_dark()
        async with office.running():
            office.ask(LATEST)
            await office.until(lambda: _states(office) == ["sending"], "the answer claimed")
            office.database.write_now(flag.put, flag.SENDING_STOPPED, "a test", clock.now())
            proxy.lighten()
            await office.until(lambda: _states(office) == ["queued"], "the answer put back")
            assert relay.mails == []
            office.database.write_now(flag.clear, flag.SENDING_STOPPED)
            await office.settled(1)
    assert [got.recipient for got in relay.mails] == ["awa@journal.example"]


async def test_stop_sending_outlives_a_restart(office: Office, relay: LoopbackRelay) -> None:
    office.command("stop-sending")
    office.ask(LATEST)
    for _ in range(2):
        await office.once()
    assert relay.connections == 0
    assert [row["state"] for row in office.deliveries()] == ["queued"]


@pytest.mark.parametrize("tried_before", [False, True], ids=["before its first try", "between two tries"])
async def test_a_release_withdrawn_after_queueing_does_not_leave_and_a_person_is_told(
    office: Office, relay: LoopbackRelay, tried_before: bool
) -> None:
    shown = [datetime(2026, 7, 1, 8, 0, tzinfo=UTC)]
    if not tried_before:
        office.database.write_now(flag.put, flag.SENDING_STOPPED, "a test", clock.now())
    async with office.running(lambda: shown[0]):
        office.ask(LATEST, sender=journalist("greylist"))
        await office.until(lambda: _states(office) == ["retrying" if tried_before else "queued"], "the answer on its way")
        office.database.write_now(releases.withdraw, FOUNTAIN, shown[0])
        office.database.write_now(flag.clear, flag.SENDING_STOPPED)
        shown[0] += timedelta(hours=1)
        await office.settled(1)
    assert relay.tried["greylist@journal.example"] == tried_before
    assert [got.recipient for got in relay.mails] == [COLLEAGUE]
    assert sorted((row["kind"], row["state"]) for row in office.deliveries()) == [("answer", "cancelled"), ("hand_off", "sent")]
    assert office.mails()[0]["waiting"]


async def test_a_dead_relay_loses_nothing_is_named_in_status_and_gets_everything_when_it_is_back(
    office: Office, relay: LoopbackRelay
) -> None:
    await relay.stop()
    async with office.running():
        office.ask(LATEST)
        office.ask(UNCLEAR)
        await office.until(lambda: office.status()["outbox"]["trouble"], "the trouble in status")
        assert {row["state"] for row in office.deliveries()} == {"queued"}
        assert {row["attempts"] for row in office.deliveries()} == {0}
        await relay.start()
        await office.settled(2, seconds=30)
    assert sorted(got.recipient for got in office.taken(relay)) == ["awa@journal.example", COLLEAGUE]
    assert office.status()["outbox"]["trouble"] == ""


async def test_a_relay_with_a_certificate_nobody_signed_gets_nothing_and_is_named_in_status(
    office: Office, certificates: Path
) -> None:
    async with LoopbackRelay(security="tls", certificates=certificates) as relay:
        office.configure({"smtp": {"port": relay.port, "security": "tls"}})
        async with office.running():
            office.ask(LATEST)
            await office.until(lambda: office.status()["outbox"]["trouble"], "the trouble in status")
    assert "certificate" in office.status()["outbox"]["trouble"]
    assert relay.mails == []
    assert [row["state"] for row in office.deliveries()] == ["queued"]


async def test_a_relay_that_refuses_our_login_gets_nothing_and_is_named_in_status(
    office: Office, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
    async with LoopbackRelay(security="tls", login=("us", "right"), certificates=certificates) as relay:
        office.configure({"smtp": {"port": relay.port, "security": "tls", "username": "us", "password": "wrong"}})
        async with office.running():
            office.ask(LATEST)
            await office.until(lambda: office.status()["outbox"]["trouble"], "the trouble in status")
        assert "login" in office.status()["outbox"]["trouble"]
        assert office.database.read_now(flag.get, flag.RELAY_LOGIN_REFUSED)
        assert relay.mails == []
        assert [(row["state"], row["attempts"]) for row in office.deliveries()] == [("queued", 0)]
        office.configure({"smtp": {"password": "right", "port": relay.port, "security": "tls", "username": "us"}})
        await office.once()
        assert office.database.read_now(flag.get, flag.RELAY_LOGIN_REFUSED) is None


async def test_every_message_id_that_leaves_names_its_delivery_under_our_seal(office: Office, relay: LoopbackRelay) -> None:
    office.ask(LATEST)
    office.ask(UNCLEAR)
    await office.once()
    sealed = {token.own_delivery(SECRET_KEY.encode(), str(read(got.content)["Message-ID"])) for got in office.taken(relay)}
    assert sealed == {row["id"] for row in office.deliveries()}
    assert len(sealed) == 2


async def test_the_pace_is_kept_and_answers_leave_before_hand_offs(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"smtp": {"rate_per_minute": 2}})
    shown = [clock.now() + timedelta(days=1)]
    office.database.write_now(flag.put, flag.SENDING_STOPPED, "a test", clock.now())
    async with office.running(lambda: shown[0]):
        office.ask(UNCLEAR, headers={"X-Auto-Response-Suppress": "All"})
        await office.until(lambda: office.deliveries("hand_off"), "the note queued")
        office.ask(LATEST, sender="One <one@journal.example>")
        office.ask(LATEST, sender="Two <two@paper.example>")
        await office.until(lambda: len(office.deliveries("answer")) == 2, "both answers queued")
        office.database.write_now(flag.clear, flag.SENDING_STOPPED)
        await relay.wait_for(2)
        await office.until(lambda: len([row for row in office.deliveries() if row["state"] == "sent"]) == 2, "two sent")
        shown[0] += timedelta(seconds=61)
        await relay.wait_for(3)
    assert {got.recipient for got in relay.mails[:2]} == {"one@journal.example", "two@paper.example"}
    assert relay.mails[2].recipient == COLLEAGUE


async def test_a_release_that_was_corrected_since_does_not_leave_in_its_old_words(office: Office, relay: LoopbackRelay) -> None:
    async with office.running() as parts:
        await parts.database.write(flag.put, flag.SENDING_STOPPED, "by the test", clock.now())
        office.ask(LATEST)
        await office.until(lambda: len(office.deliveries()) == 1, "the answer queued")
        wrong = next(one for one in EDITIONS if one.slug == FOUNTAIN)
        (office.folder / "right.md").write_text(to_markdown(replace(wrong, body="Velmora – Le chantier a coûté 44 698 florins.")))
        await office.commanded("release", "correct", FOUNTAIN, str(office.folder / "right.md"), "--yes")
        await parts.database.write(flag.clear, flag.SENDING_STOPPED)
        await office.settled(1)
    assert [got.recipient for got in relay.mails] == ["awa@journal.example"]
    assert "44 698 florins" in text_of(relay.mails[0].content)
    assert sorted(row["state"] for row in office.deliveries()) == ["cancelled", "sent"]
    assert office.unsound() == []


async def test_many_answers_that_may_not_leave_any_more_hold_up_nobody(office: Office, relay: LoopbackRelay) -> None:
    async with office.running() as parts:
        await parts.database.write(flag.put, flag.SENDING_STOPPED, "by the test", clock.now())
        office.ask(LATEST)
        await office.until(lambda: len(office.deliveries()) == 1, "the answer queued")
        await parts.database.write(copies_of_the_answer, sys.getrecursionlimit() // 2)  # two frames each would be too many
        await parts.database.write(releases.withdraw, FOUNTAIN, clock.now())
        await parts.database.write(flag.clear, flag.SENDING_STOPPED)
        await relay.wait_for(1, 90)
    assert relay.mails[0].recipient == COLLEAGUE


def copies_of_the_answer(tx: Tx, number: int) -> None:
    row = tx.execute(sa.select(delivery)).mappings().one()
    for one in range(number):
        copy = {"id": f"copy-{one}", "key": f"copy:{one}", "message_id": f"<copy.{one}@office.example>"}
        tx.execute(delivery.insert().values({**row, **copy}))


async def test_a_hand_off_that_no_colleague_takes_is_named_by_the_next_list(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"hand_off_to": ["nobody@office.example"]}})
    async with office.running() as parts:
        office.ask(UNCLEAR)
        await office.until(lambda: [row["state"] for row in office.deliveries()] == ["failed"], "the note refused")
        named = await parts.database.read(inbox_store.unannounced_after, 0)
    assert [row["id"] for row in named] == [1]
