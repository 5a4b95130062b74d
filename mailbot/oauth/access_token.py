"""A token that opens the mailbox for an hour, and what a token server's answer means: a token, later, or no (RFC 6749, 4.4 and 5).

Of what the server says about a refusal only the error's name and its number (AADSTS...) are ever repeated: the rest is free text, which
may hold what we sent it, the secret included.
"""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

MARGIN = timedelta(minutes=5)  # a token is not used in its last minutes: servers cut a session in the middle of what it does
LONGEST_LIFE = timedelta(days=1)
LONGEST_WAIT_SECONDS = 3600.0
ERROR = re.compile(r"[a-z_]{3,40}")
NUMBER = re.compile(r"\bAADSTS(\d{4,9})\b")
TOKEN = re.compile(r"[!-~]{1,20000}")  # it stands between control characters on the wire, so it may hold none
SERVER_BUSY = frozenset({408, 425, 429})
LATER = frozenset({"temporarily_unavailable", "server_error"})
BY_NUMBER: Mapping[str, str] = {
    "7000215": "the client secret is wrong: oauth.client_secret takes the secret's value, not its id",
    "7000222": "the client secret has ended: ask IT for a new one, and put its value into oauth.client_secret",
    "7000112": "the application is switched off: ask IT",
    "700016": "this tenant does not know the application: check oauth.client_id and oauth.tenant",
    "700027": "the certificate is not one of the application's, or has ended: ask IT to upload it",
    "90002": "there is no such tenant: check oauth.tenant",
    "900023": "there is no such tenant: check oauth.tenant",
    "50034": "there is no such account in this tenant: check oauth.tenant",
    "53003": "a Conditional Access policy forbids it: ask IT",
    "500011": "the tenant knows nothing by this scope: check oauth.scope",
    "70011": "the scope is not one: check oauth.scope",
    "1002012": "the scope is not one for an application: it must end with /.default, check oauth.scope",
}
BY_ERROR: Mapping[str, str] = {
    "invalid_client": "it does not know the application by this secret or certificate: check oauth.client_id and oauth.client_secret",
    "unauthorized_client": "the application may not ask for tokens: check oauth.client_id and oauth.tenant, or ask IT",
    "invalid_scope": "the scope is not one: check oauth.scope",
    "invalid_request": "it does not understand the request: check oauth.tenant, oauth.client_id and oauth.endpoint",
}
ASK_IT = "check the section oauth of the settings, or ask IT"


class TokenTrouble(Exception):
    """There is no token."""


class TokenLater(TokenTrouble):
    """There is no token at present; another try may get one."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after      # seconds that the token server asked us to wait, if it did


class TokenRefused(TokenTrouble):
    """There will be no token until somebody has changed something."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What opens the mailbox, and until when it is to be used."""

    value: str = field(repr=False)
    ends_at: datetime
    renew_at: datetime


def token_of(value: str, life: timedelta, now: datetime) -> AccessToken:
    """The margin is a fifth of a life that is shorter than an hour's would ask for."""
    ends_at = now + min(life, LONGEST_LIFE)
    return AccessToken(value, ends_at, ends_at - min(MARGIN, (ends_at - now) / 5))


def read_answer(status: int, retry_after: str, body: bytes, now: datetime) -> AccessToken:
    """The token in a token server's answer. Raises TokenLater, TokenRefused."""
    said = _object(body)
    if status == 200:
        return _given(said, now)
    error = said.get("error", "")
    error = error if isinstance(error, str) and ERROR.fullmatch(error) else ""
    if status >= 500 or status in SERVER_BUSY or error in LATER:
        names = f"{status}, {error}" if error else str(status)
        raise TokenLater(f"the token server has no token for us at present ({names})", _seconds(retry_after, now))
    if 300 <= status < 400:
        raise TokenRefused(f"the token server points elsewhere ({status}), and no secret is carried there: check oauth.endpoint")
    found = NUMBER.search(str(said.get("error_description", ""))[:2000])
    why = BY_NUMBER.get(found[1], "") if found else ""
    names = ", ".join(filter(None, (str(status), error, found[0] if found else "")))
    raise TokenRefused(f"the token server refuses us ({names}): {why or BY_ERROR.get(error, ASK_IT)}")


def roles(token: AccessToken) -> frozenset[str] | None:
    """The permissions that a token says it carries; None where it says none. For advice alone: whether they hold, the mail server knows."""
    try:
        middle = token.value.split(".")[1]
        claims = json.loads(urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
        return frozenset(str(role) for role in claims["roles"])
    except (IndexError, KeyError, TypeError, ValueError, RecursionError):
        return None


def _given(said: Mapping[str, Any], now: datetime) -> AccessToken:
    value, seconds, kind = said.get("access_token"), said.get("expires_in"), said.get("token_type", "Bearer")
    try:
        life = timedelta(seconds=min(int(seconds), 10**6)) if not isinstance(seconds, bool | type(None)) else timedelta()
    except (TypeError, ValueError, OverflowError):
        life = timedelta()
    usable = isinstance(value, str) and TOKEN.fullmatch(value) and str(kind).lower() == "bearer" and life > timedelta()
    if not usable:
        raise TokenLater("the token server's answer holds no token: something else may answer in its place, a login page or a proxy")
    return token_of(str(value), life, now)


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object in an answer; an empty one where it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(retry_after: str, now: datetime) -> float | None:
    """Retry-After is a number of seconds or a date (RFC 9110, 10.2.3)."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_WAIT_SECONDS)
    try:
        then = parsedate_to_datetime(text)
        wait = ((then if then.tzinfo else then.replace(tzinfo=UTC)) - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(wait, 0.0), LONGEST_WAIT_SECONDS)
