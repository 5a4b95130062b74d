"""The archive for whoever mends mailbot: what it holds, and that nothing of anybody's is in it, whatever stands in the database."""

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailbot.check import Finding
from mailbot.database.engine import Database, Tx
from mailbot.database.tables import delivery, mail, metadata
from mailbot.settings import Settings
from mailbot.support import bundle, shown_settings
from tests.edges.commands import Commands
from tests.edges.test_forget import AWA, BO, NAME, SECRET, _office

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
CANARY = "canaryword"
# What mailbot itself writes there, a word of a closed set each.
OUR_WORDS = {
    "state", "kind", "outcome", "reason", "mode", "language", "phase", "verdict", "how", "grade", "last_phase", "id", "variant", "event",
    "channel", "purpose", "figure", "status",
}  # fmt: skip


@pytest.fixture
def mailbot(tmp_path: Path, database: Database, database_url: str) -> Commands:
    """An office that knows much about people."""
    (tmp_path / "office").mkdir()
    commands = Commands(tmp_path / "office")
    commands.configure(database_url, {"security": {"secret_key": SECRET}})
    database.write_now(_office)
    return commands


def canaries(tx: Tx) -> None:
    """In every column of text that holds more than one of our own words."""
    for table in metadata.sorted_tables:
        for column in table.c:
            bound = column.primary_key or column.foreign_keys or column.unique
            if isinstance(column.type, sa.String) and column.name not in OUR_WORDS and not bound:
                length = getattr(column.type, "length", None) or 100
                tx.execute(table.update().values({column.name: f"{CANARY}@{CANARY}.example"[:length]}))
            elif isinstance(column.type, sa.JSON):
                tx.execute(table.update().values({column.name: {"who": CANARY}}))
    tx.execute(mail.update().where(mail.c.id == 2).values(reason="call-for-help", sender=f"caller@{CANARY}.example"))
    tx.execute(delivery.update().values(raw=CANARY.encode()))


def test_nothing_of_anybody_is_in_it(mailbot: Commands, database: Database) -> None:
    database.write_now(canaries)
    settings = {
        "organisation": {"name": CANARY, "address": f"press@{CANARY}.example", "contact": CANARY, "duty_number": CANARY, "website": CANARY,
                         "short_name": CANARY, "aliases": [f"a@{CANARY}.example"]},
        "imap": {"username": CANARY, "password": CANARY, "filed": CANARY}, "smtp": {"username": CANARY, "password": CANARY},
        "inbox": {"hand_off_to": [f"Colleague <c@{CANARY}.example>"], "protection_to": f"p@{CANARY}.example", "referral": CANARY},
        "security": {"secret_key": CANARY * 3}, "web": {"public_url": f"https://{CANARY}.example"}, "alerts": {"to": [CANARY]},
        "database": {"url": f"postgresql://{CANARY}:{CANARY}@{CANARY}/{CANARY}"},
    }  # fmt: skip
    findings = [Finding("organisation", True, CANARY, CANARY), Finding("settings", False, CANARY, CANARY)]
    files = bundle(Settings(**settings), database, findings, SECRET.encode(), NOW)  # type: ignore[arg-type]
    assert [name for name, text in files.items() if CANARY in text.lower()] == []
    assert [row["id"] for row in json.loads(files["recent-mails.json"])] == [5, 4, 3, 1], "of a call for help there is nothing"
    assert 2 not in [row["mail"] for row in json.loads(files["recent-deliveries.json"])]


def test_it_says_what_one_needs_to_mend_mailbot(mailbot: Commands, database: Database) -> None:
    assert mailbot("support-bundle", "a.zip", "--json").json()["file"] == "a.zip"
    assert (mailbot.folder / "a.zip").stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(mailbot.folder / "a.zip") as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert not [name for name, text in files.items() for word in (AWA, BO, NAME, SECRET, "journal.example") if word in text]
    found = {name: json.loads(text) for name, text in files.items() if name.endswith(".json")}
    assert found["settings.json"]["inbox"]["mode"] == "observe"
    assert found["settings.json"]["security"]["secret_key"] == "set"
    assert found["versions.json"]["libraries"]["SQLAlchemy" if "SQLAlchemy" in found["versions.json"]["libraries"] else "sqlalchemy"]
    assert found["versions.json"]["database"]["kind"] in ("sqlite", "postgresql")
    assert found["status.json"]["outbox"]["trouble"] == {"is": True, "word": "", "codes": ["450"]}
    assert {one["item"] for one in found["check.json"]} >= {"database", "secret key", "languages"}
    assert found["counts.json"]["rows"]["mail"] == 5
    senders = {row["id"]: row["sender"] for row in found["recent-mails.json"]}
    assert senders[1] == senders[2] != senders[3], "one person can be followed"
    assert any(one["tried"] for one in found["recent-deliveries.json"])
    assert mailbot("support-bundle", "a.zip").code == 1, "no file is written over"


def test_an_unknown_setting_is_not_shown_because_it_looks_harmless() -> None:
    shown = shown_settings(Settings(), lambda address: "person")
    words = {f"{section}.{name}": value for section, keys in shown.items() for name, value in keys.items() if isinstance(value, str)}
    plain = {name for name, value in words.items() if value not in ("set", "not set", "person")}
    assert plain <= {
        "organisation.timezone", "organisation.hours", "imap.host", "imap.security", "smtp.host", "smtp.security", "web.listen",
        "inbox.mode", "inbox.start_from", "inbox.authserv_id", "database.url",
    }  # fmt: skip
