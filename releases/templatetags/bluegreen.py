"""What several templates need: times in words, the count of the inbox, who changes people."""

from collections.abc import Iterable
from datetime import datetime

from django import template
from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from releases.domain import visible as characters
from releases.models import RoleGrant
from releases.selectors.roles import administered_by
from releases.views.lookups import find_glasses_to_review, find_plans_to_decide
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


@register.simple_tag
def waiting_count(user: User | AnonymousUser) -> int:
    """How much waits for this person in the inbox; a page that is not found may be asked for by anybody."""
    if not isinstance(user, User):
        return 0
    return find_plans_to_decide(user).count() + find_glasses_to_review(user).count()


@register.simple_tag
def administers(user: User | AnonymousUser) -> bool:
    """Whether the header leads this person to people and groups; one query, since it is on each page."""
    return isinstance(user, User) and administered_by(user).everywhere
