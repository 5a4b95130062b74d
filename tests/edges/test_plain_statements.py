"""The law of what is run for every mail without SQLAlchemy's work: it does what SQLAlchemy would have done."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from mailbot.database.engine import Database, Tx, insert_new
from mailbot.database.many import first_row, rows_changed
from mailbot.database.tables import case_file, mail
from mailbot.inbox.store import STORED

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
_NEW, _DECIDE = mail.insert(), mail.update().where(mail.c.id == sa.bindparam("the_mail"), mail.c.state == STORED)
_FOUND = sa.select(mail.c.id, mail.c.waiting).where(mail.c.received_at >= sa.bindparam("since"), mail.c.state != STORED).order_by(mail.c.id)


def arrival(digest: str) -> dict[str, object]:
    return {"sha256": digest, "size": 1, "received_at": NOW, "stored_at": NOW, "junk": False, "rescan": True, "state": STORED}


def test_a_row_is_written_as_ever_with_its_defaults_instants_truths_and_json(database: Database) -> None:
    def rows(tx: Tx) -> tuple[dict[str, object], ...]:
        tx.execute(_NEW, arrival("a"))
        assert rows_changed(tx, _NEW, arrival("b")) == 1
        ids = list(tx.execute(sa.select(mail.c.id).order_by(mail.c.id)).scalars())
        decided = {"state": "decided", "decided_at": NOW, "waiting": True, "explanation": {"reason": "é", "actions": [1, None]}}
        tx.execute(_DECIDE, decided | {"the_mail": ids[0]})
        assert rows_changed(tx, _DECIDE, decided | {"the_mail": ids[1]}) == 1
        assert rows_changed(tx, _DECIDE, decided | {"the_mail": ids[1]}) == 0, "it is decided already"
        assert first_row(tx, _FOUND, {"since": NOW}) == (ids[0], True)
        assert first_row(tx, _FOUND, {"since": NOW + timedelta(days=1)}) is None
        return tuple(dict(row) for row in tx.execute(sa.select(mail).order_by(mail.c.id)).mappings())

    one, other = database.write_now(rows)
    assert other["explanation"] == {"reason": "é", "actions": [1, None]}
    assert one | {"id": 0, "sha256": ""} == other | {"id": 0, "sha256": ""}


def test_what_is_there_already_gives_no_row(database: Database) -> None:
    def twice(tx: Tx) -> list[object]:
        number = tx.execute(_NEW.returning(mail.c.id), arrival("a")).scalar_one()
        values = {
            "mail": number, "state": "open", "reason": "x", "language": "fr", "journalist": "", "journalist_name": "", "references": [],
            "authenticated": False, "draft": None, "note": {}, "deadline": None, "deadline_words": "", "urgent": False, "opened_at": NOW,
        }  # fmt: skip
        opened = insert_new(tx, case_file, "mail", returning="id")
        return [first_row(tx, opened, values) is None for _ in range(2)]

    assert database.write_now(twice) == [False, True]


def test_a_fault_is_the_one_that_sqlalchemy_raises_and_quotes_nobodys_mail(database: Database) -> None:
    def again(tx: Tx) -> None:
        rows_changed(tx, _NEW, arrival("secret of a source"))
        rows_changed(tx, _NEW, arrival("secret of a source"))

    with pytest.raises(sa.exc.IntegrityError) as fault:
        database.write_now(again)
    assert "secret of a source" not in str(fault.value).replace(str(fault.value.orig), "")
    assert database.read_now(lambda tx: tx.execute(sa.select(sa.func.count()).select_from(mail)).scalar_one()) == 0
