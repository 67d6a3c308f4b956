"""Opening a gate without those whom it asks for, and the look at it afterwards; each is an act with its event."""

from collections.abc import Collection
from uuid import UUID

from django.contrib.auth.models import User

from releases import selectors
from releases.domain.access.decisions import Decision, Person
from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.approval.break_glass import may_break, may_review
from releases.domain.messaging.messages import MessageKind
from releases.models import BrokenGlass, Service, Step
from releases.permissions import as_person
from releases.services import rollout
from releases.services.access.service_accounts import people_behind
from releases.services.approval import gates
from releases.services.approval.gate import accounts_that_asked, ids
from releases.services.errors import ActRefused, refuse_unless
from releases.services.lifecycle import locked, now, person, record
from releases.services.messaging.telling import tell


def answer(service: Service, step: Step, user: User, shown: PlanIdentity | None = None) -> Decision:
    """Whether this person may break the glass at a step now; a page asks without what was ``shown``."""
    gate = gates.gates_before(service, step).present
    who = as_person(user, service)
    return may_break(
        who,
        breakers=gate.policy.break_glass,
        is_own_policy=who.id in gate.askers & gate.policy_makers,
        is_open=gate.is_open,
        plan=gate.identity,
        shown=shown or gate.identity,
    )


def break_glass(*, step_id: UUID, user: User, shown: PlanIdentity, reason: str, typed: str) -> None:
    """Open the gate that a step stands before, for what was shown; ``typed`` is the service's name.

    A freeze holds it all the same, and so does everything else that is checked before an apply. Raises ``ActRefused``.
    """
    service_id = Step.objects.values_list("service_id", flat=True).get(pk=step_id)
    with locked(service_id) as service:
        step = selectors.get_step(step_id)
        gate = gates.gates_before(service, step).present
        refuse_unless(answer(service, step, user, shown))
        if not reason.strip():
            raise ActRefused("glass:no-reason", "Say why: a broken glass needs a reason.")
        if typed.strip() != service.name:
            raise ActRefused(
                "glass:not-typed", f"Type the service's name, {service.name}, to break the glass."
            )
        broken = BrokenGlass.objects.create(
            step=step,
            plan_run=None if gate.of_request else step.plan_run,
            plan_sha256=shown.sha256,
            changes_digest=shown.changes_digest,
            epoch=service.epoch,
            broken_by=user,
            reason=reason,
        )
        record(
            service,
            step,
            actor=person(user),
            action="gate.glass-broken",
            after={
                "glass": str(broken.pk),
                "plan_sha256": shown.sha256,
                "changes_digest": shown.changes_digest,
                "missing": gate.words,
            },
            reason=reason,
        )
        tell(MessageKind.BREAK_GLASS, service, step=step, actor=person(user), reason=reason)
        rollout.advance(service, actor=person(user))


def review(*, broken_id: UUID, user: User, comment: str) -> None:
    """Say that one has looked at it, and what of it. Raises ``ActRefused``."""
    service_id = BrokenGlass.objects.values_list("step__service_id", flat=True).get(pk=broken_id)
    with locked(service_id) as service:
        broken = BrokenGlass.objects.select_related("step__release").get(pk=broken_id)
        refuse_unless(review_answer(as_person(user, service), broken))
        if not comment.strip():
            raise ActRefused("glass:no-comment", "Say what you found: a review needs a comment.")
        broken.reviewed_by, broken.reviewed_at, broken.review = user, now(), comment
        broken.save(update_fields=["reviewed_by", "reviewed_at", "review"])
        record(
            service,
            broken.step,
            actor=person(user),
            action="gate.break-reviewed",
            after={"glass": str(broken.pk), "broken_by": broken.broken_by.get_username()},
            reason=comment,
        )


def review_answer(who: Person, broken: BrokenGlass) -> Decision:
    """Whether this person may review it."""
    [answer] = review_answers(who, [broken])
    return answer


def review_answers(who: Person, glasses: Collection[BrokenGlass]) -> list[Decision]:
    """Whether this person may review each of these; one query."""
    asked = {broken.pk: accounts_that_asked(broken.step) for broken in glasses}
    behind = people_behind(set[int]().union(*asked.values()))
    involved = {pk: set[int]().union(*(behind[account] for account in asked[pk])) for pk in asked}
    return [
        may_review(
            who,
            involved_ids=ids({broken.broken_by_id, *involved[broken.pk]}),
            is_reviewed=broken.reviewed_at is not None,
        )
        for broken in glasses
    ]
