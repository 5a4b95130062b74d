"""What becomes of a person's wishes: the clear ones are granted, all the others go to a colleague in one note.

Beside a plea, a complaint or anything as grave nothing is granted: who asks for help must not get a release with it. The
newest release, one by topic or date, the photos of one, and the sender's own place on the press list are all that is ever granted;
what was asked for in words of its own beside an interview or photos is granted, and a colleague gets the rest.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mailbot.inbox import destination
from mailbot.inbox.brakes import braked
from mailbot.inbox.heard import A_RELEASE, Heard
from mailbot.inbox.intent import Kind, Reading, Wish
from mailbot.inbox.lexicon import lexicon
from mailbot.inbox.outcome import Context, Decided, Decision, HandOff, Ignore, SendRelease, Subscribe, Unsubscribe
from mailbot.inbox.photo_wish import photos_of_one_release
from mailbot.inbox.reason import Reason
from mailbot.inbox.sentence import is_reply
from mailbot.message import address
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import IncomingMessage

SURE_ENOUGH = 0.6
CLEAR_SPAM = 3      # different phrases; or two of several words

_THE_LIST = frozenset({Kind.SUBSCRIBE, Kind.UNSUBSCRIBE})
_HARMLESS = frozenset({*A_RELEASE, *_THE_LIST, Kind.THANKS})    # whatever else is wanted, a person sees the whole mail
_WITHOUT_DRAFT = frozenset({Kind.HELP, Kind.LEGAL, Kind.COMPLAINT, Kind.CORRECTION, Kind.UNSUBSCRIBE, Kind.EMBARGO, Kind.SPAM})
_NONE_FITS = frozenset({Reason.NO_MATCH, Reason.HALF_MATCH, Reason.SEVERAL_MATCH})
_NOTHING_BESIDE = frozenset({*_WITHOUT_DRAFT, Kind.SOMEONE_ELSE, Kind.CHANGE_OF_ADDRESS}).difference({Kind.UNSUBSCRIBE})
_DRAFTLESS = frozenset({Reason.AUTHENTICATION_FAILED, Reason.NEGATED, Reason.JUNK})


def fulfil(message: IncomingMessage, context: Context, heard: Heard, now: datetime) -> Decided:
    """For a mail that is a person's, and that nobody has dealt with yet."""
    wishes = heard.reading.wishes
    kinds = {wish.kind for wish in wishes}
    if kinds == {Kind.THANKS}:
        return ignored(Reason.THANKS, heard, wishes[0].evidence)
    if kinds == {Kind.SPAM} and is_clear_spam(heard.reading):
        return ignored(Reason.SPAM, heard, wishes[0].evidence)
    if photos := _photos(message, context, heard, now):
        return photos
    beside = [wish for wish in wishes if wish.kind in _HARMLESS and wish.confidence >= SURE_ENOUGH and heard.reading.leaning is not None]
    if kinds >= _THE_LIST or (not kinds <= _HARMLESS and (not beside or not kinds.isdisjoint(_NOTHING_BESIDE))):
        return _in_time(_only_passed_on(wishes[0], kinds, context, heard), heard)
    asked = [wish for wish in wishes if wish.kind is not Kind.THANKS]
    each = [_grant(wish, message, context, heard, now) for wish in asked] or [_release(message, context, heard, now)]
    if heard.second and isinstance(each[0], SendRelease):
        each.append(_second(heard.second, message, context, heard, now))
    decided = Decided(
        decisions=_one_note(each), kind="request", language=heard.language,
        confidence=min((wish.confidence for wish in asked), default=0.3), evidence=_evidence(asked, each, heard),
    )  # fmt: skip
    return _in_time(decided, heard)


def _photos(message: IncomingMessage, context: Context, heard: Heard, now: datetime) -> Decided | None:
    """The photos of a certain release, after the release itself where that is asked for too. None: as any other wish for photos."""
    wanted = photos_of_one_release(message, context, heard, now)
    if wanted is None or context.authentication is not Authentication.PASS:  # a file goes to nobody else
        return None
    before = context.earlier_variants.count((wanted.edition, wanted.wanted))
    hindrance = _unclear(message, context, heard) or _unsafe(message, context) or _braked(message, context) or capped(context)
    if hindrance or before > 1:
        return None
    asked = [wish for wish in heard.reading.wishes if wish.kind in (*A_RELEASE, Kind.PHOTOS) and wish.confidence >= SURE_ENOUGH]
    text = [_release(message, context, heard, now)] if any(wish.kind in A_RELEASE for wish in asked) else []
    each = (*text, replace(wanted, repeat=before > 0))
    return Decided(
        decisions=_one_note(each), kind="request", language=heard.language, confidence=min(wish.confidence for wish in asked),
        evidence=_evidence(asked, each, heard),
    )  # fmt: skip


def _in_time(decided: Decided, heard: Heard) -> Decided:
    """A colleague reads by when it is wanted."""
    wanted = heard.deadline
    if wanted is None:
        return decided
    noted = (
        replace(each, deadline=wanted.at, deadline_words=wanted.words, urgent=wanted.urgent) if isinstance(each, HandOff) else each
        for each in decided.decisions
    )
    return replace(decided, decisions=tuple(noted))


def _grant(wish: Wish, message: IncomingMessage, context: Context, heard: Heard, now: datetime) -> Decision:
    if wish.kind in A_RELEASE:
        return _release(message, context, heard, now)
    if wish.kind not in _HARMLESS:
        return HandOff(reason=Reason(wish.kind), why=str(wish.kind))
    hindrance = _unclear(message, context, heard) or _unsafe(message, context)
    if wish.kind is Kind.SUBSCRIBE:
        hindrance = hindrance or _braked(message, context)
    if hindrance or wish.confidence < SURE_ENOUGH:
        return HandOff(reason=hindrance or Reason(wish.kind), why=str(hindrance or wish.kind))
    if wish.kind is Kind.SUBSCRIBE:
        return Subscribe(reason=Reason.SUBSCRIBE)
    return Unsubscribe(reason=Reason.UNSUBSCRIBE, certain=context.authentication is Authentication.PASS)


def _release(message: IncomingMessage, context: Context, heard: Heard, now: datetime) -> SendRelease | HandOff:
    hindrance = _not_sure(message, context, heard) or _may_not_go(message, context, heard, now)
    if hindrance or heard.draft is None:
        reason = hindrance or Reason.NOT_SURE
        offer = bool(heard.offers) and reason in _NONE_FITS and _may_not_go(message, context, heard, now) is None
        draft = None if reason in _DRAFTLESS else heard.draft
        return HandOff(reason=reason, why=str(reason), draft=draft, offers=heard.offers, offer=offer)
    repeat = any(release == heard.draft.release for release, _ in _recent_answers(context, now))
    return replace(heard.draft, repeat=repeat)


def _second(second: SendRelease, message: IncomingMessage, context: Context, heard: Heard, now: datetime) -> SendRelease | HandOff:
    """The other one of two: every cap counts the first."""
    after = replace(
        context, answers_today_address=context.answers_today_address + 1, answers_hour_domain=context.answers_hour_domain + 1,
        answers_last_minute=context.answers_last_minute + 1,
    )  # fmt: skip
    return _release(message, after, replace(heard, draft=second), now)


def _one_note(each: Sequence[Decision]) -> tuple[Decision, ...]:
    """What is granted, then one HandOff for all the rest: the first, most dangerous one names it, a draft comes from whichever has one."""
    notes = [decision for decision in each if isinstance(decision, HandOff)]
    granted = [decision for decision in each if not isinstance(decision, HandOff)]
    if not notes:
        return tuple(granted)
    draft = next((note.draft for note in notes if note.draft), None)
    offered = next((note.offers for note in notes if note.offers), ())
    return (*granted, replace(notes[0], draft=draft, offers=offered))


def _evidence(asked: Sequence[Wish], each: Sequence[Decision], heard: Heard) -> tuple[str, ...]:
    said = [word for wish in asked for word in wish.evidence] if asked else list(heard.reading.unexplained[:5])
    found = [word for decision in each if isinstance(decision, SendRelease) for word in decision.words]
    return tuple(dict.fromkeys((*said, *found)))


def _only_passed_on(first: Wish, kinds: set[Kind], context: Context, heard: Heard) -> Decided:
    """The most dangerous wish names the reason. A release asked for beside it is a draft, never beside a plea or a complaint."""
    trusted = context.authentication is not Authentication.FAIL
    draft = heard.draft if trusted and kinds.isdisjoint(_WITHOUT_DRAFT) else None
    return passed_on(Reason(first.kind), heard.language, draft=draft, confidence=first.confidence, evidence=first.evidence)


def is_clear_spam(reading: Reading) -> bool:
    """What was learned hears nothing else, or many of its phrases stand there, or two long ones; a journalist may well use one of them."""
    wish = reading.wish(Kind.SPAM)
    if wish is not None and reading.leaning is not None and {one.kind for one in reading.wishes} == {Kind.SPAM}:
        return True
    return wish is not None and (len(wish.evidence) >= CLEAR_SPAM or sum(" " in phrase for phrase in wish.evidence) >= CLEAR_SPAM - 1)


def _not_sure(message: IncomingMessage, context: Context, heard: Heard) -> Reason | None:
    """Do we know what is wanted, and have it?"""
    wanted = heard.reading.wish(*A_RELEASE)
    if not message.visible_text.strip() and not message.subject.strip():
        return Reason.NOTHING_WRITTEN
    if wanted is None:
        return Reason.NOT_UNDERSTOOD
    if unclear := _unclear(message, context, heard):
        return unclear
    if heard.doubt is not None:
        return Reason(heard.doubt)
    return Reason.NOT_SURE if wanted.confidence < SURE_ENOUGH else None


def _unclear(message: IncomingMessage, context: Context, heard: Heard) -> Reason | None:
    if heard.reading.negated:
        return Reason.NEGATED
    others = any(_is_somebody_else(named, message, context) for named in heard.reading.addresses)
    return Reason.SOMEONE_ELSE if others else None


def _is_somebody_else(named: str, message: IncomingMessage, context: Context) -> bool:
    """An address in the text that is neither the sender's nor ours may be where the release shall go."""
    key = address.key(named)
    return bool(key) and key not in context.own_addresses and (message.sender is None or key != message.sender.key)


def _unsafe(message: IncomingMessage, context: Context) -> Reason | None:
    """Where an answer would go: whatever speaks against it."""
    if context.junk:
        return Reason.JUNK
    return destination.hindrance(message, context.authentication, from_a_file=context.from_a_file)


def _may_not_go(message: IncomingMessage, context: Context, heard: Heard, now: datetime) -> Reason | None:
    """Where a release would go, and how often one did."""
    if unsafe := _unsafe(message, context):
        return unsafe
    if context.own_deliveries:
        return Reason.REPLY_TO_OURS
    if brake := _braked(message, context):
        return brake
    earlier = _recent_answers(context, now)
    confirmed = context.authentication is Authentication.PASS
    same = [at for release, at in earlier if heard.draft and release == heard.draft.release]
    if (earlier and not confirmed) or len(same) > 1:
        return Reason.ASKED_AGAIN
    return capped(context)


def capped(context: Context) -> Reason | None:
    """Which cap is reached, whatever would be answered."""
    caps = context.caps
    if context.answers_today_address >= caps.answers_per_address_per_day:
        return Reason.CAP_ADDRESS
    if context.answers_hour_domain >= caps.answers_per_domain_per_hour:
        return Reason.CAP_DOMAIN
    return Reason.CAP_MINUTE if context.answers_last_minute >= caps.answers_per_minute else None


def _braked(message: IncomingMessage, context: Context) -> Reason | None:
    return braked(context, is_reply=is_reply(message.subject, lexicon(context.languages)))


def _recent_answers(context: Context, now: datetime) -> tuple[tuple[str, datetime], ...]:
    """The answers to this person within the pause."""
    since = now - timedelta(days=context.caps.answer_pause_days)
    return tuple((release, at) for release, at in context.earlier_answers if at > since)


def ignored(reason: Reason, heard: Heard, evidence: tuple[str, ...] = ()) -> Decided:
    """It is filed, and nothing else happens."""
    return Decided(decisions=(Ignore(reason=reason),), kind="request", language=heard.language, confidence=0.9, evidence=evidence)


def passed_on(
    reason: Reason, code: str, *, why: str = "", kind: str = "request", draft: SendRelease | None = None, confidence: float = 0.5,
    evidence: tuple[str, ...] = (),
) -> Decided:  # fmt: skip
    """It is a person's turn, and nothing else happens."""
    decision = HandOff(reason=reason, why=why or str(reason), draft=draft)
    return Decided(decisions=(decision,), kind=kind, language=code, confidence=confidence, evidence=evidence)
