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
from tests.edges.test_rendering import FULL
from tests.samples.littoral import LANGUAGES
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
MAILS = {name: given for name, given in FULL.items() if "subject" in parts(name) and name != "announcement"}
# What every filter has to refuse: it tells that this one is awake.
SPAM = (
    b"From: a@b.example\r\nSubject: x\r\nMessage-ID: <spam@x.example>\r\n\r\n"
    b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"
)


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
    """Each mail that has HTML, as full as it can be."""
    found = {name: render(words(), language, name, given).html for name, given in MAILS.items()}
    found |= {f"{format_} {kind}": letter_html(language, format_, more) for format_, kind, more in LETTERS if kind != "correction"}
    return {name: made for name, made in found.items() if made}


# In the dark it is the frame's colours that are asked about, and the language makes no difference to them.
@pytest.mark.parametrize(
    ("language", "scheme"), [*((code, "light") for code in sorted(EVERY)), ("fr", "dark")], ids=lambda value: str(value)
)  # fmt: skip
def test_no_mail_stands_in_anybodys_way_and_none_is_wider_than_a_telephone(page: Page, language: str, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    axe, grave = Axe(), []
    asked = {"resultTypes": ["violations"]} | ({"runOnly": ["color-contrast"]} if scheme == "dark" else {})
    for name, made in html_of(language).items():
        page.set_content(made)
        found = axe.run(page, options=asked).response["violations"]
        grave += [(name, one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in GRAVE]
        if page.evaluate("document.documentElement.scrollWidth") > 360:
            grave.append((name, "wider than a telephone", ""))
    assert grave == []


def mails_of(language: str) -> dict[str, bytes]:
    """Every mail whole, as it leaves."""
    found = {}
    for name, given in MAILS.items():
        made = render(words(), language, name, given)
        message = OutgoingMessage(
            message_id=f"<{name}@littoral.example>", sender=Address("presse@littoral.example", "Office du littoral"),
            to=Address("awa@radio.example", "Awa Traoré"), subject=made.subject, text=made.text, html=made.html, language=language,
            date=NOW,
        )  # fmt: skip
        found[name] = build(message)
    for format_, kind, more in LETTERS:
        cut_letter = cut(written(language=language, format_=format_, what=NEWS, **more), OFFICE.address)
        found[f"{format_}-{kind}"] = splice(
            cut_letter, values(language=language), message_id=f"<{format_}-{kind}@littoral.example>",
            to=Address("awa@radio.example", "Awa Traoré"), date=NOW,
        ).whole  # fmt: skip
    return found


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_spamassassin_gives_no_mail_two_points(language: str, tmp_path: Any) -> None:
    program = needed("/usr/bin/spamassassin")
    mails = mails_of(language) | {"spam": SPAM}
    box = b"".join(b"From awa@radio.example Fri May  1 08:00:00 2026\n" + raw.replace(b"\r\n", b"\n") + b"\n" for raw in mails.values())
    (tmp_path / "all").write_bytes(box)
    (tmp_path / "preferences").write_text("use_bayes 0\nreport_safe 0\n")
    run = subprocess.run(
        [program, "--local", "--mbox", f"--prefspath={tmp_path / 'preferences'}", str(tmp_path / "all")],
        capture_output=True, check=False, timeout=120, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
    )  # fmt: skip
    said = re.findall(rb"^X-Spam-Status: \w+, score=(-?[\d.]+) [\s\S]*?^Message-ID: <([\w-]+)@", run.stdout, re.MULTILINE)
    assert {name.decode() for _, name in said} == set(mails), run.stderr.decode()
    assert {name.decode() for points, name in said if float(points) >= MOST_POINTS} == {"spam"}
