"""`mailbot demo` as a newcomer meets it: a process of its own that answers a mail, reads no settings, and leaves nothing behind."""

import asyncio
import http.client
import json
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.async_api import async_playwright

from mailbot.demo.run import explanation
from tests.servers import throwaway

START_SECONDS, ANSWER_SECONDS = 60.0, 30.0
COMMAND = ("-c", "from mailbot.cli.main import main; main()")


@dataclass
class Demo:
    """A running demonstration; `config` is the settings file that it names for a second terminal."""

    process: asyncio.subprocess.Process
    port: int
    config: Path
    temporary: Path
    desk: str   # the link that lets in once

    async def ask(self, method: str, path: str, fields: Mapping[str, str] | None = None) -> tuple[int, str, str]:
        """Status, where it leads, text."""
        return await asyncio.to_thread(self._ask, method, path, urlencode(fields) if fields else None)

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, str, str]:
        headers = {"Origin": f"http://127.0.0.1:{self.port}", "Content-Type": "application/x-www-form-urlencoded"} if body else {}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)) as connection:
            connection.request(method, path, body, headers)
            got = connection.getresponse()
            return got.status, got.getheader("location", ""), got.read().decode()

    async def outcome(self, fields: Mapping[str, str]) -> str:
        """Send a form; the page of its outcome, once it is complete."""
        status, place, _ = await self.ask("POST", "/send", fields)
        assert status == 303
        ends = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < ends:
            _, _, text = await self.ask("GET", place)  # waits for the outcome itself
            if 'http-equiv="refresh"' not in text:
                return text
        raise AssertionError(f"no outcome in {ANSWER_SECONDS} s:\n{text}")


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    """Started where a settings file and variables lie in wait that would end it, were they read."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "mailbot.toml").write_text("[nonsense]\n")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    traps = {"MAILBOT_NONSENSE": "1", "MAILBOT_IMAP__HOST": "imap.invalid", "MAILBOT_CONFIG": str(tmp_path / "none.toml")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *COMMAND, "demo", cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env=os.environ | traps | {"TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        yield await _started(process, temporary)
    finally:
        if process.returncode is None:
            process.terminate()
            async with asyncio.timeout(30):
                await process.wait()


async def _started(process: asyncio.subprocess.Process, temporary: Path) -> Demo:
    assert process.stdout is not None
    said = ""
    async with asyncio.timeout(START_SECONDS):
        while "nothing stays behind" not in said:
            line = await process.stdout.readline()
            assert line, f"it ended after: {said}"
            said += line.decode()
    (port,) = re.findall(r"http://127\.0\.0\.1:(\d+)/\s", said)
    (config,) = re.findall(r"--config (\S+) status", said)
    (desk,) = re.findall(r"(http://\S+/desk/enter/\S+)", said)
    return Demo(process, int(port), Path(config), temporary, desk)


async def test_a_newcomers_mail_is_answered_and_ctrl_c_leaves_nothing(demo: Demo) -> None:
    mail = {"name": "Jo", "address": "jo@paper.example", "subject": "Release", "text": "Please send me your latest press release."}
    text = await demo.outcome(mail)
    assert "Seagrass in the bay has gained 40 hectares in five years" in text and "send_release" in text, text

    second = await asyncio.create_subprocess_exec(
        sys.executable, *COMMAND, "--config", str(demo.config), "status", "--json", stdout=asyncio.subprocess.PIPE
    )
    told, _ = await second.communicate()
    assert second.returncode == 0 and json.loads(told)["inbox"]["handled"] >= 1

    demo.process.send_signal(signal.SIGINT)
    async with asyncio.timeout(30):
        assert await demo.process.wait() == 0
    assert list(demo.temporary.iterdir()) == []


async def test_a_newcomer_publishes_approves_and_watches_a_broadcast_in_a_browser(demo: Demo) -> None:
    throwaway.needed("/usr/bin/chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = await browser.new_page(locale="fr-FR")
        page.set_default_timeout(ANSWER_SECONDS * 1000)
        await page.goto(demo.desk)
        await page.get_by_role("button", name="Entrer").click()
        await page.get_by_role("link", name="Communiqués").click()
        await page.get_by_role("link", name=re.compile("pont mobile")).click()
        await page.get_by_label(re.compile("J’ai regardé")).check()
        await page.get_by_role("button", name="Publier").click()
        await page.get_by_role("link", name="Annoncer à la liste de presse").click()
        await page.get_by_role("button", name="Préparer").click()
        await page.get_by_label("Écrivez le nombre de destinataires").fill("40")
        await page.get_by_role("button", name="Approuver l’envoi").click()
        await page.locator("#live", has_text="Terminé").wait_for()      # the page was not loaded again
        assert "40 sur 40" in await page.locator("#live").inner_text()
        await browser.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["SIGTERM", "a closed terminal"])
async def test_other_ends_leave_nothing_either(demo: Demo, number: signal.Signals) -> None:
    demo.process.send_signal(number)
    async with asyncio.timeout(30):
        assert await demo.process.wait() == 0
    assert list(demo.temporary.iterdir()) == []


async def test_each_example_shows_what_it_promises(demo: Demo) -> None:
    promised = {
        "latest-fr": ("send_release", "Les herbiers de la baie"),
        "latest-en": ("send_release", "Seagrass in the bay"),
        "topic-en": ("send_release", "Grey Point lighthouse reopens"),
        "interview": ("hand_off", "original.eml"),
        "out-of-office": ("ignore", "auto-submitted"),
        "embargo": ("hand_off", "original.eml"),
    }
    for key, (outcome, words) in promised.items():
        text = await demo.outcome({"example": key})
        assert (key, f'class="outcome {outcome}"' in text, words in text) == (key, True, True)
        assert "Joaquim Perrault" not in text  # who is quoted in the embargoed release alone
    wish = {"name": "Jo", "address": "jo@paper.example", "subject": "Press list", "text": "Please add me to your press list."}
    text = await demo.outcome(wish)
    assert 'class="outcome subscribe"' in text and "Press list: reply YES to confirm" in text


def test_an_explanation_names_titles_for_slugs() -> None:
    told = {
        "kind": "request", "language": "en", "confidence": 0.8, "evidence": ["press release"], "reason": "topic-asked",
        "actions": [{"type": "send_release", "release": "night-ferry", "edition": "en", "why": "topic"}],
    }  # fmt: skip
    titles = {"night-ferry": "Night ferry"}
    found = explanation({"outcome": "send_release", "explanation": told}, titles.__getitem__)
    assert (found.edition, found.title, found.evidence, found.offers) == ("night-ferry", "Night ferry", ("press release",), ())
    offered = told | {"actions": [{"type": "hand_off", "why": "unsure", "offers": ["night-ferry"]}]}
    assert explanation({"outcome": "hand_off", "explanation": offered}, titles.__getitem__).offers == ("Night ferry",)
