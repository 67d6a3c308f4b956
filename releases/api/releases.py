"""Releases: requested, looked at, decided on, given up."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from ninja import Router

from releases.api.asked import ApprovalIn, CancellationIn, RejectionIn, ReleaseIn
from releases.api.auth import ApiRequest
from releases.api.found import release_of, service_of, step_of
from releases.api.idempotency import Key, NeededKey
from releases.api.release_shown import release_shown
from releases.api.shown import ReleaseOut
from releases.api.stale import OTHER_PLAN, IfMatch, other_plan, refuse_other_version
from releases.api.waiting import Known, WaitSeconds, another_than
from releases.api.wanted import release_wanted
from releases.domain.approval.approval_policy import PlanIdentity
from releases.services import release_acts, requests
from releases.services.approval import approvals
from releases.services.errors import ActRefused

router = Router(tags=["releases"])
_ONE = "/services/{slug:name}/releases/{int:number}"
_STEP = f"{_ONE}/steps/{{uuid:step_id}}"


@router.post(
    "/services/{slug:name}/releases",
    response={201: ReleaseOut},
    operation_id="request_release",
    summary="Request a release",
)
def request_release(
    request: ApiRequest, name: str, body: ReleaseIn, response: HttpResponse, idempotency_key: NeededKey
) -> ReleaseOut:
    """An image, a configuration, or both; its first step is planned at once."""
    service = service_of(request, name)
    release = requests.request_release(
        service_id=service.pk, user=request.caller.user, wanted=release_wanted(service, body)
    )
    response["Location"] = reverse("api:get_release", args=[name, release.number])
    return _now(request, name, release.number)


@router.get(_ONE, response=ReleaseOut, operation_id="get_release", summary="Look at a release")
def get_release(
    request: ApiRequest, name: str, number: int, wait_seconds: WaitSeconds = 0, known: Known = ""
) -> ReleaseOut | StreamingHttpResponse:
    """Where a release stands, and what its current step will do; at once, or as soon as that changes.

    An answer without content means: ask again.
    """
    service = service_of(request, name)
    release = release_shown(service, release_of(service, number))
    if wait_seconds and release.open and known in {"", release.version}:
        return another_than(release, request.caller, str(service.pk), wait_seconds)
    return release


@router.post(
    f"{_STEP}/approve", response=ReleaseOut, operation_id="approve_step", summary="Approve a step's plan"
)
def approve_step(
    request: ApiRequest,
    name: str,
    number: int,
    step_id: UUID,
    body: ApprovalIn,
    idempotency_key: Key = None,
    if_match: IfMatch = None,
) -> ReleaseOut:
    """The very plan of these digests; another one by now is refused, with what is different."""
    return _decide(request, (name, number, step_id), approvals.approve, body, if_match)


@router.post(
    f"{_STEP}/reject", response=ReleaseOut, operation_id="reject_step", summary="Reject a step's plan"
)
def reject_step(
    request: ApiRequest,
    name: str,
    number: int,
    step_id: UUID,
    body: RejectionIn,
    idempotency_key: Key = None,
    if_match: IfMatch = None,
) -> ReleaseOut:
    """With the reason. A release that nobody was sent to ends with it."""
    return _decide(request, (name, number, step_id), approvals.reject, body, if_match)


@router.post(f"{_ONE}/cancel", response=ReleaseOut, operation_id="cancel_release", summary="Cancel a release")
def cancel_release(
    request: ApiRequest,
    name: str,
    number: int,
    body: CancellationIn | None = None,
    idempotency_key: Key = None,
) -> ReleaseOut:
    """Only while nobody has been sent to it; afterwards it is rolled back."""
    release = release_of(service_of(request, name), number)
    reason = body.reason if body else ""
    release_acts.cancel(release_id=release.pk, user=request.caller.user, reason=reason)
    return _now(request, name, number)


def _decide(
    request: ApiRequest,
    place: tuple[str, int, UUID],
    decide: Callable[..., Any],
    body: ApprovalIn,
    if_match: str | None,
) -> ReleaseOut:
    name, number, step_id = place
    service = service_of(request, name)
    release = release_of(service, number)
    step = step_of(release, step_id)
    refuse_other_version(if_match, release_shown(service, release))
    shown = PlanIdentity(sha256=body.plan_sha256, changes_digest=body.changes_digest)
    try:
        decide(step_id=step.pk, user=request.caller.user, shown=shown, comment=body.comment)
    except ActRefused as error:
        if error.code == OTHER_PLAN:
            present = step_of(release, step_id)
            raise other_plan(service, present, shown, error.message) from error
        raise
    return _now(request, name, number)


def _now(request: ApiRequest, name: str, number: int) -> ReleaseOut:
    service = service_of(request, name)
    return release_shown(service, release_of(service, number))
