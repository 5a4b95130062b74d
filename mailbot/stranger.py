"""What is known of a mail that nobody but itself tells us of: for `explain` and `inbox replay`."""

from dataclasses import replace
from datetime import datetime

from mailbot import office_terms
from mailbot.inbox.outcome import Context
from mailbot.inbox.said import Said, own_words
from mailbot.inbox.understanding import understand
from mailbot.languages import Language
from mailbot.message.address import key
from mailbot.message.authentication import Authentication, authentication
from mailbot.message.incoming import IncomingMessage, Unreadable
from mailbot.message.ours import own_deliveries
from mailbot.releases.shelf import Shelf
from mailbot.settings import Settings


def stranger_context(settings: Settings, loaded: dict[str, Language], shelf: Shelf) -> Context:
    """What `explain` knows of every mail: the office, and nothing of who writes. With met() it is one mail's."""
    return Context(
        own_addresses=office_terms.own_addresses(settings),
        colleagues=frozenset(key(one) for one in (*settings.inbox.hand_off_to, settings.inbox.protection_to) if one),
        authentication=Authentication.NONE,
        releases=shelf.releases,
        index=shelf.index,
        withdrawn=shelf.withdrawn,
        index_before=shelf.index_before,
        languages=loaded,
        organisation_languages=office_terms.language_order(settings, loaded),
        organisation_names=(settings.organisation.name, settings.organisation.short_name),
        unready_languages=office_terms.unready(settings, loaded),
        from_a_file=True,
    )


def met(
    context: Context, authserv_id: str, secret: bytes, message: IncomingMessage | Unreadable, said: Said | None, now: datetime
) -> Context:
    """The same for one mail, as from somebody who has never written."""
    vouched, ours = authentication(message, authserv_id), own_deliveries(message, secret)
    known = own_words(context.own_addresses, context.organisation_names)
    understood = understand(said, context.languages, context.index, known, now) if said else None
    return replace(context, authentication=vouched, own_deliveries=ours, understood=understood)
