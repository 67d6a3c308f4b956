"""Other settings of a running service, by a plan of their own."""

from collections.abc import Mapping
from uuid import UUID

from django.contrib.auth.models import User

from releases.domain import priorities
from releases.domain.errors import DomainError
from releases.domain.managing import may_change_settings
from releases.domain.priorities import Layout
from releases.domain.settings import Settings, change_problems, differences, to_columns
from releases.domain.traffic import Transition
from releases.models import Service, Step
from releases.services import listeners, rollout
from releases.services.lifecycle import locked, person, record
from releases.services.managed import ManagingRefused, begin_step, refuse_unless
from releases.services.settings_columns import begun_settings, recorded_settings


class SettingsInvalid(DomainError):
    """Settings that can't be had; ``by_field`` says why, by the names of the fields."""

    def __init__(self, by_field: Mapping[str, str]) -> None:
        super().__init__("settings:invalid", " ".join(by_field.values()))
        self.by_field = by_field


def request_settings(*, service_id: UUID, user: User, wanted: Settings, reason: str) -> Step:
    """Ask for other settings: they are planned, approved, applied and verified, and only then recorded.

    Raises ``NotAllowed``, ``ManagingRefused``, ``SettingsInvalid``, and ``AwsError`` where the listener can't be read.
    """
    service = Service.objects.get(pk=service_id)
    refuse_unless(may_change_settings, user, service)
    _refuse_impossible(service, wanted)
    _refuse_taken_priorities(service, wanted)
    with locked(service_id) as service:
        refuse_unless(may_change_settings, user, service)
        _refuse_impossible(service, wanted)
        listeners.reserve(service.listener_arn)
        if taken := listeners.still_free(_needed(service, wanted), service.listener_arn, without=service.pk):
            raise SettingsInvalid(
                {"priority": f"{taken[0].priority} is {taken[0].holder} by now: choose another."}
            )
        return _begin(service, user, wanted, reason)


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
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
        reason=reason,
    )
    rollout.advance(service, actor=actor)
    return step


def _refuse_impossible(service: Service, wanted: Settings) -> None:
    recorded, begun = recorded_settings(service), begun_settings(service)
    has_header = listeners.has_header(service)
    problems = change_problems(recorded, wanted, has_header=has_header)
    if begun is not None:
        problems = {**change_problems(begun, wanted, has_header=has_header), **problems}
    if problems:
        raise SettingsInvalid(problems)
    if begun is None and not differences(recorded, wanted):
        raise ManagingRefused("settings:same", "The service has these settings already.")
    starts = [_layout(one, has_header) for one in (recorded, begun) if one is not None]
    try:
        priorities.check_move(starts, _layout(wanted, has_header))
    except priorities.NoPriority as error:
        raise SettingsInvalid({"priority": error.message}) from error


def _layout(given: Settings, has_header: bool) -> Layout:
    return Layout(priority=given.priority, slots=given.canary_slots, has_header=has_header)


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
            has_header=listeners.has_header(service),
            takes_all=wanted.takes_all,
        )
    except priorities.NoPriority as error:
        raise SettingsInvalid({"priority": error.message}) from error


def _place(wanted: Settings) -> tuple[object, ...]:
    """What decides whether there is a place for the service's rules among those of others."""
    return wanted.priority, wanted.canary_slots, wanted.takes_all


def _needed(service: Service, wanted: Settings) -> range:
    return listeners.needed(wanted, has_header=listeners.has_header(service))
