"""Starts a real server for the length of a test run: a throw-away folder, a free port, an unprivileged user, and a sure end.

The end is sure in three ways: the fixture's own stop; the kernel's signal to a server whose pytest has died (setpriv
--pdeathsig); and `leftovers`, which finds at the end of the session whatever a test started and forgot.
"""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

INSTALLER = Path(__file__).parents[1] / "install_servers.sh"
PR_SET_CHILD_SUBREAPER = 36
START_SECONDS = 30
STOP_SECONDS = 15
SHM, ROOM_OCTETS = "/dev/shm", 4 << 30


def account() -> pwd.struct_passwd:
    """Who servers run as: nobody where the tests run as root (most servers refuse root, and so they should), else ourselves."""
    return pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())


def demoted(command: Sequence[str | os.PathLike[str]]) -> list[str]:
    """The command as that account, and ended by the kernel when we die. Start it from the main thread only."""
    who = account()
    drop = [f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups", "--no-new-privs"] if os.getuid() == 0 else []
    return ["setpriv", *drop, "--pdeathsig=TERM", "--", *map(os.fspath, command)]


def stay_in_memory() -> None:
    """For a test run: databases and mailboxes live in memory where there is room. What tests kill is a process and never the machine,
    so they would learn nothing from a disk's waits."""
    if "TMPDIR" not in os.environ and os.access(SHM, os.W_OK) and shutil.disk_usage(SHM).free > ROOM_OCTETS:
        os.environ["TMPDIR"] = tempfile.tempdir = SHM


@contextmanager
def folder(name: str) -> Iterator[Path]:
    """A folder that belongs to that account and is gone afterwards. Not pytest's: nobody may not enter that one."""
    place = SHM if tempfile.gettempdir() == SHM else "/tmp"  # a short path: Unix socket names end at 107 octets
    path = Path(tempfile.mkdtemp(prefix=f"mailbot-{name}-", dir=place))
    try:
        if os.getuid() == 0:
            os.chown(path, account().pw_uid, account().pw_gid)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def free_port() -> int:
    """A port of the loopback that nobody uses at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def needed(pattern: str) -> Path:
    """The program that fits the pattern, in its newest version; where there is none, the test is skipped with the line that mends it."""
    found = sorted(Path("/").glob(pattern.lstrip("/")), key=lambda path: (len(str(path)), path))
    if not found:
        line = subprocess.run([INSTALLER, "--missing"], capture_output=True, text=True, check=True).stdout.strip()
        pytest.skip(f"{pattern} is missing. As root:  {line}")
    return found[-1]


class Server:
    """A running server: its process, and the last it said."""

    def __init__(
        self, command: Sequence[str | os.PathLike[str]], cwd: Path, *, ready: str, stop_by: signal.Signals = signal.SIGTERM
    ) -> None:
        """Start it in the foreground; return when it has printed `ready`."""
        self._stop_by = stop_by
        self._said: list[str] = []
        self._ready = threading.Event()
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(cwd), "TZ": "UTC"}
        self.process = subprocess.Popen(
            demoted(command), cwd=cwd, env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        self._listener = threading.Thread(target=self._listen, args=(ready,), daemon=True)
        self._listener.start()
        try:
            in_time = self._ready.wait(START_SECONDS)
            if not in_time or self.process.poll() is not None:
                raise RuntimeError(f"{Path(command[0]).name} did not start:\n{self.said}")
        except BaseException:  # also Ctrl-C while it starts: nothing stays behind
            self.stop()
            raise

    def _listen(self, ready: str) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._said = [*self._said[-99:], line]
            if ready in line:
                self._ready.set()
        self._ready.set()  # it has ended: nobody needs to wait any longer

    @property
    def said(self) -> str:
        """Its last hundred lines."""
        return "".join(self._said)

    def stop(self) -> None:
        """End it: politely, then not."""
        if self.process.poll() is None:
            self.process.send_signal(self._stop_by)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._listener.join(STOP_SECONDS)


def adopt_orphans() -> None:
    """A grandchild whose parent ends becomes our child (Linux), so that even a daemon cannot slip away from `leftovers`."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def leftovers() -> list[str]:
    """Every process that this test run started and that still runs: named, then killed."""
    found = [child for child in psutil.Process().children(recursive=True) if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    names = []
    for child in found:
        try:
            names.append(f"{child.pid} {' '.join(child.cmdline()) or child.name()}")
            child.kill()
        except psutil.NoSuchProcess:
            continue
    return names
