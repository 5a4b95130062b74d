"""Takes README's pictures from a running `mailbot demo`: the newsroom, a release on a telephone, the desk, a mail. `make pictures`."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.servers.throwaway import needed

HERE = Path(__file__).parent
COMMAND = [sys.executable, "-c", "from mailbot.cli.main import main; main()", "demo"]
QUESTION = "Bonjour,\n\nPourriez-vous m'envoyer votre dernier communiqué de presse ?\n\nMerci,\nCamille"


@contextmanager
def demo() -> Iterator[tuple[str, str]]:
    """The addresses of its page and of its desk, once it stands."""
    quiet = os.environ | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=quiet)
    try:
        said = ""
        assert process.stdout is not None
        for line in process.stdout:
            said += line
            if "nothing stays behind" in line:
                break
        page, desk = re.findall(r"http://127\.0\.0\.1:\d+/\S*", said)[:2]
        yield page, desk
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _taken(page: Page, name: str, height: int) -> None:
    page.set_viewport_size({"width": page.viewport_size["width"] if page.viewport_size else 1000, "height": height})
    page.screenshot(path=HERE / f"{name}.png")
    print(f"{name}.png: {(HERE / f'{name}.png').stat().st_size // 1000} KB")


def take(browser: Browser, page_of_demo: str, link: str) -> None:
    """One after another: a mail is asked for first, so that the desk has something to show."""
    page = browser.new_page(viewport={"width": 1000, "height": 760}, locale="fr-FR")
    page.goto(f"{page_of_demo}?lang=fr")
    page.fill("#subject", "Communiqué")
    page.fill("#text", QUESTION)
    page.click("form button[type=submit], form button:not([name])")
    page.wait_for_selector("iframe")
    shown = page.locator("iframe").first.get_attribute("src") or ""
    page.goto(page_of_demo.rstrip("/") + shown)
    _taken(page, "mail", 760)
    origin = "/".join(link.split("/")[:3])
    page.goto(link)
    if page.locator("button").count() and "enter" in page.url:
        page.locator("button").first.click()
    page.wait_for_url(re.compile(r"/desk(?!/enter)"))
    _taken(page, "desk", 760)
    page.goto(f"{origin}/?lang=fr")
    _taken(page, "newsroom", 760)
    phone = browser.new_page(viewport={"width": 360, "height": 640}, locale="fr-FR")
    phone.goto(f"{origin}/?lang=fr")
    phone.locator("article a").first.click()
    _taken(phone, "release", 640)


if __name__ == "__main__":
    needed("/usr/bin/chromium")
    with demo() as (page, desk), sync_playwright() as playwright:
        take(playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"]), page, desk)
