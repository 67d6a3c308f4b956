"""The acts on a release beside deciding and starting: each is one call of a service, and back on the release's page."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from releases.domain.any_weight import parse_share
from releases.domain.errors import InvalidCanary, InvalidTraffic
from releases.services import canary_addresses, release_acts, shares
from releases.views.acts import carry_out, refused, release_of
from releases.views.lookups import find_release, find_service, find_step, signed_in


@require_POST
def release_pause(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Hold a release where it is."""
    return _on_release(
        request, name, number, release_acts.pause, "Paused: nothing begins until it is resumed."
    )


@require_POST
def release_resume(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Let a paused release go on."""
    return _on_release(request, name, number, release_acts.resume, "Resumed.")


@require_POST
def release_cancel(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """End a release that nobody has been sent to."""
    return _on_release(request, name, number, release_acts.cancel, "Cancelled.")


@require_POST
def release_share(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Set the share of the users that the new version has."""
    try:
        share = parse_share(request.POST.get("share", "").strip())
    except InvalidTraffic as error:
        service = find_service(request, name)
        return refused(request, service, find_release(service, number), error.message)
    act = partial(shares.set_share, share=share)
    return _on_release(request, name, number, act, f"{share} % comes next.")


@require_POST
def release_address(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Add an address to the canary that is on."""
    address = request.POST.get("address", "")[:60]
    act = partial(canary_addresses.add_address, address=address)
    try:
        return _on_release(request, name, number, act, f"{address.strip()} is being added to the canary.")
    except InvalidCanary as error:
        service = find_service(request, name)
        return refused(request, service, find_release(service, number), error.message)


@require_POST
def step_retry(request: HttpRequest, name: str, step_id: UUID) -> HttpResponse:
    """Plan a step once more that failed or was rejected."""
    return _on_step(request, name, step_id, release_acts.retry, "Its plan is being made again.")


@require_POST
def step_skip(request: HttpRequest, name: str, step_id: UUID) -> HttpResponse:
    """Leave a step out."""
    return _on_step(request, name, step_id, release_acts.skip, "Skipped.")


@require_POST
def step_skip_bake(request: HttpRequest, name: str, step_id: UUID) -> HttpResponse:
    """End a bake time."""
    return _on_step(request, name, step_id, release_acts.skip_bake, "The bake time is over.")


def _on_release(
    request: HttpRequest, name: str, number: int, act: Callable[..., None], done: str
) -> HttpResponse:
    service = find_service(request, name)
    release = find_release(service, number)
    return carry_out(
        request, service, release, partial(act, release_id=release.pk, user=signed_in(request)), done
    )


def _on_step(
    request: HttpRequest, name: str, step_id: UUID, act: Callable[..., None], done: str
) -> HttpResponse:
    service = find_service(request, name)
    step = find_step(service, step_id)
    return carry_out(
        request, service, release_of(step), partial(act, step_id=step.pk, user=signed_in(request)), done
    )
