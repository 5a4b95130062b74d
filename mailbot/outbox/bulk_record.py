"""One transaction of the mailroom: the outcomes of the last mails and the marks of the next, and where the stock is low, new claims."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from mailbot.database import flag, lease
from mailbot.database.engine import Tx
from mailbot.outbox import bulk_claim_store, bulk_standing_store, pace, store
from mailbot.outbox.bulk_claim_store import Held
from mailbot.outbox.bulk_standing_store import NOT_SENDING, Standing
from mailbot.outbox.delivery import Fault, Phase, RelayDown, Reply, Sent, Verdict, login_was_refused
from mailbot.releases import store as releases
from mailbot.releases.release import public_from

Aftermath = Callable[[Tx, store.Claimed, Verdict, Reply, datetime], None]
DIED = Reply(phase=Phase.DATA, fault=Fault.LOST, text="mailbot died while it waited for the relay's answer")
LOOK = timedelta(seconds=1)


class Outcome(NamedTuple):
    """What the relay said of a marked mail, or what is wrong with one that cannot be made (`parked`: nothing was said)."""

    held: Held
    verdict: Verdict
    reply: Reply
    at: datetime
    parked: bool = False


class Made(NamedTuple):
    """A mail whose bytes are fixed."""

    held: Held
    date: datetime
    digest: str


@dataclass(frozen=True, slots=True)
class Done:
    """What the transaction did: who is marked, who was let go or put back, who is new, with letters not seen yet; when to look again."""

    marked: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    claimed: list[Held] = field(default_factory=list)
    letters: list[Any] = field(default_factory=list)
    until: datetime | None = None
    stopped: bool = False  # everything is, and nothing is kept in hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How fast, and in whose name."""

    holder: str
    rate_per_minute: int
    rate_per_day: int
    aftermath: Aftermath


def turn(
    tx: Tx, terms: Terms, outcomes: Sequence[Outcome], made: Sequence[Made], most: int, known: frozenset[int], now: datetime,
    *, long_held: bool = False,
) -> Done:  # fmt: skip
    """Record, mark, claim up to `most`. `known` are the letters that need not be read again; `long_held`: it is a while since these were
    claimed, and who may be written to is looked up again."""
    room, until = _room(tx, terms, now)
    concerned = [one.held for one in made] + [one.held for one in outcomes]
    stands = bulk_standing_store.look(tx, {_which(one) for one in concerned})
    _record(tx, terms, outcomes, stands, now)
    if flag.SENDING_STOPPED in stands.switches:
        bulk_claim_store.put_back(tx, [one.held for one in made], terms.holder)
        return Done(gone=frozenset(one.held.id for one in made), until=now + LOOK, stopped=True)
    why_not = {one.held.id: stands.why_not[_which(one.held)] for one in made}
    gone = [one for one in made if why_not[one.held.id]]
    bulk_claim_store.put_back(tx, [one.held for one in gone if why_not[one.held.id] == NOT_SENDING], terms.holder)
    for one in gone:
        if why_not[one.held.id] != NOT_SENDING:
            bulk_claim_store.cancel(tx, one.held, terms.holder, why_not[one.held.id], now)
    going = [one for one in made if not why_not[one.held.id]][:room]
    if long_held:
        still = {one.id for one in bulk_claim_store.wanted(tx, [one.held for one in going], terms.holder, now)}
        gone += [one for one in going if one.held.id not in still]
        going = [one for one in going if one.held.id in still]
    marked = bulk_claim_store.mark(tx, [(one.held, one.date, one.digest) for one in going], terms.holder, now)
    lost = {one.held.id for one in going} - marked
    claimed = _claimed(tx, terms, min(most, room), now)
    unread = {one.letter for one in claimed} - known
    return Done(
        marked, frozenset({one.held.id for one in gone} | lost), claimed,
        bulk_claim_store.letter_rows(tx, unread) if unread else [], until if until > now else None,
    )  # fmt: skip


def _which(one: Held) -> tuple[str, str, str]:
    return one.broadcast, one.edition, one.content_hash


def settle(tx: Tx, terms: Terms, outcomes: Sequence[Outcome], unsent: Sequence[Held], now: datetime) -> None:
    """Record, mark nothing, give up what is claimed."""
    turn(tx, terms, outcomes, (), 0, frozenset(), now)
    bulk_claim_store.put_back(tx, unsent, terms.holder)


def _room(tx: Tx, terms: Terms, now: datetime) -> tuple[int, datetime]:
    """Attempts are counted only where they count."""
    if not terms.rate_per_minute and not terms.rate_per_day:
        return pace.UNLIMITED, now
    bulk_claim_store.alone_with_the_pace(tx)
    started = store.started_since(tx, now - (pace.DAY if terms.rate_per_day else pace.MINUTE))
    return pace.room_in_bulk(started, now, per_minute=terms.rate_per_minute, per_day=terms.rate_per_day)


def _record(tx: Tx, terms: Terms, outcomes: Sequence[Outcome], stands: Standing, now: datetime) -> None:
    taken = [one for one in outcomes if isinstance(one.verdict, Sent)]
    bulk_claim_store.sent(tx, [(one.held, one.reply.phase, one.reply.code, one.reply.text[:2000]) for one in taken], terms.holder, now)
    for one in taken:  # it left, and its release was corrected before this could be written down
        if stands.why_not[_which(one.held)] not in ("", NOT_SENDING):
            terms.aftermath(tx, one.held.claimed(), one.verdict, one.reply, one.at)
    seen = stands.switches.get(flag.RELAY_SUCCESS)
    if taken and (seen is None or not now - LOOK < datetime.fromisoformat(seen) <= now or stands.switches.get(flag.RELAY_TROUBLE)):
        flag.put(tx, flag.RELAY_SUCCESS, now.isoformat(), now)
        flag.clear(tx, flag.RELAY_TROUBLE)
        flag.clear(tx, flag.RELAY_LOGIN_REFUSED)
    for one in outcomes:
        if not isinstance(one.verdict, Sent):
            _record_one(tx, terms, one)


def _record_one(tx: Tx, terms: Terms, one: Outcome) -> None:
    claimed, holder = one.held.claimed(), terms.holder
    if one.reply.fault is Fault.STOPPED:
        bulk_claim_store.put_back(tx, [one.held], holder)
        return
    if one.parked and not bulk_claim_store.begin(tx, one.held, holder, one.at):
        return
    if not store.outcome(tx, claimed, holder, one.reply, one.verdict, one.at):
        return
    if isinstance(one.verdict, RelayDown):
        said = f"{one.verdict.why}: {one.reply.text}"[:500]
        flag.put(tx, flag.RELAY_TROUBLE, said, one.at)
        if login_was_refused(one.reply):
            flag.put(tx, flag.RELAY_LOGIN_REFUSED, said, one.at)
    terms.aftermath(tx, claimed, one.verdict, one.reply, one.at)


def _claimed(tx: Tx, terms: Terms, most: int, now: datetime) -> list[Held]:
    """New ones; what is under embargo although it is leaving waits for its instant, unless it is for those who may have it early."""
    if most <= 0:
        return []
    held = bulk_claim_store.claim(tx, terms.holder, most, now)
    early = bulk_claim_store.is_early(tx, held)
    opens: dict[str, datetime | None] = {}
    for slug in {one.edition for one in held if one.edition and not early[one.broadcast]}:
        release = releases.load(tx, slug)
        opens[slug] = public_from(release) if release else None
    kept = []
    for one in held:
        instant = opens.get(one.edition)
        if instant is not None and instant > now:
            bulk_claim_store.postpone(tx, one, terms.holder, instant)
        else:
            kept.append(one)
    return kept


def recover(tx: Tx, terms: Terms, judged: Callable[[Reply, store.Claimed, datetime], Verdict], now: datetime) -> int:
    """Take up what workers left that are gone; how many those were."""
    found = bulk_claim_store.orphans(tx, lease.living(tx, now) | {terms.holder})
    by_holder: dict[str, list[Held]] = {}
    for held, holder, in_doubt in found:
        if not in_doubt:
            by_holder.setdefault(holder, []).append(held)
            continue
        claimed = held.claimed()
        verdict = judged(DIED, claimed, now)
        if store.outcome(tx, claimed, holder, DIED, verdict, now):
            terms.aftermath(tx, claimed, verdict, DIED, now)
    for holder, unsent in by_holder.items():
        bulk_claim_store.put_back(tx, unsent, holder)
    return len(found)
