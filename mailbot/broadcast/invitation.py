"""An event as a calendar file (RFC 5545), to be opened by whatever calendar a newsroom has."""

from collections.abc import Mapping
from datetime import datetime

from icalendar import Calendar, Event, vCalAddress, vText

from mailbot.broadcast.broadcast import NotAllowed
from mailbot.broadcast.letters import Happening
from mailbot.message.outgoing import File
from mailbot.office import Office


def happening(starts: datetime | None, ends: datetime | None, place: str) -> Happening | None:
    """None where no event is meant. Raises NotAllowed where it makes no sense."""
    if starts is None:
        if ends or place:
            raise NotAllowed("An event needs its beginning (--event-start).")
        return None
    if ends is not None and ends <= starts:
        raise NotAllowed("The event ends before it begins.")
    return Happening(starts=starts, ends=ends, place=place)


def kept(event: Happening | None) -> dict[str, str] | None:
    """As it is kept with its announcement; taken_up() is the way back."""
    if event is None:
        return None
    ends = event.ends.isoformat() if event.ends else ""
    return {"starts": event.starts.isoformat(), "ends": ends, "place": event.place}


def taken_up(values: Mapping[str, str] | None) -> Happening | None:
    """What was kept, with its own clock."""
    if not values:
        return None
    ends = datetime.fromisoformat(values["ends"]) if values["ends"] else None
    return Happening(starts=datetime.fromisoformat(values["starts"]), ends=ends, place=values["place"])


def invitation_file(title: str, event: Happening, office: Office, unique: str, now: datetime) -> File:
    """Published, not a request: nobody is asked to answer to a calendar."""
    calendar, made = Calendar(), Event()
    calendar.add("prodid", "-//mailbot//press office//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    made.add("uid", f"{unique}@{office.address.domain}")
    made.add("dtstamp", now)
    made.add("dtstart", event.starts)
    if event.ends:
        made.add("dtend", event.ends)
    made.add("summary", title)
    if event.place:
        made["location"] = vText(event.place)
    organizer = vCalAddress(f"mailto:{office.address.address}")
    organizer.params["cn"] = vText(office.name)
    made["organizer"] = organizer
    calendar.add_component(made)
    return File("invitation.ics", "text/calendar", calendar.to_ical())
