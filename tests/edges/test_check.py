"""`check` against a real Dovecot, a real relay and a real DNS server: what is well is green, what is not is red and says what to do."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from mailbot import service
from mailbot.check import Finding, checked
from mailbot.database import flag
from mailbot.database.engine import Database
from mailbot.message.address import Address
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind
from mailbot.secret import secret_key
from mailbot.settings import Settings
from tests.edges import test_dkim
from tests.servers.dns_zone import Records, zone
from tests.servers.dovecot import Dovecot
from tests.servers.relay import LoopbackRelay

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
ADDRESS = "presse@office.example"
WHOLE: Records = {
    ("office.example", "MX"): ["10 mx.office.example."],
    ("office.example", "TXT"): ['"v=spf1 mx " "-all"', '"something else"'],
    ("_dmarc.office.example", "TXT"): ['"v=DMARC1; p=none"'],
}
only_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def settings(database_url: str) -> Settings:
    return configured(database_url)


def configured(database_url: str, **sections: dict[str, Any]) -> Settings:
    """Everything that check looks at on this machine is well; the servers are for the test to name."""
    values: dict[str, dict[str, Any]] = {
        "organisation": {"name": "Office", "address": ADDRESS, "languages": ["fr", "en"]},
        "imap": {"host": "127.0.0.1", "port": 1, "security": "plain"},
        "smtp": {"host": "127.0.0.1", "port": 1, "security": "plain"},
        "database": {"url": database_url},
        "security": {"secret_key": "a key that only this test knows"},
    }
    for section, keys in sections.items():
        values[section] = values.get(section, {}) | keys
    return Settings(**values)  # type: ignore[arg-type]


async def found(settings: Settings, item: str, *, now: datetime = NOW, records: Records | None = None) -> Finding:
    """The one finding, and that every red one says what to do. `records`: the zone; then it is a live check."""
    async with zone(records or {}) as resolver:
        findings = await checked(settings, now, live=records is not None, resolver=resolver)
    assert [one for one in findings if not one.green and not one.advice] == []
    (finding,) = [one for one in findings if one.item == item]
    return finding


# --- alerts ---


@pytest.mark.parametrize(
    ("section", "green", "said"),
    [
        pytest.param({}, True, "nobody hears", id="nobody is named"),
        pytest.param({"to": "it@office.example"}, True, "by the ordinary relay", id="the ordinary relay"),
        pytest.param({"to": "it@office.example", "smtp_host": "second.example"}, True, "by second.example", id="a second relay"),
        pytest.param({"to": "https://hooks.example/a-secret"}, True, "go to the webhook at hooks.example.", id="a webhook"),
        pytest.param({"to": ADDRESS}, False, "cannot be sent", id="the mailbox itself"),
        pytest.param({"to": "nobody at all"}, False, "cannot be sent", id="no address"),
    ],
)
@only_sqlite
async def test_who_hears_of_trouble_is_said(database_url: str, section: dict[str, Any], green: bool, said: str) -> None:
    finding = await found(configured(database_url, alerts=section), "alerts")
    assert (finding.green, said in finding.said) == (green, True)


@only_sqlite
async def test_the_second_relay_is_looked_at_too(database_url: str, relay: LoopbackRelay) -> None:
    second = {"to": "it@office.example", "smtp_host": "127.0.0.1", "smtp_security": "plain"}
    assert (await found(configured(database_url, alerts=second | {"smtp_port": relay.port}), "alerts' relay", records={})).green
    assert not (await found(configured(database_url, alerts=second | {"smtp_port": 1}), "alerts' relay", records={})).green


# --- this machine ---


async def test_what_is_well_is_green(settings: Settings) -> None:
    assert [one for one in await checked(settings, datetime.now(UTC), live=False) if not one.green] == []


async def test_nothing_is_made_where_nothing_is_yet(tmp_path: Path) -> None:
    settings = configured(f"sqlite:///{tmp_path / 'new.db'}", security={"secret_key": ""})
    assert "first start" in (await found(settings, "database")).said
    assert "first start" in (await found(settings, "secret key")).said
    assert os.listdir(tmp_path) == []


async def test_missing_settings_are_named(database_url: str) -> None:
    finding = await found(configured(database_url, imap={"host": ""}), "settings")
    assert not finding.green
    assert "imap.host" in finding.advice
    assert "mailbot init" in finding.advice


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    settings = configured(f"sqlite:///{tmp_path / 'nowhere' / 'mailbot.db'}")
    assert not (await found(settings, "folders")).green
    assert not (await found(settings, "database")).green


async def test_a_newer_database(database: Database, settings: Settings) -> None:
    database.write_now(lambda tx: tx.execute(sa.text("UPDATE alembic_version SET version_num = '9999'")))
    finding = await found(settings, "database")
    assert not finding.green
    assert "newer mailbot" in finding.said
    assert "Run that version" in finding.advice


@only_sqlite
async def test_a_damaged_database(database: Database, settings: Settings) -> None:
    database.write_now(lambda tx: [flag.put(tx, f"row {number}", "x" * 500, NOW) for number in range(200)])
    database.close()
    damage(Path(str(database.url.database)))
    finding = await found(settings, "database")
    assert not finding.green
    assert "restore" in finding.advice


def damage(path: Path) -> None:
    """Overwrite the second half of every page but the first."""
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = file.execute("PRAGMA page_size").fetchone()
    whole = bytearray(path.read_bytes())
    for start in range(2 * size, len(whole), size):
        whole[start : start + size // 2] = b"\xa5" * (size // 2)
    path.write_bytes(whole)


@only_sqlite
async def test_a_clock_that_has_gone_back(database: Database, settings: Settings) -> None:
    database.write_now(flag.put, "word", "x", NOW + timedelta(hours=1))
    assert not (await found(settings, "clock")).green
    assert (await found(settings, "clock", now=NOW + timedelta(hours=1))).green


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_a_clock_that_is_not_the_databases(settings: Settings) -> None:
    assert not (await found(settings, "clock", now=datetime.now(UTC) + timedelta(minutes=5))).green
    assert (await found(settings, "clock", now=datetime.now(UTC))).green


async def test_a_key_that_is_not_the_one_in_use(database: Database, database_url: str, settings: Settings) -> None:
    enqueued(database, secret_key(settings))
    assert (await found(settings, "secret key")).green
    other = configured(database_url, security={"secret_key": "another key than the one in use"})
    assert "not the one" in (await found(other, "secret key")).said
    gone = configured(database_url, security={"secret_key": ""})
    assert not (await found(gone, "secret key")).green


def enqueued(database: Database, secret: bytes) -> str:
    from mailbot.message import token

    draft = outbox.Draft(
        key="one", kind=Kind.DIGEST, recipient=Address("colleague@office.example"), language="fr", subject="s", text="t"
    )
    delivery_id = service.new_id()
    database.write_now(outbox.enqueue, draft, delivery_id, token.message_id(secret, delivery_id, "office.example"), NOW)
    return delivery_id


@only_sqlite
async def test_a_signatory_without_a_page_to_sign_on(database_url: str) -> None:
    signed = {"sign_off": "chief@office.example"}
    alone = await found(configured(database_url, releases=signed), "sign-off")
    assert (alone.green, "web.public_url" in alone.advice) == (False, True)
    assert (await found(configured(database_url, releases=signed, web={"public_url": "https://p.example"}), "sign-off")).green


async def test_a_language_that_is_not_there(database_url: str) -> None:
    finding = await found(configured(database_url, organisation={"languages": ["xx"]}), "organisation")
    assert not finding.green
    assert "'xx'" in finding.said


async def test_a_template_that_is_broken(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "own" / "fr").mkdir(parents=True)
    (tmp_path / "own" / "fr" / "answer.txt.j2").write_text("{{ nobody_knows_this }}")
    finding = await found(configured(database_url, folders={"templates": str(tmp_path / "own")}), "languages")
    assert not finding.green
    assert "nobody_knows_this" in finding.said


async def test_a_language_folder_that_is_broken(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "own" / "fr").mkdir(parents=True)
    (tmp_path / "own" / "fr" / "words.yaml").write_text("name: [")
    finding = await found(configured(database_url, folders={"languages": str(tmp_path / "own")}), "organisation")
    assert not finding.green
    assert "words.yaml" in finding.said


# --- the servers ---


@pytest.fixture
def mailbox(dovecot: Dovecot, request: pytest.FixtureRequest) -> dict[str, Any]:
    """A mailbox of its own, with one mail, as the [imap] section names it."""
    user = f"check-{abs(hash(request.node.nodeid))}@office.example"
    dovecot.add_user(user)
    dovecot.deliver(user, b"Subject: one\r\n\r\nmail\r\n")
    return {"host": "127.0.0.1", "port": dovecot.imap_port, "security": "plain", "username": user, "password": "secret"}


@only_sqlite
async def test_a_mailbox_that_opens_is_green_and_left_as_it_was(database_url: str, mailbox: dict[str, Any], dovecot: Dovecot) -> None:
    def everything() -> list[str]:
        lying = (dovecot.root / "mail" / mailbox["username"]).rglob("*")
        return sorted(path.name for path in lying if ":2," in path.name or path.parent.name == "new" or path.name.startswith("."))

    settings = configured(database_url, imap=mailbox)
    before = everything()
    for item in ("IMAP login", "IMAP capabilities", "IMAP folders", "IMAP sent mail"):
        assert (await found(settings, item, records={})).green
    assert "Will be made: mailbot, mailbot/attention" in (await found(settings, "IMAP folders", records={})).said
    assert everything() == before
    assert len(dovecot.mails(mailbox["username"])) == 1


@only_sqlite
@pytest.mark.parametrize(
    ("changed", "item", "word"),
    [
        pytest.param({"password": "wrong"}, "IMAP login", "password", id="wrong password"),
        pytest.param({"mailbox": "Nowhere"}, "IMAP folders", "imap.mailbox", id="no such mailbox"),
        pytest.param({"port": 1}, "IMAP login", "port", id="nobody listens"),
        pytest.param({"host": ""}, "IMAP login", "host", id="not configured"),
        pytest.param({"port": None, "security": "tls"}, "IMAP login", "certificate", id="a certificate that nobody signed"),
    ],
)
async def test_a_mailbox_that_does_not_open_is_red(
    database_url: str, mailbox: dict[str, Any], dovecot: Dovecot, changed: dict[str, Any], item: str, word: str
) -> None:
    if changed.get("port", 0) is None:
        changed = changed | {"port": dovecot.imaps_port}
    finding = await found(configured(database_url, imap=mailbox | changed), item, records={})
    assert not finding.green
    assert word in finding.advice
    assert "secret" not in finding.said


@only_sqlite
async def test_tls_with_a_ca_that_the_system_knows_is_green(
    database_url: str, mailbox: dict[str, Any], dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.ca))
    settings = configured(database_url, imap=mailbox | {"port": dovecot.imaps_port, "security": "tls", "host": "localhost"})
    assert (await found(settings, "IMAP login", records={})).green


@only_sqlite
async def test_a_relay_that_accepts_us_is_green_and_gets_no_mail(database_url: str, relay: LoopbackRelay) -> None:
    assert (await found(configured(database_url, smtp={"port": relay.port}), "SMTP login and TLS", records={})).green
    assert relay.mails == []
    assert not relay.tried


@only_sqlite
@pytest.mark.parametrize(
    ("given", "advice"),
    [
        pytest.param({"username": "office", "password": "wrong"}, "password", id="wrong password"),
        pytest.param({"username": "office", "password": "right", "host": "localhost"}, None, id="right password"),
    ],
)
async def test_a_relay_with_login(
    database_url: str, certificates: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], advice: str | None
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
    async with LoopbackRelay(security="starttls", login=("office", "right"), certificates=certificates) as relay:
        section = {"port": relay.port, "security": "starttls"} | given
        finding = await found(configured(database_url, smtp=section), "SMTP login and TLS", records={})
    assert finding.green == (advice is None)
    assert (advice or "") in finding.advice


@only_sqlite
@pytest.mark.parametrize(
    ("security", "offered", "word"),
    [
        pytest.param("starttls", "starttls", "certificate", id="a certificate that nobody signed"),
        pytest.param("starttls", "plain", "encryption", id="no STARTTLS"),
        pytest.param("plain", "", "port", id="nobody listens"),
    ],
)
async def test_a_relay_that_cannot_be_trusted_or_reached_is_red(
    database_url: str, certificates: Path, security: str, offered: Any, word: str
) -> None:
    async with LoopbackRelay(security=offered or "plain", certificates=certificates) as relay:
        section = {"port": relay.port if offered else 1, "security": security}
        finding = await found(configured(database_url, smtp=section), "SMTP login and TLS", records={})
    assert not finding.green
    assert word in finding.advice


# --- DNS ---


def without(*keys: tuple[str, str]) -> Records:
    return {key: value for key, value in WHOLE.items() if key not in keys}


@only_sqlite
@pytest.mark.parametrize(
    ("records", "said"),
    [
        pytest.param(WHOLE, "", id="all there"),
        pytest.param({**without(("office.example", "MX")), ("office.example", "A"): ["192.0.2.1"]}, "", id="an address instead of an MX"),
        pytest.param(without(("office.example", "MX")), "lacks MX", id="no MX"),
        pytest.param({**WHOLE, ("office.example", "MX"): ["0 ."]}, "lacks MX", id="says that it takes no mail"),
        pytest.param(without(("office.example", "TXT")), "lacks SPF", id="no SPF"),
        pytest.param(without(("_dmarc.office.example", "TXT")), "lacks DMARC", id="no DMARC"),
        pytest.param({**WHOLE, ("office.example", "TXT"): ['"v=spf1 -all"', '"v=spf1 mx -all"']}, "2 SPF", id="two SPF records"),
        pytest.param({("other.example", "A"): ["192.0.2.1"]}, "lacks MX, SPF, DMARC", id="no such domain"),
    ],
)
async def test_what_receivers_look_for_in_dns(settings: Settings, records: Records, said: str) -> None:
    finding = await found(settings, "DNS", records=records)
    assert finding.green == (not said)
    assert said in finding.said


@only_sqlite
async def test_dns_that_fails_is_red(database_url: str) -> None:
    finding = await found(configured(database_url, organisation={"address": "presse@office.broken"}), "DNS", records={})
    assert not finding.green
    assert "SERVFAIL" in finding.said


@only_sqlite
@pytest.mark.parametrize(("shown", "said"), [("ours", "shows the key"), ("another", "shows another key"), ("", "there is no")])
async def test_the_key_that_signs_is_the_one_that_dns_shows(database_url: str, tmp_path: Path, shown: str, said: str) -> None:
    (tmp_path / "key.pem").write_bytes(test_dkim.RSA)
    section = {"domain": "office.example", "selector": "s1", "key_file": str(tmp_path / "key.pem")}
    record = {"ours": test_dkim.KEYS["rsa"].record, "another": test_dkim.KEYS["ed25519"].record}.get(shown, "")
    pieces = " ".join(f'"{record[at : at + 200]}"' for at in range(0, len(record), 200))  # TXT strings have 255 octets at most
    records = WHOLE | ({("s1._domainkey.office.example", "TXT"): [pieces]} if record else {})
    finding = await found(configured(database_url, dkim=section), "DKIM", records=records)
    assert finding.green == (shown == "ours")
    assert said in finding.said and (finding.green or "v=DKIM1; k=rsa; p=" in finding.advice)


# --- hours, and where sent mail lies ---


@only_sqlite
@pytest.mark.parametrize("hours", ["Mon-Fri 08:00-17:00", "lun-ven 8h-17h; sam 9h-12h"])
async def test_the_hours_are_shown_with_their_clock(database_url: str, hours: str) -> None:
    organisation = {"name": "Office", "address": ADDRESS, "languages": ["fr", "en"], "hours": hours, "timezone": "Africa/Bamako"}
    finding = await found(configured(database_url, organisation=organisation), "hours")
    assert (finding.green, finding.said) == (True, f"{hours} (Africa/Bamako).")


@only_sqlite
async def test_hours_that_cannot_be_read_name_the_key_and_show_how_to_write_them(database_url: str) -> None:
    organisation = {"name": "Office", "address": ADDRESS, "languages": ["fr", "en"], "hours": "whenever"}
    finding = await found(configured(database_url, organisation=organisation), "organisation")
    assert not finding.green
    assert "organisation.hours" in finding.said
    assert "Mon-Fri 08:00-17:00" in finding.said


@only_sqlite
async def test_a_folder_of_sent_mail_that_is_not_there_is_red(database_url: str, mailbox: dict[str, Any]) -> None:
    finding = await found(configured(database_url, imap=mailbox | {"sent": "Envoyés"}), "IMAP sent mail", records={})
    assert not finding.green
    assert "imap.sent" in finding.advice
