"""Deciding on what is no longer so: refused with what is different."""

from collections.abc import Iterator
from copy import copy
from typing import Annotated

from ninja import Header

from releases.api.problems import ApiProblem, Problem
from releases.api.shown import ReleaseOut
from releases.domain.approval.approval_policy import PlanIdentity
from releases.models import Service, Step
from releases.services.approval.gates import gate_now
from releases.views.shown.plans import plan_of
from terraform_runner.models import Run

OTHER_PLAN = "approval:other-plan"

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        pattern=r'^"?[0-9a-f]{16}"?$',
        description="The version of the release that was looked at; another one by now is refused.",
    ),
]


def refuse_other_version(if_match: str | None, release: ReleaseOut) -> None:
    """Raise ``ApiProblem`` if the release is not as its reader saw it."""
    if if_match is not None and if_match.strip('"') != release.version:
        detail = "The release is another one by now: look at it before you decide."
        sent = {"field": "If-Match", "sent": if_match.strip('"'), "present": release.version}
        raise _stale("release:other-version", detail, [sent], release=release.model_dump(mode="json"))


def other_plan(service: Service, step: Step, shown: PlanIdentity, detail: str) -> ApiProblem:
    """The problem that the plan is not the one that was shown, with how both differ."""
    gate = gate_now(service, step)
    present = gate.identity if gate else None
    sent = {"plan_sha256": shown.sha256, "changes_digest": shown.changes_digest}
    now = {
        "plan_sha256": present.sha256 if present else "",
        "changes_digest": present.changes_digest if present else "",
    }
    fields = [
        {"field": name, "sent": sent[name], "present": now[name]} for name in sent if sent[name] != now[name]
    ]
    before = set(_lines(service, step, _run_shown(step, shown)))
    after = set(_lines(service, step, step.plan_run))
    return _stale(
        OTHER_PLAN, detail, fields, no_longer=sorted(before - after), only_now=sorted(after - before)
    )


def _run_shown(step: Step, shown: PlanIdentity) -> Run | None:
    return Run.objects.filter(pk__in=step.step_runs.values("run"), plan_sha256=shown.sha256).first()


def _lines(service: Service, step: Step, run: Run | None) -> Iterator[str]:
    """A plan's changes, a line for each attribute."""
    planned = copy(step)
    planned.plan_run = run
    plan = plan_of(service, planned)
    for change in plan.changes if plan else ():
        for one in change.attributes:
            yield f"{change.action} {change.address} {one.path}: {one.before} → {one.after}"


def _stale(code: str, detail: str, differences: list[dict[str, str]], **more: object) -> ApiProblem:
    return ApiProblem(
        Problem(status=412, code=code, detail=detail, more={"differences": differences, **more})
    )
