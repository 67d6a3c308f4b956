"""Preparing the next release ahead."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from releases.permissions import NotAllowed
from releases.services.preparation import PreparationRefused, prepare
from releases.views.lookups import find_service, signed_in
from releases.views.services import render_service


@require_POST
def prepare_release(request: HttpRequest, name: str) -> HttpResponse:
    """Begin the next rotation; what is refused is said on the service's page."""
    service = find_service(request, name)
    try:
        prepare(
            service_id=service.pk,
            user=signed_in(request),
            gives_up_old_version="gives_up_old_version" in request.POST,
        )
    except NotAllowed as error:
        raise PermissionDenied(error.message) from error
    except PreparationRefused as error:
        return render_service(request, name, problem=error.message)
    messages.success(request, "The next release is being prepared.")
    return redirect("service-detail", name=service.name)
