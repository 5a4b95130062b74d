"""May an answer go to whom the mail says it is from? (RFC 3834 section 4, MAIL.md decisions 2 and 3.)

To the single From mailbox, and only where its domain vouches for the mail or where it is the Return-Path too. Never to
Reply-To, Sender or anything rewritten. Whatever else is in the mail, a person decides.
"""

import re

from mailbot.inbox.reason import Reason
from mailbot.message import address
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import IncomingMessage

_BATV = re.compile(r"(?:prvs=[0-9a-z]{4,20}=|btv1==[0-9a-z]{1,20}==)(.+)", re.IGNORECASE)
_BATV_BEHIND = re.compile(r"prvs=([^/]+)/[0-9a-z]{4,20}", re.IGNORECASE)
_SRS = re.compile(r"SRS(?:0[=+-]|1[=+-][^=]+=[^=]+==)[^=]+=[^=]+=([^=]+)=(.+)", re.IGNORECASE)


def hindrance(message: IncomingMessage, authentication: Authentication, *, from_a_file: bool) -> Reason | None:
    """Why no answer may go to the From address; None: it may. A mail saved as a file may have lost its Return-Path on the way."""
    if not message.from_plain or message.sender is None:
        return Reason.FROM_UNCLEAR
    match authentication:
        case Authentication.PASS:
            return None
        case Authentication.FAIL:
            return Reason.AUTHENTICATION_FAILED
        case Authentication.TEMPERROR:
            return Reason.AUTHENTICATION_UNAVAILABLE
        case Authentication.NONE:
            if message.return_path is None:
                return None if from_a_file else Reason.SENDER_UNCONFIRMED
            return None if address.key(unwrapped(message.return_path)) == message.sender.key else Reason.SENDER_UNCONFIRMED


def unwrapped(return_path: str) -> str:
    """The address inside a signed (BATV) or forwarded (SRS) Return-Path; used to compare, never to send to."""
    local, at, domain = return_path.rpartition("@")
    forwarded = _SRS.fullmatch(local)
    if forwarded:
        return f"{forwarded[2]}@{forwarded[1]}"
    signed = _BATV.fullmatch(local) or _BATV_BEHIND.fullmatch(local)
    return f"{signed[1]}{at}{domain}" if signed else return_path
