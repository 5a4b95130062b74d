"""Takes the desk away from somebody: everything that lets them in ends, and what they had goes to somebody else, in one transaction."""

from datetime import datetime

from mailbot.cases import store as cases
from mailbot.cases.case import CaseState
from mailbot.database.engine import Tx
from mailbot.inbox.hand_over import Desk, hand_over, pass_on
from mailbot.message.address import key as key_of
from mailbot.web.desk import user_store


def dismiss(tx: Tx, desk: Desk, key: str, now: datetime) -> int | None:
    """How many cases went to somebody else. None where nobody with this key uses the desk, and nothing is done."""
    if not user_store.remove(tx, key):
        return None
    passed = 0
    names = desk.office.colleagues
    for case in cases.waiting(tx):
        if key_of(case.colleague) != key or case.state is CaseState.ANSWERING:  # a text of theirs that was echoed leaves, or is stopped
            continue
        place = next((number for number, one in enumerate(names) if one.key == key), -1)
        wrote = case.journalist.key if case.journalist else ""
        others = [one for one in (*names[place + 1 :], *names[: max(place, 0)]) if one.key not in (key, wrote)]
        passed += hand_over(tx, desk, case, others[0], "away", now) if others else pass_on(tx, desk, case, "away", now)
    return passed
