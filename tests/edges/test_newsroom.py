"""The newsroom over real HTTP: what anybody may read, and that nobody reads anything else; verifying; asking for a place on the list."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from mailbot import languages, office_terms, service, terms
from mailbot.audience import store as audience
from mailbot.audience import suppression_store
from mailbot.audience.journalist import State
from mailbot.database.engine import Database
from mailbot.database.tables import delivery
from mailbot.inbox.hand_over import Desk
from mailbot.message.address import key
from mailbot.releases import correction_store, store
from mailbot.releases.markdown import to_markdown
from mailbot.settings import Settings
from mailbot.web.serve import WebServer, listening_on
from mailbot.web.site import site
from tests.edges.newsroom import FOUNTAIN, FOUNTAIN_EN
from tests.edges.test_web_links import NEWSROOM, Visitor

NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)
SECRET_WORD = "Zanzibarite"
HELD = replace(FOUNTAIN, slug="musee", release="musee", title=f"Le musée {SECRET_WORD}", body=f"Velmora – {SECRET_WORD} ouvre ses portes.",
               embargo=NOW + timedelta(days=1), topics=("culture",))  # fmt: skip


def _desk() -> Desk:
    """Who asks whether somebody wants our releases."""
    organisation = {"name": "Ville de Velmora", "address": "presse@velmora.example", "languages": ["fr", "en"]}
    settings = Settings.model_validate({"organisation": organisation, "web": {"public_url": "https://velmora.example"}})
    loaded = languages.load([languages.shipped()])
    return terms.desk_of(settings, office_terms.office_of(settings, loaded), b"s" * 32, loaded, service.new_id)


@asynccontextmanager
async def visiting(database: Database, now: datetime = NOW) -> AsyncIterator[Visitor]:
    server = WebServer(site(database, NEWSROOM, lambda: now, _desk()))
    with listening_on("127.0.0.1", 0) as listening:
        serving = asyncio.create_task(server.serve(listening))
        try:
            yield Visitor(listening.getsockname()[1])
        finally:
            server.stop()
            await serving


@pytest.fixture
def published(database: Database) -> Database:
    """A release in two languages, one under embargo, one that is a draft."""
    draft = replace(FOUNTAIN, slug="brouillon", release="brouillon", title=f"Brouillon {SECRET_WORD}", body=f"Velmora – {SECRET_WORD}.")
    for edition in (FOUNTAIN, FOUNTAIN_EN, HELD, draft):
        database.write_now(store.save, edition, NOW)
    for release in ("fontaine", "musee"):
        database.write_now(store.publish, release, NOW, signatory="")
    return database


async def test_what_is_public_is_listed_found_and_shown(published: Database) -> None:
    async with visiting(published) as visitor:
        front = await visitor.ask("GET", "/?lang=fr")
        assert (front.status, "La grande fontaine" in front.text, "noindex" in front.headers["x-robots-tag"]) == (200, True, False)
        found = await visitor.ask("GET", "/?" + urlencode({"q": "fontaine", "lang": "fr"}))
        assert "/r/fontaine?" in found.text
        for nothing in ({"q": "xylophone"}, {"topic": "nothing"}, {"month": "1999-01"}, {"page": "9"}):
            assert "/r/" not in (await visitor.ask("GET", "/?" + urlencode(nothing))).text
        page = await visitor.ask("GET", "/r/fontaine-en")
        assert 'hreflang="fr"' in page.text and 'property="og:title"' in page.text and "wa.me" in page.text
        feed = await visitor.ask("GET", "/feed.xml?lang=en")
        assert "application/atom+xml" in feed.headers["content-type"] and "https://velmora.example/r/fontaine-en" in feed.text


async def test_the_list_can_be_of_what_is_written_in_one_language(published: Database) -> None:
    published.write_now(store.save, replace(FOUNTAIN, slug="pont", release="pont", title="Le pont"), NOW)
    published.write_now(store.publish, "pont", NOW, signatory="")
    async with visiting(published) as visitor:
        front = (await visitor.ask("GET", "/?lang=fr")).text
        assert '<option value="en" lang="en">English' in front and "/r/pont?" in front
        english = (await visitor.ask("GET", "/?lang=fr&in=en")).text
        assert "/r/fontaine-en?lang=fr" in english and "/r/pont" not in english and "/r/fontaine?" not in english
        assert "/r/pont?" in (await visitor.ask("GET", "/?lang=fr&in=xx")).text


async def test_an_error_is_said_in_the_visitor_s_language_and_counted(published: Database) -> None:
    async with visiting(published) as visitor:
        for reads, said in (("fr-ML, en;q=0.5", "n’ouvre rien"), ("en-GB", "opens nothing"), ("de", "n’ouvre rien")):
            missing = await visitor.ask("GET", "/r/nowhere", reads=reads)
            assert (missing.status, said in missing.text.lower()) == (404, True), missing.text
        assert 'mailbot_requests_refused{why="lost"} 3.0' in (await visitor.ask("GET", "/metrics")).text


@pytest.mark.parametrize("path", ["/r/musee", "/r/brouillon", "/r/musee.pdf", "/photo/musee/1", "/r/nowhere", "/r/..%2f..%2fetc", "/r/'--"])
async def test_what_is_not_public_looks_like_what_is_not_there(published: Database, path: str) -> None:
    async with visiting(published) as visitor:
        missing, found = await visitor.ask("GET", "/r/xxxxx"), await visitor.ask("GET", path)
        assert (found.status, found.text, found.headers.keys()) == (404, missing.text, missing.headers.keys())


async def test_no_byte_of_an_embargo_is_served_by_any_way_before_its_instant_and_all_after(published: Database) -> None:
    asked = [
        "/", "/?q=ouvre+ses+portes", "/?topic=culture", "/?month=2026-05", "/feed.xml", "/r/fontaine", "/r/musee", "/verify", "/subscribe",
        "/readyz", "/metrics",
    ]  # fmt: skip
    async with visiting(published) as visitor:
        for path in asked:
            assert SECRET_WORD not in (await visitor.ask("GET", path)).text
        assert "/r/musee" not in (await visitor.ask("GET", f"/?q={SECRET_WORD}")).text
        pasted = urlencode({"text": to_markdown(HELD)}).encode()
        verified = (await visitor.ask("POST", "/verify?lang=fr", pasted)).text
        assert "rien publié" in verified
    async with visiting(published, NOW + timedelta(days=1)) as visitor:
        assert SECRET_WORD in (await visitor.ask("GET", "/")).text
        assert (await visitor.ask("GET", "/r/musee")).status == 200


async def test_a_withdrawn_release_says_so_and_no_more(published: Database) -> None:
    published.write_now(correction_store.withdraw, "fontaine", "", NOW)
    async with visiting(published) as visitor:
        page = await visitor.ask("GET", "/r/fontaine?lang=fr")
        assert (page.status, "retiré" in page.text, "44 697" in page.text.replace("\N{NO-BREAK SPACE}", " ")) == (410, True, False)
        assert "/r/fontaine" not in (await visitor.ask("GET", "/")).text


async def _told(visitor: Visitor, text: str) -> str:
    return (await visitor.ask("POST", "/verify?lang=en", urlencode({"text": text}).encode())).text


async def test_a_text_is_ours_ours_in_part_changed_or_not_ours(published: Database) -> None:
    ours = f"{FOUNTAIN.title}\n\n{FOUNTAIN.body}"
    async with visiting(published) as visitor:
        assert "exactly what we published" in await _told(visitor, ours)
        assert "exactly what we published" in await _told(visitor, ours.replace("\n\n", "\r\n\r\n").replace(" ", "\N{NO-BREAK SPACE}"))
        assert "not the whole text" in await _told(visitor, FOUNTAIN.body.split("\n\n")[0])
        changed = await _told(visitor, ours.replace("44 697", "94 697"))
        assert "Altered" in changed and "94 697" in changed and "<del>" in changed
        assert "nothing that resembles" in await _told(visitor, "The moon is made of cheese, says the mayor of another town.")
        assert "every sentence is ours" in await _told(visitor, "[fontaine]")
        assert "<script>" not in await _told(visitor, "<script>alert(1)</script> is what they said about it all")


async def _ask(visitor: Visitor, address: str, **more: str) -> tuple[int, str]:
    reply = await visitor.ask("POST", "/subscribe?lang=en", urlencode({"address": address, "language": "en", **more}).encode())
    return reply.status, reply.text


async def test_a_place_on_the_list_is_asked_for_and_the_page_tells_nobody_who_is_on_it(published: Database) -> None:
    published.write_now(suppression_store.suppress, key("barred@paper.example"), "complaint", NOW)
    async with visiting(published) as visitor:
        first = await _ask(visitor, "new@paper.example")
        assert first[0] == 200
        for address, more in (("new@paper.example", {}), ("barred@paper.example", {}), ("robot@paper.example", {"website": "http://x"})):
            assert await _ask(visitor, address, **more) == first
        assert (await _ask(visitor, "x@y\r\nBcc: z@z.example"))[0] == 422
        for _ in range(5):
            await _ask(visitor, "new@paper.example")
        assert (await _ask(visitor, "other@paper.example"))[0] == 429
    with published.engine.connect() as tx:
        mails = [(row.recipient, row.kind, row.language) for row in tx.execute(sa.select(delivery))]
    assert mails == [("new@paper.example", "confirmation", "en")]
    found = published.read_now(audience.find, "new@paper.example")
    assert found is not None and found.state is State.ASKED
