"""Does what a colleague said about a case, in the transaction that records the reply: what leaves, what is held back, what they are told.

The state of the case and its token are one: whoever says OUI twice, or to an older note, finds the case answered. Acting twice is
harmless, because every mail's key holds the number of the reply that it comes from.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from mailbot.cases import store
from mailbot.cases.case import HELD_BACK, Case, CaseState, Note, due
from mailbot.cases.colleague_reply import Away, Close, Refusal, Refused, Remark, SendDraft, SendOwn, Snooze, Stop
from mailbot.database.engine import Tx
from mailbot.inbox import compose, compose_case, kept_draft
from mailbot.inbox.hand_over import Desk, pass_on, tell
from mailbot.inbox.outcome import ColleagueReply
from mailbot.message import token
from mailbot.message.address import Address
from mailbot.outbox import store as outbox
from mailbot.releases.release import Release, public_editions, public_photos


def take_reply(tx: Tx, desk: Desk, reply: ColleagueReply, mail_id: int | str, library: Mapping[str, Release], now: datetime) -> None:
    """`mail_id` is the reply's own number; for one that was written at the desk, what makes it that one."""
    note, meaning = reply.note, reply.meaning
    case, by = note.case, _who(desk, note)
    match meaning:
        case SendDraft():
            told = _send_draft(tx, desk, note, mail_id, library, now)
        case SendOwn(text=text):
            told = _hold(tx, desk, note, text, mail_id, now)
        case Stop():
            told = "stopped" if _stop(tx, case, now) else Refusal.LEFT
        case Close():
            told = "closed" if store.close(tx, case.id, "refused", by.address, now) else Refusal.LEFT
        case Snooze(until=until):
            store.snooze(tx, case.id, until, by)
            return _tell(tx, desk, note, mail_id, "snoozed", now, until)
        case Remark():
            told = ""
            if case.state is CaseState.OPEN and case.colleague == by.address:  # it is not untouched: somebody works on it
                store.give(tx, case.id, by, due(now, case.deadline))
        case Away():
            pass_on(tx, desk, case, "away", now)
            return None
        case Refused(reason=reason):
            told = "" if reason is Refusal.TOO_MANY else reason
        case _:
            assert_never(meaning)
    return _tell(tx, desk, note, mail_id, told, now) if told else None


def _send_draft(tx: Tx, desk: Desk, note: Note, mail_id: int | str, library: Mapping[str, Release], now: datetime) -> str:
    """The draft is written anew, so that an embargo, a withdrawal or a correction since then is heeded; "" where it is queued."""
    case = note.case
    assert case.draft is not None
    decision = kept_draft.taken_up(case.draft)
    public = {one.slug for release in library.values() for one in public_editions(release, now)}
    if decision.edition not in public:
        return Refusal.NOT_PUBLIC
    standing = {photo.number for photo in public_photos(library[decision.release], now)}
    photos = tuple(number for number in decision.photos if number in standing)
    if decision.brings_photos and not photos:
        return Refusal.NOT_PUBLIC
    decision = replace(decision, alternatives=tuple(slug for slug in decision.alternatives if slug in public), photos=photos)
    answer = compose.answer(desk.office, compose_case.remembered(case), decision, library, case.language)
    delivery_id = desk.new_id()
    if desk.queue(tx, compose_case.again(answer, mail_id), delivery_id, now):
        store.answered(tx, case.id, delivery_id, _who(desk, note).address, now)
    return ""


def _hold(tx: Tx, desk: Desk, note: Note, text: str, mail_id: int | str, now: datetime) -> str:
    """First the echo, some minutes later the text itself. A second text takes the place of the first, if that has not left."""
    case = note.case
    if case.state is CaseState.ANSWERING and not outbox.withdraw(tx, case.answer, now):
        return Refusal.LEFT
    leaves_at, delivery_id = now + HELD_BACK, desk.new_id()
    letter = compose_case.own_text(desk.office, case, text, f"letter:{case.mail}:{mail_id}")
    if desk.queue(tx, letter, delivery_id, now, leaves_at):
        store.hold(tx, case.id, delivery_id, _who(desk, note).address)
        echo_id, minutes = desk.new_id(), int(HELD_BACK.total_seconds()) // 60
        reference = token.subject_token(desk.secret, echo_id)
        echo = compose_case.echo(desk.office, case, _who(desk, note), letter, leaves_at, minutes, reference, f"echo:{mail_id}")
        tell(tx, desk, case, echo, reference, echo_id, now)
    return ""


def _stop(tx: Tx, case: Case, now: datetime) -> bool:
    return outbox.withdraw(tx, case.answer, now) and store.reopen(tx, case.id, due(now, case.deadline))


def _tell(tx: Tx, desk: Desk, note: Note, mail_id: int | str, event: str, now: datetime, until: datetime | None = None) -> None:
    delivery_id = desk.new_id()
    reference = token.subject_token(desk.secret, delivery_id)
    told = compose_case.told(desk.office, note.case, _who(desk, note), event, until, reference, f"told:{mail_id}")
    tell(tx, desk, note.case, told, reference, delivery_id, now)


def _who(desk: Desk, note: Note) -> Address:
    """The colleague whose note it is, as the settings write them."""
    return next((one for one in desk.office.colleagues if one.key == note.colleague_key), Address(note.colleague_key))
