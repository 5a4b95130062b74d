"""The table of sign-offs on both databases: a link is used once, and a signature is for one text and by one person."""

from datetime import UTC, date, datetime, timedelta

import pytest

from mailbot.database.engine import Database, Tx
from mailbot.message.address import Address
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind
from mailbot.releases import sign_off_store, store
from mailbot.releases.release import Edition, Release, State
from mailbot.releases.sign_off import SignOff, Verdict, content_hash, files_of, release_of
from mailbot.releases.sign_off_store import NotSigned, require_signed

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHIEF, SEAL = "chief@office.example", "0" * 32
RELEASE = Release("a", (
    Edition(slug="a", release="a", language="fr", title="Un", body="Texte.", notes="Note.", date=date(2026, 3, 1), contact="Awa Diarra"),
    Edition(slug="a-en", release="a", language="en", title="One", body="Text.", date=NOW, topics=("x",)),
))  # fmt: skip


def ask(tx: Tx, release: Release = RELEASE, number: int = 1, seal: str = SEAL) -> SignOff:
    draft = outbox.Draft(key=f"d{number}", kind=Kind.SIGN_OFF, recipient=Address(CHIEF), language="fr", subject="s", text="t")
    outbox.enqueue(tx, draft, f"d{number}", f"<d{number}@office.example>", NOW)
    asked = SignOff(
        release="a", number=number, content_hash=content_hash(release), stored_hash=content_hash(release), files=files_of(release),
        signatory=CHIEF, delivery=f"d{number}", asked_at=NOW,
    )  # fmt: skip
    sign_off_store.ask(tx, asked, seal)
    return asked


def test_what_is_asked_comes_back_and_is_answered_once(database: Database) -> None:
    asked = database.write_now(ask)
    found = database.read_now(sign_off_store.by_seal, SEAL)
    assert found == asked == database.read_now(sign_off_store.of_delivery, "d1")
    assert content_hash(release_of(found)) == content_hash(RELEASE)
    assert database.read_now(sign_off_store.by_seal, "1" * 32) is None
    said = database.write_now(sign_off_store.answer, found, SEAL, Verdict.CHANGES, "Non.", NOW)
    assert said and (said.verdict, said.words, said.answered_at) == (Verdict.CHANGES, "Non.", NOW)
    assert database.write_now(sign_off_store.answer, found, SEAL, Verdict.APPROVED, "", NOW) is None
    assert database.read_now(sign_off_store.questions, "a") == (said,)


def test_only_what_was_signed_may_be_published_and_withdrawn_and_published_again(database: Database) -> None:
    for edition in RELEASE.editions:
        database.write_now(store.save, edition, NOW)
    with pytest.raises(NotSigned, match="has not been asked"):
        database.write_now(store.publish, "a", NOW, signatory=CHIEF)
    asked = database.write_now(ask)
    database.write_now(sign_off_store.answer, asked, SEAL, Verdict.APPROVED, "", NOW)
    assert database.write_now(store.publish, "a", NOW, signatory="Chief@OFFICE.example") == ("a", "a-en")
    database.write_now(store.withdraw, "a", NOW)
    assert database.write_now(store.publish, "a", NOW + timedelta(days=99), signatory=CHIEF) == ("a", "a-en")
    loaded = database.read_now(store.load, "a")
    assert loaded and {one.state for one in loaded.editions} == {State.PUBLISHED}
    changed = Release("a", (RELEASE.editions[0],))
    with pytest.raises(NotSigned, match="was changed after"):
        database.write_now(require_signed, changed, CHIEF)
    database.write_now(require_signed, changed, "")


def test_what_is_published_already_needs_no_signature_again(database: Database) -> None:
    for edition in RELEASE.editions:
        database.write_now(store.save, edition, NOW)
    database.write_now(store.publish, "a", NOW, signatory="")
    assert database.write_now(store.publish, "a", NOW, signatory=CHIEF) == ()
