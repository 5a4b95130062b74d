"""The demo's page over real HTTP on loopback: what it shows, whom it lets in, and that a mail cannot do anything to it."""

import asyncio
import http.client
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml

from mailbot import languages
from mailbot.demo import page as pages
from mailbot.demo.explanation import Explanation
from mailbot.demo.mail_world import HOST, Arrival, MailWorld
from mailbot.demo.question import PAGES, Question, compose, examples, from_form
from mailbot.demo.serve import served
from mailbot.demo.shown_mail import read
from mailbot.releases.import_set import import_set
from mailbot.web.serve import PortTaken, listening_on

MEDIA, DESK, JOURNALIST = "media@office.example", "desk@office.example", "jo@paper.example"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORD = "demo"


@pytest.fixture
async def world() -> AsyncIterator[MailWorld]:
    """Both servers, stopped at the end."""
    world = MailWorld()
    await world.start([MEDIA, DESK], PASSWORD)
    yield world
    await world.stop()


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Browser:
    """Speaks HTTP as a browser on this machine does."""

    port: int

    async def get(self, path: str, **headers: str) -> Reply:
        return await asyncio.to_thread(self._ask, "GET", path, None, headers)

    async def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Reply:
        headers = {"Origin": f"http://{HOST}:{self.port}", **headers}
        return await asyncio.to_thread(self._ask, "POST", path, urlencode(fields), headers)

    def _ask(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> Reply:
        sent = {name.replace("_", "-"): value for name, value in headers.items() if value}
        with closing(http.client.HTTPConnection(HOST, self.port, timeout=10)) as connection:
            connection.request(method, path, body, {"Content-Type": "application/x-www-form-urlencoded", **sent} if body else sent)
            got = connection.getresponse()
            return Reply(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read().decode())


@asynccontextmanager
async def browsing(world: MailWorld, explain: pages.Explain) -> AsyncIterator[Browser]:
    office = pages.Office("Coast Office", MEDIA, (DESK,), (pages.OfferedRelease("Seagrass & <b>seahorses</b>", "fr", "le 1er mai", False),),
                          {"fr": {"latest-release": "Le plus récent."}, "en": {}})  # fmt: skip
    with listening_on(HOST, 0) as listening:
        async with served(pages.page(world, explain, office), listening, asyncio.Event()):
            yield Browser(listening.getsockname()[1])


async def _undecided(_: str) -> Explanation | None:
    return None


@pytest.fixture
async def browser(world: MailWorld) -> AsyncIterator[Browser]:
    """On a page behind which nobody decides anything."""
    async with browsing(world, _undecided) as browser:
        yield browser


def _told(outcome: str, **more: Any) -> Explanation:
    common = {"kind": "request", "language": "fr", "confidence": 0.9, "evidence": ("<i>",), "reason": "latest-release"}
    return Explanation(**{"outcome": outcome, **common, **more})


Bot = Callable[[MailWorld, Arrival], Awaitable[Explanation]]


async def _answers(world: MailWorld, question: Arrival) -> Explanation:
    answer = EmailMessage(policy=policy.SMTP)
    answer["From"], answer["To"], answer["Subject"], answer["In-Reply-To"] = MEDIA, JOURNALIST, "Re: <u>", question.message_id
    answer.set_content("the text </div><script>alert(1)</script>")
    answer.add_alternative("<p>the design</p><script>alert(2)</script>", subtype="html")
    await world.deliver(MEDIA, JOURNALIST, answer.as_bytes())
    return _told("send_release", edition="one", title="The <em>title</em>")


async def _passes_on(world: MailWorld, question: Arrival) -> Explanation:
    note = EmailMessage(policy=policy.SMTP)
    note["From"], note["To"], note["Subject"] = MEDIA, DESK, "For you"
    note.set_content("Please answer")
    original = await world.mail(MEDIA, "INBOX", question.uid) or b""
    note.add_attachment(original, maintype="application", subtype="octet-stream", filename="original.eml")
    await world.deliver(MEDIA, DESK, note.as_bytes())
    return _told("hand_off", reason="interview", offers=("Seagrass",))


async def _stays_silent(world: MailWorld, question: Arrival) -> Explanation:
    return _told("ignore", kind="automatic", reason="auto-submitted", language="")


FORM = {"name": "Jo", "address": JOURNALIST, "subject": "Question", "text": "The latest release, please"}


@pytest.mark.parametrize(
    ("bot", "shown", "not_shown"),
    [
        (_answers, ["Répondre avec un communiqué", "Le plus récent.", "text &lt;/div", "Re: &lt;u&gt;", " ms<"], ["<em>", "<i>"]),
        (_passes_on, ["Transmettre à une personne", "interview", "Please answer", "original.eml", "Le journaliste n’a rien reçu."], []),
        (_stays_silent, ["Ne rien répondre", "auto submitted", "Le journaliste n’a rien reçu."], []),
    ],
    ids=["an answer", "a note to a colleague", "silence"],
)  # fmt: skip
async def test_the_page_shows_what_became_of_a_mail(world: MailWorld, bot: Bot, shown: list[str], not_shown: list[str]) -> None:
    decided: dict[str, Explanation] = {}

    async def explain(message_id: str) -> Explanation | None:
        if message_id not in decided:
            decided[message_id] = await bot(world, next(one for one in world.arrivals if one.message_id == message_id))
        return decided[message_id]

    async with browsing(world, explain) as browser:
        sent = await browser.post("/send", FORM)
        assert sent.status == 303
        page = await browser.get(sent.headers["location"])
        assert page.status == 200 and "http-equiv" not in page.text
        assert [words for words in shown if words not in page.text] == []
        assert [words for words in [*not_shown, "<script"] if words in page.text] == []
        boxes = (await browser.get("/mailboxes?lang=en")).text
        assert [user for user in (MEDIA, DESK, JOURNALIST) if user not in boxes] == []
        for path in re.findall(r'href="(/mail\?[^"]+)"', boxes):
            assert (await browser.get(path.replace("&amp;", "&"))).status == 200


async def test_the_html_of_a_mail_stands_in_a_frame_that_may_do_nothing(world: MailWorld, browser: Browser) -> None:
    arrival = await world.deliver(MEDIA, JOURNALIST, (await _html_mail()))
    got = await browser.get(f"/html?user={JOURNALIST}&folder=INBOX&uid={arrival.uid}")
    assert "<script>" in got.text  # as it came
    assert got.headers["content-security-policy"].startswith("sandbox; default-src 'none'; style-src 'unsafe-inline';")
    around = (await browser.get(f"/mail?user={JOURNALIST}&folder=INBOX&uid={arrival.uid}")).text
    assert re.search(r'<iframe src="/html\?[^"]+" sandbox title="[^"]+">', around)


async def _html_mail() -> bytes:
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["To"] = MEDIA, JOURNALIST
    message.set_content("<p>x</p><script>alert(1)</script>", subtype="html")
    return message.as_bytes()


async def test_a_mail_that_waits_for_its_decision_reloads_its_page(browser: Browser) -> None:
    sent = await browser.post("/send?lang=en", FORM)
    page = await browser.get(sent.headers["location"])
    assert '<meta http-equiv="refresh" content="1">' in page.text
    assert "mailbot is reading the mail" in page.text


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:{port}", 200), ("localhost:{port}", 200), ("[::1]:{port}", 200), ("127.0.0.1", 200), ("evil.example:{port}", 403),
     ("evil.example", 403), ("127.0.0.1.evil.example", 403), ("[::1].evil.example", 403), ("[::2]:{port}", 403)],
)  # fmt: skip
async def test_only_this_machines_own_names_are_answered(browser: Browser, host: str, status: int) -> None:
    assert (await browser.get("/", Host=host.format(port=browser.port))).status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "", "Referer": "http://127.0.0.1:{port}/?lang=fr"}, 303),
        ({"Sec_Fetch_Site": "same-origin"}, 303),
        ({"Origin": ""}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "http://evil.example", "Referer": "http://127.0.0.1:{port}/"}, 403),
        ({"Origin": "https://127.0.0.1:{port}"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
    ],
    ids=["old browser", "new browser", "silent", "a sandbox", "another site", "another port", "both", "https", "cross-site", "same-site"],
)
async def test_a_form_is_taken_from_our_own_page_only(world: MailWorld, browser: Browser, headers: dict[str, str], status: int) -> None:
    sent = await browser.post("/send", FORM, **{name: value.format(port=browser.port) for name, value in headers.items()})
    assert sent.status == status
    assert len(world.arrivals) == (status == 303)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/?lang=en", 200), ("/mailboxes", 200), ("/style.css", 200), ("/nowhere", 404), ("/asked/x", 404),
     ("/mail?user=x&folder=INBOX&uid=1", 404), ("/html?uid=%C2%B2", 404), (f"/mail?user={MEDIA}&folder=Other&uid=1", 404)],
)  # fmt: skip
async def test_every_answer_is_closed_to_the_rest_of_the_web(browser: Browser, path: str, status: int) -> None:
    got = await browser.get(path)
    assert got.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self';")
    assert "unsafe" not in got.headers["content-security-policy"]
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.status == status
    assert re.findall(r"<script|\son\w+=|style=|https?://", got.text) == []


@pytest.mark.parametrize(
    ("changed", "fault"),
    [({"address": "no address"}, "n’est pas valable"), ({"address": "a@b.example, c@d.example"}, "n’est pas valable"),
     ({"address": "é@paper.example"}, "n’est pas valable"), ({"subject": " ", "text": "\r\n"}, "Écrivez un objet")],
    ids=["none", "two", "not ASCII", "nothing written"],
)  # fmt: skip
async def test_a_faulty_form_comes_back_filled_in(world: MailWorld, browser: Browser, changed: dict[str, str], fault: str) -> None:
    got = await browser.post("/send", FORM | {"name": "Jo & Co"} | changed)
    assert got.status == 422 and fault in got.text and "Jo &amp; Co" in got.text
    assert world.arrivals == []


async def test_a_form_too_big_for_a_mail_is_refused(world: MailWorld, browser: Browser) -> None:
    assert (await browser.post("/send", FORM | {"text": "x" * 200_000})).status == 413
    assert (await browser.post("/send", {str(n): "" for n in range(100)})).status == 400
    assert world.arrivals == []


async def test_who_ticks_the_box_is_unknown_to_the_border_server(world: MailWorld, browser: Browser) -> None:
    await browser.post("/send", FORM)
    await browser.post("/send", FORM | {"unauthenticated": "yes"})
    heads = [message_from_bytes(raw)["Authentication-Results"] for _, raw in await world.mails(MEDIA)]
    assert [re.findall(r"dmarc=\w+", head) for head in heads] == [["dmarc=pass"], ["dmarc=none"]]


@pytest.mark.parametrize("key", list(examples()))
async def test_each_example_arrives_at_the_press_office_by_one_click(world: MailWorld, browser: Browser, key: str) -> None:
    assert (await browser.post("/send", {"example": key})).status == 303
    ((_, raw),) = await world.mails(MEDIA)
    example = examples()[key]
    assert set(example.label) == set(example.point) == set(pages.LANGUAGES)
    found = message_from_bytes(raw, policy=policy.default)
    assert found["Subject"] == example.question.subject
    assert found["Auto-Submitted"] == example.question.headers.get("Auto-Submitted")
    assert found.get_content().split() == example.question.text.split()


# --- what is written, and the words


def test_a_question_of_any_signs_is_one_good_mail() -> None:
    fields = {"name": 'Jo "é" <x>\r\nBcc: a@b.example', "address": JOURNALIST, "subject": "a\r\nb: ☃", "text": "☃\r\nend"}
    question, fault = from_form(fields)
    assert fault == ""
    found = message_from_bytes(compose(question, MEDIA, "<1@demo.invalid>", NOW), policy=policy.default)
    assert found["Bcc"] is None and found["b"] is None
    assert found["From"].addresses[0].display_name == 'Jo "é" <x> Bcc: a@b.example'
    assert found["From"].addresses[0].addr_spec == JOURNALIST
    assert (found["Subject"], found["Date"].datetime, found.get_content()) == ("a b: ☃", NOW, "☃\r\nend\r\n")
    with pytest.raises(ValueError, match="not an address"):
        compose(Question(name="", address="x", subject="", text=""), MEDIA, "<1@demo.invalid>", NOW)


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xff\x00", b"Subject: =?nowhere?B?4pi?=\r\nContent-Type: text/plain; charset=nowhere\r\n\r\n\xe9",
     b"Content-Type: multipart/mixed\r\n\r\nx"],
    ids=["nothing", "no mail", "no charset", "no boundary"],
)  # fmt: skip
def test_any_bytes_can_be_shown(raw: bytes) -> None:
    assert isinstance(read(raw).source, str)


def test_both_languages_of_the_page_have_the_same_words() -> None:
    def shape(words: Any) -> Any:
        return {key: shape(value) for key, value in words.items()} if isinstance(words, dict) else type(words)

    french, english = (yaml.safe_load((PAGES / f"{code}.yaml").read_text("utf-8")) for code in pages.LANGUAGES)
    assert shape(french) == shape(english)


def test_the_sample_releases_are_in_both_languages_and_one_is_under_embargo() -> None:
    files = [(path.name, path.read_bytes()) for path in (PAGES.parent / "sample_releases").iterdir()]
    read_in = import_set(files, languages.load([languages.shipped()]), NOW)
    assert read_in.problems == ()
    found: dict[str, set[str]] = {}
    for edition in read_in.editions:
        found.setdefault(edition.release, set()).add(edition.language)
    assert list(found.values()) == [{"fr", "en"}] * 4
    assert sum(edition.embargo is not None and edition.embargo > NOW for edition in read_in.editions) == 2


def test_a_port_in_use_is_one_clear_sentence() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match="cannot be had"), listening_on(HOST, port):
            pass
