"""A broadcast and its life: what may become of it, who gets which letter, and who is left out and why.

Pure: the plan is worked out reader by reader, so that a list of any length passes through; the flow gives the facts and keeps the outcome.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

TOLD = "broadcast-told"  # begins the key of what colleagues are told of one


class Kind(StrEnum):
    """What is announced."""

    RELEASE = "release"
    ADVISORY = "advisory"       # an event with its time and place
    CORRECTION = "correction"
    WITHDRAWAL = "withdrawal"


class State(StrEnum):
    """Where a broadcast stands."""

    DRAFT = "draft"             # planned; nobody has approved it
    APPROVED = "approved"       # leaves when its hold is over
    SCHEDULED = "scheduled"     # approved, and leaves at its time
    SENDING = "sending"
    STOPPED = "stopped"         # by a person
    HELD = "held"               # by mailbot: a person decides
    FINISHED = "finished"
    CANCELLED = "cancelled"


class Act(StrEnum):
    """What may happen to one."""

    APPROVE = "approve"
    SCHEDULE = "schedule"
    START = "start"
    STOP = "stop"
    HOLD = "hold"
    RESUME = "resume"
    WAIT = "wait"               # resumed before its time has come
    CANCEL = "cancel"
    FINISH = "finish"


_UNDER_WAY = (State.APPROVED, State.SCHEDULED, State.SENDING)
# Act -> state -> what it becomes. What is missing cannot be done.
TRANSITIONS: Mapping[Act, Mapping[State, State]] = {
    Act.APPROVE: {State.DRAFT: State.APPROVED},
    Act.SCHEDULE: {State.DRAFT: State.SCHEDULED},
    Act.START: {State.APPROVED: State.SENDING, State.SCHEDULED: State.SENDING},
    Act.STOP: dict.fromkeys((*_UNDER_WAY, State.HELD), State.STOPPED),
    Act.HOLD: dict.fromkeys(_UNDER_WAY, State.HELD),
    Act.RESUME: dict.fromkeys((State.STOPPED, State.HELD), State.SENDING),
    Act.WAIT: dict.fromkeys((State.STOPPED, State.HELD), State.SCHEDULED),
    Act.CANCEL: dict.fromkeys((State.DRAFT, *_UNDER_WAY, State.STOPPED, State.HELD), State.CANCELLED),
    Act.FINISH: {State.SENDING: State.FINISHED},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """One announcement. `why`: what holds or stopped it; `skipped`: reason -> how many were left out when it was planned."""

    id: str
    kind: Kind
    release: str
    state: State
    why: str
    audience: str
    early: bool
    recipients: int
    skipped: Mapping[str, int]
    octets: int
    wave: int
    at: datetime | None
    not_after: datetime | None
    held_until: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    created_at: datetime
    created_by: str


class Why(StrEnum):
    """Why somebody is left out."""

    UNSUBSCRIBED = "unsubscribed"
    NOT_CONFIRMED = "not-confirmed"
    SUPPRESSED = "suppressed"
    PAUSED = "paused"
    TOPIC = "topic-not-chosen"
    DUPLICATE = "duplicate"
    NO_EDITION = "no-edition"
    HAS_IT = "has-it-already"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody on the press list, as the plan looks at them."""

    id: int
    key: str
    cap_key: str
    address: str
    name: str
    language: str
    format: str
    topics: tuple[str, ...]     # none: every topic
    paused_until: datetime | None
    state: str                  # audience.journalist.State
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What is announced: edition slugs by language in the office's order, and the release's topics."""

    editions: Mapping[str, str]
    topics: tuple[str, ...]
    languages: tuple[str, ...]  # that the office writes in, its own first
    waiting_for: str = ""       # only to those who asked for this language and got another


@dataclass(frozen=True, slots=True)
class Gets:
    """The letter that a reader gets: in their language; of an edition in another where theirs is missing (`waits_for`)."""

    language: str
    format: str
    edition: str
    waits_for: str


def choose(
    reader: Reader, announced: Announced, *, suppressed: Collection[str], met: Collection[str], has_it: Collection[int], now: datetime
) -> Gets | Why:
    """What a reader gets, or why nothing. `suppressed` are keys of addresses, `met` the cap keys of those who were chosen before,
    `has_it` the numbers of those to whom it went already."""
    if reader.state != "subscribed":
        left = {"unsubscribed": Why.UNSUBSCRIBED, "suppressed": Why.SUPPRESSED}
        return left.get(reader.state, Why.NOT_CONFIRMED)
    if reader.key in suppressed:
        return Why.SUPPRESSED
    if reader.id in has_it:
        return Why.HAS_IT
    if reader.cap_key in met:
        return Why.DUPLICATE
    if reader.paused_until is not None and reader.paused_until > now:
        return Why.PAUSED
    if reader.topics and announced.topics and not _share(reader.topics, announced.topics):
        return Why.TOPIC
    return _letter(reader, announced)


def _share(one: Sequence[str], other: Sequence[str]) -> bool:
    return not {topic.casefold() for topic in one}.isdisjoint(topic.casefold() for topic in other)


def _letter(reader: Reader, announced: Announced) -> Gets | Why:
    language = reader.language if reader.language in announced.languages else announced.languages[0]
    if edition := announced.editions.get(language):
        return Gets(language, reader.format, edition, "")
    other = next((edition for edition in announced.editions.values()), "")
    return Gets(language, reader.format, other, language) if other else Why.NO_EDITION


def broadcast_of(key: str) -> str:
    """The broadcast that a mail of ours with this key told colleagues of; empty where it told of none."""
    parts = key.split(":")
    return parts[1] if parts[0] == TOLD and len(parts) > 2 else ""


class NotAllowed(Exception):
    """That cannot be done with this broadcast as it stands. The argument says why, and what to do."""


def after(broadcast: Broadcast, act: Act) -> State:
    """The state that an act leads to. Raises NotAllowed."""
    becomes = TRANSITIONS[act].get(broadcast.state)
    if becomes is None:
        why = f" ({broadcast.why})" if broadcast.why else ""
        raise NotAllowed(f"{broadcast.id} is {broadcast.state}{why}: {act} cannot be done with it.")
    return becomes


def may_approve(broadcast: Broadcast, count: int, names: Sequence[str], name: str, approvals: int) -> str:
    """Why this approval does not count; "" where it does. `names` are those who have approved before."""
    if broadcast.state is not State.DRAFT:
        return f"{broadcast.id} is {broadcast.state}: there is nothing to approve."
    if count != broadcast.recipients:
        return f"{broadcast.id} goes to {broadcast.recipients} people, not to {count}: look at it again (mailbot broadcast preview)."
    if approvals > 1 and not name.strip():
        return "Two people approve here: say who you are (--by NAME)."
    if name.strip().casefold() in {one.casefold() for one in names}:
        return f"{name} has approved it already: somebody else has to."
    return ""


@dataclass(frozen=True, slots=True)
class Turn:
    """What the clock or the outcome of its mails does to a broadcast."""

    act: Act
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From the settings: how late it may leave, and how many hard bounces it may have."""

    max_lateness_minutes: float
    pause_bounce_percent: float


BOUNCES_JUDGED_AFTER, LEAST_HARD = 100, 5
UNFINISHED = ("queued", "sending", "retrying")


def resuming(broadcast: Broadcast, now: datetime) -> Act:
    """What going on with it means: at once, or at its time where that is still to come."""
    return Act.WAIT if broadcast.at is not None and broadcast.at > now and broadcast.started_at is None else Act.RESUME


def turn(broadcast: Broadcast, states: Mapping[str, int], judged: int, hard: int, limits: Limits, now: datetime) -> Turn | None:
    """What is to happen now; None: nothing. `states` of its mails: one in doubt with a retry due counts as retrying. Of those that came to
    their end since a person last went on with it, `judged` are how many, and `hard` those whose address is dead."""
    if broadcast.state in (State.APPROVED, State.SCHEDULED):
        starts = max(filter(None, (broadcast.held_until, broadcast.at)), default=now)
        late = (now - (broadcast.at or starts)).total_seconds() / 60
        if broadcast.not_after is not None and now > broadcast.not_after:
            return Turn(Act.HOLD, "it may not leave after its time, which is over")
        if broadcast.at is not None and late > limits.max_lateness_minutes:
            return Turn(Act.HOLD, f"it is {late:.0f} minutes late; more than {limits.max_lateness_minutes:g} is never made up for")
        return Turn(Act.START) if now >= starts else None
    if broadcast.state is not State.SENDING:
        return None
    if not any(states[name] for name in UNFINISHED):
        return Turn(Act.FINISH)
    if broadcast.not_after is not None and now > broadcast.not_after:
        return Turn(Act.HOLD, "it may not leave after its time, which is over")
    if judged >= BOUNCES_JUDGED_AFTER and hard >= LEAST_HARD and 100 * hard > limits.pause_bounce_percent * judged:
        return Turn(Act.HOLD, f"{hard} of {judged} addresses are dead; `mailbot broadcast clean {broadcast.id}` lists and removes them")
    return None
