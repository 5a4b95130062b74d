"""The flow that has a release signed: the question to the signatory, their word, and what the office hears of it.

Each step is one transaction: the question and its mail, the word and the note about it. The link is used once, and only for the text
that was shown. What follows from a signature is the rule of releases/sign_off_store.py; nothing is published here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from mailbot.database.engine import Tx
from mailbot.inbox import compose_sign_off
from mailbot.inbox.hand_over import Desk
from mailbot.outbox import store as outbox
from mailbot.releases import sign_off_store as signatures
from mailbot.releases import store
from mailbot.releases.release import Release, State
from mailbot.releases.sign_off import (
    SignOff,
    Standing,
    Verdict,
    content_hash,
    files_of,
    link_to,
    release_of,
    seal_in,
    seal_of,
    standing,
)

log = structlog.get_logger()


class CannotSubmit(Exception):
    """The release cannot be submitted; nothing was sent. The message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """The question, and whether it was asked now or stands since before."""

    asked: SignOff
    again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A question, how it stands with its link, and the text that is to be signed."""

    asked: SignOff
    stands: Standing
    release: Release


def question(desk: Desk, release: Release, stored: Release, delivery_id: str, number: int) -> outbox.Draft:
    """The mail to the signatory. Raises CannotSubmit where nobody signs, or no page can be reached."""
    office = desk.office
    if office.signatory is None:
        raise CannotSubmit("Nobody signs releases here: name the signatory's address in releases.sign_off, or publish without a signature.")
    if not office.public_url:
        raise CannotSubmit(
            "Without web.public_url there is no page on which a release could be signed, and nobody was written to. Set it to the https "
            "address under which `mailbot run` can be reached."
        )
    link = link_to(office.public_url, desk.secret, delivery_id)
    key = f"sign-off:{release.id}:{number}"
    correction = content_hash(release) != content_hash(stored)
    return compose_sign_off.question(office, office.signatory, release, link, key, correction=correction)


def submit(tx: Tx, desk: Desk, release: Release, now: datetime) -> Submitted:
    """Ask the signatory about this text. `release` is as it will be: as it is stored, or with a correction in it. Twice is once.

    Raises CannotSubmit, store.NoSuchRelease."""
    stored = store.load(tx, release.id)
    if stored is None:
        raise store.NoSuchRelease(release.id)
    found, hashed = signatures.questions(tx, release.id), content_hash(release)
    newest, number = (found[0], found[0].number + 1) if found else (None, 1)
    delivery_id = desk.new_id()
    draft = question(desk, release, stored, delivery_id, number)
    if newest is not None and newest.signatory == draft.recipient.key and newest.content_hash == hashed:
        stands = standing(newest, stored, newest.number, now)
        if stands is Standing.APPROVED:
            raise CannotSubmit(f"{release.id} is signed already. `mailbot release publish {release.id}` publishes it.")
        if stands is Standing.OPEN:
            return Submitted(asked=newest, again=True)
    if hashed == content_hash(stored) and all(one.state is State.PUBLISHED for one in stored.editions):
        raise CannotSubmit(f"{release.id} is published already, and nothing in it has changed.")
    asked = SignOff(
        release=release.id, number=number, content_hash=hashed, stored_hash=content_hash(stored), files=files_of(release),
        signatory=draft.recipient.key, delivery=delivery_id, asked_at=now,
    )  # fmt: skip
    if not desk.queue(tx, draft, delivery_id, now):
        raise CannotSubmit(f"{release.id} is being submitted by somebody else at this moment. Look again with `mailbot release show`.")
    signatures.ask(tx, asked, seal_of(desk.secret, delivery_id))
    return Submitted(asked=asked, again=False)


def asked_by(tx: Tx, secret: bytes, link: str, now: datetime) -> Found | None:
    """What a link is about, and how it stands with it; None where the link is none of ours. Changes nothing."""
    seal = seal_in(secret, link)
    asked = signatures.by_seal(tx, seal) if seal else None
    if asked is None:
        return None
    newest, stored = signatures.questions(tx, asked.release)[0].number, store.load(tx, asked.release)
    shown = stored if stored is not None and content_hash(stored) == asked.content_hash else release_of(asked)
    return Found(asked=asked, stands=standing(asked, stored, newest, now), release=shown)


def sign(tx: Tx, desk: Desk, link: str, verdict: Verdict, words: str, now: datetime) -> Found | None:
    """The signatory's word, once, and the note about it to the office; None where the link is none of ours."""
    found = asked_by(tx, desk.secret, link, now)
    if found is None or found.stands is not Standing.OPEN:
        return found
    answered = signatures.answer(tx, found.asked, seal_in(desk.secret, link), verdict, words, now)
    if answered is None:
        return asked_by(tx, desk.secret, link, now)
    desk.enqueue(tx, told(desk, str(verdict), answered, words, now), now)
    log.info("sign-off-answered", release=answered.release, number=answered.number, verdict=verdict)
    return replace(found, asked=answered, stands=Standing(verdict))


def not_reached(tx: Tx, desk: Desk, deliveries: Sequence[str], event: str, words: str, now: datetime) -> None:
    """Of these mails those that asked for a signature have not arrived, or may not have: the office hears of it once."""
    for delivery in deliveries:
        asked = signatures.of_delivery(tx, delivery)
        if asked is not None and asked.verdict is Verdict.NONE:
            desk.enqueue(tx, told(desk, event, asked, words, now), now)


def told(desk: Desk, event: str, asked: SignOff, words: str, now: datetime) -> outbox.Draft:
    """The note to the office about this question."""
    release = release_of(asked)
    title = next((one.title for one in release.editions if one.slug == release.id), release.editions[0].title)
    key = f"sign-off-told:{asked.release}:{asked.number}:{event}"
    return compose_sign_off.told(desk.office, event, asked, title, asked.signatory, words, now, key)
