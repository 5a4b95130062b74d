"""The flow that has a token when one is needed: asked for once, kept in memory, renewed before it ends, forgotten when it is refused."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from mailbot.oauth import token_server
from mailbot.oauth.access_token import AccessToken, TokenLater, read_answer
from mailbot.oauth.assertion import TYPE, Certificate, assertion

log = structlog.get_logger()
LEAST_SESSION_SECONDS = 1.0  # a token server whose tokens end at once must not make us log in without end


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who asks, where, and by which proof: a secret, or a certificate."""

    endpoint: str
    client_id: str
    scope: str
    secret: str = field(default="", repr=False)
    certificate: Certificate | None = field(default=None, repr=False)
    seconds: float = 30

    def form(self, now: datetime, unique: str) -> dict[str, str]:
        """What is sent to the token server."""
        form = {"grant_type": "client_credentials", "client_id": self.client_id, "scope": self.scope}
        if self.certificate is None:
            return form | {"client_secret": self.secret}
        signed = assertion(self.certificate, self.client_id, self.endpoint, now, unique)
        return form | {"client_assertion_type": TYPE, "client_assertion": signed}


class AccessTokens:
    """Holds the token of one client, for every connection that needs it."""

    def __init__(self, client: Client, *, clock: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._client, self._clock, self._new_id = client, clock, new_id
        self._asking = asyncio.Lock()
        self._token: AccessToken | None = None
        self._not_before: tuple[datetime, TokenLater] | None = None

    async def token(self) -> AccessToken:
        """The one that is kept, or a new one: whoever comes while it is asked for waits for the same. Raises TokenLater, TokenRefused."""
        async with self._asking:
            now = self._clock()
            if self._token is not None and now < self._token.renew_at:
                return self._token
            if self._not_before is not None and now < self._not_before[0]:
                until, told = self._not_before
                raise TokenLater(str(told), (until - now).total_seconds())
            self._token = await self._ask(now)
            return self._token

    def forget(self, token: AccessToken | None) -> None:
        """A mail server does not take it, or says that it has ended: the next one is a new one."""
        if token is not None and self._token is token:
            self._token = None

    def seconds_left(self, token: AccessToken | None) -> float:
        """How long a session may go on that was opened by it; without a token, without end."""
        if token is None:
            return float("inf")
        return max((token.renew_at - self._clock()).total_seconds(), LEAST_SESSION_SECONDS)

    def is_due(self, token: AccessToken | None) -> bool:
        """Is it time for another one?"""
        return token is not None and self._clock() >= token.renew_at

    async def _ask(self, now: datetime) -> AccessToken:
        form = self._client.form(now, self._new_id())
        said = await token_server.ask(self._client.endpoint, form, self._client.seconds)
        try:
            token = read_answer(said.status, said.retry_after, said.body, now)
        except TokenLater as later:
            if later.retry_after:
                self._not_before = (now + timedelta(seconds=later.retry_after), later)
            raise
        self._not_before = None
        log.debug("token-renewed", until=token.ends_at.isoformat())
        return token
