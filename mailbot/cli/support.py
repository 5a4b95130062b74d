"""`mailbot support-bundle`: one archive for whoever mends mailbot."""

import asyncio
import io
import zipfile
from pathlib import Path
from typing import Annotated

import typer

from mailbot.cli.opening import Json, answer, database_to_read, new_file, settings_of


def support_bundle(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A new file.")] = Path("mailbot-support.zip"),
    live: Annotated[bool, typer.Option("--live", help="Also log in to the mailbox and the relay, as `check --live` does.")] = False,
    as_json: Json = False,
) -> None:
    """Settings without secrets, versions, state, checks, counts and the last events in one archive; people are pseudonyms in it.

    Example: mailbot support-bundle mailbot-support.zip
    """
    import secrets

    from mailbot.check import checked
    from mailbot.clock import now
    from mailbot.secret import MINIMUM_OCTETS, existing_key
    from mailbot.settings import SettingsFault
    from mailbot.support import bundle

    settings = settings_of(context)
    try:
        secret = existing_key(settings)
    except SettingsFault:
        secret = None
    findings = asyncio.run(checked(settings, now(), live=live))
    with database_to_read(context) as database:
        files = bundle(settings, database, findings, secret or secrets.token_bytes(MINIMUM_OCTETS), now())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    new_file(file, packed.getvalue())
    facts = {"file": str(file), "files": sorted(files), "octets": len(packed.getvalue())}
    answer(as_json, facts, f"Written: {file}. Look through it before you send it to anybody.")
