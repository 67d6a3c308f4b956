"""What a listener has, and whose it is: the rules of other services and of other people, and how much room is left."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import connection

from aws import listeners
from aws.errors import AwsError
from aws.listeners import ListenerRule
from releases import selectors
from releases.domain.provisioning import priorities
from releases.domain.provisioning.priorities import HeldPriority, Room
from releases.domain.provisioning.settings import Settings, from_columns
from releases.models import Service
from releases.services.execution.accounts import InAccount, access
from releases.services.provisioning.settings_columns import recorded_settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ListenerPicture:
    """One moment of a listener: its rules by priority with whose they are, and how full its load balancer is."""

    name: str
    rules: tuple[HeldPriority, ...]
    target_groups: int
    set_ups: int

    @property
    def room(self) -> Room:
        """With the groups that services will have which are not set up yet."""
        return Room(target_groups=self.target_groups + 2 * self.set_ups)

    def derive(self, settings: Settings, *, has_header: bool = False) -> int:
        """The lowest priority that a service with these settings can have here; raises ``NoPriority``."""
        return priorities.derive(
            [rule.priority for rule in self.rules],
            slots=settings.canary_slots,
            has_header=has_header,
            after_all_others=settings.takes_all,
        )


def read_picture(place: InAccount, listener_arn: str, *, without: UUID | None = None) -> ListenerPicture:
    """The listener as it is now; ``without`` leaves out a service's own rules. Raises ``AwsError``."""
    reach = access(place)
    listener = listeners.read_listener(reach, listener_arn)
    others = [one for one in selectors.services_on_listener(listener_arn) if one.pk != without]
    rules = _held(listeners.list_rules(reach, listener_arn), others, _own_rules(without))
    return ListenerPicture(
        name=f"{listener.load_balancer_name}, {listener.protocol} {listener.port}",
        rules=_by_priority(rules),
        target_groups=listeners.count_target_groups(reach, listener.load_balancer_arn),
        set_ups=selectors.count_set_ups(listener_arn),
    )


def renewed(picture: ListenerPicture, listener_arn: str) -> ListenerPicture:
    """The same picture with what services of Bluegreen were given since it was taken; AWS is not asked."""
    known = {rule.priority for rule in picture.rules}
    given = _planned(selectors.services_on_listener(listener_arn))
    return replace(
        picture,
        rules=_by_priority([*picture.rules, *(held for held in given if held.priority not in known)]),
        set_ups=selectors.count_set_ups(listener_arn),
    )


def reserve(listener_arn: str) -> None:
    """Let nobody else choose priorities on this listener until the transaction has ended."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [listener_arn])


def still_free(wanted: range, listener_arn: str, *, without: UUID | None = None) -> tuple[HeldPriority, ...]:
    """Which of these priorities another service of Bluegreen was given since the listener was read."""
    others = [one for one in selectors.services_on_listener(listener_arn) if one.pk != without]
    return priorities.held(wanted, list(_planned(others)))


def needed(settings: Settings) -> range:
    """The priorities that a service with these settings needs."""
    return priorities.numbers(settings.priority, slots=settings.canary_slots, has_header=settings.has_header)


def _by_priority(rules: Iterable[HeldPriority]) -> tuple[HeldPriority, ...]:
    return tuple(sorted(rules, key=lambda rule: rule.priority))


def _held(
    rules: list[ListenerRule], others: list[Service], own_arns: frozenset[str]
) -> Iterator[HeldPriority]:
    """First what is really there, then what other services will have that are not set up or changed yet."""
    planned = {held.priority: held for held in _planned(others)}
    there = [rule for rule in rules if rule.arn not in own_arns]
    for rule in there:
        owned = planned.pop(rule.priority, None)
        holder = owned.holder if owned else f"a rule that asks for {rule.asks_for}"
        yield HeldPriority(priority=rule.priority, holder=holder, takes_all=rule.takes_all)
    yield from planned.values()


def _planned(services: list[Service]) -> Iterator[HeldPriority]:
    asked_for = selectors.settings_asked_for(services)
    for service in services:
        wanted = [recorded_settings(service), *map(from_columns, asked_for.get(service.pk, ()))]
        for settings in wanted:
            for number in needed(settings):
                yield HeldPriority(
                    priority=number,
                    holder=f"a rule of {service.name}",
                    takes_all=settings.takes_all and number == settings.priority,
                )


def _own_rules(service_id: UUID | None) -> frozenset[str]:
    if service_id is None:
        return frozenset()
    service = Service.objects.get(pk=service_id)
    return frozenset({service.traffic_rule_arn, *service.canary_rule_arns.values()})


def learn_scheme(service: Service) -> None:
    """Ask AWS once whether the load balancer is on the internet: that never changes, and nothing depends on it but a
    warning, so that a failure is no obstacle."""
    if service.internet_facing is not None:
        return
    try:
        service.internet_facing = listeners.is_internet_facing(access(service), service.listener_arn)
    except AwsError as error:
        logger.info("%s: its load balancer's scheme is not known yet: %s", service, error.message)
    else:
        service.save(update_fields=["internet_facing"])
