"""What is done for each of very many mails, without SQLAlchemy's work: one statement for many rows, and one that is run over and over.

SQLite gets many rows one by one, which costs it little. PostgreSQL gets all of them in one statement, as JSON: it takes longer to hear of
a row than to change it, and nothing writes many values as fast as JSON's encoder.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql.dml import UpdateBase

from mailbot.database.engine import Tx

_Statement = sa.Select[*tuple[Any, ...]] | UpdateBase
_MADE: dict[tuple[str, UpdateBase, frozenset[str]], "_Made"] = {}
_PAIRS: dict[tuple[UpdateBase, UpdateBase, frozenset[str]], "_Made"] = {}
_PLAIN: dict[tuple[str, _Statement, frozenset[str]], "_Plain"] = {}
_ROWS = "the_rows"
# Asked for in a SELECT, these make PostgreSQL look for every row in an index, to the end of the transaction. It keeps the plan that it
# made when the tables were small, which is to read them whole, and would read them whole for every few mails of a hundred thousand.
BY_INDEX = tuple(sa.func.set_config(f"enable_{way}", "off", True) for way in ("seqscan", "hashjoin", "mergejoin"))


@dataclass(frozen=True, slots=True)
class _Made:
    sql: str
    same: dict[str, Any]  # what the statement itself says
    in_order: Callable[[Mapping[str, Any]], tuple[Any, ...]] | None  # where the driver counts places
    instants: tuple[str, ...]
    of_instant: Callable[[Any], Any] | None


def execute_many(tx: Tx, statement: UpdateBase, rows: Sequence[Mapping[str, Any]]) -> int:
    """Run it for each; how many rows it changed. `statement` lives as long as the program; values are plain ones and instants."""
    made = _made(tx, statement, rows[0])
    given: Any
    if made.in_order is None:
        given = made.same | {_ROWS: json.dumps(rows, default=datetime.isoformat)}
    else:
        seen: dict[datetime | None, Any] = {None: None}
        given = []
        for row in rows:
            whole = {**made.same, **row}
            for name in made.instants:
                if whole[name] not in seen:
                    seen[whole[name]] = made.of_instant(whole[name]) if made.of_instant else whole[name]
                whole[name] = seen[whole[name]]
            given.append(made.in_order(whole))
    return tx.exec_driver_sql(made.sql, given, execution_options={"preserve_rowcount": True}).rowcount


def execute_pair(
    tx: Tx, first: UpdateBase, second: UpdateBase, rows: Sequence[Mapping[str, Any]], key: str, changed: Callable[[], Collection[str]]
) -> frozenset[str]:
    """Run `first`, an UPDATE, for each row, and `second` for each that it changed; the `key`s of those. PostgreSQL gets both as one
    statement: to ask and be answered takes longer than the work. `changed` tells these keys where the driver counts too few."""
    if tx.dialect.positional:
        if execute_many(tx, first, rows) != len(rows):
            kept = changed()
            rows = [row for row in rows if row[key] in kept]
        if rows:
            execute_many(tx, second, rows)
        return frozenset(row[key] for row in rows)
    kind = (first, second, frozenset(rows[0]))
    made = _PAIRS.get(kind) or _PAIRS.setdefault(kind, _pair(tx, first, second, rows[0], key))
    with closing(_cursor(tx, made.sql, made.same | {_ROWS: json.dumps(rows, default=datetime.isoformat)})) as cursor:
        done = rows if cursor.rowcount == len(rows) else [{key: kept} for (kept,) in cursor.fetchall()]
        return frozenset(row[key] for row in done)


@dataclass(frozen=True, slots=True)
class _Plain:
    sql: str
    same: dict[str, Any]  # what the statement itself says, and what its columns have where nobody says anything
    processed: tuple[tuple[str, Callable[[Any], Any]], ...]
    places: tuple[str, ...] | None


def first_row(tx: Tx, statement: _Statement, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The first row of the answer in half the time that tx.execute() takes, for what is asked for every mail. It comes as the driver makes
    it: with numbers for truths, and without any instant. `statement` lives as long as the program, and has no IN of a list."""
    with closing(_run(tx, statement, values)) as cursor:
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


def rows_changed(tx: Tx, statement: UpdateBase, values: Mapping[str, Any]) -> int:
    """The same for what is written for every mail: how many rows it was."""
    with closing(_run(tx, statement, values)) as cursor:
        return cursor.rowcount


def _run(tx: Tx, statement: _Statement, values: Mapping[str, Any]) -> DBAPICursor:
    kept = (tx.dialect.name, statement, frozenset(values))
    made = _PLAIN.get(kept) or _PLAIN.setdefault(kept, _plain(tx, statement, values))
    given = {**made.same, **values}
    for name, process in made.processed:
        given[name] = process(given[name])
    return _cursor(tx, made.sql, given if made.places is None else tuple([given[name] for name in made.places]))


def _cursor(tx: Tx, sql: str, placed: Any) -> DBAPICursor:
    cursor = tx.connection.cursor()
    try:
        cursor.execute(sql, placed)
    except tx.dialect.loaded_dbapi.Error as fault:  # as SQLAlchemy would say it, and without the values, which are somebody's mail
        raise sa.exc.DBAPIError.instance(
            sql, None, fault, tx.dialect.loaded_dbapi.Error, hide_parameters=True, dialect=tx.dialect
        ) from fault
    return cursor


def _plain(tx: Tx, statement: _Statement, values: Mapping[str, Any]) -> _Plain:
    compiled = statement.compile(dialect=tx.dialect, column_keys=list(values) if isinstance(statement, UpdateBase) else None)
    unsaid = {column.key: column.default.arg for column in getattr(compiled, "insert_prefetch", ())}
    processors = {name: bind.type.dialect_impl(tx.dialect).bind_processor(tx.dialect) for name, bind in compiled.binds.items()}
    same = {name: value for name, value in (compiled.params | unsaid).items() if name not in values}
    same = {name: process(value) if (process := processors[name]) else value for name, value in same.items()}
    processed = tuple((name, process) for name, process in processors.items() if process and name in values)
    return _Plain(compiled.string, same, processed, tuple(compiled.positiontup) if compiled.positiontup else None)


def among(tx: Tx, column: sa.ColumnElement[Any], values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Is it one of these? PostgreSQL gets one array, and not a question that is written anew for every number of them."""
    if tx.dialect.name == "postgresql":
        return column == sa.any_(sa.literal(list(values), sa.ARRAY(column.type)))
    return column.in_(list(values))


def _made(tx: Tx, statement: UpdateBase, row: Mapping[str, Any]) -> _Made:
    kept = (tx.dialect.name, statement, frozenset(row))
    if kept not in _MADE:
        compiled = statement.compile(dialect=tx.dialect)
        same = {name: str(value) if isinstance(value, str) else value for name, value in compiled.params.items() if name not in row}
        instants = {name: bind.type for name, bind in compiled.binds.items() if isinstance(bind.type, sa.TypeDecorator)}
        of_instant = next(iter(instants.values())).dialect_impl(tx.dialect).bind_processor(tx.dialect) if instants else None
        sql = compiled.string
        in_order = itemgetter(*compiled.positiontup) if compiled.positiontup else None
        if not tx.dialect.positional:
            sql = _of_json(sql, {name: bind.type for name, bind in compiled.binds.items() if name in row})
        _MADE[kept] = _Made(sql, same, in_order, tuple(name for name in instants if name in row), of_instant)
    return _MADE[kept]


def _pair(tx: Tx, first: UpdateBase, second: UpdateBase, row: Mapping[str, Any], key: str) -> _Made:
    """Both in one: the second goes by what the first gives back."""
    types, same = dict[str, sa.types.TypeEngine[Any]](), dict[str, Any]()

    def told_apart(statement: UpdateBase, prefix: str) -> str:
        compiled = statement.compile(dialect=tx.dialect)
        types.update({name: bind.type for name, bind in compiled.binds.items() if name in row})
        own = {name: value for name, value in compiled.params.items() if name not in row}
        same.update({prefix + name: str(value) if isinstance(value, str) else value for name, value in own.items()})
        return re.sub(r"%\((\w+)\)s", lambda at: f"%({prefix}{at[1]})s" if at[1] in own else at[0], compiled.string)

    sqls = told_apart(first, "first_"), told_apart(second, "second_")
    rows = f"given AS (SELECT * {_recordset(types)})"
    done = f"done AS ({_from(sqls[0], types, 'FROM given')} RETURNING given.{key})"
    also = f"also AS ({_from(sqls[1], types, f'FROM given JOIN done USING ({key})')})"
    return _Made(f"WITH {rows}, {done}, {also} TABLE done", same, None, (), None)


def _of_json(sql: str, types: Mapping[str, sa.types.TypeEngine[Any]]) -> str:
    """The same statement, whose values stand in rows that the database makes of JSON."""
    return _from(sql, types, _recordset(types))


def _recordset(types: Mapping[str, sa.types.TypeEngine[Any]]) -> str:
    columns = ", ".join(f"{name} {_name_of(kind)}" for name, kind in types.items())
    return f"FROM json_to_recordset(%({_ROWS})s::json) AS given({columns})"


def _from(sql: str, types: Mapping[str, sa.types.TypeEngine[Any]], found: str) -> str:
    """The statement with the values of `given` in the place of its own."""
    sql = re.sub(r"%\((\w+)\)s", lambda at: f"given.{at[1]}" if at[1] in types else at[0], sql)
    if sql.startswith("INSERT"):
        return re.sub(r" VALUES \((.*)\)$", lambda at: f" SELECT {at[1]} {found}", sql, flags=re.DOTALL)
    return sql.replace(" WHERE ", f" {found} WHERE ", 1)


def _name_of(kind: sa.types.TypeEngine[Any]) -> str:
    if isinstance(kind, sa.Integer):
        return "integer"
    return "timestamptz" if isinstance(kind, sa.TypeDecorator | sa.DateTime) else "text"
