"""What follows when a mail of ours has left, failed, or is in doubt: somebody always hears of it."""

from dataclasses import dataclass, replace
from datetime import datetime

from mailbot.cases import store as cases
from mailbot.cases.case import CaseState, due
from mailbot.database.engine import Tx
from mailbot.inbox import submit
from mailbot.inbox.correct import take_back, tell_late
from mailbot.inbox.give_back import give_back
from mailbot.inbox.hand_over import Desk, pass_on
from mailbot.inbox.note_report import note_refusal
from mailbot.inbox.summarise import name_again
from mailbot.outbox import last_look
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Failed, Kind, Phase, Reply, Sent, Uncertain, Verdict

FROM_US = (Kind.ANSWER, Kind.LETTER, Kind.CONFIRMATION, Kind.CORRECTION)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """Called by the dispatcher in the transaction that records the outcome."""

    desk: Desk

    def __call__(self, tx: Tx, claimed: outbox.Claimed, verdict: Verdict, reply: Reply, now: datetime) -> None:
        """An answer has left, or failed, or is in doubt and goes before a person; a note that failed goes to the next colleague."""
        note_refusal(tx, claimed, verdict, reply, now)
        if isinstance(verdict, Sent) and claimed.kind in FROM_US:
            self._left(tx, claimed, now)
        if isinstance(verdict, Sent) and last_look.overtaken(tx, claimed.draft, now):
            tell_late(tx, self.desk, claimed.draft, now)
        if isinstance(verdict, Failed) and reply.phase is Phase.CONNECT and last_look.overtaken(tx, claimed.draft, now):
            take_back(tx, self.desk, claimed.id, reply.text, now)
            return
        if claimed.kind is Kind.SIGN_OFF and isinstance(verdict, Failed | Uncertain):
            event = "in-doubt" if isinstance(verdict, Uncertain) else "not-delivered"
            submit.not_reached(tx, self.desk, (claimed.id,), event, f"{reply.code or ''} {reply.text}".strip(), now)
        if not isinstance(verdict, Failed | Uncertain) or not self.desk.office.colleagues:
            return
        if claimed.kind in FROM_US:
            event = "in-doubt" if isinstance(verdict, Uncertain) else "refused" if reply.code else "stopped"
            said, occasion = f"{reply.code or ''} {reply.text}".strip(), f"{claimed.id}.{claimed.fence}"
            give_back(tx, self.desk, claimed.draft, claimed.id, event, said, occasion, now)
        elif claimed.kind in (Kind.HAND_OFF, Kind.DIGEST):
            self._not_told(tx, claimed, now)
        elif claimed.kind is Kind.TOLD:
            self._not_echoed(tx, claimed, now)

    @staticmethod
    def _left(tx: Tx, claimed: outbox.Claimed, now: datetime) -> None:
        """Also one that a person sent again after it had come to nothing."""
        case = cases.of_answer(tx, claimed.id)
        if case is not None and not case.is_finished:
            cases.answered(tx, case.id, claimed.id, case.closed_by, now)

    def _not_told(self, tx: Tx, claimed: outbox.Claimed, now: datetime) -> None:
        """A case goes to the next name; any other note, the same one, to who comes after in the list."""
        note = cases.by_delivery(tx, (claimed.id,))
        if note is not None:
            if note.case.state is CaseState.OPEN and note.case.colleague == claimed.draft.recipient.address:
                pass_on(tx, self.desk, note.case, "refused", now)
            return
        following = self._next_colleague(claimed)
        if following is not None:
            self.desk.enqueue(tx, following, now)
        elif claimed.draft.mail is not None:
            name_again(tx, claimed.draft.mail, now)

    def _not_echoed(self, tx: Tx, claimed: outbox.Claimed, now: datetime) -> None:
        """No text leaves that its writer was not shown: it is stopped, and somebody who can be reached gets the case."""
        note = cases.by_delivery(tx, (claimed.id,))
        if note is None or note.case.state is not CaseState.ANSWERING or not outbox.withdraw(tx, note.case.answer, now):
            return
        cases.reopen(tx, note.case.id, due(now, note.case.deadline))
        pass_on(tx, self.desk, note.case, "refused", now)

    def _next_colleague(self, claimed: outbox.Claimed) -> outbox.Draft | None:
        """The same note to who comes after in the list; None at its end: then the next list names the mail."""
        draft = claimed.draft
        keys = [colleague.key for colleague in self.desk.office.colleagues]
        place = keys.index(draft.recipient.key) + 1 if draft.recipient.key in keys else 0
        if place >= len(keys):
            return None
        to = self.desk.office.colleagues[place]
        return replace(draft, recipient=to, key=f"{draft.key}.{claimed.fence}>{to.key}")


def drop(tx: Tx, delivery_id: str, now: datetime) -> bool:
    """A person decides that a waiting mail does not leave; a case that it was to answer is open again."""
    dropped = outbox.drop(tx, delivery_id, now)
    case = cases.of_answer(tx, delivery_id) if dropped else None
    if case is not None:
        cases.reopen(tx, case.id, due(now, case.deadline))
    return dropped
