"""What must hold in the database, whatever happened: MAIL.md section 3.3. Read-only; each broken row is named."""

import hashlib
from collections.abc import Iterator
from itertools import groupby

import sqlalchemy as sa

from mailbot.audience import journalist as audience
from mailbot.cases.case import UNFINISHED, CaseState
from mailbot.database.correction_tables import correction, correction_mail, past_edition
from mailbot.database.engine import Tx
from mailbot.database.photo_tables import photo, photo_picture
from mailbot.database.tables import (
    attempt,
    case_file,
    confirmation,
    consent,
    delivery,
    edition,
    journalist,
    mail,
    mail_copy,
    mail_part,
    suppression,
)
from mailbot.inbox.reason import PROTECTED
from mailbot.inbox.store import DECIDED, GONE, STORED
from mailbot.message import token
from mailbot.message.address import key
from mailbot.outbox import bulk_laws_store
from mailbot.outbox.delivery import BY_LETTER, DeliveryState, Kind
from mailbot.outbox.last_look import UNASKED
from mailbot.outbox.recall_store import WITH_RELEASES, WITHDRAWN
from mailbot.outbox.store import REPLACED
from mailbot.releases import store as releases
from mailbot.releases.release import State, public_from

OUTCOMES = ("send_release", "subscribe", "unsubscribe", "hand_off", "ignore", "record_report", "colleague_reply")
MODES = ("observe", "draft", "automatic")
HELD = (DeliveryState.QUEUED, DeliveryState.RETRYING)
FINISHED = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNCERTAIN, DeliveryState.SUPPRESSED, DeliveryState.CANCELLED)


def broken(tx: Tx, secret: bytes | None) -> list[str]:
    """A sentence for each row that does not hold; empty: all is well. `secret` is None where there is no key yet."""
    if damaged := list(_file(tx)):
        return damaged  # nothing can be said of rows that cannot be read
    laws = (
        _mails, _bytes, _copies, _answers, _acknowledgements, _hand_offs, _cases, _deliveries, _attempts, _suppressed, _editions,
        _photos, _journalists, _questions, _corrections, _told, _overtaken, bulk_laws_store.broken,
    )  # fmt: skip
    found = [sentence for law in laws for sentence in law(tx)] + list(_seals(tx, secret))
    return found if list(_editions(tx)) else found + list(_embargoes(tx))


def _file(tx: Tx) -> Iterator[str]:
    """The SQLite file itself is whole; PostgreSQL watches over its own."""
    if tx.dialect.name == "sqlite":
        yield from (f"database: {said}" for (said,) in tx.exec_driver_sql("PRAGMA integrity_check") if said != "ok")
        yield from (f"{table} {row}: belongs to nothing" for table, row, *_ in tx.exec_driver_sql("PRAGMA foreign_key_check"))


def _mails(tx: Tx) -> Iterator[str]:
    """Every mail has exactly one disposition, or waits for it."""
    columns = (mail.c.id, mail.c.state, mail.c.outcome, mail.c.reason, mail.c.decided_at, mail.c.kind, mail.c.mode)
    for row in tx.execute(sa.select(*columns)):
        decided = row.outcome in OUTCOMES and bool(row.reason) and row.decided_at is not None and row.mode in MODES
        if row.state not in (STORED, DECIDED, GONE) or (row.state == DECIDED) != decided:
            yield f"mail {row.id}: state {row.state!r} with outcome {row.outcome!r}, reason {row.reason!r} and mode {row.mode!r}"
        if row.outcome == "send_release" and row.kind != "request":
            yield f"mail {row.id}: a release for a mail of kind {row.kind!r}"


def _bytes(tx: Tx) -> Iterator[str]:
    """Its bytes are those that came. A mail over the size cap is kept where it lies, and has none here."""
    whole = sa.select(mail.c.id, mail.c.sha256, mail.c.size).where(mail.c.emptied_at.is_(None))
    kept = {row.id: row for row in tx.execute(whole)}
    order = (mail_part.c.mail, mail_part.c.number)
    parts = tx.execute(sa.select(mail_part.c.mail, mail_part.c.content).order_by(*order).execution_options(yield_per=4))
    for number, of_one in groupby(parts, key=lambda part: int(part.mail)):
        digest, octets = hashlib.sha256(), 0
        for part in of_one:
            digest.update(part.content)
            octets += len(part.content)
        row = kept.pop(number, None)
        if row is None:
            yield f"mail {number}: its bytes are there although they were let go"
        elif (row.size != octets or row.sha256 != digest.hexdigest()):
            yield f"mail {number}: its bytes are not those that came"
    copies = tx.execute(sa.select(mail_copy).where(mail_copy.c.mail.in_(list(kept)))).all()
    unread = {copy.mail for copy in copies if kept[copy.mail].sha256 == _place(copy.mailbox, copy.uidvalidity, copy.uid)}
    yield from (f"mail {number}: has no bytes" for number, row in kept.items() if row.size and number not in unread)


def _place(mailbox: str, uidvalidity: int, uid: int) -> str:
    """What a mail that was never fetched is known by (inbox.store)."""
    return hashlib.sha256(f"{mailbox}/{uidvalidity}/{uid}".encode()).hexdigest()


def _copies(tx: Tx) -> Iterator[str]:
    """Every mail lies somewhere; it is moved after its decision alone, and never when mailbot only observes."""
    lying = sa.exists().where(mail_copy.c.mail == mail.c.id)
    for number in tx.execute(sa.select(mail.c.id).where(~lying)).scalars():
        yield f"mail {number}: lies in no folder"
    moved = sa.select(mail.c.id, mail.c.state, mail.c.mode).join(mail_copy, mail_copy.c.mail == mail.c.id)
    too_early = sa.or_(mail.c.state == STORED, sa.and_(mail.c.state == DECIDED, mail.c.folder == ""))
    for row in tx.execute(moved.where(mail_copy.c.filed_at.is_not(None), too_early)):
        yield f"mail {row.id}: was moved although it is {row.state} in {row.mode or 'no'} mode"


def _answers(tx: Tx) -> Iterator[str]:
    """An answered mail has its answer, to who wrote it; no other mail has any but by a colleague's word, above all no machine's."""
    of_it = (delivery.c.mail == mail.c.id, delivery.c.kind == Kind.ANSWER, delivery.c.key.not_like("%:%:%"), ~REPLACED)
    answers = sa.select(sa.func.count()).where(*of_it, delivery.c.release != "").scalar_subquery()
    offers = sa.select(sa.func.count()).where(*of_it, delivery.c.release == "").scalar_subquery()
    columns = (
        mail.c.id, mail.c.outcome, mail.c.kind, mail.c.mode, mail.c.explanation, answers.label("answers"), offers.label("offers"),
    )  # fmt: skip
    for row in tx.execute(sa.select(*columns)):
        actions = [action["type"] for action in (row.explanation or {}).get("actions", ())]  # the outcome is the first of several
        wanted = max(actions.count("send_release"), int(row.outcome == "send_release"))  # a release, and its photos in a mail of their own
        expected = wanted if row.mode == "automatic" else 0
        if row.answers != expected:
            yield f"mail {row.id}: {row.kind}, {row.outcome} in {row.mode} mode, has {row.answers} answers instead of {expected}"
        if row.offers > (row.kind == "request" and row.outcome != "ignore" and row.mode == "automatic"):
            yield f"mail {row.id}: {row.kind}, {row.outcome} in {row.mode} mode, was offered titles {row.offers} times"
    joined = sa.select(delivery.c.id, mail.c.id.label("mail")).join(mail, delivery.c.mail == mail.c.id)
    elsewhere = (delivery.c.recipient_key != mail.c.sender_key, mail.c.emptied_at.is_(None))
    for stray in tx.execute(joined.where(delivery.c.kind.in_((Kind.ANSWER, Kind.LETTER)), *elsewhere)):
        yield f"delivery {stray.id}: answers mail {stray.mail}, and goes to somebody else"


def _acknowledgements(tx: Tx) -> Iterator[str]:
    """A word goes back once, to who wrote, and to no machine; of a call for help nothing goes to anybody else."""
    of_mail = (mail.c.id.label("mail"), mail.c.kind.label("of"), mail.c.sender_key, mail.c.reason, mail.c.emptied_at)
    columns = (delivery.c.id, delivery.c.kind, delivery.c.recipient_key, delivery.c.attach_original, *of_mail)
    told: set[int] = set()
    for row in tx.execute(sa.select(*columns).join(mail, delivery.c.mail == mail.c.id).order_by(delivery.c.id)):
        if row.kind == Kind.ACKNOWLEDGEMENT:
            elsewhere = row.recipient_key != row.sender_key and row.emptied_at is None
            if elsewhere or row.of != "request" or row.mail in told:
                yield f"delivery {row.id}: acknowledges mail {row.mail} of kind {row.of!r}, once more or to somebody else"
            told.add(row.mail)
        if row.attach_original and row.reason in PROTECTED:
            yield f"delivery {row.id}: carries mail {row.mail}, a call for help"


def _hand_offs(tx: Tx) -> Iterator[str]:
    """What a person has to answer lies where that person looks; what mailbot only observed has no consequence."""
    for number in tx.execute(sa.select(mail.c.id).where(mail.c.waiting, mail.c.state != DECIDED)).scalars():
        yield f"mail {number}: waits for a person without a decision"
    for number in tx.execute(sa.select(mail.c.id).where(mail.c.waiting, mail.c.mode == "observe")).scalars():
        yield f"mail {number}: waits for a person although mailbot only observed"
    unfiled = sa.select(mail.c.id).where(mail.c.outcome == "hand_off", mail.c.mode != "observe", mail.c.folder == "")
    for number in tx.execute(unfiled).scalars():
        yield f"mail {number}: is for a person and has no folder to lie in"
    silent = sa.or_(mail.c.state != DECIDED, mail.c.mode == "observe", mail.c.outcome == "ignore")
    for row in tx.execute(sa.select(delivery.c.id, mail.c.id.label("mail")).join(mail, delivery.c.mail == mail.c.id).where(silent)):
        yield f"delivery {row.id}: comes from mail {row.mail}, from which nothing may follow"


def _journalists(tx: Tx) -> Iterator[str]:
    """Who is on the press list has confirmed it or came from a list that is named; a consent says how and in what it consists."""
    states, said = {str(state) for state in audience.State}, {audience.Why.CONFIRMED, audience.Why.RETURNED}
    agreed = sa.exists().where(consent.c.journalist == journalist.c.id, consent.c.event.in_(said))
    columns = (journalist.c.id, journalist.c.key, journalist.c.address, journalist.c.state, journalist.c.origin, agreed.label("agreed"))
    for row in tx.execute(sa.select(*columns).order_by(journalist.c.id)):
        if row.state not in states or key(row.address) != row.key:
            yield f"journalist {row.id}: unknown state {row.state!r}, or another key than the address has"
        if row.state == audience.State.SUBSCRIBED and not row.agreed and not row.origin:
            yield f"journalist {row.id}: subscribed without a consent or an origin"
    channels, events = {str(channel) for channel in audience.Channel}, {str(why) for why in audience.Why}
    for row in tx.execute(sa.select(consent.c.journalist, consent.c.channel, consent.c.event).order_by(consent.c.id)):
        if row.channel not in channels or row.event not in events:
            yield f"journalist {row.journalist}: a consent by {row.channel!r} to {row.event!r}"


def _questions(tx: Tx) -> Iterator[str]:
    """What was asked about an address was asked of that address."""
    purposes = {str(purpose) for purpose in audience.Purpose}
    columns = (confirmation.c.delivery, confirmation.c.purpose, delivery.c.recipient_key, delivery.c.kind, journalist.c.key)
    asked = sa.select(*columns).join(journalist, journalist.c.id == confirmation.c.journalist)
    for row in tx.execute(asked.join(delivery, delivery.c.id == confirmation.c.delivery)):
        if row.purpose not in purposes or row.recipient_key != row.key or row.kind != Kind.CONFIRMATION:
            yield f"delivery {row.delivery}: asks {row.purpose!r} of another than it is about"


def _cases(tx: Tx) -> Iterator[str]:
    """A case that nobody has finished has its mail waiting; an answered one has its answer; what is held back can still leave."""
    columns = (case_file.c.id, case_file.c.state, case_file.c.answer, mail.c.waiting, delivery.c.state.label("left"))
    query = sa.select(*columns).join(mail, mail.c.id == case_file.c.mail).outerjoin(delivery, delivery.c.id == case_file.c.answer)
    states = {str(state) for state in CaseState}
    for row in tx.execute(query):
        if row.state not in states:
            yield f"case {row.id}: unknown state {row.state!r}"
        if row.state in UNFINISHED and not row.waiting:
            yield f"case {row.id}: {row.state}, and its mail does not wait"
        if row.state == CaseState.ANSWERED and row.left in (None, DeliveryState.CANCELLED, DeliveryState.FAILED):
            yield f"case {row.id}: answered, and its answer is {row.left or 'none'}"
        if row.state == CaseState.ANSWERING and row.left not in (*HELD, DeliveryState.SENDING):
            yield f"case {row.id}: its text is held back, and is {row.left or 'none'}"
    said = sa.exists().where(case_file.c.mail == delivery.c.mail)
    by_word = sa.or_(delivery.c.kind.in_((Kind.LETTER, Kind.TOLD)), delivery.c.key.like("answer:%:%"))
    for one in tx.execute(sa.select(delivery.c.id).where(by_word, ~said, delivery.c.key.not_like("broadcast-%"))).scalars():
        yield f"delivery {one}: comes from a colleague's word about no case"


def _seals(tx: Tx, secret: bytes | None) -> Iterator[str]:
    """Every Message-ID is the one that our key makes for this row."""
    if secret is None:
        if tx.execute(sa.select(delivery.c.id).limit(1)).first():
            yield "key: its file is gone, and mailbot does not know its own mail. Bring it back from a backup"
        return
    for row in tx.execute(sa.select(delivery.c.id, delivery.c.message_id).order_by(delivery.c.id)):
        if token.own_delivery(secret, row.message_id) != row.id:
            yield f"delivery {row.id}: its Message-ID is not ours"


def _deliveries(tx: Tx) -> Iterator[str]:
    """A mail's state and what is kept of it agree; bytes and Date are fixed together."""
    columns = (
        delivery.c.id, delivery.c.kind, delivery.c.state, delivery.c.finished_at, delivery.c.holder, delivery.c.in_doubt_since,
        delivery.c.date, delivery.c.emptied_at, delivery.c.raw.is_not(None).label("kept"),
        sa.or_(delivery.c.raw.is_not(None), delivery.c.raw_hash != "").label("fixed"),
    )  # fmt: skip
    states, kinds = {str(state) for state in DeliveryState}, {str(kind) for kind in Kind}
    for row in tx.execute(sa.select(*columns)):
        if row.state not in states or row.kind not in kinds:
            yield f"delivery {row.id}: unknown state {row.state!r} or kind {row.kind!r}"
            continue
        if (row.finished_at is not None) != (row.state in FINISHED):
            yield f"delivery {row.id}: {row.state}, and its end is {row.finished_at}"
        if bool(row.holder) != (row.state == DeliveryState.SENDING):
            yield f"delivery {row.id}: {row.state} with holder {row.holder!r}"
        if row.in_doubt_since is not None and row.state not in (DeliveryState.SENDING, DeliveryState.UNCERTAIN):
            yield f"delivery {row.id}: {row.state} and in doubt"
        if row.emptied_at is not None:
            if row.kept or row.state not in FINISHED:
                yield f"delivery {row.id}: {row.state} and fixed, although its words were let go"
        elif row.fixed != (row.date is not None) or (row.state in (DeliveryState.SENT, DeliveryState.UNCERTAIN) and not row.fixed):
            yield f"delivery {row.id}: {row.state} without its bytes or its date"


def _attempts(tx: Tx) -> Iterator[str]:
    """Each try is on record; who has accepted a mail is never tried again; what is called sent was accepted, once."""
    def tries(*which: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
        return sa.select(sa.func.count()).where(attempt.c.delivery == delivery.c.id, *which).scalar_subquery()

    accepted, last = attempt.c.verdict == "sent", attempt.c.number == delivery.c.fence
    columns = (delivery.c.id, delivery.c.state, delivery.c.fence, delivery.c.priority)
    columns += (tries().label("tried"), tries(accepted).label("accepted"))  # type: ignore[assignment]
    columns += (tries(accepted, last).label("accepted_last"), tries(attempt.c.verdict == "uncertain", last).label("doubtful"))  # type: ignore[assignment]
    for row in tx.execute(sa.select(*columns)):
        claimed_in_vain = row.priority == BY_LETTER and row.tried < row.fence  # claimed with hundreds of others, and put back
        if row.tried != row.fence and not claimed_in_vain:
            yield f"delivery {row.id}: claimed {row.fence} times with {row.tried} attempts on record"
        if row.accepted > 1 or row.accepted != row.accepted_last:
            yield f"delivery {row.id}: accepted {row.accepted} times, and tried again after that"
        if (row.accepted == 1) != (row.state == DeliveryState.SENT):
            yield f"delivery {row.id}: accepted {row.accepted} times and {row.state}"
        if row.state == DeliveryState.UNCERTAIN and not row.doubtful:
            yield f"delivery {row.id}: uncertain, and no attempt ended in doubt"


def _suppressed(tx: Tx) -> Iterator[str]:
    """Nothing that nobody asked for was begun to a suppressed address."""
    unasked = delivery.c.kind.in_(UNASKED)
    lifted = sa.and_(suppression.c.lifted_at.is_not(None), suppression.c.lifted_at <= attempt.c.started_at)
    meanwhile = sa.and_(suppression.c.address_key == delivery.c.recipient_key, suppression.c.since < attempt.c.started_at, ~lifted)
    rows = sa.select(delivery.c.id).join(attempt, attempt.c.delivery == delivery.c.id).join(suppression, meanwhile)
    for number in tx.execute(rows.where(unasked, attempt.c.verdict == "sent").distinct()).scalars():
        yield f"delivery {number}: was sent although its address is suppressed"


def _editions(tx: Tx) -> Iterator[str]:
    """Every edition is in a known state, and belongs to a release that is there."""
    slugs = set(tx.execute(sa.select(edition.c.slug)).scalars())
    states = {str(state) for state in State}
    for row in tx.execute(sa.select(edition.c.slug, edition.c.release, edition.c.state, edition.c.published_at)):
        if row.state not in states or row.release not in slugs or (row.state == State.PUBLISHED and row.published_at is None):
            yield f"edition {row.slug}: {row.state!r} since {row.published_at}, of release {row.release!r}"


def _photos(tx: Tx) -> Iterator[str]:
    """Each photo has its picture; of a removed one there is none."""
    pictures = sa.select(photo.c.release, photo.c.number, photo.c.removed_at, photo_picture.c.photo.label("picture"))
    for row in tx.execute(pictures.outerjoin(photo_picture, photo_picture.c.photo == photo.c.id)):
        if (row.removed_at is None) != (row.picture is not None):
            yield f"photo {row.number} of {row.release}: {'its picture is missing' if row.picture is None else 'removed, and still there'}"


def _embargoes(tx: Tx) -> Iterator[str]:
    """Every answer's release is there and was published; nothing under embargo was queued before its instant."""
    opens = {release.id: public_from(release) for release in releases.load_all(tx)}
    columns = (delivery.c.id, delivery.c.release, delivery.c.created_at, edition.c.release.label("of"), edition.c.published_at)
    answers = sa.select(*columns).outerjoin(edition, edition.c.slug == delivery.c.edition)
    answers = answers.where(delivery.c.kind == Kind.ANSWER, delivery.c.release != "")  # an offer of titles brings none
    for row in tx.execute(answers):
        if row.of is None or row.of != row.release or row.published_at is None:
            yield f"delivery {row.id}: answers with {row.release!r}, which was never published"
            continue
        instant = opens[row.release]
        # Taken back and published anew, a release may have another embargo than the one that this answer obeyed.
        if instant is not None and row.published_at <= row.created_at < instant:
            yield f"delivery {row.id}: queued before the embargo of {row.release} ended"


def _corrections(tx: Tx) -> Iterator[str]:
    """What was corrected is kept as it was, and served as it was corrected."""
    kept = sa.exists().where(past_edition.c.correction == correction.c.id, past_edition.c.slug == correction.c.edition)
    for number in tx.execute(sa.select(correction.c.id).where(correction.c.edition != "", ~kept)).scalars():
        yield f"correction {number}: what the edition said before is not kept"
    columns = (edition.c.slug, edition.c.state, edition.c.content_hash)
    now = {row.slug: row for row in tx.execute(sa.select(*columns))}
    last = {(row.release, row.edition): row for row in tx.execute(sa.select(correction).order_by(correction.c.id))}
    for (release, slug), row in sorted(last.items()):
        overridden = (release, "") in last and last[release, ""].id > row.id
        if slug in now and not overridden and now[slug].state == State.PUBLISHED and now[slug].content_hash != row.content_hash:
            yield f"edition {slug}: does not say what correction {row.id} made of it"


def _told(tx: Tx) -> Iterator[str]:
    """A correction is told to a person once, and to nobody who had not got the release before."""
    columns = (delivery.c.id, delivery.c.recipient_key, correction_mail.c.correction, correction_mail.c.recipient_key.label("told"))
    before = delivery.alias("before")
    had = sa.exists().where(
        before.c.release == delivery.c.release, before.c.recipient_key == delivery.c.recipient_key, before.c.kind.in_(WITH_RELEASES),
        before.c.state == DeliveryState.SENT, before.c.id != delivery.c.id,
    )  # fmt: skip
    mails = sa.select(*columns, had.label("had")).outerjoin(correction_mail, correction_mail.c.delivery == delivery.c.id)
    seen: set[tuple[int, str]] = set()
    for row in tx.execute(mails.where(delivery.c.kind == Kind.CORRECTION).order_by(delivery.c.id)):
        if row.correction is None or row.told != row.recipient_key or (row.correction, row.recipient_key) in seen:
            yield f"delivery {row.id}: tells of correction {row.correction} once more, or somebody else"
        elif not row.had:
            yield f"delivery {row.id}: tells of correction {row.correction} to somebody who never got the release"
        seen.add((row.correction, row.recipient_key))


def _overtaken(tx: Tx) -> Iterator[str]:
    """Nothing waits that brings a withdrawn edition, or what an edition said before it was corrected."""
    brings = (delivery.c.kind.in_(WITH_RELEASES), delivery.c.edition != "", delivery.c.state.in_(HELD))
    columns = (delivery.c.id, delivery.c.variant, delivery.c.content_hash, delivery.c.edition)
    columns += (edition.c.state, edition.c.content_hash.label("now"))  # type: ignore[assignment]
    for row in tx.execute(sa.select(*columns).join(edition, edition.c.slug == delivery.c.edition).where(*brings).order_by(delivery.c.id)):
        if (row.variant == WITHDRAWN) != (row.state == State.WITHDRAWN):
            yield f"delivery {row.id}: waits to leave, and {row.edition} is {row.state}"
        elif row.variant != WITHDRAWN and row.content_hash and row.content_hash != row.now:
            yield f"delivery {row.id}: waits to leave with what {row.edition} said before"
