"""What is to be done with a mail: a short list of questions in order of danger; the first answer wins.

Is it a report? A machine? A colleague's answer to a case? An answer to what we asked about the list? Have we handled it? Does it need
a person? What is wanted? Is there something public to send? Are we sure enough, and may an answer go where it would have to go? What
is left goes to a person. Nothing is dropped: to ignore is to file, visibly.
"""

from datetime import datetime

from mailbot.inbox import automatic_mail, membership
from mailbot.inbox.answer_back import answer_back
from mailbot.inbox.automatic_mail import MADE_BY_A_PROGRAM, Judgement, Own, Sign, Verdict
from mailbot.inbox.colleague import colleagues_word, stops_broadcast
from mailbot.inbox.fulfilment import fulfil, ignored, is_clear_spam, passed_on
from mailbot.inbox.heard import Heard, listen
from mailbot.inbox.intent import Kind
from mailbot.inbox.lexicon import lexicon
from mailbot.inbox.outcome import Context, Decided, HandOff, Ignore, RecordReport
from mailbot.inbox.reason import Reason
from mailbot.inbox.sensitive import sensitive_topic
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import IncomingMessage, Unreadable


def decide(message: IncomingMessage | Unreadable, context: Context, now: datetime) -> Decided:
    """The one rule."""
    default = context.organisation_languages[0]
    if isinstance(message, Unreadable):
        return passed_on(Reason.UNREADABLE, default, why=message.why, kind="unreadable", evidence=(message.why,))
    judged = judgement(message, context)
    if _is_report(message):
        return _report(message, context, default)
    said = membership.left_by_token(message, context, judged, now) or colleagues_word(message, context, judged, now)
    said = said or stops_broadcast(message, context, judged)
    settled = said or before_reading(message, context, judged)
    return settled or after_reading(message, context, judged, listen(message, context, now), now)


def judgement(message: IncomingMessage, context: Context) -> Judgement:
    """Is it from a machine?"""
    book = lexicon(context.languages)
    ours = any(message.message_id.startswith(f"<mb.{delivery}.") for delivery in context.own_deliveries)
    return automatic_mail.judge(message, Own(context.own_addresses, ours, book.automatic_subject, book.automatic_text))


def before_reading(message: IncomingMessage, context: Context, judged: Judgement) -> Decided | None:
    """Certain machines: their headers say enough."""
    default = context.organisation_languages[0]
    if judged.verdict is Verdict.MACHINE and judged.sign is not None:
        return Decided(decisions=(Ignore(reason=Reason(judged.sign)),), kind="automatic", language=default, evidence=(judged.evidence,))
    return None


def after_reading(message: IncomingMessage, context: Context, judged: Judgement, heard: Heard, now: datetime) -> Decided:
    """The questions that remain for a mail that may be a person's."""
    if context.help_is_open and judged.sign not in MADE_BY_A_PROGRAM:
        return passed_on(Reason.HELP_IS_OPEN, heard.language)
    if judged.sign is not None:
        return _doubtful(judged, heard)
    if about_the_list := membership.reply(message, context, heard, now):
        return about_the_list
    sender = message.sender
    if sender and sender.key in context.colleagues and context.authentication is not Authentication.FAIL:
        return _colleagues(sender.address, context, heard)
    plea = heard.reading.wish(Kind.HELP)
    if context.answered_already and not plea:
        return ignored(Reason.ANSWERED_ALREADY, heard)
    handled = _handled(context)
    if handled and not plea:
        return passed_on(handled, heard.language, draft=heard.draft)
    if asked_back := answer_back(message, context, now):
        return asked_back
    if topic := sensitive_topic(message, context.languages):
        return _kept_for_a_person(topic, heard)
    granted = fulfil(message, context, heard, now)
    if heard.language in context.unready_languages and not all(isinstance(one, HandOff | Ignore) for one in granted.decisions):
        return passed_on(Reason.LANGUAGE_NOT_READY, heard.language, evidence=granted.evidence)
    return membership.settled(granted, context, now)


def _kept_for_a_person(topic: str, heard: Heard) -> Decided:
    """What the office wants to answer itself; a call for help is one all the same."""
    plea = heard.reading.wish(Kind.HELP)
    if plea:
        return passed_on(Reason.CALL_FOR_HELP, heard.language, confidence=plea.confidence, evidence=(*plea.evidence, topic))
    return passed_on(Reason.SENSITIVE_TOPIC, heard.language, confidence=1.0, evidence=(topic,))


def _is_report(message: IncomingMessage) -> bool:
    """What mail systems write about mail. Somebody who shows us a bounce he got is a person: there the whole mail is no report."""
    complaint = message.report_type == "feedback-report" or message.content_type == "message/feedback-report"
    return message.bounce or complaint or message.feedback_type != "" or bool(message.reported and message.return_path == "")


def _report(message: IncomingMessage, context: Context, default: str) -> Decided:
    reported, ours = message.reported, context.own_deliveries
    if message.feedback_type:
        kept = RecordReport(reason=Reason.FEEDBACK_REPORT, reported=reported, feedback_type=message.feedback_type, ours=ours)
        return Decided(decisions=(kept,), kind="report", language=default, evidence=(f"feedback-type: {message.feedback_type}",))
    if not reported:
        return passed_on(Reason.REPORT_UNREADABLE, default, kind="report", evidence=(message.content_type,))
    kept = RecordReport(reason=Reason.DELIVERY_REPORT, reported=reported, feedback_type="", ours=ours)
    evidence = tuple(" ".join(filter(None, (one.recipient, one.action, one.status, one.meaning))) for one in reported[:5])
    return Decided(decisions=(kept,), kind="report", language=default, evidence=evidence)


def _doubtful(judged: Judgement, heard: Heard) -> Decided:
    """Nothing is answered; a call for help is one all the same, and plain spam needs nobody."""
    assert judged.sign is not None
    plea, program = heard.reading.wish(Kind.HELP), judged.sign in MADE_BY_A_PROGRAM
    if plea and not program:
        return passed_on(Reason.CALL_FOR_HELP, heard.language, confidence=plea.confidence, evidence=plea.evidence)
    if judged.sign is Sign.SPAM_FLAGGED and is_clear_spam(heard.reading):
        return ignored(Reason.SPAM, heard)
    draft = None if program or judged.sign is Sign.SPAM_FLAGGED else heard.draft
    kind = "automatic" if program else "request"
    return passed_on(Reason(judged.sign), heard.language, kind=kind, draft=draft, confidence=0.6, evidence=(judged.evidence,))


def _colleagues(sender: str, context: Context, heard: Heard) -> Decided:
    """A colleague is never answered: a reply to one of our notes is filed, any other mail is for the office to read."""
    if context.own_deliveries:
        filed = Ignore(reason=Reason.COLLEAGUE_REPLIED)
        return Decided(decisions=(filed,), kind="request", language=heard.language, evidence=(f"from: {sender}",))
    return passed_on(Reason.COLLEAGUE, heard.language, evidence=(f"from: {sender}",))


def _handled(context: Context) -> Reason | None:
    if context.rescan_doubt:
        return Reason.RESCAN_DOUBT
    return Reason.OLD_IN_RESCAN if context.older_than_a_day_in_rescan else None
