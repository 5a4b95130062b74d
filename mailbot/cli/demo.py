"""`mailbot demo`: the whole product on loopback, in one process."""

from typing import Annotated

import typer


def demo(
    port: Annotated[int, typer.Option(help="The port of the page; 0: any free one.")] = 0,
) -> None:
    """Run the whole product on this machine alone: write as a journalist, see the answer arrive, read why. Ctrl-C ends it.

    No account, no root; settings and MAILBOT_ variables are ignored, so that no real mailbox is ever touched.

    Example: mailbot demo
    """
    import asyncio

    from mailbot import logs

    try:
        from mailbot.demo.run import run
    except ModuleNotFoundError as missing:
        typer.echo(f"mailbot: the demo needs {missing.name}: pip install 'mailbot[demo]'.", err=True)
        raise typer.Exit(1) from missing
    logs.set_up(json_lines=False)
    asyncio.run(run(port))
