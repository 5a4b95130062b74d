"""What the settings mean to each part: its words, its servers, its terms. What is missing or wrong is named in a sentence."""

import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from mailbot import languages, office_terms
from mailbot.alerts import raise_alerts
from mailbot.alerts.alert import Secret
from mailbot.archive import term
from mailbot.broadcast import conduct
from mailbot.broadcast.broadcast import Limits
from mailbot.inbox import dispose, imap, watch
from mailbot.inbox.hand_over import Desk
from mailbot.inbox.language import tokens
from mailbot.inbox.lexicon import lexicon
from mailbot.inbox.outcome import Caps
from mailbot.message.address import Address
from mailbot.oauth.access_tokens import AccessTokens, Client
from mailbot.oauth.assertion import Certificate, CertificateUnusable, certificate
from mailbot.office import Office
from mailbot.outbox import dispatch, smtp
from mailbot.settings import Settings, SettingsFault, demand
from mailbot.settings_sections import parse_instant

if TYPE_CHECKING:
    from mailbot.message.dkim import Signer


def caps_of(settings: Settings) -> Caps:
    """How often may be answered."""
    inbox = settings.inbox
    return Caps(
        answer_pause_days=inbox.answer_pause_days,
        answers_per_address_per_day=inbox.answers_per_address_per_day,
        answers_per_domain_per_hour=inbox.answers_per_domain_per_hour,
        answers_per_minute=inbox.answers_per_minute,
        addresses_per_text_per_hour=inbox.addresses_per_text_per_hour,
    )


def access_tokens(settings: Settings, clock: Callable[[], datetime]) -> AccessTokens | None:
    """Where the logins' tokens come from, one source for mailbox and relay; None where passwords are used. Raises SettingsFault."""
    if not (settings.imap.oauth or settings.smtp.oauth):
        return None
    demand(settings)
    section = settings.oauth
    client = Client(
        endpoint=section.endpoint.replace("{tenant}", section.tenant), client_id=section.client_id, scope=section.scope,
        secret=section.client_secret.get_secret_value(), certificate=_certificate(settings) if section.certificate_file else None,
    )  # fmt: skip
    return AccessTokens(client, clock=clock, new_id=lambda: str(uuid.uuid4()))


def proof_ends(settings: Settings) -> date | None:
    """The day on which the client secret ends, as the settings say, or the certificate, as it says itself. Raises SettingsFault."""
    if not (settings.imap.oauth or settings.smtp.oauth):
        return None
    if settings.oauth.certificate_file:
        return _certificate(settings).ends_at.date()
    return date.fromisoformat(settings.oauth.client_secret_ends) if settings.oauth.client_secret_ends else None


def _certificate(settings: Settings) -> Certificate:
    paths = (settings.oauth.certificate_file, settings.oauth.key_file or settings.oauth.certificate_file)
    try:
        return certificate(*(Path(path).read_bytes() for path in paths))
    except OSError as problem:
        said = f"{problem.filename} cannot be read: {problem.strerror}. Check oauth.certificate_file, oauth.key_file and their rights."
        raise SettingsFault(said) from problem
    except CertificateUnusable as problem:
        raise SettingsFault(str(problem)) from problem


def imap_server(settings: Settings, tokens: AccessTokens | None) -> imap.Server:
    """Raises SettingsFault where the mailbox is not configured."""
    section = settings.imap
    if not section.host:
        raise SettingsFault("imap.host is missing: name the mailbox's server. `mailbot init` writes a settings file to fill in.")
    return imap.Server(
        host=section.host, port=section.port, security=section.security,
        username=section.username, password=section.password.get_secret_value(), tokens=tokens if section.oauth else None,
    )  # fmt: skip


def smtp_server(settings: Settings, tokens: AccessTokens | None) -> smtp.Server:
    """Raises SettingsFault where the relay is not configured."""
    section = settings.smtp
    if not section.host:
        raise SettingsFault("smtp.host is missing: name the relay that sends. `mailbot init` writes a settings file to fill in.")
    return smtp.Server(
        host=section.host, port=section.port, security=section.security, username=section.username,
        password=section.password.get_secret_value(), tokens=tokens if section.oauth else None,
        local_hostname=office_terms.address_of(settings.organisation.address, "organisation.address").domain,
    )  # fmt: skip


def dkim_signer(settings: Settings) -> "Signer | None":
    """Who signs our mail; None where the relay does. Raises SettingsFault."""
    section = settings.dkim
    if not section.key_file:
        return None
    if not section.domain or not section.selector:
        raise SettingsFault("dkim.key_file needs dkim.domain and dkim.selector: who verifies looks for the key under these names.")
    try:
        from mailbot.message import dkim
    except ModuleNotFoundError as missing:
        raise SettingsFault("dkim.key_file needs the extra: pip install 'mailbot[dkim]'.") from missing
    try:
        return dkim.signer(section.domain, section.selector, Path(section.key_file).read_bytes())
    except OSError as problem:
        raise SettingsFault(f"dkim.key_file {section.key_file} cannot be read: {problem.strerror}. Check its name and rights.") from problem
    except dkim.KeyUnusable as problem:
        raise SettingsFault(f"dkim.key_file {section.key_file} cannot be used: {problem}.") from problem


def sending_terms(settings: Settings, office: Office) -> dispatch.Terms:
    """For the dispatcher."""
    relay, outbox = settings.smtp, settings.outbox
    return dispatch.Terms(
        sender=office.address, return_path=relay.return_path, rate_per_minute=relay.rate_per_minute, rate_per_day=relay.rate_per_day,
        connections=relay.connections, mails_per_connection=relay.mails_per_connection,
        retry_seconds=tuple(outbox.retry_seconds), uncertain_retry_seconds=outbox.uncertain_retry_seconds,
        signer=dkim_signer(settings),
    )  # fmt: skip


def conducting_terms(settings: Settings, office: Office, secret: bytes, new_id: Callable[[], str]) -> conduct.Terms:
    """For the conductor."""
    kept = settings.broadcast
    limits = Limits(max_lateness_minutes=kept.max_lateness_minutes, pause_bounce_percent=kept.pause_bounce_percent)
    return conduct.Terms(office=office, secret=secret, new_id=new_id, limits=limits, lease_seconds=settings.outbox.lease_seconds)


def second_relay(settings: Settings) -> smtp.Server:
    """The relay of alerts alone."""
    section = settings.alerts
    return smtp.Server(
        host=section.smtp_host, port=section.smtp_port, security=section.smtp_security, username=section.smtp_username,
        password=section.smtp_password.get_secret_value(), local_hostname=smtp_server(settings, None).local_hostname,
    )  # fmt: skip


def alert_relays(settings: Settings, tokens: AccessTokens | None) -> tuple[smtp.Server, ...]:
    """The second relay where there is one, and the ordinary one after it. Raises SettingsFault."""
    ordinary = smtp_server(settings, tokens)
    return (second_relay(settings), ordinary) if settings.alerts.smtp_host else (ordinary,)


def alert_targets(settings: Settings) -> tuple[Address, ...]:
    """Who gets alerts by mail. Raises SettingsFault, also for the mailbox itself: an alert about it would lie in it unread."""
    targets = () if settings.alerts.webhook else tuple(office_terms.address_of(one, "alerts.to") for one in settings.alerts.to)
    if any(one.key in office_terms.own_addresses(settings) for one in targets):
        raise SettingsFault("alerts.to names the mailbox that mailbot reads: name a person's own address.")
    return targets


def alerting_terms(settings: Settings, office: Office, secret: bytes, tokens: AccessTokens | None) -> raise_alerts.Terms:
    """For the alerter. A look at the mailbox may come only at the end of an IDLE: two of them are the least that counts as stale."""
    section, stale = settings.alerts, timedelta(minutes=settings.alerts.stale_minutes)
    quiet = timedelta(seconds=2 * max(settings.imap.idle_seconds, settings.imap.poll_seconds))
    password = (settings.imap.username or settings.organisation.address, section.secret_ends)
    logins = (password, (settings.oauth.client_id, proof_ends(settings)))
    return raise_alerts.Terms(
        targets=alert_targets(settings), webhook=section.webhook, relays=alert_relays(settings, tokens),
        sender=office_terms.address_of(section.sender, "alerts.sender", "mailbot") if section.sender else office.address,
        organisation=office.values, words=office.words, language=office.own_language, secret=secret,
        inbox_stale_after=max(stale, quiet), relay_stale_after=stale, rate_per_day=settings.smtp.rate_per_day, tries=dispose.MOST_ATTEMPTS,
        secrets=tuple(Secret(name, end) for name, end in logins if end),
    )  # fmt: skip


def watching_terms(settings: Settings) -> watch.Terms:
    """For the watcher."""
    section, start = settings.imap, settings.inbox.start_from
    return watch.Terms(
        mailbox=section.mailbox, filed=section.filed, attention=section.attention, observe=settings.inbox.mode == "observe",
        start_from=None if start == "now" else parse_instant(start), poll_seconds=section.poll_seconds,
        idle_seconds=section.idle_seconds, lease_seconds=settings.outbox.lease_seconds,
    )  # fmt: skip


def desk_of(
    settings: Settings, office: Office, secret: bytes, loaded: dict[str, languages.Language], new_id: Callable[[], str]
) -> Desk:
    """Who writes and how, for those who carry out decisions."""
    return Desk(
        office=office, mode=settings.inbox.mode, hand_offs_per_hour=settings.inbox.hand_offs_per_hour,
        hand_offs_per_address_per_hour=settings.inbox.hand_offs_per_address_per_hour, filed=settings.imap.filed,
        attention=settings.imap.attention, secret=secret, new_id=new_id, languages=loaded,
        unready_languages=office_terms.unready(settings, loaded),
    )  # fmt: skip


def disposing_terms(settings: Settings, loaded: dict[str, languages.Language]) -> dispose.Terms:
    """For the disposer."""
    return dispose.Terms(
        mode=settings.inbox.mode, own_addresses=office_terms.own_addresses(settings), authserv_id=settings.inbox.authserv_id,
        caps=caps_of(settings), zone=office_terms.office_zone(settings),
        unready_languages=office_terms.unready(settings, loaded),
    )  # fmt: skip


def retention_terms(settings: Settings, loaded: dict[str, languages.Language]) -> term.Terms:
    """How long what is kept, and the words that say nothing about what was asked for."""
    kept, ours = settings.retention, (settings.organisation.name, settings.organisation.short_name)
    asking = (str(word) for language in loaded.values() for word in language.words.get("mail_words", ()))
    return term.Terms(
        mail=timedelta(days=kept.mail_days), protection=timedelta(days=kept.protection_days), outcome=timedelta(days=kept.outcome_days),
        zone=office_terms.office_zone(settings),
        noise=lexicon(loaded).small | frozenset(word for text in (*asking, *ours) for word in tokens(text)),
    )  # fmt: skip


def origin_of(settings: Settings) -> str:
    """Scheme, host and port by which people see our pages."""
    parts = urlsplit(settings.web.public_url)
    return f"{parts.scheme}://{parts.netloc}"


def settings_without_secrets(settings: Settings) -> dict[str, dict[str, str]]:
    """What the settings say, section by section, to be looked at: a secret only as set, an address of a database without its password."""
    shown: dict[str, dict[str, str]] = {}
    for section, values in settings:
        if not isinstance(values, BaseModel):
            continue
        shown[section] = {name: _said(name, value) for name, value in values}
    return shown


def _said(name: str, value: object) -> str:
    if isinstance(value, SecretStr):
        return "•••" if value.get_secret_value() else ""
    if isinstance(value, list | tuple):
        return ", ".join(_said(name, one) for one in value)
    if name in ("url", "to") and "://" in str(value):  # of a database, or a hook: its address lets anybody write
        parts = urlsplit(str(value))
        return f"{parts.scheme}://{parts.hostname or ''}{parts.path if name == 'url' else '/•••'}"
    return str(value)
