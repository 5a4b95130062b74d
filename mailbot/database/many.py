"""One statement for many rows, without SQLAlchemy's work a row: what a transaction of the outbox does for each mail is done here."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.dml import UpdateBase

from mailbot.database.engine import Tx

_MADE: dict[tuple[str, UpdateBase], tuple[str, list[str], dict[str, Any], Callable[[Any], Any] | None]] = {}


def execute_many(tx: Tx, statement: UpdateBase, rows: Sequence[Mapping[str, Any]]) -> int:
    """Run it for each; how many rows it changed. `statement` lives as long as the program; values are plain ones and instants."""
    sql, names, same, of_instant = _made(tx, statement)
    seen: dict[datetime, Any] = {}

    def plain(value: Any) -> Any:
        if isinstance(value, datetime) and of_instant is not None:
            if value not in seen:
                seen[value] = of_instant(value)
            return seen[value]
        return str(value) if isinstance(value, str) else value  # a word of an enum, too

    if tx.dialect.positional:
        given: Sequence[Any] = [tuple([plain(row[name]) if name in row else same[name] for name in names]) for row in rows]
    else:
        given = [{name: plain(row[name]) if name in row else same[name] for name in names} for row in rows]
    return tx.exec_driver_sql(sql, given, execution_options={"preserve_rowcount": True}).rowcount


def _made(tx: Tx, statement: UpdateBase) -> tuple[str, list[str], dict[str, Any], Callable[[Any], Any] | None]:
    kept = (tx.dialect.name, statement)
    if kept not in _MADE:
        compiled = statement.compile(dialect=tx.dialect)
        names = list(compiled.positiontup or compiled.params)
        same = {name: str(value) if isinstance(value, str) else value for name, value in compiled.params.items()}
        instants = [bind.type for bind in compiled.binds.values() if isinstance(bind.type, sa.TypeDecorator)]
        of_instant = instants[0].bind_processor(tx.dialect) if instants else None
        _MADE[kept] = (compiled.string, names, same, of_instant)
    return _MADE[kept]
