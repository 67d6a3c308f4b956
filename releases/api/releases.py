"""Releases: where one stands."""

from ninja import Router

from releases.api.auth import ApiRequest
from releases.api.found import release_of, service_of
from releases.api.release_shown import release_shown
from releases.api.shown import ReleaseOut

router = Router(tags=["releases"])


@router.get(
    "/services/{slug:name}/releases/{int:number}",
    response=ReleaseOut,
    operation_id="get_release",
    summary="Look at a release",
)
def get_release(request: ApiRequest, name: str, number: int) -> ReleaseOut:
    """Where a release stands, and what its current step will do."""
    service = service_of(request, name)
    return release_shown(service, release_of(service, number))
