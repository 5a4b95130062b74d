"""The pages behind the links of the press list, over real HTTP: looking changes nothing, pressing acts once."""

import asyncio
import http.client
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from mailbot import languages, rendering
from mailbot.audience import store
from mailbot.audience.journalist import Purpose, State, Why
from mailbot.audience.link import delivery_of, link_to, seal_of
from mailbot.database.engine import Database, Tx
from mailbot.message.address import Address
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind
from mailbot.typography import typography
from mailbot.web.form import MOST_OCTETS
from mailbot.web.serve import PortTaken, WebServer, listening_on
from mailbot.web.site import Newsroom, masked, site, words

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = b"s" * 32
AWA = Address("awa@radio.example", "Awa")
SHIPPED = [rendering.shipped()]
RULES = {code: typography(language.typography) for code, language in languages.load([languages.shipped()]).items()}
NEWSROOM = Newsroom(
    name="Ville de Velmora", address="presse@velmora.example", languages=("fr", "en"),
    words={code: words(SHIPPED, code, RULES[code]) for code in ("fr", "en")}, secret=SECRET,
)  # fmt: skip
FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary="


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Visitor:
    port: int

    async def ask(self, method: str, path: str, body: bytes = b"", kind: str = FORM, reads: str = "") -> Reply:
        return await asyncio.to_thread(self._ask, method, path, body, kind, reads)

    async def press(self, path: str) -> Reply:
        return await self.ask("POST", path, b"yes=yes")

    def _ask(self, method: str, path: str, body: bytes, kind: str, reads: str) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        told = ({"Content-Type": kind} if body else {}) | ({"Accept-Language": reads} if reads else {})
        connection.request(method, path, body or None, told)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        connection.close()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)


@asynccontextmanager
async def visiting(database: Database, now: datetime = NOW) -> AsyncIterator[Visitor]:
    """The site on a free port while the body runs."""
    server = WebServer(site(database, NEWSROOM, lambda: now))
    with listening_on("127.0.0.1", 0) as listening:
        serving = asyncio.create_task(server.serve(listening))
        try:
            yield Visitor(listening.getsockname()[1])
        finally:
            server.stop()
            await serving


def asked(database: Database, purpose: Purpose, delivery: str = "d1", language: str = "fr") -> str:
    """Awa was asked by a mail; the path of its link."""

    def ask(tx: Tx) -> None:
        who = store.known(tx, AWA, language, NOW)
        draft = outbox.Draft(key=delivery, kind=Kind.CONFIRMATION, recipient=AWA, language=language, subject="s", text="t")
        outbox.enqueue(tx, draft, delivery, f"<{delivery}@velmora.example>", NOW)
        store.ask(tx, who, purpose, delivery, seal_of(SECRET, purpose, delivery), NOW)

    database.write_now(ask)
    return link_to("https://x.example", SECRET, purpose, delivery).removeprefix("https://x.example")


def state(database: Database) -> State:
    found = database.read_now(store.find, AWA.key)
    assert found is not None
    return found.state


def history(database: Database) -> list[tuple[str, str]]:
    shown = database.read_now(store.shown, AWA.key)
    assert shown is not None
    return [(entry["channel"], entry["event"]) for entry in shown["consent"]]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_looking_changes_nothing(database: Database, method: str) -> None:
    path = asked(database, Purpose.JOIN)
    async with visiting(database) as visitor:
        for _ in range(3):
            await visitor.ask(method, path)
    assert (state(database), history(database)) == (State.NONE, [])


async def test_the_button_confirms_once_and_pressing_it_again_is_harmless(database: Database) -> None:
    path = asked(database, Purpose.JOIN)
    async with visiting(database) as visitor:
        page = await visitor.ask("GET", path)
        assert "Recevoir nos communiqués\u00a0?" in page.text and "a…@radio.example" in page.text and "awa@radio.example" not in page.text
        first, second, looked = await visitor.press(path), await visitor.press(path), await visitor.ask("GET", path)
    assert ("C’est fait" in first.text, "C’était déjà fait" in second.text, "<button>" in looked.text) == (True, True, False)
    assert (first.status, second.status) == (200, 200)
    assert (state(database), history(database)) == (State.SUBSCRIBED, [("web", Why.CONFIRMED)])


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"List-Unsubscribe=One-Click", FORM),
        (b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n', f"{PARTS}b"),
    ],
    ids=["urlencoded", "multipart"],
)
async def test_one_click_leaves_without_cookie_or_redirect(database: Database, body: bytes, kind: str) -> None:
    path = asked(database, Purpose.LEAVE)
    async with visiting(database) as visitor:
        answers = [await visitor.ask("POST", path, body, kind) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert state(database) is State.UNSUBSCRIBED


@pytest.mark.parametrize("body", [b"", b"yes=no", b"a;a;a", b"List-Unsubscribe=Twice", urlencode({"x": "y" * 50}).encode()])
async def test_a_post_that_is_neither_our_form_nor_one_click_changes_nothing(database: Database, body: bytes) -> None:
    path = asked(database, Purpose.LEAVE)
    async with visiting(database) as visitor:
        answer = await visitor.ask("POST", path, body)
    assert (answer.status, state(database)) == (400, State.NONE)


async def test_one_click_never_confirms_a_subscription(database: Database) -> None:
    path = asked(database, Purpose.JOIN)
    async with visiting(database) as visitor:
        answer = await visitor.ask("POST", path, b"List-Unsubscribe=One-Click")
    assert (answer.status, state(database)) == (400, State.NONE)


async def test_what_was_made_for_one_purpose_opens_nothing_else(database: Database) -> None:
    join = asked(database, Purpose.JOIN)
    async with visiting(database) as visitor:
        answers = [
            await visitor.press(path)
            for path in (join.replace("/c/", "/u/"), join[:-1], f"{join}00", "/c/d1.", "/c/.x", "/c/" + "x" * 500, "/x/y", "/")
        ]
    assert [answer.status for answer in answers] == [404] * len(answers)
    assert state(database) is State.NONE
    assert all("Ce lien n’ouvre rien" in answer.text for answer in answers)


async def test_a_link_is_good_for_seven_days(database: Database) -> None:
    path = asked(database, Purpose.JOIN)
    async with visiting(database, NOW + timedelta(days=7, seconds=1)) as visitor:
        answer = await visitor.press(path)
    assert (answer.status, state(database)) == (410, State.NONE)
    assert "Ce lien n’est plus valable" in answer.text


async def test_a_large_body_is_refused_before_it_is_read(database: Database) -> None:
    path = asked(database, Purpose.JOIN)
    async with visiting(database) as visitor:
        answer = await visitor.ask("POST", path, b"yes=yes&x=" + b"y" * MOST_OCTETS)
    assert (answer.status, state(database)) == (413, State.NONE)


async def test_the_page_is_in_the_readers_language_and_no_browser_keeps_or_frames_it(database: Database) -> None:
    path = asked(database, Purpose.LEAVE, language="en")
    async with visiting(database) as visitor:
        page = await visitor.ask("GET", path)
        style = await visitor.ask("GET", "/style.css")
    assert '<html lang="en">' in page.text and "Stop receiving our press releases?" in page.text
    assert page.headers["cache-control"] == "no-store" and page.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"] and "script" not in page.text
    assert "server" not in page.headers and "set-cookie" not in page.headers
    assert (style.status, style.headers["content-type"].partition(";")[0]) == (200, "text/css")


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_a_database_that_does_not_answer_is_said(database: Database) -> None:
    path = asked(database, Purpose.JOIN)
    async with visiting(database) as visitor:
        database.write_now(lambda tx: tx.exec_driver_sql("ALTER TABLE confirmation RENAME TO gone"))
        answer = await visitor.press(path)
    assert (answer.status, "Réessayez" in answer.text) == (503, True)


def test_a_link_is_made_only_where_there_is_a_public_web_and_only_we_can_make_it() -> None:
    assert link_to("", SECRET, Purpose.JOIN, "d1") == ""
    assert link_to("https://x.example", SECRET, Purpose.RETURN, "d1") == ""
    link = link_to("https://x.example", SECRET, Purpose.JOIN, "d1")
    assert link.startswith("https://x.example/c/d1.")
    last = link.rpartition("/")[2]
    assert delivery_of(SECRET, Purpose.JOIN, last) == "d1"
    assert delivery_of(SECRET, Purpose.LEAVE, last) == "" == delivery_of(b"t" * 32, Purpose.JOIN, last)


def test_an_address_is_masked_but_its_owner_knows_it() -> None:
    assert (masked("awa@radio.example"), masked('"x@y"@b.example')) == ("a…@radio.example", '"…@b.example')


def test_the_words_of_the_pages_are_complete_and_a_fault_names_the_line(tmp_path: Path) -> None:
    assert set(words(SHIPPED, "fr", RULES["fr"])) == set(words(SHIPPED, "en", RULES["en"]))
    own = tmp_path / "fr" / "web.yaml"
    own.parent.mkdir()
    own.write_text("join-open-text: '{adress} et {name}'", encoding="utf-8")
    with pytest.raises(rendering.TemplateFault, match=r"fr/web.yaml: join-open-text: knows \{name\}, \{office\} and \{address\} alone"):
        words([tmp_path, *SHIPPED], "fr", RULES["fr"])
    with pytest.raises(rendering.TemplateFault, match="foot: is missing"):
        words([tmp_path], "fr", RULES["fr"])


def test_a_taken_port_is_said() -> None:
    with listening_on("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} cannot be had"), listening_on("127.0.0.1", port):
            pass
