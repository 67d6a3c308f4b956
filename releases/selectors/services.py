"""Reading services: a constant number of queries each."""

from collections.abc import Sequence
from itertools import groupby
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import Transition
from releases.models import Release, Service, Step
from releases.selectors.glasses import UNREVIEWED
from terraform_runner.domain.runs import RunStatus

# The last ones tell best; a service of years has thousands.
MOST_DURATIONS = 60

# A set-up is called off before its first apply only, so that nothing of the service was ever at AWS.
CALLED_OFF = Q(set_up_at__isnull=True, removed_at__isnull=False)


def services_on_listener(listener_arn: str) -> list[Service]:
    """The services that have rules on a listener, or will have."""
    return list(Service.objects.filter(listener_arn=listener_arn, removed_at__isnull=True).order_by("name"))


def count_set_ups(listener_arn: str) -> int:
    """How many services that are not set up yet will have target groups on this listener's load balancer."""
    load_balancer = listener_arn.rpartition("/")[0]
    waiting = Service.objects.filter(set_up_at__isnull=True, removed_at__isnull=True)
    return waiting.filter(listener_arn__startswith=f"{load_balancer}/").count()


def services_of_family(family: str, *, account_id: str, region: str) -> QuerySet[Service]:
    """The services whose target groups are named by this family, in the place where such names are unique."""
    there = Service.objects.filter(account_id=account_id, region=region, removed_at__isnull=True)
    return there.filter(family=family)


def set_up_has_begun(service: Service) -> bool:
    """Whether an apply of a set-up was ever begun, and so may have made something at AWS."""
    tries = service.steps.filter(transition=Transition.SET_UP.value)
    return tries.filter(step_runs__run__plan_used_at__isnull=False).exists()


def set_up_step(service: Service) -> Step | None:
    """The step that has set the service up, with the state that it led to."""
    done = service.steps.filter(transition=Transition.SET_UP.value, status=StepStatus.DONE.value)
    return done.order_by("-ended_at").first()


def step_durations(service: Service) -> dict[Transition, list[float]]:
    """How long the last applied steps took, by transition: in seconds, waiting for people apart; one query."""
    applied = (
        Step.objects.filter(service=service, apply_run__status=RunStatus.SUCCEEDED, plan_run__isnull=False)
        .order_by("-apply_run__ended_at")
        .values_list(
            *("transition", "plan_run__started_at", "plan_run__ended_at"),
            *("apply_run__started_at", "apply_run__ended_at"),
        )[:MOST_DURATIONS]
    )
    durations: dict[Transition, list[float]] = {}
    for transition, *(planning, planned, applying, ended) in applied:
        seconds = (planned - planning + (ended - applying)).total_seconds()
        durations.setdefault(Transition(transition), []).append(seconds)
    return durations


def telling_releases(services: Sequence[Service]) -> dict[UUID, tuple[Release, list[Release]]]:
    """Each service's newest release, and those with a broken glass that nobody else has reviewed, the first one first.

    By the service's id, of those that have any; one query.
    """
    here = Release.objects.filter(service__in=services)
    newest = here.order_by("service_id", "-number").distinct("service_id")
    found = (
        here.annotate(is_flagged=Exists(UNREVIEWED.filter(step__release=OuterRef("pk"))))
        .filter(Q(is_flagged=True) | Q(pk__in=newest.values("pk")))
        .select_related("requested_by")
        .order_by("service_id", "number")
    )
    by_service = groupby(found, lambda one: one.service_id)
    each = ((service_id, list(releases)) for service_id, releases in by_service)
    return {
        service_id: (releases[-1], [one for one in releases if one.is_flagged])
        for service_id, releases in each
    }


def list_releases(service: Service, *, below: int | None, limit: int) -> list[Release]:
    """A service's releases, newest first; the next page has those ``below`` the last one's number."""
    releases = service.releases.select_related("requested_by").order_by("-number")
    if below is not None:
        releases = releases.filter(number__lt=below)
    return list(releases[:limit])
