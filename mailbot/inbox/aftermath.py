"""What follows when a mail of ours has left, failed, or is in doubt: somebody always hears of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from mailbot.database.engine import Tx
from mailbot.inbox import compose, store
from mailbot.inbox.compose import Office
from mailbot.inbox.note_report import note_refusal
from mailbot.inbox.summarise import name_again
from mailbot.message import token
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Failed, Kind, Reply, Uncertain, Verdict
from mailbot.releases import store as releases


@dataclass(frozen=True, slots=True)
class Aftermath:
    """Called by the dispatcher in the transaction that records the outcome."""

    office: Office
    secret: bytes
    new_id: Callable[[], str]

    def __call__(self, tx: Tx, claimed: outbox.Claimed, verdict: Verdict, reply: Reply, now: datetime) -> None:
        """An answer that failed or is in doubt goes before a person; a note goes to the next colleague then."""
        note_refusal(tx, claimed, verdict, reply, now)
        if not isinstance(verdict, Failed | Uncertain) or not self.office.colleagues:
            return
        if claimed.kind in (Kind.ANSWER, Kind.CONFIRMATION):
            event = "in-doubt" if isinstance(verdict, Uncertain) else "refused" if reply.code else "stopped"
            if claimed.draft.mail is not None:
                store.put_before_a_person(tx, claimed.draft.mail)
            said = f"{reply.code or ''} {reply.text}".strip()
            title = self._title(tx, claimed.draft)
            told = f"{claimed.id}.{claimed.fence}"
            self._enqueue(tx, compose.notice(self.office, event, claimed.draft, claimed.id, told, said, now, title), now)
        elif claimed.kind in (Kind.HAND_OFF, Kind.DIGEST):
            following = self._next_colleague(claimed)
            if following is not None:
                self._enqueue(tx, following, now)
            elif claimed.draft.mail is not None:
                name_again(tx, claimed.draft.mail, now)

    def _next_colleague(self, claimed: outbox.Claimed) -> outbox.Draft | None:
        """The same note to who comes after in the list; None at its end: then the next list names the mail."""
        draft = claimed.draft
        keys = [colleague.key for colleague in self.office.colleagues]
        place = keys.index(draft.recipient.key) + 1 if draft.recipient.key in keys else 0
        if place >= len(keys):
            return None
        to = self.office.colleagues[place]
        return replace(draft, recipient=to, key=f"{draft.key}.{claimed.fence}>{to.key}")

    @staticmethod
    def _title(tx: Tx, draft: outbox.Draft) -> str:
        release = releases.load(tx, draft.release) if draft.release else None
        editions = release.editions if release else ()
        return next((edition.title for edition in editions if edition.slug == draft.edition), "")

    def _enqueue(self, tx: Tx, draft: outbox.Draft, now: datetime) -> None:
        delivery_id = self.new_id()
        outbox.enqueue(tx, draft, delivery_id, token.message_id(self.secret, delivery_id, self.office.address.domain), now)
