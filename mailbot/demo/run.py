"""`mailbot demo`: the mail world, the real service against it, and the page, in one process and one temporary folder.

No configuration file and no environment is read, so that a demonstration can never touch a real mailbox.
"""

import asyncio
import json
import signal
import sys
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from mailbot import clock, languages, office_terms, rendering, service, settings, typography
from mailbot.database.engine import Database, Tx
from mailbot.demo.desk import furnish, write_in
from mailbot.demo.explanation import Explanation
from mailbot.demo.mail_world import HOST, MailWorld
from mailbot.demo.page import Explain, OfferedRelease, Office, page
from mailbot.demo.serve import served
from mailbot.inbox import store as inbox
from mailbot.languages import Language
from mailbot.releases import store as releases
from mailbot.releases.import_set import import_set
from mailbot.releases.release import Edition, day_of, newest_first
from mailbot.web.serve import listening_on

HERE = Path(__file__).parent
PASSWORD = "demo"  # noqa: S105 - opens invented mailboxes on loopback
LOOKED_THROUGH = 50  # the newest decisions, among which the page finds the mail it waits for


async def run(port: int = 0, *, say: Callable[[str], None] = partial(print, flush=True)) -> None:
    """Run until SIGTERM or Ctrl-C; leaves nothing behind. Port 0: the system finds a free one. Raises PortTaken."""
    with tempfile.TemporaryDirectory(prefix="mailbot-demo-") as folder, listening_on(HOST, port) as listening:
        world = MailWorld()
        sample = (HERE / "sample_office.toml").read_text("utf-8")
        office = tomllib.loads(sample)
        address, colleagues = office["organisation"]["address"], tuple(office["inbox"]["hand_off_to"])
        await world.start([address, *colleagues], PASSWORD)
        try:
            file = Path(folder) / "mailbot.toml"
            with listening_on(HOST, 0) as free:
                web = f"{HOST}:{free.getsockname()[1]}"
            file.write_text(sample + _connections(world, address, Path(folder), web), "utf-8")
            chosen = settings.load(file, {})
            parts = service.build(chosen, clock.now)
            asked = service.asked_by_signal()
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, asked.set)  # the terminal was closed
            loaded = languages.load(office_terms.language_folders(chosen))
            offered = await parts.database.write(take_in_samples, loaded, clock.now())
            language = chosen.organisation.languages[0]
            link = await parts.database.write(furnish, colleagues[0], language, loaded, clock.now())
            await write_in(world, address)
            shown = Office(office["organisation"]["name"], address, colleagues, offered, _reason_sentences(loaded))
            with closing(Database(chosen.database.url)) as reading:  # the page's own: it may still look while the service closes
                async with served(page(world, explained_by(reading), shown), listening, asked):
                    say(_welcome(listening.getsockname()[1], world, file, address, chosen.web.public_url + link))
                    await service.run(parts, asked=asked, shutdown_seconds=chosen.outbox.shutdown_seconds)
        finally:
            await world.stop()


def take_in_samples(tx: Tx, loaded: Mapping[str, Language], now: datetime) -> tuple[OfferedRelease, ...]:
    """Import and publish the sample releases; what the page offers of them, the newest first and the embargoed last."""
    files = [(path.name, path.read_bytes()) for path in sorted((HERE / "sample_releases").glob("*.md"))]
    read = import_set(files, loaded, now)
    if read.problems:
        raise ValueError("; ".join(str(problem) for problem in read.problems))
    for edition in read.editions:
        releases.save(tx, edition, now)
    for release in dict.fromkeys(edition.release for edition in read.editions):
        releases.publish(tx, release, now, signatory="")
    every = releases.load_all(tx)
    public = newest_first(every, now)
    in_order = [*public, *(release for release in every if release not in public)]
    return tuple(_offered(edition, release not in public, loaded) for release in in_order for edition in release.editions)


def _offered(edition: Edition, embargoed: bool, loaded: Mapping[str, Language]) -> OfferedRelease:
    rules = typography.typography(loaded[edition.language].typography)
    return OfferedRelease(edition.title, edition.language, typography.date_in_words(day_of(edition), rules), embargoed)


def explained_by(database: Database) -> Explain:
    """What `inbox show` would say of the mail with a Message-ID, as the page tells it."""

    def find(tx: Tx, message_id: str) -> Explanation | None:
        rows = inbox.listed(tx, limit=LOOKED_THROUGH)
        number = next((row["id"] for row in rows if row["message_id"] == message_id), None)
        row = inbox.shown(tx, number) if number is not None else None
        return explanation(row, lambda slug: _title(tx, slug)) if row else None

    async def explain(message_id: str) -> Explanation | None:
        return await database.read(find, message_id)

    return explain


def explanation(row: Mapping[str, Any], title: Callable[[str], str]) -> Explanation:
    """A decided mail -> what the page tells of it; `title` finds that of a slug."""
    told = row["explanation"]
    actions: list[Mapping[str, Any]] = told["actions"]
    slug = next((action["release"] for action in actions if action["type"] == "send_release"), "")
    offers: list[str] = next((action.get("offers", []) for action in actions if action["type"] == "hand_off"), [])
    return Explanation(
        outcome=row["outcome"], kind=told["kind"], language=told["language"], confidence=told["confidence"],
        evidence=tuple(told["evidence"]), reason=told["reason"], edition=slug, title=title(slug) if slug else "",
        offers=tuple(title(offer) for offer in offers),
    )  # fmt: skip


def _title(tx: Tx, slug: str) -> str:
    release = releases.load(tx, slug)
    return next((edition.title for edition in release.editions if edition.slug == slug), slug) if release else slug


def _reason_sentences(loaded: Mapping[str, Language]) -> dict[str, dict[str, str]]:
    """The sentences that the hand-off notes use too."""
    folders = {code: rendering.shipped() / code / "reasons.yaml" for code in loaded}
    return {code: yaml.safe_load(path.read_text("utf-8")) or {} for code, path in folders.items() if path.is_file()}


def _connections(world: MailWorld, address: str, folder: Path, web: str) -> str:
    """The rest of the settings file: the servers of this process, and a database in the temporary folder."""
    login = f'host = "{HOST}"\nsecurity = "plain"\nusername = "{address}"\npassword = "{PASSWORD}"\n'
    return (
        # pymap says nothing of a mail that comes while an IDLE begins: the search at its end has to be soon
        f"\n[imap]\nport = {world.imap_port}\nidle_seconds = 2\n{login}"
        f"\n[smtp]\nport = {world.smtp_port}\nrate_per_minute = 0\n{login}"
        f'\n[web]\nlisten = "{web}"\npublic_url = "http://{web}"\n'
        "\n[broadcast]\nhold_minutes = 0.1\n"  # a newcomer does not wait ten minutes
        f"\n[database]\nurl = {json.dumps(f'sqlite:///{folder}/mailbot.db')}\n"
    )


def _welcome(port: int, world: MailWorld, config: Path, address: str, desk: str) -> str:
    command = Path(sys.argv[0]).resolve() if Path(sys.argv[0]).name == "mailbot" else "mailbot"
    return (
        f"\nOpen this in a browser:        http://{HOST}:{port}/\n"
        f"The press office's desk (once):  {desk}\n"
        f"In a second terminal:          {command} --config {config} status\n"
        f"With a mail program, if you like: IMAP {HOST}:{world.imap_port}, SMTP {HOST}:{world.smtp_port}, no encryption,\n"
        f"                               user {address}, password {PASSWORD}\n"
        "\nNothing leaves this computer. Ctrl-C ends it, and nothing stays behind.\n"
    )
