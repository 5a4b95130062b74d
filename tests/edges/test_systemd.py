"""What systemd hears, on a real datagram socket: ready, alive only while the flows go on, how it stands, stopping."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot import clock, service, systemd
from mailbot.pulse import Pulse
from mailbot.settings import load, service_manager
from tests.edges.test_check import configured

only_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


class Manager:
    """Listens as systemd does."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._line.bind("\0" + address[1:] if address.startswith("@") else address)
        self._line.setblocking(False)

    async def hears(self) -> str:
        """The next datagram."""
        async with asyncio.timeout(20):
            return (await asyncio.get_running_loop().sock_recv(self._line, 4096)).decode()

    def heard(self) -> list[str]:
        """Everything that has come so far."""
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(self._line.recv(4096).decode())
        return found

    def close(self) -> None:
        self._line.close()


@pytest.fixture(params=["a file", "an abstract name"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    there = Manager(str(tmp_path / "notify") if request.param == "a file" else f"@mailbot-{tmp_path.name}-{id(request)}")
    yield there
    there.close()


async def test_a_word_arrives_whole(manager: Manager) -> None:
    systemd.notify(manager.address, "READY=1", "STATUS=Réponses arrêtées.")
    assert await manager.hears() == "READY=1\nSTATUS=Réponses arrêtées."


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "@nobody-listens-here"])
def test_where_nobody_listens_nothing_happens(address: str) -> None:
    systemd.notify(address, "READY=1")


async def test_alive_is_said_while_the_flows_go_on_and_not_when_one_hangs(manager: Manager) -> None:
    alive = True

    async def status() -> str:
        return "two\nlines"

    telling = asyncio.create_task(systemd.keep_telling(manager.address, 0.03, lambda: alive, status))
    assert [await manager.hears() for _ in range(4)] == ["WATCHDOG=1", "STATUS=two lines"] * 2
    alive = False
    await asyncio.to_thread(manager.heard)
    assert {await manager.hears() for _ in range(4)} == {"STATUS=two lines"}
    telling.cancel()


def test_a_flow_is_alive_until_it_breaks_its_word() -> None:
    pulse = Pulse()
    assert pulse.beats(1e9), "what has not begun has promised nothing"
    pulse.beat(100, within=5)
    assert pulse.beats(105)
    assert not pulse.beats(105.1)
    pulse.beat(106, within=5)
    assert pulse.beats(106)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ("", 0)),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "60000000"}, ("@x", 60)),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, ("/x", 0)),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "soon"}, ("/x", 0)),
    ],
    ids=["nobody asks", "a watchdog", "another process's watchdog", "nonsense"],
)
def test_what_systemd_asks_for_is_read(environment: dict[str, str], expected: tuple[str, float]) -> None:
    assert service_manager(environment) == expected


def test_what_systemd_sets_is_no_setting_of_ours(tmp_path: Path) -> None:
    load(None, {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1", "CREDENTIALS_DIRECTORY": "/x"})


@only_sqlite
async def test_the_service_says_ready_then_alive_then_stopping(database_url: str, manager: Manager) -> None:
    parts, asked = service.build(configured(database_url), clock.now), asyncio.Event()
    running = asyncio.create_task(
        service.run(parts, ("outbox",), asked=asked, shutdown_seconds=5, manager=(manager.address, 60.0)),
    )  # fmt: skip
    assert [await manager.hears() for _ in range(2)] == ["READY=1", "WATCHDOG=1"]
    assert (await manager.hears()).startswith("STATUS=Mode observe; mailbox read never, mail sent never.")
    assert parts.is_alive()
    parts.dispatcher.pulses[0].beat(0, within=0)
    assert not parts.is_alive(), "a dispatcher that hangs"
    parts.dispatcher.pulses[0].beat(1e12, within=0)
    parts.watcher.pulse.beat(0, within=0)
    assert not parts.is_alive(), "a watcher that hangs"
    asked.set()
    await running
    assert (await manager.hears()).startswith("STOPPING=1\n")
    assert manager.heard() == []
