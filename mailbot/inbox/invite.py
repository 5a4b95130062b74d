"""Asks an address that came from a list, or from the form of our newsroom, whether its owner wants our releases: one mail, and nothing more
without an answer."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from mailbot.audience import store, suppression_store
from mailbot.audience.forgotten import digest
from mailbot.audience.journalist import ANSWERED_WITHIN, PURPOSE_OF, Ask, Channel, Event, Journalist, wish
from mailbot.audience.link import link_to, seal_of
from mailbot.database.engine import Tx
from mailbot.inbox.hand_over import Desk
from mailbot.inbox.short_reply import Word, offered
from mailbot.message.address import Address
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind
from mailbot.outbox.store import Draft
from mailbot.rendering import render, version

HOUR, ASKED_IN_A_DOMAIN = timedelta(hours=1), 20
PURPOSE = PURPOSE_OF[Event.WISH_TO_JOIN]


def invite(tx: Tx, desk: Desk, who: Journalist, origin: str, now: datetime) -> bool:
    """Of a list that the office was given. False where the address was asked of late, or needs no asking."""
    return _ask(tx, desk, who, "invitation", {"origin": origin}, Channel.COMMAND, now)


def ask_on_the_web(tx: Tx, desk: Desk, address: Address, language: str, now: datetime) -> bool:
    """Somebody has written this address into our form: the address itself is asked, at the pace at which a domain is ever asked."""
    if suppression_store.is_suppressed(tx, address.key) or suppression_store.is_suppressed(tx, digest(desk.secret, address.key)):
        return False
    if outbox.count_since(tx, Kind.CONFIRMATION, now - HOUR, domain=address.domain) >= ASKED_IN_A_DOMAIN:
        return False
    who = store.known(tx, address, language, now)
    return _ask(tx, desk, who, "confirm_subscription", {"when": now, "event": "web"}, Channel.WEB, now)


def _ask(tx: Tx, desk: Desk, who: Journalist, name: str, more: Mapping[str, Any], channel: Channel, now: datetime) -> bool:
    """Queue the question and remember it."""
    step = wish(who, Event.WISH_TO_JOIN, store.last_asked(tx, who.address).get(PURPOSE), now)
    if not isinstance(step, Ask) or not store.become(tx, who, step.becomes, now):
        return False
    office, delivery = desk.office, desk.new_id()
    language = who.language if who.language in office.spoken else office.own_language
    values = {
        "organisation": office.values, "word": offered(desk.languages[language], Word.YES),
        "link": link_to(office.public_url, desk.secret, PURPOSE, delivery), "days": ANSWERED_WITHIN.days, **more,
    }  # fmt: skip
    rendered = render(office.words, language, name, values)
    draft = Draft(
        key=f"{name}:{who.key}:{now:%Y-%m-%d}", kind=Kind.CONFIRMATION, recipient=Address(who.address), language=language,
        subject=rendered.subject, text=rendered.text, html=rendered.html,
    )  # fmt: skip
    if not desk.queue(tx, draft, delivery, now):
        return False
    store.ask(tx, who, PURPOSE, delivery, seal_of(desk.secret, PURPOSE, delivery), now)
    store.note(tx, who, channel, step.why, version(office.words, language, name), None, now)
    return True
