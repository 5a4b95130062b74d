"""Today: what waits for a person, what is about to leave, what was answered and why, and how mailbot is."""

from datetime import datetime, time
from typing import Any

from mailbot.database.engine import Tx
from mailbot.web.desk import desk_store
from mailbot.web.desk.asked import Asked, Bureau, Shown
from mailbot.web.desk.role import Role

WAITING, DONE, LEAVING = 30, 10, 10


def today(tx: Tx, bureau: Bureau, asked: Asked) -> Shown:
    """The first page of the day."""
    local = asked.now.astimezone(bureau.zone)
    morning = datetime.combine(local.date(), time.min, bureau.zone)
    protects = asked.user.may(Role.PROTECTION)
    counted = desk_store.counts(tx, morning)
    stands = bureau.standing(tx)
    return Shown("today", {
        "waiting": desk_store.shielded(desk_store.waiting(tx, WAITING), protects), "stands": stands, "warnings": warnings(stands),
        "done": desk_store.shielded(desk_store.done(tx, morning, DONE), protects), "leaving": desk_store.leaving(tx, LEAVING),
        "answered": counted.get("send_release", 0), "handed": counted.get("hand_off", 0), "ignored": counted.get("ignore", 0),
    })  # fmt: skip


def warnings(stands: dict[str, Any]) -> list[tuple[str, str]]:
    """What is wrong, worst first: a key of desk.yaml, and what a server said."""
    inbox, outbox = stands["inbox"], stands["outbox"]
    found = [
        ("health-sending-stopped", "") if outbox["sending_stopped"] else None,
        ("health-answers-stopped", "") if inbox["answers_stopped"] else None,
        ("health-inbox-login", inbox["login_refused"]) if inbox["login_refused"] else None,
        ("health-relay-login", outbox["login_refused"]) if outbox["login_refused"] else None,
        ("health-inbox", inbox["trouble"]) if inbox["trouble"] and inbox["trouble"] != inbox["login_refused"] else None,
        ("health-relay", outbox["trouble"]) if outbox["trouble"] and outbox["trouble"] != outbox["login_refused"] else None,
        ("health-never", "") if not inbox["last_success"] else None,
    ]
    return [one for one in found if one is not None]
