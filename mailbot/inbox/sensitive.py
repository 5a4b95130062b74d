"""Topics that always go to a person: the phrases that the office lists under `sensitive` in office.yaml."""

from collections.abc import Mapping
from functools import lru_cache

from mailbot.inbox.language import tokens
from mailbot.languages import Language
from mailbot.message.incoming import IncomingMessage


def sensitive_topic(message: IncomingMessage, languages: Mapping[str, Language]) -> str:
    """The phrase that stands in the subject or in what the sender wrote, as the office lists it; "" where none does."""
    known = _phrases(tuple(languages.values()))
    if not known:
        return ""
    said = f" {' '.join(tokens(message.subject))} | {' '.join(tokens(message.visible_text))} "
    return next((written for phrase, written in known if phrase in said), "")


@lru_cache(maxsize=4)
def _phrases(all_of: tuple[Language, ...]) -> tuple[tuple[str, str], ...]:
    """Each phrase in its words, with a space on either side, and as it is written."""
    listed = (written for language in all_of for written in language.office.get("sensitive", ()))
    return tuple((f" {' '.join(tokens(written))} ", written) for written in dict.fromkeys(listed) if tokens(written))
