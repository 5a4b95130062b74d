"""The flow by which an address joins the press list, leaves it or comes back, by mail.

All in the transaction that records the decision: the state, the consent, and the one mail that asks or tells. A crash leaves all of
it or nothing. No mail about the list carries a word of whoever asked for it, not even the name (MAIL.md #14): the address may be
somebody else's. In draft mode only what the address itself may decide is recorded, and a person says so; nothing is asked.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any, assert_never

import structlog

from mailbot.audience import store, suppression_store
from mailbot.audience.journalist import (
    ANSWERED_WITHIN,
    PURPOSE_OF,
    Ask,
    Change,
    Channel,
    Event,
    Journalist,
    Keep,
    Leaver,
    Purpose,
    Refuse,
    State,
    Step,
    Tell,
    Why,
    answer,
    wish,
)
from mailbot.audience.link import link_to, seal_of, stopped_by
from mailbot.database.engine import Tx
from mailbot.inbox.compose import Subject
from mailbot.inbox.hand_over import Desk
from mailbot.inbox.known_store import Known
from mailbot.inbox.membership import departure, event_of
from mailbot.inbox.outcome import Confirm, Context, Subscribe, Unsubscribe
from mailbot.inbox.short_reply import Word, offered
from mailbot.message import token
from mailbot.message.address import Address
from mailbot.message.incoming import IncomingMessage, Unreadable
from mailbot.message.outgoing import answer_references
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind
from mailbot.rendering import render, version

log = structlog.get_logger()
_QUESTIONS = {Event.WISH_TO_JOIN: "confirm_subscription", Event.WISH_TO_LEAVE: "confirm_departure"}
_WORDS = {"confirm_subscription": Word.YES, "confirm_departure": Word.YES, "subscribed": Word.STOP, "departed": Word.BACK}


def gather(tx: Tx, context: Context, sender: Address | None, known: Known) -> Context:
    """The same with what is known of the sender and the list."""
    if sender is None:
        return context
    who = store.find(tx, sender.key) if known.sender else None
    if who is not None and suppression_store.is_suppressed(tx, who.key):
        who = replace(who, state=State.SUPPRESSED)
    return replace(
        context, journalist=who, last_asked=store.last_asked(tx, sender.address) if known.sender else {},
        asked=store.asked(tx, context.own_deliveries), list_mails_hour_domain=known.list_mails_hour_domain,
    )  # fmt: skip


def leaver(tx: Tx, secret: bytes, message: IncomingMessage | Unreadable) -> Leaver | None:
    """Whom the token in its subject takes off the list."""
    delivery, words = ("", "") if isinstance(message, Unreadable) else stopped_by(secret, message.subject)
    reader = store.reader_of(tx, delivery) if delivery else None
    if reader is None:
        return None
    suppressed = suppression_store.is_suppressed(tx, reader.key)
    return Leaver(replace(reader, state=State.SUPPRESSED) if suppressed else reader, words)


def join(tx: Tx, desk: Desk, decision: Subscribe | Unsubscribe | Confirm, subject: Subject, language: str, now: datetime) -> None:
    """Carry out what was decided. `language`: that of the mail that follows."""
    message, sender = subject.message, subject.sender
    assert isinstance(message, IncomingMessage)
    if isinstance(decision, Unsubscribe) and decision.reader is not None:
        reader = store.known(tx, Address(decision.reader.address), language, now)
        _follow(tx, desk, reader, departure(reader, now), message.subject, subject, language, now)
        return
    assert sender is not None
    if isinstance(decision, Confirm):
        asked = decision.asked
        if store.redeem(tx, seal_of(desk.secret, asked.purpose, asked.delivery), asked.purpose, now):
            _follow(tx, desk, asked.journalist, answer(asked, now), decision.words, subject, language, now)
        return
    event = Event.WISH_TO_JOIN if isinstance(decision, Subscribe) else event_of(decision)
    who = store.known(tx, sender, language, now)
    step = wish(who, event, store.last_asked(tx, sender.address).get(PURPOSE_OF[event]), now)
    if isinstance(step, Ask):
        _ask(tx, desk, who, event, step, subject, language, now)
    else:
        _follow(tx, desk, who, step, message.visible_text.strip() or message.subject, subject, language, now)


def _ask(tx: Tx, desk: Desk, who: Journalist, event: Event, step: Ask, subject: Subject, language: str, now: datetime) -> None:
    """One mail to the address itself; which version of our words it was is kept."""
    name = _QUESTIONS[event]
    if desk.mode == "automatic" and store.become(tx, who, step.becomes, now):
        _write(tx, desk, who, name, PURPOSE_OF[event], step.why, subject, language, now)
        store.note(tx, who, Channel.MAIL, step.why, version(desk.office.words, language, name), subject.mail, now)


def _follow(tx: Tx, desk: Desk, who: Journalist, step: Step, words: str, subject: Subject, language: str, now: datetime) -> None:
    """What changes without asking, and the mail that says so."""
    match step:
        case Change(becomes=state, why=why):
            if not store.become(tx, who, state, now):
                return
            store.note(tx, who, Channel.MAIL, why, words, subject.mail, now)
        case Tell(why=why):
            pass
        case Ask() | Keep() | Refuse():
            return
        case _:
            assert_never(step)
    log.info("press-list", mail=subject.mail, why=why)
    if desk.mode == "automatic":
        on_it = why in (Why.CONFIRMED, Why.RETURNED, Why.ALREADY_SUBSCRIBED)
        name, purpose = ("subscribed", Purpose.JOIN) if on_it else ("departed", Purpose.RETURN)
        _write(tx, desk, who, name, purpose, why, subject, language, now)


def _write(
    tx: Tx, desk: Desk, who: Journalist, name: str, purpose: Purpose, why: Why, subject: Subject, language: str, now: datetime
) -> None:
    """Queue a mail about the list, and remember what an answer to it would mean."""
    message, office, delivery = subject.message, desk.office, desk.new_id()
    assert isinstance(message, IncomingMessage)
    link = link_to(office.public_url, desk.secret, purpose, delivery) if name in _QUESTIONS.values() else ""
    values: dict[str, Any] = {
        "organisation": office.values, "when": subject.received_at, "word": offered(desk.languages[language], _WORDS[name]),
        "event": str(why), "days": ANSWERED_WITHIN.days, "link": link,
    }  # fmt: skip
    rendered = render(office.words, language, name, values)
    answers = subject.sender is not None and subject.sender.key == who.key  # a token may come from anybody, and who that was is his affair
    draft = outbox.Draft(
        key=f"{name}:{subject.mail}", kind=Kind.CONFIRMATION, recipient=Address(who.address), language=language,
        subject=rendered.subject, text=rendered.text, html=rendered.html, in_reply_to=message.message_id if answers else "",
        references=answer_references(message.message_id, message.references) if message.message_id and answers else (), mail=subject.mail,
    )  # fmt: skip
    if outbox.enqueue(tx, draft, delivery, token.message_id(desk.secret, delivery, office.address.domain), now):
        store.ask(tx, who, purpose, delivery, seal_of(desk.secret, purpose, delivery), now, used=name == "subscribed")
