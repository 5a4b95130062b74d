"""A loopback token server whose behaviour is chosen by the client id: `good-600` gives a token for 600 seconds, `busy` answers 429.

What it gives opens tests/servers/dovecot.py and the relay. It speaks plain HTTP, which mailbot allows on loopback alone; with a TLS
context, HTTPS.
"""

import asyncio
import json
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from mailbot import clock
from mailbot.oauth.access_tokens import AccessTokens, Client
from tests.servers.dovecot import access_token

HOST = "127.0.0.1"
DRIP_SECONDS = 0.02
JSON, HTML = "application/json", "text/html"


def _error(name: str, number: str = "") -> str:
    described = f"AADSTS{number}: Something is wrong. Trace ID: 0000" if number else "wrong"
    said = {"error": name, "error_description": described, "error_codes": [1]}
    return json.dumps(said)


# client id: status, further header, body
SAYS: dict[str, tuple[int, str, str]] = {
    "wrong-secret": (401, "", _error("invalid_client", "7000215")),
    "ended-secret": (401, "", _error("invalid_client", "7000222")),
    "invalid-client": (400, "", _error("invalid_client")),
    "no-such-app": (400, "", _error("unauthorized_client", "700016")),
    "no-such-tenant": (400, "", _error("invalid_request", "90002")),
    "wrong-scope": (400, "", _error("invalid_scope", "70011")),
    "unauthorised": (401, "", "go away"),
    "not-found": (404, "", "<h1>Not found</h1>"),
    "elsewhere": (302, "Location: http://127.0.0.1:1/", ""),
    "busy": (429, "Retry-After: 7", "{}"),
    "busy-for-days": (429, "Retry-After: 99999999", "{}"),
    "down": (503, "", "<h1>Down</h1>"),
    "not-now": (400, "", _error("temporarily_unavailable")),
    "page": (200, "", "<!doctype html><title>Please log in to this network</title>"),
    "empty": (200, "", ""),
    "list": (200, "", "[1]"),
    "deep": (200, "", "[" * 50_000),
    "no-token": (200, "", json.dumps({"token_type": "Bearer", "expires_in": 3600})),
    "token-with-controls": (200, "", json.dumps({"access_token": "a\u0001auth=b", "token_type": "Bearer", "expires_in": 3600})),
    "ended-at-once": (200, "", json.dumps({"access_token": "abc", "token_type": "Bearer", "expires_in": 0})),
    "another-kind": (200, "", json.dumps({"access_token": "abc", "token_type": "mac", "expires_in": 3600})),
    "endless": (200, "", json.dumps({"access_token": "abc", "token_type": "Bearer", "expires_in": 3600}) + " " * 200_000),
}


class TokenServer:
    """`asked` are the forms that came, `given` the tokens that went out. `user` is whose mailbox they open. `lives`: how many seconds the
    next tokens really hold, whatever the server says of them."""

    def __init__(self, user: str, context: ssl.SSLContext | None = None, mint: Callable[..., str] = access_token) -> None:
        self.user, self._context, self._mint = user, context, mint
        self.asked: list[dict[str, str]] = []
        self.given: list[str] = []
        self.lives: list[int] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def endpoint(self) -> str:
        return f"http{'s' if self._context else ''}://{HOST}:{self.port}/{{tenant}}/oauth2/v2.0/token"

    def section(self, client_id: str) -> dict[str, Any]:
        """The section `oauth` of the settings."""
        return {"tenant": "office.example", "client_id": client_id, "client_secret": "a secret of tests", "endpoint": self.endpoint}

    def source(self, client_id: str = "good") -> AccessTokens:
        """Tokens from here, as mailbot gets them."""
        client = Client(endpoint=self.endpoint, client_id=client_id, scope="mail/.default", secret="a secret of tests", seconds=5)
        return AccessTokens(client, clock=clock.now, new_id=lambda: "an id")

    async def __aenter__(self) -> "TokenServer":
        self._server = await asyncio.start_server(self._client, HOST, self.port, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length"))
            form = dict(parse_qsl((await reader.readexactly(length)).decode(), strict_parsing=True))
            self.asked.append(form | {"path": head.split()[1]})
            await self._answer(form["client_id"], form, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has gone
        finally:
            writer.close()

    async def _answer(self, client: str, form: dict[str, str], writer: asyncio.StreamWriter) -> None:
        if client == "hangs":
            await asyncio.Event().wait()
        if client == "drips":  # never silent for long, and never at an end
            while not writer.is_closing():
                writer.write(b"X")
                await writer.drain()
                await asyncio.sleep(DRIP_SECONDS)
        status, header, body = SAYS.get(client, (200, "", ""))
        if client == "echo":
            status, body = 400, json.dumps({"error": form["client_secret"], "error_description": json.dumps(form)})
        if client.startswith(("good", "wrong-audience")):
            body = self._token(client)
        kind = JSON if body.startswith(("{", "[")) else HTML
        octets = body.encode()
        length = len(octets) * (2 if client == "cut" else 1) + (10 if client == "cut" else 0)
        lines = [f"HTTP/1.1 {status} it", f"Content-Type: {kind}", f"Content-Length: {length}", *filter(None, [header]), "", ""]
        writer.write("\r\n".join(lines).encode() + octets)
        await writer.drain()

    def _token(self, client: str) -> str:
        seconds = int(client.rpartition("-")[2]) if client.rpartition("-")[2].isdigit() else 600
        scope = "Mail.Read" if client.startswith("wrong-audience") else "IMAP.AccessAsApp"
        self.given.append(self._mint(self.user, self.lives.pop(0) if self.lives else seconds, scope))
        return json.dumps({"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": self.given[-1]})
