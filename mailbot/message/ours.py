"""Which of our own mails does this one answer, or bring back?"""

from mailbot.message import token
from mailbot.message.incoming import IncomingMessage, Unreadable


def own_deliveries(message: IncomingMessage | Unreadable, secret: bytes) -> tuple[str, ...]:
    """The deliveries of ours that it is, answers or returns, known by the seal in their Message-IDs or in the address it came back to."""
    if isinstance(message, Unreadable):
        return ()
    named = (message.message_id, *message.in_reply_to, *message.references, *message.returned_ids)
    named += tuple(token.behind_plus(address) for address in message.recipients if "+mb." in address)
    found = (token.own_delivery(secret, one) for one in named)
    return tuple(dict.fromkeys(one for one in found if one))
