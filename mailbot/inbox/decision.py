"""What is to be done with a mail: a short list of questions in order of danger; the first answer wins.

Is it a report? A machine? Have we handled it? Is it a colleague's? Does it need a person? What is wanted? Is there
something public to send? Are we sure enough, and may an answer go where it would have to go? Only the newest release and a release by
topic or date are ever sent; whatever is left goes to a person. Nothing is dropped: to ignore is to file, visibly.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mailbot.inbox import automatic_mail, destination
from mailbot.inbox.automatic_mail import MADE_BY_A_PROGRAM, Judgement, Own, Sign, Verdict
from mailbot.inbox.choice import Choice, Doubt, choose, offers
from mailbot.inbox.intent import Kind, Reading, Wish
from mailbot.inbox.lexicon import lexicon
from mailbot.inbox.outcome import Caps as Caps
from mailbot.inbox.outcome import Context as Context
from mailbot.inbox.outcome import Decided as Decided
from mailbot.inbox.outcome import Decision as Decision
from mailbot.inbox.outcome import HandOff as HandOff
from mailbot.inbox.outcome import Ignore as Ignore
from mailbot.inbox.outcome import RecordReport as RecordReport
from mailbot.inbox.outcome import SendRelease as SendRelease
from mailbot.inbox.reason import Reason as Reason
from mailbot.inbox.understanding import Ears, own_words, understand
from mailbot.message import address
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import IncomingMessage, Unreadable
from mailbot.releases.release import edition_for

SURE_ENOUGH = 0.6
CLEAR_SPAM = 3      # different phrases; or two of several words


_SENDS = (Kind.LATEST, Kind.ABOUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the mail says, in which language, and what could be sent for it."""

    language: str
    reading: Reading
    draft: SendRelease | None
    doubt: Doubt | None
    offers: tuple[str, ...]


def decide(message: IncomingMessage | Unreadable, context: Context, now: datetime) -> Decided:
    """The one rule."""
    default = context.organisation_languages[0]
    if isinstance(message, Unreadable):
        return _passed_on(Reason.UNREADABLE, default, why=message.why, kind="unreadable", evidence=(message.why,))
    judged = judgement(message, context)
    settled = before_reading(message, context, judged)
    return settled or after_reading(message, context, judged, listen(message, context, now), now)


def judgement(message: IncomingMessage, context: Context) -> Judgement:
    """Is it from a machine?"""
    book = lexicon(context.languages)
    ours = any(message.message_id.startswith(f"<mb.{delivery}.") for delivery in context.own_deliveries)
    return automatic_mail.judge(message, Own(context.own_addresses, ours, book.automatic_subject, book.automatic_text))


def before_reading(message: IncomingMessage, context: Context, judged: Judgement) -> Decided | None:
    """Reports and certain machines: their headers say enough."""
    default = context.organisation_languages[0]
    if _is_report(message):
        return _report(message, context, default)
    if judged.verdict is Verdict.MACHINE and judged.sign is not None:
        return Decided(decision=Ignore(reason=Reason(judged.sign)), kind="automatic", language=default, evidence=(judged.evidence,))
    return None


def listen(message: IncomingMessage, context: Context, now: datetime) -> Heard:
    """Understand the text, and look for the release it asks for."""
    known = own_words(context.own_addresses, context.organisation_names)
    understood = context.understood or understand(message, Ears(context.languages, context.organisation_languages[0], known), now)
    spoken, reading = understood.language, understood.reading
    order = tuple(code for code in (reading.wanted_language, spoken, *context.organisation_languages) if code)
    if not reading.wish(Kind.LATEST, Kind.ABOUT):
        return Heard(language=spoken, reading=reading, draft=None, doubt=None, offers=())
    chosen = choose(reading, context.releases, context.index, known, now)
    draft = _draft(chosen, order, context, now) if isinstance(chosen, Choice) else None
    doubt = chosen.doubt if isinstance(chosen, Choice) else chosen
    return Heard(language=spoken, reading=reading, draft=draft, doubt=doubt, offers=_offers(context, order, now) if doubt else ())


def _offers(context: Context, order: tuple[str, ...], now: datetime) -> tuple[str, ...]:
    return offers(context.releases, context.index, order, now)


def after_reading(message: IncomingMessage, context: Context, judged: Judgement, heard: Heard, now: datetime) -> Decided:
    """The questions that remain for a mail that may be a person's."""
    if judged.sign is not None:
        return _doubtful(judged, heard)
    sender = message.sender
    if sender and sender.key in context.colleagues and context.authentication is not Authentication.FAIL:
        return _colleagues(sender.address, context, heard)
    handled = _handled(context)
    if handled:
        return _passed_on(handled, heard.language, draft=heard.draft)
    others = tuple(wish for wish in heard.reading.wishes if wish.kind not in _SENDS)
    if others:
        return _persons_business(others, message, context, heard)
    return _answer(message, context, heard, now)


def _answer(message: IncomingMessage, context: Context, heard: Heard, now: datetime) -> Decided:
    """A release is all that is asked for, if anything is."""
    wanted = heard.reading.wish(*_SENDS)
    confidence, evidence = (wanted.confidence, wanted.evidence) if wanted else (0.3, heard.reading.unexplained[:5])
    hindrance = _not_sure(message, context, heard) or _may_not_go(message, context, heard, now)
    if hindrance or heard.draft is None:
        return _passed_on(
            hindrance or Reason.NOT_SURE, heard.language, draft=None if hindrance in _NO_DRAFT else heard.draft, offered=heard.offers,
            confidence=confidence, evidence=evidence,
        )  # fmt: skip
    repeat = any(release == heard.draft.release for release, _ in _recent_answers(context, now))
    return Decided(
        decision=replace(heard.draft, repeat=repeat), kind="request", language=heard.language, confidence=confidence,
        evidence=tuple(dict.fromkeys((*evidence, *heard.draft.words))),
    )  # fmt: skip


_NO_DRAFT = frozenset({Reason.AUTHENTICATION_FAILED, Reason.NEGATED, Reason.JUNK})


def _is_report(message: IncomingMessage) -> bool:
    """What mail systems write about mail. Somebody who shows us a bounce he got is a person: there the whole mail is no report."""
    complaint = message.report_type == "feedback-report" or message.content_type == "message/feedback-report"
    return message.bounce or complaint or message.feedback_type != "" or bool(message.reported and message.return_path == "")


def _report(message: IncomingMessage, context: Context, default: str) -> Decided:
    reported, ours = message.reported, context.own_deliveries
    if message.feedback_type:
        kept = RecordReport(reason=Reason.FEEDBACK_REPORT, reported=reported, feedback_type=message.feedback_type, ours=ours)
        return Decided(decision=kept, kind="report", language=default, evidence=(f"feedback-type: {message.feedback_type}",))
    if not reported:
        return _passed_on(Reason.REPORT_UNREADABLE, default, kind="report", evidence=(message.content_type,))
    kept = RecordReport(reason=Reason.DELIVERY_REPORT, reported=reported, feedback_type="", ours=ours)
    evidence = tuple(" ".join(filter(None, (one.recipient, one.action, one.status, one.meaning))) for one in reported[:5])
    return Decided(decision=kept, kind="report", language=default, evidence=evidence)


def _doubtful(judged: Judgement, heard: Heard) -> Decided:
    """Nothing is answered; a call for help is one all the same, and plain spam needs nobody."""
    assert judged.sign is not None
    plea, program = heard.reading.wish(Kind.HELP), judged.sign in MADE_BY_A_PROGRAM
    if plea and not program:
        return _passed_on(Reason.CALL_FOR_HELP, heard.language, confidence=plea.confidence, evidence=plea.evidence)
    if judged.sign is Sign.SPAM_FLAGGED and _is_clear_spam(heard.reading):
        return _ignored(Reason.SPAM, heard)
    draft = None if program or judged.sign is Sign.SPAM_FLAGGED else heard.draft
    kind = "automatic" if program else "request"
    return _passed_on(Reason(judged.sign), heard.language, kind=kind, draft=draft, confidence=0.6, evidence=(judged.evidence,))


def _colleagues(sender: str, context: Context, heard: Heard) -> Decided:
    """A colleague is never answered: a reply to one of our notes is filed, any other mail is for the office to read."""
    if context.own_deliveries:
        decided = Ignore(reason=Reason.COLLEAGUE_REPLIED)
        return Decided(decision=decided, kind="request", language=heard.language, evidence=(f"from: {sender}",))
    return _passed_on(Reason.COLLEAGUE, heard.language, evidence=(f"from: {sender}",))


def _handled(context: Context) -> Reason | None:
    if context.rescan_doubt:
        return Reason.RESCAN_DOUBT
    return Reason.OLD_IN_RESCAN if context.older_than_a_day_in_rescan else None


_WITHOUT_DRAFT = frozenset({Kind.HELP, Kind.LEGAL, Kind.COMPLAINT, Kind.CORRECTION, Kind.UNSUBSCRIBE, Kind.EMBARGO, Kind.SPAM})


def _persons_business(wishes: tuple[Wish, ...], message: IncomingMessage, context: Context, heard: Heard) -> Decided:
    """The most dangerous wish names the reason. A release asked for beside it is a draft, never beside a plea or a complaint."""
    first, kinds = wishes[0], {wish.kind for wish in wishes}
    if kinds == {Kind.THANKS}:
        return _ignored(Reason.THANKS, heard, first.evidence)
    if kinds == {Kind.SPAM} and heard.draft is None and _is_clear_spam(heard.reading):
        return _ignored(Reason.SPAM, heard, first.evidence)
    trusted = context.authentication is not Authentication.FAIL
    draft = heard.draft if trusted and kinds.isdisjoint(_WITHOUT_DRAFT) else None
    return _passed_on(Reason(first.kind), heard.language, draft=draft, confidence=first.confidence, evidence=first.evidence)


def _is_clear_spam(reading: Reading) -> bool:
    """Many of its phrases, or two long ones; a journalist may well use one of them."""
    wish = reading.wish(Kind.SPAM)
    return wish is not None and (len(wish.evidence) >= CLEAR_SPAM or sum(" " in phrase for phrase in wish.evidence) >= CLEAR_SPAM - 1)


def _not_sure(message: IncomingMessage, context: Context, heard: Heard) -> Reason | None:
    """Do we know what is wanted, and have it?"""
    wanted = heard.reading.wish(*_SENDS)
    if not message.visible_text.strip() and not message.subject.strip():
        return Reason.NOTHING_WRITTEN
    if wanted is None:
        return Reason.NOT_UNDERSTOOD
    if heard.reading.negated:
        return Reason.NEGATED
    if any(_is_somebody_else(named, message, context) for named in heard.reading.addresses):
        return Reason.SOMEONE_ELSE
    if heard.doubt is not None:
        return Reason(heard.doubt)
    return Reason.NOT_SURE if wanted.confidence < SURE_ENOUGH else None


def _is_somebody_else(named: str, message: IncomingMessage, context: Context) -> bool:
    """An address in the text that is neither the sender's nor ours may be where the release shall go."""
    key = address.key(named)
    return bool(key) and key not in context.own_addresses and (message.sender is None or key != message.sender.key)


def _may_not_go(message: IncomingMessage, context: Context, heard: Heard, now: datetime) -> Reason | None:
    """Where an answer would go, and how often it did: whatever speaks against it."""
    if context.junk:
        return Reason.JUNK
    unsafe = destination.hindrance(message, context.authentication, from_a_file=context.from_a_file)
    if unsafe:
        return unsafe
    if context.own_deliveries:
        return Reason.REPLY_TO_OURS
    caps, earlier = context.caps, _recent_answers(context, now)
    confirmed = context.authentication is Authentication.PASS
    same = [at for release, at in earlier if heard.draft and release == heard.draft.release]
    if (earlier and not confirmed) or len(same) > 1:
        return Reason.ASKED_AGAIN
    if context.answers_today_address >= caps.answers_per_address_per_day:
        return Reason.CAP_ADDRESS
    if context.answers_hour_domain >= caps.answers_per_domain_per_hour:
        return Reason.CAP_DOMAIN
    return Reason.CAP_MINUTE if context.answers_last_minute >= caps.answers_per_minute else None


def _recent_answers(context: Context, now: datetime) -> tuple[tuple[str, datetime], ...]:
    """The answers to this person within the pause."""
    since = now - timedelta(days=context.caps.answer_pause_days)
    return tuple((release, at) for release, at in context.earlier_answers if at > since)


def _draft(chosen: Choice, order: tuple[str, ...], context: Context, now: datetime) -> SendRelease | None:
    edition = edition_for(chosen.release, order, now)
    if edition is None:
        return None
    near = (edition_for(context.releases[other], order, now) for other in chosen.others)
    return SendRelease(
        release=chosen.release.id, edition=edition.slug, language=edition.language, why=chosen.why, reason=_REASON_OF[chosen.why],
        full=context.authentication is Authentication.PASS, words=chosen.words, alternatives=tuple(one.slug for one in near if one),
    )  # fmt: skip


_REASON_OF = {"latest": Reason.LATEST_ASKED, "topic": Reason.TOPIC_ASKED, "date": Reason.DATE_ASKED}



def _ignored(reason: Reason, heard: Heard, evidence: tuple[str, ...] = ()) -> Decided:
    return Decided(decision=Ignore(reason=reason), kind="request", language=heard.language, confidence=0.9, evidence=evidence)


def _passed_on(
    reason: Reason, code: str, *, why: str = "", kind: str = "request", draft: SendRelease | None = None, offered: tuple[str, ...] = (),
    confidence: float = 0.5, evidence: tuple[str, ...] = (),
) -> Decided:  # fmt: skip
    decision = HandOff(reason=reason, why=why or str(reason), draft=draft, offers=offered)
    return Decided(decision=decision, kind=kind, language=code, confidence=confidence, evidence=evidence)
