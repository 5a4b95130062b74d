"""The flow behind a link about the press list: looking changes nothing, and the button does what a reply with one word would.

Scanners open every link in a mail, so only a POST acts (MAIL.md #15); and they open it again, so twice is harmless.
"""

from datetime import datetime
from enum import StrEnum
from typing import assert_never

import structlog

from mailbot.audience import store
from mailbot.audience.journalist import Ask, Asked, Change, Channel, Keep, Purpose, Refuse, Step, Tell, Why, answer
from mailbot.audience.link import delivery_of, seal_of
from mailbot.database.engine import Tx

log = structlog.get_logger()


class Standing(StrEnum):
    """How it stands with a link; the names are those of the pages."""

    OPEN = "open"           # the button does it
    DONE = "done"           # it has just been done
    ALREADY = "already"     # it was so before
    TOO_LATE = "too-late"
    REFUSED = "refused"     # the address is not to be written to


def asked_by(tx: Tx, secret: bytes, purpose: Purpose, link: str) -> Asked | None:
    """What the mail with this link asked; None where the link is none of ours, or is for something else."""
    delivery = delivery_of(secret, purpose, link)
    asked = store.asked(tx, (delivery,)) if delivery else None
    return asked if asked and asked.purpose is purpose else None


def standing(asked: Asked, now: datetime) -> Standing:
    """What the page says before anybody presses the button."""
    return Standing.OPEN if isinstance(step := answer(asked, now), Change) else _unchanged(step)


def follow(tx: Tx, secret: bytes, purpose: Purpose, link: str, now: datetime) -> tuple[Standing, Asked] | None:
    """Do what the link is for, once, and say how it stands; None where the link is none of ours."""
    asked = asked_by(tx, secret, purpose, link)
    if asked is None:
        return None
    step = answer(asked, now)
    if not isinstance(step, Change):
        return _unchanged(step), asked
    redeemed = store.redeem(tx, seal_of(secret, purpose, asked.delivery), purpose, now)
    if not redeemed or not store.become(tx, asked.journalist, step.becomes, now):
        return Standing.ALREADY, asked
    store.note(tx, asked.journalist, Channel.WEB, step.why, purpose, None, now)
    log.info("press-list", by="link", why=step.why)
    return Standing.DONE, asked


def _unchanged(step: Step) -> Standing:
    match step:
        case Keep() | Tell():
            return Standing.ALREADY
        case Refuse(why=Why.TOO_LATE):
            return Standing.TOO_LATE
        case Refuse(why=Why.NOT_ASKED):
            return Standing.ALREADY
        case Refuse():
            return Standing.REFUSED
        case Ask() | Change():
            raise AssertionError(f"an answer neither asks nor changes here: {step}")
        case _:
            assert_never(step)
