"""An announcement under way when something changes: its release is corrected or withdrawn, an edition comes late, addresses are dead, an
embargo stands, two people plan the same."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage

import pytest
import sqlalchemy as sa
from icalendar import Calendar

from mailbot import clock
from mailbot.database.tables import delivery, journalist
from mailbot.releases.release import Edition
from tests.journeys.office import COLLEAGUE, EDITIONS, FOUNTAIN, Office, read, text_of
from tests.journeys.test_broadcast import approved, known, listed, passes, planned, states
from tests.servers.relay import Got, LoopbackRelay

FOUNTAIN_FR = next(one for one in EDITIONS if one.slug == FOUNTAIN)
RIGHT = "Le chantier a coûté 44 967 florins."


def corrected(office: Office, edition: Edition = FOUNTAIN_FR, text: str = RIGHT, reason: str = "") -> dict[str, object]:
    """A colleague corrects the French edition."""
    body = edition.body.replace("Le chantier a coûté 44 697 florins.", text)
    front = f'---\nlanguage: fr\ntitle: "{edition.title}"\ndate: {edition.date}\nplace: {edition.place}\n'
    front += f'contact: "{edition.contact}"\n---\n'
    (office.folder / "right.md").write_text(front + body)
    said: dict[str, object] = json.loads(
        office.at_once("release", "correct", edition.slug, str(office.folder / "right.md"), "--reason", reason, "--yes", "--json").out
    )
    return said


def announced(relay: LoopbackRelay) -> list[Got]:
    """What journalists got."""
    return [got for got in relay.mails if got.recipient.endswith(".example") and "@media" in got.recipient]


def words_of(got: Got) -> str:
    return " ".join(text_of(got.content).split())


async def test_who_has_not_got_it_gets_the_corrected_text_and_who_has_is_told(office_on_either: Office, relay: LoopbackRelay) -> None:
    office = office_on_either
    office.configure({"outbox": {"retry_seconds": [120]}})
    listed(office, 6, ("ok", "ok", "greylist"))
    known(office)
    made = planned(office)
    approved(office, made)
    await passes(office, 11)
    assert states(office, made) == {"sent": 4, "retrying": 2, "state": "sending"}
    said = corrected(office)
    assert (said["announced"], len(said["told"])) == (2, 2), "the English edition says nothing else than before"  # type: ignore[arg-type]
    await passes(office, 20)
    await passes(office, 21)
    assert states(office, made) == {"sent": 6, "state": "finished"}
    by_reader = {got.recipient: [words_of(one) for one in announced(relay) if one.recipient == got.recipient] for got in announced(relay)}
    late = by_reader["greylist+2@media2.example"]
    assert len(late) == 1
    assert RIGHT in late[0]
    for who in ("ok+1@media1.example", "ok+4@media4.example"):
        assert ["44 697" in by_reader[who][0], RIGHT in by_reader[who][1]] == [True, True]
    assert {who: len(mails) for who, mails in by_reader.items()} == {
        "ok+0@media0.example": 1, "ok+1@media1.example": 2, "greylist+2@media2.example": 1, "ok+3@media3.example": 1,
        "ok+4@media4.example": 2, "greylist+5@media5.example": 1,
    }  # fmt: skip
    assert office.unsound() == []


async def test_a_withdrawal_calls_off_what_has_not_left(office: Office, relay: LoopbackRelay) -> None:
    listed(office, 4)
    made = planned(office)
    approved(office, made)
    said = json.loads(office.at_once("release", "withdraw", FOUNTAIN, "--yes", "--json").out)
    assert (said["announced"], said["told"]) == (4, [])
    await passes(office, 60)
    assert states(office, made) == {"cancelled": 4, "state": "cancelled"}
    assert announced(relay) == []
    assert office.unsound() == []


@pytest.mark.parametrize("kind", ["correction", "withdrawal"])
async def test_a_correction_is_announced_with_its_reason_to_all_but_those_who_were_told_of_it(
    office_on_either: Office, relay: LoopbackRelay, kind: str
) -> None:
    office = office_on_either
    listed(office, 2)
    known(office)
    approved(office, planned(office))
    await passes(office, 11)
    await passes(office, 12)
    if kind == "correction":
        office.at_once("broadcast", "new", FOUNTAIN, "--kind", "correction", exits=1)
        corrected(office, reason="Un chiffre était faux.")
    else:
        office.at_once("release", "withdraw", FOUNTAIN, "--reason", "Un chiffre était faux.", "--yes")
    await passes(office, 13)
    listed(office, 4)
    known(office)
    got_before = Counter(got.recipient for got in announced(relay))
    made = planned(office, "--kind", kind)
    french = ("ok+1@media1.example", "ok+2@media2.example")
    new = {"ok+2@media2.example", "ok+3@media3.example"} if kind == "withdrawal" else {"ok+2@media2.example"}
    assert (made["recipients"], made["skipped"]["has-it-already"]) == (len(new) + (kind == "correction") * 2, 4 - made["recipients"])
    approved(office, made)
    await passes(office, 24)
    await passes(office, 25)
    fresh = Counter(got.recipient for got in announced(relay)) - got_before
    assert set(fresh) >= new and french[0] not in fresh and max(fresh.values()) == 1
    (mail,) = [words_of(got) for got in announced(relay) if got.recipient == french[1]]
    assert "Motif : Un chiffre était faux." in mail
    assert (RIGHT in mail, "Nous retirons" in mail) == (kind == "correction", kind == "withdrawal")
    assert planned(office, "--kind", kind)["recipients"] == 0, "nobody is told twice"
    assert office.unsound() == []


async def test_who_waited_for_an_edition_gets_it_when_it_comes_and_nobody_else(office: Office, relay: LoopbackRelay) -> None:
    office.publish(replace(FOUNTAIN_FR, slug="phare", release="phare", title="Le phare est rallumé"))
    listed(office, 6)
    known(office)
    made = json.loads(office.at_once("broadcast", "new", "phare", "--json").out)
    approved(office, made)
    await passes(office, 11)
    assert len(announced(relay)) == 6, "in the only language there is"
    office.at_once("broadcast", "new", "phare", "--to", "waiting-for-en", exits=1)
    office.publish(replace(FOUNTAIN_FR, slug="phare-en", release="phare", language="en", title="The lighthouse shines again"))
    late = json.loads(office.at_once("broadcast", "new", "phare", "--to", "waiting-for-en", "--json").out)
    assert late["recipients"] == 2
    approved(office, late)
    await passes(office, 22)
    english = [got for got in announced(relay) if "lighthouse" in str(read(got.content)["Subject"])]
    assert sorted(got.recipient for got in english) == ["ok+0@media0.example", "ok+3@media3.example"]
    again = json.loads(office.at_once("broadcast", "new", "phare", "--to", "waiting-for-en", "--json").out)
    assert again["recipients"] == 0


async def test_dead_addresses_are_removed_on_one_yes_and_it_goes_on(office: Office, relay: LoopbackRelay) -> None:
    listed(office, 130, ("ok", "ok", "ok", "nobody"))
    known(office)
    office.database.write_now(lambda tx: tx.execute(journalist.update().values(origin="liste")))  # in waves, as of an imported list
    made = planned(office)
    approved(office, made)
    for minutes in (11, 12, 13):
        await passes(office, minutes)
    held = states(office, made)
    assert (held["state"], held["queued"]) == ("held", 30)
    named = json.loads(office.at_once("broadcast", "clean", made["id"], "--dry-run", "--json").out)
    assert (len(named["dead_addresses"]), named["removed"]) == (held["failed"], [])
    cleaned = json.loads(office.at_once("broadcast", "clean", made["id"], "--yes", "--json").out)
    assert cleaned["removed"] == named["dead_addresses"]
    office.at_once("broadcast", "resume", made["id"], "--count", "130")
    await passes(office, 14)
    await passes(office, 15)
    assert states(office, made)["state"] == "finished"
    await passes(office, 16)
    again = planned(office)
    assert again["recipients"] == 0
    assert set(again["skipped"]) == {"unsubscribed", "has-it-already"} | ({"suppressed"} & set(again["skipped"]))
    assert office.unsound() == []


async def test_two_plans_of_one_release_mail_nobody_twice(office_on_either: Office, relay: LoopbackRelay) -> None:
    office = office_on_either
    listed(office, 3)
    first, second = planned(office), planned(office)
    approved(office, first)
    refused = office.at_once("broadcast", "approve", second["id"], "--count", "3", exits=1)
    assert "3 of its 3 people" in refused.err
    await passes(office, 11)
    await passes(office, 12)
    assert Counter(got.recipient for got in announced(relay)) == {f"ok+{n}@media{n}.example": 1 for n in range(3)}
    office.at_once("broadcast", "cancel", second["id"], "--yes")
    assert states(office, second) == {"cancelled": 3, "state": "cancelled"}


async def test_two_different_people_approve_where_the_office_wants_two(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"broadcast": {"approvals": 2}})
    listed(office, 2)
    made = planned(office)
    asked = ("broadcast", "approve", made["id"], "--count", "2")
    office.at_once(*asked, exits=1)
    assert json.loads(office.at_once(*asked, "--by", "Awa", "--json").out)["approvals_left"] == 1
    office.at_once(*asked, "--by", "AWA", exits=1)
    await passes(office, 60)
    assert (states(office, made), relay.mails) == ({"queued": 2, "state": "draft"}, [])
    office.at_once(*asked, "--by", "Bintou")
    await passes(office, 11)
    assert len(announced(relay)) == 2


async def test_an_invitation_has_its_event_for_calendars_and_is_held_once_that_has_begun(office: Office, relay: LoopbackRelay) -> None:
    listed(office, 2)
    starts = (clock.now() + timedelta(hours=2)).replace(second=0, microsecond=0)
    event = ("--event-start", starts.isoformat(), "--event-end", (starts + timedelta(hours=1)).isoformat(), "--event-place", "Salle bleue")
    made = planned(office, *event)
    assert made["kind"] == "advisory"
    approved(office, made)
    await passes(office, 11)
    (got, _) = announced(relay)
    (part,) = [part for part in read(got.content).walk() if part.get_content_type() == "text/calendar"]
    (found,) = Calendar.from_ical(part.get_payload(decode=True)).walk("VEVENT")
    assert found["dtstart"].dt.astimezone(UTC) == starts
    assert (str(found["location"]), str(found["summary"])) == ("Salle bleue", FOUNTAIN_FR.title)
    assert "Salle bleue" in words_of(got)
    other = json.loads(office.at_once("broadcast", "new", "marche-de-nuit", *event, "--json").out)
    approved(office, other)
    await passes(office, 121)
    assert states(office, other) == {"queued": 2, "state": "held"}


CANARY, OPENS_IN = "zqxvortik", timedelta(hours=3)


def embargoed(office: Office) -> datetime:
    """A release with a word in every field that stands nowhere else; when it becomes public."""
    opens = (clock.now() + OPENS_IN).replace(second=0, microsecond=0)
    office.publish(
        Edition(
            slug=f"pont-{CANARY}", release=f"pont-{CANARY}", language="fr", title=f"Le pont des hirondelles {CANARY}",
            date=date(2026, 5, 9), place=f"Velmora-{CANARY}", topics=(f"ponts {CANARY}",), embargo=opens,
            body=f"Le pont des hirondelles s’ouvre, dit {CANARY}.\n\nRien de plus, {CANARY}.",
            notes=f"Notes {CANARY}", contact=f"{CANARY} : presse@office.example",
        )
    )  # fmt: skip
    return opens


def everything_in(got: Got) -> str:
    """A mail as bytes, and each of its parts decoded."""
    return "\n".join((got.content.decode("latin-1"), *_parts(read(got.content)))).casefold()


def _parts(message: EmailMessage) -> Iterator[str]:
    yield from (f"{name}: {value}" for name, value in message.items())
    for part in message.walk():
        if not part.is_multipart():
            yield (part.get_payload(decode=True) or b"").decode("utf-8", "replace")


async def test_nothing_of_an_embargo_leaves_before_its_instant(
    office: Office, relay: LoopbackRelay, capfd: pytest.CaptureFixture[str]
) -> None:
    opens = embargoed(office)
    listed(office, 3)
    refused = office.at_once("broadcast", "new", f"pont-{CANARY}", exits=1)
    assert "embargo" in refused.err
    made = json.loads(office.at_once("broadcast", "new", f"pont-{CANARY}", "--at", opens.isoformat(), "--json").out)
    approved(office, made)
    office.ask("Bonjour,\n\nPouvez-vous m'envoyer le communiqué sur le pont des hirondelles ?\n\nMerci")
    office.ask("Bonjour,\n\nPourriez-vous m'envoyer votre dernier communiqué de presse ?\n\nMerci", sender="bob@paper.example")
    for minutes in (1, 30, OPENS_IN.total_seconds() / 60 - 2):
        await passes(office, minutes)
    assert states(office, made) == {"queued": 3, "state": "scheduled"}
    assert len(relay.mails) >= 4, "colleagues were told, and journalists answered"
    assert [got.recipient for got in relay.mails if CANARY in everything_in(got)] == []
    told = capfd.readouterr()
    assert CANARY not in (told.out + told.err).casefold()
    office.database.write_now(lambda tx: tx.execute(sa.text("UPDATE broadcast SET state = 'sending'")))  # whatever goes wrong before
    await passes(office, OPENS_IN.total_seconds() / 60 - 2)
    assert [got.recipient for got in relay.mails if CANARY in everything_in(got)] == []
    await passes(office, OPENS_IN.total_seconds() / 60 + 1)
    assert len(announced(relay)) == 3
    assert all(CANARY in everything_in(got) for got in announced(relay))


async def test_who_may_have_it_early_reads_of_the_embargo_first_in_office_time_and_utc(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"organisation": {"timezone": "Asia/Kathmandu"}})
    opens = embargoed(office)
    listed(office, 3)
    office.at_once("audience", "segment", "set", "agencies", "language = fr")
    office.at_once("broadcast", "new", f"pont-{CANARY}", "--to", "agencies", exits=1)
    office.at_once("audience", "segment", "set", "agencies", "language = fr", "--early")
    made = json.loads(office.at_once("broadcast", "new", f"pont-{CANARY}", "--to", "agencies", "--json").out)
    assert (made["recipients"], made["early"]) == (2, True)
    approved(office, made)
    await passes(office, 11)
    (got, _) = announced(relay)
    assert "EMBARGO" in str(read(got.content)["Subject"]).upper()
    first = next(line for line in text_of(got.content).splitlines() if line.strip())
    assert "EMBARGO" in first.upper()
    body = words_of(got)
    assert f"{opens:%Y-%m-%d %H:%M} UTC" in body
    there = opens + timedelta(hours=5, minutes=45)
    assert f"{there.hour} h {there:%M}" in body
    assert [one.recipient for one in relay.mails if CANARY in everything_in(one) and "@media" not in one.recipient] == []


async def test_a_test_goes_to_colleagues_alone_and_says_first_that_it_is_one_and_until_when_the_embargo_holds(
    office: Office, relay: LoopbackRelay
) -> None:
    opens = embargoed(office)
    listed(office, 3)
    made = json.loads(office.at_once("broadcast", "new", f"pont-{CANARY}", "--at", opens.isoformat(), "--json").out)
    office.at_once("broadcast", "test", made["id"], "--to", "ok+1@media1.example", exits=2)
    letters = json.loads(office.at_once("broadcast", "test", made["id"], "--to", COLLEAGUE, "--json").out)["mails"]
    await passes(office, 1)
    assert [got.recipient for got in relay.mails] == [COLLEAGUE] * letters
    for got in relay.mails:
        first = text_of(got.content).strip().splitlines()[0]
        assert "EMBARGO" in str(read(got.content)["Subject"]) and "EMBARGO" in first and f"{opens:%Y-%m-%d %H:%M} UTC" in first
    await passes(office, OPENS_IN / timedelta(minutes=1) + 1)
    office.at_once("broadcast", "test", made["id"], "--to", COLLEAGUE)
    assert announced(relay) == []


async def test_what_was_stopped_before_its_time_waits_for_it_when_it_is_resumed(office: Office, relay: LoopbackRelay) -> None:
    listed(office, 2)
    made = planned(office, "--at", (clock.now() + timedelta(hours=2)).isoformat())
    approved(office, made)
    office.at_once("broadcast", "stop", made["id"])
    office.at_once("broadcast", "resume", made["id"], "--count", "2")
    await passes(office, 60)
    assert (states(office, made), announced(relay)) == ({"queued": 2, "state": "scheduled"}, [])
    told = Counter(str(read(got.content)["Subject"]).partition(" :")[0].replace("\u00a0", "") for got in relay.mails)
    assert told == {"Annonce approuvée": 2, "Annonce arrêtée": 2, "Annonce reprise": 2}, "each colleague, each time"
    await passes(office, 121)
    with office.database.engine.connect() as tx:
        assert set(tx.execute(sa.select(delivery.c.state).where(delivery.c.broadcast == made["id"])).scalars()) == {"sent"}
