"""The laws of the settings: what is read, from where, and how a mistake is named."""

import re
from pathlib import Path

import pytest

from mailbot.loopback import is_loopback
from mailbot.settings import SettingsFault, demand, load
from mailbot.settings_example import example
from mailbot.settings_sections import parse_instant

NOTHING: dict[str, str] = {}


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mailbot.toml"
    path.write_text(text)
    return path


def test_without_a_file_every_default_holds_and_nothing_is_automatic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load(None, NOTHING)
    assert (settings.inbox.mode, settings.imap.port, settings.smtp.security) == ("observe", 993, "starttls")
    assert settings.smtp.rate_per_minute == 25
    assert sum(settings.outbox.retry_seconds) == pytest.approx(48 * 3600, rel=0.02)


def test_the_environment_goes_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, '[imap]\nhost = "file.example"\nport = 1993\n')
    settings = load(path, {"MAILBOT_IMAP__HOST": "environment.example"})
    assert (settings.imap.host, settings.imap.port) == ("environment.example", 1993)


def test_a_secret_may_lie_in_a_file_of_its_own(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("correct horse\n")
    settings = load(written(tmp_path, ""), {"MAILBOT_IMAP__PASSWORD_FILE": str(secret)})
    assert settings.imap.password.get_secret_value() == "correct horse"
    assert "correct horse" not in repr(settings)


@pytest.mark.parametrize(
    ("value", "expected"), [("a@b.example", ["a@b.example"]), ('["a@b.example", "c@d.example"]', ["a@b.example", "c@d.example"])]
)
def test_a_list_may_be_one_plain_value(tmp_path: Path, value: str, expected: list[str]) -> None:
    assert load(written(tmp_path, ""), {"MAILBOT_INBOX__HAND_OFF_TO": value}).inbox.hand_off_to == expected


@pytest.mark.parametrize(
    ("text", "environment", "named"),
    [
        pytest.param('[imap]\nhosst = "x"\n', {}, "imap.hosst", id="unknown key in the file"),
        pytest.param('[impa]\nhost = "x"\n', {}, "impa", id="unknown section in the file"),
        pytest.param("", {"MAILBOT_IMAP__HOSST": "x"}, "imap.hosst", id="unknown key in the environment"),
        pytest.param("", {"MAILBOT_IMPA__HOST": "x"}, "impa", id="unknown section in the environment"),
        pytest.param("", {"MAILBOT_HOST": "x"}, "MAILBOT_HOST", id="no section in the environment"),
        pytest.param("[imap]\nport = 0\n", {}, "imap.port", id="a port that is none"),
        pytest.param("imap = 3\n", {}, "imap", id="a value for a section"),
        pytest.param("[imap\n", {}, "not valid TOML", id="not TOML"),
        pytest.param('[organisation]\ntimezone = "Mars/Port"\n', {}, "organisation.timezone", id="unknown zone"),
        pytest.param('[inbox]\nstart_from = "2025-01-01T00:00:00"\n', {}, "offset", id="naive instant"),
        pytest.param('[inbox]\nmode = "automatic"\n', {}, "hand_off_to", id="automatic without a colleague"),
        pytest.param('[imap]\nhost = "imap.example"\nsecurity = "plain"\n', {}, "loopback", id="IMAP in clear"),
        pytest.param('[smtp]\nhost = "r.example"\nsecurity = "plain"\nusername = "u"\n', {}, "in clear", id="SMTP login in clear"),
        pytest.param('[web]\npublic_url = "http://press.example"\n', {}, "https", id="public pages in clear"),
        pytest.param('[alerts]\nto = "http://hooks.example/x"\n', {}, "alerts.to", id="a webhook in clear"),
        pytest.param('[alerts]\nto = ["a@b.example", "https://hooks.example/x"]\n', {}, "alerts.to", id="a webhook and an address"),
        pytest.param('[alerts]\nsecret_ends = "soon"\n', {}, "alerts.secret_ends", id="an end that is no day"),
        pytest.param(
            '[alerts]\nsmtp_host = "r.example"\nsmtp_security = "plain"\nsmtp_username = "u"\n', {}, "in clear", id="alerts' login in clear"
        ),
        pytest.param('[oauth]\nendpoint = "http://login.example/token"\n', {}, "https", id="a secret in clear"),
        pytest.param('[oauth]\ntenant = "../x"\n', {}, "oauth.tenant", id="a tenant that is none"),
        pytest.param('[oauth]\nclient_secret_ends = "soon"\n', {}, "oauth.client_secret_ends", id="a day that is none"),
        pytest.param('[imap]\noauth = true\npassword = "x"\n', {}, "imap.password", id="a password beside a token"),
        pytest.param('[oauth]\nclient_secret = "x"\ncertificate_file = "y"\n', {}, "oauth.certificate_file", id="two proofs"),
        pytest.param("", {"MAILBOT_SMTP__PASSWORD_FILE": "/nowhere/at/all"}, "MAILBOT_SMTP__PASSWORD_FILE", id="secret file missing"),
    ],
)
def test_a_mistake_is_an_error_that_names_it(tmp_path: Path, text: str, environment: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsFault, match=named.replace(".", r"\.")):
        load(written(tmp_path, text), environment)


def test_a_login_by_token_demands_what_it_needs(tmp_path: Path) -> None:
    hosts = '[organisation]\naddress = "a@b.example"\n[imap]\nhost = "i.example"\noauth = true\n[smtp]\nhost = "s.example"\n'
    with pytest.raises(SettingsFault) as fault:
        demand(load(written(tmp_path, hosts), NOTHING))
    for named in ("imap.username", "oauth.tenant", "oauth.client_id", "oauth.client_secret"):
        assert named in str(fault.value)
    assert "smtp.username" not in str(fault.value)


def test_the_client_secret_may_lie_in_a_file_and_a_certificate_is_named_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    files = {"MAILBOT_OAUTH__CLIENT_SECRET_FILE": str(tmp_path / "secret"), "MAILBOT_OAUTH__KEY_FILE": "/etc/mailbot/key.pem"}
    settings = load(written(tmp_path, ""), files)
    assert settings.oauth.client_secret.get_secret_value() == "hunter2"
    assert settings.oauth.key_file == "/etc/mailbot/key.pem"
    assert "hunter2" not in repr(settings)


def test_an_error_never_prints_a_value(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault) as fault:
        load(written(tmp_path, '[smtp]\npassword = ["hunter2"]\nport = "hunter2"\n'), NOTHING)
    assert "hunter2" not in str(fault.value)


def test_a_named_file_that_is_not_there_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault, match="mailbot init"):
        load(tmp_path / "none.toml", NOTHING)


def test_the_example_file_is_what_the_model_says() -> None:
    assert Path("config/mailbot.example.toml").read_text("utf-8") == example()


def test_the_example_file_can_be_read_and_so_can_each_default_in_it(tmp_path: Path) -> None:
    load(written(tmp_path, example()), NOTHING)
    uncommented = re.sub(r"(?m)^# (?=[a-z_]+ = )", "", example())
    assert uncommented != example()
    settings = load(written(tmp_path, uncommented), NOTHING)
    assert settings.imap.mailbox == "INBOX"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("10.0.0.1", False), ("127.0.0.1.example", False)],
)
def test_loopback_is_what_never_leaves_the_machine(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_an_instant_needs_an_offset_and_becomes_utc() -> None:
    assert parse_instant("2025-01-01T08:00:00+01:00").isoformat() == "2025-01-01T07:00:00+00:00"


@pytest.mark.parametrize(("colour", "told"), [("blue", "must be a colour"), ("#1b3a5", "must be a colour"), ("#ffcc00", "too light")])
def test_an_accent_on_which_nothing_could_be_read_is_refused(tmp_path: Path, colour: str, told: str) -> None:
    (tmp_path / "mailbot.toml").write_text(f'[web]\naccent = "{colour}"\n')
    with pytest.raises(SettingsFault, match=told):
        load(tmp_path / "mailbot.toml", {})
