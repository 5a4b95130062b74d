"""What a service tells systemd: ready, alive, how it stands, about to stop; a datagram each (sd_notify(3)), no library.

Alive is said only while `is_alive` is true, so that a flow that hangs is ended and started anew: a process that has stopped to read mail
looks well from outside, because it still runs.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable

ROUNDS = 3.0                # how often alive is said in the time that systemd waits
LONGEST_SECONDS = 30.0      # between two words on how it stands, where no watchdog asks


def notify(address: str, *said: str) -> None:
    """One datagram of lines such as READY=1. Nobody listens, or the address is empty: nothing happens."""
    if not address:
        return
    place = "\0" + address[1:] if address.startswith("@") else address  # @: a name in the abstract namespace
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
        line.setblocking(False)  # a service manager that does not read must not hold us up
        line.sendto("\n".join(said).encode(), place)


async def keep_telling(
    address: str, watchdog_seconds: float, is_alive: Callable[[], bool], status: Callable[[], Awaitable[str]]
) -> None:
    """Say again and again how it stands, and that it lives where that is so. Until cancelled, or at once where nobody listens."""
    if not address:
        return
    pause = min(watchdog_seconds / ROUNDS or LONGEST_SECONDS, LONGEST_SECONDS)
    while True:
        if is_alive():
            notify(address, "WATCHDOG=1")
        notify(address, "STATUS=" + " ".join((await status()).split()))
        await asyncio.sleep(pause)
