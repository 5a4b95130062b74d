"""Asks an address that came from a list whether its owner wants our releases: one mail, and nothing more without an answer."""

from datetime import datetime

from mailbot.audience import store
from mailbot.audience.journalist import ANSWERED_WITHIN, PURPOSE_OF, Ask, Channel, Event, Journalist, wish
from mailbot.audience.link import link_to, seal_of
from mailbot.database.engine import Tx
from mailbot.inbox.hand_over import Desk
from mailbot.inbox.short_reply import Word, offered
from mailbot.message.address import Address
from mailbot.outbox.delivery import Kind
from mailbot.outbox.store import Draft
from mailbot.rendering import render, version

NAME = "invitation"


def invite(tx: Tx, desk: Desk, who: Journalist, origin: str, now: datetime) -> bool:
    """Queue the question and remember it. False where the address was asked of late, or needs no asking."""
    purpose = PURPOSE_OF[Event.WISH_TO_JOIN]
    step = wish(who, Event.WISH_TO_JOIN, store.last_asked(tx, who.address).get(purpose), now)
    if not isinstance(step, Ask) or not store.become(tx, who, step.becomes, now):
        return False
    office, delivery = desk.office, desk.new_id()
    language = who.language if who.language in office.spoken else office.own_language
    values = {
        "organisation": office.values, "origin": origin, "word": offered(desk.languages[language], Word.YES),
        "link": link_to(office.public_url, desk.secret, purpose, delivery), "days": ANSWERED_WITHIN.days,
    }  # fmt: skip
    rendered = render(office.words, language, NAME, values)
    draft = Draft(
        key=f"{NAME}:{who.key}:{now:%Y-%m-%d}", kind=Kind.CONFIRMATION, recipient=Address(who.address), language=language,
        subject=rendered.subject, text=rendered.text, html=rendered.html,
    )  # fmt: skip
    if not desk.queue(tx, draft, delivery, now):
        return False
    store.ask(tx, who, purpose, delivery, seal_of(desk.secret, purpose, delivery), now)
    store.note(tx, who, Channel.COMMAND, step.why, version(office.words, language, NAME), None, now)
    return True
