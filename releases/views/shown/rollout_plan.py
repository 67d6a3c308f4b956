"""A rollout plan in a form: what the service usually has, and a line for each step that the typed shares lead to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict

from releases.domain.canary import parse_addresses
from releases.domain.errors import DomainError, InvalidCanary
from releases.domain.rollout_plan import PlannedStep, Rotation, build_steps, parse_weights
from releases.domain.traffic import TrafficState
from releases.forms.release import BAKE_OF, RolloutForm
from releases.models import Service
from releases.views.shown.canary import warning_of


@dataclass(frozen=True, kw_only=True)
class Line:
    """A step with what was typed as its bake time."""

    step: PlannedStep
    bake_name: str
    bake: str


def usual_plan(service: Service) -> dict[str, object]:
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


def as_query(form: RolloutForm) -> QueryDict:
    """A form that nobody has sent yet, as it will be sent."""
    query = QueryDict(mutable=True)
    query["weights"] = str(form.initial["weights"])
    if form.initial["canary"]:
        query["canary"] = "on"
    for name in ("gates", "automatic"):
        query.setlist(name, form.initial[name])
    for key, seconds in form.initial["bakes"].items():
        query[f"{BAKE_OF}{key}"] = str(seconds)
    return query


def canary_warning(service: Service, form: RolloutForm) -> str:
    """Why some of the addresses in the form will send nobody; what is no address is said at its field."""
    try:
        return warning_of(service, parse_addresses(str(form["canary_addresses"].value() or "")))
    except InvalidCanary:
        return ""


def steps_of(service: Service, state: TrafficState, data: QueryDict) -> dict[str, object]:
    """The planned steps from this state, or why there is no plan of these shares; what is chosen of them by now."""
    steps: Sequence[PlannedStep] = ()
    problem = ""
    try:
        weights = parse_weights(data.get("weights", ""))
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


def _line(step: PlannedStep, bakes: Mapping[str, str]) -> Line:
    name = f"{BAKE_OF}{step.key}"
    return Line(step=step, bake_name=name, bake=bakes.get(name, ""))
