"""Other settings of a running service, by a plan of their own."""

from collections.abc import Mapping
from uuid import UUID

from django.contrib.auth.models import User

from releases import selectors
from releases.domain.errors import InvalidCanary
from releases.domain.provisioning import priorities
from releases.domain.provisioning.managing import may_change_settings
from releases.domain.provisioning.priorities import Layout
from releases.domain.provisioning.settings import Settings, from_columns, to_columns
from releases.domain.provisioning.settings_rules import change_problems
from releases.domain.provisioning.settings_words import differences, told
from releases.domain.traffic import Transition
from releases.models import Service, Step
from releases.services import canary_header, rollout
from releases.services.errors import FieldsInvalid
from releases.services.lifecycle import locked, person, record
from releases.services.provisioning import listeners
from releases.services.provisioning.managed import ManagingRefused, begin_step, refuse_unless
from releases.services.provisioning.settings_columns import present_settings, recorded_settings
from terraform_runner.errors import RunnerError


class SettingsInvalid(FieldsInvalid):
    """Settings that a running service can't have."""

    def __init__(self, by_field: Mapping[str, str]) -> None:
        super().__init__("settings:invalid", by_field)


def request_settings(
    *, service_id: UUID, user: User, wanted: Settings, reason: str, header_value: str = ""
) -> Step:
    """Ask for other settings: they are planned, approved, applied and verified, and only then recorded.

    ``header_value`` is the canary header's secret value in the clear; without one it stays what it is, or what was
    asked for last if that has failed.

    Raises ``NotAllowed``, ``ManagingRefused``, ``SettingsInvalid``, and ``AwsError`` where the listener can't be read.
    """
    service = Service.objects.get(pk=service_id)
    refuse_unless(may_change_settings, user, service)
    _refuse_taken_priorities(service, _settled(service, wanted, header_value))
    with locked(service_id) as service:
        refuse_unless(may_change_settings, user, service)
        settled = _settled(service, wanted, header_value)
        listeners.reserve(service.listener_arn)
        if taken := listeners.still_free(listeners.needed(settled), service.listener_arn, without=service.pk):
            raise SettingsInvalid(
                {"priority": f"{taken[0].priority} is {taken[0].holder} by now: choose another."}
            )
        return _begin(service, user, settled, reason)


def _begin(service: Service, user: User, wanted: Settings, reason: str) -> Step:
    before, after = to_columns(recorded_settings(service)), to_columns(wanted)
    step = begin_step(
        service,
        Transition.SETTINGS,
        user=user,
        reason=reason,
        settings_before=before,
        settings_after=after,
    )
    actor = person(user)
    changed = [name for name in after if before[name] != after[name]]
    record(
        service,
        step,
        actor=actor,
        action="settings.requested",
        before=told({name: before[name] for name in changed}),
        after=told({name: after[name] for name in changed}),
        reason=reason,
    )
    rollout.advance(service, actor=actor)
    return step


def _settled(service: Service, wanted: Settings, header_value: str) -> Settings:
    """The wanted settings as they are recorded; raises ``SettingsInvalid`` and ``ManagingRefused``."""
    present = present_settings(service)
    failed = selectors.own_step(service)
    if failed is not None and failed.settings_after:
        present = (from_columns(failed.settings_after), *present)
    try:
        settled = canary_header.settle(service.pk, wanted, header_value, present=present)
    except InvalidCanary as error:
        field = "canary_header_name" if error.code == "canary:header-name" else "canary_header_value"
        raise SettingsInvalid({field: error.message}) from error
    except RunnerError as error:
        raise SettingsInvalid({"canary_header_value": error.message}) from error
    _refuse_impossible(service, settled)
    return settled


def _refuse_impossible(service: Service, wanted: Settings) -> None:
    present = present_settings(service)
    if problems := {
        name: problem for one in present for name, problem in change_problems(one, wanted).items()
    }:
        raise SettingsInvalid(problems)
    if len(present) == 1 and not differences(*present, wanted):
        raise ManagingRefused("settings:same", "The service has these settings already.")
    try:
        priorities.check_move([*map(_layout, present)], _layout(wanted))
    except priorities.NoPriority as error:
        raise SettingsInvalid({"priority": error.message}) from error


def _layout(given: Settings) -> Layout:
    return Layout(priority=given.priority, slots=given.canary_slots, has_header=given.has_header)


def _refuse_taken_priorities(service: Service, wanted: Settings) -> None:
    """What is needed beyond what the service has must be free; raises ``SettingsInvalid`` with who has it."""
    if _place(recorded_settings(service)) == _place(wanted):
        return
    picture = listeners.read_picture(service, service.listener_arn, without=service.pk)
    try:
        priorities.check(
            wanted.priority,
            picture.rules,
            slots=wanted.canary_slots,
            has_header=wanted.has_header,
            takes_all=wanted.takes_all,
        )
    except priorities.NoPriority as error:
        raise SettingsInvalid({"priority": error.message}) from error


def _place(wanted: Settings) -> tuple[object, ...]:
    """What decides whether there is a place for the service's rules among those of others."""
    return wanted.priority, wanted.canary_slots, wanted.has_header, wanted.takes_all
