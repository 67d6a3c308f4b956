"""Changing what gates ask for. It counts at once, for what waits already too; each change is an event with both."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group, User
from django.db import transaction

from audit import events
from releases import push, selectors
from releases.domain.access.decisions import Refused
from releases.domain.approval.gate_policy import InvalidPolicy, from_columns, makers, own_columns
from releases.domain.provisioning.managing import may_change_policy
from releases.models import Policy as KeptPolicy
from releases.permissions import NotAllowed, as_person, may_set_defaults
from releases.services import rollout
from releases.services.access.service_accounts import with_programs
from releases.services.lifecycle import locked, person
from releases.services.provisioning.managed import ManagingRefused, managed_facts, refuse_unless


def change_policy(*, service_id: UUID, user: User, wanted: Mapping[str, Any]) -> bool:
    """Change a service's policy, in the form in which one is kept; gives whether anything differed.

    What is as its environment has it goes on following that. Raises ``NotAllowed``, ``ManagingRefused`` and
    ``InvalidPolicy``.
    """
    with locked(service_id) as service:
        refuse_unless(may_change_policy, user, service)
        _check(wanted)
        defaults = KeptPolicy.objects.filter(environment=service.environment).first()
        own = own_columns(wanted, defaults.content if defaults else {})
        kept, _ = KeptPolicy.objects.get_or_create(service=service)
        subject = {"service": service.name}
        changed = _change(kept, user, own, service_id=str(service.pk), subject=subject)
        push.service_changed(service.pk)
        rollout.advance(service, actor=person(user))
        return changed


def change_defaults(*, environment: str, user: User, wanted: Mapping[str, Any]) -> bool:
    """Change an environment's policy, and with it that of its services where they have none of their own.

    Gives whether anything differed. Raises ``NotAllowed``, ``ManagingRefused`` and ``InvalidPolicy``.
    """
    answer = may_set_defaults(user, environment)
    if isinstance(answer, Refused):
        raise NotAllowed(answer.code, answer.reason)
    _refuse_own_gates(environment, user)
    with transaction.atomic():
        _check(wanted)
        kept, _ = KeptPolicy.objects.get_or_create(environment=environment)
        kept = KeptPolicy.objects.select_for_update().get(pk=kept.pk)
        changed = _change(kept, user, wanted, service_id="", subject={"environment": environment})
    for service_id in selectors.services_at_gates(environment):
        with locked(service_id) as service:
            rollout.advance(service, actor=person(user))
    return changed


def _change(
    kept: KeptPolicy, user: User, content: Mapping[str, Any], *, service_id: str, subject: dict[str, str]
) -> bool:
    before, kept.content = kept.content, dict(content)
    if before == kept.content:
        return False
    kept.changed_by = user
    kept.makers = makers(kept.makers, before, kept.content, changed_by=str(user.pk))
    kept.save(update_fields=["content", "changed_by", "makers"])
    events.record(
        actor=person(user),
        action="policy.changed",
        service_id=service_id,
        subject=subject,
        before=before,
        after=kept.content,
    )
    return True


def _refuse_own_gates(environment: str, user: User) -> None:
    """Whoever asked for what goes on in any of the services changes no gate that it stands before."""
    for service in selectors.services_of_askers(environment, with_programs(user)):
        answer = may_change_policy(as_person(user, service), managed_facts(service))
        if isinstance(answer, Refused):
            raise ManagingRefused(answer.code, f"{service.name}: {answer.reason}")


def _check(wanted: Mapping[str, Any]) -> None:
    policy = from_columns(wanted)
    places = {gate.value: rule.slots for gate, rule in policy.gates.items()}
    by_field = {"break_glass": policy.break_glass, **places}
    named = {name for slots in by_field.values() for slot in slots for name in slot.groups}
    # Held until the policy is kept: none of them is removed meanwhile.
    held = Group.objects.select_for_update(no_key=True).filter(name__in=named).order_by("pk")
    known = {group.name for group in held}
    for field, slots in by_field.items():
        if unknown := sorted({name for slot in slots for name in slot.groups} - known):
            raise InvalidPolicy(
                field, f"There is no group “{unknown[0][:60]}”. A role is written as “the role manager”."
            )
