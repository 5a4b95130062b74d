"""A release that went out wrong: who had not got it gets the right one, who had is told once, and nobody gets the old text any more."""

import asyncio
import email
import email.policy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailbot.audience import suppression_store
from mailbot.cases import store as cases
from mailbot.database import flag
from mailbot.database.engine import Database, Tx
from mailbot.inbox import correct as corrections
from mailbot.inbox.outcome import Variant
from mailbot.outbox import last_look
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Fault, Phase, Reply, RetryAt, Sent, Uncertain
from mailbot.releases import correction_store
from mailbot.releases import store as releases
from mailbot.releases.correction import CannotCorrect
from tests.edges.newsroom import COLLEAGUE, CORRECTED, FOUNTAIN, FOUNTAIN_EN, NEW, NOW, OLD, Newsroom, newsroom
from tests.servers.relay import Got, LoopbackRelay

AGAIN = replace(CORRECTED, body=CORRECTED.body.replace("Les poissons vont bien", "Les poissons vont mieux"))


only_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def office(database: Database, database_url: str, tmp_path: Path) -> Newsroom:
    return newsroom(database, database_url, tmp_path)


def read(got: Got) -> EmailMessage:
    found = email.message_from_bytes(got.content, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def text_of(got: Got) -> str:
    part = read(got).get_body(("plain",))
    assert part is not None
    return " ".join(str(part.get_content()).split())


def to(relay: LoopbackRelay, who: str) -> list[Got]:
    return [got for got in relay.mails if got.recipient.partition("@")[0] == who]


def subjects(relay: LoopbackRelay, who: str) -> list[str]:
    return [" ".join(str(read(got)["Subject"]).split()) for got in to(relay, who)]


RIGHTED = "RECTIFICATIF : La grande fontaine est rouverte [fontaine]"


async def test_each_who_got_the_old_text_by_any_way_is_told_once_and_nobody_else(office: Newsroom, relay: LoopbackRelay) -> None:
    for _ in range(2):
        office.ask("awa")
    office.ask("short", full=False)
    office.ask("pdf", variant=Variant.PDF)
    office.ask("text", variant=Variant.TEXT)
    office.ask("contact", variant=Variant.CONTACT)
    office.ask("english", edition=FOUNTAIN_EN)
    office.ask("offered", offers=("fontaine", "marche"))
    office.ask("left")
    office.ask("nobody")
    await office.dispatcher(relay).drain()
    office.database.write_now(suppression_store.suppress, "left@journal.example", "complaint", NOW)
    office.now += timedelta(hours=1)
    done = office.correct()
    assert [one.recipient.address for one in done.told] == [f"{who}@journal.example" for who in ("awa", "pdf", "short", "text")]
    assert (done.suppressed, done.rewritten, done.in_doubt) == (["left@journal.example"], [], [])
    await office.dispatcher(relay).drain()
    assert subjects(relay, "awa")[2:] == [RIGHTED]
    assert [len(to(relay, who)) for who in ("english", "offered", "contact", "left")] == [1, 1, 1, 1]
    got = to(relay, "awa")[-1]
    said = text_of(got)
    assert f"Au lieu de : {OLD} Lire : {NEW}" in said.replace("\u00a0", " ").replace("\u202f", " ")
    assert "La grande fontaine coule de nouveau." in said, "the release in full"
    assert read(got).get_body(("html",)) is not None
    assert (read(got)["Auto-Submitted"], read(got)["X-Mailbot-Release"]) == ("auto-generated", "fontaine")
    assert read(to(relay, "short")[-1]).get_body(("html",)) is None, "nobody vouches for them: the text alone"
    assert office.unsound() == []


@only_sqlite
async def test_twice_is_once(office: Newsroom, relay: LoopbackRelay) -> None:
    office.ask("awa")
    await office.dispatcher(relay).drain()
    assert [office.correct().correction is not None for _ in range(3)] == [True, False, False]
    assert len(office.rows(kind="correction")) == 1
    assert [office.withdraw().correction is not None for _ in range(3)] == [True, False, False]
    assert office.unsound() == []


@only_sqlite
async def test_what_has_not_left_leaves_with_the_new_text(office: Newsroom, relay: LoopbackRelay) -> None:
    office.ask("greylist")  # frozen, and refused for now
    office.ask("named", edition=FOUNTAIN_EN, mentions=("fontaine",))
    await office.dispatcher(relay).drain()
    office.ask("awa", passed_on=True)
    office.ask("short", full=False)
    office.ask("pdf", variant=Variant.PDF)
    office.now += timedelta(hours=1)
    done = office.correct()
    assert sorted(done.rewritten) == [f"{who}@journal.example" for who in ("awa", "greylist", "pdf", "short")]
    assert (done.told, done.given_back) == ([], [])
    assert office.database.read_now(outbox.answers_to, "awa@journal.example", NOW - timedelta(1)) == (("fontaine", office.now),)
    before, after = office.rows("awa")
    assert (before["state"], after["state"], after["message_id"] != before["message_id"]) == ("cancelled", "queued", True)
    await office.dispatcher(relay).drain()
    for who in ("awa", "greylist", "short"):
        (got,) = to(relay, who)
        said = text_of(got).replace("\u00a0", " ").replace("\u202f", " ")
        assert (NEW in said, OLD in said) == (True, False)
        assert "« 44 697 »" not in said, "a word that the corrected text does not have is not what was asked for"
    assert "un membre de l’équipe s’en occupe" in text_of(to(relay, "awa")[0])
    (printed,) = to(relay, "pdf")
    assert [part.get_content_type() for part in read(printed).iter_attachments()] == ["application/pdf"]
    assert office.rows("pdf")[-1]["content_hash"] == CORRECTED.content_hash
    assert office.unsound() == []


def on_call(number: int, act: Callable[[], object], office: Newsroom) -> Callable[[], datetime]:
    """A clock that lets something happen when it is asked for this time."""
    asked = 0

    def clock() -> datetime:
        nonlocal asked
        asked += 1
        if asked == number:
            act()
        return office.now

    return clock


CLAIMED, LEFT = 3, 4    # the dispatcher asks for the time when it looks, when it claims, before DATA, and when it has the relay's answer


async def test_a_correction_between_the_claim_and_data_stops_the_old_text(office: Newsroom, relay: LoopbackRelay) -> None:
    office.ask("awa")
    await office.dispatcher(relay, on_call(CLAIMED, office.correct, office)).drain()
    (got,) = to(relay, "awa")
    assert OLD not in text_of(got).replace("\u202f", " ").replace("\u00a0", " ")
    assert [row["state"] for row in office.rows("awa")] == ["cancelled", "sent"]
    assert office.unsound() == []


@only_sqlite
async def test_one_that_no_correction_could_stop_is_looked_at_again_before_data(office: Newsroom, relay: LoopbackRelay) -> None:
    """As where it was queued while a correction was being committed, and claimed at once."""
    office.ask("awa")
    unseen = partial(office.database.write_now, correction_store.replace_published, CORRECTED, "", NOW)
    await office.dispatcher(relay, on_call(CLAIMED, unseen, office)).drain()
    (got,) = to(relay, "awa")
    assert NEW in text_of(got).replace("\u202f", " ").replace("\u00a0", " ")
    assert office.unsound() == []


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_correction_waits_for_an_outcome_that_is_being_recorded_and_counts_it(office: Newsroom) -> None:
    office.ask("awa")
    claimed = office.database.write_now(outbox.claim, "worker", NOW)
    assert claimed is not None
    office.database.write_now(outbox.freeze, claimed, "worker", NOW, b"bytes")
    office.database.write_now(outbox.enter_doubt, claimed, "worker", NOW)

    def is_waiting() -> bool:
        asked = sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        return bool(office.database.read_now(lambda tx: tx.execute(asked).scalar()))

    with ThreadPoolExecutor(1) as pool:
        with office.database.engine.begin() as tx:
            last_look.hold_still(tx, claimed.draft)
            assert outbox.outcome(tx, claimed, "worker", Reply(phase=Phase.DONE, code=250, text="ok"), Sent(), NOW)
            correcting = pool.submit(office.correct)
            while not correcting.done() and not is_waiting():
                continue
            assert not correcting.done()
        assert [one.recipient.address for one in correcting.result().told] == ["awa@journal.example"]


async def test_who_gets_the_old_text_while_it_is_corrected_is_told_when_it_has_arrived(office: Newsroom, relay: LoopbackRelay) -> None:
    office.ask("awa")
    heard: list[corrections.Done] = []
    await office.dispatcher(relay, on_call(LEFT, lambda: heard.append(office.correct()), office)).drain()
    assert [one for done in heard for one in done.told] == []
    assert [address for done in heard for address, _ in done.in_doubt] == ["awa@journal.example"]
    assert subjects(relay, "awa") == ["Re: Demande", RIGHTED]
    assert office.unsound() == []


async def test_what_is_refused_for_now_while_it_is_corrected_does_not_wait_in_its_old_words(
    office: Newsroom, relay: LoopbackRelay
) -> None:
    office.ask("temp-after-dot")
    await office.dispatcher(relay, on_call(LEFT, office.correct, office)).drain()
    before, after = office.rows("temp-after-dot")
    assert (before["state"], after["content_hash"]) == ("cancelled", CORRECTED.content_hash)
    assert office.unsound() == []


def test_one_in_doubt_is_not_stopped_and_a_stopped_one_cannot_enter_its_doubt(office: Newsroom) -> None:
    office.ask("awa")
    office.ask("ben")
    held = [office.database.write_now(outbox.claim, "worker", NOW) for _ in range(2)]
    assert all(held)
    first, second = (one for one in held if one is not None)
    assert office.database.write_now(outbox.enter_doubt, first, "worker", NOW)
    done = office.correct()
    assert done.rewritten == [second.draft.recipient.address]
    assert [address for address, _ in done.in_doubt] == [first.draft.recipient.address]
    assert not office.database.write_now(outbox.enter_doubt, second, "worker", NOW)
    lost = Reply(phase=Phase.DATA, fault=Fault.LOST, text="cut")
    assert not office.database.write_now(outbox.outcome, second, "worker", lost, RetryAt(NOW), NOW)
    assert office.database.write_now(outbox.outcome, first, "worker", lost, Uncertain("lost"), NOW)
    assert office.correct(AGAIN).told == [], "whether it has arrived is a person's to find out"


async def test_an_answer_that_was_queued_while_it_was_corrected_leaves_with_the_new_text(office: Newsroom, relay: LoopbackRelay) -> None:
    with office.database.engine.connect() as tx, tx.begin():
        old = {one.id: one for one in releases.load_all(tx)}
    office.correct()
    late = office.ask("awa")
    with office.database.engine.begin() as tx:  # as a process writes it that read the releases before
        draft = office.database.read_now(outbox.shown, late)
        assert draft is not None
        tx.execute(outbox.delivery.update().values(content_hash=old["fontaine"].editions[0].content_hash, text=OLD, html=OLD))
    await office.dispatcher(relay).drain()
    (got,) = to(relay, "awa")
    assert NEW in text_of(got).replace("\u202f", " ").replace("\u00a0", " ")
    assert office.unsound() == []


@pytest.mark.parametrize("act", ["correct", "withdraw"])
async def test_of_those_who_race_with_it_nobody_is_left_with_the_old_text_alone(
    office: Newsroom, relay: LoopbackRelay, act: str
) -> None:
    names = [f"slow-dot+{number}" if number % 3 == 0 else f"j{number}" for number in range(24)]
    for who in names:
        office.ask(who)
    relay.slow_seconds = 0.05
    dispatcher = office.dispatcher(relay, connections=4)

    async def cut_in() -> None:
        await relay.wait_for(6)
        await asyncio.to_thread(getattr(office, act))

    async with asyncio.TaskGroup() as group:
        group.create_task(dispatcher.drain())
        group.create_task(cut_in())
    await office.dispatcher(relay).drain()
    texts = {who: [text_of(got).replace("\u202f", " ").replace("\u00a0", " ") for got in to(relay, who)] for who in names}
    had = {who for who in names if texts[who] and OLD in texts[who][0] and "Au lieu de" not in texts[who][0]}
    assert len(had) >= 6
    if act == "correct":
        assert {who: len(texts[who]) for who in names} == {who: 2 if who in had else 1 for who in names}
        assert all(NEW in texts[who][-1] for who in names)
    else:
        assert {who: len(texts[who]) for who in names} == {who: 2 if who in had else 0 for who in names}
        assert all("Nous retirons" in texts[who][-1] for who in had)
        assert sum("n’a pas été envoyée" in text_of(got) for got in to(relay, "colleague")) == len(names) - len(had)
    assert office.unsound() == []


@only_sqlite
async def test_a_second_correction_takes_the_place_of_the_first_where_that_has_not_left(office: Newsroom, relay: LoopbackRelay) -> None:
    office.ask("awa")
    office.ask("ben")
    await office.dispatcher(relay).drain()
    office.now += timedelta(hours=1)
    office.correct()
    ben = next(row["id"] for row in office.rows("ben") if row["kind"] == "correction")
    with office.database.engine.begin() as tx:
        tx.execute(outbox.delivery.update().where(outbox.delivery.c.id == ben).values(due_at=office.now + timedelta(hours=9)))
    await office.dispatcher(relay).drain()
    office.now += timedelta(hours=1)
    assert len(office.correct(AGAIN).told) == 2
    await office.dispatcher(relay).drain()
    assert [len(to(relay, who)) for who in ("awa", "ben")] == [3, 2]
    for who, sees_both in (("awa", False), ("ben", True)):
        said = text_of(to(relay, who)[-1]).replace("\u202f", " ").replace("\u00a0", " ")
        assert "Les poissons vont mieux." in said
        assert (OLD in said) == sees_both, "each sees the difference to what they got"
    assert office.unsound() == []


@only_sqlite
async def test_who_has_the_text_that_counts_again_hears_nothing(office: Newsroom, relay: LoopbackRelay) -> None:
    office.ask("awa")
    await office.dispatcher(relay).drain()
    office.correct()
    office.correct(FOUNTAIN)
    await office.dispatcher(relay).drain()
    assert len(to(relay, "awa")) == 1
    assert office.correct(replace(FOUNTAIN, topics=("eau",))).told == [], "nor of what no reader sees"
    assert office.unsound() == []


async def test_a_withdrawn_release_is_told_to_who_has_it_and_goes_to_nobody_else(office: Newsroom, relay: LoopbackRelay) -> None:
    office.ask("awa")
    office.ask("english", edition=FOUNTAIN_EN)
    await office.dispatcher(relay).drain()
    office.ask("ben")
    office.ask("offered", offers=("fontaine", "marche"))
    office.ask("alone", offers=("fontaine",))
    office.now += timedelta(hours=1)
    done = office.withdraw()
    assert [one.edition for one in done.told] == ["fontaine", "fontaine-en"]
    assert (done.given_back, done.rewritten) == (["ben@journal.example"], ["offered@journal.example", "alone@journal.example"])
    await office.dispatcher(relay).drain()
    assert subjects(relay, "awa")[1:] == ["RETRAIT : La grande fontaine est rouverte [fontaine]"]
    assert subjects(relay, "english")[1:] == ["WITHDRAWN: The great fountain flows again [fontaine-en]"]
    said = text_of(to(relay, "awa")[-1])
    assert ("Rien n’est vrai." in said.replace("\u202f", " "), "florins" in said) == (True, False)
    assert "was withdrawn: Rien n’est vrai." in text_of(to(relay, "colleague")[0])
    (offer,) = to(relay, "offered")
    assert ("marché de nuit" in text_of(offer), "fontaine" in text_of(offer)) == (True, False)
    assert [len(to(relay, who)) for who in ("ben", "alone")] == [0, 0]
    assert office.unsound() == []


@only_sqlite
async def test_a_prepared_answer_is_another_one_and_the_colleague_sees_it(office: Newsroom, relay: LoopbackRelay) -> None:
    number = office.case("awa")
    await office.dispatcher(relay).drain()
    office.now += timedelta(hours=1)
    assert office.correct().cases == 1
    waiting = office.case("ben")
    office.now += timedelta(hours=1)
    done = office.withdraw()
    assert (done.cases, done.told) == (2, [])
    await office.dispatcher(relay).drain()
    shown = [text_of(got).replace("\u202f", " ").replace("\u00a0", " ") for got in to(relay, "colleague")]
    assert [("vient d’être rectifié" in one, "vient d’être retiré" in one, OLD in one) for one in shown] == [
        (False, False, True), (False, True, False), (False, True, False),
    ]  # fmt: skip
    for one in (number, waiting):
        case = office.database.read_now(cases.load, one)
        assert case is not None
        assert (case.draft, case.note["draft"], case.colleague) == (None, None, COLLEAGUE)
    assert office.unsound() == []


@only_sqlite
async def test_what_a_colleagues_yes_has_queued_is_corrected_too_and_withdrawn_it_is_theirs_again(
    office: Newsroom, relay: LoopbackRelay
) -> None:
    office.ask("somebody")
    first = office.case("awa")
    office.yes(first)
    office.now += timedelta(hours=1)
    assert "awa@journal.example" in office.correct().rewritten
    second = office.case("ben")
    office.yes(second)
    await office.dispatcher(relay).drain()
    got = to(relay, "awa")[0]
    assert NEW in text_of(got).replace("\u202f", " ").replace("\u00a0", " ")
    assert read(got).get_body(("html",)) is not None
    third = office.case("cam")
    office.yes(third)
    office.now += timedelta(hours=1)
    assert [one.recipient.address for one in office.withdraw().told] == [f"{who}@journal.example" for who in ("awa", "ben", "somebody")]
    await office.dispatcher(relay).drain()
    states = [case.state for one in (first, second, third) if (case := office.database.read_now(cases.load, one))]
    assert (states, to(relay, "cam")) == (["answered", "answered", "open"], [])
    assert office.unsound() == []


def test_two_who_correct_at_once_do_it_once(office: Newsroom) -> None:
    office.ask("awa")
    office.sent()
    office.ask("ben")
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: office.correct(), range(2)))
    assert sorted(one.correction is not None for one in done) == [False, True]
    assert (len(office.rows(kind="correction")), len(office.rows("ben"))) == (1, 2)
    assert office.unsound() == []


@only_sqlite
def test_one_that_dies_before_its_commit_has_never_been(office: Newsroom) -> None:
    office.ask("awa")
    office.sent()
    office.ask("ben")
    before = office.rows()

    def dies(tx: Tx) -> None:
        corrections.correct(tx, office.desk, "fontaine", CORRECTED, "", NOW)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        office.database.write_now(dies)
    assert office.rows() == before
    assert office.correct().rewritten == ["ben@journal.example"]
    assert office.unsound() == []


@only_sqlite
def test_a_correction_under_embargo_mails_nobody_and_stays_under_it(office: Newsroom) -> None:
    held = replace(FOUNTAIN, slug="secret", release="secret", embargo=NOW + timedelta(days=1))
    office.database.write_now(releases.save, held, NOW)
    office.database.write_now(releases.publish, "secret", NOW, signatory="")
    done = office.correct(replace(held, embargo=None, body=CORRECTED.body))
    assert (done.correction is not None, done.told) == (True, [])
    kept = office.database.read_now(releases.load, "secret")
    assert kept is not None
    assert (kept.editions[0].embargo, kept.editions[0].body) == (held.embargo, CORRECTED.body)
    with pytest.raises(CannotCorrect, match="under embargo until"):
        office.correct(replace(CORRECTED, embargo=NOW + timedelta(days=1)))


@only_sqlite
async def test_while_sending_is_stopped_all_of_it_waits_and_then_leaves_right(office: Newsroom, relay: LoopbackRelay) -> None:
    office.ask("awa")
    await office.dispatcher(relay).drain()
    office.database.write_now(flag.put, flag.SENDING_STOPPED, "by a person", NOW)
    office.ask("ben")
    office.now += timedelta(hours=1)
    office.correct()
    office.database.write_now(flag.clear, flag.SENDING_STOPPED)
    await office.dispatcher(relay).drain()
    assert (subjects(relay, "awa")[1:], len(to(relay, "ben"))) == ([RIGHTED], 1)
    assert office.unsound() == []
