"""Filing mails away and finding folders, on servers that can do little or have been overtaken by a colleague."""

import pytest

from mailbot.inbox.imap import ImapRefused, Server
from tests.servers.scripted_imap import Said, ScriptedImap, mailbox

OK, GONE = b"TAG OK done\r\n", b"TAG NO [EXPUNGEISSUED] some are gone\r\n"
MOVES: dict[str, tuple[list[bytes], list[bytes], set[int]]] = {     # answers to MOVE, answers to SEARCH, who is told to be gone
    "all-moved": ([b"* OK [COPYUID 7 1:3 11:13] x\r\n" + OK], [], set()),
    "one-gone-said-by-copyuid": ([b"* OK [COPYUID 7 1,3 11:12] x\r\n" + OK], [b"* SEARCH\r\n" + OK], {2}),
    "all-gone-and-ok": ([OK], [b"* SEARCH\r\n" + OK], {1, 2, 3}),
    "all-gone-and-refused": ([GONE], [b"* SEARCH\r\n" + OK], {1, 2, 3}),
    "one-gone-and-refused": ([GONE, b"* OK [COPYUID 7 1,3 11:12] x\r\n" + OK], [b"* SEARCH 1 3\r\n" + OK], {2}),
    "endless-ranges": ([b"* OK [COPYUID 7 1:4294967295 1:4294967295] x\r\n" + OK], [], set()),
}


@pytest.mark.parametrize("case", MOVES)
async def test_a_mail_that_someone_else_took_is_no_failure(case: str) -> None:
    moves, searches, gone = MOVES[case]
    server = ScriptedImap({"UID MOVE": list(moves), "UID SEARCH": list(searches) or b"TAG BAD not asked\r\n"})
    async with mailbox(server) as session:
        assert await session.move([1, 2, 3], "mailbot") == gone
    assert server.lines.count('UID MOVE 1:3 "mailbot"') == 1


@pytest.mark.parametrize("move", [b"TAG NO [OVERQUOTA] full\r\n", OK], ids=["full", "ok-and-nothing-done"])
async def test_a_move_that_did_not_happen_is_told(move: bytes) -> None:
    async with mailbox(ScriptedImap({"UID MOVE": move, "UID SEARCH": b"* SEARCH 1 2 3\r\nTAG OK done\r\n"})) as session:
        with pytest.raises(ImapRefused):
            await session.move([1, 2, 3], "mailbot")


@pytest.mark.parametrize(("capabilities", "expunge"), [("UIDPLUS", ["UID EXPUNGE 1:2"]), ("", [])], ids=["uidplus", "plain"])
async def test_without_move_a_mail_is_copied_and_only_then_marked(capabilities: str, expunge: list[str]) -> None:
    server = ScriptedImap({"UID SEARCH": b"* SEARCH\r\nTAG OK done\r\n"}, capabilities=f"IMAP4rev1 {capabilities}".strip())
    async with mailbox(server) as session:
        await session.move([2, 1], "mailbot")
    wire = [line for line in server.lines if line.startswith("UID") and "SEARCH" not in line]
    assert wire == ['UID COPY 1:2 "mailbot"', "UID STORE 1:2 +FLAGS.SILENT (\\Deleted)", *expunge]
    assert "EXPUNGE" not in server.lines


async def test_a_copy_that_is_refused_marks_nothing() -> None:
    answers: dict[str, Said | list[Said]] = {"UID COPY": b"TAG NO [TRYCREATE] x\r\n", "UID SEARCH": b"* SEARCH 1\r\nTAG OK done\r\n"}
    server = ScriptedImap(answers, capabilities="IMAP4rev1")
    async with mailbox(server) as session:
        with pytest.raises(ImapRefused) as caught:
            await session.move([1], "mailbot")
    assert caught.value.code == "TRYCREATE"
    assert not [line for line in server.lines if "STORE" in line]


async def test_moving_leaves_an_announcement_unhandled() -> None:
    moved = b"* OK [COPYUID 7 1 11] x\r\n* 1 EXPUNGE\r\n* 4 EXISTS\r\nTAG OK done\r\n"
    async with mailbox(ScriptedImap({"UID MOVE": moved}, exists=3)) as session:
        await session.search("ALL")
        await session.move([1], "mailbot")
        assert session.pending


# --- folders


async def test_folders_are_spelled_as_the_server_does() -> None:
    listed = (
        b'* LIST (\\HasNoChildren \\Sent) "." "INBOX.Envoy&AOk-s"\r\n* LIST () "." INBOX\r\n'
        b'* LIST () "." {9}\r\nINBOX.a.b\r\nTAG OK done\r\n'
    )
    server = ScriptedImap(
        {"NAMESPACE": b'* NAMESPACE (("INBOX." ".")) NIL NIL\r\nTAG OK done\r\n', "LIST": listed}, capabilities="IMAP4rev1 NAMESPACE")
    async with mailbox(server) as session:
        assert await session.folders() == [("Envoyés", {"\\HasNoChildren", "\\Sent"}), ("INBOX", set()), ("a/b", set())]
        await session.ensure_folder("a/b")
        await session.ensure_folder("mailbot/à voir")
        await session.select("Envoyés")
    assert [line for line in server.lines if line.startswith(("CREATE", "SUBSCRIBE", "SELECT"))][1:] == [
        'CREATE "INBOX.mailbot.&AOA- voir"', 'SUBSCRIBE "INBOX.mailbot.&AOA- voir"', 'SELECT "INBOX.Envoy&AOk-s"']


@pytest.mark.parametrize("bad", ["a\r\nA1 DELETE b", "a\nb", "a\0b", ""], ids=["crlf", "lf", "nul", "empty"])
async def test_no_argument_can_start_another_command(bad: str) -> None:
    server = ScriptedImap()
    async with mailbox(server) as session:
        before = len(server.lines)
        careless = f'"{bad}"' if bad else "é"
        for attempt in (session.select(bad), session.ensure_folder(bad), session.move([1], bad), session.search("SUBJECT", careless)):
            with pytest.raises(ValueError):
                await attempt
        assert [line for line in server.lines[before:] if not line.startswith("LIST")] == []
        await session.noop()


@pytest.mark.parametrize("bad", [
    {"host": "mail.example.org", "security": "plain"},
    {"host": "192.0.2.1", "security": "plain"},
    {"host": "localhost", "security": "starttls"},
], ids=["plain-abroad", "plain-address", "starttls"])
def test_without_tls_the_server_must_be_this_machine(bad: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        Server(**bad)
    assert "secret" not in repr(Server(host="localhost", security="plain", password="secret"))
