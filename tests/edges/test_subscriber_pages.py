"""The links of an announcement, over real HTTP: leaving by one click, the way back, choosing; and what machines are told."""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from mailbot.audience import store
from mailbot.audience.journalist import State
from mailbot.audience.link import list_link, preferences_link
from mailbot.broadcast import store as broadcasts
from mailbot.broadcast.broadcast import Broadcast, Kind
from mailbot.broadcast.broadcast import State as Stands
from mailbot.database import flag
from mailbot.database.engine import Database, Tx
from mailbot.database.tables import delivery, edition, journalist
from mailbot.message.letter import Letter
from mailbot.outbox import bulk_store
from mailbot.outbox.bulk_store import Addressee
from tests.edges.test_web_links import AWA, FORM, NOW, PARTS, SECRET, history, state, visiting

LETTER = Letter(language="fr", edition="", content_hash="", subject="s", text="t")
ONE_CLICK = b"List-Unsubscribe=One-Click"


def announced(database: Database, topics: tuple[str, ...] = ("Eau", "Santé")) -> str:
    """Awa is on the list and an announcement is queued for her; the delivery's number."""

    def queue(tx: Tx) -> str:
        who = store.known(tx, AWA, "fr", NOW)
        store.become(tx, who, State.SUBSCRIBED, NOW)
        broadcasts.put(tx, Broadcast(
            id="b1", kind=Kind.RELEASE, release="r", state=Stands.SENDING, why="", audience="all", early=False, recipients=1, skipped={},
            octets=0, wave=0, at=None, not_after=None, held_until=None, started_at=NOW, finished_at=None, created_at=NOW, created_by="",
        ))  # fmt: skip
        (letter,) = bulk_store.put_letters(tx, "b1", [LETTER])
        addressee = Addressee(journalist=who.id, address=AWA.address, name="", letter=letter)
        bulk_store.enqueue_all(tx, "b1", "r", [addressee], SECRET, "velmora.example", NOW)
        for number, topic in enumerate(topics):
            text = dict.fromkeys(("title", "body", "notes", "contact", "place"), "x") | {"date": "2026-02-01"}
            facts = {"slug": f"e{number}", "release": f"e{number}", "language": "fr", "topics": [topic], "state": "published"}
            tx.execute(edition.insert(), text | facts | {"content_hash": "", "created_at": NOW, "changed_at": NOW})
        return str(tx.execute(sa.select(delivery.c.id)).scalar_one())

    return database.write_now(queue)


def chosen(database: Database) -> tuple[str, str, list[str] | None, bool]:
    row = database.read_now(lambda tx: tx.execute(sa.select(journalist)).one())
    return row.language, row.format, row.topics, row.paused_until is not None


@pytest.mark.parametrize("kind", [FORM, PARTS], ids=["urlencoded", "multipart"])
async def test_a_mail_programs_one_click_leaves_at_once_and_what_is_queued_does_not_leave(database: Database, kind: str) -> None:
    path = f"/u/{list_link(SECRET, announced(database))}"
    body = ONE_CLICK if kind == FORM else b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
    async with visiting(database) as visitor:
        for _ in range(2):
            reply = await visitor.ask("POST", path, body, kind + ("b" if kind == PARTS else ""))
            assert (reply.status, "location" in reply.headers, "set-cookie" in reply.headers) == (200, False, False)
    assert (state(database), history(database)) == (State.UNSUBSCRIBED, [("web", "left")])
    assert database.read_now(bulk_store.states_of, "b1")["suppressed"] == 1


async def test_looking_changes_nothing_and_an_unknown_form_is_refused(database: Database) -> None:
    number = announced(database)
    async with visiting(database) as visitor:
        for path in (f"/u/{list_link(SECRET, number)}", f"/p/{preferences_link(SECRET, number)}"):
            for method in ("GET", "HEAD"):
                assert (await visitor.ask(method, path)).status == 200
            for body in (b"", b"yes=no", b"yes=yes&back=yes" if path[1] == "u" else b"yes="):
                assert (await visitor.ask("POST", path, body)).status == 400
    assert (state(database), history(database), chosen(database)) == (State.SUBSCRIBED, [], ("fr", "standard", None, False))


async def test_whoever_left_by_the_link_may_come_back_for_seven_days(database: Database) -> None:
    path = f"/u/{list_link(SECRET, announced(database))}"
    async with visiting(database) as visitor:
        page = await visitor.press(path)
        assert 'name="back"' in page.text and "awa" not in page.text
        assert "de nouveau" in (await visitor.ask("POST", path, b"back=yes")).text
        assert state(database) is State.SUBSCRIBED
        await visitor.press(path)
    async with visiting(database, NOW + timedelta(days=8)) as visitor:
        await visitor.ask("POST", path, b"back=yes")
    assert state(database) is State.UNSUBSCRIBED


async def test_a_reader_chooses_language_topics_format_and_a_pause(database: Database) -> None:
    path = f"/p/{preferences_link(SECRET, announced(database))}"
    async with visiting(database) as visitor:
        shown = await visitor.ask("GET", path)
        assert "Eau" in shown.text and "a…@radio.example" in shown.text
        given = [("yes", "yes"), ("language", "en"), ("topic", "Eau"), ("format", "lite"), ("pause", "week")]
        assert "saved" in (await visitor.ask("POST", path, urlencode(given).encode())).text
        assert chosen(database) == ("en", "lite", ["Eau"], True)
        nonsense = [("yes", "yes"), ("language", "xx"), ("topic", "Eau"), ("topic", "Santé"), ("format", "x"), ("pause", "")]
        await visitor.ask("POST", path, urlencode(nonsense).encode())
        assert chosen(database) == ("en", "lite", None, True), "every topic is no choice, and nonsense changes nothing"


async def test_a_link_is_worth_nothing_for_another_purpose_or_another_mail(database: Database) -> None:
    number = announced(database)
    leaving, choosing = list_link(SECRET, number), preferences_link(SECRET, number)
    altered = leaving[:-1] + ("1" if leaving[-1] == "0" else "0")
    async with visiting(database) as visitor:
        for path in (f"/u/{choosing}", f"/p/{leaving}", f"/u/{altered}", f"/u/x{leaving}", "/u/", "/p/.", f"/p/{'a' * 500}"):
            assert (await visitor.ask("POST", path, ONE_CLICK)).status in (400, 404)
    assert state(database) is State.SUBSCRIBED


async def test_machines_are_told_whether_it_is_alive_and_of_use(database: Database) -> None:
    announced(database)
    database.write_now(flag.put, flag.INBOX_SUCCESS, NOW.isoformat(), NOW)
    async with visiting(database, NOW + timedelta(minutes=9)) as visitor:
        assert (await visitor.ask("GET", "/healthz")).text == "ok\n"
        assert (await visitor.ask("GET", "/readyz")).status == 200
        metrics = (await visitor.ask("GET", "/metrics")).text
        assert 'mailbot_outbox{state="queued"} 1.0' in metrics and "radio.example" not in metrics
    async with visiting(database, NOW + timedelta(minutes=11)) as visitor:
        reply = await visitor.ask("GET", "/readyz")
    assert (reply.status, [one.partition(":")[0] for one in json.loads(reply.text)["trouble"]]) == (503, ["inbox"])
