"""`mailbot broadcast` where there is no relay: what it refuses, what it shows, what a stranger's name cannot do in it."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from mailbot.audience import store as audience
from mailbot.audience.journalist import Channel, State, Why
from mailbot.broadcast import store
from mailbot.broadcast.approve import Terms, approve
from mailbot.broadcast.broadcast import NotAllowed
from mailbot.broadcast.letters import STANDARD_HTML_OCTETS
from mailbot.clock import now
from mailbot.database.broadcast_tables import broadcast
from mailbot.database.engine import Database, Tx
from mailbot.database.tables import delivery
from mailbot.inbox.aftermath import Aftermath
from mailbot.message.address import Address
from mailbot.outbox import bulk_claim_store, bulk_record
from mailbot.outbox.bulk_record import Outcome
from mailbot.outbox.delivery import Phase, Reply, Sent
from tests.edges.commands import Commands
from tests.edges.newsroom import CORRECTED, FOUNTAIN, NOW, SECRET, Newsroom, newsroom

HOSTILE = ("{{ 7*7 }}", "Bcc: x@evil.example", "=HYPERLINK(1)", "\x1b[31mrouge", "{% for a in b %}")


@pytest.fixture
def office(database: Database, database_url: str, tmp_path: Path) -> Newsroom:
    made = newsroom(database, database_url, tmp_path)
    database.write_now(_listed)
    return made


@pytest.fixture
def mailbot(office: Newsroom, tmp_path: Path) -> Commands:
    (tmp_path / "config").mkdir()
    (tmp_path / "mailbot.toml").rename(tmp_path / "config" / "mailbot.toml")
    return Commands(tmp_path)


def _listed(tx: Tx) -> None:
    for number, name in enumerate(HOSTILE):
        who = audience.known(tx, Address(f"reader{number}@paper.example", name), "fr", NOW)
        audience.become(tx, who, State.SUBSCRIBED, NOW)
        audience.note(tx, who, Channel.MAIL, Why.CONFIRMED, "OUI", None, NOW)


def planned(mailbot: Commands, *words: str) -> dict[str, Any]:
    made: dict[str, Any] = mailbot("broadcast", "new", "fontaine", "--json", *words).json()
    return made


def approved(mailbot: Commands, made: dict[str, Any]) -> None:
    assert mailbot("broadcast", "approve", made["id"], "--count", str(made["recipients"])).code == 0


def test_a_rehearsal_says_the_same_and_changes_nothing(mailbot: Commands, database: Database) -> None:
    rehearsed = planned(mailbot, "--dry-run")
    assert (rehearsed["recipients"], rehearsed["dry_run"]) == (5, True)
    assert database.read_now(store.listed) == []
    made = planned(mailbot)
    assert {key: made[key] for key in ("recipients", "skipped", "seconds")} == {
        key: rehearsed[key] for key in ("recipients", "skipped", "seconds")
    }  # fmt: skip


def test_approval_and_end_are_rehearsed_by_the_same_rules_and_change_nothing(mailbot: Commands, database: Database) -> None:
    made = planned(mailbot)
    assert mailbot("broadcast", "approve", made["id"], "--count", "4", "--dry-run").code == 1, "not the number of the plan"
    rehearsed = mailbot("broadcast", "approve", made["id"], "--count", "5", "--dry-run", "--json").json()
    ended = mailbot("broadcast", "cancel", made["id"], "--dry-run", "--json").json()
    assert (rehearsed["state"], ended["state"], ended["states"]["cancelled"]) == ("approved", "cancelled", 5)
    assert [one.state for one in database.read_now(store.listed)] == ["draft"]
    assert set(database.read_now(lambda tx: tx.execute(sa.select(delivery.c.kind, delivery.c.state)).all())) == {("broadcast", "queued")}
    approved(mailbot, made)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        pytest.param(("new", "nothing"), 1, "nothing", id="no such release"),
        pytest.param(("new", "fontaine", "--kind", "rumour"), 2, "no kind", id="no such kind"),
        pytest.param(("new", "fontaine", "--kind", "advisory"), 2, "--event-start", id="an advisory without an event"),
        pytest.param(("new", "fontaine", "--event-place", "Gao"), 1, "--event-start", id="a place without a time"),
        pytest.param(("new", "fontaine", "--at", "tomorrow"), 2, "no moment", id="no time"),
        pytest.param(("new", "fontaine", "--to", "langage = fr"), 2, "no field", id="no such field"),
        pytest.param(("new", "fontaine", "--kind", "withdrawal"), 1, "no published edition", id="a withdrawal of what is not withdrawn"),
        pytest.param(("status", "zzz"), 1, "broadcast list", id="no such announcement"),
        pytest.param(("approve", "zzz", "--count", "1"), 1, "broadcast list", id="nothing to approve"),
    ],
)
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_what_cannot_be_done_is_said_with_what_to_do(mailbot: Commands, words: tuple[str, ...], code: int, told: str) -> None:
    said = mailbot("broadcast", *words)
    assert (said.code, told in " ".join(said.err.split())) == (code, True), said.err


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_name_is_a_name_wherever_it_stands(mailbot: Commands) -> None:
    made = planned(mailbot)
    for number, name in enumerate(HOSTILE[:3]):
        shown = mailbot("broadcast", "preview", made["id"], "--for", f"reader{number}@paper.example", "--json").json()
        assert f"Bonjour {name}," in shown["text"].replace("\u00a0", " ").replace("\u202f", " ")
    for words in (("preview", made["id"], "--for", "reader3@paper.example"), ("report", made["id"]), ("list",)):
        assert "\x1b" not in mailbot("broadcast", *words).out
    rows = list(csv.reader(io.StringIO(mailbot("broadcast", "report", made["id"], "--csv").out)))
    assert len(rows) == 1 + 5
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@", "\t"))]


def test_of_two_approvals_at_once_one_counts(mailbot: Commands, office: Newsroom, database: Database) -> None:
    first, second = planned(mailbot), planned(mailbot)
    terms = Terms(office.desk.office, SECRET.encode(), office.desk.new_id, 1, timedelta(minutes=10))

    def said(made: dict[str, Any]) -> str:
        try:
            return database.write_now(approve, terms, made["id"], 5, "", now()).state
        except NotAllowed as why:
            return str(why)

    with ThreadPoolExecutor(2) as people:
        told = sorted(people.map(said, (first, second)))
    assert (told[0].startswith("5 of its 5 people"), told[1]) == (True, "approved")


def test_what_waits_is_given_the_corrected_words_in_the_same_transaction(mailbot: Commands, office: Newsroom, database: Database) -> None:
    made = planned(mailbot)
    approved(mailbot, made)
    done = office.correct()
    assert (done.announced, done.told, done.in_doubt) == (5, [], [])
    rows = database.read_now(lambda tx: tx.execute(sa.select(delivery.c.content_hash, delivery.c.state).distinct()
                                                   .where(delivery.c.broadcast == made["id"])).all())  # fmt: skip
    assert [(row.content_hash, row.state) for row in rows] == [(CORRECTED.content_hash, "queued")]
    assert office.correct().announced == 0
    assert office.unsound() == []


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_what_the_correction_makes_too_long_is_held_and_the_correction_stands(
    mailbot: Commands, office: Newsroom, database: Database
) -> None:
    made = planned(mailbot)
    approved(mailbot, made)
    done = office.correct(replace(CORRECTED, body=f"{FOUNTAIN.body}\n\n" + "mot " * (STANDARD_HTML_OCTETS // 3)))
    assert (done.correction is not None, done.announced) == (True, 0)
    (one,) = database.read_now(store.listed)
    assert (one.state, "cannot be announced" in one.why) == ("held", True)


def test_who_may_have_it_by_a_try_in_doubt_is_named_and_gets_no_second_copy(
    mailbot: Commands, office: Newsroom, database: Database
) -> None:
    made = planned(mailbot)
    approved(mailbot, made)
    of = (delivery.c.broadcast == made["id"], delivery.c.recipient == "reader1@paper.example")
    database.write_now(lambda tx: tx.execute(delivery.update().where(*of).values(state="retrying", doubts=1, attempts=1)))
    done = office.withdraw()
    assert (done.announced, [address for address, _ in done.in_doubt]) == (5, ["reader1@paper.example"])
    states = database.read_now(lambda tx: tx.execute(sa.select(broadcast.c.state)).scalars().all())
    assert list(states) == ["cancelled"]


def test_who_got_it_while_it_was_stopped_and_corrected_is_told(mailbot: Commands, office: Newsroom, database: Database) -> None:
    planned(mailbot)
    office.now = now() + timedelta(minutes=1)
    database.write_now(lambda tx: tx.execute(broadcast.update().values(state="sending")))
    (held,) = database.write_now(bulk_claim_store.claim, "worker", 1, office.now)
    database.write_now(bulk_claim_store.mark, [(held, office.now, "hash")], "worker", office.now)
    database.write_now(lambda tx: tx.execute(broadcast.update().values(state="stopped")))
    assert office.correct().announced == 4, "the fifth is leaving"
    terms = bulk_record.Terms(holder="worker", rate_per_minute=0, rate_per_day=0, aftermath=Aftermath(office.desk))
    taken = Outcome(held, Sent(), Reply(phase=Phase.DONE, code=250, text="ok"), office.now)
    database.write_now(bulk_record.settle, terms, [taken], (), office.now)
    assert [row["recipient"] for row in office.rows(kind="correction")] == [held.to.address]
    assert office.unsound() == []
