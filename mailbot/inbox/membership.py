"""The press list, as a mail may touch it: an answer to what we asked, STOP to any mail of ours, and what a wish comes to.

Whoever has our question has it from the mailbox that we asked: its Message-ID is sealed, and went nowhere else. So an answer needs
no more than that, the very address, and a first line that is the word alone; a domain that disowns it outweighs all of this.
A machine never comes here (T-10): it quotes our question, and confirms nothing.
"""

from dataclasses import replace
from datetime import datetime

from mailbot.audience.journalist import PURPOSE_OF, Ask, Change, Event, Journalist, Keep, Purpose, Step, Tell, answer, wish
from mailbot.inbox import destination
from mailbot.inbox.automatic_mail import Judgement
from mailbot.inbox.heard import Heard, below, listen
from mailbot.inbox.intent import Kind
from mailbot.inbox.outcome import Confirm, Context, Decided, Decision, HandOff, Ignore, Subscribe, Unsubscribe
from mailbot.inbox.reason import Reason
from mailbot.inbox.short_reply import ShortReply, Word, short_reply
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import IncomingMessage

_WORD_FOR = {Purpose.JOIN: Word.YES, Purpose.LEAVE: Word.YES, Purpose.RETURN: Word.BACK}
_THE_SAME_AGAIN = frozenset({Kind.SUBSCRIBE, Kind.UNSUBSCRIBE, Kind.THANKS})
_GRAVE = (Kind.HELP, Kind.LEGAL, Kind.COMPLAINT)


def reply(message: IncomingMessage, context: Context, heard: Heard, now: datetime) -> Decided | None:
    """Is it one word in reply to a mail of ours, about the list? None: the other questions go on."""
    if not context.own_deliveries or message.sender is None or context.rescan_doubt or context.older_than_a_day_in_rescan:
        return None
    said, asked = short_reply(message.visible_text, context.languages), context.asked
    if said is None or said.written.startswith(">"):
        return None
    rest = below(said, message, context, now)
    if rest.wish(*_GRAVE):
        return None
    if asked is not None and said.word is _WORD_FOR[asked.purpose]:
        decision, language = _answered(message, context, said, now), asked.journalist.language
    elif said.word is Word.STOP and message.sender.key not in context.colleagues:
        decision, language = _stopped(message, context), context.journalist.language if context.journalist else heard.language
    else:
        return None
    # What else stands below may be a wish or a signature: the word counts, and a person reads the rest.
    more = any(wish.kind not in _THE_SAME_AGAIN for wish in rest.wishes)
    decisions = (_for_a_person(Reason.REPLY_TO_OURS), decision) if more else (decision,)
    return settled(Decided(decisions=decisions, kind="request", language=language, evidence=(said.written,)), context, now)


def left_by_token(message: IncomingMessage, context: Context, judged: Judgement, now: datetime) -> Decided | None:
    """STOP with the token of an announcement: it went to nobody but its reader, in a field that programs alone read and act on. So it
    counts whoever sent it, a machine too, and for that reader alone (LS-07). None: it is no such mail, or one that was met before:
    its reader may have come back since."""
    leaver = context.leaver
    if leaver is None or context.rescan_doubt or context.older_than_a_day_in_rescan:
        return None
    said = short_reply(leaver.words, context.languages)
    if leaver.words and (said is None or said.word is not Word.STOP):
        return None
    below_it = replace(message, subject="")
    heard = listen(below_it, replace(context, understood=None), now) if message.visible_text.strip() and judged.sign is None else None
    if heard and heard.reading.wish(Kind.HELP):
        return None
    decision = Unsubscribe(reason=Reason.UNSUBSCRIBE, certain=True, reader=leaver.journalist)
    more = heard is not None and any(wish.kind not in _THE_SAME_AGAIN for wish in heard.reading.wishes)
    decisions = (_for_a_person(Reason.REPLY_TO_OURS), decision) if more else (decision,)
    spoken = leaver.journalist.language
    language = spoken if spoken in context.languages else context.organisation_languages[0]
    return settled(Decided(decisions=decisions, kind="request", language=language, evidence=(message.subject,)), context, now)


def _answered(message: IncomingMessage, context: Context, said: ShortReply, now: datetime) -> Decision:
    asked, sender = context.asked, message.sender
    assert asked is not None and sender is not None
    distrust = destination.hindrance(message, context.authentication, from_a_file=context.from_a_file)
    if context.junk or distrust not in (None, Reason.SENDER_UNCONFIRMED):
        return _for_a_person(Reason.JUNK if context.junk else distrust or Reason.JUNK)
    if sender.key != asked.journalist.key:
        return _for_a_person(Reason.CONFIRMED_BY_ANOTHER)
    step = answer(asked, now)
    if isinstance(step, Change):
        return Confirm(reason=Reason(step.why), asked=asked, words=said.written)
    return _without_a_change(step)


def _stopped(message: IncomingMessage, context: Context) -> Decision:
    if distrust := destination.hindrance(message, context.authentication, from_a_file=context.from_a_file):
        return _for_a_person(distrust)
    return Unsubscribe(reason=Reason.UNSUBSCRIBE, certain=context.authentication is Authentication.PASS)


def settled(decided: Decided, context: Context, now: datetime) -> Decided:
    """The same with what the wishes about the list come to, for this address, today: a person's turn, or nothing to be done."""
    each = [_settled(decision, context, now) for decision in decided.decisions]
    acts = [one for one in each if not isinstance(one, HandOff | Ignore)]
    notes = [one for one in each if isinstance(one, HandOff)][-1:]  # a colleague gets one; the last knows most
    return replace(decided, decisions=(*acts, *notes) or (each[0],))


def _settled(decision: Decision, context: Context, now: datetime) -> Decision:
    match decision:
        case Subscribe():
            event = Event.WISH_TO_JOIN
        case Unsubscribe(reader=None):
            event = event_of(decision)
        case Unsubscribe(reader=reader):
            step = departure(reader, now)
            return decision if isinstance(step, Change) else _without_a_change(step)
        case _:
            return decision
    step = wish(context.journalist, event, context.last_asked.get(PURPOSE_OF[event]), now)
    if isinstance(step, Change):
        return decision
    if isinstance(step, Ask | Tell):
        full = context.list_mails_hour_domain >= context.caps.answers_per_domain_per_hour
        return _for_a_person(Reason.CAP_DOMAIN) if full else decision
    return _without_a_change(step)


def departure(reader: Journalist | None, now: datetime) -> Step:
    """What comes of a token: who has left already is not told so again, as programs send it twice."""
    return wish(reader, Event.LEAVES, now, now)


def event_of(wanted: Unsubscribe) -> Event:
    """Leaving is believed where the domain vouches for the mail."""
    return Event.LEAVES if wanted.certain else Event.WISH_TO_LEAVE


def _without_a_change(step: Step) -> Decision:
    return Ignore(reason=Reason(step.why)) if isinstance(step, Keep) else _for_a_person(Reason(step.why))


def _for_a_person(reason: Reason) -> HandOff:
    return HandOff(reason=reason, why=str(reason))
