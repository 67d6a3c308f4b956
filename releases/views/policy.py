"""What the gates ask for: of a service, and what an environment's services usually ask."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from releases.domain.access.decisions import Decision, Refused
from releases.domain.approval.gate_policy import InvalidPolicy
from releases.domain.provisioning.managing import may_change_policy
from releases.forms.policy import PolicyForm, as_typed
from releases.models import Policy, Service
from releases.permissions import NotAllowed, as_person, may_set_defaults, visible_services
from releases.services.approval import policy_changes
from releases.services.approval.policies import combined, policy_of
from releases.services.errors import is_personal
from releases.services.provisioning import managed
from releases.services.provisioning.managed import ManagingRefused
from releases.views.lookups import find_service, signed_in, theirs
from releases.views.pages import service_context

_DONE = "Changed: it counts at once."


@require_http_methods(["GET", "HEAD", "POST"])
def service_policy(request: HttpRequest, name: str) -> HttpResponse:
    """A service's policy, and what is asked for in its place; whatever goes wrong, what was typed stays."""
    service = find_service(request, name)
    answer = may_change_policy(as_person(signed_in(request), service), managed.managed_facts(service))
    _refuse_post(request, answer)
    form = PolicyForm(
        request.POST if request.method == "POST" else None, initial=as_typed(policy_of(service))
    )
    if request.method == "POST" and form.is_valid() and _changed(form, request, service=service):
        messages.success(request, _DONE)
        return redirect("service-policy", name=service.name)
    context = service_context(request, service) | {"form": form, "may_change": answer}
    return render(request, "releases/service_policy.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def environment_policy(request: HttpRequest, environment: str) -> HttpResponse:
    """An environment's usual policy; who may see one of its services may see it."""
    user = signed_in(request)
    theirs(visible_services(user), "None of this environment's services is theirs.", environment=environment)
    answer = may_set_defaults(user, environment)
    _refuse_post(request, answer)
    present = combined(list(Policy.objects.filter(environment=environment)))
    form = PolicyForm(request.POST if request.method == "POST" else None, initial=as_typed(present))
    if request.method == "POST" and form.is_valid() and _changed(form, request, environment=environment):
        messages.success(request, _DONE)
        return redirect("environment-policy", environment=environment)
    context: dict[str, Any] = {
        "environment": environment,
        "form": form,
        "may_change": answer,
    }
    return render(request, "releases/environment_policy.html", context, status=422 if form.errors else 200)


def _refuse_post(request: HttpRequest, answer: Decision) -> None:
    if request.method == "POST" and isinstance(answer, Refused) and answer.code.startswith("person:"):
        raise PermissionDenied(answer.reason)


def _changed(
    form: PolicyForm, request: HttpRequest, *, service: Service | None = None, environment: str = ""
) -> bool:
    """Whether it was done; if not, the form says why not."""
    user, wanted = signed_in(request), form.wanted()
    try:
        if service:
            policy_changes.change_policy(service_id=service.pk, user=user, wanted=wanted)
        else:
            policy_changes.change_defaults(environment=environment, user=user, wanted=wanted)
    except NotAllowed as error:
        raise PermissionDenied(error.message) from error
    except InvalidPolicy as error:
        form.refuse(error.field, error.message)
        return False
    except ManagingRefused as error:
        if is_personal(error):
            raise PermissionDenied(error.message) from error
        form.add_error(None, error.message)
        return False
    return True
