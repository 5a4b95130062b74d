"""Joining the press list by mail, leaving it and coming back: the address itself decides, whatever anybody writes in its name."""

import asyncio
import re
import signal
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import urlopen

import pytest

from mailbot import service
from mailbot.audience import store
from mailbot.message.address import key
from tests.journeys.office import COLLEAGUE, LATEST, Office, read, request, text_of
from tests.servers.relay import LoopbackRelay

AWA, ELSE = "awa@journal.example", "bob@rival.example"
JOIN = "Bonjour,\n\nInscrivez-moi sur votre liste pour recevoir vos communiqués, svp.\n"
LEAVE = "Désabonnez-moi, merci."
MORNING = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)


def reply_to(raw: bytes, text: str, sender: str = f"Awa Traoré <{AWA}>", **more: Any) -> bytes:
    """What a mail program makes of it: the words on top, our mail quoted below."""
    ours = read(raw)
    quoted = "\n".join(f"> {line}" for line in text_of(raw).splitlines())
    whole = f"{text}\n\nLe mer. 1 juil. 2026 à 09:00, {ours['From']} a écrit :\n{quoted}\n"
    headers = {"In-Reply-To": str(ours["Message-ID"]), "References": str(ours["Message-ID"]), **more.pop("headers", {})}
    return request("presse@office.example", whole, sender=sender, subject=f"Re: {ours['Subject']}", headers=headers, **more)


def write(office: Office, raw: bytes, sender: str = AWA) -> None:
    office.deliver(raw.replace(b"presse@office.example", office.address.encode()), sender)


def state(office: Office, address: str = AWA) -> str:
    found = office.database.read_now(store.find, key(address))
    return found.state if found else ""


def history(office: Office, address: str = AWA) -> list[tuple[str, str]]:
    row = office.database.read_now(store.shown, key(address))
    return [(one["event"], one["words"]) for one in row["consent"]] if row else []


def last(office: Office) -> tuple[str, str]:
    row = office.mails()[-1]
    return row["outcome"], row["reason"]


async def subscribed(office: Office, relay: LoopbackRelay, now: Callable[[], datetime] = lambda: MORNING) -> None:
    """Awa asks and confirms."""
    office.ask(JOIN)
    await office.once(now)
    write(office, reply_to(relay.mails[-1].content, "OUI"))
    await office.once(now)
    assert state(office) == "subscribed"


async def test_who_asks_is_asked_and_who_says_yes_is_on_the_list_and_told_so_once(
    office_on_either: Office, relay: LoopbackRelay
) -> None:
    office = office_on_either
    office.ask(JOIN, subject="Abonnement")
    await office.once()
    (question,) = relay.mails
    asked = read(question.content)
    assert (question.recipient, state(office), last(office)) == (AWA, "asked", ("subscribe", "subscribe"))
    assert "répondez à ce message par un seul mot : OUI" in " ".join(text_of(question.content).split())
    assert asked["Auto-Submitted"] == "auto-replied"
    assert asked["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    for number in range(2):
        write(office, reply_to(question.content, "Oui !\n\nAwa Traoré\nJournal", number=number))
        await office.once()
    assert (state(office), last(office)) == ("subscribed", ("ignore", "already-subscribed"))
    assert [got.recipient for got in relay.mails] == [AWA, AWA]
    assert "un seul mot : STOP" in " ".join(text_of(relay.mails[1].content).split())
    (_, version), confirmed = history(office)
    assert version.startswith("confirm_subscription/fr ")
    assert confirmed == ("confirmed", "Oui !")
    assert office.lying("mailbot/attention") == 0
    assert office.unsound() == []


async def test_the_question_carries_nothing_of_who_asked_not_even_the_name(office: Office, relay: LoopbackRelay) -> None:
    office.ask(f"{JOIN}\nZorglub", sender=f"Zorglub vous aime <{AWA}>", subject="Zorglub", vouched=False)
    await office.once()
    (got,) = relay.mails
    assert (got.recipient, read(got.content)["To"]) == (AWA, AWA)
    assert "zorglub" not in got.content.decode().lower() + text_of(got.content).lower()


async def test_the_question_comes_in_the_language_of_the_wish_and_so_does_what_follows(office: Office, relay: LoopbackRelay) -> None:
    office.ask("Hello,\n\nPlease add me to your press list so that I receive your releases.\n")
    await office.once()
    write(office, reply_to(relay.mails[0].content, "YES"))
    await office.once()
    assert [str(read(got.content)["Subject"]) for got in relay.mails] == ["Press list: reply YES to confirm", "You are on our press list"]


async def test_a_death_between_the_decision_and_its_mail_loses_neither(office: Office, relay: LoopbackRelay) -> None:
    office.ask(JOIN)
    parts = office.parts()
    async with service.held(parts):
        await parts.watcher.once()
        await parts.disposer.drain()
    assert (state(office), relay.mails) == ("asked", [])
    assert [row["state"] for row in office.deliveries("confirmation")] == ["queued"]
    await office.once()
    write(office, reply_to(relay.mails[0].content, "OUI"))
    await office.once()
    assert (state(office), len(relay.mails)) == ("subscribed", 2)


async def test_an_out_of_office_that_quotes_the_question_confirms_nothing(office: Office, relay: LoopbackRelay) -> None:
    office.ask(JOIN)
    await office.once()
    question = relay.mails[0].content
    away = "Je suis absent du bureau jusqu'au 12 juillet."
    for number, (words, headers) in enumerate((("OUI", {"Auto-Submitted": "auto-replied"}), ("OUI", {"X-Autoreply": "yes"}), (away, {}))):
        write(office, reply_to(question, words, headers=headers, number=number))
    await office.once()
    assert (state(office), len([got for got in relay.mails if got.recipient == AWA])) == ("asked", 1)
    assert office.unsound() == []


OTHERS = [
    pytest.param({"sender": f"Bob <{ELSE}>"}, ELSE, "confirmed-by-another", id="another address"),
    pytest.param({"sender": f"{AWA}.evil.example"}, f"{AWA}.evil.example", "confirmed-by-another", id="a longer one"),
    pytest.param(
        {"vouched": False, "headers": {"Authentication-Results": "mx.office.example; dmarc=fail header.from=journal.example"}}, AWA,
        "authentication-failed", id="a domain that disowns it",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("given", "path", "reason"), OTHERS)
async def test_a_yes_from_anybody_else_changes_nothing_and_a_person_sees_it(
    office: Office, relay: LoopbackRelay, given: dict[str, Any], path: str, reason: str
) -> None:
    office.ask(JOIN)
    await office.once()
    write(office, reply_to(relay.mails[0].content, "OUI", **given), path)
    await office.once()
    assert (state(office), last(office)) == ("asked", ("hand_off", reason))
    assert [got.recipient for got in office.taken(relay)] == [AWA, COLLEAGUE]
    assert office.lying("mailbot/attention") == 1


async def test_a_yes_to_nothing_that_we_asked_changes_nothing(office: Office, relay: LoopbackRelay) -> None:
    """An answer of ours was no question; a Message-ID that we did not seal is none of ours."""
    office.ask(LATEST)
    office.ask(JOIN)
    await office.once()
    answer, question = sorted((got.content for got in relay.mails), key=lambda raw: "un seul mot" in text_of(raw))
    write(office, reply_to(answer, "OUI"))
    ours = str(read(question)["Message-ID"])
    forged = ours.replace(ours[ours.index("@") - 6 : ours.index("@")], "000000")
    write(office, request("presse@office.example", "OUI", headers={"In-Reply-To": forged, "References": forged}))
    await office.once()
    assert state(office) == "asked"


async def test_asked_for_twice_in_a_day_by_whatever_spelling_it_is_one_mail_and_the_next_day_another(
    office: Office, relay: LoopbackRelay
) -> None:
    for number, sender in enumerate((AWA, AWA.upper(), "awa+list@journal.example")):
        office.ask(JOIN, sender=sender, number=number)
    await office.once(lambda: MORNING)
    assert len(relay.mails) == 1
    assert sorted(row["reason"] for row in office.mails()) == ["already-asked", "already-asked", "subscribe"]
    office.ask(JOIN, number=9)
    await office.once(lambda: MORNING + timedelta(days=1))
    assert len(relay.mails) == 2
    assert office.lying("mailbot/attention") == 0
    assert office.unsound() == []


async def test_a_yes_after_seven_days_goes_to_a_person(office: Office, relay: LoopbackRelay) -> None:
    office.ask(JOIN)
    await office.once(lambda: MORNING)
    write(office, reply_to(relay.mails[0].content, "OUI"))
    await office.once(lambda: MORNING + timedelta(days=7, minutes=1))
    assert (state(office), last(office)) == ("asked", ("hand_off", "too-late"))


async def test_a_subscription_and_a_release_asked_for_in_one_mail_are_two_mails(office: Office, relay: LoopbackRelay) -> None:
    office.ask("Bonjour, votre dernier communiqué svp, et inscrivez-moi sur la liste presse.")
    await office.once()
    assert sorted(row["kind"] for row in office.deliveries()) == ["answer", "confirmation"]
    assert [got.recipient for got in relay.mails] == [AWA, AWA]
    assert (state(office), office.lying("mailbot"), office.lying("mailbot/attention")) == ("asked", 1, 0)
    assert office.unsound() == []


async def test_who_is_believed_leaves_at_once_is_told_once_and_comes_back_by_one_word(office: Office, relay: LoopbackRelay) -> None:
    await subscribed(office, relay)
    for number in range(2):
        office.ask(LEAVE, number=number)
        await office.once(lambda: MORNING + timedelta(hours=1))
        assert state(office) == "unsubscribed"
    assert last(office) == ("ignore", "already-left")
    assert len(relay.mails) == 3
    told = relay.mails[2].content
    assert "un seul mot : RETOUR" in " ".join(text_of(told).split())
    for number in range(2):
        write(office, reply_to(told, "Retour", number=number))
        await office.once(lambda: MORNING + timedelta(days=6))
        assert state(office) == "subscribed"
    assert [str(read(got.content)["Subject"]) for got in relay.mails[3:]] == ["Vous êtes de nouveau sur notre liste de presse"]
    assert [event for event, _ in history(office)] == ["asked", "confirmed", "left", "returned"]
    assert office.unsound() == []


async def test_stop_in_reply_to_any_mail_of_ours_leaves_the_list(office: Office, relay: LoopbackRelay) -> None:
    await subscribed(office, relay)
    office.ask(LATEST)
    await office.once(lambda: MORNING)
    write(office, reply_to(relay.mails[-1].content, "STOP"))
    await office.once(lambda: MORNING)
    assert (state(office), last(office)) == ("unsubscribed", ("unsubscribe", "unsubscribe"))
    assert history(office)[-1][0] == "left"


async def test_a_question_is_answered_once_and_its_old_yes_brings_nobody_back(office: Office, relay: LoopbackRelay) -> None:
    await subscribed(office, relay)
    office.ask(LEAVE)
    await office.once(lambda: MORNING)
    write(office, reply_to(relay.mails[0].content, "OUI", number=7))
    await office.once(lambda: MORNING)
    assert (state(office), last(office)) == ("unsubscribed", ("hand_off", "not-asked"))


async def test_who_is_on_the_list_and_asks_again_is_told_so_once_a_day(office: Office, relay: LoopbackRelay) -> None:
    await subscribed(office, relay)
    for number in (1, 2):
        office.ask(JOIN, number=number)
        await office.once(lambda: MORNING + timedelta(days=2))
    assert [str(read(got.content)["Subject"]) for got in relay.mails[2:]] == ["Vous êtes déjà sur notre liste de presse"]
    assert (state(office), last(office)) == ("subscribed", ("ignore", "already-subscribed"))


async def test_for_whom_nobody_vouches_the_address_itself_is_asked_once_a_day_before_it_leaves(
    office: Office, relay: LoopbackRelay
) -> None:
    await subscribed(office, relay)
    for number in range(3):
        office.ask(LEAVE, number=number, vouched=False)
    await office.once(lambda: MORNING)
    assert (state(office), len(relay.mails), relay.mails[2].recipient) == ("subscribed", 3, AWA)
    write(office, reply_to(relay.mails[2].content, "OUI", vouched=False))
    await office.once(lambda: MORNING)
    assert (state(office), last(office)) == ("unsubscribed", ("unsubscribe", "left"))
    assert str(read(relay.mails[3].content)["Subject"]) == "Vous ne recevrez plus nos communiqués"


async def test_nobody_learns_from_leaving_whether_an_address_was_on_the_list(office: Office, relay: LoopbackRelay) -> None:
    await subscribed(office, relay)
    office.ask(LEAVE)
    office.ask(LEAVE, sender="never@journal.example")
    office.ask(LEAVE, sender="nor@paper.example", vouched=False)
    office.ask(LEAVE, sender="awa2@paper.example", vouched=False)
    await office.once(lambda: MORNING)
    said: dict[str, set[str]] = {}
    for got in relay.mails[2:]:
        said.setdefault(str(read(got.content)["Subject"]), set()).add(text_of(got.content))
    assert [len(texts) for texts in said.values()] == [1, 1]
    assert {got.recipient for got in relay.mails[2:]} == {AWA, "never@journal.example", "nor@paper.example", "awa2@paper.example"}


async def test_one_domain_is_asked_so_often_an_hour_and_then_a_person_sees_it(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"answers_per_domain_per_hour": 2}})
    for number in range(4):
        office.ask(JOIN, sender=f"reader-{number}@paper.example", number=number)
    await office.once()
    assert sorted(row["reason"] for row in office.mails()) == ["cap-domain", "cap-domain", "subscribe", "subscribe"]
    assert (office.lying("mailbot/attention"), len([got for got in relay.mails if got.recipient != COLLEAGUE])) == (2, 2)
    assert office.unsound() == []


async def test_in_draft_mode_nothing_is_asked_and_a_person_is_told(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"mode": "draft"}})
    office.ask(JOIN)
    await office.once()
    assert ([got.recipient for got in relay.mails], state(office)) == ([COLLEAGUE], "none")
    assert (office.lying("mailbot/attention"), office.mails()[0]["waiting"]) == (1, True)
    office.ask(LEAVE)
    await office.once()
    assert ([got.recipient for got in relay.mails], state(office)) == ([COLLEAGUE, COLLEAGUE], "unsubscribed")
    assert office.unsound() == []


async def test_observe_notes_nothing_about_anybody(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"mode": "observe"}})
    office.ask(JOIN)
    office.ask(LEAVE)
    await office.once()
    assert (relay.mails, office.database.read_now(store.listed)) == ([], [])
    assert [row["outcome"] for row in office.mails()] == ["subscribe", "unsubscribe"]


async def test_where_the_office_has_a_public_address_its_question_carries_a_link_that_a_person_opens(
    office: Office, relay: LoopbackRelay
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    home = f"http://127.0.0.1:{port}"
    office.configure({"web": {"public_url": home, "listen": f"127.0.0.1:{port}"}})
    office.ask(JOIN)
    await office.once()
    (question,) = relay.mails
    links = re.findall(rf"{home}/c/\S+", text_of(question.content))
    assert len(links) == 1
    pages = office.start("--only", "web")
    await office.until(lambda: _answers(port), "the pages")
    looked = await asyncio.to_thread(_fetch, links[0])
    assert ("<button>" in looked, state(office)) == (True, "asked")
    await asyncio.to_thread(_fetch, links[0], b"yes=yes")
    assert state(office) == "subscribed"
    pages.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(pages.wait, 20) == 0
    assert office.unsound() == []


async def test_without_a_public_address_no_link_is_printed_and_there_are_no_pages(office: Office, relay: LoopbackRelay) -> None:
    office.ask(JOIN)
    await office.once()
    assert "http" not in text_of(relay.mails[0].content)
    assert "web.public_url is empty" in office.command("run", "--only", "web", exits=1).stderr


def _answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def _fetch(url: str, body: bytes | None = None) -> str:
    with urlopen(url, body, timeout=20) as answer:
        return str(answer.read().decode())
