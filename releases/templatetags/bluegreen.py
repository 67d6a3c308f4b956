"""What several templates need: times, texts and roles in words."""

from collections.abc import Iterable
from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from releases.domain import visible as characters
from releases.models import RoleGrant
from releases.views.shown.words import age_in_words

register = template.Library()


@register.simple_tag
def ago(moment: datetime | None) -> SafeString | str:
    """A time in words, with the absolute one at hand; the page's script lets the words grow old."""
    if moment is None:
        return "not yet"
    return format_html(
        '<time datetime="{}" title="{} UTC" data-relative>{}</time>',
        moment.isoformat(timespec="seconds"),
        f"{moment:%Y-%m-%d %H:%M:%S}",
        age_in_words(timezone.now() - moment),
    )


@register.filter
def age(moment: datetime) -> str:
    """A time in words alone, for places that hold no more."""
    return age_in_words(timezone.now() - moment)


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


@register.filter
def utc(moment: datetime | None) -> SafeString | str:
    """A time as records have it, to the second and in UTC; it stays so, on paper too."""
    if moment is None:
        return "not yet"
    return format_html(
        '<time datetime="{}">{} UTC</time>',
        moment.isoformat(timespec="seconds"),
        f"{moment:%Y-%m-%d %H:%M:%S}",
    )


@register.filter
def visible(text: str) -> str:
    """What people wrote, with characters that cannot be seen, or look like others, made visible."""
    return characters.visible(text)


@register.filter
def roles_in_words(grants: Iterable[RoleGrant]) -> str:
    """Which roles these are, and where each holds; empty for none."""
    return ", ".join(f"{grant.role} {grant.place}" for grant in grants)
