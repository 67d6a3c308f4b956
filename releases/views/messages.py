"""Who is told what: messages on their way, where they go besides mails, and which mails somebody wants."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from releases.domain.access.decisions import Decision, Permission
from releases.domain.errors import DomainError
from releases.forms.messages import MailsForm, WebhookForm
from releases.models import Delivery, DeliveryState, Service, Webhook
from releases.permissions import NotAllowed, services_with
from releases.services.messaging import mail_choices, outbox, webhooks
from releases.views.lookups import find_service, signed_in, theirs
from releases.views.pages import page_of, service_context
from releases.views.shown.deliveries import deliveries_shown


@require_http_methods(["GET", "HEAD", "POST"])
def message_list(request: HttpRequest) -> HttpResponse:
    """The messages of all services that somebody manages, and the webhook for all."""
    form = _form(request, None)
    if request.method == "POST" and _webhook_changed(request, form, None):
        return redirect("message-list")
    context = _shown(request, form, None, webhooks.may_change(None, signed_in(request)))
    return render(request, "releases/message_list.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def service_messages(request: HttpRequest, name: str) -> HttpResponse:
    """A service's messages and its webhook."""
    service = find_service(request, name)
    if request.method == "POST" and "test" in request.POST:
        _send_test(request, service)
        return redirect("service-messages", name=service.name)
    form = _form(request, service)
    if request.method == "POST" and _webhook_changed(request, form, service):
        return redirect("service-messages", name=service.name)
    may = webhooks.may_change(service, signed_in(request))
    context = service_context(request, service) | _shown(request, form, service, may)
    return render(request, "releases/service_messages.html", context, status=422 if form.errors else 200)


@require_POST
def delivery_retry(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """Try once more what was given up."""
    delivery = theirs(_deliveries(request), "They do not manage the service of this message.", pk=delivery_id)
    if outbox.try_again(delivery.pk):
        messages.success(request, f"The message to {delivery.to} is tried again.")
    else:
        messages.warning(request, f"The message to {delivery.to} was not given up: nothing to do.")
    return redirect("service-messages", name=delivery.message.service.name)


@require_http_methods(["GET", "HEAD", "POST"])
def my_mails(request: HttpRequest) -> HttpResponse:
    """Which mails somebody gets, and where."""
    user = signed_in(request)
    begins_with = {"email": user.email, "kinds": [kind.value for kind in mail_choices.wanted_by(user)]}
    form = MailsForm(request.POST if request.method == "POST" else None, initial=begins_with)
    if request.method == "POST" and form.is_valid():
        mail_choices.choose(user=user, email=form.cleaned_data["email"], wanted=form.wanted())
        messages.success(request, "Kept.")
        return redirect("my-mails")
    context = {"form": form, "mail_is_set_up": settings.MAIL_IS_SET_UP}
    return render(request, "releases/my_mails.html", context, status=422 if form.errors else 200)


def _form(request: HttpRequest, service: Service | None) -> WebhookForm:
    present = Webhook.objects.filter(service=service).first()
    style = {"style": present.style} if present else {}
    return WebhookForm(request.POST if request.method == "POST" else None, initial=style)


def _send_test(request: HttpRequest, service: Service) -> None:
    try:
        webhooks.send_test(service=service, user=signed_in(request))
    except NotAllowed as error:
        raise PermissionDenied(error.message) from error
    except DomainError as error:
        messages.warning(request, error.message)
    else:
        messages.success(request, "The test message is on its way: its deliveries are below in a moment.")


def _webhook_changed(request: HttpRequest, form: WebhookForm, service: Service | None) -> bool:
    """Whether it was done; if not, the form says why not."""
    user = signed_in(request)
    try:
        webhooks.refuse_unless_allowed(service, user)
        if "remove" in request.POST:
            webhooks.remove(service=service, user=user)
            messages.success(request, "Nothing is sent there any more.")
            return True
        if not form.is_valid():
            return False
        webhooks.change(service=service, user=user, wanted=form.wanted())
    except NotAllowed as error:
        raise PermissionDenied(error.message) from error
    except DomainError as error:
        form.add_error("secret" if error.code == "webhook:secret" else "address", error.message)
        return False
    messages.success(request, "Kept: messages go there from now on.")
    return True


def _shown(request: HttpRequest, form: WebhookForm, service: Service | None, may: Decision) -> dict[str, Any]:
    found = _deliveries(request)
    if service is not None:
        found = found.filter(message__service=service)
    state = request.GET.get("state", "")
    if state in DeliveryState.values:
        found = found.filter(state=state)
    page = page_of(request, found)
    return {
        "page": page,
        "deliveries": deliveries_shown(list(page.object_list)),
        "state": state if state in DeliveryState.values else "",
        "form": form,
        "webhook": Webhook.objects.filter(service=service).first(),
        "may_change": may,
    }


def _deliveries(request: HttpRequest) -> Any:  # noqa: ANN401 - a query set of deliveries
    """Those of services that this person manages, the newest first."""
    managed = services_with(signed_in(request), Permission.MANAGE)
    found = Delivery.objects.filter(message__service__in=managed.values("pk"))
    return found.select_related("message__service").order_by("-message__created_at", "-pk")
