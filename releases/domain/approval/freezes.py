"""When nothing begins: freeze windows and allowed hours, once or each week, in the time of a place.

A window is a line of text, as people write it and as it is kept:

- ``2026-12-20 18:00 - 2027-01-04 08:00 Europe/Berlin: Christmas`` is once;
- ``Fri 16:00 - Mon 08:00 Europe/Berlin: Weekend`` is each week, from one day to another;
- ``Mon-Fri 09:00 - 17:00 Europe/Berlin: Office hours`` is on each of these days.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from releases.domain.errors import DomainError

MOST_WINDOWS = 20
LONGEST_NAME = 60
_MOST_TURNS = 400
"""Who is frozen for longer than so many windows in a row is frozen for good, as far as anybody can say."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = f"({'|'.join(_DAYS)})"
_TIME = r"([01][0-9]|2[0-3]):([0-5][0-9])"
_DATE = r"(20[0-9]{2}-[01][0-9]-[0-3][0-9])"
_TAIL = rf" ([A-Za-z0-9_+/-]{{1,40}})(?:: ?([^\x00-\x1f]{{1,{LONGEST_NAME}}}))?"
_ONCE = re.compile(rf"{_DATE} {_TIME} - {_DATE} {_TIME}{_TAIL}")
_WEEKLY = re.compile(rf"{_DAY} {_TIME} - {_DAY} {_TIME}{_TAIL}")
_DAILY = re.compile(rf"{_DAY}(?:-{_DAY})? {_TIME} - {_TIME}{_TAIL}")
_EXAMPLES = (
    "2026-12-20 18:00 - 2027-01-04 08:00 Europe/Berlin: Christmas, "
    "or Fri 16:00 - Mon 08:00 Europe/Berlin, or Mon-Fri 09:00 - 17:00 Europe/Berlin"
)


class InvalidWindow(DomainError):
    """A line that says no time; the message says how one is written."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """`once` are the local times of one that does not come again; `weekly` pairs of a weekday (Monday 0) and a time,
    from and to, of one that does. `text` is the line itself."""

    text: str
    zone: ZoneInfo
    name: str
    once: tuple[datetime, datetime] | None = None
    weekly: tuple[tuple[int, time, int, time], ...] = ()

    def __str__(self) -> str:
        return self.text

    def times_around(self, moment: datetime, *, wide: bool) -> Iterator[tuple[datetime, datetime]]:
        """Begin and end, in UTC, of each time that it may cover this moment, or comes next.

        A local time that comes twice when the clocks change, or never, is taken so that the window is as long as it
        can be where it is `wide`, and else as short as it can be: in doubt it is frozen.
        """
        for begin, end in self._local_times(moment.astimezone(self.zone).date()):
            begins, ends = _both(begin, self.zone), _both(end, self.zone)
            yield (min(begins), max(ends)) if wide else (max(begins), min(ends))

    def _local_times(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        if self.once:
            yield self.once
        monday = day - timedelta(days=day.weekday())
        for week in (-1, 0, 1):
            for first, begin, last, end in self.weekly:
                begins = monday + timedelta(weeks=week, days=first)
                days = (last - first) % 7 or (7 if end <= begin else 0)
                yield datetime.combine(begins, begin), datetime.combine(begins + timedelta(days=days), end)


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """Nothing begins. `until` is None where no end can be told; `name` is the window's."""

    until: datetime | None
    name: str

    def __str__(self) -> str:
        until = f"until {self.until:%d %B %Y, %H:%M} UTC" if self.until else "and no end can be told"
        return f"Nothing begins now ({self.name}), {until}."


def parse_windows(lines: Sequence[str]) -> tuple[Window, ...]:
    """The windows of these lines; raises ``InvalidWindow`` with a message that names the line."""
    if len(lines) > MOST_WINDOWS:
        raise InvalidWindow("window:too-many", f"At most {MOST_WINDOWS} windows.")
    return tuple(map(parse_window, lines))


def parse_window(line: str) -> Window:
    """One window; raises ``InvalidWindow``."""
    text = " ".join(line.replace("\N{EN DASH}", "-").split())
    window = _once(text) or _weekly(text) or _daily(text)
    if window is None:
        raise InvalidWindow("window:form", f"“{line[:80]}” is no window: write {_EXAMPLES}.")
    return window


def frozen_at(
    moment: datetime, *, freezes: Sequence[Window], allowed: Sequence[Window] = ()
) -> Frozen | None:
    """Whether nothing begins at this moment, and until when: within a freeze, or outside of the allowed hours."""
    name, free = "", moment
    for _ in range(_MOST_TURNS):
        held = _held(free, freezes, allowed)
        if held is None:
            return Frozen(until=free, name=name) if free > moment else None
        name = name or held.name
        if held.until is None:
            break
        free = held.until
    return Frozen(until=None, name=name)


def _held(moment: datetime, freezes: Sequence[Window], allowed: Sequence[Window]) -> Frozen | None:
    for window in freezes:
        for begin, end in window.times_around(moment, wide=True):
            if begin <= moment < end:
                return Frozen(until=end, name=window.name)
    times = [times for window in allowed for times in window.times_around(moment, wide=False)]
    if not allowed or any(begin <= moment < end for begin, end in times):
        return None
    return Frozen(
        until=min((begin for begin, end in times if moment < begin < end), default=None),
        name="outside of the allowed hours",
    )


def _both(local: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The moments that a local time may stand for: two different ones where the clocks change."""
    aware = local.replace(tzinfo=zone)
    return aware.astimezone(UTC), aware.replace(fold=1).astimezone(UTC)


def _once(text: str) -> Window | None:
    found = _ONCE.fullmatch(text)
    if found is None:
        return None
    first, first_hour, first_minute, last, last_hour, last_minute, zone, name = found.groups()
    begin = datetime.combine(_day(first), time(int(first_hour), int(first_minute)))
    end = datetime.combine(_day(last), time(int(last_hour), int(last_minute)))
    if end <= begin:
        raise InvalidWindow("window:order", f"“{text[:80]}” ends before it begins.")
    return Window(text=text, zone=_zone(zone), name=name or "freeze", once=(begin, end))


def _weekly(text: str) -> Window | None:
    found = _WEEKLY.fullmatch(text)
    if found is None:
        return None
    first, first_hour, first_minute, last, last_hour, last_minute, zone, name = found.groups()
    begin, end = time(int(first_hour), int(first_minute)), time(int(last_hour), int(last_minute))
    span = (_DAYS.index(first), begin, _DAYS.index(last), end)
    return Window(text=text, zone=_zone(zone), name=name or "freeze", weekly=(span,))


def _daily(text: str) -> Window | None:
    found = _DAILY.fullmatch(text)
    if found is None:
        return None
    first, last, first_hour, first_minute, last_hour, last_minute, zone, name = found.groups()
    begin, end = time(int(first_hour), int(first_minute)), time(int(last_hour), int(last_minute))
    if end <= begin:
        raise InvalidWindow("window:order", f"“{text[:80]}” ends before it begins: name the day of its end.")
    from_day, to_day = _DAYS.index(first), _DAYS.index(last or first)
    days = [(from_day + number) % 7 for number in range((to_day - from_day) % 7 + 1)]
    spans = tuple((day, begin, day, end) for day in days)
    return Window(text=text, zone=_zone(zone), name=name or "freeze", weekly=spans)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidWindow("window:date", f"There is no {text} in the calendar.") from None


def _zone(name: str) -> ZoneInfo:
    if name not in available_timezones():
        raise InvalidWindow(
            "window:zone", f"“{name}” is no time zone: write one such as Europe/Berlin or UTC."
        )
    return ZoneInfo(name)
