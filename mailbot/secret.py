"""The key that makes our tokens ours."""

import contextlib
import os
import secrets
from pathlib import Path

from mailbot.settings import Settings, SettingsFault

MINIMUM_OCTETS = 16


def secret_key(settings: Settings) -> bytes:
    """The configured key, or the one beside the SQLite database, made on first use (0600). Raises SettingsFault."""
    configured = settings.security.secret_key.get_secret_value().encode()
    if configured:
        if len(configured) < MINIMUM_OCTETS:
            raise SettingsFault(f"security.secret_key is too short: at least {MINIMUM_OCTETS} characters.")
        return configured
    if not settings.database.url.startswith("sqlite:///"):
        raise SettingsFault("With PostgreSQL, security.secret_key must be set, the same on every machine.")
    path = Path(settings.database.url.removeprefix("sqlite:///") + ".key")
    if not path.exists():
        _make(path)
    key = path.read_bytes().strip()
    if len(key) < MINIMUM_OCTETS:
        raise SettingsFault(f"The key file {path} is damaged. Restore it from a backup: without it mailbot does not know its own mail.")
    return key


def _make(path: Path) -> None:
    """Written whole, then linked into place: of two processes that start at once, the second finds the first one's key."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    except OSError as problem:
        raise SettingsFault(f"The key file {path} cannot be written: {problem.strerror}.") from problem
    finally:
        draft.unlink(missing_ok=True)
