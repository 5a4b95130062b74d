"""The key file: made once, whole, its owner's alone; a damaged one is never quietly replaced."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mailbot.secret import existing_key, secret_key
from mailbot.settings import Settings, SettingsFault


def beside(folder: Path, key: str = "") -> Settings:
    return Settings(database={"url": f"sqlite:///{folder / 'mailbot.db'}"}, security={"secret_key": key})  # type: ignore[arg-type]


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    made = secret_key(beside(tmp_path))
    assert len(made) >= 32
    assert secret_key(beside(tmp_path)) == made
    assert os.listdir(tmp_path) == ["mailbot.db.key"]
    assert stat.S_IMODE((tmp_path / "mailbot.db.key").stat().st_mode) == 0o600


def test_many_that_start_at_once_agree(tmp_path: Path) -> None:
    """In threads of one process they even fight for the same draft: then one fails loudly, and none has another key."""

    def start(_: int) -> bytes | None:
        try:
            return secret_key(beside(tmp_path))
        except SettingsFault:
            return None

    with ThreadPoolExecutor(8) as pool:
        keys = {key for key in pool.map(start, range(16)) if key}
    assert keys == {secret_key(beside(tmp_path))}


def test_to_look_for_it_makes_none(tmp_path: Path) -> None:
    assert existing_key(beside(tmp_path)) is None
    assert os.listdir(tmp_path) == []


def test_a_configured_one_goes_before(tmp_path: Path) -> None:
    secret_key(beside(tmp_path))
    assert secret_key(beside(tmp_path, "configured and long enough")) == b"configured and long enough"


@pytest.mark.parametrize(
    ("content", "says"),
    [pytest.param(b"", "is damaged. Restore", id="empty"), pytest.param(b"short\n", "is damaged. Restore", id="cut off")],
)
def test_a_damaged_one_is_said_and_stays(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "mailbot.db.key").write_bytes(content)
    with pytest.raises(SettingsFault, match=says):
        secret_key(beside(tmp_path))
    assert (tmp_path / "mailbot.db.key").read_bytes() == content


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        pytest.param(Settings(security={"secret_key": "too short"}), "too short", id="too short"),  # type: ignore[arg-type]
        pytest.param(Settings(database={"url": "postgresql://x@127.0.0.1/x"}), "on every machine", id="PostgreSQL"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_a_key_is_one_sentence(settings: Settings, says: str) -> None:
    with pytest.raises(SettingsFault, match=says):
        secret_key(settings)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault, match="cannot be"):
        secret_key(beside(tmp_path / "nowhere"))
    (tmp_path / "mailbot.db.key").mkdir()
    with pytest.raises(SettingsFault, match="cannot be read"):
        secret_key(beside(tmp_path))
