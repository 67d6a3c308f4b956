"""Reading what waits for somebody's decision."""

from django.contrib.auth.models import User
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.fields.json import HasKey
from django.db.models.functions import Coalesce

from releases.domain.access.roles import Role
from releases.domain.approval.slots import role_words
from releases.domain.lifecycle import OPEN_STATUSES
from releases.models import Approval, RoleGrant, Service, Step
from releases.models.role_grant import EVERYWHERE
from releases.selectors.roles import held_by
from releases.selectors.unfinished import AT_A_GATE


def steps_to_decide(user: User, *, services: QuerySet[Service]) -> QuerySet[Step]:
    """The plans and requests of these services that wait for somebody like this person, oldest first; not those of
    one's own releases, nor those that they have approved. One query."""
    of_plan = Q(
        step=OuterRef("pk"), changes_digest=OuterRef("plan_run__changes_digest"), epoch=OuterRef("epoch")
    )
    of_request = Q(step__release=OuterRef("release"), changes_digest=OuterRef("request_digest"))
    approved = Approval.objects.filter(of_plan | of_request, decided_by=user, withdrawn_at__isnull=True)
    return (
        Step.objects.filter(AT_A_GATE, _wants(user), service__in=services)
        .filter(Q(release__isnull=True) | Q(release__status__in=sorted(OPEN_STATUSES)))
        .exclude(release__requested_by=user)
        .exclude(release__changed_by=user)
        .exclude(requested_by=user)
        .exclude(Exists(approved))
        .select_related("service", "release", "release__requested_by", "requested_by", "plan_run")
        .order_by(Coalesce("plan_run__ended_at", "asked_at"), "pk")
    )


def _wants(user: User) -> Q:
    """Steps where somebody is missing who may be anybody, of one of the person's groups, or of a role of theirs."""
    wanted_groups = user.groups.filter(HasKey(OuterRef("wanted"), F("name")))
    wants = Q(wanted__has_key="") | Q(Exists(wanted_groups))
    there = Q(service=OuterRef("service")) | Q(environment=OuterRef("service__environment")) | EVERYWHERE
    grants = RoleGrant.objects.filter(held_by(user), there)
    for role in Role:
        wants |= Q(wanted__has_key=role_words(role)) & Q(Exists(grants.filter(role=role.value)))
    return wants
