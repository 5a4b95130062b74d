"""A connected socket to the relay, and the proof of a login by token: what aiosmtplib does otherwise than we need it."""

import asyncio
import socket
from base64 import b64encode

import aiosmtplib
from aiosmtplib import SMTP

ASKED = 334


async def dial(host: str, port: int, seconds: float) -> socket.socket:
    """A connected socket. Every address of the host gets its share of the time: one that is silent does not hide the next."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(seconds):
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    trouble: OSError = ConnectionError(f"{host} has no address")
    for family, kind, protocol, _, address in found:
        dialled = socket.socket(family, kind, protocol)
        dialled.setblocking(False)
        try:
            async with asyncio.timeout(seconds / len(found)):
                await loop.sock_connect(dialled, address)
            return dialled
        except BaseException as error:  # whatever it was, also a cancellation: no socket stays open
            dialled.close()
            if not isinstance(error, OSError):
                raise
            trouble = error
    raise trouble


async def prove(client: SMTP, username: str, token: str) -> aiosmtplib.SMTPResponse:
    """The token in a line of its own: in the line of AUTH, where aiosmtplib puts it, it is longer than a command may be (RFC 4954, 4)."""
    said = await client.execute_command(b"AUTH XOAUTH2")
    if said.code == ASKED:
        said = await client.execute_command(b64encode(f"user={username}\1auth=Bearer {token}\1\1".encode()))
    if said.code == ASKED:  # it tells what is wrong, and waits for an empty line
        said = await client.execute_command(b"")
    return said
