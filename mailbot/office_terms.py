"""What the settings mean to whoever reads and writes: languages, words, names, the office. What is wrong is named in a sentence."""

import contextlib
import os
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from mailbot import languages, rendering, template_check
from mailbot.inbox.read_mail import Reader
from mailbot.inbox.said import Ears, own_words
from mailbot.message.address import Address, parse
from mailbot.office import Office
from mailbot.office_hours import office_hours
from mailbot.outbox import print_pdf
from mailbot.settings import Settings, SettingsFault


def language_folders(settings: Settings) -> list[Path]:
    """The shipped language folders, then the office's own."""
    own = settings.folders.languages
    return [languages.shipped(), *([Path(own)] if own else [])]


def template_folders(settings: Settings) -> list[Path]:
    """The office's own templates, then the shipped ones."""
    own = settings.folders.templates
    return [*([Path(own)] if own else []), rendering.shipped()]


def office_zone(settings: Settings) -> tzinfo:
    """The configured time zone, else the system's."""
    if settings.organisation.timezone:
        return ZoneInfo(settings.organisation.timezone)
    name = os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
    with contextlib.suppress(Exception):  # an odd system file is no reason not to start: times are shown in UTC then
        return ZoneInfo(name)
    return UTC


def office_of(settings: Settings, loaded: dict[str, languages.Language]) -> Office:
    """Who writes, and in which words. Raises SettingsFault, rendering.TemplateFault."""
    organisation = settings.organisation
    typographies = {code: language.typography for code, language in loaded.items()}
    return Office(
        name=organisation.name, short_name=organisation.short_name,
        address=address_of(organisation.address, "organisation.address", organisation.name),
        website=organisation.website, contact=organisation.contact, languages=language_order(settings, loaded),
        colleagues=tuple(address_of(one, "inbox.hand_off_to") for one in settings.inbox.hand_off_to),
        public_url=settings.web.public_url,
        words=rendering.environment(template_folders(settings), typographies, office_zone(settings)), spoken=loaded,
        hours=office_hours(settings, loaded.values(), office_zone(settings)), duty_number=organisation.duty_number,
        referral=settings.inbox.referral.strip(),
        protection=address_of(settings.inbox.protection_to, "inbox.protection_to") if settings.inbox.protection_to else None,
        signatory=address_of(settings.releases.sign_off, "releases.sign_off") if settings.releases.sign_off else None,
        prints=print_pdf.available(),
    )  # fmt: skip


def language_order(settings: Settings, loaded: dict[str, languages.Language]) -> tuple[str, ...]:
    """The office's languages, its own first; where it names none, every complete one in the order that the folders ask for.

    Raises SettingsFault."""
    named = tuple(settings.organisation.languages)
    for code in named:
        if code not in loaded:
            raise SettingsFault(f"organisation.languages names {code!r}, for which there is no language folder.")
    complete = loaded.keys() - unready(settings, loaded)
    return named or tuple(sorted(complete, key=lambda code: (int(loaded[code].words.get("order", 99)), code)))


def unready(settings: Settings, loaded: dict[str, languages.Language]) -> frozenset[str]:
    """The languages whose folders lack something: mail in them is understood as far as it goes, and a person answers it."""
    folders = template_folders(settings)
    return frozenset(code for code, one in loaded.items() if languages.missing(one) or template_check.lacking(folders, code))


def own_addresses(settings: Settings) -> frozenset[str]:
    """Keys of every address that is ours."""
    written = (settings.organisation.address, *settings.organisation.aliases)
    return frozenset(address_of(one, "organisation.address and aliases").key for one in written if one)


def reader_of(settings: Settings, loaded: dict[str, languages.Language]) -> Reader:
    """The process that reads mail with this office's ears."""
    organisation = settings.organisation
    ours = own_addresses(settings)
    known = own_words(ours, (organisation.name, organisation.short_name))
    return Reader(Ears(loaded, language_order(settings, loaded)[0], known, office_zone(settings), ours))


def address_of(written: str, name: str, display: str = "") -> Address:
    """The address in a setting of this name. Raises SettingsFault."""
    found = parse(written)
    if found is None:
        raise SettingsFault(f"{name} must be an e-mail address; it is {written!r}." if written else f"{name} is missing.")
    if not found.address.isascii():
        raise SettingsFault(f"{name} is {written!r}: mail cannot be sent to or from it, the part before the @ must be plain letters.")
    return Address(found.address, display or found.name)
