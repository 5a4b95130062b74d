"""The table of sign-offs, and the one rule by which a release may become public: signed, where the office wants it signed.

Each function runs in one transaction. Whatever makes a text public calls `require_signed` in the same one, with the release as it will be.
"""

import hashlib
import hmac
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mailbot.database.engine import Tx
from mailbot.database.sign_off_tables import sign_off as table
from mailbot.message.address import key
from mailbot.releases.release import Release
from mailbot.releases.sign_off import SignOff, Verdict, content_hash, why_unsigned


class NotSigned(Exception):
    """The release must be signed before it is published, and is not. The message says how far that is."""


def require_signed(tx: Tx, release: Release, signatory: str) -> None:
    """Nothing where `releases.sign_off` names nobody (""), or where that person has approved exactly this text. Raises NotSigned."""
    if not signatory:
        return
    found = questions(tx, release.id)
    hashed, who = content_hash(release), key(signatory)
    if not any(one.verdict is Verdict.APPROVED and one.content_hash == hashed and one.signatory == who for one in found):
        raise NotSigned(why_unsigned(release.id, who, found, hashed))


def questions(tx: Tx, release: str) -> tuple[SignOff, ...]:
    """Everything that was asked about a release, the newest first."""
    return tuple(map(_sign_off, tx.execute(sa.select(table).where(table.c.release == release).order_by(table.c.number.desc()))))


def ask(tx: Tx, asked: SignOff, seal: str) -> None:
    """Remember the question. Its number is the next one of the release."""
    values = {
        "token_hash": _hash(seal), "number": asked.number, "release": asked.release, "content_hash": asked.content_hash,
        "stored_hash": asked.stored_hash, "editions": list(asked.files), "signatory": asked.signatory, "delivery": asked.delivery,
        "asked_at": asked.asked_at,
    }  # fmt: skip
    tx.execute(table.insert(), values)


def by_seal(tx: Tx, seal: str) -> SignOff | None:
    """The question that the link with this seal is about."""
    digest = _hash(seal)
    row = tx.execute(sa.select(table).where(table.c.token_hash == digest)).first()
    return _sign_off(row) if row is not None and hmac.compare_digest(row.token_hash, digest) else None


def answer(tx: Tx, asked: SignOff, seal: str, verdict: Verdict, words: str, now: datetime) -> SignOff | None:
    """Use the link up. None where it was used before."""
    unused = (table.c.token_hash == _hash(seal), table.c.verdict == Verdict.NONE)
    changed = tx.execute(table.update().where(*unused).values(verdict=verdict, words=words, answered_at=now))
    return replace(asked, verdict=verdict, words=words, answered_at=now) if changed.rowcount == 1 else None


def of_delivery(tx: Tx, delivery: str) -> SignOff | None:
    """The question that this mail asks."""
    row = tx.execute(sa.select(table).where(table.c.delivery == delivery)).first()
    return _sign_off(row) if row is not None else None


def _hash(seal: str) -> str:
    return hashlib.sha256(seal.encode()).hexdigest()


def _sign_off(row: sa.Row[Any]) -> SignOff:
    return SignOff(
        release=row.release, number=row.number, content_hash=row.content_hash, stored_hash=row.stored_hash, files=tuple(row.editions),
        signatory=row.signatory, delivery=row.delivery or "", asked_at=row.asked_at, verdict=Verdict(row.verdict), words=row.words,
        answered_at=row.answered_at,
    )  # fmt: skip
