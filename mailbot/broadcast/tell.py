"""Tells every colleague that a broadcast is about to leave, or is held, and how to stop it: a reply STOP, from any of them."""

from collections.abc import Callable
from datetime import datetime

import structlog

from mailbot.broadcast import store
from mailbot.broadcast.broadcast import TOLD, TRANSITIONS, Act, Broadcast
from mailbot.database.engine import Tx
from mailbot.message import token
from mailbot.office import Office
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind
from mailbot.outbox.store import Draft
from mailbot.releases import store as releases
from mailbot.releases.release import is_public
from mailbot.rendering import render

log = structlog.get_logger()


def tell_colleagues(
    tx: Tx, office: Office, secret: bytes, new_id: Callable[[], str], one: Broadcast, event: str, why: str, now: datetime
) -> int:
    """`event`: approved, held, stopped or resumed. How many are told. The Message-ID of each is sealed: only who has it can stop by it."""
    language = office.own_language
    values = {
        "organisation": office.values, "event": event, "title": _title(tx, one, now), "recipients": one.recipients, "why": why,
        "starts": max(filter(None, (one.held_until, one.at)), default=None), "stop_word": str(office.spoken[language].replies["stop"][0]),
        "broadcast": one.id,
    }  # fmt: skip
    rendered = render(office.words, language, "broadcast_told", values)
    told = 0
    for to in office.colleagues:
        delivery = new_id()
        draft = Draft(
            key=f"{TOLD}:{one.id}:{event}:{now.isoformat()}:{to.key}", kind=Kind.TOLD, recipient=to, language=language,
            subject=rendered.subject, text=rendered.text, html=rendered.html, release=one.release,
        )  # fmt: skip
        told += outbox.enqueue(tx, draft, delivery, token.message_id(secret, delivery, office.address.domain), now)
    return told


def stop(tx: Tx, office: Office, secret: bytes, new_id: Callable[[], str], broadcast_id: str, by: str, now: datetime) -> bool:
    """A colleague's word is enough. False where there is nothing to stop any more; then whoever said so is not told that there was."""
    one = store.find(tx, broadcast_id, lock=True)
    if one is None or one.state not in TRANSITIONS[Act.STOP]:
        return False
    why = f"stopped by {by}"
    store.become(tx, one, Act.STOP, why, now)
    log.info("broadcast", broadcast=one.id, act=Act.STOP)
    tell_colleagues(tx, office, secret, new_id, one, "stopped", why, now)
    return True


def _title(tx: Tx, one: Broadcast, now: datetime) -> str:
    """What is under embargo is named by the number of its announcement alone: also a colleague's mail can be read by others."""
    release = releases.load(tx, one.release)
    return release.editions[0].title if release and is_public(release, now) else one.id
