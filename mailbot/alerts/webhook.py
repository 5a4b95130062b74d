"""An alert as JSON to the one address that the settings name: a POST, no redirect, a deadline that nobody can stretch.

urllib3's timeouts are for each read, so a server that sends one octet at a time would hold the thread for hours, and the process at its
end. So the line is cut when the time is over. The answer's body is not read; a 2xx is a yes.
"""

import asyncio
import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Url, parse_url

CONNECT_SECONDS = 10.0
TROUBLE = (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError)


class WebhookRefused(Exception):
    """The webhook did not take it. The message says why, without the address, which may be a secret."""


async def post(url: str, body: Mapping[str, Any], seconds: float) -> None:
    """One try, in a thread. Raises WebhookRefused."""
    await asyncio.to_thread(_post, parse_url(url), json.dumps(body).encode(), seconds)


def _post(url: Url, body: bytes, seconds: float) -> None:
    connection = _connection(url, min(CONNECT_SECONDS, seconds))
    over = threading.Timer(seconds, _cut, (connection,))
    over.daemon = True
    try:
        over.start()
        connection.connect()
        connection.sock.settimeout(seconds)  # for the answer; it is `over` that keeps the deadline
        connection.request("POST", url.request_uri, body=body, headers={"Content-Type": "application/json", "User-Agent": "mailbot"})
        status = connection.getresponse().status
    except TROUBLE as trouble:
        raise WebhookRefused(f"the webhook could not be reached: {type(trouble).__name__}") from None  # its words may name the address
    finally:
        over.cancel()
        connection.close()
    if not 200 <= status < 300:
        raise WebhookRefused(f"the webhook answered {status}")


def _connection(url: Url, connect_seconds: float) -> HTTPConnection:
    host = (url.host or "").strip("[]")
    if url.scheme == "https":
        return HTTPSConnection(host, url.port or 443, timeout=connect_seconds, ssl_context=ssl.create_default_context())
    return HTTPConnection(host, url.port or 80, timeout=connect_seconds)


def _cut(connection: HTTPConnection) -> None:
    with contextlib.suppress(OSError, AttributeError):  # it is over already, or just ending
        connection.sock.shutdown(socket.SHUT_RDWR)
