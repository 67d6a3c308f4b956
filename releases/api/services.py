"""Services with their traffic."""

from typing import Annotated
from urllib.parse import urlencode

from django.urls import reverse
from ninja import Query, Router

from releases.api.auth import ApiRequest
from releases.api.found import service_of
from releases.api.shown import ColorOut, ServiceOut, ServicePage, TrafficOut
from releases.domain.traffic import Color
from releases.models import Service
from releases.permissions import visible_services
from releases.views.shown.overview import ServiceRow, service_rows
from releases.views.shown.traffic import ColorShown

MOST = 100

router = Router(tags=["services"])

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many services a page has.")]
After = Annotated[
    str, Query(pattern=r"^[-\w]*$", max_length=40, description="The last name of the page before.")
]


@router.get("/services", response=ServicePage, operation_id="list_services", summary="List services")
def list_services(request: ApiRequest, limit: Limit = 50, after: After = "") -> ServicePage:
    """The services that one may see, by name, without those that were removed."""
    services = visible_services(request.caller.user).filter(removed_at=None, name__gt=after).order_by("name")
    found = list(services[: limit + 1])
    rows = service_rows(found[:limit])
    following = urlencode({"limit": limit, "after": rows[-1].service.name}) if len(found) > limit else ""
    return ServicePage(
        items=[_shown(row) for row in rows],
        next=f"{reverse('api:list_services')}?{following}" if following else None,
    )


@router.get(
    "/services/{slug:name}", response=ServiceOut, operation_id="get_service", summary="Look at a service"
)
def get_service(request: ApiRequest, name: str) -> ServiceOut:
    """One service."""
    [row] = service_rows([service_of(request, name)])
    return _shown(row)


def _shown(row: ServiceRow) -> ServiceOut:
    service = row.service
    return ServiceOut(
        name=service.name,
        environment=service.environment,
        region=service.region,
        account_id=service.account_id,
        status=row.status.word,
        needs_attention=row.needs_attention,
        traffic=_traffic(row) if service.set_up_at else None,
        release=row.release.number if row.release else None,
        release_open=row.release is not None and row.release.is_open,
    )


def _traffic(row: ServiceRow) -> TrafficOut:
    blue, green = (_color(row.service, shown) for shown in row.traffic.colors)
    return TrafficOut(blue=blue, green=green)


def _color(service: Service, shown: ColorShown) -> ColorOut:
    return ColorOut(
        image=service.blue_image if shown.color is Color.BLUE else service.green_image,
        tag=shown.tag,
        share=shown.share,
        role="stable" if shown.is_stable else "candidate",
        canary=shown.has_canary,
    )
