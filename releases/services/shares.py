"""Any share at any time: a step that a person puts in front of what a release still has to do."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import F

from audit.events import Actor
from releases import selectors
from releases.domain import any_weight
from releases.domain.any_weight import SKIPPABLE, ChangedPlan
from releases.domain.lifecycle import StepStatus
from releases.domain.release_acts import may_set_share
from releases.domain.traffic import Transition
from releases.models import Release, Service, Step
from releases.services import facts
from releases.services.endings import stop_planning
from releases.services.lifecycle import change_step, now, person, record, record_release
from releases.services.release_acts import allowed, ask_again, note_change

_NOT_STARTED: dict[str, Any] = {"started_by": None, "started_at": None}


def set_share(*, release_id: UUID, share: int, user: User) -> None:
    """Set the new version's share of the users, in percent, before whatever the plan does next.

    What sends more people to the new version needs an approval. What takes people off it begins at once, in a paused
    release too; the way up again then needs an approval and a start. 100 is the promotion. Raises ``ActRefused``.
    """
    with allowed(release_id, user, partial(may_set_share, share=share)) as (service, release):
        actor, present = person(user), service.state.candidate_share
        steps = selectors.steps_of_release(release)
        placed = [facts.placed(step) for step in steps]
        changed = any_weight.set_share(placed, share, present=present, canary_on=service.activate_canary)
        record_release(
            release,
            actor=actor,
            action="release.share-set",
            before={"share": present},
            after={"share": share},
        )
        _change_plan(service, steps, changed, actor)
        note_change(release, user)
        following = steps[changed.following]
        step = following if share == 100 else _insert(release, following, share, present)
        _begin(service, step, user, actor)


def _change_plan(service: Service, steps: Sequence[Step], changed: ChangedPlan, actor: Actor) -> None:
    for step, status in zip(steps, changed.statuses, strict=True):
        if status is not StepStatus(step.status):
            stop_planning(step)
            _bring(step, status, actor)
    # Whoever started what comes later knew nothing of this; an address was wanted in the canary whatever the share is.
    asked_for = {steps[index].pk for index in changed.additions}
    not_begun = [step.pk for step in steps if step.status == StepStatus.PENDING and step.pk not in asked_for]
    Step.objects.filter(pk__in=not_begun).update(**_NOT_STARTED)
    if changed.asks_again is not None:
        ask_again(service, steps[changed.asks_again], actor, gate=True, automatic=False)


def _bring(step: Step, status: StepStatus, actor: Actor) -> None:
    if status is StepStatus.PENDING:
        change_step(step, status, actor=actor, action="step.put-off", plan_run=None, apply_run=None)
    else:
        action = "step.bake-skipped" if status is StepStatus.DONE else "step.skipped"
        change_step(step, status, actor=actor, action=action, ended_at=now())


def _insert(release: Release, before: Step, share: int, present: int) -> Step:
    """A new shift in the place of this step, which comes after it from now on."""
    release.steps.filter(position__gte=before.position).update(position=F("position") + 1)
    return Step.objects.create(
        service=before.service,
        release=release,
        position=before.position,
        transition=Transition.SHIFT.value,
        candidate_share=share,
        gate=share > present,
        bake_seconds=_usual_bake(release) if share > present else 0,
    )


def _usual_bake(release: Release) -> int:
    """The longest bake time of the release's own plan."""
    return max(
        release.steps.filter(transition__in=SKIPPABLE).values_list("bake_seconds", flat=True),
        default=release.service.bake_seconds,
    )


def _begin(service: Service, step: Step, user: User, actor: Actor) -> None:
    Step.objects.filter(pk=step.pk).update(requested_by=user, started_by=user, started_at=now())
    record(service, step, actor=actor, action="step.started")
