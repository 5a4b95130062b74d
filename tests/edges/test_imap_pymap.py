"""The mailbox on pymap, the demo's server, which knows neither NAMESPACE nor SPECIAL-USE."""

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from proxyprotocol.reader import ProxyProtocolReader
from proxyprotocol.version import ProxyProtocolVersion
from pymap.backend.dict import DictBackend, Identity
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

from mailbot.inbox.imap import Server, Session

MAIL = b"From: ann@example.net\r\nSubject: x\r\n\r\n8-bit \xe9 \xff\r\n* 9 EXISTS\r\n{30}\r\n"


async def test_pymap_will_do(pymap_port: int) -> None:
    session = await Session.open(Server(host="127.0.0.1", port=pymap_port, security="plain", username="press", password="secret"))
    await session.ensure_folder("mailbot/attention")
    await session.ensure_folder("mailbot/attention")
    opened = await session.select("INBOX")
    assert opened.exists == 2
    uids = await session.search("UNSEEN")
    assert [facts.size for facts in (await session.facts(uids)).values()] == [len(MAIL)] * 2
    assert [await session.fetch(uid) for uid in uids] == [MAIL] * 2
    assert await session.fetch(9999) is None
    assert await session.move(uids[:1], "mailbot/attention") == set()
    assert await session.move(uids, "mailbot/attention") == {uids[0]}
    assert await session.search("ALL") == []
    assert await session.idle(0.05) == "renew"
    assert (await session.select("mailbot/attention", read_only=True)).exists == 2
    assert {"INBOX", "mailbot/attention"} <= {name for name, _ in await session.folders()}
    await session.close()


@pytest.fixture
async def pymap_port() -> AsyncIterator[int]:
    arguments = Namespace(
        host="127.0.0.1", port=0, debug=False, cert=None, key=None, tls=False, proxy_protocol=None, passlib_cfg=None, demo_data=False,
        demo_user="press", demo_password="secret", inherited_sockets=None, skip_services=[],
    )
    backend, config = await DictBackend.init(arguments, hash_context=Cleartext(), invalid_user_sleep=0, reject_dnsbl=False)
    config.apply_context()
    backend.login.users_dict["press"] = UserMetadata(config, "press", password="secret")
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(Identity("press", backend.login, None, frozenset()).new_session())
        folder = await session.mailbox_set.get_mailbox("INBOX")
        for _ in range(2):
            await folder.append(AppendMessage(MAIL, None, frozenset()))
        serve = ProxyProtocolReader(ProxyProtocolVersion.get(None)).get_callback(IMAPServer(backend.login, config))
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        yield server.sockets[0].getsockname()[1]
        server.close()
