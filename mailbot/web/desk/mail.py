"""Mail: the list, and one mail with its decision, its evidence and what can be done about it.

What a colleague does here goes the way that a reply by mail goes (cases/colleague_reply.py decides, inbox/take_reply.py acts): the same
rules say what may leave, and a text of one's own is echoed and held back for some minutes as there.
"""

import re
from typing import Any

from mailbot.cases import colleague_reply
from mailbot.cases import store as cases
from mailbot.cases.case import UNFINISHED, Case, CaseState, Note
from mailbot.cases.colleague_reply import Order, Refused, Reply
from mailbot.database.engine import Tx
from mailbot.inbox import arrival_store
from mailbot.inbox import store as inbox
from mailbot.inbox.outcome import ColleagueReply
from mailbot.inbox.reason import PROTECTED, Reason
from mailbot.inbox.take_reply import take_reply
from mailbot.message.address import Address
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import HEAD_OCTETS, IncomingMessage
from mailbot.releases import store as releases
from mailbot.web.desk import desk_store
from mailbot.web.desk.asked import Asked, Bureau, Given, Go, No, Shown
from mailbot.web.desk.role import Role

MOST_WORDS = 20_000
_ONCE = re.compile(r"[0-9a-f]{8,32}")


def listed(tx: Tx, bureau: Bureau, asked: Asked) -> Shown:
    """The mails that arrived, newest first."""
    which = asked.query.get("show", "all") if asked.query.get("show") in ("waiting", "answered") else "all"
    before, query = asked.query.get("before", ""), asked.query.get("q", "").strip()[:100]
    rows = desk_store.mails(tx, which, query, int(before) if before.isascii() and before.isdigit() and len(before) < 12 else 0)
    more = rows[-1]["id"] if len(rows) == desk_store.ROWS else 0
    return Shown("mails", {"rows": desk_store.shielded(rows, asked.user.may(Role.PROTECTION)), "which": which, "q": query, "more": more})


async def read_original(bureau: Bureau, asked: Asked) -> IncomingMessage | None:
    """The mail itself, read by the process that may be killed. None where this user may not, or it cannot be read."""
    row = await bureau.database.read(inbox.shown, _number(asked))
    if row is None or row["emptied_at"] is not None or not _may_read(row, asked):
        return None
    head = await bureau.database.read(arrival_store.content, row["id"], HEAD_OCTETS)
    message, _ = await bureau.reader.read(head, row["size"], asked.now)
    return message if isinstance(message, IncomingMessage) else None


def one(tx: Tx, bureau: Bureau, asked: Asked) -> Shown | None:
    """One mail."""
    row = inbox.shown(tx, _number(asked))
    return None if row is None or row["state"] == inbox.GONE else _shown(tx, bureau, asked, row)


def _shown(tx: Tx, bureau: Bureau, asked: Asked, row: dict[str, Any], *, wrong: str = "", status: int = 200) -> Shown:
    may_read = _may_read(row, asked)
    case = cases.of_mail(tx, row["id"])
    message: IncomingMessage | None = asked.prepared
    explanation = row["explanation"] or {}
    text = message.text if message else explanation.get("visible_text", "")
    slug = next((str(action.get("release")) for action in explanation.get("actions", ()) if action.get("type") == "send_release"), "")
    return Shown("mail", {
        "mail": row | ({} if may_read else {"sender": "", "subject": ""}), "may_read": may_read, "text": text if may_read else "",
        "attachments": message.attachments if message and may_read else (), "evidence": explanation.get("evidence", ()) if may_read else (),
        "confidence": explanation.get("confidence"), "slug": slug, "case": case if may_read else None,
        "open": case is not None and case.state in UNFINISHED and may_read, "held": case is not None and case.state is CaseState.ANSWERING,
        "sent": desk_store.sent_about(tx, row["id"]) if may_read else (), "example": desk_store.called_wrong(tx, row["id"]),
        "begun": asked.said("text", MOST_WORDS) or _beginning(case), "wrong": wrong, "once": bureau.desk.new_id(),
        "shielded": row["reason"] in PROTECTED, "sender_name": message.sender.name if message and message.sender else "",
    }, status)  # fmt: skip


def raw(tx: Tx, bureau: Bureau, asked: Asked) -> Given | None:
    """The mail as a file, to be kept and opened elsewhere: nothing of it is ever shown as a page."""
    row = inbox.shown(tx, _number(asked))
    if row is None or row["emptied_at"] is not None or not _may_read(row, asked):
        return None
    return Given(arrival_store.content(tx, row["id"], max(row["size"], 1)), "application/octet-stream", f"mail-{row['id']}.eml")


def send_draft(tx: Tx, bureau: Bureau, asked: Asked) -> Go | Shown:
    """The prepared answer leaves as it is."""
    return _take(tx, bureau, asked, Order.YES, "x" * colleague_reply.LEAST_LETTERS, "done-sent")


def send_own(tx: Tx, bureau: Bureau, asked: Asked) -> Go | Shown:
    """A colleague's own text: echoed to him, held back for some minutes, then sent."""
    return _take(tx, bureau, asked, None, asked.said("text", MOST_WORDS), "done-held")


def stop(tx: Tx, bureau: Bureau, asked: Asked) -> Go | Shown:
    """What is held back does not leave."""
    return _take(tx, bureau, asked, Order.NO, "", "done-stopped")


def later(tx: Tx, bureau: Bureau, asked: Asked) -> Go | Shown:
    """It comes back to this colleague then."""
    return _take(tx, bureau, asked, Order.LATER, "", "done-later", asked.said("until", 60))


def close(tx: Tx, bureau: Bureau, asked: Asked) -> Go:
    """A person has dealt with it."""
    row = _row(tx, asked)
    if not inbox.close(tx, row["id"], asked.now):
        raise No("no-waiting")
    return Go(f"/desk/mail/{row['id']}", "done-closed", f"mail {row['id']}")


def wrong(tx: Tx, bureau: Bureau, asked: Asked) -> Go:
    """This was decided wrongly: it is kept as an example. The words of a call for help are kept nowhere else."""
    row, should = _row(tx, asked), asked.said("should", 500)
    if not should:
        raise No("no-words", 400)
    text = "" if row["reason"] in PROTECTED else (row["explanation"] or {}).get("visible_text", "")
    if not desk_store.call_wrong(tx, row["id"], asked.user.address, should, text, asked.now):
        raise No("no-lost", 404)
    return Go(f"/desk/mail/{row['id']}", "done-wrong", f"mail {row['id']}", "" if row["reason"] in PROTECTED else should)


def _take(
    tx: Tx, bureau: Bureau, asked: Asked, order: Order | None, text: str, done: str, written: str = ""
) -> Go | Shown:
    """As if the colleague had replied so to a note of ours. What may not leave is said on the page, and nothing happens."""
    row, once = _row(tx, asked), asked.said("once", 40)
    case = cases.of_mail(tx, row["id"])
    if case is None:
        raise No("no-case")
    if not _ONCE.fullmatch(once):
        raise No("no-form", 400)
    here, number = f"/desk/mail/{row['id']}", f"desk-{once}"
    if desk_store.is_queued(tx, f"letter:{case.mail}:{number}"):
        return Go(here, done, f"mail {row['id']}")  # the button was pressed twice
    me = Address(asked.user.address, asked.user.name)
    note = Note("", case, me.key, 0)
    reply = Reply(sender=me, authentication=Authentication.PASS, text=text, order=order, written=written)
    meaning = colleague_reply.read(reply, note, bureau.desk.languages, asked.now, bureau.zone)
    if isinstance(meaning, Refused):
        return _shown(tx, bureau, asked, row, wrong=str(meaning.reason), status=409)
    library = {release.id: release for release in releases.load_all(tx)}
    take_reply(tx, bureau.desk, ColleagueReply(reason=Reason.COLLEAGUE_WRITES, note=note, meaning=meaning), number, library, asked.now)
    after = cases.load(tx, case.id)
    if order is Order.YES and after.state is not CaseState.ANSWERED:
        raise No("refused-not-public")
    if order is Order.NO and after.state is CaseState.ANSWERING:
        raise No("refused-left")
    return Go(here, done, f"mail {row['id']}")


def _beginning(case: Case | None) -> str:
    """What an own answer begins with: the prepared one, or the beginning that a note would offer."""
    if case is None:
        return ""
    draft = case.note.get("draft")
    return str(draft["text"]) if draft else str(case.note.get("skeleton") or "")


def _row(tx: Tx, asked: Asked) -> dict[str, Any]:
    row = inbox.shown(tx, _number(asked))
    if row is None or row["state"] == inbox.GONE:
        raise No("no-lost", 404)
    if not _may_read(row, asked):
        raise No("no-role", 403)
    return row


def _may_read(row: dict[str, Any], asked: Asked) -> bool:
    return row["reason"] not in PROTECTED or asked.user.may(Role.PROTECTION)


def _number(asked: Asked) -> int:
    given = asked.path["mail"]
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0
