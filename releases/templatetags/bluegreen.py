"""What several templates need: times in words, the count of the inbox."""

from datetime import datetime, timedelta

from django import template
from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from releases.views.lookups import find_plans_to_decide

register = template.Library()

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


@register.simple_tag
def ago(moment: datetime | None) -> SafeString | str:
    """A time in words, with the absolute one at hand; the page's script lets the words grow old."""
    if moment is None:
        return "not yet"
    return format_html(
        '<time datetime="{}" title="{} UTC" data-relative>{}</time>',
        moment.isoformat(timespec="seconds"),
        f"{moment:%Y-%m-%d %H:%M:%S}",
        in_words(timezone.now() - moment),
    )


@register.filter
def age(moment: datetime) -> str:
    """A time in words alone, for places that hold no more."""
    return in_words(timezone.now() - moment)


@register.simple_tag
def clock(moment: datetime | None) -> SafeString | str:
    """A time of day, in UTC until the page's script puts it into the reader's zone."""
    if moment is None:
        return "not yet"
    return format_html(
        '<time datetime="{}" title="{} UTC" data-clock>{} UTC</time>',
        moment.isoformat(timespec="seconds"),
        f"{moment:%Y-%m-%d %H:%M:%S}",
        f"{moment:%H:%M:%S}",
    )


@register.simple_tag
def waiting_count(user: User | AnonymousUser) -> int:
    """How many plans wait for this person's decision; a page that is not found may be asked for by anybody."""
    return find_plans_to_decide(user).count() if isinstance(user, User) else 0


def in_words(age: timedelta) -> str:
    """An age in its greatest unit: "4 min ago", "in 20 s", "just now"."""
    seconds = int(age.total_seconds())
    if -2 < seconds < 2:
        return "just now"
    size, unit = next((size, unit) for size, unit in _UNITS if abs(seconds) >= size)
    amount = abs(seconds) // size
    return f"{amount} {unit} ago" if seconds > 0 else f"in {amount} {unit}"
