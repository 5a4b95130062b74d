"""What follows from a failed delivery: hard, nobody is there; or soft, it may work another day. One table, stated here and nowhere else.

Policy and reputation (5.7.x) are our own fault and never the address's; neither is what the words call full, refused or broken. Hard is
only what the receiving system says about the address or its domain.
"""

NO_FAILURE = frozenset({"delayed", "delivered", "relayed", "expanded"})     # actions of RFC 3464
HARD_MEANINGS = frozenset({"invalid-recipient", "unknown-user", "unknown-host", "moved", "takes-no-mail"})
SOFT_MEANINGS = frozenset(
    {"full", "too-big", "sender-refused", "policy", "content", "system", "disabled", "expired", "network", "broken", "refused"}
)

# The status codes that say by themselves that the address is wrong (RFC 3463, RFC 7505): of 5.1.x all but 5.1.0, which says nothing, and
# 5.1.7 to 5.1.9, which are about the sender's address.
HARD_STATUS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.1.5", "5.1.6", "5.1.10", "5.4.310"})
SOFT_STATUS = frozenset({"5.1.7", "5.1.8", "5.1.9", "5.2.2", "5.2.3", "5.3.4"})


def severity(action: str, status: str, meaning: str) -> str:
    """`hard` or `soft`. In doubt soft: five soft ones are noticed too, and a hard one stops a journalist's mail at once."""
    if action in NO_FAILURE or status.startswith(("4.", "5.7.")) or status in SOFT_STATUS or meaning in SOFT_MEANINGS:
        return "soft"
    return "hard" if status in HARD_STATUS or meaning in HARD_MEANINGS else "soft"
