"""The commands as INTERFACE.md names them: facts on standard output alone, JSON for programs, exit codes, nothing changed by looking."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer.main

from mailbot.cli.main import app
from mailbot.database import flag, migrate
from mailbot.database.engine import Database
from mailbot.inbox import arrival_store
from mailbot.inbox import store as inbox
from mailbot.message import token
from mailbot.message.address import Address
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import DeliveryState, Failed, Kind, Phase, Reply
from mailbot.settings import SettingsFault, demand, load
from mailbot.settings_example import example
from tests.edges.commands import Commands

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests" / "corpus"
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
KEY = "a key that only this test knows"
STATES = {"queued", "sending", "sent", "retrying", "failed", "uncertain", "suppressed", "cancelled"}
EXPLAINED = ["file", "kind", "language", "sender", "subject", "visible_text", "actions", "reason", "confidence", "evidence"]
only_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def alone(tmp_path: Path) -> Commands:
    """A folder without any settings."""
    folder = tmp_path / "alone"
    folder.mkdir()
    return Commands(folder)


@pytest.fixture
def mailbot(alone: Commands, database_url: str) -> Commands:
    """An office with a database."""
    alone.configure(database_url, {"security": {"secret_key": KEY}})
    return alone


# --- what there is ---


def _commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(_commands(typer.main.get_command(app)))
NAMED = """demo init check run status verify explain stop-sending resume-sending
release-import release-list release-show release-parity release-submit release-publish release-withdraw release-render
inbox-list inbox-show inbox-replay inbox-close
audience-list audience-show audience-remove outbox-list outbox-show outbox-retry outbox-drop
database-upgrade database-backup database-restore"""


@pytest.mark.parametrize("name", NAMED.split())
def test_every_command_that_is_promised_is_there(name: str) -> None:
    assert name in {path.replace(" ", "-") for path in COMMANDS}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_text_has_an_example_that_the_command_line_takes(name: str) -> None:
    command = COMMANDS[name]
    (example,) = [line.split() for line in command.help.splitlines() if line.strip().startswith("Example:")]
    words = example[2 + len(name.split()) :]
    assert " ".join(example[1 : 2 + len(name.split())]) == f"mailbot {name}"
    command.make_context(name, words)


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"demo", "init", "run"}))
def test_every_command_that_prints_facts_prints_json(name: str) -> None:
    assert "--json" in {option for parameter in COMMANDS[name].params for option in parameter.opts}


@pytest.mark.parametrize(
    "name",
    [
        "outbox retry", "outbox drop", "resume-sending", "inbox resume", "database restore", "audience remove", "release correct",
        "release withdraw", "release submit",
    ],
)
def test_where_something_leaves_or_is_lost_one_can_look_first(name: str) -> None:
    assert {"--yes", "--dry-run"} <= {option for parameter in COMMANDS[name].params for option in parameter.opts}


def test_help_loads_nothing_heavy() -> None:
    heavy = ["sqlalchemy", "pydantic", "yaml", "jinja2", "aioimaplib", "alembic", "starlette", "structlog"]
    program = "import sys, mailbot.cli.main; print(*[name for name in sys.argv[1:] if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program, *heavy], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# --- exit codes, and where things are said ---


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(["nonsense"], 2, id="no such command"),
        pytest.param(["status", "--nonsense"], 2, id="no such option"),
        pytest.param(["run", "--only", "kitchen"], 2, id="no such part"),
        pytest.param(["inbox", "show", "one"], 2, id="not a number"),
        pytest.param(["outbox", "list", "--state", "posted"], 2, id="no such state"),
        pytest.param(["explain"], 2, id="nothing to explain"),
        pytest.param(["check", "--send"], 2, id="a test mail without a look at the servers"),
        pytest.param(["run", "--only", "web"], 1, id="a part to come"),
        pytest.param(["run"], 1, id="nothing is configured"),
        pytest.param(["inbox", "show", "7"], 1, id="no such mail"),
        pytest.param(["inbox", "replay", "7"], 1, id="no such mail to replay"),
        pytest.param(["inbox", "close", "7"], 1, id="no such mail to close"),
        pytest.param(["outbox", "show", "7"], 1, id="no such outgoing mail"),
        pytest.param(["outbox", "drop", "7", "--yes"], 1, id="no such outgoing mail to drop"),
        pytest.param(["--config", "nowhere.toml", "status"], 1, id="no such settings file"),
        pytest.param(["status"], 0, id="a look"),
    ],
)
def test_exit_codes(alone: Commands, words: list[str], code: int) -> None:
    said = alone(*words)
    assert (said.code, bool(said.out), bool(said.err)) == (code, code == 0, code != 0)


def test_run_without_settings_says_what_is_missing_and_how_to_get_it(alone: Commands) -> None:
    said = alone("run")
    for word in ("organisation.address", "imap.host", "smtp.host", "mailbot init"):
        assert word in said.err
    assert os.listdir(alone.folder) == []


def test_init_writes_the_example_once_and_for_its_owner_alone(alone: Commands) -> None:
    assert alone("init").code == 0
    file = alone.folder / "config" / "mailbot.toml"
    assert file.read_text() == example() == (ROOT / "config" / "mailbot.example.toml").read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("mine")
    assert alone("init").code == 1
    assert file.read_text() == "mine"
    assert alone("init", "elsewhere/office.toml").code == 0
    assert "cannot be written" in alone("init", "config/mailbot.toml/deeper/office.toml").err


def test_init_for_microsoft365_writes_what_lacks_only_the_answer_of_it_and_the_request_to_it(alone: Commands) -> None:
    assert alone("init", "--microsoft365").code == 0
    settings = load(alone.folder / "config" / "mailbot.toml", {})
    assert (settings.imap.host, settings.imap.security, settings.imap.oauth) == ("outlook.office365.com", "tls", True)
    assert (settings.smtp.host, settings.smtp.port, settings.smtp.security) == ("smtp.office365.com", 587, "starttls")
    assert settings.smtp.oauth
    assert (settings.smtp.rate_per_minute, settings.smtp.connections, settings.inbox.authserv_id) == (25, 1, "topmost")
    assert 0 < settings.smtp.rate_per_day < 10_000
    with pytest.raises(SettingsFault) as fault:
        demand(settings)
    lacking = "oauth.tenant, oauth.client_id, oauth.client_secret (or oauth.certificate_file)"
    assert f"These settings are missing: {lacking}." in str(fault.value)
    for language in ("fr", "en"):
        text = (alone.folder / "config" / f"request-to-it.{language}.md").read_text("utf-8")
        assert text.startswith("# ")
        for word in ("IMAP.AccessAsApp", "SMTP.SendAsApp", "New-ServicePrincipal -AppId", "FullAccess", "Set-CASMailbox"):
            assert word in text
    (alone.folder / "config" / "mailbot.toml").unlink()
    assert alone("init", "--microsoft365").code == 1  # the requests are there: somebody may have written into them
    assert not (alone.folder / "config" / "mailbot.toml").exists()


def test_to_look_makes_nothing(alone: Commands) -> None:
    for words in (["status"], ["verify"], ["check"], ["inbox", "list"], ["outbox", "list"], ["explain", CORPUS / "latest-plain-en.eml"]):
        alone(*words)
    assert os.listdir(alone.folder) == []


@only_sqlite
def test_an_older_database_is_not_changed_by_looking(mailbot: Commands, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from mailbot.database import migrate

    monkeypatch.setattr(migrate, "HEAD", "9999")
    with pytest.raises(migrate.OlderDatabase, match="mailbot database upgrade"):
        migrate.is_ready(database)


def test_a_reader_that_has_enough_is_no_trouble(mailbot: Commands, database: Database) -> None:
    def arrivals(tx: Any) -> None:
        one = {"mailbox": "INBOX", "uidvalidity": 1, "received_at": NOW}
        arrivals = [arrival_store.Arrival(uid=uid, content=b"%d" % uid, size=len(str(uid)), **one) for uid in range(1, 2000)]
        arrival_store.keep(tx, arrivals, NOW)

    database.write_now(arrivals)
    with mailbot.start("inbox", "list", "--limit", "0", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_ctrl_c_is_quiet(mailbot: Commands) -> None:
    with mailbot.start("explain", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        _until_it_reads(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        out, err = process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"")


def _until_it_reads(pid: int) -> None:
    """Until it waits for its standard input, a pipe: there is no other sign of it."""
    end = time.monotonic() + 20
    while time.monotonic() < end and "pipe" not in Path(f"/proc/{pid}/wchan").read_text():
        time.sleep(0.02)


# --- status and verify ---


def test_status_is_the_document_of_the_interface(mailbot: Commands, database: Database) -> None:
    database.write_now(flag.put, flag.INBOX_SUCCESS, NOW.isoformat(), NOW)
    queued(database, "d1")
    told = mailbot("status", "--json").json()
    assert {"mode", "last_success", "handled", "waiting_for_a_person"} <= set(told["inbox"])
    assert (told["inbox"]["mode"], told["inbox"]["last_success"]) == ("observe", NOW.isoformat())
    assert told["outbox"]["sending_stopped"] is False
    assert set(told["outbox"]["states"]) == STATES
    assert told["outbox"]["states"]["queued"] == 1
    assert told["broadcasts"] == []


@only_sqlite
def test_status_answers_at_once_while_somebody_writes(mailbot: Commands, database: Database) -> None:
    def long(tx: Any) -> None:
        flag.put(tx, "word", "x", NOW)
        before = time.monotonic()
        assert mailbot("status", "--json").json()["inbox"]["handled"] == 0
        assert mailbot("verify").code == 0
        assert time.monotonic() - before < 15  # and not the 30 s for which a writer waits

    database.write_now(long)


def test_verify_names_the_row_and_fails(mailbot: Commands, database: Database) -> None:
    assert mailbot("verify", "--json").json() == {"sound": True, "broken": []}
    queued(database, "d1", message_id="<forged@office.example>")
    said = mailbot("verify")
    assert (said.code, "delivery d1" in said.out, said.err) == (1, True, "")
    told = mailbot("verify", "--json")
    assert (told.code, json.loads(told.out)["broken"]) == (1, ["delivery d1: its Message-ID is not ours"])


def queued(database: Database, name: str, message_id: str = "", subject: str = "s") -> None:
    to = Address("colleague@office.example")
    draft = outbox.Draft(key=name, kind=Kind.DIGEST, recipient=to, language="fr", subject=subject, text="t")
    own = message_id or token.message_id(KEY.encode(), name, "office.example")
    assert database.write_now(outbox.enqueue, draft, name, own, NOW)


def failed(database: Database, name: str) -> None:
    def fail(tx: Any) -> None:
        claimed = outbox.claim(tx, "holder", NOW)
        assert claimed is not None
        reply = Reply(phase=Phase.ENVELOPE_RCPT, code=550, text="\x1b[2J nobody here")
        assert outbox.outcome(tx, claimed, "holder", reply, Failed("no"), NOW)

    queued(database, name)
    database.write_now(fail)


# --- the outbox ---


def state(database: Database, name: str) -> str:
    row = database.read_now(outbox.shown, name)
    assert row is not None
    return str(row["state"])


def test_sending_stops_and_goes_on_and_stays_so_across_processes(mailbot: Commands, database: Database) -> None:
    queued(database, "d1")
    assert mailbot("stop-sending", "--json").json() == {"sending_stopped": True}
    assert mailbot("status", "--json").json()["outbox"]["sending_stopped"] is True
    assert mailbot("resume-sending", "--dry-run", "--json").json() == {"sending_stopped": True, "due": 1}
    assert mailbot("status", "--json").json()["outbox"]["sending_stopped"] is True
    assert mailbot("resume-sending", "--json").json() == {"sending_stopped": False, "due": 1}
    assert mailbot("status", "--json").json()["outbox"]["sending_stopped"] is False


@pytest.mark.parametrize(
    ("word", "before", "after"),
    [
        pytest.param("retry", "failed", "retrying", id="a failed mail leaves again"),
        pytest.param("drop", "queued", "cancelled", id="a waiting mail does not leave"),
    ],
)
def test_a_mail_changes_only_when_a_person_has_said_so(mailbot: Commands, database: Database, word: str, before: str, after: str) -> None:
    {"failed": failed, "queued": queued}[before](database, "d1")
    assert mailbot("outbox", word, "d1").code == 2  # nobody can be asked here
    facts = {"delivery": "d1", "before": before, "state": after}
    assert mailbot("outbox", word, "d1", "--dry-run", "--json").json() == facts | {"dry_run": True}
    assert state(database, "d1") == before
    assert mailbot("outbox", word, "d1", "--yes", "--json").json() == facts | {"dry_run": False}
    assert state(database, "d1") == after
    said = mailbot("outbox", word, "d1", "--yes")
    assert (said.code, f"is {after}" in said.err) == (1, True)


def test_the_outbox_is_listed_newest_first_and_by_state(mailbot: Commands, database: Database) -> None:
    failed(database, "d1")
    queued(database, "d2", subject="Réponse – \x1b[31mrouge")
    assert {row["id"]: row["state"] for row in mailbot("outbox", "list", "--json").lines()} == {"d1": "failed", "d2": "queued"}
    assert [row["id"] for row in mailbot("outbox", "list", "--state", DeliveryState.FAILED, "--json").lines()] == ["d1"]
    assert mailbot("outbox", "list", "--limit", "1", "--json").out.count("\n") == 1
    shown = mailbot("outbox", "show", "d1", "--json").json()
    assert (shown["tried"][0]["code"], shown["tried"][0]["verdict"]) == (550, "failed")
    for words in (["outbox", "list"], ["outbox", "show", "d1"], ["outbox", "show", "d2"]):
        assert "\x1b" not in mailbot(*words).out


# --- the inbox ---


@pytest.fixture
def arrived(mailbot: Commands, database: Database) -> Commands:
    """Mail 1 is decided and waits for a person, 2 is not decided yet, 3 was too large."""

    def arrive(tx: Any) -> None:
        for uid, name in ((1, "latest-plain-en"), (2, "interview-fr")):
            content = (CORPUS / f"{name}.eml").read_bytes()
            one = arrival_store.Arrival(mailbox="INBOX", uidvalidity=1, uid=uid, content=content, size=len(content), received_at=NOW)
            arrival_store.keep(tx, [one], NOW)
        large = arrival_store.Arrival(mailbox="INBOX", uidvalidity=1, uid=3, content=None, size=80 << 20, received_at=NOW)
        arrival_store.keep(tx, [large], NOW)
        told = {"visible_text": "Bonjour\x1b[2J\nà vous", "evidence": ["latest"], "actions": []}
        made = inbox.Record(
            kind="request", outcome="hand_off", reason="nothing-public", explanation=told, language="en", sender="a@b.example",
            sender_key="a@b.example", subject="Été\x1b[31m", message_id="<1@b.example>", identity="", words="",
            waiting=True, folder="attention",
        )  # fmt: skip
        assert inbox.record(tx, 1, made, "automatic", NOW)

    database.write_now(arrive)
    return mailbot


def test_the_inbox_is_listed_and_shown(arrived: Commands) -> None:
    listed = arrived("inbox", "list", "--json").lines()
    assert [(row["id"], row["state"]) for row in listed] == [(3, "stored"), (2, "stored"), (1, "decided")]
    assert [row["id"] for row in arrived("inbox", "list", "--waiting", "--json").lines()] == [1]
    shown = arrived("inbox", "show", "1", "--json").json()
    assert (shown["reason"], shown["explanation"]["evidence"], shown["copies"][0]["uid"]) == ("nothing-public", ["latest"], 1)
    for words in (["inbox", "list"], ["inbox", "show", "1"], ["inbox", "show", "2"]):
        said = arrived(*words)
        assert (said.code, "\x1b" in said.out) == (0, False)


def test_a_mail_is_closed_once(arrived: Commands) -> None:
    assert arrived("inbox", "close", "1", "--json").json() == {"mail": 1, "waiting": False}
    assert arrived("inbox", "close", "1").code == 1
    assert arrived("inbox", "list", "--waiting", "--json").out == ""


def test_a_stored_mail_is_judged_anew_and_nothing_changes(arrived: Commands) -> None:
    before = arrived("inbox", "list", "--json").out
    told = arrived("inbox", "replay", "1", "--json").json()
    assert list(told) == [*EXPLAINED, "before", "changed"]
    assert (told["file"], told["reason"]) == ("1", "nothing-public")
    assert told["before"] == {"reason": "nothing-public", "actions": []}
    assert arrived("inbox", "replay", "3", "--json").json()["actions"] == [{"type": "hand_off", "why": "too-large"}]
    assert "hand_off" in arrived("inbox", "replay", "2").out
    every = arrived("inbox", "replay", "--json").lines()
    assert [(one["file"], one["changed"]) for one in every] == [("1", True), ("2", True), ("3", True)]
    assert [one["file"] for one in arrived("inbox", "replay", "3", "1", "--json").lines()] == ["3", "1"]
    assert "Decided anew: 3; different: 3." in arrived("inbox", "replay").out
    assert arrived("inbox", "list", "--json").out == before


# --- explain ---


def test_explain_answers_each_file_as_it_was_named_in_order(alone: Commands) -> None:
    (alone.folder / "sub").mkdir()
    for name in ("b.eml", "sub/a.eml"):
        (alone.folder / name).write_bytes((CORPUS / "latest-plain-en.eml").read_bytes())
    names = ["./b.eml", "sub//a.eml", str(alone.folder / "b.eml"), "b.eml"]
    said = alone("explain", "--json", *names)
    assert [one["file"] for one in said.lines()] == names
    for one in said.lines():
        assert list(one) == EXPLAINED
        assert (one["kind"], one["actions"]) == ("request", [{"type": "hand_off", "why": "nothing-public"}])
        assert one["reason"] == "nothing-public"
    assert (said.code, said.err) == (0, "")


def test_explain_reads_standard_input(alone: Commands) -> None:
    (told,) = alone("explain", "--json", "-", given=(CORPUS / "interview-fr.eml").read_bytes()).lines()
    assert (told["file"], told["language"]) == ("-", "fr")


def test_explain_goes_on_after_what_cannot_be_read(alone: Commands) -> None:
    good = str(CORPUS / "latest-plain-en.eml")
    said = alone("explain", "--json", "nowhere.eml", good, ".", good)
    assert said.code == 1
    assert [one["file"] for one in said.lines()] == [good, good]
    assert "nowhere.eml cannot be read: No such file or directory." in said.err
    assert ". cannot be read: Is a directory." in said.err


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"X: y\r\n" * 200_000 + b"\r\n", id="headers without end"),
        pytest.param(b"Subject: " + b"x" * 5_000_000, id="one endless header"),
    ],
)
def test_explain_of_what_is_no_mail_is_a_hand_off(alone: Commands, content: bytes) -> None:
    (alone.folder / "odd.eml").write_bytes(content)
    (told,) = alone("explain", "--json", "odd.eml").lines()
    assert (told["kind"], told["actions"][0]["type"], told["reason"]) == ("unreadable", "hand_off", "unreadable")


@only_sqlite
def test_explain_knows_the_releases_of_the_database(mailbot: Commands, tmp_path: Path) -> None:
    (tmp_path / "release.md").write_text('---\nslug: phare\nlanguage: en\ntitle: "The lighthouse"\ndate: 2025-03-12\n---\nIt shines.\n')
    assert mailbot("release", "import", tmp_path / "release.md", "--publish").code == 0
    (told,) = mailbot("explain", "--json", CORPUS / "latest-plain-en.eml").lines()
    (action,) = told["actions"]
    assert {name: action[name] for name in ("type", "release", "edition", "why")} == {
        "type": "send_release", "release": "phare", "edition": "en", "why": "latest",
    }  # fmt: skip


def test_explain_prints_each_line_as_soon_as_it_is_known(alone: Commands) -> None:
    """The second file is a pipe into which nobody has written yet."""
    os.mkfifo(alone.folder / "later")
    good = str(CORPUS / "latest-plain-en.eml")
    with alone.start("explain", "--json", good, "later", stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert json.loads(process.stdout.readline())["file"] == good
        (alone.folder / "later").write_bytes((CORPUS / "interview-fr.eml").read_bytes())
        assert json.loads(process.stdout.readline())["file"] == "later"
    assert process.returncode == 0


# --- the database ---


def test_a_backup_comes_back_and_sending_is_stopped(mailbot: Commands, database: Database, tmp_path: Path) -> None:
    database.write_now(flag.put, "word", "kept", NOW)
    copy = tmp_path / "copy"
    assert mailbot("database", "backup", copy, "--json").json()["octets"] == copy.stat().st_size
    database.write_now(flag.put, "word", "changed", NOW)
    database.close()
    assert mailbot("database", "restore", copy).code == 2  # nobody can be asked here
    assert mailbot("database", "restore", copy, "--dry-run", "--json").json()["restored"] is False
    assert database.read_now(flag.get, "word") == "changed"
    database.engine.dispose()
    assert mailbot("database", "restore", copy, "--yes", "--json").json() == {"file": str(copy), "revision": migrate.HEAD, "restored": True}
    assert mailbot("status", "--json").json()["outbox"]["sending_stopped"] is True
    assert "resume-sending" in mailbot("status").out
    assert database.read_now(flag.get, "word") == "kept"


def test_a_database_that_mailbot_runs_on_is_not_replaced(mailbot: Commands, database: Database, tmp_path: Path) -> None:
    from mailbot.database import lease

    assert mailbot("database", "backup", tmp_path / "copy").code == 0
    here = lease.this_process("test")
    assert database.write_now(lease.acquire, "process:test", here, datetime.now(UTC), 60)
    said = mailbot("database", "restore", tmp_path / "copy", "--yes")
    assert (said.code, "is running" in said.err) == (1, True)
    database.write_now(lease.release_all, here)
    assert mailbot("database", "restore", tmp_path / "copy", "--yes").code == 0


def _emptied(whole: bytes) -> bytes:
    return b""


def _cut_off(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def _with_a_hole(whole: bytes) -> bytes:
    start = len(whole) // 2 // 4096 * 4096
    return whole[:start] + b"\xa5" * 4096 + whole[start + 4096 :]


@pytest.mark.parametrize("breaks", [_emptied, _cut_off, _with_a_hole])
def test_a_broken_backup_is_refused_and_nothing_changes(
    mailbot: Commands, database: Database, tmp_path: Path, breaks: Callable[[bytes], bytes]
) -> None:
    database.write_now(flag.put, "word", "x" * 20_000, NOW)
    assert mailbot("database", "backup", tmp_path / "copy").code == 0
    database.write_now(flag.put, "word", "still here", NOW)
    (tmp_path / "copy").write_bytes(breaks((tmp_path / "copy").read_bytes()))
    said = mailbot("database", "restore", tmp_path / "copy", "--yes")
    assert (said.code, "not a sound backup" in said.err) == (1, True), said.err
    assert database.read_now(flag.get, "word") == "still here"


def test_there_is_nothing_to_copy_where_there_is_no_database(alone: Commands) -> None:
    assert "no database" in alone("database", "backup", "copy").err
    assert os.listdir(alone.folder) == []
    assert alone("database", "upgrade", "--json").json() == {"revision": migrate.HEAD, "before": "empty"}
    assert alone("database", "upgrade", "--json").json() == {"revision": migrate.HEAD, "before": migrate.HEAD}
