"""Postfix's smtp-sink: a relay that we did not write, whose failures are options (-q drops, -Q 421, -r 4xx, -f 5xx, -W waits)."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import throwaway

HOST = "127.0.0.1"
BACKLOG = "64"


class SmtpSink:
    """One running sink; what it has taken stands in one file."""

    def __init__(self, port: int, dump: Path) -> None:
        self.port = port
        self._dump = dump

    def octets(self) -> int:
        """How much it has written down."""
        return self._dump.stat().st_size if self._dump.exists() else 0

    def taken(self) -> list[bytes]:
        """Every mail whose final dot it has read and accepted, with the X- lines that smtp-sink puts before it."""
        raw = self._dump.read_bytes() if self._dump.exists() else b""
        return [b"X-Client-Addr:" + part for part in raw.split(b"X-Client-Addr:")[1:]]


@contextmanager
def smtp_sink(*options: str, keep: bool = True) -> Iterator[SmtpSink]:
    """Run one with these options, as an unprivileged user on a free port, until the body ends; it may keep nothing, and be the faster."""
    program = throwaway.needed("/usr/sbin/smtp-sink")
    port = throwaway.free_port()
    with throwaway.folder("smtp-sink") as folder:
        dump = ("-D", str(folder / "taken")) if keep else ()
        command = [str(program), "-4", *options, *dump, f"{HOST}:{port}", BACKLOG]
        process = subprocess.Popen(throwaway.demoted(command), cwd=folder, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            _wait_until_it_listens(process, port)
            yield SmtpSink(port, folder / "taken")
        finally:
            process.terminate()
            process.communicate()


def _wait_until_it_listens(process: subprocess.Popen[str], port: int) -> None:
    """It says nothing when it is ready; a look every few milliseconds does."""
    deadline = time.monotonic() + throwaway.START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.005)
    raise RuntimeError(f"smtp-sink did not start: {process.stderr.read() if process.poll() is not None and process.stderr else ''}")
