"""Every mail as strangers judge it: axe-core for who reads it, SpamAssassin for who lets it in."""

import html
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from mailbot.broadcast.letters import LITE, STANDARD, TEXT
from mailbot.message.address import Address
from mailbot.message.letter import filled
from mailbot.message.outgoing import OutgoingMessage, build
from mailbot.message.splice import cut, splice
from mailbot.rendering import parts, render
from tests.edges.test_letters import EVENT, NEWS, NOW, OFFICE, OPENS, values, written
from tests.edges.test_rendering import BARE, FULL
from tests.samples.press_office import EVERY, words
from tests.servers.throwaway import needed

MOST_POINTS = 2.0
GRAVE = {"serious", "critical"}
LETTERS = [
    (format_, kind, more)
    for format_ in (STANDARD, LITE, TEXT)
    for kind, more in (
        ("news", {}), ("embargo", {"embargo": OPENS, "waits_for": "xx"}), ("event", {"event": EVENT, "kind": "advisory"}),
        ("correction", {"kind": "correction"}), ("withdrawal", {"kind": "withdrawal"}),
    )
]  # fmt: skip
MAILS = [(name, given[name]) for given in (FULL, BARE) for name in given if "subject" in parts(name) and name != "announcement"]


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    needed("/usr/bin/chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
        )
        yield browser.new_page(viewport={"width": 360, "height": 700})
        browser.close()


def letter_html(language: str, format_: str, more: dict[str, Any]) -> str:
    return filled(written(language=language, format_=format_, **more).html, values(language=language), html.escape)


def html_of(language: str) -> dict[str, str]:
    found = {f"{name} {number}": render(words(), language, name, given).html for number, (name, given) in enumerate(MAILS)}
    found |= {f"{format_} {kind}": letter_html(language, format_, more) for format_, kind, more in LETTERS}
    return {name: made for name, made in found.items() if made}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", sorted(EVERY))
def test_no_mail_stands_in_anybodys_way_and_none_is_wider_than_a_telephone(page: Page, language: str, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    axe, grave = Axe(), []
    for name, made in html_of(language).items():
        page.set_content(made)
        found = axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
        grave += [(name, one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in GRAVE]
        if page.evaluate("document.documentElement.scrollWidth") > 360:
            grave.append((name, "wider than a telephone", ""))
    assert grave == []


def mails_of(language: str) -> dict[str, bytes]:
    """Every mail whole, as it leaves."""
    found = {}
    for number, (name, given) in enumerate(MAILS):
        made = render(words(), language, name, given)
        message = OutgoingMessage(
            message_id=f"<mb.{number}@littoral.example>", sender=Address("presse@littoral.example", "Office du littoral"),
            to=Address("awa@radio.example", "Awa Traoré"), subject=made.subject, text=made.text, html=made.html, language=language, date=NOW,
        )  # fmt: skip
        found[f"{name} {number}"] = build(message)
    for format_, kind, more in LETTERS:
        cut_letter = cut(written(language=language, format_=format_, what=NEWS, **more), OFFICE.address)
        about: dict[str, Any] = {"message_id": "<mb.1@littoral.example>", "to": Address("awa@radio.example", "Awa Traoré"), "date": NOW}
        found[f"{format_} {kind}"] = splice(cut_letter, values(language=language), **about).whole
    return found


@pytest.mark.parametrize("language", sorted(EVERY))
def test_spamassassin_gives_no_mail_two_points(language: str, tmp_path: Any) -> None:
    program = needed("/usr/bin/spamassassin")
    mails = mails_of(language)
    box = b"".join(b"From awa@radio.example Fri May  1 08:00:00 2026\n" + raw.replace(b"\r\n", b"\n") + b"\n" for raw in mails.values())
    (tmp_path / "all").write_bytes(box)
    run = subprocess.run(
        [program, "--local", "--mbox", "--prefspath=/nonexistent", f"--siteconfigpath={tmp_path}", str(tmp_path / "all")],
        capture_output=True, check=False, timeout=120, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
    )  # fmt: skip
    scores = re.findall(rb"^X-Spam-Status: \w+, score=(-?[\d.]+)(.*(?:\n\t.*)*)", run.stdout, re.MULTILINE)
    assert len(scores) == len(mails), run.stderr.decode()
    heavy = {name: (points, said) for name, (points, said) in zip(mails, scores, strict=True) if float(points) >= MOST_POINTS}
    assert heavy == {}
