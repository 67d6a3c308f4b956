"""What all pages of a service share: its bar of acts, which is at the same place everywhere."""

from typing import Any

from django.http import HttpRequest

from releases.domain.acts import Act
from releases.models import Service
from releases.services import facts
from releases.views.lookups import signed_in
from releases.views.shown.traffic import traffic_of


def service_context(request: HttpRequest, service: Service) -> dict[str, Any]:
    """The service, its traffic, and which acts are possible now, each with the reason where not."""
    acts = facts.possible_acts(signed_in(request), service)
    return {
        "service": service,
        "traffic": traffic_of(service),
        "acts": {act.value: answer for act, answer in acts.items()},
        "may_request": acts[Act.REQUEST],
        "may_roll_back": acts[Act.ROLL_BACK],
    }
