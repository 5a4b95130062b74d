"""Every way an IMAP server (or aioimaplib) is known to hang or turn us away: each ends in a clear error, soon, or in the right answer."""

import asyncio
import base64
import logging

import pytest

from mailbot.inbox import imap
from mailbot.inbox.imap import ImapDead, ImapLoginRefused, ImapRefused, Session
from tests.servers.scripted_imap import DROP, HANG, Client, Said, ScriptedImap, at, is_dead, mailbox

SOON = 1.0        # well below every deadline in these tests but the one that is being tested


# --- the door


@pytest.mark.parametrize(("greeting", "says"), [
    (b"* BYE [UNAVAILABLE] too many connections\r\n", "too many connections"),
    (b"SSH-2.0-OpenSSH_9\r\n", "SSH-2.0"),
], ids=["bye", "not-imap"])
async def test_a_greeting_that_turns_us_away_is_reported_at_once(greeting: bytes, says: str) -> None:
    async with ScriptedImap(greeting=greeting) as server:
        async with asyncio.timeout(SOON):
            with pytest.raises(ImapDead, match=says):
                await Session.open(at(server))


async def test_a_server_without_a_greeting_is_given_up_at_the_deadline() -> None:
    async with ScriptedImap(greeting=HANG) as server:
        with pytest.raises(ImapDead, match="cannot connect"):
            await Session.open(at(server, 0.1))


async def test_nobody_listening_is_a_temporary_trouble() -> None:
    async with ScriptedImap() as server:
        gone = at(server)
    with pytest.raises(ImapDead, match="cannot connect"):
        await Session.open(gone)


@pytest.mark.parametrize(("answer", "error", "retry_after"), [
    (b"TAG NO [AUTHENTICATIONFAILED] no\r\n", ImapLoginRefused, None),
    (b"TAG BAD no such thing\r\n", ImapLoginRefused, None),
    (b"TAG NO [UNAVAILABLE] later\r\n", ImapDead, None),
    (b"TAG BAD Request is throttled. Suggested Backoff Time: 201317 milliseconds\r\n", ImapDead, 201.317),
    (b"* BYE Request is throttled. Suggested Backoff Time: 5000 milliseconds\r\n", ImapDead, 5.0),
], ids=["wrong-password", "bad", "unavailable", "throttled", "throttled-bye"])
async def test_a_refused_login_is_told_from_a_busy_server(answer: bytes, error: type[imap.ImapTrouble], retry_after: float | None) -> None:
    async with ScriptedImap({"LOGIN": answer}) as server:
        with pytest.raises(error) as caught:
            await Session.open(at(server))
    assert type(caught.value) is error
    assert caught.value.retry_after == retry_after


async def test_a_password_beyond_ascii_is_sent_as_sasl_plain() -> None:
    proofs: list[bytes] = []

    async def plain(client: Client) -> None:
        client.say(b"+ \r\n")
        proofs.append(base64.b64decode(await client.reader.readline()))
        client.say(b"TAG OK done\r\n")

    async with ScriptedImap({"AUTHENTICATE": plain}) as server:
        (await Session.open(at(server, password="été"))).abort()
    assert proofs == ["\0press\0été".encode()]


async def test_name_and_password_are_quoted() -> None:
    async with ScriptedImap() as server:
        (await Session.open(at(server, username='a b\\c', password='x"y'))).abort()
        assert server.lines[0] == 'LOGIN "a b\\\\c" "x\\"y"'


async def test_what_the_server_can_do_is_asked_after_the_login() -> None:
    server = ScriptedImap(greeting=b"* OK [CAPABILITY IMAP4rev1] ready\r\n", capabilities="IMAP4rev1 idle Move")
    async with mailbox(server, selected=False) as session:
        assert session.capabilities == {"IMAP4REV1", "IDLE", "MOVE"}


async def test_no_secret_and_no_mail_ever_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("aioimaplib.aioimaplib").setLevel(logging.DEBUG)
    async with mailbox(ScriptedImap({"UID FETCH": b"* 1 FETCH (UID 1 BODY[] {6}\r\nsource)\r\nTAG OK done\r\n"})) as session:
        await session.fetch(1)
    assert not [record for record in caplog.records if record.name.startswith("aioimaplib")]


# --- death: whatever happens, the wait ends and the session is not used again


@pytest.mark.parametrize("answers", [
    {"UID SEARCH": DROP},
    {"UID SEARCH": b"* BYE Session invalidated - AccessTokenExpired\r\n"},
    {"UID SEARCH": b"* SEARCH 1\r\nWRONG1 OK done\r\n"},
    {"UID SEARCH": b"* SEARCH 1\r\nwhat is this\r\n"},
    {"UID SEARCH": b"+ go on\r\n"},
    {"UID SEARCH": b"* SEARCH 1\r\nTAG OK done\r\n* BYE enough\r\n"},
    {"UID SEARCH": b"TAG BAD User is authenticated but not connected.\r\n"},
    {"UID SEARCH": b"* LIST () NIL {99999999999}\r\n"},
], ids=["drop", "bye-socket-open", "wrong-tag", "nonsense", "unasked-continuation", "bye-beside-ok", "exchange-churn", "huge-literal"])
async def test_a_command_that_cannot_be_answered_kills_the_session_at_once(answers: dict[str, bytes | None]) -> None:
    async with mailbox(ScriptedImap(answers)) as session:
        async with asyncio.timeout(SOON):
            with pytest.raises(ImapDead):
                await session.search("ALL")
        assert await is_dead(session)


async def test_no_answer_ends_at_the_deadline_and_a_late_one_is_not_taken_for_another() -> None:
    async with mailbox(ScriptedImap({"UID SEARCH": HANG}), seconds=0.1) as session:
        with pytest.raises(ImapDead, match="no answer to SEARCH"):
            await session.search("ALL")
        assert await is_dead(session)


async def test_a_cancelled_command_kills_the_session() -> None:
    asked = asyncio.Event()

    async def hear(client: Client) -> None:
        asked.set()

    async with mailbox(ScriptedImap({"UID SEARCH": hear})) as session:
        search = asyncio.create_task(session.search("ALL"))
        await asked.wait()
        search.cancel()
        with pytest.raises(asyncio.CancelledError):
            await search
        assert await is_dead(session)


async def test_two_tasks_on_one_session_are_served_one_after_the_other() -> None:
    async with mailbox(ScriptedImap({"UID SEARCH": [b"* SEARCH 1\r\nTAG OK done\r\n", b"* SEARCH 2\r\nTAG OK done\r\n"]})) as session:
        assert await asyncio.gather(session.search("ALL"), session.search("NEW"), session.noop()) == [[1], [2], None]


async def test_goodbye_is_brief_even_to_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailbot.inbox.imap_connection.LOGOUT_SECONDS", 0.05)
    async with mailbox(ScriptedImap({"LOGOUT": HANG})) as session:
        async with asyncio.timeout(SOON):
            await session.close()
        assert await is_dead(session)


# --- IDLE


@pytest.mark.parametrize("answers", [
    {"IDLE": DROP},
    {"IDLE": b"* BYE timeout\r\n"},
    {"IDLE": b"+ idling\r\n* BYE Session invalidated - AccessTokenExpired\r\n"},
], ids=["drop", "bye-instead-of-plus", "bye-while-idle"])
async def test_the_end_of_the_connection_ends_idle(answers: dict[str, bytes | None]) -> None:
    async with mailbox(ScriptedImap(answers)) as session:
        async with asyncio.timeout(SOON):
            with pytest.raises(ImapDead):
                await session.idle(60)
        assert await is_dead(session)


@pytest.mark.parametrize("answers", [{"IDLE": HANG}, {"DONE": HANG}], ids=["no-plus", "no-answer-to-done"])
async def test_idle_has_a_deadline_at_both_ends(answers: dict[str, bytes]) -> None:
    async with mailbox(ScriptedImap(answers), seconds=0.1) as session:
        async with asyncio.timeout(1):
            with pytest.raises(ImapDead):
                await session.idle(0.05)
        assert await is_dead(session)


async def test_a_refused_idle_leaves_the_session_alive() -> None:
    async with mailbox(ScriptedImap({"IDLE": b"TAG NO not now\r\n"})) as session:
        with pytest.raises(ImapRefused, match="not now"):
            await session.idle(60)
        await session.noop()


async def test_an_idle_that_the_server_ends_is_renewed() -> None:
    async with mailbox(ScriptedImap({"IDLE": b"+ idling\r\nTAG OK IDLE terminated\r\n"})) as session:
        assert await session.idle(60) == "renew"
        await session.noop()


async def test_mail_announced_beside_a_search_is_not_lost() -> None:
    searches: list[Said] = [b"* SEARCH 1 2 3\r\n* 4 EXISTS\r\nTAG OK done\r\n", b"* SEARCH 1 2 3 4\r\nTAG OK done\r\n"]
    server = ScriptedImap({"UID SEARCH": searches}, exists=3)
    async with mailbox(server) as session:
        assert await session.search("ALL") == [1, 2, 3]
        assert session.pending
        assert await session.idle(60) == "push"
        assert "IDLE" not in server.lines
        await session.search("ALL")
        assert not session.pending


async def test_mail_announced_with_the_end_of_idle_is_not_lost() -> None:
    async with mailbox(ScriptedImap({"DONE": b"* 4 EXISTS\r\nTAG OK done\r\n"})) as session:
        assert await session.idle(0.01) == "push"


async def test_mail_in_the_folder_counts_as_news_until_it_is_searched() -> None:
    async with mailbox(ScriptedImap(exists=3)) as session:
        assert await session.idle(60) == "push"


@pytest.mark.parametrize(("said", "why"), [
    (b"* 3 EXISTS\r\n", "renew"),
    (b"* 2 EXPUNGE\r\n* 2 EXISTS\r\n", "renew"),
    (b"* 2 EXPUNGE\r\n* 3 EXISTS\r\n", "push"),
    (b"* 2 EXISTS\r\n", "push"),
    (b"* 0 EXISTS\r\n", "renew"),
    (b"* OK Still here\r\n", "renew"),
], ids=["the-same-again", "one-gone", "one-gone-one-new", "fewer-untold", "none", "keepalive"])
async def test_only_another_number_of_mails_is_news(said: bytes, why: str) -> None:
    async with mailbox(ScriptedImap({"IDLE": b"+ idling\r\n" + said}, exists=3)) as session:
        await session.search("ALL")
        assert await session.idle(0.05) == why


async def test_a_server_without_idle_is_asked_at_the_end() -> None:
    server = ScriptedImap({"NOOP": b"* 1 EXISTS\r\nTAG OK done\r\n"}, capabilities="IMAP4rev1")
    async with mailbox(server) as session:
        assert await session.idle(0.01) == "push"
        assert "IDLE" not in server.lines


async def test_wake_ends_the_wait_with_and_without_idle() -> None:
    for capabilities in ("IMAP4rev1 IDLE", "IMAP4rev1"):
        async with mailbox(ScriptedImap(capabilities=capabilities)) as session:
            wake = asyncio.Event()
            asyncio.get_running_loop().call_later(0.02, wake.set)
            async with asyncio.timeout(SOON):
                assert await session.idle(60, wake) == "woken"
                assert await session.idle(60, wake) == "woken"
