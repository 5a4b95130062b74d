"""The only reader of environment and configuration files.

One TOML file; every value can be overridden by MAILBOT_SECTION__KEY, and by MAILBOT_SECTION__KEY_FILE with a file that
holds it (for secrets). An unknown key is an error that names it, in the file and in the environment alike.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from mailbot.loopback import is_loopback
from mailbot.settings_sections import (
    Alerts,
    Broadcast,
    DatabaseSection,
    Dkim,
    Folders,
    Imap,
    Inbox,
    Oauth,
    Organisation,
    OutboxSection,
    Releases,
    Retention,
    Security,
    Smtp,
    Web,
)

PREFIX = "MAILBOT_"
# Settings of their own; every other ..._FILE in the environment names a file that holds the value.
NAMES_OF_FILES = frozenset({("dkim", "key_file"), ("oauth", "key_file"), ("oauth", "certificate_file")})
DEFAULT_FILE = Path("config/mailbot.toml")


class SettingsFault(Exception):
    """The settings cannot be used. The message names the key and what to write instead."""


class Settings(BaseSettings):
    """Everything that can be set, with its defaults."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    organisation: Organisation = Organisation()
    imap: Imap = Imap()
    smtp: Smtp = Smtp()
    oauth: Oauth = Oauth()
    database: DatabaseSection = DatabaseSection()
    web: Web = Web()
    inbox: Inbox = Inbox()
    releases: Releases = Releases()
    alerts: Alerts = Alerts()
    retention: Retention = Retention()
    outbox: OutboxSection = OutboxSection()
    broadcast: Broadcast = Broadcast()
    dkim: Dkim = Dkim()
    security: Security = Security()
    folders: Folders = Folders()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What load() read and merged, and nothing else: pydantic's own environment source would let a misspelt key pass."""
        return (init_settings,)

    @model_validator(mode="after")
    def _together(self) -> "Settings":
        if self.imap.host and self.imap.security == "plain" and not is_loopback(self.imap.host):
            raise ValueError("imap.security = plain is for loopback only; use tls")
        if self.smtp.security == "plain" and self.smtp.username and not is_loopback(self.smtp.host):
            raise ValueError("smtp.security = plain would send the password in clear; use starttls or tls")
        alerts = self.alerts
        if alerts.smtp_security == "plain" and alerts.smtp_username and not is_loopback(alerts.smtp_host):
            raise ValueError("alerts.smtp_security = plain would send the password in clear; use starttls or tls")
        for name, section in (("imap", self.imap), ("smtp", self.smtp)):
            if section.oauth and section.password.get_secret_value():
                raise ValueError(f"{name}.oauth is true and there is a {name}.password: a login is one or the other, leave one out")
        if self.oauth.client_secret.get_secret_value() and self.oauth.certificate_file:
            raise ValueError("oauth.client_secret and oauth.certificate_file are two proofs of the same: leave one out")
        if self.inbox.mode != "observe" and not self.inbox.hand_off_to:
            raise ValueError(f"inbox.hand_off_to is required in {self.inbox.mode} mode: name at least one colleague's address")
        return self


def demand(settings: Settings) -> None:
    """What nobody can do without who wants to run. Raises SettingsFault, which names all that is missing."""
    given: dict[str, object] = {
        "organisation.address": settings.organisation.address, "imap.host": settings.imap.host, "smtp.host": settings.smtp.host,
    }  # fmt: skip
    for name, section in (("imap", settings.imap), ("smtp", settings.smtp)):
        if section.oauth:
            given[f"{name}.username"] = section.username
    if settings.imap.oauth or settings.smtp.oauth:
        oauth = settings.oauth
        given |= {
            "oauth.tenant": oauth.tenant or "{tenant}" not in oauth.endpoint, "oauth.client_id": oauth.client_id,
            "oauth.client_secret (or oauth.certificate_file)": oauth.client_secret.get_secret_value() or oauth.certificate_file,
        }  # fmt: skip
    if missing := [name for name, value in given.items() if not value]:
        raise SettingsFault(
            f"These settings are missing: {', '.join(missing)}. `mailbot init` writes {DEFAULT_FILE} to fill in; "
            "`mailbot check --live` says whether it works, and `mailbot demo` needs no settings at all."
        )


def load(path: Path | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read `path`, or MAILBOT_CONFIG, or config/mailbot.toml where it exists; then the environment over it.

    Relative paths of a SQLite database, a key and own folders are taken from the working folder. Raises SettingsFault."""
    chosen = path or (Path(environment[PREFIX + "CONFIG"]) if environment.get(PREFIX + "CONFIG") else None)
    values: dict[str, Any] = {}
    if chosen or DEFAULT_FILE.exists():
        values = _read_file(chosen or DEFAULT_FILE)
    for keys, value in _read_environment(environment):
        _put(values, keys, value)
    try:
        return Settings(**values)
    except ValidationError as problem:
        raise SettingsFault(_sentence(problem, chosen or DEFAULT_FILE)) from None  # the cause would print values


def service_manager(environment: Mapping[str, str] = os.environ) -> tuple[str, float]:
    """Where systemd listens, and within how many seconds it wants to hear each time that we live; empty and 0 where nobody asks."""
    wanted, whose = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    ours = wanted.isdecimal() and whose in ("", str(os.getpid()))
    return environment.get("NOTIFY_SOCKET", ""), int(wanted) / 1e6 if ours else 0.0


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise SettingsFault(f"There is no settings file {path}. `mailbot init` writes one.") from None
    except OSError as problem:
        raise SettingsFault(f"The settings file {path} cannot be read: {problem.strerror}. Check its permissions.") from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise SettingsFault(f"{path} is not valid TOML: {problem}.") from problem


def _read_environment(environment: Mapping[str, str]) -> list[tuple[list[str], str]]:
    found = []
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name == PREFIX + "CONFIG":
            continue
        keys = name[len(PREFIX) :].lower().split("__")
        value = environment[name]
        if keys[-1].endswith("_file") and tuple(keys) not in NAMES_OF_FILES:
            keys[-1] = keys[-1].removesuffix("_file")
            try:
                value = Path(value).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as problem:
                raise SettingsFault(f"{name} names a file that cannot be read: {problem}.") from problem
        if len(keys) != 2:
            raise SettingsFault(f"{name} is not a setting. Write {PREFIX}SECTION__KEY, such as {PREFIX}IMAP__HOST.")
        found.append((keys, value))
    return found


def _put(values: dict[str, Any], keys: list[str], value: str) -> None:
    section = values.setdefault(keys[0], {})
    if not isinstance(section, dict):
        raise SettingsFault(f"{keys[0]} must be a section: write [{keys[0]}] and its keys below.")
    section[keys[1]] = value


def _sentence(problem: ValidationError, path: Path) -> str:
    lines = []
    for error in problem.errors(include_input=False, include_url=False):
        key = ".".join(str(part) for part in error["loc"] if not isinstance(part, int))
        if error["type"] == "extra_forbidden":
            lines.append(f"unknown setting {key!r}; see config/mailbot.example.toml for those there are")
        else:
            lines.append(f"{key + ': ' if key else ''}{error['msg'].removeprefix('Value error, ')}")
    return f"The settings ({path} and {PREFIX}... variables) cannot be used: " + "; ".join(lines) + "."
