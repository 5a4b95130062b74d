"""What somebody may do at the desk; the table of ways.py says which role each way needs, and nothing else asks."""

from collections.abc import Collection
from enum import StrEnum


class Role(StrEnum):
    """An approver may all that an editor may, and an editor all that a reader may. Protection stands beside them: it alone reads calls
    for help."""

    READER = "reader"
    EDITOR = "editor"
    APPROVER = "approver"
    PROTECTION = "protection"


_INCLUDES = {
    Role.READER: frozenset({Role.READER}),
    Role.EDITOR: frozenset({Role.READER, Role.EDITOR}),
    Role.APPROVER: frozenset({Role.READER, Role.EDITOR, Role.APPROVER}),
    Role.PROTECTION: frozenset({Role.READER, Role.PROTECTION}),
}


def allows(roles: Collection[Role], needed: Role) -> bool:
    """Is what is needed among what these roles include?"""
    return any(needed in _INCLUDES[one] for one in roles)
