"""Reads for pages and services: a constant number of queries each."""

from collections.abc import Collection, Sequence
from itertools import groupby
from uuid import UUID

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Now

from audit.models import AuditEvent
from releases.domain.lifecycle import ENDED_STEP_STATUSES, OPEN_STATUSES, StepStatus
from releases.domain.traffic import ROTATIONS, Transition
from releases.glass_selectors import UNREVIEWED
from releases.models import Approval, EmergencyRollback, Release, Service, Step
from terraform_runner import selectors as runs
from terraform_runner.domain.runs import Operation, RunStatus
from terraform_runner.models import LogChunk, Run

# The last ones tell best; a service of years has thousands.
MOST_DURATIONS = 60

_ENDED = [status.value for status in ENDED_STEP_STATUSES]
_OPEN = sorted(OPEN_STATUSES)
# Nothing waits for these once somebody has said no; a set-up can be asked for again.
_END_WHEN_REJECTED = [Transition.SETTINGS.value, Transition.REMOVE.value]
_REACHED = [StepStatus.BAKING.value, StepStatus.DONE.value]
AT_A_GATE = Q(status=StepStatus.WAITING.value) | Q(status=StepStatus.PENDING.value) & ~Q(request_digest="")
"""A step's plan waits, or before there is one its release's request."""

SPLIT = Q(green_weight__gt=0, green_weight__lt=100) | Q(activate_canary=True)
# A set-up is called off before its first apply only, so that nothing of the service was ever at AWS.
CALLED_OFF = Q(set_up_at__isnull=True, removed_at__isnull=False)
# What belongs to no release comes first: set-up, and convergence after an emergency.
_IN_ORDER = (F("release__number").asc(nulls_first=True), "position", "created_at")


def unfinished_steps(service: Service) -> QuerySet[Step]:
    """What has not ended: set-up and convergence before the steps of the open release, in the order of its plan."""
    return _all_unfinished_steps().filter(service=service)


def open_release(service: Service) -> Release | None:
    """The release that goes on, or is paused."""
    return service.releases.filter(status__in=_OPEN).first()


def somebody_was_sent(release: Release) -> bool:
    """Whether an apply that sends anybody to the release's version has begun, or was found to be done already."""
    sending = release.steps.exclude(transition__in=ROTATIONS)
    began = Q(step_runs__run__plan_used_at__isnull=False) | Q(status__in=_REACHED)
    return sending.filter(began).exists()


def release_has_begun(release: Release) -> bool:
    """Whether an apply of any of its steps has begun."""
    return release.steps.filter(step_runs__run__plan_used_at__isnull=False).exists()


def current_step(service: Service) -> Step | None:
    """The one step that the service is at, or that blocks it; nothing when everything has ended."""
    return unfinished_steps(service).first()


def own_step(service: Service) -> Step | None:
    """What is unfinished and belongs to no release: a set-up, other settings, a removal, the end of a rollback."""
    return unfinished_steps(service).filter(release__isnull=True).first()


def set_up_has_begun(service: Service) -> bool:
    """Whether an apply of a set-up was ever begun, and so may have made something at AWS."""
    tries = service.steps.filter(transition=Transition.SET_UP.value)
    return tries.filter(step_runs__run__plan_used_at__isnull=False).exists()


def has_begun(step: Step) -> bool:
    """Whether an apply of this step was ever asked for, and so may have changed something at AWS."""
    return step.step_runs.filter(run__operation=Operation.APPLY).exists()


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


def settings_asked_for(services: Sequence[Service]) -> dict[UUID, list[dict[str, object]]]:
    """The settings that these services will have when what is going on is done, by the service's id; one query."""
    steps = _all_unfinished_steps().filter(service__in=services, transition=Transition.SETTINGS.value)
    found: dict[UUID, list[dict[str, object]]] = {}
    for service_id, settings in steps.order_by().values_list("service_id", "settings_after"):
        found.setdefault(service_id, []).append(settings)
    return found


def step_of_run(run: Run) -> Step:
    """The step that a run belongs to."""
    return Step.objects.select_related("service", "release", "plan_run").get(step_runs__run=run)


def lost_runs() -> list[tuple[Run, Step]]:
    """The runs that were lost with their worker and that a step still waits for, with that step."""
    planning = Q(status=StepStatus.PLANNING.value, plan_run__status=RunStatus.LOST)
    applying = Q(status=StepStatus.APPLYING.value, apply_run__status=RunStatus.LOST)
    steps = Step.objects.filter(planning | applying).select_related("service", "plan_run", "apply_run")
    waited_for = [(step.apply_run or step.plan_run, step) for step in steps]
    return [(run, step) for run, step in waited_for if run]


def plans_to_remove(*, older_than_days: int) -> QuerySet[Run]:
    """Plan runs that ended so long ago and whose plan is kept, but for those of steps that have not ended."""
    needed = Step.objects.exclude(status__in=_ENDED).filter(plan_run__isnull=False).values("plan_run")
    return runs.list_kept_plans(older_than_days=older_than_days).exclude(pk__in=needed)


def get_step(step_id: UUID) -> Step:
    """One step with what belongs to it. Raises ``Step.DoesNotExist``."""
    return Step.objects.select_related("service", "release", "plan_run", "apply_run", "started_by").get(
        pk=step_id
    )


def plan_run_of(apply_run: Run) -> Run:
    """The run whose plan an apply run applies; the database holds that there is one."""
    return Run.objects.get(apply_runs=apply_run)


def rollback_going_on(service: Service) -> EmergencyRollback | None:
    """The emergency rollback which Terraform has neither confirmed nor failed to confirm yet."""
    return (
        EmergencyRollback.objects.filter(service=service, epoch=service.epoch)
        .exclude(converge__status__in=[*_ENDED, StepStatus.FAILED.value])
        .select_related("converge", "service")
        .first()
    )


def last_rollback(service: Service) -> EmergencyRollback | None:
    """The last emergency rollback, whatever came of it."""
    return (
        EmergencyRollback.objects.filter(service=service)
        .select_related("converge", "converge__apply_run", "converge__plan_run", "pressed_by", "release")
        .first()
    )


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


def waiting_step(service: Service) -> Step | None:
    """The step of a service that waits at a gate: the present one, or the next one while that one bakes."""
    return unfinished_steps(service).filter(AT_A_GATE).first()


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


def unfinished_by_service(services: Sequence[Service]) -> dict[UUID, list[Step]]:
    """The unfinished steps of many services, each list in order, by the service's id; one query."""
    steps = _all_unfinished_steps().filter(service__in=services).order_by("service_id", *_IN_ORDER)
    return {service_id: list(group) for service_id, group in groupby(steps, lambda step: step.service_id)}


def last_releases(services: Sequence[Service]) -> dict[UUID, Release]:
    """The newest release of each service that has one, by the service's id; one query."""
    newest = (
        Release.objects.filter(service__in=services)
        .select_related("requested_by")
        .order_by("service_id", "-number")
        .distinct("service_id")
    )
    return {release.service_id: release for release in newest}


def list_releases(service: Service, *, below: int | None, limit: int) -> list[Release]:
    """A service's releases, newest first; the next page has those ``below`` the last one's number."""
    releases = service.releases.select_related("requested_by").order_by("-number")
    if below is not None:
        releases = releases.filter(number__lt=below)
    return list(releases[:limit])


def steps_of_release(release: Release) -> list[Step]:
    """A release's steps in the order of its plan, each with its current runs."""
    steps = release.steps.select_related(
        "service", "release", "plan_run", "apply_run", "started_by", "requested_by"
    )
    return list(steps.order_by("position"))


def approvals_of_release(release: Release) -> list[Approval]:
    """Who decided what at a release's gates, in the order of time."""
    given = Approval.objects.filter(step__release=release)
    return list(given.select_related("step", "decided_by", "plan_run").order_by("decided_at"))


def runs_of_step(step: Step) -> list[Run]:
    """A step's runs, newest first, the replaced plans among them; at most the twenty that it may have."""
    return list(Run.objects.filter(pk__in=step.step_runs.values("run")).order_by("-queued_at", "-pk"))


def count_lines(run: Run) -> int:
    """How many lines of a run's output are kept by now."""
    last = LogChunk.objects.filter(run=run).order_by("-first_line").first()
    return last.first_line + len(last.lines) if last else 0


def events_of_release(release: Release) -> list[AuditEvent]:
    """What happened to a release and its steps, newest first; at most the last 200."""
    events = AuditEvent.objects.filter(
        service_id=str(release.service_id), subject__release=str(release.pk)
    ).order_by("-pk")
    return list(events[:200])


def _all_unfinished_steps() -> QuerySet[Step]:
    return (
        _unfinished(Step.objects.all())
        .select_related("service", "release", "plan_run", "apply_run", "started_by")
        .order_by(*_IN_ORDER)
    )


def _unfinished(steps: QuerySet[Step]) -> QuerySet[Step]:
    ended = Q(status__in=_ENDED) | Q(status=StepStatus.REJECTED.value, transition__in=_END_WHEN_REJECTED)
    return steps.filter(Q(release__isnull=True) | Q(release__status__in=_OPEN)).exclude(ended)
