"""A throw-away PostgreSQL: one cluster per test run, one database per test.

What a test kills is a process, never the machine: what was committed survives that without fsync.
A test's database is copied from a template that has the tables already; that takes some 30 ms and leaves no trace of the test before.
"""

import itertools
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from tests.servers import throwaway

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "synchronous_commit": "on",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",  # nothing here lives long enough
    "shared_buffers": "16MB",
    "max_connections": "60",
    "checkpoint_timeout": "1h",
    "log_min_messages": "warning",
}
_AS_IN_AN_OFFICE = {"shared_buffers": "128MB"}  # what it has where nobody sets it
_FORGETFUL = {"fsync": "off", "full_page_writes": "off"}


class Postgres:
    """A running cluster, and the databases made in it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._numbers = itertools.count(1)
        self._connection = psycopg.connect(self.url("postgres"), autocommit=True)

    def url(self, name: str) -> str:
        """The address of a database in it, as database.url takes it."""
        return f"postgresql://mailbot@127.0.0.1:{self.port}/{name}"

    def create(self, template: str = "template1") -> str:
        """A new database; returns its name."""
        name = f"mailbot_{next(self._numbers)}"
        # FILE_COPY would start with a checkpoint: slower for a database as small as ours.
        self._do(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY WAL_LOG")
        return name

    def drop(self, name: str) -> None:
        """Away with it, whoever is still connected."""
        self._do(f"DROP DATABASE {name} WITH (FORCE)")

    def _do(self, statement: str) -> None:
        self._connection.execute(statement.encode())

    def close(self) -> None:
        """Leave the cluster to its end."""
        self._connection.close()


@contextmanager
def running(*, durable: bool = False) -> Iterator[Postgres]:
    """A cluster for the length of the block. `durable`: it waits for the disk, as in an office."""
    programs = throwaway.needed("/usr/lib/postgresql/*/bin/postgres").parent
    with throwaway.folder("postgres") as folder:
        data, port = folder / "data", throwaway.free_port()
        _initialise(programs / "initdb", data)
        settings = _SETTINGS | (_AS_IN_AN_OFFICE if durable else _FORGETFUL) | {"port": str(port), "unix_socket_directories": str(folder)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        # SIGINT is PostgreSQL's fast shutdown: it does not wait for those who are still connected.
        server = throwaway.Server(
            [programs / "postgres", "-D", data, *options], folder, ready="ready to accept connections", stop_by=signal.SIGINT
        )
        try:
            with closing(Postgres(port)) as cluster:
                yield cluster
        finally:
            server.stop()


def _initialise(initdb: Path, data: Path) -> None:
    """Make the cluster's files. The password-less login is for this machine's loopback and this run only."""
    command = [initdb, "-D", data, "--username=mailbot", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    done = subprocess.run(throwaway.demoted(command), cwd=data.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")
