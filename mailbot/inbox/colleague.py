"""Is it a colleague's answer to a case? Then it is a command, and what it means is the case's business (cases.colleague_reply)."""

from dataclasses import replace
from datetime import datetime

from mailbot.broadcast.broadcast import broadcast_of
from mailbot.cases import colleague_reply
from mailbot.cases.case import CaseState
from mailbot.cases.colleague_reply import Away, Close, Meaning, Order, Refused, Remark, Reply, SendDraft, SendOwn, Snooze, Stop
from mailbot.inbox.automatic_mail import Judgement, Sign
from mailbot.inbox.outcome import ColleagueReply, Context, Decided, StopBroadcast
from mailbot.inbox.reason import Reason
from mailbot.inbox.short_reply import Word, short_reply
from mailbot.message import address
from mailbot.message.address import Address
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import IncomingMessage

# What an answering machine gives away; a receipt, a newsletter or an invitation says nothing about who is there.
ANSWERING_MACHINE = frozenset(
    {
        Sign.AUTO_SUBMITTED, Sign.AUTO_REPLY_HEADER, Sign.PRECEDENCE_AUTO_REPLY, Sign.AUTOMATIC_SUBJECT, Sign.NULL_SENDER,
        Sign.AUTO_SUBMITTED_UNCLEAR, Sign.AUTOMATIC_TEXT,
    }
)  # fmt: skip
_ORDERS = {Word.YES: Order.YES, Word.NO: Order.NO, Word.LATER: Order.LATER}
_REASONS: dict[type, Reason] = {
    SendDraft: Reason.COLLEAGUE_SENDS, SendOwn: Reason.COLLEAGUE_WRITES, Remark: Reason.COLLEAGUE_REMARKS,
    Close: Reason.COLLEAGUE_CLOSES, Stop: Reason.COLLEAGUE_STOPS, Snooze: Reason.COLLEAGUE_SNOOZES, Away: Reason.COLLEAGUE_AWAY,
    Refused: Reason.COLLEAGUE_NOT_DONE,
}  # fmt: skip


def colleagues_word(message: IncomingMessage, context: Context, judged: Judgement, now: datetime) -> Decided | None:
    """None where it is no listed colleague's, or names no note of ours, or its domain disowns it."""
    sender, note = message.sender, context.note
    if sender is None or note is None or sender.key not in context.colleagues or context.authentication is Authentication.FAIL:
        return None
    if judged.sign is None:
        reply = _reply(message, sender, context)
        meaning = colleague_reply.read(reply, note, context.languages, now, context.zone)
        return _decided(meaning, context, "command", reply.written or f"from: {sender.address}")
    has_it = note.case.state is CaseState.OPEN and address.key(note.case.colleague) == note.colleague_key == sender.key
    named = note.delivery in context.own_deliveries  # a subject is quoted by anything; a sealed Message-ID only by an answer
    if judged.sign in ANSWERING_MACHINE and has_it and named:
        return _decided(Away(), context, "automatic", judged.evidence)
    return None


def stops_broadcast(message: IncomingMessage, context: Context, judged: Judgement) -> Decided | None:
    """STOP in reply to our word that an announcement is about to leave: from any listed colleague whose domain does not disown it. To stop
    takes no more than that; to go on does."""
    sender, told = message.sender, [one for mail in context.our_mails if (one := broadcast_of(mail.key))]
    if not told or sender is None or sender.key not in context.colleagues or judged.sign is not None:
        return None
    said = short_reply(message.visible_text, context.languages)
    if said is None or said.word not in (Word.STOP, Word.NO) or context.authentication is Authentication.FAIL:
        return None
    decision = StopBroadcast(reason=Reason.COLLEAGUE_STOPS_BROADCAST, broadcast=told[0], by=sender)
    return Decided(decisions=(decision,), kind="command", language=context.organisation_languages[0], evidence=(said.written,))


def _decided(meaning: Meaning, context: Context, kind: str, evidence: str) -> Decided:
    assert context.note is not None
    decision = ColleagueReply(reason=_REASONS[type(meaning)], note=context.note, meaning=meaning)
    why = (str(meaning.reason),) if isinstance(meaning, Refused) else ()
    return Decided(decisions=(decision,), kind=kind, language=context.organisation_languages[0], evidence=(evidence, *why))


def _reply(message: IncomingMessage, sender: Address, context: Context) -> Reply:
    said = short_reply(message.visible_text, context.languages)
    order = _ORDERS.get(said.word) if said else None
    reply = Reply(
        sender=sender, authentication=context.authentication, others=_others(message, sender, context), text=message.visible_text,
        attachments=message.attachments,
    )  # fmt: skip
    return replace(reply, order=order, written=said.written, rest=said.rest) if said and order else reply


def _others(message: IncomingMessage, sender: Address, context: Context) -> tuple[str, ...]:
    """Whoever reads along. What cannot be read as an address is somebody too."""
    found: list[str] = []
    for value in (*message.all("to"), *message.all("cc")):
        boxes, group = address.mailboxes(value)
        found += ["?" if box is None else box.key for box in boxes] + (["?"] if group else [])
    return tuple(key for key in found if key != sender.key and not _ours(key, context))


def _ours(key: str, context: Context) -> bool:
    local, _, domain = key.rpartition("@")
    return key in context.own_addresses or f"{local.partition('+')[0]}@{domain}" in context.own_addresses
