"""The sections of the settings: every key with its type, its default and one sentence, the one that the example file prints."""

import json
import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

from mailbot.loopback import is_loopback


def parse_instant(text: str) -> datetime:
    """ISO 8601 with an offset -> UTC. Raises ValueError."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("needs an offset, such as 2025-01-01T08:00:00+00:00")
    return found.astimezone(UTC)


def _listed(value: Any) -> Any:
    """A list may be written as one plain value, and in the environment as JSON."""
    if isinstance(value, str):
        text = value.strip()
        return json.loads(text) if text.startswith("[") else ([value] if text else [])
    return [value] if isinstance(value, int | float) else value


def _https_or_loopback(value: str) -> str:
    parts = urlsplit(value)
    host, _ = parts.hostname or "", parts.port  # a port that is none is a ValueError
    if not (parts.scheme == "https" and host) and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError("must begin with https:// (http:// on loopback only)")
    return value


Words = Annotated[list[str], BeforeValidator(_listed)]
Seconds = Annotated[list[float], BeforeValidator(_listed)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True)


class Organisation(Section):
    """Who the office is."""

    name: str = Field("", description="The organisation's name as journalists know it.")
    short_name: str = Field("", description="A short form for subjects and the list's name; the name where empty.")
    address: str = Field("", description="The media address: what mailbot reads, and the From of what it sends.")
    aliases: Words = Field([], description="Other addresses that reach the same mailbox.")
    languages: Words = Field([], description="Languages in order, the first is the default; every installed folder where empty.")
    timezone: str = Field("", description="Such as Africa/Bamako; the system's where empty.")
    website: str = Field("", description="The organisation's site, for signatures.")
    contact: str = Field("", description="The contact line under a release that has none of its own.")
    hours: str = Field("", description='When the office is staffed, such as "Mon-Fri 08:00-17:00".')
    duty_number: str = Field("", description="A telephone number for urgent requests outside these hours.")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value) if value else None
        except (ZoneInfoNotFoundError, ValueError) as unknown:
            raise ValueError("is no time zone; write one such as Africa/Bamako or Europe/Paris") from unknown
        return value


class Imap(Section):
    """The mailbox that mailbot reads. Needed by run and check."""

    host: str = Field("", description="The IMAP server.")
    port: int = Field(993, ge=1, le=65535, description="IMAP over TLS is 993.")
    security: Literal["tls", "plain"] = Field("tls", description="tls, or plain on loopback only.")
    username: str = Field("", description="Often the address itself.")
    password: SecretStr = Field(SecretStr(""), description="Better kept in a file: MAILBOT_IMAP__PASSWORD_FILE.")
    oauth: bool = Field(False, description="true: no password; the login is a token that the section oauth gets.")
    mailbox: str = Field("INBOX", description="The folder that is watched.")
    filed: str = Field("mailbot", description="Where mail goes that mailbot has dealt with.")
    attention: str = Field("mailbot/attention", description="Where mail goes that a person has to read.")
    sent: str = Field("", description="The folder of sent mail; found by SPECIAL-USE where empty.")
    poll_seconds: float = Field(60, gt=0, description="How often to look where the server has no IDLE.")
    idle_seconds: float = Field(280, gt=0, le=1740, description="How long one IDLE lasts; a SEARCH follows each end.")


class Smtp(Section):
    """The relay that sends. Needed by run and check."""

    host: str = Field("", description="The SMTP server.")
    port: int = Field(587, ge=1, le=65535, description="587 with starttls, 465 with tls.")
    security: Literal["starttls", "tls", "plain"] = Field("starttls", description="starttls, tls, or plain (no login but on loopback).")
    username: str = Field("", description="Empty: no login.")
    password: SecretStr = Field(SecretStr(""), description="Better kept in a file: MAILBOT_SMTP__PASSWORD_FILE.")
    oauth: bool = Field(False, description="true: no password; the login is a token that the section oauth gets.")
    rate_per_minute: int = Field(25, ge=0, description="Mails a minute at most; 0: no limit. Microsoft 365 refuses more than 30.")
    rate_per_day: int = Field(0, ge=0, description="Mails in 24 hours at most; 0: no limit. Microsoft 365 refuses more than 10,000.")
    connections: int = Field(1, ge=1, le=50, description="Connections at the same time. Microsoft 365 allows 3.")
    mails_per_connection: int = Field(100, ge=1, description="A connection is closed after so many mails.")
    return_path: str = Field("", description="Address for bounces with our token; empty where the relay rewrites it.")


class Oauth(Section):
    """Login by token, as Microsoft 365 wants it. Used where imap.oauth or smtp.oauth is true."""

    tenant: str = Field("", description="The Directory (tenant) ID of the organisation, or one of its domains.")
    client_id: str = Field("", description="The Application (client) ID of mailbot's app registration.")
    client_secret: SecretStr = Field(SecretStr(""), description="The client secret, best in a file: MAILBOT_OAUTH__CLIENT_SECRET_FILE.")
    client_secret_ends: str = Field("", description="The day on which it ends, such as 2028-05-31, so that you hear of it in time.")
    certificate_file: str = Field("", description="Instead of a secret: the certificate in PEM that IT has uploaded.")
    key_file: str = Field("", description="The certificate's private key in PEM, without a password; empty: in the same file.")
    scope: str = Field("https://outlook.office365.com/.default", description="What the token is for.")
    endpoint: str = Field(
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token", description="Where tokens are given; https, or http on loopback."
    )

    @field_validator("client_secret_ends")
    @classmethod
    def _day(cls, value: str) -> str:
        if value:
            date.fromisoformat(value)
        return value

    @field_validator("tenant")
    @classmethod
    def _name(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9.-]*", value):
            raise ValueError("must be an id such as 71487acd-ec93-476d-bd0e-6c8b31831053, or a domain")
        return value

    @field_validator("endpoint")
    @classmethod
    def _guarded(cls, value: str) -> str:
        return _https_or_loopback(value)


class DatabaseSection(Section):
    """Where mailbot remembers."""

    url: str = Field("sqlite:///mailbot.db", description="sqlite:///file or postgresql://user@host/name.")


class Web(Section):
    """The public pages and the desk."""

    listen: str = Field("127.0.0.1:8080", description="Address and port to listen on.")
    public_url: str = Field("", description="https address of the public pages; empty: everything works by mail.")
    trusted_proxies: Words = Field([], description="Addresses of proxies whose forwarding headers are believed.")
    accent: str = Field("#1b3a5c", description="The office's colour on its pages, as #rrggbb; dark enough for white letters on it.")

    @field_validator("accent")
    @classmethod
    def _readable(cls, value: str) -> str:
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
            raise ValueError("must be a colour, such as #1b3a5c")
        parts = [int(value[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        light = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]
        if 1.05 / (luminance + 0.05) < 4.5:  # WCAG 2.2, 1.4.3
            raise ValueError("is too light: white letters on it could not be read")
        return value

    @field_validator("listen")
    @classmethod
    def _address_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not (port.isascii() and port.isdigit() and int(port) < 65536):
            raise ValueError("must be an address and a port, such as 127.0.0.1:8080")
        return value

    @field_validator("public_url")
    @classmethod
    def _https(cls, value: str) -> str:
        return _https_or_loopback(value).rstrip("/") if value else value


class Inbox(Section):
    """What may be answered, how often, and who is asked."""

    mode: Literal["observe", "draft", "automatic"] = Field(
        "observe", description="observe touches nothing; draft hands over every answer; automatic answers."
    )
    start_from: str = Field("now", description="An instant with offset, or now: older mail is neither answered nor moved.")
    authserv_id: str = Field("", description="Whose Authentication-Results are believed: an id, or topmost for Exchange Online.")
    answer_pause_days: float = Field(7, ge=0, description="In this time the same release goes to the same person once more at most.")
    answers_per_address_per_day: int = Field(3, ge=1, description="Answers to one address in 24 hours.")
    answers_per_domain_per_hour: int = Field(20, ge=1, description="Answers to one domain in an hour.")
    answers_per_minute: int = Field(30, ge=1, description="Answers to everybody in a minute.")
    addresses_per_text_per_hour: int = Field(10, ge=1, description="The very same words are answered to so many addresses in an hour.")
    hand_off_to: Words = Field([], description="Colleagues who get what a person must answer, in order. Required by draft and automatic.")
    protection_to: str = Field("", description="Who is told of a call for help.")
    referral: str = Field("", description="The office's own words for calls for help; empty: nothing is sent.")
    hand_offs_per_hour: int = Field(30, ge=1, description="Notes to colleagues in an hour; then one digest.")
    hand_offs_per_address_per_hour: int = Field(5, ge=1, description="Notes about one sender in an hour; the digest names the others.")

    @field_validator("start_from")
    @classmethod
    def _instant(cls, value: str) -> str:
        if value != "now":
            parse_instant(value)
        return value


class Releases(Section):
    """Press releases."""

    sign_off: str = Field("", description="Address of who signs releases before they are published (it takes web.public_url).")


class Alerts(Section):
    """Who hears that something is wrong. By the ordinary relay nobody hears that it is down until it is up again; a second is better."""

    to: Words = Field([], description="Addresses, or one webhook that takes JSON (https, or http on loopback); empty: nobody hears.")
    stale_minutes: float = Field(10, gt=0, description="The mailbox unread, or a mail that waits for the relay, for so long is an alert.")
    sender: str = Field("", description="The From of alerts, one that the second relay allows; organisation.address where empty.")
    smtp_host: str = Field("", description="A second relay, for alerts alone; where empty, alerts leave by the ordinary one.")
    smtp_port: int = Field(587, ge=1, le=65535, description="587 with starttls, 465 with tls.")
    smtp_security: Literal["starttls", "tls", "plain"] = Field("starttls", description="starttls, tls, or plain on loopback.")
    smtp_username: str = Field("", description="Empty: no login.")
    smtp_password: SecretStr = Field(SecretStr(""), description="Better kept in a file: MAILBOT_ALERTS__SMTP_PASSWORD_FILE.")
    secret_ends: date | None = Field(None, description="The last day of the password or secret that logs mailbot in, such as 2027-03-31.")

    @field_validator("to")
    @classmethod
    def _addresses_or_webhook(cls, value: list[str]) -> list[str]:
        for url in (one for one in value if "://" in one):
            parts = urlsplit(url)
            host = parts.hostname or ""
            if len(value) > 1:
                raise ValueError("must be addresses, or one webhook alone")
            if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
                raise ValueError("names a webhook that must begin with https:// (http:// on loopback only)")
        return value

    @field_validator("secret_ends", mode="before")
    @classmethod
    def _no_day(cls, value: Any) -> Any:
        return value or None

    @property
    def webhook(self) -> str:
        """The URL, where alerts go to one."""
        return next((one for one in self.to if "://" in one), "")


class Retention(Section):
    """How long things are kept."""

    mail_days: int = Field(90, ge=1, description="Mail that arrived.")
    protection_days: int = Field(30, ge=1, description="Calls for help.")
    outcome_days: int = Field(730, ge=1, description="Who was sent what.")


class OutboxSection(Section):
    """How mail leaves."""

    retry_seconds: Seconds = Field(
        [60, 300, 900, 1800, 3600, 7200, *[14400] * 11],
        min_length=1,
        description="Waits after each temporary refusal; the default spans 48 hours.",
    )
    lease_seconds: float = Field(120, gt=0, description="Every lease; renewed while its holder lives.")
    uncertain_retry_seconds: float = Field(900, ge=0, description="After a doubt about a hand-off or a broadcast's mail.")
    shutdown_seconds: float = Field(30, ge=0, description="How long the mail in hand may take when mailbot is asked to stop.")


class Broadcast(Section):
    """Announcements to the press list."""

    max_lateness_minutes: float = Field(15, ge=0, description="A schedule missed by more is held for a person.")
    hold_minutes: float = Field(10, ge=0, description="Between the approval and the first mail.")
    pause_bounce_percent: float = Field(5, gt=0, description="A broadcast with more hard bounces pauses.")
    approvals: Literal[1, 2] = Field(1, description="How many people must approve.")


class Dkim(Section):
    """Signing; without a key the relay signs."""

    domain: str = Field("", description="The signing domain.")
    selector: str = Field("", description="The selector of the key's DNS record.")
    key_file: str = Field("", description="The private key in PEM.")


class Security(Section):
    """What makes our tokens ours."""

    secret_key: SecretStr = Field(
        SecretStr(""), description="Made on first start beside a SQLite database; with PostgreSQL the same on every machine."
    )


class Folders(Section):
    """The office's own words, before those that mailbot ships."""

    templates: str = Field("", description="A folder with templates of your own, laid out like the shipped one.")
    languages: str = Field("", description="A folder with language folders of your own.")
