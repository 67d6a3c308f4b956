"""What has not ended, of services and of all: a constant number of queries each."""

from collections.abc import Collection, Sequence
from itertools import groupby
from uuid import UUID

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Now

from releases.domain.lifecycle import ENDED_STEP_STATUSES, OPEN_STATUSES, StepStatus
from releases.domain.traffic import Transition
from releases.models import Release, Service, Step
from releases.selectors.glasses import UNREVIEWED

_ENDED = [status.value for status in ENDED_STEP_STATUSES]
_OPEN = sorted(OPEN_STATUSES)
# Nothing waits for these once somebody has said no; a set-up can be asked for again.
_END_WHEN_REJECTED = [Transition.SETTINGS.value, Transition.REMOVE.value]
AT_A_GATE = Q(status=StepStatus.WAITING.value) | Q(status=StepStatus.PENDING.value) & ~Q(request_digest="")
"""A step's plan waits, or before there is one its release's request."""

SPLIT = Q(green_weight__gt=0, green_weight__lt=100) | Q(activate_canary=True)
# What belongs to no release comes first: set-up, and convergence after an emergency.
_IN_ORDER = (F("release__number").asc(nulls_first=True), "position", "created_at")


def unfinished_steps(service: Service) -> QuerySet[Step]:
    """What has not ended: set-up and convergence before the steps of the open release, in the order of its plan."""
    return _all_unfinished_steps().filter(service=service)


def current_step(service: Service) -> Step | None:
    """The one step that the service is at, or that blocks it; nothing when everything has ended."""
    return unfinished_steps(service).first()


def own_step(service: Service) -> Step | None:
    """What is unfinished and belongs to no release: a set-up, other settings, a removal, the end of a rollback."""
    return unfinished_steps(service).filter(release__isnull=True).first()


def waiting_step(service: Service) -> Step | None:
    """The step of a service that waits at a gate: the present one, or the next one while that one bakes."""
    return unfinished_steps(service).filter(AT_A_GATE).first()


def open_release(service: Service) -> Release | None:
    """The release that goes on, or is paused."""
    return service.releases.filter(status__in=_OPEN).first()


def unfinished_by_service(services: Sequence[Service]) -> dict[UUID, list[Step]]:
    """The unfinished steps of many services, each list in order, by the service's id; one query."""
    steps = _all_unfinished_steps().filter(service__in=services).order_by("service_id", *_IN_ORDER)
    return {service_id: list(group) for service_id, group in groupby(steps, lambda step: step.service_id)}


def settings_asked_for(services: Sequence[Service]) -> dict[UUID, list[dict[str, object]]]:
    """The settings that these services will have when what is going on is done, by the service's id; one query."""
    steps = _all_unfinished_steps().filter(service__in=services, transition=Transition.SETTINGS.value)
    found: dict[UUID, list[dict[str, object]]] = {}
    for service_id, settings in steps.order_by().values_list("service_id", "settings_after"):
        found.setdefault(service_id, []).append(settings)
    return found


def services_with_something_due() -> list[UUID]:
    """Services whose current step may move by itself: due to be planned, ready to be applied, or baked."""
    may_start = Q(started_at__isnull=False) | Q(automatic=True)
    waiting = Q(status=StepStatus.PENDING.value) | Q(may_start, status=StepStatus.WAITING.value)
    baked = Q(status=StepStatus.BAKING.value, bake_until__lte=Now())
    still_open = Q(release__isnull=True) | Q(release__status__in=_OPEN)
    due = Step.objects.filter(waiting | baked).filter(still_open)
    return list(due.order_by().values_list("service_id", flat=True).distinct())


def services_with_gates_to_look_at() -> list[UUID]:
    """Services at whose gates something may have changed without anything being done there."""
    due = Step.objects.filter(AT_A_GATE, look_again_at__lte=Now())
    return list(due.order_by().values_list("service_id", flat=True).distinct())


def services_at_gates(environment: str) -> list[UUID]:
    """The services of an environment where a plan waits, or a request."""
    waiting = Step.objects.filter(AT_A_GATE, service__environment=environment)
    return list(waiting.order_by().values_list("service_id", flat=True).distinct())


def services_of_askers(environment: str, accounts: Collection[int]) -> list[Service]:
    """The services of an environment where something goes on that one of these accounts asked for, or changed."""
    of_release = Q(release__requested_by__in=accounts) | Q(release__changed_by__in=accounts)
    asked = of_release | Q(requested_by__in=accounts)
    unfinished = _unfinished(Step.objects.filter(service__environment=environment)).filter(asked)
    return list(Service.objects.filter(pk__in=unfinished.values("service")))


def by_need_of_attention(services: QuerySet[Service]) -> QuerySet[Service]:
    """Failed ones first, those whose users are split without a release, those with a broken glass that nobody else has
    reviewed, those in release, and the rest by name."""
    unfinished = Step.objects.filter(service=OuterRef("pk"))
    failed = _unfinished(unfinished).filter(status__in=[StepStatus.FAILED.value, StepStatus.REJECTED.value])
    in_release = Release.objects.filter(service=OuterRef("pk"), status__in=_OPEN)
    need = Case(
        When(Exists(failed), then=Value(0)),
        When(SPLIT & ~Exists(in_release), then=Value(1)),
        When(Exists(UNREVIEWED.filter(step__service=OuterRef("pk"))), then=Value(2)),
        When(Exists(in_release), then=Value(3)),
        default=Value(4),
        output_field=IntegerField(),
    )
    return services.alias(need=need).order_by("need", "name")


def _all_unfinished_steps() -> QuerySet[Step]:
    return (
        _unfinished(Step.objects.all())
        .select_related("service", "release", "plan_run", "apply_run", "started_by")
        .order_by(*_IN_ORDER)
    )


def _unfinished(steps: QuerySet[Step]) -> QuerySet[Step]:
    ended = Q(status__in=_ENDED) | Q(status=StepStatus.REJECTED.value, transition__in=_END_WHEN_REJECTED)
    return steps.filter(Q(release__isnull=True) | Q(release__status__in=_OPEN)).exclude(ended)
