"""Chooses people of the press list by a filter, and keeps filters that have a name."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, assert_never

import sqlalchemy as sa

from mailbot.audience.segment import Both, Either, Filter, Is, Not, Segment, parse
from mailbot.database.broadcast_tables import segment
from mailbot.database.engine import Tx, insert
from mailbot.database.tables import journalist

_ASCII_SMALL = {letter: letter + 32 for letter in range(ord("A"), ord("Z") + 1)}
AT_ONCE = 2_000  # rows in memory, whatever the list's length


def chosen(tx: Tx, where: Filter | None) -> Iterator[sa.Row[Any]]:
    """Everybody whom the filter chooses, in whatever state they are, in the order in which they came to us."""
    query = sa.select(journalist).order_by(journalist.c.id)
    if where is not None:
        query = query.where(_condition(where))
    yield from tx.execute(query, execution_options={"yield_per": AT_ONCE})


def counted(tx: Tx, where: Filter | None) -> int:
    """How many it chooses, in whatever state they are."""
    query = sa.select(sa.func.count()).select_from(journalist)
    return tx.execute(query.where(_condition(where)) if where is not None else query).scalar_one()


def _condition(where: Filter) -> Any:
    match where:
        case Is(field="domain", values=values):
            return sa.or_(*(journalist.c.key.endswith(f"@{value.lower()}", autoescape=True) for value in values))
        case Is(field="topic", values=values):  # who has chosen none wants all of them
            topics = sa.func.lower(sa.cast(journalist.c.topics, sa.Text))
            return sa.or_(_no_topics(), *(topics.contains(f'"{value.lower()}"', autoescape=True) for value in values))
        case Is(field="email", values=values):
            return journalist.c.key.in_([value.lower() for value in values])
        case Is(field=field, values=values):
            return sa.func.lower(sa.func.coalesce(journalist.c[field], "")).in_(_in_small_letters(values))
        case Not(of=of):
            return sa.not_(_condition(of))
        case Both(one=one, other=other):
            return sa.and_(_condition(one), _condition(other))
        case Either(one=one, other=other):
            return sa.or_(_condition(one), _condition(other))
        case _:
            assert_never(where)


def _in_small_letters(values: Sequence[str]) -> list[str]:
    """As PostgreSQL writes them small, and as SQLite does, which knows the letters of ASCII alone."""
    return sorted({small for value in values for small in (value.lower(), value.translate(_ASCII_SMALL))})


def _no_topics() -> Any:
    return sa.or_(journalist.c.topics.is_(None), sa.cast(journalist.c.topics, sa.Text).in_(("null", "[]")))


def find(tx: Tx, name: str) -> Segment | None:
    """The filter with this name."""
    row = tx.execute(sa.select(segment).where(segment.c.name == name)).first()
    return Segment(row.name, row.filter, row.early) if row else None


def listed(tx: Tx) -> list[tuple[Segment, int]]:
    """Every filter with a name, and how many it chooses now."""
    rows = tx.execute(sa.select(segment).order_by(segment.c.name)).all()
    return [(Segment(row.name, row.filter, row.early), counted(tx, parse(row.filter))) for row in rows]


def put(tx: Tx, new: Segment, now: datetime) -> None:
    """Under its name from now on."""
    values = {"name": new.name, "filter": new.filter, "early": new.early, "changed_at": now}
    changed = {name: value for name, value in values.items() if name != "name"}
    tx.execute(insert(tx, segment).values(values).on_conflict_do_update(index_elements=["name"], set_=changed))


def remove(tx: Tx, name: str) -> bool:
    """False where there is none."""
    return tx.execute(segment.delete().where(segment.c.name == name)).rowcount == 1
