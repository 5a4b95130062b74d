"""What a mail says of itself, so that no machine answers it (RFC 3834, MS-OXCMAIL)."""

from mailbot.message.address import Address
from mailbot.outbox.delivery import Kind
from mailbot.outbox.store import Draft


def own_headers(draft: Draft, office: Address) -> tuple[tuple[str, str], ...]:
    """A note says nothing: an absent colleague's machine shall answer it, so that the next one is asked. Nor does what a person wrote."""
    if draft.kind in (Kind.ANSWER, Kind.ACKNOWLEDGEMENT, Kind.CONFIRMATION):
        release = (("X-Mailbot-Release", draft.edition),) if draft.kind is Kind.ANSWER and draft.edition else ()
        return (("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "OOF, AutoReply"), *release)
    if draft.kind in (Kind.HAND_OFF, Kind.LETTER):
        return (("Reply-To", office.address),)
    if draft.kind is Kind.CORRECTION:
        return (
            ("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "OOF, AutoReply"), ("X-Mailbot-Release", draft.edition),
        )  # fmt: skip
    return (("Auto-Submitted", "auto-generated"),)
