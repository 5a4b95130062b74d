"""What is left of somebody who was forgotten: a hash that only our key can make, so that no later list brings the address back."""

from mailbot.message import token


def digest(secret: bytes, address_key: str) -> str:
    """What stands in the place of an address's key. Without the key nobody can try addresses against it."""
    return f"forgotten:{token.seal(secret, 'forgotten', address_key)}"
