"""The token server: one form sent by POST, its answer read up to a cap, all of it within one deadline. No redirect is followed.

urllib3 blocks, so it runs in a thread. Its own timeouts are per read, and a server that sends a byte now and then would hold the
thread for ever: so at the deadline, or when nobody waits any more, the socket is shut down, which ends the read.
"""

import asyncio
import contextlib
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from mailbot.oauth.access_token import TokenLater, TokenRefused

ANSWER_OCTETS = 64 << 10
TOO_LONG = "the token server's answer is too long to hold a token"


@dataclass(frozen=True, slots=True)
class Said:
    """What the token server answered."""

    status: int
    retry_after: str
    body: bytes


async def ask(endpoint: str, fields: dict[str, str], seconds: float) -> Said:
    """Send the form. Raises TokenLater where no answer comes, TokenRefused where the server's certificate cannot be trusted."""
    connection = await asyncio.to_thread(_connection, endpoint, seconds)
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.to_thread(_post, connection, urlsplit(endpoint).path, urlencode(fields))
    except ssl.SSLCertVerificationError as problem:
        said = f"the certificate of the token server is not trusted ({problem.verify_message}); no secret was sent: check oauth.endpoint"
        raise TokenRefused(said) from None
    except TimeoutError:
        raise TokenLater(f"the token server did not answer within {seconds:g} seconds") from None
    except (HTTPError, OSError, ValueError) as problem:
        raise TokenLater(f"the token server cannot be reached or breaks off: {_reason(problem)}") from None
    finally:
        _cut(connection)


def _connection(endpoint: str, seconds: float) -> HTTPConnection:
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    if parts.scheme == "http":
        return HTTPConnection(host, parts.port or 80, timeout=seconds)
    return HTTPSConnection(host, parts.port or 443, timeout=seconds, ssl_context=ssl.create_default_context())


def _post(connection: HTTPConnection, path: str, form: str) -> Said:
    head = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json", "Connection": "close"}
    connection.request("POST", path, body=form.encode(), headers=head, preload_content=False)
    answer = connection.getresponse()
    body = answer.read(ANSWER_OCTETS + 1)
    if len(body) > ANSWER_OCTETS:
        raise ValueError(TOO_LONG)
    return Said(answer.status, answer.headers.get("Retry-After", ""), body)


def _cut(connection: HTTPConnection) -> None:
    """End whatever the thread still reads or writes."""
    sock = connection.sock
    if isinstance(sock, socket.socket):
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
    connection.close()


def _reason(problem: Exception) -> str:
    """The cause in words; an error of urllib3 wraps the one that says it."""
    cause = problem.__cause__ if isinstance(problem.__cause__, OSError) else problem
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return TOO_LONG if str(problem) == TOO_LONG else type(problem).__name__
