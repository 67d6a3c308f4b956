"""What waits for one's approval or review, for others, and what one has decided; decisions are made in place."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from releases.domain.access.decisions import Refused
from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.errors import IllegalChange
from releases.forms.release import RoutinePlansForm, ShownPlanForm
from releases.models import Step
from releases.permissions import visible_services
from releases.selectors import plans as plan_selectors
from releases.services.approval import approvals
from releases.services.errors import ActRefused, is_personal
from releases.views.acts import decide_as_shown
from releases.views.lookups import find_glasses_to_review, find_plan, find_plans_to_decide, signed_in
from releases.views.pages import page_of
from releases.views.reader import reader_of
from releases.views.shown.glasses import gate_of_glass
from releases.views.shown.inbox import Waiting, chosen, decided_words, waiting
from releases.views.shown.words import step_title

PER_PAGE = 20


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """The plans that wait for this person's decision, the one that has waited longest first and beside the others."""
    context = _list(request)
    first = next(iter(context.get("rows", ())), None)
    # While somebody reads, nothing else is put in its place: the page's script asks for what it shows by its address.
    if first is not None and context["view"] == "mine" and not request.headers.get("X-Live"):
        context["chosen"] = chosen(signed_in(request), first.step, first.risk)
    return render(request, "releases/inbox.html", context)


@require_safe
def inbox_item(request: HttpRequest, step_id: UUID) -> HttpResponse:
    """One plan with all that a decision on it needs, beside the others."""
    return _render(request, find_plan(request, step_id))


@require_POST
def inbox_approve(request: HttpRequest, step_id: UUID) -> HttpResponse:
    """Approve the plan that the page showed."""
    return _decide(request, find_plan(request, step_id), approvals.approve, "Approved")


@require_POST
def inbox_reject(request: HttpRequest, step_id: UUID) -> HttpResponse:
    """Reject the plan that the page showed."""
    return _decide(request, find_plan(request, step_id), approvals.reject, "Rejected")


@require_POST
def inbox_approve_routine(request: HttpRequest) -> HttpResponse:
    """Approve several plans at once that are routine now; each by itself, as it was shown."""
    form = RoutinePlansForm(request.POST)
    if not form.is_valid():
        messages.warning(request, "Choose at least one plan of the list, and approve again.")
        return redirect("inbox")
    shown: dict[UUID, PlanIdentity] = form.cleaned_data["plan"]
    found = find_plans_to_decide(signed_in(request)).filter(pk__in=shown)
    rows = {row.step.pk: row for row in waiting(list(found))}
    refusals: list[str] = []
    for step_id, identity in shown.items():
        row = rows.get(step_id)
        if row is None or not row.is_routine:
            refusals.append(_why_not(request, find_plan(request, step_id), row))
        else:
            approve = partial(approvals.approve, step_id=step_id, user=signed_in(request), shown=identity)
            refusals.append(_approve_one(request, row.name, approve))
    if any(refusals):
        raise PermissionDenied(" ".join(filter(None, refusals)))
    return redirect("inbox")


def _why_not(request: HttpRequest, step: Step, row: Waiting | None) -> str:
    """Why this person may not approve what the list did not offer them; where it is not theirs that is wrong, it is
    only said, and "" is given."""
    answer = chosen(signed_in(request), step).decision.may_approve
    if isinstance(answer, Refused) and is_personal(answer):
        return answer.reason
    if row:
        said = f"Not approved: {row.name}: it {row.verdict}."
    else:
        said = f"{decided_words(step, plan_selectors.approvals_of(step))}: nothing to do."
    messages.warning(request, said)
    return ""


def _approve_one(request: HttpRequest, name: str, approve: Callable[[], None]) -> str:
    """Why this person may not, or ""."""
    try:
        approve()
    except (ActRefused, IllegalChange) as error:
        if is_personal(error):
            return error.message
        messages.warning(request, f"Not approved: {name}. {error.message}")
    else:
        messages.success(request, f"Approved: {name}.")
    return ""


def _decide(request: HttpRequest, step: Step, decide: Callable[..., None], done: str) -> HttpResponse:
    try:
        decide_as_shown(ShownPlanForm(request.POST), decide, step=step, user=signed_in(request))
    except (ActRefused, IllegalChange) as error:
        if is_personal(error):
            raise PermissionDenied(error.message) from error
        return _render(request, find_plan(request, step.pk), problem=error.message)
    messages.success(request, f"{done}: {step.service.name}, {step_title(step)}.")
    return redirect("inbox")


def _render(request: HttpRequest, step: Step, *, problem: str = "") -> HttpResponse:
    context: Mapping[str, Any] = {
        **_list(request),
        "chosen": chosen(signed_in(request), step),
        "problem": problem,
        "comment": request.POST.get("comment", ""),
    }
    return render(request, "releases/inbox.html", context, status=409 if problem else 200)


def _list(request: HttpRequest) -> dict[str, Any]:
    """The list of one of the three views, and how many each of the first two has."""
    user, view = signed_in(request), request.GET.get("view", "")
    services = visible_services(user)
    mine = find_plans_to_decide(user)
    others = plan_selectors.plans_for_others(services, but=mine)
    reader = reader_of(request)
    context: dict[str, Any] = {"count_mine": reader.waiting, "count_others": others.count()}
    if view == "done":
        page = page_of(request, plan_selectors.decisions_by(user, services=services), PER_PAGE)
        done = [
            (decision, step_title(decision.step) if decision.plan_run_id else "Request")
            for decision in page.object_list
        ]
        return context | {"view": "done", "page": page, "done": done}
    steps = page_of(request, others if view == "others" else mine, PER_PAGE)
    rows = waiting(list(steps.object_list))
    shown = "others" if view == "others" else "mine"
    context |= {"view": shown, "page": steps, "rows": rows}
    if shown == "others":
        return context
    to_review = [(glass, gate_of_glass(glass)) for glass in find_glasses_to_review(user)[:PER_PAGE]]
    return context | {
        "has_routine": any(row.is_routine for row in rows),
        "glasses": to_review,
        "more_glasses": reader.glasses - len(to_review),
    }
