"""What must hold in the database, whatever happened: MAIL.md section 3.3. Read-only; each broken row is named."""

from collections.abc import Iterator

import sqlalchemy as sa

from mailbot.database.engine import Tx
from mailbot.database.tables import attempt, delivery, mail, mail_copy, mail_part
from mailbot.message import token
from mailbot.outbox.delivery import DeliveryState, Kind
from mailbot.releases import store as releases
from mailbot.releases.release import public_from

OUTCOMES = ("send_release", "hand_off", "ignore", "record_report")


def broken(tx: Tx, secret: bytes) -> list[str]:
    """A sentence for each row that does not hold; empty: all is well."""
    return [sentence for law in (_mails, _answers, _hand_offs, _deliveries, _embargoes) for sentence in law(tx, secret)]


def _mails(tx: Tx, _secret: bytes) -> Iterator[str]:
    """Every mail has its bytes, lies somewhere, and has exactly one disposition or waits for it."""
    for row in tx.execute(sa.select(mail.c.id, mail.c.state, mail.c.outcome, mail.c.reason, mail.c.decided_at, mail.c.size)):
        decided = row.outcome in OUTCOMES and bool(row.reason) and row.decided_at is not None
        if row.state not in ("stored", "decided") or (row.state == "decided") != decided:
            yield f"mail {row.id}: state {row.state!r} with outcome {row.outcome!r} and reason {row.reason!r}"
    lying = sa.exists().where(mail_copy.c.mail == mail.c.id)
    for number in tx.execute(sa.select(mail.c.id).where(~lying)).scalars():
        yield f"mail {number}: lies in no folder"
    octets = sa.func.sum(sa.func.length(mail_part.c.content)).label("octets")
    whole = sa.select(mail_part.c.mail, octets).group_by(mail_part.c.mail).subquery()
    short = sa.select(mail.c.id).join(whole, whole.c.mail == mail.c.id).where(whole.c.octets != mail.c.size)
    for number in tx.execute(short).scalars():
        yield f"mail {number}: its bytes are not whole"


def _answers(tx: Tx, _secret: bytes) -> Iterator[str]:
    """An answered mail has one answer; no other mail has any, above all no machine's."""
    answers = sa.select(sa.func.count()).where(delivery.c.mail == mail.c.id, delivery.c.kind == Kind.ANSWER).scalar_subquery()
    columns = (mail.c.id, mail.c.outcome, mail.c.kind, mail.c.mode, answers.label("answers"))
    for row in tx.execute(sa.select(*columns).where(mail.c.state == "decided")):
        expected = 1 if row.outcome == "send_release" and row.mode == "automatic" else 0
        if row.answers != expected:
            yield f"mail {row.id}: {row.kind}, {row.outcome} in {row.mode} mode, has {row.answers} answers instead of {expected}"


def _hand_offs(tx: Tx, _secret: bytes) -> Iterator[str]:
    """What waits for a person was handed over by a mail, or is counted for the next digest."""
    for number in tx.execute(sa.select(mail.c.id).where(mail.c.waiting, mail.c.mode == "observe")).scalars():
        yield f"mail {number}: waits for a person although mailbot only observed"
    unfiled = sa.select(mail.c.id).where(mail.c.outcome == "hand_off", mail.c.mode != "observe", mail.c.folder == "")
    for number in tx.execute(unfiled).scalars():
        yield f"mail {number}: is for a person and has no folder to lie in"


def _deliveries(tx: Tx, secret: bytes) -> Iterator[str]:
    """Message-IDs are ours, what is sent was fixed and tried, a finished mail stays finished."""
    tried = sa.select(sa.func.count()).where(attempt.c.delivery == delivery.c.id).scalar_subquery()
    accepted = sa.select(sa.func.count()).where(attempt.c.delivery == delivery.c.id, attempt.c.verdict == "sent").scalar_subquery()
    columns = (delivery.c.id, delivery.c.state, delivery.c.message_id, delivery.c.raw.is_not(None).label("fixed"))
    columns += (delivery.c.finished_at, delivery.c.holder, tried.label("tried"), accepted.label("accepted"))  # type: ignore[assignment]
    known = {str(state) for state in DeliveryState}
    for row in tx.execute(sa.select(*columns)):
        if row.state not in known:
            yield f"delivery {row.id}: unknown state {row.state!r}"
        if token.own_delivery(secret, row.message_id) != row.id:
            yield f"delivery {row.id}: its Message-ID is not ours"
        if row.state in (DeliveryState.SENT, DeliveryState.UNCERTAIN) and not (row.fixed and row.tried and row.finished_at):
            yield f"delivery {row.id}: {row.state} without bytes, attempt or end"
        if row.accepted > 1 or (row.accepted == 1) != (row.state == DeliveryState.SENT):
            yield f"delivery {row.id}: accepted {row.accepted} times and {row.state}"
        if bool(row.holder) != (row.state == DeliveryState.SENDING):
            yield f"delivery {row.id}: {row.state} with holder {row.holder!r}"


def _embargoes(tx: Tx, _secret: bytes) -> Iterator[str]:
    """Nothing under embargo was queued for anybody before its instant."""
    for release in releases.load_all(tx):
        opens = public_from(release)
        if opens is None:
            continue
        of_it = (delivery.c.release == release.id, delivery.c.kind == Kind.ANSWER)
        early = sa.select(delivery.c.id).where(*of_it, delivery.c.created_at < opens)
        for number in tx.execute(early).scalars():
            yield f"delivery {number}: queued before the embargo of {release.id} ended"
