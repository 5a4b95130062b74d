"""Every release for the desk's lists, drafts too: read anew when one has changed."""

from mailbot.database.engine import Tx
from mailbot.releases import store
from mailbot.releases.release import Release


class Library:
    """What was read last, and of which state of the tables."""

    def __init__(self) -> None:
        self._kept: tuple[str, tuple[Release, ...]] = ("", ())

    def all(self, tx: Tx) -> tuple[Release, ...]:
        """As they are now. Whoever reads at the same moment reads the same."""
        version = store.version(tx)
        if version != self._kept[0]:
            self._kept = version, store.load_all(tx)
        return self._kept[1]
