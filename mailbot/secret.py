"""The key that makes our tokens ours."""

import contextlib
import os
import secrets
from pathlib import Path

from mailbot.settings import Settings, SettingsFault

MINIMUM_OCTETS = 16


def secret_key(settings: Settings) -> bytes:
    """The configured key, or the one beside the SQLite database, made on first use (0600). Raises SettingsFault."""
    if (key := existing_key(settings)) is not None:
        return key
    _make(_key_file(settings))
    return secret_key(settings)


def existing_key(settings: Settings) -> bytes | None:
    """The same for a command that changes nothing: None where the key file has not been made yet. Raises SettingsFault."""
    configured = settings.security.secret_key.get_secret_value().encode()
    if configured:
        if len(configured) < MINIMUM_OCTETS:
            raise SettingsFault(f"security.secret_key is too short: at least {MINIMUM_OCTETS} characters.")
        return configured
    path = _key_file(settings)
    try:
        key = path.read_bytes().strip()
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise SettingsFault(f"The key file {path} cannot be read: {problem.strerror}. Check its permissions.") from problem
    if len(key) < MINIMUM_OCTETS:
        raise SettingsFault(f"The key file {path} is damaged. Restore it from a backup: without it mailbot does not know its own mail.")
    return key


def _key_file(settings: Settings) -> Path:
    if not settings.database.url.startswith("sqlite:///"):
        raise SettingsFault(
            "With PostgreSQL, security.secret_key must be set, the same on every machine: "
            "a long random text, best in a file that MAILBOT_SECURITY__SECRET_KEY_FILE names."
        )
    return Path(settings.database.url.removeprefix("sqlite:///") + ".key")


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
        said = f"The key file {path} cannot be written: {problem.strerror}. Mend its folder, or change database.url."
        raise SettingsFault(said) from problem
    finally:
        draft.unlink(missing_ok=True)
