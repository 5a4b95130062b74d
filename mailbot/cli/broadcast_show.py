"""`mailbot broadcast preview` and `test`: an announcement as its readers will see it, before anybody does."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli.opening import Json, answer, database_of, database_to_read, lines, print_json

if TYPE_CHECKING:
    from mailbot.broadcast.broadcast import Broadcast
    from mailbot.database.engine import Tx
    from mailbot.message.letter import Letter

Id = Annotated[str, typer.Argument(metavar="ID", help="The announcement's number, or the beginning of it.")]


def preview(
    context: typer.Context,
    broadcast: Id,
    to: Annotated[str, typer.Option("--for", help="The address of somebody who gets it.")] = "",
    language: Annotated[str, typer.Option(help="The letter in this language.")] = "",
    html: Annotated[bool, typer.Option("--html", help="The HTML instead of the text.")] = False,
    as_json: Json = False,
) -> None:
    """The mail as one of its readers will see it: of a certain person, of a language, or the first one.

    Example: mailbot broadcast preview 3f2a --for awa@journal.example
    """
    from mailbot.cli.broadcast import found, parts_of

    parts = parts_of(context, rehearsal=True)
    with database_to_read(context) as database:
        one = database.read_now(found, broadcast)
        row = database.read_now(_reader, one, to, language)
        if row is None:
            typer.echo(f"mailbot: nobody gets {one.id}{f' at {to}' if to else f' in {language}' if language else ''}.", err=True)
            raise typer.Exit(1)
        letter = database.read_now(_letter, one, row.letter)
    mail = _written(letter, row, one, parts)
    if as_json:
        return print_json({"id": one.id, "to": row.recipient, "language": letter.language, "format": letter.format, **mail})
    typer.echo(f"To: {lines(row.recipient)}\nSubject: {lines(mail['subject'])}\n")
    return typer.echo(mail["html"] if html else lines(mail["text"]))


def test(
    context: typer.Context, broadcast: Id, to: Annotated[str, typer.Option(help="Where to; the office's own address without it.")] = "",
    as_json: Json = False,
) -> None:  # fmt: skip
    """Send each letter to the office, marked as a test, in the format and language that readers get. Nobody else is written to.

    Example: mailbot broadcast test 3f2a
    """
    from mailbot.cli.broadcast import found, parts_of
    from mailbot.clock import now
    from mailbot.message.address import Address, parse
    from mailbot.outbox import bulk_store

    parts, moment = parts_of(context), now()
    address = parse(to) if to else parts.office.address
    if address is None or (to and address.key not in parts.office.insiders | {parts.office.address.key}):
        raise typer.BadParameter("A test goes to the office's own address or to a colleague (inbox.hand_off_to).")
    with database_of(context) as database:
        one = database.read_now(found, broadcast)
        letters = database.read_now(bulk_store.letters_of, one.id)
        sent = [
            database.write_now(_enqueue_test, one, letter, Address(address.address), parts, f"{number}:{moment.isoformat()}", moment)
            for number, letter in letters.items()
        ]
    told = f"{len(sent)} letters are on their way to {address.address}."
    answer(as_json, {"id": one.id, "to": address.address, "mails": len(sent)}, told)


def _reader(tx: "Tx", one: "Broadcast", to: str, language: str) -> Any:
    import sqlalchemy as sa

    from mailbot.database.tables import delivery
    from mailbot.message.address import key

    query = sa.select(delivery).where(delivery.c.broadcast == one.id).order_by(delivery.c.id).limit(1)
    if to:
        query = query.where(delivery.c.recipient_key == key(to))
    return tx.execute(query.where(delivery.c.language == language) if language else query).first()


def _letter(tx: "Tx", one: "Broadcast", number: int) -> "Letter":
    from mailbot.outbox import bulk_store

    return bulk_store.letters_of(tx, one.id)[number]


def _written(letter: "Letter", row: Any, one: "Broadcast", parts: Any) -> dict[str, str]:
    import html

    from mailbot.message.letter import filled
    from mailbot.outbox.bulk_store import Recipient

    values = parts.readers(
        Recipient(
            delivery=row.id, broadcast=one.id, journalist=row.journalist or 0, address=row.recipient, name=row.recipient_name,
            language=letter.language, format=letter.format, waits_for=letter.waits_for, release=one.release, edition=letter.edition,
            facts=row.written_from or {},
        )
    )  # fmt: skip
    return {
        "subject": filled(letter.subject, values), "text": filled(letter.text, values), "html": filled(letter.html, values, html.escape),
    }  # fmt: skip


def _enqueue_test(tx: "Tx", one: "Broadcast", letter: "Letter", to: Any, parts: Any, occasion: str, moment: Any) -> bool:
    """By the ordinary way of a mail to a colleague; its links are of no delivery, and lead nowhere."""
    import html

    from mailbot.broadcast.letters import test_words
    from mailbot.message import token
    from mailbot.message.letter import filled
    from mailbot.outbox import store
    from mailbot.outbox.bulk_store import Recipient
    from mailbot.outbox.delivery import Kind
    from mailbot.releases import store as releases
    from mailbot.releases.release import public_from
    from mailbot.service import new_id

    delivery = new_id()
    values = parts.readers(
        Recipient(
            delivery=delivery, broadcast=one.id, journalist=0, address=to.address, name="", language=letter.language, format=letter.format,
            waits_for=letter.waits_for, release=one.release, edition=letter.edition, facts={},
        )
    )  # fmt: skip
    release = releases.load(tx, one.release)
    opens = public_from(release) if release else None
    mark, sentence = test_words(parts.office, letter.language, opens if opens and opens > moment else None)
    draft = store.Draft(
        key=f"broadcast-test:{one.id}:{occasion}", kind=Kind.TOLD, recipient=to, language=letter.language,
        subject=f"[{mark}] {filled(letter.subject, values)}", text=f"*** {mark} *** {sentence}\n\n{filled(letter.text, values)}",
        html=filled(letter.html, values, html.escape), release=one.release,
    )  # fmt: skip
    return store.enqueue(tx, draft, delivery, token.message_id(parts.secret, delivery, parts.office.address.domain), moment)
