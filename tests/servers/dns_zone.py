"""A loopback DNS server for one test: it answers from a handful of records, with a name that is not there, or with a failure."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import cast

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

HOST = "127.0.0.1"
BROKEN = "broken."  # a name below it gets SERVFAIL
Records = Mapping[tuple[str, str], Sequence[str]]  # (name, type) -> the records' texts


@asynccontextmanager
async def zone(records: Records) -> AsyncIterator[dns.asyncresolver.Resolver]:
    """A resolver that asks this server and nobody else."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Zone(records), local_addr=(HOST, 0))
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [HOST]
    resolver.port = transport.get_extra_info("sockname")[1]
    try:
        yield resolver
    finally:
        transport.close()


class _Zone(asyncio.DatagramProtocol):
    """One datagram in, one out."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # asyncio's own is not one by inheritance

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        assert self._transport is not None
        asked = dns.message.from_wire(data)
        name, kind = asked.question[0].name, asked.question[0].rdtype
        answer = dns.message.make_response(asked)
        answer.flags |= dns.flags.AA | dns.flags.RA
        written = self._records.get((name.to_text(omit_final_dot=True), dns.rdatatype.to_text(kind)))
        if written:
            answer.answer.append(dns.rrset.from_text_list(name, 60, "IN", kind, list(written)))
        elif name.to_text().endswith(BROKEN):
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif not any(known == name.to_text(omit_final_dot=True) for known, _ in self._records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self._transport.sendto(answer.to_wire(), address)
