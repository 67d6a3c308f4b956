"""The policy that counts for a service: its environment's, with what the service has of its own in its place."""

from collections.abc import Sequence

from django.db.models import F, Q

from releases.domain.approval.gate_policy import Policy, from_columns
from releases.models import Policy as KeptPolicy
from releases.models import Service


def policy_of(service: Service) -> Policy:
    """The policy as it is now; one query."""
    return combined(kept_policies(service))


def kept_policies(service: Service) -> list[KeptPolicy]:
    """What there is of it: the environment's, and the service's own after it; one query."""
    kept = KeptPolicy.objects.filter(Q(service=service) | Q(environment=service.environment))
    return list(kept.order_by(F("service").asc(nulls_first=True)))


def combined(kept: Sequence[KeptPolicy]) -> Policy:
    """The policy that these make, the later ones in place of the earlier."""
    return from_columns(*(one.content for one in kept))
