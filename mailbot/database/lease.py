"""Who may do what alone: a row with a holder and an end, renewed while the holder lives.

A lease ends in three ways: its holder gives it back on a clean exit, its time runs out, or another process on the same
machine sees that the holder's process is gone (so that a restart after a crash waits for nobody). The holder's name
therefore says which machine, which process namespace, which process and when that process was born.
"""

import os
import socket
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from mailbot.database.engine import Tx, insert
from mailbot.database.tables import lease


def this_process(unique: str) -> str:
    """The holder's name of this process; `unique` tells two holders in one process apart."""
    return f"{_machine()}|{_namespace()}|{os.getpid()}|{_born(os.getpid())}|{unique}"


def has_died(holder: str) -> bool:
    """True only when the holder was a process of this machine that certainly is no more."""
    parts = holder.split("|")
    if len(parts) != 5 or parts[0] != _machine() or parts[1] != _namespace() or not parts[1] or not parts[2].isdigit():
        return False
    return _born(int(parts[2])) != parts[3]


def acquire(tx: Tx, name: str, holder: str, now: datetime, seconds: float) -> bool:
    """Take or renew the lease `name`. False where somebody else holds it and lives."""
    found = tx.execute(sa.select(lease.c.holder, lease.c.until).where(lease.c.name == name)).first()
    until = now + timedelta(seconds=seconds)
    if found is None:
        row = insert(tx, lease).values(name=name, holder=holder, until=until).on_conflict_do_nothing().returning(lease.c.name)
        return tx.execute(row).first() is not None
    if found.holder != holder and found.until > now and not has_died(found.holder):
        return False
    # The old holder stands in the condition: of two that take over at once, the second finds it changed.
    taken = tx.execute(
        lease.update()
        .where(lease.c.name == name, lease.c.holder == found.holder, lease.c.until == found.until)
        .values(holder=holder, until=until)
    )
    return taken.rowcount == 1


def release(tx: Tx, name: str, holder: str) -> None:
    """Give this one back."""
    tx.execute(lease.delete().where(lease.c.name == name, lease.c.holder == holder))


def release_all(tx: Tx, holder: str) -> None:
    """Give back everything that this holder has, on a clean exit."""
    tx.execute(lease.delete().where(lease.c.holder == holder))


def living(tx: Tx, now: datetime) -> frozenset[str]:
    """Every holder whose lease has not run out and who is not known to be dead."""
    rows = tx.execute(sa.select(lease.c.holder).where(lease.c.until > now).distinct())
    return frozenset(row.holder for row in rows if not has_died(row.holder))


def _machine() -> str:
    """The host, and which start of it: machines that were copied from one another share names, but never a boot."""
    try:
        return f"{socket.gethostname()}/{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}"
    except OSError:
        return socket.gethostname()


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""  # no /proc: then only time ends a lease


def _born(pid: int) -> str:
    """The process's start in clock ticks since boot; empty where there is no such process, or only its remains."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
