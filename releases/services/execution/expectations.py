"""What a step's plan has to be: the states before and after, and what the guard needs to know of the service."""

from releases.domain.canary import header_of
from releases.domain.observed.reality import Reality
from releases.domain.plans.guard import Expectation
from releases.domain.provisioning.blueprint import Blueprint
from releases.domain.provisioning.execution_role import ExecutionRole, RoleRights
from releases.domain.provisioning.settings import SettingsChange, from_columns
from releases.domain.traffic import Color, TrafficState, Transition, Version, target_state
from releases.models import Service, Step
from releases.services import canary_header, states
from releases.services.execution.realities import real_version
from releases.services.provisioning.settings_columns import begun_settings, recorded_settings
from releases.services.versions import secret_values


def of_step(service: Service, step: Step, reality: Reality | None) -> Expectation:
    """The expectation for a new plan; raises ``DomainError`` where the transition is not possible from here."""
    before = _state_before(service, step, reality)
    return _expectation(service, step, before, _state_after(service, step, before))


def of_kept_plan(service: Service, step: Step) -> Expectation:
    """The expectation that the step's current plan was made for."""
    return _expectation(
        service, step, states.from_json(step.state_before), states.from_json(step.state_after)
    )


def of_now(service: Service) -> Expectation:
    """That everything stays as it is recorded."""
    return _expectation(service, Step(transition=Transition.SHIFT.value), service.state, service.state)


def _expectation(service: Service, step: Step, before: TrafficState, after: TrafficState) -> Expectation:
    settings = _settings(service, step)
    headers = canary_header.reveal(service.pk, *settings.starts)
    return Expectation(
        transition=Transition(step.transition),
        before=before,
        after=after,
        blue_target_group_arn=service.blue_target_group_arn,
        green_target_group_arn=service.green_target_group_arn,
        hostnames=settings.after.hostnames,
        priority=settings.after.priority,
        settings=settings,
        blueprint=_blueprint(service),
        revealed={**_revealed(service, before, after), **headers},
        paths=settings.after.paths,
        canary_slots=settings.after.canary_slots,
        canary_header=header_of(settings.after, headers),
        stickiness_seconds=settings.after.stickiness_seconds,
    )


def _blueprint(service: Service) -> Blueprint:
    return Blueprint(
        name=service.name,
        family=service.family,
        region=service.region,
        account_id=service.account_id,
        listener_arn=service.listener_arn,
        role=ExecutionRole(
            arn=service.role_arn,
            rights=RoleRights(service.role_rights),
            permissions_boundary=service.role_permissions_boundary,
        ),
    )


def _revealed(service: Service, *given: TrafficState) -> dict[str, str]:
    versions = [state.version_of(color) for state in given for color in Color]
    return secret_values.reveal(service.pk, *(version.configuration for version in versions))


def _settings(service: Service, step: Step) -> SettingsChange:
    """A settings run leads to what was asked for; a rollback's run finishes what such a run has begun."""
    before, begun = recorded_settings(service), begun_settings(service)
    after = before
    if step.transition == Transition.SETTINGS:
        after = from_columns(step.settings_after)
    elif step.transition == Transition.ROLLBACK and begun is not None:
        after = begun
    return SettingsChange(before=before, after=after, begun=begun)


def _state_before(service: Service, step: Step, reality: Reality | None) -> TrafficState:
    """A rollback leaves both functions as they really are, so that a half-made rotation does not come back with it."""
    state = service.state
    if reality is None or step.transition != Transition.ROLLBACK:
        return state
    for color in Color:
        state = state.with_version(color, real_version(service, reality, color))
    return state


def _state_after(service: Service, step: Step, before: TrafficState) -> TrafficState:
    version = None
    if step.release is not None:
        version = Version(image=step.release.image, configuration=step.release.configuration)
    return target_state(
        before,
        Transition(step.transition),
        version=version,
        share=step.candidate_share,
        safe_color=Color(service.safe_color),
        canary_addresses=step.release.canary_addresses if step.release is not None else None,
    )
