"""One statement for many rows, without SQLAlchemy's work a row: what a transaction of the outbox does for each mail is done here.

SQLite gets the rows one by one, which costs it little. PostgreSQL gets all of them in one statement, as arrays: it takes longer to hear of
a row than to change it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.dml import UpdateBase

from mailbot.database.engine import Tx

_MADE: dict[tuple[str, UpdateBase, frozenset[str]], "_Made"] = {}


@dataclass(frozen=True, slots=True)
class _Made:
    sql: str
    names: list[str]  # in their order, where the driver counts places
    same: dict[str, Any]  # what the statement itself says
    of_instant: Callable[[Any], Any] | None


def execute_many(tx: Tx, statement: UpdateBase, rows: Sequence[Mapping[str, Any]]) -> int:
    """Run it for each; how many rows it changed. `statement` lives as long as the program; values are plain ones and instants."""
    made = _made(tx, statement, rows[0])
    seen: dict[datetime, Any] = {}

    def plain(value: Any) -> Any:
        if isinstance(value, datetime) and made.of_instant is not None:
            if value not in seen:
                seen[value] = made.of_instant(value)
            return seen[value]
        return str(value) if isinstance(value, str) else value  # a word of an enum, too

    given: Any
    if tx.dialect.positional:
        given = [tuple([plain(row[name]) if name in row else made.same[name] for name in made.names]) for row in rows]
    else:
        given = {name: [plain(row[name]) for row in rows] if name in rows[0] else value for name, value in made.same.items()}
    return tx.exec_driver_sql(made.sql, given, execution_options={"preserve_rowcount": True}).rowcount


def _made(tx: Tx, statement: UpdateBase, row: Mapping[str, Any]) -> _Made:
    kept = (tx.dialect.name, statement, frozenset(row))
    if kept not in _MADE:
        compiled = statement.compile(dialect=tx.dialect)
        same = {name: str(value) if isinstance(value, str) else value for name, value in compiled.params.items()}
        instants = [bind.type for bind in compiled.binds.values() if isinstance(bind.type, sa.TypeDecorator)]
        of_instant = instants[0].bind_processor(tx.dialect) if instants else None
        sql = compiled.string
        if not tx.dialect.positional:
            sql = _by_arrays(sql, {name: bind.type for name, bind in compiled.binds.items() if name in row})
        _MADE[kept] = _Made(sql, list(compiled.positiontup or ()), same, of_instant)
    return _MADE[kept]


def _by_arrays(sql: str, types: Mapping[str, sa.types.TypeEngine[Any]]) -> str:
    """The same statement, whose values stand in rows that the database makes of arrays."""
    arrays = ", ".join(f"unnest(%({name})s::{_array_of(kind)}) AS {name}" for name, kind in types.items())
    found = f" FROM (SELECT {arrays}) AS given"
    sql = re.sub(r"%\((\w+)\)s", lambda at: f"given.{at[1]}" if at[1] in types else at[0], sql)
    if sql.startswith("INSERT"):
        return re.sub(r" VALUES \((.*)\)$", lambda at: f" SELECT {at[1]}{found}", sql, flags=re.DOTALL)
    return sql.replace(" WHERE ", f"{found} WHERE ", 1)


def _array_of(kind: sa.types.TypeEngine[Any]) -> str:
    if isinstance(kind, sa.Integer):
        return "integer[]"
    return "timestamptz[]" if isinstance(kind, sa.TypeDecorator | sa.DateTime) else "text[]"
