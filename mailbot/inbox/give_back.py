"""A mail of ours has come to nothing, or is in doubt: what it answered waits for a person again, and a colleague is told."""

from dataclasses import replace
from datetime import datetime

from mailbot.cases import store as cases
from mailbot.cases.case import due
from mailbot.database.engine import Tx
from mailbot.inbox import compose, compose_case, store
from mailbot.inbox.hand_over import Desk, tell
from mailbot.message import token
from mailbot.outbox import store as outbox
from mailbot.releases import store as releases


def give_back(
    tx: Tx, desk: Desk, draft: outbox.Draft, delivery_id: str, event: str, said: str, occasion: str, now: datetime
) -> None:
    """`event`: in-doubt, refused or stopped; `said`: by the relay, or why it was stopped; `occasion` tells one such failure of a mail
    from the next."""
    case = cases.of_answer(tx, delivery_id)
    if case is not None:
        cases.reopen(tx, case.id, due(now, case.deadline))
    if draft.mail is not None:
        store.put_before_a_person(tx, draft.mail)
    if not desk.office.colleagues:
        return
    notice = compose.notice(desk.office, event, draft, delivery_id, occasion, said, now, _title(tx, draft))
    if case is None:
        desk.enqueue(tx, notice, now)
        return
    notice_id = desk.new_id()
    reference = token.subject_token(desk.secret, notice_id)
    has_it = next((one for one in desk.office.colleagues if one.address == case.colleague), notice.recipient)
    tell(tx, desk, case, compose_case.marked(replace(notice, recipient=has_it), reference), reference, notice_id, now)


def _title(tx: Tx, draft: outbox.Draft) -> str:
    release = releases.load(tx, draft.release) if draft.release else None
    editions = release.editions if release else ()
    return next((edition.title for edition in editions if edition.slug == draft.edition), "")
