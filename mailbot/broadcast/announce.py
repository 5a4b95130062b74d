"""The flow that plans an announcement: who gets which letter, and one queued mail for each, in one transaction.

Every letter is written and every reader's mail is made once before anything is kept: a hole in one of them undoes the whole plan and
names the field and the person. Nothing leaves until the broadcast is approved and its hold is over (conduct.py).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from mailbot.audience import segment_store
from mailbot.audience import store as audience
from mailbot.audience.segment import Filter
from mailbot.broadcast import store
from mailbot.broadcast.broadcast import Announced, Broadcast, Gets, Kind, NotAllowed, Reader, State, Why, choose
from mailbot.broadcast.invitation import kept
from mailbot.broadcast.letters import FORMATS, STANDARD, Happening, Readers, compose
from mailbot.database.engine import Tx
from mailbot.message.address import Address
from mailbot.message.letter import Letter
from mailbot.message.outgoing import File, Unsendable
from mailbot.message.splice import Pieces, cut, splice
from mailbot.office import Office
from mailbot.outbox import bulk_store
from mailbot.outbox.bulk_store import Addressee, Recipient
from mailbot.releases import correction_store
from mailbot.releases import store as releases
from mailbot.releases.correction import Correction
from mailbot.releases.release import Release, is_public, public_from
from mailbot.releases.release import State as EditionState

WAVE = 50                                       # first mails to people who never asked for them: so many at a time
NOT_YET = datetime(9000, 1, 1, tzinfo=UTC)      # the wave that somebody waits for has not come


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody wants announced. `audience`: the words that `where` was read from; `early`: its people may have it before the
    embargo ends."""

    release: str
    kind: Kind
    audience: str
    where: Filter | None
    early: bool
    at: datetime | None = None
    not_after: datetime | None = None
    waiting_for: str = ""
    event: Happening | None = None
    files: tuple[File, ...] = ()
    by: str = ""


@dataclass(slots=True)
class _Plan:
    """What has been worked out so far, reader by reader."""

    letters: dict[Gets, tuple[int, Pieces]] = field(default_factory=dict)
    left: list[tuple[int, str]] = field(default_factory=list)
    met: set[str] = field(default_factory=set)
    skipped: Counter[str] = field(default_factory=Counter)
    octets: int = 0


def announce(tx: Tx, office: Office, readers: Readers, secret: bytes, order: Order, broadcast_id: str, now: datetime) -> Broadcast:
    """Plan and queue it, as a draft. Raises NotAllowed, letters.CannotWrite, NoSuchRelease, rendering.TemplateFault."""
    release = releases.load(tx, order.release)
    if release is None:
        raise releases.NoSuchRelease(order.release)
    embargo = _embargo(release, order, now)
    announced = _announced(office, release, order)
    basis = _basis(tx, release, order, announced)
    made = Broadcast(
        id=broadcast_id, kind=order.kind, release=release.id, state=State.DRAFT, why="", audience=order.audience,
        early=embargo is not None, recipients=0, skipped={}, octets=0, wave=0, at=order.at, not_after=_not_after(order), held_until=None,
        started_at=None, finished_at=None, created_at=now, created_by=order.by,
    )  # fmt: skip
    store.put(tx, made, kept(order.event))
    audience.hold_still(tx)
    plan = _Plan()
    addressees = _addressees(tx, office, readers, order, release, announced, made, embargo, basis, plan, now)
    recipients = bulk_store.enqueue_all(tx, broadcast_id, release.id, addressees, secret, office.address.domain, now)
    store.leave_out(tx, broadcast_id, plan.left)
    first = store.hold_first_mails(tx, broadcast_id, NOT_YET)
    wave = WAVE if first > WAVE else 0
    if not wave:
        store.next_wave(tx, broadcast_id, first, NOT_YET, now)
    store.planned(tx, broadcast_id, recipients, plan.skipped, plan.octets, wave)
    return replace(made, recipients=recipients, skipped=dict(plan.skipped), octets=plan.octets, wave=wave)


def _embargo(release: Release, order: Order, now: datetime) -> datetime | None:
    """When it ends, where the announcement goes out before. Raises NotAllowed where it may not."""
    if order.kind is Kind.WITHDRAWAL:
        return None
    if is_public(release, now):
        return None
    until = public_from(release)
    if until is None:
        raise NotAllowed(f"{release.id} is not published. Publish it first: mailbot release publish {release.id}")
    if order.at is not None and order.at >= until:
        return None
    if not order.early:
        raise NotAllowed(
            f"{release.id} is under embargo until {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC. Announce it then (--at), or to a segment "
            "whose people may have it early (mailbot audience segment set NAME FILTER --early)."
        )  # fmt: skip
    return until


def _announced(office: Office, release: Release, order: Order) -> Announced:
    wanted = EditionState.WITHDRAWN if order.kind is Kind.WITHDRAWAL else EditionState.PUBLISHED
    found = {one.language: one for one in release.editions if one.state is wanted}
    if order.waiting_for:
        found = {code: one for code, one in found.items() if code == order.waiting_for}
    if not found:
        what = f"no edition in {order.waiting_for}" if order.waiting_for else "no published edition"
        raise NotAllowed(f"{release.id} has {what}.")
    order_of = [*(code for code in office.languages if code in found), *(code for code in found if code not in office.languages)]
    topics = dict.fromkeys(topic for one in found.values() for topic in one.topics)
    return Announced(editions={code: found[code].slug for code in order_of}, topics=tuple(topics), languages=office.languages)


def _basis(tx: Tx, release: Release, order: Order, announced: Announced) -> dict[str, Correction]:
    """Edition -> its last correction or withdrawal, where that is what is announced. Raises NotAllowed where there was none."""
    if order.kind not in (Kind.CORRECTION, Kind.WITHDRAWAL):
        return {}
    found = {slug: correction_store.latest(tx, release.id, slug) for slug in announced.editions.values()}
    basis = {slug: one for slug, one in found.items() if one is not None}
    if not basis:
        raise NotAllowed(f"{release.id} has not been corrected. Correct it first (mailbot release correct), or announce it as a release.")
    return basis


def _not_after(order: Order) -> datetime | None:
    """An invitation is worth nothing after its event has begun."""
    return order.not_after or (order.event.starts if order.event else None)


def _addressees(
    tx: Tx, office: Office, readers: Readers, order: Order, release: Release, announced: Announced, made: Broadcast,
    embargo: datetime | None, basis: Mapping[str, Correction], plan: _Plan, now: datetime,
) -> Iterator[Addressee]:  # fmt: skip
    """Each reader's mail is made here once, to see that it can be."""
    suppressed = store.suppressed_keys(tx)
    theirs = announced.editions[order.waiting_for] if order.waiting_for else ""
    has_it = store.told(tx, order.kind, release.id, tuple(basis.values())) if basis else store.has_it(tx, release.id, theirs)
    waiting = store.has_it(tx, release.id) if order.waiting_for else None
    for row in segment_store.chosen(tx, order.where):
        reader = _reader(row)
        if waiting is not None and (reader.id not in waiting or reader.language != order.waiting_for):
            continue
        gets = choose(reader, announced, suppressed=suppressed, met=plan.met, has_it=has_it, now=now)
        if isinstance(gets, Why):
            plan.left.append((reader.id, gets))
            plan.skipped[gets] += 1
            continue
        number, pieces = _letter(tx, office, release, order, made, embargo, basis, gets, plan)
        plan.met.add(reader.cap_key)
        plan.octets += _tried(readers, made, reader, gets, pieces, release.id, now)
        yield Addressee(
            journalist=reader.id, address=reader.address, name=reader.name, letter=number, facts={"origin": reader.origin}
        )


def _letter(
    tx: Tx, office: Office, release: Release, order: Order, made: Broadcast, embargo: datetime | None,
    basis: Mapping[str, Correction], gets: Gets, plan: _Plan,
) -> tuple[int, Pieces]:  # fmt: skip
    """Written when the first reader needs it."""
    if gets not in plan.letters:
        reason = basis[gets.edition].reason if gets.edition in basis else ""
        letter = written(office, release, order, embargo, gets, reason)
        (number,) = bulk_store.put_letters(tx, made.id, [letter])
        plan.letters[gets] = number, cut(letter, office.address)
    return plan.letters[gets]


def written(office: Office, release: Release, order: Order, embargo: datetime | None, gets: Gets, reason: str) -> Letter:
    """The letter of an order for such readers."""
    edition = next(one for one in release.editions if one.slug == gets.edition)
    format_ = gets.format if gets.format in FORMATS else STANDARD
    return compose(
        office, edition, language=gets.language, format_=format_, embargo=embargo, waits_for=gets.waits_for, event=order.event,
        files=order.files, kind=order.kind, reason=reason,
    )  # fmt: skip


def _tried(readers: Readers, made: Broadcast, reader: Reader, gets: Gets, pieces: Pieces, release: str, now: datetime) -> int:
    """How long this reader's mail is. Raises NotAllowed, naming the person and the field."""
    to = Recipient(
        delivery="0" * 24, broadcast=made.id, journalist=reader.id, address=reader.address, name=reader.name, language=gets.language,
        format=gets.format, waits_for=gets.waits_for, release=release, edition=gets.edition, facts={"origin": reader.origin},
    )  # fmt: skip
    try:
        mail = splice(pieces, readers(to), message_id="<mb.0@mailbot.invalid>", to=Address(reader.address, reader.name), date=now)
    except Unsendable as hole:
        raise NotAllowed(f"The mail to {reader.address} cannot be written: {hole}. Nothing was planned.") from hole
    return len(mail.whole)


def _reader(row: object) -> Reader:
    values = {name: getattr(row, name) for name in Reader.__slots__}
    return Reader(**values | {"topics": tuple(values["topics"] or ())})
