"""The process that read_mail.py may kill: one mail in, what it says out, until standard input ends. It loads what it needs and no more."""

import contextlib
import pickle
import resource
import struct
import sys
from datetime import UTC, datetime
from typing import BinaryIO

from mailbot.inbox.said import Ears, take_in
from mailbot.message.incoming import Unreadable, parse
from mailbot.message.reply_text import marks_from

MEMORY_OCTETS = 1 << 30
ASK = struct.Struct(">QQd")  # octets that follow, octets of the whole mail, the time
ANSWER = struct.Struct(">Q")  # octets that follow; the ears that come first have it too


def _serve(inward: BinaryIO, outward: BinaryIO) -> None:
    (length,) = ANSWER.unpack(inward.read(ANSWER.size))
    ears: Ears = pickle.loads(inward.read(length))  # noqa: S301 - written by the process that started us
    marks = marks_from([language.mail for language in ears.languages.values()])
    while lead := inward.read(ASK.size):
        length, size, now = ASK.unpack(lead)
        message = parse(inward.read(length), size, marks)
        said = None if isinstance(message, Unreadable) else take_in(message, ears, datetime.fromtimestamp(now, UTC))
        answer = pickle.dumps((message, said), protocol=pickle.HIGHEST_PROTOCOL)
        outward.write(ANSWER.pack(len(answer)) + answer)
        outward.flush()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_OCTETS, MEMORY_OCTETS))
    with contextlib.suppress(BrokenPipeError):  # who asked is gone, and nobody waits for the answer
        _serve(sys.stdin.buffer, sys.stdout.buffer)
