"""Requesting a release."""

from collections.abc import Sequence

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from aws import images
from aws.errors import AwsError
from aws.images import Image
from releases.domain.access.decisions import Refused
from releases.domain.acts import Act
from releases.domain.errors import InvalidCanary, InvalidRolloutPlan
from releases.domain.tickets import InvalidTicket
from releases.domain.versions.configuration import InvalidConfiguration
from releases.forms.configuration import ConfigurationForm
from releases.forms.release import ReleaseForm
from releases.models import Release, Service
from releases.permissions import NotAllowed
from releases.services import facts
from releases.services.execution.accounts import access
from releases.services.requests import ReleaseRequest, RequestRefused, request_release
from releases.views.lookups import find_service, signed_in
from releases.views.pages import service_context
from releases.views.shown.next_release import next_release
from releases.views.shown.rollout_plan import as_query, canary_warning, steps_of, usual_plan
from releases.views.shown.traffic import traffic_of

# More are a job for typing the tag: a page of thousands helps nobody.
MOST_IMAGES = 100


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def release_request(request: HttpRequest, name: str) -> HttpResponse:
    """The form, and what it sends; whatever goes wrong, what was typed stays."""
    service = find_service(request, name)
    present = service.state.version_of(service.state.serving).configuration
    if request.method != "POST":
        usual = ReleaseForm(initial=usual_plan(service))
        return _page(request, service, usual, ConfigurationForm(present=present))
    form, configuration = ReleaseForm(request.POST), ConfigurationForm(request.POST, present=present)
    is_valid = all([form.is_valid(), configuration.is_valid()])
    release = _request(request, service, form, configuration) if is_valid else None
    if release is None:
        return _page(request, service, form, configuration, status=422)
    messages.success(request, f"{release} is requested: its first plan is being made.")
    return redirect("release-detail", name=service.name, number=release.number)


@require_safe
def request_steps(request: HttpRequest, name: str) -> HttpResponse:
    """The steps that the typed shares lead to, with a box for an approval at each: for the page's script."""
    service = find_service(request, name)
    return render(request, "releases/_request_steps.html", steps_of(service, service.state, request.GET))


def _request(
    request: HttpRequest, service: Service, form: ReleaseForm, configuration: ConfigurationForm
) -> Release | None:
    wanted = form.cleaned_data
    try:
        return request_release(
            service_id=service.pk,
            user=signed_in(request),
            wanted=ReleaseRequest(
                tag=wanted["tag"],
                configuration=configuration.wanted,
                weights=wanted["weights"],
                canary=wanted["canary"],
                canary_addresses=wanted["canary_addresses"],
                extra_gates=wanted["gates"],
                automatic=wanted["automatic"],
                bake_seconds=wanted["bake_seconds"],
                bakes=wanted["bakes"],
                keep_plan=wanted["keep_plan"],
                gives_up_old_version=wanted["gives_up_old_version"],
                reason=wanted["reason"],
                ticket=wanted["ticket"],
            ),
        )
    except NotAllowed as error:
        raise PermissionDenied(error.message) from error
    except InvalidCanary as error:
        form.add_error("canary_addresses", error.message)
    except InvalidRolloutPlan as error:
        form.add_error("weights", error.message)
    except InvalidTicket as error:
        form.add_error("ticket", error.message)
    except InvalidConfiguration as error:
        configuration.refuse(error)
    except (RequestRefused, AwsError) as error:
        form.add_error(None, error.message)
    return None


def _page(
    request: HttpRequest,
    service: Service,
    form: ReleaseForm,
    configuration: ConfigurationForm,
    status: int = 200,
) -> HttpResponse:
    allowed = facts.possible_acts(signed_in(request), service)[Act.REQUEST]
    if isinstance(allowed, Refused) and allowed.code.startswith("person:"):
        raise PermissionDenied(allowed.reason)
    found, problem = _images(service)
    serving = traffic_of(service).serving
    context = service_context(request, service) | {
        "form": form,
        "configuration": configuration,
        "images": found,
        "images_problem": problem,
        "chosen": _chosen(form, found, serving.tag),
        "serving": serving,
        "next": next_release(service, signed_in(request)),
        "canary_warning": canary_warning(service, form),
        **steps_of(service, service.state, request.POST if form.is_bound else as_query(form)),
    }
    return render(request, "releases/release_request.html", context, status=status)


def _images(service: Service) -> tuple[Sequence[Image], str]:
    try:
        return images.list_images(access(service), service.repository_uri)[:MOST_IMAGES], ""
    except AwsError as error:
        return (), error.message


def _chosen(form: ReleaseForm, found: Sequence[Image], serving_tag: str) -> str:
    """The tag that is selected: what was sent, else the newest that the users do not have yet."""
    if form.is_bound:
        return str(form.data.get("tag", ""))
    return next((image.tag for image in found if image.tag != serving_tag), "")
