"""The flow by which people let an announcement leave: the right number, as many names as the office wants, a hold that all are told of."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailbot.broadcast import store
from mailbot.broadcast.broadcast import Act, Broadcast, NotAllowed, may_approve
from mailbot.broadcast.tell import tell_colleagues
from mailbot.database.engine import Tx
from mailbot.office import Office


@dataclass(frozen=True, slots=True)
class Terms:
    """Who is told, how many have to approve, and how long it is held after the last of them."""

    office: Office
    secret: bytes
    new_id: Callable[[], str]
    approvals: int
    hold: timedelta


def approve(tx: Tx, terms: Terms, broadcast_id: str, count: int, name: str, now: datetime) -> Broadcast:
    """One approval; as it stands then. Raises NotAllowed where it does not count: nothing has changed then."""
    found = store.find(tx, broadcast_id)
    together = {one.id: one for one in store.of_release(tx, found.release)} if found else {}  # two plans of one release wait for each other
    if found is None or found.id not in together:
        raise NotAllowed(f"There is no announcement {broadcast_id!r}, or several begin so. `mailbot broadcast list` shows them.")
    one = together[found.id]
    names = store.approvals(tx, one.id)
    if why := may_approve(one, count, names, name, terms.approvals):
        raise NotAllowed(why)
    if got_it := store.have_it_by_now(tx, one):
        raise NotAllowed(
            f"{got_it} of its {one.recipients} people got {one.release} by another announcement since this was planned, or will. Nobody is "
            f"mailed twice: cancel it (mailbot broadcast cancel {one.id}), and plan it anew."
        )  # fmt: skip
    store.approve(tx, one.id, name.strip() or "-", now)
    if len(names) + 1 < terms.approvals:
        return one
    store.become(tx, one, Act.SCHEDULE if one.at else Act.APPROVE, "", now, held_until=now + terms.hold)
    agreed = store.find(tx, one.id)
    assert agreed is not None
    tell_colleagues(tx, terms.office, terms.secret, terms.new_id, agreed, "approved", "", now)
    return agreed
