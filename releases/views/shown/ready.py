"""Whether the other side could take over, for the pages that show it."""

from dataclasses import dataclass
from datetime import datetime

from releases.domain.traffic import Color, is_safe
from releases.models import Readiness, Service
from releases.views.shown.traffic import ColorShown, traffic_of


@dataclass(frozen=True, kw_only=True)
class TakingOver:
    """Where a rollback leads, when that colour served last (None: never, or it serves now), and what was found."""

    to: ColorShown
    serves_now: bool
    served_until: datetime | None
    found: Readiness | None


def taking_over(service: Service) -> TakingOver | None:
    """None where everybody is there already: nothing has to take over. One query."""
    if service.set_up_at is None or (is_safe(service.state, Color(service.safe_color))):
        return None
    return other_side(service)


def other_side(service: Service) -> TakingOver:
    """Where a rollback of a service that is set up leads, whoever is there now. One query."""
    color = Color(service.safe_color)
    return TakingOver(
        to=traffic_of(service).of(color),
        serves_now=service.state.receives_traffic(color),
        served_until=getattr(service, f"{color.value}_traffic_ended_at"),
        found=Readiness.objects.filter(service=service, color=color.value).first(),
    )
