"""An announcement on real servers: planned, approved, held, sent to each in their language once, stopped by a reply, counted."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from mailbot import clock
from mailbot.audience.journalist import State
from mailbot.broadcast import store as broadcasts
from mailbot.database.engine import Tx
from mailbot.database.tables import consent, delivery, journalist
from tests.journeys.office import COLLEAGUE, FOUNTAIN, SECOND_COLLEAGUE, Office, read, text_of
from tests.journeys.test_colleague import answer
from tests.servers.relay import LoopbackRelay

ENDS = {
    "ok": "sent", "nobody": "failed", "refused-after-dot": "failed", "greylist": "sent", "tempfail": "failed",
    "drop-after-dot": "uncertain", "421-rcpt": "failed",
}  # fmt: skip


def listed(office: Office, number: int, names: tuple[str, ...] = ("ok",)) -> None:
    """A press list of so many, imported; every third one reads English, and their names choose what becomes of their mail."""
    lines = ["email;name;language"]
    lines += [f"{names[n % len(names)]}+{n}@media{n}.example;Person {n};{'en' if n % 3 == 0 else 'fr'}" for n in range(number)]
    (office.folder / "list.csv").write_text("\n".join(lines))
    office.at_once("audience", "import", str(office.folder / "list.csv"), "--origin", "liste 2023", "--json")


def known(office: Office) -> None:
    """Everybody on the list has confirmed: no waves."""

    def confirm(tx: Tx) -> None:
        tx.execute(journalist.update().values(origin=""))
        said = {"at": clock.now(), "channel": "mail", "event": "confirmed", "words": "OUI", "mail": None}
        tx.execute(consent.insert(), [said | {"journalist": of} for of in tx.execute(sa.select(journalist.c.id)).scalars().all()])

    office.database.write_now(confirm)


def planned(office: Office, *words: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(office.at_once("broadcast", "new", FOUNTAIN, *words, "--json").out)
    return made


def approved(office: Office, made: dict[str, Any]) -> None:
    office.at_once("broadcast", "approve", made["id"], "--count", str(made["recipients"]), "--json")


async def passes(office: Office, minutes: float) -> None:
    """One pass of mailbot, so long after now."""
    moment = clock.now() + timedelta(minutes=minutes)
    await office.once(lambda: moment)


def states(office: Office, made: dict[str, Any]) -> dict[str, int]:
    (one,) = [one for one in office.status()["broadcasts"] if one["id"] == made["id"]]
    assert sum(one["states"].values()) == one["recipients"] == made["recipients"]
    return {name: number for name, number in one["states"].items() if number} | {"state": one["state"]}


async def test_each_gets_their_own_in_their_language_once_after_the_hold(office_on_either: Office, relay: LoopbackRelay) -> None:
    office = office_on_either
    listed(office, 6)
    office.database.write_now(
        lambda tx: tx.execute(journalist.update().where(journalist.c.key == "ok+5@media5.example").values(state=State.UNSUBSCRIBED))
    )
    made = planned(office)
    assert (made["recipients"], made["skipped"]) == (5, {"unsubscribed": 1})
    office.at_once("broadcast", "approve", made["id"], "--count", "6", exits=1)
    await passes(office, 60)
    assert relay.mails == [], "nobody has approved it"
    approved(office, made)
    await passes(office, 5)
    assert sorted(got.recipient for got in relay.mails) == sorted((COLLEAGUE, SECOND_COLLEAGUE)), "the hold is announced"
    await passes(office, 11)
    await passes(office, 12)
    mails = {got.recipient: got for got in relay.mails if got.recipient.startswith("ok")}
    assert len(mails) == len([got for got in relay.mails if got.recipient.startswith("ok")]) == 5
    french, english = read(mails["ok+1@media1.example"].content), read(mails["ok+3@media3.example"].content)
    assert "Bonjour Person 1," in text_of(mails["ok+1@media1.example"].content)
    assert "Hello Person 3," in text_of(mails["ok+3@media3.example"].content)
    assert (french["Content-Language"], french["X-Mailbot-Release"], english["X-Mailbot-Release"]) == ("fr", FOUNTAIN, f"{FOUNTAIN}-en")
    assert (french["Auto-Submitted"], french["List-Id"] is not None) == ("auto-generated", True)
    assert f"<mailto:{office.address}?subject=STOP%20" in french["List-Unsubscribe"]
    assert states(office, made) == {"sent": 5, "state": "finished"}
    assert office.unsound() == []
    again = planned(office)
    assert (again["recipients"], again["skipped"]["has-it-already"]) == (0, 5)


async def test_each_of_500_ends_where_its_relay_sends_it_and_the_report_adds_up(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"broadcast": {"pause_bounce_percent": 100}})
    listed(office, 500, tuple(ENDS))
    known(office)
    made = planned(office)
    approved(office, made)
    for minutes in range(11, 15):
        await passes(office, minutes)
    expected = Counter(ENDS[name] for n in range(500) for name in [tuple(ENDS)[n % len(ENDS)]])
    found = states(office, made)
    assert found == dict(expected) | {"state": found["state"]}
    told = json.loads(office.at_once("broadcast", "report", made["id"], "--json").out)
    assert Counter(row["state"] for row in told["mails"]) == expected
    copies = Counter(got.recipient for got in relay.mails if "+" in got.recipient)
    assert all(number == 1 or (number == 2 and name.startswith("drop-after-dot")) for name, number in copies.items())
    assert office.unsound() == []


async def test_many_dead_addresses_hold_it_after_two_waves_and_are_named(office: Office, relay: LoopbackRelay) -> None:
    listed(office, 200, ("ok", "ok", "nobody"))
    made = planned(office)
    approved(office, made)
    for minutes in (11, 12, 13, 14):
        await passes(office, minutes)
    assert states(office, made) == {"sent": 67, "failed": 33, "queued": 100, "state": "held"}
    told = json.loads(office.at_once("broadcast", "report", made["id"], "--json").out)
    assert "33 of 100 addresses are dead" in told["why"]
    assert len(told["dead_addresses"]) == 33


async def test_a_reply_stop_from_any_colleague_stops_it_and_resuming_takes_the_number_again(office: Office, relay: LoopbackRelay) -> None:
    listed(office, 4)
    made = planned(office)
    approved(office, made)
    await passes(office, 1)
    note = next(got for got in relay.mails if got.recipient == SECOND_COLLEAGUE)
    answer(office, note, "STOP\n\nIl y a une erreur.")
    await passes(office, 2)
    await passes(office, 60)
    assert states(office, made) == {"queued": 4, "state": "stopped"}
    office.at_once("broadcast", "resume", made["id"], "--count", "5", exits=1)
    office.at_once("broadcast", "resume", made["id"], "--count", "4")
    await passes(office, 61)
    await passes(office, 62)
    assert states(office, made) == {"sent": 4, "state": "finished"}


async def test_nobody_else_can_stop_it(office: Office, relay: LoopbackRelay) -> None:
    listed(office, 2)
    made = planned(office)
    approved(office, made)
    await passes(office, 1)
    note = next(got for got in relay.mails if got.recipient == COLLEAGUE)
    office.ask("STOP", sender="awa@journal.example", subject=f"RE: {read(note.content)['Subject']}")
    await passes(office, 11)
    await passes(office, 12)
    assert states(office, made) == {"sent": 2, "state": "finished"}


async def test_what_is_late_is_held_and_never_made_up_for(office: Office, relay: LoopbackRelay) -> None:
    listed(office, 2)
    made = planned(office, "--at", (clock.now() + timedelta(minutes=30)).isoformat())
    approved(office, made)
    await passes(office, 20)
    assert states(office, made) == {"queued": 2, "state": "scheduled"}
    await passes(office, 50)
    assert states(office, made) == {"queued": 2, "state": "held"}
    one = office.database.read_now(broadcasts.find, made["id"])
    assert one is not None and "late" in one.why


async def test_the_first_mails_to_an_imported_list_go_in_waves(office: Office, relay: LoopbackRelay) -> None:
    listed(office, 120)
    made = planned(office)
    assert made["wave"] == 50
    approved(office, made)
    seen = []
    for minutes in (11, 12, 13, 14):
        await passes(office, minutes)
        seen.append(sum(got.recipient.startswith("ok") for got in relay.mails))
    assert (seen[0], seen[-1]) == (50, 120)
    assert states(office, made) == {"sent": 120, "state": "finished"}
    with office.database.engine.connect() as tx:
        assert tx.execute(delivery.select().where(delivery.c.state == "queued")).first() is None
