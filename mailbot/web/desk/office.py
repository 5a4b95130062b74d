"""Settings, looked at without secrets; the brakes; the journal; and who uses the desk."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mailbot.database import flag
from mailbot.database.engine import Tx
from mailbot.inbox import breaker
from mailbot.outbox import store as outbox
from mailbot.web.desk import user_store
from mailbot.web.desk.asked import Asked, Bureau, Go, Shown
from mailbot.web.desk.today import warnings

ENTRIES = 100


def settings(tx: Tx, bureau: Bureau, asked: Asked) -> Shown:
    """What holds, and what can be stopped."""
    stands = bureau.standing(tx)
    values = {"settings": bureau.settings, "stands": stands, "warnings": warnings(stands), "due": outbox.unfinished(tx, asked.now)}
    return Shown("settings", {**values, "findings": None, "users": user_store.listed(tx)})


async def look(bureau: Bureau, asked: Asked) -> Sequence[Any]:
    """What `mailbot check` finds, before any transaction: the full one waits for servers."""
    return await bureau.check(asked.said("live") == "yes")


def check(tx: Tx, bureau: Bureau, asked: Asked) -> Shown:
    """The settings again, with what was found."""
    shown = settings(tx, bureau, asked)
    return replace(shown, values={**shown.values, "findings": asked.prepared})


def journal(tx: Tx, bureau: Bureau, asked: Asked) -> Shown:
    """Who did what when."""
    before = asked.query.get("before", "")
    rows = user_store.entries(tx, int(before) if before.isascii() and before.isdigit() and len(before) < 12 else 0, ENTRIES)
    return Shown("journal", {"rows": rows, "more": rows[-1]["id"] if len(rows) == ENTRIES else 0})


def stop_sending(tx: Tx, bureau: Bureau, asked: Asked) -> Go:
    """Nothing leaves until somebody lets it."""
    flag.put(tx, flag.SENDING_STOPPED, "stopped by a person", asked.now)
    return Go("/desk/settings", "done-stop")


def resume_sending(tx: Tx, bureau: Bureau, asked: Asked) -> Go:
    """Mail leaves again, what has gathered first."""
    flag.clear(tx, flag.SENDING_STOPPED)
    return Go("/desk/settings", "done-resume")


def resume_answers(tx: Tx, bureau: Bureau, asked: Asked) -> Go:
    """mailbot answers by itself again."""
    breaker.reset(tx, asked.now)
    return Go("/desk/settings", "done-answers")
