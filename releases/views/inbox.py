"""What waits for one's approval."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from releases.views.lookups import find_plans_to_decide, signed_in
from releases.views.shown.plans import plan_of
from releases.views.shown.words import consequence, step_title

MOST_SHOWN = 100


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """The plans that wait for this person's decision, the one that has waited longest first."""
    return render(request, "releases/inbox.html", _context(request))


def _context(request: HttpRequest) -> dict[str, Any]:
    steps = find_plans_to_decide(signed_in(request))[:MOST_SHOWN]
    return {
        "items": [
            {
                "step": step,
                "title": step_title(step),
                "consequence": consequence(step),
                "plan": plan_of(step.service, step),
            }
            for step in steps
        ]
    }
