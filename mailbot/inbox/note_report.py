"""What a report about a mail of ours changes: the journalist's address, and the mail that was answered. Without our seal: nothing."""

from datetime import datetime

from mailbot import bounces
from mailbot.audience import store as audience
from mailbot.audience import suppression_store
from mailbot.audience.journalist import Channel, State
from mailbot.audience.journalist import Why as Left
from mailbot.audience.suppression import Bounce, Why, concerned, grade, grade_of_feedback
from mailbot.database.engine import Tx
from mailbot.inbox import store
from mailbot.inbox.give_back import give_back
from mailbot.inbox.hand_over import Desk
from mailbot.inbox.outcome import RecordReport
from mailbot.inbox.summarise import name_again
from mailbot.outbox import recall_store
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Failed, Kind, Phase, Reply, Uncertain, Verdict

TO_JOURNALISTS = (Kind.ANSWER, Kind.CONFIRMATION, Kind.CORRECTION, Kind.BROADCAST)
ANSWERS = (Kind.ANSWER, Kind.LETTER)


def note_report(tx: Tx, desk: Desk, report: RecordReport, mail: int, now: datetime) -> None:
    """A bounce or a complaint that came by mail, in the transaction that records its decision."""
    failed = [one for one in report.reported if one.action in ("failed", "")]
    if failed:
        for answered in outbox.mails_of(tx, report.ours):  # what we wrote about it has not arrived after all
            store.put_before_a_person(tx, answered)
            name_again(tx, answered, now)
    for delivery, draft in recall_store.left(tx, report.ours) if failed else ():
        if draft.kind in ANSWERS:
            give_back(tx, desk, draft, delivery, "refused", failed[0].diagnostic or failed[0].status, f"{delivery}.bounced", now)
    went_to = suppression_store.went_to(tx, report.ours, TO_JOURNALISTS)
    for delivery, said in concerned(went_to, report.reported):
        if report.feedback_type:
            graded, status, diagnostic = grade_of_feedback(report.feedback_type), "", f"feedback-type: {report.feedback_type}"
        elif said is not None:
            graded, status, diagnostic = grade(said.action, said.status, said.meaning), said.status, said.diagnostic
        else:
            continue
        suppressed = suppression_store.note(tx, went_to[delivery], Bounce(now, graded, delivery), status, diagnostic, mail)
        if suppressed and suppressed.why is Why.COMPLAINT:
            _take_off_the_list(tx, went_to[delivery], diagnostic, mail, now)


def _take_off_the_list(tx: Tx, key: str, words: str, mail: int, now: datetime) -> None:
    """Who calls our mail spam has left, whatever he once confirmed."""
    who = audience.find(tx, key)
    if who is not None and audience.become(tx, who, State.UNSUBSCRIBED, now):
        audience.note(tx, who, Channel.MAIL, Left.LEFT, words, mail, now)


def note_refusal(tx: Tx, claimed: outbox.Claimed, verdict: Verdict, reply: Reply, now: datetime) -> None:
    """What the relay said of the recipient when he was named to it, where that was the last word: it is a bounce without a mail."""
    last_word = isinstance(verdict, Failed | Uncertain) and reply.phase is Phase.ENVELOPE_RCPT and reply.refused
    if claimed.kind not in TO_JOURNALISTS or not last_word:
        return
    graded = grade("failed", reply.enhanced, bounces.shipped().meaning(reply.text))
    said = f"{reply.code} {reply.text}"
    suppression_store.note(tx, claimed.draft.recipient.key, Bounce(now, graded, claimed.id), reply.enhanced, said, None)
