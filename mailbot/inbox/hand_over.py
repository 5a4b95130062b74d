"""Gives a case to a colleague: the note with its token and who has it now, in the transaction of whoever decided it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mailbot.cases import case as cases
from mailbot.cases import store
from mailbot.cases.case import Case, PassOn
from mailbot.database.engine import Tx
from mailbot.inbox import compose_case
from mailbot.inbox.summarise import name_again
from mailbot.languages import Language
from mailbot.message import token
from mailbot.message.address import Address
from mailbot.office import Office
from mailbot.outbox import store as outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Who writes, in which mode, how many notes an hour, where mail is filed, and what makes a Message-ID ours."""

    office: Office
    mode: str  # observe, draft, automatic
    hand_offs_per_hour: int
    hand_offs_per_address_per_hour: int
    filed: str
    attention: str
    secret: bytes
    new_id: Callable[[], str]
    languages: Mapping[str, Language]
    unready_languages: frozenset[str]  # understood, and without words of ours: who writes in one is answered in the office's own

    def enqueue(self, tx: Tx, draft: outbox.Draft, now: datetime) -> bool:
        """Queue a mail under an id of its own. False where the same mail is queued already."""
        return self.queue(tx, draft, self.new_id(), now)

    def queue(self, tx: Tx, draft: outbox.Draft, delivery_id: str, now: datetime, due_at: datetime | None = None) -> bool:
        """The same under this id; it is held back until `due_at`."""
        message_id = token.message_id(self.secret, delivery_id, self.office.address.domain)
        return outbox.enqueue(tx, draft, delivery_id, message_id, now, due_at)


def hand_over(tx: Tx, desk: Desk, case: Case, to: Address, why: str, now: datetime) -> bool:
    """`why` it comes to this colleague: new, untouched, away, refused (by the relay) or back (from a snooze).

    False where somebody has answered meanwhile, or another process has done it."""
    delivery_id = desk.new_id()
    reference = token.subject_token(desk.secret, delivery_id)
    given = store.give(tx, case.id, to, cases.due(now, case.deadline))
    if not given or not desk.queue(tx, compose_case.note(desk.office, case, to, reference, why), delivery_id, now):
        return False
    store.add_note(tx, case.id, delivery_id, reference, to, now)
    return True


def pass_on(tx: Tx, desk: Desk, case: Case, why: str, now: datetime) -> bool:
    """To who comes next in the list; at its end the case stays where it is, and the next list names its mail. True: a note is queued."""
    following = cases.next_name(case, desk.office.colleagues)
    if isinstance(following, PassOn):
        return hand_over(tx, desk, case, following.to, why, now)
    store.leave_with_last(tx, case.id)
    name_again(tx, case.mail, now)
    return False


def tell(tx: Tx, desk: Desk, case: Case, draft: outbox.Draft, reference: str, delivery_id: str, now: datetime) -> None:
    """Something else to a colleague about a case; it can be replied to like a note."""
    if desk.queue(tx, draft, delivery_id, now):
        store.add_note(tx, case.id, delivery_id, reference, draft.recipient, now)
