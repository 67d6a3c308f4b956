"""Requesting a release."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from aws import images
from aws.errors import AwsError
from aws.images import Image
from releases.configuration_form import ConfigurationForm
from releases.domain.acts import Act
from releases.domain.configuration import InvalidConfiguration
from releases.domain.decisions import Refused
from releases.domain.errors import DomainError, InvalidCanary, InvalidRolloutPlan
from releases.domain.rollout_plan import PlannedStep, Rotation, build_steps, parse_weights, rotation_steps
from releases.forms import BAKE_OF, ReleaseForm
from releases.models import Release, Service
from releases.permissions import NotAllowed
from releases.services import facts
from releases.services.accounts import access
from releases.services.requests import ReleaseRequest, RequestRefused, request_release
from releases.views.lookups import find_service, signed_in
from releases.views.pages import service_context
from releases.views.shown.next_release import KeptVersion, kept_version
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
        usual = ReleaseForm(initial=_usual(service))
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
    return render(request, "releases/_request_steps.html", _steps(service, request.GET))


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
            ),
        )
    except NotAllowed as error:
        raise PermissionDenied(error.message) from error
    except InvalidCanary as error:
        form.add_error("canary_addresses", error.message)
    except InvalidRolloutPlan as error:
        form.add_error("weights", error.message)
    except InvalidConfiguration as error:
        configuration.refuse(error)
    except (RequestRefused, AwsError) as error:
        form.add_error(None, error.message)
    return None


def _usual(service: Service) -> dict[str, object]:
    """What most requests say, so that nothing needs to be typed."""
    return {
        "weights": ", ".join(map(str, service.weights)),
        "canary": service.canary_first and bool(service.canary_addresses or service.canary_header_name),
        "canary_addresses": ", ".join(service.canary_addresses),
        "bake_seconds": service.bake_seconds,
        "gates": service.extra_gates,
        "automatic": service.automatic_steps,
        "bakes": service.bakes,
    }


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
        "refused": allowed.reason if isinstance(allowed, Refused) else "",
        "images": found,
        "images_problem": problem,
        "chosen": _chosen(form, found, serving.tag),
        "serving": serving,
        "kept": _kept(service),
        **_steps(service, request.POST if form.is_bound else _as_query(form)),
    }
    return render(request, "releases/release_request.html", context, status=status)


def _kept(service: Service) -> KeptVersion | None:
    """The old version that the rotation would overwrite before its time."""
    try:
        return kept_version(service, rotation_steps(service.state, Rotation(service.rotation)))
    except InvalidRolloutPlan:
        return None


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


def _as_query(form: ReleaseForm) -> QueryDict:
    query = QueryDict(mutable=True)
    query["weights"] = str(form.initial["weights"])
    if form.initial["canary"]:
        query["canary"] = "on"
    for name in ("gates", "automatic"):
        query.setlist(name, form.initial[name])
    for key, seconds in form.initial["bakes"].items():
        query[f"{BAKE_OF}{key}"] = str(seconds)
    return query


def _steps(service: Service, data: QueryDict) -> dict[str, object]:
    """The planned steps, or why there is no plan from these shares; the extra gates that are wanted by now."""
    steps: Sequence[PlannedStep] = ()
    problem = ""
    try:
        weights = parse_weights(data.get("weights", ""))
        state = service.state
        steps = build_steps(
            state,
            state.version_of(state.stable),
            weights=weights,
            rotation=Rotation(service.rotation),
            canary="canary" in data,
        )
    except DomainError as error:
        problem = error.message
    chosen = {name: data.getlist(name) for name in ("gates", "automatic")}
    bakes = {name: text for name, text in data.items() if isinstance(text, str) and name.startswith(BAKE_OF)}
    return {
        **chosen,
        "lines": [_line(step, bakes) for step in steps],
        "bakes": bakes,
        "steps_problem": problem,
        "service": service,
    }


@dataclass(frozen=True, kw_only=True)
class _Line:
    """A step with what was typed as its bake time."""

    step: PlannedStep
    bake_name: str
    bake: str


def _line(step: PlannedStep, bakes: Mapping[str, str]) -> _Line:
    name = f"{BAKE_OF}{step.key}"
    return _Line(step=step, bake_name=name, bake=bakes.get(name, ""))
