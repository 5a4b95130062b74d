"""What is wrong, from facts: which alerts begin, which end, and when neither can be said.

Three answers, not two. A mailbox that was not read for ten minutes is stale; one that was read a minute ago is well; and one that a
mailbot looks at which has itself just started is neither, so that an alert which began before a restart does not end by it, and none
begins because of it. A cause hides its effect: where the login is refused, nobody is told as well that nothing is read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

LITTLE_SPACE = 200 << 20        # octets left for the database
ENOUGH_SPACE = 300 << 20        # more than that: it is well again, and does not begin anew with the next mail
SECRET_STEPS = (30, 14, 3)      # days left at which the end of a secret is told
ENDED = 0                       # the last step: its day is over
QUIET = timedelta(minutes=10)   # a kind begins so often at most, whatever flaps
MOST_NUMBERS = 20


class Kind(StrEnum):
    """What can be wrong. The words of the mails about each stand in the template `alert`."""

    INBOX_STALE = "inbox-stale"
    RELAY_STALE = "relay-stale"
    INBOX_LOGIN = "inbox-login-refused"
    RELAY_LOGIN = "relay-login-refused"
    TOKEN = "token-refused"  # noqa: S105 - the name of an alert
    SECRET = "secret-ends"  # noqa: S105 - the name of an alert
    BREAKER = "answers-stopped"
    DISK = "disk-nearly-full"
    PARKED = "mail-parked"
    CASE = "case-overdue"


# One sentence each for commands and logs, which speak English.
SAYS: Mapping[Kind, str] = {
    Kind.INBOX_STALE: "the mailbox has not been read for too long; mailbot check --live says what is in the way",
    Kind.RELAY_STALE: "mails wait and the relay takes none; mailbot check --live says what is in the way",
    Kind.INBOX_LOGIN: "the mailbox refuses mailbot's login; check imap.username and the password",
    Kind.RELAY_LOGIN: "the relay refuses mailbot's login; check smtp.username and the password",
    Kind.TOKEN: "the servers refuse mailbot's token; check the application's secret and its permissions",
    Kind.SECRET: "the secret that mailbot logs in with is about to end; renew it",
    Kind.BREAKER: "too many answers left, none leaves by itself; mailbot inbox resume lets it answer again",
    Kind.DISK: "the disk of the database is nearly full; make room",
    Kind.PARKED: "a mail could not be dealt with after three tries; mailbot inbox list shows it to a person",
    Kind.CASE: "nobody has answered a request in time; mailbot inbox list shows it",
}


@dataclass(frozen=True, slots=True)
class Secret:
    """What logs mailbot in, and the last day on which it does."""

    name: str
    ends: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known at one look. Whichever part of mailbot runs here: that another one has died is what must be told."""

    running_since: datetime
    sending_since: datetime                 # the same, or the last look at which nothing was to leave
    inbox_stale_after: timedelta
    relay_stale_after: timedelta
    inbox_success: datetime | None = None
    relay_success: datetime | None = None
    waiting_since: datetime | None = None   # since when the mail that waits longest could leave; None: none could
    held: bool = False                      # sending is stopped, or the day's number of mails is reached: nothing is to leave
    inbox_refuses: bool = False             # the last word of the mailbox was that our login is wrong
    relay_refuses: bool = False
    token_refused: bool = False             # the same of an OAuth token, wherever; it hides the two before
    answers_stopped: datetime | None = None
    free_octets: int | None = None
    parked: tuple[int, ...] = ()            # numbers of mails that wait for a person after three failures
    overdue: tuple[int, ...] = ()           # numbers of requests past their deadline that no colleague has taken up
    secrets: tuple[Secret, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was told of a condition the last time."""

    kind: Kind
    item: str
    open: bool
    level: int
    began_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A condition that holds. `item` tells two of a kind apart; `level` falls as it gets worse; `since` is for people to read."""

    kind: Kind
    since: datetime
    item: str = ""
    level: int = 0
    said: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Begin:
    """Tell that this is wrong."""

    wrong: Wrong


@dataclass(frozen=True, slots=True)
class End:
    """Tell that it is well again."""

    known: Known


Change = Begin | End


def changes(facts: Facts, known: Sequence[Known], now: datetime) -> tuple[Change, ...]:
    """Which alerts begin and which end, from what is the case and from what was told before."""
    told = {(one.kind, one.item): one for one in known if one.open}
    holding = {(one.kind, one.item): one for one in _wrongs(facts, now)}
    began = [Begin(wrong) for key, wrong in holding.items() if _is_news(wrong, told.get(key), known, now)]
    ended = [End(one) for key, one in told.items() if key not in holding and _is_well(one, facts, now)]
    return (*began, *ended)


def condition(kind: Kind, item: str) -> str:
    """One word for a condition: a program's key."""
    return f"{kind}/{item}" if item else str(kind)


def for_a_template(change: Change) -> dict[str, Any]:
    """What the words of a message are made of; every name is there, whichever kind it is."""
    bare = {"numbers": (), "number": 0, "free_mb": 0, "ends": None, "days": 0}
    if isinstance(change, Begin):
        wrong = change.wrong
        return {"kind": str(wrong.kind), "began": True, "item": wrong.item, "since": wrong.since, **bare, **wrong.said}
    return {"kind": str(change.known.kind), "began": False, "item": change.known.item, "since": change.known.began_at, **bare}


def for_programs(change: Change, now: datetime) -> dict[str, str]:
    """The same for who reads JSON."""
    of = change.wrong if isinstance(change, Begin) else change.known
    event = "began" if isinstance(change, Begin) else "ended"
    return {"condition": condition(of.kind, of.item), "kind": str(of.kind), "event": event, "at": now.isoformat(), "says": SAYS[of.kind]}


def _is_news(wrong: Wrong, told: Known | None, known: Sequence[Known], now: datetime) -> bool:
    """Not told yet, or got worse. What begins too soon after another of its kind is told at a later look."""
    if told is not None:
        return wrong.level < told.level
    return all(now - one.began_at >= QUIET for one in known if one.kind is wrong.kind and one.began_at <= now)


def _is_well(told: Known, facts: Facts, now: datetime) -> bool:
    """For what no longer is certainly wrong: is it certainly well?"""
    match told.kind:
        case Kind.INBOX_STALE:
            return facts.inbox_success is not None and now - facts.inbox_success < facts.inbox_stale_after
        case Kind.RELAY_STALE:
            left_since = facts.relay_success is not None and facts.relay_success > told.began_at
            return left_since or (facts.waiting_since is None and not facts.held)
        case Kind.DISK:
            return facts.free_octets is None or facts.free_octets >= ENOUGH_SPACE
        case _:
            return True


def _wrongs(facts: Facts, now: datetime) -> Iterator[Wrong]:
    """Everything that certainly is wrong now."""
    yield from _logins(facts, now)
    yield from _stale(facts, now)
    if facts.answers_stopped is not None:
        yield Wrong(kind=Kind.BREAKER, since=facts.answers_stopped)
    if facts.free_octets is not None and facts.free_octets < LITTLE_SPACE:
        yield Wrong(kind=Kind.DISK, since=now, said={"free_mb": facts.free_octets >> 20})
    if facts.parked:
        yield Wrong(kind=Kind.PARKED, since=now, said={"numbers": facts.parked[:MOST_NUMBERS]})
    if facts.overdue:
        yield from _overdue(facts.overdue, now)
    for secret in facts.secrets:
        yield from _ending(secret, now)


def _logins(facts: Facts, now: datetime) -> Iterator[Wrong]:
    if facts.token_refused:
        yield Wrong(kind=Kind.TOKEN, since=now)
        return
    if facts.inbox_refuses:
        yield Wrong(kind=Kind.INBOX_LOGIN, since=now)
    if facts.relay_refuses:
        yield Wrong(kind=Kind.RELAY_LOGIN, since=now)


def _stale(facts: Facts, now: datetime) -> Iterator[Wrong]:
    """Time counts from our own start at the earliest: nobody read the mailbox while we were not there, and we see to it now."""
    read = max(facts.inbox_success or facts.running_since, facts.running_since)
    if not (facts.inbox_refuses or facts.token_refused) and now - read >= facts.inbox_stale_after:
        yield Wrong(kind=Kind.INBOX_STALE, since=facts.inbox_success or facts.running_since)
    if facts.waiting_since is None or facts.held or facts.relay_refuses or facts.token_refused:
        return  # a relay that nobody asks for anything is quiet, not stale
    took = max(facts.waiting_since, facts.sending_since, facts.relay_success or facts.sending_since)
    if now - took >= facts.relay_stale_after:
        yield Wrong(kind=Kind.RELAY_STALE, since=max(facts.waiting_since, facts.relay_success or facts.waiting_since))


def _overdue(numbers: tuple[int, ...], now: datetime) -> Iterator[Wrong]:
    """Each request by itself: the office may leave one for ever, and must hear of the next."""
    for number in numbers:
        yield Wrong(kind=Kind.CASE, since=now, item=str(number), said={"number": number})


def _ending(secret: Secret, now: datetime) -> Iterator[Wrong]:
    days = (secret.ends - now.date()).days
    step = next((one for one in reversed(SECRET_STEPS) if days <= one), None) if days >= 0 else ENDED
    if step is not None:
        yield Wrong(kind=Kind.SECRET, since=now, item=secret.name, level=step, said={"ends": secret.ends, "days": days})
