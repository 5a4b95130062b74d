"""Whatever an IMAP server says, and in whatever pieces: a mail is the whole mail or none, and facts are those of that mail."""

import asyncio
import time

import pytest

from mailbot.inbox import imap
from mailbot.inbox.imap import ImapDead, ImapRefused
from tests.servers.scripted_imap import Client, Said, ScriptedImap, is_dead, mailbox


async def test_a_search_is_sent_without_a_charset_and_read_whatever_form_its_answer_has() -> None:
    answers: list[bytes] = [
        b"* SEARCH 3 1\r\n* SEARCH 2\r\nTAG OK [X 99] 5 found\r\n", b"TAG OK SEARCH completed (Success) 7\r\n", b"* SEARCH\r\nTAG ok\r\n",
    ]
    server = ScriptedImap({"UID SEARCH": list(answers)})
    async with mailbox(server) as session:
        assert [await session.search("SINCE", "1-Jan-2026") for _ in answers] == [[1, 2, 3], [], []]
    assert server.lines[-1] == "UID SEARCH SINCE 1-Jan-2026"


async def test_refusals_are_told_with_their_code_and_their_pause() -> None:
    said = b"TAG BAD [THROTTLED] Request is throttled. Suggested Backoff Time: 3000 milliseconds\r\n"
    async with mailbox(ScriptedImap({"UID SEARCH": said})) as session:
        with pytest.raises(ImapRefused) as caught:
            await session.search("ALL")
        assert (caught.value.code, caught.value.retry_after) == ("THROTTLED", 3.0)
        await session.noop()


async def test_a_missing_folder_is_a_refusal() -> None:
    async with mailbox(ScriptedImap({"SELECT": b"TAG NO [NONEXISTENT] no such folder\r\n"}), selected=False) as session:
        with pytest.raises(ImapRefused, match="no such folder"):
            await session.select("Press")


async def test_read_only_opens_with_examine() -> None:
    examine = b"* FLAGS (\\Seen)\r\n* OK [UIDVALIDITY 0] x\r\nTAG OK [READ-ONLY] done\r\n"
    async with mailbox(ScriptedImap({"EXAMINE": examine}), selected=False) as session:
        assert await session.select("inbox", read_only=True) == imap.Mailbox(0, None, 0, frozenset({"\\Seen"}))


async def test_a_folder_without_uidvalidity_cannot_be_used() -> None:
    async with mailbox(ScriptedImap({"SELECT": b"TAG OK done\r\n"}), selected=False) as session:
        with pytest.raises(ImapRefused, match="UIDVALIDITY"):
            await session.select("INBOX")


async def test_twenty_thousand_lines_in_one_answer_are_read_in_a_moment() -> None:
    said = b"".join(b"* %d FETCH (UID %d FLAGS (\\Seen) RFC822.SIZE 9)\r\n" % (n, n) for n in range(1, 20_001)) + b"TAG OK done\r\n"
    async with mailbox(ScriptedImap({"UID FETCH": said})) as session:
        began = time.monotonic()
        found = await session.facts(range(1, 101))
        assert len(found) == 100
        assert time.monotonic() - began < 2


LIKE_PROTOCOL = b")\r\nA1 OK\r\n* BYE\r\n+ a {9}\r\n* 9 EXISTS\r\n"
BODIES: dict[str, tuple[bytes, bytes | None]] = {
    "literal": (b"* 1 FETCH (UID 11 BODY[] {5}\r\nhello)\r\nTAG OK done\r\n", b"hello"),
    "uid-after": (b"* 1 FETCH (BODY[] {5}\r\nhello UID 11)\r\nTAG OK done\r\n", b"hello"),
    "empty-literal": (b"* 1 FETCH (UID 11 BODY[] {0}\r\n)\r\nTAG OK done\r\n", b""),
    "quoted": (b'* 1 FETCH (UID 11 BODY[] "hi :( \\"UID 12")\r\nTAG OK done\r\n', b'hi :( "UID 12'),
    "empty-quoted": (b'* 1 FETCH (UID 11 BODY[] "")\r\nTAG OK done\r\n', b""),
    "others-around": (
        b"* 7 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (UID 12 BODY[] {5}\r\nother)\r\n* 1 FETCH (FLAGS (UID 9) UID 11 BODY[] {5}\r\nhello)\r\n"
        b"* 1 FETCH (UID 11 FLAGS (\\Seen))\r\n* 4 EXISTS\r\nTAG OK done\r\n", b"hello"),
    "a-text-that-looks-like-a-literal": (
        b"* OK [ALERT] quota {30}\r\n* 1 FETCH (UID 11 BODY[] {5}\r\nhello)\r\nTAG OK 9 {5}\r\n", b"hello"),
    "a-mail-that-looks-like-protocol": (
        b"* 1 FETCH (UID 11 BODY[] {%d}\r\n%s)\r\nTAG OK done\r\n" % (len(LIKE_PROTOCOL), LIKE_PROTOCOL), LIKE_PROTOCOL),
    "nil": (b"* 1 FETCH (UID 11 BODY[] NIL)\r\nTAG OK [EXPUNGEISSUED] done\r\n", None),
    "nothing": (b"TAG OK done\r\n", None),
    "expunged": (b"TAG NO [EXPUNGEISSUED] gone\r\n", None),
    "only-another": (b"* 2 FETCH (UID 12 BODY[] {5}\r\nother)\r\nTAG OK done\r\n", None),
}


@pytest.mark.parametrize("octets", [1, 7, 100_000])
@pytest.mark.parametrize("case", BODIES)
async def test_a_mail_is_whole_or_none(case: str, octets: int) -> None:
    said, body = BODIES[case]

    async def speak(client: Client) -> None:
        await client.say_slowly(said, octets)

    async with mailbox(ScriptedImap({"UID FETCH": speak})) as session:
        assert await session.fetch(11) == body
        await session.noop()


@pytest.mark.parametrize(("announced", "seconds"), [(50, 0.1), (3, 5)], ids=["longer-than-sent", "shorter-than-sent"])
async def test_a_literal_of_the_wrong_length_is_never_a_mail(announced: int, seconds: float) -> None:
    said = b"* 1 FETCH (UID 11 BODY[] {%d}\r\nhello world)\r\nTAG OK done\r\n" % announced
    async with mailbox(ScriptedImap({"UID FETCH": said}), seconds) as session:
        with pytest.raises(ImapDead):
            await session.fetch(11)
        assert await is_dead(session)


async def test_a_mail_that_is_there_and_cannot_be_read_is_a_refusal() -> None:
    async with mailbox(ScriptedImap({"UID FETCH": b"TAG NO broken\r\n", "UID SEARCH": b"* SEARCH 11\r\nTAG OK done\r\n"})) as session:
        with pytest.raises(ImapRefused, match="broken"):
            await session.fetch(11)


async def test_a_mail_that_keeps_arriving_may_take_longer_than_the_deadline() -> None:
    async def slowly(client: Client) -> None:
        client.say(b"* 1 FETCH (UID 11 BODY[] {8}\r\n")
        for _ in range(8):
            await asyncio.sleep(0.08)
            client.say(b"x")
        client.say(b")\r\nTAG OK done\r\n")

    async with mailbox(ScriptedImap({"UID FETCH": slowly}), seconds=0.4) as session:
        assert await session.fetch(11) == b"xxxxxxxx"


async def test_a_trickle_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailbot.inbox.imap_connection.PATIENCE", 3)

    async def forever(client: Client) -> None:
        client.say(b"* 1 FETCH (UID 11 BODY[] {99999}\r\n")
        while not client.writer.is_closing():
            await asyncio.sleep(0.02)
            client.say(b"x")

    async with mailbox(ScriptedImap({"UID FETCH": forever}), seconds=0.1) as session:
        async with asyncio.timeout(1):
            with pytest.raises(ImapDead, match="no answer to FETCH"):
                await session.fetch(11)


# --- a very large mail, in pieces


def in_pieces(mail: bytes, vanish_after: int = 99, nothing: bytes = b"NIL") -> Said:
    async def piece(client: Client) -> None:
        first, count = (int(number) for number in client.lines[-1].rpartition(b"<")[2].rstrip(b">)").split(b"."))
        part = mail[first : first + count]
        said = nothing if first // count >= vanish_after else b"{%d}\r\n%s" % (len(part), part)
        client.say(b"* 1 FETCH (UID 11 BODY[]<%d> %s)\r\nTAG OK done\r\n" % (first, said))
    return piece


@pytest.mark.parametrize(("vanish_after", "nothing", "found", "whole"), [
    (99, b"NIL", b"* SEARCH 11\r\n", True),
    (2, b"NIL", b"* SEARCH\r\n", False),
    (2, b'""', b"* SEARCH\r\n", False),
], ids=["there", "gone-nil", "gone-empty"])
async def test_a_mail_that_vanishes_between_pieces_is_gone_and_not_shorter(
    vanish_after: int, nothing: bytes, found: bytes, whole: bool, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(imap, "WHOLE_OCTETS", 20)
    monkeypatch.setattr(imap, "PIECE_OCTETS", 10)
    mail = bytes(range(65, 90))
    server = ScriptedImap({"UID FETCH": in_pieces(mail, vanish_after, nothing), "UID SEARCH": found + b"TAG OK done\r\n"})
    async with mailbox(server) as session:
        assert await session.fetch(11, size=25) == (mail if whole else None)


async def test_a_server_that_ignores_pieces_gives_the_whole_mail_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "WHOLE_OCTETS", 20)
    monkeypatch.setattr(imap, "PIECE_OCTETS", 10)
    said = b"* 1 FETCH (UID 11 BODY[]<0> {25}\r\n" + b"x" * 25 + b")\r\nTAG OK done\r\n"
    async with mailbox(ScriptedImap({"UID FETCH": said, "UID SEARCH": b"* SEARCH 11\r\nTAG OK done\r\n"})) as session:
        assert await session.fetch(11, size=25) == b"x" * 25


# --- facts


async def test_facts_are_asked_for_in_batches_and_gathered_from_any_order() -> None:
    said = [
        b'* 2 FETCH (FLAGS (\\Seen $Junk) INTERNALDATE " 7-Jul-2026 02:44:25 +0200" RFC822.SIZE 44 UID 2)\r\n'
        b"* 1 FETCH (UID 2 FLAGS ())\r\nTAG OK done\r\n",
        b"TAG NO [EXPUNGEISSUED] some are gone\r\n",
    ]
    server = ScriptedImap({"UID FETCH": said})
    async with mailbox(server) as session:
        facts = await session.facts(range(1, 301))
    assert [line for line in server.lines if "FETCH" in line] == [
        "UID FETCH 1:200 (UID FLAGS RFC822.SIZE INTERNALDATE)", "UID FETCH 201:300 (UID FLAGS RFC822.SIZE INTERNALDATE)"]
    assert list(facts) == [2]
    assert (facts[2].size, facts[2].internal_date.isoformat(), facts[2].flags) == (44, "2026-07-07T00:44:25+00:00", {"\\Seen", "$Junk"})
