"""Does a flow still make progress? Each says that it goes on, and within how many seconds it will say so again."""


class Pulse:
    """One flow's last word. A flow that has not begun has promised nothing."""

    def __init__(self) -> None:
        self._until: float | None = None

    def beat(self, now: float, within: float) -> None:
        """It goes on; the next beat comes within so many seconds, whatever it waits for."""
        self._until = now + within

    def beats(self, now: float) -> bool:
        """Is the last promise still to be kept, and not broken?"""
        return self._until is None or now <= self._until
