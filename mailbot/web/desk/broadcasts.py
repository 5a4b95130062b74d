"""Broadcasts: the plan with who gets it and who does not, the mail as each reader will see it, the approval, how far it is, the report."""

import html as markup
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from mailbot.audience import segment_store
from mailbot.audience.segment import FilterFault, parse
from mailbot.broadcast import store, tell
from mailbot.broadcast.announce import Order, announce
from mailbot.broadcast.approve import Terms, approve
from mailbot.broadcast.broadcast import TRANSITIONS, Act, Broadcast, Kind, NotAllowed, State, resuming
from mailbot.broadcast.letters import CannotWrite, Readers
from mailbot.broadcast.progress import done, seconds_for, seconds_left
from mailbot.database.engine import Tx
from mailbot.database.tables import delivery
from mailbot.message.address import key as key_of
from mailbot.message.letter import filled
from mailbot.outbox import bulk_store
from mailbot.outbox.bulk_store import Recipient
from mailbot.outbox.delivery import DeliveryState
from mailbot.releases import store as releases
from mailbot.releases.release import State as EditionState
from mailbot.web.desk.asked import Asked, Bureau, Given, Go, No, Shown

MOST = 100
BARS = 48
WIDTH, HEIGHT = 480, 120


def listed(tx: Tx, bureau: Bureau, asked: Asked) -> Shown:
    """Every announcement, the newest first; and the form of a new one."""
    every = bureau.library.all(tx)
    titles = {one.id: next((it.title for it in one.editions if it.slug == one.id), one.editions[0].title) for one in every}
    ready = [one.id for one in every if any(it.state is EditionState.PUBLISHED for it in one.editions)]
    values = {"rows": store.listed(tx, limit=MOST), "titles": titles, "ready": ready[:MOST], "chosen": asked.query.get("release", "")}
    return Shown("broadcasts", {**values, "segments": segment_store.listed(tx)})


def plan(tx: Tx, bureau: Bureau, asked: Asked) -> Go:
    """Who gets what, who is left out; nothing leaves."""
    to, at = asked.said("to", 300) or "all", asked.said("at", 40)
    named = segment_store.find(tx, to)
    try:
        where = None if to == "all" else parse(named.filter if named else to)
        leaves = datetime.fromisoformat(at).replace(tzinfo=bureau.zone) if at else None
    except (FilterFault, ValueError) as problem:
        raise No("no-plan", 400, str(problem)) from problem
    order = Order(
        release=asked.said("release", 120), kind=Kind.RELEASE, audience=to, where=where, early=bool(named and named.early), at=leaves,
        by=asked.user.address,
    )  # fmt: skip
    office, secret = bureau.desk.office, bureau.desk.secret
    try:
        made = announce(tx, office, Readers(office, secret), secret, order, bureau.desk.new_id(), asked.now)
    except (NotAllowed, CannotWrite, releases.NoSuchRelease) as problem:
        raise No("no-plan", 409, str(problem)) from problem
    return Go(f"/desk/broadcasts/{made.id}", "done-planned", f"{made.id} {made.release}")


def one(tx: Tx, bureau: Bureau, asked: Asked) -> Shown | None:
    """One announcement."""
    found = store.find(tx, asked.path["id"])
    if found is None:
        return None
    rows = tx.execute(
        sa.select(delivery.c.recipient, delivery.c.recipient_name, delivery.c.language, delivery.c.state)
        .where(delivery.c.broadcast == found.id).order_by(delivery.c.recipient_key).limit(MOST)
    ).mappings().all()  # fmt: skip
    release = releases.load(tx, found.release)
    title = next((it.title for it in release.editions if it.slug == release.id), found.release) if release else found.release
    pace = seconds_for(found.recipients, per_minute=bureau.pace[0], per_day=bureau.pace[1])
    to = asked.query.get("to", "")[:320] or (rows[0]["recipient"] if rows else "")
    return Shown("broadcast", {
        **progress(tx, found, asked.now), "one": found, "people": [dict(row) for row in rows],
        "skipped": store.skipped(tx, found.id)[:MOST], "minutes": -(-pace // 60), "names": store.approvals(tx, found.id),
        "needed": bureau.approvals, "to": to,
        "plot": plot(tx, found), "title": title,
        "may_stop": found.state in TRANSITIONS[Act.STOP], "may_resume": found.state in TRANSITIONS[Act.RESUME],
        "may_cancel": found.state in TRANSITIONS[Act.CANCEL], "hold": int(bureau.hold.total_seconds()) // 60,
    })  # fmt: skip


def progress(tx: Tx, found: Broadcast, now: datetime) -> dict[str, Any]:
    """How far it is: what stands in the part of the page that is shown live."""
    states = bulk_store.states_of(tx, found.id)
    took = (found.finished_at or now) - found.started_at if found.started_at else timedelta()
    left = seconds_left(states, took) or None if found.state is State.SENDING else None
    ended = done(states)
    per_minute = round(ended / max(took.total_seconds(), 1) * 60) if ended else 0
    return {"one": found, "states": states, "ended": ended, "left": left, "per_minute": per_minute}


def plot(tx: Tx, found: Broadcast) -> dict[str, Any] | None:
    """Mails that arrived over time, as bars of one picture. None where there is nothing to draw."""
    arrived = (delivery.c.broadcast == found.id, delivery.c.state == DeliveryState.SENT, delivery.c.finished_at.is_not(None))
    moments = list(tx.execute(sa.select(delivery.c.finished_at).where(*arrived)).scalars())
    if len(moments) < 2:
        return None
    first, last = min(moments), max(moments)
    span = max((last - first).total_seconds(), 1.0)
    counted = Counter(min(BARS - 1, int((moment - first).total_seconds() / span * BARS)) for moment in moments)
    most, wide = max(counted.values()), WIDTH / BARS
    tall = {at: round(HEIGHT * number / most, 1) for at, number in sorted(counted.items())}
    bars = [(round(at * wide, 1), HEIGHT - height, height) for at, height in tall.items()]
    return {"bars": bars, "wide": round(wide - 1, 1), "first": first, "last": last, "most": most, "width": WIDTH, "height": HEIGHT}


def preview(tx: Tx, bureau: Bureau, asked: Asked) -> Given | None:
    """The mail as one of its readers will see it, in a frame that may do nothing."""
    found, to = store.find(tx, asked.path["id"]), key_of(asked.query.get("to", "")[:320])
    if found is None:
        return None
    query = sa.select(delivery).where(delivery.c.broadcast == found.id).order_by(delivery.c.id).limit(1)
    row = tx.execute(query.where(delivery.c.recipient_key == to) if to else query).first()
    letter = bulk_store.letters_of(tx, found.id).get(row.letter) if row else None
    if row is None or letter is None:
        return None
    # its links are of no delivery: nobody at the desk can confirm or leave in a reader's name
    reader = Recipient(
        delivery="0" * 24, broadcast=found.id, journalist=row.journalist or 0, address=row.recipient, name=row.recipient_name,
        language=letter.language, format=letter.format, waits_for=letter.waits_for, release=found.release, edition=letter.edition,
        facts=row.written_from or {},
    )  # fmt: skip
    values = Readers(bureau.desk.office, bureau.desk.secret)(reader)
    if letter.html and asked.query.get("look") != "text":
        return Given(filled(letter.html, values, markup.escape).encode(), "text/html; charset=utf-8", framed=True)
    return Given(filled(letter.text, values).encode(), "text/plain; charset=utf-8", framed=True)


def agree(tx: Tx, bureau: Bureau, asked: Asked) -> Go:
    """An approval counts with the right number typed, and stands under the name of who is logged in."""
    found, desk = _found(tx, asked), bureau.desk
    terms = Terms(desk.office, desk.secret, desk.new_id, bureau.approvals, bureau.hold)
    try:
        after = approve(tx, terms, found.id, _count(asked), asked.user.address, asked.now)
    except NotAllowed as problem:
        raise No("no-count" if _count(asked) != found.recipients else "no-approval", 409, str(problem)) from problem
    told = "done-approved" if after.state is not State.DRAFT else "done-first-approval"
    return Go(f"/desk/broadcasts/{found.id}", told, f"{found.id} {found.release}", str(found.recipients))


def stop(tx: Tx, bureau: Bureau, asked: Asked) -> Go:
    """Nothing more leaves but the mail in flight."""
    found, desk = _found(tx, asked), bureau.desk
    if not tell.stop(tx, desk.office, desk.secret, desk.new_id, found.id, asked.user.address, asked.now):
        raise No("no-broadcast")
    return Go(f"/desk/broadcasts/{found.id}", "done-broadcast-stopped", f"{found.id} {found.release}")


def resume(tx: Tx, bureau: Bureau, asked: Asked) -> Go:
    """Go on; it takes the number again."""
    found = _found(tx, asked)
    if _count(asked) != found.recipients:
        raise No("no-count")
    act = resuming(found, asked.now)
    started: dict[str, Any] = {"started_at": found.started_at or asked.now} if act is Act.RESUME else {}
    return _become(tx, found, act, asked, "done-broadcast-resumed", **started)


def cancel(tx: Tx, bureau: Bureau, asked: Asked) -> Go:
    """What has not left never leaves."""
    found = _found(tx, asked)
    why = f"cancelled by {asked.user.address}"
    gone = _become(tx, found, Act.CANCEL, asked, "done-broadcast-cancelled", why=why)
    bulk_store.cancel_waiting(tx, found.id, why, asked.now)
    return gone


def _become(tx: Tx, found: Broadcast, act: Act, asked: Asked, told: str, why: str = "", **values: Any) -> Go:
    try:
        if not store.become(tx, found, act, why, asked.now, **values):
            raise No("no-broadcast")
    except NotAllowed as problem:
        raise No("no-broadcast", 409, str(problem)) from problem
    return Go(f"/desk/broadcasts/{found.id}", told, f"{found.id} {found.release}")


def _found(tx: Tx, asked: Asked) -> Broadcast:
    found = store.find(tx, asked.path["id"], lock=True)
    if found is None:
        raise No("no-lost", 404)
    return found


def _count(asked: Asked) -> int:
    given = "".join(asked.said("count", 20).split())
    return int(given) if given.isascii() and given.isdigit() else -1
