"""Bad input and bad luck: each gives one clear sentence and exit code 1, nothing is lost, and no log line holds an address or a secret."""

import asyncio
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from mailbot.cli import main as border
from mailbot.database.engine import Database
from tests.edges.commands import Commands, Said
from tests.servers.dovecot import Dovecot
from tests.servers.relay import LoopbackRelay

CANARY_PASSWORD = "hunter2-canary"
CANARY_PERSON = "awa.canary@journal.example"
SENTENCE = re.compile(r"mailbot: [^\n]+\n")
only_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def mailbot(tmp_path: Path) -> Commands:
    return Commands(tmp_path)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh SQLite database with its tables."""
    shutil.copyfile(sqlite_template, tmp_path / "mailbot.db")
    return f"sqlite:///{tmp_path / 'mailbot.db'}"


def one_sentence(said: Said, *words: str) -> None:
    """Exit code 1, nothing on standard output, one sentence with these words."""
    assert (said.code, said.out) == (1, ""), said
    assert SENTENCE.fullmatch(said.err), said.err
    for word in words:
        assert word in said.err


# --- settings, files, words ---


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"imap": {"hosst": "x"}}, ("imap.hosst", "mailbot.example.toml"), id="unknown setting"),
        pytest.param({"inbox": {"mode": "automatic"}}, ("inbox.hand_off_to", "colleague"), id="nobody to hand over to"),
        pytest.param({"database": {"url": "mysql://x/y"}}, ("sqlite and postgresql",), id="another database"),
        pytest.param({"database": {"url": "mailbot.db"}}, ("is not a database address", "sqlite:///mailbot.db"), id="no database address"),
        pytest.param({"database": {"url": "sqlite:///no/where/x.db"}}, ("does not exist. Create it",), id="no such folder"),
        pytest.param({"database": {"url": "postgresql://mailbot@127.0.0.1:1/x"}}, ("Check database.url",), id="PostgreSQL is not there"),
        pytest.param({"organisation": {"address": "nobody"}}, ("organisation.address", "e-mail address"), id="an address that is none"),
        pytest.param({"organisation": {"languages": ["xx"]}}, ("'xx'", "language folder"), id="a language that is not there"),
        pytest.param({"security": {"secret_key": "short"}}, ("secret_key is too short",), id="a key that is too short"),
    ],
)
def test_what_the_settings_get_wrong(mailbot: Commands, sqlite_url: str, changes: Mapping[str, Any], words: tuple[str, ...]) -> None:
    mailbot.configure(sqlite_url, {"security": {"secret_key": "a key that only this test knows"}} | dict(changes))
    one_sentence(mailbot("run", "--once"), *words)


def test_settings_that_cannot_be_read(mailbot: Commands, tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "latin.toml").write_bytes(b'[organisation]\nname = "\xe9"\n')
    one_sentence(mailbot("--config", "folder.toml", "status"), "cannot be read")
    one_sentence(mailbot("--config", "latin.toml", "status"), "is not valid TOML")
    mailbot.environment["MAILBOT_SMTP__PASSWORD_FILE"] = "nowhere"
    one_sentence(mailbot("status"), "MAILBOT_SMTP__PASSWORD_FILE")


@pytest.mark.parametrize(
    ("folder", "file", "text", "words"),
    [
        pytest.param("templates", "fr/answer.txt.j2", "{% if %}", ("answer.txt.j2",), id="a template that is broken"),
        pytest.param("languages", "fr/words.yaml", "name: [", ("words.yaml",), id="a language file that is no YAML"),
        pytest.param("languages", "fr/wishes.yaml", "ask: please", ("wishes.yaml", "ask"), id="a language file that is wrong"),
    ],
)
def test_words_that_are_broken(mailbot: Commands, sqlite_url: str, folder: str, file: str, text: str, words: tuple[str, ...]) -> None:
    path = mailbot.folder / folder / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    mailbot.configure(sqlite_url, {"folders": {folder: str(mailbot.folder / folder)}})
    assert mailbot("release", "import", "-", "--publish", given=RELEASE).code == 0 or folder == "languages"
    command = ["release", "render", "phare"] if folder == "templates" else ["run", "--once"]
    one_sentence(mailbot(*command), *words)


RELEASE = b'---\nslug: phare\nlanguage: fr\ntitle: "Le phare"\ndate: 2025-03-12\n---\nIl brille.\n'


# --- the database ---


def test_a_newer_database_is_left_alone(mailbot: Commands, database: Database, database_url: str) -> None:
    database.write_now(lambda tx: tx.execute(sa.text("UPDATE alembic_version SET version_num = '9999'")))
    mailbot.configure(database_url, {"security": {"secret_key": "a key that only this test knows"}})
    for words in (["run", "--once"], ["status"], ["verify"], ["stop-sending"], ["inbox", "list"], ["database", "upgrade"]):
        one_sentence(mailbot(*words), "newer mailbot", "Run that version")


def test_a_file_that_is_no_database(mailbot: Commands, tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear Sir or Madam, " * 300)
    mailbot.configure(f"sqlite:///{tmp_path / 'letter.db'}")
    for words in (["run", "--once"], ["status"], ["stop-sending"]):
        one_sentence(mailbot(*words), "not a database", "restore")
    assert (tmp_path / "letter.db").read_text() == "Dear Sir or Madam, " * 300


def test_a_damaged_database(mailbot: Commands, sqlite_url: str, tmp_path: Path) -> None:
    mailbot.configure(sqlite_url)
    path = tmp_path / "mailbot.db"
    with closing(sqlite3.connect(path)) as file:
        (page,) = file.execute("SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_flag_1'").fetchone()
        (size,) = file.execute("PRAGMA page_size").fetchone()
    whole = bytearray(path.read_bytes())
    whole[(page - 1) * size : page * size] = b"\xa5" * size
    path.write_bytes(whole)
    one_sentence(mailbot("status"), "damaged", "mailbot database restore")
    one_sentence(mailbot("stop-sending"), "damaged", "mailbot database restore")
    said = mailbot("check")
    assert said.code == 1
    assert "RED    database" in said.out


def test_a_database_that_another_program_holds(mailbot: Commands, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mailbot.database import engine

    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.1)
    mailbot.configure(sqlite_url)
    with closing(sqlite3.connect(tmp_path / "mailbot.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        one_sentence(mailbot("stop-sending"), "locked", "try again")
        assert mailbot("status").code == 0


# --- a full disk (the limit is on the size of any file that the process writes) ---


def test_a_full_disk_says_so_and_keeps_what_was_acknowledged(mailbot: Commands, sqlite_url: str, tmp_path: Path) -> None:
    mailbot.configure(sqlite_url)
    assert mailbot("stop-sending").code == 0
    one_sentence(mailbot.process("database", "backup", "copy", limit="-f 20"), "could not be")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("copy")]
    large = RELEASE + b"word " * 40_000
    one_sentence(mailbot.process("release", "import", "-", given=large, limit="-f 20"), "Make room")
    assert mailbot("release", "list").out == ""
    assert mailbot("status", "--json").json()["outbox"]["sending_stopped"] is True
    assert mailbot("verify").code == 0


def test_output_that_cannot_be_written_is_no_success(mailbot: Commands, sqlite_url: str) -> None:
    mailbot.configure(sqlite_url)
    with Path("/dev/full").open("wb") as full, mailbot.start("status", "--json", stdout=full, stderr=subprocess.PIPE) as process:
        _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert SENTENCE.fullmatch(err.decode()), err


@pytest.fixture
async def office(mailbot: Commands, sqlite_url: str, dovecot: Dovecot, relay: LoopbackRelay) -> Commands:
    """An office on real servers, with one published release and one mail that asks for it."""
    user = f"trouble-{abs(hash(sqlite_url))}@office.example"
    dovecot.add_user(user, CANARY_PASSWORD)
    mailbot.configure(sqlite_url, {
        "organisation": {"address": user},
        "imap": {"port": dovecot.imap_port, "username": user, "password": CANARY_PASSWORD},
        "smtp": {"port": relay.port, "rate_per_minute": 0},
        "inbox": {"mode": "automatic", "hand_off_to": "colleague@office.example", "start_from": "2020-01-01T00:00:00+00:00"},
        "outbox": {"retry_seconds": 60},
    })  # fmt: skip
    assert (await asyncio.to_thread(mailbot.process, "release", "import", "-", "--publish", given=RELEASE)).code == 0
    mailbot.environment["USER_OF_TEST"] = user
    dovecot.deliver(user, asked(user), CANARY_PERSON)
    return mailbot


def asked(user: str) -> bytes:
    return (
        f"From: Awa <{CANARY_PERSON}>\r\nTo: {user}\r\nSubject: Demande\r\nMessage-ID: <1@journal.example>\r\n"
        "Date: Sun, 01 Mar 2026 09:00:00 +0000\r\n\r\nBonjour, pourriez-vous m'envoyer votre dernier communiqué ?\r\n"
    ).encode()


async def test_a_full_disk_while_mail_arrives_loses_nothing(office: Commands, dovecot: Dovecot, relay: LoopbackRelay) -> None:
    user = office.environment["USER_OF_TEST"]
    dovecot.deliver(user, asked(user).replace(b"<1@", b"<2@") + b"x" * 300_000, CANARY_PERSON)
    full = await asyncio.to_thread(office.process, "run", "--once", limit="-f 200")
    assert full.code == 1
    assert "Make room" in full.err.splitlines()[-1]
    assert len(dovecot.mails(user)) == 2
    assert relay.mails == []
    again = await asyncio.to_thread(office.process, "run", "--once")
    assert again.code == 0, again.err
    assert dovecot.mails(user) == []
    assert len(await relay.wait_for(2)) == 2
    assert (await asyncio.to_thread(office, "verify")).code == 0


# --- servers ---


async def _run(office: Commands, **changes: Mapping[str, Any]) -> Said:
    """`run --once`, with some settings changed by the environment."""
    changed = {f"MAILBOT_{section}__{key}".upper(): str(value) for section, keys in changes.items() for key, value in keys.items()}
    return await asyncio.to_thread(Commands(office.folder, office.environment | changed).process, "run", "--once")


async def test_a_wrong_password_is_one_sentence(office: Commands) -> None:
    said = await _run(office, imap={"password": "wrong"})
    one_sentence(said, "refused the login", "mailbot check --live")


async def test_a_mail_server_that_is_not_there_or_not_trusted_is_one_sentence(office: Commands, dovecot: Dovecot) -> None:
    one_sentence(await _run(office, imap={"port": 1}), "cannot connect", "mailbot check --live")
    one_sentence(await _run(office, imap={"port": dovecot.imaps_port, "security": "tls"}), "certificate")


async def test_a_relay_that_is_not_there_keeps_the_answer(office: Commands) -> None:
    said = await _run(office, smtp={"port": 1})
    assert said.code == 0, said.err
    told = (await asyncio.to_thread(office, "status", "--json")).json()
    assert told["outbox"]["states"]["queued"] == 1
    assert "lost" in told["outbox"]["trouble"] or "refused" in told["outbox"]["trouble"]


# --- Ctrl-C, and what the log holds ---


async def test_ctrl_c_ends_run_in_an_orderly_way(office: Commands, relay: LoopbackRelay) -> None:
    with office.start("run", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        await relay.wait_for(1)
        process.send_signal(signal.SIGINT)
        out, err = await asyncio.to_thread(process.communicate, timeout=20)
    assert (process.returncode, out) == (0, b"")
    _clean(err.decode())


def _clean(log: str) -> None:
    """Every line is JSON, and holds nobody's address and no password."""
    assert log
    for line in log.splitlines():
        assert set(json.loads(line)) >= {"event", "level", "timestamp"}
    for canary in (CANARY_PASSWORD, CANARY_PERSON, "@office.example", "@journal.example"):
        assert canary not in log


@pytest.mark.parametrize(
    ("changes", "event"),
    [
        pytest.param({"imap": {"password": CANARY_PASSWORD + "-wrong"}}, "inbox-trouble", id="a refused login"),
        pytest.param({"imap": {"mailbox": CANARY_PERSON}}, "inbox-trouble", id="a server that repeats what we said"),
        pytest.param({"folders": {"templates": "own"}}, "mail-fault", id="a template that fails"),
    ],
)
async def test_no_log_line_holds_an_address_or_a_secret(office: Commands, changes: Mapping[str, Any], event: str) -> None:
    own = office.folder / "own" / "fr"
    own.mkdir(parents=True)
    (own / "answer_short.txt.j2").write_text("{{ organisation.address.nothing.at_all }}")
    changed = {f"MAILBOT_{section}__{key}".upper(): str(value) for section, keys in changes.items() for key, value in keys.items()}
    with Commands(office.folder, office.environment | changed).start("run", "--verbose", stderr=subprocess.PIPE) as process:
        log = await asyncio.to_thread(_until, process, event)
        process.send_signal(signal.SIGTERM)
        _, rest = await asyncio.to_thread(process.communicate, timeout=20)
    _clean(log + rest.decode())


def _until(process: subprocess.Popen[bytes], event: str) -> str:
    """What it logs, up to this event."""
    assert process.stderr
    log = ""
    for line in process.stderr:
        log += line.decode()
        if event in log:
            return log
    raise AssertionError(f"no {event} in:\n{log}")


@only_sqlite
def test_a_fault_in_the_database_never_shows_somebodys_mail(database: Database) -> None:
    def twice(tx: Any) -> None:
        for _ in range(2):
            tx.execute(sa.text("INSERT INTO flag (name, value, changed_at) VALUES (:name, 'x', '2026-01-01')"), {"name": CANARY_PERSON})

    with pytest.raises(sa.exc.IntegrityError) as fault:
        database.write_now(twice)
    assert CANARY_PERSON not in str(fault.value)


def test_a_bug_shows_where_it_is_and_nobodys_address(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fails() -> None:
        raise ZeroDivisionError(CANARY_PERSON)

    monkeypatch.setattr(border, "app", fails)
    with pytest.raises(SystemExit, match="1"):
        border.main()
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "this is a bug" in said
    assert CANARY_PERSON not in said


FULL = OSError(28, "No space left on device", "x.db")


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        pytest.param(ExceptionGroup("flows", [FULL]), "x.db: No space left on device.", id="a flow's"),
        pytest.param(FULL, "x.db: No space left on device.", id="a file's"),
        pytest.param(ExceptionGroup("flows", [ZeroDivisionError(), FULL]), "", id="a bug beside it"),
        pytest.param(ZeroDivisionError("x"), "", id="a bug"),
    ],
)
def test_what_flows_say_together(problem: Exception, sentence: str) -> None:
    assert border.sentence_of(problem) == sentence


def test_nothing_of_mailbots_own_is_read_from_a_strangers_folder(mailbot: Commands) -> None:
    """A .env file beside the settings is nobody's business."""
    (mailbot.folder / ".env").write_text("MAILBOT_INBOX__MODE=automatic\nMAILBOT_NONSENSE=1\n")
    assert mailbot("status", "--json").json()["inbox"]["mode"] == "observe"
    assert os.listdir(mailbot.folder) == [".env"]
