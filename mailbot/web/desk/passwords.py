"""Passwords: argon2id with 19 MiB and two passes (as OWASP asks), in a thread, two at a time, so that many logins cannot eat the memory."""

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST = 12
MOST = 200
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class WeakPassword(Exception):
    """The password is too short, or too long to be hashed."""

    def __init__(self) -> None:
        super().__init__(f"A password has at least {LEAST} letters and at most {MOST}. Three or four words that are not a saying do well.")


class Doorkeeper:
    """Looks at passwords. Somebody unknown takes as long as somebody known: the time says nothing."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(2)
        self._nobody = hash_of(secrets.token_hex(16))

    async def knows(self, kept: str, given: str) -> bool:
        """Is it the password of this hash? With an empty hash, the one of nobody is tried, and it is not."""
        async with self._turn:
            right = await asyncio.to_thread(_verify, kept or self._nobody, given[: MOST + 1])
        return right and bool(kept)


def hash_of(password: str) -> str:
    """What is kept of a password. Raises WeakPassword."""
    if not LEAST <= len(password) <= MOST:
        raise WeakPassword
    return _HASHER.hash(password)


def _verify(kept: str, given: str) -> bool:
    try:
        return _HASHER.verify(kept, given)
    except (VerificationError, InvalidHashError):
        return False
