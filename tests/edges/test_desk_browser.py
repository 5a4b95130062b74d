"""The desk in a real browser: what an officer does in a hurry, by keyboard too, at both widths; and axe-core on every page."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from mailbot.audience import store as audience
from mailbot.cases import store as cases
from mailbot.cases.case import CaseState
from mailbot.database.engine import Database
from mailbot.message.address import Address
from mailbot.web.desk import user_store
from mailbot.web.desk.role import Role
from mailbot.web.desk.user_store import MOST_OF_ACCOUNT
from mailbot.web.desk.ways import FILES
from tests.edges.desk_stand import APPROVER, EDITOR, HASHED, PASSWORD, Stand, desk_stand
from tests.edges.newsroom import newsroom
from tests.servers import throwaway

CHROMIUM = "/usr/bin/chromium"
MOST_OCTETS = 200_000
PAGES = (
    "/desk", "/desk/mail", "/desk/mail/1", "/desk/releases", "/desk/releases/fontaine", "/desk/release-write?of=marche&language=en",
    "/desk/releases/fontaine/edit", "/desk/release-import", "/desk/audience", "/desk/audience/awa@radio.example", "/desk/audience/import",
    "/desk/broadcasts", "BROADCAST", "/desk/settings", "/desk/journal", "/desk/nothing",
)  # fmt: skip
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    throwaway.needed(CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def stand(database: Database, database_url: str, tmp_path: Path) -> Iterator[Stand]:
    with desk_stand(newsroom(database, database_url, tmp_path)) as stand:
        yield stand


def _page(chromium: Browser, stand: Stand, who: str = "", *, width: int = 1280, scheme: Any = "light", scripts: bool = True) -> Page:
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, locale="fr-FR", java_script_enabled=scripts
    )
    if who:
        cookie = next(iter(stand.browser(who).jar))
        context.add_cookies([{"name": "desk", "value": str(cookie.value), "url": stand.origin}])
    page = context.new_page()
    page.set_default_timeout(15_000)
    return page


def _announced(stand: Stand) -> str:
    awa = Address("awa@radio.example", "Awa Diarra")
    stand.office.database.write_now(audience.add, awa, "fr", "Radio", None, "salon", stand.office.now)
    answer = stand.browser(EDITOR).post("/desk/broadcasts", {"release": "fontaine", "to": "all"})
    return str(answer.headers["location"]).partition("?")[0]


@pytest.mark.parametrize(
    ("language", "looks"), [("fr", ((360, "dark"), (1280, "light"))), ("en", ((360, "light"), (1280, "dark")))], ids=["fr", "en"]
)
def test_nothing_on_any_page_stands_in_anybody_s_way(
    chromium: Browser, stand: Stand, language: str, looks: tuple[tuple[int, str], ...]
) -> None:
    stand.office.case("awa")
    there = _announced(stand)
    stand.office.database.write_now(user_store.put, Address(APPROVER, "Chief"), language, [Role.APPROVER], HASHED, stand.office.now)
    wrong, large, wide, elsewhere = [], [], [], []
    for width, scheme in looks:
        page = _page(chromium, stand, APPROVER, width=width, scheme=scheme)
        octets: list[int] = []
        page.on("response", lambda answer, octets=octets: octets.append(len(answer.body()) if answer.ok else 0))
        page.on("request", lambda asked: elsewhere.append(asked.url) if not asked.url.startswith((stand.origin, "data:")) else None)
        for path in PAGES:
            octets.clear()
            page.goto(stand.origin + (there if path == "BROADCAST" else path), wait_until="load")
            assert page.locator("html").get_attribute("lang") == language
            for one in Axe().run(page).response["violations"]:
                if one["impact"] in ("serious", "critical"):
                    wrong.append((path, width, one["id"], [node["html"][:120] for node in one["nodes"]][:2]))
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                wide.append((path, width))
            if sum(octets) > MOST_OCTETS:
                large.append((path, sum(octets)))
        page.context.close()
    assert (wrong, wide, large, elsewhere) == ([], [], [], [])


@pytest.mark.parametrize("language", ["fr", "en"])
def test_nor_on_the_pages_that_a_form_leads_to(chromium: Browser, stand: Stand, language: str) -> None:
    stand.office.ask("fatou")
    stand.office.sent()
    stand.office.database.write_now(user_store.put, Address(APPROVER, "Chief"), language, [Role.APPROVER], HASHED, stand.office.now)
    page = _page(chromium, stand, APPROVER, width=360)
    wrong = []

    def look(name: str) -> None:
        found = Axe().run(page).response["violations"]
        wrong.extend((name, one["id"]) for one in found if one["impact"] in ("serious", "critical"))

    page.goto(f"{stand.origin}/desk/releases/fontaine")
    page.locator("details", has=page.locator("#reason")).locator("summary").click()
    look("release")
    page.locator('form[action$="withdraw"] button').click()
    look("rehearsal")
    page.goto(f"{stand.origin}/desk/release-write")
    page.locator("#title").fill("x")
    page.locator("#body").fill("***")
    page.locator("form.write button").click()
    look("what cannot be read")
    page.goto(f"{stand.origin}/desk/audience/import")
    page.locator("#file").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": b"email\nawa@radio.example\nnobody\n"})
    page.locator("#origin").fill("salon")
    page.locator('form[enctype] button').click()
    page.locator("table").wait_for()
    look("report")
    page.context.close()
    assert wrong == []


@pytest.mark.parametrize("octets", [pytest.param(10_000_000, id="10 MB"), pytest.param(11_000_000, id="more than a form may have")])
def test_a_large_list_with_broken_rows_is_taken_line_by_line_or_refused_on_a_plain_page(
    chromium: Browser, stand: Stand, tmp_path: Path, octets: int
) -> None:
    broken = "nobody at all;" + "x" * 500 + "\n"
    (tmp_path / "list.csv").write_text("email;name\nawa@radio.example;Awa\n" + broken * (octets // len(broken)) + "bo@radio.example;Bo\n")
    page = _page(chromium, stand, APPROVER, width=360)
    page.goto(f"{stand.origin}/desk/audience/import")
    page.locator("#file").set_input_files(tmp_path / "list.csv")
    page.locator("#origin").fill("salon")
    page.locator('input[name="try"]').uncheck()
    page.locator("form[enctype] button").click()
    if octets > FILES:
        page.get_by_text("trop").first.wait_for()
    else:
        page.locator("table").wait_for()
        assert f"{octets // len(broken)}" in re.sub(r"\s", "", page.locator("main").inner_text())
    listed = {key for key in ("awa@radio.example", "bo@radio.example") if stand.office.database.read_now(audience.find, key)}
    page.context.close()
    assert listed == (set() if octets > FILES else {"awa@radio.example", "bo@radio.example"})


def test_an_officer_logs_in_by_keyboard_and_too_many_wrong_passwords_wait(chromium: Browser, stand: Stand) -> None:
    page = _page(chromium, stand, width=360)
    for tried in [*["wrong wrong wrong"] * MOST_OF_ACCOUNT, PASSWORD]:
        page.goto(f"{stand.origin}/desk/login")
        page.locator("#address").focus()
        page.keyboard.type(EDITOR)
        page.keyboard.press("Tab")
        page.keyboard.type(tried)
        page.keyboard.press("Enter")
        page.get_by_role("alert").wait_for()
    assert "quart d’heure" in page.get_by_role("alert").inner_text()
    stand.office.database.write_now(user_store.forget_tries, EDITOR)
    page.goto(f"{stand.origin}/desk/login")
    assert [one["id"] for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")] == []
    page.locator("#address").fill(EDITOR)
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{stand.origin}/desk")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"      # the first stop leads past the navigation
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")], ids=["phone", "desktop"])
def test_a_mail_is_answered_from_the_desk(chromium: Browser, stand: Stand, width: int, scheme: str) -> None:
    number = stand.office.case("awa")
    page = _page(chromium, stand, EDITOR, width=width, scheme=scheme)
    page.goto(f"{stand.origin}/desk")
    page.get_by_role("link", name="Demande").first.click()
    page.get_by_label(re.compile("Votre réponse")).fill("Bonjour Awa, la fontaine coule depuis ce matin. Les poissons vont bien.")
    page.get_by_role("button", name="Envoyer mon texte").click()
    assert "part dans trois minutes" in page.get_by_role("status").inner_text()
    assert stand.office.database.read_now(cases.load, number).state is CaseState.ANSWERING
    page.get_by_role("button", name="Arrêter cette réponse").click()
    page.get_by_role("button", name="Envoyer la réponse préparée").click()
    assert stand.office.database.read_now(cases.load, number).state is CaseState.ANSWERED


def test_a_release_is_written_published_and_announced(chromium: Browser, stand: Stand) -> None:
    stand.office.database.write_now(audience.add, Address("awa@radio.example", "Awa"), "fr", "", None, "salon", stand.office.now)
    page = _page(chromium, stand, APPROVER)
    page.goto(f"{stand.origin}/desk/releases")
    page.get_by_role("link", name="Écrire un communiqué").click()
    page.get_by_label("Titre").fill("Le phare est repeint")
    page.get_by_label("Texte", exact=True).fill("Velmora – Le phare est rouge.")
    page.get_by_role("button", name="Enregistrer le brouillon").click()
    page.get_by_role("button", name="Publier").click()
    assert "Publié" in page.get_by_role("status").inner_text()
    assert "Le phare est repeint" in page.frame_locator("iframe").locator("h1, h2").first.inner_text()
    page.get_by_role("link", name="Annoncer à la liste de presse").click()
    page.get_by_role("button", name="Préparer").click()
    page.get_by_label("Écrivez le nombre de destinataires").fill("1")
    page.get_by_role("button", name="Approuver l’envoi").click()
    assert "Approuvé" in page.get_by_role("status").inner_text()
    page.get_by_role("button", name="Arrêter cet envoi").click()
    assert "Arrêté" in page.locator("#live").inner_text()
