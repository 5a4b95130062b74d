"""`mailbot audience segment`: parts of the press list that have a name, such as the radios of the north."""

from typing import TYPE_CHECKING, Annotated

import typer

from mailbot.cli.opening import Json, answer, database_of, database_to_read, one_line, print_json_lines

if TYPE_CHECKING:
    from mailbot.audience.segment import Filter
    from mailbot.database.engine import Database

app = typer.Typer(no_args_is_help=True, help="Parts of the press list that have a name.")
Name = Annotated[str, typer.Argument(help="The name of the segment.")]


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """Every segment, its filter and how many people it chooses now.

    Example: mailbot audience segment list
    """
    from mailbot.audience import segment_store

    with database_to_read(context) as database:
        found = database.read_now(segment_store.listed)
    if as_json:
        return print_json_lines({"name": one.name, "filter": one.filter, "early": one.early, "people": number} for one, number in found)
    for one, number in found:
        typer.echo(f"{one_line(one.name, 30):<30}  {number:>7,}  {'early  ' if one.early else ''}{one_line(one.filter, 200)}")
    return None


@app.command("set")
def set_(
    context: typer.Context,
    name: Name,
    where: Annotated[str, typer.Argument(metavar="FILTER", help='Such as: language = fr and medium in (radio, tv) and not place = "Gao"')],
    early: Annotated[bool, typer.Option("--early", help="Its people may be sent what is still under embargo.")] = False,
    as_json: Json = False,
) -> None:
    """Give a filter a name, or a name another filter.

    Example: mailbot audience segment set radios medium=radio
    """
    from mailbot.audience import segment_store
    from mailbot.audience.segment import FilterFault, Segment, parse
    from mailbot.clock import now

    if not name.strip() or name == "all" or len(name) > 120:
        raise typer.BadParameter("A segment needs a name of its own, of up to 120 characters; `all` is the whole list.")
    try:
        parsed = parse(where)
    except FilterFault as fault:
        raise typer.BadParameter(str(fault)) from None
    with database_of(context) as database:
        database.write_now(segment_store.put, Segment(name, where, early), now())
        number = database.read_now(segment_store.counted, parsed)
    answer(as_json, {"name": name, "filter": where, "early": early, "people": number}, f"{name}: chooses {number:,} people now")


@app.command()
def remove(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Forget the name. The people stay on the list, and what was planned with it stays planned.

    Example: mailbot audience segment remove radios
    """
    from mailbot.audience import segment_store

    with database_of(context) as database:
        removed = database.write_now(segment_store.remove, name)
    if not removed:
        typer.echo(f"mailbot: there is no segment {one_line(name, 100)!r}. `mailbot audience segment list` shows them.", err=True)
        raise typer.Exit(1)
    answer(as_json, {"name": name, "removed": True}, f"{name}: removed")


def filter_of(database: "Database", to: str) -> "Filter | None":
    """What `--to` means: a segment's name, else a filter; `all` and nothing are everybody. Says what is wrong with it, and exits with 2."""
    from mailbot.audience import segment_store
    from mailbot.audience.segment import FilterFault, parse

    if to in ("", "all"):
        return None
    named = database.read_now(segment_store.find, to)
    try:
        return parse(named.filter if named else to)
    except FilterFault as fault:
        told = f"{one_line(to, 60)!r} is no segment (`mailbot audience segment list` shows them), and no filter: {fault}"
        raise typer.BadParameter(told) from None
