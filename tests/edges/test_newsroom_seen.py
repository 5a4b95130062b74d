"""The public pages in a real browser: nothing in anybody's way, none too wide, all by keyboard; and robots change nothing."""

import hashlib
import html
import io
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import pytest
import sqlalchemy as sa
from axe_playwright_python.async_playwright import Axe
from PIL import Image
from playwright.async_api import Browser, Request, async_playwright

from mailbot.audience import store as audience
from mailbot.audience.link import list_link, preferences_link
from mailbot.database.engine import Database
from mailbot.database.tables import delivery, metadata
from mailbot.releases import correction_store, photo_store, store
from mailbot.releases.photo_store import Told
from mailbot.releases.picture import Picture, picture_of
from tests.edges.newsroom import FOUNTAIN, FOUNTAIN_EN
from tests.edges.test_newsroom import NOW, visiting
from tests.edges.test_subscriber_pages import announced
from tests.edges.test_web_links import SECRET
from tests.servers.throwaway import needed

MOST_OCTETS = 60_000
GRAVE = {"serious", "critical"}
MARKET = replace(FOUNTAIN, slug="marche", release="marche", title="Le marché de nuit", date=date(2026, 6, 2), topics=("marché",))
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    needed("/usr/bin/chromium")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
        )
        yield chromium
        await chromium.close()


@cache
def _pictures() -> list[Picture]:
    """Noise: nothing compresses worse."""
    files = [io.BytesIO() for _ in range(6)]
    for number, file in enumerate(files):
        Image.effect_noise((640, 480), 90 + number).save(file, "JPEG", quality=95)
    return [picture_of(file.getvalue()) for file in files]


@pytest.fixture
def paths(database: Database) -> list[str]:
    """Every public page, in each language."""
    for edition in (FOUNTAIN, FOUNTAIN_EN, MARKET):
        database.write_now(store.save, edition, NOW)
    for release in ("fontaine", "marche"):
        database.write_now(store.publish, release, NOW, signatory="")
    database.write_now(correction_store.withdraw, "marche", "", NOW)
    for number, picture in enumerate(_pictures()):
        told = Told(captions={"fr": f"La fontaine, vue {number}", "en": f"The fountain, view {number}"}, credit="Velmora")
        database.write_now(photo_store.attach, "fontaine", picture, told, NOW)
    number = announced(database)
    fixed = [f"/u/{list_link(SECRET, number)}", f"/p/{preferences_link(SECRET, number)}", "/r/nowhere"]
    news = ("/", "/r/fontaine", "/r/marche", "/verify", "/subscribe")
    return [*fixed, *(f"{path}?lang={code}" for code in ("fr", "en") for path in news)]


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (360, "dark"), (1280, "light"), (1280, "dark")])
async def test_no_page_stands_in_anybodys_way(database: Database, paths: list[str], browser: Browser, width: int, scheme: Any) -> None:
    found: list[tuple[str, str, str]] = []
    asked: list[Request] = []
    async with visiting(database) as visitor:
        context = await browser.new_context(viewport={"width": width, "height": 4000}, color_scheme=scheme)
        page = await context.new_page()
        page.on("requestfinished", lambda one: asked.append(one))
        for path in paths:
            asked.clear()
            await page.goto(f"http://127.0.0.1:{visitor.port}{path}")
            if "/r/fontaine" in path:
                await page.wait_for_load_state("networkidle")  # its photos come when they are seen
            weighs = sum([len(await answer.body()) for one in asked if (answer := await one.response()) is not None])
            if weighs > MOST_OCTETS:
                found.append((path, f"{weighs} octets", ""))
            seen = (await Axe().run(page, options={"resultTypes": ["violations"]})).response["violations"]
            found += [(path, one["id"], one["nodes"][0]["html"][:150]) for one in seen if one["impact"] in GRAVE]
            if await page.evaluate("document.documentElement.scrollWidth") > width:
                found.append((path, "wider than the screen", ""))
        await context.close()
    assert found == []


async def test_a_place_on_the_list_is_asked_for_and_preferences_are_kept_by_keyboard_alone(
    database: Database, paths: list[str], browser: Browser
) -> None:
    async with visiting(database) as visitor:
        page = await (await browser.new_context(viewport={"width": 360, "height": 700})).new_page()
        await page.goto(f"http://127.0.0.1:{visitor.port}/subscribe?lang=en")
        await _tab_to(page, "address")
        await page.keyboard.type("reader@paper.example")
        await page.keyboard.press("Enter")
        await page.get_by_role("status").wait_for()
        await page.goto(f"http://127.0.0.1:{visitor.port}{paths[1]}")
        await _tab_to(page, "language")
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        await _tab_to(page, "", "BUTTON")
        await page.keyboard.press("Enter")
        await page.get_by_role("status").wait_for()
        assert await page.locator("html").get_attribute("lang") == "en"


async def test_a_place_is_confirmed_given_up_and_taken_again_by_keyboard_alone(
    database: Database, paths: list[str], browser: Browser
) -> None:
    new, old = "reader@paper.example", "awa@radio.example"

    def state(whose: str) -> str:
        found = database.read_now(audience.find, whose)
        return found.state if found else ""

    async with visiting(database) as visitor:
        page = await (await browser.new_context(viewport={"width": 360, "height": 700})).new_page()
        await visitor.ask("POST", "/subscribe?lang=fr", b"address=reader%40paper.example")
        text = database.read_now(lambda tx: tx.execute(sa.select(delivery.c.text).where(delivery.c.recipient_key == new)).scalar_one())
        (link,) = set(re.findall(r"https://velmora\.example(/c/\S+)", text))
        await page.goto(f"http://127.0.0.1:{visitor.port}{link}")
        assert state(new) == "asked"
        for path, whose, becomes in ((link, new, "subscribed"), (paths[0], old, "unsubscribed"), ("", old, "subscribed")):
            if path:
                await page.goto(f"http://127.0.0.1:{visitor.port}{path}")
            await _tab_to(page, "", "BUTTON")
            async with page.expect_navigation():
                await page.keyboard.press("Enter")
            seen = (await Axe().run(page, options={"resultTypes": ["violations"]})).response["violations"]
            assert (state(whose), [one["id"] for one in seen if one["impact"] in GRAVE]) == (becomes, [])


async def _tab_to(page: Any, name: str, tag: str = "") -> None:
    for _ in range(40):
        await page.keyboard.press("Tab")
        where = await page.evaluate("[document.activeElement.id, document.activeElement.tagName]")
        if (name and where[0] == name) or (tag and where[1] == tag):
            return
    raise AssertionError(f"no way by keyboard to {name or tag}")


async def test_a_crawl_of_every_link_by_head_get_and_a_browser_changes_nothing(
    database: Database, paths: list[str], browser: Browser
) -> None:
    before = _sum(database)
    async with visiting(database) as visitor:
        context = await browser.new_context()
        page, todo, seen = await context.new_page(), list(paths), set[str]()
        while todo:
            path = todo.pop()
            if path in seen or not path.startswith("/") or path.endswith(".css"):
                continue
            seen.add(path)
            await visitor.ask("HEAD", path)
            if ".pdf" in path:
                continue
            text = (await visitor.ask("GET", path)).text
            todo += [html.unescape(one) for one in re.findall(r'href="(/[^"]*)"', text)]
            if ".xml" not in path:
                await page.goto(f"http://127.0.0.1:{visitor.port}{path}")
        await context.close()
    assert len(seen) > 12
    assert _sum(database) == before


def _sum(database: Database) -> str:
    """Of everything in the database."""
    with database.engine.connect() as tx:
        rows = [str(row) for table in metadata.sorted_tables for row in tx.execute(sa.select(table))]
    return hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest()
