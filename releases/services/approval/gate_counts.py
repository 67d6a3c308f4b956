"""How many of how many have approved, for lists: a gate's own page asks ``gates.StepGate``, which is exact."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import F, Q

from releases.domain.approval.gate_policy import Gate, Policy, gate_of
from releases.domain.traffic import Transition
from releases.models import Approval, Decision, Step
from releases.models import Policy as KeptPolicy
from releases.services.approval.policies import combined


def counts_of(steps: Sequence[Step]) -> dict[UUID, str]:
    """For each of these steps "1 of 2": who has approved its present plan or request, and how many its gate asks for.

    Two queries, however many there are.
    """
    approvers = _approvers(steps)
    policies = _policies(steps)
    return {step.pk: _count(step, policies[step.service_id], approvers.get(step.pk, set())) for step in steps}


def _count(step: Step, policy: Policy, approvers: set[int]) -> str:
    gate = Gate.REQUEST if step.request_digest else gate_of(Transition(step.transition))
    needed = len(policy.rule(gate).slots) if gate else 1
    return f"{min(len(approvers), needed)} of {needed}"


def _approvers(steps: Sequence[Step]) -> dict[UUID, set[int]]:
    given = Approval.objects.filter(step__in=steps, decision=Decision.APPROVED, withdrawn_at__isnull=True)
    of_request = Q(changes_digest=F("step__request_digest"))
    of_plan = Q(changes_digest=F("step__plan_run__changes_digest"), epoch=F("step__epoch"))
    present = given.filter(of_request | of_plan & Q(step__request_digest=""))
    found: dict[UUID, set[int]] = {}
    for step_id, person_id in present.order_by().values_list("step_id", "decided_by_id"):
        found.setdefault(step_id, set()).add(person_id)
    return found


def _policies(steps: Sequence[Step]) -> dict[UUID, Policy]:
    services = {step.service_id: step.service for step in steps}
    environments = {service.environment for service in services.values()}
    kept = list(
        KeptPolicy.objects.filter(Q(service__in=services) | Q(environment__in=environments)).order_by(
            F("service").asc(nulls_first=True)
        )
    )
    return {
        pk: combined([one for one in kept if one.service_id == pk or one.environment == service.environment])
        for pk, service in services.items()
    }
