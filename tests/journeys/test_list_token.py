"""STOP with the token of an announcement: what a mail program writes by itself when its reader presses "unsubscribe"."""

import pytest

from mailbot.audience import store
from mailbot.audience.link import list_link, stop_token
from mailbot.database.broadcast_tables import broadcast
from mailbot.database.engine import Tx
from mailbot.message.address import Address, key
from mailbot.message.letter import Letter
from mailbot.outbox import bulk_store
from mailbot.outbox.bulk_store import Addressee
from mailbot.secret import existing_key
from mailbot.settings import load
from tests.journeys.office import Office, read, request
from tests.journeys.test_press_list import AWA, ELSE, MORNING, history, last, state, write
from tests.servers.relay import LoopbackRelay

LETTER = Letter(language="fr", edition="pont", content_hash="a" * 64, subject="Un pont", text="Texte\n")
EMPTY_BODY = "\n"


def announced(office: Office) -> dict[str, str]:
    """Awa and Bob are on the list, and each has a mail of an announcement: its delivery."""

    def put(tx: Tx) -> None:
        for address in (AWA, ELSE):
            store.add(tx, Address(address), "fr", "", None, "liste 2023", MORNING)
        plan = {
            "id": "b1", "kind": "release", "release": "pont", "state": "finished", "audience": "all", "recipients": 2, "skipped": {},
            "created_at": MORNING,
        }  # fmt: skip
        tx.execute(broadcast.insert(), plan)
        (letter,) = bulk_store.put_letters(tx, "b1", [LETTER])
        readers = [store.find(tx, key(one)) for one in (AWA, ELSE)]
        to = [Addressee(journalist=one.id, address=one.address, name="", letter=letter, facts={}) for one in readers if one]
        bulk_store.enqueue_all(tx, "b1", "pont", to, secret_of(office), "office.example", MORNING)
        bulk_store.cancel_waiting(tx, "b1", "the test wants no mail of it", MORNING)

    office.database.write_now(put)
    return {row["recipient"]: row["id"] for row in office.deliveries() if row["kind"] == "broadcast"}


def secret_of(office: Office) -> bytes:
    return existing_key(load(office.config))


def stop(office: Office, token: str, sender: str, number: int = 1, headers: dict[str, str] | None = None) -> None:
    """The mail that a program writes: nothing in it but its subject."""
    raw = request(
        office.address, EMPTY_BODY, sender=sender, subject=f"STOP {token}", headers=headers or {}, number=number, vouched=False
    )
    write(office, raw, sender)


@pytest.mark.parametrize("sender", [AWA, ELSE, "daemon@program.example"], ids=["herself", "another reader", "a program"])
async def test_a_stop_with_a_token_takes_exactly_its_reader_off_the_list(
    office_on_either: Office, relay: LoopbackRelay, sender: str
) -> None:
    office = office_on_either
    await office.once(lambda: MORNING)
    deliveries = announced(office)
    for number in (1, 2):
        stop(office, stop_token(secret_of(office), deliveries[AWA]), sender, number, {"Auto-Submitted": "auto-generated"})
        await office.once(lambda: MORNING)
        assert (state(office, AWA), state(office, ELSE)) == ("unsubscribed", "subscribed")
    assert last(office) == ("ignore", "already-left")
    assert [got.recipient for got in relay.mails] == [AWA]
    told = read(relay.mails[0].content)
    assert (told["Subject"], told["In-Reply-To"] is not None) == ("Vous ne recevrez plus nos communiqués", sender == AWA)
    assert [event for event, _ in history(office)] == ["added", "left"]
    assert office.unsound() == []


async def test_a_token_of_another_purpose_another_delivery_or_another_key_takes_nobody_off(office: Office, relay: LoopbackRelay) -> None:
    await office.once(lambda: MORNING)
    secret, mine = secret_of(office), announced(office)[AWA]
    right = stop_token(secret, mine)
    wrong = [f"[#{list_link(secret, mine)}]", stop_token(b"another key", mine), right[:-3] + "00]", stop_token(secret, "0" * 24)]
    for number, token in enumerate(wrong):
        stop(office, token, "mallory@rival.example", number)
        await office.once(lambda: MORNING)
    assert (state(office, AWA), state(office, ELSE)) == ("subscribed", "subscribed")
    assert AWA not in [got.recipient for got in relay.mails]
