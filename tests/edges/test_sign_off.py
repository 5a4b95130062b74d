"""A release is signed: asked for by mail, approved on a page, bound to its text, and nothing unsigned is published by any way."""

import asyncio
import http.client
import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, sync_playwright

from mailbot import languages, office_terms, service, terms
from mailbot.database.engine import Database
from mailbot.database.sign_off_tables import sign_off as table
from mailbot.inbox import submit
from mailbot.inbox.aftermath import Aftermath
from mailbot.inbox.hand_over import Desk
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Failed, Phase, Reply
from mailbot.releases import sign_off_store, store
from mailbot.releases.sign_off import GOOD_FOR, Standing, Verdict
from mailbot.releases.sign_off_store import NotSigned
from mailbot.settings import load
from mailbot.web.serve import WebServer, listening_on
from mailbot.web.site import Newsroom, site, words
from tests.edges.commands import Commands
from tests.servers.throwaway import needed

CHIEF, OFFICER = "chef@littoral.example", "bureau@littoral.example"
SLUG, NOW = "retours", datetime(2026, 3, 1, 12, tzinfo=UTC)
FRENCH = f"""---
slug: {SLUG}
language: fr
title: "14 223 personnes sont rentrées"
date: 2026-02-27
embargo: 2099-01-01T08:00:00+00:00
place: Bamako
contact: "Presse : Awa Diarra, +223 20 22 76 97"
---
Nous avons aidé **14 223** personnes à rentrer, dont mille deux cents familles.

« Ces retours sont un commencement ”, a déclaré Rokia Traoré.
"""
ENGLISH = f"""---
slug: {SLUG}-en
language: en
title: "14,223 people have returned"
date: 2026-02-27
place: Bamako
translation_of: {SLUG}
contact: "Press: Awa Diarra, +223 20 22 76 97"
---
We helped 14,232 people to return, 1,200 families among them.

“These returns are a beginning,” said Rokia Traoré.
"""
AGREEING = ENGLISH.replace("14,232", "14,223")

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def mailbot(database_url: str, tmp_path: Path) -> Commands:
    commands = Commands(tmp_path)
    commands.configure(database_url, {
        "releases": {"sign_off": CHIEF}, "web": {"public_url": "https://presse.example"}, "inbox": {"hand_off_to": [OFFICER]},
        "security": {"secret_key": "a key that only this test knows"},
    })  # fmt: skip
    write(tmp_path)
    assert commands("release", "import", "set").code == 0
    return commands


def write(folder: Path, french: str = FRENCH, english: str = AGREEING) -> None:
    (folder / "set").mkdir(exist_ok=True)
    (folder / "set" / "fr.md").write_text(french)
    (folder / "set" / "en.md").write_text(english)


@pytest.fixture
def opened(mailbot: Commands, database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as database:
        yield database


@pytest.fixture
def desk(mailbot: Commands) -> Desk:
    settings = load(mailbot.folder / "config" / "mailbot.toml")
    loaded = languages.load(office_terms.language_folders(settings))
    return terms.desk_of(settings, office_terms.office_of(settings, loaded), b"a key that only this test knows", loaded, service.new_id)


def mails(database: Database) -> list[dict[str, Any]]:
    """What is queued, the oldest first, whole."""
    rows = database.read_now(outbox.listed)
    found = [database.read_now(outbox.shown, row["id"]) for row in rows]
    return sorted((one for one in found if one), key=lambda one: (one["created_at"], one["kind"] != "sign_off"))


def link_in(mail: dict[str, Any]) -> str:
    found = re.search(r"https://presse\.example/s/(\S+)", mail["text"])
    assert found
    return found[1]


def asked(desk: Desk, database: Database) -> str:
    """The release is submitted; the last part of the link."""
    release = database.read_now(store.load, SLUG)
    assert release
    delivery = database.write_now(submit.submit, desk, release, NOW).asked.delivery
    found = database.read_now(outbox.shown, delivery)
    assert found
    return link_in(found)


@contextmanager
def pages(database: Database, desk: Desk, now: datetime = NOW) -> Iterator[int]:
    """The site in a thread of its own while the body runs; its port."""
    office, folders = desk.office, [Path("templates").resolve()]
    said = {code: words(folders, code, office.words.typographies[code]) for code in office.languages}
    newsroom = Newsroom(name=office.name, address=office.address.address, languages=office.languages, words=said, secret=desk.secret)
    server = WebServer(site(database, newsroom, lambda: now, desk))
    with listening_on("127.0.0.1", 0) as listening:
        serving = Thread(target=lambda: asyncio.run(server.serve(listening)))
        serving.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.stop()
            serving.join()


def ask(port: int, method: str, link: str, form: dict[str, str] | None = None) -> tuple[int, str]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        connection.request(method, f"/s/{link}", urlencode(form) if form else None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


APPROVE, CHANGE = {"verdict": "approve"}, {"verdict": "change", "words": "Pas « rentrées »,\nmais « revenues »."}


def test_the_signatory_gets_the_whole_release_and_what_differs_and_is_asked_once(mailbot: Commands, opened: Database) -> None:
    write(mailbot.folder, english=ENGLISH)
    mailbot("release", "import", "set")
    looked = mailbot("release", "submit", SLUG, "--dry-run", "--json").json()
    assert (looked["recipient"], "14,232" in looked["text"], mails(opened)) == (CHIEF, True, [])
    first = mailbot("release", "submit", f"{SLUG}-en", "--json").json()
    again = mailbot("release", "submit", SLUG, "--json").json()
    assert (first["result"], again["result"], first["delivery"]) == ("asked", "waiting", again["delivery"])
    (mail,) = mails(opened)
    assert (mail["recipient"], mail["kind"]) == (CHIEF, "sign_off")
    assert mail["subject"] == "À signer\xa0: 14\xa0223 personnes sont rentrées"
    for part in (mail["text"], mail["html"]):
        flat = part.replace("\xa0", " ")
        assert "Chiffre" in flat and "14,232" in flat and "We helped" in flat and "Traoré" in flat and "Awa Diarra" in flat
        assert "guillemets qui ne vont pas ensemble" in flat and "2099" in flat
    seal = link_in(mail).partition(".")[2]
    rows = opened.read_now(lambda tx: [tuple(row) for row in tx.execute(table.select())])
    assert len(rows) == 1 and seal not in str(rows)


def test_approved_on_a_telephone_by_keyboard_and_then_published(mailbot: Commands, opened: Database, desk: Desk, tmp_path: Path) -> None:
    assert mailbot("release", "publish", SLUG).code == 1
    link = asked(desk, opened)
    with pages(opened, desk) as port, telephone(f"http://127.0.0.1:{port}/s/{link}") as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.locator("article").count() == 2 and page.locator("script").count() == 0
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.tagName") == "BUTTON":
                break
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('C’est signé')")
        assert page.locator("button").count() == 0
    question, told = mails(opened)
    assert (question["kind"], told["recipient"], told["subject"].partition("\xa0")[0]) == ("sign_off", OFFICER, "Signé")
    assert f"mailbot release publish {SLUG}" in told["text"]
    assert mailbot("release", "publish", SLUG, "--json").json()["changed"] == [SLUG, f"{SLUG}-en"]


@contextmanager
def telephone(address: str, scheme: Any = "light") -> Iterator[Page]:
    """A browser of 360 pixels at this address. What it logs as an error is one."""
    needed("/usr/bin/chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
        )
        page = browser.new_page(viewport={"width": 360, "height": 740}, color_scheme=scheme)
        errors: list[str] = []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        try:
            page.goto(address)
            yield page
            assert [error for error in errors if "favicon" not in error] == []
        finally:
            browser.close()


def test_looking_changes_nothing_the_word_counts_once_and_a_foreign_link_opens_nothing(opened: Database, desk: Desk) -> None:
    link = asked(desk, opened)
    delivery, _, seal = link.partition(".")
    with pages(opened, desk) as port:
        for method in ("GET", "HEAD", "OPTIONS", "GET"):
            ask(port, method, link)
        assert len(mails(opened)) == 1
        assert [ask(port, "POST", link, form)[0] for form in ({"yes": "yes"}, {"verdict": "publish"})] == [400, 400]
        status, page = ask(port, "POST", link, CHANGE | {"words": "  \n"})
        assert (status, "écrivez d’abord" in page, len(mails(opened))) == (400, True, 1)
        foreign = [link[:-1], f"{link}0", f"{delivery}.{seal[::-1]}", f"other.{seal}", "x" * 300]
        assert [ask(port, method, one, APPROVE)[0] for one in foreign for method in ("GET", "POST")] == [404] * 10
        assert ask(port, "POST", link, CHANGE)[0] == 200
        assert "Votre demande est transmise" in ask(port, "POST", link, APPROVE)[1] and "Votre demande" in ask(port, "GET", link)[1]
    _, told = mails(opened)
    assert "Changements demandés" in told["subject"] and "> mais « revenues »." in told["text"].replace("\xa0", " ")
    with pytest.raises(NotSigned, match=r"asks for changes: “Pas « rentrées », mais « revenues ».”"):
        opened.write_now(store.publish, SLUG, NOW, signatory=CHIEF)
    assert asked(desk, opened) != link  # the same text may be submitted again


def test_any_edit_voids_the_link_and_the_signature(mailbot: Commands, opened: Database, desk: Desk) -> None:
    signed = asked(desk, opened)
    assert opened.write_now(submit.sign, desk, signed, Verdict.APPROVED, "", NOW)
    write(mailbot.folder, french=FRENCH.replace("2099-01-01", "2026-01-01"))  # not a word of it: the embargo alone
    assert mailbot("release", "import", "set").code == 0
    with pages(opened, desk) as port:
        status, page = ask(port, "GET", signed)
        assert (status, "Ce lien ne vaut plus" in page, "<button" in page) == (410, True, False)
        unanswered = asked(desk, opened)
        write(mailbot.folder)
        mailbot("release", "import", "set")
        assert ask(port, "POST", unanswered, APPROVE)[0] == 410
        newer = asked(desk, opened)
        assert ask(port, "POST", unanswered, APPROVE)[0] == 410 == ask(port, "POST", signed, APPROVE)[0]
        assert ask(port, "POST", newer, APPROVE)[0] == 200
    opened.write_now(store.publish, SLUG, NOW, signatory=CHIEF)


def test_a_link_holds_for_fourteen_days(opened: Database, desk: Desk) -> None:
    link = asked(desk, opened)
    late = NOW + GOOD_FOR + timedelta(seconds=1)
    found = opened.write_now(submit.sign, desk, link, Verdict.APPROVED, "", late)
    assert found and found.stands is Standing.TOO_LATE
    with pages(opened, desk, late) as port:
        assert "plus valable" in ask(port, "GET", link)[1]
    release = opened.read_now(store.load, SLUG)
    assert release and not opened.write_now(submit.submit, desk, release, late).again


def test_nothing_unsigned_is_published_by_any_command(mailbot: Commands, opened: Database, desk: Desk) -> None:
    refused = [mailbot("release", "publish", SLUG, "--yes"), mailbot("release", "import", "set", "--publish")]
    assert [said.code for said in refused] == [1, 1]
    assert all(f"mailbot release submit {SLUG}" in said.err for said in refused)
    link = asked(desk, opened)
    assert "has not answered yet" in mailbot("release", "publish", SLUG, "--yes").err
    opened.write_now(submit.sign, desk, link, Verdict.APPROVED, "", NOW)
    assert "is signed already" in mailbot("release", "submit", SLUG).err
    assert mailbot("release", "import", "set", "--publish").code == 0
    assert [one["state"] for one in mailbot("release", "list", "--json").lines()] == ["published"]


def test_another_signatory_has_to_sign_anew(opened: Database, desk: Desk) -> None:
    opened.write_now(submit.sign, desk, asked(desk, opened), Verdict.APPROVED, "", NOW)
    with pytest.raises(NotSigned, match=r"new@littoral\.example has not been asked"):
        opened.write_now(store.publish, SLUG, NOW, signatory="new@littoral.example")


def test_a_correction_is_signed_before_it_is_stored(mailbot: Commands, opened: Database, desk: Desk) -> None:
    opened.write_now(store.publish, SLUG, NOW, signatory="")
    assert "published already" in mailbot("release", "submit", SLUG).err
    (mailbot.folder / "corrected.md").write_text(AGREEING.replace("1,200", "1,300"))
    done = mailbot("release", "submit", SLUG, "--correction", "corrected.md", "--json")
    assert "figure" in done.err and done.json()["result"] == "asked"
    (mail,) = mails(opened)
    assert "rectification" in mail["text"] and "1,300" in mail["text"]
    found = opened.write_now(submit.sign, desk, link_in(mail), Verdict.APPROVED, "", NOW)
    assert found and found.stands is Standing.APPROVED
    opened.write_now(sign_off_store.require_signed, found.release, CHIEF)
    stored = opened.read_now(store.load, SLUG)
    with pytest.raises(NotSigned):
        opened.write_now(sign_off_store.require_signed, stored, CHIEF)
    assert "1,300" in str(found.release.editions) and "1,300" not in str(stored)


def test_without_a_signatory_or_a_public_address_nobody_is_asked(mailbot: Commands, opened: Database) -> None:
    for section, says in (("RELEASES__SIGN_OFF", "Nobody signs"), ("WEB__PUBLIC_URL", "Without web.public_url")):
        mailbot.environment = {f"MAILBOT_{section}": ""}
        said = mailbot("release", "submit", SLUG)
        assert (said.code, says in said.err) == (1, True)
    assert mails(opened) == []


def test_who_answers_for_releases_hears_that_the_signatory_was_not_reached(opened: Database, desk: Desk) -> None:
    asked(desk, opened)
    claimed = opened.write_now(outbox.claim, "me", NOW)
    assert claimed
    reply = Reply(phase=Phase.ENVELOPE_RCPT, code=550, text="no such user")
    opened.write_now(Aftermath(desk), claimed, Failed("refused"), reply, NOW)
    opened.write_now(submit.not_reached, desk, (claimed.id, "another"), "not-delivered", "and again by mail", NOW)
    _, told = mails(opened)
    assert (told["recipient"], "no such user" in told["text"], CHIEF in told["text"]) == (OFFICER, True, True)


def test_differences_are_shown_and_published_only_where_a_person_says_so(mailbot: Commands) -> None:
    mailbot.environment = {"MAILBOT_RELEASES__SIGN_OFF": ""}
    write(mailbot.folder, english=ENGLISH)
    mailbot("release", "import", "set")
    said = mailbot("release", "parity", SLUG, "--json").json()
    (found,) = said["differences"]
    assert (found["kind"], found["words"]) == ("figure", {"fr": "14 223", "en": "14,232"})
    assert [point["what"] for point in said["points"]] == ["quotation-marks"]
    table = mailbot("release", "parity", f"{SLUG}-en")
    assert (table.code, "14,232" in table.out, "We helped 14,232 people" in table.out) == (0, True, True)
    refused = mailbot("release", "publish", SLUG)
    assert (refused.code, "14,232" in refused.err, "--yes" in refused.err) == (1, True, True)
    assert json.loads(mailbot("release", "list", "--json").out)["state"] == "draft"
    assert mailbot("release", "publish", SLUG, "--yes").code == 0
    assert mailbot("release", "publish", SLUG).code == 0  # published already: there is nothing to look at
