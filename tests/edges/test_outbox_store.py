"""The laws of the queue of outgoing mail, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailbot.database.engine import Database
from mailbot.message.address import Address
from mailbot.outbox import store
from mailbot.outbox.delivery import DeliveryState, Failed, Fault, Kind, Phase, RelayDown, Reply, RetryAt, Sent, Uncertain, Verdict
from mailbot.outbox.store import Claimed, Draft

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TAKEN = Reply(phase=Phase.DONE, code=250, text="2.0.0 taken")
LOST = Reply(phase=Phase.DATA, fault=Fault.LOST, text="cut")


def draft(name: str, kind: Kind = Kind.ANSWER) -> Draft:
    return Draft(
        key=f"key:{name}", kind=kind, recipient=Address(f"{name}@journal.example", "Awa"), language="fr", subject="Objet", text="Texte",
        references=("<a@b>",), release="fontaine",
    )  # fmt: skip


def queue(database: Database, name: str, kind: Kind = Kind.ANSWER, now: datetime = NOW) -> bool:
    return database.write_now(store.enqueue, draft(name, kind), name, f"<{name}@office.example>", now)


def claim(database: Database, holder: str = "worker", now: datetime = NOW) -> Claimed:
    claimed = database.write_now(store.claim, holder, now)
    assert claimed is not None
    return claimed


def state(database: Database, delivery_id: str) -> str:
    row = database.read_now(store.shown, delivery_id)
    assert row is not None
    return str(row["state"])


def test_the_same_mail_is_queued_once(database: Database) -> None:
    assert queue(database, "awa")
    assert not database.write_now(store.enqueue, draft("awa"), "other-id", "<other@office.example>", NOW)
    assert database.read_now(store.states)["queued"] == 1


def test_what_is_claimed_is_what_was_queued(database: Database) -> None:
    queue(database, "awa")
    claimed = claim(database)
    assert claimed.draft == draft("awa")
    assert (claimed.id, claimed.attempts, claimed.doubts, claimed.raw, claimed.message_id) == ("awa", 1, 0, None, "<awa@office.example>")


def test_answers_go_before_notes_and_notes_before_a_broadcast(database: Database) -> None:
    queue(database, "broadcast", Kind.BROADCAST, NOW - timedelta(hours=3))
    queue(database, "note", Kind.HAND_OFF, NOW - timedelta(hours=2))
    queue(database, "answer", Kind.ANSWER, NOW - timedelta(hours=1))
    assert [claim(database).id for _ in range(3)] == ["answer", "note", "broadcast"]


def test_nothing_is_claimed_before_it_is_due_nor_twice(database: Database) -> None:
    queue(database, "awa", now=NOW + timedelta(minutes=1))
    assert database.write_now(store.claim, "worker", NOW) is None
    assert claim(database, now=NOW + timedelta(minutes=1)).id == "awa"
    assert database.write_now(store.claim, "another", NOW + timedelta(hours=1)) is None


def test_workers_that_claim_at_once_never_get_the_same_mail(database: Database) -> None:
    for number in range(40):
        queue(database, f"j{number}")

    def work(holder: str) -> list[str]:
        found = []
        while (claimed := database.write_now(store.claim, holder, NOW)) is not None:
            found.append(claimed.id)
        return found

    with ThreadPoolExecutor(4) as pool:
        taken = [one for found in pool.map(work, ["a", "b", "c", "d"]) for one in found]
    assert sorted(taken) == sorted(f"j{number}" for number in range(40))


@pytest.mark.parametrize(
    ("reply", "verdict", "expected", "attempts"),
    [
        pytest.param(TAKEN, Sent(), DeliveryState.SENT, 1, id="sent"),
        pytest.param(LOST, Uncertain("lost"), DeliveryState.UNCERTAIN, 1, id="uncertain"),
        pytest.param(TAKEN, Failed("refused"), DeliveryState.FAILED, 1, id="failed"),
        pytest.param(TAKEN, RetryAt(NOW + timedelta(minutes=5)), DeliveryState.RETRYING, 1, id="retrying"),
        pytest.param(TAKEN, RelayDown(NOW + timedelta(minutes=5), "busy"), DeliveryState.QUEUED, 0, id="relay down: as if never tried"),
    ],
)
def test_an_outcome_is_recorded_with_the_relays_words(
    database: Database, reply: Reply, verdict: Verdict, expected: DeliveryState, attempts: int
) -> None:
    queue(database, "awa")
    assert database.write_now(store.outcome, claim(database), "worker", reply, verdict, NOW)
    row = database.read_now(store.shown, "awa")
    assert row is not None
    assert (row["state"], row["attempts"], row["holder"], row["last_text"]) == (expected, attempts, "", reply.text)
    assert [(one["number"], one["phase"], one["text"]) for one in row["tried"]] == [(1, reply.phase, reply.text)]


def test_a_worker_that_lost_its_claim_can_record_nothing_and_enter_no_doubt(database: Database) -> None:
    queue(database, "awa")
    frozen = claim(database, "frozen")
    database.write_now(store.put_back, frozen, "frozen")
    taken_over = claim(database, "next")
    assert not database.write_now(store.enter_doubt, frozen, "frozen", NOW)
    assert not database.write_now(store.outcome, frozen, "frozen", TAKEN, Sent(), NOW)
    assert database.write_now(store.enter_doubt, taken_over, "next", NOW)
    assert database.write_now(store.outcome, taken_over, "next", TAKEN, Sent(), NOW)
    assert state(database, "awa") == "sent"


def test_a_sent_mail_stays_sent(database: Database) -> None:
    queue(database, "awa")
    claimed = claim(database)
    database.write_now(store.outcome, claimed, "worker", TAKEN, Sent(), NOW)
    assert not database.write_now(store.outcome, claimed, "worker", LOST, Failed("late"), NOW)
    assert not database.write_now(store.send_again, "awa", NOW)
    assert not database.write_now(store.drop, "awa", NOW)
    assert not database.write_now(store.cancel, claimed, "worker", "late", NOW)
    assert state(database, "awa") == "sent"


def test_an_orphan_says_whether_its_bytes_may_have_left(database: Database) -> None:
    queue(database, "before", now=NOW - timedelta(minutes=1))
    queue(database, "after")
    claim(database, "dead")
    database.write_now(store.enter_doubt, claim(database, "dead"), "dead", NOW)
    assert database.read_now(store.orphans, frozenset({"dead"})) == []
    found = {claimed.id: (holder, in_doubt) for claimed, holder, in_doubt in database.read_now(store.orphans, frozenset({"living"}))}
    assert found == {"before": ("dead", False), "after": ("dead", True)}


def test_the_bytes_and_the_date_stay_what_they_were_at_the_first_claim(database: Database) -> None:
    queue(database, "awa")
    first = claim(database)
    assert database.write_now(store.freeze, first, "worker", NOW, b"the bytes")
    database.write_now(store.outcome, first, "worker", TAKEN, RetryAt(NOW), NOW)
    again = claim(database)
    assert (again.raw, again.date, again.attempts, again.fence) == (b"the bytes", NOW, 2, 2)


def test_who_has_lost_its_claim_fixes_no_bytes(database: Database) -> None:
    queue(database, "awa")
    lost = claim(database)
    assert database.write_now(store.put_back, lost, "worker")
    claim(database, "another")
    assert not database.write_now(store.freeze, lost, "worker", NOW, b"too late")
    shown = database.read_now(store.shown, "awa")
    assert shown is not None and (shown["raw"], shown["date"]) == (None, None)


def test_only_a_failed_or_doubtful_mail_is_sent_again_and_only_a_waiting_one_dropped(database: Database) -> None:
    queue(database, "doubtful")
    database.write_now(store.outcome, claim(database), "worker", LOST, Uncertain("lost"), NOW)
    assert database.write_now(store.send_again, "doubtful", NOW)
    assert state(database, "doubtful") == "retrying"
    assert database.write_now(store.drop, "doubtful", NOW)
    assert state(database, "doubtful") == "cancelled"
    assert database.write_now(store.claim, "worker", NOW + timedelta(days=1)) is None


def test_what_went_to_a_person_a_domain_and_everybody_is_counted(database: Database) -> None:
    queue(database, "awa", now=NOW - timedelta(days=2))
    queue(database, "awa+tag")
    queue(database, "bob")
    queue(database, "note", Kind.HAND_OFF)
    since = NOW - timedelta(hours=1)
    assert database.read_now(store.count_since, Kind.ANSWER, since) == 2
    assert database.read_now(store.count_since, Kind.ANSWER, since, domain="journal.example") == 2
    assert database.read_now(store.count_since, Kind.ANSWER, since, domain="elsewhere.example") == 0
    assert database.read_now(store.count_since, Kind.ANSWER, since, cap_key="awa@journal.example") == 1, "a tag is the same person"
    assert database.read_now(store.answers_to, "awa@journal.example", NOW - timedelta(days=7)) == (("fontaine", NOW - timedelta(days=2)),)


def test_every_state_is_named_and_the_numbers_add_up(database: Database) -> None:
    for name in ("a", "b", "c"):
        queue(database, name)
    claim(database)
    states = database.read_now(store.states)
    assert set(states) == {str(one) for one in DeliveryState}
    assert (sum(states.values()), states["queued"], states["sending"]) == (3, 2, 1)


def brought(database: Database, name: str, edition: str, at: datetime, **more: str) -> None:
    one = replace(draft("awa"), key=f"key:{name}", edition=edition, mentions=("quai", "phare"), **more)  # type: ignore[arg-type]
    database.write_now(store.enqueue, one, name, f"<{name}@office.example>", at)


def test_what_a_word_was_answered_with_is_no_release_that_was_asked_for(database: Database) -> None:
    brought(database, "first", "fontaine", NOW)
    brought(database, "word", "fontaine-en", NOW + timedelta(minutes=1), variant="pdf")
    brought(database, "offers", "", NOW + timedelta(minutes=2), release="")
    since = NOW - timedelta(days=7)
    person = "awa@journal.example"
    assert database.read_now(store.answers_to, person, since) == (("fontaine", NOW), ("", NOW + timedelta(minutes=2)))
    assert sorted(database.read_now(store.variants_to, person, since)) == [("fontaine", ""), ("fontaine-en", "pdf")]
    assert database.read_now(store.variants_to, person, NOW + timedelta(hours=1)) == ()
    assert database.read_now(store.count_since, Kind.ANSWER, since) == 3


def test_a_mail_of_ours_is_known_by_its_id_and_its_numbers_keep_their_order(database: Database) -> None:
    brought(database, "first", "fontaine", NOW)
    (ours,) = database.read_now(store.our_mails, ["first", "unknown"])
    assert (ours.id, ours.kind, ours.recipient_key, ours.edition, ours.language) == (
        "first", Kind.ANSWER, "awa@journal.example", "fontaine", "fr",
    )  # fmt: skip
    assert ours.mentions == ("quai", "phare")


def test_by_its_edition_the_last_mail_is_found_that_this_person_was_sent(database: Database) -> None:
    for minutes, name in enumerate(("older", "newer", "never-left")):
        brought(database, name, "fontaine", NOW + timedelta(minutes=minutes))
    for _ in range(2):
        taken = claim(database, now=NOW + timedelta(hours=1))
        database.write_now(store.outcome, taken, "worker", TAKEN, Sent(), NOW + timedelta(hours=1))
    assert [ours.id for ours in database.read_now(store.last_with, "awa@journal.example", "fontaine")] == ["newer"]
    assert database.read_now(store.last_with, "bob@journal.example", "fontaine") == ()
    assert database.read_now(store.last_with, "awa@journal.example", "fontaine-en") == ()


def test_a_page_to_be_printed_waits_in_the_queue_with_its_name(database: Database) -> None:
    brought(database, "first", "fontaine", NOW, variant="pdf", sheet="<p>x</p>", sheet_name="fontaine-fr.pdf")
    waiting = claim(database).draft
    assert (waiting.variant, waiting.sheet, waiting.sheet_name) == ("pdf", "<p>x</p>", "fontaine-fr.pdf")
