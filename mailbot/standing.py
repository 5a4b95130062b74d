"""How mailbot stands, for people and programs: the facts behind `mailbot status`."""

from typing import Any

from mailbot.alerts import store as alerts
from mailbot.broadcast import store as broadcasts
from mailbot.database import flag
from mailbot.database.engine import Tx
from mailbot.inbox import store as inbox
from mailbot.outbox import store as outbox

BROADCASTS_TOLD = 20


def standing(tx: Tx, mode: str) -> dict[str, Any]:
    """The document of INTERFACE.md, `mailbot status --json`."""
    untold, trouble = alerts.undelivered(tx)
    return {
        "inbox": {
            "mode": mode,
            "last_success": flag.get(tx, flag.INBOX_SUCCESS),
            "handled": inbox.handled(tx),
            "undecided": inbox.undecided(tx),
            "answers_stopped": flag.get(tx, flag.ANSWERS_STOPPED) is not None,
            "waiting_for_a_person": inbox.waiting(tx),
            "trouble": flag.get(tx, flag.INBOX_TROUBLE) or "",
            "login_refused": flag.get(tx, flag.INBOX_LOGIN_REFUSED) or "",
        },
        "outbox": {
            "sending_stopped": flag.get(tx, flag.SENDING_STOPPED) is not None,
            "last_success": flag.get(tx, flag.RELAY_SUCCESS),
            "trouble": flag.get(tx, flag.RELAY_TROUBLE) or "",
            "login_refused": flag.get(tx, flag.RELAY_LOGIN_REFUSED) or "",
            "states": outbox.states(tx),
        },
        "broadcasts": [dict(broadcasts.summary(tx, one)) for one in broadcasts.listed(tx, limit=BROADCASTS_TOLD)],
        "alerts": {"open": alerts.open_alerts(tx), "undelivered": untold, "trouble": trouble},
    }


def in_a_line(tx: Tx, mode: str) -> str:
    """The same for who looks at the service itself, cheap enough for every few seconds."""
    wrong = ", ".join(one["condition"] for one in alerts.open_alerts(tx))
    stopped = " Sending is stopped." if flag.get(tx, flag.SENDING_STOPPED) else ""
    read, sent = flag.get(tx, flag.INBOX_SUCCESS) or "never", flag.get(tx, flag.RELAY_SUCCESS) or "never"
    return f"Mode {mode}; mailbox read {read}, mail sent {sent}.{stopped}{f' Alerts: {wrong}.' if wrong else ''}"
