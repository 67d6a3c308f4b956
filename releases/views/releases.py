"""One release: its steps, what the present one will do, who decides, and what happened."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from releases import selectors
from releases.domain.plans.variables import variables_text
from releases.domain.traffic import Transition
from releases.domain.versions.configuration_words import changes
from releases.models import Release, Service, Step
from releases.permissions import as_person
from releases.services import facts, rollout, states
from releases.services.approval import break_glass
from releases.services.approval.gates import gate_now, gates_before
from releases.services.versions import image_marks
from releases.views.lookups import find_release, find_service, find_step, signed_in
from releases.views.pages import service_context
from releases.views.shown.canary import CanaryShown, canary_of
from releases.views.shown.course import course
from releases.views.shown.decision import decision_of
from releases.views.shown.events import events_shown
from releases.views.shown.gate import gate_of
from releases.views.shown.glasses import glasses_of
from releases.views.shown.headline import headline
from releases.views.shown.log import log_tail, whole_log
from releases.views.shown.next_release import NextRelease, next_release
from releases.views.shown.plans import plan_of
from releases.views.shown.replaced import replaced_plan
from releases.views.shown.requested import request_of
from releases.views.shown.stairs import stairs
from releases.views.shown.waiting import waiting_of
from releases.views.shown.words import consequence, start_words, step_meaning, step_title

TABS = ("changes", "variables", "raw")


@require_safe
def release_detail(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """The page of a release; ``?step=`` looks at another step than the present one, ``?tab=`` at its plan otherwise."""
    service = find_service(request, name)
    return render_release(request, service, find_release(service, number))


@require_safe
def step_variables(request: HttpRequest, name: str, step_id: UUID) -> HttpResponse:
    """The six variables after a step, as a file for Terraform; those of now for a step without a plan."""
    service = find_service(request, name)
    step = find_step(service, step_id)
    state = states.from_json(step.state_after) if step.state_after else service.state
    file_name = f"{service.name}-{step.release}-{step.position + 1}.tfvars"
    return HttpResponse(
        variables_text(state, family=service.family),
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


def render_release(
    request: HttpRequest,
    service: Service,
    release: Release,
    *,
    problem: str = "",
    typed: Mapping[str, str] | None = None,
    seen: str = "",
) -> HttpResponse:
    """The page of a release; with a ``problem`` it answers 409 to an act that was refused, and keeps what was typed.

    It says in what the present plan differs from the one whose SHA-256 was ``seen``.
    """
    context = release_context(request, service, release) | {"problem": problem, "typed": typed or {}}
    context["replaced"] = replaced_plan(context["step"], seen)
    return render(request, "releases/release_detail.html", context, status=409 if problem else 200)


def release_context(request: HttpRequest, service: Service, release: Release) -> dict[str, Any]:
    """What the page and its live parts are written from; a constant number of queries."""
    steps = selectors.steps_of_release(release)
    current = selectors.current_step(service) if release.is_open else None
    acting = facts.acting_step(service) if release.is_open else None
    present = acting or current
    shown = _chosen(request, steps) or present or steps[-1]
    approvals = selectors.approvals_of_release(release)
    gate, plan = gate_now(service, present), plan_of(service, shown)
    requested = request_of(gate, steps) if present == shown else None
    asked = gate_of(gate) if gate and gate.is_needed and present == shown else None
    tab = request.GET.get("tab", "")
    settled_at = _still_to_come(rollout.settled_at(service, current)) if current else None
    shared, person = service_context(request, service), as_person(signed_in(request), service)
    return shared | {
        "release": release,
        "configuration_changes": changes(release.from_configuration, release.configuration),
        "course": course(release, current, acting, shared["acts"]),
        "headline": headline(
            release,
            current,
            gate,
            settled_at=settled_at,
            waiting=waiting_of(current, signed_in(request)),
        ),
        "stairs": stairs(steps, shown, (gate or gates_before(service, present or shown).own).policy),
        "step": shown,
        "title": step_title(shown),
        "meaning": step_meaning(shown),
        "start_words": start_words(shown),
        "consequence": consequence(shown),
        "acting": acting if acting == shown else None,
        "current": current,
        "plan": plan,
        "request_shown": requested,
        "mark": image_marks.mark_of(release.image),
        "may_mark": image_marks.may_mark(person),
        "may_lift": image_marks.may_lift(person),
        "may_break": break_glass.answer(service, shown, signed_in(request))
        if gate and present == shown and not gate.is_open and gate.policy.break_glass
        else None,
        "glasses": glasses_of(release, person),
        "tab": tab if tab in TABS else TABS[0],
        "plan_lines": whole_log(shown.plan_run) if tab == "raw" else (),
        "approvals": [
            (approval, step_title(approval.step) if approval.plan_run_id else "the request")
            for approval in approvals
        ],
        "gate": asked,
        "decision": decision_of(
            shown,
            asked,
            may_approve=shared["acts"]["approve"],
            may_reject=shared["acts"]["reject"],
            is_whole=requested is not None or (plan is not None and plan.is_complete),
        ),
        "canary": _canary(request, service, release, shown),
        "next": _next(request, service, release),
        "events": events_shown(selectors.events_of_release(release)),
        **log_tail(shown),
    }


def _still_to_come(moment: datetime) -> datetime | None:
    return moment if moment > timezone.now() else None


def _chosen(request: HttpRequest, steps: Sequence[Step]) -> Step | None:
    wanted = request.GET.get("step", "")
    return next((step for step in steps if str(step.position + 1) == wanted), None)


def _next(request: HttpRequest, service: Service, release: Release) -> NextRelease | None:
    """What the next release will do first, once this one has ended and nothing else goes on."""
    if release.is_open or selectors.current_step(service) is not None:
        return None
    return next_release(service, signed_in(request))


def _canary(request: HttpRequest, service: Service, release: Release, step: Step) -> CanaryShown | None:
    if step.transition != Transition.CANARY and not service.activate_canary:
        return None
    return canary_of(service, release, request.META.get("REMOTE_ADDR", ""))
