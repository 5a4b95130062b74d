"""How mailbot stands, for people and programs: the facts behind `mailbot status`."""

from typing import Any

from mailbot.database import flag
from mailbot.database.engine import Tx
from mailbot.inbox import store as inbox
from mailbot.outbox import store as outbox


def standing(tx: Tx, mode: str) -> dict[str, Any]:
    """The document of INTERFACE.md, `mailbot status --json`."""
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
        "broadcasts": [],
    }
